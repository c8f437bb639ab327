package web

import (
	"net/http"
	"strconv"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
	"github.com/rehu-heat/rehu/internal/webhook"
)

// webhookRoutes are the pages of those who manage keys: which programs are told what, and what became of it.
func (w *Web) webhookRoutes() []Route {
	if w.Webhooks == nil {
		return nil
	}
	manage := may(actor.KeyManage)
	return []Route{
		get("/c/{city}/webhooks", manage, w.webhooksPage),
		post("/c/{city}/webhooks", manage, w.addWebhook),
		get("/c/{city}/webhooks/{webhook}", manage, w.webhookPage),
		post("/c/{city}/webhooks/{webhook}", manage, w.changeWebhook),
		post("/c/{city}/webhooks/{webhook}/secret", manage, w.webhookSecret),
		post("/c/{city}/webhooks/{webhook}/replay", manage, w.replayWebhook),
	}
}

type webhooksView struct {
	city int
	list []webhook.Hook
	keys []staff.Key
	form ui.Form
}

func (w *Web) webhooksView(r *http.Request) (webhooksView, error) {
	ctx := r.Context()
	v := webhooksView{city: httpx.City(ctx)}
	var err error
	if v.list, err = w.Webhooks.List(ctx, by(r), v.city); err != nil {
		return v, err
	}
	keys, err := w.Staff.Keys(ctx, by(r), v.city, page.Request{Size: page.MaxSize})
	for _, k := range keys.Items {
		if k.Revoked.IsZero() {
			v.keys = append(v.keys, k)
		}
	}
	return v, err
}

func (v webhooksView) page() Page {
	return Page{Title: text.Msg("nav.webhooks"), Nav: "webhooks", Body: webhooksBody(v)}
}

func (w *Web) webhooksPage(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.webhooksView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, v.page())
}

// addWebhook adds a subscription and shows its secret this once.
func (w *Web) addWebhook(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[webhook.Input](r)
	var got webhook.Subscribed
	if err == nil {
		in.City = httpx.City(r.Context())
		got, err = w.Webhooks.Subscribe(r.Context(), by(r), in)
	}
	if err != nil {
		v, failed := w.webhooksView(r)
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.form = f
			return v.page()
		})
	}
	return w.showWebhook(rw, r, got)
}

type webhookView struct {
	webhook.Hook
	city   int
	secret string
	query  webhook.Filter
	log    page.Of[webhook.Delivery]
	form   ui.Form
}

func (w *Web) webhookView(r *http.Request, id string) (webhookView, error) {
	ctx := r.Context()
	v := webhookView{city: httpx.City(ctx)}
	var err error
	if r.Method == http.MethodGet {
		if v.query, err = httpx.Bind[webhook.Filter](r); err != nil {
			return v, err
		}
	}
	if v.Hook, err = w.Webhooks.Get(ctx, by(r), v.city, id); err != nil {
		return v, err
	}
	v.log, err = w.Webhooks.Log(ctx, by(r), v.city, id, v.query)
	return v, err
}

func (v webhookView) page() Page {
	return Page{Title: text.Msg("webhookpage.one", "name", v.Name), Nav: "webhooks", Body: webhookBody(v)}
}

func (w *Web) webhookPage(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.webhookView(r, param(r, "webhook"))
	if err != nil {
		return err
	}
	return w.show(rw, r, v.page())
}

// showWebhook shows a subscription with its new secret; the page is not kept anywhere.
func (w *Web) showWebhook(rw http.ResponseWriter, r *http.Request, got webhook.Subscribed) error {
	v, err := w.webhookView(r, got.ID)
	if err != nil {
		return err
	}
	v.secret = got.Secret
	rw.Header().Set("Cache-Control", "no-store")
	return w.show(rw, r, v.page())
}

func webhookPath(city int, id string) string { return at("/c/{city}/webhooks/", city) + id }

func (w *Web) changeWebhook(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[webhook.Input](r)
	if err == nil {
		in.City, in.ID = httpx.City(r.Context()), param(r, "webhook")
		_, err = w.Webhooks.Change(r.Context(), by(r), in)
	}
	if err != nil {
		v, failed := w.webhookView(r, param(r, "webhook"))
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.form = f
			return v.page()
		})
	}
	return w.done(rw, r, webhookPath(in.City, in.ID), text.Msg("webhookpage.changed"))
}

func (w *Web) webhookSecret(rw http.ResponseWriter, r *http.Request) error {
	got, err := w.Webhooks.Secret(r.Context(), by(r), httpx.City(r.Context()), param(r, "webhook"))
	if err != nil {
		return err
	}
	return w.showWebhook(rw, r, got)
}

// replayWebhook tells one thing again, or all that were given up.
func (w *Web) replayWebhook(rw http.ResponseWriter, r *http.Request) error {
	city, id := httpx.City(r.Context()), param(r, "webhook")
	in, err := httpx.Bind[struct {
		Delivery string `form:"delivery"`
	}](r)
	if err == nil {
		_, err = w.Webhooks.Replay(r.Context(), by(r), city, id, in.Delivery)
	}
	return w.after(rw, r, err, webhookPath(city, id), "webhookpage.replayed")
}

func webhookEvents() []ui.Option {
	var out []ui.Option
	for _, e := range webhook.Events() {
		out = append(out, ui.Option{Value: string(e), Key: "webhook_event." + string(e)})
	}
	return out
}

// chosen are the events of a subscription as a form holds them.
func (v webhookView) chosen() []string {
	var out []string
	for _, e := range v.Events {
		out = append(out, string(e))
	}
	return out
}

func (v webhooksView) keyOptions() []ui.Option {
	var out []ui.Option
	for _, k := range v.keys {
		out = append(out, ui.Option{Value: "key:" + k.ID, Text: k.Name + " " + k.Org})
	}
	return out
}

func deliveryTone(s webhook.State) ui.Tone {
	switch s {
	case webhook.Queued:
		return ui.Amber
	case webhook.Dead:
		return ui.Red
	case webhook.Sent:
	}
	return ui.Green
}

func deliveryStates() []ui.Option {
	var out []ui.Option
	for _, s := range []webhook.State{webhook.Queued, webhook.Sent, webhook.Dead} {
		out = append(out, ui.Option{Value: string(s), Key: "webhook_state." + string(s)})
	}
	return out
}

// deliveryAnswer is what the subscriber answered, or why it could not be told.
func deliveryAnswer(d webhook.Delivery) string {
	if d.Error != "" {
		return d.Error
	}
	if d.Status == 0 {
		return ""
	}
	return strconv.Itoa(d.Status) + " · " + strconv.Itoa(d.TookMS) + " ms"
}
