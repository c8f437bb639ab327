package web

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// caseRoutes are the pages of one case and everything that can be done to it.
func (w *Web) caseRoutes() []Route {
	if w.Cases == nil || w.Dispatch == nil || w.Rules == nil {
		return nil
	}
	read := may(actor.CaseRead)
	all := []Route{
		get("/c/{city}/cases/{case}", read, w.casePage),
		get("/c/{city}/cases/{case}/print", read, w.casePrint),
		get("/c/{city}/cases/{case}/orders/{request}", read, w.caseOrder),
		get("/c/{city}/cases/{case}/orders/{request}/pdf", read, w.caseOrderPDF),
		get("/c/{city}/cases/{case}/reveal", may(actor.CaseReveal), w.revealForm),
		post("/c/{city}/cases/{case}/reveal", may(actor.CaseReveal), w.reveal),
		post("/c/{city}/cases/{case}/reply", may(actor.CaseFeedBack), w.caseReply),
	}
	if w.Blobs != nil {
		all = append(all, get("/c/{city}/attachments/{blob}", read, w.attachment))
	}
	for _, a := range caseActs() {
		at := "/c/{city}/cases/{case}/" + a.name
		all = append(all, post(at, may(a.may...), w.doCaseAct(a)))
		if !a.atOnce {
			all = append(all, get(at, may(a.may...), w.askCaseAct(a)))
		}
	}
	return all
}

// casePage is everything about one case.
func (w *Web) casePage(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.fullCase(r, chi.URLParam(r, "case"))
	if err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("casework.case_title", "no", v.Case.No), Nav: "cases", Body: caseBody(v), Live: liveURL(v.Case.City, v.Case.ID)})
}

// fullCase gathers what the page of a case shows beside the drawer.
func (w *Web) fullCase(r *http.Request, id string) (caseView, error) {
	v, err := w.caseView(r, id)
	if err != nil {
		return v, err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	if from, ok := safeNext(refererPath(r)); ok && strings.HasPrefix(from, v.back+"?") {
		v.back = from
	}
	if w.Places != nil && v.Case.Status == cases.Dispatched && v.by.MayAny(actor.TerritoryRead, city) && v.may(actor.CaseUrge) {
		if v.duty, err = w.Places.DutyChain(ctx, v.by, city, v.Case.Company, v.Case.Station, w.o.Now()); err != nil && !fault.Is(err, fault.NotFound) {
			return v, err
		}
	}
	if w.Measure != nil && v.by.MayAny(actor.MeasureRead, city) {
		of, err := w.Measure.List(ctx, v.by, city, measure.Filter{Case: v.Case.ID})
		if err != nil {
			return v, err
		}
		v.tests = of.Items
	}
	if err := w.fillTickets(r, &v); err != nil {
		return v, err
	}
	if w.Notices != nil && v.by.ScopeOf(actor.CaseRead, city).All {
		told, err := w.Notices.List(ctx, v.by, city, notice.Filter{Subject: v.Case.Subject()})
		if err != nil {
			return v, err
		}
		v.told = told.Items
		slices.Reverse(v.told)
	}
	return v, nil
}

// casePrint is the record of a case on A4.
func (w *Web) casePrint(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.fullCase(r, chi.URLParam(r, "case"))
	if err != nil {
		return err
	}
	return w.showAs(rw, r, http.StatusOK, ui.Paper, Page{Title: text.Msg("casework.print_title", "no", v.Case.No), Body: casePaper(v)})
}

// caseOrder is a supervision order on A4.
func (w *Web) caseOrder(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.orderedCase(r)
	if err != nil {
		return err
	}
	return w.showAs(rw, r, http.StatusOK, ui.Paper, Page{Title: text.Msg("casework.order_title", "no", v.asked.No), Body: orderPaper(v)})
}

// revealAct asks why somebody wants to see who called about a closed case.
var revealAct = caseAct{name: "reveal", key: "casework.reveal", reason: "need", text: "casework.reveal.text"}

func (w *Web) revealForm(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.caseView(r, chi.URLParam(r, "case"))
	if err != nil {
		return err
	}
	return w.show(rw, r, w.askPageOf(v, revealAct, ui.Form{}))
}

// reveal shows name and telephone, and keeps who looked and why.
func (w *Web) reveal(rw http.ResponseWriter, r *http.Request) error {
	id := chi.URLParam(r, "case")
	in, err := httpx.Bind[cases.Act](r)
	var shown cases.Revealed
	if err == nil {
		in.City, in.ID = httpx.City(r.Context()), id
		shown, err = w.Cases.Reveal(r.Context(), by(r), in)
	}
	if err != nil {
		v, lost := w.caseView(r, id)
		if lost != nil {
			return lost
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { return w.askPageOf(v, revealAct, f) })
	}
	v, err := w.fullCase(r, id)
	if err != nil {
		return err
	}
	v.revealed = &shown
	rw.Header().Set("Cache-Control", "no-store")
	p := Page{Title: text.Msg("casework.case_title", "no", v.Case.No), Nav: "cases", Body: caseBody(v)}
	if isPart(r) {
		p.Part = people(v)
		if r.Header.Get("HX-Target") == "ask" {
			p.Part = revealedBox(v)
		}
	}
	return w.show(rw, r, p)
}

// attachment gives a photograph or document of a case the reader may read.
func (w *Web) attachment(rw http.ResponseWriter, r *http.Request) error {
	ctx, city := r.Context(), httpx.City(r.Context())
	b, body, err := w.Blobs.Open(ctx, city, chi.URLParam(r, "blob"), func(subject string) error {
		return w.Cases.MayAttachment(ctx, by(r), city, subject)
	})
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read-only
	rw.Header().Set("Content-Type", b.MediaType)
	rw.Header().Set("Content-Disposition", "inline")
	rw.Header().Set("Cache-Control", "private, max-age=3600")
	_, err = io.Copy(rw, body)
	return err
}

// askCaseAct shows the form of an act: in a dialog over the page, or as a page.
func (w *Web) askCaseAct(a caseAct) handler {
	return func(rw http.ResponseWriter, r *http.Request) error {
		v, err := w.caseView(r, chi.URLParam(r, "case"))
		if err != nil {
			return err
		}
		if err := w.offerArticles(r, a, &v); err != nil {
			return err
		}
		v.pick(r.URL.Query())
		if !v.can(a) && !v.aside(a) {
			return fault.New(fault.Conflict, "casework.not_now", "act", text.Msg(a.key), "status", text.Msg("status."+string(v.Case.Status)))
		}
		return w.show(rw, r, w.askPageOf(v, a, ui.Form{}))
	}
}

// pick finds the request or link that an act is about.
func (v *caseView) pick(q url.Values) {
	v.link = q.Get("link")
	if i := slices.IndexFunc(v.sends.Requests, func(one dispatch.Request) bool { return one.ID == q.Get("request") }); i >= 0 {
		v.asked = v.sends.Requests[i]
	}
}

// aside reports whether an act is offered beside what it is about, and not among the buttons.
func (v caseView) aside(a caseAct) bool {
	switch a.name {
	case "decide":
		return v.asked.ID != "" && v.decides(v.asked)
	case "unlink":
		return v.link != "" && v.may(actor.CaseLink)
	case "duty_call":
		return v.may(actor.CaseUrge)
	}
	return false
}

func (w *Web) askPageOf(v caseView, a caseAct, f ui.Form) Page {
	return Page{
		Title: text.Msg("casework.act_title", "act", text.Msg(a.key), "no", v.Case.No), Nav: "cases",
		Body: askPage(v, a, f), Part: askBox(v, a, f),
	}
}

// doCaseAct does an act and leads back to where it was asked for. When somebody was first, the form comes back with what
// was typed and how the case stands now.
func (w *Web) doCaseAct(a caseAct) handler {
	return func(rw http.ResponseWriter, r *http.Request) error {
		c, err := a.do(w, r)
		if err == nil {
			return w.acted(rw, r, a, c)
		}
		k := fault.KindOf(err)
		if k != fault.Invalid && k != fault.Conflict {
			return err
		}
		v, lost := w.caseView(r, chi.URLParam(r, "case"))
		if lost != nil {
			return lost
		}
		if lost := w.offerArticles(r, a, &v); lost != nil {
			return lost
		}
		v.pick(r.PostForm)
		v.gone = !v.can(a) && !v.aside(a)
		if k == fault.Conflict {
			if fault.Of(err).Key != "case.origin.report_first" { // nobody was first: something is missing, and the message says what
				v.beaten = v.lastStep(r.Context())
			}
			rw.Header().Set("Rehu-Form", "again")
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { return w.askPageOf(v, a, f) })
	}
}

// lastStep says who was first, and what they did.
func (v caseView) lastStep(ctx context.Context) text.Message {
	if len(v.Timeline) == 0 {
		return text.Message{}
	}
	e := v.Timeline[len(v.Timeline)-1]
	return text.Msg("casework.beaten", "who", v.who(ctx, e), "at", e.At.MonthDayClock(), "act", text.Msg("act."+e.Act), "status", text.Msg("status."+string(v.Case.Status)))
}

// acted answers after an act: over the console the row, the drawer and the figures change; elsewhere the page comes anew.
func (w *Web) acted(rw http.ResponseWriter, r *http.Request, a caseAct, c cases.Case) error {
	done := text.Msg("casework.done", "no", c.No, "act", ui.T(r.Context(), a.key))
	from := w.cameFrom(r)
	list := at("/c/{city}/cases", c.City)
	if isPart(r) && from.Path == list {
		v, err := w.consoleAt(r, from, c.ID)
		if err == nil {
			return w.show(rw, r, Page{Body: consoleUpdate(v, ui.Say(r.Context(), done))})
		}
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		return w.done(rw, r, list, done) // the reader may no longer see it
	}
	back := caseHref(c)
	if from.Path != back && from.Path != "" && !strings.HasPrefix(from.Path, back+"/") {
		back = from.RequestURI()
	}
	return w.done(rw, r, back, done)
}

// cameFrom is the page that a form stood in.
func (w *Web) cameFrom(r *http.Request) *url.URL {
	from := refererPath(r)
	if isPart(r) {
		if u, err := url.Parse(r.Header.Get("HX-Current-URL")); err == nil {
			from = u.RequestURI()
		}
	}
	if from, ok := safeNext(from); ok {
		if u, err := url.Parse(from); err == nil {
			return u
		}
	}
	return &url.URL{}
}

// consoleAt is the console at an address with one case beside the list, for what changes in it after an act.
func (w *Web) consoleAt(r *http.Request, u *url.URL, id string) (consoleView, error) {
	there := r.Clone(r.Context())
	there.Method, there.URL = http.MethodGet, u
	q, err := caseQueryOf(there)
	if err != nil {
		q = caseQuery{}
	}
	q.Open = id
	v := consoleView{query: q, by: by(r), city: httpx.City(r.Context()), url: u}
	if err := w.fillSide(r, &v); err != nil {
		return v, err
	}
	v.batch = len(v.batchActs()) > 0
	return v, w.fillLoads(r, &v)
}

// openReturn is the return that waits for an answer.
func (v caseView) openReturn() dispatch.Request {
	for _, q := range v.undecided() {
		if q.Kind == dispatch.AskReturn {
			return q
		}
	}
	return dispatch.Request{}
}

// callTries is how often the resident could not be reached.
func (v caseView) callTries() int {
	n := 0
	for _, d := range v.Deeds {
		if d.Kind == cases.DeedCallBack && d.Result == "unreached" {
			n++
		}
	}
	return n
}

func (v caseView) phoneFirst() bool {
	c, ok := v.names.rules.Pack.Category(v.Case.Category)
	return ok && c.PhoneFirst
}

func (v caseView) assistOptions(ctx context.Context) []ui.Option {
	var out []ui.Option
	for _, a := range v.Case.Assisting {
		out = append(out, ui.Option{Value: a, Text: v.names.org(ctx, a)})
	}
	return out
}

// leafOptions are the categories that a case can have.
func (n *caseNames) leafOptions(ctx context.Context) []ui.Option {
	var out []ui.Option
	for _, c := range n.rules.Pack.Leaves() {
		if !c.Hidden {
			out = append(out, ui.Option{Value: c.Code, Text: c.Name.In(httpx.Lang(ctx))})
		}
	}
	return out
}

func (a caseAct) submitLook() string {
	if a.look == "danger" {
		return "danger"
	}
	return "main-act"
}

func (a caseAct) submitKey() string {
	if a.verb != "" {
		return a.verb
	}
	return a.key
}

func tomorrow(ctx context.Context) string {
	return ui.Now(ctx).Add(24 * time.Hour).Time().Format("2006-01-02T15:04")
}

func tenths(t *celsius.Tenths) string {
	if t == nil {
		return ""
	}
	return t.String()
}
