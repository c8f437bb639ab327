package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

const findingList = "/c/{city}/findings"

// findingRoutes are the desk at which the authority settles doubts about a measured temperature (室温复核), the company's
// answer to an objection, and what residents see of their own.
func (w *Web) findingRoutes() []Route {
	if w.Findings == nil || w.Measure == nil || w.Rules == nil {
		return nil
	}
	read, file := may(actor.FindingRead), may(actor.FindingFile)
	all := []Route{
		get(findingList, read, w.findingsPage),
		get(findingList+"/export", read, w.findingsExport),
		get(findingList+"/new", file, w.newFinding),
		post(findingList, file, w.fileFinding),
		get(findingList+"/{finding}", read, w.findingPage),
		get(findingList+"/{finding}/paper", read, w.findingPaper),
		post(findingList+"/{finding}/step", may(actor.FindingDecide, actor.FindingFile), w.stepFinding),
		post(findingList+"/{finding}/answer", may(actor.FindingAnswer), w.answerFinding),
		post(findingList+"/{finding}/decide", may(actor.FindingDecide), w.decideFinding),
	}
	return append(all, w.ownFindingRoutes()...)
}

// findingPath is the address of one objection's page, or of an act on it.
func findingPath(city int, id string, more ...string) string {
	var out strings.Builder
	out.WriteString(at(findingList, city) + "/" + id)
	for _, m := range more {
		out.WriteString("/" + m)
	}
	return out.String()
}

// findingQuery is the address of the list; without anything it shows what the authority still owes.
type findingQuery struct {
	All         string        `form:"all"`  // yes: with those that are decided
	Late        string        `form:"late"` // yes: only those past their time
	State       finding.State `form:"state"`
	Company     string        `form:"company"`
	Measurement string        `form:"measurement"`
	Format      sheet.Format  `form:"format"`
	page.Request
}

func (q findingQuery) filter() finding.Filter {
	return finding.Filter{
		State: q.State, Company: q.Company, Measurement: q.Measurement, Request: q.Request, Late: q.Late != "",
		Open: q.All == "" && q.State == "" && q.Measurement == "",
	}
}

type findingsView struct {
	city  int
	names *caseNames
	query findingQuery
	list  page.Of[finding.Finding]
	file  bool
}

// findingsPage lists objections, the newest first.
func (w *Web) findingsPage(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[findingQuery](r)
	if err != nil {
		return err
	}
	v := findingsView{city: httpx.City(r.Context()), query: q}
	v.file = by(r).MayAny(actor.FindingFile, v.city)
	if v.names, err = w.caseNames(r); err != nil {
		return err
	}
	if v.list, err = w.Findings.List(r.Context(), by(r), v.city, q.filter()); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("nav.findings"), Nav: "findings", Body: findingsBody(v)})
}

// findingsExport sends the whole list of the filter as a table.
func (w *Web) findingsExport(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[findingQuery](r)
	if err != nil {
		return err
	}
	names, err := w.caseNames(r)
	if err != nil {
		return err
	}
	f := q.filter()
	f.Request = page.Request{Size: page.MaxSize}
	list, err := w.Findings.List(r.Context(), by(r), httpx.City(r.Context()), f)
	if err != nil {
		return err
	}
	return w.sendSheet(rw, r, "findings", findingHeader(), func(out sheet.Writer) error {
		for {
			for _, one := range list.Items {
				if err := out.Row(findingCells(r.Context(), names, one)...); err != nil {
					return err
				}
			}
			if list.Next == "" {
				return nil
			}
			f.After = list.Next
			if list, err = w.Findings.List(r.Context(), by(r), httpx.City(r.Context()), f); err != nil {
				return err
			}
		}
	})
}

func (w *Web) findingView(r *http.Request) (findingView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := findingView{city: city}
	var err error
	if v.View, err = w.Findings.Get(ctx, by(r), city, chi.URLParam(r, "finding")); err != nil {
		return v, err
	}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	if v.measured, err = w.Measure.Get(ctx, by(r), city, v.Measurement); err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Denied) {
		return v, err
	}
	v.day = w.o.Now().Date()
	v.answers = v.State.IsOpen() && !v.AskedAt.IsZero() && by(r).May(actor.FindingAnswer, v.On()) == nil
	return v, nil
}

func (v findingView) page() Page {
	return Page{Title: text.Msg("findingpage.one", "no", v.No), Nav: "findings", Body: findingBody(v)}
}

func (w *Web) findingPage(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.findingView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, v.page())
}

// findingPaper is the issued paper as PDF.
func (w *Web) findingPaper(rw http.ResponseWriter, r *http.Request) error {
	d, err := w.Findings.Sheet(r.Context(), by(r), httpx.City(r.Context()), chi.URLParam(r, "finding"), httpx.Lang(r.Context()))
	if err != nil {
		return err
	}
	id := chi.URLParam(r, "finding")
	return w.sheetOf(rw, w.withCheck(r, d, httpx.City(r.Context()), id), "finding-"+id)
}

// stepFinding accepts, rejects, withdraws, or takes a new test in.
func (w *Web) stepFinding(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[finding.Stepping](r)
	if err == nil {
		in.City, in.ID, in.Key = httpx.City(r.Context()), chi.URLParam(r, "finding"), formKey(r)
		_, err = w.Findings.Step(r.Context(), by(r), in)
	}
	return w.didFinding(rw, r, err, "findingpage.did."+string(in.Event), func(v *findingView, f ui.Form) { v.step, v.tried = f, in.Event })
}

// answerFinding keeps the company's word.
func (w *Web) answerFinding(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[finding.Act](r)
	if err == nil {
		in.City, in.ID, in.Key = httpx.City(r.Context()), chi.URLParam(r, "finding"), formKey(r)
		_, err = w.Findings.Answer(r.Context(), by(r), in)
	}
	return w.didFinding(rw, r, err, "findingpage.did.answer", func(v *findingView, f ui.Form) { v.answer = f })
}

// decideFinding issues the paper.
func (w *Web) decideFinding(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[finding.Deciding](r)
	if err == nil {
		in.City, in.ID, in.Key = httpx.City(r.Context()), chi.URLParam(r, "finding"), formKey(r)
		_, err = w.Findings.Decide(r.Context(), by(r), in)
	}
	return w.didFinding(rw, r, err, "findingpage.did.decide", func(v *findingView, f ui.Form) { v.decide = f })
}

// didFinding leads back to the objection after an act, or shows it again with what is wrong in the act's form.
func (w *Web) didFinding(rw http.ResponseWriter, r *http.Request, bad error, done string, put func(v *findingView, f ui.Form)) error {
	if bad == nil {
		return w.done(rw, r, findingPath(httpx.City(r.Context()), chi.URLParam(r, "finding")), text.Msg(done))
	}
	v, err := w.findingView(r)
	if err != nil {
		return err
	}
	return w.again(rw, r, bad, ui.Staff, func(f ui.Form) Page { put(&v, f); return v.page() })
}

// filingView is the form of an objection: first the measurement is chosen, then what is said against it.
type filingView struct {
	city     int
	names    *caseNames
	measured measure.View
	choose   []measure.Measurement // without a measurement: the latest that may be meant
	company  bool                  // the company itself objects
	form     ui.Form
}

func (v filingView) page() Page {
	return Page{Title: text.Msg("findingpage.new"), Nav: "findings", Body: newFindingBody(v)}
}

func (w *Web) filingView(r *http.Request, id string) (filingView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := filingView{city: city, company: objectsItself(by(r))}
	var err error
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	if id != "" {
		v.measured, err = w.Measure.Get(ctx, by(r), city, id)
		return v, err
	}
	list, err := w.Measure.List(ctx, by(r), city, measure.Filter{})
	v.choose = list.Items
	return v, err
}

// objectsItself reports whether somebody objects for their own company; everybody else speaks for a resident.
func objectsItself(by actor.Actor) bool {
	return slices.ContainsFunc(by.Grants, func(g actor.Grant) bool { return g.Role == actor.RoleCompany })
}

func (w *Web) newFinding(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.filingView(r, r.URL.Query().Get("measurement"))
	if err != nil {
		return err
	}
	return w.show(rw, r, v.page())
}

// fileFinding raises an objection: for a resident, or as the company.
func (w *Web) fileFinding(rw http.ResponseWriter, r *http.Request) error {
	in, bad := httpx.Bind[finding.Filing](r)
	var made finding.View
	if bad == nil {
		in.City, in.Key = httpx.City(r.Context()), formKey(r)
		made, bad = w.Findings.File(r.Context(), by(r), in)
	}
	if bad == nil {
		return w.done(rw, r, findingPath(in.City, made.ID), text.Msg("findingpage.filed", "no", made.No))
	}
	v, err := w.filingView(r, r.PostFormValue("measurement"))
	if err != nil {
		return err
	}
	return w.again(rw, r, bad, ui.Staff, func(f ui.Form) Page { v.form = f; return v.page() })
}
