package finding

import (
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/paper"
	"github.com/rehu-heat/rehu/internal/text"
)

// document lays the issued paper out on the city's form. The applicant comes as the reader may see them.
func document(l text.Lang, t citypack.Template, f Finding, applicant string) paper.Document {
	p := f.Paper
	t.Name = p.Title
	cost := ""
	if p.Cost != "" {
		cost = text.T(l, "finding_side."+string(p.Cost))
	}
	if p.CostRule != nil {
		cost = join(cost, p.CostRule.In(l))
	}
	ways := make([]string, len(p.Remedies))
	for i, r := range p.Remedies {
		ways[i] = r.Text.In(l) + text.T(l, "finding.paper.source", "source", r.Source)
	}
	remedies := strings.Join(ways, "\n")
	chosen := text.T(l, "finding.paper.no_test")
	if p.Prevails != nil {
		chosen = p.Prevails.words(l)
	} else if p.Form == Mediation {
		chosen = ""
	}
	values := []paper.Pair{
		{Label: "申请人", Value: applicant},
		{Label: "地址", Value: f.Address},
		{Label: "供热企业", Value: p.Company.In(l)},
		{Label: "异议事项", Value: text.T(l, "finding_ground."+string(f.Ground)) + text.T(l, "finding.paper.colon") + f.Text},
		{Label: "争议事项", Value: text.T(l, "finding_ground."+string(f.Ground)) + text.T(l, "finding.paper.colon") + f.Text},
		{Label: "企业检测结果", Value: results(l, p.Evidence, true)},
		{Label: "复核检测结果", Value: results(l, p.Evidence, false)},
		{Label: "检测结果", Value: results(l, p.Evidence, true) + "\n" + results(l, p.Evidence, false)},
		{Label: "查明情况", Value: results(l, p.Evidence, true) + "\n" + results(l, p.Evidence, false)},
		{Label: "采用的结果", Value: chosen},
		{Label: "复核意见", Value: p.Opinion},
		{Label: "意见", Value: p.Opinion},
		{Label: "调解结果", Value: p.Opinion},
		{Label: "检测费用承担", Value: cost},
		{Label: "履行期限", Value: dayOf(l, p.PerformBy)},
		{Label: "救济途径", Value: remedies},
	}
	e := citypack.Entries{Issuer: p.Authority.In(l), Number: p.No, Date: dayOf(l, f.DecidedAt.Date()), Values: known(t, values)}
	if word := heard(l, f); word != "" {
		e.Middle = append(e.Middle, paper.Heading{Text: text.T(l, "finding.paper.heard")}, paper.Paragraph{Text: word, Indent: true})
	}
	if p.Force != nil {
		e.Middle = append(e.Middle, paper.Heading{Text: text.T(l, "finding.paper.force")}, paper.Paragraph{Text: p.Force.In(l), Indent: true})
	}
	if p.Form == Opinion && len(p.Remedies) == 0 {
		e.Middle = append(e.Middle, paper.Paragraph{Text: text.T(l, "finding.paper.no_remedies"), Small: true})
	}
	return t.Sheet(l, e)
}

// known keeps the values that the form has a field for, and of the others those that no form may leave out.
func known(t citypack.Template, values []paper.Pair) []paper.Pair {
	always := map[string]bool{"采用的结果": true, "检测费用承担": true, "救济途径": true}
	if hasField(t, "检测结果") || hasField(t, "查明情况") {
		always["采用的结果"] = true
	}
	var out []paper.Pair
	for _, v := range values {
		if hasField(t, v.Label) || always[v.Label] {
			v.Value = strings.Trim(v.Value, "\n")
			out = append(out, v)
		}
	}
	return out
}

func hasField(t citypack.Template, name string) bool {
	return slices.Contains(t.Fields, name)
}

func join(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "\n")
}

// results lists the tests of the company, or those of everybody else.
func results(l text.Lang, log []Evidence, companys bool) string {
	var out []string
	for _, e := range log {
		if (e.By != "authority" && e.By != "laboratory") == companys {
			out = append(out, e.words(l))
		}
	}
	return strings.Join(out, "\n")
}

// words say when, what kind, which temperatures, and what is doubtful about it.
func (e Evidence) words(l text.Lang) string {
	parts := []string{e.At.Minute(), text.T(l, "finding_evidence."+e.Type)}
	for _, r := range e.Rooms {
		parts = append(parts, r.Room+" "+r.TempC.String()+" ℃")
	}
	if e.Conforming != nil {
		key := "finding.paper.below"
		if *e.Conforming {
			key = "finding.paper.conforms"
		}
		parts = append(parts, text.T(l, key))
	}
	if e.Type == "lab_report" && !e.Invited {
		parts = append(parts, text.T(l, "finding.paper.not_invited"))
	}
	if e.Doubtful {
		parts = append(parts, text.T(l, "finding.paper.doubtful"))
	}
	return strings.Join(parts, text.T(l, "finding.paper.comma"))
}

// heard says what the company said, or that it was asked and said nothing.
func heard(l text.Lang, f Finding) string {
	switch {
	case f.CompanyWord != "":
		return text.T(l, "finding.paper.said", "at", f.CompanyWordAt.Minute(), "word", f.CompanyWord)
	case !f.AskedAt.IsZero():
		return text.T(l, "finding.paper.silent", "at", f.AskedAt.Minute())
	}
	return ""
}

func dayOf(l text.Lang, d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return text.T(l, "paper.day", "year", d.Year, "month", int(d.Month), "day", d.Day)
}
