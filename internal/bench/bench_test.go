package bench_test

import (
	"context"
	"testing"

	"github.com/rehu-heat/rehu/internal/bench"
)

// TestRun lets every benchmark run on a small number, so that none is broken when it is needed.
func TestRun(t *testing.T) {
	t.Parallel()
	for _, name := range bench.Names() {
		if name == "hall" {
			continue // it needs the doors, which stand after this package: test/testdata/bench.txtar lets it run
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			err := bench.Run(context.Background(), name, bench.Options{N: 60}, func(l bench.Line) error {
				n++
				if l.Bench == "" || l.OursNS <= 0 {
					t.Errorf("line %+v", l)
				}
				return nil
			})
			if err != nil || n == 0 {
				t.Errorf("%s: %d lines, %v", name, n, err)
			}
		})
	}
	if err := bench.Run(context.Background(), "nothing", bench.Options{}, nil); err == nil {
		t.Error("a benchmark that does not exist ran")
	}
}
