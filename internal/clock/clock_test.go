package clock_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/packs"
)

const city = 990100

var (
	ctx = context.Background()
	c1  = clock.Org{Org: "C1", Ref: "D1"}
	why = text.Msg("clock.explain.no_reason")
)

// rulesOf reads the demonstration city's rules, with edits of the pack's text.
func rulesOf(t testing.TB, edits ...string) *citypack.Rules {
	t.Helper()
	fsys := fstest.MapFS{}
	for _, name := range []string{"000000-national.yaml", "990100-nuancheng.yaml"} {
		b, err := packs.FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s := string(b)
		if strings.HasPrefix(name, "99") {
			for i := 0; i < len(edits); i += 2 {
				if !strings.Contains(s, edits[i]) {
					t.Fatalf("the pack has no %q", edits[i])
				}
				s = strings.ReplaceAll(s, edits[i], edits[i+1])
			}
		}
		fsys[name] = &fstest.MapFile{Data: []byte(s)}
	}
	set, err := citypack.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	pack, err := set.City(city)
	if err != nil {
		t.Fatal(err)
	}
	return &citypack.Rules{Pack: pack, Calendar: calendar.Embedded()}
}

// world is a ledger with a clock that tests move, its workers and the steps that it took.
type world struct {
	t      testing.TB
	d      *db.DB
	now    *dbtest.Clock
	rules  *citypack.Rules // may be edited between acts
	ledger *clock.Ledger
	runner *jobs.Runner
	mu     sync.Mutex
	steps  []string
}

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, d: d, now: dbtest.NewClock(), rules: rulesOf(t)}
	d.SetClock(w.now.Now)
	w.runner = jobs.NewRunner(d, jobs.RunnerOptions{Name: "t", Log: slog.New(slog.DiscardHandler), Machine: time.Now, Cities: func() []int { return []int{city} }})
	l, err := clock.New(clock.Options{DB: d, Jobs: w.runner, Rules: func(context.Context, *db.Tx, int) (*citypack.Rules, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.rules, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	l.OnStep = func(_ context.Context, tx *db.Tx, _ actor.Actor, c clock.Clock, s citypack.Step) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.steps = append(w.steps, tx.Now.Clock()+" "+c.Code+" "+string(s.Stage)+" "+s.Role)
		return nil
	}
	w.ledger = l
	return w
}

func (w *world) subject(caseID, category string) clock.Subject {
	w.t.Helper()
	cat, ok := w.rules.Pack.Category(category)
	if !ok {
		w.t.Fatalf("no category %s", category)
	}
	return clock.Subject{City: city, Case: caseID, Category: cat, Urgency: citypack.Normal}
}

func (w *world) do(fn func(tx *db.Tx) error) {
	w.t.Helper()
	if err := db.Do(ctx, w.d, fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) event(s clock.Subject, e citypack.Event, at civil.Instant, o clock.Org) {
	w.t.Helper()
	w.do(func(tx *db.Tx) error { return w.ledger.Event(ctx, tx, w.rules, s, e, at, o) })
}

// work lives up to an instant a minute at a time.
func (w *world) work(until civil.Instant) {
	w.t.Helper()
	for w.now.Now().Before(until) {
		w.now.Advance(time.Minute)
		if err := w.runner.RunDue(ctx); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) clocks(caseID string) map[string]clock.Clock {
	w.t.Helper()
	out := map[string]clock.Clock{}
	w.do(func(tx *db.Tx) error {
		list, err := w.ledger.Of(ctx, tx, city, caseID)
		for _, c := range list {
			out[strings.Trim(c.Code+"/"+c.Org+"/"+c.Ref, "/")] = c
		}
		return err
	})
	return out
}

func (w *world) entries(caseID string) []clock.Entry {
	w.t.Helper()
	var out []clock.Entry
	w.do(func(tx *db.Tx) (err error) {
		out, err = w.ledger.Entries(ctx, tx, city, caseID)
		return err
	})
	return out
}

func at(hour, minute int) civil.Instant { return civil.On(dbtest.Start.Date(), hour, minute) }

func TestEventStartsAndStops(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		s := w.subject("1", "cold_home")
		opened := s
		opened.New = true
		w.do(func(tx *db.Tx) error {
			return w.ledger.Events(ctx, tx, w.rules, opened, []clock.Happened{
				{Event: citypack.EventFirstSaid, At: at(7, 50)}, {Event: citypack.EventCompanyTold, At: at(8, 0)}, {Event: citypack.EventDelivered, At: at(8, 0)},
			}, c1)
		})
		w.event(s, citypack.EventDelivered, at(8, 0), c1) // told twice
		due := map[string]string{}
		for name, c := range w.clocks("1") {
			due[name] = c.Due.Minute()
		}
		want := map[string]string{
			"resident":            "2026-01-23 00:00", // five working days after Thursday
			"sign/C1/D1":          "2026-01-15 08:15",
			"first_contact/C1/D1": "2026-01-15 10:00",
			"arrive/C1/D1":        "2026-01-15 10:00",
			"feedback/C1/D1":      "2026-01-16 08:00",
			"answer/C1/D1":        "2026-01-20 00:00", // three days end on Sunday and roll to Monday
			"return_window/C1/D1": "2026-01-15 08:30",
		}
		if diff := cmp.Diff(want, due); diff != "" {
			t.Fatalf("due times (-want +got):\n%s", diff)
		}
		w.do(func(tx *db.Tx) error {
			code, at, err := w.ledger.NextDue(ctx, tx, city, "1")
			if code != citypack.ClockSign || at.Clock() != "08:15" {
				t.Errorf("next due: %s %s; want sign 08:15", code, at)
			}
			return err
		})
		w.event(s, citypack.EventSigned, at(8, 5), clock.Org{Org: "C2", Ref: "D9"}) // another company's act
		if c := w.clocks("1")["sign/C1/D1"]; c.State != clock.Running {
			t.Errorf("signed by another company: %s; want running", c.State)
		}
		w.event(s, citypack.EventSigned, at(8, 5), c1)
		w.event(s, citypack.EventClosed, at(9, 0), clock.Org{})
		got := w.clocks("1")
		if c := got["sign/C1/D1"]; c.State != clock.Stopped || !c.Breached.IsZero() || c.Stopped != at(8, 5) {
			t.Errorf("signed in time: %+v", c)
		}
		if got["resident"].State != clock.Stopped || got["feedback/C1/D1"].State != clock.Running {
			t.Errorf("closing as an event ends the resident's clock only: %s, %s", got["resident"].State, got["feedback/C1/D1"].State)
		}
		w.do(func(tx *db.Tx) error { return w.ledger.StopAll(ctx, tx, s, at(9, 0)) })
		for name, c := range w.clocks("1") {
			if c.State != clock.Stopped {
				t.Errorf("%s after closing: %s", name, c.State)
			}
		}
	})
}

func TestReturnedDispatchKeepsTheResidentsClock(t *testing.T) { // lesson 6
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		s := w.subject("1", "cold_home")
		w.event(s, citypack.EventFirstSaid, at(8, 0), clock.Org{})
		before := w.clocks("1")["resident"]
		for _, o := range []clock.Org{{Org: "C1", Ref: "D1"}, {Org: "C2", Ref: "D2"}, {Org: "C3", Ref: "D3"}} {
			w.event(s, citypack.EventCompanyTold, at(8, 1), o)
			w.event(s, citypack.EventDelivered, at(8, 1), o)
			w.event(s, citypack.EventReturned, at(8, 6), o)
			w.do(func(tx *db.Tx) error { return w.ledger.Void(ctx, tx, s, o.Org, o.Ref, why) })
			w.do(func(tx *db.Tx) error { return w.ledger.Pause(ctx, tx, w.rules, s, nil, at(8, 7), why) })
		}
		got := w.clocks("1")
		if diff := cmp.Diff(before, got["resident"]); diff != "" {
			t.Errorf("the resident's clock moved:\n%s", diff)
		}
		w.work(at(12, 0))
		for name, c := range w.clocks("1") {
			if c.Party == citypack.PartyUnit && (c.State != clock.Void || !c.Breached.IsZero()) {
				t.Errorf("%s of a wrong dispatch: %s, breached %s", name, c.State, c.Breached)
			}
		}
		w.do(func(tx *db.Tx) error { // only when it is named
			return w.ledger.Pause(ctx, tx, w.rules, s, []string{citypack.ClockResident}, at(8, 7), why)
		})
		if c := w.clocks("1")["resident"]; c.State != clock.Running {
			t.Errorf("a limit in working days was paused")
		}
	})
}

func TestStepsOfEscalation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		s := w.subject("1", "cold_home")
		w.event(s, citypack.EventDelivered, at(8, 0), c1)
		w.event(s, citypack.EventCompanyTold, at(8, 0), c1)
		w.event(s, citypack.EventContacted, at(8, 30), c1)
		w.work(at(10, 20))
		w.event(s, citypack.EventSigned, at(10, 20), c1)
		w.event(s, citypack.EventArrived, at(9, 59), c1) // written on paper in time, entered late
		w.work(at(13, 0))
		want := []string{
			"08:10 sign warn company", "08:15 sign overdue dispatcher", "08:45 sign supervise leader",
			"09:30 arrive warn company", "09:48 arrive urge company", "10:00 arrive overdue leader",
		}
		if diff := cmp.Diff(want, w.steps); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
		got := w.clocks("1")
		if c := got["sign/C1/D1"]; c.Breached != at(8, 15) || c.Stopped != at(10, 20) {
			t.Errorf("sign: breached %s, stopped %s; want 08:15, 10:20", c.Breached, c.Stopped)
		}
		if c := got["arrive/C1/D1"]; !c.Breached.IsZero() {
			t.Errorf("arrived in time, as the paper says: breached %s", c.Breached)
		}
		breaches := 0
		for _, e := range w.entries("1") {
			if e.Event == clock.Breach && e.Clock == got["sign/C1/D1"].ID {
				breaches++
				if e.At != at(8, 15) {
					t.Errorf("the breach is of %s; want the due time", e.At)
				}
			}
		}
		if breaches != 1 {
			t.Errorf("%d breaches; want one", breaches)
		}
		said := words(got["arrive/C1/D1"], w)
		for _, part := range []string{"到场：时限2小时", "2026年1月15日10:00", "此前记录的超时不计"} {
			if !strings.Contains(said, part) {
				t.Errorf("the explanation lacks %q:\n%s", part, said)
			}
		}
	})
}

func words(c clock.Clock, w *world) string {
	var b strings.Builder
	for _, s := range c.Explain(w.rules, w.entries(strings.TrimPrefix(c.Subject, "case:"))) {
		b.WriteString(s.In(text.ZH) + "\n")
	}
	return b.String()
}

func TestPaperEnteredLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	s := w.subject("1", "cold_home")
	w.now.Set(at(10, 30))
	w.event(s, citypack.EventCompanyTold, at(8, 0), c1) // both limits of two hours are over
	w.work(at(10, 31))
	want := []string{"10:31 arrive overdue leader", "10:31 first_contact overdue leader"}
	if diff := cmp.Diff(want, sorted(w.steps)); diff != "" {
		t.Errorf("a warning after the due time helps nobody (-want +got):\n%s", diff)
	}
}

func sorted(in []string) []string {
	out := append([]string{}, in...)
	for i := range out {
		for j := i; j > 0 && out[j] < out[j-1]; j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

func TestEditedRulesChangeNothingPast(t *testing.T) { // lesson 3
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		s := w.subject("1", "cold_home")
		w.event(s, citypack.EventFirstSaid, at(8, 0), clock.Org{})
		w.event(s, citypack.EventDelivered, at(8, 0), c1)
		w.work(at(8, 20)) // not signed: breached
		before := w.clocks("1")
		w.rules = rulesOf(t, "{amount: 15, unit: minute", "{amount: 600, unit: minute", "{amount: 24, unit: hour", "{amount: 1, unit: hour")
		year, _ := w.rules.Calendar.Year(2026)
		year.Days = append(year.Days, calendar.Day{Name: "临时放假", Date: dbtest.Start.Date().AddDays(1), IsOffDay: true})
		w.rules.Calendar = w.rules.Calendar.With(year)
		if n, err := w.ledger.Recompute(ctx, city); err != nil || n != 0 {
			t.Errorf("recomputed %d, %v; want none", n, err)
		}
		after := w.clocks("1")
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("clocks after the edit (-before +after):\n%s", diff)
		}
		w.work(at(11, 0)) // an hour's limit would be over
		if c := w.clocks("1")["feedback/C1/D1"]; !c.Breached.IsZero() {
			t.Errorf("breached under a limit that was not the promise")
		}
		if said := words(after["resident"], w); !strings.Contains(said, "此后规则的修改不改变它") {
			t.Errorf("the explanation does not say that the due time was kept:\n%s", said)
		}
	})
}

func TestRemainingSurvivesAChangeOfPolicy(t *testing.T) { // lesson 5
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		s := w.subject("1", "cold_home")
		w.event(s, citypack.EventCompanyTold, at(8, 0), c1)
		w.do(func(tx *db.Tx) error {
			return w.ledger.Pause(ctx, tx, w.rules, s, []string{citypack.ClockArrive}, at(9, 10), why)
		})
		if c := w.clocks("1")["arrive/C1/D1"]; c.State != clock.Paused || !c.Due.IsZero() {
			t.Fatalf("paused: %s, due %s", c.State, c.Due)
		}
		w.work(at(11, 0))
		w.rules = rulesOf(t, "{kinds: [quality], amount: 2, unit: hour", "{kinds: [quality], amount: 9, unit: hour")
		w.do(func(tx *db.Tx) error { return w.ledger.Resume(ctx, tx, w.rules, s, nil, at(11, 0), why) })
		if c := w.clocks("1")["arrive/C1/D1"]; c.State != clock.Running || c.Due != at(11, 50) {
			t.Errorf("resumed: %s, due %s; want the 50 minutes that were left", c.State, c.Due)
		}
		w.work(at(11, 50))
		if c := w.clocks("1")["arrive/C1/D1"]; c.Breached != at(11, 50) {
			t.Errorf("breached %s; want 11:50", c.Breached)
		}
	})
}

func TestAppointmentMoves(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		s := w.subject("1", "cold_home")
		w.event(s, citypack.EventCompanyTold, at(8, 0), c1)
		move := func(due civil.Instant) error {
			return db.Do(ctx, d, func(tx *db.Tx) error {
				return w.ledger.Move(ctx, tx, s, []string{citypack.ClockArrive, citypack.ClockMeasure}, due, why)
			})
		}
		if err := move(at(14, 0)); err != nil {
			t.Fatal(err)
		}
		if err := move(at(7, 0)); !fault.Is(err, fault.Invalid) {
			t.Errorf("to the past: %v; want Invalid", err)
		}
		w.event(s, citypack.EventContacted, at(8, 5), c1)
		w.work(at(13, 31))
		if diff := cmp.Diff([]string{"13:30 arrive warn company"}, w.steps); diff != "" {
			t.Errorf("steps follow the appointment (-want +got):\n%s", diff)
		}
		w.work(at(14, 1))
		if err := move(at(18, 0)); err != nil {
			t.Fatal(err)
		}
		if c := w.clocks("1")["arrive/C1/D1"]; c.Due != at(14, 0) || c.Breached != at(14, 0) {
			t.Errorf("late stays late: due %s, breached %s", c.Due, c.Breached)
		}
	})
}

func TestMissingYear(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.now.Set(civil.On(civil.NewDate(2026, 12, 30), 9, 0))
		s := w.subject("1", "cold_home")
		w.event(s, citypack.EventFirstSaid, w.now.Now(), clock.Org{}) // five working days, into a year not announced
		c := w.clocks("1")["resident"]
		if !c.Due.IsZero() || c.Missing != "holidays 2027" || c.State != clock.Running {
			t.Fatalf("due %s, missing %q; want a running clock that says what it waits for", c.Due, c.Missing)
		}
		w.rules = rulesOf(t)
		w.rules.Calendar = w.rules.Calendar.With(calendar.Year{Year: 2027, Days: []calendar.Day{{Name: "元旦", Date: civil.NewDate(2027, 1, 1), IsOffDay: true}}})
		w.do(func(tx *db.Tx) error { return w.ledger.RecomputeIn(ctx, tx, city) })
		if err := w.runner.RunDue(ctx); err != nil {
			t.Fatal(err)
		}
		c = w.clocks("1")["resident"]
		if got, want := c.Due.Minute(), "2027-01-08 00:00"; got != want || c.Missing != "" {
			t.Errorf("due %s, missing %q; want %s", got, c.Missing, want)
		}
		w.work(civil.On(civil.NewDate(2027, 1, 8), 0, 0))
		if c := w.clocks("1")["resident"]; c.Breached != c.Due {
			t.Errorf("not breached after the year was imported: %+v", c)
		}
	})
}

func TestStopAndBreachAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		s := w.subject("1", "cold_home")
		w.event(s, citypack.EventDelivered, at(8, 0), c1)
		w.now.Set(at(8, 15))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := db.Do(ctx, d, func(tx *db.Tx) error {
					return w.ledger.Event(ctx, tx, w.rules, s, citypack.EventSigned, at(8, 15), c1)
				}); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if err := w.runner.RunDue(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		sign := w.clocks("1")["sign/C1/D1"]
		if sign.State != clock.Stopped || sign.Breached != at(8, 15) {
			t.Errorf("%s, breached %s; want stopped and breached at 08:15", sign.State, sign.Breached)
		}
		n := map[clock.Happening]int{}
		for _, e := range w.entries("1") {
			if e.Clock == sign.ID {
				n[e.Event]++
			}
		}
		if n[clock.Start] != 1 || n[clock.Stop] != 1 || n[clock.Breach] > 1 {
			t.Errorf("entries %v; want one start, one stop and at most one breach", n)
		}
	})
}
