// Package httpx is what every door over HTTP shares: it reads forms, knows who asks and in which language, keeps harm out
// (other sites' forms, floods, huge bodies, foreign scripts) and turns a fault into an answer exactly once.
//
// A handler is a function that returns an error; Errors.Handle renders it, as a page for people and as
// application/problem+json (RFC 9457) for programs. What the reader sees comes from the message catalogue; the text of any
// other error goes to the log with the request's id and nowhere else. Logs carry no personal data: no query strings, no
// addresses, the route instead of the path.
package httpx

import (
	"context"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
)

// key is the type of what this package keeps in a context.
type key int

const (
	keyRequestID key = iota
	keyAddress
	keyLang
	keyTextSize
	keyIdentity
	keyCity
	keyNotes
	keyStopping
)

func with(r *http.Request, k key, v any) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), k, v))
}

// RequestID is the id that the log and the answer share.
func RequestID(ctx context.Context) string { s, _ := ctx.Value(keyRequestID).(string); return s }

// Address is the visitor's network address, seen through trusted proxies.
func Address(ctx context.Context) string { s, _ := ctx.Value(keyAddress).(string); return s }

// Lang is the reader's language.
func Lang(ctx context.Context) text.Lang {
	if l, ok := ctx.Value(keyLang).(text.Lang); ok {
		return l
	}
	return text.ZH
}

// TextSize is the size of text the reader chose, in pixels: 18, 24 or 30.
func TextSize(ctx context.Context) int {
	if n, ok := ctx.Value(keyTextSize).(int); ok {
		return n
	}
	return TextSizes()[0]
}

// Identity is who is logged in; the zero value when nobody is.
func Identity(ctx context.Context) staff.Identity {
	who, _ := ctx.Value(keyIdentity).(staff.Identity)
	return who
}

// Actor is who asks: the person or key that is logged in, or an anonymous resident.
func Actor(ctx context.Context) actor.Actor {
	if who := Identity(ctx); who.Actor.ID != "" {
		return who.Actor
	}
	return actor.Anonymous(actor.Public)
}

// WithActor puts an actor into a request, for a door that knows who asks by other means.
func WithActor(r *http.Request, a actor.Actor) *http.Request {
	note(r.Context(), a)
	return with(r, keyIdentity, staff.Identity{Actor: a})
}

// City is the city that the address names; 0 where it names none.
func City(ctx context.Context) int { n, _ := ctx.Value(keyCity).(int); return n }

// Cities reads the {city} of a route and refuses those that the installation does not serve, as if they did not exist. A
// route without one belongs to the only city when there is just one.
func (e *Errors) Cities(serves func() []int) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			all := serves()
			asked := chi.URLParam(r, "city")
			if asked == "" {
				if len(all) == 1 {
					r = with(r, keyCity, all[0])
				}
				next.ServeHTTP(w, r)
				return
			}
			for _, c := range all {
				if strconv.Itoa(c) == asked {
					next.ServeHTTP(w, with(r, keyCity, c))
					return
				}
			}
			e.Render(w, r, fault.New(fault.NotFound, "httpx.no_such_city"))
		})
	}
}
