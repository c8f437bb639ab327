package callback_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/callback"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/packs"
)

const city = 990100

var ctx = context.Background()

// world is a city with two companies, and everything that a case goes through.
type world struct {
	t      testing.TB
	d      *db.DB
	now    *dbtest.Clock
	rules  *citypack.Rules
	runner *jobs.Runner
	clocks *clock.Ledger
	cases  *cases.Service
	sends  *dispatch.Service
	ring   *secret.Ring
	backs  *callback.Service
	asked  []string // cases whose residents were asked by message
	told   []string // words to companies
}

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, d: d, now: dbtest.NewClock()}
	d.SetClock(w.now.Now)
	set, err := citypack.Load(packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	pack, err := set.City(city)
	if err != nil {
		t.Fatal(err)
	}
	w.rules = &citypack.Rules{Pack: pack, Calendar: calendar.Embedded()}
	rules := func(context.Context, *db.Tx, int) (*citypack.Rules, error) { return w.rules, nil }
	w.runner = jobs.NewRunner(d, jobs.RunnerOptions{Name: "test", Machine: time.Now, Cities: func() []int { return []int{city} }})
	if w.clocks, err = clock.New(clock.Options{DB: d, Rules: rules, Jobs: w.runner}); err != nil {
		t.Fatal(err)
	}
	ring, err := secret.LoadRing(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	w.ring = ring
	blobs := blob.New(d, blob.Disk(t.TempDir()))
	x := territory.Build(snapshot())
	w.cases = cases.New(cases.Options{
		DB: d, Ring: ring, Blobs: blobs, Clocks: w.clocks, Rules: rules,
		Attribute: func(_ context.Context, _ *db.Tx, _ int, q territory.Query) (territory.Answer, error) {
			return x.Attribute(q), nil
		},
	})
	w.sends = dispatch.New(dispatch.Options{
		DB: d, Cases: w.cases, Clocks: w.clocks, Blobs: blobs,
		IsCompany: func(_ context.Context, _ *db.Tx, _ int, code string) (bool, error) {
			return code == "C1" || code == "C2" || code == "C3", nil
		},
	})
	w.backs = callback.New(callback.Options{
		DB: d, Cases: w.cases, Clocks: w.clocks, Jobs: w.runner, Rules: rules,
		Ask: func(_ context.Context, _ *db.Tx, c cases.Case, _ string) error {
			w.asked = append(w.asked, c.ID)
			return nil
		},
		Tell: func(_ context.Context, _ *db.Tx, _ cases.Case, what string) error {
			w.told = append(w.told, what)
			return nil
		},
	})
	w.cases.Heard = w.backs.FollowIn // as app joins them
	w.cases.Register(w.runner)
	return w
}

func snapshot() territory.Snapshot {
	return territory.Snapshot{
		City: city, CityName: "暖城", Districts: []territory.District{{Code: "990101", Name: "东城区"}, {Code: "990102", Name: "西城区"}},
		Companies: []territory.Company{{Code: "C1", Name: "城北热力"}, {Code: "C2", Name: "城南热力"}, {Code: "C3", Name: "西苑锅炉房"}},
		Communities: []territory.Community{
			{ID: "sun", Name: "向阳花园", District: "990101", Company: "C1", Connected: true},
			{ID: "moon", Name: "明月里", District: "990102", Company: "C2", Connected: true},
			{ID: "lucky1", Name: "幸福里", District: "990101", Company: "C1", Connected: true},
			{ID: "lucky2", Name: "幸福里", District: "990102", Company: "C2", Connected: true},
		},
		Buildings: []territory.Building{{Community: "sun", No: "3"}, {Community: "moon", No: "1"}},
	}
}

// staff makes an actor with a role.
func staff(role actor.Role, id, org string) actor.Actor {
	return actor.Actor{ID: id, Name: id, Kind: actor.Person, Org: org, Door: actor.Page, Grants: []actor.Grant{{Role: role, City: city}}}
}

var (
	seat     = staff(actor.RoleSeat, "seat1", "centre")
	sender   = staff(actor.RoleDispatcher, "dispatcher1", "centre")
	head     = staff(actor.RoleSectionHead, "head1", "centre")
	verifier = staff(actor.RoleVerifier, "verifier1", "centre")
	north    = staff(actor.RoleCompany, "north1", "C1")
	south    = staff(actor.RoleCompany, "south1", "C2")
)

// cold is a complete report of a cold home, as a seat takes it.
func cold(edits ...func(*cases.Opening)) cases.Opening {
	in := cases.Opening{
		City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "家里暖气不热，室温只有15度", Category: "cold_home", Nature: citypack.Repair,
		Caller: cases.Party{Name: "王桂兰", Phone: "13803510001"}, Address: "向阳花园3号楼2单元601", Room: "601", Scope: cases.Home, TestRequest: "yes",
		Details: cases.Details{Since: "昨晚", Neighbours: "no", Leak: "no"},
	}
	for _, e := range edits {
		e(&in)
	}
	return in
}

func (w *world) open(in cases.Opening) cases.Case {
	w.t.Helper()
	o, err := w.cases.Open(ctx, seat, in)
	if err != nil {
		w.t.Fatalf("Open: %v", err)
	}
	return o.Case
}

// must gives the case or fails.
func (w *world) must(c cases.Case, err error) cases.Case {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func act(c cases.Case, reason ...string) cases.Act {
	a := cases.Act{City: city, ID: c.ID, Version: c.Version}
	if len(reason) > 0 {
		a.Reason = reason[0]
	}
	return a
}

// form is a feedback that the pack accepts for a cold home.
func form(edits map[string]string) map[string]string {
	f := map[string]string{
		"arrived_at": "", "contact": "用户在家", "temp_before": "15.2", "temp_after": "19.1", "rooms": "客厅、卧室", "truth": "true", "cause": "air",
		"segment": "company", "measures": "立管排气", "solved": "yes", "answer": "已排气，室温回升。",
	}
	maps.Copy(f, edits)
	return f
}
