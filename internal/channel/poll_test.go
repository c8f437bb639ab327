package channel_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
)

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
