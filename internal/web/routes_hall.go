package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// hallRoutes are the service hall: a resident logs in with a code and sees their homes. The pages are public as staff's
// permissions go; each asks for the resident's own session.
func (w *Web) hallRoutes() []Route {
	if w.Residents == nil || w.Cases == nil || w.Rules == nil || w.Territory == nil || w.Blobs == nil {
		return nil
	}
	return []Route{
		get("/c/{city}/m/enter", public, w.enterForm),
		post("/c/{city}/m/enter", public, w.askCode),
		post("/c/{city}/m/enter/code", public, w.enterWith),
		get("/c/{city}/m/home", public, w.hall(w.myHome)),
		get("/c/{city}/m/home/visitor/{case}", public, w.hall(w.visitorPhoto)),
		get("/c/{city}/m/home/test", public, w.hall(w.wishForm)),
		post("/c/{city}/m/home/test", public, w.hall(w.wishTest)),
		get("/c/{city}/m/home/people", public, w.hall(w.kin)),
		post("/c/{city}/m/home/people", public, w.hall(w.addHelper)),
		post("/c/{city}/m/home/end", public, w.hall(w.endBinding)),
		get("/c/{city}/m/bind", public, w.hall(w.bindForm)),
		post("/c/{city}/m/bind", public, w.hall(w.bind)),
		post("/c/{city}/m/bind/code", public, w.hall(w.holderCode)),
		get("/c/{city}/m/bind/paper", public, w.hall(w.paperForm)),
		post("/c/{city}/m/bind/paper", public, w.hall(w.askByPaper)),
		get("/c/{city}/m/me", public, w.hall(w.me)),
		post("/c/{city}/m/leave", public, w.hall(w.leave)),
		post("/c/{city}/m/unlink", public, w.hall(w.unlink)),
	}
}

// hallLife is how long the browser keeps the session's token; the server ends it earlier.
const hallLife = 365 * 24 * time.Hour

// hallCookie is the name of a city's session of residents.
func (w *Web) hallCookie(city int) string {
	name := "rehu_hall_" + strconv.Itoa(city)
	if w.cookies.Secure {
		return "__Host-" + name
	}
	return name
}

// EnterHall gives the browser the session of a resident who has logged in by whichever way; for the ways of other channels.
func (w *Web) EnterHall(rw http.ResponseWriter, city int, t resident.Ticket) {
	w.cookies.Set(rw, w.hallCookie(city), t.Token, hallLife)
}

// who is the resident who is logged in; false when nobody is. A token that changed is sent on.
func (w *Web) who(rw http.ResponseWriter, r *http.Request) (resident.Who, bool, error) {
	if w.Residents == nil {
		return resident.Who{}, false, nil
	}
	city := httpx.City(r.Context())
	k, err := r.Cookie(w.hallCookie(city))
	if err != nil {
		return resident.Who{}, false, nil //nolint:nilerr // nobody is logged in
	}
	who, ok, err := w.Residents.Authenticate(r.Context(), city, k.Value)
	switch {
	case err != nil:
		return who, false, err
	case !ok:
		w.cookies.Clear(rw, w.hallCookie(city))
	case who.Renewed != "":
		w.cookies.Set(rw, w.hallCookie(city), who.Renewed, hallLife)
	}
	return who, ok, nil
}

// hall lets residents pass who are logged in, and asks others to log in first. Nothing of theirs stays in a cache.
func (w *Web) hall(fn func(rw http.ResponseWriter, r *http.Request, who resident.Who) error) handler {
	return func(rw http.ResponseWriter, r *http.Request) error {
		who, ok, err := w.who(rw, r)
		if err != nil {
			return err
		}
		rw.Header().Set("Cache-Control", "no-store")
		if !ok {
			to := residentPath(r, "/enter")
			if r.Method == http.MethodGet {
				to += "?next=" + url.QueryEscape(r.URL.RequestURI())
			}
			return w.to(rw, r, to)
		}
		return fn(rw, r, who)
	}
}

// nextIn keeps to the residents' pages of the city: an address from elsewhere leads to one's own home.
func nextIn(r *http.Request, next string) string {
	u, err := url.Parse(next)
	base := residentPath(r, "")
	if err != nil || u.Scheme != "" || u.Host != "" || strings.ContainsAny(next, "\\\r\n") || !strings.HasPrefix(u.Path, base+"/") || strings.Contains(u.Path, "..") {
		return base + "/home"
	}
	return u.RequestURI()
}

// enterView is the login: the telephone first, then the code.
type enterView struct {
	city  int
	form  ui.Form
	next  string
	phone string // a code was sent to it
	asked resident.Asked

	played bool // no real message is sent: a page of the demonstration shows it
}

func (v enterView) page() Page {
	return Page{Title: text.Msg("hall.enter"), Body: enterBody(v), Back: at("/c/{city}/m", v.city)}
}

// entering is the login of the request's city.
func (w *Web) entering(r *http.Request, next string) enterView {
	return enterView{city: httpx.City(r.Context()), next: nextIn(r, next), played: w.Notices != nil && w.Notices.Played(notice.SMS)}
}

func (w *Web) enterForm(rw http.ResponseWriter, r *http.Request) error {
	_, ok, err := w.who(rw, r)
	if err != nil {
		return err
	}
	v := w.entering(r, r.URL.Query().Get("next"))
	if ok {
		return w.to(rw, r, v.next)
	}
	return w.showCitizen(rw, r, v.page())
}

// enterInput is the login form in both its steps.
type enterInput struct {
	Phone string `form:"phone"`
	Code  string `form:"code"`
	Next  string `form:"next"`
}

// askCode sends a code and asks for it; the answer is the same for every telephone.
func (w *Web) askCode(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[enterInput](r)
	v := w.entering(r, in.Next)
	if err == nil {
		v.asked, err = w.Residents.RequestCode(r.Context(), visitor(), resident.Ask{
			City: v.city, Phone: in.Phone, Lang: httpx.Lang(r.Context()), Address: httpx.ByAddress(r),
		})
	}
	if fault.Is(err, fault.Exhausted) { // a code may be on its way: let them type it
		v.phone = in.Phone
	}
	if err != nil {
		return w.again(rw, r, err, ui.Citizen, func(f ui.Form) Page { v.form = f; return v.page() })
	}
	v.phone = in.Phone
	rw.Header().Set("Cache-Control", "no-store")
	return w.showCitizen(rw, r, v.page())
}

// enterWith logs in with the code.
func (w *Web) enterWith(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[enterInput](r)
	v := w.entering(r, in.Next)
	v.phone = in.Phone
	var t resident.Ticket
	if err == nil {
		t, err = w.Residents.Enter(r.Context(), visitor(), resident.Entry{
			City: v.city, Phone: in.Phone, Code: in.Code, Lang: httpx.Lang(r.Context()), Address: httpx.ByAddress(r), Agent: r.UserAgent(),
		})
	}
	if err != nil {
		return w.again(rw, r, err, ui.Citizen, func(f ui.Form) Page { v.form = f; return v.page() })
	}
	w.EnterHall(rw, v.city, t)
	return w.to(rw, r, v.next)
}

// bindView is the form that makes a home one's own.
type bindView struct {
	city  int
	form  ui.Form
	help  bool // for a parent
	asked bool // a code went to the telephone on file
	now   civil.Instant
}

func (v bindView) page() Page {
	key := "hall.bind"
	if v.help {
		key = "hall.bind_help"
	}
	return Page{Title: text.Msg(key), Body: bindBody(v), Back: at("/c/{city}/m/home", v.city)}
}

func (v bindView) proofs() []ui.Option {
	var out []ui.Option
	for _, p := range []resident.Proof{resident.Last4, resident.Bill, resident.HolderCode} {
		if !v.help || p == resident.HolderCode {
			out = append(out, ui.Option{Value: string(p), Key: "hall.proof." + string(p)})
		}
	}
	return out
}

func (w *Web) bindForm(rw http.ResponseWriter, r *http.Request, _ resident.Who) error {
	q := r.URL.Query()
	return w.showCitizen(rw, r, bindView{city: httpx.City(r.Context()), help: q.Get("help") == "1", now: w.o.Now()}.page())
}

// bindInput is the form as a resident fills it in.
type bindInput struct {
	Account string         `form:"account"`
	Proof   resident.Proof `form:"proof"`
	Value   string         `form:"value"`
	Help    bool           `form:"help"`
	Scope   resident.Scope `form:"scope"`
	Days    int            `form:"days"`
}

func (w *Web) bind(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	in, err := httpx.Bind[bindInput](r)
	v := bindView{city: who.City, help: in.Help, now: w.o.Now(), asked: in.Proof == resident.HolderCode}
	if err == nil {
		b := resident.BindInput{City: who.City, Account: in.Account, Proof: in.Proof, Value: in.Value, Help: in.Help, Address: httpx.ByAddress(r)}
		if in.Help {
			b.Scope, b.Until = in.Scope, v.now.Date().AddDays(in.Days)
		}
		if b.Proof == "" {
			b.Proof = resident.OwnPhone // the telephone on file needs no other proof
		}
		_, err = w.Residents.Bind(r.Context(), who.Actor, b)
	}
	if err != nil {
		return w.again(rw, r, err, ui.Citizen, func(f ui.Form) Page { v.form = f; return v.page() })
	}
	return w.done(rw, r, residentPath(r, "/home"), text.Msg("hall.bound"))
}

// holderCode sends a code to the telephone on file and asks for it.
func (w *Web) holderCode(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	in, err := httpx.Bind[bindInput](r)
	v := bindView{city: who.City, help: in.Help, now: w.o.Now(), asked: true}
	if err == nil {
		_, err = w.Residents.RequestHolderCode(r.Context(), who.Actor, resident.HolderInput{
			City: who.City, Account: in.Account, Help: in.Help, Lang: httpx.Lang(r.Context()), Address: httpx.ByAddress(r),
		})
	}
	if err != nil {
		return w.again(rw, r, err, ui.Citizen, func(f ui.Form) Page { v.form = f; return v.page() })
	}
	v.form = ui.FormOf(r, nil)
	return w.showCitizen(rw, r, v.page())
}

// paperInput is the address and the photographs.
type paperInput struct {
	Words  string `form:"words"`
	Photos photos `form:"photo"`
}

func paperPage(city int, f ui.Form) Page {
	return Page{Title: text.Msg("hall.paper"), Body: paperBody(city, f), Back: at("/c/{city}/m/bind", city), Photo: true}
}

func (w *Web) paperForm(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	return w.showCitizen(rw, r, paperPage(who.City, ui.Form{}))
}

func (w *Web) askByPaper(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	in, err := httpx.Bind[paperInput](r)
	if err == nil {
		err = turn(w.reports, r)
	}
	p := resident.PaperInput{City: who.City, Words: in.Words, Key: formKey(r)}
	if err == nil {
		p.Photos, err = w.keepPhotos(r, in.Photos)
	}
	if err == nil {
		_, err = w.Residents.AskByPaper(r.Context(), who.Actor, p)
	}
	if err != nil {
		return w.again(rw, r, err, ui.Citizen, func(f ui.Form) Page { return paperPage(who.City, f) })
	}
	return w.done(rw, r, residentPath(r, "/home"), text.Msg("hall.paper_sent"))
}

// meView is what a resident sees of their own logins.
type meView struct {
	resident.Who
	sessions   []resident.Session
	identities []resident.Identity
	letters    bool // letters can go out
	push       bool // there are notifications
}

func (w *Web) me(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	v := meView{Who: who, letters: w.Mail != nil && w.Mail.CanSend(r.Context(), who.City), push: w.Push != nil}
	var err error
	if v.sessions, err = w.Residents.Sessions(r.Context(), who.Actor, who.City, who.Session); err != nil {
		return err
	}
	if v.identities, err = w.Residents.Identities(r.Context(), who.Actor, who.City); err != nil {
		return err
	}
	return w.showCitizen(rw, r, Page{Title: text.Msg("hall.me"), Body: meBody(v), Back: at("/c/{city}/m/home", who.City)})
}

// leave logs out: here, or everywhere.
func (w *Web) leave(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	in, err := httpx.Bind[struct {
		All bool `form:"all"`
	}](r)
	if err != nil {
		return err
	}
	session := who.Session
	if in.All {
		session = ""
	}
	if err := w.Residents.Leave(r.Context(), who.Actor, who.City, session); err != nil {
		return err
	}
	w.cookies.Clear(rw, w.hallCookie(who.City))
	return w.done(rw, r, residentPath(r, "/enter"), text.Msg("hall.left"))
}

func (w *Web) unlink(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	in, err := httpx.Bind[struct {
		ID string `form:"id"`
	}](r)
	if err == nil {
		err = w.Residents.Unlink(r.Context(), who.Actor, who.City, in.ID)
	}
	if err != nil {
		return err
	}
	return w.done(rw, r, residentPath(r, "/me"), text.Msg("hall.unlinked"))
}

// kinView is who sees a home.
type kinView struct {
	own  resident.Binding
	all  []resident.Kin
	form ui.Form
	now  civil.Instant
}

func (v kinView) page() Page {
	return Page{Title: text.Msg("hall.people"), Body: kinBody(v), Back: homeAt(v.own.City, v.own.Account)}
}

func homeAt(city int, account string) string {
	return at("/c/{city}/m/home", city) + "?home=" + url.QueryEscape(account)
}

func (w *Web) kinOf(r *http.Request, who resident.Who, account string, f ui.Form) (kinView, error) {
	v := kinView{form: f, now: w.o.Now()}
	var err error
	if v.own, err = w.Residents.May(r.Context(), who.Actor, who.City, account, resident.MayRead); err != nil {
		return v, err
	}
	v.all, err = w.Residents.People(r.Context(), who.Actor, who.City, account)
	return v, err
}

func (w *Web) kin(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	v, err := w.kinOf(r, who, r.URL.Query().Get("home"), ui.Form{})
	if err != nil {
		return err
	}
	return w.showCitizen(rw, r, v.page())
}

// helperInput is the form that names a helper.
type helperInput struct {
	Home  string         `form:"home"`
	Phone string         `form:"phone"`
	Scope resident.Scope `form:"scope"`
	Days  int            `form:"days"`
}

// helpDays are how long help may be given for, in the choices of the form.
func helpDays() []ui.Option {
	out := make([]ui.Option, 0, 3)
	for _, n := range []string{"30", "150", "365"} {
		out = append(out, ui.Option{Value: n, Key: "hall.days." + n})
	}
	return out
}

func helpScopes() []ui.Option {
	return []ui.Option{{Value: string(resident.MayAct), Key: "hall.scope.act"}, {Value: string(resident.MayRead), Key: "hall.scope.read"}}
}

func (w *Web) addHelper(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	in, err := httpx.Bind[helperInput](r)
	if err == nil {
		_, err = w.Residents.AddHelper(r.Context(), who.Actor, resident.HelperInput{
			City: who.City, Account: in.Home, Phone: in.Phone, Scope: in.Scope, Until: w.o.Now().Date().AddDays(in.Days),
		})
	}
	to := residentPath(r, "/home/people") + "?home=" + url.QueryEscape(in.Home)
	if err == nil {
		return w.done(rw, r, to, text.Msg("hall.helper_added"))
	}
	v, failed := w.kinOf(r, who, in.Home, ui.Form{})
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Citizen, func(f ui.Form) Page { v.form = f; return v.page() })
}

// endBinding gives a home up, or takes somebody else's sight of it back.
func (w *Web) endBinding(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	in, err := httpx.Bind[struct {
		ID      string `form:"id"`
		Version int64  `form:"version"`
		Home    string `form:"home"`
	}](r)
	if err != nil {
		return err
	}
	to := residentPath(r, "/home")
	if in.Home != "" {
		to += "/people?home=" + url.QueryEscape(in.Home)
	}
	if err := w.Residents.GiveUp(r.Context(), who.Actor, who.City, in.ID, in.Version); err != nil {
		return w.refused(rw, r, err, to)
	}
	return w.done(rw, r, to, text.Msg("hall.given_up"))
}

// wishInput is the form that asks for a test: when somebody is at home, and a word.
type wishInput struct {
	Home string   `form:"home"`
	When []string `form:"when"`
	Text string   `form:"text"`
}

// wishView is that form.
type wishView struct {
	own  resident.Binding
	form ui.Form
	now  civil.Instant
}

func (v wishView) page() Page {
	return Page{Title: text.Msg("hall.test"), Body: wishBody(v), Back: homeAt(v.own.City, v.own.Account)}
}

// times are the halves of the next days in which somebody may come, as far as they are not over.
func (v wishView) times() []ui.Option {
	var out []ui.Option
	for day := range 3 {
		d := v.now.Date().AddDays(day)
		for _, part := range []struct {
			name     string
			from, to int
		}{{"am", 9, 12}, {"pm", 13, 18}, {"eve", 18, 21}} {
			if civil.On(d, part.to-1, 0).After(v.now) {
				out = append(out, ui.Option{Value: d.String() + " " + part.name, Text: d.String()[5:] + " " + civil.On(d, part.from, 0).Clock() + "–" + civil.On(d, part.to, 0).Clock()})
			}
		}
	}
	return out
}

func (w *Web) wishForm(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	own, err := w.Residents.May(r.Context(), who.Actor, who.City, r.URL.Query().Get("home"), resident.MayAct)
	if err != nil {
		return err
	}
	return w.showCitizen(rw, r, wishView{own: own, now: w.o.Now()}.page())
}

// wishTest opens the matter with the request for a test in it: the clock of the test starts now.
func (w *Web) wishTest(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	in, err := httpx.Bind[wishInput](r)
	v := wishView{now: w.o.Now()}
	var failed error
	if v.own, failed = w.Residents.May(r.Context(), who.Actor, who.City, in.Home, resident.MayAct); failed != nil {
		return failed
	}
	var opened cases.Opened
	if err == nil {
		opened, err = w.openTest(r, who, v, in)
	}
	if err != nil {
		return w.again(rw, r, err, ui.Citizen, func(f ui.Form) Page { v.form = f; return v.page() })
	}
	if opened.Case.Token == "" {
		return w.done(rw, r, homeAt(who.City, v.own.Account), text.Msg("hall.test_asked"))
	}
	return w.done(rw, r, residentPath(r, "/r/"+opened.Case.Token), text.Msg("hall.test_asked"))
}
