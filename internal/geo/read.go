package geo

import (
	"fmt"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"github.com/peterstace/simplefeatures/geom"

	"github.com/rehu-heat/rehu/internal/fault"
)

// Feature is one entry of a GeoJSON file.
type Feature struct {
	Properties map[string]any
	Geometry   MultiPolygon
	Err        error // why the geometry cannot be used; the others can
}

// ReadFeatures reads a GeoJSON feature collection of polygons. A feature with a bad geometry carries its fault; a file
// that is no such collection is a fault of its own.
func ReadFeatures(b []byte, crs CRS) ([]Feature, error) {
	fc, err := geojson.UnmarshalFeatureCollection(b)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "geo.bad_geojson")
	}
	if len(fc.Features) == 0 {
		return nil, fault.New(fault.Invalid, "geo.no_features")
	}
	features := make([]Feature, len(fc.Features))
	for i, f := range fc.Features {
		features[i].Properties = f.Properties
		features[i].Geometry, features[i].Err = fromOrb(f.Geometry, crs)
	}
	return features, nil
}

// ReadGeometry reads one GeoJSON Polygon or MultiPolygon in WGS84.
func ReadGeometry(b []byte) (MultiPolygon, error) {
	g, err := geojson.UnmarshalGeometry(b)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "geo.bad_geojson")
	}
	return fromOrb(g.Geometry(), WGS84)
}

// GeoJSON writes the area as a GeoJSON MultiPolygon.
func (m MultiPolygon) GeoJSON() ([]byte, error) {
	mp := make(orb.MultiPolygon, len(m))
	for i, poly := range m {
		mp[i] = make(orb.Polygon, len(poly))
		for j, r := range poly {
			ring := make(orb.Ring, 0, len(r)+1)
			for _, p := range r {
				ring = append(ring, orb.Point{p.Lng, p.Lat})
			}
			if len(r) > 0 {
				ring = append(ring, ring[0])
			}
			mp[i][j] = ring
		}
	}
	b, err := geojson.NewGeometry(mp).MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("write GeoJSON: %w", err)
	}
	return b, nil
}

// fromOrb converts and checks.
func fromOrb(g orb.Geometry, crs CRS) (MultiPolygon, error) {
	var pieces orb.MultiPolygon
	switch x := g.(type) {
	case orb.Polygon:
		pieces = orb.MultiPolygon{x}
	case orb.MultiPolygon:
		pieces = x
	case nil:
		return nil, fault.New(fault.Invalid, "geo.no_geometry")
	default:
		return nil, fault.New(fault.Invalid, "geo.not_an_area", "type", g.GeoJSONType())
	}
	m := make(MultiPolygon, 0, len(pieces))
	for _, piece := range pieces {
		poly := make(Polygon, 0, len(piece))
		for _, ring := range piece {
			r := make(Ring, 0, len(ring))
			for i, p := range ring {
				if i == len(ring)-1 && len(ring) > 1 && p == ring[0] {
					break
				}
				r = append(r, crs.ToWGS84(Point{p[0], p[1]}))
			}
			poly = append(poly, r)
		}
		m = append(m, poly)
	}
	return m, m.Check()
}

// Check is nil for an area that can be used: rings that do not cross themselves or each other, holes inside, places on
// Earth.
func (m MultiPolygon) Check() error {
	if len(m) == 0 {
		return fault.New(fault.Invalid, "geo.no_geometry")
	}
	for _, poly := range m {
		if len(poly) == 0 {
			return fault.New(fault.Invalid, "geo.no_geometry")
		}
		for _, r := range poly {
			if len(r) < 3 {
				return fault.New(fault.Invalid, "geo.short_ring", "points", len(r))
			}
			for _, p := range r {
				if !p.Valid() {
					return fault.New(fault.Invalid, "geo.bad_point", "lng", p.Lng, "lat", p.Lat)
				}
			}
		}
	}
	if err := m.shape(1, 1, Point{}).Validate(); err != nil {
		at := m.Box().Min
		return fault.Wrap(err, fault.Invalid, "geo.crossing", "lng", fmt.Sprintf("%.5f", at.Lng), "lat", fmt.Sprintf("%.5f", at.Lat))
	}
	return nil
}

// shape is the area in the library's terms, scaled and moved.
func (m MultiPolygon) shape(x, y float64, origin Point) geom.MultiPolygon {
	polys := make([]geom.Polygon, len(m))
	for i, poly := range m {
		rings := make([]geom.LineString, len(poly))
		for j, r := range poly {
			c := make([]float64, 0, 2*len(r)+2)
			for _, p := range r {
				c = append(c, (p.Lng-origin.Lng)*x, (p.Lat-origin.Lat)*y)
			}
			if len(r) > 0 {
				c = append(c, c[0], c[1])
			}
			rings[j] = geom.NewLineString(geom.NewSequence(c, geom.DimXY))
		}
		polys[i] = geom.NewPolygon(rings)
	}
	return geom.NewMultiPolygon(polys)
}

// Overlap is the ground that two areas both claim.
type Overlap struct {
	AreaM2 float64
	WidthM float64 // of the widest piece, as of a strip: twice its area over its perimeter
	At     Point   // a place in that piece
}

// Sliver is the width in metres under which an overlap is drawing error and only warned about.
const Sliver = 2.0

// IsSliver reports whether the overlap is only a matter of drawing.
func (o Overlap) IsSliver() bool { return o.WidthM < Sliver }

// OverlapOf finds where two areas overlap; ok is false where they do not.
func OverlapOf(a, b MultiPolygon) (o Overlap, ok bool, err error) {
	if !a.Box().Meets(b.Box()) {
		return Overlap{}, false, nil
	}
	origin := a.Box().Min
	x, y := degree(origin.Lat)
	both, err := geom.Intersection(a.shape(x, y, origin).AsGeometry(), b.shape(x, y, origin).AsGeometry())
	if err != nil {
		return Overlap{}, false, fmt.Errorf("overlap of areas: %w", err)
	}
	for _, g := range both.Dump() {
		poly, is := g.AsPolygon()
		if !is || poly.Area() < 1e-6 {
			continue
		}
		area := poly.Area()
		o.AreaM2 += area
		if w := 2 * area / poly.Boundary().Length(); w > o.WidthM {
			o.WidthM = w
			if xy, has := poly.PointOnSurface().XY(); has {
				o.At = Point{origin.Lng + xy.X/x, origin.Lat + xy.Y/y}
			}
		}
	}
	return o, o.AreaM2 > 0, nil
}
