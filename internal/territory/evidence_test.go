package territory_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/territory"
)

// at is a query for a point so many metres east and north of the middle of the city.
func at(text string, east, north float64) territory.Query {
	p := middle.Move(east, north)
	return territory.Query{Text: text, Lng: &p.Lng, Lat: &p.Lat, At: winter}
}

func TestPoint(t *testing.T) {
	t.Parallel()
	x := territory.Build(city())
	for _, c := range []struct {
		name             string
		q                territory.Query
		want             string
		conflict, border bool
		auto             bool
	}{
		{"inside", at("", -1000, 1000), "assigned C1 - point", false, false, true},
		{"inside another", at("家里冷", 1000, -1000), "assigned C4 - point", false, false, true},
		{"at the border", at("", -20, 1000), "ambiguous C1 - point", false, true, false},
		{"outside", at("", 5000, 5000), "unknown - - -", false, false, false},
		{"agrees with the text", at("金色家园3号楼", 1100, -1100), "assigned C4 gold community", false, false, true},
		{"contradicts the text", at("金色家园3号楼", -1000, 1000), "ambiguous - gold community", true, false, false},
		{"contradicts a building", at("阳光花园3号楼2单元601", 1000, -1000), "ambiguous - sun building", true, false, false},
		{"decides between namesakes", at("幸福里3号楼", 700, -900), "assigned C4 happyN community", false, false, true},
		{"decides a road", at("建设路上的管道漏水", -1000, 1000), "assigned C1 - road", false, false, true},
		{"contradicts both namesakes", at("幸福里3号楼", 1200, 1200), "ambiguous - - point", true, false, false},
		{"says nothing of a community that heats itself", at("自暖花苑2号楼", -700, -1700), "not_served - heat community", false, false, false},
		{"far from a community by list", at("铁路二十四中宿舍", -1000, -1000), "ambiguous - rail community", true, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := x.Attribute(c.q)
			if got := summary(a); !fits(got, c.want) {
				t.Errorf("got %s want %s\n%s", got, c.want, explain(a))
			}
			if a.Conflict != c.conflict || (a.Border != c.border && a.Decision == territory.Assigned) || a.MayAutoDispatch() != c.auto {
				t.Errorf("conflict %v border %v auto %v\n%s", a.Conflict, a.Border, a.MayAutoDispatch(), explain(a))
			}
		})
	}
}

func TestPointInGCJ02(t *testing.T) {
	t.Parallel()
	x := territory.Build(city())
	// 200 m west of the border; the Chinese map shows it about 500 m further east.
	p := geo.ToGCJ02(middle.Move(-200, 1000))
	q := territory.Query{Lng: &p.Lng, Lat: &p.Lat, CRS: "gcj02", At: winter}
	if a := x.Attribute(q); a.Company != "C1" || a.Decision != territory.Assigned {
		t.Errorf("read as gcj02: %s", summary(a))
	}
	q.CRS = "wgs84"
	if a := x.Attribute(q); a.Company != "C2" {
		t.Errorf("read as wgs84: %s", summary(a))
	}
}

func TestHousehold(t *testing.T) {
	t.Parallel()
	x := territory.Build(city())
	a := x.Attribute(territory.Query{Household: "10086001", At: winter})
	if got := summary(a); got != "assigned C1 sun household" || !a.MayAutoDispatch() {
		t.Errorf("got %s", got)
	}
	if a.Building != "3" || a.Unit != "2" || a.Room != "601" || a.HeatStatus != territory.HeatWaitingValve || a.Zone != "low" {
		t.Errorf("home: %+v", a)
	}
	a = x.Attribute(territory.Query{Household: "10086001", Text: "金色家园3号楼不热", At: winter})
	if got := summary(a); got != "assigned C1 sun household" || a.MayAutoDispatch() {
		t.Errorf("text of another home: %s auto %v", got, a.MayAutoDispatch())
	}
	a = x.Attribute(territory.Query{Household: "404", Text: "金色家园3号楼不热", At: winter})
	if got := summary(a); got != "assigned C4 gold community" {
		t.Errorf("unknown account: %s", got)
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	x := territory.Build(city())
	ask := func(text string) territory.Answer { return x.Attribute(territory.Query{Text: text, At: winter}) }

	a := ask("界河嘉园2号楼")
	if !a.Border || !slices.Equal(a.Neighbours, []string{"C2"}) || a.MayAutoDispatch() {
		t.Errorf("border: %v %v auto %v", a.Border, a.Neighbours, a.MayAutoDispatch())
	}
	a = ask("枫林绿洲3号楼")
	if want := (&territory.Change{From: "C2", Since: civil.NewDate(2025, 11, 1)}); !cmp.Equal(a.Changed, want) || a.MayAutoDispatch() {
		t.Errorf("unconfirmed change: %+v auto %v", a.Changed, a.MayAutoDispatch())
	}
	a = ask("梧桐苑3号楼")
	if a.Changed == nil || !a.Changed.Confirmed || !a.MayAutoDispatch() {
		t.Errorf("confirmed change: %+v auto %v", a.Changed, a.MayAutoDispatch())
	}
	a = ask("书香门第1号楼")
	if !a.Border || !slices.Equal(a.Neighbours, []string{"C4"}) || a.MayAutoDispatch() {
		t.Errorf("confusable: %v %v auto %v", a.Border, a.Neighbours, a.MayAutoDispatch())
	}
	a = ask("阳光花园3号楼2单元")
	if a.Border || !a.MayAutoDispatch() {
		t.Errorf("a building has no doubt: %v", a.Border)
	}
	before := x.Attribute(territory.Query{Text: "枫林绿洲3号楼", At: civil.On(civil.NewDate(2025, 3, 1), 8, 0)})
	if before.Company != "C2" || before.Changed != nil {
		t.Errorf("before the change: %s %+v", before.Company, before.Changed)
	}
}

func TestVersionsOfAnArea(t *testing.T) {
	t.Parallel()
	s := city()
	change := civil.NewDate(2025, 11, 1)
	for i := range s.Areas {
		if s.Areas[i].Code == "N1" {
			s.Areas[i].To = change.AddDays(-1)
			next := s.Areas[i]
			next.Company, next.From, next.To = "C3", change, civil.Date{}
			s.Areas = append(s.Areas, next)
		}
	}
	x := territory.Build(s)
	q := at("", -1000, 1000)
	if a := x.Attribute(q); a.Company != "C3" {
		t.Errorf("after: %s", summary(a))
	}
	q.At = civil.On(civil.NewDate(2025, 2, 1), 8, 0)
	if a := x.Attribute(q); a.Company != "C1" {
		t.Errorf("before: %s", summary(a))
	}
	if a := x.Attribute(territory.Query{Text: "建设路3号院2号楼", At: q.At}); a.Company != "C1" {
		t.Errorf("community before: %s", summary(a))
	}
}

func TestLearnedRules(t *testing.T) {
	t.Parallel()
	s := city()
	learnt := civil.On(civil.NewDate(2025, 12, 20), 9, 0)
	s.Rules = append(s.Rules,
		territory.Rule{Community: "split", Building: "35", Company: "C4", Area: "S2", Author: "张三", At: learnt},
		territory.Rule{Road: "建设路", Number: "99", Company: "C2", Area: "N2", Author: "张三", At: learnt},
		territory.Rule{Community: "moved", Company: "C2", Author: "李四", At: civil.On(civil.NewDate(2024, 12, 20), 9, 0)},
	)
	x := territory.Build(s)
	for _, c := range [][2]string{
		{"锦绣新城35号楼2单元301不热", "assigned C4 split community"},
		{"锦绣新城36号楼2单元301不热", "ambiguous - split community"},
		{"建设路99号暖气管漏水", "assigned C2 - road"},
		{"枫林绿洲3号楼不热", "assigned C4 moved community"}, // learnt before the re-districting
	} {
		if got := summary(x.Attribute(territory.Query{Text: c[0], At: winter})); got != c[1] {
			t.Errorf("%s: got %s want %s", c[0], got, c[1])
		}
	}
}

func TestSegments(t *testing.T) {
	t.Parallel()
	x := territory.Build(city())
	parties := func(text string, on civil.Instant) string {
		var out []string
		for _, s := range x.Attribute(territory.Query{Text: text, At: on}).Segments {
			out = append(out, string(s.Segment)+"="+s.Name("zh"))
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		text string
		on   civil.Instant
		want string
	}{
		{"阳光花园3号楼", winter, "primary=暖城热力 station=暖城热力 yard=阳光置业 riser=阳光置业 indoor=阳光置业"},
		{"阳光花园3号楼", civil.On(civil.NewDate(2026, 12, 1), 8, 0), "primary=暖城热力 station=暖城热力 yard=暖城热力 riser=暖城热力 indoor=用户"},
		{"梧桐苑3号楼", winter, "source=华阳电厂 primary=华阳热力 station=梧桐物业 yard=梧桐物业 riser=梧桐物业 indoor=用户"},
	} {
		if got := parties(c.text, c.on); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestOutage(t *testing.T) {
	t.Parallel()
	s := city()
	s.Outages = func(community, building, _ string) *territory.Outage {
		if community == "gold" && building == "3" {
			return &territory.Outage{ID: "o1", Until: winter}
		}
		return nil
	}
	x := territory.Build(s)
	if a := x.Attribute(territory.Query{Text: "金色家园3号楼", At: winter}); a.Outage == nil || a.Outage.ID != "o1" {
		t.Errorf("no outage: %+v", a.Outage)
	}
	if a := x.Attribute(territory.Query{Text: "金色家园4号楼", At: winter}); a.Outage != nil {
		t.Errorf("another building's outage: %+v", a.Outage)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	x := territory.Build(city())
	a := x.Attribute(territory.Query{ID: json.RawMessage(`{"n":1}`), Text: "枫林绿洲3号楼2单元601不热", At: winter})
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"explain", "candidates", "segments"} {
		if _, ok := got[list].([]any); !ok {
			t.Errorf("%s is no list: %v", list, got[list])
		}
	}
	for _, e := range got["explain"].([]any) {
		step := e.(map[string]any)
		if zh, en := step["zh"].(string), step["en"].(string); zh == "" || en == "" || strings.Contains(zh, "territory.") || strings.Contains(zh+en, "{") {
			t.Errorf("unspoken step: %v", step)
		}
	}
	delete(got, "explain")
	delete(got, "candidates")
	delete(got, "segments")
	want := map[string]any{
		"id": map[string]any{"n": 1.0}, "decision": "assigned", "company": "C4", "area": "S2", "community": map[string]any{"name": "枫林绿洲", "district": "北山区"},
		"building": "3", "unit": "2", "room": "601", "method": "community", "confidence": 0.93, "conflict": false, "border": false, "neighbours": []any{},
		"changed": map[string]any{"from": "C2", "since": "2025-11-01", "confirmed": false}, "management": nil, "station": nil, "zone": nil, "heat_status": nil, "outage": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	lng, lat, bad := 117.0, 36.0, 360.0
	for _, c := range []struct {
		name string
		q    territory.Query
		ok   bool
	}{
		{"nothing", territory.Query{}, true},
		{"point", territory.Query{Lng: &lng, Lat: &lat, CRS: "gcj02"}, true},
		{"half a point", territory.Query{Lng: &lng}, false},
		{"swapped", territory.Query{Lng: &lat, Lat: &lng}, false},
		{"off the Earth", territory.Query{Lng: &bad, Lat: &lat}, false},
		{"other system", territory.Query{CRS: "bd09"}, false},
	} {
		if err := c.q.Check(); (err == nil) != c.ok || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	s := city()
	s.Communities = append(s.Communities, territory.Community{ID: "cq", Name: "重庆家园", Connected: true}, territory.Community{ID: "cl", Name: "长乐里", Connected: true})
	x := territory.Build(s)
	for _, c := range []struct{ typed, want string }{
		{"阳光", "sun sun2"},
		{"花园", "sun gardenE sun2"},
		{"ygh", "sun sun2"},
		{"yghy", "sun sun2"},
		{"yangguang", "sun sun2"},
		{"YGHYE", "sun2"},
		{"hy", "sun heat gardenE sun2 army"},
		{"cq", "cq"},
		{"zq", ""},
		{"cl", "cl"},
		{"zll", "cl"},
		{"cyl", "cl"},
		{"changle", "cl"},
		{"24中", "rail"},
		{"翡翠", "jade"},
		{"幸福", "happyS happyN"},
		{"", ""},
		{"不存在", ""},
		{"陽光花園", "sun sun2"},
	} {
		var ids []string
		for _, s := range x.Suggest(c.typed, 10) {
			ids = append(ids, s.CommunityID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%q: got %q want %q", c.typed, got, c.want)
		}
	}
	got := x.Suggest("bsq", 3)
	if len(got) != 0 {
		t.Errorf("districts are not communities: %v", got)
	}
	one := x.Suggest("fc", 1)
	want := []territory.Suggestion{{CommunityID: "jade", Name: "翡翠名邸", District: "北山区", Company: "C2", Area: "N2", Why: "翡翠"}}
	if diff := cmp.Diff(want, one); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
