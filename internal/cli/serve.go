package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
)

// grace is how long requests may take to finish when the server stops.
const grace = 20 * time.Second

// serveCmd runs the server.
type serveCmd struct {
	where
	Listen string `name:"listen" placeholder:"ADDR" help:"${listen}"`
	Cities []int  `name:"city" placeholder:"CODE" help:"${serve_city}"`
}

// Run implements the command.
func (c *serveCmd) Run(r *run) error {
	cfg, err := c.load(r)
	if err != nil {
		return err
	}
	if err := cfg.Set("--listen", "listen", c.Listen); err != nil {
		return err
	}
	if err := cfg.Set("--city", "cities", joinInts(c.Cities)); err != nil {
		return err
	}
	if err := cfg.Check(); err != nil {
		return err
	}
	log, err := newLog(r.Err, cfg.Log)
	if err != nil {
		return err
	}
	a, err := app.New(r.ctx, cfg, app.Options{Log: log, Version: r.Version, Alone: true})
	if err != nil {
		return err
	}
	defer a.Close()
	h, err := newServer(a, nil)
	if err != nil {
		return err
	}
	l, err := listen(r.ctx, cfg.Listen)
	if err != nil {
		return err
	}
	a.Log.InfoContext(r.ctx, "serving", "url", urlOf(l), "engine", a.DB.Engine(), "version", a.Version(), "cities", a.Cities())
	if len(a.Cities()) == 0 {
		r.note("cli.no_city")
	}
	err = beside(r.ctx, func(ctx context.Context) error { return httpx.Serve(ctx, l, h, grace) }, a.Run)
	a.Log.InfoContext(context.WithoutCancel(r.ctx), "stopped")
	return err
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "cli.cannot_listen", "address", address, "why", err.Error())
	}
	return l, nil
}

func urlOf(l net.Listener) string { return "http://" + l.Addr().String() }

// beside does background work as long as the main work takes, and waits until all of it has ended.
func beside(ctx context.Context, main func(context.Context) error, background ...func(context.Context)) error {
	ctx, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, work := range background {
		all.Go(func() { work(ctx) })
	}
	err := main(ctx)
	stop()
	all.Wait()
	return err
}

func joinInts(list []int) string {
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, ",")
}

// newLog is the log of a server.
func newLog(w io.Writer, c config.Log) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return nil, fmt.Errorf("log level: %w", err)
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return slog.New(slog.NewTextHandler(w, o)), nil
}

// quietLog is the log of a command: only what its reader should look into.
func quietLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
