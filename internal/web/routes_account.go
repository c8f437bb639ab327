package web

import (
	"net/http"
	"strings"

	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// accountRoutes are the pages of one's own account.
func (w *Web) accountRoutes() []Route {
	return []Route{
		get("/account", own, w.account),
		get("/account/password", own, w.passwordForm),
		post("/account/password", own, w.changePassword),
		get("/account/portrait", own, w.ownPortrait),
		post("/account/portrait", own, w.setPortrait),
		post("/account/totp", own, w.beginTOTP),
		post("/account/totp/confirm", own, w.confirmTOTP),
		post("/account/totp/off", own, w.endTOTP),
		post("/account/sessions/{session}/end", own, w.endOwnSession),
		post("/account/sessions/end", own, w.endOtherSessions),
	}
}

// accountView is one's account as its page shows it.
type accountView struct {
	Person   staff.Person
	Orgs     orgs
	Sessions []staff.Session
	Present  string // the session this page was asked in
	Off      ui.Form
	Picture  ui.Form
	Asked    bool // the form to switch codes off came back with messages
}

func (w *Web) account(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.accountView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, accountPage(v))
}

func accountPage(v accountView) Page {
	return Page{Title: text.Msg("ui.account"), Body: accountBody(v)}
}

func (w *Web) accountView(r *http.Request) (accountView, error) {
	who := httpx.Identity(r.Context())
	p, err := w.Staff.Person(r.Context(), who.Actor, who.Actor.ID)
	if err != nil {
		return accountView{}, err
	}
	v := accountView{Person: p, Present: who.Session}
	if v.Orgs, err = w.orgsOf(r.Context(), who.Actor, p.City); err != nil {
		return v, err
	}
	v.Sessions, err = w.Staff.Sessions(r.Context(), who.Actor, who.Actor.ID)
	return v, err
}

type passwordInput struct {
	staff.PasswordChange
	Again string `form:"again"`
}

func (w *Web) passwordForm(rw http.ResponseWriter, r *http.Request) error {
	return w.passwordPage(rw, r, http.StatusOK, ui.Form{})
}

// passwordPage stands without navigation while the password must be changed: nothing else works until then.
func (w *Web) passwordPage(rw http.ResponseWriter, r *http.Request, status int, f ui.Form) error {
	must := httpx.Identity(r.Context()).MustChange
	as := frame(ui.Staff)
	if must {
		as = ui.Bare
	}
	return w.showAs(rw, r, status, as, Page{Title: text.Msg("web.password.title"), Body: passwordBody(f, must, httpx.Actor(r.Context()).Name)})
}

func (w *Web) changePassword(rw http.ResponseWriter, r *http.Request) error {
	who := httpx.Identity(r.Context())
	in, err := httpx.Bind[passwordInput](r)
	if err == nil {
		var c fault.Check
		c.That(in.New == in.Again, "again", "web.password.differ")
		err = c.Err()
	}
	if err == nil {
		in.Person, in.Session, in.Address = who.Actor.ID, who.Session, httpx.Address(r.Context())
		err = w.Staff.SetPassword(r.Context(), who.Actor, in.PasswordChange)
	}
	if err != nil {
		if k := fault.KindOf(err); k == fault.Invalid || k == fault.Exhausted {
			return w.passwordPage(rw, r, httpx.Status(k), ui.FormOf(r, err))
		}
		return err
	}
	if who.MustChange {
		return w.done(rw, r, "/", text.Msg("web.password.done"))
	}
	return w.done(rw, r, "/account", text.Msg("web.password.done"))
}

func (w *Web) beginTOTP(rw http.ResponseWriter, r *http.Request) error {
	setup, err := w.Staff.EnableTOTP(r.Context(), by(r))
	if err != nil {
		return w.refused(rw, r, err, "/account")
	}
	return w.show(rw, r, totpPage(ui.Form{}, setup))
}

func totpPage(f ui.Form, s staff.TOTPSetup) Page {
	return Page{Title: text.Msg("web.totp.title"), Body: totpBody(f, s)}
}

// totpInput carries the new secret through the form, since the server shows it once.
type totpInput struct {
	Code   string `form:"code"`
	Secret string `form:"secret"`
	URL    string `form:"url"`
}

func (w *Web) confirmTOTP(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[totpInput](r)
	var codes []string
	if err == nil {
		codes, err = w.Staff.ConfirmTOTP(r.Context(), by(r), in.Code)
	}
	if fault.Is(err, fault.Conflict) {
		return w.refused(rw, r, err, "/account")
	}
	if err != nil {
		if !strings.HasPrefix(in.URL, "otpauth://") {
			in.URL = ""
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { return totpPage(f, staff.TOTPSetup{Secret: in.Secret, URL: in.URL}) })
	}
	rw.Header().Set("Cache-Control", "no-store")
	return w.show(rw, r, Page{Title: text.Msg("web.totp.codes_title"), Body: recoveryBody(codes)})
}

func (w *Web) endTOTP(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[codeInput](r)
	if err == nil {
		err = w.Staff.DisableTOTP(r.Context(), by(r), by(r).ID, in.Code, httpx.Address(r.Context()))
	}
	if fault.Is(err, fault.Conflict) {
		return w.refused(rw, r, err, "/account")
	}
	if err != nil {
		v, again := w.accountView(r)
		if again != nil {
			return again
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.Off, v.Asked = f, true
			return accountPage(v)
		})
	}
	return w.done(rw, r, "/account", text.Msg("web.totp.is_off"))
}

func (w *Web) endOwnSession(rw http.ResponseWriter, r *http.Request) error {
	if err := w.Staff.EndSession(r.Context(), by(r), by(r).ID, param(r, "session")); err != nil {
		return w.refused(rw, r, err, "/account")
	}
	return w.done(rw, r, "/account", text.Msg("web.sessions.ended"))
}

func (w *Web) endOtherSessions(rw http.ResponseWriter, r *http.Request) error {
	if err := w.Staff.EndSessions(r.Context(), by(r), by(r).ID, httpx.Identity(r.Context()).Session); err != nil {
		return w.refused(rw, r, err, "/account")
	}
	return w.done(rw, r, "/account", text.Msg("web.sessions.ended"))
}

// device says in a few words what a browser calls itself.
func device(agent string) string {
	name := ""
	for _, one := range [][2]string{
		{"MicroMessenger", "WeChat"},
		{"DingTalk", "DingTalk"},
		{"Edg/", "Edge"},
		{"QQBrowser", "QQ"},
		{"OPR/", "Opera"},
		{"Firefox/", "Firefox"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
	} {
		if strings.Contains(agent, one[0]) {
			name = one[1]
			break
		}
	}
	for _, one := range [][2]string{
		{"HarmonyOS", "HarmonyOS"}, {"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	} {
		if name != "" && strings.Contains(agent, one[0]) {
			return name + " · " + one[1]
		}
	}
	if name == "" && len(agent) > 40 {
		return agent[:40]
	}
	if name == "" {
		return agent
	}
	return name
}
