package httpx

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/rehu-heat/rehu/internal/fault"
)

// Policy is the content security policy of every page: our own files only, nothing inline. Hosts of map tiles join the
// images.
func Policy(tileOrigins []string) string {
	var images strings.Builder
	images.WriteString("'self' data: blob:")
	for _, o := range tileOrigins {
		images.WriteString(" " + o)
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src " + images.String() + "; font-src 'self'; connect-src 'self'; " +
		"worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// SecurityHeaders are on every answer. With https, browsers are told to come back by https only.
func SecurityHeaders(tileOrigins []string, https bool) func(http.Handler) http.Handler {
	policy := Policy(tileOrigins)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Security-Policy", policy)
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("X-Frame-Options", "DENY")
			h.Set("Referrer-Policy", "same-origin")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Cross-Origin-Resource-Policy", "same-origin")
			h.Set("Permissions-Policy", "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()")
			if https {
				h.Set("Strict-Transport-Security", "max-age=31536000")
			}
			next.ServeHTTP(w, r)
		})
	}
}

// SameOrigin refuses forms that another site's page sends in a logged-in person's name. origins are further addresses of
// our own, such as https://heat.example.cn behind a proxy that changes Host.
func (e *Errors) SameOrigin(origins ...string) (func(http.Handler) http.Handler, error) {
	c := http.NewCrossOriginProtection()
	for _, o := range origins {
		if err := c.AddTrustedOrigin(strings.TrimRight(o, "/")); err != nil {
			return nil, fmt.Errorf("trusted origin: %w", err)
		}
	}
	c.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.Render(w, r, fault.New(fault.Denied, "httpx.cross_origin"))
	}))
	return c.Handler, nil
}
