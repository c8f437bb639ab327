package citypack

import (
	"slices"
	"sort"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/text"
)

func sortProblems(p []Problem) {
	sort.SliceStable(p, func(i, j int) bool {
		if p[i].Line != p[j].Line {
			return p[i].Line < p[j].Line
		}
		return p[i].Key < p[j].Key
	})
}

// checker looks for what a schema cannot say in one file.
type checker struct {
	file     string
	problems []Problem
}

func checkRules(file string, root *node) []Problem {
	c := &checker{file: file}
	c.walk(root, "")
	c.seasons(root)
	sortProblems(c.problems)
	return c.problems
}

func (c *checker) fail(n *node, key, message string, pairs ...any) {
	c.problems = append(c.problems, Problem{File: c.file, Line: n.line, Key: key, Message: text.Msg(message, pairs...)})
}

func (c *checker) walk(n *node, key string) {
	if n.kind == mapping {
		c.member(n, key)
	}
	for i, e := range n.items {
		if n.kind == mapping {
			c.walk(e, join(key, n.keys[i]))
		} else {
			c.walk(e, key+"["+itoa(i)+"]")
		}
	}
	if n.kind == sequence {
		c.overlaps(n, key)
	}
}

func (c *checker) member(n *node, key string) {
	for _, name := range []string{"from", "to"} {
		v := n.str(name)
		if _, err := civil.ParseDate(v); v != "" && n.get("confidence") != nil && err != nil {
			c.fail(n.get(name), join(key, name), "pack.no_such_day", "text", v)
			return
		}
	}
	if p := periodOf(n); n.get("confidence") != nil && !p.From.IsZero() && !p.To.IsZero() && p.To.Before(p.From) {
		c.fail(n.get("to"), join(key, "to"), "pack.ends_before")
	}
	if n.get("stage") == nil {
		return
	}
	if role := n.get("role"); !slices.Contains(actor.Roles(), actor.Role(role.text)) {
		c.fail(role, join(key, "role"), "pack.not_one_of", "got", role.text, "want", roles())
	}
	times := 0
	for _, name := range []string{"left_percent", "before_minutes", "after_minutes", "before_days", "after_days"} {
		if n.get(name) != nil {
			times++
		}
	}
	if times > 1 {
		c.fail(n, key, "pack.one_time")
	}
}

func roles() string { return strings.Join(stringsOf(actor.Roles()), ", ") }

func periodOf(n *node) Period {
	var p Period
	_ = p.From.UnmarshalText([]byte(n.str("from"))) // a day that does not exist is reported by member
	_ = p.To.UnmarshalText([]byte(n.str("to")))
	return p
}

// overlaps finds two elements of a list that say the same thing for the same day, and codes that stand twice.
func (c *checker) overlaps(n *node, key string) {
	for i, b := range n.items {
		if b.kind != mapping || b.get("stage") != nil {
			continue
		}
		for _, a := range n.items[:i] {
			if a.kind != mapping || selector(a) != selector(b) || !sourcedPlain(a) {
				continue
			}
			if code := codeKey(b); code != "" {
				c.fail(b, key+"["+itoa(i)+"]", "pack.code_again", "code", code, "line", a.line)
				break
			}
			if b.get("confidence") != nil && periodOf(a).overlaps(periodOf(b)) {
				c.fail(b, key+"["+itoa(i)+"]", "pack.overlap", "line", a.line)
				break
			}
		}
	}
}

// sourcedPlain reports whether an element is one that may not stand twice: it has a code or a source.
func sourcedPlain(n *node) bool { return codeKey(n) != "" || n.get("confidence") != nil }

// selector is what an element of a list speaks about.
func selector(n *node) string {
	if code := codeKey(n); code != "" {
		return code
	}
	var parts []string
	for _, k := range []string{"what", "over_hours", "season", "counties", "kinds", "categories", "urgency", "phases"} {
		part := ""
		if v := n.get(k); v != nil {
			part = v.flat()
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "|")
}

// seasons checks that the times of the year exist and that no two announced seasons overlap.
func (c *checker) seasons(root *node) {
	s := root.get("season")
	if s == nil {
		return
	}
	if rules := s.get("rule"); rules != nil {
		for i, r := range rules.items {
			for _, end := range []string{"start", "end"} {
				if _, _, _, _, err := MonthDayTime(r.str(end)).parts(); err != nil {
					c.fail(r.get(end), "season.rule["+itoa(i)+"]."+end, "pack.no_such_time", "text", r.str(end))
				}
			}
			if r.str("start") == r.str("end") {
				c.fail(r.get("end"), "season.rule["+itoa(i)+"].end", "pack.empty_season")
			}
		}
	}
	if announced := s.get("announced"); announced != nil {
		c.announced(announced.items)
	}
}

func (c *checker) announced(list []*node) {
	for i, b := range list {
		key := "season.announced[" + itoa(i) + "]"
		start, end := parsePackTime(b.str("start")), parsePackTime(b.str("end"))
		if !start.IsZero() && !end.IsZero() && !start.Before(end) {
			c.fail(b.get("end"), key+".end", "pack.ends_before")
			continue
		}
		if _, ok := labelYear(b.str("season")); !ok {
			c.fail(b.get("season"), key+".season", "pack.bad_form", "got", b.str("season"), "want", "2025-2026")
		}
		for _, a := range list[:i] {
			s, e := parsePackTime(a.str("start")), parsePackTime(a.str("end"))
			if s.IsZero() || e.IsZero() || start.IsZero() || end.IsZero() || flatOf(a, "counties") != flatOf(b, "counties") {
				continue
			}
			if start.Before(e) && s.Before(end) && a.str("season") != b.str("season") {
				c.fail(b, key, "pack.seasons_overlap", "line", a.line)
			}
		}
	}
}

func flatOf(n *node, key string) string {
	if v := n.get(key); v != nil {
		return v.flat()
	}
	return ""
}

// checkWhole looks for what only the pack with its parents can tell: references and clocks.
func checkWhole(p *Pack, root *node) []Problem {
	var problems []Problem
	fail := func(n *node, key, message string, pairs ...any) {
		problems = append(problems, Problem{File: n.file, Line: n.line, Key: key, Message: text.Msg(message, pairs...)})
	}
	if clocks := root.get("clocks"); clocks != nil {
		for i, name := range clocks.keys {
			if !slices.Contains(ClockNames(), name) {
				fail(clocks.items[i], "clocks."+name, "pack.not_one_of", "got", name, "want", strings.Join(ClockNames(), ", "))
			}
			limits := clocks.items[i].get("limits")
			if limits == nil {
				continue
			}
			for j, l := range limits.items {
				cats := l.get("categories")
				if cats == nil {
					continue
				}
				for _, code := range cats.items {
					if _, ok := p.byCode[code.text]; !ok {
						fail(code, "clocks."+name+".limits["+itoa(j)+"].categories", "pack.no_category", "code", code.text)
					}
				}
			}
		}
	}
	for _, r := range p.Doc.RefundRules {
		if at := tiersOverlap(r); at != "" && r.Overlap == nil {
			fail(root.get("refund_rules"), "refund_rules."+r.ID+".tiers", "pack.tiers_overlap", "at", at)
		}
	}
	for _, pair := range p.rivals() {
		fail(root.get("refund_rules"), "refund_rules."+pair[1]+".from", "pack.refund_overlap", "other", pair[0])
	}
	checkCategories(root.get("categories"), fail)
	return problems
}

func checkCategories(list *node, fail func(*node, string, string, ...any)) {
	seen := map[string]bool{}
	var walk func(*node, int)
	walk = func(list *node, depth int) {
		if list == nil {
			return
		}
		for _, c := range list.items {
			code := c.str("code")
			if seen[code] {
				fail(c, "categories."+code, "pack.code_again", "code", code, "line", c.line)
			}
			seen[code] = true
			if c.get("name") == nil {
				fail(c, "categories."+code+".name", "pack.missing")
			}
			if depth > 1 {
				fail(c, "categories."+code, "pack.too_deep")
			}
			walk(c.get("children"), depth+1)
		}
	}
	walk(list, 0)
}

// rivals finds two dated rules of the pack's own, both in force, that hold on one day.
func (p *Pack) rivals() [][2]string {
	var own []RefundRule
	var out [][2]string
	for _, r := range p.Doc.RefundRules {
		if !r.Selectable() || r.From.IsZero() || !p.mine(r.Path) {
			continue
		}
		for _, o := range own {
			if o.Period.overlaps(r.Period) {
				out = append(out, [2]string{o.ID, r.ID})
			}
		}
		own = append(own, r)
	}
	return out
}

// tiersOverlap gives a temperature that lies in two tiers of a rule.
func tiersOverlap(r RefundRule) string {
	for i, a := range r.Tiers {
		for _, b := range r.Tiers[i+1:] {
			for _, v := range []*Degree{a.From, a.To, b.From, b.To} {
				if v != nil && a.Holds(*v) && b.Holds(*v) {
					return v.String()
				}
			}
		}
	}
	return ""
}

// Holds reports whether a temperature lies in the tier.
func (t Tier) Holds(c Degree) bool {
	if t.From != nil && (c < *t.From || c == *t.From && !t.FromClosed) {
		return false
	}
	return t.To == nil || c < *t.To || c == *t.To && t.ToClosed
}

// Holds reports whether a shortfall lies in the tier.
func (t ShortfallTier) Holds(short Degree) bool {
	if t.Over != nil && (short < *t.Over || short == *t.Over && !t.OverClosed) {
		return false
	}
	return t.To == nil || short < *t.To || short == *t.To && t.ToClosed
}
