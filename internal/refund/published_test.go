package refund_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/packs"
)

var published = func() map[string]citypack.RefundRule {
	set, err := citypack.Load(packs.FS)
	if err != nil {
		panic(err)
	}
	return set.Rules()
}()

func rule(t testing.TB, id string) citypack.RefundRule {
	t.Helper()
	r, ok := published[id]
	if !ok {
		t.Fatalf("no rule %s", id)
	}
	return r
}

func plan(t testing.TB, id string) *refund.Plan {
	t.Helper()
	return refund.Compile(rule(t, id), refund.Options{})
}

func at(t testing.TB, s string) civil.Instant {
	t.Helper()
	i, err := civil.ParseInstant(s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func temp(t testing.TB, s string) celsius.Tenths {
	t.Helper()
	v, err := celsius.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// claim is a season of 121 days at 100 yuan a day.
func claim(t testing.TB) refund.Input {
	return refund.Input{
		Season: refund.Season{From: at(t, "2025-11-15T00:00"), To: at(t, "2026-03-16T00:00"), Days: 121},
		Fee:    refund.Fee{AreaM2: refund.Hundredths(12100), Price: refund.Hundredths(10000)},
	}
}

func explain(t testing.TB, p *refund.Plan, in refund.Input) refund.Assessment {
	t.Helper()
	a, err := p.Explain(&in)
	if err != nil {
		t.Fatal(err)
	}
	var s refund.Scratch
	r, err := p.Assess(&in, &s)
	if err != nil {
		t.Fatal(err)
	}
	want := refund.Result{Status: a.Status, Counted: a.Counted, PayBy: a.PayBy}
	if a.Refund != nil {
		want.Refund = *a.Refund
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("Assess and Explain differ: %s", diff)
	}
	return a
}

// TestPublishedTiers asks every published rule on both sides of each of its limits.
func TestPublishedTiers(t *testing.T) {
	t.Parallel()
	const full = "20.0 0;19.9 0;18.0 0;"
	tiers := map[string]string{ // temperature and percentage
		"weifang-2021":            full + "17.9 50;16.0 50;15.9 100;-5.0 100",
		"weifang-old":             full + "17.9 0;16.0 0;15.9 50;14.0 50;13.9 100",
		"jining":                  full + "17.9 20;16.0 20;15.9 50;14.0 50;13.9 100",
		"beijing-contract":        full + "17.9 40;16.1 40;16.0 60;14.1 60;14.0 100;13.9 100",
		"pingdingshan-henan":      full + "17.9 50;14.0 50;13.9 100",
		"xian-2018":               full + "17.9 20;16.0 20;15.9 50;14.0 50;13.9 100",
		"heilongjiang-2021":       "20.0 0;19.9 50;16.0 50;15.9 100",
		"heilongjiang-suiling":    "20.0 0;19.9 30;18.0 30;17.9 50;16.0 50;15.9 100",
		"heilongjiang-2021-draft": "20.0 0;19.9 10;18.0 10;17.9 30;16.0 30;15.9 50;14.0 50;13.9 100",
		"heilongjiang-2011":       full + "17.9 30;16.0 30;15.9 50;14.0 50;13.9 100",
		"liaoning-2016":           full + "17.9 40;16.0 40;15.9 100",
		"liaoning-dalian-page":    full + "17.9 20;16.0 20;15.9 50;14.0 50;13.9 100",
		"shenyang-2009":           full + "17.9 50;13.0 50;12.9 100",
		"jinan-2010":              full + "17.9 50;14.0 50;13.9 100",
		"qingdao-2015":            full + "17.9 20;16.0 20;15.9 50;14.0 50;13.9 100",
		"qingdao-2004":            full + "17.9 0;16.0 0;15.9 50;14.0 50;13.9 100",
		"tianjin-2010":            full + "17.9 10;16.0 10;15.9 50;12.0 50;11.9 100",
		"ningxia-2025":            "20.0 0;19.9 50;10.0 50",
		"yantai":                  full + "17.9 20;16.0 20;15.9 50;14.0 50;13.9 100",
		"taian-2021":              full + "17.9 30;16.0 30;15.9 50;14.0 50;13.9 100",
		"linyi-2017":              full + "17.9 20;16.0 20;15.9 50;14.0 50;13.9 100",
		"binzhou-2016":            full + "17.9 30;16.1 30;16.0 50;14.1 50;14.0 100;13.9 100",
		"heze-2017":               full + "17.9 30;16.1 30;16.0 50;14.1 50;14.0 100;13.9 100",
		"luoyang-2018":            full + "17.9 50;14.0 50;13.9 100",
		"liaocheng-2011":          "16.0 0;15.9 1;15.0 10;13.5 25;10.0 60;9.9 100",
	}
	unknown := map[string]string{
		"shijiazhuang": "tiers", "taiyuan": "tiers", "dezhou": "tiers", "shandong": "tiers", "jilin": "tiers", "lanzhou": "tiers",
		"xuzhou-2025": "tiers", "inner-mongolia": "tiers", "urumqi": "tiers", "hebei": "contract", "qinghai": "contract",
		"heilongjiang-old-city": "standard",
	}
	seen := 0
	for id := range published {
		if id == "nuancheng-2025" { // the demonstration city
			continue
		}
		seen++
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			p := plan(t, id)
			if what, ok := unknown[id]; ok {
				in := claim(t)
				in.Daily = []refund.DayFact{{TempC: 120, Days: 1}}
				for _, c := range []string{"12.0", "16.5", "17.9", "18.0", "20.0"} {
					in.Daily[0].TempC = temp(t, c)
					if a := explain(t, p, in); a.Status != refund.NotComputable || !slices.Contains(a.Missing, what) || a.Refund != nil || a.Percent != "" && a.Percent != "0" {
						t.Errorf("%s °C: got %s, missing %v, percent %q", c, a.Status, a.Missing, a.Percent)
					}
				}
				return
			}
			for one := range strings.SplitSeq(tiers[id], ";") {
				c, pct, _ := strings.Cut(one, " ")
				in := claim(t)
				basic := money.Fen(0)
				in.Fee.Basic = &basic
				in.Daily = []refund.DayFact{{TempC: temp(t, c), Days: 1}}
				a := explain(t, p, in)
				if a.Percent != pct {
					t.Errorf("%s °C: %s percent, want %s", c, a.Percent, pct)
				}
				want := "10000"
				if id == "jinan-2010" {
					want = "30250/3" // 1210000 / 120
				}
				checkDayFee(t, a, want, pct)
			}
		})
	}
	if seen != 37 || len(tiers)+len(unknown) != 37 {
		t.Errorf("%d rules, %d with tiers and %d without", seen, len(tiers), len(unknown))
	}
}

func checkDayFee(t *testing.T, a refund.Assessment, dayFee, percent string) {
	t.Helper()
	if got, want := rat(a.Exact), rat(dayFee); want.Mul(want, rat(percent)).Cmp(got.Mul(got, rat("100"))) != 0 {
		t.Errorf("a day at %s percent pays %s fen, of %s", percent, a.Exact, dayFee)
	}
}

// TestPublishedDeadlines looks at the last day to pay after a season that ends on 15 March 2026.
func TestPublishedDeadlines(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"weifang-2021": "2026-05-15", "luoyang-2018": "2026-05-15", "xian-2018": "2026-06-30", "qingdao-2015": "2026-06-30",
		"linyi-2017": "2026-06-30", "binzhou-2016": "2026-05-31", "heze-2017": "2026-05-31", "xuzhou-2025": "2026-05-31",
		"urumqi": "2026-04-14",
	}
	for id := range published {
		if id == "nuancheng-2025" {
			continue
		}
		in := claim(t)
		in.Daily = []refund.DayFact{{TempC: 170, Days: 1}}
		a := explain(t, plan(t, id), in)
		if got := a.PayBy.String(); got != want[id] {
			t.Errorf("%s: pay by %q, want %q", id, got, want[id])
		}
		if id == "liaoning-2016" && a.ApplyBy.String() != "2026-04-15" {
			t.Errorf("apply by %s", a.ApplyBy)
		}
		in.Claimed = civil.NewDate(2026, 1, 31)
		if a := explain(t, plan(t, id), in); id == "heilongjiang-2021" && a.PayBy.String() != "2026-02-28" {
			t.Errorf("a month after 31 January: %s", a.PayBy)
		}
	}
}

// TestPublishedBases looks at what money the percentage is taken of.
func TestPublishedBases(t *testing.T) {
	t.Parallel()
	fen := func(n money.Fen) *money.Fen { return &n }
	for _, c := range []struct {
		name, rule, temp, want, missing string
		change                          func(*refund.Input)
	}{
		{name: "without the basic part", rule: "xian-2018", temp: "15.0", want: "3500", change: func(in *refund.Input) { in.Fee.Basic = fen(363000) }},
		{name: "the basic part is needed", rule: "xian-2018", temp: "15.0", missing: "fee.basic_yuan"},
		{name: "half of the meter", rule: "luoyang-2018", temp: "15.0", want: "3500", change: func(in *refund.Input) { in.Fee.Basic, in.Fee.Metered = fen(363000), true }},
		{name: "the area price", rule: "luoyang-2018", temp: "15.0", want: "5000"},
		{name: "failing rooms", rule: "beijing-contract", temp: "17.0", want: "1000", change: func(in *refund.Input) {
			in.Fee.Rooms = []refund.Room{{Room: "卧室", AreaM2: refund.Hundredths(3025)}}
		}},
		{name: "no rooms, the whole area", rule: "beijing-contract", temp: "17.0", want: "4000"},
		{name: "one of the rooms", rule: "qingdao-2015", temp: "15.0", want: "1250", change: func(in *refund.Input) {
			in.Fee.Rooms = []refund.Room{{Room: "卧室", AreaM2: refund.Hundredths(3025)}, {Room: "客厅", AreaM2: refund.Hundredths(4000)}}
			in.Daily[0].Room = "卧室"
		}},
		{name: "a divisor of its own", rule: "jinan-2010", temp: "15.0", want: "15125/3", change: func(in *refund.Input) { in.Season.Days = 0 }},
		{name: "no divisor anywhere", rule: "weifang-2021", temp: "17.0", missing: "season.days", change: func(in *refund.Input) { in.Season.Days = 0 }},
		{name: "season days are asked for", rule: "linyi-2017", temp: "17.0", missing: "season.days", change: func(in *refund.Input) { in.Season.Days = 0 }},
		{name: "no fee", rule: "weifang-2021", temp: "17.0", missing: "fee.area_m2", change: func(in *refund.Input) { in.Fee = refund.Fee{} }},
		{name: "no price", rule: "weifang-2021", temp: "17.0", missing: "fee.price_yuan_per_m2", change: func(in *refund.Input) { in.Fee.Price = 0 }},
		{name: "a fee that is given", rule: "weifang-2021", temp: "17.0", want: "2500", change: func(in *refund.Input) { in.Fee.Total = fen(605000) }},
		{name: "agreed 20, by shortfall", rule: "beijing-contract", temp: "18.0", want: "6000", change: agreed("20")},
		{name: "agreed 20, by temperature", rule: "weifang-2021", temp: "18.0", want: "0", change: agreed("20")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := claim(t)
			in.Daily = []refund.DayFact{{TempC: temp(t, c.temp), Days: 1}}
			if c.change != nil {
				c.change(&in)
			}
			a := explain(t, plan(t, c.rule), in)
			if c.missing != "" {
				if a.Status != refund.NotComputable || !slices.Contains(a.Missing, c.missing) || a.Percent == "" || a.Refund != nil {
					t.Errorf("got %s, missing %v, percent %q", a.Status, a.Missing, a.Percent)
				}
				return
			}
			if a.Exact != c.want {
				t.Errorf("got %s fen, want %s; missing %v", a.Exact, c.want, a.Missing)
			}
		})
	}
}

func agreed(c string) func(*refund.Input) {
	return func(in *refund.Input) {
		v, err := celsius.Parse(c)
		if err != nil {
			panic(err)
		}
		in.AgreedC = &v
	}
}

// TestExamples computes the worked cases of the field.
func TestExamples(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/examples.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		ID    string           `json:"id"`
		Rule  string           `json:"rule_id"`
		Price *refund.Quantity `json:"price_per_m2"`
		Area  *refund.Quantity `json:"area_m2"`
		Days  int              `json:"season_days"`
		Facts []struct {
			Temp celsius.Tenths `json:"measured_temp_c"`
			Days int            `json:"days"`
		} `json:"days"`
		Percent json.Number `json:"expected_percent"`
		Refund  *money.Fen  `json:"expected_refund_yuan"`
	}
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 14 {
		t.Fatalf("%d examples", len(list))
	}
	for _, e := range list {
		in := refund.Input{Season: refund.Season{Days: e.Days}}
		if e.Area != nil {
			in.Fee = refund.Fee{AreaM2: *e.Area, Price: *e.Price}
		}
		for _, f := range e.Facts {
			in.Daily = append(in.Daily, refund.DayFact{TempC: f.Temp, Days: f.Days})
		}
		a := explain(t, plan(t, e.Rule), in)
		if a.Percent != e.Percent.String() {
			t.Errorf("%s: %s percent, want %s", e.ID, a.Percent, e.Percent)
		}
		if diff := cmp.Diff(e.Refund, a.Refund); diff != "" {
			t.Errorf("%s: %s", e.ID, diff)
		}
	}
}

// TestOverlaps says so where the law puts a temperature into two tiers, and only there.
func TestOverlaps(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"binzhou-2016", "heze-2017", "taian-2021"} {
		for _, c := range []string{"16.1", "16.0", "14.1", "14.0"} {
			in := claim(t)
			in.Daily = []refund.DayFact{{TempC: temp(t, c), Days: 1}}
			a := explain(t, plan(t, id), in)
			want := id != "taian-2021" && (c == "16.0" || c == "14.0")
			if got := warned(a, "overlap"); got != want {
				t.Errorf("%s at %s: warned %v", id, c, got)
			}
		}
	}
}

func warned(a refund.Assessment, code string) bool {
	return slices.ContainsFunc(a.Warnings, func(w refund.Warning) bool { return w.Code == code })
}

// TestStanding: figures of a rule that waits for approval are shown as such, and a draft is called a draft.
func TestStanding(t *testing.T) {
	t.Parallel()
	in := claim(t)
	in.Daily = []refund.DayFact{{TempC: 170, Days: 1}}
	p := refund.Compile(rule(t, "heilongjiang-2021-draft"), refund.Options{Provisional: true})
	a := explain(t, p, in)
	if a.Status != refund.NeedsApproval || a.Refund == nil || !warned(a, "needs_approval") || !warned(a, "not_in_force") {
		t.Errorf("got %s, %v, %v", a.Status, a.Refund, a.Warnings)
	}
}
