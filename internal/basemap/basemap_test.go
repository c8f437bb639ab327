package basemap_test

import (
	"context"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/basemap"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/geo"
)

const city = 990100

var (
	ctx   = context.Background()
	owner = actor.SystemFor("test", actor.Command)
	seat  = actor.Actor{ID: "s", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleSeat, City: city}}}
)

func collection(features ...string) []byte {
	return []byte(`{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`)
}

func feature(kind, name, geometry string) string {
	return `{"type":"Feature","properties":{"kind":"` + kind + `","name":"` + name + `"},"geometry":` + geometry + `}`
}

const (
	line   = `{"type":"LineString","coordinates":[[116.30,39.90],[116.31,39.91],[116.33,39.91]]}`
	ground = `{"type":"Polygon","coordinates":[[[116.30,39.90],[116.40,39.90],[116.40,40.00],[116.30,40.00],[116.30,39.90]]]}`
)

func TestReplace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := basemap.New(d)
		put := func(dry bool, body []byte) int {
			t.Helper()
			n, err := s.Replace(ctx, owner, basemap.Replacing{City: city, Body: body, DryRun: dry})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		put(false, collection(feature("road", "旧路", line)))
		if n := put(false, collection(feature("district", "和暖区", ground), feature("river", "汀河", line))); n != 2 {
			t.Errorf("%d features", n)
		}
		put(true, collection(feature("road", "没有写入", line)))
		got, err := s.Features(ctx, seat, city)
		if err != nil || len(got) != 2 || got[0].Name != "和暖区" || got[1].Kind != basemap.River {
			t.Fatalf("%+v %v", got, err)
		}
		if at, ok := got[0].Middle(); !ok || at.Lng < 116.3 || at.Lng > 116.4 {
			t.Errorf("the name of a district stands at %v", at)
		}
		if at, ok := got[1].Middle(); !ok || at != (geo.Point{Lng: 116.31, Lat: 39.91}) {
			t.Errorf("the name of a river stands at %v", at)
		}
		if l := got[1].Lines(); len(l) != 1 || len(l[0]) != 3 {
			t.Errorf("lines %v", l)
		}
	})
}

func TestReplaceRefuses(t *testing.T) {
	t.Parallel()
	s := basemap.New(dbtest.SQLite(t))
	for name, body := range map[string][]byte{
		"not GeoJSON":   []byte(`{"lines":1}`),
		"nothing":       collection(),
		"unknown kind":  collection(feature("tram", "有轨", line)),
		"a point":       collection(feature("road", "点", `{"type":"Point","coordinates":[116.3,39.9]}`)),
		"swapped":       collection(feature("road", "反", `{"type":"LineString","coordinates":[[39.9,116.3],[39.9,116.4]]}`)),
		"no coordinate": collection(feature("road", "空", `null`)),
	} {
		if _, err := s.Replace(ctx, owner, basemap.Replacing{City: city, Body: body}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v; want Invalid", name, err)
		}
	}
	if _, err := s.Replace(ctx, seat, basemap.Replacing{City: city, Body: collection(feature("road", "路", line))}); !fault.Is(err, fault.Denied) {
		t.Errorf("a seat replaces the map: %v", err)
	}
}

// Lines of maps that are sold in China lie some hundred metres off; they are moved at the door.
func TestReadMovesGCJ02(t *testing.T) {
	t.Parallel()
	body := func() []byte { return collection(feature("road", "路", line)) }
	plain, err := basemap.Read(body(), geo.WGS84)
	if err != nil {
		t.Fatal(err)
	}
	moved, err := basemap.Read(body(), geo.GCJ02)
	if err != nil {
		t.Fatal(err)
	}
	want := geo.FromGCJ02(plain[0].Lines()[0][0])
	if got := moved[0].Lines()[0][0]; got != want || got == plain[0].Lines()[0][0] {
		t.Errorf("moved to %v; want %v", got, want)
	}
}
