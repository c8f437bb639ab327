package cli

import (
	"context"
	"html/template"
	"net"
	"net/http"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/demo"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/static"
	"github.com/rehu-heat/rehu/internal/webhook/webhookfake"
)

// subscriberHost is this machine under a name of its own, so that a demonstration that may call its subscriber may call
// nothing else here.
const subscriberHost = "127.13.37.1"

// demoHook is a program that is told what happens in the city. Where the machine has no such address there is none.
type demoHook struct {
	fake *webhookfake.Subscriber
	l    net.Listener
}

// newDemoHook opens its address and lets the installation call it.
func newDemoHook(ctx context.Context, cfg *config.Config) *demoHook {
	l, err := listen(ctx, subscriberHost+":0")
	if err != nil {
		return &demoHook{}
	}
	cfg.Webhook.Allow = append(cfg.Webhook.Allow, subscriberHost)
	return &demoHook{webhookfake.New(), l}
}

func (d *demoHook) serve(ctx context.Context) error {
	if d.l == nil {
		return nil
	}
	return httpx.Serve(ctx, d.l, d.fake, grace)
}

func (d *demoHook) close() {
	if d.l != nil {
		d.l.Close()
	}
}

// join subscribes it. What goes wrong there is logged: the city lives on without.
func (d *demoHook) join(ctx context.Context, a *app.App) {
	if d.l == nil {
		return
	}
	signer, err := demo.Subscribe(ctx, a, urlOf(d.l)+"/hook")
	if err != nil {
		a.Log.WarnContext(ctx, "nobody is told by webhook", "error", err)
		return
	}
	signer.Machine = time.Now //nolint:forbidigo // machine time of a stranger
	d.fake.Knows(signer)
}

var deskPage = template.Must(template.New("desk").Parse(`<!DOCTYPE html><html lang="{{.Tag}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">` +
	`<title>{{.Title}}</title><link rel="stylesheet" href="{{.CSS}}"></head><body><main><h1>{{.Title}}</h1><p class="note warn">{{.Lead}}</p>{{with .Fault}}<p class="note bad" role="alert">{{.}}</p>{{end}}` +
	`{{with .Done}}<p class="note" role="status">{{.}}</p>{{end}}<a class="btn" href="/demo">{{.Again}}</a>{{range .All}}<section class="card" id="{{.ID}}" aria-labelledby="h-{{.ID}}"><h2 id="h-{{.ID}}">{{.Name}}</h2>` +
	`{{if .Note}}<p>{{.Note}}</p>{{end}}{{if .Link}}<a class="btn" href="{{.Link}}">{{.Open}}</a>{{end}}` +
	`{{if .Sent}}<h3>{{.SentTitle}}</h3>{{range .Sent}}<p><b>{{.To}}</b> {{.Text}}</p>{{end}}{{end}}{{range .Wrong}}<p class="note bad">{{.}}</p>{{end}}` +
	`{{if .Do}}<form method="post" action="/demo/{{.ID}}">{{range .Asks}}<div class="field"><label for="{{.ID}}">{{.Label}}</label><input id="{{.ID}}" name="{{.Name}}" value="{{.Value}}" maxlength="500" required></div>{{end}}<button>{{.Do}}</button></form>{{end}}` +
	`</section>{{end}}</main></body></html>`))

// deskField is a field of a party's form.
type deskField struct{ ID, Name, Label, Value string }

// deskParty is a party as its page shows it.
type deskParty struct {
	demo.Party
	Name, Note, Open, SentTitle, Do string
	Asks                            []deskField
}

// demoDesk is the page of the outside parties; it stands only in the demonstration.
type demoDesk struct{ *demo.Desk }

// beside answers the page and leaves everything else to the city.
func (d demoDesk) beside(city http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", city)
	around := func(f http.HandlerFunc) http.Handler {
		return http.NewCrossOriginProtection().Handler(httpx.SecurityHeaders(nil, false)(httpx.Readers(httpx.Cookies{})(f)))
	}
	mux.Handle("GET /demo", around(func(w http.ResponseWriter, r *http.Request) { d.show(w, r, nil) }))
	mux.Handle("POST /demo/{party}", around(d.act))
	return mux
}

func (d demoDesk) act(w http.ResponseWriter, r *http.Request) {
	party := r.PathValue("party")
	in, err := httpx.Bind[demo.Saying](r)
	if err == nil {
		err = d.Do(r.Context(), party, in)
	}
	if err != nil {
		d.show(w, r, err)
		return
	}
	http.Redirect(w, r, "/demo?done="+party+"#"+party, http.StatusSeeOther)
}

func (d demoDesk) show(w http.ResponseWriter, r *http.Request, failed error) {
	l := httpx.Lang(r.Context())
	say := func(key string) string { return text.T(l, "demodesk."+key) }
	var all []deskParty
	known := map[string]bool{}
	for _, p := range d.Parties() {
		known[p.ID] = true
		v := deskParty{Party: p, Name: say(p.ID), Open: say("open"), SentTitle: say("sent")}
		if text.Has("demodesk." + p.ID + ".do") {
			v.Do = say(p.ID + ".do")
		}
		if len(p.Sent) == 0 && v.Do != "" && len(p.Asks) > 0 {
			v.Note = say("nothing")
		}
		for _, name := range p.Asks {
			v.Asks = append(v.Asks, deskField{p.ID + "-" + name, name, say(name), say(p.ID + "." + name)})
		}
		all = append(all, v)
	}
	data := map[string]any{
		"Tag": l, "Title": say("title"), "Lead": say("lead"), "Again": say("again"), "CSS": static.Path("m.css"), "All": all,
	}
	if done := r.URL.Query().Get("done"); known[done] {
		data["Done"] = say("done")
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if failed != nil {
		e := fault.Of(failed)
		data["Fault"] = text.Fault(l, e)
		if len(e.Fields) > 0 {
			data["Fault"] = text.Field(l, e.Fields[0])
		}
		w.WriteHeader(httpx.Status(fault.KindOf(failed)))
	}
	_ = deskPage.Execute(w, data) // whoever asked is gone
}
