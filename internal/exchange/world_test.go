package exchange_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/exchange/platformfake"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/packs"
)

const (
	city = 990100
	code = "hot12345"
	key  = "a-secret-of-the-two-sides"
)

var ctx = context.Background()

// world is a city, its centre and a platform that it exchanges tickets with.
type world struct {
	t      testing.TB
	d      *db.DB
	now    *dbtest.Clock
	cases  *cases.Service
	blobs  *blob.Service
	sends  *dispatch.Service
	svc    *exchange.Service
	runner *jobs.Runner
	fake   *platformfake.Platform
	code   string
	told   []string
	log    bytes.Buffer
	said   *slog.Logger // one writer of it
	away   bool         // what the platform sends is taken and the answer lost
	anew   func()       // puts another program in the place of the one that was killed
}

func quick(t testing.TB) *db.DB { return dbtest.SQLite(t) }

func newWorld(t testing.TB, d *db.DB) *world { return newWorldNamed(t, d, code) }

// newWorldNamed is a world whose platform has a code of its own, for several in one database.
func newWorldNamed(t testing.TB, d *db.DB, code string) *world {
	t.Helper()
	w := &world{t: t, d: d, now: dbtest.NewClock(), code: code}
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
	runner := func() *jobs.Runner {
		return jobs.NewRunner(d, jobs.RunnerOptions{Name: "test", Machine: time.Now, Log: w.logger(), Cities: func() []int { return []int{city} }})
	}
	w.runner = runner()
	clocks, err := clock.New(clock.Options{DB: d, Rules: rules, Jobs: w.runner})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := secret.LoadRing(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	blobs := blob.New(d, blob.Disk(t.TempDir()))
	w.blobs = blobs
	x := territory.Build(snapshot())
	w.cases = cases.New(cases.Options{
		DB: d, Ring: ring, Blobs: blobs, Clocks: clocks, Rules: rules,
		Attribute: func(_ context.Context, _ *db.Tx, _ int, q territory.Query) (territory.Answer, error) {
			return x.Attribute(q), nil
		},
	})
	company := func(_ context.Context, _ *db.Tx, _ int, code string) (bool, error) {
		return code == "C1" || code == "C2", nil
	}
	w.sends = dispatch.New(dispatch.Options{DB: d, Cases: w.cases, Clocks: clocks, Blobs: blobs, IsCompany: company})
	options := exchange.Options{
		DB: d, Ring: ring, Cases: w.cases, Dispatch: w.sends, Blobs: blobs, Machine: time.Now, IsCompany: company,
		Client: &http.Client{Timeout: 5 * time.Second}, Log: w.logger(),
		Tell: func(_ context.Context, _ *db.Tx, _ exchange.Ticket, _ exchange.Platform, what, _ string) error {
			w.told = append(w.told, what)
			return nil
		},
	}
	start := func(r *jobs.Runner) {
		o := options
		o.Jobs = r
		s, err := exchange.New(o)
		if err != nil {
			t.Fatal(err)
		}
		w.svc, w.runner = s, r
	}
	start(w.runner)
	w.anew = func() {
		r := runner()
		if _, err := clock.New(clock.Options{DB: d, Rules: rules, Jobs: r}); err != nil { // its jobs go on in the new program
			t.Fatal(err)
		}
		start(r)
	}
	w.cases.Heard = func(ctx context.Context, tx *db.Tx, c cases.Case, e cases.Event) error {
		return w.svc.FollowIn(ctx, tx, c, e)
	}
	w.connect()
	return w
}

// logger writes into the log of the world.
func (w *world) logger() *slog.Logger {
	if w.said == nil {
		w.said = slog.New(slog.NewTextHandler(&w.log, nil))
	}
	return w.said
}

// connect joins the centre and a fake platform, over HTTP one way and by its own calls the other.
func (w *world) connect() {
	w.t.Helper()
	signer := notice.Signer{Account: "rehu", Secret: key, Machine: time.Now}
	w.fake = platformfake.New(platformfake.Options{Signer: signer, Base: "/x", Post: w.post, Now: w.now.Now, Prefix: "TY" + w.code})
	server := httptest.NewServer(w.fake)
	w.t.Cleanup(server.Close)
	_, err := w.svc.SavePlatform(ctx, admin, exchange.PlatformInput{
		City: city, Code: w.code, Name: "太原12345", Kind: exchange.Hotline, URL: server.URL + "/rehu", Account: "rehu", Secret: key, ReturnMinutes: 60, GapMinutes: 5, Active: true,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// post takes what the platform sends, as the page's handler does.
func (w *world) post(ctx context.Context, path string, in notice.Signed) (int, []byte, error) {
	var out any
	var err error
	switch path {
	case "/x/messages":
		out, err = w.svc.Take(ctx, city, w.code, in)
	case "/x/files":
		f, err := w.svc.GiveFile(ctx, city, w.code, in)
		if err != nil {
			status := map[fault.Kind]int{fault.NotFound: 404, fault.Denied: 403, fault.Invalid: 422}[fault.KindOf(err)]
			return status, []byte(err.Error()), nil
		}
		defer f.Body.Close()
		b, err := io.ReadAll(f.Body)
		return 200, b, err
	case "/x/resend":
		out, err = w.svc.Resend(ctx, city, w.code, in)
	default:
		out, err = w.svc.Ledger(ctx, city, w.code, in)
	}
	if err != nil {
		status := map[fault.Kind]int{fault.Invalid: 422, fault.Denied: 403, fault.Conflict: 409}[fault.KindOf(err)]
		if status == 0 {
			w.t.Errorf("%s: %v", path, err)
			status = 500
		}
		return status, []byte(err.Error()), nil
	}
	b, err := json.Marshal(out)
	if w.away {
		return 502, []byte("the answer was lost"), nil
	}
	return 200, b, err
}

// killed ends our program while it hands something over, and starts another one on the same database: what it held in its
// hands it holds no more.
func (w *world) killed() {
	w.t.Helper()
	dying, kill := context.WithCancel(ctx)
	time.AfterFunc(3*time.Millisecond, kill)
	_ = w.runner.RunDue(dying) // however far it came
	kill()
	w.anew()
}

func snapshot() territory.Snapshot {
	return territory.Snapshot{
		City: city, CityName: "暖城", Districts: []territory.District{{Code: "990101", Name: "东城区"}, {Code: "990102", Name: "西城区"}},
		Companies: []territory.Company{{Code: "C1", Name: "城北热力"}, {Code: "C2", Name: "城南热力"}},
		Communities: []territory.Community{
			{ID: "sun", Name: "向阳花园", District: "990101", Company: "C1", Connected: true},
			{ID: "moon", Name: "明月里", District: "990102", Company: "C2", Connected: true},
		},
		Buildings: []territory.Building{{Community: "sun", No: "3"}, {Community: "moon", No: "1"}},
	}
}

func staff(role actor.Role, id string, edits ...func(*actor.Grant)) actor.Actor {
	g := actor.Grant{Role: role, City: city}
	for _, e := range edits {
		e(&g)
	}
	return actor.Actor{ID: id, Name: id, Kind: actor.Person, Org: "centre", Door: actor.Page, Grants: []actor.Grant{g}}
}

var (
	admin    = staff(actor.RoleAdmin, "admin1")
	seat     = staff(actor.RoleSeat, "seat1")
	sender   = staff(actor.RoleDispatcher, "dispatcher1")
	leader   = staff(actor.RoleLeader, "leader1")
	verifier = staff(actor.RoleVerifier, "verifier1")
	north    = actor.Actor{ID: "north1", Kind: actor.Person, Org: "C1", Door: actor.Page, Grants: []actor.Grant{{Role: actor.RoleCompany, City: city}}}
)

// details are a complete complaint as 12345 passes it on.
func (w *world) details(edits ...func(*exchange.Details)) exchange.Details {
	d := exchange.Details{
		Text: "家里暖气不热，室温只有15度，请尽快处理", ReceivedAt: w.now.Now().Add(-10 * time.Minute), Caller: cases.Party{Name: "王桂兰", Phone: "13803510001"},
		Address: "向阳花园3号楼2单元601", Nature: "报修", Level: "一般", Seat: "东城区驻场", ReplyBy: w.now.Now().Add(24 * time.Hour),
	}
	for _, e := range edits {
		e(&d)
	}
	return d
}

// flush lets the platform send, and the centre work.
func (w *world) flush() {
	w.t.Helper()
	if err := w.fake.Flush(ctx); err != nil {
		w.t.Fatalf("the platform cannot send: %v", err)
	}
	w.run()
}

func (w *world) run() {
	w.t.Helper()
	if err := w.runner.RunDue(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// dispatched is a ticket of the platform with its case.
func (w *world) dispatched(edits ...func(*exchange.Details)) (exchange.Ticket, cases.Case) {
	w.t.Helper()
	no := w.fake.Open(w.details(edits...))
	w.flush()
	t := w.ticket(no)
	return t.Ticket, w.caseOf(t.Ticket)
}

func (w *world) ticket(no string) exchange.View {
	w.t.Helper()
	return w.ticketOf("", no)
}

func (w *world) ticketOf(by exchange.Side, no string) exchange.View {
	w.t.Helper()
	list, err := w.svc.List(ctx, leader, city, exchange.Filter{Query: no, OpenedBy: by})
	if err != nil || len(list.Items) != 1 {
		w.t.Fatalf("ticket %s: %d found, %v", no, len(list.Items), err)
	}
	v, err := w.svc.Get(ctx, leader, city, list.Items[0].ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) caseOf(t exchange.Ticket) cases.Case {
	w.t.Helper()
	c, err := w.cases.Get(ctx, leader, city, t.Case)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

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

// handled brings a case to the centre's verification.
func (w *world) handled(c cases.Case) cases.Case {
	w.t.Helper()
	c = w.must(w.sends.Sign(ctx, north, dispatch.Signing{Act: act(c)}))
	c = w.must(w.sends.Contact(ctx, north, dispatch.Contacting{Act: act(c), Result: "connected"}))
	w.now.Advance(30 * time.Minute)
	c = w.must(w.sends.Arrive(ctx, north, dispatch.Visit{Act: act(c), Result: "met"}))
	c = w.must(w.sends.FeedBack(ctx, north, dispatch.Feedback{Act: act(c), Form: map[string]string{
		"arrived_at": w.now.Now().String(), "contact": "用户在家", "temp_before": "15.2", "temp_after": "19.1", "rooms": "客厅", "truth": "true", "cause": "air",
		"segment": "company", "measures": "立管排气", "solved": "yes", "answer": "已排气，室温回升。",
	}}))
	return w.must(w.cases.Verify(ctx, verifier, cases.Verification{Act: act(c), Passed: true, Mode: "evidence"}))
}

func events(list []exchange.Message) []exchange.Event {
	var out []exchange.Event
	for _, m := range list {
		out = append(out, m.Event)
	}
	return out
}

func (w *world) fakeTicket(by exchange.Side, no string) platformfake.Ticket {
	w.t.Helper()
	t, ok := w.fake.Ticket(by, no)
	if !ok {
		w.t.Fatalf("the platform has no ticket %s", no)
	}
	return t
}

// agreed checks that both sides say the same about a ticket.
func (w *world) agreed(by exchange.Side, no string) {
	w.t.Helper()
	theirs, ours := w.fakeTicket(by, no), w.ticketOf(by, no)
	if theirs.Status != ours.Status || int64(len(theirs.Said)) != ours.Taken || int64(len(theirs.Taken)) != ours.Said {
		w.t.Errorf("ticket %s: the platform is at %s and said %d, took %d; we are at %s, said %d, took %d", no, theirs.Status, len(theirs.Said), len(theirs.Taken),
			ours.Status, ours.Said, ours.Taken)
	}
	if wrong := w.fake.Wrong(); len(wrong) > 0 {
		w.t.Errorf("the platform was sent what no platform takes: %q", wrong)
	}
}

func clockAt(y, m, d, h int) civil.Instant { return civil.On(civil.NewDate(y, time.Month(m), d), h, 0) }

func (w *world) platform() exchange.Platform {
	w.t.Helper()
	list, err := w.svc.Platforms(ctx, admin, city)
	if err != nil || len(list) != 1 {
		w.t.Fatalf("%d platforms, %v", len(list), err)
	}
	return list[0].Platform
}

// save switches a platform on or off.
func (w *world) save(p exchange.Platform, active bool) {
	w.t.Helper()
	_, err := w.svc.SavePlatform(ctx, admin, exchange.PlatformInput{
		City: city, Code: p.Code, Name: p.Name, Kind: p.Kind, URL: p.URL, Account: p.Account, ReturnMinutes: p.ReturnMinutes, GapMinutes: p.GapMinutes, Active: active,
		Version: p.Version,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// sendings counts the jobs that were made to send something.
func (w *world) sendings() int {
	w.t.Helper()
	n, err := db.Read(ctx, w.d, func(tx *db.Tx) (int, error) {
		return db.One[int](ctx, tx, `SELECT COUNT(*) FROM job WHERE city_id = $1 AND kind = 'exchange.send'`, city)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
