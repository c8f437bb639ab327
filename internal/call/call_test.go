package call_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/call/ctifake"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
)

// timeline are the acts on a case's chain.
func (h *house) timeline(id string) []string {
	h.t.Helper()
	all, err := db.Read(ctx, h.d, func(tx *db.Tx) ([]audit.Entry, error) { return audit.History(ctx, tx, city, "case:"+id, 0) })
	h.must(err)
	var out []string
	for _, e := range all {
		if strings.HasPrefix(e.Act, "case.call") {
			out = append(out, e.Act+" "+e.Actor)
		}
	}
	return out
}

// A call rings, is answered, becomes a case, is put through to the company, and all of it stands on the case.
func TestACallBecomesACase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.sit(ann, "8001")
		c := h.ring(phone, "8001")
		if c.State != call.Rings || c.Masked != "138****0001" || c.Seat != "ann" {
			t.Fatalf("it rings: %+v", c)
		}
		if err := h.do(ann, c, call.DoTransfer); !fault.Is(err, fault.Conflict) {
			t.Errorf("put through before it was answered: %v", err)
		}
		if err := h.do(bob, c, call.DoAnswer); err == nil {
			t.Error("somebody answers a call that rings elsewhere")
		}
		h.now.Advance(6 * time.Second)
		h.must(h.do(ann, c, call.DoAnswer))
		desk, err := h.calls.Desk(ctx, ann, city)
		h.must(err)
		if desk.Call == nil || desk.Call.State != call.Talking || desk.Seat.State != call.Busy || desk.Call.WaitMS != 6000 {
			t.Fatalf("the seat talks: %+v", desk)
		}
		o, err := h.calls.Open(ctx, ann, call.Taking{Opening: h.opening(), Call: c.ID})
		h.must(err)
		if o.Case.CallerPhone != "138****0001" {
			t.Errorf("the case has the caller %q", o.Case.CallerPhone)
		}
		if got, err := db.Read(ctx, d, func(tx *db.Tx) (string, error) { return h.cases.PhoneIn(ctx, tx, o.Case) }); err != nil || got != phone {
			t.Errorf("the mask stands for %q, %v", got, err)
		}
		h.must(h.do(ann, c, call.DoConference))
		h.now.Advance(time.Minute)
		h.must(h.do(ann, c, call.DoTransfer))
		h.now.Advance(time.Minute)
		h.must(h.fake.Happen(ctx, c.Ref, call.Ended, ""))
		h.must(h.fake.Happen(ctx, c.Ref, call.Recorded, "https://rec.example.cn/7"))
		c = h.at(c.Ref)
		if c.State != call.Over || c.Case != o.Case.ID || c.Outcome != call.ToCase || c.Company != "C1" || c.TalkMS != 60_000 {
			t.Errorf("it is over: %+v", c)
		}
		want := []string{"case.call ann", "case.call_conference ann", "case.call_transfer ann", "case.call_recording system:switch"}
		if diff := cmp.Diff(want, h.timeline(o.Case.ID)); diff != "" {
			t.Errorf("on the case (-want +got):\n%s", diff)
		}
		for _, cmd := range h.fake.Obeyed() {
			if cmd.Do == call.DoTransfer && cmd.To != "0351-4001234" {
				t.Errorf("put through to %q", cmd.To)
			}
		}
		if desk, err = h.calls.Desk(ctx, ann, city); err != nil || desk.Seat.State != call.Wrap || desk.Last == nil {
			t.Errorf("afterwards the seat writes up: %+v, %v", desk, err)
		}
	})
}

// What happened before a call was bound comes onto its case when it is.
func TestBindTellsWhatWasBefore(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.sit(ann, "8001")
		c := h.ring(phone, "8001")
		h.must(h.do(ann, c, call.DoAnswer))
		h.must(h.do(ann, c, call.DoTransfer))
		if _, err := h.calls.Open(ctx, ann, call.Taking{Opening: h.opening()}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a mask without its call is no telephone: %v", err)
		}
		in := h.opening()
		in.Caller.Phone = phone
		o, err := h.cases.Open(ctx, ann, in)
		h.must(err)
		if _, err := h.calls.Bind(ctx, bob, call.Binding{City: city, Call: c.ID, Case: o.Case.ID, Outcome: call.ToCase}); !fault.Is(err, fault.NotFound) {
			t.Errorf("somebody binds another seat's call: %v", err)
		}
		for range 2 {
			_, err = h.calls.Bind(ctx, ann, call.Binding{City: city, Call: c.ID, Case: o.Case.ID, Outcome: call.ToCase})
			h.must(err)
		}
		if diff := cmp.Diff([]string{"case.call ann", "case.call_transfer ann"}, h.timeline(o.Case.ID)); diff != "" {
			t.Errorf("on the case (-want +got):\n%s", diff)
		}
		_, err = h.calls.Bind(ctx, ann, call.Binding{City: city, Call: c.ID, Outcome: call.Noted})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("no case and no note: %v", err)
		}
	})
}

// A call on hold and back for hours is taken whole. A switch that goes round in a circle is refused in the end, for good and
// not for a while, and the end of its call is taken all the same.
func TestACallOfManyReports(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.sit(ann, "8001")
		c := h.ring(phone, "8001")
		report := func(n int, kind call.Kind) error {
			h.now.Advance(time.Second)
			_, err := h.calls.Report(ctx, city, call.Report{ID: fmt.Sprintf("many-%d", n), Call: c.Ref, Seq: int64(100 + n), At: h.now.Now(), Kind: kind, Seat: "8001"})
			return err
		}
		h.must(report(0, call.Answered))
		for n := 1; n <= 300; n++ {
			h.must(report(n, []call.Kind{call.Resumed, call.Held}[n%2]))
		}
		if c = h.at(c.Ref); c.State != call.Talking {
			t.Errorf("after 300 reports the call is %s", c.State)
		}
		rest := make([]call.Kept, 5000)
		for i := range rest {
			rest[i] = call.Kept{City: city, ID: fmt.Sprintf("circle-%d", i), Call: c.ID, Seq: int64(1000 + i), At: h.now.Now(), Kind: call.Held, Received: h.now.Now()}
		}
		h.must(db.Do(ctx, d, func(tx *db.Tx) error { return db.InsertAll(ctx, tx, "call_report", rest) }))
		if err := report(10_000, call.Resumed); !fault.Is(err, fault.Invalid) {
			t.Errorf("one more than any call has: %v", err)
		}
		h.must(report(10_001, call.Ended))
		if c = h.at(c.Ref); c.State != call.Over {
			t.Errorf("in the end the call is %s", c.State)
		}
	})
}

// Reports that come twice and in the wrong order give the same call; one id never says two things.
func TestReportsTwiceAndOutOfOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.sit(ann, "8001")
		h.fake.Break(ctifake.Faults{Shuffle: true})
		ref, err := h.fake.Dial(ctx, phone, "8001")
		h.must(err)
		h.now.Advance(5 * time.Second)
		h.must(h.fake.Happen(ctx, ref, call.Answered, "8001"))
		h.now.Advance(30 * time.Second)
		h.must(h.fake.Happen(ctx, ref, call.Ended, ""))
		h.must(h.fake.Flush(ctx)) // the end first
		c := h.at(ref)
		if c.State != call.Over || c.WaitMS != 5000 || c.TalkMS != 30_000 {
			t.Errorf("the call: %+v", c)
		}
		if n := len(h.backs()); n != 0 {
			t.Errorf("%d call-backs for a call that was answered", n)
		}
		h.fake.Break(ctifake.Faults{Twice: true})
		two := h.ring("13803510002", "8001")
		v, err := h.calls.Get(ctx, leader, city, two.ID)
		h.must(err)
		if len(v.Reports) != 2 {
			t.Errorf("%d reports of a call that was reported twice; want 2", len(v.Reports))
		}
		r := call.Report{ID: "x", Call: "x", At: h.now.Now(), Kind: call.Queued}
		_, err = h.calls.Report(ctx, city, r)
		h.must(err)
		r.Kind = call.Ended
		if _, err := h.calls.Report(ctx, city, r); !fault.Is(err, fault.Invalid) {
			t.Errorf("the same id with another word: %v", err)
		}
	})
}

// Twenty reports of one call at once: none is lost.
func TestReportsAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		var all sync.WaitGroup
		errs := make(chan error, 20)
		for n := range 20 {
			all.Go(func() {
				r := call.Report{ID: string(rune('a' + n)), Call: "one", Seq: int64(n), At: h.now.Now(), Kind: call.Queued, Caller: phone}
				if n == 19 {
					r.Kind = call.Abandoned
				}
				_, err := h.calls.Report(ctx, city, r)
				errs <- err
			})
		}
		all.Wait()
		close(errs)
		h.must(errors.Join(collect(errs)...))
		v, err := h.calls.Get(ctx, leader, city, h.at("one").ID)
		h.must(err)
		if len(v.Reports) != 20 || v.State != call.Lost {
			t.Errorf("%d reports, %s; want 20, lost", len(v.Reports), v.State)
		}
		if b := h.backs(); len(b) != 1 || b[0].Missed != 1 {
			t.Errorf("call-backs: %+v", b)
		}
	})
}

func collect(c <-chan error) (out []error) {
	for err := range c {
		out = append(out, err)
	}
	return out
}

// A switch that obeys and loses its answer is asked again and obeys once; one that is down says so.
func TestCommandsAreObeyedOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.sit(ann, "8001")
		c := h.ring(phone, "8001")
		h.fake.Break(ctifake.Faults{Mute: 1})
		order := call.Order{City: city, Call: c.ID, Do: call.DoAnswer, Key: "once"}
		h.must(h.calls.Command(ctx, ann, order))
		h.must(h.calls.Command(ctx, ann, order))
		answers := 0
		for _, cmd := range h.fake.Obeyed() {
			if cmd.Do == call.DoAnswer {
				answers++
			}
		}
		if answers != 1 {
			t.Errorf("obeyed %d times", answers)
		}
		order.Do = call.DoHold
		if err := h.calls.Command(ctx, ann, order); !fault.Is(err, fault.Conflict) {
			t.Errorf("another command under the same key: %v", err)
		}
		h.fake.Break(ctifake.Faults{Down: true})
		if err := h.do(ann, c, call.DoHold); !fault.Is(err, fault.Down) {
			t.Errorf("a switch that is down: %v", err)
		}
		h.fake.Break(ctifake.Faults{})
		if err := h.calls.Command(ctx, company, order); !fault.Is(err, fault.Denied) {
			t.Errorf("a company commands: %v", err)
		}
	})
}

func TestSeats(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.sit(ann, "8001")
		if h.fake.SeatState("8001") != call.Ready {
			t.Error("the switch does not know that the seat is ready")
		}
		if _, err := h.calls.Sit(ctx, bob, call.Sitting{City: city, Do: call.LogIn, Extension: "8001"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("two at one extension: %v", err)
		}
		if _, err := h.calls.Sit(ctx, ann, call.Sitting{City: city, Do: call.Pause, Reason: "tired"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a reason that is none: %v", err)
		}
		s, err := h.calls.Sit(ctx, ann, call.Sitting{City: city, Do: call.Pause, Reason: call.Meal})
		h.must(err)
		if s.State != call.Break || s.Reason != call.Meal || h.fake.SeatState("8001") != call.Break {
			t.Errorf("on a break: %+v", s)
		}
		h.fake.Break(ctifake.Faults{Down: true})
		if _, err := h.calls.Sit(ctx, ann, call.Sitting{City: city, Do: call.GoReady}); !fault.Is(err, fault.Down) {
			t.Errorf("ready while the switch is down: %v", err)
		}
		desk, err := h.calls.Desk(ctx, ann, city)
		h.must(err)
		if desk.Seat.State != call.Break {
			t.Errorf("the screen says %s although no call would come", desk.Seat.State)
		}
		h.fake.Break(ctifake.Faults{})
		_, err = h.calls.Sit(ctx, ann, call.Sitting{City: city, Do: call.LogOut})
		h.must(err)
		h.sit(bob, "8001")
	})
}

// Who gives up is called back once, however often they rang; whoever is answered meanwhile needs no call.
func TestCallBacks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		lose := func(number string) {
			c := h.ring(number, "")
			h.now.Advance(40 * time.Second)
			h.must(h.fake.Happen(ctx, c.Ref, call.Abandoned, ""))
		}
		lose(phone)
		lose(phone)
		lose("13803510002")
		lose("") // withheld: nobody to call
		all := h.backs()
		if len(all) != 2 || all[0].Masked != "138****0001" || all[0].Missed != 2 || all[1].Missed != 1 {
			t.Fatalf("to call back, the longest first: %+v", all)
		}
		h.sit(ann, "8001")
		again := h.ring("13803510002", "8001")
		h.must(h.do(ann, again, call.DoAnswer))
		if b, err := h.calls.Back(ctx, ann, city, all[1].ID); err != nil || b.State != call.Merged || b.Call != again.ID {
			t.Errorf("answered meanwhile: %+v, %v", b, err)
		}
		h.must(h.fake.Happen(ctx, again.Ref, call.Ended, ""))
		b, err := h.calls.ActBack(ctx, ann, call.BackAct{City: city, ID: all[0].ID, Version: all[0].Version, Do: call.TakeBack, Key: "dial"})
		h.must(err)
		if b.State != call.Calling {
			t.Fatalf("taken: %+v", b)
		}
		if _, err := h.calls.ActBack(ctx, bob, call.BackAct{City: city, ID: b.ID, Version: b.Version, Do: call.TakeBack}); !fault.Is(err, fault.Conflict) {
			t.Errorf("two call the same number: %v", err)
		}
		dialled := h.fake.Obeyed()[len(h.fake.Obeyed())-1]
		if dialled.Do != call.DoDial || dialled.To != phone || dialled.Seat != "8001" {
			t.Fatalf("dialled: %+v", dialled)
		}
		out := h.newest()
		if out.Direction != call.Out {
			t.Fatalf("the call out: %+v", out)
		}
		h.must(h.fake.Happen(ctx, out.Ref, call.Answered, ""))
		if b, err = h.calls.Back(ctx, ann, city, b.ID); err != nil || b.State != call.BackDone || b.Call != out.ID || b.Tries != 1 {
			t.Errorf("reached: %+v, %v", b, err)
		}
		if len(h.backs()) != 0 {
			t.Errorf("still to call: %+v", h.backs())
		}
	})
}

func (h *house) newest() call.Call {
	h.t.Helper()
	list, err := h.calls.List(ctx, leader, city, call.Filter{})
	h.must(err)
	return list.Items[0]
}

// Without a seat at the switch somebody dials by hand; three tries are enough; only a leader lets one go.
func TestCallBackByHand(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		c := h.ring(phone, "")
		h.must(h.fake.Happen(ctx, c.Ref, call.Abandoned, ""))
		b := h.backs()[0]
		act := func(e call.BackEvent) {
			var err error
			b, err = h.calls.ActBack(ctx, ann, call.BackAct{City: city, ID: b.ID, Version: b.Version, Do: e})
			h.must(err)
		}
		if _, err := h.calls.Number(ctx, ann, city, b.ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("the number of a call-back that nobody took: %v", err)
		}
		act(call.TakeBack)
		if n, err := h.calls.Number(ctx, ann, city, b.ID); err != nil || n != phone {
			t.Errorf("number %q, %v", n, err)
		}
		if _, err := h.calls.ActBack(ctx, ann, call.BackAct{City: city, ID: b.ID, Version: b.Version - 1, Do: call.Miss}); !fault.Is(err, fault.Conflict) {
			t.Errorf("an act on an older version: %v", err)
		}
		act(call.Miss)
		act(call.TakeBack)
		act(call.Miss)
		act(call.TakeBack)
		act(call.Miss)
		if b.State != call.Unreached || b.Tries != call.MostTries || b.Closed.IsZero() {
			t.Errorf("after three tries: %+v", b)
		}
		c = h.ring("13803510003", "")
		h.must(h.fake.Happen(ctx, c.Ref, call.Abandoned, ""))
		b = h.backs()[0]
		drop := call.BackAct{City: city, ID: b.ID, Version: b.Version, Do: call.Drop, Note: "骚扰电话"}
		if _, err := h.calls.ActBack(ctx, ann, drop); !fault.Is(err, fault.Denied) {
			t.Errorf("a seat lets one go: %v", err)
		}
		if got, err := h.calls.ActBack(ctx, leader, drop); err != nil || got.State != call.Dropped {
			t.Errorf("a leader: %+v, %v", got, err)
		}
	})
}

// Ten take the same call-back: one has it.
func TestCallBackTakenOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		c := h.ring(phone, "")
		h.must(h.fake.Happen(ctx, c.Ref, call.Abandoned, ""))
		b := h.backs()[0]
		var all sync.WaitGroup
		got := make(chan error, 10)
		for n := range 10 {
			all.Go(func() {
				who := ann
				who.ID = string(rune('a' + n))
				_, err := h.calls.ActBack(ctx, who, call.BackAct{City: city, ID: b.ID, Version: b.Version, Do: call.TakeBack})
				got <- err
			})
		}
		all.Wait()
		close(got)
		won := 0
		for err := range got {
			switch {
			case err == nil:
				won++
			case !fault.Is(err, fault.Conflict):
				t.Errorf("the losers get %v", err)
			}
		}
		if won != 1 {
			t.Errorf("%d have it", won)
		}
	})
}

func TestFigures(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.sit(ann, "8001")
		quick := h.ring(phone, "8001")
		h.now.Advance(15 * time.Second)
		h.must(h.do(ann, quick, call.DoAnswer))
		h.now.Advance(time.Minute)
		h.must(h.fake.Happen(ctx, quick.Ref, call.Ended, ""))
		slow := h.ring("13803510002", "8001")
		h.now.Advance(16 * time.Second)
		h.must(h.do(ann, slow, call.DoAnswer))
		lost := h.ring("13803510003", "")
		h.now.Advance(20 * time.Second)
		h.must(h.fake.Happen(ctx, lost.Ref, call.Abandoned, ""))
		h.ring("13803510004", "")
		h.now.Advance(9 * time.Second)
		f := h.figures()
		want := call.Slot{At: f.At.Date().Start(), Offered: 4, Answered: 2, InTime: 1, Lost: 1, WaitMS: 51_000, TalkMS: 60_000}
		if diff := cmp.Diff(want, f.Day); diff != "" {
			t.Errorf("the day (-want +got):\n%s", diff)
		}
		if level, ok := f.Level(f.Day); !ok || level != 333 {
			t.Errorf("level %d, %v; want 333", level, ok)
		}
		if f.Waiting != 1 || f.Longest != 9000 || f.Talking != 1 || f.Busy != 1 || f.Backs != 1 || len(f.Slots) != 48 || f.Slots[16].Offered != 4 {
			t.Errorf("now: %+v", f)
		}
		if len(f.Seats) != 1 || f.Seats[0].Answered != 2 || f.Seats[0].Name != "ann" || f.Seats[0].TalkMS != 60_000 {
			t.Errorf("seats: %+v", f.Seats)
		}
		if f.Goal.Source != "promise" || f.WithinS != 15 || !f.Missed() {
			t.Errorf("the goal: %+v", f.Goal)
		}
		none := f
		none.Goal = call.Goal{}
		if _, ok := none.Level(none.Day); ok || none.Missed() || none.Late() {
			t.Error("judged by no goal")
		}
		queue, err := h.calls.Queue(ctx, city)
		h.must(err)
		f.Seats, f.Backs = nil, 0 // what only those who plan look at
		if diff := cmp.Diff(f, queue); diff != "" {
			t.Errorf("the seats see (-planner +seat):\n%s", diff)
		}
		if _, err := h.calls.Figures(ctx, company, city, f.At.Date()); !fault.Is(err, fault.Denied) {
			t.Errorf("a company reads the queue: %v", err)
		}
	})
}

// The figures are those of the reports, however they come: late, twice, in any order, and with the program started anew in
// between. The time in the voice menu is no waiting.
func TestFiguresOfReportsInAnyOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.sit(ann, "8001")
		at := h.now.Now()
		say := func(name string, seq int, after time.Duration, kind call.Kind) call.Report {
			return call.Report{ID: fmt.Sprintf("%s-%d", name, seq), Call: name, Seq: int64(seq), At: at.Add(after), Kind: kind, Caller: phone, Seat: "8001"}
		}
		all := []call.Report{
			say("quick", 1, 0, call.Queued), say("quick", 2, time.Second, call.Ringing), say("quick", 3, 10*time.Second, call.Answered), say("quick", 4, 70*time.Second, call.Ended),
			say("slow", 1, 5*time.Second, call.Queued), say("slow", 2, 80*time.Second, call.Ringing), say("slow", 3, 85*time.Second, call.Answered),
			say("lost", 1, 20*time.Second, call.Queued), say("lost", 2, 60*time.Second, call.Abandoned),
			say("waits", 2, 80*time.Second, call.Queued),
		}
		h.now.Advance(2 * time.Minute)
		want := call.Slot{Offered: 4, Answered: 2, InTime: 1, Lost: 1, WaitMS: 130_000, TalkMS: 60_000}
		for seed := range uint64(6) {
			mixed := append(slices.Clone(all), all...)
			rand.New(rand.NewPCG(seed, 3)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
			svc := h.calls
			for n, r := range mixed {
				r.ID, r.Call = fmt.Sprintf("%d/%s", seed, r.ID), fmt.Sprintf("%d/%s", seed, r.Call)
				if n == len(mixed)/2 {
					svc = h.again()
				}
				_, err := svc.Report(ctx, city, r)
				h.must(err)
			}
			f, err := svc.Queue(ctx, city)
			h.must(err)
			got, n := f.Day, int(seed)+1
			total := call.Slot{At: got.At, Offered: n * want.Offered, Answered: n * want.Answered, InTime: n * want.InTime, Lost: n * want.Lost, WaitMS: int64(n) * want.WaitMS, TalkMS: int64(n) * want.TalkMS}
			if diff := cmp.Diff(total, got); diff != "" {
				t.Fatalf("order %d (-want +got):\n%s", seed, diff)
			}
			if f.Waiting != n || f.Longest != 40_000 || f.Talking != n {
				t.Errorf("order %d: %d wait, the longest %d ms, %d talk", seed, f.Waiting, f.Longest, f.Talking)
			}
		}
	})
}

func TestListen(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.sit(ann, "8001")
		c := h.ring(phone, "8001")
		h.must(h.do(ann, c, call.DoAnswer))
		if _, err := h.calls.Listen(ctx, leader, call.Listening{City: city, Call: c.ID, Reason: "质检"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("there is no recording yet: %v", err)
		}
		o, err := h.calls.Open(ctx, ann, call.Taking{Opening: h.opening(), Call: c.ID})
		h.must(err)
		h.must(h.fake.Happen(ctx, c.Ref, call.Recorded, "https://rec.example.cn/9"))
		for name, test := range map[string]struct {
			in   call.Listening
			who  int
			want fault.Kind
		}{
			"a seat": {call.Listening{City: city, Call: c.ID, Reason: "x"}, 0, fault.Denied}, "no reason": {call.Listening{City: city, Call: c.ID}, 1, fault.Invalid},
		} {
			who := ann
			if test.who == 1 {
				who = leader
			}
			if _, err := h.calls.Listen(ctx, who, test.in); !fault.Is(err, test.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		at, err := h.calls.Listen(ctx, head, call.Listening{City: city, Call: c.ID, Reason: "投诉复核"})
		if err != nil || at != "https://rec.example.cn/9" {
			t.Errorf("address %q, %v", at, err)
		}
		if got := h.timeline(o.Case.ID); len(got) != 3 || got[2] != "case.call_listened head" {
			t.Errorf("on the case: %v", got)
		}
	})
}

// One report among several that can never be taken does not hold up those behind it; a single one is refused by the answer.
func TestABadReportAmongGoodOnes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		at := h.now.Now().Time().Format(time.RFC3339)
		good := func(id string) string {
			return `{"id":"` + id + `","call":"c1","seq":` + id[1:] + `,"at":"` + at + `","kind":"ringing","extension":"8001","from":"` + phone + `"}`
		}
		send := func(body string) (call.Taken, error) {
			return h.calls.Receive(ctx, city, h.signer.Sign("/hooks/cti", []byte(body)))
		}
		bad := strings.Replace(good("r2"), "ringing", "singing", 1)
		got, err := send(`{"reports":[` + good("r1") + "," + bad + "," + good("r3") + `]}`)
		if err != nil || got.Taken != 2 || len(got.Refused) != 1 || got.Refused[0].N != 1 || got.Refused[0].ID != "r2" {
			t.Errorf("%+v, %v; want two taken and the second refused", got, err)
		}
		again, err := send(`{"reports":[` + good("r1") + "," + bad + "," + good("r3") + `]}`)
		if err != nil || again.Known != 2 || again.Taken != 0 {
			t.Errorf("sent again: %+v, %v; want two known", again, err)
		}
		if _, err := send(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("a single bad report: %v; want Invalid", err)
		}
	})
}
