package channel_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
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
