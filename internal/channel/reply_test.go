package channel_test

import (
	"errors"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
)

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
