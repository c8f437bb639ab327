// Package api is the doors for other programs: the city's own platform, 12345, a company's system, an app of residents.
//
// There are two of them over the same use cases. /open311/v2 speaks Open311 GeoReport v2, as the standard has it, errors
// included; without a key it shows no more than a passer-by could know. /api/v1 offers every act on a case as one JSON
// operation with an API key, described in OpenAPI. A handler decodes, calls one use case and writes the value that it gave:
// rules, permissions and audit stay in the services, and the JSON names of their values are the contract.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/bundle"
	telephone "github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/callback"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/staffing"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/webhook"
	"github.com/rehu-heat/rehu/internal/wechat"
)

// The places at which the doors are mounted.
const (
	Prefix        = "/api/v1"
	Open311Prefix = "/open311/v2"
)

// Deps are the services behind the operations.
type Deps struct {
	Staff     *staff.Service
	Rules     *citypack.Service
	Places    *place.Service
	Fees      *fee.Service
	Refunds   *settle.Service
	Territory *territory.Service
	Cases     *cases.Service
	Dispatch  *dispatch.Service
	Outages   *outage.Service
	Equipment *equipment.Service
	Measure   *measure.Service
	Findings  *finding.Service
	Blobs     *blob.Service
	Bundles   *bundle.Service
	Exchange  *exchange.Service
	Calls     *telephone.Service
	Staffing  *staffing.Service
	Webhooks  *webhook.Service
	Residents *resident.Service
	WeChat    *wechat.Service
	Clues     *clue.Service
	Callbacks *callback.Service
}

// Options set up the doors.
type Options struct {
	Deps    Deps
	Rate    config.Rate
	URL     string // the public address; https makes cookies secure
	Trusted []netip.Prefix
	Cities  func() []int
	Now     func() civil.Instant // the cities' clock
	Machine func() time.Time     // machine time, for limits and the log
	Log     *slog.Logger
	Observe httpx.Observe
}

// API answers other programs.
type API struct {
	Deps
	o          Options
	errors     *httpx.Errors
	cookies    httpx.Cookies
	keys       *httpx.Limiter // of requests with a key
	readers    *httpx.Limiter // of requests without one
	operations []Operation
	handler    http.Handler
}

// New makes the doors. The handler is complete: request ids, log, limits and keys are inside.
func New(o Options) *API {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Rate = (config.Config{Rate: o.Rate}).WithDefaults().Rate
	a := &API{Deps: o.Deps, o: o, errors: &httpx.Errors{Log: o.Log}}
	a.keys = httpx.NewLimiter(o.Rate.APIPerSecond, time.Second, o.Machine)
	a.readers = httpx.NewLimiter(o.Rate.PublicPerMinute, time.Minute, o.Machine)
	a.cookies = httpx.Cookies{Secure: strings.HasPrefix(o.URL, "https://")}
	a.handler = a.mount()
	return a
}

// Operations lists the operations of /api/v1, for tests and documentation.
func (a *API) Operations() []Operation { return a.operations }

// ServeHTTP answers a request. The addresses here are whole, wherever the doors are mounted.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, nil)))
}

func (a *API) mount() http.Handler {
	r := chi.NewRouter()
	r.Use(httpx.RequestIDs, httpx.AccessLog(a.o.Log, a.o.Machine, a.o.Observe), httpx.SecurityHeaders(nil, a.cookies.Secure), httpx.Gzip(),
		httpx.Addresses(a.o.Trusted), httpx.Readers(a.cookies), a.errors.Recover)
	r.Route(Open311Prefix, a.open311)
	a.v1(r)
	return r
}
