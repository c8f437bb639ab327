package api

import (
	"context"
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	telephone "github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/staffing"
)

// ofDay asks for a day; empty is today.
type ofDay struct {
	Day civil.Date `form:"day"`
}

// keptRows is how many rows were kept.
type keptRows struct {
	Kept int `json:"kept"`
}

// callOperations are the telephone for staff's own programs: the queue, calls, call-backs, and the forecast of calls with
// its roster. The switch itself uses the signed contract (docs/telephone.md).
func (v *v1) callOperations() {
	if v.Calls == nil || v.Staffing == nil {
		return
	}
	read, take := []actor.Permission{actor.CallRead}, []actor.Permission{actor.CallTake, actor.CallManage}
	ask(v, Operation{Name: "list_calls", Method: http.MethodGet, Path: "/cities/{city}/calls", Permissions: read, tag: "calls"},
		func(ctx context.Context, c caller, f telephone.Filter) (page.Of[telephone.Call], error) {
			return full(v.Calls.List(ctx, c.by, c.city, f))
		})
	ask(v, Operation{Name: "call_figures", Method: http.MethodGet, Path: "/cities/{city}/calls/figures", Permissions: read, tag: "calls"},
		func(ctx context.Context, c caller, q ofDay) (telephone.Figures, error) {
			return v.Calls.Figures(ctx, c.by, c.city, q.Day)
		})
	ask(v, Operation{Name: "list_call_backs", Method: http.MethodGet, Path: "/cities/{city}/call-backs", Permissions: read, tag: "calls"},
		func(ctx context.Context, c caller, f telephone.BackFilter) (page.Of[telephone.Back], error) {
			return full(v.Calls.Backs(ctx, c.by, c.city, f))
		})
	act(v, Operation{Name: "act_call_back", Method: http.MethodPost, Path: "/cities/{city}/call-backs/{back}", Permissions: take, tag: "calls"},
		func(ctx context.Context, c caller, in telephone.BackAct) (telephone.Back, error) {
			in.City, in.ID, in.Key = c.city, c.param("back"), c.key()
			return v.Calls.ActBack(ctx, c.by, in)
		})
	ask(v, Operation{Name: "plan_staffing", Method: http.MethodGet, Path: "/cities/{city}/staffing", Permissions: []actor.Permission{actor.StaffingRead}, tag: "staffing"},
		func(ctx context.Context, c caller, q staffing.Question) (staffing.Plan, error) {
			return v.Staffing.Plan(ctx, c.by, c.city, q)
		})
	edit := []actor.Permission{actor.StaffingEdit}
	act(v, Operation{Name: "roster_seats", Method: http.MethodPost, Path: "/cities/{city}/staffing/shifts", Permissions: edit, tag: "staffing"},
		func(ctx context.Context, c caller, in staffing.Shift) (staffing.Shift, error) {
			in.City = c.city
			return v.Staffing.Roster(ctx, c.by, in)
		})
	act(v, Operation{Name: "hand_over_calls", Method: http.MethodPost, Path: "/cities/{city}/staffing/history", Permissions: edit, tag: "staffing"},
		func(ctx context.Context, c caller, in staffing.Handing) (keptRows, error) {
			in.City = c.city
			n, err := v.Staffing.HandOver(ctx, c.by, in)
			return keptRows{n}, err
		})
}
