package api

import (
	"context"
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/page"
)

// outageOperations are the stops of heat: reported by companies, read by everybody who answers residents.
func (v *v1) outageOperations() {
	read, report := []actor.Permission{actor.OutageRead}, []actor.Permission{actor.OutageReport}
	const at, one = "/cities/{city}/outages", "/cities/{city}/outages/{outage}"
	ask(v, Operation{Name: "list_outages", Method: http.MethodGet, Path: at, Permissions: read, tag: "outages"},
		func(ctx context.Context, c caller, f outage.Filter) (page.Of[outage.Outage], error) {
			return full(v.Outages.List(ctx, c.by, c.city, f))
		})
	ask(v, Operation{Name: "show_outage", Method: http.MethodGet, Path: one, Permissions: read, tag: "outages"},
		func(ctx context.Context, c caller, _ none) (outage.View, error) {
			return v.Outages.Get(ctx, c.by, c.city, c.param("outage"))
		})
	act(v, Operation{Name: "report_outage", Method: http.MethodPost, Path: at, Permissions: report, tag: "outages", status: http.StatusCreated},
		func(ctx context.Context, c caller, in outage.Report) (outage.View, error) {
			in.City, in.Key = c.city, c.key()
			return v.Outages.Report(ctx, c.by, in)
		})
	act(v, Operation{Name: "change_outage", Method: http.MethodPost, Path: one + "/change", Permissions: report, tag: "outages"},
		func(ctx context.Context, c caller, in outage.Change) (outage.View, error) {
			in.City, in.ID, in.Key = c.city, c.param("outage"), c.key()
			return v.Outages.Change(ctx, c.by, in)
		})
	link := func(do func(ctx context.Context, by actor.Actor, in outage.Linking) (outage.View, error)) func(context.Context, caller, outage.Linking) (outage.View, error) {
		return func(ctx context.Context, c caller, in outage.Linking) (outage.View, error) {
			in.City, in.ID = c.city, c.param("outage")
			return do(ctx, c.by, in)
		}
	}
	linking := []actor.Permission{actor.CaseLink}
	act(v, Operation{Name: "link_outage", Method: http.MethodPost, Path: one + "/link", Permissions: linking, tag: "outages"}, link(v.Outages.Link))
	act(v, Operation{Name: "unlink_outage", Method: http.MethodPost, Path: one + "/unlink", Permissions: linking, tag: "outages"}, link(v.Outages.Unlink))
}
