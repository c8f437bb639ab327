package api

import (
	"context"
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/webhook"
)

// replayed names a delivery to be told again; none: all that were given up.
type replayed struct {
	Delivery string `json:"delivery"`
}

// webhookOperations let a key's holder say where it wants to be told, and see what it was told.
func (v *v1) webhookOperations() {
	if v.Webhooks == nil {
		return
	}
	const at, one = "/cities/{city}/webhooks", "/cities/{city}/webhooks/{webhook}"
	any := []actor.Permission{actor.KeyManage, actor.CaseRead, actor.OutageRead}
	ask(v, Operation{Name: "list_webhooks", Method: http.MethodGet, Path: at, Permissions: any, tag: "webhooks"},
		func(ctx context.Context, c caller, _ none) (page.Of[webhook.Hook], error) {
			list, err := v.Webhooks.List(ctx, c.by, c.city)
			return whole(list), err
		})
	act(v, Operation{Name: "add_webhook", Method: http.MethodPost, Path: at, Permissions: any, tag: "webhooks", status: http.StatusCreated},
		func(ctx context.Context, c caller, in webhook.Input) (webhook.Subscribed, error) {
			in.City = c.city
			return v.Webhooks.Subscribe(ctx, c.by, in)
		})
	ask(v, Operation{Name: "show_webhook", Method: http.MethodGet, Path: one, Permissions: any, tag: "webhooks"},
		func(ctx context.Context, c caller, _ none) (webhook.Hook, error) {
			return v.Webhooks.Get(ctx, c.by, c.city, c.param("webhook"))
		})
	act(v, Operation{Name: "change_webhook", Method: http.MethodPost, Path: one, Permissions: any, tag: "webhooks"},
		func(ctx context.Context, c caller, in webhook.Input) (webhook.Hook, error) {
			in.City, in.ID = c.city, c.param("webhook")
			return v.Webhooks.Change(ctx, c.by, in)
		})
	act(v, Operation{Name: "renew_webhook_secret", Method: http.MethodPost, Path: one + "/secret", Permissions: any, tag: "webhooks"},
		func(ctx context.Context, c caller, _ none) (webhook.Subscribed, error) {
			return v.Webhooks.Secret(ctx, c.by, c.city, c.param("webhook"))
		})
	ask(v, Operation{Name: "list_webhook_deliveries", Method: http.MethodGet, Path: one + "/deliveries", Permissions: any, tag: "webhooks"},
		func(ctx context.Context, c caller, f webhook.Filter) (page.Of[webhook.Delivery], error) {
			return full(v.Webhooks.Log(ctx, c.by, c.city, c.param("webhook"), f))
		})
	act(v, Operation{Name: "replay_webhook", Method: http.MethodPost, Path: one + "/replay", Permissions: any, tag: "webhooks"},
		func(ctx context.Context, c caller, in replayed) (again, error) {
			n, err := v.Webhooks.Replay(ctx, c.by, c.city, c.param("webhook"), in.Delivery)
			return again{int64(n)}, err
		})
}
