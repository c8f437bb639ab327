package staffing_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/staffing"
	"github.com/rehu-heat/rehu/internal/weather"
	"github.com/rehu-heat/rehu/packs"
)

const city = 990100

var ctx = context.Background()

func person(role actor.Role) actor.Actor {
	return actor.Actor{ID: string(role), Kind: actor.Person, Org: "centre", Grants: []actor.Grant{{Role: role, City: city}}}
}

var leader, seat = person(actor.RoleLeader), person(actor.RoleSeat)

func newService(t *testing.T, d *db.DB, change ...func(*citypack.Pack)) *staffing.Service {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	set, err := citypack.Load(packs.FS)
	must(err)
	pack, err := set.City(city)
	must(err)
	for _, f := range change {
		f(pack)
	}
	rules := func(context.Context, *db.Tx, int) (*citypack.Rules, error) {
		return &citypack.Rules{Pack: pack, Calendar: calendar.Embedded()}, nil
	}
	ring, err := secret.LoadRing(t.TempDir(), "")
	must(err)
	clocks, err := clock.New(clock.Options{DB: d, Rules: rules})
	must(err)
	calls, err := call.New(call.Options{DB: d, Ring: ring, Cases: cases.New(cases.Options{DB: d, Ring: ring, Clocks: clocks, Rules: rules}), Places: place.New(d, ring)})
	must(err)
	temps := weather.New(d)
	today := dbtest.Start.Date()
	var hours []weather.Reading
	for at := today.AddDays(-40).Start(); at.Before(today.End()); at = at.Add(time.Hour) {
		hours = append(hours, weather.Reading{At: at, C: celsius.Tenths(-50 + 10*(at.Date().Day%4))})
	}
	must(temps.Record(ctx, actor.SystemFor("test", actor.Command), weather.Record{City: city, Source: "test", Readings: hours}))
	s, err := staffing.New(staffing.Options{DB: d, Rules: rules, Calls: calls, Weather: temps})
	must(err)
	return s
}

// past are days of forty calls in each half-hour of the day, before the clock's day.
func past(days int) staffing.Handing {
	in := staffing.Handing{City: city, Source: "旧电话系统报表"}
	for d := dbtest.Start.Date().AddDays(-days); d.Before(dbtest.Start.Date()); d = d.AddDays(1) {
		for n := 16; n < 44; n++ {
			in.Past = append(in.Past, staffing.Past{At: d.Start().Add(time.Duration(n) * 30 * time.Minute), Calls: 40})
		}
	}
	return in
}

func TestPlan(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newService(t, d)
		if p, err := s.Plan(ctx, leader, city, staffing.Question{}); err != nil || p.Enough || len(p.Slots) != 0 {
			t.Fatalf("a forecast that nothing stands behind: %+v, %v", p, err)
		}
		for range 2 {
			if _, err := s.HandOver(ctx, leader, past(30)); err != nil {
				t.Fatal(err)
			}
		}
		tomorrow := dbtest.Start.Date().AddDays(1)
		if _, err := s.Roster(ctx, leader, staffing.Shift{City: city, Team: "白班", From: civil.On(tomorrow, 8, 0), To: civil.On(tomorrow, 20, 0), Seats: 9}); err != nil {
			t.Fatal(err)
		}
		p, err := s.Plan(ctx, leader, city, staffing.Question{})
		if err != nil || !p.Enough || p.Day != tomorrow || p.Warmth != staffing.Guessed || p.Days != 30 {
			t.Fatalf("tomorrow: %+v, %v", p, err)
		}
		noon, night := p.Slots[24], p.Slots[4]
		if noon.Calls < 34 || noon.Calls > 46 || night.Calls > 2 || noon.Have != 9 || night.Have != 0 {
			t.Errorf("noon %+v, night %+v", noon, night)
		}
		if noon.Seats < 6 || noon.Rostered <= noon.Seats || noon.Gap() != noon.Rostered-9 || night.Gap() == 0 {
			t.Errorf("needs: noon %+v, night %+v", noon, night)
		}
		if p.Test.Days == 0 || p.Test.DayError > 0.1 {
			t.Errorf("even days are forecast with an error of %+v", p.Test)
		}
		colder, err := s.Plan(ctx, leader, city, staffing.Question{Warmer: -5, Bursts: 1})
		if err != nil || colder.Total.Mid <= p.Total.Mid || colder.TempC != p.TempC-5 {
			t.Errorf("what if: %.0f after %.0f, %v", colder.Total.Mid, p.Total.Mid, err)
		}
		if _, err := s.Plan(ctx, seat, city, staffing.Question{}); !fault.Is(err, fault.Denied) {
			t.Errorf("a seat plans: %v", err)
		}
		if _, err := s.Plan(ctx, leader, city, staffing.Question{Warmer: 99}); !fault.Is(err, fault.Invalid) {
			t.Errorf("99 degrees warmer: %v", err)
		}
	})
}

func TestRosterAndSettings(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newService(t, d)
		day := dbtest.Start.Date()
		night := staffing.Shift{City: city, Team: "夜班", From: civil.On(day, 20, 0), To: civil.On(day.AddDays(1), 8, 0), Seats: 3}
		one, err := s.Roster(ctx, leader, night)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Roster(ctx, leader, staffing.Shift{City: city, Team: "x", From: night.To, To: night.From, Seats: 1}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a shift that ends before it begins: %v", err)
		}
		if _, err := s.Roster(ctx, seat, night); !fault.Is(err, fault.Denied) {
			t.Errorf("a seat edits the roster: %v", err)
		}
		if n, err := s.Copy(ctx, leader, staffing.Copying{City: city, From: day, To: day.AddDays(1)}); err != nil || n != 1 {
			t.Errorf("copied %d, %v", n, err)
		}
		if _, err := s.Copy(ctx, leader, staffing.Copying{City: city, From: day, To: day.AddDays(1)}); !fault.Is(err, fault.Conflict) {
			t.Errorf("copied twice: %v", err)
		}
		p, err := s.Plan(ctx, leader, city, staffing.Question{Day: day.AddDays(1)})
		if err != nil || len(p.Shifts) != 2 { // the night that began the day before, and its copy
			t.Errorf("shifts %+v, %v", p.Shifts, err)
		}
		var all sync.WaitGroup
		got := make(chan error, 8)
		for range 8 {
			all.Go(func() {
				in := one
				in.Seats = 4
				_, err := s.Roster(ctx, leader, in)
				got <- err
			})
		}
		all.Wait()
		close(got)
		won := 0
		for err := range got {
			if err == nil {
				won++
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("%d edited the same version", won)
		}
		if err := s.Drop(ctx, leader, one); !fault.Is(err, fault.Conflict) {
			t.Errorf("an old version is dropped: %v", err)
		}
		one.Version++
		if err := s.Drop(ctx, leader, one); err != nil {
			t.Error(err)
		}
		set := p.Settings
		if set.Target != 950 || set.Within != 15 || set.Source != "暖城市供热条例（虚构） 6" || set.Version != 0 {
			t.Errorf("until the centre has its own, its city's rules hold: %+v", set)
		}
		set.Source = ""
		if _, err := s.Set(ctx, leader, set); !fault.Is(err, fault.Invalid) {
			t.Errorf("without a source: %v", err)
		}
		set.Source = "中心服务承诺"
		first, err := s.Set(ctx, leader, set)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Set(ctx, leader, set); !fault.Is(err, fault.Conflict) {
			t.Errorf("the first settings twice: %v", err)
		}
		first.Target, first.Within = 800, 20
		if _, err := s.Set(ctx, leader, first); err != nil {
			t.Error(err)
		}
		goal, err := db.Read(ctx, d, func(tx *db.Tx) (call.Goal, error) { return s.GoalIn(ctx, tx, city) })
		if want := (call.Goal{Share: 800, Within: 20 * time.Second, Source: "中心服务承诺"}); err != nil || goal != want {
			t.Errorf("calls are counted by %+v, want %+v, %v", goal, want, err)
		}
	})
}

// Where nobody said how soon calls are to be answered, calls are forecast and no seats are worked out; the centre's own word
// mends that. What the city has not confirmed is marked.
func TestNoTarget(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newService(t, d, func(p *citypack.Pack) { p.Doc.Telephone.Answer = nil })
		if _, err := s.HandOver(ctx, leader, past(30)); err != nil {
			t.Fatal(err)
		}
		p, err := s.Plan(ctx, leader, city, staffing.Question{})
		if err != nil || p.Settings.HasGoal() || p.Total.Mid < 500 {
			t.Fatalf("a plan without a target: %+v, %v", p, err)
		}
		for _, n := range p.Slots {
			if n.Seats != 0 || n.Rostered != 0 || n.Gap() != 0 || n.Level != 0 {
				t.Fatalf("seats for no target: %+v", n)
			}
		}
		goal := func(s *staffing.Service) call.Goal {
			g, err := db.Read(ctx, d, func(tx *db.Tx) (call.Goal, error) { return s.GoalIn(ctx, tx, city) })
			if err != nil {
				t.Error(err)
			}
			return g
		}
		if g := goal(s); g.Known() || g != (call.Goal{}) {
			t.Errorf("a goal from nowhere: %+v", g)
		}
		own := p.Settings
		if _, err := s.Set(ctx, leader, own); !fault.Is(err, fault.Invalid) {
			t.Errorf("no target is set as one: %v", err)
		}
		waits := newService(t, d, func(p *citypack.Pack) { p.Doc.Telephone.Answer[0].Confidence = citypack.Secondary })
		if g := goal(waits); !g.Provisional || g.Share != 950 {
			t.Errorf("read in the press, not confirmed: %+v", g)
		}
		own.Target, own.Within, own.Source = 900, 20, "中心服务承诺"
		if _, err := s.Set(ctx, leader, own); err != nil {
			t.Fatal(err)
		}
		if g := goal(waits); g.Provisional || g.Share != 900 {
			t.Errorf("the centre's own: %+v", g)
		}
		if p, err = s.Plan(ctx, leader, city, staffing.Question{}); err != nil || p.Slots[24].Seats == 0 {
			t.Errorf("with a target: %+v, %v", p.Slots, err)
		}
	})
}
