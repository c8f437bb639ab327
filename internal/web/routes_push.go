package web

import (
	"net/http"

	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/static"
	"github.com/rehu-heat/rehu/internal/web/ui"
	"github.com/rehu-heat/rehu/internal/webpush"
)

// pushRoutes are a resident's notifications in their own browsers.
func (w *Web) pushRoutes() []Route {
	if w.Push == nil {
		return nil
	}
	return []Route{
		get("/c/{city}/m/me/push", public, w.hall(w.myPush)),
		post("/c/{city}/m/me/push", public, w.hall(w.allowPush)),
		post("/c/{city}/m/me/push/end", public, w.hall(w.endPush)),
		get("/c/{city}/m/push.js", public, w.pushWorker),
		post("/c/{city}/m/push/shown", public, w.pushShown),
	}
}

// pushView is where a resident is notified.
type pushView struct {
	city    int
	key     string
	devices []webpush.Device
	failed  bool // the browser gave what cannot be used
}

// here is the device on which the page is read, if it is one of them.
func (v pushView) here() (webpush.Device, bool) {
	for _, d := range v.devices {
		if d.This {
			return d, true
		}
	}
	return webpush.Device{}, false
}

func (v pushView) page() Page {
	return Page{Title: text.Msg("pushpage.title"), Body: pushBody(v), Back: at("/c/{city}/m/me", v.city)}
}

func (w *Web) pushOf(r *http.Request, who resident.Who) (pushView, error) {
	all, err := w.Push.Mine(r.Context(), who.Actor, who.City, who.Session)
	return pushView{city: who.City, key: w.Push.PublicKey(), devices: all}, err
}

func (w *Web) myPush(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	v, err := w.pushOf(r, who)
	if err != nil {
		return err
	}
	return w.showCitizen(rw, r, v.page())
}

// allowPush keeps what the browser gave when its owner allowed notifications.
func (w *Web) allowPush(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	in, err := httpx.Bind[webpush.Subscription](r)
	if err == nil {
		in.City, in.Session, in.Agent = who.City, who.Session, r.UserAgent()
		err = w.Push.Subscribe(r.Context(), who.Actor, in)
	}
	return w.pushAgain(rw, r, who, err, "pushpage.on")
}

func (w *Web) endPush(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	in, err := httpx.Bind[webpush.Ending](r)
	if err == nil {
		in.City = who.City
		err = w.Push.End(r.Context(), who.Actor, in)
	}
	return w.pushAgain(rw, r, who, err, "pushpage.off")
}

func (w *Web) pushAgain(rw http.ResponseWriter, r *http.Request, who resident.Who, err error, done string) error {
	if err == nil {
		return w.done(rw, r, residentPath(r, "/me/push"), text.Msg(done))
	}
	v, failed := w.pushOf(r, who)
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Citizen, func(ui.Form) Page { v.failed = true; return v.page() })
}

// pushWorker is the service worker of notifications. It stands below /m/, since it may only serve pages beside it.
func (w *Web) pushWorker(rw http.ResponseWriter, _ *http.Request) error {
	js, _ := static.Open("js/push-sw.js")
	rw.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-cache")
	_, _ = rw.Write(js) // the client is gone: nobody to tell
	return nil
}

// pushShown takes a device's word that it showed a message; the device may be logged out by then.
func (w *Web) pushShown(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[webpush.Arrival](r)
	if err != nil {
		return err
	}
	in.City = httpx.City(r.Context())
	if err := w.Push.Arrived(r.Context(), in); err != nil {
		return err
	}
	rw.WriteHeader(http.StatusNoContent)
	return nil
}
