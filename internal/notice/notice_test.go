package notice_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/notice/smsfake"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/secret"
)

const city, phone = 990100, "13803510001"

var (
	ctx    = context.Background()
	leader = actor.Actor{ID: "l", Kind: actor.Person, Org: "centre", Grants: []actor.Grant{{Role: actor.RoleLeader, City: city}}}
	signer = notice.Signer{Account: "rehu", Secret: "s3cret", Machine: time.Now}
)

type world struct {
	t        *testing.T
	d        *db.DB
	now      *dbtest.Clock
	runner   *jobs.Runner
	service  *notice.Service
	fake     *smsfake.Gateway
	lose     bool // the gateway's answer is lost on the way back
	mu       sync.Mutex
	answers  []string
	callback string
}

// Send passes on to the fake's server and may lose the answer.
func (w *world) sender(g notice.Gateway) notice.Gateway { return lossy{g, w} }

type lossy struct {
	notice.Gateway
	w *world
}

func (l lossy) Send(ctx context.Context, out notice.Outgoing) (string, error) {
	id, err := l.Gateway.Send(ctx, out)
	if l.w.lose {
		return "", errors.New("connection lost")
	}
	return id, err
}

func newWorld(t *testing.T, d *db.DB, withGateway bool) *world {
	t.Helper()
	return newWorldWith(t, d, withGateway, func(*notice.Options) {})
}

func newWorldWith(t *testing.T, d *db.DB, withGateway bool, change func(*notice.Options)) *world {
	t.Helper()
	w := &world{t: t, d: d, now: dbtest.NewClock(), fake: smsfake.New(signer)}
	d.SetClock(w.now.Now)
	ring, err := secret.LoadRing(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	w.runner = jobs.NewRunner(d, jobs.RunnerOptions{Name: "t", Log: slog.New(slog.DiscardHandler), Machine: time.Now, Cities: func() []int { return []int{city} }})
	o := notice.Options{DB: d, Ring: ring, Jobs: w.runner, Inbound: &signer}
	o.Night = func(context.Context, *db.Tx, int) (notice.Night, error) {
		return notice.Night{From: "22:00", To: "07:00"}, nil
	}
	o.Link = func(_ int, token string) string { return "https://c/" + token }
	if withGateway {
		srv := httptest.NewServer(w.fake)
		t.Cleanup(srv.Close)
		g, err := notice.NewSMSGateway(notice.SMSConfig{URL: srv.URL + "/send", Signer: signer, Sign: "暖城供热"})
		if err != nil {
			t.Fatal(err)
		}
		o.Gateways = map[notice.Channel]notice.Gateway{notice.SMS: w.sender(g)}
	}
	change(&o)
	if w.service, err = notice.New(o); err != nil {
		t.Fatal(err)
	}
	w.service.OnReply = func(_ context.Context, _ *db.Tx, q notice.Question) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.answers = append(w.answers, q.Ref+"="+q.Answer)
		return nil
	}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		in, err := notice.FromRequest(r)
		if err == nil {
			err = w.service.Callback(r.Context(), city, in)
		}
		if err != nil {
			rw.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(srv.Close)
	w.callback = srv.URL + "/c/990100/sms"
	return w
}

func message(matter string) notice.Message {
	return notice.Message{City: city, Channel: notice.SMS, To: phone, Template: "notice.expired", Subject: "case:1", Matter: matter}
}

func (w *world) enqueue(m notice.Message) notice.Notice {
	w.t.Helper()
	n, err := db.Write(ctx, w.d, func(tx *db.Tx) (notice.Notice, error) { return w.service.EnqueueIn(ctx, tx, leader, m) })
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) ask(ref string) notice.Question {
	w.t.Helper()
	q, err := db.Write(ctx, w.d, func(tx *db.Tx) (notice.Question, error) {
		m := message(ref)
		m.Template, m.QuietExempt = "notice.reason.no_gateway", true
		return w.service.AskIn(ctx, tx, leader, notice.Asking{Message: m, Ref: ref, Answers: []string{"true", "untrue"}, Until: tx.Now.Add(24 * time.Hour)})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return q
}

func (w *world) work() {
	w.t.Helper()
	if err := w.runner.RunDue(ctx); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) only() notice.View {
	w.t.Helper()
	got, err := w.service.List(ctx, leader, city, notice.Filter{})
	if err != nil || len(got.Items) != 1 {
		w.t.Fatalf("%d messages, %v; want one", len(got.Items), err)
	}
	return got.Items[0]
}

func TestOneMatterOneMessage(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, true)
		first := w.enqueue(message("case:1/visit"))
		if again := w.enqueue(message("case:1/visit")); again.ID != first.ID {
			t.Errorf("told the same matter twice: %s, %s", first.ID, again.ID)
		}
		w.work()
		w.work()
		got := w.only()
		if got.State != notice.Sent || got.To != "138****0001" || got.GatewayID == "" || got.Attempts != 1 {
			t.Errorf("after sending: %+v", got)
		}
		if strings.Contains(fmt.Sprint(got.Notice), phone) {
			t.Error("the telephone stands in the row in the clear")
		}
		sent := w.fake.Sent()
		if len(sent) != 1 || sent[0].To != phone || !strings.HasPrefix(sent[0].Text, "【暖城供热】") {
			t.Fatalf("the gateway took %+v; want one signed message", sent)
		}
		if err := w.fake.Receipt(ctx, w.callback, sent[0].Key, true); err != nil {
			t.Fatal(err)
		}
		if got := w.only(); got.State != notice.Delivered || got.DeliveredAt.IsZero() {
			t.Errorf("after the receipt: %s", got.State)
		}
		company := actor.Actor{ID: "c", Kind: actor.Person, Org: "C1", Grants: []actor.Grant{{Role: actor.RoleCompany, City: city}}}
		if _, err := w.service.List(ctx, company, city, notice.Filter{}); !fault.Is(err, fault.Denied) {
			t.Errorf("a company lists the city's messages: %v; want Denied", err)
		}
	})
}

func TestNeverSentTwice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, true)
		w.enqueue(message("m"))
		w.lose = true
		w.work()
		if got := w.only(); got.State != notice.Queued {
			t.Errorf("answer lost: %s; want queued", got.State)
		}
		w.lose = false
		w.fake.Down(true)
		w.now.Advance(time.Minute)
		w.work()
		w.fake.Down(false)
		w.now.Advance(time.Hour)
		w.work()
		if got := w.only(); got.State != notice.Sent || got.Attempts != 3 {
			t.Errorf("at last: %s after %d attempts; want sent after 3", got.State, got.Attempts)
		}
		if n := len(w.fake.Sent()); n != 1 {
			t.Errorf("the gateway took %d messages; want one", n)
		}
	})
}

func TestGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), true)
	w.enqueue(message("m"))
	w.fake.Down(true)
	for range jobs.MaxAttempts {
		w.work()
		w.now.Advance(4 * time.Hour)
		w.now.Set(civil.On(w.now.Now().Date(), 12, 0).Add(24 * time.Hour))
	}
	if got := w.only(); got.State != notice.Failed || got.Reason != "notice.reason.unreachable" {
		t.Errorf("%s, %s after %d attempts; want failed", got.State, got.Reason, got.Attempts)
	}
}

func TestNobodyIsWoken(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, true)
		w.now.Set(civil.On(dbtest.Start.Date(), 23, 30))
		w.enqueue(message("ordinary"))
		leak := message("leak")
		leak.QuietExempt = true
		w.enqueue(leak)
		w.work()
		if n := len(w.fake.Sent()); n != 1 {
			t.Fatalf("%d messages at night; want the leak only", n)
		}
		w.now.Set(civil.On(dbtest.Start.Date().AddDays(1), 6, 59))
		w.work()
		if n := len(w.fake.Sent()); n != 1 {
			t.Errorf("%d messages before seven; want one", n)
		}
		w.now.Set(civil.On(dbtest.Start.Date().AddDays(1), 7, 0))
		w.work()
		if n := len(w.fake.Sent()); n != 2 {
			t.Errorf("%d messages at seven; want both", n)
		}
	})
}

func TestWake(t *testing.T) {
	t.Parallel()
	day := civil.NewDate(2026, 1, 15)
	for _, c := range []struct {
		from, to     string
		hour, minute int
		want         string
	}{
		{"22:00", "07:00", 21, 59, ""},
		{"22:00", "07:00", 22, 0, "2026-01-16 07:00"},
		{"22:00", "07:00", 6, 59, "2026-01-15 07:00"},
		{"22:00", "07:00", 7, 0, ""},
		{"00:00", "06:00", 5, 0, "2026-01-15 06:00"},
		{"00:00", "06:00", 6, 0, ""},
		{"", "", 3, 0, ""},
		{"22:00", "22:00", 22, 0, ""},
	} {
		got := ""
		if at, ok := (notice.Night{From: c.from, To: c.to}).Wake(civil.On(day, c.hour, c.minute)); ok {
			got = at.Minute()
		}
		if got != c.want {
			t.Errorf("night %s-%s at %02d:%02d: wake %q; want %q", c.from, c.to, c.hour, c.minute, got, c.want)
		}
	}
}

func TestHeldForStaff(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, false)
		n := w.enqueue(message("m"))
		if n.State != notice.Held || n.Reason != "notice.reason.no_gateway" {
			t.Fatalf("without a gateway: %s, %s; want held", n.State, n.Reason)
		}
		told, err := w.service.Tell(ctx, leader, notice.ByHand{City: city, ID: n.ID, Version: n.Version, Reason: "已电话告知本人"})
		if err != nil || told.State != notice.Sent {
			t.Fatalf("told: %s, %v", told.State, err)
		}
		if _, err := w.service.Tell(ctx, leader, notice.ByHand{City: city, ID: n.ID, Version: n.Version, Reason: "已电话告知本人"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("told twice: %v; want Conflict", err)
		}
		w = newWorld(t, d, true)
		landline := message("landline")
		landline.To = "0351-4123456"
		if n := w.enqueue(landline); n.State != notice.Held || n.Reason != "notice.reason.not_mobile" {
			t.Errorf("landline: %s, %s; want held", n.State, n.Reason)
		}
	})
}

func TestMessagesAreListedAndExported(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, false)
		asked := w.ask("case:1/visit:1")
		var last notice.Notice
		for i := range 5 {
			last = w.enqueue(message(fmt.Sprint("m", i)))
		}
		ids := func(f notice.Filter) (out []string) {
			got, err := w.service.List(ctx, leader, city, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range got.Items {
				out = append(out, v.ID)
			}
			return out
		}
		if got := ids(notice.Filter{Answer: notice.Unanswered}); len(got) != 1 || got[0] != asked.Notice {
			t.Errorf("open questions: %v; want the one asked", got)
		}
		if got := ids(notice.Filter{Answer: notice.Answered}); len(got) != 0 {
			t.Errorf("answered questions: %v; want none", got)
		}
		today := w.now.Now().Date()
		if got := ids(notice.Filter{From: today, To: today}); len(got) != 6 {
			t.Errorf("of today: %d; want 6", len(got))
		}
		if got := ids(notice.Filter{From: today.AddDays(1)}); len(got) != 0 {
			t.Errorf("of tomorrow: %v; want none", got)
		}
		if got := ids(notice.Filter{State: notice.Held, Request: page.Request{Size: 2}}); len(got) != 2 || got[0] != last.ID {
			t.Errorf("a page of two: %v; want two, the newest first", got)
		}
		if _, err := w.service.List(ctx, leader, city, notice.Filter{State: "lost"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("an unknown state: %v; want Invalid", err)
		}
		n := 0
		if err := w.service.Export(ctx, leader, city, notice.Filter{Request: page.Request{Size: 1}}, func(v notice.View) error {
			n++
			if strings.Contains(v.To, phone) {
				t.Error("the telephone stands in the export in the clear")
			}
			return nil
		}); err != nil || n != 6 {
			t.Errorf("exported %d, %v; want all 6", n, err)
		}
		seat := actor.Actor{ID: "s", Kind: actor.Person, Org: "centre", Grants: []actor.Grant{{Role: actor.RoleSeat, City: city}}}
		if err := w.service.Export(ctx, seat, city, notice.Filter{}, nil); !fault.Is(err, fault.Denied) {
			t.Errorf("a seat exports: %v; want Denied", err)
		}
		loads, err := w.service.Loads(ctx, leader, city)
		if err != nil || len(loads) != 3 || loads[0] != (notice.Load{State: notice.Held, N: 6}) {
			t.Errorf("what waits: %+v, %v; want 6 held", loads, err)
		}
		if v, err := w.service.Get(ctx, leader, city, asked.Notice); err != nil || v.Question == nil || v.Question.ID != asked.ID {
			t.Errorf("the message with its question: %+v, %v", v.Question, err)
		}
		if _, err := w.service.Resend(ctx, leader, notice.ByHand{City: city, ID: last.ID, Version: last.Version, Reason: " "}); !fault.Is(err, fault.Invalid) {
			t.Errorf("sent again without a reason: %v; want Invalid", err)
		}
	})
}

func TestInboxOfStaff(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, true)
		for _, org := range []string{"C1", "C2", ""} {
			w.enqueue(notice.Message{City: city, Channel: notice.Console, Org: org, Role: actor.RoleCompany, Template: "notice.expired", Matter: "to " + org})
		}
		c1 := actor.Actor{ID: "c", Kind: actor.Person, Org: "C1", Grants: []actor.Grant{{Role: actor.RoleCompany, City: city}}}
		got, err := w.service.Inbox(ctx, c1, city, page.Request{})
		if err != nil {
			t.Fatal(err)
		}
		var matters []string
		for _, n := range got.Items {
			matters = append(matters, n.Matter)
		}
		if diff := cmp.Diff([]string{"to ", "to C1"}, matters); diff != "" {
			t.Errorf("inbox (-want +got):\n%s", diff)
		}
	})
}

func TestRepliesByText(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, true)
		a, b := w.ask("visit:a"), w.ask("visit:b")
		if a.First != 1 || b.First != 3 {
			t.Fatalf("digits start at %d and %d; want 1 and 3", a.First, b.First)
		}
		for _, said := range []string{"谢谢", "12", "7"} {
			if ok, err := w.service.Reply(ctx, notice.Incoming{City: city, From: phone, Text: said}); ok || err != nil {
				t.Errorf("%q was taken for an answer: %v", said, err)
			}
		}
		if ok, err := w.service.Reply(ctx, notice.Incoming{City: city, From: "13900000000", Text: "1"}); ok || err != nil {
			t.Errorf("a stranger's answer was taken: %v", err)
		}
		if err := w.fake.Reply(ctx, w.callback, "+86 "+phone, "４。"); err != nil {
			t.Fatal(err)
		}
		if err := w.fake.Reply(ctx, w.callback, phone, "回复1"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"visit:b=untrue", "visit:a=true"}, w.answers); diff != "" {
			t.Errorf("answers (-want +got):\n%s", diff)
		}
		stranger := smsfake.New(notice.Signer{Account: "rehu", Secret: "guess", Machine: time.Now})
		if err := stranger.Reply(ctx, w.callback, phone, "2"); err == nil {
			t.Error("a report with a wrong signature was taken")
		}
	})
}

func TestReplyByLink(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, true)
		w.ask("visit:a")
		w.work()
		link := strings.TrimPrefix(w.fake.Sent()[0].Params["link"], "https://c/")
		asked, err := w.service.Look(ctx, city, link)
		if err != nil || asked.Ref != "visit:a" || asked.Text == "" {
			t.Fatalf("the link shows %+v, %v", asked, err)
		}
		for _, bad := range []string{"", "x", link[1:], link[:len(link)-1] + "0x", "A" + link} {
			if _, err := w.service.Look(ctx, city, bad); !fault.Is(err, fault.NotFound) {
				t.Errorf("link %q: %v; want NotFound", bad, err)
			}
		}
		if _, err := w.service.Look(ctx, city+1, link); !fault.Is(err, fault.NotFound) {
			t.Errorf("another city: %v; want NotFound", err)
		}
		if _, err := w.service.Answer(ctx, notice.AnswerInput{City: city, Token: link, Answer: "maybe"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("unknown answer: %v; want Invalid", err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := map[string]int{}
		for i := range 6 {
			answer := []string{"true", "untrue"}[i%2]
			wg.Go(func() {
				_, err := w.service.Answer(ctx, notice.AnswerInput{City: city, Token: link, Answer: answer})
				if err != nil && !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won[answer]++
				}
			})
		}
		wg.Wait()
		if len(won) != 1 || len(w.answers) != 1 {
			t.Errorf("answers that held: %v, told on: %v; want one", won, w.answers)
		}
	})
}

func TestExpiredAndWithdrawn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, true)
		w.ask("visit:a")
		if err := db.Do(ctx, d, func(tx *db.Tx) error { return w.service.WithdrawIn(ctx, tx, city, "visit:a") }); err != nil {
			t.Fatal(err)
		}
		w.ask("visit:b")
		w.now.Advance(25 * time.Hour)
		if ok, err := w.service.Reply(ctx, notice.Incoming{City: city, From: phone, Text: "1"}); ok || err != nil {
			t.Errorf("answered too late: %v", err)
		}
		if len(w.answers) != 0 {
			t.Errorf("told on: %v", w.answers)
		}
	})
}

func TestSignature(t *testing.T) {
	t.Parallel()
	s := notice.Signer{Account: "rehu", Secret: "s3cret", Machine: func() time.Time { return time.Unix(1_768_435_200, 0) }}
	good := s.Sign("/a", []byte("{}"))
	if err := s.Verify(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(in *notice.Signed){
		"body":    func(in *notice.Signed) { in.Body = []byte("[]") },
		"path":    func(in *notice.Signed) { in.Path = "/b" },
		"account": func(in *notice.Signed) { in.Account = "x" },
		"nonce":   func(in *notice.Signed) { in.Nonce = "00" },
		"time":    func(in *notice.Signed) { in.Timestamp = "1768435201" },
		"too old": func(in *notice.Signed) { *in = old(s) },
		"no secret": func(in *notice.Signed) {
			*in = (&notice.Signer{Account: "rehu", Machine: s.Machine}).Sign("/a", in.Body)
		},
	} {
		in := good
		spoil(&in)
		if err := s.Verify(in); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v; want Denied", name, err)
		}
	}
}

func old(s notice.Signer) notice.Signed {
	s.Machine = func() time.Time { return time.Unix(1_768_435_200, 0).Add(-notice.MaxSkew - time.Second) }
	return s.Sign("/a", []byte("{}"))
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	if got := notice.Lifecycle.Check(); len(got) > 0 {
		t.Error(got)
	}
}
