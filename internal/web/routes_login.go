package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// loginRoutes are the ways in and out of staff's pages.
func (w *Web) loginRoutes() []Route {
	all := []Route{
		get("/login", public, w.loginForm),
		post("/login", public, w.login),
		get("/login/code", public, w.codeForm),
		post("/login/code", public, w.confirmCode),
		post("/logout", public, w.logout),
	}
	if w.Staff.HasProvider() {
		all = append(all, get("/login/oidc", public, w.beginOIDC), get("/login/oidc/return", public, w.finishOIDC))
	}
	return all
}

// Cookies of a login under way.
const (
	codeCookie = "login_step" // token that is good for the one-time code only
	oidcCookie = "login_oidc"
	stepLife   = 10 * time.Minute
)

type loginInput struct {
	staff.Credentials
	Next string `form:"next"`
}

type codeInput struct {
	Code string `form:"code"`
	Next string `form:"next"`
}

func (w *Web) loginForm(rw http.ResponseWriter, r *http.Request) error {
	next, _ := safeNext(r.URL.Query().Get("next"))
	if httpx.Identity(r.Context()).Actor.ID != "" {
		return w.to(rw, r, next)
	}
	return w.showBare(rw, r, w.loginPage(ui.Form{}, next))
}

func (w *Web) loginPage(f ui.Form, next string) Page {
	return Page{Title: text.Msg("web.login.title"), Body: loginBody(f, next, w.Staff.HasProvider())}
}

func (w *Web) login(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[loginInput](r)
	next, _ := safeNext(in.Next)
	var t staff.Ticket
	if err == nil {
		if err = turn(w.logins, r); err == nil {
			in.Address, in.Agent = httpx.Address(r.Context()), r.UserAgent()
			t, err = w.Staff.Login(r.Context(), in.Credentials)
		}
	}
	if err != nil {
		return w.again(rw, r, err, ui.Bare, func(f ui.Form) Page { return w.loginPage(f, next) })
	}
	return w.admit(rw, r, t, next)
}

// admit goes on after a password or the identity provider was right.
func (w *Web) admit(rw http.ResponseWriter, r *http.Request, t staff.Ticket, next string) error {
	if t.NeedsCode {
		w.cookies.Set(rw, codeCookie, t.Token, stepLife)
		return w.to(rw, r, "/login/code?next="+url.QueryEscape(next))
	}
	w.cookies.Clear(rw, codeCookie)
	w.cookies.SetSession(rw, t.Token)
	if t.MustChange {
		return w.to(rw, r, "/account/password")
	}
	return w.to(rw, r, next)
}

func (w *Web) codeForm(rw http.ResponseWriter, r *http.Request) error {
	if _, err := r.Cookie(codeCookie); err != nil {
		return w.to(rw, r, "/login")
	}
	next, _ := safeNext(r.URL.Query().Get("next"))
	return w.showBare(rw, r, codePage(ui.Form{}, next))
}

func codePage(f ui.Form, next string) Page {
	return Page{Title: text.Msg("web.login.code_title"), Body: codeBody(f, next)}
}

func (w *Web) confirmCode(rw http.ResponseWriter, r *http.Request) error {
	step, missing := r.Cookie(codeCookie)
	if missing != nil {
		return w.to(rw, r, "/login")
	}
	in, err := httpx.Bind[codeInput](r)
	next, _ := safeNext(in.Next)
	var t staff.Ticket
	if err == nil {
		if err = turn(w.logins, r); err == nil {
			t, err = w.Staff.Confirm(r.Context(), step.Value, in.Code, httpx.Address(r.Context()), r.UserAgent())
		}
	}
	if err != nil {
		return w.again(rw, r, err, ui.Bare, func(f ui.Form) Page { return codePage(f, next) })
	}
	return w.admit(rw, r, t, next)
}

func (w *Web) logout(rw http.ResponseWriter, r *http.Request) error {
	if err := w.Staff.Logout(r.Context(), w.cookies.SessionToken(r)); err != nil {
		return err
	}
	w.cookies.ClearSession(rw)
	return w.done(rw, r, "/login", text.Msg("web.login.bye"))
}

func (w *Web) beginOIDC(rw http.ResponseWriter, r *http.Request) error {
	next, _ := safeNext(r.URL.Query().Get("next"))
	start, err := w.Staff.BeginOIDC(r.Context(), next)
	if err != nil {
		return err
	}
	w.cookies.Set(rw, oidcCookie, start.Cookie, stepLife)
	http.Redirect(rw, r, start.URL, http.StatusSeeOther)
	return nil
}

func (w *Web) finishOIDC(rw http.ResponseWriter, r *http.Request) error {
	in := staff.OIDCReturn{
		State: r.URL.Query().Get("state"), Code: r.URL.Query().Get("code"),
		Address: httpx.Address(r.Context()), Agent: r.UserAgent(),
	}
	if c, err := r.Cookie(oidcCookie); err == nil {
		in.Cookie = c.Value
	}
	w.cookies.Clear(rw, oidcCookie)
	t, next, err := w.Staff.FinishOIDC(r.Context(), in)
	if err != nil {
		return err
	}
	next, _ = safeNext(next)
	return w.admit(rw, r, t, next)
}
