package bulletin_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/bulletin"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/notice/smsfake"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/packs"
)

const city = 990100

var (
	ctx    = context.Background()
	writer = person("w", actor.RoleLeader)
	head   = person("h", actor.RoleSectionHead)
	signer = notice.Signer{Account: "rehu", Secret: "s3cret", Machine: time.Now}
)

func person(id string, r actor.Role) actor.Actor {
	return actor.Actor{ID: id, Kind: actor.Person, Grants: []actor.Grant{{Role: r, City: city}}}
}

// world is a city of three estates: sun with n homes in two buildings, jade with one that shares its telephone with sun's
// first, and one without a telephone.
type world struct {
	*bulletin.Service
	t       *testing.T
	d       *db.DB
	now     *dbtest.Clock
	runner  *jobs.Runner
	fake    *smsfake.Gateway
	notices *notice.Service
}

func newWorld(t *testing.T, d *db.DB, n int) *world {
	t.Helper()
	w := &world{t: t, d: d, now: dbtest.NewClock(), fake: smsfake.New(signer)}
	d.SetClock(w.now.Now)
	ring, err := secret.LoadRing(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	all, err := citypack.Load(packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	rules := citypack.NewService(d, all, calendar.Embedded())
	w.runner = jobs.NewRunner(d, jobs.RunnerOptions{Name: "t", Log: slog.New(slog.DiscardHandler), Machine: time.Now, Cities: func() []int { return []int{city} }})
	srv := httptest.NewServer(w.fake)
	t.Cleanup(srv.Close)
	gateway, err := notice.NewSMSGateway(notice.SMSConfig{URL: srv.URL + "/send", Signer: signer})
	if err != nil {
		t.Fatal(err)
	}
	w.notices, err = notice.New(notice.Options{DB: d, Ring: ring, Jobs: w.runner, Gateways: map[notice.Channel]notice.Gateway{notice.SMS: gateway}})
	if err != nil {
		t.Fatal(err)
	}
	w.Service, err = bulletin.New(bulletin.Options{
		DB: d, Ring: ring, Places: place.New(d, ring), Notices: w.notices, Rules: rules.RulesIn, Jobs: w.runner, Price: "0.05",
		Area: func(_ context.Context, _ actor.Actor, _ int, code string) (string, []string, error) {
			if code != "A1" {
				return "", nil, fault.New(fault.NotFound, "not_found")
			}
			return "东区", []string{"sun", "jade"}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.settle(ring, n)
	return w
}

func row(key string) place.Edition { return place.Edition{City: city, Key: key, Until: place.Forever} }

func (w *world) settle(ring *secret.Ring, n int) {
	w.t.Helper()
	err := db.Do(ctx, w.d, func(tx *db.Tx) error {
		for _, kind := range place.Kinds() {
			if _, err := place.HoldIn(ctx, tx, city, kind); err != nil {
				return err
			}
		}
		var homes []place.HouseholdRow
		add := func(account, community, building, phone string) error {
			h := place.HouseholdRow{Edition: row(account), Account: account, Community: community, Building: building, Unit: "1", Room: "101", HeatStatus: "on"}
			if phone != "" {
				p, err := secret.Subject(ctx, tx, ring, city, secret.Phone, phone)
				if err != nil {
					return err
				}
				h.Seal(p, "王桂兰", phone)
			}
			homes = append(homes, h)
			return nil
		}
		for i := range n {
			if err := add(fmt.Sprintf("S%04d", i), "sun", fmt.Sprint(1+i%2), fmt.Sprintf("138%08d", i)); err != nil {
				return err
			}
		}
		if err := add("J1", "jade", "1", "13800000000"); err != nil {
			return err
		}
		if err := add("J2", "jade", "1", ""); err != nil {
			return err
		}
		if err := db.InsertAll(ctx, tx, "community", []place.Community{
			{Edition: row("sun"), ID: "sun", Name: "阳光花园", District: "D1", Station: "S1", Connected: true},
			{Edition: row("jade"), ID: "jade", Name: "翡翠名邸", District: "D1", Station: "S1", Connected: true},
		}); err != nil {
			return err
		}
		return db.InsertAll(ctx, tx, "household", homes)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) input(change func(*bulletin.Input)) bulletin.Input {
	in := bulletin.Input{City: city, Kind: bulletin.Fault, TextZH: "站内换泵，20时前恢复。", Reach: bulletin.Area, Area: "A1", Send: true, Until: w.now.Now().Add(24 * time.Hour)}
	if change != nil {
		change(&in)
	}
	return in
}

func (w *world) write(change func(*bulletin.Input)) bulletin.Bulletin {
	w.t.Helper()
	b, err := w.Write(ctx, writer, w.input(change))
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *world) decide(by actor.Actor, b bulletin.Bulletin, e bulletin.Event) (bulletin.Bulletin, error) {
	return w.Decide(ctx, by, bulletin.Decision{City: city, ID: b.ID, Version: b.Version, Event: e, Reason: "写错了"})
}

func (w *world) work() {
	w.t.Helper()
	if err := w.runner.RunDue(ctx); err != nil {
		w.t.Fatal(err)
	}
}

func TestEverybodyIsToldOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const n = 95 // more than two transactions
		w := newWorld(t, d, n)
		b := w.write(nil)
		if b.Households != n+2 || b.Name != "东区" {
			t.Errorf("%d households of %s; want %d of 东区", b.Households, b.Name, n+2)
		}
		w.work()
		if len(w.fake.Sent()) != 0 {
			t.Fatal("sent before a second person looked at it")
		}
		if _, err := w.decide(writer, b, bulletin.Approve); !fault.Is(err, fault.Denied) {
			t.Errorf("the shift leader who wrote it lets it go out: %v; want Denied", err)
		}
		out, err := w.decide(head, b, bulletin.Approve)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.decide(head, b, bulletin.Approve); !fault.Is(err, fault.Conflict) {
			t.Errorf("let out twice: %v; want Conflict", err)
		}
		w.work()
		to := map[string]int{}
		for _, m := range w.fake.Sent() {
			to[m.To]++
		}
		if len(to) != n || len(w.fake.Sent()) != n {
			t.Errorf("%d messages to %d telephones; want %d, each once, also with two homes", len(w.fake.Sent()), len(to), n)
		}
		got, err := w.Get(ctx, head, city, b.ID)
		if err != nil || got.State != bulletin.Told || got.Reached != n+1 || got.Unreached != 1 {
			t.Errorf("%+v, %v; want told, %d reached, 1 without a telephone", got.Bulletin, err, n+1)
		}
		if got.Version != out.Version+1 {
			t.Errorf("version %d after %d was let out; want one more for its end, so that it can be taken back while it goes out", got.Version, out.Version)
		}
		if live, err := w.Live(ctx, city); err != nil || len(live) != 1 {
			t.Errorf("%d on the residents' pages, %v; want 1", len(live), err)
		}
		w.now.Advance(25 * time.Hour)
		if live, err := w.Live(ctx, city); err != nil || len(live) != 0 {
			t.Errorf("%d on the residents' pages after it ended, %v; want none", len(live), err)
		}
	})
}

func TestWithdrawnWhileSending(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 3)
		b := w.write(nil)
		b, err := w.decide(head, b, bulletin.Approve)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.decide(writer, b, bulletin.Withdraw); err != nil {
			t.Fatal(err)
		}
		w.work()
		if n := len(w.fake.Sent()); n != 0 {
			t.Errorf("%d sent after it was withdrawn", n)
		}
		if live, _ := w.Live(ctx, city); len(live) != 0 {
			t.Error("a withdrawn bulletin stands on the residents' pages")
		}
	})
}

func TestWithdrawnMessagesDoNotWait(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 3)
		other := w.write(func(in *bulletin.Input) { in.Reach, in.Community = bulletin.Community, "sun" })
		b := w.write(nil)
		w.fake.Down(true)
		for _, b := range []bulletin.Bulletin{other, b} {
			if _, err := w.decide(head, b, bulletin.Approve); err != nil {
				t.Fatal(err)
			}
		}
		w.work()
		told, err := w.Get(ctx, head, city, b.ID)
		if err != nil || told.State != bulletin.Told {
			t.Fatalf("%s, %v; want told", told.State, err)
		}
		if _, err := w.decide(writer, told.Bulletin, bulletin.Withdraw); err != nil {
			t.Fatal(err)
		}
		w.fake.Down(false)
		w.now.Advance(time.Hour)
		w.work()
		if n := len(w.fake.Sent()); n != 3 {
			t.Errorf("%d messages sent; want the 3 of the bulletin that holds", n)
		}
		dropped, err := w.notices.List(ctx, head, city, notice.Filter{State: notice.Dropped})
		if err != nil || len(dropped.Items) != 3 || dropped.Items[0].Reason != "notice.reason.withdrawn" {
			t.Errorf("%d dropped, %v; want 3 that were taken back", len(dropped.Items), err)
		}
	})
}

func TestMessagesAreNotSentAfterTheBulletinEnded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 3)
		b := w.write(func(in *bulletin.Input) { in.Until = w.now.Now().Add(time.Hour) })
		w.fake.Down(true)
		if _, err := w.decide(head, b, bulletin.Approve); err != nil {
			t.Fatal(err)
		}
		w.work()
		w.fake.Down(false)
		w.now.Advance(2 * time.Hour)
		w.work()
		if n := len(w.fake.Sent()); n != 0 {
			t.Errorf("%d messages sent of a bulletin that no longer holds", n)
		}
	})
}

func TestPagesOnlyAndRefusals(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 3)
		if ok, err := w.notices.Reply(ctx, notice.Incoming{City: city, From: "13800000001", Text: "TD"}); !ok || err != nil {
			t.Fatal(ok, err)
		}
		quiet := w.write(func(in *bulletin.Input) { in.Send = false })
		advice := w.write(func(in *bulletin.Input) { in.Kind, in.Reach, in.Community = bulletin.Advice, bulletin.Community, "sun" })
		leak := w.write(func(in *bulletin.Input) {
			in.Kind, in.Reach, in.Community, in.Building = bulletin.Leak, bulletin.Building, "sun", "2号楼"
		})
		if leak.Households != 1 || leak.Name != "阳光花园 2" {
			t.Errorf("%d households of %s; want 1 of the building", leak.Households, leak.Name)
		}
		for _, b := range []bulletin.Bulletin{quiet, advice, leak} {
			if _, err := w.decide(head, b, bulletin.Approve); err != nil {
				t.Fatal(err)
			}
		}
		w.work()
		if n := len(w.fake.Sent()); n != 3 { // advice to two of three, the leak to the one who refused bulletins
			t.Errorf("%d messages; want 3", n)
		}
		if live, _ := w.Live(ctx, city); len(live) != 3 {
			t.Errorf("%d on the pages; want 3", len(live))
		}
	})
}

func TestPreviewAndBadInput(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 10)
		p, err := w.Preview(ctx, writer, w.input(nil))
		if err != nil || p.Households != 12 || p.AtMost != "0.60" || !p.Urgent {
			t.Errorf("%+v, %v; want 12 households for at most 0.60", p, err)
		}
		if list, _ := w.List(ctx, writer, city, bulletin.Filter{}); len(list.Items) != 0 {
			t.Error("a preview was kept")
		}
		for _, c := range []struct {
			field  string
			change func(*bulletin.Input)
		}{
			{"text_zh", func(in *bulletin.Input) { in.TextZH = "  " }},
			{"kind", func(in *bulletin.Input) { in.Kind = "party" }},
			{"reach", func(in *bulletin.Input) { in.Reach = "country" }},
			{"area", func(in *bulletin.Input) { in.Area = "A9" }},
			{"community", func(in *bulletin.Input) { in.Reach, in.Community = bulletin.Community, "moon" }},
			{"building", func(in *bulletin.Input) { in.Reach, in.Community, in.Building = bulletin.Building, "sun", "99" }},
			{"station", func(in *bulletin.Input) { in.Reach, in.Station = bulletin.Station, "S9" }},
			{"until_at", func(in *bulletin.Input) { in.Until = w.now.Now() }},
			{"until_at", func(in *bulletin.Input) { in.Until = w.now.Now().Add(90 * 24 * time.Hour) }},
		} {
			_, err := w.Write(ctx, writer, w.input(c.change))
			if !fault.Is(err, fault.Invalid) || fault.Of(err).Fields[0].Name != c.field {
				t.Errorf("%s: %v; want Invalid at it", c.field, err)
			}
		}
		if _, err := w.Preview(ctx, person("c", actor.RoleSeat), w.input(nil)); !fault.Is(err, fault.Denied) {
			t.Errorf("a seat: %v; want Denied", err)
		}
		b := w.write(nil)
		if _, err := w.Decide(ctx, head, bulletin.Decision{City: city, ID: b.ID, Version: b.Version, Event: bulletin.Refuse}); !fault.Is(err, fault.Invalid) {
			t.Errorf("refused without a reason: %v; want Invalid", err)
		}
	})
}

// A bulletin of a stop says when the heat goes off, and is held against the notice period of the city; whether it was late is settled when it
// goes out. Other kinds tell of no such hour.
func TestAStopIsHeldAgainstTheNoticePeriod(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 3)
		stop := func(from, until time.Duration) func(*bulletin.Input) {
			return func(in *bulletin.Input) {
				in.Kind, in.Send, in.Until = bulletin.Stop, false, w.now.Now().Add(until)
				if from != 0 {
					in.Starts = w.now.Now().Add(from)
				}
			}
		}
		for field, change := range map[string]func(*bulletin.Input){"from_at": stop(0, time.Hour), "until_at": stop(2*time.Hour, time.Hour)} {
			if _, err := w.Write(ctx, writer, w.input(change)); !fault.Is(err, fault.Invalid) || fault.Of(err).Fields[0].Name != field {
				t.Errorf("%v; want Invalid at %s", err, field)
			}
		}
		for _, x := range []struct {
			from, long time.Duration
			late       bool
		}{{time.Hour, 10 * time.Hour, true}, {20 * 24 * time.Hour, 10 * time.Hour, false}, {30 * time.Hour, 30 * time.Hour, true}, {time.Hour, 2 * time.Hour, false}} {
			change := stop(x.from, x.from+x.long)
			p, err := w.Preview(ctx, writer, w.input(change))
			if err != nil || p.Late != x.late || len(p.Notice) == 0 || x.long > 8*time.Hour && p.Notice[0].Article == "" {
				t.Errorf("a stop in %s: late %v, %+v, %v; want %v with its rule", x.from, p.Late, p.Notice, err, x.late)
			}
			b := w.write(change)
			if b.Late {
				t.Error("late before it went out")
			}
			if b, err = w.decide(head, b, bulletin.Approve); err != nil || b.Late != x.late {
				t.Errorf("a stop in %s went out late: %v, %v; want %v", x.from, b.Late, err, x.late)
			}
			w.now.Advance(2 * time.Hour)
			if got, err := w.Get(ctx, head, city, b.ID); err != nil || got.Late != x.late {
				t.Errorf("a stop in %s, read later: late %v, %v; want %v", x.from, got.Late, err, x.late)
			}
		}
		advice := w.write(func(in *bulletin.Input) { in.Kind, in.Starts = bulletin.Advice, w.now.Now().Add(time.Hour) })
		if p, err := w.Get(ctx, head, city, advice.ID); err != nil || len(p.Notice) != 0 || !p.Starts.IsZero() {
			t.Errorf("advice is held against the notice period: %+v, %v", p.Notice, err)
		}
	})
}
