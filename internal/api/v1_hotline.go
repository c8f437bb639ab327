package api

import (
	"context"
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
)

// reported is what became of one call of a batch.
type reported struct {
	exchange.Reported
	Error *httpx.Problem `json:"error,omitempty"`
}

// hotlineOperations are the calls that heating companies take on lines of their own.
func (v *v1) hotlineOperations() {
	if v.Exchange == nil {
		return
	}
	const at = "/cities/{city}/hotline"
	read := []actor.Permission{actor.HotlineRead}
	act(v, Operation{Name: "report_hotline_calls", Method: http.MethodPost, Path: at, Permissions: []actor.Permission{actor.HotlineReport}, tag: "hotline"}, v.reportCalls)
	ask(v, Operation{Name: "list_hotline_calls", Method: http.MethodGet, Path: at, Permissions: read, tag: "hotline"},
		func(ctx context.Context, c caller, f exchange.CallFilter) (page.Of[exchange.CallRecord], error) {
			return full(v.Exchange.CallList(ctx, c.by, c.city, f))
		})
	ask(v, Operation{Name: "watch_hotlines", Method: http.MethodGet, Path: at + "/watch", Permissions: read, tag: "hotline"},
		func(ctx context.Context, c caller, _ none) (exchange.Watch, error) {
			return v.Exchange.Watching(ctx, c.by, c.city)
		})
}

// reportCalls takes a batch; a call that is wrong does not hold up the others and says why beside them.
func (v *v1) reportCalls(ctx context.Context, c caller, in exchange.Calls) (page.Of[reported], error) {
	in.City = c.city
	if in.Company == "" {
		in.Company = c.by.Org
	}
	list, err := v.Exchange.ReportCalls(ctx, c.by, in)
	out := make([]reported, len(list))
	for i, one := range list {
		out[i] = reported{Reported: one}
		if one.Err != nil {
			p := httpx.NewProblem(one.Err, httpx.Lang(ctx), httpx.RequestID(ctx))
			out[i].Error = &p
		}
	}
	return whole(out), err
}
