package cli

import (
	"context"
	"html/template"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/notice/smsfake"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/static"
)

// demoSMS is the SMS gateway that the demonstration talks to instead of a real one, on this machine only, with a page that
// shows what it was given.
type demoSMS struct {
	fake  *smsfake.Gateway
	close func()
}

// playSMS opens the gateway unless the installation has a real one; its fake is nil then.
func playSMS(ctx context.Context, a *app.App) (*demoSMS, error) {
	if a.Config.SMS.URL != "" {
		return &demoSMS{close: func() {}}, nil
	}
	signer := notice.Signer{Account: "demo", Secret: text.T(text.EN, "demo.sms.title"), Machine: time.Now} //nolint:forbidigo // machine time of a stranger
	l, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	fake := smsfake.New(signer)
	srv := &http.Server{Handler: fake, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() { _ = srv.Serve(l) }() // ends with close
	g, err := notice.NewSMSGateway(notice.SMSConfig{URL: "http://" + l.Addr().String() + "/send", Signer: signer})
	if err != nil {
		_ = srv.Close()
		return nil, err
	}
	a.Notices.Play(notice.SMS, g)
	a.Notices.Hear(signer)
	return &demoSMS{fake: fake, close: func() { _ = srv.Close() }}, nil
}

// mostShown is how many messages the page shows.
const mostShown = 30

var smsPage = template.Must(template.New("sms").Parse(`<!DOCTYPE html><html lang="{{.Tag}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">` +
	`<title>{{.Title}}</title><link rel="stylesheet" href="{{.CSS}}"></head><body><main><h1>{{.Title}}</h1><p class="note warn">{{.Lead}}</p>` +
	`<a class="btn" href="/demo/sms">{{.Again}}</a>{{range .All}}<section class="card"><h2>{{.To}}</h2><p>{{.Text}}</p></section>{{else}}<p class="empty">{{.None}}</p>{{end}}</main></body></html>`))

// beside answers the page of the gateway and leaves everything else to the city.
func (d *demoSMS) beside(city http.Handler) http.Handler {
	if d.fake == nil {
		return city
	}
	mux := http.NewServeMux()
	mux.Handle("/", city)
	show := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := httpx.Lang(r.Context())
		all := d.fake.Sent()
		slices.Reverse(all)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_ = smsPage.Execute(w, map[string]any{ // whoever asked is gone
			"Tag": l, "Title": text.T(l, "demo.sms.title"), "Lead": text.T(l, "demo.sms.lead"), "None": text.T(l, "demo.sms.none"), "Again": text.T(l, "demo.sms.again"),
			"CSS": static.Path("m.css"), "All": all[:min(len(all), mostShown)],
		})
	})
	mux.Handle("GET /demo/sms", httpx.SecurityHeaders(nil, false)(httpx.Readers(httpx.Cookies{})(show)))
	return mux
}
