package cli

import (
	"encoding/json"

	"github.com/rehu-heat/rehu/internal/bench"
)

// benchCmd measures what the product promises about speed.
type benchCmd struct {
	Names    []string `arg:"" optional:"" name:"name" enum:"intake,attribute,list,settle,verify" help:"${bench_name}"`
	N        int      `name:"n" placeholder:"N" help:"${bench_n}"`
	Data     string   `name:"data" placeholder:"DIR" help:"${bench_data}"`
	Database string   `name:"database" placeholder:"URL" help:"${bench_database}"`
}

// Run implements the command.
func (c *benchCmd) Run(r *run) error {
	if len(c.Names) == 0 {
		c.Names = bench.Names()
	}
	out := json.NewEncoder(r.Out)
	for _, name := range c.Names {
		p := r.progress()
		err := bench.Run(r.ctx, name, bench.Options{URL: c.Database, Dir: c.Data, N: c.N, Progress: p.of}, func(l bench.Line) error { return out.Encode(l) })
		p.done()
		if err != nil {
			return err
		}
	}
	return nil
}
