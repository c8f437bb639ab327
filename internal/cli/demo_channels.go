package cli

import (
	"context"
	"crypto/rand"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/demo"
	"github.com/rehu-heat/rehu/internal/httpx"
)

// demoOutside are Weibo, the monitoring vendor and the post office that the demonstration talks to, on this machine only.
type demoOutside struct {
	fake *demo.Outside
	l    net.Listener
	dir  string // of the post office's certificate
}

// newDemoOutside opens them and puts the credentials into the settings.
func newDemoOutside(ctx context.Context, cfg *config.Config) (*demoOutside, error) {
	l, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "rehu-demo-post-")
	if err != nil {
		l.Close()
		return nil, err
	}
	d := &demoOutside{l: l, dir: dir}
	d.fake, err = demo.NewOutside(urlOf(l), rand.Text(), rand.Text(), filepath.Join(dir, "ca.pem"), time.Now()) //nolint:forbidigo // machine time of a stranger
	if err != nil {
		d.close()
		return nil, err
	}
	if cfg.Credentials == nil {
		cfg.Credentials = map[string]string{}
	}
	maps.Copy(cfg.Credentials, d.fake.Credentials())
	return d, nil
}

func (d *demoOutside) close() {
	d.l.Close()
	if d.fake != nil {
		d.fake.Post.Close()
	}
	os.RemoveAll(d.dir)
}

// serve answers as Weibo and the vendor do.
func (d *demoOutside) serve(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("/2/", d.fake.Weibo)
	mux.Handle("/feed.json", d.fake.Feed)
	return httpx.Serve(ctx, d.l, mux, grace)
}

// join sets the accounts up and lets people write. What goes wrong there is logged: the city lives on without.
func (d *demoOutside) join(ctx context.Context, a *app.App, o demo.Options) {
	if err := d.fake.Join(ctx, a, o); err != nil && ctx.Err() == nil {
		a.Log.WarnContext(ctx, "people outside could not write", "error", err)
	}
}
