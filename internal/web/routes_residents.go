package web

import (
	"cmp"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/bulletin"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// residentRoutes are the pages that anybody may open on a telephone, and the gateway's answers. Nobody logs in: a number
// with its telephone, or the link of a receipt, shows one's own matter and nothing else.
func (w *Web) residentRoutes() []Route {
	if w.Cases == nil || w.Rules == nil || w.Territory == nil || w.Blobs == nil {
		return nil
	}
	all := []Route{
		get("/m", public, w.residentCities),
		get("/c/{city}/m", public, w.residentHome),
		get("/c/{city}/m/report", public, w.reportForm),
		post("/c/{city}/m/report", public, w.report),
		get("/c/{city}/m/follow", public, w.followForm),
		post("/c/{city}/m/follow", public, w.follow),
		get("/c/{city}/m/r/{token}", public, w.progress),
		post("/c/{city}/m/r/{token}/word", public, w.addWord),
		post("/c/{city}/m/r/{token}/cold", public, w.stillCold),
	}
	if w.Settle != nil {
		all = append(all, get("/c/{city}/m/r/{token}/refund", public, w.ownStatement))
	}
	if w.Dispatch != nil {
		all = append(all, w.ownCaseRoutes()...)
	}
	if w.Outages != nil {
		all = append(all, get("/c/{city}/m/stops", public, w.residentStops))
	}
	if w.Knowledge != nil {
		all = append(all, get("/c/{city}/m/help", public, w.residentHelp))
	}
	if w.Notices != nil {
		all = append(all, get("/c/{city}/answer/{token}", public, w.question), post("/c/{city}/answer/{token}", public, w.answerQuestion),
			post("/c/{city}/hooks/sms", signed, w.smsHook))
	}
	return all
}

// photos are the photographs of a form.
type photos = []*multipart.FileHeader

// visitor is whoever opens a resident's page.
func visitor() actor.Actor { return actor.Anonymous(actor.Public) }

// residentPath is an address of the residents' pages of the request's city.
func residentPath(r *http.Request, more string) string {
	return at("/c/{city}/m"+more, httpx.City(r.Context()))
}

// residentCities leads to the only city's pages, or lets one choose.
func (w *Web) residentCities(rw http.ResponseWriter, r *http.Request) error {
	all := w.o.Cities()
	if len(all) == 1 {
		return w.to(rw, r, at("/c/{city}/m", all[0].Code))
	}
	return w.showCitizen(rw, r, Page{Title: text.Msg("web.cities.title"), Body: residentCities(all)})
}

func (w *Web) residentHome(rw http.ResponseWriter, r *http.Request) error {
	v := homeView{city: httpx.City(r.Context()), stops: w.Outages != nil, help: w.Knowledge != nil, refunds: w.has("/c/{city}/m/refunds"), hall: w.has("/c/{city}/m/home")}
	_, inside, err := w.who(rw, r)
	if err != nil {
		return err
	}
	v.inside = inside
	if v.stops {
		all, err := w.Outages.Announcements(r.Context(), v.city)
		if err != nil {
			return err
		}
		v.live = len(all)
	}
	return w.showCitizen(rw, r, Page{Title: text.Msg("citizen.title"), Body: residentHome(v)})
}

// reportInput is the resident's form: five questions at most.
type reportInput struct {
	What    string `form:"what"` // a category, or "other"
	Address string `form:"address"`
	Place   string `form:"community"` // chosen in the second step; "-": none of those
	Phone   string `form:"phone"`
	Since   string `form:"since"`
	Test    string `form:"test_request"`
	Text    string `form:"text"`
	Photos  photos `form:"photo"`
	Home    string `form:"home"` // of a resident who is logged in
}

func (w *Web) reportForm(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.reportView(r, ui.Form{})
	if err == nil {
		err = w.prefill(rw, r, &v, r.URL.Query().Get("home"))
	}
	if err != nil {
		return err
	}
	return w.showCitizen(rw, r, v.page())
}

func (w *Web) reportView(r *http.Request, f ui.Form) (reportView, error) {
	rules, err := w.Rules.Rules(r.Context(), httpx.City(r.Context()))
	return reportView{city: httpx.City(r.Context()), now: w.o.Now(), form: f, rules: rules}, err
}

// report takes a resident's report. Where the words fit several estates, the form comes back once with the question which
// one it is; the answer "none of these" is always there.
func (w *Web) report(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[reportInput](r)
	v, failed := w.reportView(r, ui.Form{})
	if failed == nil {
		failed = w.prefill(rw, r, &v, in.Home)
	}
	if failed != nil {
		return failed
	}
	var o cases.Opening
	if err == nil {
		o, err = v.opening(r, in)
	}
	if err == nil {
		if v.places, err = w.whichEstate(r, in, o); err == nil && len(v.places) > 0 {
			v.form = ui.FormOf(r, nil)
			return w.showCitizen(rw, r, v.page())
		}
	}
	var opened cases.Opened
	if err == nil {
		opened, err = w.takeReport(r, in, o)
	}
	if err != nil {
		return w.again(rw, r, residentFault(err), ui.Citizen, func(f ui.Form) Page { v.form = f; return v.page() })
	}
	if opened.Reminder { // nobody learns from an address and a telephone how somebody's matter stands
		return w.done(rw, r, residentPath(r, "/follow"), text.Msg("citizen.reminded"))
	}
	return w.to(rw, r, residentPath(r, "/r/"+opened.Case.Token+"?new=1"))
}

// prefill takes a home that the resident is logged in for into the form. Whoever is not, or whose home it is not, fills the
// form in like everybody.
func (w *Web) prefill(rw http.ResponseWriter, r *http.Request, v *reportView, home string) error {
	who, ok, err := w.who(rw, r)
	if err != nil || !ok {
		return err
	}
	rw.Header().Set("Cache-Control", "no-store")
	if v.phone, err = w.Residents.Phone(r.Context(), who.Actor, who.City); err != nil || home == "" {
		return err
	}
	own, err := w.Residents.May(r.Context(), who.Actor, who.City, home, resident.MayAct)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied) {
		return nil
	}
	v.own = own
	return err
}

// takeReport keeps the photographs and opens the matter.
func (w *Web) takeReport(r *http.Request, in reportInput, o cases.Opening) (cases.Opened, error) {
	if err := turn(w.reports, r); err != nil {
		return cases.Opened{}, err
	}
	kept, err := w.keepPhotos(r, in.Photos)
	if err != nil {
		return cases.Opened{}, err
	}
	o.Photos = kept
	return w.Cases.Open(r.Context(), visitor(), o)
}

// mostPhotos is how many photographs a resident sends at once.
const mostPhotos = 3

func (w *Web) keepPhotos(r *http.Request, all photos) ([]blob.Stored, error) {
	var out []blob.Stored
	for _, h := range all {
		if len(out) == mostPhotos || h.Size == 0 {
			continue
		}
		f, err := h.Open()
		if err != nil {
			return nil, err
		}
		kept, err := w.Blobs.Keep(r.Context(), blob.Upload{City: httpx.City(r.Context()), Purpose: blob.Photo, Name: h.Filename, Reader: f})
		_ = f.Close() // only read
		if err != nil {
			return nil, photoFault(err)
		}
		out = append(out, kept)
	}
	return out, nil
}

// photoFault says what is wrong with a photograph under its field.
func photoFault(err error) error {
	f := fault.Of(err)
	if f.Kind != fault.Invalid {
		return err
	}
	var c fault.Check
	c.Add("photo", "citizen.bad_photo")
	return c.Err()
}

// whichEstate lists the estates that the address may mean when the words do not decide; none when they do, or when the
// resident has been asked already.
func (w *Web) whichEstate(r *http.Request, in reportInput, o cases.Opening) ([]ui.Option, error) {
	if in.Place != "" || o.Account != "" {
		return nil, nil
	}
	city := httpx.City(r.Context())
	a, err := w.Territory.Attribute(r.Context(), actor.SystemFor("citizen", actor.Public), city, o.Query(w.o.Now()))
	if err != nil {
		return nil, err
	}
	var out []ui.Option
	for _, c := range a.Candidates {
		if c.Community != nil && !slices.ContainsFunc(out, func(o ui.Option) bool { return o.Value == c.Community.ID }) {
			out = append(out, ui.Option{Value: c.Community.ID, Text: c.Community.Name + " · " + c.Community.District})
		}
	}
	if len(out) < 2 || a.Company != "" && a.MayAutoDispatch() {
		return nil, nil
	}
	return append(out[:min(len(out), 5)], ui.Option{Value: "-", Key: "citizen.none_of_these"}), nil
}

// residentFault puts messages under the fields of the resident's form, which has other names than the record.
func residentFault(err error) error {
	f := fault.Of(err)
	if f.Kind != fault.Invalid || len(f.Fields) == 0 {
		return err
	}
	names := map[string]string{"caller.phone": "phone", "details.since": "since", "details.leak": "what", "category": "what", "room": "address"}
	var c fault.Check
	for _, one := range f.Fields {
		pairs := make([]any, 0, 2*len(one.Params))
		for k, v := range one.Params {
			pairs = append(pairs, k, v)
		}
		c.Add(cmp.Or(names[one.Name], one.Name), one.Key, pairs...)
	}
	return c.Err()
}

func (w *Web) followForm(rw http.ResponseWriter, r *http.Request) error {
	return w.showCitizen(rw, r, followPage(r, ui.Form{}))
}

func followPage(r *http.Request, f ui.Form) Page {
	city := httpx.City(r.Context())
	return Page{Title: text.Msg("citizen.follow"), Body: followBody(city, f), Back: at("/c/{city}/m", city)}
}

// follow finds one's own matter by its number and the telephone that was left. A wrong number and a wrong telephone get
// the same answer, and each try uses a turn.
func (w *Web) follow(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[cases.Proof](r)
	in.Token = ""
	var p cases.Progress
	if err == nil {
		if err = turn(w.logins, r); err == nil {
			p, err = w.Cases.Progress(r.Context(), httpx.City(r.Context()), in)
		}
	}
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.Invalid, "case.no_such_receipt")
	}
	if err != nil {
		return w.again(rw, r, err, ui.Citizen, func(f ui.Form) Page { return followPage(r, f) })
	}
	return w.to(rw, r, residentPath(r, "/r/"+url.PathEscape(p.Token)))
}

func (w *Web) progress(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.progressView(r, ui.Form{})
	if err != nil {
		return err
	}
	rw.Header().Set("Cache-Control", "no-store")
	return w.showCitizen(rw, r, v.page())
}

func (w *Web) progressView(r *http.Request, f ui.Form) (progressView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := progressView{city: city, form: f, fresh: r.URL.Query().Get("new") == "1", url: w.here(r)}
	var err error
	if v.Progress, err = w.Cases.Progress(ctx, city, cases.Proof{Token: chi.URLParam(r, "token")}); err != nil {
		return v, err
	}
	if v.rules, err = w.Rules.Rules(ctx, city); err != nil {
		return v, err
	}
	if v.company, err = w.publicName(r, v.Company); err != nil {
		return v, err
	}
	if v.measured, err = w.ownView(r, v.Company); err != nil {
		return v, err
	}
	if err = v.alongside(w, r); err != nil {
		return v, err
	}
	if w.Callbacks != nil {
		if v.rating, err = w.Callbacks.Standing(r.Context(), v.city, cases.Proof{Token: v.Token}); err != nil {
			return v, err
		}
	}
	v.mayObject = w.Findings != nil && len(v.measured.Measurements) > 0
	v.refund, err = w.ownClaim(r, v.Progress, v.measured)
	return v, err
}

// here is the full address of the receipt, for its QR code.
func (w *Web) here(r *http.Request) string { return w.receiptURL(r, chi.URLParam(r, "token")) }

// receiptURL is the full address at which a resident follows their case.
func (w *Web) receiptURL(r *http.Request, token string) string {
	base := strings.TrimRight(w.o.URL, "/")
	if base == "" {
		base = "http://" + r.Host
	}
	return base + residentPath(r, "/r/"+token)
}

// publicName is the name of a company as residents read it.
func (w *Web) publicName(r *http.Request, code string) (string, error) {
	if code == "" {
		return "", nil
	}
	all, err := w.Staff.Organisations(r.Context(), actor.SystemFor("citizen", actor.Public), httpx.City(r.Context()), "")
	for _, o := range all {
		if o.Code == code {
			if httpx.Lang(r.Context()) == text.EN && o.NameEN != "" {
				return o.NameEN, nil
			}
			return o.NameZH, nil
		}
	}
	return code, err
}

// wordInput is what a resident adds to their own matter.
type wordInput struct {
	Text   string `form:"text"`
	Photos photos `form:"photo"`
}

// addWord passes a word and photographs on as a reminder.
func (w *Web) addWord(rw http.ResponseWriter, r *http.Request) error {
	return w.own(rw, r, "citizen.word_done", func(in cases.Word, all photos) error {
		if _, err := w.Cases.Progress(r.Context(), in.City, in.Proof); err != nil {
			return err // nothing is kept for a receipt that is none
		}
		kept, err := w.keepPhotos(r, all)
		if err != nil {
			return err
		}
		in.Photos = kept
		_, err = w.Cases.RemindOwn(r.Context(), visitor(), in)
		return err
	})
}

// stillCold reopens one's own closed matter, once for each closing.
func (w *Web) stillCold(rw http.ResponseWriter, r *http.Request) error {
	return w.own(rw, r, "citizen.cold_done", func(in cases.Word, _ photos) error {
		_, err := w.Cases.ReopenOwn(r.Context(), visitor(), in)
		return err
	})
}

func (w *Web) own(rw http.ResponseWriter, r *http.Request, done string, do func(cases.Word, photos) error) error {
	in, err := httpx.Bind[wordInput](r)
	word := cases.Word{City: httpx.City(r.Context()), Text: in.Text, Key: formKey(r), Proof: cases.Proof{Token: chi.URLParam(r, "token")}}
	if err == nil {
		if err = turn(w.reports, r); err == nil {
			err = do(word, in.Photos)
		}
	}
	if err == nil {
		return w.done(rw, r, residentPath(r, "/r/"+word.Token), text.Msg(done))
	}
	v, failed := w.progressView(r, ui.FormOf(r, err))
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Citizen, func(ui.Form) Page { return v.page() })
}

// residentStops lists the stops of heat that everybody may know of, for an estate when its name is typed.
func (w *Web) residentStops(rw http.ResponseWriter, r *http.Request) error {
	v := stopsView{city: httpx.City(r.Context()), query: strings.TrimSpace(r.URL.Query().Get("q")), names: map[string]string{}, lang: httpx.Lang(r.Context())}
	all, err := w.Outages.Announcements(r.Context(), v.city)
	if err != nil {
		return err
	}
	for _, a := range all {
		if v.names[a.Company], err = w.publicName(r, a.Company); err != nil {
			return err
		}
		if v.fits(a) {
			v.all = append(v.all, a)
		}
	}
	if w.Bulletins != nil {
		told, err := w.Bulletins.Live(r.Context(), v.city)
		if err != nil {
			return err
		}
		v.told = slices.DeleteFunc(told, func(b bulletin.Bulletin) bool { return v.query != "" && !strings.Contains(b.Name+b.TextZH, v.query) })
	}
	return w.showCitizen(rw, r, Page{Title: text.Msg("citizen.stops"), Body: stopsBody(v), Back: at("/c/{city}/m", v.city)})
}

// residentHelp shows the answers that may be read to a citizen, of the kinds that explain heating.
func (w *Web) residentHelp(rw http.ResponseWriter, r *http.Request) error {
	all, err := w.helpArticles(r)
	if err != nil {
		return err
	}
	city := httpx.City(r.Context())
	return w.showCitizen(rw, r, Page{Title: text.Msg("citizen.help"), Body: helpBody(city, all), Back: at("/c/{city}/m", city)})
}

// question shows a question to a resident: one link, one tap.
func (w *Web) question(rw http.ResponseWriter, r *http.Request) error {
	q, err := w.Notices.Look(r.Context(), httpx.City(r.Context()), chi.URLParam(r, "token"))
	if err != nil {
		return err
	}
	rw.Header().Set("Cache-Control", "no-store")
	return w.showCitizen(rw, r, questionPage(questionView{Asked: q, city: httpx.City(r.Context()), now: w.o.Now()}))
}

func (w *Web) answerQuestion(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[notice.AnswerInput](r)
	if err != nil {
		return err
	}
	in.City, in.Token = httpx.City(r.Context()), chi.URLParam(r, "token")
	if _, err = w.Notices.Answer(r.Context(), in); err != nil {
		return w.refused(rw, r, err, r.URL.Path)
	}
	return w.done(rw, r, r.URL.Path, text.Msg("citizen.answered"))
}

// smsHook takes what the SMS gateway reports: receipts and replies. Its signature is its permission.
func (w *Web) smsHook(rw http.ResponseWriter, r *http.Request) error {
	in, err := notice.FromRequest(r)
	if err != nil {
		return httpx.Malformed(err)
	}
	if err := w.Notices.Callback(r.Context(), httpx.City(r.Context()), in); err != nil {
		return err
	}
	rw.WriteHeader(http.StatusNoContent)
	return nil
}

// categoryUnder is the category that the words speak for below the chosen one, else the first below it.
func categoryUnder(p *citypack.Pack, chosen, said string) string {
	top, ok := p.Category(chosen)
	if !ok {
		return ""
	}
	for _, g := range p.Classify(said) {
		if c, ok := p.Category(g.Code); ok && (c == top || c.Parent() == top) {
			return c.Code
		}
	}
	for _, c := range p.Leaves() {
		if c == top || c.Parent() == top {
			return c.Code
		}
	}
	return top.Code
}
