package channel_test

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
)

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
