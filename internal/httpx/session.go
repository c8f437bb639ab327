package httpx

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/staff"
)

// Authenticate tells who stands behind a token or a key; false when nobody does.
type Authenticate func(ctx context.Context, token string) (staff.Identity, bool, error)

// Cookies sets and reads our cookies; Secure when residents reach us by https.
type Cookies struct{ Secure bool }

// session is the cookie's name; the prefix makes browsers insist on https, path and host.
func (c Cookies) session() string {
	if c.Secure {
		return "__Host-rehu_session"
	}
	return "rehu_session"
}

// Set sends a cookie that scripts cannot read; it is gone when the browser closes unless it expires.
func (c Cookies) Set(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", HttpOnly: true, Secure: c.Secure,
		SameSite: http.SameSiteLaxMode, MaxAge: int(life.Seconds()),
	})
}

// Clear takes a cookie back.
func (c Cookies) Clear(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{Name: name, Path: "/", HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteLaxMode, MaxAge: -1})
}

// SetSession sends the session's token. The server ends the session; the cookie goes with the browser.
func (c Cookies) SetSession(w http.ResponseWriter, token string) { c.Set(w, c.session(), token, 0) }

// ClearSession takes the session's token back.
func (c Cookies) ClearSession(w http.ResponseWriter) { c.Clear(w, c.session()) }

// SessionToken reads the session's token, empty when there is none.
func (c Cookies) SessionToken(r *http.Request) string {
	k, err := r.Cookie(c.session())
	if err != nil {
		return ""
	}
	return k.Value
}

// Sessions puts whoever is logged in into the request; a token that does not hold is a visitor without one.
func (e *Errors) Sessions(c Cookies, auth Authenticate) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token := c.SessionToken(r)
			if token == "" {
				next.ServeHTTP(w, r)
				return
			}
			who, ok, err := auth(r.Context(), token)
			if err != nil {
				e.Render(w, r, err)
				return
			}
			if ok {
				w.Header().Set("Cache-Control", "private, no-cache")
				r = withIdentity(r, who)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// Keys puts the owner of an API key into the request: "Authorization: Bearer rhk_…", or param, a query or form field that
// a standard prescribes ("api_key"), empty for none. A key that does not hold is 401; none at all is an anonymous reader.
func (e *Errors) Keys(auth Authenticate, door actor.Door, param string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			secret, given, err := keyOf(r, param)
			if err != nil {
				e.Render(w, r, err)
				return
			}
			if !given {
				next.ServeHTTP(w, r)
				return
			}
			who, ok, err := auth(r.Context(), strings.TrimSpace(secret))
			if err == nil && !ok {
				err = NotLoggedIn()
			}
			if err != nil {
				e.Render(w, r, err)
				return
			}
			who.Actor.Door = door
			next.ServeHTTP(w, withIdentity(r, who))
		})
	}
}

// keyOf finds the key that came with a request, and whether any did.
func keyOf(r *http.Request, param string) (secret string, given bool, err error) {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, secret, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return "", true, NotLoggedIn()
		}
		return secret, true, nil
	}
	if param == "" {
		return "", false, nil
	}
	if s := r.URL.Query().Get(param); s != "" {
		return s, true, nil
	}
	if r.Method == http.MethodGet || !strings.Contains(r.Header.Get("Content-Type"), "form") {
		return "", false, nil
	}
	values, _, err := form(r)
	if err != nil {
		return "", false, err
	}
	return values.Get(param), values.Get(param) != "", nil
}

func withIdentity(r *http.Request, who staff.Identity) *http.Request {
	note(r.Context(), who.Actor)
	return with(r, keyIdentity, who)
}

// LoggedIn lets only people and keys pass.
func (e *Errors) LoggedIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if Identity(r.Context()).Actor.ID == "" {
			e.Render(w, r, NotLoggedIn())
			return
		}
		next.ServeHTTP(w, r)
	})
}
