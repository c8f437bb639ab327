package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
)

// Access says who may use a route.
type Access struct {
	Public      bool               // anybody
	Signed      bool               // a machine that signs its requests; the use case checks the signature
	Own         bool               // whoever is logged in: one's own account and start page
	Permissions []actor.Permission // whoever has one of these in the city of the address
	Whole       bool               // and has it for the whole city, not for one's own company alone
}

// The accesses without a permission.
var (
	public = Access{Public: true}
	signed = Access{Signed: true}
	own    = Access{Own: true}
)

// may is for whoever has one of the permissions in the city of the address.
func may(any ...actor.Permission) Access { return Access{Permissions: any} }

// mayInAll is for whoever has one of the permissions for the whole city of the address.
func mayInAll(any ...actor.Permission) Access { return Access{Permissions: any, Whole: true} }

// handler answers a request, or says what went wrong.
type handler func(rw http.ResponseWriter, r *http.Request) error

// Route is one address with its method and who may use it.
type Route struct {
	Method  string
	Pattern string
	Access  Access
	handle  handler
}

func get(pattern string, a Access, h handler) Route {
	return Route{Method: http.MethodGet, Pattern: pattern, Access: a, handle: h}
}

func post(pattern string, a Access, h handler) Route {
	return Route{Method: http.MethodPost, Pattern: pattern, Access: a, handle: h}
}

// mustChange are the addresses open to somebody who must first choose a password of their own.
func mustChange(pattern string) bool {
	return strings.HasPrefix(pattern, "/account") || pattern == "/logout"
}

// guard lets those through who may use a route.
func (w *Web) guard(one Route) handler {
	return func(rw http.ResponseWriter, r *http.Request) error {
		rw.Header().Add("Vary", "HX-Request")
		if one.Access.Signed {
			return one.handle(rw, r)
		}
		if one.Access.Public {
			if isResidents(one.Pattern) {
				if err := turn(w.visits, r); err != nil {
					return err
				}
			}
			return one.handle(rw, r)
		}
		who := httpx.Identity(r.Context())
		if who.Actor.ID == "" {
			if r.Method != http.MethodPost && wantsHTML(r) {
				return w.toLogin(rw, r)
			}
			return httpx.NotLoggedIn()
		}
		if who.MustChange && !mustChange(one.Pattern) {
			return w.to(rw, r, "/account/password")
		}
		if err := one.Access.allows(who.Actor, httpx.City(r.Context())); err != nil {
			return err
		}
		return one.handle(rw, r)
	}
}

// isResidents tells the addresses of residents' pages: whatever a page shows to everybody in a city.
func isResidents(path string) bool {
	parts := strings.Split(path, "/")
	return path == "/m" || len(parts) > 3 && parts[1] == "c" && (parts[3] == "m" || parts[3] == "answer")
}

// turn uses one of the turns of the visitor's address, or says how long to wait.
func turn(l *httpx.Limiter, r *http.Request) error {
	if wait, ok := l.Take(httpx.Address(r.Context())); !ok {
		return fault.New(fault.Exhausted, "httpx.too_many", "seconds", int(wait.Seconds())+1)
	}
	return nil
}

// allows asks for one of the permissions anywhere in the city; the use case asks again about the place.
func (a Access) allows(by actor.Actor, city int) error {
	if a.Own || a.Public || a.Signed {
		return nil
	}
	for _, p := range a.Permissions {
		if by.MayAny(p, city) && (!a.Whole || by.ScopeOf(p, city).All) {
			return nil
		}
	}
	if len(a.Permissions) == 0 {
		return fault.New(fault.Denied, "denied.scope")
	}
	if err := by.May(a.Permissions[0], actor.On{City: city}); err != nil {
		return err
	}
	return fault.New(fault.Denied, "denied.scope")
}

// toLogin asks to log in and comes back afterwards. htmx follows a header, since a redirect would land in a part of the page.
func (w *Web) toLogin(rw http.ResponseWriter, r *http.Request) error {
	at := r.URL.RequestURI()
	if isPart(r) {
		at = "/"
		if from, err := url.Parse(r.Header.Get("HX-Current-URL")); err == nil && from.Path != "" {
			at = from.RequestURI()
		}
	}
	to := "/login"
	if at != "/" {
		to += "?next=" + url.QueryEscape(at)
	}
	return w.to(rw, r, to)
}

// to sends the browser on to an address of ours.
func (w *Web) to(rw http.ResponseWriter, r *http.Request, address string) error {
	if isPart(r) {
		rw.Header().Set("HX-Redirect", address)
		rw.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(rw, r, address, http.StatusSeeOther)
	return nil
}

// isPart tells a request of htmx, which wants a part of a page.
func isPart(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

func wantsHTML(r *http.Request) bool {
	a := r.Header.Get("Accept")
	return a == "" || strings.Contains(a, "text/html") || strings.Contains(a, "*/*")
}
