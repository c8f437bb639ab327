package callback_test

import (
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/callback"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
)

// drawn lists the days that were drawn, the last one first.
func (w *world) drawn() []civil.Date {
	w.t.Helper()
	all, err := w.backs.Draws(ctx, supervisor, city)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []civil.Date
	for _, d := range all {
		out = append(out, d.Day)
	}
	return out
}

// Days that nobody drew in their time, because nothing ran, are drawn afterwards, each once, though several processes wake up at
// once; the day that is not over yet is not.
func TestMissedDaysAreDrawnOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		first := w.now.Now().Date()
		w.closedAs("1101", "yes", "yes")
		w.now.Advance(24 * time.Hour)
		w.closedAs("1102", "yes", "yes")
		w.now.Advance(48 * time.Hour) // a day without closings between
		w.closedAs("1103", "yes", "yes")
		w.now.Advance(24 * time.Hour)
		w.closedAs("1104", "yes", "yes")
		errs := make([]error, 4)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = w.backs.Draw(ctx, city) })
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
		if diff := gocmp.Diff([]civil.Date{first.AddDays(3), first.AddDays(1), first}, w.drawn()); diff != "" {
			t.Errorf("days drawn (-want +got):\n%s", diff)
		}
		list, err := w.backs.Samples(ctx, supervisor, city, callback.SampleFilter{})
		if err != nil || len(list.Items) != 3 {
			t.Errorf("%d sample calls, %v; want one of each missed day", len(list.Items), err)
		}
		all, _ := w.backs.Draws(ctx, supervisor, city)
		for _, one := range all {
			if one.Late() != (one.Day != first.AddDays(3)) {
				t.Errorf("%s, drawn %s: late %t", one.Day, one.At, one.Late())
			}
		}
	})
}

// A day is drawn only when everything of it is written, and by the share that held on it; without a share nothing is drawn.
func TestADayIsDrawnByItsOwnShare(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		day := w.now.Now().Date()
		w.closedAs("1101", "yes", "yes")
		w.now.Advance(day.End().Sub(w.now.Now()) + 5*time.Minute)
		if err := w.backs.Draw(ctx, city); err != nil || len(w.drawn()) != 0 {
			t.Errorf("five minutes after midnight: drawn %v, %v", w.drawn(), err)
		}
		was := w.rules.Pack.Doc.Options["callback_sample"]
		w.rules.Pack.Doc.Options["callback_sample"] = nil
		w.now.Advance(time.Hour)
		if err := w.backs.Draw(ctx, city); err != nil || len(w.drawn()) != 0 {
			t.Errorf("without a share: drawn %v, %v", w.drawn(), err)
		}
		w.rules.Pack.Doc.Options["callback_sample"] = was
		if err := w.backs.Draw(ctx, city); err != nil || len(w.drawn()) != 1 {
			t.Errorf("drawn %v, %v; want the day", w.drawn(), err)
		}
	})
}

// The log is closed when there is something to draw, not every hour.
func TestNothingToDrawLeavesTheLogAlone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.closedAs("1101", "yes", "yes")
		w.now.Advance(24 * time.Hour)
		size := func() int64 {
			root, err := db.Read(ctx, d, func(tx *db.Tx) (audit.Root, error) { return audit.CurrentRoot(ctx, tx, city) })
			if err != nil {
				t.Fatal(err)
			}
			return root.Size
		}
		if err := w.backs.Draw(ctx, city); err != nil {
			t.Fatal(err)
		}
		before := size()
		w.closedAs("1102", "yes", "yes")
		if err := w.backs.Draw(ctx, city); err != nil || before == 0 || size() != before {
			t.Errorf("the log grew from %d to %d, %v", before, size(), err)
		}
	})
}

// A second upheld appeal, against another rate, stands beside the first with its own reason.
func TestTwoUpheldAppealsBothStay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.closedAs("1101", "yes", "yes")
		if _, err := w.backs.Rate(ctx, visitor, callback.Rating{City: city, Solved: "no", Satisfied: "no", Proof: cases.Proof{Token: c.Token}}); err != nil {
			t.Fatal(err)
		}
		q := w.today()
		o := w.outcomes(q)[0]
		if diff := gocmp.Diff([]callback.Rate{callback.Solved, callback.Satisfied, callback.Mismatch}, o.Appealable()); diff != "" {
			t.Fatalf("counts against the company in (-want +got):\n%s", diff)
		}
		w.upheld(o, callback.Satisfied, callback.User)
		w.upheld(o, callback.Mismatch, callback.Force)
		o = w.outcomes(q)[0]
		got := map[callback.Rate]callback.Reason{}
		for _, x := range o.Excuses {
			got[x.Rate] = x.Reason
		}
		if diff := gocmp.Diff(map[callback.Rate]callback.Reason{callback.Satisfied: callback.User, callback.Mismatch: callback.Force}, got); diff != "" || len(o.Excuses) != 2 {
			t.Errorf("excuses (-want +got):\n%s", diff)
		}
		if o.StSolved != callback.Miss || o.StSatisfied != callback.Excused || o.StMismatch != callback.Excused {
			t.Errorf("stands %s %s %s", o.StSolved, o.StSatisfied, o.StMismatch)
		}
	})
}

func (w *world) upheld(o callback.Outcome, r callback.Rate, why callback.Reason) {
	w.t.Helper()
	a, err := w.backs.Appeal(ctx, north, callback.Appealing{City: city, Outcome: o.ID, Rate: r, Reason: why, Words: "见附件", Proof: "录音 12"})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.backs.Decide(ctx, head, callback.Deciding{City: city, ID: a.ID, Version: a.Version, Uphold: true, Note: "属实"}); err != nil {
		w.t.Fatal(err)
	}
}

// What is fixed is not appealed against any more; a word that came after the freeze is, before the next edition takes it in.
func TestNoAppealAgainstAFixedFigure(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		pleased := w.closedAs("1101", "yes", "yes")
		w.closedAs("1102", "yes", "no")
		q := w.today()
		w.now.Advance(20 * 24 * time.Hour)
		p, err := w.backs.Freeze(ctx, head, callback.Freezing{City: city, From: q.From, To: q.To})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.backs.Rate(ctx, visitor, callback.Rating{City: city, Solved: "yes", Satisfied: "no", Proof: cases.Proof{Token: pleased.Token}}); err != nil {
			t.Fatal(err)
		}
		misses := q
		misses.Rate, misses.Place = callback.Satisfied, callback.Miss
		refused, taken := 0, 0
		for _, o := range w.outcomes(misses) {
			_, err := w.backs.Appeal(ctx, north, callback.Appealing{City: city, Outcome: o.ID, Rate: callback.Satisfied, Reason: callback.User, Words: "见附件", Proof: "照片"})
			switch {
			case err == nil && o.Case == pleased.ID:
				taken++
			case fault.Is(err, fault.Conflict) && fault.Of(err).Key == "callback.figure_fixed" && o.Case != pleased.ID:
				refused++
			default:
				t.Errorf("appeal of %s: %v", o.CaseNo, err)
			}
		}
		if taken != 1 || refused != 1 {
			t.Errorf("%d appeals taken, %d refused; want one of each", taken, refused)
		}
		if now := w.rates(q); len(now.Fixed) != 1 || now.Fixed[0].ID != p.ID || now.Period != nil {
			t.Errorf("present figures of fixed days say %+v", now.Fixed)
		}
		if was := w.rates(callback.Query{City: city, Period: p.ID}); was.Period == nil || len(was.Fixed) != 0 {
			t.Errorf("fixed figures say %+v, %+v", was.Period, was.Fixed)
		}
	})
}
