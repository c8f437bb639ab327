package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// dutyRoutes are the pages of duty rosters (值班表).
func (w *Web) dutyRoutes() []Route {
	if w.Places == nil || w.Rules == nil {
		return nil
	}
	edit := may(actor.DutyEdit)
	return []Route{
		get("/c/{city}/duty", may(actor.TerritoryRead), w.dutyPage),
		post("/c/{city}/duty", edit, w.saveShift),
		post("/c/{city}/duty/drop", edit, w.dropShift),
	}
}

// dutyQuery is one company's or station's roster of a week; From names the shift that is edited.
type dutyQuery struct {
	Company string        `form:"company"`
	Station string        `form:"station"`
	Day     civil.Date    `form:"day"`
	Edit    civil.Instant `form:"edit"`
	After   string        `form:"after"`
}

type dutyView struct {
	names    *caseNames
	city     int
	query    dutyQuery
	stations []place.Station
	chain    []place.Call
	roster   page.Of[place.Shift]
	mine     []staff.Organisation // companies whose roster the reader edits
	start    place.Shift          // what the form starts with
	form     ui.Form
}

// edits reports whether somebody edits a company's roster.
func edits(by actor.Actor, city int, company string) bool {
	s := by.ScopeOf(actor.DutyEdit, city)
	return s.All || slices.ContainsFunc(s.Parts, func(p actor.Part) bool { return len(p.Companies) == 0 || slices.Contains(p.Companies, company) })
}

func (w *Web) dutyView(r *http.Request, q dutyQuery) (dutyView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	if q.Day.IsZero() {
		q.Day = w.o.Now().Date()
	}
	v := dutyView{city: city, query: q}
	var err error
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	for _, o := range v.names.companies {
		if edits(by(r), city, o.Code) {
			v.mine = append(v.mine, o)
		}
	}
	if v.query.Company == "" {
		switch {
		case len(v.mine) > 0:
			v.query.Company = v.mine[0].Code
		case len(v.names.companies) > 0:
			v.query.Company = v.names.companies[0].Code
		}
	}
	if v.stations, err = w.Places.Stations(ctx, by(r), city, v.query.Company); err != nil {
		return v, err
	}
	if v.chain, err = w.Places.DutyChain(ctx, by(r), city, v.query.Company, q.Station, w.o.Now()); err != nil {
		return v, err
	}
	f := place.ShiftFilter{
		Company: v.query.Company, Station: q.Station, From: q.Day.Start(), To: q.Day.AddDays(7).Start(), Request: page.Request{Size: page.MaxSize, After: q.After},
	}
	if v.roster, err = w.Places.Roster(ctx, by(r), city, f); err != nil {
		return v, err
	}
	v.start = place.Shift{Company: v.query.Company, Station: q.Station}
	for _, s := range v.roster.Items {
		if s.At == q.Edit && s.Station == q.Station {
			v.start = s
		}
	}
	return v, nil
}

func dutyPageOf(v dutyView) Page {
	return Page{Title: text.Msg("dutypage.title"), Nav: "duty", Body: dutyBody(v)}
}

// dutyPage is who is on duty now, in the order of calling, and the week's roster.
func (w *Web) dutyPage(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[dutyQuery](r)
	if err != nil {
		return err
	}
	v, err := w.dutyView(r, q)
	if err != nil {
		return err
	}
	return w.show(rw, r, dutyPageOf(v))
}

// saveShift adds a shift or changes the one that was seen.
func (w *Web) saveShift(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[place.ShiftInput](r)
	if err == nil {
		in.City = httpx.City(r.Context())
		_, err = w.Places.SaveShift(r.Context(), by(r), in)
	}
	if err != nil {
		v, failed := w.dutyView(r, dutyQuery{Company: in.Company, Station: in.Station, Day: in.From.Date(), Edit: in.From})
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.form, v.start.Rev = f, in.Rev
			return dutyPageOf(v)
		})
	}
	return w.done(rw, r, dutyAt(in), text.Msg("dutypage.saved"))
}

// dropShift takes a shift out.
func (w *Web) dropShift(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[place.ShiftInput](r)
	in.City = httpx.City(r.Context())
	if err == nil {
		err = w.Places.DropShift(r.Context(), by(r), in)
	}
	return w.after(rw, r, err, dutyAt(in), "dutypage.dropped")
}

// dutyAt is the roster in which a shift stands.
func dutyAt(in place.ShiftInput) string {
	q := url.Values{"company": {in.Company}}
	if in.Station != "" {
		q.Set("station", in.Station)
	}
	if !in.From.IsZero() {
		q.Set("day", in.From.Date().String())
	}
	return withQuery(at("/c/{city}/duty", in.City), q)
}

// mayEdit reports whether the reader edits the company's roster that is shown.
func (v dutyView) mayEdit() bool {
	return slices.ContainsFunc(v.mine, func(o staff.Organisation) bool { return o.Code == v.query.Company })
}

// editURL opens a shift in the form.
func (v dutyView) editURL(s place.Shift) string {
	q := url.Values{"company": {s.Company}, "day": {v.query.Day.String()}, "edit": {s.At.String()}}
	if s.Station != "" {
		q.Set("station", s.Station)
	}
	return withQuery(at("/c/{city}/duty", v.city), q)
}

func (v dutyView) columns() []ui.Col {
	cols := []ui.Col{{Key: "dutypage.from", Ch: 7}, {Key: "dutypage.to", Ch: 7}, {Key: "dutypage.station", Ch: 7}, {Key: "dutypage.name", Ch: 5}, {Key: "dutypage.phone", Ch: 8}, {Key: "dutypage.backup"}, {Key: "dutypage.leader"}}
	if v.mayEdit() {
		cols = append(cols, ui.Col{Key: "web.acts", Ch: 7})
	}
	return cols
}

// stationOf names the post of a shift.
func (v dutyView) stationOf(ctx context.Context, code string) string {
	if code == "" {
		return ui.T(ctx, "dutypage.desk")
	}
	for _, s := range v.stations {
		if s.Code == code && s.Name != "" {
			return s.Name
		}
	}
	return code
}

// typed is an instant as the browser's own field has it.
func typed(at civil.Instant) string {
	if at.IsZero() {
		return ""
	}
	return at.Date().String() + "T" + at.Clock()
}
