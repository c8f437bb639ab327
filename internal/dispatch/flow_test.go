package dispatch_test

import (
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
)

func TestFromCallToClosed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(cold())
		if c.Status != cases.Dispatched || c.Company != "C1" || c.DueAt.IsZero() {
			t.Fatalf("after the call: %s %q due %s, want dispatched to C1 with a deadline", c.Status, c.Company, c.DueAt)
		}
		c = w.handled(c)
		if c.Status != cases.FedBack {
			t.Fatalf("after feedback: %s", c.Status)
		}
		c = w.must(w.cases.Verify(ctx, verifier, cases.Verification{Act: act(c), Passed: true, Mode: "evidence"}))
		c = w.must(w.cases.CallBack(ctx, seat, cases.Call{Act: act(c), Reached: true, Solved: "yes", Satisfied: "yes", Channel: "phone"}))
		c = w.must(w.cases.Close(ctx, sender, cases.Answering{Act: act(c)}))
		if c.Status != cases.Closed || c.Open || c.Solved != "yes" {
			t.Fatalf("in the end: %+v", c)
		}
		for _, code := range []string{citypack.ClockSign, citypack.ClockFirstContact, citypack.ClockArrive, citypack.ClockMeasure, citypack.ClockFeedback, citypack.ClockResident} {
			if k := w.clock(c, code); k.State != clock.Stopped || k.Late(w.now.Now()) {
				t.Errorf("clock %s: %s, late %t", code, k.State, k.Late(w.now.Now()))
			}
		}
	})
}

func TestWhoMayVerify(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.handled(w.open(cold()))
		both := staff(actor.RoleVerifier, "north1", "centre")
		for name, by := range map[string]actor.Actor{"the handler": both, "the handler's unit": staff(actor.RoleVerifier, "x", "C1")} {
			if _, err := w.cases.Verify(ctx, by, cases.Verification{Act: act(c), Passed: true, Mode: "evidence"}); !fault.Is(err, fault.Denied) {
				t.Errorf("%s verifies: %v, want Denied", name, err)
			}
		}
		failed := w.must(w.cases.Verify(ctx, verifier, cases.Verification{Act: act(c), Passed: false, Mode: "on_site", Note: "仍为15度"}))
		if failed.Status != cases.Rework || failed.Reworks != 1 {
			t.Errorf("failed verification: %s, reworks %d", failed.Status, failed.Reworks)
		}
		if k := w.clock(failed, citypack.ClockFeedback); k.State != clock.Running {
			t.Errorf("time for the rework: %s, want running", k.State)
		}
	})
}

func TestReturnAndDesignation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(cold())
		resident := w.clock(c, citypack.ClockResident).Due
		c = w.must(w.sends.Return(ctx, north, dispatch.Returning{Act: act(c, "这栋楼热费交城南"), Right: "C2"}))
		if _, err := w.sends.AnswerReturn(ctx, north, dispatch.ReturnAnswer{Act: act(c), Accept: true}); !fault.Is(err, fault.Denied) {
			t.Errorf("the unit answers itself: %v", err)
		}
		c = w.must(w.sends.AnswerReturn(ctx, sender, dispatch.ReturnAnswer{Act: act(c), Accept: true}))
		if c.Company != "C2" || c.Status != cases.Dispatched {
			t.Fatalf("after the return: %s %q", c.Status, c.Company)
		}
		if got := w.clock(c, citypack.ClockResident); got.Due != resident || got.State != clock.Running {
			t.Errorf("the resident's clock: %s due %s, want running due %s", got.State, got.Due, resident)
		}
		v, err := w.sends.Of(ctx, sender, city, c.ID)
		if err != nil || len(v.Dispatches) != 2 || v.Dispatches[0].EndKind != "misdirected" {
			t.Fatalf("dispatches: %+v, %v", v.Dispatches, err)
		}
		if _, err := w.cases.Get(ctx, north, city, c.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("the wrong unit still sees the case: %v", err)
		}
		c = w.must(w.sends.Return(ctx, south, dispatch.Returning{Act: act(c, "不是我们的管网"), Right: "C1"}))
		if _, err := w.sends.AnswerReturn(ctx, sender, dispatch.ReturnAnswer{Act: act(c), Accept: true}); !fault.Is(err, fault.Conflict) {
			t.Errorf("the second return answered by a dispatcher: %v, want Conflict", err)
		}
		c = w.must(w.sends.Designate(ctx, leader, dispatch.Sending{Act: act(c, "先由城北保暖"), Company: "C1"}))
		if _, err := w.sends.Return(ctx, north, dispatch.Returning{Act: act(c, "不是我们"), Right: "C2"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("a designated case is returned: %v, want Conflict", err)
		}
		if !c.Designated || c.Company != "C1" {
			t.Errorf("designated: %t %q", c.Designated, c.Company)
		}
	})
}

func TestNoReturnAfterArrivalOrTime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		late := w.open(cold())
		w.now.Advance(31 * time.Minute)
		if _, err := w.sends.Return(ctx, north, dispatch.Returning{Act: act(late, "不是"), Right: "C2"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("return after 31 minutes: %v", err)
		}
		there := w.open(cold(func(o *cases.Opening) { o.Room, o.Address = "602", "向阳花园3号楼2单元602" }))
		there = w.must(w.sends.Sign(ctx, north, dispatch.Signing{Act: act(there)}))
		there = w.must(w.sends.Arrive(ctx, north, dispatch.Visit{Act: act(there), Result: "met"}))
		if _, err := w.sends.Return(ctx, north, dispatch.Returning{Act: act(there, "不是"), Right: "C2"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("return after arrival: %v", err)
		}
	})
}

func TestNobodyHomeIsNoEnd(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(cold())
		c = w.must(w.sends.Sign(ctx, north, dispatch.Signing{Act: act(c)}))
		_, err := w.sends.Arrive(ctx, north, dispatch.Visit{Act: act(c), Result: "nobody"})
		if got := fault.Of(err); got.Kind != fault.Invalid || len(got.Fields) != 3 {
			t.Errorf("nobody home without proof: %v, want three fields", err)
		}
		if got := w.must(w.cases.Get(ctx, north, city, c.ID)); got.Status != cases.Signed {
			t.Errorf("after a refused act: %s", got.Status)
		}
	})
}

func TestAppointment(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(cold())
		c = w.must(w.sends.Sign(ctx, north, dispatch.Signing{Act: act(c)}))
		before := w.clock(c, citypack.ClockArrive).Due
		in := dispatch.Appointment{Act: act(c), From: day(2026, 1, 15, 18, 0), To: day(2026, 1, 15, 19, 0)}
		c = w.must(w.sends.Appoint(ctx, north, in))
		if got := w.clock(c, citypack.ClockArrive).Due; got != before {
			t.Errorf("a company alone moved the limit to %s", got)
		}
		if len(w.asked) != 1 {
			t.Fatalf("asked the resident %d times", len(w.asked))
		}
		ref := w.asked[0][len("appointment "):]
		if err := db.Do(ctx, w.d, func(tx *db.Tx) error {
			return w.sends.Answered(ctx, tx, actor.SystemFor("sms", actor.Job), city, c.ID, ref, true)
		}); err != nil {
			t.Fatal(err)
		}
		if got := w.clock(c, citypack.ClockArrive).Due; got != in.To {
			t.Errorf("after the resident's yes: due %s, want %s", got, in.To)
		}
		c = w.must(w.cases.Get(ctx, north, city, c.ID))
		night := dispatch.Appointment{Act: act(c), From: day(2026, 1, 15, 23, 0), To: day(2026, 1, 15, 23, 30), Recording: "r1"}
		if _, err := w.sends.Appoint(ctx, north, night); !fault.Is(err, fault.Invalid) {
			t.Errorf("an appointment at night without a wish: %v", err)
		}
	})
}

func TestTwoDispatchersOneCase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(cold(func(o *cases.Opening) { o.Address = "幸福里3号楼2单元601" }))
		if c.Status != cases.Filed {
			t.Fatalf("an ambiguous address went to %q (%s)", c.Company, c.Status)
		}
		results := make(chan error, 8)
		for i := range 8 {
			go func() {
				_, err := w.sends.Dispatch(ctx, sender, dispatch.Sending{Act: act(c), Company: []string{"C1", "C2"}[i%2]})
				results <- err
			}()
		}
		ok := 0
		for range 8 {
			switch err := <-results; {
			case err == nil:
				ok++
			case !fault.Is(err, fault.Conflict):
				t.Errorf("a dispatcher who was late: %v, want Conflict", err)
			}
		}
		if ok != 1 {
			t.Errorf("%d dispatchers succeeded, want 1", ok)
		}
	})
}

func TestEscalation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(cold())
		for range 12 {
			w.now.Advance(30 * time.Minute)
			if err := w.runner.RunDue(ctx); err != nil {
				t.Fatal(err)
			}
		}
		c = w.must(w.cases.Get(ctx, leader, city, c.ID))
		if !c.Late || !c.Supervised {
			t.Errorf("six hours unsigned: late %t, supervised %t", c.Late, c.Supervised)
		}
		list, err := w.sends.Waiting(ctx, leader, city, dispatch.Supervision)
		if err != nil || len(list) != 1 || list[0].No == "" {
			t.Errorf("supervision orders: %+v, %v; want one with a number", list, err)
		}
	})
}

func TestSameRequestTwice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		in := cold(func(o *cases.Opening) { o.Key = "k1" })
		a, b := w.open(in), w.open(in)
		if a.ID != b.ID {
			t.Errorf("two cases for one key: %s, %s", a.No, b.No)
		}
		in.Text = "别的话"
		if _, err := w.cases.Open(ctx, seat, in); !fault.Is(err, fault.Conflict) {
			t.Errorf("same key, other body: %v", err)
		}
		n, err := w.cases.Count(ctx, sender, city, cases.Filter{})
		if err != nil || n.N != 1 {
			t.Errorf("count %+v, %v", n, err)
		}
	})
}
