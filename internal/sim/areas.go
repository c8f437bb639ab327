package sim

import (
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
)

// The companies, by index.
const (
	mainCompany = iota // 暖城热力
	northCompany
	southCompany
	eastCompany
	westCompany
	newTownCompany
	housingCentre
	boilerRoom
)

func districts() []District {
	return []District{
		{"990101", "和暖区"},
		{"990102", "东岗区"},
		{"990103", "北屏区"},
		{"990104", "汀南区"},
		{"990105", "西岭区"},
		{"990106", "新河区"},
	}
}

// companies are the supply units. Their numbers have an area code that no place has.
func companies() []Company {
	until := func(y int) civil.Date { return civil.NewDate(y, 9, 30) }
	return []Company{
		{"C1", "暖城市热力集团有限公司", "暖城热力", HeatingCompany, "0399-8610001", "暖热许2022001", until(2027), 84, 3},
		{"C2", "北屏恒源供热有限公司", "北屏恒源", HeatingCompany, "0399-8620002", "暖热许2021004", until(2026), 92, 6},
		{"C3", "暖城汀南热电有限责任公司", "汀南热电", HeatingCompany, "0399-8630003", "暖热许2023002", until(2028), 75, -1},
		{"C4", "东岗瑞晟供热有限公司", "东岗瑞晟", HeatingCompany, "0399-8640004", "暖热许2022005", until(2027), 77, 1},
		{"C5", "西岭金炬热力有限公司", "西岭金炬", HeatingCompany, "0399-8650005", "暖热许2021003", until(2026), 61, -6},
		{"C6", "新河清源能源供热有限公司", "新河清源", HeatingCompany, "0399-8660006", "暖热许2024001", until(2029), 88, 4},
		{"C7", "和暖区房产管理服务中心", "和暖房管中心", HousingCentre, "0399-8670007", "暖热许2021007", until(2026), 45, -4},
		{"C8", "暖城第一棉纺厂生活区锅炉房", "一棉锅炉房", OwnBoilerRoom, "0399-8680008", "暖热许2022008", until(2027), 34, -3},
	}
}

// parts are groups of blocks with an owner, while the city is being divided.
type parts struct {
	blocks [][]cell
	owner  []int
}

// divide makes the served areas of both seasons.
func (c *City) divide() {
	d := roll(c.Seed, "areas")
	p := c.enclaves(d)
	c.grow(d, &p)
	joinFar(c.plan, &p, 3)
	now := c.territory("2025-2026", civil.NewDate(2025, 7, 1), "暖城管〔2025〕31号 供热辖区划定通告", p)
	before := c.lastSeason(d, p)
	c.Seasons = [2]Territory{c.territory("2024-2025", civil.NewDate(2024, 7, 1), "暖城管〔2024〕27号 供热辖区划定通告", before), now}
}

// enclaves are three rings of blocks that one company serves around a block of another.
func (c *City) enclaves(d dice) parts {
	var p parts
	taken := map[cell]bool{}
	inside := []int{boilerRoom, housingCentre, housingCentre}
	for _, where := range []int{1, 0, 3} { // 东岗区, 和暖区, 汀南区
		for _, k := range shuffled(d, c.plan.cells) {
			ring := c.ringAround(k, where, taken)
			if ring == nil {
				continue
			}
			for _, r := range append(ring, k) {
				taken[r] = true
			}
			p.blocks = append(p.blocks, ring, []cell{k})
			p.owner = append(p.owner, base(where), inside[len(p.owner)/2])
			break
		}
	}
	return p
}

func shuffled[T any](d dice, of []T) []T {
	out := slices.Clone(of)
	shuffle(d, out)
	return out
}

// ringAround are the eight blocks around a block, nil unless all are free, of the district and on one bank.
func (c *City) ringAround(k cell, district int, taken map[cell]bool) []cell {
	var ring []cell
	for _, step := range [9]cell{{-1, -1}, {0, -1}, {1, -1}, {1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}, {0, 0}} {
		r := cell{k.i + step.i, k.j + step.j}
		if at, built := c.plan.district[r]; !built || at != district || taken[r] || c.plan.north(r) != c.plan.north(k) {
			return nil
		}
		if r != k {
			ring = append(ring, r)
		}
	}
	return ring
}

// base is the company that serves most of a district.
func base(district int) int {
	return [6]int{mainCompany, eastCompany, northCompany, southCompany, westCompany, newTownCompany}[district]
}

// grow shares the rest of each district and bank out among areas of three to five blocks.
func (c *City) grow(d dice, p *parts) {
	free := map[cell]bool{}
	for _, k := range c.plan.cells {
		free[k] = true
	}
	for _, of := range p.blocks {
		for _, k := range of {
			delete(free, k)
		}
	}
	for _, first := range c.plan.cells {
		for free[first] {
			part := []cell{first}
			delete(free, first)
			for want := d.between(3, 5); len(part) < want; {
				k, ok := c.another(d, part, free)
				if !ok {
					break
				}
				part = append(part, k)
				delete(free, k)
			}
			p.add(c, d, part)
		}
	}
}

// another is a free block of the district and bank next to a part, one with few other free blocks around it first, so that
// few are left alone.
func (c *City) another(d dice, part []cell, free map[cell]bool) (best cell, ok bool) {
	least := 1 << 20
	for _, k := range part {
		for _, n := range k.neighbours() {
			if !free[n] || c.plan.district[n] != c.plan.district[k] || c.plan.north(n) != c.plan.north(k) {
				continue
			}
			ways := 0
			for _, m := range n.neighbours() {
				if free[m] {
					ways++
				}
			}
			if ways = ways*4 + apart(part[0], n)*2 + d.n(4); ways < least {
				best, least, ok = n, ways, true
			}
		}
	}
	return best, ok
}

// add gives a part to a company; a block alone goes to a part of its district that it touches.
func (p *parts) add(c *City, d dice, part []cell) {
	if len(part) == 1 {
		for n := len(p.blocks) - 1; n >= 6; n-- { // the enclaves stay as they are
			if c.plan.district[p.blocks[n][0]] == c.plan.district[part[0]] && touches(p.blocks[n], part[0]) {
				p.blocks[n] = append(p.blocks[n], part[0])
				return
			}
		}
	}
	where := c.plan.district[part[0]]
	owner := base(where)
	switch {
	case where == 0 && d.chance(250):
		owner = housingCentre
	case where != 1 && d.chance(150):
		owner = mainCompany
	case d.chance(80):
		owner = base(d.n(6))
	}
	p.blocks = append(p.blocks, part)
	p.owner = append(p.owner, owner)
}

func touches(part []cell, k cell) bool {
	for _, n := range k.neighbours() {
		if slices.Contains(part, n) {
			return true
		}
	}
	return false
}

// joinFar makes areas of two pieces: small ones of one owner and district that do not touch.
func joinFar(p *plan, q *parts, pairs int) {
	for a := len(q.blocks) - 1; a >= 6 && pairs > 0; a-- {
		for b := 6; b < a; b++ {
			if q.owner[a] != q.owner[b] || len(q.blocks[a])+len(q.blocks[b]) > 8 ||
				p.district[q.blocks[a][0]] != p.district[q.blocks[b][0]] ||
				slices.ContainsFunc(q.blocks[a], func(k cell) bool { return touches(q.blocks[b], k) || p.north(k) != p.north(q.blocks[b][0]) }) {
				continue
			}
			q.blocks[b] = append(q.blocks[b], q.blocks[a]...)
			q.blocks = slices.Delete(q.blocks, a, a+1)
			q.owner = slices.Delete(q.owner, a, a+1)
			a, pairs = len(q.blocks), pairs-1
			break
		}
	}
}

// lastSeason undoes what changed: areas that changed hands, blocks that moved from one area to the next, and one area that
// nobody served yet.
func (c *City) lastSeason(d dice, now parts) parts {
	before := parts{owner: slices.Clone(now.owner)}
	for _, of := range now.blocks {
		before.blocks = append(before.blocks, slices.Clone(of))
	}
	var order []int
	for a := 6; a < len(now.blocks); a++ {
		order = append(order, a)
	}
	shuffle(d, order)
	hands, moved := 0, 0
	for _, a := range order {
		other, at, ok := c.neighbourOf(now, a)
		switch {
		case !ok:
		case hands < 4:
			before.owner[a] = now.owner[other]
			hands++
		case moved < 3 && len(before.blocks[a]) > 2 && stays(before.blocks[a], at):
			before.blocks[a] = slices.DeleteFunc(before.blocks[a], func(k cell) bool { return k == at })
			before.blocks[other] = append(before.blocks[other], at)
			moved++
		}
	}
	before.blocks[order[len(order)-1]] = nil
	return before
}

// neighbourOf is an area of another company beside an area, and the block of the area that touches it.
func (c *City) neighbourOf(p parts, a int) (other int, at cell, ok bool) {
	for _, k := range p.blocks[a] {
		for b := 6; b < len(p.blocks); b++ {
			if p.owner[b] != p.owner[a] && touches(p.blocks[b], k) {
				return b, k, true
			}
		}
	}
	return 0, cell{}, false
}

// stays reports whether the blocks hang together without one of them.
func stays(of []cell, without cell) bool {
	rest := slices.DeleteFunc(slices.Clone(of), func(k cell) bool { return k == without })
	seen := []cell{rest[0]}
	for n := 0; n < len(seen); n++ {
		for _, k := range seen[n].neighbours() {
			if slices.Contains(rest, k) && !slices.Contains(seen, k) {
				seen = append(seen, k)
			}
		}
	}
	return len(seen) == len(rest)
}

func (c *City) territory(version string, from civil.Date, source string, p parts) Territory {
	t := Territory{Version: version, From: from, Source: source, Areas: make([]Area, len(p.blocks))}
	owners := map[cell]int{}
	for a, of := range p.blocks {
		t.Areas[a] = Area{Code: "A" + pad(a+1, 2), Company: p.owner[a], Ground: c.plan.ground(of)}
		if len(of) > 0 {
			where := c.Streets[c.plan.street[of[0]]].Name
			t.Areas[a].Name = c.Companies[p.owner[a]].Short + strings.TrimSuffix(strings.TrimSuffix(where, "街道"), "镇") + pad(a+1, 2) + "片区"
		}
		for _, k := range of {
			owners[k] = a
		}
	}
	c.plan.area = append(c.plan.area, owners)
	return t
}
