package web

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// errorPage draws what went wrong: in a frame without navigation, or as a fragment that becomes a toast.
func (w *Web) errorPage(rw http.ResponseWriter, r *http.Request, p httpx.Problem) {
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	v := &ui.View{Site: w.o.Site, City: w.city(httpx.City(r.Context())), URL: r.URL}
	ctx := ui.With(r.Context(), v)
	body := w.errorBody(r, p)
	page := frameOf(r)(ui.Frame{Title: ui.T(ctx, errorTitle(p.Status))})
	if isPart(r) {
		page = errorPart(p)
	}
	var b bytes.Buffer
	if err := page.Render(templ.WithChildren(ctx, body), &b); err != nil {
		w.o.Log.ErrorContext(ctx, "draw an error page", "error", err)
	}
	rw.WriteHeader(p.Status)
	_, _ = rw.Write(b.Bytes()) // the client is gone: nobody to tell
}

// frameOf is the frame of the pages that an address belongs to.
func frameOf(r *http.Request) frame {
	switch {
	case isResidents(r.URL.Path):
		return ui.Citizen
	case strings.HasPrefix(r.URL.Path, "/f/"):
		return ui.Field
	}
	return ui.Bare
}

// errorBody is what an error page says beside the message, by what the reader can do next.
func (w *Web) errorBody(r *http.Request, p httpx.Problem) templ.Component {
	out := errorView{Problem: p, Title: text.Msg(errorTitle(p.Status)), LoggedIn: by(r).Grants != nil, Back: backOf(r)}
	if c := w.homeCity(r); p.Status == http.StatusNotFound && c != 0 && w.open(by(r), "/c/{city}/cases", c) {
		out.Search = at("/c/{city}/cases", c)
	}
	return errorBody(out)
}

type errorView struct {
	httpx.Problem
	Title    text.Message
	LoggedIn bool
	Back     string
	Search   string // where a case can be searched; empty = nowhere
}

// backOf is the page of ours the reader came from.
func backOf(r *http.Request) string {
	if from, ok := safeNext(refererPath(r)); ok && from != r.URL.RequestURI() {
		return from
	}
	return "/"
}

func errorTitle(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "web.error.login"
	case http.StatusForbidden:
		return "web.error.denied"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return "web.error.not_found"
	case http.StatusConflict:
		return "web.error.conflict"
	case http.StatusTooManyRequests:
		return "web.error.too_many"
	case http.StatusServiceUnavailable:
		return "web.error.down"
	}
	if status < http.StatusInternalServerError {
		return "web.error.request"
	}
	return "web.error.internal"
}
