package httpx

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
)

var goodRequestID = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// RequestIDs takes the caller's X-Request-Id, or makes one, and gives it back.
func RequestIDs(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !goodRequestID.MatchString(id) {
			var b [12]byte
			_, _ = rand.Read(b[:]) // never fails (crypto/rand)
			id = hex.EncodeToString(b[:])
		}
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, with(r, keyRequestID, id))
	})
}

// noted is what a request's handlers leave for its line in the log.
type noted struct {
	actor  string
	kind   actor.Kind
	fault  string
	status int
	bytes  int64
	wrote  bool
}

func (n *noted) began() bool { return n.wrote }

func notes(ctx context.Context) *noted {
	if n, ok := ctx.Value(keyNotes).(*noted); ok {
		return n
	}
	return &noted{}
}

func note(ctx context.Context, a actor.Actor) {
	n := notes(ctx)
	n.kind = a.Kind
	if a.Kind == actor.Person || a.Kind == actor.Key {
		n.actor = a.ID
	}
}

// watch notes status and size of an answer.
type watch struct {
	http.ResponseWriter
	n *noted
}

func (w *watch) WriteHeader(status int) {
	if !w.n.wrote && status >= 200 {
		w.n.status, w.n.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watch) Write(b []byte) (int, error) {
	if !w.n.wrote {
		w.n.status, w.n.wrote = http.StatusOK, true
	}
	n, err := w.ResponseWriter.Write(b)
	w.n.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *watch) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Observe is told about every request when it is over: for metrics.
type Observe func(route, method string, status int, took time.Duration)

// AccessLog writes one line a request: route, status, time, who — and no personal data. machine is machine time.
func AccessLog(log *slog.Logger, machine func() time.Time, observe Observe) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := machine()
			n := &noted{}
			r = with(r, keyNotes, n)
			next.ServeHTTP(&watch{w, n}, r)
			took := machine().Sub(start)
			route := routeOf(r)
			if !n.wrote {
				n.status = http.StatusOK
			}
			if observe != nil {
				observe(route, r.Method, n.status, took)
			}
			log.LogAttrs(r.Context(), level(n.status), "request", slog.String("request_id", RequestID(r.Context())),
				slog.String("method", r.Method), slog.String("route", route), slog.Int("status", n.status), slog.Int64("bytes", n.bytes),
				slog.Float64("ms", float64(took.Microseconds())/1000), slog.String("kind", string(n.kind)), slog.String("actor", n.actor), slog.String("fault", n.fault))
		})
	}
}

func level(status int) slog.Level {
	if status >= http.StatusInternalServerError {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// routeOf is the pattern of the route, never the path: a path may carry somebody's number.
func routeOf(r *http.Request) string {
	if c := chi.RouteContext(r.Context()); c != nil {
		if p := c.RoutePattern(); p != "" {
			return p
		}
	}
	if r.Pattern != "" {
		return r.Pattern
	}
	return "unmatched"
}

// Recover turns a panic into 500 and logs where it was. A handler that gives up on purpose (http.ErrAbortHandler) does so.
func (e *Errors) Recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			e.log(r).ErrorContext(r.Context(), "panic", "request_id", RequestID(r.Context()), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			if notes(r.Context()).began() {
				panic(http.ErrAbortHandler) // the client must see that the answer is not whole
			}
			e.Render(w, r, fmt.Errorf("panic: %v", v))
		}()
		next.ServeHTTP(w, r)
	})
}

// MaxBytes bounds the body of a request.
func (e *Errors) MaxBytes(most int64) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > most {
				w.Header().Set("Connection", "close") // the rest of the body is not read
				e.Render(w, r, TooLarge(most))
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, most)
			next.ServeHTTP(w, r)
		})
	}
}

// Addresses finds the visitor's address. X-Forwarded-For is believed as far as it was written by trusted proxies: read
// from the right, the first address that is not one of them.
func Addresses(trusted []netip.Prefix) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, with(r, keyAddress, visitor(r, trusted)))
		})
	}
}

func visitor(r *http.Request, trusted []netip.Prefix) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	at := peer.Addr().Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && inside(at, trusted); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		at = hop.Unmap().WithZone("")
	}
	return at.String()
}

func inside(a netip.Addr, nets []netip.Prefix) bool {
	for _, n := range nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}
