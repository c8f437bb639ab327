package measure_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/measure"
)

// A tester with a broken instrument keeps no time and excuses nobody: the agreed time breaks, the company is late, and no
// form of the visit that comes afterwards undoes it.
func TestACompanyThatCouldNotMeasureIsLate(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		from := w.now.Now().Add(time.Hour)
		m, err := w.m.Propose(ctx, north, measure.Proposal{Act: act(m), From: from, To: from.Add(2 * time.Hour), Recording: "r-1", Wish: true})
		must(t, err)
		w.now.Advance(90 * time.Minute)
		r, err := w.m.Submit(ctx, worker, measure.Submission{City: city, Visit: w.visitID(1), Measurement: m.ID, Arrival: w.arrival(measure.Unable, w.now.Now())})
		must(t, err)
		if r.Measurement.State != measure.Requested || r.Measurement.DueAt != m.DueAt || r.Measurement.From != from || len(r.Documents) != 0 {
			t.Errorf("after the visit: %s, due %s, appointed %s, %d documents", r.Measurement.State, r.Measurement.DueAt, r.Measurement.From, len(r.Documents))
		}
		w.now.Advance(3 * time.Hour)
		w.work()
		v := w.get(m.ID)
		if v.State != measure.Missed || v.Misses != 1 || v.Appointments[0].State != measure.Broken {
			t.Errorf("%s, %d misses, appointment %s", v.State, v.Misses, v.Appointments[0].State)
		}
		late := w.arrival(measure.Unable, from.Add(10*time.Minute))
		_, err = w.m.Submit(ctx, worker, measure.Submission{City: city, Visit: w.visitID(2), Measurement: m.ID, Arrival: late})
		must(t, err)
		if v = w.get(m.ID); v.State != measure.Missed || v.Misses != 1 {
			t.Errorf("a second such form: %s, %d misses", v.State, v.Misses)
		}
		if got := w.types(); got != "request unable_by_company unable_by_company appointment missed_by_company" {
			t.Errorf("events are %s", got)
		}
		doors, err := w.m.Doors(ctx, north, city, measure.DoorsQuery{})
		must(t, err)
		want := []measure.Doors{{Company: "C1", Visits: 2, Unable: 2, Causes: map[measure.Cause]int{measure.BrokenTool: 2}}}
		if diff := cmp.Diff(want, doors.Items); diff != "" {
			t.Error(diff)
		}
		if others, err := w.m.Doors(ctx, south, city, measure.DoorsQuery{}); err != nil || len(others.Items) != 0 {
			t.Errorf("another company counts %+v, %v", others.Items, err)
		}
		list, err := w.m.List(ctx, regulator, city, measure.Filter{Outcome: measure.Unable})
		if err != nil || len(list.Items) != 1 {
			t.Errorf("%d measurements with such a visit, %v", len(list.Items), err)
		}
		_, err = w.m.Doors(ctx, north, city, measure.DoorsQuery{From: civil.NewDate(2026, 2, 1), To: civil.NewDate(2026, 1, 1)})
		wantKind(t, err, fault.Invalid)
	})
}

// Nobody but the company itself has such a cause, and it says which.
func TestOnlyTheCompanyCouldNotMeasure(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		send := func(by actor.Actor, change func(a *measure.Arrival, in *measure.Submission)) error {
			in := measure.Submission{City: city, Visit: w.visitID(1), Measurement: m.ID, Arrival: w.arrival(measure.Unable, w.now.Now())}
			if change != nil {
				change(in.Arrival, &in)
			}
			_, err := w.m.Submit(ctx, by, in)
			return err
		}
		wantKind(t, send(regulator, nil), fault.Invalid)
		wantKind(t, send(worker, func(a *measure.Arrival, _ *measure.Submission) { a.Cause = "" }), fault.Invalid)
		wantKind(t, send(worker, func(a *measure.Arrival, _ *measure.Submission) { a.Cause = measure.OtherCause }), fault.Invalid)
		wantKind(t, send(worker, func(a *measure.Arrival, _ *measure.Submission) { a.Outcome = measure.NobodyIn }), fault.Invalid)
		wantKind(t, send(worker, func(_ *measure.Arrival, in *measure.Submission) { in.Readings = w.reading("17.0", w.now.Now()) }), fault.Invalid)
		must(t, send(worker, nil))
		w.visit(worker, m, 2, "16.0")
		if v := w.get(m.ID); v.State != measure.Failed {
			t.Errorf("after a later test: %s", v.State)
		}
		if got := w.types(); got != "request unable_by_company test" && got != "request test unable_by_company" {
			t.Errorf("events are %s", got)
		}
	})
}
