package api

import (
	"context"
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/resident"
)

// bindingOperations are where a company's own program, or a seat's, decides on the papers of residents and takes consent down.
func (v *v1) bindingOperations() {
	if v.Residents == nil {
		return
	}
	approve := []actor.Permission{actor.ResidentApprove}
	const all = "/cities/{city}/bindings"
	ask(v, Operation{Name: "list_bindings", Method: http.MethodGet, Path: all, Permissions: approve, tag: "bindings"},
		func(ctx context.Context, c caller, f resident.Filter) (page.Of[resident.Asker], error) {
			return full(v.Residents.Waiting(ctx, c.by, c.city, f))
		})
	act(v, Operation{Name: "decide_binding", Method: http.MethodPost, Path: all + "/{binding}", Permissions: approve, tag: "bindings"},
		func(ctx context.Context, c caller, in resident.Decision) (resident.Binding, error) {
			in.City, in.ID = c.city, c.param("binding")
			return v.Residents.Decide(ctx, c.by, in)
		})
	act(v, Operation{Name: "take_consent", Method: http.MethodPost, Path: all, Permissions: approve, tag: "bindings", status: http.StatusCreated},
		func(ctx context.Context, c caller, in resident.ConsentInput) (resident.Binding, error) {
			in.City = c.city
			return v.Residents.TakeConsent(ctx, c.by, in)
		})
}
