package finding_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/text"
)

var (
	visitor = actor.Anonymous(actor.Public)
	receipt = cases.Proof{Token: "own"} // of the case that M1 belongs to
)

func objecting() finding.Own {
	return finding.Own{Proof: receipt, City: city, Measurement: "M1", Ground: finding.Result, Way: finding.Complaint, Text: "测温时开着电暖气", Applicant: "张喆"}
}

// TestAResidentObjects: with the receipt to the measurement of the case and to no other, once for a key, and takes it back
// or reads the paper without names.
func TestAResidentObjects(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		in := objecting()
		in.Measurement = "M2"
		_, err := w.FileOwn(ctx, visitor, in)
		wantKind(t, "another's measurement", err, fault.NotFound)
		in = objecting()
		in.Proof = cases.Proof{Token: "other"}
		_, err = w.FileOwn(ctx, visitor, in)
		wantKind(t, "without proof", err, fault.NotFound)
		in = objecting()
		in.Applicant, in.Text = "", ""
		_, err = w.FileOwn(ctx, visitor, in)
		wantKind(t, "without a name and a word", err, fault.Invalid)

		in = objecting()
		in.Key = "k1"
		for range 2 {
			list, err := w.FileOwn(ctx, visitor, in)
			if err != nil || len(list) != 1 || list[0].Side != finding.User || list[0].Applicant == "张喆" {
				t.Fatalf("filed: %+v, %v", list, err)
			}
		}
		list, err := w.OfOwn(ctx, city, receipt)
		if diff := cmp.Diff([]finding.Event{finding.Withdraw}, list[0].Allowed); err != nil || diff != "" {
			t.Errorf("what the resident may do, %v (-want +got):\n%s", err, diff)
		}
		leave := finding.Leaving{Proof: receipt, City: city, ID: list[0].ID, Version: list[0].Version, Reason: "已经热了"}
		stale := leave
		stale.Version += 7
		_, err = w.WithdrawOwn(ctx, visitor, stale)
		wantKind(t, "a version that nobody saw", err, fault.Conflict)
		if list, err = w.WithdrawOwn(ctx, visitor, leave); err != nil || list[0].State != finding.Withdrawn || len(list[0].Allowed) != 0 {
			t.Fatalf("withdrawn: %+v, %v", list, err)
		}

		in.Key = "k2"
		if list, err = w.FileOwn(ctx, visitor, in); err != nil || len(list) != 2 {
			t.Fatalf("filed again: %d, %v", len(list), err)
		}
		v := list[0]
		_, err = w.SheetOwn(ctx, city, receipt, v.ID, text.ZH)
		wantKind(t, "a paper that is not there", err, fault.Conflict)
		v = w.must(w.step(district, v, finding.Accept, ""))
		v = w.must(w.Decide(ctx, district, opinion(v, "r1")))
		sheet, err := w.SheetOwn(ctx, city, receipt, v.ID, text.ZH)
		if said := fmt.Sprint(sheet); err != nil || strings.Contains(said, "张喆") || !strings.Contains(said, "17.8 ℃") {
			t.Errorf("the resident reads %s, %v", said, err)
		}
		_, err = w.SheetOwn(ctx, city, cases.Proof{Token: "other"}, v.ID, text.ZH)
		wantKind(t, "another's paper", err, fault.NotFound)
	})
}

func (w *world) tested(e finding.Evidence) error {
	return db.Do(ctx, w.d, func(tx *db.Tx) error { return w.TestedIn(ctx, tx, city, "1004412", "2025-2026", e) })
}

// TestANewResultIsWeighedByItself: a laboratory's or the authority's, when the objection is being looked at, and not the
// company's own.
func TestANewResultIsWeighedByItself(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		old := w.test("r0", "lab_report", "laboratory", 165)
		w.now.Advance(time.Minute)
		v := w.file(filing())
		state := func() finding.State {
			got, err := w.Get(ctx, district, city, v.ID)
			if err != nil {
				t.Fatal(err)
			}
			return got.State
		}
		w.now.Advance(time.Minute)
		lab := w.test("r2", "lab_report", "laboratory", 165)
		if err := w.tested(lab); err != nil || state() != finding.Filed {
			t.Errorf("before it is accepted: %s, %v", state(), err)
		}
		v = w.must(w.step(district, v, finding.Accept, ""))
		for _, e := range []finding.Evidence{old, w.test("r3", "retest", "company", 190), {Record: "r4", Type: "no_record", By: "laboratory", At: w.now.Now()}} {
			if err := w.tested(e); err != nil || state() != finding.Accepted {
				t.Errorf("%s: %s, %v", e.Record, state(), err)
			}
		}
		for range 2 {
			if err := w.tested(lab); err != nil || state() != finding.Weighed {
				t.Errorf("a report of a laboratory: %s, %v", state(), err)
			}
		}
		if diff := cmp.Diff([]string{"accepted", "weighed", "weighed"}, w.told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		w.checkChain("finding.file", "finding.accept", "finding.weigh", "finding.weigh")
	})
}

// TestAReportMeetsADecision: a report comes while the authority issues its paper; one of them is first, and the objection
// is decided or weighed, never both by halves.
func TestAReportMeetsADecision(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		v := w.must(w.step(district, w.file(filing()), finding.Accept, ""))
		w.now.Advance(time.Minute)
		e := w.test("r2", "lab_report", "laboratory", 165)
		var all sync.WaitGroup
		var decided, tested error
		all.Go(func() { _, decided = w.Decide(ctx, district, opinion(v, "r1")) })
		all.Go(func() { tested = w.tested(e) })
		all.Wait()
		got, err := w.Get(ctx, district, city, v.ID)
		if err != nil || tested != nil && !fault.Is(tested, fault.Conflict) {
			t.Fatal(err, tested)
		}
		switch {
		case decided == nil && got.State != finding.Issued, decided != nil && (got.State != finding.Weighed || !fault.Is(decided, fault.Conflict)):
			t.Errorf("%s with %v and %v", got.State, decided, tested)
		}
	})
}

// TestPutAside: what the objection was raised against counts no more where the paper names the opposite; nothing else goes.
func TestPutAside(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	at := dbtest.Start
	result := func(record, of string, minutes int, ok *bool) finding.Evidence {
		return finding.Evidence{Record: record, Of: of, At: at.Add(time.Duration(minutes) * time.Minute), Conforming: ok, Rooms: []finding.Room{{Room: "客厅", TempC: 170}}}
	}
	first, retest, lab := result("first", "M1", 1, &no), result("retest", "M1", 2, &yes), result("lab", "M1", 10, &no)
	warm := result("lab", "M1", 10, &yes)
	for name, c := range map[string]struct {
		ground   finding.Ground
		evidence []finding.Evidence
		prevails *finding.Evidence
		want     []string
	}{
		"cold after all":             {finding.Result, []finding.Evidence{first, retest, lab}, &lab, []string{"retest"}},
		"warm after all":             {finding.Result, []finding.Evidence{first, warm}, &warm, []string{"first"}},
		"the cure holds":             {finding.Result, []finding.Evidence{first, retest, warm}, &warm, nil},
		"the contested one prevails": {finding.Result, []finding.Evidence{first, retest, lab}, &retest, nil},
		"of another measurement":     {finding.Result, []finding.Evidence{result("other", "M2", 2, &yes), lab}, &lab, nil},
		"not judged":                 {finding.Result, []finding.Evidence{result("x", "M1", 2, nil), lab}, &lab, nil},
		"the company never came":     {finding.Absent, []finding.Evidence{retest, lab}, &lab, nil},
		"nothing named":              {finding.Result, []finding.Evidence{retest}, nil, nil},
	} {
		f := finding.Finding{Measurement: "M1", Ground: c.ground, FiledAt: at.Add(5 * time.Minute), Paper: &finding.Paper{Evidence: c.evidence, Prevails: c.prevails}}
		if diff := cmp.Diff(c.want, finding.PutAside([]finding.Finding{{}, f})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
