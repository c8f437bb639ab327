package web

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/static"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// fieldRoutes are the pages of those who go out: a telephone in a stairwell, now and then without a network.
func (w *Web) fieldRoutes() []Route {
	if w.Cases == nil || w.Dispatch == nil || w.Rules == nil {
		return nil
	}
	take := may(actor.CaseTake)
	all := []Route{
		get("/f/", own, w.fieldHome),
		get("/f/manifest.webmanifest", public, w.fieldManifest),
		get("/f/offline", public, w.fieldOffline),
		get("/f/{city}", take, w.fieldPage),
		get("/f/{city}/leave", own, w.fieldLeave),
		get("/f/{city}/cases/{case}", take, w.fieldCase),
		post("/f/{city}/cases/{case}/call", may(actor.CaseReveal), w.fieldCall),
	}
	for _, a := range fieldActs() {
		at := "/f/{city}/cases/{case}/" + a.name
		all = append(all, get(at, may(a.may), w.askField(a)), post(at, may(a.may), w.doField(a)))
	}
	return slices.Concat(all, w.uploadRoutes(), w.testRoutes())
}

// fieldHome is where the installed page opens: the list of the only city, or the choice of one.
func (w *Web) fieldHome(rw http.ResponseWriter, r *http.Request) error {
	city := w.homeCity(r)
	if city == 0 || !w.open(by(r), "/f/{city}", city) {
		return w.to(rw, r, "/")
	}
	return w.to(rw, r, at("/f/{city}", city))
}

// manifest lets the telephone install the pages as an application (W3C Web Application Manifest).
type manifest struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	ShortName  string         `json:"short_name"`
	Lang       string         `json:"lang"`
	StartURL   string         `json:"start_url"`
	Scope      string         `json:"scope"`
	Display    string         `json:"display"`
	Theme      string         `json:"theme_color"`
	Background string         `json:"background_color"`
	Icons      []manifestIcon `json:"icons"`
}

type manifestIcon struct {
	Src     string `json:"src"`
	Sizes   string `json:"sizes"`
	Type    string `json:"type"`
	Purpose string `json:"purpose"`
}

// fieldManifest is read by the telephone when the pages are put on its home screen.
func (w *Web) fieldManifest(rw http.ResponseWriter, r *http.Request) error {
	m := manifest{
		ID: "/f/", Name: ui.T(r.Context(), "field.app"), ShortName: ui.T(r.Context(), "field.app.short"), Lang: string(httpx.Lang(r.Context())),
		StartURL: "/f/", Scope: "/f/", Display: "standalone", Theme: "#0a2a52", Background: "#f2f5f8",
	}
	for _, size := range []string{"192", "512"} {
		for _, purpose := range []string{"any", "maskable"} {
			m.Icons = append(m.Icons, manifestIcon{Src: static.Path("field-" + size + ".png"), Sizes: size + "x" + size, Type: "image/png", Purpose: purpose})
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "application/manifest+json")
	rw.Header().Set("Cache-Control", "no-cache")
	_, _ = rw.Write(b) // the client is gone: nobody to tell
	return nil
}

// fieldView is a worker's list on the telephone.
type fieldView struct {
	city   int
	names  *caseNames
	order  string // "due" or "route"
	page   page.Of[cases.Case]
	agreed map[string]dispatch.Agreed
	tests  measure.Plan
	total  cases.Total
}

type fieldQuery struct {
	By string `form:"by"`
	page.Request
}

// fieldPage is a worker's own orders, the nearest deadline first or house by house, with what was agreed with residents.
func (w *Web) fieldPage(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[fieldQuery](r)
	if err != nil {
		return err
	}
	if in.Size == 0 {
		in.Size = 100 // a shift's orders are one page, so that all of them are there without a network
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	f := cases.Filter{State: "open", Sort: "due", Status: []cases.Status{cases.Dispatched, cases.Signed, cases.Handling, cases.Rework}, Request: in.Request}
	v := fieldView{city: city, order: "due"}
	if in.By == "route" {
		v.order = in.By
	}
	if v.names, err = w.caseNames(r); err != nil {
		return err
	}
	if v.page, err = w.Cases.List(ctx, by(r), city, f); err != nil {
		return err
	}
	if v.total, err = w.Cases.Count(ctx, by(r), city, f); err != nil {
		return err
	}
	ids := make([]string, len(v.page.Items))
	for i, c := range v.page.Items {
		ids[i] = c.ID
	}
	if v.agreed, err = w.Dispatch.Appointments(ctx, by(r), city, ids); err != nil {
		return err
	}
	if w.open(by(r), "/f/{city}/tests/{test}", city) {
		if v.tests, err = w.Measure.Calendar(ctx, by(r), city, theseDays(by(r), w.o.Now().Date())); err != nil {
			return err
		}
	}
	return w.showField(rw, r, Page{Title: text.Msg("field.title"), Body: fieldBody(v)})
}

// fieldOffline is what a telephone shows without a network in place of a page that it does not hold.
func (w *Web) fieldOffline(rw http.ResponseWriter, r *http.Request) error {
	return w.showField(rw, r, Page{Title: text.Msg("ui.no_network"), Body: fieldOfflineBody(), Back: "/f/"})
}

// theseDays are what a worker measures today and in the two days after: a limit often ends the next morning.
func theseDays(by actor.Actor, today civil.Date) measure.CalendarFilter {
	return measure.CalendarFilter{From: today, To: today.AddDays(2), Worker: by.ID}
}

// fieldLeave ends the shift: what this telephone holds is shown and wiped before the login ends.
func (w *Web) fieldLeave(rw http.ResponseWriter, r *http.Request) error {
	back := at("/f/{city}", httpx.City(r.Context()))
	return w.showField(rw, r, Page{Title: text.Msg("field.leave"), Body: fieldLeaveBody(back), Back: back})
}

// fieldCaseView is one order on the telephone.
type fieldCaseView struct {
	caseView
	agreed  dispatch.Agreed
	hasDate bool
	before  []cases.Case // of the same home
	taken   bool
	theirs  []theirs // what others did while a form waited
	digits  string   // by which the resident knows who is at the door today
}

func (w *Web) fieldCaseOf(r *http.Request, id string) (fieldCaseView, error) {
	inner, err := w.caseView(r, id)
	if err != nil {
		return fieldCaseView{}, err
	}
	v := fieldCaseView{caseView: inner}
	v.back = at("/f/{city}", v.Case.City)
	v.agreed, v.hasDate = dispatch.AgreedOf(v.Deeds)
	if w.Residents != nil && atTheDoor(v.Case.Status) {
		v.digits = w.Residents.Digits(v.Case.City, v.Case.Subject(), w.o.Now().Date())
	}
	for _, d := range v.sends.Dispatches {
		v.taken = v.taken || d.ID == v.Case.DispatchID && !d.TakenAt.IsZero()
	}
	return v, nil
}

// seen is the last entry of the case that the page shows.
func (v fieldCaseView) seen() int64 {
	if len(v.Timeline) == 0 {
		return 0
	}
	return v.Timeline[len(v.Timeline)-1].Seq
}

// mineLast is the last entry of the case that is the reader's own: what others did comes after it.
func (v fieldCaseView) mineLast() int64 {
	last := int64(0)
	for _, e := range v.Timeline {
		if e.Actor == v.by.ID {
			last = e.Seq
		}
	}
	return last
}

// href is an address of the order on the telephone.
func (v fieldCaseView) href(more string) string {
	return at("/f/{city}/cases/", v.Case.City) + v.Case.ID + more
}

// acts are what the worker may do now, in the order of the work.
func (v fieldCaseView) acts() []fieldAct {
	var out []fieldAct
	for _, a := range fieldActs() {
		if v.offers(a) {
			out = append(out, a)
		}
	}
	return out
}

func (v fieldCaseView) offers(a fieldAct) bool {
	if !v.caseView.may(a.may) {
		return false
	}
	switch a.name {
	case "take":
		return v.allows(cases.Take) && !v.taken
	case "give_back":
		return v.Case.Worker == v.by.ID && v.Case.Status.WithUnit()
	}
	return v.allows(a.event)
}

// fieldCase is everything a worker needs at the door.
func (w *Web) fieldCase(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.fieldCaseOf(r, chi.URLParam(r, "case"))
	if err != nil {
		return err
	}
	if v.before, err = w.earlier(r, v.Case); err != nil {
		return err
	}
	return w.showField(rw, r, Page{Title: text.Msg("casework.case_title", "no", v.Case.No), Body: fieldCaseBody(v), Back: v.back})
}

// earlier lists the other cases of the same home that the reader may see, newest first.
func (w *Web) earlier(r *http.Request, c cases.Case) ([]cases.Case, error) {
	f := cases.Filter{Account: c.Account, Request: page.Request{Size: 6}}
	if c.Account == "" {
		if c.Community == "" || c.Building == "" || c.Room == "" {
			return nil, nil
		}
		f = cases.Filter{Community: c.Community, Building: c.Building, Request: page.Request{Size: 50}}
	}
	all, err := w.Cases.List(r.Context(), by(r), c.City, f)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all.Items, func(o cases.Case) bool {
		return o.ID == c.ID || c.Account == "" && (o.Unit != c.Unit || o.Room != c.Room)
	}), nil
}

// called is what a script gets that asked for a number to call.
type called struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
}

// fieldCall shows whom to call: one tap, kept in the case's chain. It is never kept on the telephone.
func (w *Web) fieldCall(rw http.ResponseWriter, r *http.Request) error {
	id := chi.URLParam(r, "case")
	shown, err := w.Cases.Reveal(r.Context(), by(r), cases.Act{City: httpx.City(r.Context()), ID: id})
	if err != nil {
		return err
	}
	rw.Header().Set("Cache-Control", "no-store")
	who := shown.Contact
	if who.Phone == "" {
		who = shown.Caller
	}
	if who.Phone == "" {
		return fault.New(fault.Conflict, "field.no_phone")
	}
	if isQueued(r) {
		return w.json(rw, http.StatusOK, called{Name: who.Name, Phone: who.Phone})
	}
	v, err := w.fieldCaseOf(r, id)
	if err != nil {
		return err
	}
	v.revealed = &shown
	return w.showField(rw, r, Page{Title: text.Msg("field.call"), Body: fieldCallBody(v, who), Back: v.href("")})
}

// askField shows the form of an act: one page, one matter.
func (w *Web) askField(a fieldAct) handler {
	return func(rw http.ResponseWriter, r *http.Request) error {
		v, err := w.fieldCaseOf(r, chi.URLParam(r, "case"))
		if err != nil {
			return err
		}
		if kept := r.URL.Query().Has("kept"); kept && v.caseView.may(a.may) {
			v.theirs = v.othersSince(r.Context(), v.mineLast()) // a form that was refused is read again beside what stands here
		} else if !v.offers(a) {
			return fault.New(fault.Conflict, "casework.not_now", "act", text.Msg(a.key), "status", text.Msg("status."+string(v.Case.Status)))
		}
		return w.showField(rw, r, fieldFormPage(v, a, ui.Form{}))
	}
}

func fieldFormPage(v fieldCaseView, a fieldAct, f ui.Form) Page {
	return Page{
		Title: text.Msg("casework.act_title", "act", text.Msg(a.key), "no", v.Case.No),
		Body:  fieldFormBody(v, a, f), Back: v.href(""), Photo: a.files,
	}
}
