// Package web is the pages of Rehu: what staff, field workers and residents see in a browser.
//
// A capability's pages are one file of routes and handlers (routes_X.go) and one .templ file a page; parts that pages share
// live in package ui. A handler decodes, calls one use case and shows a page; rules stay in the services. Every route names
// the permission it takes or says that it is public (Route), so that a test can walk all of them with every role; the
// service asks again, with the place the act touches. A page works without scripts; with htmx the same handler sends the
// part of the page that changes.
//
// To add a page: the route with its permission in the capability's routes_X.go (a new file also stands in routes.go); the
// handler, 8 to 15 lines: httpx.Bind, one use case, then show, again or done (show.go); the page in a .templ file of parts
// of package ui (package gallery shows each); its words in a catalogue file; its place in the navigation in nav.go; then
// make generate. Services come in through Deps. The tests of this package walk every route with every role by themselves.
package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/basemap"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/bulletin"
	"github.com/rehu-heat/rehu/internal/bundle"
	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/callback"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/handover"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/knowledge"
	"github.com/rehu-heat/rehu/internal/mail"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/paper"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/staffing"
	"github.com/rehu-heat/rehu/internal/stats"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/weather"
	"github.com/rehu-heat/rehu/internal/web/static"
	"github.com/rehu-heat/rehu/internal/web/ui"
	"github.com/rehu-heat/rehu/internal/webhook"
	"github.com/rehu-heat/rehu/internal/webpush"
	"github.com/rehu-heat/rehu/internal/wechat"
)

// City is a city the installation serves.
type City = ui.City

// Deps are the services behind the pages. Pages whose service is nil are not there: no route, no entry in the navigation.
type Deps struct {
	Staff     *staff.Service
	Audit     *audit.Service
	Jobs      *jobs.Service
	Rules     *citypack.Service
	Places    *place.Service
	Residents *resident.Service
	Territory *territory.Service
	Weather   *weather.Service
	BaseMaps  *basemap.Service
	Cases     *cases.Service
	Dispatch  *dispatch.Service
	Notices   *notice.Service
	Stats     *stats.Service
	Blobs     *blob.Service
	Knowledge *knowledge.Service
	Outages   *outage.Service
	Bulletins *bulletin.Service
	Handovers *handover.Service
	Callbacks *callback.Service
	Measure   *measure.Service
	Findings  *finding.Service
	Equipment *equipment.Service
	Settle    *settle.Service
	Bundles   *bundle.Service
	Fees      *fee.Service
	Calls     *call.Service
	Exchange  *exchange.Service
	Webhooks  *webhook.Service
	Staffing  *staffing.Service
	WeChat    *wechat.Service
	Mail      *mail.Service
	Push      *webpush.Service
	Phone     *Phone // of the demonstration; nil elsewhere
	Clues     *clue.Service
	Channels  *channel.Service
}

// Options set up the pages. Only Deps.Staff, Cities, Now and Machine must be given.
type Options struct {
	Deps    Deps
	Site    config.Site
	Map     config.Map
	Tiles   []string // origins of map tiles (config.MapOrigins)
	Rate    config.Rate
	URL     string // the public address; https makes cookies secure
	Trusted []netip.Prefix
	Cities  func() []City
	Now     func() civil.Instant // the cities' clock
	Machine func() time.Time     // machine time, for limits and the log
	Log     *slog.Logger
	Observe httpx.Observe
}

// maxBody bounds what a page may send: a few photographs.
const maxBody = 64 << 20

// Web answers the pages.
type Web struct {
	Deps
	o       Options
	errors  *httpx.Errors
	cookies httpx.Cookies
	logins  *httpx.Limiter // attempts to log in
	visits  *httpx.Limiter // requests of residents' pages
	reports *httpx.Limiter // reports of residents, for the pages that take them
	routes  []Route
	live    caseFeeds
	phones  phoneFeeds
	press   paper.Press      // prints what is handed out
	known   map[string]Route // GET routes by pattern, for the navigation
	handler http.Handler
}

// New makes the pages. The handler is complete: request ids, log, limits, sessions and files are inside; app mounts it
// beside the API.
func New(o Options) (*Web, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Rate = (config.Config{Rate: o.Rate}).WithDefaults().Rate
	w := &Web{Deps: o.Deps, o: o, cookies: httpx.Cookies{Secure: strings.HasPrefix(o.URL, "https://")}}
	w.errors = &httpx.Errors{Page: w.errorPage, Log: o.Log}
	w.logins = httpx.NewLimiter(o.Rate.LoginPerMinute, time.Minute, o.Machine)
	w.visits = httpx.NewLimiter(o.Rate.PublicPerMinute, time.Minute, o.Machine)
	w.reports = httpx.NewLimiter(o.Rate.ReportsPerHour, time.Hour, o.Machine)
	w.routes = w.table()
	w.known = map[string]Route{}
	for _, r := range w.routes {
		if r.Method == http.MethodGet {
			w.known[r.Pattern] = r
		}
	}
	handler, err := w.mount()
	if err != nil {
		return nil, err
	}
	w.handler = handler
	return w, nil
}

// ServeHTTP answers a request.
func (w *Web) ServeHTTP(rw http.ResponseWriter, r *http.Request) { w.handler.ServeHTTP(rw, r) }

// Routes lists every route with what it takes, for tests and documentation.
func (w *Web) Routes() []Route { return w.routes }

func (w *Web) mount() (http.Handler, error) {
	var own []string
	if w.o.URL != "" {
		own = append(own, w.o.URL)
	}
	same, err := w.errors.SameOrigin(own...)
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	r := chi.NewRouter()
	r.Use(httpx.RequestIDs, httpx.AccessLog(w.o.Log, w.o.Machine, w.o.Observe), httpx.SecurityHeaders(w.o.Tiles, w.cookies.Secure))
	r.Handle(static.Prefix+"*", static.Handler())
	r.Group(func(r chi.Router) {
		r.Use(httpx.Gzip(), httpx.Addresses(w.o.Trusted), httpx.Readers(w.cookies), w.errors.Recover, same, w.errors.MaxBytes(maxBody),
			w.errors.Sessions(w.cookies, w.Staff.Authenticate))
		r.NotFound(w.errors.NotFound())
		r.MethodNotAllowed(w.errors.MethodNotAllowed())
		for _, one := range w.routes {
			h := w.errors.Handle(w.guard(one))
			r.With(w.errors.Cities(w.codes)).Method(one.Method, one.Pattern, h)
			if one.Method == http.MethodGet {
				r.With(w.errors.Cities(w.codes)).Method(http.MethodHead, one.Pattern, h)
			}
		}
	})
	return r, nil
}

func (w *Web) codes() []int {
	var out []int
	for _, c := range w.o.Cities() {
		out = append(out, c.Code)
	}
	return out
}

// city finds a city by its code.
func (w *Web) city(code int) City {
	for _, c := range w.o.Cities() {
		if c.Code == code {
			return c
		}
	}
	return City{}
}
