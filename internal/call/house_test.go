package call_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/call/ctifake"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/packs"
)

const (
	city  = 990100
	phone = "13803510001"
)

var ctx = context.Background()

func person(id string, role actor.Role) actor.Actor {
	return actor.Actor{ID: id, Name: id, Kind: actor.Person, Org: "centre", Door: actor.Page, Grants: []actor.Grant{{Role: role, City: city}}}
}

var (
	ann     = person("ann", actor.RoleSeat)
	bob     = person("bob", actor.RoleSeat)
	leader  = person("leader", actor.RoleLeader)
	head    = person("head", actor.RoleSectionHead)
	company = actor.Actor{ID: "c1", Kind: actor.Person, Org: "C1", Grants: []actor.Grant{{Role: actor.RoleCompany, City: city}}}
)

// house is a centre with a switch that plays telephone. Community A is served by C1, whose desk has a number; the
// household of phone lives in its building 1.
type house struct {
	t       *testing.T
	d       *db.DB
	now     *dbtest.Clock
	calls   *call.Service
	cases   *cases.Service
	outages *outage.Service
	fake    *ctifake.Switch
	signer  notice.Signer
	n       int
}

func newHouse(t *testing.T, d *db.DB) *house {
	t.Helper()
	h := &house{t: t, d: d, now: dbtest.NewClock(), signer: notice.Signer{Account: "rehu", Secret: "s3cret", Machine: time.Now}}
	d.SetClock(h.now.Now)
	set, err := citypack.Load(packs.FS)
	h.must(err)
	pack, err := set.City(city)
	h.must(err)
	rules := func(context.Context, *db.Tx, int) (*citypack.Rules, error) {
		return &citypack.Rules{Pack: pack, Calendar: calendar.Embedded()}, nil
	}
	ring, err := secret.LoadRing(t.TempDir(), "")
	h.must(err)
	places := place.New(d, ring)
	places.Owner = func(context.Context, *db.Tx, int, string, string) (string, string, error) { return "C1", "", nil }
	clocks, err := clock.New(clock.Options{DB: d, Rules: rules})
	h.must(err)
	h.cases = cases.New(cases.Options{
		DB: d, Ring: ring, Clocks: clocks, Rules: rules,
		Attribute: func(context.Context, *db.Tx, int, territory.Query) (territory.Answer, error) {
			return territory.Answer{Decision: territory.Assigned, Company: "C1", Confidence: 1}, nil
		},
	})
	h.outages, err = outage.New(outage.Options{DB: d, Rules: rules, Owner: places.Owner, Machine: time.Now})
	h.must(err)
	h.fake = ctifake.New(ctifake.Options{Signer: h.signer, Now: h.now.Now})
	commands := httptest.NewServer(h.fake)
	t.Cleanup(commands.Close)
	sw, err := call.NewHTTPSwitch(call.SwitchConfig{URL: commands.URL, Signer: h.signer, Pause: func(context.Context, time.Duration) error { return nil }})
	h.must(err)
	h.calls, err = call.New(call.Options{DB: d, Ring: ring, Cases: h.cases, Places: places, Outages: h.outages, Switch: sw, Inbound: &h.signer})
	h.must(err)
	h.calls.Goal = goal
	h.listen()
	h.fill(ring)
	return h
}

// goal is what the centre wants to reach.
func goal(context.Context, *db.Tx, int) (call.Goal, error) {
	return call.Goal{Share: 950, Within: 15 * time.Second, Source: "promise"}, nil
}

// again is the centre after its program was started anew: nothing but the database is left.
func (h *house) again() *call.Service {
	h.t.Helper()
	ring, err := secret.LoadRing(h.t.TempDir(), "")
	h.must(err)
	s, err := call.New(call.Options{DB: h.d, Ring: ring, Cases: h.cases, Places: place.New(h.d, ring), Inbound: &h.signer})
	h.must(err)
	s.Goal = goal
	return s
}

// listen takes what the switch reports.
func (h *house) listen() {
	mux := http.NewServeMux()
	take := func(do func(in notice.Signed) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			in, err := notice.FromRequest(r)
			if err == nil {
				err = do(in)
			}
			if err != nil {
				w.WriteHeader(http.StatusInternalServerError)
				_, _ = io.WriteString(w, err.Error())
			}
		}
	}
	mux.HandleFunc("/reports", take(func(in notice.Signed) error { _, err := h.calls.Receive(ctx, city, in); return err }))
	s := httptest.NewServer(mux)
	h.t.Cleanup(s.Close)
	h.fake.Aim(s.URL+"/reports", "")
}

func (h *house) fill(ring *secret.Ring) {
	edition := func(key string) place.Edition { return place.Edition{City: city, Key: key, Until: place.Forever} }
	h.must(db.Do(ctx, h.d, func(tx *db.Tx) error {
		for _, k := range place.Kinds() {
			if _, err := place.HoldIn(ctx, tx, city, k); err != nil {
				return err
			}
		}
		if err := db.Insert(ctx, tx, "company", place.Company{Edition: edition("C1"), Code: "C1", Name: "城北热力", Kind: "company", Phone: "0351-4001234"}); err != nil {
			return err
		}
		if err := db.Insert(ctx, tx, "community", place.Community{Edition: edition("A"), ID: "A", Name: "向阳花园", Connected: true}); err != nil {
			return err
		}
		p, err := secret.Subject(ctx, tx, ring, city, secret.Phone, phone)
		if err != nil {
			return err
		}
		row := place.HouseholdRow{Edition: edition("1001"), Account: "1001", Community: "A", Building: "1", Unit: "2", Room: "601", Person: p.ID}
		row.Seal(p, "王芳", phone)
		return db.Insert(ctx, tx, "household", row)
	}))
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) key() string { h.n++; return fmt.Sprint("key-", h.n) }

// sit logs somebody in.
func (h *house) sit(who actor.Actor, extension string) {
	h.t.Helper()
	_, err := h.calls.Sit(ctx, who, call.Sitting{City: city, Do: call.LogIn, Extension: extension, Key: h.key()})
	h.must(err)
}

// ring lets a number ring at an extension and gives the call.
func (h *house) ring(number, extension string) call.Call {
	h.t.Helper()
	ref, err := h.fake.Dial(ctx, number, extension)
	h.must(err)
	return h.at(ref)
}

func (h *house) at(ref string) call.Call {
	h.t.Helper()
	list, err := h.calls.List(ctx, leader, city, call.Filter{})
	h.must(err)
	for _, c := range list.Items {
		if c.Ref == ref {
			return c
		}
	}
	h.t.Fatalf("no call %s", ref)
	return call.Call{}
}

func (h *house) do(who actor.Actor, c call.Call, v call.Verb) error {
	return h.calls.Command(ctx, who, call.Order{City: city, Call: c.ID, Do: v, Company: "C1", Key: h.key()})
}

func (h *house) opening() cases.Opening {
	return cases.Opening{
		City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "家里暖气不热", Category: "cold_home", Nature: citypack.Repair,
		Caller: cases.Party{Phone: "138****0001"}, Address: "向阳花园1号楼2单元601", Room: "601", Scope: cases.Home, TestRequest: "no",
		Details: cases.Details{Since: "今早", Neighbours: "yes", Leak: "no"}, Key: h.key(),
	}
}

// backs are the call-backs that wait.
func (h *house) backs() []call.Back {
	h.t.Helper()
	list, err := h.calls.Backs(ctx, ann, city, call.BackFilter{Open: true})
	h.must(err)
	return list.Items
}

func (h *house) figures() call.Figures {
	h.t.Helper()
	f, err := h.calls.Figures(ctx, leader, city, civil.Date{})
	h.must(err)
	return f
}
