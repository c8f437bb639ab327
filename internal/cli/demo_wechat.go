package cli

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/demo"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/sim"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web"
	"github.com/rehu-heat/rehu/internal/wechat"
	"github.com/rehu-heat/rehu/internal/wechat/wechatfake"
)

// demoWeChat is the WeChat that the demonstration talks to instead of the real one.
type demoWeChat struct {
	fake *wechatfake.Server
	l    net.Listener
}

// newDemoWeChat opens it on this machine only and puts the credentials into the settings.
func newDemoWeChat(ctx context.Context, cfg *config.Config) (*demoWeChat, error) {
	l, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	fake, err := demo.NewWeChat(time.Now) //nolint:forbidigo // machine time of a stranger
	if err != nil {
		return nil, err
	}
	if cfg.Credentials == nil {
		cfg.Credentials = map[string]string{}
	}
	for _, app := range []wechat.App{wechat.Official, wechat.Mini} {
		cfg.Credentials[demo.WeChatCredential(app)] = demo.Credential(fake, app, urlOf(l))
	}
	return &demoWeChat{fake, l}, nil
}

// serve answers as WeChat does.
func (d *demoWeChat) serve(ctx context.Context) error {
	return httpx.Serve(ctx, d.l, http.Handler(d.fake), grace)
}

// phone is the telephone that the pages show.
func (d *demoWeChat) phone() *web.Phone {
	return &web.Phone{City: sim.Code, Fake: d.fake, Official: demo.OfficialID, Name: text.T(text.ZH, "demo.wechat.official")}
}

// join sets the accounts up and lets a few residents write. What goes wrong there is logged: the city lives on without.
func (d *demoWeChat) join(ctx context.Context, a *app.App, at string, o demo.Options) error {
	if err := demo.JoinWeChat(ctx, a, d.fake, at); err != nil {
		return err
	}
	if err := demo.FollowWeChat(ctx, d.fake, o); err != nil && ctx.Err() == nil {
		a.Log.WarnContext(ctx, "residents in WeChat could not write", "error", err)
	}
	return nil
}
