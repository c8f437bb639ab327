package geo

import (
	"math"
	"sort"
	"strconv"
)

// Frame maps a piece of the city to a drawing of so many units, north up, true in shape.
type Frame struct {
	Width, Height float64
	origin        Point // upper left
	x, y          float64
}

// NewFrame fits a box into a drawing with a margin on every side.
func NewFrame(b Box, width, height, margin float64) Frame {
	f := Frame{Width: width, Height: height}
	if b.IsEmpty() {
		f.x, f.y = 1, 1
		return f
	}
	mx, my := degree((b.Min.Lat + b.Max.Lat) / 2)
	w, h := math.Max((b.Max.Lng-b.Min.Lng)*mx, 1), math.Max((b.Max.Lat-b.Min.Lat)*my, 1)
	s := math.Min((width-2*margin)/w, (height-2*margin)/h)
	f.x, f.y = s*mx, s*my
	mid := Point{(b.Min.Lng + b.Max.Lng) / 2, (b.Min.Lat + b.Max.Lat) / 2}
	f.origin = Point{mid.Lng - width/2/f.x, mid.Lat + height/2/f.y}
	return f
}

// XY is where a point stands in the drawing.
func (f Frame) XY(p Point) (x, y float64) {
	return (p.Lng - f.origin.Lng) * f.x, (f.origin.Lat - p.Lat) * f.y
}

// Point is the place under a spot of the drawing.
func (f Frame) Point(x, y float64) Point {
	return Point{f.origin.Lng + x/f.x, f.origin.Lat - y/f.y}
}

// Path is the area as the d attribute of an SVG path, for fill-rule evenodd. Points that fall on the same tenth of a
// unit as the one before are left out.
func (f Frame) Path(m MultiPolygon) string {
	var b []byte
	for _, poly := range m {
		for _, r := range poly {
			b = f.ring(b, r)
		}
	}
	return string(b)
}

func (f Frame) ring(b []byte, r Ring) []byte {
	lastX, lastY := math.NaN(), math.NaN()
	for i, p := range r {
		x, y := f.XY(p)
		x, y = math.Round(x*10)/10, math.Round(y*10)/10
		if x == lastX && y == lastY {
			continue
		}
		if i == 0 {
			b = append(b, 'M')
		} else {
			b = append(b, 'L')
		}
		b = strconv.AppendFloat(b, x, 'f', -1, 64)
		b = append(b, ' ')
		b = strconv.AppendFloat(b, y, 'f', -1, 64)
		lastX, lastY = x, y
	}
	if len(r) > 0 {
		b = append(b, 'Z')
	}
	return b
}

// widest is the middle of the widest stretch inside a polygon, on a few lines from west to east.
func (p Polygon) widest() Point {
	b := p[0].Box()
	best, at := -1.0, p[0][0]
	for i := 1; i < 16; i++ {
		lat := b.Min.Lat + (b.Max.Lat-b.Min.Lat)*float64(i)/16
		var cuts []float64
		for _, r := range p {
			for i, j := 0, len(r)-1; i < len(r); j, i = i, i+1 {
				u, v := r[i], r[j]
				if (u.Lat > lat) != (v.Lat > lat) {
					cuts = append(cuts, (v.Lng-u.Lng)*(lat-u.Lat)/(v.Lat-u.Lat)+u.Lng)
				}
			}
		}
		sort.Float64s(cuts)
		for k := 0; k+1 < len(cuts); k += 2 {
			if w := cuts[k+1] - cuts[k]; w > best {
				best, at = w, Point{(cuts[k] + cuts[k+1]) / 2, lat}
			}
		}
	}
	return at
}
