package sim

import (
	"slices"

	"github.com/rehu-heat/rehu/internal/geo"
)

// The plan of the city is a lattice of streets that are not quite straight: its cells are the blocks, its lines the roads,
// one chain of its edges the river. Areas, districts and subdistricts are made of whole blocks and so share their borders
// exactly. Places are whole metres from the centre.
const (
	columns, rows = 20, 16
	pitch         = 700
)

// spot is a place in metres east and north of the centre.
type spot struct{ x, y int }

// point is the place in degrees, to a tenth of a metre.
func (s spot) point() geo.Point {
	return geo.Point{
		Lng: float64(118_100_000+s.x*11_734/1000) / 1e6,
		Lat: float64(40_100_000+s.y*9_005/1000) / 1e6,
	}
}

// cell is one block; its south-west corner is the lattice point of the same numbers.
type cell struct{ i, j int }

type plan struct {
	seed     uint64
	corner   [columns + 1][rows + 1]spot
	bendX    [columns][rows + 1]spot // the middle of the edge that runs east from a corner
	bendY    [columns + 1][rows]spot // the middle of the edge that runs north from a corner
	river    [columns + 1]int        // the lattice row of the river at each column
	cells    []cell                  // the built-up blocks, west to east, south to north
	district map[cell]int
	street   map[cell]int
	area     []map[cell]int // of this season, then of the last: which area a block belongs to
}

func newPlan(seed uint64) *plan {
	p := &plan{seed: seed, district: map[cell]int{}, street: map[cell]int{}}
	d := roll(seed, "plan")
	for i := range columns + 1 {
		for j := range rows + 1 {
			p.corner[i][j] = spot{(i-columns/2)*pitch + d.bell(70), (j-rows/2)*pitch + d.bell(70)}
		}
	}
	for i := range columns + 1 {
		for j := range rows + 1 {
			if i < columns {
				p.bendX[i][j] = between(p.corner[i][j], p.corner[i+1][j], 0, d.bell(25))
			}
			if j < rows {
				p.bendY[i][j] = between(p.corner[i][j], p.corner[i][j+1], d.bell(25), 0)
			}
		}
	}
	row := 6
	for i := range p.river {
		p.river[i] = row
		if i%2 == 1 {
			row = min(max(row+d.between(-1, 1), 5), 7)
		}
	}
	for i := range columns {
		for j := range rows {
			if k := (cell{i, j}); builtUp(k) {
				p.cells = append(p.cells, k)
				p.district[k] = p.districtOf(k)
			}
		}
	}
	return p
}

func between(a, b spot, dx, dy int) spot { return spot{(a.x+b.x)/2 + dx, (a.y+b.y)/2 + dy} }

// builtUp is an oval of old town and suburbs, and the new town in the north-east.
func builtUp(k cell) bool {
	x, y := 2*k.i+1-columns, 2*k.j+1-rows
	return x*x*100+y*y*160 < 38_000 || (x-16)*(x-16)+(y-12)*(y-12) < 16
}

// north reports whether a block lies north of the river.
func (p *plan) north(k cell) bool { return k.j >= max(p.river[k.i], p.river[k.i+1]) }

func (p *plan) districtOf(k cell) int {
	switch {
	case k.i < 6:
		return 4 // 西岭区
	case !p.north(k) && k.i < 13:
		return 3 // 汀南区
	case !p.north(k):
		return 5 // 新河区
	case k.j >= 11:
		return 2 // 北屏区
	case k.i < 13:
		return 0 // 和暖区
	default:
		return 1 // 东岗区
	}
}

// streets shares each district out among its subdistricts: seeds far from each other, every block to the nearest.
func (p *plan) streets() []Street {
	var out []Street
	names := words("streets")
	for at, d := range districts() {
		var mine []cell
		for _, k := range p.cells {
			if p.district[k] == at {
				mine = append(mine, k)
			}
		}
		seeds := spread(mine, 5)
		for n := range seeds {
			out = append(out, Street{Code: d.Code + pad(n+1, 3), Name: names[len(out)%len(names)], District: at})
		}
		for _, k := range mine {
			p.street[k] = len(out) - len(seeds) + nearest(seeds, k)
		}
	}
	return out
}

// spread picks cells that are far from each other.
func spread(of []cell, n int) []cell {
	var seeds []cell
	for len(seeds) < n && len(seeds) < len(of) {
		best, away := of[0], -1
		for _, k := range of {
			a := 1 << 20
			for _, s := range seeds {
				a = min(a, apart(s, k))
			}
			if len(seeds) > 0 && a > away || len(seeds) == 0 && away < 0 {
				best, away = k, a
			}
		}
		seeds = append(seeds, best)
	}
	return seeds
}

func apart(a, b cell) int { return (a.i-b.i)*(a.i-b.i) + (a.j-b.j)*(a.j-b.j) }

func nearest(seeds []cell, k cell) int {
	best := 0
	for n, s := range seeds {
		if apart(s, k) < apart(seeds[best], k) {
			best = n
		}
	}
	return best
}

// neighbours are the four blocks next to a block.
func (k cell) neighbours() [4]cell {
	return [4]cell{{k.i + 1, k.j}, {k.i, k.j + 1}, {k.i - 1, k.j}, {k.i, k.j - 1}}
}

// inside is a place in a block, by ninths of the way from its west and from its south side.
func (p *plan) inside(k cell, east, north int) spot {
	a, b := p.corner[k.i][k.j], p.corner[k.i+1][k.j]
	c, d := p.corner[k.i][k.j+1], p.corner[k.i+1][k.j+1]
	mix := func(sw, se, nw, ne int) int {
		return (sw*(9-east)*(9-north) + se*east*(9-north) + nw*(9-east)*north + ne*east*north) / 81
	}
	return spot{mix(a.x, b.x, c.x, d.x), mix(a.y, b.y, c.y, d.y)}
}

// side is the middle of the border between two neighbouring blocks.
func (p *plan) side(k, to cell) spot {
	switch {
	case to.i > k.i:
		return p.bendY[k.i+1][k.j]
	case to.i < k.i:
		return p.bendY[k.i][k.j]
	case to.j > k.j:
		return p.bendX[k.i][k.j+1]
	default:
		return p.bendX[k.i][k.j]
	}
}

// lattice is a point of the lattice in half steps: even numbers are corners, one odd number is the bend of an edge.
type lattice struct{ i, j int }

func (p *plan) at(l lattice) spot {
	switch {
	case l.i%2 == 1:
		return p.bendX[l.i/2][l.j/2]
	case l.j%2 == 1:
		return p.bendY[l.i/2][l.j/2]
	default:
		return p.corner[l.i/2][l.j/2]
	}
}

// ground is the area that blocks cover together. The borders that no second block shares are walked with the ground on the
// left; where a walk meets its own track, the loop is cut off as a ring of its own, so that no ring touches itself.
func (p *plan) ground(of []cell) geo.MultiPolygon {
	next := map[lattice][]lattice{}
	var starts []lattice
	mine := map[cell]bool{}
	for _, k := range of {
		mine[k] = true
	}
	for _, k := range of {
		sw, se := lattice{2 * k.i, 2 * k.j}, lattice{2*k.i + 2, 2 * k.j}
		ne, nw := lattice{2*k.i + 2, 2*k.j + 2}, lattice{2 * k.i, 2*k.j + 2}
		edges := [4][2]lattice{{se, ne}, {ne, nw}, {nw, sw}, {sw, se}}
		for side, other := range k.neighbours() {
			if !mine[other] {
				next[edges[side][0]] = append(next[edges[side][0]], edges[side][1])
				starts = append(starts, edges[side][0])
			}
		}
	}
	var outer, holes [][]lattice
	for _, s := range starts {
		for len(next[s]) > 0 {
			for _, ring := range walk(next, s) {
				if turning(ring) > 0 {
					outer = append(outer, ring)
				} else {
					holes = append(holes, ring)
				}
			}
		}
	}
	m := make(geo.MultiPolygon, len(outer))
	for n, ring := range outer {
		m[n] = geo.Polygon{p.ring(ring)}
	}
	for _, hole := range holes {
		r := p.ring(hole)
		for n := range m {
			if (geo.Polygon{m[n][0]}).Contains(p.middle(hole).point()) {
				m[n] = append(m[n], r)
				break
			}
		}
	}
	return m
}

// walk takes borders away from next until it is back at s, and gives the rings it found.
func walk(next map[lattice][]lattice, s lattice) (rings [][]lattice) {
	track := []lattice{s}
	for {
		at := track[len(track)-1]
		ways := next[at]
		if len(ways) == 0 {
			return rings
		}
		to := ways[len(ways)-1]
		next[at] = ways[:len(ways)-1]
		if back := slices.Index(track, to); back >= 0 {
			rings = append(rings, slices.Clone(track[back:]))
			track = track[:back+1]
			if back == 0 {
				return rings
			}
			continue
		}
		track = append(track, to)
	}
}

// turning is twice the area a ring goes round, negative when it goes clockwise.
func turning(ring []lattice) int {
	sum := 0
	for n, a := range ring {
		b := ring[(n+1)%len(ring)]
		sum += a.i*b.j - b.i*a.j
	}
	return sum
}

// ring puts the bend of each edge between its corners.
func (p *plan) ring(corners []lattice) geo.Ring {
	out := make(geo.Ring, 0, 2*len(corners))
	for n, a := range corners {
		b := corners[(n+1)%len(corners)]
		out = append(out, p.at(a).point(), p.at(lattice{(a.i + b.i) / 2, (a.j + b.j) / 2}).point())
	}
	return out
}

// middle is a place inside a hole: a hole goes clockwise, so the block to the right of its first edge is in it.
func (p *plan) middle(hole []lattice) spot {
	a, b := hole[0], hole[1]
	di, dj := (b.i-a.i)/2, (b.j-a.j)/2
	return p.inside(cell{((a.i+b.i)/2 + dj - 1) / 2, ((a.j+b.j)/2 - di - 1) / 2}, 4, 4)
}
