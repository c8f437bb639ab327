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
	return r.serve(a, func(string) error { return nil })
}

// serve answers on the installation's address until the context ends. ready hears the address once it is open.
func (r *run) serve(a *app.App, ready func(url string) error) error {
	h, err := newServer(a)
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(r.ctx, "tcp", a.Config.Listen)
	if err != nil {
		return fault.Wrap(err, fault.Down, "cli.cannot_listen", "address", a.Config.Listen, "why", err.Error())
	}
	url := "http://" + l.Addr().String()
	a.Log.InfoContext(r.ctx, "serving", "url", url, "engine", a.DB.Engine(), "version", a.Version(), "cities", a.Cities())
	if len(a.Cities()) == 0 {
		r.note("cli.no_city")
	}
	if err := ready(url); err != nil {
		return err
	}
	work, stop := context.WithCancel(r.ctx)
	defer stop()
	var background sync.WaitGroup
	background.Go(func() { a.Run(work) })
	err = httpx.Serve(r.ctx, l, h, grace)
	stop()
	background.Wait()
	a.Log.InfoContext(context.WithoutCancel(r.ctx), "stopped")
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
