package citypack_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
)

func readFacts(t *testing.T) []map[string]any {
	t.Helper()
	b, err := os.ReadFile("testdata/refund_facts.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Rules []map[string]any `json:"rules"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Rules
}

// TestRefundRulesLoseNothing reads the typed rules of the packs back into plain values and looks for every fact of the
// collected rules: each number with its openness, each text word for word.
func TestRefundRulesLoseNothing(t *testing.T) {
	t.Parallel()
	rules := embedded(t).Rules()
	facts := readFacts(t)
	if len(facts) != 37 {
		t.Fatalf("%d rules, want 37", len(facts))
	}
	for _, fact := range facts {
		id := fact["id"].(string)
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			rule, ok := rules[id]
			if !ok {
				t.Fatal("no such rule in the packs")
			}
			c := comparison{t: t, rule: rule, texts: allTexts(t, rule)}
			for name, v := range fact {
				c.field(name, v)
			}
		})
	}
}

type comparison struct {
	t     *testing.T
	rule  citypack.RefundRule
	texts map[string]bool
}

func allTexts(t *testing.T, rule citypack.RefundRule) map[string]bool {
	t.Helper()
	b, err := json.Marshal(rule)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(b, &tree); err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	var walk func(any)
	walk = func(v any) {
		switch x := v.(type) {
		case map[string]any:
			for _, e := range x {
				walk(e)
			}
		case []any:
			for _, e := range x {
				walk(e)
			}
		case string:
			texts[x] = true
		}
	}
	walk(tree)
	return texts
}

func (c *comparison) field(name string, v any) {
	c.t.Helper()
	r := c.rule
	switch name {
	case "id":
	case "city":
		if zh, _, _ := strings.Cut(v.(string), " ("); !strings.HasPrefix(r.Place.ZH, zh) && zh != "an unnamed city of 黑龙江" {
			c.t.Errorf("place %v, want %v", r.Place, v)
		}
	case "status":
		c.text(name, v.(string))
	case "tier_basis":
		want := map[string]citypack.TierBasis{
			"measured temperature":         citypack.ByTemperature,
			"shortfall below the standard": citypack.ByShortfall, "shortfall below the agreed temperature": citypack.ByAgreedShortfall,
		}
		if r.TierBasis != want[v.(string)] {
			c.t.Errorf("tier basis %s, want %v", r.TierBasis, v)
		}
	case "standard_c":
		c.degree(name, r.Standard.C, v)
	case "kitchen_standard_c":
		c.degree(name, r.Standard.KitchenC, v)
	case "standard_tolerance_c":
		c.degree(name, r.Standard.Tolerance, v)
	case "lowest_allowed_c":
		c.degree(name, r.Standard.LowestC, v)
	case "tiers":
		c.tiers(v)
	case "shortfall_tiers":
		c.shortfalls(v)
	case "confidence":
		c.confidence(v.(string))
	case "effective_from":
		if s, ok := v.(string); ok && r.From.String() != s {
			c.text(name, s)
		}
	case "refund_deadline":
		c.deadline(v.(map[string]any))
	case "supply_stop":
		c.stop(v)
	case "conflict_with":
		if len(r.ConflictWith) != 1 || r.ConflictWith[0] != v {
			c.t.Errorf("conflict with %v, want %v", r.ConflictWith, v)
		}
	case "articles":
		c.text(name, v.(string))
	case "rooms":
		if len(r.Standard.Rooms) != len(v.([]any)) {
			c.t.Errorf("rooms %v, want %v", r.Standard.Rooms, v)
		}
	default:
		c.number(name, v)
	}
}

// number compares the plain figures; what is neither a figure nor a flag must stand in the rule word for word.
func (c *comparison) number(name string, v any) {
	c.t.Helper()
	r := c.rule
	same := func(got any, want any) {
		if asFloat(got) != asFloat(want) {
			c.t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	switch name {
	case "cure_period_h":
		same(r.Cure.Hours, v)
	case "min_continuous_h_below":
		same(r.MinSpell.Hours, v)
	case "contact_within_h":
		same(r.Measure.ContactHours, v)
	case "measurers_min":
		same(r.Measure.TestersMin, v)
	case "basic_heat_price_cap_percent_of_area_price":
		same(string(r.BasicCapPercent), v)
	case "room_pass_rate_min_percent":
		same(string(r.PassRatePercent), v)
	case "measure_within_h":
		want, ok := v.([]any)
		if !ok {
			want = []any{v}
		}
		for i, h := range want {
			same(r.Measure.WithinHours[i], h)
		}
	case "contract_may_override":
		if got, want := r.ContractOverride, v; (want == nil) != (got == nil) || got != nil && *got != want {
			c.t.Errorf("contract may override %v, want %v", got, want)
		}
	case "contract_first":
		if r.ContractFirst != v {
			c.t.Error("contract first is lost")
		}
	case "basic_fee_removed_first":
		if r.Base.Basic == nil || *r.Base.Basic != v {
			c.t.Error("basic fee removed first is lost")
		}
	case "min_continuous_from":
		if r.MinSpell.From != "test_request" {
			c.t.Error("start of the minimum spell is lost")
		}
	case "measure_between", "measure_not_between":
		c.hours(name, v.(string))
	case "excluded_days":
		if len(r.Windows) != 2 || r.Windows[0].FirstDays != 5 || r.Windows[1].LastDays != 5 {
			c.t.Errorf("excluded windows %+v", r.Windows)
		}
	case "suspended_use_basic_fee_percent":
		c.suspended(v)
	case "day_count", "measure", "grace":
		c.nested(name, v.(map[string]any))
	case "tier_function":
		if r.Linear == nil || r.Linear.PercentPerDegree != "10" || r.Linear.BelowC != 160 || *r.Linear.FullBelowC != 100 {
			c.t.Errorf("linear rule %+v", r.Linear)
		}
		c.text(name, v.(string))
	default:
		c.words(name, v)
	}
}

func (c *comparison) words(name string, v any) {
	c.t.Helper()
	switch x := v.(type) {
	case nil:
	case string:
		c.text(name, x)
	case []any:
		for _, e := range x {
			c.words(name, e)
		}
	case map[string]any:
		for k, e := range x {
			if k != "kind" {
				c.words(name+"."+k, e)
			}
		}
	default:
		c.t.Errorf("%s: no place in the typed rule for %v", name, v)
	}
}

func (c *comparison) text(name, want string) {
	c.t.Helper()
	if !c.texts[want] {
		c.t.Errorf("%s: the rule does not say %q", name, want)
	}
}

func (c *comparison) degree(name string, got *citypack.Degree, want any) {
	c.t.Helper()
	switch {
	case want == nil && got == nil:
	case want == nil || got == nil || asFloat(want)*10 != float64(*got):
		c.t.Errorf("%s = %v, want %v", name, got, want)
	}
}

func (c *comparison) tiers(v any) {
	c.t.Helper()
	want, _ := v.([]any)
	if len(want) != len(c.rule.Tiers) {
		c.t.Fatalf("%d tiers, want %d", len(c.rule.Tiers), len(want))
	}
	for i, e := range want {
		w, got := e.(map[string]any), c.rule.Tiers[i]
		c.degree("from_c", got.From, w["from_c"])
		c.degree("to_c", got.To, w["to_c"])
		if got.FromClosed != (w["from_inclusive"] == true) || got.ToClosed != (w["to_inclusive"] == true) {
			c.t.Errorf("tier %d: openness of the ends differs: %+v, want %v", i, got, w)
		}
		c.percent(got.Percent, w["refund_percent"])
		if note, ok := w["note"].(string); ok {
			c.text("note", note)
		}
	}
}

func (c *comparison) shortfalls(v any) {
	c.t.Helper()
	for i, e := range v.([]any) {
		w, got := e.(map[string]any), c.rule.ShortfallTiers[i]
		c.degree("over_c", got.Over, w["over_c"])
		c.degree("to_c", got.To, w["to_c"])
		if got.OverClosed != (w["over_inclusive"] == true) || got.ToClosed != (w["to_inclusive"] == true) {
			c.t.Errorf("shortfall tier %d: openness of the ends differs", i)
		}
		c.percent(got.Percent, w["refund_percent"])
	}
}

func (c *comparison) percent(got citypack.Decimal, want any) {
	c.t.Helper()
	if want == nil && got == "" {
		return
	}
	if want == nil || asFloat(string(got)) != asFloat(want) {
		c.t.Errorf("percent %q, want %v", got, want)
	}
}

func (c *comparison) confidence(want string) {
	c.t.Helper()
	if (want == "primary") != (c.rule.Confidence == citypack.Primary) {
		c.t.Errorf("confidence %s, want %s", c.rule.Confidence, want)
	}
	if want != "primary" && want != "secondary" {
		c.text("confidence", want)
	}
}

func (c *comparison) deadline(want map[string]any) {
	c.t.Helper()
	d := c.rule.Deadline
	if m, ok := want["months"]; ok && asFloat(d.Months) != asFloat(m) {
		c.t.Errorf("deadline %+v, want %v", d, want)
	}
	if n, ok := want["days"]; ok && asFloat(d.Days) != asFloat(n) {
		c.t.Errorf("deadline %+v, want %v", d, want)
	}
	if by, ok := want["by"]; ok && d.MonthDay != by {
		c.t.Errorf("deadline %+v, want %v", d, want)
	}
	if d.Kind != want["type"] && !c.texts[want["type"].(string)] {
		c.t.Errorf("deadline %+v, want %v", d, want)
	}
}

func (c *comparison) stop(v any) {
	c.t.Helper()
	want, _ := v.(map[string]any)
	if want == nil {
		return
	}
	s := c.rule.Stops[0]
	if h, ok := want["min_continuous_h"]; ok && asFloat(s.MinHours) != asFloat(h) {
		c.t.Errorf("stop %+v, want %v", s, want)
	}
	if h, ok := want["notify_over_h"]; ok && asFloat(s.NotifyOver) != asFloat(h) {
		c.t.Errorf("stop %+v, want %v", s, want)
	}
	for _, k := range []string{"if", "refund"} {
		if text, ok := want[k].(string); ok {
			c.text("supply_stop."+k, text)
		}
	}
}

func (c *comparison) hours(name, want string) {
	c.t.Helper()
	got := c.rule.Measure.Between
	if name == "measure_not_between" {
		got = c.rule.Measure.NotBetween
	}
	if got == nil || !strings.HasPrefix(want, got.From+"-"+got.To) {
		c.t.Errorf("%s: %+v, want %s", name, got, want)
	}
}

func (c *comparison) suspended(v any) {
	c.t.Helper()
	list, ok := v.([]any)
	if !ok {
		list = []any{map[string]any{"percent": v}}
	}
	for i, e := range list {
		w := e.(map[string]any)
		c.percent(c.rule.SuspendedPercent[i].Percent, w["percent"])
		if version, ok := w["version"].(string); ok {
			c.text("version", version)
		}
	}
}

// nested compares the parts of the day count, of the measurement and of the grace days.
func (c *comparison) nested(name string, want map[string]any) {
	c.t.Helper()
	r := c.rule
	for k, v := range want {
		switch name + "." + k {
		case "day_count.min_days_between_tests", "day_count.min_days_between_requests":
			if asFloat(r.Counting.MinBetween) != asFloat(v) {
				c.t.Errorf("%s = %d, want %v", k, r.Counting.MinBetween, v)
			}
		case "day_count.map":
			c.countMap(v.([]any))
		case "day_count.kind":
			if v != "month" {
				c.text(k, v.(string))
			} else if r.Counting.Kind != citypack.CountMonth {
				c.t.Errorf("counting %s, want month", r.Counting.Kind)
			}
		case "measure.windows_closed_h":
			if asFloat(r.Measure.WindowsMinutes) != 60*asFloat(v) {
				c.t.Errorf("windows closed %d min, want %v h", r.Measure.WindowsMinutes, v)
			}
		case "measure.days":
			if asFloat(r.Measure.Reading.Days) != asFloat(v) {
				c.t.Errorf("days %d, want %v", r.Measure.Reading.Days, v)
			}
		case "measure.slots_per_day":
			if asFloat(r.Measure.Reading.SlotsPerDay) != asFloat(v) {
				c.t.Errorf("slots %d, want %v", r.Measure.Reading.SlotsPerDay, v)
			}
		case "measure.between":
			c.hours("measure_between", v.(string))
		case "grace.continuous_days":
			if asFloat(r.Grace.ContinuousDays) != asFloat(v) {
				c.t.Errorf("grace %+v", r.Grace)
			}
		case "grace.total_days":
			if asFloat(r.Grace.TotalDays) != asFloat(v) {
				c.t.Errorf("grace %+v", r.Grace)
			}
		default:
			c.words(name+"."+k, v)
		}
	}
}

func (c *comparison) countMap(want []any) {
	c.t.Helper()
	if len(want) != len(c.rule.Counting.Map) {
		c.t.Fatalf("%d rows, want %d", len(c.rule.Counting.Map), len(want))
	}
	for i, e := range want {
		w, got := e.(map[string]any), c.rule.Counting.Map[i]
		if n, ok := w["failed_tests"]; ok && (asFloat(got.FailedTests) != asFloat(n) || asFloat(got.Days) != asFloat(w["days"])) {
			c.t.Errorf("row %d: %+v, want %v", i, got, w)
		}
		if _, ok := w["failing_longer_than"]; ok && (got.OverMonths != 3 || !got.WholeSeason) {
			c.t.Errorf("row %d: %+v, want %v", i, got, w)
		}
	}
}

func asFloat(v any) float64 {
	switch x := v.(type) {
	case float64:
		return x
	case int:
		return float64(x)
	case string:
		var f float64
		if err := json.Unmarshal([]byte(x), &f); err != nil {
			return -1
		}
		return f
	}
	return -1
}

// TestTierEdges pins who owns a boundary: at 16.0 and 14.0 the cities differ.
func TestTierEdges(t *testing.T) {
	t.Parallel()
	rules := embedded(t).Rules()
	for _, c := range []struct {
		rule string
		at   citypack.Degree
		want citypack.Decimal
	}{
		{"weifang-2021", 180, ""},
		{"weifang-2021", 179, "50"},
		{"weifang-2021", 160, "50"},
		{"weifang-2021", 159, "100"},
		{"beijing-contract", 160, "60"},
		{"beijing-contract", 140, "100"},
		{"jining", 160, "20"},
		{"jining", 140, "50"},
		{"qingdao-2015", 160, "20"},
		{"jinan-2010", 140, "50"},
		{"tianjin-2010", 120, "50"},
		{"tianjin-2010", 119, "100"},
	} {
		got := citypack.Decimal("")
		for _, tier := range rules[c.rule].Tiers {
			if tier.Holds(c.at) {
				got = tier.Percent
			}
		}
		if got != c.want {
			t.Errorf("%s at %s: %q percent, want %q", c.rule, c.at, got, c.want)
		}
	}
}

// TestStandingOfRules: only rules in force may be chosen for money, and a rule that was not read in the law waits for the
// city.
func TestStandingOfRules(t *testing.T) {
	t.Parallel()
	rules := embedded(t).Rules()
	for id, want := range map[string]bool{
		"weifang-2021": true, "weifang-old": false, "heilongjiang-2021-draft": false,
		"heilongjiang-suiling": false, "qingdao-2004": false, "shandong": true,
	} {
		if rules[id].Selectable() != want {
			t.Errorf("%s: selectable %v", id, !want)
		}
	}
	if rules["binzhou-2016"].Overlap == nil || rules["heze-2017"].Overlap.Take != "higher" {
		t.Error("the choice between overlapping tiers is not recorded")
	}
}

// TestTheRuleInForce: the city's own rule before its province's, by the day; nothing when no rule is dated.
func TestTheRuleInForce(t *testing.T) {
	t.Parallel()
	s := embedded(t)
	for _, c := range []struct {
		city int
		day  civil.Date
		want string
	}{
		{370700, civil.NewDate(2025, 11, 14), "weifang-2021"},
		{410300, civil.NewDate(2025, 11, 15), "luoyang-2018"},
		{410400, civil.NewDate(2025, 11, 15), "pingdingshan-henan"},
		{410400, civil.NewDate(2018, 3, 31), ""},
		{640100, civil.NewDate(2025, 11, 1), "ningxia-2025"},
		{640100, civil.NewDate(2025, 10, 31), ""},
		{140100, civil.NewDate(2025, 11, 1), ""},
		{370100, civil.NewDate(2025, 11, 15), ""}, // its own rule is undated, and the province's is not the city's
		{210200, civil.NewDate(2025, 11, 5), "liaoning-2016"},
		{990100, civil.NewDate(2025, 11, 15), "nuancheng-2025"},
	} {
		p, err := s.City(c.city)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := p.RefundRuleOn(c.day)
		if got.ID != c.want || ok != (c.want != "") {
			t.Errorf("%d on %s: %q, want %q", c.city, c.day, got.ID, c.want)
		}
	}
}

// A city may give a short name of its own to another law; what its province's rules rest on does not change.
func TestInheritedRulesKeepTheirLaw(t *testing.T) {
	t.Parallel()
	s := embedded(t)
	p, err := s.City(130100)
	if err != nil {
		t.Fatal(err)
	}
	inherited, ok := p.RefundRule("hebei")
	if own := s.Rules()["hebei"]; !ok || inherited.Source != own.Source || strings.Contains(own.Source.Law, "石家庄") {
		t.Errorf("the province's rule rests on %v in the city, on %v by itself", inherited.Source, own.Source)
	}
}

// Two rules of a city for one day are refused when the pack is written, not when the money is paid.
func TestTwoRulesForOneDay(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../packs/370700-weifang.yaml")
	if err != nil {
		t.Fatal(err)
	}
	old := strings.Replace(string(b), "    status: superseded\n", "    status: in_force\n    from: \"2022-01-01\"\n", 1)
	problems := embedded(t).CheckIn("packs/370700-weifang.yaml", []byte(old))
	if len(problems) == 0 || problems[0].Message.Key != "pack.refund_overlap" || problems[0].Key != "refund_rules.weifang-old.from" {
		t.Errorf("got %v", problems)
	}
}
