package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/bench"
)

// benchCmd measures what the product promises about speed.
type benchCmd struct {
	Names    []string `arg:"" optional:"" name:"name" enum:"intake,attribute,list,settle,verify,hall" help:"${bench_name}"`
	N        int      `name:"n" placeholder:"N" help:"${bench_n}"`
	Data     string   `name:"data" placeholder:"DIR" help:"${bench_data}"`
	Database string   `name:"database" placeholder:"URL" help:"${bench_database}"`

	Minutes    float64 `name:"minutes" default:"3" placeholder:"N" help:"${bench_minutes}"`
	Seats      int     `name:"seats" default:"200" placeholder:"N" help:"${bench_seats}"`
	Residents  int     `name:"residents" default:"2000" placeholder:"N" help:"${bench_residents}"`
	Rate       int     `name:"rate" default:"1600" placeholder:"N" help:"${bench_rate}"`
	Households int     `name:"households" placeholder:"N" help:"${bench_households}"`
	WarmUp     float64 `name:"warm-up" default:"15" placeholder:"N" help:"${bench_warm_up}"`
	Profile    string  `name:"profile" placeholder:"FILE" help:"${bench_profile}"`
	Seed       uint64  `name:"seed" default:"1" placeholder:"N" help:"${demo_seed}"`
}

// Run implements the command.
func (c *benchCmd) Run(r *run) error {
	if len(c.Names) == 0 {
		c.Names = bench.Names()
	}
	hall := bench.Hall{
		Minutes: c.Minutes, Seats: c.Seats, Residents: c.Residents, Rate: c.Rate, Households: c.Households, Seed: c.Seed,
		WarmUp: time.Duration(c.WarmUp * float64(time.Second)), Profile: c.Profile, Start: r.hallServer,
	}
	out := json.NewEncoder(r.Out)
	for _, name := range c.Names {
		p := r.progress()
		err := bench.Run(r.ctx, name, bench.Options{URL: c.Database, Dir: c.Data, N: c.N, Progress: p.of, Hall: hall}, func(l bench.Line) error { return out.Encode(l) })
		p.done()
		if err != nil {
			return err
		}
	}
	return nil
}

// hallServer is this program once more, as the server of the hall.
func (r *run) hallServer(ctx context.Context) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, hallServerName)
	cmd.Args[0], cmd.Env, cmd.Stderr = "rehu", r.Environ(), r.Err
	return cmd, nil
}

// hallServerName is how the bench calls its other half.
const hallServerName = "bench-hall-server"

// hallServerCmd is the other half of `rehu bench hall`, which starts it; nobody types it.
type hallServerCmd struct{}

// Run implements the command.
func (c *hallServerCmd) Run(r *run) error {
	return bench.ServeHall(r.ctx, func(a *app.App) (http.Handler, error) { return newServer(a, nil) }, r.In, r.Out)
}
