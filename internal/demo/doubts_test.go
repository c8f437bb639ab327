package demo_test

import (
	"testing"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/demo"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sim"
)

// The city lives through every way from a doubt to its end: times that were agreed, declined and moved, doors that stayed
// closed and were denied, companies that did not come, laboratories, findings, re-tests after a cure.
func TestDoubtsAreLivedThrough(t *testing.T) {
	t.Parallel()
	a := install(t, t.TempDir(), "")
	prepare(t, a, demo.Options{Seed: 1, Households: 8_000, At: civil.On(civil.NewDate(2025, 12, 4), 8, 0)})
	seen := map[string]int{}
	f := measure.Filter{Request: page.Request{Size: page.MaxSize}}
	for {
		list, err := a.Measure.List(t.Context(), owner, sim.Code, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list.Items {
			v, err := a.Measure.Get(t.Context(), owner, sim.Code, m.ID)
			if err != nil {
				t.Fatal(err)
			}
			note(seen, v)
		}
		if f.After = list.Next; f.After == "" {
			break
		}
	}
	decided, err := a.Findings.List(t.Context(), owner, sim.Code, finding.Filter{State: finding.Issued, Request: page.Request{Size: page.MaxSize}})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range decided.Items {
		seen["finding on "+string(one.Ground)]++
	}
	for _, what := range []string{
		"state conforming", "state missed", "appointment kept", "appointment declined", "record missed", "record lab_report", "re-test", "denied", "finding on result", "finding on absent",
	} {
		if seen[what] == 0 {
			t.Errorf("nothing of the sort: %s; there is %v", what, seen)
		}
	}
}

func note(seen map[string]int, v measure.View) {
	seen["state "+string(v.State)]++
	for _, x := range v.Appointments {
		seen["appointment "+string(x.State)]++
	}
	for _, r := range v.Records {
		seen["record "+string(r.Kind)]++
	}
	for _, x := range v.Visits {
		if x.Retest && x.Readings != nil {
			seen["re-test"]++
		}
		if x.Disputed {
			seen["denied"]++
		}
	}
}
