package refund_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/refund"
)

// anyRule draws a published rule. Where its percentages are not known it gets some, so that its counting can be tried.
func anyRule(t *rapid.T) citypack.RefundRule {
	ids := slices.Sorted(maps.Keys(published))
	r := published[rapid.SampledFrom(ids).Draw(t, "rule")]
	std := citypack.Degree(180)
	if r.Standard.C == nil {
		r.Standard.C = &std
	}
	low := *r.Standard.C - 30
	if len(r.Tiers) == 0 && r.Linear == nil || len(r.Tiers) > 0 && r.Tiers[0].Percent == "" {
		r.Tiers = []citypack.Tier{{From: &low, FromClosed: true, To: r.Standard.C, Percent: "33.3"}, {To: &low, Percent: "70"}}
	}
	r.Rounding = rapid.SampledFrom([]string{"", "half_up", "half_even", "down", "up"}).Draw(t, "rounding")
	return r
}

// anyClaim draws a life of a home: requests, tests and lapses over a season.
func anyClaim(t *rapid.T) refund.Input {
	start := mustAt("2025-11-15T00:00")
	total, basic := money.Fen(rapid.Int64Range(1, 9_000_000).Draw(t, "fee")), money.Fen(0)
	in := refund.Input{
		Season: refund.Season{From: start, To: mustAt("2026-03-16T00:00"), Days: rapid.IntRange(110, 130).Draw(t, "days")},
		Fee:    refund.Fee{Total: &total, Basic: &basic},
		Events: []refund.Event{},
	}
	types := []refund.EventType{
		refund.Reported, refund.Requested, refund.Requested, refund.Tested, refund.Tested, refund.Retested, refund.Retested, refund.LabReported,
		refund.CureClaimed, refund.MissedByCompany, refund.RefusedByUser, refund.Appointed, refund.UserAbsent, refund.Withdrawn,
	}
	used := map[int]bool{}
	for range rapid.IntRange(1, 14).Draw(t, "events") {
		minute := rapid.IntRange(0, 121*24*60-1).Draw(t, "minute")
		if used[minute] {
			continue
		}
		used[minute] = true
		e := refund.Event{Type: rapid.SampledFrom(types).Draw(t, "type"), At: start + mustMinutes(minute)}
		switch e.Type {
		case refund.Tested, refund.Retested, refund.LabReported:
			e.Readings = []refund.Reading{{TempC: celsius.Tenths(rapid.IntRange(90, 215).Draw(t, "temp"))}}
		default:
		}
		in.Events = append(in.Events, e)
	}
	return in
}

func assess(t *rapid.T, r citypack.RefundRule, in refund.Input) refund.Assessment {
	a, err := refund.Compile(r, refund.Options{}).Explain(&in)
	if err != nil {
		t.Fatal(err)
	}
	if a.Refund == nil {
		t.Fatalf("%s: not computable: %v", r.ID, a.Missing)
	}
	return a
}

func TestProperties(t *testing.T) {
	t.Parallel()
	var s refund.Scratch
	rapid.Check(t, func(t *rapid.T) {
		r, in := anyRule(t), anyClaim(t)
		a := assess(t, r, in)
		sum := money.Fen(0)
		for _, d := range a.Days {
			sum += *d.Refund
			if *d.Refund < 0 {
				t.Fatalf("a day gives %d", *d.Refund)
			}
		}
		if sum != *a.Refund {
			t.Fatalf("%s: the days give %d, the whole %d", r.ID, sum, *a.Refund)
		}
		if rat(a.Exact).Cmp(rat(in.Fee.Total.Yuan()).Mul(rat(in.Fee.Total.Yuan()), rat("100"))) > 0 {
			t.Fatalf("%s: %s fen of a fee of %d", r.ID, a.Exact, *in.Fee.Total)
		}
		mixed := in
		mixed.Events = rapid.Permutation(in.Events).Draw(t, "order")
		if b := assess(t, r, mixed); b.Exact != a.Exact {
			t.Fatalf("%s: in another order %s, not %s", r.ID, b.Exact, a.Exact)
		}
		fast, err := refund.Compile(r, refund.Options{}).Assess(&in, &s)
		if err != nil || fast.Refund != *a.Refund || fast.Counted != a.Counted {
			t.Fatalf("%s: without words %+v, %v, with words %d", r.ID, fast, err, *a.Refund)
		}
	})
}

// TestColder: where every reading is colder, nothing is paid less. A reading that fails instead of conforming joins two
// spells, and then holds until the next: only where the lowest reading counts must that never pay less (ADR 12).
func TestColder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, in := anyRule(t), anyClaim(t)
		lowest := rapid.Bool().Draw(t, "lowest")
		if lowest && r.Counting != nil {
			c := *r.Counting
			c.Between = "lowest"
			r.Counting = &c
		}
		a := assess(t, r, in)
		cold := in
		cold.Events = slices.Clone(in.Events)
		for i := range cold.Events {
			if e := &cold.Events[i]; len(e.Readings) > 0 && (lowest && r.Counting != nil || e.Readings[0].TempC < 160) {
				e.Readings = []refund.Reading{{TempC: e.Readings[0].TempC - celsius.Tenths(rapid.IntRange(0, 40).Draw(t, "colder"))}}
			}
		}
		if b := assess(t, r, cold); rat(b.Exact).Cmp(rat(a.Exact)) < 0 {
			t.Fatalf("%s: colder pays %s, not %s", r.ID, b.Exact, a.Exact)
		}
	})
}

// TestLonger: a spell that ends later pays no less.
func TestLonger(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, in := anyRule(t), anyClaim(t)
		first := rapid.IntRange(0, 50*24*60).Draw(t, "request")
		in.Events = []refund.Event{
			{Type: refund.Reported, At: mustAt("2025-11-15T00:00") + mustMinutes(first)},
			{Type: refund.Requested, At: mustAt("2025-11-15T00:00") + mustMinutes(first+1)},
			{Type: refund.Tested, At: mustAt("2025-11-15T00:00") + mustMinutes(first+60), Readings: []refund.Reading{{TempC: 145}}},
			{Type: refund.Retested, At: mustAt("2025-11-15T00:00") + mustMinutes(first+100+rapid.IntRange(0, 30*24*60).Draw(t, "spell")), Readings: []refund.Reading{{TempC: 205}}},
		}
		a := assess(t, r, in)
		in.Events = slices.Clone(in.Events)
		in.Events[3].At += mustMinutes(rapid.IntRange(0, 30*24*60).Draw(t, "longer"))
		if b := assess(t, r, in); rat(b.Exact).Cmp(rat(a.Exact)) < 0 {
			t.Fatalf("%s: longer pays %s, not %s", r.ID, b.Exact, a.Exact)
		}
	})
}

// TestSplit: days that are given in pieces pay the same.
func TestSplit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, in := anyRule(t), anyClaim(t)
		c := celsius.Tenths(rapid.IntRange(90, 215).Draw(t, "temp"))
		n, m := rapid.IntRange(1, 50).Draw(t, "n"), rapid.IntRange(1, 50).Draw(t, "m")
		in.Events, in.Daily = nil, []refund.DayFact{{TempC: c, Days: n + m}}
		a := assess(t, r, in)
		in.Daily = []refund.DayFact{{TempC: c, Days: n}, {TempC: c, Days: m}}
		if b := assess(t, r, in); b.Exact != a.Exact || b.Percent != a.Percent {
			t.Fatalf("%s: in pieces %s, whole %s", r.ID, b.Exact, a.Exact)
		}
	})
}
