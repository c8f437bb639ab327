package channel_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/secret"
)

const city = 990100

var (
	ctx    = context.Background()
	leader = actor.Actor{ID: "l", Name: "王班长", Kind: actor.Person, Org: "centre", Grants: []actor.Grant{{Role: actor.RoleLeader, City: city}}}
	worker = actor.Actor{ID: "w", Kind: actor.Person, Org: "C1", Grants: []actor.Grant{{Role: actor.RoleWorker, City: city}}}
)

// party is the other side of a channel: what it took, and how it misbehaves.
type party struct {
	mu     sync.Mutex
	sent   []channel.Outgoing // one for each time the writer was told
	byKey  map[string]string
	fail   []error // of the next sendings; after is whether the answer was taken all the same
	after  []bool
	looked int
}

func (p *party) Send(_ context.Context, _ channel.Access, out channel.Outgoing) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	taken := true
	if len(p.fail) > 0 {
		err, taken = p.fail[0], p.after[0]
		p.fail, p.after = p.fail[1:], p.after[1:]
	}
	if taken {
		p.sent = append(p.sent, out)
		p.byKey[out.Key] = "id-" + out.Key
	}
	return p.byKey[out.Key], err
}

func (p *party) breaks(err error, taken bool) {
	p.fail, p.after = append(p.fail, err), append(p.after, taken)
}

// askable is a party that can be asked for a key.
type askable struct{ *party }

func (p askable) Find(_ context.Context, _ channel.Access, out channel.Outgoing) (string, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looked++
	id, ok := p.byKey[out.Key]
	return id, ok, nil
}

type world struct {
	t       *testing.T
	d       *db.DB
	now     *dbtest.Clock
	runner  *jobs.Runner
	service *channel.Service
	party   *party
	log     strings.Builder
	heard   []channel.Heard
	refuse  error
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, d: d, now: dbtest.NewClock(), party: &party{byKey: map[string]string{}}}
	d.SetClock(w.now.Now)
	ring, err := secret.LoadRing(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	w.runner = jobs.NewRunner(d, jobs.RunnerOptions{Name: "t", Log: slog.New(slog.DiscardHandler), Machine: time.Now, Cities: func() []int { return []int{city} }})
	w.service, err = channel.New(channel.Options{
		DB: d, Ring: ring, Jobs: w.runner, Credentials: map[string]string{"main": "token=s3cret&fake=1"},
		Log: slog.New(slog.NewTextHandler(&w.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.join(channel.Adapter{Channel: cases.Weibo, Sender: askable{w.party}})
	w.account(channel.AccountInput{City: city, Channel: cases.Weibo, Name: "main", Title: "暖城供热", Credential: "main", Enabled: true})
	return w
}

func (w *world) join(a channel.Adapter) {
	if a.Take == nil {
		a.Take = func(_ context.Context, _ *db.Tx, m channel.Heard) error {
			if w.refuse != nil {
				return w.refuse
			}
			w.heard = append(w.heard, m)
			return nil
		}
	}
	w.service.Join(a)
}

func (w *world) account(in channel.AccountInput) channel.Account {
	w.t.Helper()
	a, err := w.service.SetAccount(ctx, leader, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func word(id string) channel.Incoming {
	return channel.Incoming{
		City: city, Channel: cases.Weibo, Account: "main", ID: id, Form: channel.Direct, At: dbtest.Start.Add(-time.Minute), SenderID: "u1",
		SenderName: "张小暖", Text: "阳光花园3号楼2单元501不热，电话13803510001", Handle: map[string]string{"cid": "c-" + id},
	}
}

func (w *world) record(in channel.Incoming) channel.Message {
	w.t.Helper()
	m, _, err := w.service.Record(ctx, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func (w *world) work() {
	w.t.Helper()
	if err := w.runner.RunDue(ctx); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) reply(m channel.Message, said string) channel.Reply {
	w.t.Helper()
	r, err := w.service.Reply(ctx, leader, channel.Answering{City: city, Message: m.ID, Text: said, Key: "close"})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) replies() []channel.Reply {
	w.t.Helper()
	list, err := w.service.Replies(ctx, leader, city, channel.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	return list.Items
}

func TestAMessageIsKeptOnceAndSealed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		first, fresh, err := w.service.Record(ctx, word("1"))
		if err != nil || !fresh {
			t.Fatalf("first: fresh %v, %v", fresh, err)
		}
		if first.Text != "阳光花园3号楼2单元501不热，电话138****0001" || first.Sender != "张**" {
			t.Errorf("the searchable copy shows %q by %q", first.Text, first.Sender)
		}
		if strings.Contains(first.Sealed, "1380351") {
			t.Error("the sealed part can be read")
		}
		other := word("1")
		other.Text = "another text under the same id"
		again, fresh, err := w.service.Record(ctx, other)
		if err != nil || fresh || again.ID != first.ID || again.Text != first.Text {
			t.Errorf("a repeat gives %q fresh %v, %v; want the first", again.Text, fresh, err)
		}
		earlier := word("0") // out of order
		earlier.At = dbtest.Start.Add(-time.Hour)
		w.record(earlier)
		w.work()
		w.work()
		if len(w.heard) != 2 {
			t.Fatalf("handed on %d times, want 2", len(w.heard))
		}
		got := w.heard[slices.IndexFunc(w.heard, func(h channel.Heard) bool { return h.ID == first.ID })]
		if got.SenderID != "u1" || got.SenderName != "张小暖" || got.Said != word("1").Text || got.Handle["cid"] != "c-1" {
			t.Errorf("the capability hears %+v", got)
		}
	})
}

func TestManyAtOnceKeepOne(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		const n = 12
		ids := make([]string, n)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				m, _, err := w.service.Record(ctx, word("same"))
				if err != nil {
					t.Error(err)
				}
				ids[i] = m.ID
			})
		}
		all.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Fatalf("kept as %v", ids)
			}
		}
	})
}

func TestWhatCannotBeKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	for name, spoil := range map[string]func(*channel.Incoming){
		"no id":       func(in *channel.Incoming) { in.ID = "" },
		"a long id":   func(in *channel.Incoming) { in.ID = strings.Repeat("x", 201) },
		"no account":  func(in *channel.Incoming) { in.Account = "" },
		"not UTF-8":   func(in *channel.Incoming) { in.Text = "\xff\xfe" },
		"nothing":     func(in *channel.Incoming) { in.Text = "" },
		"a long link": func(in *channel.Incoming) { in.Link = strings.Repeat("x", 1001) },
	} {
		in := word("x")
		spoil(&in)
		if _, _, err := w.service.Record(ctx, in); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
	in := word("odd")
	in.Text, in.At = strings.Repeat("冷", 9000)+"\u202e\x00", dbtest.Start.Add(time.Hour)
	far := 500.0
	in.Lng, in.Lat = &far, &far
	m := w.record(in)
	if n := len([]rune(m.Text)); n != channel.MaxText || m.At != dbtest.Start || m.Lng != nil {
		t.Errorf("kept %d characters at %v, longitude %v", n, m.At, m.Lng)
	}
}

func TestABatchOfRepeatsIsOnlyRead(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		batch := make([]channel.Incoming, channel.BatchSize)
		for i := range batch {
			batch[i] = word(strconv.Itoa(i / 2)) // each twice
		}
		batch[7].Text = "" // the second of a pair whose first is fine
		want := []channel.Recorded{{New: 100, Known: 100, Newest: batch[0].At}, {Known: 200}}
		for i, w2 := range want {
			got, err := db.Write(ctx, d, func(tx *db.Tx) (channel.Recorded, error) { return w.service.RecordAllIn(ctx, tx, batch) })
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(w2, got); diff != "" {
				t.Errorf("time %d (-want +got):\n%s", i+1, diff)
			}
		}
	})
}

func TestAMessageThatFailsWaitsForStaff(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.refuse = fault.New(fault.Invalid, "channel.not_text")
		m := w.record(word("1"))
		w.work()
		list, err := w.service.Messages(ctx, leader, city, channel.Filter{State: channel.Failed})
		if err != nil || len(list.Items) != 1 || list.Items[0].Reason != "channel.not_text" {
			t.Fatalf("failed: %+v, %v", list.Items, err)
		}
		if h := w.health(); h.Today != (channel.Today{In: 1, Failed: 1}) || h.OK() {
			t.Errorf("health %+v", h)
		}
		seen := list.Items[0].Version
		if _, err := w.service.ReplayMessage(ctx, worker, channel.ByHand{City: city, ID: m.ID, Version: seen, Reason: "x"}); !fault.Is(err, fault.Denied) {
			t.Errorf("a worker replays: %v", err)
		}
		w.refuse = nil
		in := channel.ByHand{City: city, ID: m.ID, Version: seen, Reason: "已修好"}
		if _, err := w.service.ReplayMessage(ctx, leader, in); err != nil {
			t.Fatal(err)
		}
		if _, err := w.service.ReplayMessage(ctx, leader, in); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second replay of the same version: %v", err)
		}
		w.work()
		if len(w.heard) != 1 {
			t.Errorf("handed on %d times after the replay, want 1", len(w.heard))
		}
	})
}

func (w *world) health() channel.Health {
	w.t.Helper()
	all, err := w.service.Health(ctx, leader, city)
	if err != nil || len(all) == 0 {
		w.t.Fatalf("health: %+v, %v", all, err)
	}
	return all[0]
}

func TestAnAnswerIsSentOnce(t *testing.T) {
	t.Parallel()
	lost := errors.New("read: connection timed out")
	for name, c := range map[string]struct {
		adapter func(p *party) channel.Adapter
		breaks  func(p *party)
		told    int
		state   channel.State
		reason  string
	}{
		"plainly": {told: 1, state: channel.Sent},
		"the gateway falls silent after taking it and can be asked": {
			breaks: func(p *party) { p.breaks(lost, true) }, told: 1, state: channel.Sent,
		},
		"the gateway falls silent before taking it and can be asked": {
			breaks: func(p *party) { p.breaks(lost, false) }, told: 1, state: channel.Sent,
		},
		"the gateway falls silent and cannot be asked": {
			adapter: func(p *party) channel.Adapter { return channel.Adapter{Channel: cases.Weibo, Sender: p} },
			breaks:  func(p *party) { p.breaks(lost, true) }, told: 1, state: channel.Held, reason: "channel.reason.unsure",
		},
		"the gateway is busy, then takes it": {
			adapter: func(p *party) channel.Adapter { return channel.Adapter{Channel: cases.Weibo, Sender: p} },
			breaks:  func(p *party) { p.breaks(fault.New(fault.Exhausted, "channel.replayed"), false) }, told: 1, state: channel.Sent,
		},
		"the gateway refuses it for good": {
			breaks: func(p *party) { p.breaks(fault.New(fault.Invalid, "channel.not_text"), false) }, state: channel.Failed, reason: "channel.not_text",
		},
		"there is no way out": {
			adapter: func(*party) channel.Adapter { return channel.Adapter{Channel: cases.Weibo} }, state: channel.Held, reason: "channel.reason.no_sender",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d)
				if c.adapter != nil {
					w.join(c.adapter(w.party))
				}
				if c.breaks != nil {
					c.breaks(w.party)
				}
				m := w.record(word("1"))
				w.reply(m, "您反映的问题已处理。")
				w.reply(m, "您反映的问题已处理。") // the same occasion again
				for range 12 {
					w.work()
					w.now.Advance(time.Hour)
				}
				got := w.replies()
				if len(got) != 1 || got[0].State != c.state || got[0].Reason != c.reason {
					t.Errorf("replies %+v, want one %s %s", got, c.state, c.reason)
				}
				if len(w.party.sent) != c.told {
					t.Errorf("the writer was told %d times, want %d", len(w.party.sent), c.told)
				}
				if c.told > 0 && (w.party.sent[0].Sender != "u1" || w.party.sent[0].Handle["cid"] != "c-1" || w.party.sent[0].To != "1") {
					t.Errorf("sent to %+v", w.party.sent[0])
				}
			})
		})
	}
}

func TestAnAnswerThatNobodyTakesFailsAndCanBeSentAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for range jobs.MaxAttempts {
			w.party.breaks(fault.New(fault.Exhausted, "channel.replayed"), false)
		}
		w.reply(w.record(word("1")), "已处理。")
		for range 15 {
			w.work()
			w.now.Advance(4 * time.Hour)
		}
		r := w.replies()[0]
		if r.State != channel.Failed || r.Reason != "channel.reason.unreachable" {
			t.Fatalf("%s %s after %d attempts", r.State, r.Reason, r.Attempts)
		}
		if _, err := w.service.ReplayReply(ctx, leader, channel.ByHand{City: city, ID: r.ID, Version: r.Version, Reason: "网络恢复"}); err != nil {
			t.Fatal(err)
		}
		w.work()
		if r := w.replies()[0]; r.State != channel.Sent || len(w.party.sent) != 1 {
			t.Errorf("after the replay %s, told %d times", r.State, len(w.party.sent))
		}
	})
}

func TestSwitchedOffNothingLeavesAndNothingIsLost(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.record(word("1"))
		if _, err := w.service.Switch(ctx, leader, channel.Switching{City: city, Channel: cases.Weibo, Name: "main", Version: 1}); err != nil {
			t.Fatal(err)
		}
		w.reply(m, "已处理。")
		w.work()
		r := w.replies()[0]
		if r.State != channel.Held || r.Reason != "channel.reason.off" || len(w.party.sent) != 0 {
			t.Errorf("%s %s", r.State, r.Reason)
		}
		if _, err := w.service.Access(ctx, city, cases.Weibo, "main"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a push to it: %v, want NotFound", err)
		}
		if _, err := w.service.TellReply(ctx, leader, channel.ByHand{City: city, ID: r.ID, Version: r.Version, Reason: "电话告知"}); err != nil {
			t.Error(err)
		}
		if r := w.replies()[0]; r.State != channel.Sent {
			t.Errorf("told by telephone: %s", r.State)
		}
	})
}

func TestAPublicAnswerHoldsNothingPersonal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	in := word("1")
	in.Form = channel.Mention
	m := w.record(in)
	for said, want := range map[string]string{
		"请拨打13803510001联系":      "channel.personal.number",
		"证件 140102199001011234": "channel.personal.number",
		"3号楼2单元501室已处理":         "channel.personal.home",
		"3-2-501已处理":            "channel.personal.home",
		"3号楼501室已处理":            "channel.personal.home",
		"业主：张小暖，您好":             "channel.personal.name",
		"张 小暖您好":                "channel.personal.known",
		"您好，阳光花园的供热已恢复，值班电话0351-4085555，也可拨打12345。": "",
	} {
		_, err := w.service.Reply(ctx, leader, channel.Answering{City: city, Message: m.ID, Text: said, Known: []string{"张小暖", ""}})
		got := ""
		if f := fault.Of(err); err != nil && len(f.Fields) == 1 {
			got = f.Fields[0].Key
		}
		if got != want {
			t.Errorf("%s: %q, want %q (%v)", said, got, want, err)
		}
	}
	private := w.record(word("2"))
	if _, err := w.service.Reply(ctx, leader, channel.Answering{City: city, Message: private.ID, Text: "维修员电话13803510002"}); err != nil {
		t.Errorf("an answer to the writer alone: %v", err)
	}
	if _, err := w.service.Reply(ctx, worker, channel.Answering{City: city, Message: private.ID, Text: "x"}); !fault.Is(err, fault.Denied) {
		t.Errorf("a worker answers: %v", err)
	}
}

func TestProofs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a, err := w.service.Access(ctx, city, cases.Weibo, "main")
		if err != nil || a.Credential["token"] != "s3cret" || !a.Credential.Fake() {
			t.Fatalf("access %+v, %v", a, err)
		}
		proof := func(at time.Time, nonce, key string) channel.Proof {
			stamp := strconv.FormatInt(at.Unix(), 10)
			return channel.Proof{
				Timestamp: stamp, Nonce: nonce, Got: channel.SignatureSorted(key, stamp, nonce), Want: channel.SignatureSorted("s3cret", stamp, nonce),
			}
		}
		now := time.Now()
		for name, c := range map[string]struct {
			proof channel.Proof
			ok    bool
		}{
			"right":          {proof(now, "n1", "s3cret"), true},
			"another secret": {proof(now, "n2", "guess"), false},
			"too old":        {proof(now.Add(-6*time.Minute), "n3", "s3cret"), false},
			"from tomorrow":  {proof(now.Add(24*time.Hour), "n4", "s3cret"), false},
			"no nonce":       {proof(now, "", "s3cret"), false},
			"no signature":   {channel.Proof{Timestamp: strconv.FormatInt(now.Unix(), 10), Nonce: "n5"}, false},
			"no time":        {channel.Proof{Timestamp: "soon", Nonce: "n6", Got: "x", Want: "x"}, false},
		} {
			if err := w.service.Prove(ctx, a.Account, c.proof); (err == nil) != c.ok || (err != nil && !fault.Is(err, fault.Denied)) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := w.service.Prove(ctx, a.Account, proof(now, "n1", "s3cret")); fault.Of(err).Key != "channel.replayed" {
			t.Errorf("the same request again: %v", err)
		}
		if !strings.Contains(w.log.String(), "pushed message refused") || strings.Contains(w.log.String(), "s3cret") {
			t.Errorf("log: %s", w.log.String())
		}
	})
}

// feed is a party that is polled.
type feed struct {
	batches [][]channel.Incoming
	err     error
	polls   int
	seen    []string
}

func (f *feed) Poll(_ context.Context, a channel.Access, got func([]channel.Incoming) error) (string, error) {
	f.polls++
	f.seen = append(f.seen, a.Cursor)
	for _, b := range f.batches {
		if err := got(b); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("c%d", f.polls), f.err
}

func TestPolling(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		f := &feed{batches: [][]channel.Incoming{{word("1"), word("2")}, {word("2"), word("3")}}}
		w.join(channel.Adapter{Channel: cases.Weibo, Poller: f, Every: 2 * time.Minute})
		w.work()
		w.work() // not due again
		h := w.health()
		if f.polls != 1 || h.Cursor != "c1" || h.Today.In != 3 || h.LastOK != w.now.Now() || h.LagMS != time.Minute.Milliseconds() {
			t.Errorf("after one poll: %d polls, %+v", f.polls, h)
		}
		f.err = fault.New(fault.Exhausted, "channel.replayed", "after", 1800)
		w.now.Advance(2 * time.Minute)
		w.work()
		if h = w.health(); h.Failures != 1 || h.LastError != "channel.replayed" || h.NextPoll != w.now.Now().Add(30*time.Minute) || h.Cursor != "c2" {
			t.Errorf("a channel that wants to rest: %+v", h)
		}
		f.err = errors.New("dial tcp: refused, token=s3cret")
		w.now.Advance(30 * time.Minute)
		w.work()
		if h = w.health(); h.Failures != 2 || h.NextPoll != w.now.Now().Add(8*time.Minute) || strings.Contains(h.LastError, "s3cret") {
			t.Errorf("a channel that does not answer: %+v", h)
		}
		f.err = nil
		w.now.Advance(8 * time.Minute)
		w.work()
		if h = w.health(); h.Failures != 0 || h.LastError != "" {
			t.Errorf("a channel that answers again: %+v", h)
		}
		if diff := cmp.Diff([]string{"", "c1", "c2", "c3"}, f.seen); diff != "" {
			t.Errorf("cursors (-want +got):\n%s", diff)
		}
		if len(w.heard) != 3 {
			t.Errorf("%d messages handed on, want 3", len(w.heard))
		}
	})
}

func TestTwoPollersOneAccount(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		f := &feed{}
		w.join(channel.Adapter{Channel: cases.Weibo, Poller: f})
		a, err := db.Read(ctx, d, func(tx *db.Tx) ([]channel.Account, error) { return w.service.AccountsIn(ctx, tx, city) })
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // both saw the account due
			if err := w.service.PollNow(ctx, a[0]); err != nil {
				t.Fatal(err)
			}
		}
		if f.polls != 1 {
			t.Errorf("polled %d times, want 1", f.polls)
		}
	})
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		in := channel.AccountInput{City: city, Channel: cases.Weibo, Name: "main", Title: "另一个", Credential: "absent", Enabled: true}
		if _, err := w.service.SetAccount(ctx, leader, in); !fault.Is(err, fault.Conflict) {
			t.Errorf("the same name again: %v", err)
		}
		in.Version = 1
		w.account(in)
		if h := w.health(); h.Ready || h.Title != "另一个" || h.Version != 2 {
			t.Errorf("without its credential: %+v", h)
		}
		if _, err := w.service.SetAccount(ctx, leader, in); !fault.Is(err, fault.Conflict) {
			t.Errorf("an old version: %v", err)
		}
		for name, bad := range map[string]channel.AccountInput{
			"a name with a slash":   {City: city, Channel: cases.Weibo, Name: "a/b", Title: "x"},
			"no title":              {City: city, Channel: cases.Weibo, Name: "ok"},
			"a channel without one": {City: city, Channel: cases.Letter, Name: "ok", Title: "x"},
		} {
			if _, err := w.service.SetAccount(ctx, leader, bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := w.service.SetAccount(ctx, worker, in); !fault.Is(err, fault.Denied) {
			t.Errorf("a worker sets accounts up: %v", err)
		}
	})
}

func TestReveal(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.record(word("1"))
		if _, err := w.service.Reveal(ctx, leader, channel.Revealing{City: city, ID: m.ID}); !fault.Is(err, fault.Invalid) {
			t.Errorf("without a reason: %v", err)
		}
		got, err := w.service.Reveal(ctx, leader, channel.Revealing{City: city, ID: m.ID, Reason: "回电核实"})
		if err != nil || got.Name != "张小暖" || got.Said != word("1").Text {
			t.Errorf("revealed %+v, %v", got, err)
		}
		if _, err := w.service.Reveal(ctx, worker, channel.Revealing{City: city, ID: m.ID, Reason: "x"}); !fault.Is(err, fault.Denied) {
			t.Errorf("a worker reveals: %v", err)
		}
		if err := db.Do(ctx, d, func(tx *db.Tx) error { return secret.Erase(ctx, tx, city, m.Person) }); err != nil {
			t.Fatal(err)
		}
		w.reply(m, "已处理。")
		w.work()
		if r := w.replies()[0]; r.State != channel.Failed || r.Reason != "channel.reason.erased" {
			t.Errorf("an answer to an erased person: %s %s", r.State, r.Reason)
		}
	})
}
