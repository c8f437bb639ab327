package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/bundle"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/settle"
)

// seasonOfACity is how many refunds the file of a season has that is checked.
const seasonOfACity = 100_000

// verification measures the check of a season's file, every chain and every sum anew, against reading the same bytes: ns are
// for one household. The memory is that of the whole process, which wrote the file before.
func verification(ctx context.Context, o Options, out func(Line) error) error {
	n := o.N
	if n == 0 {
		n = seasonOfACity
	}
	f, err := os.CreateTemp("", "rehu-bench-*.jsonl")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := seasonFile(ctx, o, n, f); err != nil {
		return err
	}
	pass := func(read func(io.Reader) error) (int64, error) {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
		start := time.Now()
		err := read(f)
		return time.Since(start).Nanoseconds() / int64(n), err
	}
	raw, err := pass(func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err })
	if err != nil {
		return err
	}
	ours, err := pass(func(r io.Reader) error {
		report, err := bundle.Verify(r, bundle.Verification{})
		if err == nil && report.Claims != int64(n) {
			err = fmt.Errorf("%d of %d refunds were checked", report.Claims, n)
		}
		return err
	})
	if err != nil {
		return err
	}
	return out(line("verify", nil, n, ours, raw, 0))
}

// seasonFile writes the file of a settled season with so many refunds, and leaves no database behind.
func seasonFile(ctx context.Context, o Options, n int, f *os.File) error {
	p, err := open(ctx, Options{Fast: true}, nil)
	if err != nil {
		return err
	}
	defer p.close()
	p.db.SetClock(func() civil.Instant { return civil.On(civil.NewDate(2026, 4, 1), 9, 0) })
	city, err := coldCity(ctx, p.db, n, o)
	if err != nil {
		return err
	}
	by := actor.SystemFor("bench", actor.Command)
	p.db.SetClock(func() civil.Instant { return civil.On(civil.NewDate(2026, 4, 1), 10, 0) })
	if _, err := city.Settle(ctx, by, settle.RunInput{City: settleCity, Season: settleSeason}); err != nil {
		return err
	}
	b := bundle.New(bundle.Options{DB: p.db, Ring: city.ring, Program: "rehu bench", Settle: city.Service, Places: city.places, Fees: city.fees})
	w := bufio.NewWriter(f)
	err = b.ExportSeason(ctx, by, bundle.SeasonRequest{City: settleCity, Season: settleSeason}, w)
	return errors.Join(err, w.Flush())
}
