package web

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// findingView is one objection with the measurement beside it, what the city's rules say, and the forms.
type findingView struct {
	finding.View
	city     int
	day      civil.Date
	names    *caseNames
	measured measure.View // empty when the reader may not see it
	answers  bool         // the reader's company is asked for its word
	tried    finding.Event
	step     ui.Form
	answer   ui.Form
	decide   ui.Form
}

// findingTone is the colour of an objection's state.
func findingTone(s finding.State) ui.Tone {
	switch s {
	case finding.Filed:
		return ui.Violet
	case finding.Accepted:
		return ui.Blue
	case finding.Weighed:
		return ui.Amber
	case finding.Issued, finding.Mediated, finding.Ruled:
		return ui.Green
	case finding.Rejected, finding.Withdrawn:
	}
	return ui.Grey
}

func findingStates() []ui.Option {
	return wordOptions("finding_state."+each, finding.Lifecycle.Statuses())
}

func findingColumns() []ui.Col {
	return []ui.Col{
		{Key: "findingpage.no", Ch: 14},
		{Key: "findingpage.address"},
		{Key: "findingpage.company", Ch: 9},
		{Key: "findingpage.side", Ch: 7},
		{Key: "findingpage.ground"},
		{Key: "findingpage.filed_at", Ch: 9},
		{Key: "findingpage.due", Ch: 11},
		{Key: "findingpage.state", Ch: 10},
	}
}

func findingHeader() []string {
	keys := []string{"no", "measurement", "address", "account", "company", "district", "side", "ground", "way", "filed_at", "due", "late", "state", "asked_at", "word_at", "paper_no", "decided_at"}
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = "findingpage." + k
	}
	return out
}

func findingCells(ctx context.Context, n *caseNames, f finding.Finding) []any {
	no, late := "", ""
	if f.Paper != nil {
		no = f.Paper.No
	}
	if f.Late {
		late = ui.T(ctx, "findingpage.late")
	}
	return []any{
		f.No, f.MeasurementNo, f.Address, f.Account, n.org(ctx, f.Company), n.district(f.District), ui.T(ctx, "finding_side."+string(f.Side)),
		ui.T(ctx, "finding_ground."+string(f.Ground)), ui.T(ctx, "finding_way."+string(f.Way)), f.FiledAt.Minute(), f.DueAt.Minute(), late,
		ui.T(ctx, "finding_state."+string(f.State)), f.AskedAt.Minute(), f.CompanyWordAt.Minute(), no, f.DecidedAt.Minute(),
	}
}

// findingDue is by when the authority answers, and why there is no such time.
func findingDue(ctx context.Context, f finding.Finding) ui.Due {
	d := ui.Due{At: f.DueAt, Done: !f.State.IsOpen()}
	switch {
	case !f.DueAt.IsZero():
	case f.Promise != nil && f.Promise.Missing != "":
		d.Note = ui.T(ctx, "findingpage.due_missing", "what", f.Promise.Missing)
	default:
		d.Note = ui.T(ctx, "findingpage.no_due")
	}
	return d
}

func (v findingView) facts(ctx context.Context) []ui.Fact {
	who := ui.T(ctx, "finding_side."+string(v.Side))
	if v.Side == finding.Company {
		who += " " + v.names.org(ctx, v.Company)
	} else if v.Applicant != "" {
		who += " " + v.Applicant
	}
	return []ui.Fact{
		{Key: "findingpage.who", Text: who},
		{Key: "findingpage.ground", Text: ui.T(ctx, "finding_ground."+string(v.Ground))},
		{Key: "findingpage.way", Text: ui.T(ctx, "finding_way."+string(v.Way))},
		{Key: "findingpage.address", Text: v.Address},
		{Key: "findingpage.account", Text: v.Account},
		{Key: "findingpage.company", Text: v.names.org(ctx, v.Company)},
		{Key: "findingpage.district", Text: v.names.district(v.District)},
		{Key: "findingpage.measurement", Text: v.MeasurementNo},
		{Key: "findingpage.filed_at", Text: v.FiledAt.Minute()},
		{Key: "findingpage.due", Text: dueOrNone(ctx, v.DueAt)},
		{Key: "findingpage.decided_at", Text: v.DecidedAt.Minute()},
		{Key: "ui.reason", Text: v.Reason},
	}
}

// why says where the authority's own time comes from.
func (v findingView) why(ctx context.Context) string {
	p := v.Promise
	if p == nil {
		return ui.T(ctx, "findingpage.no_due")
	}
	words := ui.T(ctx, "findingpage.due_why", "limit", ui.Say(ctx, calendar.Of(p.Amount, calendar.Unit(p.Unit)).Words()), "source", p.Source)
	if p.Provisional {
		words += ui.T(ctx, "findingpage.provisional")
	}
	if p.Missing != "" {
		words += ui.T(ctx, "findingpage.due_missing", "what", p.Missing)
	}
	return words
}

// waited is how long the company has been asked without an answer.
func (v findingView) waited(ctx context.Context) string {
	return ui.Span(ctx, ui.Now(ctx).Sub(v.AskedAt).Truncate(time.Minute))
}

func evidenceColumns() []ui.Col {
	return []ui.Col{{Key: "findingpage.at", Ch: 11}, {Key: "findingpage.kind", Ch: 12}, {Key: "findingpage.readings"}, {Key: "findingpage.result", Ch: 8}, {Key: "findingpage.notes"}}
}

func evidenceRooms(e finding.Evidence) string {
	out := make([]string, len(e.Rooms))
	for i, r := range e.Rooms {
		out[i] = strings.TrimSpace(r.Room + " " + r.TempC.String() + " ℃")
	}
	return strings.Join(out, "，")
}

// evidenceKind says what a record is; a test by the authority is not the company's.
func evidenceKind(ctx context.Context, e finding.Evidence) string {
	return firstKey(ctx, e.Type, "findingpage.by_"+e.By+"."+e.Type, "finding_evidence."+e.Type)
}

// notes are what must be known beside a record.
func (v findingView) notes(ctx context.Context, e finding.Evidence) []string {
	var out []string
	if e.Of != "" && e.Of == v.Measurement {
		out = append(out, ui.T(ctx, "findingpage.of_this"))
	}
	if e.Type == "lab_report" {
		key := "finding.paper.not_invited"
		if e.Invited {
			key = "findingpage.invited"
		}
		out = append(out, ui.T(ctx, key))
	}
	if e.Doubtful {
		out = append(out, ui.T(ctx, "finding.paper.doubtful"))
	}
	if v.Paper != nil && v.Paper.Prevails != nil && v.Paper.Prevails.Record == e.Record {
		out = append(out, ui.T(ctx, "findingpage.prevails"))
	}
	return out
}

// labs are the written invitations and the reports of laboratories in the measurement's records, in their order.
func (v findingView) labs(ctx context.Context) []ui.Step {
	var out []ui.Step
	for _, r := range v.measured.Records {
		if r.Kind == measure.KindInvitation {
			var in struct {
				Laboratory string        `json:"laboratory"`
				At         civil.Instant `json:"at"`
			}
			if r.Into(&in) == nil {
				out = append(out, ui.Step{At: r.At.Minute(), Title: ui.T(ctx, "findingpage.invitation"), Text: ui.T(ctx, "findingpage.invitation_for", "lab", v.names.org(ctx, in.Laboratory), "at", in.At.Minute())})
			}
		}
		if r.Kind == measure.KindLab {
			var in measure.KeptLab
			if r.Into(&in) == nil {
				out = append(out, ui.Step{At: r.At.Minute(), Title: ui.T(ctx, "finding_evidence.lab_report"), Text: v.labWords(ctx, in)})
			}
		}
	}
	return out
}

func (v findingView) labWords(ctx context.Context, in measure.KeptLab) string {
	listed := "findingpage.unlisted"
	if in.Listed {
		listed = "findingpage.listed"
	}
	parts := []string{v.names.org(ctx, in.Laboratory), ui.T(ctx, listed), ui.T(ctx, "findingpage.report_no", "no", in.ReportNo)}
	for _, r := range in.Readings {
		parts = append(parts, strings.TrimSpace(r.Room+" "+r.TempC.String()+" ℃"))
	}
	if in.CompanyCame != nil {
		key := "findingpage.company_stayed_away"
		if *in.CompanyCame {
			key = "findingpage.company_came"
		}
		parts = append(parts, ui.T(ctx, key))
	}
	return joinFacts(parts)
}

// ruleLine is one thing that the city's rules say.
type ruleLine struct{ name, text, source string }

// rules are what the pack says about findings today; what it does not know is not there.
func (v findingView) rules(ctx context.Context) []ruleLine {
	m, pack := v.names.rules.Pack.Doc.Measurement, v.names.rules.Pack
	var out []ruleLine
	add := func(key, words string, o citypack.Origin) {
		source := o.Source.String()
		if pack.Provisional(o) {
			source += ui.T(ctx, "findingpage.provisional")
		}
		out = append(out, ruleLine{ui.T(ctx, key), words, source})
	}
	if a, ok := m.Finding.Authority.On(v.day); ok {
		add("findingpage.rule.authority", phrase(ctx, a.Value), a.Origin)
	}
	if a, ok := m.FindingName.On(v.day); ok {
		add("findingpage.rule.title", phrase(ctx, a.Value), a.Origin)
	}
	if a, ok := m.Finding.Force.On(v.day); ok {
		add("findingpage.rule.force", phrase(ctx, a.Value), a.Origin)
	}
	if a, ok := m.Finding.Prevails.On(v.day); ok {
		add("findingpage.rule.prevails", ui.T(ctx, "findingpage.prevailing."+string(a.Value)), a.Origin)
	}
	if a, ok := m.Finding.Invites.On(v.day); ok && a.Value {
		add("findingpage.rule.invites", ui.T(ctx, "findingpage.rule.invites_yes"), a.Origin)
	}
	if a, ok := m.WhoPays.On(v.day); ok {
		add("findingpage.rule.pays", phrase(ctx, a.Value), a.Origin)
	}
	if a, ok := m.Finding.Ruling.On(v.day); ok {
		add("findingpage.rule.ruling", phrase(ctx, a.Value), a.Origin)
	}
	for _, r := range m.Finding.Remedies {
		add("findingpage.rule.remedy", phrase(ctx, r.Text), r.Origin)
	}
	return out
}

// may reports whether the reader may do a step now.
func (v findingView) may(e finding.Event) bool {
	return slices.Contains(v.Allowed, e)
}

// forms are the papers that may be issued here: a ruling only where the city's rules name the law that grants it.
func (v findingView) forms() []ui.Option {
	pack := v.names.rules.Pack
	var out []ui.Option
	for _, f := range []struct {
		form     finding.Form
		event    finding.Event
		template string
	}{{finding.Opinion, finding.Issue, "finding"}, {finding.Mediation, finding.Mediate, "mediation"}} {
		if _, ok := pack.Template(f.template); ok && v.may(f.event) {
			out = append(out, ui.Option{Value: string(f.form), Key: "finding_form." + string(f.form)})
		}
	}
	if _, ok := pack.Doc.Measurement.Finding.Ruling.On(v.day); ok && v.may(finding.Rule) {
		out = append(out, ui.Option{Value: string(finding.Ruling), Key: "finding_form.ruling"})
	}
	return out
}

// results are the tests that the paper may name, the newest first.
func (v findingView) results(ctx context.Context) []ui.Option {
	var out []ui.Option
	for _, v0 := range slices.Backward(v.Log) {
		if e := v0; len(e.Rooms) > 0 {
			words := []string{e.At.Minute(), evidenceKind(ctx, e), evidenceRooms(e), conforms(ctx, e)}
			out = append(out, ui.Option{Value: e.Record, Text: joinFacts(words)})
		}
	}
	return out
}

func conforms(ctx context.Context, e finding.Evidence) string {
	switch {
	case e.Conforming == nil:
		return ""
	case *e.Conforming:
		return ui.T(ctx, "finding.paper.conforms")
	}
	return ui.T(ctx, "finding.paper.below")
}

func sideOptions() []ui.Option {
	return []ui.Option{{Value: string(finding.Company), Key: "finding_side.company"}, {Value: string(finding.User), Key: "finding_side.user"}}
}

func wayOptions() []ui.Option {
	return []ui.Option{{Value: string(finding.Complaint), Key: "finding_way.complaint"}, {Value: string(finding.Laboratory), Key: "finding_way.laboratory"}}
}

// groundOptions are what may be objected to; a company does not object to its own absence.
func groundOptions(company bool) []ui.Option {
	out := []ui.Option{{Value: string(finding.Result), Key: "finding_ground.result"}}
	if !company {
		out = append(out, ui.Option{Value: string(finding.Absent), Key: "finding_ground.absent"})
	}
	return out
}

// groundOf is what an objection to a measurement is most likely about.
func groundOf(s measure.State) string {
	if s == measure.Requested || s == measure.Missed || s == measure.Absent {
		return string(finding.Absent)
	}
	return string(finding.Result)
}

// paperFacts are what the issued paper says.
func (v findingView) paperFacts(ctx context.Context) []ui.Fact {
	p := v.Paper
	cost, day := "", ""
	if p.Cost != "" {
		cost = ui.T(ctx, "finding_side."+string(p.Cost))
	}
	if !p.PerformBy.IsZero() {
		day = p.PerformBy.String()
	}
	chosen := ui.T(ctx, "finding.paper.no_test")
	if p.Prevails != nil {
		chosen = joinFacts([]string{p.Prevails.At.Minute(), evidenceKind(ctx, *p.Prevails), evidenceRooms(*p.Prevails), conforms(ctx, *p.Prevails)})
	}
	return []ui.Fact{
		{Key: "findingpage.paper_no", Text: p.No},
		{Key: "findingpage.paper_title", Text: phrase(ctx, p.Title)},
		{Key: "findingpage.authority", Text: phrase(ctx, p.Authority)},
		{Key: "findingpage.prevails", Text: chosen},
		{Key: "findingpage.opinion", Text: p.Opinion},
		{Key: "findingpage.cost", Text: cost},
		{Key: "findingpage.perform_by", Text: day},
	}
}

// dueOrNone says an instant by which something is owed as people read it: the 24th hour of a day, not the next day's first.
func dueOrNone(ctx context.Context, at civil.Instant) string {
	if at.IsZero() {
		return ""
	}
	return calendar.DueWords(httpx.Lang(ctx), at)
}
