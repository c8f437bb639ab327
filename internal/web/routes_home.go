package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/static"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// homeRoutes are the addresses people begin at.
func (w *Web) homeRoutes() []Route {
	return []Route{
		get("/", public, w.root),
		get("/cities", own, w.cities),
		get("/f/sw.js", public, w.worker),
		get("/c/{city}", own, w.start),
		get("/c/{city}/all", own, w.allPages),
	}
}

// root leads staff to their start page, and everybody else to the residents' pages, or to the login where there are none.
func (w *Web) root(rw http.ResponseWriter, r *http.Request) error {
	if httpx.Identity(r.Context()).Actor.ID != "" {
		if httpx.Identity(r.Context()).MustChange {
			return w.to(rw, r, "/account/password")
		}
		return w.to(rw, r, w.home(r))
	}
	if w.has("/m") {
		return w.to(rw, r, "/m")
	}
	return w.to(rw, r, "/login")
}

// worker is the service worker of field workers' pages. It stands below /f/, since it may only serve pages beside it.
func (w *Web) worker(rw http.ResponseWriter, _ *http.Request) error {
	js, _ := static.Open("js/sw.js")
	files, err := json.Marshal(append(static.FieldFiles(), "/f/offline"))
	if err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-cache")
	_, _ = fmt.Fprintf(rw, "self.PRECACHE = %s\n%s", files, js) // the client is gone: nobody to tell
	return nil
}

// start leads to the start page of one's role.
func (w *Web) start(rw http.ResponseWriter, r *http.Request) error {
	return w.to(rw, r, w.home(r))
}

// cities lets somebody with several cities choose.
func (w *Web) cities(rw http.ResponseWriter, r *http.Request) error {
	mine := w.cityChoice(by(r))
	if len(mine) == 1 {
		return w.to(rw, r, "/c/"+strconv.Itoa(mine[0].Code))
	}
	return w.show(rw, r, Page{Title: text.Msg("web.cities.title"), Body: citiesBody(mine)})
}

// allPages lists every page somebody may use: where the tabs of a telephone end.
func (w *Web) allPages(rw http.ResponseWriter, r *http.Request) error {
	var groups []ui.Link
	for _, a := range areas() {
		for _, e := range a.Pages {
			if city := httpx.City(r.Context()); w.open(by(r), e.Pattern, city) {
				groups = append(groups, ui.Link{Key: "nav." + e.Name, Icon: a.Icon, Href: at(e.Pattern, city)})
			}
		}
	}
	return w.show(rw, r, Page{Title: text.Msg("web.all.title"), Body: allBody(groups)})
}

// safeNext keeps an address to go on to within this site.
func safeNext(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\\r\n\t") {
		return "/", false
	}
	return s, true
}

// refererPath is the path of the page the reader came from, if it is one of ours.
func refererPath(r *http.Request) string {
	u, err := url.Parse(r.Referer())
	if err != nil || u.Host != r.Host {
		return ""
	}
	return u.RequestURI()
}
