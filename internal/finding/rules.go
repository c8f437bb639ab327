package finding

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

func need(c *fault.Check, field, s string, most int) {
	if c.That(strings.TrimSpace(s) != "", field, "field.required") {
		c.That(utf8.RuneCountInString(s) <= most, field, "field.too_long", "max", most)
	}
}

func (in Filing) check(side Side) error {
	var c fault.Check
	need(&c, "measurement", in.Measurement, 64)
	need(&c, "text", in.Text, 2000)
	c.That(in.Ground == Result || in.Ground == Absent, "ground", "field.not_one_of", "allowed", "result, absent")
	c.That(in.Way == Complaint || in.Way == Laboratory, "way", "field.not_one_of", "allowed", "complaint, laboratory")
	c.That(side == User || in.Ground != Absent, "ground", "finding.own_absence")
	if side == User {
		need(&c, "applicant", in.Applicant, 100)
	}
	return c.Err()
}

// template of the pack that a form of paper is printed on.
func (f Form) template() string {
	if f == Mediation {
		return "mediation"
	}
	return "finding"
}

// draw makes the paper from what the pack says on a day and what was looked at. Whatever the pack does not know stays absent.
func draw(pack *citypack.Pack, day civil.Date, in Deciding, ground Ground, log []Evidence) (Paper, error) {
	rules := pack.Doc.Measurement
	p := Paper{Form: in.Form, Evidence: log, Opinion: strings.TrimSpace(in.Opinion), Cost: in.Cost, PerformBy: in.PerformBy}
	var c fault.Check
	need(&c, "opinion", in.Opinion, 4000)
	c.That(in.Cost == "" || in.Cost == User || in.Cost == Company, "cost", "field.not_one_of", "allowed", "user, company")
	switch in.Form {
	case Opinion, Mediation:
		t, ok := pack.Template(in.Form.template())
		c.That(ok, "form", "finding.no_template")
		p.Title = t.Name
		if v, ok := rules.FindingName.On(day); ok && in.Form == Opinion {
			p.Title = v.Value
		}
	case Ruling:
		v, ok := rules.Finding.Ruling.On(day)
		c.That(ok, "form", "finding.no_ruling")
		p.Title = v.Value
	default:
		c.Add("form", "field.not_one_of", "allowed", "opinion, mediation, ruling")
	}
	p.Prevails = chosen(&c, rules.Finding, day, in, ground, log)
	if err := c.Err(); err != nil {
		return Paper{}, err
	}
	if v, ok := rules.Finding.Force.On(day); ok && in.Form != Mediation {
		p.Force = &v.Value
	}
	if v, ok := rules.WhoPays.On(day); ok {
		p.CostRule = &v.Value
	}
	for _, r := range rules.Finding.Remedies {
		p.Remedies = append(p.Remedies, Remedy{Code: r.Code, Text: r.Text, Source: r.Source.String()})
	}
	return p, nil
}

// chosen is the result that counts: one with a temperature that stands in the log, and the one that the rules prefer where
// there is such a one. A mediation needs none, and neither does an opinion on a company that never came.
func chosen(c *fault.Check, rules citypack.Finding, day civil.Date, in Deciding, ground Ground, log []Evidence) *Evidence {
	measured := slices.DeleteFunc(slices.Clone(log), func(e Evidence) bool { return len(e.Rooms) == 0 })
	if in.Prevails == "" {
		c.That(in.Form == Mediation || ground == Absent, "prevails", "field.required")
		return nil
	}
	i := slices.IndexFunc(measured, func(e Evidence) bool { return e.Record == in.Prevails })
	if i < 0 {
		c.Add("prevails", "finding.no_such_result")
		return nil
	}
	if v, ok := rules.Prevails.On(day); ok && in.Form != Mediation {
		by := "laboratory"
		if v.Value == citypack.PrevailsAuthority {
			by = "authority"
		}
		better := slices.ContainsFunc(measured, func(e Evidence) bool { return e.By == by })
		c.That(!better || measured[i].By == by, "prevails", "finding.prevails."+by, "source", v.Source.String())
	}
	e := measured[i]
	return &e
}

// PutAside are the records of results that findings have put another result in the place of: what the objection was raised
// against is the last result of its measurement before it, and where the result that counts says the opposite of it, it
// counts no more. Whatever else stands in the household's log is untouched: a finding on a re-test says nothing about the
// test before the cure.
func PutAside(decided []Finding) []string {
	var out []string
	for _, f := range decided {
		if e, ok := f.against(); ok {
			out = append(out, e.Record)
		}
	}
	return out
}

// against is the result that the paper put another one in the place of.
func (f Finding) against() (Evidence, bool) {
	if f.Paper == nil || f.Paper.Prevails == nil || f.Ground != Result {
		return Evidence{}, false
	}
	var last Evidence
	for _, e := range f.Paper.Evidence {
		if len(e.Rooms) > 0 && e.Of == f.Measurement && !e.At.After(f.FiledAt) && !e.At.Before(last.At) {
			last = e
		}
	}
	p := f.Paper.Prevails
	opposite := last.Conforming != nil && p.Conforming != nil && *last.Conforming != *p.Conforming
	return last, last.Record != "" && last.Record != p.Record && opposite
}
