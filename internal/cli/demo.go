package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"sync/atomic"
	"text/tabwriter"

	"golang.org/x/sync/errgroup"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/demo"
	"github.com/rehu-heat/rehu/internal/exchange/platformfake"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
)

// demoCmd opens an invented city in the middle of its winter.
type demoCmd struct {
	where
	Listen     string  `name:"listen" placeholder:"ADDR" help:"${listen}"`
	Seed       uint64  `name:"seed" default:"1" placeholder:"N" help:"${demo_seed}"`
	At         string  `name:"at" default:"2026-01-15T08:00" placeholder:"TIME" help:"${demo_at}"`
	Households int     `name:"households" default:"20000" placeholder:"N" help:"${demo_households}"`
	Speed      float64 `name:"speed" default:"1" placeholder:"X" help:"${demo_speed}"`
	JSON       bool    `name:"json" help:"${demo_json}"`
}

// Run implements the command. The address is open from the start and tells whoever comes early to wait.
func (c *demoCmd) Run(r *run) error {
	o, err := c.options()
	if err != nil {
		return err
	}
	cfg, drop, err := c.settings(r)
	if err != nil {
		return err
	}
	defer drop()
	log, err := newLog(r.Err, cfg.Log)
	if err != nil {
		return err
	}
	l, err := listen(r.ctx, cfg.Listen)
	if err != nil {
		return err
	}
	defer l.Close()
	wx, err := newDemoWeChat(r.ctx, &cfg)
	if err != nil {
		return err
	}
	defer wx.l.Close()
	out, err := newDemoOutside(r.ctx, &cfg)
	if err != nil {
		return err
	}
	defer out.close()
	hook := newDemoHook(r.ctx, &cfg)
	defer hook.close()
	a, err := app.New(r.ctx, cfg, app.Options{Log: log, Version: r.Version, Alone: true, Seed: o.Seed, Fast: true})
	if err != nil {
		return err
	}
	defer a.Close()
	g := &gate{}
	all, ctx := errgroup.WithContext(r.ctx)
	all.Go(func() error { return httpx.Serve(ctx, l, g, grace) })
	all.Go(func() error { return wx.serve(ctx) })
	all.Go(func() error { return out.serve(ctx) })
	all.Go(func() error { return hook.serve(ctx) })
	all.Go(func() error { return c.live(ctx, r, a, behind{g, wx, out, hook}, urlOf(l), o) })
	if err := all.Wait(); r.ctx.Err() == nil {
		return err
	}
	return nil // whoever ended it wants no report of what was left undone
}

func (c *demoCmd) options() (demo.Options, error) {
	var check fault.Check
	at, err := civil.ParseInstant(c.At)
	check.That(err == nil, "--at", "field.not_a_time")
	check.That(c.Households >= 100 && c.Households <= 200_000, "--households", "field.out_of_range", "min", 100, "max", 200_000)
	check.That(c.Speed >= 0 && c.Speed <= 1000, "--speed", "field.out_of_range", "min", 0, "max", 1000)
	return demo.Options{Seed: c.Seed, At: at, Households: c.Households, Speed: c.Speed}, check.Err()
}

// settings are those of an installation; where none is named, one that is gone afterwards.
func (c *demoCmd) settings(r *run) (cfg config.Config, drop func(), err error) {
	drop = func() {}
	if cfg, err = c.load(r); err != nil {
		return cfg, drop, err
	}
	if !named(cfg) {
		dir, err := os.MkdirTemp("", "rehu-demo-")
		if err != nil {
			return cfg, drop, err
		}
		drop = func() { os.RemoveAll(dir) }
		if err := cfg.Set("demo", "data", dir); err != nil {
			return cfg, drop, err
		}
	}
	if err := cfg.Set("--listen", "listen", c.Listen); err != nil {
		return cfg, drop, err
	}
	if !cfg.IsSet("log.level") {
		cfg.Log.Level = "warn" // people who look around do not read a log
	}
	return cfg, drop, cfg.Check()
}

// How far the heap may grow between two collections, in hundredths: while the history is made somebody waits, afterwards a
// few people look around on a machine that has other work.
const (
	hurried = 400
	calm    = 40
)

// live makes the city's history, opens the doors and lets the city live on.
func (c *demoCmd) live(ctx context.Context, r *run, a *app.App, b behind, url string, o demo.Options) error {
	p := r.progress()
	o.Progress = func(step demo.Step, percent int) { p.part(r.say("cli.demo."+string(step)), percent) }
	debug.SetGCPercent(hurried)
	info, err := demo.Prepare(ctx, a, o)
	debug.SetGCPercent(calm)
	p.done()
	if err != nil {
		return err
	}
	if err := a.DB.Relax(ctx); err != nil { // a whole season was lived through; serving needs far less
		return err
	}
	debug.FreeOSMemory()
	sms, err := playSMS(ctx, a)
	if err != nil {
		return err
	}
	defer sms.close()
	sw, err := playSwitch(ctx, a, url)
	if err != nil {
		return err
	}
	defer sw.close()
	o.Switch = sw.fake
	h, err := newServer(a, b.wx.phone())
	if err != nil {
		return err
	}
	o.Met = &atomic.Pointer[platformfake.Platform]{}
	b.hook.join(ctx, a)
	desk := demoDesk{&demo.Desk{App: a, At: url, SMS: sms.fake, WeChat: b.wx.fake, Out: b.out.fake, Switch: sw.fake, Hook: b.hook.fake, Met: o.Met}}
	b.gate.open(desk.beside(sms.beside(h)))
	if err := b.wx.join(ctx, a, url, o); err != nil {
		return err
	}
	b.out.join(ctx, a, o)
	if err := c.show(r, url, info); err != nil {
		return err
	}
	return beside(ctx, func(ctx context.Context) error { return demo.Live(ctx, a, o) }, a.Run)
}

// show tells where the city is and who can log in.
func (c *demoCmd) show(r *run, url string, info demo.Info) error {
	if c.JSON {
		e := json.NewEncoder(r.Out)
		e.SetEscapeHTML(false)
		return e.Encode(struct {
			URL string `json:"url"`
			demo.Info
		}{url, info})
	}
	if err := r.line("cli.demo_ready", "url", url); err != nil {
		return err
	}
	t := tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', 0)
	for _, l := range info.Logins {
		fmt.Fprintf(t, "%s\t%s\t%s\n", l.User, l.Password, r.say("role."+l.Role))
	}
	for _, phone := range info.Residents {
		fmt.Fprintf(t, "%s\t\t%s\n", phone, r.say("role.resident"))
	}
	fmt.Fprintf(t, "Open311\t%s\t\nAPI\t%s\t\n", info.Open311Key, info.APIToken)
	return t.Flush()
}

// behind is what stands before and beside the city: its door, and the outside parties that are played.
type behind struct {
	gate *gate
	wx   *demoWeChat
	out  *demoOutside
	hook *demoHook
}

// gate lets nobody in until there is something behind it.
type gate struct{ next atomic.Pointer[http.Handler] }

func (g *gate) open(h http.Handler) { g.next.Store(&h) }

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := g.next.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	w.Header().Set("Retry-After", "5")
	httpx.WriteProblem(w, r, fault.New(fault.Down, "cli.not_ready"))
}
