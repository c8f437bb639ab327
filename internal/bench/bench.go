// Package bench measures what the product promises about speed, on the machine and the database at hand: how long a call
// takes from the seat's key to the company's list, how fast an address finds its company, how fast a list opens among a
// million cases, how a whole hall holds when everybody comes at once. `rehu bench` prints its lines.
//
// Where a promise is a ratio, both sides run in one process on the same database: ours through the use case, and the same
// statements issued by hand, a transaction each.
package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/db"
)

// Line is one result.
type Line struct {
	Bench  string  `json:"bench"`
	Engine string  `json:"engine"`
	N      int     `json:"n"`
	OursNS int64   `json:"ours_ns"`
	RawNS  int64   `json:"raw_ns"`
	Ratio  float64 `json:"ratio"`
	P99MS  float64 `json:"p99_ms"`
	RSSMB  float64 `json:"rss_mb"`

	// Of the hall.
	P50MS   float64 `json:"p50_ms,omitempty"`
	P95MS   float64 `json:"p95_ms,omitempty"`
	MaxMS   float64 `json:"max_ms,omitempty"`
	Errors  int     `json:"errors,omitempty"`
	Lost    *int    `json:"lost,omitempty"`    // acknowledged and not found afterwards
	Doubled *int    `json:"doubled,omitempty"` // one matter, several cases
	Few     bool    `json:"few,omitempty"`     // fewer than a hundred samples: p99 is the largest
	Sent    int     `json:"sent,omitempty"`    // matters, those while it warmed up included

	Requests   int     `json:"requests,omitempty"`
	CPUMS      float64 `json:"cpu_ms,omitempty"`      // user and system time of the server for each of them, live updates and jobs included
	CPUPercent float64 `json:"cpu_percent,omitempty"` // of one core
	Load       string  `json:"load,omitempty"`        // of the machine, when measuring began and when it ended
	WarmUpS    float64 `json:"warm_up_s,omitempty"`   // not measured
	Rate       int     `json:"rate,omitempty"`        // intakes an hour
}

// Options say what is measured and where.
type Options struct {
	URL      string // postgres://… of an empty database; empty: SQLite
	Dir      string // where SQLite's file is kept; empty: a folder that is gone afterwards
	Fast     bool   // what is written need not survive a power cut
	N        int    // how many; 0: the bench's own number
	Progress func(done, total int)
	Hall     Hall
}

func (o Options) tell(done, total int) {
	if o.Progress != nil {
		o.Progress(done, total)
	}
}

// Names lists the benchmarks.
func Names() []string { return []string{"intake", "attribute", "list", "settle", "verify", "hall"} }

// Run measures one of them and hands its lines to out.
func Run(ctx context.Context, name string, o Options, out func(Line) error) error {
	switch name {
	case "intake":
		return intake(ctx, o, out)
	case "attribute":
		return attribute(ctx, o, out)
	case "settle":
		return settlement(ctx, o, out)
	case "verify":
		return verification(ctx, o, out)
	case "hall":
		return hallBench(ctx, o, out)
	case "list":
		return lists(ctx, o, out)
	}
	return fmt.Errorf("no benchmark %q, only %s", name, strings.Join(Names(), ", "))
}

// place is a database to measure on, gone afterwards.
type place struct {
	db    *db.DB
	close func()
}

func open(ctx context.Context, o Options, trace db.Trace) (place, error) {
	where := db.Options{URL: o.URL, Trace: trace, Fast: o.Fast}
	drop := func() {}
	switch {
	case o.URL != "":
	case o.Dir != "":
		where.File = filepath.Join(o.Dir, "bench.db")
	default:
		dir, err := os.MkdirTemp("", "rehu-bench-")
		if err != nil {
			return place{}, err
		}
		where.File, drop = filepath.Join(dir, "bench.db"), func() { os.RemoveAll(dir) }
	}
	d, err := db.Open(ctx, where)
	if err != nil {
		drop()
		return place{}, err
	}
	if _, err := d.Migrate(ctx); err != nil {
		d.Close()
		drop()
		return place{}, err
	}
	return place{d, func() { d.Close(); drop() }}, nil
}

// timed runs fn n times and gives the mean and the 99th percentile.
func timed(n int, fn func(i int) error) (mean int64, p99 float64, err error) {
	took := make([]time.Duration, n)
	start := time.Now()
	for i := range n {
		at := time.Now()
		if err := fn(i); err != nil {
			return 0, 0, err
		}
		took[i] = time.Since(at)
	}
	mean = time.Since(start).Nanoseconds() / int64(n)
	slices.Sort(took)
	return mean, float64(took[min(n-1, n*99/100)].Microseconds()) / 1000, nil
}

// rss is the memory of this process in megabytes.
func rss() float64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		if f := strings.Fields(string(b)); len(f) > 1 {
			if pages, err := strconv.ParseFloat(f[1], 64); err == nil {
				return pages * float64(os.Getpagesize()) / 1e6
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.Sys) / 1e6
}

func line(name string, d *db.DB, n int, ours, raw int64, p99 float64) Line {
	l := Line{Bench: name, Engine: "memory", N: n, OursNS: ours, RawNS: raw, P99MS: p99, RSSMB: rss()}
	if d != nil {
		l.Engine = string(d.Engine())
	}
	if raw > 0 {
		l.Ratio = float64(ours*100/raw) / 100
	}
	return l
}
