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
