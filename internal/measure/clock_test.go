package measure_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/text"
)

// told says who was told of a measurement's own clocks.
func told(v measure.View) []string {
	var out []string
	for _, k := range v.Clocks {
		for _, m := range k.Told(v.ClockEntries) {
			out = append(out, m.In(text.EN))
		}
	}
	return out
}

// A request without a case has the clock that a case's request would have: the company's, by the pack's limit, with its
// steps told to whom the pack names, until somebody measured. A cure starts the clock of the re-test.
func TestARequestWithoutACaseHasItsClocks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		k := w.get(m.ID).Clocks
		if len(k) != 1 || k[0].Code != "measure" || k[0].Due != m.DueAt || k[0].Org != "C1" || k[0].State != clock.Running {
			t.Fatalf("the clocks of the request are %+v, want one to %s", k, m.DueAt)
		}
		w.now.Advance(19 * time.Hour)
		w.work()
		if diff := cmp.Diff([]string{"Warning at 16 Jan 2026 03:00: Heating company was told."}, told(w.get(m.ID))); diff != "" {
			t.Errorf("who was told when a quarter is left: %s", diff)
		}
		r := w.visit(worker, m, 1, "16.4")
		v := w.get(m.ID)
		if k := v.Clocks[0]; k.State != clock.Stopped || k.Stopped != r.Visit.At || k.Late(d.Now()) {
			t.Errorf("after the test the clock is %+v", k)
		}
		w.now.Advance(time.Hour)
		_, err := w.m.ClaimCure(ctx, north, measure.Curing{Act: measure.Act{City: city, ID: m.ID}, Text: "排气"})
		must(t, err)
		w.now.Advance(25 * time.Hour)
		w.work()
		v = w.get(m.ID)
		if len(v.Clocks) != 2 || v.Clocks[1].Code != "retest" || v.Clocks[1].Breached != v.Clocks[1].Due {
			t.Fatalf("a re-test that nobody did: %+v", v.Clocks)
		}
		if got, want := w.warned[len(w.warned)-1][len("01-17 05:00 "):], "retest overdue leader"; got != want {
			t.Errorf("the last step told is %q, want %q", got, want)
		}
		w.visit(worker, m, 2, "18.4")
		if k := w.get(m.ID).Clocks[1]; k.State != clock.Stopped || !k.Late(d.Now()) {
			t.Errorf("a re-test that came late leaves the clock %+v", k)
		}
		if l := w.log(); !l.Chain.Sound {
			t.Errorf("the chain of the home does not hold: %+v", l.Chain)
		}
	})
}

// An agreed appointment moves the clock as it moves a case's; a request that is withdrawn is late no more.
func TestAnAppointmentMovesTheOwnClock(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		from := dbtest.Start.Add(28 * time.Hour)
		_, err := w.m.Propose(ctx, north, measure.Proposal{Act: measure.Act{City: city, ID: m.ID}, From: from, To: from.Add(2 * time.Hour), Recording: "r1"})
		must(t, err)
		v := w.get(m.ID)
		if k := v.Clocks[0]; k.Due != from.Add(2*time.Hour) || v.DueAt != k.Due {
			t.Fatalf("the clock ends %s, the promise %s, want %s", k.Due, v.DueAt, from.Add(2*time.Hour))
		}
		w.now.Advance(25 * time.Hour)
		w.work()
		if k := w.get(m.ID).Clocks[0]; !k.Breached.IsZero() {
			t.Errorf("late before the agreed time is over: %+v", k)
		}
		_, err = w.m.Withdraw(ctx, seat, measure.Act{City: city, ID: m.ID, Reason: "已自行排气"})
		must(t, err)
		if k := w.get(m.ID).Clocks[0]; k.State != clock.Stopped || k.Late(d.Now()) {
			t.Errorf("a withdrawn request leaves the clock %+v", k)
		}
	})
}

// A case that joins a request takes its duty over: the request's clock ends uncounted, unless it was late before.
func TestACaseTakesTheClockOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after time.Duration
		want  clock.State
		late  bool
	}{"in time": {time.Hour, clock.Void, false}, "late before": {25 * time.Hour, clock.Stopped, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d)
				m := w.asks()
				w.now.Advance(c.after)
				w.work()
				o, err := w.cases.Open(ctx, seat, cases.Opening{
					City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "家里暖气不热", Category: "cold_home",
					Details: cases.Details{Since: "昨晚", Neighbours: "no", Leak: "no"}, Relation: "self", Caller: cases.Party{Name: "王桂兰", Phone: "13800000001"},
					Address: "向阳花园3号楼2单元601", Room: "601", Scope: cases.Home, TestRequest: "yes", Nature: citypack.Repair,
				})
				must(t, err)
				v := w.get(m.ID)
				if k := v.Clocks[0]; v.Case != o.Case.ID || k.State != c.want || k.Late(d.Now()) != c.late {
					t.Errorf("case %s: the clock is %s, late %v; want %s, %v", v.CaseNo, k.State, k.Late(d.Now()), c.want, c.late)
				}
			})
		})
	}
}
