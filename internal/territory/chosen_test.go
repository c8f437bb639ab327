package territory_test

import (
	"testing"

	"github.com/rehu-heat/rehu/internal/territory"
)

func TestAttributeChosenCommunity(t *testing.T) {
	t.Parallel()
	x := territory.Build(city())
	for name, c := range map[string]struct {
		q        territory.Query
		decision territory.Decision
		company  string
		method   territory.Method
	}{
		"shared name decided by the choice": {territory.Query{Text: "幸福里3号楼不热", Community: "happyN"}, territory.Assigned, "C4", territory.ByCommunity},
		"choice with building":              {territory.Query{Text: "不热", Community: "sun", Building: "3号楼"}, territory.Assigned, "C1", territory.ByBuilding},
		"other name in the text":            {territory.Query{Text: "阳光花园二期3号楼不热", Community: "sun"}, territory.Assigned, "C1", territory.ByCommunity},
		"no such community":                 {territory.Query{Text: "不热", Community: "nowhere"}, territory.Unknown, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := x.Attribute(c.q)
			if a.Decision != c.decision || a.Company != c.company || c.method != "" && a.Method != c.method {
				t.Errorf("Attribute(%+v) = %s %s %s, want %s %s %s", c.q, a.Decision, a.Company, a.Method, c.decision, c.company, c.method)
			}
		})
	}
}

func TestAHouseNumberOnARoadIsNoEstate(t *testing.T) {
	t.Parallel()
	s := city()
	s.Communities = append(s.Communities, territory.Community{ID: "road", Name: "建设路小区", District: s.Communities[0].District, Company: "C1", Connected: true})
	x := territory.Build(s)
	if a := x.Attribute(territory.Query{Text: "建设路186号锅炉厂院里不热"}); a.Decision == territory.Assigned {
		t.Errorf("a house number on the road was taken for the estate: %s %+v", a.Company, a.Community)
	}
	for _, said := range []string{"建设路小区3号楼不热", "我住建设路小区，不热"} {
		if a := x.Attribute(territory.Query{Text: said}); a.Community == nil || a.Community.ID != "road" {
			t.Errorf("%s: %s %+v, want the estate", said, a.Decision, a.Community)
		}
	}
}
