package internal_test

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/rehu-heat/rehu/internal/text"
)

// keptKeys are the prefixes of messages that belong to the values of a type, where no comment of the form
// "status.<name>" says so.
var keptKeys = []string{"company_kind.", "duty_rung.", "part.", "place_kind."}

// byScript are the messages whose parameters a script on the page fills in.
var byScript = []string{"casework.fresh"}

var (
	// named is how a comment says that each value of a type has a message of its own: "status.<name>".
	named     = regexp.MustCompile(`"([a-z_]+(?:\.[a-z_]+)*\.)<[a-z]+>"`)
	parameter = regexp.MustCompile(`\{([a-z_]+)\}`)
	keyShape  = regexp.MustCompile(`^[a-z][a-z_0-9]*(\.[a-z0-9_]+)*$`)
	helpText  = regexp.MustCompile(`help:"\$\{([a-z_]+)\}"`)
	openPart  = regexp.MustCompile(`‹[^›]*›|%[a-z]`)
)

// say is a call that speaks a catalogue key.
type say struct {
	key   string
	names []string // of the parameters it gives
	exact bool     // whether names is all of them
}

// sayOf reads a call such as fault.New(kind, key, pairs…), c.That(ok, field, key, pairs…) or text.Msg(key, pairs…).
func sayOf(c *ast.CallExpr) (say, bool) {
	at := -1
	switch name := callee(c); name {
	case "fault.New":
		at = 1
	case "fault.Wrap":
		at = 2
	case "text.Msg":
		at = 0
	case "text.T", "text.Say", "ui.T":
		at = 1
	case "r.say", "r.line", "r.note": // the command line
		at = 0
	default:
		switch {
		case strings.HasSuffix(name, ".Add") && len(c.Args) >= 2:
			at = 1
		case strings.HasSuffix(name, ".That") && len(c.Args) >= 3:
			at = 2
		}
	}
	if at < 0 || at >= len(c.Args) {
		return say{}, false
	}
	key, ok := literal(c.Args[at])
	if !ok || !keyShape.MatchString(key) {
		return say{}, false
	}
	s := say{key: key, exact: !c.Ellipsis.IsValid() && callee(c) != "text.Say"}
	for i := at + 1; i < len(c.Args); i += 2 {
		name, ok := literal(c.Args[i])
		s.exact = s.exact && ok
		s.names = append(s.names, name)
	}
	return s, true
}

// prefixed are the keys that a call such as keyed("rules.only", "provisional", "approved") puts together.
func prefixed(c *ast.CallExpr) []string {
	if len(c.Args) < 2 {
		return nil
	}
	prefix, ok := literal(c.Args[0])
	if !ok || !keyShape.MatchString(prefix) {
		return nil
	}
	var out []string
	for _, a := range c.Args[1:] {
		if name, ok := literal(a); ok {
			out = append(out, prefix+"."+name)
		}
	}
	return out
}

// helpKeys are the texts that a flag of the command line names in its tag: help:"${serve}".
func helpKeys(f *ast.Field) []string {
	if f.Tag == nil {
		return nil
	}
	var out []string
	for _, m := range helpText.FindAllStringSubmatch(f.Tag.Value, -1) {
		out = append(out, "cli.help."+m[1])
	}
	return out
}

func callee(c *ast.CallExpr) string {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if x, ok := sel.X.(*ast.Ident); ok {
		return x.Name + "." + sel.Sel.Name
	}
	return "." + sel.Sel.Name
}

// TestCatalogue checks every message: both languages, the same parameters, spoken somewhere, and every key that code
// speaks exists and is given what it asks for.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	spoken := map[string]bool{}
	var open []*regexp.Regexp
	for _, s := range sources(t) {
		for _, c := range s.file.Comments {
			for _, m := range named.FindAllStringSubmatch(c.Text(), -1) {
				open = append(open, regexp.MustCompile("^"+regexp.QuoteMeta(m[1])))
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.CallExpr:
				if said, ok := sayOf(x); ok {
					checkSaid(t, s.line(n), said)
				}
				for _, key := range prefixed(x) {
					spoken[key] = true
				}
			case *ast.Field:
				for _, key := range helpKeys(x) {
					spoken[key] = true
					checkSaid(t, s.line(n), say{key: key})
				}
			}
			return true
		})
		texts(s, func(_ ast.Node, text string) {
			spoken[text] = true
			if loc := openPart.FindStringIndex(text); loc != nil && loc[0] > 1 && strings.Contains(text[:loc[0]], ".") && !strings.Contains(text, " ") {
				open = append(open, regexp.MustCompile("^"+openPart.ReplaceAllString(regexp.QuoteMeta(text), `.*`)+"$"))
			}
		})
	}
	for _, key := range text.Keys() {
		checkMessage(t, key)
		if !spoken[key] && !kept(key) && !slices.ContainsFunc(open, func(r *regexp.Regexp) bool { return r.MatchString(key) }) {
			t.Errorf("%s: no code speaks this message", key)
		}
	}
}

func kept(key string) bool {
	for _, l := range lifecycles() { // pages read the buttons from the tables
		if strings.HasPrefix(key, l.states) || strings.HasPrefix(key, l.events) {
			return true
		}
	}
	return slices.ContainsFunc(keptKeys, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
}

func checkSaid(t *testing.T, line string, s say) {
	t.Helper()
	if !text.Has(s.key) {
		t.Errorf("%s: %s is in no catalogue", line, s.key)
		return
	}
	if !s.exact || slices.Contains(byScript, s.key) {
		return
	}
	for _, name := range parameters(s.key) {
		if !slices.Contains(s.names, name) {
			t.Errorf("%s: %s needs the parameter %s", line, s.key, name)
		}
	}
}

// parameters lists what a message asks for in either language.
func parameters(key string) []string {
	var out []string
	for _, l := range []text.Lang{text.ZH, text.EN} {
		for _, m := range parameter.FindAllStringSubmatch(text.Say(l, key, nil), -1) {
			out = append(out, m[1])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func checkMessage(t *testing.T, key string) {
	t.Helper()
	zh, en := text.Say(text.ZH, key, nil), text.Say(text.EN, key, nil)
	if strings.TrimSpace(zh) == "" || strings.TrimSpace(en) == "" {
		t.Errorf("%s: needs both languages", key)
	}
	if strings.ContainsFunc(en, func(r rune) bool { return unicode.Is(unicode.Han, r) }) && !strings.Contains(en, "(") && !strings.Contains(en, "\"") {
		t.Errorf("%s: Chinese in the English text: %s", key, en)
	}
	for _, l := range []text.Lang{text.ZH, text.EN} {
		for _, m := range parameter.FindAllStringSubmatch(text.Say(l, key, nil), -1) {
			if other := text.Say(flip(l), key, nil); !strings.Contains(other, m[0]) && l == text.EN {
				t.Errorf("%s: %s stands in English only", key, m[0])
			}
		}
	}
}

func flip(l text.Lang) text.Lang {
	if l == text.ZH {
		return text.EN
	}
	return text.ZH
}
