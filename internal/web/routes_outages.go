package web

import (
	"net/http"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// outageRoutes are the pages of stops of heat (停热报备).
func (w *Web) outageRoutes() []Route {
	if w.Outages == nil || w.Cases == nil || w.Rules == nil || w.Places == nil {
		return nil
	}
	read, report, link := may(actor.OutageRead), may(actor.OutageReport), may(actor.CaseLink)
	return []Route{
		get("/c/{city}/outages", read, w.outagesPage),
		get("/c/{city}/outages/export", read, w.outagesExport),
		get("/c/{city}/outages/new", report, w.newOutage),
		post("/c/{city}/outages", report, w.reportOutage),
		get("/c/{city}/outages/{outage}", read, w.outagePage),
		post("/c/{city}/outages/{outage}/change", report, w.changeOutage),
		post("/c/{city}/outages/{outage}/link", link, w.linkOutage),
		post("/c/{city}/outages/{outage}/unlink", link, w.unlinkOutage),
	}
}

// outageQuery is the address of the list; without a state it shows what goes on.
type outageQuery struct {
	State   outage.State `form:"state"`
	Company string       `form:"company"`
	All     string       `form:"all"`
	Format  sheet.Format `form:"format"`
	page.Request
}

func (q outageQuery) filter() outage.Filter {
	return outage.Filter{State: q.State, Company: q.Company, Open: q.All == "" && q.State == "", Request: q.Request}
}

type outagesView struct {
	names  *caseNames
	city   int
	query  outageQuery
	list   page.Of[outage.Outage]
	report bool
}

// outagesPage lists stops, what goes on first.
func (w *Web) outagesPage(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[outageQuery](r)
	if err != nil {
		return err
	}
	v := outagesView{city: httpx.City(r.Context()), query: q}
	v.report = by(r).MayAny(actor.OutageReport, v.city)
	if v.names, err = w.caseNames(r); err != nil {
		return err
	}
	if v.list, err = w.Outages.List(r.Context(), by(r), v.city, q.filter()); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("nav.outages"), Nav: "outages", Body: outagesBody(v)})
}

// outagesExport sends the whole list of the filter as a table.
func (w *Web) outagesExport(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[outageQuery](r)
	if err != nil {
		return err
	}
	names, err := w.caseNames(r)
	if err != nil {
		return err
	}
	f := q.filter()
	f.Request = page.Request{Size: page.MaxSize}
	list, err := w.Outages.List(r.Context(), by(r), httpx.City(r.Context()), f)
	if err != nil {
		return err
	}
	if err := httpx.Long(rw); err != nil {
		return err
	}
	format := sheet.CSV
	if q.Format == sheet.XLSX {
		format = sheet.XLSX
	}
	rw.Header().Set("Content-Type", format.MediaType())
	rw.Header().Set("Content-Disposition", `attachment; filename="outages-`+w.o.Now().Date().String()+`.`+string(format)+`"`)
	out, err := sheet.NewWriter(rw, format, outageHeader(r.Context())...)
	if err != nil {
		return err
	}
	for {
		for _, o := range list.Items {
			if err := out.Row(outageCells(r.Context(), names, o)...); err != nil {
				return err
			}
		}
		if list.Next == "" {
			return out.Close()
		}
		f.After = list.Next
		if list, err = w.Outages.List(r.Context(), by(r), httpx.City(r.Context()), f); err != nil {
			return err
		}
	}
}

// outageView is one stop with what may be done to it.
type outageView struct {
	outage.View
	names   *caseNames
	city    int
	now     civil.Instant
	hours   int // between two words about it
	cases   []cases.Case
	hidden  int // linked cases of others
	report  bool
	link    bool
	change  ui.Form
	linking ui.Form
}

func (w *Web) outageView(r *http.Request) (outageView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := outageView{city: city, now: w.o.Now(), link: by(r).May(actor.CaseLink, actor.On{City: city}) == nil}
	var err error
	if v.View, err = w.Outages.Get(ctx, by(r), city, param(r, "outage")); err != nil {
		return v, err
	}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	v.hours = v.names.rules.Pack.Options(v.now).StopWordHours
	v.report = reportsFor(by(r), city, v.Company)
	if len(v.Cases) == 0 || !by(r).MayAny(actor.CaseRead, city) {
		v.hidden = len(v.Cases)
		return v, nil
	}
	list, err := w.Cases.List(ctx, by(r), city, cases.Filter{IDs: v.Cases, Request: page.Request{Size: page.MaxSize}})
	v.cases, v.hidden = list.Items, len(v.Cases)-len(list.Items)
	return v, err
}

// reportsFor reports whether somebody reports stops of a company somewhere; the service asks for each place.
func reportsFor(by actor.Actor, city int, company string) bool {
	s := by.ScopeOf(actor.OutageReport, city)
	return s.All || slices.ContainsFunc(s.Parts, func(p actor.Part) bool { return len(p.Companies) == 0 || slices.Contains(p.Companies, company) })
}

func outagePageOf(v outageView) Page {
	return Page{Title: text.Msg("outagepage.one", "no", v.No, "kind", text.Msg("outage.kind."+string(v.Kind))), Nav: "outages", Body: outageBody(v)}
}

func (w *Web) outagePage(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.outageView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, outagePageOf(v))
}

// outageAgain shows a stop again with a form that was refused.
func (w *Web) outageAgain(rw http.ResponseWriter, r *http.Request, err error, put func(*outageView, ui.Form)) error {
	v, failed := w.outageView(r)
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
		put(&v, f)
		return outagePageOf(v)
	})
}

func outagePath(city int, id string) string { return at("/c/{city}/outages/", city) + id }

// changeOutage moves a stop on, gives another expected time, or says a word.
func (w *Web) changeOutage(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[outage.Change](r)
	if err == nil {
		in.City, in.ID, in.Key = httpx.City(r.Context()), param(r, "outage"), formKey(r)
		_, err = w.Outages.Change(r.Context(), by(r), in)
	}
	if err != nil {
		return w.outageAgain(rw, r, err, func(v *outageView, f ui.Form) { v.change = f })
	}
	return w.done(rw, r, outagePath(in.City, in.ID), text.Msg("outagepage.changed"))
}

// linkOutage links the cases whose numbers were typed.
func (w *Web) linkOutage(rw http.ResponseWriter, r *http.Request) error {
	ctx, city := r.Context(), httpx.City(r.Context())
	in, err := httpx.Bind[struct {
		Cases string `form:"cases"`
	}](r)
	if err == nil {
		var ids []string
		if ids, err = w.caseIDs(r, in.Cases); err == nil {
			_, err = w.Outages.Link(ctx, by(r), outage.Linking{City: city, ID: param(r, "outage"), Cases: ids})
		}
	}
	if err != nil {
		return w.outageAgain(rw, r, err, func(v *outageView, f ui.Form) { v.linking = f })
	}
	return w.done(rw, r, outagePath(city, param(r, "outage")), text.Msg("outagepage.linked"))
}

// caseIDs finds the cases of typed numbers.
func (w *Web) caseIDs(r *http.Request, typed string) ([]string, error) {
	var ids []string
	var c fault.Check
	for _, no := range words(typed) {
		list, err := w.Cases.List(r.Context(), by(r), httpx.City(r.Context()), cases.Filter{Query: no, Request: page.Request{Size: page.MaxSize}})
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(list.Items, func(one cases.Case) bool { return one.No == no })
		if c.That(i >= 0, "cases", "outagepage.no_case", "no", no) {
			ids = append(ids, list.Items[i].ID)
		}
	}
	return ids, c.Err()
}

func (w *Web) unlinkOutage(rw http.ResponseWriter, r *http.Request) error {
	city, id := httpx.City(r.Context()), param(r, "outage")
	in, err := httpx.Bind[struct {
		Case string `form:"case"`
	}](r)
	if err == nil {
		_, err = w.Outages.Unlink(r.Context(), by(r), outage.Linking{City: city, ID: id, Cases: []string{in.Case}})
	}
	return w.after(rw, r, err, outagePath(city, id), "outagepage.unlinked")
}
