// Package geo knows where a flat lies: points in both coordinate systems used in China, served areas with their holes,
// which area holds a point and how far the border is, where two areas overlap, and a small drawing of them.
//
// Coordinates inside the program are WGS84 degrees. GCJ-02, which Chinese maps show, is converted at the door.
package geo

import "math"

// Point is a place in degrees.
type Point struct {
	Lng float64 `json:"lng"`
	Lat float64 `json:"lat"`
}

// Ring is a closed line of points; the first point is not repeated at the end.
type Ring []Point

// Polygon is an outer ring followed by its holes.
type Polygon []Ring

// MultiPolygon is the ground of one area; it may lie in several pieces.
type MultiPolygon []Polygon

// Box is a rectangle of degrees.
type Box struct{ Min, Max Point }

// Valid reports whether the point is a place on Earth.
func (p Point) Valid() bool {
	return p.Lng >= -180 && p.Lng <= 180 && p.Lat >= -90 && p.Lat <= 90 // NaN fails
}

// IsZero reports whether the point is absent.
func (p Point) IsZero() bool { return p == Point{} }

// Lengths of a degree follow the usual series for the WGS84 ellipsoid; over a city the error is below one part in 10^5.
func degree(lat float64) (perLng, perLat float64) {
	f := lat * math.Pi / 180
	perLat = 111132.92 - 559.82*math.Cos(2*f) + 1.175*math.Cos(4*f)
	perLng = 111412.84*math.Cos(f) - 93.5*math.Cos(3*f) + 0.118*math.Cos(5*f)
	return perLng, perLat
}

// Metres is the distance between two places of one city.
func (p Point) Metres(q Point) float64 {
	x, y := degree((p.Lat + q.Lat) / 2)
	return math.Hypot((p.Lng-q.Lng)*x, (p.Lat-q.Lat)*y)
}

// Move gives the point that lies so many metres to the east and to the north.
func (p Point) Move(east, north float64) Point {
	x, y := degree(p.Lat)
	return Point{p.Lng + east/x, p.Lat + north/y}
}

// Around is the box that reaches so many metres to each side of a point.
func Around(p Point, metres float64) Box {
	x, y := degree(p.Lat)
	return Box{Point{p.Lng - metres/x, p.Lat - metres/y}, Point{p.Lng + metres/x, p.Lat + metres/y}}
}

// IsEmpty reports whether the box holds nothing.
func (b Box) IsEmpty() bool { return b.Min.Lng > b.Max.Lng || b.Min.Lat > b.Max.Lat }

// Contains reports whether a point lies in the box or on its edge.
func (b Box) Contains(p Point) bool {
	return p.Lng >= b.Min.Lng && p.Lng <= b.Max.Lng && p.Lat >= b.Min.Lat && p.Lat <= b.Max.Lat
}

// Meets reports whether two boxes touch or overlap.
func (b Box) Meets(c Box) bool {
	return b.Min.Lng <= c.Max.Lng && c.Min.Lng <= b.Max.Lng && b.Min.Lat <= c.Max.Lat && c.Min.Lat <= b.Max.Lat
}

// With is the smallest box that holds both.
func (b Box) With(c Box) Box {
	return Box{
		Point{math.Min(b.Min.Lng, c.Min.Lng), math.Min(b.Min.Lat, c.Min.Lat)},
		Point{math.Max(b.Max.Lng, c.Max.Lng), math.Max(b.Max.Lat, c.Max.Lat)},
	}
}

// Nowhere is the empty box, to start With from.
func Nowhere() Box {
	inf := math.Inf(1)
	return Box{Point{inf, inf}, Point{-inf, -inf}}
}

// Box is the smallest box that holds the ring.
func (r Ring) Box() Box {
	b := Nowhere()
	for _, p := range r {
		b.Min.Lng, b.Max.Lng = math.Min(b.Min.Lng, p.Lng), math.Max(b.Max.Lng, p.Lng)
		b.Min.Lat, b.Max.Lat = math.Min(b.Min.Lat, p.Lat), math.Max(b.Max.Lat, p.Lat)
	}
	return b
}

// Box is the smallest box that holds the area.
func (m MultiPolygon) Box() Box {
	b := Nowhere()
	for _, poly := range m {
		if len(poly) > 0 {
			b = b.With(poly[0].Box())
		}
	}
	return b
}

// contains casts a ray eastward and counts the edges it crosses.
func (r Ring) contains(p Point) bool {
	in := false
	for i, j := 0, len(r)-1; i < len(r); j, i = i, i+1 {
		a, b := r[i], r[j]
		if (a.Lat > p.Lat) != (b.Lat > p.Lat) && p.Lng < (b.Lng-a.Lng)*(p.Lat-a.Lat)/(b.Lat-a.Lat)+a.Lng {
			in = !in
		}
	}
	return in
}

// Contains reports whether a point lies inside and not in a hole.
func (p Polygon) Contains(q Point) bool {
	if len(p) == 0 || !p[0].contains(q) {
		return false
	}
	for _, hole := range p[1:] {
		if hole.contains(q) {
			return false
		}
	}
	return true
}

// Contains reports whether a point lies in one of the pieces.
func (m MultiPolygon) Contains(p Point) bool {
	for _, poly := range m {
		if poly.Contains(p) {
			return true
		}
	}
	return false
}

// BorderMetres is the distance from a point to the nearest border of the area, inside or outside; +Inf for no area.
func (m MultiPolygon) BorderMetres(p Point) float64 {
	best := math.Inf(1)
	x, y := degree(p.Lat)
	for _, poly := range m {
		for _, r := range poly {
			for i, j := 0, len(r)-1; i < len(r); j, i = i, i+1 {
				d := segment((r[j].Lng-p.Lng)*x, (r[j].Lat-p.Lat)*y, (r[i].Lng-p.Lng)*x, (r[i].Lat-p.Lat)*y)
				best = math.Min(best, d)
			}
		}
	}
	return math.Sqrt(best)
}

// segment is the squared distance from the origin to the line from a to b.
func segment(ax, ay, bx, by float64) float64 {
	dx, dy := bx-ax, by-ay
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = math.Max(0, math.Min(1, -(ax*dx+ay*dy)/l))
	}
	cx, cy := ax+t*dx, ay+t*dy
	return cx*cx + cy*cy
}

// signedArea of a ring in square degrees, with its centroid.
func (r Ring) signedArea() (area float64, at Point) {
	if len(r) == 0 {
		return 0, Point{}
	}
	o := r[0] // relative to a corner: degrees are large numbers and areas of estates small ones
	var cx, cy float64
	for i, j := 0, len(r)-1; i < len(r); j, i = i, i+1 {
		a, b := Point{r[j].Lng - o.Lng, r[j].Lat - o.Lat}, Point{r[i].Lng - o.Lng, r[i].Lat - o.Lat}
		c := a.Lng*b.Lat - b.Lng*a.Lat
		area += c / 2
		cx += (a.Lng + b.Lng) * c
		cy += (a.Lat + b.Lat) * c
	}
	if area == 0 {
		return 0, o
	}
	return area, Point{o.Lng + cx/(6*area), o.Lat + cy/(6*area)}
}

// AreaM2 is the ground covered, in square metres.
func (m MultiPolygon) AreaM2() float64 {
	sum := 0.0
	for _, poly := range m {
		for i, r := range poly {
			a, c := r.signedArea()
			x, y := degree(c.Lat)
			if a = math.Abs(a) * x * y; i == 0 {
				sum += a
			} else {
				sum -= a
			}
		}
	}
	return sum
}

// Centroid is the balance point of the area; it may lie outside of it.
func (m MultiPolygon) Centroid() Point {
	var w, x, y float64
	for _, poly := range m {
		for i, r := range poly {
			a, c := r.signedArea()
			if a = math.Abs(a); i > 0 {
				a = -a
			}
			w, x, y = w+a, x+a*c.Lng, y+a*c.Lat
		}
	}
	if w == 0 {
		return m.Box().Min
	}
	return Point{x / w, y / w}
}

// LabelPoint is a place inside the largest piece where its name can be written: the centroid where it lies inside, else
// the middle of the widest stretch.
func (m MultiPolygon) LabelPoint() Point {
	var big Polygon
	most := -1.0
	for _, poly := range m {
		if len(poly) == 0 {
			continue
		}
		if a, _ := poly[0].signedArea(); math.Abs(a) > most {
			most, big = math.Abs(a), poly
		}
	}
	if big == nil {
		return Point{}
	}
	if c := (MultiPolygon{big}).Centroid(); big.Contains(c) {
		return c
	}
	return big.widest()
}
