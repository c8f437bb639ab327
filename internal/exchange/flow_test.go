package exchange_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/fault"
)

// TestTicketFromDispatchToClosing: a complaint that 12345 took becomes a case with both numbers; every step of the case is
// said to 12345 in turn, and its call-back and closing reach the case.
func TestTicketFromDispatchToClosing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ticket, c := w.dispatched()
		if c.TicketNo != ticket.No || c.Channel != cases.Hotline || c.Company != "C1" || ticket.CaseNo != c.No || ticket.Seat != "东城区驻场" {
			t.Fatalf("the case is %+v, the ticket %+v", c, ticket)
		}
		if got := w.now.Now().Sub(c.ReceivedAt); got != 10*time.Minute {
			t.Errorf("the resident's time runs since %v, want since the first call", got)
		}
		if found, err := w.cases.List(ctx, leader, city, cases.Filter{Query: ticket.No}); err != nil || len(found.Items) != 1 {
			t.Errorf("the case is not found by the number of 12345: %v", err)
		}
		w.handled(c)
		w.run()
		theirs := w.fakeTicket(exchange.Theirs, ticket.No)
		want := []exchange.Event{exchange.Accept, exchange.Review, exchange.Handle, exchange.Handle, exchange.Handle, exchange.Reply}
		if diff := cmp.Diff(want, events(theirs.Taken)); diff != "" {
			t.Errorf("what 12345 heard (-want +got):\n%s", diff)
		}
		if last := theirs.Taken[len(theirs.Taken)-1]; last.Text != "已排气，室温回升。" || theirs.PeerNo != c.No {
			t.Errorf("the reply is %+v, our number there %q", last, theirs.PeerNo)
		}
		w.fake.Work()
		w.flush()
		if c = w.caseOf(ticket); c.Status != cases.ToClose || c.Solved != "yes" || c.Satisfied != "yes" {
			t.Errorf("after the call-back of 12345 the case is %s, solved %q", c.Status, c.Solved)
		}
		w.fake.Work()
		w.flush()
		if v := w.ticket(ticket.No); v.Status != exchange.Closed {
			t.Errorf("the ticket is %s", v.Status)
		}
		w.agreed(exchange.Theirs, ticket.No)
	})
}

// TestDoneAgain: a caller who told 12345 that it is still cold gets the case back to the company, closed or not.
func TestDoneAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	ticket, c := w.dispatched()
	w.handled(c)
	w.run()
	w.fake.Say(exchange.Theirs, ticket.No, exchange.Message{Event: exchange.CallBack, Reached: "yes", Solved: "no"})
	w.fake.Say(exchange.Theirs, ticket.No, exchange.Message{Event: exchange.Redo, Text: "仍不热"})
	w.flush()
	c = w.caseOf(ticket)
	if c.Status != cases.Rework {
		t.Errorf("the case is %s", c.Status)
	}
	if v := w.ticket(ticket.No); v.Status != exchange.Handling || v.Attention != "exchange.attention.redo" && v.Attention != "" {
		t.Errorf("the ticket is %s, %q", v.Status, v.Attention)
	}
	w.agreed(exchange.Theirs, ticket.No)
}

// TestReturnInTheWindow: what is not ours goes back with a reason within the platform's minutes, and not afterwards.
func TestReturnInTheWindow(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ticket, _ := w.dispatched(func(d *exchange.Details) { d.Text, d.Address = "路灯不亮", "" })
		late, _ := w.dispatched(func(d *exchange.Details) { d.Text, d.Address = "自来水没有", "" })
		say := exchange.Saying{City: city, Ticket: ticket.ID, Event: exchange.AskReturn}
		if _, err := w.svc.Say(ctx, sender, say); fault.KindOf(err) != fault.Invalid || fault.Of(err).Fields[0].Name != "text" {
			t.Errorf("a return without reason: %v", err)
		}
		say.Text = "不属供热职责，应由城管路灯所处理"
		if _, err := w.svc.Say(ctx, sender, say); err != nil {
			t.Fatal(err)
		}
		w.run()
		w.fake.Work() // granted
		w.flush()
		if v := w.ticket(ticket.No); v.Status != exchange.Returned {
			t.Errorf("the ticket is %s", v.Status)
		}
		if c := w.caseOf(ticket); c.Open {
			t.Errorf("the case is %s", c.Status)
		}
		w.now.Advance(61 * time.Minute)
		say.Ticket = late.ID
		if _, err := w.svc.Say(ctx, sender, say); fault.KindOf(err) != fault.Invalid || fault.Of(err).Fields[0].Key != "exchange.window_over" {
			t.Errorf("a return after the window: %v", err)
		}
		w.agreed(exchange.Theirs, ticket.No)
	})
}

// TestAskedBesideTheTicket: more time is asked for and granted or refused, an exclusion too, a supervision order answered.
func TestAskedBesideTheTicket(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	ticket, _ := w.dispatched()
	until := w.now.Now().Add(72 * time.Hour)
	for _, in := range []exchange.Saying{
		{Event: exchange.AskExtension, Text: "配件到货需三天", Until: until},
		{Event: exchange.AskExclusion, Text: "用户私改管网", What: "dissatisfied"},
	} {
		in.City, in.Ticket = city, ticket.ID
		if _, err := w.svc.Say(ctx, leader, in); err != nil {
			t.Fatal(err)
		}
	}
	w.run()
	asked := w.fakeTicket(exchange.Theirs, ticket.No).Taken
	seq := func(e exchange.Event) int64 {
		return asked[slices.IndexFunc(asked, func(m exchange.Message) bool { return m.Event == e })].Seq
	}
	w.fake.Say(exchange.Theirs, ticket.No, exchange.Message{Event: exchange.GrantExtension, Answers: seq(exchange.AskExtension)})
	w.fake.Say(exchange.Theirs, ticket.No, exchange.Message{Event: exchange.RefuseExclusion, Answers: seq(exchange.AskExclusion), Text: "证据不足"})
	w.fake.Say(exchange.Theirs, ticket.No, exchange.Message{Event: exchange.Supervise, Text: "领导督办", Number: "督〔2026〕8号", Until: until})
	w.flush()
	v := w.ticket(ticket.No)
	if v.ReplyBy != until || len(v.Requests) != 3 || v.Requests[1].State != exchange.Granted || v.Requests[2].State != exchange.Refused || v.Requests[2].Note != "证据不足" {
		t.Errorf("reply by %v, requests %+v", v.ReplyBy, v.Requests)
	}
	if c := w.caseOf(ticket); !c.Supervised {
		t.Error("the case is not under supervision")
	}
	answer := exchange.Saying{City: city, Ticket: ticket.ID, Event: exchange.SuperviseReply, Text: "今晚恢复", Answers: v.Requests[0].Seq}
	if _, err := w.svc.Say(ctx, leader, answer); err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Say(ctx, leader, answer); fault.KindOf(err) != fault.Invalid {
		t.Errorf("answered twice: %v", err)
	}
	w.run()
	w.agreed(exchange.Theirs, ticket.No)
}

// TestHandedOver: a case that belongs elsewhere goes there with its words and comes back answered; both numbers find it.
func TestHandedOver(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		o, err := w.cases.Open(ctx, seat, cases.Opening{
			City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "自来水管漏水，电话13803510009", Category: "cold_home", Nature: citypack.Repair, Hold: true,
			Caller: cases.Party{Name: "李明", Phone: "13803510009"}, Address: "向阳花园3号楼",
		})
		if err != nil {
			t.Fatal(err)
		}
		in := exchange.Handing{City: city, Case: o.Case.ID, Platform: code, Text: "属供水职责", Key: "once"}
		ticket, err := w.svc.HandOver(ctx, sender, in)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := w.svc.HandOver(ctx, sender, in); err != nil || again.ID != ticket.ID {
			t.Errorf("the same act twice: %v", err)
		}
		w.run()
		theirs := w.fakeTicket(exchange.Ours, o.Case.No)
		if got := theirs.Taken[0].Details; got.Caller.Phone != "13803510009" || got.Text != "自来水管漏水，电话13803510009" {
			t.Errorf("12345 got %+v", got)
		}
		for range 3 {
			w.fake.Work()
			w.flush()
		}
		v := w.ticket(theirs.PeerNo)
		if v.Status != exchange.Replied || v.Case != o.Case.ID {
			t.Errorf("the ticket is %s", v.Status)
		}
		if found, err := w.cases.List(ctx, leader, city, cases.Filter{Query: theirs.PeerNo}); err != nil || len(found.Items) != 1 {
			t.Errorf("the case is not found by the platform's number: %v", err)
		}
		for _, e := range v.Messages {
			if strings.Contains(e.Note, "13803510009") {
				t.Errorf("the telephone stands in the clear: %q", e.Note)
			}
		}
		for _, in := range []exchange.Saying{{Event: exchange.CallBack, Reached: "yes", Solved: "yes"}, {Event: exchange.Close}} {
			in.City, in.Ticket = city, v.ID
			if _, err := w.svc.Say(ctx, sender, in); err != nil {
				t.Fatal(err)
			}
		}
		w.run()
		w.agreed(exchange.Ours, o.Case.No)
	})
}

// TestNumberThatAnotherCaseHas: a platform's number under which another case came here by the same channel stays with that
// one; ours goes there all the same and is taken.
func TestNumberThatAnotherCaseHas(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		opening := cases.Opening{
			City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "自来水管漏水", Category: "cold_home", Nature: citypack.Repair, Hold: true,
			Caller: cases.Party{Name: "李明", Phone: "13803510009"}, Address: "向阳花园3号楼",
		}
		mine, err := w.cases.Open(ctx, seat, opening)
		if err != nil {
			t.Fatal(err)
		}
		opening.TicketNo, opening.Text = "TY"+code+"X000001", "楼道灯不亮"
		other, err := w.cases.Open(ctx, seat, opening)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.svc.HandOver(ctx, sender, exchange.Handing{City: city, Case: mine.Case.ID, Platform: code, Text: "属供水职责"}); err != nil {
			t.Fatal(err)
		}
		w.run()
		v := w.ticketOf(exchange.Ours, mine.Case.No)
		if v.PeerNo != opening.TicketNo || len(v.Messages) != 1 || v.Messages[0].State != exchange.Sent {
			t.Errorf("the ticket has the number %q and says %+v", v.PeerNo, v.Messages)
		}
		if c := w.caseOf(v.Ticket); c.TicketNo != "" || c.ID == other.Case.ID {
			t.Errorf("the case has the number %q", c.TicketNo)
		}
	})
}

// TestSeatSeesItsPart: a 驻场 seat of one district works on its tickets and finds no others.
func TestSeatSeesItsPart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	mine, _ := w.dispatched()
	other, _ := w.dispatched(func(d *exchange.Details) { d.Address = "明月里1号楼1单元101" })
	east := staff(actor.RoleLiaison, "east", func(g *actor.Grant) { g.Districts = []string{"990101"} })
	ofCompany := staff(actor.RoleLiaison, "c1", func(g *actor.Grant) { g.Companies = []string{"C1"} })
	for _, by := range []actor.Actor{east, ofCompany} {
		list, err := w.svc.List(ctx, by, city, exchange.Filter{})
		if err != nil || len(list.Items) != 1 || list.Items[0].ID != mine.ID {
			t.Errorf("%s sees %d tickets, %v", by.ID, len(list.Items), err)
		}
		if _, err := w.svc.Get(ctx, by, city, other.ID); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s opens another's ticket: %v", by.ID, err)
		}
		say := exchange.Saying{City: city, Ticket: other.ID, Event: exchange.Note, Text: "补充"}
		if _, err := w.svc.Say(ctx, by, say); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s speaks about another's ticket: %v", by.ID, err)
		}
		say.Ticket = mine.ID
		if _, err := w.svc.Say(ctx, by, say); err != nil {
			t.Errorf("%s cannot speak about its own: %v", by.ID, err)
		}
	}
}
