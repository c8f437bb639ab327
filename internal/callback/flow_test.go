package callback_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/callback"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
)

var (
	supervisor = staff(actor.RoleSupervisor, "supervisor1", "bureau")
	visitor    = actor.Anonymous(actor.Public)
)

// room is a cold home of its own.
func room(no string) cases.Opening {
	return cold(func(o *cases.Opening) {
		o.Room, o.Address, o.Caller.Phone = no, "向阳花园3号楼2单元"+no, "1380351"+no
	})
}

// verified brings a new case to where it waits for its call-back; the unit measured temp tenths before and after.
func (w *world) verified(in cases.Opening, warm bool) cases.Case {
	w.t.Helper()
	c := w.work(w.open(in), warm)
	return w.must(w.cases.Verify(ctx, verifier, cases.Verification{Act: act(c), Passed: true, Mode: "evidence"}))
}

func (w *world) work(c cases.Case, warm bool) cases.Case {
	w.t.Helper()
	c = w.must(w.sends.Sign(ctx, north, dispatch.Signing{Act: act(c)}))
	c = w.must(w.sends.Contact(ctx, north, dispatch.Contacting{Act: act(c), Result: "connected"}))
	w.now.Advance(10 * time.Minute)
	c = w.must(w.sends.Arrive(ctx, north, dispatch.Visit{Act: act(c), Result: "met"}))
	after := map[string]string{"arrived_at": w.now.Now().String()}
	if !warm {
		after["temp_before"], after["temp_after"], after["solved"], after["unsolved_reason"], after["expected"] = "15.0", "15.0", "no", "等待配件", w.now.Now().Add(24*time.Hour).String()
	}
	return w.must(w.sends.FeedBack(ctx, north, dispatch.Feedback{Act: act(c), Form: form(after)}))
}

func (w *world) closedAs(no, solved, satisfied string) cases.Case {
	w.t.Helper()
	c := w.verified(room(no), true)
	c = w.must(w.cases.CallBack(ctx, seat, cases.Call{Act: act(c), Reached: true, Solved: solved, Satisfied: satisfied, Channel: "phone"}))
	return w.must(w.cases.Close(ctx, sender, cases.Answering{Act: act(c)}))
}

func (w *world) today() callback.Query {
	d := w.now.Now().Date()
	return callback.Query{City: city, From: d, To: d}
}

func (w *world) rates(q callback.Query) callback.Rates {
	w.t.Helper()
	r, err := w.backs.Rates(ctx, head, q)
	if err != nil {
		w.t.Fatalf("Rates: %v", err)
	}
	return r
}

func (w *world) outcomes(q callback.Query) []callback.Outcome {
	w.t.Helper()
	var out []callback.Outcome
	if err := w.backs.Export(ctx, head, q, func(o callback.Outcome) error { out = append(out, o); return nil }); err != nil {
		w.t.Fatalf("Export: %v", err)
	}
	return out
}

// Every number of the figures is the number of rows of its list and of its export, for counted and left-out alike.
func TestEveryNumberIsAList(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.closedAs("1101", "yes", "yes")
		w.closedAs("1102", "yes", "no")
		w.closedAs("1103", "yes", "")
		back := w.verified(room("1104"), true)
		w.must(w.cases.CallBack(ctx, seat, cases.Call{Act: act(back), Reached: true, Solved: "no", Channel: "phone"}))
		q := w.today()
		r := w.rates(q)
		want := map[callback.Rate][2]int64{callback.Response: {3, 3}, callback.Solved: {3, 3}, callback.Satisfied: {1, 2}, callback.Mismatch: {1, 4}}
		for rate, n := range want {
			f := figure(r.All, rate)
			if f.Numerator != n[0] || f.Denominator != n[1] {
				t.Errorf("%s: %d of %d, want %d of %d (%+v)", rate, f.Numerator, f.Denominator, n[0], n[1], f.Left)
			}
			if f.Denominator+f.Out() != r.All.Outcomes {
				t.Errorf("%s: %d counted and %d left out are not the %d outcomes", rate, f.Denominator, f.Out(), r.All.Outcomes)
			}
			rows := func(p callback.Place) int64 {
				q := q
				q.Rate, q.Place = rate, p
				list, err := w.backs.Outcomes(ctx, head, q)
				if err != nil {
					t.Fatal(err)
				}
				all := w.outcomes(q)
				if len(list.Items) != len(all) {
					t.Errorf("%s %s: %d in the list, %d in the export", rate, p, len(list.Items), len(all))
				}
				return int64(len(all))
			}
			for place, n := range map[callback.Place]int64{callback.Hit: f.Numerator, callback.Counted: f.Denominator, callback.LeftOut: f.Out()} {
				if got := rows(place); got != n {
					t.Errorf("%s %s: %d rows, the figure says %d", rate, place, got, n)
				}
			}
			for _, l := range f.Left {
				if got := rows(l.Why); got != l.N {
					t.Errorf("%s %s: %d rows, the figure says %d", rate, l.Why, got, l.N)
				}
			}
		}
		for _, by := range []callback.By{callback.ByStation, callback.ByDistrict, callback.ByCategory} {
			q := q
			q.By = by
			var n int64
			for _, g := range w.rates(q).Groups {
				n += g.Outcomes
			}
			if n != r.All.Outcomes {
				t.Errorf("apart by %s: %d outcomes, want %d", by, n, r.All.Outcomes)
			}
		}
		if _, err := w.backs.Rates(ctx, seat, q); !fault.Is(err, fault.Denied) {
			t.Errorf("a seat reads figures: %v", err)
		}
		own, err := w.backs.Rates(ctx, north, q)
		if err != nil || own.All.Outcomes != 4 {
			t.Errorf("the company's own: %d, %v", own.All.Outcomes, err)
		}
		if other, err := w.backs.Rates(ctx, south, q); err != nil || other.All.Outcomes != 0 {
			t.Errorf("another company sees %d outcomes, %v", other.All.Outcomes, err)
		}
	})
}

// Eight taps at once are one rating and one reopening of this closing; the next closing is rated again.
func TestRatedAndReopenedOncePerClosing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.closedAs("1101", "yes", "yes")
		in := callback.Rating{City: city, Solved: "no", Word: "晚上又凉了", Proof: cases.Proof{Token: c.Token}}
		results := make([]error, 8)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() { _, results[i] = w.backs.Rate(ctx, visitor, in) })
		}
		wg.Wait()
		ok := 0
		for _, err := range results {
			if err == nil {
				ok++
			} else if !fault.Is(err, fault.Conflict) {
				t.Errorf("a later tap: %v, want Conflict", err)
			}
		}
		again := w.must(w.cases.Get(ctx, seat, city, c.ID))
		if ok != 1 || again.Reopens != 1 || again.Status != cases.Dispatched {
			t.Fatalf("%d ratings taken, %d reopenings, %s", ok, again.Reopens, again.Status)
		}
		rows := w.outcomes(w.today())
		if len(rows) != 1 || rows[0].Solved != "no" || rows[0].Called != "yes" || !rows[0].Contradicts() || rows[0].Retest != "offered" || rows[0].Rework {
			t.Errorf("the outcome: %+v", rows)
		}
		if st, err := w.backs.Standing(ctx, city, cases.Proof{Token: c.Token}); err != nil || st.Retest != "offered" || st.May {
			t.Errorf("the resident's page: %+v, %v; want the offer of a re-test", st, err)
		}
		if diff := gocmp.Diff([]string{"retest"}, w.told); diff != "" {
			t.Errorf("told to the company (-want +got):\n%s", diff)
		}
		c = w.work(again, true)
		if rows := w.outcomes(w.today()); rows[0].Retest != "passed" || rows[0].Rework {
			t.Errorf("a warm re-test: %+v", rows[0])
		}
		c = w.must(w.cases.Verify(ctx, verifier, cases.Verification{Act: act(c), Passed: true, Mode: "evidence"}))
		c = w.must(w.cases.CallBack(ctx, seat, cases.Call{Act: act(c), Reached: true, Solved: "yes", Channel: "phone"}))
		w.must(w.cases.Close(ctx, sender, cases.Answering{Act: act(c)}))
		in.Solved, in.Satisfied = "yes", "yes"
		if out, err := w.backs.Rate(ctx, visitor, in); err != nil || out.Reopened {
			t.Errorf("the next closing: %+v, %v", out, err)
		}
		if _, err := w.backs.Rate(ctx, visitor, callback.Rating{City: city, Solved: "yes", Proof: cases.Proof{Token: "no such"}}); !fault.Is(err, fault.NotFound) {
			t.Errorf("somebody else's receipt: %v", err)
		}
	})
}

func TestAFailedRetestIsRework(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.verified(room("1101"), true)
		c = w.must(w.cases.CallBack(ctx, seat, cases.Call{Act: act(c), Reached: true, Solved: "no", Channel: "phone"}))
		if rows := w.outcomes(w.today()); len(rows) != 1 || rows[0].Kind != callback.SentBack || rows[0].Retest != "offered" || rows[0].Rework {
			t.Fatalf("not solved, though warm: %+v", rows)
		}
		w.work2(c)
		if rows := w.outcomes(w.today()); rows[0].Retest != "failed" || !rows[0].Rework {
			t.Errorf("a cold re-test: %+v", rows[0])
		}
	})
}

// Re-tests that have no limit stay offered; those behind them still end when nobody comes.
func TestARetestNobodyCameForEndsBehindManyOffers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		many := make([]callback.Outcome, 200)
		for i := range many {
			id := fmt.Sprintf("%026d", i) // before every outcome of a case
			many[i] = callback.Outcome{
				City: city, ID: id, Case: id, Kind: callback.SentBack, N: 1, Day: w.now.Now().Date().AddDays(-1), At: w.now.Now(), Company: "C1", Category: "cold_home",
				Response: "no_limit", Solved: "no", Retest: "offered", StResponse: callback.Back, StSolved: callback.Back, StSatisfied: callback.Back,
				StMismatch: callback.Unclaimed, Version: 1,
			}
		}
		if err := db.Do(ctx, d, func(tx *db.Tx) error { return db.InsertAll(ctx, tx, "callback_outcome", many) }); err != nil {
			t.Fatal(err)
		}
		c := w.verified(room("1101"), true)
		w.must(w.cases.CallBack(ctx, seat, cases.Call{Act: act(c), Reached: true, Solved: "no", Channel: "phone"}))
		q := w.today()
		w.now.Advance(10 * 24 * time.Hour)
		if err := w.runner.RunDue(ctx); err != nil {
			t.Fatal(err)
		}
		if rows := w.outcomes(q); len(rows) != 1 || rows[0].Retest != "nobody_came" || !rows[0].Rework {
			t.Errorf("after the limit of the re-test: %+v", rows)
		}
	})
}

// work2 is a re-test that finds the home cold.
func (w *world) work2(c cases.Case) {
	w.t.Helper()
	f := form(map[string]string{"arrived_at": w.now.Now().String(), "temp_before": "15.0", "temp_after": "15.0", "solved": "no", "unsolved_reason": "等待配件", "expected": w.now.Now().Add(24 * time.Hour).String()})
	w.must(w.sends.FeedBack(ctx, north, dispatch.Feedback{Act: act(c), Form: f}))
}

func TestCallBackByMessage(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.verified(room("1101"), true)
		asked, err := w.backs.Ask(ctx, seat, act(c))
		if err != nil || asked.Status != cases.Verified || len(w.asked) != 1 {
			t.Fatalf("asked: %s, %d, %v", asked.Status, len(w.asked), err)
		}
		if _, err := w.backs.Ask(ctx, seat, act(asked)); !fault.Is(err, fault.Conflict) {
			t.Errorf("asked twice: %v", err)
		}
		if _, err := w.backs.Ask(ctx, north, act(asked)); err == nil {
			t.Error("the unit asks about its own work")
		}
		by := actor.Actor{ID: "resident:p", Kind: actor.Resident, Door: actor.Public, Grants: []actor.Grant{{Role: actor.RoleSystem, City: city}}}
		if err := db.Do(ctx, d, func(tx *db.Tx) error { return w.backs.AnsweredIn(ctx, tx, by, city, c.ID, callback.Grudging) }); err != nil {
			t.Fatal(err)
		}
		c = w.must(w.cases.Get(ctx, seat, city, c.ID))
		if c.Status != cases.ToClose || c.Solved != "yes" || c.Satisfied != "no" {
			t.Errorf("after the answer: %s %q %q", c.Status, c.Solved, c.Satisfied)
		}
		w.must(w.cases.Close(ctx, sender, cases.Answering{Act: act(c)}))
		if rows := w.outcomes(w.today()); rows[0].How != "message" {
			t.Errorf("by %q", rows[0].How)
		}
	})
}

func TestWhoHandledDoesNotCallBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.verified(room("1101"), true)
		for name, by := range map[string]actor.Actor{"the handler": staff(actor.RoleSeat, "north1", "centre"), "the unit": staff(actor.RoleSeat, "x", "C1")} {
			for _, reached := range []bool{true, false} {
				in := cases.Call{Act: act(c), Reached: reached, Channel: "phone"}
				if reached {
					in.Solved = "yes"
				}
				if _, err := w.cases.CallBack(ctx, by, in); !fault.Is(err, fault.Denied) {
					t.Errorf("%s, reached %t: %v, want Denied", name, reached, err)
				}
			}
		}
	})
}

// The sample of a day is drawn after it, once, from the log's root; whoever handled or asked does not see it, and a "no" counts
// against what was said before.
func TestSample(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.closedAs("1101", "yes", "yes")
		w.closedAs("1102", "yes", "yes")
		day := w.now.Now().Date()
		w.now.Advance(24 * time.Hour)
		for range 2 {
			if err := w.backs.Draw(ctx, city); err != nil {
				t.Fatal(err)
			}
		}
		list, err := w.backs.Samples(ctx, supervisor, city, callback.SampleFilter{})
		if err != nil || len(list.Items) != 1 {
			t.Fatalf("%d sample calls, %v; want one of two closings", len(list.Items), err)
		}
		s := list.Items[0]
		if s.Draw.Day != day || s.Draw.Root == "" || s.Rank != 1 || s.Of != 2 {
			t.Errorf("why it was drawn: %+v, %d of %d", s.Draw, s.Rank, s.Of)
		}
		picks := callback.Choose(s.Draw.Root, s.Draw.Percent, w.outcomes(callback.Query{City: city, From: day, To: day}))
		if len(picks) != 1 || picks[0].Outcome.ID != s.Outcome || picks[0].Score != s.Score {
			t.Errorf("the root draws %+v, not what was drawn", picks)
		}
		for name, by := range map[string]actor.Actor{"who asked before": seat, "the handler": staff(actor.RoleSeat, "north1", "centre"), "the unit": staff(actor.RoleSeat, "y", "C1")} {
			mine, err := w.backs.Samples(ctx, by, city, callback.SampleFilter{})
			if err != nil || len(mine.Items) != 0 {
				t.Errorf("%s sees %d sample calls, %v", name, len(mine.Items), err)
			}
			in := callback.Calling{City: city, ID: s.ID, Version: s.Version, Channel: "phone", Reached: true, Solved: "yes"}
			if _, err := w.backs.Call(ctx, by, in); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s makes the call: %v, want NotFound", name, err)
			}
		}
		v, err := w.backs.Call(ctx, supervisor, callback.Calling{City: city, ID: s.ID, Version: s.Version, Channel: "phone"})
		if err != nil || v.State != callback.Drawn || len(v.Tries) != 1 {
			t.Fatalf("a try: %s, %d, %v", v.State, len(v.Tries), err)
		}
		v, err = w.backs.Call(ctx, supervisor, callback.Calling{City: city, ID: s.ID, Version: v.Version, Channel: "phone", Reached: true, Solved: "no", Satisfied: "no", Word: "没人来过"})
		if err != nil || v.State != callback.Answered || !v.About.Contradicts() || v.About.Called != "yes" || v.About.ReopenedAt.IsZero() {
			t.Fatalf("the answer: %+v, %v", v, err)
		}
		if got := w.must(w.cases.Get(ctx, seat, city, v.About.Case)); got.Reopens != 1 {
			t.Errorf("reopened %d times", got.Reopens)
		}
	})
}

func TestSampleUnreached(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.closedAs("1101", "yes", "yes")
		w.now.Advance(24 * time.Hour)
		if err := w.backs.Draw(ctx, city); err != nil {
			t.Fatal(err)
		}
		list, _ := w.backs.Samples(ctx, supervisor, city, callback.SampleFilter{})
		s := list.Items[0]
		var err error
		for range 3 {
			if s, err = w.backs.Call(ctx, supervisor, callback.Calling{City: city, ID: s.ID, Version: s.Version, Channel: "phone"}); err != nil || s.State != callback.Drawn {
				t.Fatalf("in one half-day: %s, %v", s.State, err)
			}
		}
		w.now.Advance(12 * time.Hour)
		if s, err = w.backs.Call(ctx, supervisor, callback.Calling{City: city, ID: s.ID, Version: s.Version, Channel: "phone"}); err != nil || s.State != callback.NoAnswer || s.About.Solved != "yes" {
			t.Errorf("in the second: %s, the outcome says %q, %v", s.State, s.About.Solved, err)
		}
	})
}

// An appeal is decided by nobody who had a hand in it, takes the outcome out with its reason, and the figure freezes after it.
func TestAppealFreezeAndCorrection(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		first := w.closedAs("1101", "yes", "yes")
		w.closedAs("1102", "yes", "no")
		q := w.today()
		q.Rate, q.Place = callback.Satisfied, callback.Miss
		o := w.outcomes(q)[0]
		in := callback.Appealing{City: city, Outcome: o.ID, Rate: callback.Satisfied, Reason: callback.User, Words: "用户私改管道", Proof: "照片3张"}
		if _, err := w.backs.Appeal(ctx, south, in); !fault.Is(err, fault.NotFound) {
			t.Errorf("another company appeals: %v", err)
		}
		a, err := w.backs.Appeal(ctx, north, in)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.backs.Appeal(ctx, north, in); !fault.Is(err, fault.Conflict) {
			t.Errorf("appealed twice: %v", err)
		}
		if f := figure(w.rates(w.today()).All, callback.Satisfied); f.Appeals.Asked != 1 || f.Denominator != 2 {
			t.Errorf("beside the figure: %+v", f)
		}
		verdict := callback.Deciding{City: city, ID: a.ID, Version: a.Version, Uphold: true, Note: "照片属实"}
		deciders := map[string]actor.Actor{"the dispatcher": staff(actor.RoleSectionHead, sender.ID, "centre"), "who asked": staff(actor.RoleSectionHead, seat.ID, "centre"), "the handler": staff(actor.RoleSectionHead, "north1", "centre"), "the company": north}
		w.dispatchedBy(o.Case, sender.ID)
		for name, by := range deciders {
			if _, err := w.backs.Decide(ctx, by, verdict); !fault.Is(err, fault.Denied) {
				t.Errorf("%s decides: %v, want Denied", name, err)
			}
		}
		freeze := callback.Freezing{City: city, From: q.From, To: q.To}
		w.now.Advance(20 * 24 * time.Hour)
		if _, err := w.backs.Freeze(ctx, head, freeze); !fault.Is(err, fault.Conflict) {
			t.Errorf("frozen with an open appeal: %v", err)
		}
		if a, err = w.backs.Decide(ctx, head, verdict); err != nil || a.State != callback.Upheld {
			t.Fatalf("decided: %s, %v", a.State, err)
		}
		late := in
		late.Rate, late.Outcome = callback.Response, o.ID
		if _, err := w.backs.Appeal(ctx, north, late); !fault.Is(err, fault.Conflict) {
			t.Errorf("an appeal against nothing: %v", err)
		}
		p, err := w.backs.Freeze(ctx, head, freeze)
		if err != nil || p.Edition != 1 {
			t.Fatalf("frozen: %+v, %v", p, err)
		}
		fixed := callback.Query{City: city, Period: p.ID}
		before := figure(w.rates(fixed).All, callback.Satisfied)
		if before.Numerator != 1 || before.Denominator != 1 || before.Out() != 1 || before.Appeals.Upheld != 1 {
			t.Errorf("fixed: %+v", before)
		}
		rated := callback.Rating{City: city, Solved: "yes", Satisfied: "no", Proof: cases.Proof{Token: first.Token}}
		if _, err := w.backs.Rate(ctx, visitor, rated); err != nil {
			t.Errorf("a resident's word after the freeze: %v", err)
		}
		if now := figure(w.rates(callback.Query{City: city, From: q.From, To: q.To}).All, callback.Satisfied); now.Numerator != 0 {
			t.Errorf("as it is now: %+v", now)
		}
		if diff := gocmp.Diff(before, figure(w.rates(fixed).All, callback.Satisfied)); diff != "" {
			t.Errorf("a fixed figure changed (-want +got):\n%s", diff)
		}
		if _, err := w.backs.Freeze(ctx, head, freeze); !fault.Is(err, fault.Invalid) {
			t.Errorf("a correction without a reason: %v", err)
		}
		freeze.Reason = "居民补充评价"
		if _, err := w.backs.Freeze(ctx, head, freeze); !fault.Is(err, fault.Conflict) {
			t.Errorf("corrected while the company may appeal against the new word: %v", err)
		}
		w.now.Advance(20 * 24 * time.Hour)
		if p, err = w.backs.Freeze(ctx, head, freeze); err != nil || p.Edition != 2 {
			t.Errorf("corrected: %+v, %v", p, err)
		}
		if _, err := w.backs.Freeze(ctx, north, freeze); !fault.Is(err, fault.Denied) {
			t.Errorf("a company fixes figures: %v", err)
		}
	})
}

func TestNoFreezeWhileAppealsMayCome(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		day := w.now.Now().Date()
		w.now.Advance(24 * time.Hour)
		in := callback.Freezing{City: city, From: day, To: day}
		if _, err := w.backs.Freeze(ctx, head, in); !fault.Is(err, fault.Conflict) {
			t.Errorf("fixed the day after: %v", err)
		}
		in.To = civil.Date{}
		if _, err := w.backs.Freeze(ctx, head, in); !fault.Is(err, fault.Invalid) {
			t.Errorf("without a last day: %v", err)
		}
	})
}

// dispatchedBy says who handed the case over: automatic dispatch names nobody.
func (w *world) dispatchedBy(caseID, person string) {
	w.t.Helper()
	err := db.Do(ctx, w.d, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, `UPDATE dispatch SET created_by = $3 WHERE city_id = $1 AND case_id = $2`, city, caseID, person)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
