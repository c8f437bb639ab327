package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/callback"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// The addresses of the pages about what residents say.
const (
	samplesPath      = "/c/{city}/callbacks/samples"
	satisfactionPath = "/c/{city}/satisfaction"
)

// callbackRoutes are the sample calls, the rates with the rows behind them, appeals, and the resident's own word.
func (w *Web) callbackRoutes() []Route {
	if w.Callbacks == nil || w.Cases == nil || w.Rules == nil {
		return nil
	}
	read, decide := may(actor.StatsRead, actor.CaseAppeal, actor.CaseDecideAppeal), may(actor.CaseDecideAppeal)
	return []Route{
		get(samplesPath, may(actor.CaseCallBack), w.samples),
		post(samplesPath+"/{sample}", may(actor.CaseCallBack), w.callSample),
		post("/c/{city}/callbacks/{case}/ask", may(actor.CaseCallBack), w.askBack),
		get(satisfactionPath, read, w.satisfaction),
		get(satisfactionPath+"/rows", read, w.outcomeRows),
		get(satisfactionPath+"/export", read, w.outcomeExport),
		get(satisfactionPath+"/appeals", read, w.appealList),
		post(satisfactionPath+"/appeals", may(actor.CaseAppeal), w.appealOutcome),
		post(satisfactionPath+"/appeals/{appeal}", decide, w.decideAppeal),
		post(satisfactionPath+"/freeze", decide, w.freezeFigures),
		post("/c/{city}/m/r/{token}/rate", public, w.rateOwn),
	}
}

// samplesView is the work list of sample calls.
type samplesView struct {
	city  int
	names *caseNames
	query callback.SampleFilter
	list  page.Of[callback.SampleView]
	draws []callback.Draw
	form  ui.Form
	at    string // the sample call whose form failed
}

func (v samplesView) formOf(id string) ui.Form {
	if v.at == id {
		return v.form.As(id)
	}
	return ui.Form{}.As(id)
}

func (w *Web) samplesView(r *http.Request) (samplesView, error) {
	v := samplesView{city: httpx.City(r.Context())}
	q, err := httpx.Bind[callback.SampleFilter](addressOf(r))
	if err != nil {
		return v, err
	}
	v.query = q
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	if v.list, err = w.Callbacks.Samples(r.Context(), by(r), v.city, q); err != nil {
		return v, err
	}
	v.draws, err = w.Callbacks.Draws(r.Context(), by(r), v.city)
	return v, err
}

func (v samplesView) page() Page {
	return Page{Title: text.Msg("callbackpage.samples"), Nav: "samples", Body: samplesBody(v)}
}

func (w *Web) samples(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.samplesView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, v.page())
}

// callSample keeps one try.
func (w *Web) callSample(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[callback.Calling](r)
	if err == nil {
		in.City, in.ID, in.Key = httpx.City(r.Context()), chi.URLParam(r, "sample"), formKey(r)
		_, err = w.Callbacks.Call(r.Context(), by(r), in)
	}
	if err == nil {
		return w.done(rw, r, at(samplesPath, httpx.City(r.Context())), text.Msg("callbackpage.kept"))
	}
	v, failed := w.samplesView(r)
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { v.form, v.at = f, in.ID; return v.page() })
}

// askBack asks by message instead of calling.
func (w *Web) askBack(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[cases.Act](r)
	if err != nil {
		return err
	}
	in.City, in.ID, in.Key = httpx.City(r.Context()), chi.URLParam(r, "case"), formKey(r)
	back := withQuery(at("/c/{city}/callbacks", in.City), url.Values{"open": {in.ID}})
	if _, err := w.Callbacks.Ask(r.Context(), by(r), in); err != nil {
		return w.refused(rw, r, err, back)
	}
	return w.done(rw, r, back, text.Msg("callbackpage.message_out"))
}

// satisfactionView is the rates of a period.
type satisfactionView struct {
	city    int
	names   *caseNames
	query   callback.Query
	rates   callback.Rates
	rows    page.Of[callback.Outcome]
	periods []callback.Period
	decide  bool
	appeal  bool
	form    ui.Form
	at      string
}

// outcomeQuery is the query of the address; without days, the last two weeks.
func (w *Web) outcomeQuery(r *http.Request) (callback.Query, error) {
	q, err := httpx.Bind[callback.Query](withoutFormat(addressOf(r)))
	q.City = httpx.City(r.Context())
	if q.Period == "" && q.To.IsZero() {
		q.To = w.o.Now().Date()
	}
	if q.Period == "" && q.From.IsZero() {
		q.From = q.To.AddDays(-13)
	}
	if q.By == "" {
		q.By = callback.ByCompany
	}
	return q, err
}

func (w *Web) satisfactionView(r *http.Request) (satisfactionView, error) {
	v := satisfactionView{city: httpx.City(r.Context())}
	v.decide, v.appeal = by(r).MayAny(actor.CaseDecideAppeal, v.city), by(r).MayAny(actor.CaseAppeal, v.city)
	var err error
	if v.query, err = w.outcomeQuery(r); err != nil {
		return v, err
	}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	v.periods, err = w.Callbacks.Periods(r.Context(), by(r), v.city)
	return v, err
}

func (w *Web) ratesView(r *http.Request) (satisfactionView, error) {
	v, err := w.satisfactionView(r)
	if err != nil {
		return v, err
	}
	v.rates, err = w.Callbacks.Rates(r.Context(), by(r), v.query)
	return v, err
}

func (v satisfactionView) page() Page {
	return Page{Title: text.Msg("callbackpage.rates"), Nav: "satisfaction", Body: satisfactionBody(v)}
}

func (w *Web) satisfaction(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.ratesView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, v.page())
}

// rowsHref is the list behind a number of a group.
func (v satisfactionView) rowsHref(key string, rate callback.Rate, place callback.Place) string {
	q := v.values()
	if key != "" || len(v.rates.Groups) > 0 && key == "-" {
		q.Set(string(v.query.By), key)
	}
	if rate != "" {
		q.Set("rate", string(rate))
		q.Set("place", string(place))
	}
	return withQuery(at(satisfactionPath+"/rows", v.city), q)
}

func (v satisfactionView) values() url.Values {
	q := url.Values{}
	for name, s := range map[string]string{
		"by": string(v.query.By), "company": v.query.Company, "station": v.query.Station, "district": v.query.District, "category": v.query.Category, "period": v.query.Period,
	} {
		if s != "" {
			q.Set(name, s)
		}
	}
	if v.query.Period == "" {
		q.Set("from", v.query.From.String())
		q.Set("to", v.query.To.String())
	}
	return q
}

// reworkHref lists what counts as rework.
func (v satisfactionView) reworkHref(key string) string {
	return v.rowsHref(key, "", "") + "&rework=true"
}

// groupKey is a group's key in an address: "-" names those without.
func groupKey(key string) string {
	if key == "" {
		return "-"
	}
	return key
}

// name is a group in the reader's words.
func (v satisfactionView) name(ctx context.Context, key string) string {
	switch v.query.By {
	case callback.ByCompany:
		return v.names.org(ctx, key)
	case callback.ByDistrict:
		return orDash(v.names.district(key))
	case callback.ByCategory:
		return v.names.category(ctx, key)
	case callback.ByStation:
	}
	return orDash(key)
}

func (w *Web) rowsView(r *http.Request) (satisfactionView, error) {
	v, err := w.satisfactionView(r)
	if err != nil {
		return v, err
	}
	v.rows, err = w.Callbacks.Outcomes(r.Context(), by(r), v.query)
	return v, err
}

func (v satisfactionView) rowsPage() Page {
	return Page{Title: text.Msg("callbackpage.rows"), Nav: "satisfaction", Body: outcomeRowsBody(v)}
}

func (w *Web) outcomeRows(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.rowsView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, v.rowsPage())
}

// outcomeExport is the list as a table: the same rows.
func (w *Web) outcomeExport(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.satisfactionView(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	keys := []string{"case", "day", "kind", "company", "station", "district", "category", "handler_said", "called", "solved", "satisfied", "how", "word", "retest", "rework", "response_place", "solved_place", "satisfied_place", "mismatch_place"}
	columns := make([]string, len(keys))
	for i, k := range keys {
		columns[i] = "callbackpage." + k
	}
	return w.sendSheet(rw, r, "satisfaction", columns, func(out sheet.Writer) error {
		return w.Callbacks.Export(ctx, by(r), v.query, func(o callback.Outcome) error {
			return out.Row(o.CaseNo, o.Day.String(), ui.T(ctx, "callback.kind."+string(o.Kind)), v.names.org(ctx, o.Company), o.Station, v.names.district(o.District),
				v.names.category(ctx, o.Category), saidWords(ctx, o.HandlerSaid), saidWords(ctx, o.Called), saidWords(ctx, o.Solved), saidWords(ctx, o.Satisfied), saidHow(ctx, o.How), o.Word,
				retestWords(ctx, o.Retest), saidWords(ctx, yesNo(o.Rework)), placeWords(ctx, o.StResponse), placeWords(ctx, o.StSolved), placeWords(ctx, o.StSatisfied), placeWords(ctx, o.StMismatch))
		})
	})
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// saidWords is a yes, a no, or that nobody was reached, in the reader's words.
func saidWords(ctx context.Context, s string) string {
	return firstKey(ctx, s, "callbackpage.said."+s)
}

func placeWords(ctx context.Context, p callback.Place) string {
	return ui.T(ctx, "callback.place."+string(p))
}

func saidHow(ctx context.Context, how string) string {
	if how == "" {
		return ""
	}
	return ui.T(ctx, "callbackpage.how."+how)
}

func retestWords(ctx context.Context, s string) string {
	if s == "" {
		return ""
	}
	return ui.T(ctx, "callback.retest."+s)
}

// appealsView is the list of appeals.
type appealsView struct {
	city   int
	names  *caseNames
	query  callback.AppealFilter
	list   page.Of[callback.AppealView]
	decide bool
	form   ui.Form
	at     string
}

func (w *Web) appealsView(r *http.Request) (appealsView, error) {
	v := appealsView{city: httpx.City(r.Context())}
	v.decide = by(r).MayAny(actor.CaseDecideAppeal, v.city)
	var err error
	if v.query, err = httpx.Bind[callback.AppealFilter](addressOf(r)); err != nil {
		return v, err
	}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	v.list, err = w.Callbacks.Appeals(r.Context(), by(r), v.city, v.query)
	return v, err
}

func (v appealsView) page() Page {
	return Page{Title: text.Msg("callbackpage.appeals"), Nav: "satisfaction", Body: appealsBody(v)}
}

func (v appealsView) formOf(id string) ui.Form {
	if v.at == id {
		return v.form.As(id)
	}
	return ui.Form{}.As(id)
}

func (w *Web) appealList(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.appealsView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, v.page())
}

// appealOutcome takes a company's appeal from the list of outcomes.
func (w *Web) appealOutcome(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[callback.Appealing](r)
	if err == nil {
		in.City, in.Key = httpx.City(r.Context()), formKey(r)
		_, err = w.Callbacks.Appeal(r.Context(), by(r), in)
	}
	if err == nil {
		return w.done(rw, r, at(satisfactionPath+"/appeals", httpx.City(r.Context())), text.Msg("callbackpage.appealed"))
	}
	v, failed := w.rowsView(r)
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { v.form, v.at = f, in.Outcome; return v.rowsPage() })
}

func (w *Web) decideAppeal(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[callback.Deciding](r)
	if err == nil {
		in.City, in.ID = httpx.City(r.Context()), chi.URLParam(r, "appeal")
		_, err = w.Callbacks.Decide(r.Context(), by(r), in)
	}
	if err == nil {
		return w.done(rw, r, at(satisfactionPath+"/appeals", httpx.City(r.Context())), text.Msg("callbackpage.decided"))
	}
	v, failed := w.appealsView(r)
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { v.form, v.at = f, in.ID; return v.page() })
}

func (w *Web) freezeFigures(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[callback.Freezing](r)
	var p callback.Period
	if err == nil {
		in.City = httpx.City(r.Context())
		p, err = w.Callbacks.Freeze(r.Context(), by(r), in)
	}
	if err == nil {
		return w.done(rw, r, withQuery(at(satisfactionPath, in.City), url.Values{"period": {p.ID}}), text.Msg("callbackpage.frozen", "edition", strconv.Itoa(p.Edition)))
	}
	v, failed := w.ratesView(r)
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { v.form = f; return v.page() })
}

// rateOwn takes a resident's word on the closing of their own matter.
func (w *Web) rateOwn(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[callback.Rating](r)
	token, done := chi.URLParam(r, "token"), "callbackpage.thanks"
	if err == nil {
		if err = turn(w.reports, r); err == nil {
			in.City, in.Key, in.Case, in.Proof = httpx.City(r.Context()), formKey(r), "", cases.Proof{Token: token}
			var out callback.Rated
			if out, err = w.Callbacks.Rate(r.Context(), visitor(), in); out.Reopened {
				done = "callbackpage.thanks_reopened"
			}
		}
	}
	if err == nil {
		return w.done(rw, r, residentPath(r, "/r/"+token), text.Msg(done))
	}
	v, failed := w.progressView(r, ui.FormOf(r, err))
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Citizen, func(ui.Form) Page { return v.page() })
}
