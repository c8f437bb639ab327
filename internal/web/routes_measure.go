package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// measureRoutes are staff's pages of in-home measurement (入户测温).
func (w *Web) measureRoutes() []Route {
	if w.Measure == nil || w.Cases == nil || w.Rules == nil {
		return nil
	}
	read := may(actor.MeasureRead)
	all := []Route{
		get(measureList, read, w.measuresPage),
		get(measureList+"/export", read, w.measuresExport),
		get(measureList+"/doors", read, w.measureDoors),
		get(measureList+"/doors/export", read, w.measureDoorsExport),
		get(measureList+"/calendar", read, w.measureCalendar),
		get(measureList+"/route", read, w.measureRoute),
		get(measureList+"/home", read, w.householdPage),
		get(measureList+"/documents/{document}", read, w.measureDocument),
		get(measureList+"/{measurement}", read, w.measurePage),
		get(measureList+"/{measurement}/photos/{blob}", may(actor.CaseReveal), w.measurePhoto),
	}
	for _, a := range measureActs() {
		at := measureList + "/{measurement}/" + a.name
		all = append(all, get(at, may(a.may...), w.askMeasureAct(a)), post(at, may(a.may...), w.doMeasureAct(a)))
	}
	all = append(all, w.capacityRoutes()...)
	return append(all, w.measureOwnRoutes()...)
}

const measureList = "/c/{city}/measurements"

// measurePath is the address of one measurement's page, or of an act on it.
func measurePath(city int, id string, more ...string) string {
	var out strings.Builder
	out.WriteString(at(measureList, city) + "/" + id)
	for _, m := range more {
		out.WriteString("/" + m)
	}
	return out.String()
}

// measureNames are the names that pages of measurement show.
type measureNames struct {
	*caseNames
	testers []measure.Tester
}

func (w *Web) measureNames(r *http.Request) (measureNames, error) {
	names, err := w.caseNames(r)
	if err != nil {
		return measureNames{}, err
	}
	n := measureNames{caseNames: names}
	n.testers, err = w.Measure.Testers(r.Context(), by(r), httpx.City(r.Context()))
	return n, err
}

// person is the name of a tester; one whom the reader may not list stays a company's tester.
func (n measureNames) person(ctx context.Context, id string) string {
	if id == "" {
		return ""
	}
	if i := slices.IndexFunc(n.testers, func(t measure.Tester) bool { return t.ID == id }); i >= 0 {
		return n.testers[i].Name
	}
	return ui.T(ctx, "measurepage.some_tester")
}

// ofOrg are the testers of an organisation as choices.
func (n measureNames) ofOrg(org string) []ui.Option {
	var out []ui.Option
	for _, t := range n.testers {
		if org == "" || t.Org == org {
			out = append(out, ui.Option{Value: t.ID, Text: t.Name})
		}
	}
	return out
}

// measureQuery is the address of the list; without a state it shows what goes on.
type measureQuery struct {
	State     measure.State   `form:"state"`
	Outcome   measure.Outcome `form:"outcome"`
	Company   string          `form:"company"`
	Community string          `form:"community"`
	Due       civil.Date      `form:"due"`
	Day       civil.Date      `form:"day"`
	Show      string          `form:"show"` // late, conflict, all; empty: what goes on
	Case      string          `form:"case"`
	Format    sheet.Format    `form:"format"`
	page.Request
}

func (q measureQuery) filter() measure.Filter {
	return measure.Filter{
		State: q.State, Outcome: q.Outcome, Company: q.Company, Community: q.Community, Due: q.Due, Day: q.Day, Case: q.Case, Request: q.Request,
		Open: q.Show == "" && q.State == "" && q.Case == "" && q.Outcome == "", Late: q.Show == "late", Conflict: q.Show == "conflict",
	}
}

type measuresView struct {
	names measureNames
	city  int
	query measureQuery
	list  page.Of[measure.Measurement]
}

// measuresPage lists measurements, the newest first.
func (w *Web) measuresPage(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[measureQuery](r)
	if err != nil {
		return err
	}
	v := measuresView{city: httpx.City(r.Context()), query: q}
	if v.names, err = w.measureNames(r); err != nil {
		return err
	}
	if v.list, err = w.Measure.List(r.Context(), by(r), v.city, q.filter()); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("nav.measure"), Nav: "measure", Body: measuresBody(v)})
}

// measuresExport sends the whole list of the filter as a table.
func (w *Web) measuresExport(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[measureQuery](r)
	if err != nil {
		return err
	}
	names, err := w.measureNames(r)
	if err != nil {
		return err
	}
	f := q.filter()
	f.Request = page.Request{Size: page.MaxSize}
	list, err := w.Measure.List(r.Context(), by(r), httpx.City(r.Context()), f)
	if err != nil {
		return err
	}
	return w.sendSheet(rw, r, "measurements", measureHeader(), func(out sheet.Writer) error {
		for {
			for _, m := range list.Items {
				if err := out.Row(measureCells(r.Context(), names, m)...); err != nil {
					return err
				}
			}
			if list.Next == "" {
				return nil
			}
			f.After = list.Next
			if list, err = w.Measure.List(r.Context(), by(r), httpx.City(r.Context()), f); err != nil {
				return err
			}
		}
	})
}

// calendarQuery is the address of the calendar.
type calendarQuery struct {
	From    civil.Date `form:"from"`
	Company string     `form:"company"`
	Station string     `form:"station"`
}

// measureCalendar is a week of appointments by day and tester, with what is still owed.
func (w *Web) measureCalendar(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[calendarQuery](r)
	if err != nil {
		return err
	}
	v := weekView{city: httpx.City(r.Context()), query: q, by: by(r), now: w.o.Now()}
	if v.query.From.IsZero() {
		v.query.From = v.now.Date()
	}
	if v.names, err = w.measureNames(r); err != nil {
		return err
	}
	if v.guide, err = w.Measure.Guide(r.Context(), by(r), v.city); err != nil {
		return err
	}
	in := measure.CalendarFilter{From: v.query.From, To: v.query.From.AddDays(6), Company: q.Company, Station: q.Station}
	if v.plan, err = w.Measure.Calendar(r.Context(), by(r), v.city, in); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("measurepage.calendar"), Nav: "measure_week", Body: weekBody(v)})
}

// measureRoute is a day's way of a tester on A4: where they go in which order, and what is owed beside it. Without a tester
// it is one's own day where one measures oneself, else the whole company's.
func (w *Web) measureRoute(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[struct {
		Day    civil.Date `form:"day"`
		Worker string     `form:"worker"`
	}](r)
	if err != nil {
		return err
	}
	v := dayView{city: httpx.City(r.Context()), day: q.Day, worker: q.Worker, now: w.o.Now()}
	if v.day.IsZero() {
		v.day = v.now.Date()
	}
	if v.names, err = w.measureNames(r); err != nil {
		return err
	}
	if v.worker == "" && !by(r).MayAny(actor.MeasureAppoint, v.city) {
		v.worker = by(r).ID
	}
	if v.plan, err = w.Measure.Calendar(r.Context(), by(r), v.city, measure.CalendarFilter{From: v.day, To: v.day, Worker: v.worker}); err != nil {
		return err
	}
	return w.showAs(rw, r, http.StatusOK, ui.Paper, Page{Title: text.Msg("measurepage.route"), Body: dayBody(v)})
}

// householdPage is everything about a home.
func (w *Web) householdPage(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[struct {
		Home   string `form:"home"`
		Season string `form:"season"`
	}](r)
	if err != nil {
		return err
	}
	if q.Home == "" {
		return fault.New(fault.NotFound, "not_found")
	}
	v := householdView{city: httpx.City(r.Context()), season: q.Season}
	if v.HomeLog, err = w.Measure.Log(r.Context(), by(r), v.city, q.Home, ""); err != nil {
		return err
	}
	v.choose(w.o.Now())
	if v.names, err = w.measureNames(r); err != nil {
		return err
	}
	if v.claims, err = w.homeClaims(r, v); err != nil {
		return err
	}
	if w.open(by(r), billOne, v.city) && !strings.HasPrefix(v.Home, "@") {
		v.bills = billPath(v.city, v.Home)
	}
	return w.show(rw, r, Page{Title: text.Msg("measurepage.household"), Nav: "measure", Body: householdBody(v)})
}

// homeClaims are the refunds of a home in the seasons that have records of it, for readers who may see refunds.
func (w *Web) homeClaims(r *http.Request, v householdView) ([]settle.Claim, error) {
	if w.Settle == nil || strings.HasPrefix(v.Home, "@") || !by(r).MayAny(actor.RefundRead, v.city) {
		return nil, nil
	}
	var out []settle.Claim
	for _, season := range v.seasons {
		list, err := w.Settle.Claims(r.Context(), by(r), v.city, settle.Filter{Season: season, Account: v.Home})
		if err != nil {
			return nil, err
		}
		for _, c := range list.Items {
			if c.Account == v.Home {
				out = append(out, c)
			}
		}
	}
	return out, nil
}
