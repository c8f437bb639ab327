package exchange_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/exchange/platformfake"
)

// turn is one act on a ticket: who says what, and where the ticket is afterwards on both sides. An act that answers another
// answers the last one of the other side.
type turn struct {
	by    exchange.Side
	event exchange.Event
	then  exchange.Status
	what  string // of an exclusion
	says  exchange.RequestState
}

const (
	us   = exchange.Ours
	them = exchange.Theirs
)

// walk has both sides speak in turn and checks after each act that they agree.
func (w *world) walk(opened exchange.Side, no string, turns []turn) {
	w.t.Helper()
	until := w.now.Now().Add(72 * time.Hour)
	for n, one := range turns {
		w.now.Advance(time.Second)
		seen := w.fakeTicket(opened, no)
		m := exchange.Message{Event: one.event, Text: fmt.Sprintf("第%d步", n), What: one.what}
		switch one.event {
		case exchange.AskExtension, exchange.Supervise:
			m.Until = until
		case exchange.CallBack:
			m.Reached, m.Solved = "yes", "yes"
		default:
		}
		answers := one.says != ""
		if one.by == us {
			in := exchange.Saying{City: city, Ticket: w.ticketOf(opened, no).ID, Event: m.Event, Text: m.Text, Until: m.Until, What: m.What, Reached: m.Reached, Solved: m.Solved}
			if answers {
				in.Answers = seen.Said[len(seen.Said)-1].Seq
			}
			if _, err := w.svc.Say(ctx, leader, in); err != nil {
				w.t.Fatalf("step %d, we say %s: %v", n, one.event, err)
			}
			w.run()
		} else {
			if answers {
				m.Answers = seen.Taken[len(seen.Taken)-1].Seq
			}
			if m.Event == exchange.Supervise {
				m.Number = "督〔2026〕8号"
			}
			w.fake.Say(opened, no, m)
			w.flush()
		}
		v := w.ticketOf(opened, no)
		if v.Status != one.then {
			w.t.Fatalf("step %d, %s says %s: the ticket is %s, want %s", n, one.by, one.event, v.Status, one.then)
		}
		if answers {
			if last := v.Requests[len(v.Requests)-1]; last.State != one.says {
				w.t.Errorf("step %d, %s says %s: what was asked is %s, want %s", n, one.by, one.event, last.State, one.says)
			}
		}
		w.agreed(opened, no)
	}
}

// beside are the acts beside a ticket that is handled: 申请延期, 剔除申请, 催办, 督办, 加派, and a return that is not granted.
func beside(asker, doer exchange.Side) []turn {
	h := exchange.Handling
	return []turn{
		{by: doer, event: exchange.AskExtension, then: h},
		{by: asker, event: exchange.RefuseExtension, then: h, says: exchange.Refused},
		{by: doer, event: exchange.AskExtension, then: h},
		{by: asker, event: exchange.GrantExtension, then: h, says: exchange.Granted},
		{by: doer, event: exchange.AskExclusion, then: h, what: "overdue"},
		{by: asker, event: exchange.GrantExclusion, then: h, says: exchange.Granted},
		{by: doer, event: exchange.AskExclusion, then: h, what: "dissatisfied"},
		{by: asker, event: exchange.RefuseExclusion, then: h, says: exchange.Refused},
		{by: asker, event: exchange.Urge, then: h},
		{by: asker, event: exchange.Supervise, then: h},
		{by: doer, event: exchange.SuperviseReply, then: h, says: exchange.Answered},
		{by: asker, event: exchange.AddDispatch, then: h},
		{by: doer, event: exchange.AskReturn, then: exchange.Returning},
		{by: asker, event: exchange.RefuseReturn, then: h},
		{by: doer, event: exchange.Handle, then: h},
	}
}

// answered is the end of a ticket, with 二次办理 before and after its closing.
func answered(asker, doer exchange.Side) []turn {
	reply := turn{by: doer, event: exchange.Reply, then: exchange.Replied}
	redo := turn{by: asker, event: exchange.Redo, then: exchange.Handling}
	return []turn{
		reply, redo, reply,
		{by: asker, event: exchange.CallBack, then: exchange.CalledBack},
		redo, reply,
		{by: asker, event: exchange.CallBack, then: exchange.CalledBack},
		{by: asker, event: exchange.Close, then: exchange.Closed},
		redo, reply,
	}
}

// handed is a case of ours that went to the platform.
func (w *world) handed(n int) string {
	w.t.Helper()
	o, err := w.cases.Open(ctx, seat, cases.Opening{
		City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: fmt.Sprintf("自来水管漏水，第%d处", n), Category: "cold_home", Nature: citypack.Repair, Hold: true,
		Caller: cases.Party{Phone: fmt.Sprintf("1380351%04d", n)}, Address: "向阳花园3号楼",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.svc.HandOver(ctx, sender, exchange.Handing{City: city, Case: o.Case.ID, Platform: w.code, Text: "属供水职责"}); err != nil {
		w.t.Fatal(err)
	}
	w.run()
	return o.Case.No
}

// Everything that can be said about a ticket, said once by each side, in both directions: 首派, 加派, 受理, 预审, 退回 with its
// reason and window, 延期, 剔除, 催办, 督办, 办理反馈, 回访, 结案, 二次办理, 撤销. After each act both sides agree.
func TestEveryActBothWays(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		first, _ := w.dispatched() // its case is dispatched at once: accepted and reviewed is said by itself
		w.walk(them, first.No, slices.Concat(beside(them, us), answered(them, us)))
		more, _ := w.dispatched(func(d *exchange.Details) { d.Part, d.Text = exchange.Additional, "路灯不亮" })
		if more.Part != exchange.Additional {
			t.Errorf("given as %s", more.Part)
		}
		w.walk(them, more.No, []turn{{by: us, event: exchange.AskReturn, then: exchange.Returning}, {by: them, event: exchange.GrantReturn, then: exchange.Returned}})
		gone, _ := w.dispatched(func(d *exchange.Details) { d.Text = "暖气漏水，请尽快" })
		w.walk(them, gone.No, []turn{{by: them, event: exchange.Cancel, then: exchange.Cancelled}})

		begin := []turn{{by: them, event: exchange.Accept, then: exchange.Accepted}, {by: them, event: exchange.Review, then: exchange.Handling}}
		w.walk(us, w.handed(1), slices.Concat(begin, beside(us, them), answered(us, them)))
		w.walk(us, w.handed(2), []turn{{by: them, event: exchange.AskReturn, then: exchange.Returning}, {by: us, event: exchange.GrantReturn, then: exchange.Returned}})
		w.walk(us, w.handed(3), append(begin, turn{by: us, event: exchange.Cancel, then: exchange.Cancelled}))
	})
}

// After an hour in which either side was away at any moment and our program was killed and started anew again and again, the
// lists of both sides are the same: no ticket lost, none twice, every word there once and in order.
func TestListsAgreeAfterAnOutage(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		r := rand.New(rand.NewPCG(4, 2026))
		ways := []platformfake.Fault{platformfake.Down, platformfake.TakenGone, platformfake.TakenThen5x, platformfake.TakenHalf, platformfake.Forgetful, platformfake.Busy}
		for n := range 12 {
			w.away = r.IntN(3) == 0 // what the platform sends is taken, and its answer lost
			for range r.IntN(4) {
				w.fake.Fail(ways[r.IntN(len(ways))])
			}
			w.fake.Open(w.details(func(d *exchange.Details) {
				d.Text, d.Caller.Phone = fmt.Sprintf("家里不热，第%d次反映", n), fmt.Sprintf("1380352%04d", n)
			}))
			_ = w.fake.Flush(ctx) // it may be away; what was not sent goes again
			if n%3 == 0 {
				w.handed(100 + n)
			}
			w.killed()
			w.now.Advance(5 * time.Minute)
			w.run()
		}
		w.away = false
		w.fake.Heal()
		for range 12 {
			w.now.Advance(10 * time.Minute)
			if err := w.fake.Flush(ctx); err != nil {
				t.Fatal(err)
			}
			w.run()
		}
		today := w.now.Now().Date()
		day, err := w.svc.Look(ctx, leader, city, w.code, today)
		if err != nil || day.Differing != 0 || day.Theirs != 16 || day.Ours != 16 {
			t.Errorf("they have %d, we %d, %d differ, %v: %+v", day.Theirs, day.Ours, day.Differing, err, day.Differences)
		}
		all := w.fake.Tickets()
		if len(all) != 16 {
			t.Fatalf("the platform has %d tickets, want 16", len(all))
		}
		for _, one := range all {
			w.agreed(one.OpenedBy, one.No)
			for i, m := range one.Taken {
				if m.Seq != int64(i+1) {
					t.Errorf("ticket %s: word %d has the number %d", one.No, i, m.Seq)
				}
			}
			found, err := w.cases.List(ctx, leader, city, cases.Filter{Query: one.No})
			if err != nil || len(found.Items) != 1 {
				t.Errorf("ticket %s has %d cases, %v", one.No, len(found.Items), err)
			}
		}
	})
}
