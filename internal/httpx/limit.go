package httpx

import (
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/rehu-heat/rehu/internal/fault"
)

// mostBuckets bounds how many callers a limiter remembers.
const mostBuckets = 100_000

// Limiter lets each caller do so much in a time, with a burst. It lives in this process.
type Limiter struct {
	every   rate.Limit
	burst   int
	machine func() time.Time
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// NewLimiter allows n in each period, all of them at once if need be. machine is machine time.
func NewLimiter(n int, period time.Duration, machine func() time.Time) *Limiter {
	n = max(n, 1)
	return &Limiter{every: rate.Limit(float64(n) / period.Seconds()), burst: n, machine: machine, buckets: map[string]*rate.Limiter{}}
}

// Take uses one of a caller's turns; when there is none it says how long to wait.
func (l *Limiter) Take(caller string) (time.Duration, bool) {
	now := l.machine()
	l.mu.Lock()
	b, ok := l.buckets[caller]
	if !ok {
		if len(l.buckets) >= mostBuckets {
			l.sweep(now)
		}
		b = rate.NewLimiter(l.every, l.burst)
		l.buckets[caller] = b
	}
	l.mu.Unlock()
	turn := b.ReserveN(now, 1)
	wait := turn.DelayFrom(now)
	if wait == 0 {
		return 0, true
	}
	turn.CancelAt(now)
	return wait, false
}

// sweep forgets callers whose turns are all back; if everybody is busy, everybody: a flood of addresses must not fill the
// memory.
func (l *Limiter) sweep(now time.Time) {
	for k, b := range l.buckets {
		if b.TokensAt(now) >= float64(l.burst) {
			delete(l.buckets, k)
		}
	}
	if len(l.buckets) >= mostBuckets {
		clear(l.buckets)
	}
}

// Caller names who is limited together; empty is not limited.
type Caller func(r *http.Request) string

// ByAddress limits each visitor's address, of IPv6 each network of 64 bits: one home has billions of them.
func ByAddress(r *http.Request) string {
	s := Address(r.Context())
	a, err := netip.ParseAddr(s)
	if err != nil || a.Is4() {
		return s
	}
	p, err := a.Prefix(64)
	if err != nil {
		return s
	}
	return p.String()
}

// ByActor limits each person or key that is logged in, and nobody else.
func ByActor(r *http.Request) string { return Identity(r.Context()).Actor.ID }

// Limit answers 429 to a caller who has no turn left.
func (e *Errors) Limit(l *Limiter, by Caller) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			caller := by(r)
			if caller == "" {
				next.ServeHTTP(w, r)
				return
			}
			wait, ok := l.Take(caller)
			if !ok {
				seconds := clampInt(wait.Seconds() + 0.999)
				w.Header().Set("Retry-After", strconv.Itoa(seconds))
				e.Render(w, r, fault.New(fault.Exhausted, "httpx.too_many", "seconds", seconds))
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
