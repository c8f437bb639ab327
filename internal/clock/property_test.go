package clock_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
)

// Whatever pauses a limit meets and whatever shift it is counted in, the ledger's due time is the calendar's, which is
// tested against a minute-by-minute simulation (lesson 4).
func TestDueTimesAreTheCalendars(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	units := []calendar.Unit{calendar.Minutes, calendar.Hours, calendar.WorkingHours, calendar.Days, calendar.WorkingDays}
	rules := map[string]*citypack.Rules{}
	limit := "{kinds: [quality, leak, facility], amount: 24, unit: hour"
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		unit := rapid.SampledFrom(units).Draw(rt, "unit")
		amount := rapid.SampledFrom([]int{1, 3, 7, 30}).Draw(rt, "amount")
		name := fmt.Sprintf("amount: %d, unit: %s", amount, unit)
		if rules[name] == nil {
			rules[name] = rulesOf(t, limit, "{kinds: [quality, leak, facility], "+name)
		}
		w.rules = rules[name]
		n++
		id := fmt.Sprintf("p%d", n)
		s := w.subject(id, "cold_home")
		from := civil.On(civil.NewDate(2026, 1, 20), 0, 0).Add(time.Duration(rapid.IntRange(0, 60*24*45).Draw(rt, "from")) * time.Minute)
		w.event(s, citypack.EventDelivered, from, c1)
		in := calendar.Input{
			Limit: calendar.Of(amount, unit), From: from,
			Shifts: calendar.Shifts{{"08:30", "12:00"}, {"14:00", "17:30"}},
		}
		pauses(rt, w, s, &in)
		want, err := w.rules.Calendar.Due(in)
		if err != nil {
			rt.Fatal(err)
		}
		if got := w.clocks(id)["feedback/C1/D1"]; got.Due != want.Due {
			rt.Fatalf("%s from %s with pauses %v: due %s; want %s", name, from, in.Pauses, got.Due, want.Due)
		}
	})
}

// pauses stops and resumes the clock a few times before it ends, and writes the pauses down for the calendar.
func pauses(rt *rapid.T, w *world, s clock.Subject, in *calendar.Input) {
	at := in.From
	for range rapid.IntRange(0, 3).Draw(rt, "pauses") {
		at = at.Add(time.Duration(rapid.IntRange(0, 600).Draw(rt, "after")) * time.Minute)
		until := at.Add(time.Duration(rapid.IntRange(0, 4000).Draw(rt, "length")) * time.Minute)
		r, err := w.rules.Calendar.Due(*in)
		if err != nil {
			rt.Fatal(err)
		}
		if !at.Before(r.Due) {
			return // what is late is not paused
		}
		w.do(func(tx *db.Tx) error {
			if err := w.ledger.Pause(ctx, tx, w.rules, s, []string{citypack.ClockFeedback}, at, why); err != nil {
				return err
			}
			return w.ledger.Resume(ctx, tx, w.rules, s, []string{citypack.ClockFeedback}, until, why)
		})
		in.Pauses = append(in.Pauses, calendar.Pause{From: at, To: until})
		at = until
	}
}

// BenchmarkEvent is what a filed and dispatched case pays for its seven clocks.
func BenchmarkEvent(b *testing.B) {
	w := newWorld(b, dbtest.SQLite(b))
	events := []clock.Happened{
		{Event: citypack.EventFirstSaid, At: at(8, 0)}, {Event: citypack.EventCompanyTold, At: at(8, 0)}, {Event: citypack.EventDelivered, At: at(8, 0)},
	}
	n := 0
	for b.Loop() {
		n++
		s := w.subject(fmt.Sprint(n), "cold_home")
		s.New = true
		w.do(func(tx *db.Tx) error { return w.ledger.Events(ctx, tx, w.rules, s, events, c1) })
	}
}
