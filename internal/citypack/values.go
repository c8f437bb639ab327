package citypack

import (
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/text"
)

// Value is one sourced value of a pack, for the page that shows a pack and for its check.
type Value struct {
	Path        string     `json:"path"` // what an approval names
	Text        string     `json:"text"` // the value as one line
	Period      Period     `json:"period"`
	Source      Source     `json:"source"`
	Confidence  Confidence `json:"confidence"`
	Provisional bool       `json:"provisional"`
	Approval    *Approval  `json:"approval,omitempty"`
	File        string     `json:"file"` // the pack that says it: the city's, the province's or the national one
	Line        int        `json:"line"`
}

// Label names the value in the reader's language: "Clocks · On site · Limits".
func (v Value) Label(l text.Lang) string {
	var parts []string
	for i, part := range strings.Split(v.Path, ".") {
		n, err := strconv.Atoi(part)
		switch {
		case err != nil:
			parts = append(parts, wordsOf(l, part))
		case n > 0 && i > 0:
			parts = append(parts, text.Say(l, "pack.nth", map[string]any{"n": strconv.Itoa(n + 1)}))
		}
	}
	return strings.Join(parts, " · ")
}

// word is a name of the pack's format, or one of its codes.
var word = regexp.MustCompile(`[a-z][a-z0-9_]*`)

// wordsOf says every name and code in a text that has a message "pack.key.<name>"; the others stay.
func wordsOf(l text.Lang, s string) string {
	return word.ReplaceAllStringFunc(s, func(w string) string {
		if key := "pack.key." + w; text.Has(key) {
			return text.Say(l, key, nil)
		}
		return w
	})
}

var (
	span  = regexp.MustCompile(`amount=([0-9.]+) unit=([a-z_]+)`)
	named = regexp.MustCompile(`(?:^|[ {])(?:code|stage|id)=[^ }]*`)
	field = regexp.MustCompile(`(^|[ {])([a-z][a-z0-9_]*)=`)
	codes = regexp.MustCompile(`^[a-z0-9_, ]+$`)
)

// Say is the value as people read it: spans of time in words, the names of its fields and its codes said; what the path
// names already is left out.
func (v Value) Say(l text.Lang) string {
	s := span.ReplaceAllStringFunc(v.Text, func(m string) string {
		of := span.FindStringSubmatch(m)
		return "amount=" + of[1] + " " + wordsOf(l, of[2])
	})
	s = strings.TrimSpace(named.ReplaceAllString(s, ""))
	at := field.FindAllStringSubmatchIndex(s, -1)
	if len(at) == 0 {
		return sayCodes(l, s)
	}
	var parts []string
	if first := strings.TrimSpace(s[:at[0][0]]); first != "" {
		parts = append(parts, sayCodes(l, first))
	}
	for i, m := range at {
		end := len(s)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		what := strings.Trim(s[m[1]:end], "{} ,")
		if name := s[m[4]:m[5]]; name == "amount" {
			parts = append(parts, what) // a span of time says itself
		} else {
			parts = append(parts, strings.TrimSpace(wordsOf(l, name)+" "+sayCodes(l, what)))
		}
	}
	return strings.Join(parts, " · ")
}

// sayCodes says a list of codes; a text in another alphabet stays as it was written.
func sayCodes(l text.Lang, s string) string {
	s = strings.Trim(s, "{} ")
	if !codes.MatchString(s) {
		return s
	}
	return strings.ReplaceAll(wordsOf(l, s), ",", ", ")
}

// Values lists every sourced value of the pack in the order of the document.
func (p *Pack) Values() []Value { return append([]Value(nil), p.values...) }

// collect walks the merged document, gives every sourced value its path and notes it.
func (p *Pack) collect(root *node) {
	p.byPath = map[string]int{}
	p.values = nil
	var walk func(n *node, path string)
	walk = func(n *node, path string) {
		if n == nil {
			return
		}
		if n.kind == mapping && n.get("confidence") != nil && n.get("source") != nil {
			path = p.note(n, path)
		}
		for i, key := range n.keys {
			if key != "source" {
				walk(n.items[i], join(path, key))
			}
		}
		if n.kind == sequence {
			for i, e := range n.items {
				walk(e, join(path, elementKey(e, i)))
			}
		}
	}
	walk(root, "")
}

func (p *Pack) note(n *node, path string) string {
	for base, i := path, 2; ; i++ {
		if _, taken := p.byPath[path]; !taken {
			break
		}
		path = base + "#" + itoa(i)
	}
	v := Value{Path: path, File: n.file, Line: n.line, Text: n.valueText()}
	if s := n.get("source"); s != nil {
		v.Source = Source{Law: s.str("law"), Article: s.str("article"), URL: s.str("url")}
	}
	v.Confidence = Confidence(n.str("confidence"))
	v.Provisional = !v.Confidence.Confirmed()
	_ = v.Period.From.UnmarshalText([]byte(n.str("from"))) // the schema has checked both days
	_ = v.Period.To.UnmarshalText([]byte(n.str("to")))
	p.byPath[path] = len(p.values)
	p.values = append(p.values, v)
	n.set("path", path)
	return path
}

// elementKey names an element of a list so that the name survives a reordering: by its code, or by what selects it.
func elementKey(n *node, i int) string {
	if n.kind != mapping {
		return itoa(i)
	}
	for _, k := range []string{"code", "id", "stage"} {
		if s := n.str(k); s != "" {
			return s
		}
	}
	var parts []string
	for _, k := range []string{"what", "season", "counties", "kinds", "categories", "urgency", "phases", "from"} {
		if c := n.get(k); c != nil {
			parts = append(parts, c.flat())
		}
	}
	if len(parts) > 0 {
		return strings.Join(parts, "/")
	}
	return itoa(i)
}

// valueText is the value on one line, without where it comes from.
func (n *node) valueText() string {
	if v := n.get("value"); v != nil {
		return v.flat()
	}
	var parts []string
	for i, k := range n.keys {
		switch k {
		case "source", "confidence", "note", "from", "to", "path", "children", "limits", "escalation":
		default:
			parts = append(parts, k+"="+n.items[i].flat())
		}
	}
	return strings.Join(parts, " ")
}

// flat writes a node on one line.
func (n *node) flat() string {
	switch n.kind {
	case scalar:
		return n.text
	case sequence:
		parts := make([]string, len(n.items))
		for i, e := range n.items {
			parts[i] = e.flat()
		}
		return strings.Join(parts, ",")
	case mapping:
		if zh := n.str("zh"); zh != "" {
			return zh
		}
		parts := make([]string, len(n.items))
		for i, e := range n.items {
			parts[i] = n.keys[i] + "=" + e.flat()
		}
		return "{" + strings.Join(parts, " ") + "}"
	}
	return ""
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Provisionals lists the values that wait for the city's approval, by path.
func (p *Pack) Provisionals() []Value {
	var out []Value
	for _, v := range p.values {
		if v.Provisional {
			out = append(out, v)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}
