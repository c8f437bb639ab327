package refund_test

import (
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/refund"
)

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic("not a fraction: " + s)
	}
	return r
}

func mustAt(s string) civil.Instant {
	i, err := civil.ParseInstant(s)
	if err != nil {
		panic(err)
	}
	return i
}

func mustMinutes(n int) civil.Instant {
	return civil.Instant(time.Duration(n) * time.Minute / time.Millisecond)
}

func fieldsOf(err error) []string {
	var out []string
	for _, f := range fault.Of(err).Fields {
		out = append(out, f.Name)
	}
	return out
}

// randomRule draws a rule that counts spans, with limits that belong to either side.
func randomRule(t *rapid.T) citypack.RefundRule {
	flag := func(name string) *bool {
		return rapid.SampledFrom([]*bool{nil, new(bool), func() *bool { b := true; return &b }()}).Draw(t, name)
	}
	std := citypack.Degree(180)
	r := citypack.RefundRule{ID: "random", Status: citypack.RefundInForce, TierBasis: citypack.ByTemperature, Standard: citypack.RefundStandard{C: &std}}
	limits := []citypack.Degree{180, citypack.Degree(rapid.IntRange(160, 175).Draw(t, "second")), citypack.Degree(rapid.IntRange(130, 150).Draw(t, "third"))}
	percents := []string{"12.5", "33.33", "100"}
	owned := false // whether a limit belongs to the tier below it
	for i := range limits {
		tier := citypack.Tier{To: &limits[i], ToClosed: owned, Percent: citypack.Decimal(percents[i])}
		if i+1 < len(limits) {
			owned = rapid.Bool().Draw(t, "owned")
			tier.From, tier.FromClosed = &limits[i+1], !owned
		}
		r.Tiers = append(r.Tiers, tier)
	}
	r.Counting = &citypack.Counting{
		Kind: citypack.CountSpan, From: "test_request", To: "conforming", FromCounts: flag("from counts"), ToCounts: flag("to counts"),
		Between: rapid.SampledFrom([]string{"", "last", "first", "lowest", "mean"}).Draw(t, "between"),
	}
	if rapid.Bool().Draw(t, "cure") {
		r.Cure = &citypack.Cure{Hours: 24, From: "test"}
	}
	if rapid.Bool().Draw(t, "min spell") {
		r.MinSpell = &citypack.MinSpell{Hours: 48, From: "test_request"}
	}
	if rapid.Bool().Draw(t, "windows") {
		r.Windows = []citypack.Window{{FirstDays: 5}, {LastDays: 3}}
	}
	if rapid.Bool().Draw(t, "presumptions") {
		below := citypack.Degree(140)
		r.Presumed = []citypack.Presumed{
			{If: []string{"user_refuses_test"}, Then: "conforming"}, {If: []string{"company_late"}, Then: "below", BelowC: &below},
		}
	}
	return r
}

// naive computes a claim again, day by day and in big fractions, with nothing of the engine but its inputs.
func naive(r citypack.RefundRule, in refund.Input) *big.Rat {
	list := slices.Clone(in.Events)
	slices.SortFunc(list, func(a, b refund.Event) int { return int(a.At - b.At) })
	day := map[civil.Date]*big.Rat{} // percent of each day
	firstRequest := civil.Instant(1 << 60)
	for _, e := range list {
		if e.Type == refund.Requested {
			firstRequest = min(firstRequest, e.At)
		}
	}
	var request, end civil.Instant
	var cold []refund.Event
	close := func(open bool) {
		if len(cold) == 0 {
			return
		}
		defer func() { cold = nil }()
		if r.Cure != nil && !open && end.Sub(cold[0].At) <= 24*time.Hour {
			return
		}
		if r.MinSpell != nil && end.Sub(request) < 48*time.Hour {
			return
		}
		for d := request.Date(); !d.After(end.Date()); d = d.AddDays(1) {
			first, last := d == request.Date(), d == end.Date()
			if first && r.Counting.FromCounts != nil && !*r.Counting.FromCounts ||
				last && !open && (r.Counting.ToCounts == nil || !*r.Counting.ToCounts) || last && open && end == d.Start() {
				continue
			}
			day[d] = percentOf(r, tempOn(r, cold, d))
		}
	}
	for _, e := range list {
		switch {
		case e.Type == refund.Requested && request == 0:
			request = e.At
		case e.Type == refund.Withdrawn:
			end = e.At
			close(false)
			request = 0
		case len(e.Readings) == 0 || e.At < firstRequest && firstRequest != 1<<60:
		case e.Readings[0].TempC >= 180:
			end = e.At
			close(false)
			request = 0
		case request != 0:
			cold = append(cold, e)
		}
	}
	end = in.Season.To
	close(true)
	for _, e := range list {
		if len(r.Presumed) == 0 {
			break
		}
		d := e.At.Date()
		switch e.Type {
		case refund.RefusedByUser:
			delete(day, d)
		case refund.MissedByCompany:
			later := slices.ContainsFunc(list, func(a refund.Event) bool { return a.Type == refund.Appointed && a.At > e.At })
			if p := percentOf(r, big.NewRat(13999, 100)); !later && (day[d] == nil || p.Cmp(day[d]) > 0) {
				day[d] = p
			}
		default:
		}
	}
	sum := new(big.Rat)
	from, to := in.Season.From.Date(), in.Season.To.Date().AddDays(-1)
	for d, p := range day {
		if d.Before(from) || d.After(to) || len(r.Windows) > 0 && (d.Before(from.AddDays(5)) || d.After(to.AddDays(-3))) {
			continue
		}
		sum.Add(sum, p)
	}
	sum.Mul(sum, big.NewRat(int64(*in.Fee.Total), 100*int64(in.Season.Days)))
	if fee := new(big.Rat).SetInt64(int64(*in.Fee.Total)); sum.Cmp(fee) > 0 {
		return fee
	}
	return sum
}

func tempOn(r citypack.RefundRule, cold []refund.Event, d civil.Date) *big.Rat {
	t := func(e refund.Event) *big.Rat { return new(big.Rat).SetInt64(int64(e.Readings[0].TempC)) }
	out := t(cold[0])
	switch r.Counting.Between {
	case "first":
	case "lowest":
		for _, e := range cold {
			if v := t(e); v.Cmp(out) < 0 {
				out = v
			}
		}
	case "mean":
		out = new(big.Rat)
		for _, e := range cold {
			out.Add(out, t(e))
		}
		out.Quo(out, new(big.Rat).SetInt64(int64(len(cold))))
	default:
		for _, e := range cold {
			if !e.At.Date().After(d) {
				out = t(e)
			}
		}
	}
	return out
}

func percentOf(r citypack.RefundRule, t *big.Rat) *big.Rat {
	for _, tier := range r.Tiers {
		in := func(v *celsius.Tenths, closed bool, sign int) bool {
			if v == nil {
				return true
			}
			c := t.Cmp(new(big.Rat).SetInt64(int64(*v))) * sign
			return c > 0 || c == 0 && closed
		}
		if in(tier.From, tier.FromClosed, 1) && in(tier.To, tier.ToClosed, -1) {
			return rat(string(tier.Percent))
		}
	}
	return new(big.Rat)
}

func TestAgainstNaive(t *testing.T) {
	t.Parallel()
	paid := 0
	rapid.Check(t, func(t *rapid.T) {
		r, in := randomRule(t), anyClaim(t)
		a := assess(t, r, in)
		if want := naive(r, in); rat(a.Exact).Cmp(want) != 0 {
			t.Fatalf("engine %s, by hand %s\n%+v\n%+v", a.Exact, want.RatString(), *r.Counting, in.Events)
		}
		if *a.Refund > 0 {
			paid++
		}
	})
	if paid == 0 {
		t.Error("no claim paid anything: the comparison says nothing")
	}
}
