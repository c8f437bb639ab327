package territory_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/territory"
)

// listed is what a version's list says about a community, or about a building of one.
type listed struct{ community, building, company, area string }

// lists keeps the list of a version.
func (k *desk) lists(version string, lines ...listed) {
	k.t.Helper()
	k.write(func(ctx context.Context, tx *db.Tx) error {
		for _, l := range lines {
			key := row(version + "|" + l.community + "|" + l.building)
			var err error
			if l.building == "" {
				err = insert(ctx, tx, "community_line", territory.CommunityLine{Edition: key, Version: version, Community: l.community, Company: l.company, Area: l.area})
			} else {
				err = insert(ctx, tx, "building_line", territory.BuildingLine{Edition: key, Version: version, Community: l.community, Building: l.building, Company: l.company, Area: l.area})
			}
			if err != nil {
				return err
			}
		}
		return k.BumpIn(ctx, tx, cityCode)
	})
}

// serves is company and area of a community or building today.
func (k *desk) serves(community, building string) string {
	k.t.Helper()
	ctx := context.Background()
	got, err := db.Read(ctx, k.d, func(tx *db.Tx) (string, error) {
		company, area, err := k.OwnerIn(ctx, tx, cityCode, community, building)
		return company + "/" + area, err
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return got
}

func TestListsOnGroundThatWasDrawnAnew(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	k.register()
	k.lists("V1",
		listed{"sun", "", "C1", "N1"},   // repeats what the ground says
		listed{"happyS", "", "C1", ""},  // repeats it without the area
		listed{"twinA", "", "C5", ""},   // an exception on C1's ground
		listed{"void", "", "C5", "L7"},  // by list, on nobody's ground
		listed{"army", "", "C1", "N1"},  // whose ground is left out later
		listed{"rail", "", "", "L1"},    // an area by list that the map names without drawing it
		listed{"jade", "", "C2", "N2"},  // stays
		listed{"peace", "", "C3", "S1"}) // named by the next list
	want := map[string]string{
		"sun": "C1/N1", "happyS": "C1/N1", "twinA": "C5/", "void": "C5/L7", "army": "C1/N1", "rail": "C5/L1", "jade": "C2/N2", "peace": "C3/S1", "gold": "C4/S2",
	}
	check := func(when string) {
		t.Helper()
		for community, w := range want {
			if got := k.serves(community, ""); got != w {
				t.Errorf("%s: %s is %s; want %s", when, community, got, w)
			}
		}
	}
	check("first")
	today := dbtest.Start.Date()
	areas := city().Areas
	areas[0] = territory.Area{Code: "N9", Company: "C3", Geometry: square(-1400, 0, 0, 2000)} // N1 becomes C3's and smaller
	k.version("V2", today.AddDays(-20), areas)
	want["sun"], want["happyS"], want["army"] = "C3/N9", "C3/N9", "/"
	check("drawn anew")
	k.version("V3", today.AddDays(-10), nil)
	k.lists("V3", listed{"peace", "", "C4", ""})
	want["peace"] = "C4/"
	check("a list on the same ground")
	k.version("V4", today.AddDays(10), city().Areas)
	check("a version of the future changes nothing today")
}

func TestBuildingsThatDiffer(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	k.register()
	k.write(func(ctx context.Context, tx *db.Tx) error {
		for _, no := range []string{"1", "2"} {
			if err := insert(ctx, tx, "building", building("sun", no)); err != nil {
				return err
			}
		}
		return k.BumpIn(ctx, tx, cityCode)
	})
	k.lists("V1", listed{"sun", "2", "C4", ""})
	for no, want := range map[string]string{"1": "C1/N1", "2": "C4/", "3": "C1/N1", "": "C1/N1", "2号楼": "C4/"} {
		if got := k.serves("sun", no); got != want {
			t.Errorf("building %q: %s; want %s", no, got, want)
		}
	}
}

func TestTheDiffTellsBuildingsThatPartWays(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		k.register()
		k.write(func(ctx context.Context, tx *db.Tx) error {
			return insert(ctx, tx, "building", building("sun", "1"), building("sun", "2"), building("jade", "1"))
		})
		k.lists("V1", listed{"sun", "2", "C4", ""})
		k.version("V2", dbtest.Start.Date(), nil)
		k.lists("V2", listed{"sun", "1", "C2", ""}, listed{"jade", "", "C5", ""}, listed{"jade", "1", "C5", ""})
		k.OpenCases = func(_ context.Context, _ *db.Tx, _ int, ids []string) (map[string]int, error) {
			open := map[string]int{}
			for _, id := range ids {
				open[id] = 2
			}
			return open, nil
		}
		got, err := k.Diff(ctx, k.root, cityCode, "V1", "V2")
		var moved []string
		for _, c := range got.Communities {
			moved = append(moved, c.Community+"/"+c.Building+" "+c.From+"→"+c.To)
		}
		if diff := cmp.Diff([]string{"jade/ C2→C5", "sun/1 C1→C2"}, moved); diff != "" || err != nil || got.OpenCases != 4 {
			t.Error(diff, err, got.OpenCases)
		}
		for _, c := range [][2]string{{"V2", "V1"}, {"V1", "V1"}} {
			if _, err := k.Diff(ctx, k.root, cityCode, c[0], c[1]); !fault.Is(err, fault.Invalid) {
				t.Errorf("from %s to %s: %v", c[0], c[1], err)
			}
		}
		if _, err := k.Diff(ctx, k.root, cityCode, "V1", "V9"); !fault.Is(err, fault.NotFound) {
			t.Errorf("to no version: %v", err)
		}
		areas, err := k.Areas(ctx, company("C1"), cityCode, "")
		if err != nil || len(areas) != 5 || string(areas[0].GeoJSON) == "" {
			t.Errorf("the map of all staff: %d, %v", len(areas), err)
		}
	})
}

func TestAChangeIsForgottenAfterAYear(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	k.register()
	areas := city().Areas
	areas[0].Company = "C3"
	k.version("V2", dbtest.Start.Date().AddMonths(-13), areas)
	if a := k.ask(k.root, territory.Query{Text: "阳光花园3号楼"}); a.Company != "C3" || a.Changed != nil {
		t.Errorf("two seasons later: %+v %+v", a, a.Changed)
	}
	again := city().Areas
	again[1].Company = "C4"
	k.version("V3", dbtest.Start.Date().AddMonths(-2), again)
	if a := k.ask(k.root, territory.Query{Text: "阳光花园3号楼"}); a.Company != "C1" || a.Changed == nil || a.Changed.From != "C3" {
		t.Errorf("changed again: %+v %+v", a, a.Changed)
	}
}

func TestInForce(t *testing.T) {
	t.Parallel()
	day := func(d int) civil.Date { return civil.NewDate(2026, 1, d) }
	versions := []territory.Version{{Code: "a"}, {Code: "b", From: day(10)}, {Code: "c", From: day(20)}}
	for d, want := range map[int]int{1: 0, 9: 0, 10: 1, 19: 1, 20: 2, 31: 2} {
		if got := territory.InForce(versions, day(d)); got != want {
			t.Errorf("day %d: %d; want %d", d, got, want)
		}
	}
	if territory.InForce(versions[1:], day(1)) != -1 || territory.InForce(nil, day(1)) != -1 {
		t.Error("a version holds before its day")
	}
}
