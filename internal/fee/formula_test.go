package fee_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/packs"
)

func packOf(t *testing.T, city int) (*citypack.Pack, citypack.Season) {
	t.Helper()
	set, err := citypack.Load(packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	p, err := set.City(city)
	if err != nil {
		t.Fatal(err)
	}
	s, ok := p.SeasonNamed("2025-2026", "", nil)
	if !ok {
		t.Fatalf("city %d has no season", city)
	}
	return p, s
}

func yuan(s string) *money.Fen {
	f, err := money.Parse(s)
	if err != nil {
		panic(err)
	}
	return &f
}

// TestBillsAsPacksSay: the published prices of real cities, worked out by hand.
func TestBillsAsPacksSay(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name        string
		city        int
		row         fee.Row
		heat        string
		term        fee.Term
		want        *money.Fen
		basic       *money.Fen
		class       string
		provisional bool
		missing     []string
	}{
		{"by season", 990100, fee.Row{AreaM2: "100", PriceClass: "居民"}, "on", fee.Term{}, yuan("2400.00"), nil, "resident", false, nil},
		{"no class means residents", 990100, fee.Row{AreaM2: "88.88"}, "on", fee.Term{}, yuan("2133.12"), nil, "resident", false, nil},
		{"low income", 990100, fee.Row{AreaM2: "60", PriceClass: "低保"}, "on", fee.Term{}, yuan("1080.00"), nil, "low_income", false, nil},
		{"stopped on request", 990100, fee.Row{AreaM2: "100", PriceClass: "resident"}, "suspended", fee.Term{}, yuan("720.00"), nil, "resident", false, nil},
		{"high rooms, full steps", 990100, fee.Row{AreaM2: "100", PriceClass: "resident"}, "on", fee.Term{HeightM: "5.8"}, yuan("2640.00"), nil, "resident", false, nil},
		{"high rooms, at most", 990100, fee.Row{AreaM2: "100", PriceClass: "resident"}, "on", fee.Term{HeightM: "12"}, yuan("3600.00"), nil, "resident", false, nil},
		{"half a fen goes up", 370700, fee.Row{AreaM2: "0.0005", PriceClass: "resident"}, "on", fee.Term{}, yuan("0.01"), nil, "resident", true, nil},
		{"two parts: the meter is missing", 990100, fee.Row{AreaM2: "100", PriceClass: "计量"}, "on", fee.Term{}, nil, yuan("720.00"), "metered_basic", false, []string{"fee.meter_reading"}},
		{"by month", 140100, fee.Row{AreaM2: "100", PriceClass: "居民"}, "on", fee.Term{}, yuan("1800.00"), nil, "resident", true, nil},
		{"the list wins", 370700, fee.Row{AreaM2: "100", PriceClass: "居民", Amount: yuan("2222.22")}, "on", fee.Term{}, yuan("2222.22"), nil, "resident", false, nil},
		{"no such price", 370700, fee.Row{AreaM2: "100", PriceClass: "温室大棚"}, "on", fee.Term{}, nil, nil, "温室大棚", false, []string{"fee.price"}},
		{"no area", 370700, fee.Row{PriceClass: "居民"}, "on", fee.Term{}, nil, nil, "resident", false, []string{"fee.billed_area_m2"}},
		{"a stop that the pack has no share for", 370700, fee.Row{AreaM2: "100", PriceClass: "居民"}, "suspended", fee.Term{}, nil, nil, "resident", false, []string{"fee.suspended_use_percent"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, s := packOf(t, c.city)
			b := fee.Reckon(p, s, c.row, c.heat, c.term)
			got := []any{b.Amount, b.Basic, b.PriceClass, b.Provisional, b.Missing}
			if diff := cmp.Diff([]any{c.want, c.basic, c.class, c.provisional, c.missing}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAMonthWithANoonHasNoWholeMonths: a price by the month is not stretched over a season that has none.
func TestASeasonWithoutWholeMonthsIsNotGuessed(t *testing.T) {
	t.Parallel()
	p, s := packOf(t, 140100)
	s.End = s.End.Date().AddDays(-3).Start()
	b := fee.Reckon(p, s, fee.Row{AreaM2: "100", PriceClass: "居民"}, "on", fee.Term{})
	if diff := cmp.Diff([]string{"season.whole_months"}, b.Missing); diff != "" || b.Amount != nil {
		t.Errorf("amount %v, missing %s", b.Amount, diff)
	}
}

// TestALargerHomeNeverPaysLess holds for every area and price class of the demonstration city.
func TestALargerHomeNeverPaysLess(t *testing.T) {
	t.Parallel()
	p, s := packOf(t, 990100)
	rapid.Check(t, func(r *rapid.T) {
		area := rapid.StringMatching(`[1-9][0-9]{0,3}\.[0-9]{2}`)
		a, b := area.Draw(r, "a"), area.Draw(r, "b")
		class := rapid.SampledFrom([]string{"居民", "低保", "非居民"}).Draw(r, "class")
		x := fee.Reckon(p, s, fee.Row{AreaM2: a, PriceClass: class}, "on", fee.Term{})
		y := fee.Reckon(p, s, fee.Row{AreaM2: b, PriceClass: class}, "on", fee.Term{})
		ax, err1 := money.Parse(a)
		by, err2 := money.Parse(b)
		if err1 != nil || err2 != nil || (ax > by) != (*x.Amount > *y.Amount) {
			r.Fatalf("%s m² cost %v, %s m² cost %v", a, x.Amount, b, y.Amount)
		}
	})
}

func TestSeasonsSumsAndAreas(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]bool{"2025-2026": true, "2025-2027": false, "2025": false, "2026-2025": false, "": false} {
		if fee.IsSeason(label) != want {
			t.Errorf("IsSeason(%q) = %v", label, !want)
		}
	}
	for s, want := range map[string]bool{"100": true, "0.5": true, "0": false, "0.00": false, "-1": false, "1e3": false, "": false} {
		if fee.IsArea(s) != want {
			t.Errorf("IsArea(%q) = %v", s, !want)
		}
	}
	for s, want := range map[string]bool{"": true, "0": true, "12.5": true, "12.345": false, "-1": false, "十": false} {
		if _, ok := fee.Sum(s); ok != want {
			t.Errorf("Sum(%q) = %v", s, ok)
		}
	}
}
