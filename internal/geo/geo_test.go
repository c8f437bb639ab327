package geo_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/geo"
)

// Point pairs that other implementations of the published transform print in their own tests and documentation.
var published = []struct {
	source   string
	wgs, gcj geo.Point
}{
	{"wandergis/coordtransform, test/app.js (天安门)", geo.Point{Lng: 116.404, Lat: 39.915}, geo.Point{Lng: 116.41024449916938, Lat: 39.91640428150164}},
	{"geotool, tests of its command line (嘉善)", geo.Point{Lng: 121.0917077, Lat: 30.6107779}, geo.Point{Lng: 121.09626935575027, Lat: 30.608604331756705}},
	{"googollee/eviltransform, test vectors (上海)", geo.Point{Lng: 121.5272106, Lat: 31.1774276}, geo.Point{Lng: 121.531541859215, Lat: 31.17530398364597}},
	{"googollee/eviltransform, test vectors (深圳)", geo.Point{Lng: 113.912316, Lat: 22.543847}, geo.Point{Lng: 113.9171764808363, Lat: 22.540796131694766}},
	{"googollee/eviltransform, test vectors (北京)", geo.Point{Lng: 116.377817, Lat: 39.911954}, geo.Point{Lng: 116.38404722455657, Lat: 39.91334545536069}},
}

func TestGCJ02AsPublished(t *testing.T) {
	t.Parallel()
	for _, c := range published {
		got := geo.ToGCJ02(c.wgs)
		if math.Abs(got.Lng-c.gcj.Lng) > 1e-6 || math.Abs(got.Lat-c.gcj.Lat) > 1e-6 {
			t.Errorf("%s: got %v want %v", c.source, got, c.gcj)
		}
		back := geo.FromGCJ02(c.gcj)
		if math.Abs(back.Lng-c.wgs.Lng) > 1e-6 || math.Abs(back.Lat-c.wgs.Lat) > 1e-6 {
			t.Errorf("%s back: got %v want %v", c.source, back, c.wgs)
		}
	}
	if paris := (geo.Point{Lng: 2.35, Lat: 48.85}); geo.ToGCJ02(paris) != paris {
		t.Error("a point outside China was shifted")
	}
}

func TestGCJ02ThereAndBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := geo.Point{Lng: rapid.Float64Range(75, 134).Draw(t, "lng"), Lat: rapid.Float64Range(18, 53).Draw(t, "lat")}
		back := geo.FromGCJ02(geo.ToGCJ02(p))
		if math.Abs(back.Lng-p.Lng) > 1e-7 || math.Abs(back.Lat-p.Lat) > 1e-7 {
			t.Fatalf("%v came back as %v", p, back)
		}
		if d := p.Metres(geo.ToGCJ02(p)); d < 10 || d > 1200 {
			t.Fatalf("%v moved %v m", p, d)
		}
	})
}

const twoRings = `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"area":"A1","company":"C1"},"geometry":{"type":"Polygon","coordinates":[
[[117,36],[117.02,36],[117.02,36.02],[117,36.02],[117,36]],[[117.005,36.005],[117.01,36.005],[117.01,36.01],[117.005,36.01],[117.005,36.005]]]}},
{"type":"Feature","properties":{"area":"A2"},"geometry":{"type":"MultiPolygon","coordinates":[[[[118,36],[118.01,36],[118.01,36.01],[118,36]]],[[[119,36],[119.01,36],[119.01,36.01],[119,36]]]]}},
{"type":"Feature","properties":{"area":"bow tie"},"geometry":{"type":"Polygon","coordinates":[[[117,36],[117.02,36.02],[117.02,36],[117,36.02],[117,36]]]}},
{"type":"Feature","properties":{"area":"point"},"geometry":{"type":"Point","coordinates":[117,36]}},
{"type":"Feature","properties":{"area":"swapped"},"geometry":{"type":"Polygon","coordinates":[[[36,117],[36,118],[37,118],[36,117]]]}},
{"type":"Feature","properties":{"area":"none"},"geometry":null}]}`

func TestReadFeatures(t *testing.T) {
	t.Parallel()
	features, err := geo.ReadFeatures([]byte(twoRings), geo.WGS84)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, f := range features {
		key := "ok"
		if f.Err != nil {
			key = fault.Of(f.Err).Key
		}
		keys = append(keys, key)
	}
	if diff := cmp.Diff([]string{"ok", "ok", "geo.crossing", "geo.not_an_area", "geo.bad_point", "geo.no_geometry"}, keys); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	holed := features[0].Geometry
	for _, c := range []struct {
		lng, lat float64
		in       bool
	}{{117.001, 36.001, true}, {117.007, 36.007, false}, {117.015, 36.007, true}, {117.03, 36.01, false}} {
		if got := holed.Contains(geo.Point{Lng: c.lng, Lat: c.lat}); got != c.in {
			t.Errorf("%v,%v inside: %v", c.lng, c.lat, got)
		}
	}
	if pieces := features[1].Geometry; !pieces.Contains(geo.Point{Lng: 119.008, Lat: 36.002}) {
		t.Error("the second piece is lost")
	}
	b, err := holed.GeoJSON()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := geo.ReadGeometry(b); err != nil || !cmp.Equal(again, holed) {
		t.Errorf("written and read again: %v %v", again, err)
	}
	for _, bad := range []string{``, `{}`, `[]`, `{"type":"FeatureCollection","features":[]}`, `{"type":"FeatureCollection","features":7}`} {
		if _, err := geo.ReadFeatures([]byte(bad), geo.WGS84); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func rect(from geo.Point, east, north float64) geo.MultiPolygon {
	return geo.MultiPolygon{{{from, from.Move(east, 0), from.Move(east, north), from.Move(0, north)}}}
}

var corner = geo.Point{Lng: 117, Lat: 36}

func TestMetres(t *testing.T) {
	t.Parallel()
	m := rect(corner, 1000, 500)
	if a := m.AreaM2(); math.Abs(a-500000) > 500 {
		t.Errorf("area %v", a)
	}
	if d := m.BorderMetres(corner.Move(500, 100)); math.Abs(d-100) > 0.5 {
		t.Errorf("inside: %v m from the border", d)
	}
	if d := m.BorderMetres(corner.Move(1300, 900)); math.Abs(d-500) > 2 {
		t.Errorf("outside: %v m from the border", d)
	}
	// A degree of latitude is 111.2 km on a sphere; at 36° north the ellipsoid gives 110.96 km.
	if d := corner.Metres(geo.Point{Lng: 117, Lat: 37}); math.Abs(d-110967) > 60 {
		t.Errorf("a degree is %v m", d)
	}
}

func TestOverlap(t *testing.T) {
	t.Parallel()
	a := rect(corner, 1000, 1000)
	for _, c := range []struct {
		name   string
		b      geo.MultiPolygon
		ok     bool
		width  float64
		sliver bool
	}{
		{"apart", rect(corner.Move(2000, 0), 500, 500), false, 0, false},
		{"side by side", rect(corner.Move(1000, 0), 500, 1000), false, 0, false},
		{"one metre", rect(corner.Move(999, 0), 500, 1000), true, 1, true},
		{"forty metres", rect(corner.Move(960, 0), 500, 1000), true, 38.5, false},
	} {
		o, ok, err := geo.OverlapOf(a, c.b)
		if err != nil {
			t.Fatal(err)
		}
		if !ok && !c.ok || ok && !c.ok && o.WidthM < 0.01 {
			continue
		}
		if ok != c.ok || math.Abs(o.WidthM-c.width) > 0.5 || o.IsSliver() != c.sliver || !a.Contains(o.At) {
			t.Errorf("%s: %+v %v", c.name, o, ok)
		}
	}
}

func TestIndexFindsWhatASearchOfAllFinds(t *testing.T) {
	t.Parallel()
	var areas []*geo.MultiPolygon
	for i := range 100 {
		m := rect(corner.Move(float64(i%10)*300, float64(i/10)*300), 350, 350)
		areas = append(areas, &m)
	}
	areas = append(areas, nil)
	x := geo.NewIndex(areas)
	rapid.Check(t, func(t *rapid.T) {
		p := corner.Move(rapid.Float64Range(-500, 4000).Draw(t, "east"), rapid.Float64Range(-500, 4000).Draw(t, "north"))
		got := map[int]bool{}
		x.At(p, func(i int) bool { got[i] = true; return true })
		near := map[int]bool{}
		x.Near(p, 60, func(i int, _ float64) bool { near[i] = true; return true })
		for i, m := range areas[:100] {
			if m.Contains(p) != got[i] {
				t.Fatalf("area %d at %v: %v", i, p, got[i])
			}
			if want := m.Contains(p) || m.BorderMetres(p) <= 60; want != near[i] {
				t.Fatalf("area %d near %v: %v", i, p, near[i])
			}
		}
	})
}

func TestNearestPlace(t *testing.T) {
	t.Parallel()
	x := geo.NewPoints([]geo.Point{corner, {}, corner.Move(100, 0), corner.Move(5000, 0)})
	if i, d := x.Nearest(corner.Move(80, 0), 300); i != 2 || math.Abs(d-20) > 0.1 {
		t.Errorf("got %d at %v m", i, d)
	}
	if i, _ := x.Nearest(corner.Move(2000, 0), 300); i != -1 {
		t.Errorf("got %d far away", i)
	}
}

func TestDrawing(t *testing.T) {
	t.Parallel()
	m := rect(corner, 1000, 500)
	f := geo.NewFrame(m.Box(), 120, 80, 10)
	if path := f.Path(m); path != "M10 65L110 65L110 15L10 15Z" {
		t.Errorf("path %s", path)
	}
	x, y := f.XY(corner.Move(500, 250))
	if math.Abs(x-60) > 0.1 || math.Abs(y-40) > 0.1 {
		t.Errorf("the middle is drawn at %v %v", x, y)
	}
	if p := f.Point(x, y); p.Metres(corner.Move(500, 250)) > 0.1 {
		t.Errorf("and read back as %v", p)
	}
}

func TestLabelPoint(t *testing.T) {
	t.Parallel()
	c := corner
	horseshoe := geo.MultiPolygon{{{c, c.Move(1000, 0), c.Move(1000, 1000), c.Move(900, 1000), c.Move(900, 100), c.Move(100, 100), c.Move(100, 1000), c.Move(0, 1000)}}}
	if horseshoe.Contains(horseshoe.Centroid()) {
		t.Fatal("this test needs an area whose centroid lies outside")
	}
	if p := horseshoe.LabelPoint(); !horseshoe.Contains(p) {
		t.Errorf("the label stands outside, at %v", p)
	}
	if p := rect(corner, 1000, 500).LabelPoint(); p.Metres(corner.Move(500, 250)) > 1 {
		t.Errorf("the label of a rectangle stands at %v", p)
	}
}
