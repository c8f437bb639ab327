package cli

import (
	"crypto/subtle"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/api"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/web"
)

// newServer mounts every door over HTTP: what machines ask of the server itself beside what people and programs ask.
func newServer(a *app.App, phone *web.Phone) (http.Handler, error) {
	trusted, err := a.Config.Trusted()
	if err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}
	errs := &httpx.Errors{Log: a.Log}
	m := newMetrics(a)
	r := chi.NewRouter()
	r.Get("/healthz", plainText(http.StatusOK, "ok\n"))
	r.Get("/readyz", errs.Handle(func(w http.ResponseWriter, r *http.Request) error {
		if err := a.Ready(r.Context()); err != nil {
			return err
		}
		plainText(http.StatusOK, "ready\n")(w, r)
		return nil
	}))
	r.Get("/metrics", errs.Handle(func(w http.ResponseWriter, r *http.Request) error {
		if !mayScrape(r, a.Config.Metrics.Token) {
			return httpx.NotLoggedIn()
		}
		m.handler().ServeHTTP(w, r)
		return nil
	}))
	pages, err := web.New(web.Options{
		Deps: web.Deps{
			Staff: a.Staff, Audit: a.Audit, Jobs: a.Jobs, Rules: a.Rules, Places: a.Places, Residents: a.Residents, Territory: a.Territory,
			Weather: a.Weather, BaseMaps: a.BaseMaps, Cases: a.Cases, Dispatch: a.Dispatch, Notices: a.Notices, Stats: a.Stats, Blobs: a.Blobs,
			Knowledge: a.Knowledge, Outages: a.Outages, Bulletins: a.Bulletins, Handovers: a.Handovers, Callbacks: a.Callbacks, Measure: a.Measure, Findings: a.Findings, Equipment: a.Equipment,
			Settle: a.Settle, Fees: a.Fees, Bundles: a.Bundles, Exchange: a.Exchange, Webhooks: a.Webhooks, Calls: a.Calls, Clues: a.Clues, Channels: a.Channels, Staffing: a.Staffing, WeChat: a.WeChat, Mail: a.Mail, Push: a.Push, Phone: phone,
		},
		Site: a.Config.Site, Map: a.Config.Map, Tiles: a.Config.MapOrigins(), Rate: a.Config.Rate, URL: a.Config.PublicURL, Trusted: trusted,
		Cities: func() []web.City { return webCities(a) }, Now: a.DB.Now, Machine: a.Machine, Log: a.Log, Observe: m.observe,
	})
	if err != nil {
		return nil, fmt.Errorf("set up the pages: %w", err)
	}
	doors := api.New(api.Options{
		Deps: api.Deps{
			Staff: a.Staff, Rules: a.Rules, Places: a.Places, Fees: a.Fees, Refunds: a.Settle, Territory: a.Territory, Cases: a.Cases, Dispatch: a.Dispatch,
			Outages: a.Outages, Equipment: a.Equipment, Measure: a.Measure, Findings: a.Findings, Blobs: a.Blobs, Bundles: a.Bundles, Calls: a.Calls, Staffing: a.Staffing, Exchange: a.Exchange, Webhooks: a.Webhooks, Residents: a.Residents, WeChat: a.WeChat, Clues: a.Clues, Callbacks: a.Callbacks,
		},
		Rate: a.Config.Rate, URL: a.Config.PublicURL, Trusted: trusted, Cities: a.Cities,
		Now: a.DB.Now, Machine: a.Machine, Log: a.Log, Observe: m.observe,
	})
	r.Handle(api.Prefix+"/*", doors)
	r.Handle(api.Open311Prefix+"/*", doors)
	r.Mount("/", pages)
	return r, nil
}

func webCities(a *app.App) []web.City {
	var out []web.City
	for _, code := range a.Cities() {
		if p, err := a.Packs.City(code); err == nil {
			out = append(out, web.City{Code: code, NameZH: p.Name.ZH, NameEN: p.Name.EN})
		}
	}
	return out
}

func plainText(status int, s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, s) // whoever asked is gone
	}
}

// mayScrape lets whoever has the token read the metrics, or, without a token, whoever is on this machine. A request that a
// proxy passed on comes from elsewhere.
func mayScrape(r *http.Request, token string) bool {
	if token != "" {
		got, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		return subtle.ConstantTimeCompare([]byte(got), []byte(token)) == 1
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
