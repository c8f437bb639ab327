package cli

import (
	"encoding/json"
	"net/http"

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
	Seed       uint64  `name:"seed" default:"1" placeholder:"N" help:"${demo_seed}"`
}

// Run implements the command.
func (c *benchCmd) Run(r *run) error {
	if len(c.Names) == 0 {
		c.Names = bench.Names()
	}
	hall := bench.Hall{
		Minutes: c.Minutes, Seats: c.Seats, Residents: c.Residents, Rate: c.Rate, Households: c.Households, Seed: c.Seed,
		Server: func(a *app.App) (http.Handler, error) { return newServer(a, nil) },
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
