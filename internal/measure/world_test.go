package measure_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/packs"
)

const city = 990100

var packFS = packs.FS

var ctx = context.Background()

func person(role actor.Role, id, org string) actor.Actor {
	return actor.Actor{ID: id, Name: id, Kind: actor.Person, Org: org, Door: actor.API, Grants: []actor.Grant{{Role: role, City: city}}}
}

var (
	seat      = person(actor.RoleSeat, "seat", "centre")
	north     = person(actor.RoleCompany, "north", "C1")
	south     = person(actor.RoleCompany, "south", "C2")
	worker    = person(actor.RoleWorker, "worker", "C1")
	regulator = person(actor.RoleRegulator, "regulator", "bureau")
	district  = person(actor.RoleDistrict, "district", "dongcheng")
)

// world is a city in which C1 serves 向阳花园 (sun) and C2 明月里 (moon); the account 1001 is 3号楼2单元601 of the first.
type world struct {
	t      *testing.T
	d      *db.DB
	now    *dbtest.Clock
	cases  *cases.Service
	runner *jobs.Runner
	blobs  *blob.Service
	tools  *equipment.Service
	m      *measure.Service
	clocks *clock.Ledger
	asked  []string
	warned []string
	told   []string
	heard  []measure.Counted
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, d: d, now: dbtest.NewClock()}
	d.SetClock(w.now.Now)
	set, err := citypack.Load(packs.FS)
	must(t, err)
	pack, err := set.City(city)
	must(t, err)
	rules := func(context.Context, *db.Tx, int) (*citypack.Rules, error) {
		return &citypack.Rules{Pack: pack, Calendar: calendar.Embedded()}, nil
	}
	w.runner = jobs.NewRunner(d, jobs.RunnerOptions{Name: "t", Log: slog.New(slog.DiscardHandler), Machine: time.Now, Cities: func() []int { return []int{city} }})
	clocks, err := clock.New(clock.Options{DB: d, Rules: rules, Jobs: w.runner})
	must(t, err)
	clocks.OnStep = func(ctx context.Context, tx *db.Tx, by actor.Actor, k clock.Clock, step citypack.Step) error {
		_, err := w.m.Step(ctx, tx, by, k, step)
		return err
	}
	w.clocks = clocks
	ring, err := secret.LoadRing(t.TempDir(), "")
	must(t, err)
	w.blobs = blob.New(d, blob.Disk(t.TempDir()))
	x := territory.Build(territory.Snapshot{
		City: city, CityName: "暖城", Districts: []territory.District{{Code: "990101", Name: "东城区"}}, Companies: []territory.Company{{Code: "C1", Name: "城北热力"}},
		Communities: []territory.Community{{ID: "sun", Name: "向阳花园", District: "990101", Company: "C1", Connected: true}}, Buildings: []territory.Building{{Community: "sun", No: "3"}},
	})
	w.cases = cases.New(cases.Options{
		DB: d, Ring: ring, Blobs: w.blobs, Clocks: clocks, Rules: rules, Log: slog.New(slog.DiscardHandler),
		Attribute: func(_ context.Context, _ *db.Tx, _ int, q territory.Query) (territory.Answer, error) {
			return x.Attribute(q), nil
		},
	})
	w.m, err = measure.New(measure.Options{
		DB: d, Ring: ring, Cases: w.cases, Clocks: clocks, Blobs: w.blobs, Jobs: w.runner, Rules: rules,
		Owner: func(_ context.Context, _ *db.Tx, _ int, community, _ string) (string, string, error) {
			return map[string]string{"sun": "C1", "moon": "C2"}[community], "", nil
		},
		Ask: func(_ context.Context, _ *db.Tx, m measure.Measurement, question, ref string, _ map[string]any) error {
			w.asked = append(w.asked, question+" "+ref)
			return nil
		},
		Tell: func(_ context.Context, _ *db.Tx, m measure.Measurement, what, _ string) error {
			w.told = append(w.told, m.Company+" "+what)
			return nil
		},
		Warn: func(_ context.Context, tx *db.Tx, _ measure.Measurement, k clock.Clock, step citypack.Step) error {
			w.warned = append(w.warned, fmt.Sprintf("%s %s %s %s", tx.Now.MonthDayClock(), k.Code, step.Stage, step.Role))
			return nil
		},
	})
	must(t, err)
	w.cases.TestAsked = w.m.FromCase
	w.m.OnResult = func(_ context.Context, _ *db.Tx, _ actor.Actor, _ measure.Measurement, c measure.Counted) error {
		w.heard = append(w.heard, c)
		return nil
	}
	w.tools = equipment.New(d)
	w.fill()
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) fill() {
	w.t.Helper()
	edition := func(key string) place.Edition { return place.Edition{City: city, Key: key, Until: place.Forever} }
	must(w.t, db.Do(ctx, w.d, func(tx *db.Tx) error {
		for _, k := range place.Kinds() {
			if _, err := place.HoldIn(ctx, tx, city, k); err != nil {
				return err
			}
		}
		for id, name := range map[string]string{"sun": "向阳花园", "moon": "明月里"} {
			c := place.Community{Edition: edition(id), ID: id, Name: name, District: "990101", Connected: true}
			if err := db.Insert(ctx, tx, "community", c); err != nil {
				return err
			}
		}
		for account, community := range map[string]string{"1001": "sun", "2001": "moon"} {
			h := place.HouseholdRow{Edition: edition(account), Account: account, Community: community, Building: "3", Unit: "2", Room: "601", Paid: "yes"}
			if err := db.Insert(ctx, tx, "household", h); err != nil {
				return err
			}
		}
		return nil
	}))
	_, err := w.tools.Save(ctx, north, equipment.Entry{
		City: city, Number: "T-1", Model: "DT-1", Certificate: "检字1号", VerifiedOn: civil.NewDate(2025, 10, 1), ValidUntil: civil.NewDate(2026, 9, 30),
	})
	must(w.t, err)
}

// asks makes a request of the account 1001.
func (w *world) asks() measure.Measurement {
	w.t.Helper()
	m, err := w.m.Request(ctx, seat, measure.Requesting{City: city, Account: "1001", Contact: cases.Party{Name: "王桂兰", Phone: "13803510001"}})
	must(w.t, err)
	return m
}

func tenths(s string) celsius.Tenths {
	c, err := celsius.Parse(s)
	if err != nil {
		panic(err)
	}
	return c
}

func (w *world) visitID(n int) string { return fmt.Sprintf("visit-%08d", n) }

func (w *world) arrival(o measure.Outcome, at civil.Instant) *measure.Arrival {
	a := &measure.Arrival{Outcome: o, At: at, Testers: []string{"甲", "乙"}}
	if o == measure.Unable {
		a.Cause = measure.BrokenTool
	}
	if o == measure.RefusedByUser || o == measure.RefusedByCompany {
		a.Reason = "不便"
	}
	return a
}

// reading is one that has nothing about it that the rules would rather have otherwise.
func (w *world) reading(temp string, at civil.Instant) *measure.Readings {
	out := tenths("-5.0")
	return &measure.Readings{
		Instrument: "T-1", WindowsSince: at.Add(-2 * time.Hour), HeightCM: 120, OutdoorC: &out, Conditions: []string{"covered", "sun"},
		Rooms: []measure.RoomReading{{Room: "客厅", Type: "living_room", TempC: tenths(temp), At: at}},
	}
}

func (w *world) signatures(at civil.Instant) []measure.Signature {
	return []measure.Signature{
		{Side: measure.UserSide, Name: "王桂兰", Relation: "self", Strokes: "1,1 2,2", At: at},
		{Side: measure.CompanySide, Name: "赵师傅", Strokes: "3,3 4,4", At: at},
	}
}

// visit sends a whole visit with a reading.
func (w *world) visit(by actor.Actor, m measure.Measurement, n int, temp string) measure.Receipt {
	w.t.Helper()
	at := w.now.Now()
	r, err := w.m.Submit(ctx, by, measure.Submission{
		City: city, Visit: w.visitID(n), Measurement: m.ID, Arrival: w.arrival(measure.Met, at), Readings: w.reading(temp, at), Signatures: w.signatures(at),
	})
	must(w.t, err)
	return r
}

func (w *world) get(id string) measure.View {
	w.t.Helper()
	v, err := w.m.Get(ctx, regulator, city, id)
	must(w.t, err)
	return v
}

func (w *world) log() measure.HomeLog {
	w.t.Helper()
	l, err := w.m.Log(ctx, regulator, city, "1001", "")
	must(w.t, err)
	if !l.Chain.Sound {
		w.t.Errorf("the chain of the home is broken at %s", l.Chain.Fault)
	}
	return l
}

func (w *world) types() string {
	var out []string
	for _, c := range w.log().Events {
		out = append(out, string(c.Type))
	}
	return strings.Join(out, " ")
}

func (w *world) work() {
	w.t.Helper()
	must(w.t, w.runner.RunDue(ctx))
}

func wantKind(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("got %v, want a fault of kind %s", err, kind)
	}
}
