package cli

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/call/ctifake"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/sim"
	"github.com/rehu-heat/rehu/internal/text"
)

// demoSwitch is the telephone switch at which the callers of the demonstration ring, on this machine only.
type demoSwitch struct {
	fake  *ctifake.Switch
	close func()
}

// playSwitch opens the switch unless the installation has a real one; its fake is nil then.
func playSwitch(ctx context.Context, a *app.App, url string) (*demoSwitch, error) {
	if a.Config.CTI.URL != "" {
		return &demoSwitch{close: func() {}}, nil
	}
	signer := notice.Signer{Account: "demo", Secret: text.T(text.EN, "callpage.phone") + url, Machine: time.Now} //nolint:forbidigo // machine time of a stranger
	l, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	fake := ctifake.New(ctifake.Options{Signer: signer, Now: a.DB.Now})
	srv := &http.Server{Handler: fake, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() { _ = srv.Serve(l) }() // ends with close
	sw, err := call.NewHTTPSwitch(call.SwitchConfig{URL: "http://" + l.Addr().String(), Signer: signer})
	if err != nil {
		_ = srv.Close()
		return nil, err
	}
	a.Calls.Play(sw, &signer)
	fake.Aim(fmt.Sprintf("%s/c/%d/hooks/cti", url, sim.Code), fmt.Sprintf("%s/c/%d/hooks/ivr", url, sim.Code))
	return &demoSwitch{fake: fake, close: func() { _ = srv.Close() }}, nil
}
