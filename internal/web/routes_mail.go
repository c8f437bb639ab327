package web

import (
	"net/http"
	"strings"

	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/mail"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// mailRoutes are the link in a letter that stops letters, and a resident's own address for them.
func (w *Web) mailRoutes() []Route {
	if w.Mail == nil {
		return nil
	}
	return []Route{
		get("/c/{city}/stop/{token}", public, w.mailDoor),
		post("/c/{city}/stop/{token}", public, w.mailStop),
		get("/c/{city}/m/me/mail", public, w.hall(w.myMail)),
		post("/c/{city}/m/me/mail", public, w.hall(w.wantMail)),
		post("/c/{city}/m/me/mail/code", public, w.hall(w.confirmMail)),
		post("/c/{city}/m/me/mail/end", public, w.hall(w.forgetMail)),
	}
}

// mailDoor is where the link of a letter leads. Looking at it stops nothing: mail programs look at links before anybody
// taps them.
func (w *Web) mailDoor(rw http.ResponseWriter, r *http.Request) error {
	rw.Header().Set("Referrer-Policy", "no-referrer")
	rw.Header().Set("Cache-Control", "no-store")
	if err := w.Mail.Holds(httpx.City(r.Context()), param(r, "token")); err != nil {
		return err
	}
	return w.showCitizen(rw, r, Page{Title: text.Msg("mailpage.stop"), Body: mailStopBody(), Back: residentPath(r, "")})
}

// mailStop stops letters: the page's own button, or a mail program's one click (RFC 8058), which brings no form of ours.
func (w *Web) mailStop(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	in := mail.Stopping{City: city, Token: param(r, "token"), Scope: notice.Everything}
	if r.PostFormValue("scope") == string(notice.Bulletins) {
		in.Scope = notice.Bulletins
	}
	if err := w.Mail.Stop(r.Context(), in); err != nil {
		return err
	}
	return w.showCitizen(rw, r, Page{Title: text.Msg("mailpage.stopped"), Body: mailStoppedBody(), Back: residentPath(r, "")})
}

// mailView is a resident's own address for letters.
type mailView struct {
	city int
	mine mail.Mine
	form ui.Form // the one of the code
	want ui.Form // the one of the address
}

func (w *Web) mailOf(r *http.Request, who resident.Who) (mailView, error) {
	mine, err := w.Mail.MineOf(r.Context(), who.Actor, who.City)
	return mailView{city: who.City, mine: mine}, err
}

func (v mailView) page() Page {
	return Page{Title: text.Msg("mailpage.mine"), Body: mailMineBody(v), Back: at("/c/{city}/m/me", v.city)}
}

func (w *Web) myMail(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	v, err := w.mailOf(r, who)
	if err != nil {
		return err
	}
	return w.showCitizen(rw, r, v.page())
}

// wantMail takes an address and sends a code there.
func (w *Web) wantMail(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	in, err := httpx.Bind[mail.Wanting](r)
	if err == nil {
		in.City = who.City
		err = w.Mail.Want(r.Context(), who.Actor, in)
	}
	return w.mailAgain(rw, r, who, err, "mailpage.code_sent")
}

// confirmMail takes the code.
func (w *Web) confirmMail(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	in, err := httpx.Bind[mail.Confirming](r)
	if err == nil {
		in.City = who.City
		err = w.Mail.Confirm(r.Context(), who.Actor, in)
	}
	return w.mailAgain(rw, r, who, err, "mailpage.kept")
}

func (w *Web) forgetMail(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	return w.mailAgain(rw, r, who, w.Mail.Forget(r.Context(), who.Actor, who.City), "mailpage.gone")
}

// mailAgain says that an act was done, or shows the page again with what was wrong.
func (w *Web) mailAgain(rw http.ResponseWriter, r *http.Request, who resident.Who, err error, done string) error {
	if err == nil {
		return w.done(rw, r, residentPath(r, "/me/mail"), text.Msg(done))
	}
	v, failed := w.mailOf(r, who)
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Citizen, func(f ui.Form) Page {
		if strings.HasSuffix(r.URL.Path, "/me/mail") {
			v.want = f
		} else {
			v.form = f
		}
		return v.page()
	})
}
