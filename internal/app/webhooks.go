package app

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/webhook"
)

// webhooks joins the subscriptions of other programs to what happens.
func (a *App) webhooks() (*webhook.Service, error) {
	allow, err := a.Config.WebhookNets()
	if err != nil {
		return nil, err
	}
	return webhook.New(webhook.Options{
		DB: a.DB, Ring: a.Ring, Cases: a.Cases, Outages: a.Outages, Jobs: a.Runner, Machine: a.o.Machine, Allow: allow, Key: a.Staff.KeyActor,
		Tell: a.tellWebhookOff,
	})
}

// tellWebhookOff lets those who manage keys know that a subscriber was switched off.
func (a *App) tellWebhookOff(ctx context.Context, tx *db.Tx, h webhook.Hook) error {
	_, err := a.Notices.EnqueueIn(ctx, tx, actor.SystemFor("webhook", actor.Job), notice.Message{
		City: h.City, Channel: notice.Console, Role: actor.RoleAdmin, Template: "message.webhook.off", Params: map[string]any{"name": h.Name, "url": h.URL},
		Subject: "webhook:" + h.ID, Matter: fmt.Sprintf("webhook:%s/off/%d", h.ID, h.Version), QuietExempt: true,
	})
	return err
}
