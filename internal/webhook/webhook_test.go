package webhook_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/webhook"
	"github.com/rehu-heat/rehu/internal/webhook/webhookfake"
	"github.com/rehu-heat/rehu/packs"
)

const city = 990100

var ctx = context.Background()

// world is a city with two companies whose programs want to be told.
type world struct {
	t      testing.TB
	d      *db.DB
	now    *dbtest.Clock
	cases  *cases.Service
	sends  *dispatch.Service
	svc    *webhook.Service
	runner *jobs.Runner
	gone   map[string]bool // keys that do not hold any more
	off    atomic.Int64
}

func key(id, org string, roles ...actor.Role) actor.Actor {
	a := actor.Actor{ID: "key:" + id, Kind: actor.Key, Org: org, Door: actor.API}
	for _, r := range roles {
		a.Grants = append(a.Grants, actor.Grant{Role: r, City: city})
	}
	return a
}

var (
	north = key("n", "C1", actor.RoleCompany)
	south = key("s", "C2", actor.RoleCompany)
	mute  = key("m", "C2", actor.RoleKnowledge)
	admin = actor.Actor{ID: "admin", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleAdmin, City: city}}}
	seat  = actor.Actor{ID: "seat", Kind: actor.Person, Org: "centre", Grants: []actor.Grant{{Role: actor.RoleSeat, City: city}}}
)

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, d: d, now: dbtest.NewClock(), gone: map[string]bool{}}
	d.SetClock(w.now.Now)
	set, err := citypack.Load(packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	pack, err := set.City(city)
	if err != nil {
		t.Fatal(err)
	}
	rules := func(context.Context, *db.Tx, int) (*citypack.Rules, error) {
		return &citypack.Rules{Pack: pack, Calendar: calendar.Embedded()}, nil
	}
	w.runner = jobs.NewRunner(d, jobs.RunnerOptions{Name: "test", Machine: time.Now, Cities: func() []int { return []int{city} }})
	clocks, err := clock.New(clock.Options{DB: d, Rules: rules, Jobs: w.runner})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := secret.LoadRing(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	blobs := blob.New(d, blob.Disk(t.TempDir()))
	x := territory.Build(territory.Snapshot{
		City: city, CityName: "暖城", Districts: []territory.District{{Code: "990101", Name: "东城区"}},
		Companies:   []territory.Company{{Code: "C1", Name: "城北热力"}, {Code: "C2", Name: "城南热力"}},
		Communities: []territory.Community{{ID: "sun", Name: "向阳花园", District: "990101", Company: "C1", Connected: true}},
		Buildings:   []territory.Building{{Community: "sun", No: "3"}},
	})
	w.cases = cases.New(cases.Options{
		DB: d, Ring: ring, Blobs: blobs, Clocks: clocks, Rules: rules,
		Attribute: func(_ context.Context, _ *db.Tx, _ int, q territory.Query) (territory.Answer, error) {
			return x.Attribute(q), nil
		},
	})
	w.sends = dispatch.New(dispatch.Options{
		DB: d, Cases: w.cases, Clocks: clocks, Blobs: blobs, IsCompany: func(context.Context, *db.Tx, int, string) (bool, error) { return true, nil },
	})
	w.svc, err = webhook.New(webhook.Options{
		DB: d, Ring: ring, Cases: w.cases, Jobs: w.runner, Machine: time.Now, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		Key: func(_ context.Context, id string) (actor.Actor, bool, error) {
			for _, a := range []actor.Actor{north, south, mute} {
				if a.ID == id {
					return a, !w.gone[id], nil
				}
			}
			return actor.Actor{}, false, nil
		},
		Tell: func(context.Context, *db.Tx, webhook.Hook) error { w.off.Add(1); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// subscriber is a program of a key, subscribed to everything.
func (w *world) subscriber(by actor.Actor) (*webhookfake.Subscriber, webhook.Subscribed) {
	w.t.Helper()
	fake := webhookfake.New()
	server := httptest.NewServer(fake)
	w.t.Cleanup(server.Close)
	got, err := w.svc.Subscribe(ctx, by, webhook.Input{City: city, Name: "企业系统", URL: server.URL + "/rehu", Events: webhook.Events()})
	if err != nil {
		w.t.Fatal(err)
	}
	fake.Knows(notice.Signer{Account: got.ID, Secret: got.Secret, Machine: time.Now})
	return fake, got
}

func (w *world) open() cases.Case {
	w.t.Helper()
	o, err := w.cases.Open(ctx, seat, cases.Opening{
		City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "家里暖气不热，电话13803510001", Category: "cold_home", Nature: citypack.Repair,
		Caller: cases.Party{Name: "王桂兰", Phone: "13803510001"}, Address: "向阳花园3号楼2单元601", Room: "601", Scope: cases.Home, TestRequest: "no",
		Details: cases.Details{Since: "昨晚", Neighbours: "no", Leak: "no"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return o.Case
}

// pass lets time go on and the work be done.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.now.Advance(d)
	if err := w.runner.RunDue(ctx); err != nil {
		w.t.Fatal(err)
	}
}

func told(s *webhookfake.Subscriber) []webhook.Event {
	var out []webhook.Event
	for _, p := range s.Got() {
		out = append(out, p.Event)
	}
	slices.Sort(out) // they may overtake each other
	return out
}

// TestTold: a company's program hears of its own case, step by step and once, signed and without anybody's data; another
// company's hears nothing.
func TestTold(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		mine, hook := w.subscriber(north)
		theirs, _ := w.subscriber(south)
		w.pass(11 * time.Second)
		c := w.open()
		if _, err := w.sends.Sign(ctx, north, dispatch.Signing{Act: cases.Act{City: city, ID: c.ID, Version: c.Version}}); err != nil {
			t.Fatal(err)
		}
		for range 5 { // the looks overlap
			w.pass(11 * time.Second)
		}
		if diff := cmp.Diff([]webhook.Event{webhook.CaseOpened, webhook.CaseSigned}, told(mine)); diff != "" {
			t.Errorf("the company was told (-want +got):\n%s", diff)
		}
		if got := told(theirs); len(got) != 0 {
			t.Errorf("another company was told %v", got)
		}
		if wrong := mine.Wrong(); len(wrong) != 0 {
			t.Errorf("it was told wrongly: %q", wrong)
		}
		log, err := w.svc.Log(ctx, north, city, hook.ID, webhook.Filter{})
		if err != nil || len(log.Items) != 2 {
			t.Fatalf("%d in the log, %v", len(log.Items), err)
		}
		for _, one := range log.Items {
			for _, word := range []string{"王", "1380351", "2单元", "3号楼"} {
				if strings.Contains(one.Body, word) {
					t.Errorf("%s says %q: %s", one.Event, word, one.Body)
				}
			}
			if one.State != webhook.Sent || one.Status != http.StatusOK {
				t.Errorf("%s is %s, %d", one.Event, one.State, one.Status)
			}
		}
		if _, err := w.svc.Log(ctx, south, city, hook.ID, webhook.Filter{}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("another key reads the log: %v", err)
		}
	})
}

// TestFirstLookComesLate: what happened since the first subscription is told, however late anybody looks.
func TestFirstLookComesLate(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		fake, _ := w.subscriber(north)
		w.now.Advance(time.Second)
		w.open()
		w.pass(10 * time.Minute)
		w.pass(time.Second)
		if diff := cmp.Diff([]webhook.Event{webhook.CaseOpened}, told(fake)); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

// TestCommittedLate: an act whose transaction takes long is told like any other, also when later acts were told before it.
func TestCommittedLate(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		fake, _ := w.subscriber(north)
		w.now.Advance(time.Second)
		c := w.open()
		w.pass(11 * time.Second)
		began, end, done := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			done <- db.Do(ctx, d, func(tx *db.Tx) error {
				close(began)
				<-end
				return audit.Record(ctx, tx, seat, city, audit.Act{Subject: "case:" + c.ID, Act: "case.remind"})
			})
		}()
		<-began
		w.now.Advance(5 * time.Minute)
		if d.Engine() == db.Postgres { // SQLite lets nobody else write meanwhile
			w.open()
			w.pass(11 * time.Second)
			w.pass(10 * time.Minute)
		}
		close(end)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		w.pass(11 * time.Second)
		w.pass(time.Second)
		if got := told(fake); !slices.Contains(got, webhook.CaseReminded) {
			t.Errorf("told %v, and not of the act that was committed late", got)
		}
	})
}

// TestNobodyToTell: what happens while nobody is subscribed is passed over, and what happens afterwards is told.
func TestNobodyToTell(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.open()
		w.pass(11 * time.Second)
		left, err := db.Read(ctx, d, func(tx *db.Tx) ([]audit.Entry, error) { return audit.Untold(ctx, tx, city, 100) })
		if err != nil || len(left) != 0 {
			t.Fatalf("%d acts wait for nobody, %v", len(left), err)
		}
		fake, _ := w.subscriber(north)
		w.now.Advance(time.Second)
		w.open()
		w.pass(11 * time.Second)
		w.pass(time.Second)
		if diff := cmp.Diff([]webhook.Event{webhook.CaseOpened}, told(fake)); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

// TestFailingSubscriber is tried again and again, then switched off with a word to the managers; what it missed is replayed.
func TestFailingSubscriber(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		fake, hook := w.subscriber(north)
		fake.Down(true)
		w.pass(11 * time.Second)
		w.open()
		w.pass(11 * time.Second)
		for range 60 {
			w.pass(150 * time.Minute)
		}
		h, err := w.svc.Get(ctx, admin, city, hook.ID)
		if err != nil || h.Active || h.Why != "webhook.why.failing" || w.off.Load() != 1 {
			t.Fatalf("%+v, told %d times, %v", h, w.off.Load(), err)
		}
		fake.Down(false)
		in := webhook.Input{City: city, ID: h.ID, Name: h.Name, URL: h.URL, Events: h.Events, Active: true, Version: h.Version}
		if h, err = w.svc.Change(ctx, north, in); err != nil || !h.Active || !h.FailingSince.IsZero() {
			t.Fatalf("switched on: %+v, %v", h, err)
		}
		if _, err = w.svc.Change(ctx, north, in); fault.KindOf(err) != fault.Conflict {
			t.Errorf("an old version: %v", err)
		}
		n, err := w.svc.Replay(ctx, north, city, h.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		w.pass(3 * time.Hour)
		if got := told(fake); len(got) != 1 {
			t.Errorf("after the replay of %d it was told %v", n, got)
		}
		log, err := w.svc.Log(ctx, north, city, h.ID, webhook.Filter{State: webhook.Sent})
		if err != nil || len(log.Items) != 1 {
			t.Fatalf("%d sent, %v", len(log.Items), err)
		}
		if _, err := w.svc.Replay(ctx, north, city, h.ID, log.Items[0].ID); err != nil {
			t.Error(err)
		}
		w.pass(time.Minute)
		if wrong := fake.Wrong(); len(wrong) != 0 || len(told(fake)) != 1 {
			t.Errorf("replayed, it said something else: %q", wrong)
		}
	})
}

// TestKeyGone: with its key a subscription ends.
func TestKeyGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	fake, hook := w.subscriber(north)
	fake.Down(true)
	w.pass(11 * time.Second)
	w.open()
	w.pass(11 * time.Second)
	w.gone[north.ID] = true
	fake.Down(false)
	w.pass(time.Minute)
	h, err := w.svc.Get(ctx, admin, city, hook.ID)
	if err != nil || h.Active || len(told(fake)) != 0 {
		t.Errorf("active %v, told %v, %v", h.Active, told(fake), err)
	}
}

// TestWhoSubscribes: a key for itself, a manager for a key, nobody else; and only to what there is.
func TestWhoSubscribes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	good := webhook.Input{City: city, Name: "系统", URL: "https://example.com/x", Events: []webhook.Event{webhook.CaseOpened}}
	for name, c := range map[string]struct {
		by   actor.Actor
		edit func(*webhook.Input)
		want fault.Kind
	}{
		"another's key":              {north, func(in *webhook.Input) { in.Key = south.ID }, fault.Denied},
		"a seat":                     {seat, func(in *webhook.Input) { in.Key = north.ID }, fault.Denied},
		"a key that may see nothing": {mute, func(*webhook.Input) {}, fault.Denied},
		"for nobody":                 {admin, func(*webhook.Input) {}, fault.Invalid},
		"no event":                   {north, func(in *webhook.Input) { in.Events = nil }, fault.Invalid},
		"unknown event":              {north, func(in *webhook.Input) { in.Events = []webhook.Event{"case.sung"} }, fault.Invalid},
		"plain address":              {north, func(in *webhook.Input) { in.URL = "http://example.com/x" }, fault.Invalid},
		"inside":                     {north, func(in *webhook.Input) { in.URL = "https://10.0.0.8/x" }, fault.Invalid},
		"metadata":                   {north, func(in *webhook.Input) { in.URL = "https://169.254.169.254/latest" }, fault.Invalid},
		"with a password":            {north, func(in *webhook.Input) { in.URL = "https://a:b@example.com/" }, fault.Invalid},
	} {
		in := good
		c.edit(&in)
		if _, err := w.svc.Subscribe(ctx, c.by, in); fault.KindOf(err) != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	in := good
	in.Key = north.ID
	if _, err := w.svc.Subscribe(ctx, admin, in); err != nil {
		t.Errorf("a manager for a key: %v", err)
	}
}

// TestNameThatLeadsInside: a name that is public when it is written down and leads inside when it is called is not called.
func TestNameThatLeadsInside(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	var called atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
	defer server.Close()
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	for _, host := range []string{"localhost", "[::1]", "[::ffff:127.0.0.2]", "127.0.0.2"} {
		got, err := w.svc.Subscribe(ctx, north, webhook.Input{City: city, Name: host, URL: "https://" + host + port + "/", Events: []webhook.Event{webhook.CaseOpened}})
		if host != "localhost" {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s was taken: %v", host, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			log, err := w.svc.Log(ctx, north, city, got.ID, webhook.Filter{})
			if err != nil || len(log.Items) != 1 || log.Items[0].State != webhook.Queued {
				t.Errorf("%+v, %v", log.Items, err)
			}
		}()
	}
	w.pass(11 * time.Second)
	w.open()
	w.pass(11 * time.Second)
	if called.Load() != 0 {
		t.Error("an address inside was called")
	}
}
