package channel_test

import (
	"testing"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/secret"
)

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
