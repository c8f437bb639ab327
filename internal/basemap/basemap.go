// Package basemap is what lies under the map of a city so that people find their way on it: rivers, roads, the borders of
// districts, each with its name.
//
// A city imports its own lines, so that its maps work without any server of others; without them the map shows areas alone.
// Geometries are kept in WGS84 as they were given, never simplified, and replaced all at once.
package basemap

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"

	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/geo"
)

// Kind is what a feature is; it decides how it is drawn.
type Kind string

// The kinds.
const (
	Water    Kind = "water" // a lake, or the ground of a wide river
	River    Kind = "river"
	Rail     Kind = "rail"
	Ring     Kind = "ring"     // a ring road or expressway
	Arterial Kind = "arterial" // a main road
	Road     Kind = "road"
	District Kind = "district" // the border of a county or district
	Street   Kind = "street"   // the border of a subdistrict (街道)
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{Water, River, Rail, Ring, Arterial, Road, District, Street} }

// Feature is one thing on the base map.
type Feature struct {
	City     int             `db:"city_id" json:"-"`
	N        int             `db:"n" json:"-"`
	Kind     Kind            `db:"kind" json:"kind"`
	Name     string          `db:"name" json:"name"`
	Geometry json.RawMessage `db:"-" json:"geometry"`
}

// most bounds a base map: what a browser draws without waiting.
const most = 20_000

// Read reads a GeoJSON FeatureCollection whose features carry the properties kind and name.
func Read(body []byte, crs geo.CRS) ([]Feature, error) {
	fc, err := geojson.UnmarshalFeatureCollection(body)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "geo.bad_geojson")
	}
	if len(fc.Features) == 0 {
		return nil, fault.New(fault.Invalid, "geo.no_features")
	}
	if len(fc.Features) > most {
		return nil, fault.New(fault.Invalid, "basemap.too_many", "max", most)
	}
	out := make([]Feature, len(fc.Features))
	for n, f := range fc.Features {
		one := Feature{N: n, Kind: Kind(f.Properties.MustString("kind", "")), Name: strings.TrimSpace(f.Properties.MustString("name", ""))}
		if !slices.Contains(Kinds(), one.Kind) {
			return nil, fault.New(fault.Invalid, "basemap.bad_kind", "n", n+1, "kind", string(one.Kind))
		}
		if one.Geometry, err = geometry(f.Geometry, crs); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "basemap.bad_geometry", "n", n+1)
		}
		out[n] = one
	}
	return out, nil
}

// geometry writes a line or a ground in WGS84.
func geometry(g orb.Geometry, crs geo.CRS) (json.RawMessage, error) {
	move := func(p orb.Point) (orb.Point, error) {
		if p[0] < 73 || p[0] > 136 || p[1] < 17 || p[1] > 54 {
			return p, fault.New(fault.Invalid, "geo.bad_point", "lng", strconv.FormatFloat(p[0], 'f', -1, 64), "lat", strconv.FormatFloat(p[1], 'f', -1, 64))
		}
		if crs == geo.GCJ02 {
			q := geo.FromGCJ02(geo.Point{Lng: p[0], Lat: p[1]})
			return orb.Point{q.Lng, q.Lat}, nil
		}
		return p, nil
	}
	line := func(l []orb.Point) error {
		for n := range l {
			var err error
			if l[n], err = move(l[n]); err != nil {
				return err
			}
		}
		return nil
	}
	for _, l := range linesOf(g) {
		if err := line(l); err != nil {
			return nil, err
		}
	}
	switch g.(type) {
	case orb.LineString, orb.MultiLineString, orb.Polygon, orb.MultiPolygon:
		return geojson.NewGeometry(g).MarshalJSON()
	}
	return nil, fault.New(fault.Invalid, "basemap.bad_kind_of_geometry")
}

// linesOf are the lines and rings of a geometry, sharing its points.
func linesOf(g orb.Geometry) [][]orb.Point {
	var out [][]orb.Point
	switch x := g.(type) {
	case orb.LineString:
		out = append(out, x)
	case orb.MultiLineString:
		for _, l := range x {
			out = append(out, l)
		}
	case orb.Polygon:
		for _, r := range x {
			out = append(out, r)
		}
	case orb.MultiPolygon:
		for _, p := range x {
			out = append(out, linesOf(p)...)
		}
	}
	return out
}

// Lines are the lines and rings of a feature, for drawings made by the server.
func (f Feature) Lines() [][]geo.Point {
	g, err := geojson.UnmarshalGeometry(f.Geometry)
	if err != nil {
		return nil
	}
	var out [][]geo.Point
	for _, l := range linesOf(g.Geometry()) {
		points := make([]geo.Point, len(l))
		for n, p := range l {
			points[n] = geo.Point{Lng: p[0], Lat: p[1]}
		}
		out = append(out, points)
	}
	return out
}

// Middle is where the name of a feature stands: the middle of a line, or of the widest part of a ground.
func (f Feature) Middle() (geo.Point, bool) {
	if m, err := geo.ReadGeometry(f.Geometry); err == nil && len(m) > 0 {
		return m.LabelPoint(), true
	}
	lines := f.Lines()
	if len(lines) == 0 || len(lines[0]) == 0 {
		return geo.Point{}, false
	}
	return lines[0][len(lines[0])/2], true
}
