package outage_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/packs"
)

const city = 990100

var ctx = context.Background()

func person(role actor.Role, org string, stations ...string) actor.Actor {
	return actor.Actor{ID: string(role) + org, Kind: actor.Person, Org: org, Grants: []actor.Grant{{Role: role, City: city, Stations: stations}}}
}

var (
	c1     = person(actor.RoleCompany, "C1")
	c2     = person(actor.RoleCompany, "C2")
	leader = person(actor.RoleLeader, "centre")
	seat   = person(actor.RoleSeat, "centre")
)

type world struct {
	t       *testing.T
	d       *db.DB
	now     *dbtest.Clock
	runner  *jobs.Runner
	service *outage.Service
	notices *notice.Service
	mu      sync.Mutex
	machine time.Time
	told    []string
}

// newWorld has two communities: A with buildings 1 and 2 served by C1, of which 2 lies in the high zone, and B served by
// C2; station S1 is C1's, S2 is C2's. A has three households.
func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	set, err := citypack.Load(packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	pack, err := set.City(city)
	if err != nil {
		t.Fatal(err)
	}
	rules := &citypack.Rules{Pack: pack, Calendar: calendar.Embedded()}
	w := &world{t: t, d: d, now: dbtest.NewClock(), machine: time.Now()}
	d.SetClock(w.now.Now)
	ring, err := secret.LoadRing(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	if w.notices, err = notice.New(notice.Options{DB: d, Ring: ring}); err != nil {
		t.Fatal(err)
	}
	w.runner = jobs.NewRunner(d, jobs.RunnerOptions{Name: "t", Log: slog.New(slog.DiscardHandler), Machine: time.Now, Cities: func() []int { return []int{city} }})
	w.service, err = outage.New(outage.Options{
		DB: d, Notices: w.notices, Jobs: w.runner, Households: place.CountHouseholdsIn,
		Rules: func(context.Context, *db.Tx, int) (*citypack.Rules, error) { return rules, nil },
		Owner: func(_ context.Context, _ *db.Tx, _ int, community, _ string) (string, string, error) {
			return map[string]string{"A": "C1", "B": "C2"}[community], "", nil
		},
		Machine: func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.machine },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.service.Tell = func(_ context.Context, _ *db.Tx, _ actor.Actor, _ outage.Outage, word outage.Word, caseID string) error {
		w.told = append(w.told, fmt.Sprintf("%s %s", word.Event, caseID))
		return nil
	}
	w.fill()
	return w
}

func edition(key string) place.Edition {
	return place.Edition{City: city, Key: key, Until: place.Forever}
}

func (w *world) fill() {
	w.t.Helper()
	err := db.Do(ctx, w.d, func(tx *db.Tx) error {
		for _, k := range place.Kinds() {
			if _, err := place.HoldIn(ctx, tx, city, k); err != nil {
				return err
			}
		}
		for code, company := range map[string]string{"S1": "C1", "S2": "C2"} {
			if err := place.NoteStationIn(ctx, tx, place.Station{City: city, Code: code, Name: code, Company: company, Version: 1}); err != nil {
				return err
			}
		}
		for id, station := range map[string]string{"A": "S1", "B": "S2"} {
			if err := db.Insert(ctx, tx, "community", place.Community{Edition: edition(id), ID: id, Name: id + "园", Station: station, Connected: true}); err != nil {
				return err
			}
		}
		for no, zone := range map[string]string{"1": "low", "2": "high"} {
			if err := db.Insert(ctx, tx, "building", place.Building{Edition: edition("A/" + no), Community: "A", No: no, Station: "S1", Zone: zone}); err != nil {
				return err
			}
		}
		for i, building := range []string{"1", "1", "2"} {
			h := place.HouseholdRow{Edition: edition(fmt.Sprint(i)), Account: fmt.Sprint(i), Community: "A", Building: building}
			if err := db.Insert(ctx, tx, "household", h); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func sudden(scopes ...outage.Scope) outage.Report {
	return outage.Report{City: city, Company: "C1", Kind: outage.Sudden, Reason: "二次网泄漏", Until: dbtest.Start.Add(4 * time.Hour), Scope: scopes}
}

func (w *world) report(by actor.Actor, in outage.Report) outage.View {
	w.t.Helper()
	v, err := w.service.Report(ctx, by, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) change(by actor.Actor, v outage.View, e outage.Event, until civil.Instant) outage.View {
	w.t.Helper()
	v, err := w.service.Change(ctx, by, outage.Change{City: city, ID: v.ID, Version: v.Version, Event: e, Text: "抢修中", Until: until})
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func TestLifeOfASuddenStop(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		in := sudden(outage.Scope{Community: "A", Building: "1号楼"}, outage.Scope{Station: "S1", Zone: "high"})
		in.Start, in.Key = dbtest.Start.Add(-20*time.Minute), "k"
		v := w.report(c1, in)
		if again := w.report(c1, in); again.ID != v.ID {
			t.Error("the same report was kept twice")
		}
		if v.No != "停20260115-001" || v.Households == nil || *v.Households != 3 || v.State != outage.Reported {
			t.Errorf("reported: %s, households %v, %s; want 停20260115-001, 3, reported", v.No, v.Households, v.State)
		}
		if v.Late || !strings.Contains(explained(v), "为停热后20分钟") {
			t.Errorf("a sudden stop is to be told at once, and is not late: %v\n%s", v.Late, explained(v))
		}
		for _, c := range []struct {
			community, building, station string
			live                         bool
		}{
			{"A", "1", "", true}, {"A", "1号楼", "S1", true}, {"A", "2", "S1", true}, {"A", "", "S1", false}, {"B", "1", "S2", false},
		} {
			if got := w.service.LiveAt(city, c.community, c.building, c.station); (got != nil) != c.live || got != nil && got.ID != v.ID {
				t.Errorf("live at %s/%s (%s): %v; want %v", c.community, c.building, c.station, got, c.live)
			}
		}
		v = w.change(c1, v, outage.Begin, 0)
		v = w.change(c1, v, outage.Reschedule, dbtest.Start.Add(9*time.Hour))
		if v.FirstUntil != in.Until || v.Until != dbtest.Start.Add(9*time.Hour) {
			t.Errorf("first until %s, until %s; want both kept", v.FirstUntil, v.Until)
		}
		if got := w.service.LiveAt(city, "A", "1", ""); got == nil || got.Until != v.Until {
			t.Errorf("the new time is not told: %+v", got)
		}
		v = w.change(c1, v, outage.Restore, 0)
		v = w.change(c1, v, outage.Relapse, 0)
		if !v.Restored.IsZero() {
			t.Error("stopped again and still restored")
		}
		v = w.change(c1, w.change(c1, v, outage.Restore, 0), outage.Lift, 0)
		if got := w.service.LiveAt(city, "A", "1", "S1"); got != nil {
			t.Errorf("lifted and still told: %+v", got)
		}
		if _, err := w.service.Change(ctx, c1, outage.Change{City: city, ID: v.ID, Version: v.Version, Event: outage.Begin}); !fault.Is(err, fault.Conflict) {
			t.Errorf("begun after it was lifted: %v; want Conflict", err)
		}
		var events []string
		for _, word := range v.Words {
			events = append(events, string(word.Event))
		}
		if diff := cmp.Diff([]string{"report", "begin", "reschedule", "restore", "relapse", "restore", "lift"}, events); diff != "" {
			t.Errorf("words (-want +got):\n%s", diff)
		}
	})
}

func explained(v outage.View) string {
	var b strings.Builder
	for _, s := range v.Explain {
		b.WriteString(s.In(text.ZH) + "\n")
	}
	return b.String()
}

func TestNoticeOfPlannedStops(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for _, c := range []struct {
			name         string
			ahead, hours int // hours until the start, length of the stop
			announceIn   int // hours after the report; -1: never
			late         bool
			said         string
		}{
			{"long, in time", 72, 30, 1, false, "超过24小时的，应提前2日告知"},
			{"long, too late", 47, 30, 0, true, "告知不及时"},
			{"long, reported too late but never refused", 47, 30, -1, true, "到期未公告"},
			{"short, in time", 47, 10, 0, false, "超过8小时的，应提前1日告知"},
			{"shorter than any rule", 1, 2, 0, false, "没有规定"},
		} {
			start := w.now.Now().Add(time.Duration(c.ahead) * time.Hour)
			v := w.report(c1, outage.Report{
				City: city, Company: "C1", Kind: outage.Planned, Reason: "检修", Start: start, Until: start.Add(time.Duration(c.hours) * time.Hour),
				Scope: []outage.Scope{{Station: "S1"}},
			})
			if got := w.service.LiveAt(city, "A", "1", "S1"); got != nil {
				t.Errorf("%s: told as live %d hours before it begins", c.name, c.ahead)
			}
			if got := w.service.ComingAt(city, "A", "1", "S1", 100*time.Hour); got != nil {
				t.Errorf("%s: told before it was announced", c.name)
			}
			if c.announceIn >= 0 {
				w.now.Advance(time.Duration(c.announceIn) * time.Hour)
				v = w.change(c1, v, outage.Announce, 0)
				if got := w.service.ComingAt(city, "A", "1", "S1", 100*time.Hour); got == nil || got.ID != v.ID {
					t.Errorf("%s: announced and not told", c.name)
				}
				if got := w.service.ComingAt(city, "A", "1", "S1", time.Minute); got != nil {
					t.Errorf("%s: told long before", c.name)
				}
			}
			if v.Late != c.late || !strings.Contains(explained(v), c.said) {
				t.Errorf("%s: late %v, want %v; explained:\n%s", c.name, v.Late, c.late, explained(v))
			}
			v = w.change(c1, v, outage.Cancel, 0)
			if v.Late {
				t.Errorf("%s: cancelled and still late", c.name)
			}
		}
	})
}

func TestCompaniesStayApart(t *testing.T) { // lesson 8
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		mine := w.report(c1, sudden(outage.Scope{Station: "S1"}))
		for name, in := range map[string]outage.Report{
			"for another company":        {City: city, Company: "C2", Kind: outage.Sudden, Reason: "x", Scope: []outage.Scope{{Station: "S2"}}},
			"another's station":          sudden(outage.Scope{Station: "S2"}),
			"another's community":        sudden(outage.Scope{Community: "B"}),
			"no such station":            sudden(outage.Scope{Station: "S9"}),
			"no such community":          sudden(outage.Scope{Community: "Z"}),
			"station and community":      sudden(outage.Scope{Station: "S1", Community: "A"}),
			"nowhere":                    sudden(),
			"one of two is another's":    sudden(outage.Scope{Station: "S1"}, outage.Scope{Community: "B"}),
			"a building without a place": sudden(outage.Scope{Station: "S1", Building: "1"}),
		} {
			if _, err := w.service.Report(ctx, c1, in); !fault.Is(err, fault.Denied) && !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v; want Denied or Invalid", name, err)
			}
		}
		if _, err := w.service.Get(ctx, c2, city, mine.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another company reads it: %v; want NotFound", err)
		}
		change := outage.Change{City: city, ID: mine.ID, Version: mine.Version, Event: outage.Say, Text: "x"}
		if _, err := w.service.Change(ctx, c2, change); !fault.Is(err, fault.NotFound) {
			t.Errorf("another company changes it: %v; want NotFound", err)
		}
		if _, err := w.service.Change(ctx, seat, change); !fault.Is(err, fault.Denied) {
			t.Errorf("a seat changes it: %v; want Denied", err)
		}
		for _, c := range []struct {
			by   actor.Actor
			want int
		}{{c1, 1}, {c2, 0}, {seat, 1}, {leader, 1}, {person(actor.RoleStation, "C1", "S1"), 1}, {person(actor.RoleStation, "C1", "S8"), 0}} {
			got, err := w.service.List(ctx, c.by, city, outage.Filter{Open: true})
			if err != nil || len(got.Items) != c.want {
				t.Errorf("%s lists %d, %v; want %d", c.by.ID, len(got.Items), err, c.want)
			}
		}
		if _, err := w.service.List(ctx, actor.Anonymous(actor.Public), city, outage.Filter{}); !fault.Is(err, fault.Denied) {
			t.Errorf("a resident lists reports: %v; want Denied", err)
		}
		if _, err := w.service.Report(ctx, person(actor.RoleStation, "C1", "S1"), sudden(outage.Scope{Station: "S1"})); err != nil {
			t.Errorf("a station reports for itself: %v", err)
		}
		if _, err := w.service.Report(ctx, person(actor.RoleStation, "C1", "S8"), sudden(outage.Scope{Station: "S1"})); !fault.Is(err, fault.Denied) {
			t.Errorf("a station reports for another: %v; want Denied", err)
		}
		public, err := w.service.Announcements(ctx, city)
		if err != nil || len(public) != 2 || public[0].Reason == "" {
			t.Errorf("residents see %+v, %v", public, err)
		}
		for _, a := range public {
			if byStation := a.Scope[0].Station != ""; byStation != (len(a.Estates) > 0) {
				t.Errorf("a stop of %+v names the communities %v; a station's stop names those that it heats", a.Scope, a.Estates)
			}
		}
	})
}

func TestWordsAreAskedFor(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		v := w.report(c1, sudden(outage.Scope{Station: "S1"}))
		reminders := func(by actor.Actor) int {
			got, err := w.notices.Inbox(ctx, by, city, page.Request{})
			if err != nil {
				t.Fatal(err)
			}
			return len(got.Items)
		}
		live := func(hours int) {
			for range hours * 6 {
				w.now.Advance(10 * time.Minute)
				if err := w.runner.RunDue(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		live(1)
		v = w.change(c1, v, outage.Say, 0)
		live(1)
		if n := reminders(c1); n != 0 {
			t.Errorf("%d reminders an hour after a word; want none", n)
		}
		live(3)
		if n, m, other := reminders(c1), reminders(leader), reminders(c2); n != 2 || m != 2 || other != 0 {
			t.Errorf("after four silent hours: company %d, leader %d, another company %d; want 2, 2, 0", n, m, other)
		}
		v = w.change(c1, w.change(c1, v, outage.Begin, 0), outage.Restore, 0)
		w.change(c1, v, outage.Lift, 0)
		live(6)
		if n := reminders(c1); n != 2 {
			t.Errorf("%d reminders after lifting; want no more", n)
		}
	})
}

func TestCasesAreLinkedAndStayTheirOwn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var linked []string
		w.service.OnLink = func(_ context.Context, _ *db.Tx, _ actor.Actor, _ int, caseID, stop string) error {
			if caseID == "none" {
				return fault.New(fault.NotFound, "not_found")
			}
			linked = append(linked, caseID+"="+stop)
			return nil
		}
		v := w.report(c1, sudden(outage.Scope{Station: "S1"}))
		in := outage.Linking{City: city, ID: v.ID, Cases: []string{"1", "2"}}
		for range 2 {
			if _, err := w.service.Link(ctx, leader, in); err != nil {
				t.Fatal(err)
			}
		}
		got, err := w.service.Unlink(ctx, leader, outage.Linking{City: city, ID: v.ID, Cases: []string{"2"}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"1"}, got.Cases); diff != "" {
			t.Errorf("cases (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"1=" + v.ID, "2=" + v.ID, "2="}, linked); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		if _, err := w.service.Link(ctx, leader, outage.Linking{City: city, ID: v.ID, Cases: []string{"3", "none"}}); !fault.Is(err, fault.NotFound) {
			t.Errorf("a case that there is not: %v; want NotFound", err)
		}
		if got, err := w.service.Get(ctx, seat, city, v.ID); err != nil || len(got.Cases) != 1 {
			t.Errorf("half of a refused link was kept: %v, %v", got.Cases, err)
		}
		if _, err := w.service.Link(ctx, c1, in); !fault.Is(err, fault.Denied) {
			t.Errorf("a company links cases: %v; want Denied", err)
		}
		var want []string
		for i := range 120 { // more than one batch
			id := fmt.Sprintf("c%03d", i)
			want = append(want, "say "+id)
			if err := db.Do(ctx, d, func(tx *db.Tx) error { return w.service.JoinIn(ctx, tx, seat, city, v.ID, id) }); err != nil {
				t.Fatal(err)
			}
		}
		w.change(c1, v, outage.Say, 0)
		if err := w.runner.RunDue(ctx); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append([]string{"say 1"}, want...), w.told); diff != "" {
			t.Errorf("every caller is told once (-want +got):\n%s", diff)
		}
	})
}

func TestChangesAreGuarded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		v := w.report(c1, sudden(outage.Scope{Station: "S1"}))
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for range 6 {
			wg.Go(func() {
				_, err := w.service.Change(ctx, leader, outage.Change{City: city, ID: v.ID, Version: v.Version, Event: outage.Begin})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won++
				case !fault.Is(err, fault.Conflict):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("%d of six changes of one version won; want one", won)
		}
	})
}

func TestAnotherProcessSeesTheStop(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, other := newWorld(t, d), &world{}
		other.service = w.second()
		if got := other.service.LiveAt(city, "A", "1", "S1"); got != nil {
			t.Fatalf("a stop before any was reported: %+v", got)
		}
		w.report(c1, sudden(outage.Scope{Station: "S1"}))
		deadline := time.Now().Add(10 * time.Second)
		for other.service.LiveAt(city, "A", "1", "S1") == nil {
			if time.Now().After(deadline) {
				t.Fatal("another process never saw the stop")
			}
			w.mu.Lock()
			w.machine = w.machine.Add(time.Second)
			w.mu.Unlock()
			time.Sleep(5 * time.Millisecond)
		}
	})
}

// second is a service of another process on the same database.
func (w *world) second() *outage.Service {
	w.t.Helper()
	s, err := outage.New(outage.Options{
		DB:      w.d,
		Rules:   func(context.Context, *db.Tx, int) (*citypack.Rules, error) { return nil, fmt.Errorf("not asked") },
		Owner:   func(context.Context, *db.Tx, int, string, string) (string, string, error) { return "", "", nil },
		Machine: func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.machine },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	if got := outage.Lifecycle.Check(); len(got) > 0 {
		t.Error(got)
	}
}
