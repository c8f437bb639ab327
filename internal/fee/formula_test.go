package fee_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
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
			b := fee.Reckon(p, s, fee.Facts{Row: c.row, Heat: c.heat, Term: c.term})
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
	b := fee.Reckon(p, s, fee.Facts{Row: fee.Row{AreaM2: "100", PriceClass: "居民"}, Heat: "on"})
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
		x := fee.Reckon(p, s, fee.Facts{Row: fee.Row{AreaM2: a, PriceClass: class}, Heat: "on"})
		y := fee.Reckon(p, s, fee.Facts{Row: fee.Row{AreaM2: b, PriceClass: class}, Heat: "on"})
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

// TestEveryPackWithARuleComputesIt: the surcharge for high rooms, the share of a stopped home, the low-income price and the
// two-part price of each pack that has one, worked out by hand; the lines add up to the bill.
func TestEveryPackWithARuleComputesIt(t *testing.T) {
	t.Parallel()
	reads := func(unit citypack.PriceUnit, values ...string) []fee.Reading {
		kinds := []fee.ReadingKind{fee.Opening, fee.Closing}
		out := make([]fee.Reading, len(values))
		for i, v := range values {
			out[i] = fee.Reading{Meter: []string{"M1", "M2"}[i/2], Season: "2025-2026", On: civil.NewDate(2025, 11, 15).AddDays(30 * i), Kind: kinds[i%2], Value: v, Unit: unit}
		}
		return out
	}
	high, low := fee.Term{HeightM: "5.8"}, fee.Row{AreaM2: "60", PriceClass: "低保"}
	cases := []struct {
		name        string
		city        int
		facts       fee.Facts
		want, basic *money.Fen
		provisional bool
		missing     []string
	}{
		{"Beijing, high rooms: one full step of 12.5 %", 110000, fee.Facts{Row: fee.Row{AreaM2: "100", PriceClass: "resident_network"}, Term: high}, yuan("2700.00"), nil, true, nil},
		{"Beijing, at most twice", 110000, fee.Facts{Row: fee.Row{AreaM2: "100", PriceClass: "resident_gas"}, Term: fee.Term{HeightM: "13"}}, yuan("6000.00"), nil, true, nil},
		{"Beijing, a word that two prices share", 110000, fee.Facts{Row: fee.Row{AreaM2: "100", PriceClass: "居民"}}, nil, nil, false, []string{"fee.price"}},
		{"Nuancheng, high rooms", 990100, fee.Facts{Row: fee.Row{AreaM2: "100"}, Term: high}, yuan("2640.00"), nil, false, nil},
		{"Taiyuan, stopped", 140100, fee.Facts{Row: fee.Row{AreaM2: "100"}, Heat: "suspended"}, yuan("540.00"), nil, true, nil},
		{"Nuancheng, stopped and high", 990100, fee.Facts{Row: fee.Row{AreaM2: "100"}, Heat: "suspended", Term: high}, yuan("792.00"), nil, false, nil},
		{"Weifang, low income", 370700, fee.Facts{Row: low}, yuan("1140.00"), nil, true, nil},
		{"Dezhou, low income", 371400, fee.Facts{Row: low}, yuan("900.00"), nil, true, nil},
		{"Nuancheng, low income", 990100, fee.Facts{Row: low}, yuan("1080.00"), nil, false, nil},
		{"Weifang, two parts", 370700, fee.Facts{Row: fee.Row{AreaM2: "100", PriceClass: "计量"}, Readings: reads("kwh", "100.5", "4100.75")}, yuan("957.04"), yuan("345.00"), true, nil},
		{"Nuancheng, two parts and a change of meter", 990100, fee.Facts{Row: fee.Row{AreaM2: "100", PriceClass: "计量"}, Readings: reads("kwh", "10", "2010.01", "0", "3000.02")}, yuan("1620.01"), yuan("720.00"), false, nil},
		{"Nuancheng, gigajoules to a price for kilowatt-hours", 990100, fee.Facts{Row: fee.Row{AreaM2: "100", PriceClass: "计量"}, Readings: reads("gj", "0", "18")}, yuan("1620.00"), yuan("720.00"), false, nil},
		{"Nuancheng, no closing", 990100, fee.Facts{Row: fee.Row{AreaM2: "100", PriceClass: "计量"}, Readings: reads("kwh", "0", "10", "5")}, nil, yuan("720.00"), false, []string{"fee.meter_closing"}},
		{"Nuancheng, the list wins and the basic part is known", 990100, fee.Facts{Row: fee.Row{AreaM2: "100", PriceClass: "计量", Amount: yuan("1500.00")}}, yuan("1500.00"), yuan("720.00"), false, nil},
		{"Weifang, others by gigajoule alone", 370700, fee.Facts{Row: fee.Row{AreaM2: "100", PriceClass: "非居民"}, Readings: reads("gj", "5", "15.5")}, yuan("856.80"), yuan("0.00"), true, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, s := packOf(t, c.city)
			b := fee.Reckon(p, s, c.facts)
			if diff := cmp.Diff([]any{c.want, c.basic, c.provisional, c.missing}, []any{b.Amount, b.Basic, b.Provisional, b.Missing}); diff != "" {
				t.Error(diff)
			}
			var sum money.Fen
			for _, l := range b.Lines {
				sum += l.Amount
				if b.Origin == fee.Computed && l.Source == "" {
					t.Errorf("line %s names no rule", l.Code)
				}
			}
			if b.Amount != nil && sum != *b.Amount {
				t.Errorf("lines come to %s, the bill to %s", sum, b.Amount)
			}
		})
	}
}
