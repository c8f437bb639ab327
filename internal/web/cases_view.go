package web

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/knowledge"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// caseNames says the codes of cases in words: companies, districts, categories, time limits.
type caseNames struct {
	rules     *citypack.Rules
	companies []staff.Organisation
	orgs      map[string]staff.Organisation
	districts []place.District
}

// caseNames gathers the names of a city. Whoever may not list districts sees their codes.
func (w *Web) caseNames(r *http.Request) (*caseNames, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	rules, err := w.Rules.Rules(ctx, city)
	if err != nil {
		return nil, err
	}
	n := &caseNames{rules: rules, orgs: map[string]staff.Organisation{}}
	all, err := w.Staff.Organisations(ctx, by(r), city, "")
	if err != nil {
		return nil, err
	}
	n.keep(all)
	if w.Places != nil && by(r).MayAny(actor.TerritoryRead, city) {
		if n.districts, err = w.Places.Districts(ctx, by(r), city); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// keep takes organisations over; with codes only those.
func (n *caseNames) keep(all []staff.Organisation, only ...string) {
	for _, o := range all {
		if len(only) > 0 && !slices.Contains(only, o.Code) {
			continue
		}
		n.orgs[o.Code] = o
		if o.Kind == staff.Company && o.Active {
			n.companies = append(n.companies, o)
		}
	}
}

func (n *caseNames) org(ctx context.Context, code string) string {
	if o, ok := n.orgs[code]; ok {
		return ui.Named(ctx, o.NameZH, o.NameEN)
	}
	return code
}

// short is a company's name as a dense table has it; the whole name stands behind the pointer.
func (n *caseNames) short(ctx context.Context, code string) string {
	name := n.org(ctx, code)
	for _, s := range []string{"有限责任公司", "股份有限公司", "有限公司", "公司"} {
		if cut, ok := strings.CutSuffix(name, s); ok && cut != "" {
			return cut
		}
	}
	return name
}

// fill is the colour of a company on maps and in legends, the same everywhere; 0 for nobody's.
func (n *caseNames) fill(code string) int {
	for i, o := range n.companies {
		if o.Code == code {
			return i%8 + 1
		}
	}
	return 0
}

func (n *caseNames) category(ctx context.Context, code string) string {
	if c, ok := n.rules.Pack.Category(code); ok {
		return c.Name.In(httpx.Lang(ctx))
	}
	return code
}

func (n *caseNames) clock(ctx context.Context, code string) string {
	if c, ok := n.rules.Pack.Clock(code); ok {
		return c.Name.In(httpx.Lang(ctx))
	}
	return code
}

func (n *caseNames) district(code string) string {
	for _, d := range n.districts {
		if d.Code == code {
			return d.Name
		}
	}
	return code
}

// companyOptions lists the companies; first, those that are likelier.
func (n *caseNames) companyOptions(ctx context.Context, first ...string) []ui.Option {
	all := slices.Clone(n.companies)
	slices.SortStableFunc(all, func(a, b staff.Organisation) int { return cmp.Compare(rankOf(first, a.Code), rankOf(first, b.Code)) })
	out := make([]ui.Option, 0, len(all))
	for _, o := range all {
		out = append(out, ui.Option{Value: o.Code, Text: ui.Named(ctx, o.NameZH, o.NameEN)})
	}
	return out
}

func rankOf(first []string, code string) int {
	if i := slices.Index(first, code); i >= 0 {
		return i
	}
	return len(first)
}

// categoryOptions lists the categories with those above them.
func (n *caseNames) categoryOptions(ctx context.Context) []ui.Option {
	var out []ui.Option
	for _, top := range n.rules.Pack.Categories {
		if top.Hidden {
			continue
		}
		name := top.Name.In(httpx.Lang(ctx))
		out = append(out, ui.Option{Value: top.Code, Text: name})
		for _, c := range top.Children {
			if !c.Hidden {
				out = append(out, ui.Option{Value: c.Code, Text: name + " / " + c.Name.In(httpx.Lang(ctx))})
			}
		}
	}
	return out
}

func (n *caseNames) districtOptions() []ui.Option {
	var out []ui.Option
	for _, d := range n.districts {
		out = append(out, ui.Option{Value: d.Code, Text: d.Name})
	}
	return out
}

// each stands for every value of a list in a catalogue key that is put together, so that the key can be found in the code.
const each = ""

// wordOptions are choices whose names are catalogue keys under a prefix.
func wordOptions[T ~string](prefix string, values []T) []ui.Option {
	out := make([]ui.Option, 0, len(values))
	for _, v := range values {
		out = append(out, ui.Option{Value: string(v), Key: prefix + string(v)})
	}
	return out
}

// caseTone is the colour of a status.
func caseTone(s cases.Status) ui.Tone {
	switch s {
	case cases.Reported, cases.Accepted, cases.Confirming:
		return ui.Violet
	case cases.Filed, cases.Dispatched:
		return ui.Blue
	case cases.Signed, cases.Handling, cases.Postponed:
		return ui.Teal
	case cases.FedBack, cases.Verified, cases.ToClose, cases.Rework:
		return ui.Amber
	case cases.Closed, cases.Archived, cases.Answered:
		return ui.Green
	case cases.Returned, cases.Parked, cases.Rejected, cases.Withdrawn, cases.Terminated, cases.Void:
	}
	return ui.Grey
}

// caseDue is a case's nearest time limit.
func caseDue(ctx context.Context, c cases.Case) ui.Due {
	return ui.Due{At: c.DueAt, Done: !c.Open, Note: ui.T(ctx, "casework.no_due")}
}

// caseMarks are what must not be overlooked beside a case's category.
func caseMarks(ctx context.Context, c cases.Case) []string {
	var out []string
	if c.Supervised {
		out = append(out, ui.T(ctx, "flag.supervised"))
	}
	if c.ReportDue && c.Open {
		out = append(out, ui.T(ctx, "flag.report_due"))
	}
	if c.Reopens > 0 {
		out = append(out, ui.T(ctx, "flag.reopened"))
	}
	if c.Urges > 0 {
		out = append(out, ui.T(ctx, "casework.urged", "n", c.Urges))
	}
	return out
}

// caseFlags are all the marks of a case.
func caseFlags(ctx context.Context, c cases.Case) []string {
	var out []string
	for flag, on := range map[string]bool{
		"missing": len(c.Missing) > 0, "linked": c.Linked, "supervised": c.Supervised, "returned": c.Returns > 0, "reopened": c.Reopens > 0,
		"reworked": c.Reworks > 0, "urged": c.Urges > 0, "border": c.Border, "changed": c.Changed, "care": c.Details.Care != "",
		"test": !c.TestAt.IsZero(), "secret": c.Secret, "outage": c.Outage != "", "peak": c.Peak, "report_due": c.ReportDue,
	} {
		if on {
			out = append(out, flag)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		return cmp.Compare(slices.Index(cases.Flags(), a), slices.Index(cases.Flags(), b))
	})
	for i, f := range out {
		out[i] = ui.T(ctx, "flag."+f)
	}
	return out
}

// caseView is one case as its pages show it.
type caseView struct {
	cases.View
	names     *caseNames
	by        actor.Actor
	sends     dispatch.View
	answer    attributed
	revealed  *cases.Revealed
	duty      []place.Call
	told      []notice.View
	workers   []staff.Person        // of the reader's company, for the second dispatch
	tests     []measure.Measurement // the measurements that the case asked for
	tickets   []exchange.View       // of platforms
	platforms []exchange.Health     // by which the tickets' platforms are named
	offers    []exchange.Platform   // that the case may be handed over to
	articles  []knowledge.View      // that a direct answer may stand on
	back      string                // address of the list it was opened from
	asked     dispatch.Request      // that a form is about
	link      string                // that a form is about
	beaten    text.Message          // somebody was first, and did this
	records   []ui.Link             // other pages of the household, as far as the reader may open them
	about     cases.Member          // whom a complaint about staff is about
	gone      bool                  // what a form is for can no longer be done
}

// caseView gathers a case.
func (w *Web) caseView(r *http.Request, id string) (caseView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := caseView{by: by(r), back: at("/c/{city}/cases", city)}
	var err error
	if v.View, err = w.Cases.View(ctx, v.by, city, id); err != nil {
		return v, err
	}
	if v.sends, err = w.Dispatch.Of(ctx, v.by, city, id); err != nil {
		return v, err
	}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	if v.Case.AboutOrg != "" {
		if v.about, err = w.Cases.Concerning(ctx, v.by, v.Case); err != nil {
			return v, err
		}
	}
	v.answer, v.records = attributedOf(v.Case), w.recordsOf(v.by, v.Case)
	if v.allows(cases.Assign) {
		v.workers, err = w.Staff.Colleagues(ctx, v.by, city)
	}
	return v, err
}

// recordsOf leads from a case to what else is kept of its household: measurements, refunds and bills.
func (w *Web) recordsOf(by actor.Actor, c cases.Case) []ui.Link {
	var out []ui.Link
	if c.Account == "" {
		return out
	}
	add := func(p actor.Permission, pattern, icon, key, href string) {
		if by.May(p, c.On()) == nil && w.has(pattern) {
			out = append(out, ui.Link{Key: key, Icon: icon, Href: href})
		}
	}
	home, claims := measureList+"/home", refundList
	add(actor.MeasureRead, home, "thermometer", "refundpage.record", withQuery(at(home, c.City), filterValues("home", c.Account)))
	add(actor.RefundRead, claims, "scroll-text", "refundpage.title", withQuery(at(claims, c.City), filterValues("account", c.Account)))
	add(actor.FeeRead, billOne, "file-text", "billpage.title", billPath(c.City, c.Account))
	return out
}

// href is an address of the case.
func (v caseView) href(parts ...string) string { return caseHref(v.Case, parts...) }

func caseHref(c cases.Case, parts ...string) string {
	return strings.Join(append([]string{"/c", strconv.Itoa(c.City), "cases", url.PathEscape(c.ID)}, parts...), "/")
}

// may reports whether the reader may do something to the case.
func (v caseView) may(p actor.Permission) bool { return v.by.May(p, v.Case.On()) == nil }

func (v caseView) allows(e cases.Event) bool { return slices.Contains(v.Allowed, e) }

// attributed is the answer of attribution as it was kept with the case.
type attributed struct {
	Decision   string  `json:"decision"`
	Company    *string `json:"company"`
	Area       *string `json:"area"`
	Method     *string `json:"method"`
	Confidence float64 `json:"confidence"`
	Conflict   bool    `json:"conflict"`
	Border     bool    `json:"border"`
	Changed    *struct {
		From      string     `json:"from"`
		Since     civil.Date `json:"since"`
		Confirmed bool       `json:"confirmed"`
	} `json:"changed"`
	Management *string `json:"management"`
	HeatStatus *string `json:"heat_status"`
	Segments   []struct {
		Segment string `json:"segment"`
		Party   string `json:"party"`
		Why     string `json:"why"`
		WhyEN   string `json:"why_en"`
	} `json:"segments"`
	Candidates []struct {
		Company *string `json:"company"`
		Score   float64 `json:"score"`
		Why     string  `json:"why"`
		WhyEN   string  `json:"why_en"`
	} `json:"candidates"`
	Explain []struct {
		ZH      string `json:"zh"`
		EN      string `json:"en"`
		Article string `json:"article"`
	} `json:"explain"`
}

func attributedOf(c cases.Case) attributed {
	var a attributed
	if json.Unmarshal(c.Attribution, &a) != nil {
		return attributed{} // an older answer of another shape: shown as not known
	}
	return a
}

// likely lists the companies that attribution names, best first.
func (v caseView) likely() []string {
	var out []string
	if v.Case.Proposed != "" {
		out = append(out, v.Case.Proposed)
	}
	for _, c := range v.answer.Candidates {
		if c.Company != nil && !slices.Contains(out, *c.Company) {
			out = append(out, *c.Company)
		}
	}
	return out
}

// steps is the timeline of a case, oldest first.
func (v caseView) steps(ctx context.Context) []ui.Step {
	out := make([]ui.Step, 0, len(v.Timeline))
	entries := slices.Clone(v.Timeline)
	slices.SortStableFunc(entries, func(a, b audit.Entry) int { // what happens in one act may be written before the act itself
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(begins(a), begins(b)))
	})
	for _, e := range entries {
		out = append(out, ui.Step{At: e.At.MonthDayClock(), Title: ui.T(ctx, "act."+e.Act), Who: v.who(ctx, e), Text: v.saidBy(ctx, e)})
	}
	return out
}

// begins puts the report of a case before what followed from it at once.
func begins(e audit.Entry) int {
	if e.Act == "case.open" {
		return 0
	}
	return 1
}

func (v caseView) who(ctx context.Context, e audit.Entry) string {
	if e.ActorName == "" || e.Door == actor.Job {
		return ui.T(ctx, "casework.system")
	}
	if _, ok := v.names.orgs[e.Org]; ok {
		return e.ActorName + " · " + v.names.org(ctx, e.Org)
	}
	return e.ActorName
}

// saidBy says the facts of an entry that a reader needs.
func (v caseView) saidBy(ctx context.Context, e audit.Entry) string {
	var body map[string]any
	if e.Data(&body) != nil {
		return ""
	}
	var out []string
	for _, k := range []string{"company", "right", "way", "result", "solved", "clock", "until", "reason", "text", "note", "reply", "name", "purpose", "answer"} {
		if s, ok := body[k].(string); ok && s != "" && !(k == "text" && e.Act == "case.open") { // there it is a fingerprint
			out = append(out, v.fact(ctx, k, s))
		}
	}
	return joinFacts(out)
}

func (v caseView) fact(ctx context.Context, k, s string) string {
	switch k {
	case "company":
		return v.names.org(ctx, s)
	case "right":
		return ui.T(ctx, "casework.right_unit", "unit", v.names.org(ctx, s))
	case "way":
		return ui.T(ctx, "way."+s)
	case "result":
		return firstKey(ctx, s, "visit."+s, "contact."+s)
	case "solved":
		return firstKey(ctx, s, "solved."+s)
	case "clock":
		return v.names.clock(ctx, s)
	case "until":
		if t, err := civil.ParseInstant(s); err == nil {
			return ui.T(ctx, "casework.until", "at", t.Minute())
		}
	}
	return s
}

// firstKey says a value by the first of the catalogue keys that there is.
func firstKey(ctx context.Context, value string, keys ...string) string {
	for _, k := range keys {
		if text.Has(k) {
			return ui.T(ctx, k)
		}
	}
	return value
}

func joinFacts(facts []string) string { return strings.Join(facts, " · ") }
