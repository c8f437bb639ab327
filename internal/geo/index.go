package geo

import (
	"math"

	"github.com/tidwall/rtree"
)

// Index finds the areas at a place among thousands. It never changes after it is made.
type Index struct {
	tree  rtree.RTreeG[int32]
	areas []*MultiPolygon
	boxes []Box
}

// NewIndex indexes areas; a nil area (one by list) keeps its number and is never found.
func NewIndex(areas []*MultiPolygon) *Index {
	x := &Index{areas: areas, boxes: make([]Box, len(areas))}
	for i, a := range areas {
		if a == nil || len(*a) == 0 {
			x.boxes[i] = Nowhere()
			continue
		}
		b := a.Box()
		x.boxes[i] = b
		x.tree.Insert([2]float64{b.Min.Lng, b.Min.Lat}, [2]float64{b.Max.Lng, b.Max.Lat}, int32(i)) //nolint:gosec // thousands
	}
	return x
}

// At calls found for every area that holds the point, in the order of their numbers' boxes, until it says false.
func (x *Index) At(p Point, found func(area int) bool) {
	c := [2]float64{p.Lng, p.Lat}
	x.tree.Search(c, c, func(_, _ [2]float64, i int32) bool {
		if x.areas[i].Contains(p) {
			return found(int(i))
		}
		return true
	})
}

// Near calls found for every area whose ground is within so many metres of the point, with the distance (0 inside).
func (x *Index) Near(p Point, metres float64, found func(area int, away float64) bool) {
	b := Around(p, metres)
	x.tree.Search([2]float64{b.Min.Lng, b.Min.Lat}, [2]float64{b.Max.Lng, b.Max.Lat}, func(_, _ [2]float64, i int32) bool {
		if x.areas[i].Contains(p) {
			return found(int(i), 0)
		}
		if d := x.areas[i].BorderMetres(p); d <= metres {
			return found(int(i), d)
		}
		return true
	})
}

// Points finds the nearest of many places.
type Points struct {
	tree rtree.RTreeG[int32]
	at   []Point
}

// NewPoints indexes places; absent ones keep their number and are never found.
func NewPoints(at []Point) *Points {
	x := &Points{at: at}
	for i, p := range at {
		if !p.IsZero() {
			c := [2]float64{p.Lng, p.Lat}
			x.tree.Insert(c, c, int32(i)) //nolint:gosec // thousands
		}
	}
	return x
}

// Nearest gives the number of the nearest place within so many metres, or -1.
func (x *Points) Nearest(p Point, metres float64) (which int, away float64) {
	which, away = -1, math.Inf(1)
	b := Around(p, metres)
	x.tree.Search([2]float64{b.Min.Lng, b.Min.Lat}, [2]float64{b.Max.Lng, b.Max.Lat}, func(_, _ [2]float64, i int32) bool {
		if d := p.Metres(x.at[i]); d <= metres && d < away {
			which, away = int(i), d
		}
		return true
	})
	return which, away
}
