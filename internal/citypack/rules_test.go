package citypack_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/text"
)

func noon(m time.Month, d int) civil.Instant { return civil.On(civil.NewDate(2026, m, d), 12, 0) }

func instant(t *testing.T, s string) civil.Instant {
	t.Helper()
	i, err := civil.ParseInstant(s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// TestOnSiteLimitChangesAfterTheFirstDays: 潍坊 art. 34 and 太原 art. 35. The first ten days end at 24:00 of the tenth day
// after the day the season starts.
func TestOnSiteLimitChangesAfterTheFirstDays(t *testing.T) {
	t.Parallel()
	s := embedded(t)
	for _, c := range []struct {
		city    int
		at      string
		phase   citypack.Phase
		quality int
		leak    int
	}{
		{370700, "2025-11-14T11:59:59", citypack.PhaseTrial, 2, 1},
		{370700, "2025-11-14T12:00:00", citypack.PhaseFirstDays, 5, 1},
		{370700, "2025-11-24T23:59:59", citypack.PhaseFirstDays, 5, 1},
		{370700, "2025-11-25T00:00:00", citypack.PhaseSeason, 2, 1},
		{370700, "2026-03-15T11:59:59", citypack.PhaseSeason, 2, 1},
		{370700, "2026-03-15T12:00:00", citypack.PhaseAfter, 2, 1},
		{370700, "2025-11-09T12:00:00", citypack.PhaseTrial, 2, 1},
		{370700, "2025-11-09T11:59:59", citypack.PhaseMaintenance, 2, 1},
		{140100, "2025-11-01T00:00:00", citypack.PhaseFirstDays, 5, 2},
		{140100, "2025-11-11T23:59:59", citypack.PhaseFirstDays, 5, 2},
		{140100, "2025-11-12T00:00:00", citypack.PhaseSeason, 2, 2},
		{140100, "2026-03-31T23:59:59", citypack.PhaseSeason, 2, 2},
		{140100, "2026-04-01T00:00:00", citypack.PhaseAfter, 2, 2},
	} {
		p, err := s.City(c.city)
		if err != nil {
			t.Fatal(err)
		}
		at := instant(t, c.at)
		phase := p.PhaseAt(at, "", nil)
		quality, ok1 := p.Rule("quality_on_site", at, phase)
		leak, ok2 := p.Rule("leak_on_site", at, phase)
		if phase != c.phase || !ok1 || !ok2 || quality.Amount != c.quality || leak.Amount != c.leak || quality.Unit != "hour" {
			t.Errorf("%d at %s: %s, quality %d h, leak %d h; want %s, %d, %d", c.city, c.at, phase, quality.Amount, leak.Amount,
				c.phase, c.quality, c.leak)
		}
		if quality.Provisional != (c.city == 140100) {
			t.Errorf("%d: provisional %v; only 潍坊's text was read in the law", c.city, quality.Provisional)
		}
	}
}

func TestSeasons(t *testing.T) {
	t.Parallel()
	s := embedded(t)
	day := civil.NewDate(2026, 1, 15)
	for code, want := range map[int][2]string{
		370700: {"2025-11-14T12:00:00+08:00", "2026-03-15T12:00:00+08:00"},
		371400: {"2025-11-10T12:00:00+08:00", "2026-03-23T12:00:00+08:00"}, // extended, as announced
		110000: {"2025-11-15T00:00:00+08:00", "2026-03-16T00:00:00+08:00"},
		990100: {"2025-11-15T00:00:00+08:00", "2026-03-16T00:00:00+08:00"},
	} {
		p, err := s.City(code)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := p.SeasonFor(day, "", nil)
		if !ok || got.Label != "2025-2026" || got.Start.String() != want[0] || got.End.String() != want[1] {
			t.Errorf("%d: %+v, want %v", code, got, want)
		}
	}
	beijing, _ := s.City(110000)
	old, _ := beijing.SeasonNamed("2023-2024", "", nil)
	if old.Start.String() != "2023-11-07T00:00:00+08:00" {
		t.Errorf("北京 2023-24 started %s", old.Start)
	}
	liaocheng, _ := s.City(371500)
	if _, ok := liaocheng.SeasonFor(day, "", nil); ok || liaocheng.PhaseAt(noon(1, 15), "", nil) != "" {
		t.Error("a season that nobody read was invented")
	}
}

func TestDeclaredSeason(t *testing.T) {
	t.Parallel()
	p := city(t, 370700)
	declared := []citypack.Declared{
		{Season: "2025-2026", County: "370783", Start: instant(t, "2025-11-08T12:00"), Document: "寿光公告"},
		{Season: "2025-2026", Start: instant(t, "2025-11-10T12:00"), End: instant(t, "2026-03-20T12:00"), Document: "潍坊公告"},
	}
	whole, _ := p.SeasonFor(civil.NewDate(2026, 1, 1), "370702", declared)
	county, _ := p.SeasonFor(civil.NewDate(2026, 1, 1), "370783", declared)
	if !whole.Declared || whole.Start != declared[1].Start || whole.End != declared[1].End {
		t.Errorf("city %+v", whole)
	}
	if county.Start != declared[0].Start || county.End != declared[1].End || county.Source.Law != "寿光公告" {
		t.Errorf("county %+v", county)
	}
	at := instant(t, "2025-11-20T23:59")
	if got := p.PhaseAt(at, "370702", declared); got != citypack.PhaseFirstDays {
		t.Errorf("city phase %s", got)
	}
	if got := p.PhaseAt(at, "370783", declared); got != citypack.PhaseSeason {
		t.Errorf("county phase %s: its ten days ended on the 18th", got)
	}
}

func TestPhasesOfTheYear(t *testing.T) {
	t.Parallel()
	p := city(t, 990100)
	for at, want := range map[string]citypack.Phase{
		"2025-10-20T12:00": citypack.PhaseMaintenance, "2025-10-26T00:00": citypack.PhaseFill, "2025-11-10T00:00": citypack.PhaseTrial,
		"2025-11-15T00:00": citypack.PhaseFirstDays, "2025-11-26T00:00": citypack.PhaseSeason, "2026-03-16T00:00": citypack.PhaseAfter,
		"2026-04-15T00:00": citypack.PhaseMaintenance,
	} {
		if got := p.PhaseAt(instant(t, at), "", nil); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	s := embedded(t)
	at := noon(1, 15)
	for _, c := range []struct {
		city   int
		rule   string
		amount int
		unit   citypack.Unit
	}{
		{370700, "measure", 24, "hour"},
		{370700, "answer", 3, "day"},
		{110000, "measure", 6, "hour"},
		{410400, "measure", 12, "hour"},
		{410400, "connect", 3, "working_day"},
		{370800, "first_contact", 2, "hour"},
		{990100, "sign", 15, "minute"},
		{140100, "solve", 24, "hour"},
		{130100, "measure", 12, "hour"},
	} {
		p, err := s.City(c.city)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := p.Rule(c.rule, at, citypack.PhaseSeason)
		if !ok || got.Amount != c.amount || got.Unit != c.unit {
			t.Errorf("%d %s: %+v, want %d %s", c.city, c.rule, got, c.amount, c.unit)
		}
	}
	weifang, _ := s.City(370700)
	if _, ok := weifang.Rule("connect", at, citypack.PhaseSeason); ok {
		t.Error("潍坊 has no limit for a connection, one was invented")
	}
	if _, ok := weifang.Rule("nothing", at, citypack.PhaseSeason); ok {
		t.Error("an unknown rule has a limit")
	}
}

func TestClocksOfACategory(t *testing.T) {
	t.Parallel()
	p := city(t, 990100)
	codes := func(cat string) []string {
		c, ok := p.Category(cat)
		if !ok {
			t.Fatalf("no category %s", cat)
		}
		var out []string
		for _, r := range p.Clocks(c, c.Urgency) {
			out = append(out, r.Code)
		}
		return out
	}
	if got := codes("cold_home"); !slices.Contains(got, citypack.ClockArrive) || slices.Contains(got, citypack.ClockConnect) {
		t.Errorf("clocks of a cold home: %v", got)
	}
	if got := codes("inquiry"); slices.Contains(got, citypack.ClockArrive) {
		t.Errorf("clocks of a question: %v", got)
	}
	steps := p.Escalation(citypack.ClockArrive)
	var stages []citypack.Stage
	for _, s := range steps {
		stages = append(stages, s.Stage)
	}
	want := []citypack.Stage{
		citypack.StageWarn, citypack.StageUrge, citypack.StageOverdue, citypack.StageSupervise,
		citypack.StageInterview, citypack.StageCircular,
	}
	if diff := cmp.Diff(want, stages); diff != "" {
		t.Error(diff)
	}
}

// TestTheDemonstrationCityIsComplete: nothing in it waits for an approval.
func TestTheDemonstrationCityIsComplete(t *testing.T) {
	t.Parallel()
	p := city(t, 990100)
	for _, v := range p.Values() {
		if v.Confidence != citypack.Fictional {
			t.Errorf("%s is %s", v.Path, v.Confidence)
		}
	}
	for _, clock := range p.Clocks(nil, citypack.Normal) {
		if c, _ := p.Clock(clock.Code); len(c.Limits) == 0 {
			t.Errorf("clock %s has no limit", clock.Code)
		}
	}
	o := p.Options(noon(1, 15))
	if o.ReturnMinutes != 30 || o.MinConfidence != "0.8" || o.NightFrom != "22:00" || !o.VerifyRequired || len(o.AutoDispatchMethods) != 6 {
		t.Errorf("options %+v", o)
	}
	if !p.Doc.Bounds.Contains(118.1, 40.1) || p.Doc.Bounds.Contains(116.4, 39.9) {
		t.Error("bounds")
	}
	for _, c := range p.Leaves() {
		for _, door := range []string{"seat", "peak", "web", "import", "open311", "counter"} {
			if len(p.Required(c, door)) == 0 {
				t.Errorf("%s by %s asks for nothing", c.Code, door)
			}
		}
		if len(p.FeedbackForm(c)) == 0 {
			t.Errorf("%s has no feedback form", c.Code)
		}
	}
}

func TestEntryStandardPerDoor(t *testing.T) {
	t.Parallel()
	p := city(t, 370700)
	cold, _ := p.Category("cold_room")
	if diff := cmp.Diff([]string{"address", "phone", "scope", "leak", "test_request"}, p.Required(cold, "peak")); diff != "" {
		t.Error(diff)
	}
	if !slices.Contains(p.Required(cold, "seat"), "test_request") {
		t.Error("the seat does not ask for the test request, which decides money")
	}
	if got := p.Required(nil, "web"); !slices.Contains(got, "phone") {
		t.Errorf("general standard %v", got)
	}
	if cold.Parent().Code != "cold" || cold.Kind != citypack.KindQuality || !cold.MayAutoDispatch() || !cold.Temperature {
		t.Errorf("inherited %+v", cold)
	}
	service, _ := p.Category("service_shirk")
	if service.MayAutoDispatch() || service.Nature != citypack.Complaint {
		t.Errorf("%+v", service)
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	p := city(t, 370700)
	for said, want := range map[string]string{
		"我家在阳光小区3号楼2单元601，暖气片漏水了，快来人": "leak_home",
		"整栋楼都不热，邻居也不热":                "cold_building",
		"卧室不热，客厅还行":                   "cold_room",
		"缴费后未开通，说没开栓":                 "no_heat_not_opened",
		"马路上冒水，路面都淹了":                 "leak_road",
		"申请测温":                        "measure_request",
		"投诉推诿，打不通电话":                  "service_shirk",
		"请问什么时候供暖":                    "inquiry",
	} {
		got := p.Classify(said)
		if len(got) == 0 || got[0].Code != want || len(got[0].Why) == 0 {
			t.Errorf("%s: %+v, want %s", said, got, want)
		}
	}
	if got := p.Classify("你好"); len(got) != 0 {
		t.Errorf("nothing said, %+v guessed", got)
	}
}

func TestUrgency(t *testing.T) {
	t.Parallel()
	p := city(t, 990100)
	cold, _ := p.Category("cold_home")
	leak, _ := p.Category("leak_home")
	for _, c := range []struct {
		cat        *citypack.Category
		said, mark string
		want       citypack.Urgency
	}{
		{cold, "家里不热", "", citypack.Normal},
		{cold, "家里有老人", "", citypack.Urgent},
		{cold, "家里不热", "care", citypack.Urgent},
		{leak, "滴水", "", citypack.Critical},
		{leak, "家里有老人", "", citypack.Critical},
		{cold, "爆管了", "", citypack.Critical},
	} {
		if got, _ := p.UrgencyOf(c.cat, c.said, c.mark); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.said, c.mark, got, c.want)
		}
	}
}

func TestApproval(t *testing.T) {
	t.Parallel()
	p := city(t, 140100)
	at := noon(1, 15)
	before, _ := p.Rule("leak_on_site", at, citypack.PhaseSeason)
	if !before.Provisional {
		t.Fatal("a secondary figure applies without approval")
	}
	var value citypack.Value
	for _, v := range p.Values() {
		if v.Path == before.Path {
			value = v
		}
	}
	if value.Text == "" {
		t.Fatalf("the limit %s is not among the values", before.Path)
	}
	yes := citypack.Approvals{{Path: value.Path, Value: value.Text, By: "王科长", At: at}}
	after, _ := p.With(yes).Rule("leak_on_site", at, citypack.PhaseSeason)
	still, _ := p.Rule("leak_on_site", at, citypack.PhaseSeason)
	if after.Provisional || !still.Provisional {
		t.Errorf("after %v, the pack itself %v", after.Provisional, still.Provisional)
	}
	yes[0].Value = "kinds=leak amount=9 unit=hour"
	other, _ := p.With(yes).Rule("leak_on_site", at, citypack.PhaseSeason)
	if !other.Provisional {
		t.Error("an approval of another figure counts")
	}
	if len(p.With(yes).Provisionals()) != len(p.Provisionals()) {
		t.Error("an approval of another figure counts in the list")
	}
}

func TestTermsAndNotices(t *testing.T) {
	t.Parallel()
	s := embedded(t)
	beijing, _ := s.City(110000)
	weifang, _ := s.City(370700)
	if beijing.Term("company", text.ZH) != "供热单位" || weifang.Term("company", text.ZH) != "供热企业" || weifang.Term("x", text.EN) != "x" {
		t.Error("terms")
	}
	found := false
	for _, n := range weifang.OutageNotice(noon(1, 15)) {
		found = found || n.What == citypack.NoticePlanned && n.OverHours == 24 && n.Amount == 2 && n.Unit == "day"
	}
	if !found {
		t.Error("planned stops over 24 h must be announced two days ahead")
	}
}

// TestEveryValueHasASource: the pack viewer can name where each value of each city comes from.
func TestEveryValueHasASource(t *testing.T) {
	t.Parallel()
	s := embedded(t)
	for _, c := range s.Cities() {
		p, err := s.City(c.Code)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, v := range p.Values() {
			if v.Source.Law == "" || v.Line == 0 || v.File == "" || v.Label(text.ZH) == "" || seen[v.Path] {
				t.Errorf("%s: %+v", c.Name.ZH, v)
			}
			seen[v.Path] = true
		}
		if len(seen) < 50 {
			t.Errorf("%s has %d values", c.Name.ZH, len(seen))
		}
	}
}

// TestInheritance: for any city over any province, a value of the city holds, a value that only the province has is
// inherited, and the province's limits stand behind the city's.
func TestInheritance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		province := rapid.IntRange(16, 24).Draw(t, "province")
		own := rapid.IntRange(16, 24).Draw(t, "city")
		has := rapid.Bool().Draw(t, "city has one")
		hours := rapid.IntRange(1, 48).Draw(t, "hours")
		s, err := citypack.Load(layered(province, own, has, hours))
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.City(123400)
		if err != nil {
			t.Fatal(err)
		}
		want := province
		if has {
			want = own
		}
		got, ok := p.Standard("bedroom", noon(1, 15))
		if !ok || int(got.Value) != want*10 {
			t.Errorf("bedroom %s, want %d", got.Value, want)
		}
		kitchen, ok := p.Standard("kitchen", noon(1, 15))
		if !ok || kitchen.Value != 100 {
			t.Errorf("kitchen %s", kitchen.Value)
		}
		quality, _ := p.Rule("quality_on_site", noon(1, 15), citypack.PhaseSeason)
		leak, _ := p.Rule("leak_on_site", noon(1, 15), citypack.PhaseSeason)
		if quality.Amount != hours || leak.Amount != 1 {
			t.Errorf("quality %d, leak %d; want %d, 1", quality.Amount, leak.Amount, hours)
		}
	})
}
