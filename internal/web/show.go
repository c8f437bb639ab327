package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// Page is what a handler shows.
type Page struct {
	Title text.Message    // of the window
	Nav   string          // which page of the navigation this is
	Body  templ.Component // the page inside its frame
	Part  templ.Component // what htmx gets; nil = Body
	Live  string          // address of the page's stream of events
	Fill  bool            // the page fills the window and scrolls inside its panels
	Back  string          // on residents' and field workers' pages: the way back
	Photo bool            // on residents' and field workers' pages: photographs are taken
}

// frame chooses how a page is framed.
type frame func(ui.Frame) templ.Component

// show answers with a page of staff.
func (w *Web) show(rw http.ResponseWriter, r *http.Request, p Page) error {
	return w.showAs(rw, r, http.StatusOK, ui.Staff, p)
}

// showCitizen answers with a page of residents (/m/…).
func (w *Web) showCitizen(rw http.ResponseWriter, r *http.Request, p Page) error {
	return w.showAs(rw, r, http.StatusOK, ui.Citizen, p)
}

// showField answers with a page of field workers (/f/…).
func (w *Web) showField(rw http.ResponseWriter, r *http.Request, p Page) error {
	return w.showAs(rw, r, http.StatusOK, ui.Field, p)
}

// showBare answers with a page without navigation: login.
func (w *Web) showBare(rw http.ResponseWriter, r *http.Request, p Page) error {
	return w.showAs(rw, r, http.StatusOK, ui.Bare, p)
}

// showAs draws a page, or the part that htmx asked for. It is drawn before anything is sent: a page that fails half-way is
// an error page, not half a page.
func (w *Web) showAs(rw http.ResponseWriter, r *http.Request, status int, as frame, p Page) error {
	v := w.view(rw, r, p)
	ctx := ui.With(r.Context(), v)
	var b bytes.Buffer
	if err := w.draw(ctx, r, &b, as, p); err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	if rw.Header().Get("Cache-Control") == "" {
		rw.Header().Set("Cache-Control", "no-cache")
	}
	rw.WriteHeader(status)
	_, _ = rw.Write(b.Bytes()) // the client is gone: nobody to tell
	return nil
}

func (w *Web) draw(ctx context.Context, r *http.Request, b *bytes.Buffer, as frame, p Page) error {
	if isPart(r) {
		if p.Part != nil {
			return p.Part.Render(ctx, b)
		}
		return p.Body.Render(ctx, b)
	}
	f := ui.Frame{Title: ui.Say(ctx, p.Title), Live: p.Live, Fill: p.Fill, Back: p.Back, Photo: p.Photo}
	return as(f).Render(templ.WithChildren(ctx, p.Body), b)
}

// view gathers what the frame of a page needs.
func (w *Web) view(rw http.ResponseWriter, r *http.Request, p Page) *ui.View {
	who := httpx.Identity(r.Context())
	city := httpx.City(r.Context())
	if city == 0 && who.Actor.ID != "" { // pages such as one's account belong to the city one works in
		if mine := w.cityChoice(who.Actor); len(mine) > 0 {
			city = mine[0].Code
		}
	}
	v := &ui.View{
		Site: w.o.Site, Map: w.o.Map, City: w.city(city), Now: w.o.Now(), URL: r.URL, Name: who.Actor.Name,
		HasPublic: w.has("/m"),
	}
	if city != 0 && w.open(who.Actor, baseMap, city) {
		v.BaseMap = at(baseMap, city)
	}
	if who.Actor.ID != "" {
		v.Person = receiptOf(who.Actor.ID)
	}
	if len(who.Actor.Grants) > 0 {
		v.Role = text.T(httpx.Lang(r.Context()), "role."+string(who.Actor.Grants[0].Role))
	}
	if who.Actor.ID != "" && !isPart(r) {
		v.Cities = len(w.cityChoice(who.Actor))
		v.Nav, v.Tabs = w.nav(who.Actor, city, p.Nav)
	}
	if !isPart(r) {
		v.Flash, v.FlashBad = w.takeFlash(rw, r)
	}
	return v
}

// has reports whether there is a page behind a pattern.
func (w *Web) has(pattern string) bool { _, ok := w.known[pattern]; return ok }

// again shows a form again after a use case refused: 422 with the messages when the input is wrong, 409 with what was typed
// when somebody was first, 429 when it was tried too often. Any other fault is the caller's to return.
//
//	if err != nil {
//		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { return newPersonPage(f, …) })
//	}
func (w *Web) again(rw http.ResponseWriter, r *http.Request, err error, as frame, page func(ui.Form) Page) error {
	switch k := fault.KindOf(err); k {
	case fault.Invalid, fault.Conflict, fault.Exhausted:
		return w.showAs(rw, r, httpx.Status(k), as, page(ui.FormOf(r, err)))
	case fault.Internal, fault.Denied, fault.NotFound, fault.Down:
	}
	return err
}

// done leads on after an act that worked, with a message there.
func (w *Web) done(rw http.ResponseWriter, r *http.Request, address string, m text.Message) error {
	w.setFlash(rw, m, false)
	return w.to(rw, r, address)
}

// refused leads back after an act without a form was refused (a button that came too late), with the reason there. Faults
// that are not the reader's to mend are returned.
func (w *Web) refused(rw http.ResponseWriter, r *http.Request, err error, address string) error {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Conflict:
		f := fault.Of(err)
		m := text.Message{Key: f.Key, Params: f.Params}
		if len(f.Fields) > 0 {
			m = text.Message{Key: f.Fields[0].Key, Params: f.Fields[0].Params}
		}
		if isPart(r) {
			return err // the page stays; the message comes as a toast
		}
		w.setFlash(rw, m, true)
		return w.to(rw, r, address)
	case fault.Internal, fault.Denied, fault.NotFound, fault.Exhausted, fault.Down:
	}
	return err
}

const (
	flashCookie = "flash"
	flashLife   = time.Minute
)

type flash struct {
	Key    string            `json:"k"`
	Params map[string]string `json:"p,omitempty"`
	Bad    bool              `json:"b,omitempty"`
}

// setFlash keeps a message for the next page, in the browser: a key and parameters, never a sentence.
func (w *Web) setFlash(rw http.ResponseWriter, m text.Message, bad bool) {
	f := flash{Key: m.Key, Params: map[string]string{}, Bad: bad}
	for k, v := range m.Params {
		switch x := v.(type) {
		case string:
			f.Params[k] = x
		case int:
			f.Params[k] = strconv.Itoa(x)
		case int64:
			f.Params[k] = strconv.FormatInt(x, 10)
		}
	}
	b, err := json.Marshal(f)
	if err == nil && len(b) < 2000 {
		w.cookies.Set(rw, flashCookie, base64.RawURLEncoding.EncodeToString(b), flashLife)
	}
}

func (w *Web) takeFlash(rw http.ResponseWriter, r *http.Request) (string, bool) {
	c, err := r.Cookie(flashCookie)
	if err != nil {
		return "", false
	}
	w.cookies.Clear(rw, flashCookie)
	raw, err := base64.RawURLEncoding.DecodeString(c.Value)
	var f flash
	if err != nil || json.Unmarshal(raw, &f) != nil || !text.Has(f.Key) {
		return "", false
	}
	params := make(map[string]any, len(f.Params))
	for k, v := range f.Params {
		params[k] = v
	}
	return text.Say(httpx.Lang(r.Context()), f.Key, params), f.Bad
}

// by is who acts through a page.
func by(r *http.Request) actor.Actor { return httpx.Actor(r.Context()) }

// formKey is the idempotency key of a form, for once.Do.
func formKey(r *http.Request) string {
	if r.PostForm == nil && r.MultipartForm != nil {
		if v := r.MultipartForm.Value["_key"]; len(v) > 0 {
			return v[0]
		}
	}
	return r.PostFormValue("_key")
}
