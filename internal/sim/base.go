package sim

import (
	"strings"

	"github.com/rehu-heat/rehu/internal/geo"
)

// MapFeature is one thing on the base map: a line with a name, or the ground of a district.
type MapFeature struct {
	Kind   string // river, ring, arterial, road, district, street
	Name   string
	Line   []geo.Point
	Ground geo.MultiPolygon
}

// features draws the base map: grounds first, so that lines lie on top.
func (p *plan) features(c *City) []MapFeature {
	var out []MapFeature
	for n, d := range c.Districts {
		out = append(out, MapFeature{Kind: "district", Name: d.Name, Ground: p.groundWhere(p.district, n)})
	}
	for n, s := range c.Streets {
		out = append(out, MapFeature{Kind: "street", Name: s.Name, Ground: p.groundWhere(p.street, n)})
	}
	out = append(out, p.riverLine(),
		MapFeature{Kind: "ring", Name: "一环路", Line: p.loop(7, 5, 13, 11)},
		MapFeature{Kind: "ring", Name: "二环路", Line: p.loop(4, 3, 16, 13)})
	for i := 1; i < columns; i++ {
		out = append(out, p.runs(words("roads_ns")[i], i, true)...)
	}
	for j := 1; j < rows; j++ {
		out = append(out, p.runs(words("roads_ew")[j], j, false)...)
	}
	return out
}

func (p *plan) groundWhere(of map[cell]int, n int) geo.MultiPolygon {
	var mine []cell
	for _, k := range p.cells {
		if of[k] == n {
			mine = append(mine, k)
		}
	}
	return p.ground(mine)
}

// riverLine follows the river from one side of the plan to the other.
func (p *plan) riverLine() MapFeature {
	f := MapFeature{Kind: "river", Name: words("river")[0], Line: []geo.Point{spot{-9_000, p.corner[0][p.river[0]].y - 300}.point()}}
	at := lattice{0, 2 * p.river[0]}
	f.Line = append(f.Line, p.at(at).point())
	for i := 1; i <= columns; i++ {
		for ; at.j < 2*p.river[i]; at.j++ {
			f.Line = append(f.Line, p.at(lattice{at.i, at.j + 1}).point())
		}
		for ; at.j > 2*p.river[i]; at.j-- {
			f.Line = append(f.Line, p.at(lattice{at.i, at.j - 1}).point())
		}
		for range 2 {
			at.i++
			f.Line = append(f.Line, p.at(at).point())
		}
	}
	return MapFeature{f.Kind, f.Name, append(f.Line, spot{9_000, p.corner[columns][p.river[columns]].y + 400}.point()), nil}
}

// loop is a ring road along lattice lines.
func (p *plan) loop(west, south, east, north int) []geo.Point {
	var line []geo.Point
	at := lattice{2 * west, 2 * south}
	for _, leg := range []struct{ di, dj, steps int }{
		{1, 0, 2 * (east - west)}, {0, 1, 2 * (north - south)}, {-1, 0, 2 * (east - west)}, {0, -1, 2 * (north - south)},
	} {
		for range leg.steps {
			line = append(line, p.at(at).point())
			at = lattice{at.i + leg.di, at.j + leg.dj}
		}
	}
	return append(line, line[0])
}

// runs are the stretches of one lattice line that lie in the city.
func (p *plan) runs(name string, n int, northward bool) (out []MapFeature) {
	kind := "road"
	if strings.HasSuffix(name, "大街") || n%5 == 0 {
		kind = "arterial"
	}
	last := columns
	if northward {
		last = rows
	}
	var line []geo.Point
	flush := func() {
		if len(line) > 1 {
			out = append(out, MapFeature{Kind: kind, Name: name, Line: line})
		}
		line = nil
	}
	for k := range last {
		a, b, from, mid, to := cell{k, n - 1}, cell{k, n}, lattice{2 * k, 2 * n}, lattice{2*k + 1, 2 * n}, lattice{2*k + 2, 2 * n}
		if northward {
			a, b, from, mid, to = cell{n - 1, k}, cell{n, k}, lattice{2 * n, 2 * k}, lattice{2 * n, 2*k + 1}, lattice{2 * n, 2*k + 2}
		}
		if !builtUp(a) && !builtUp(b) {
			flush()
			continue
		}
		if line == nil {
			line = append(line, p.at(from).point())
		}
		line = append(line, p.at(mid).point(), p.at(to).point())
	}
	flush()
	return out
}
