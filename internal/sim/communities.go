package sim

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/geo"
)

const communityCount = 400

// style is what kind of estate a community is; its buildings follow from it.
type style int

const (
	compound style = iota // brick, five or six floors, of the eighties
	numbered
	estate  // six or seven floors, of the two thousands
	tower   // eighteen to thirty-two floors
	village // resettled villagers, eleven floors
)

// named is a community whose name is there for a reason.
type named struct {
	name     string
	aliases  []string
	district int
	style    style
	trait    Trait
}

// awkward are the names that operators are trained on.
var awkward = []named{
	{"阳光花园", nil, 0, estate, SameName},
	{"阳光花园", nil, 3, estate, SameName},
	{"建设小区", []string{"建设路小区"}, 1, compound, SameName},
	{"建设小区", nil, 4, compound, SameName},
	{"幸福里", nil, 2, tower, SameName},
	{"幸福里", nil, 5, tower, SameName},
	{"铁路家属院", []string{"铁路大院"}, 0, compound, SameName},
	{"铁路家属院", []string{"铁路院"}, 2, compound, SameName},
	{"阳光家园", nil, 0, estate, SimilarName},
	{"阳光嘉园", nil, 1, tower, SimilarName},
	{"金桥花园", nil, 3, estate, SimilarName},
	{"金侨花园", []string{"侨联花园"}, 5, tower, SimilarName},
	{"锦绣家园", nil, 1, estate, SimilarName},
	{"锦绣佳园", nil, 2, estate, SimilarName},
	{"翠湖小区", nil, 3, estate, SimilarName},
	{"翠湖苑", nil, 4, estate, SimilarName},
	{"和谐小区", nil, 4, estate, SimilarName},
	{"和协小区", nil, 5, village, SimilarName},
	{"花园小区", nil, 0, compound, GenericName},
	{"新村", []string{"汀南新村"}, 3, compound, GenericName},
	{"家属院", []string{"水泥厂老家属院"}, 4, compound, GenericName},
	{"中心广场", nil, 0, tower, GenericName},
	{"国际广场", nil, 5, tower, GenericName},
	{"东区", []string{"学院东区"}, 2, compound, GenericName},
	{"第一棉纺厂家属院", []string{"一棉", "棉纺厂"}, 1, compound, SharedAlias},
	{"棉纺厂北院", []string{"一棉", "棉纺北院"}, 1, compound, SharedAlias},
	{"第二机床厂宿舍", []string{"二机", "机床厂宿舍"}, 4, compound, SharedAlias},
	{"机床厂家属楼", []string{"机床厂宿舍"}, 3, compound, SharedAlias},
	{"翡翠湾一期", []string{"翡翠湾1期"}, 5, tower, Phases},
	{"翡翠湾二期", []string{"翡翠湾2期"}, 5, tower, Phases},
	{"翡翠湾三期", []string{"翡翠湾3期"}, 3, tower, Phases},
	{"学府名苑东区", []string{"学府名苑"}, 2, estate, Phases},
	{"学府名苑西区", []string{"学府名苑"}, 0, estate, Phases},
}

// settle founds the communities.
func (c *City) settle() {
	d := roll(c.Seed, "communities")
	taken := map[string]bool{}
	for _, a := range awkward {
		taken[a.name] = true
	}
	room := map[cell][]int{}
	for _, k := range c.plan.cells {
		room[k] = []int{0, 1, 2, 3, 4, 5, 6, 7, 8}
		shuffle(d, room[k])
	}
	for n := range communityCount {
		var k cell
		var of named
		if n < len(awkward) {
			of = awkward[n]
			k = c.freeBlock(d, room, of.district)
		} else {
			k = c.freeBlock(d, room, -1)
			of = c.christen(d, k, taken)
		}
		slot := room[k][0]
		room[k] = room[k][1:]
		c.Communities = append(c.Communities, c.found(d, k, slot, of))
	}
	c.borders(d)
	c.unconnected(d)
}

// freeBlock is a block with room for one more community; nearer to the centre stand more.
func (c *City) freeBlock(d dice, room map[cell][]int, district int) cell {
	for {
		k := pick(d, c.plan.cells)
		centre := cell{columns / 2, rows / 2}
		most := 3
		if apart(k, centre) < 20 {
			most = 5
		}
		if (district < 0 || c.plan.district[k] == district) && len(room[k]) > 9-most {
			return k
		}
	}
}

// christen finds a name that is not taken, and what people call it besides.
func (c *City) christen(d dice, k cell, taken map[string]bool) named {
	for {
		n := c.newName(d, k)
		if !taken[n.name] {
			taken[n.name] = true
			n.aliases = slices.DeleteFunc(n.aliases, func(a string) bool { return taken[a] || a == n.name })
			return n
		}
	}
}

func (c *City) newName(d dice, k cell) named {
	near := apart(k, cell{columns / 2, rows / 2}) < 30
	oldTown := []int{30, 18, 32, 16, 4}
	if !near {
		oldTown = []int{10, 6, 34, 34, 16}
	}
	n := named{style: style(d.weighted(oldTown))}
	switch n.style {
	case compound:
		works, kind := pick(d, words("works")), pick(d, words("compound"))
		n.name = works + kind
		n.aliases = []string{strings.TrimPrefix(works, "第") + "院", "老" + works}
	case numbered:
		if d.chance(500) {
			road, number := c.roadAt(k, d.chance(500)), strconv.Itoa(d.between(1, 180))
			n.name = road + number + "号院"
			n.aliases = []string{road + number + "号"}
		} else {
			base, no := pick(d, words("numbered")), pick(d, []string{"一", "二", "三", "四", "五"})
			n.name = base + no + pick(d, []string{"区", "村", "号院", "小区"})
			n.aliases = []string{"老" + base + no + "区"}
		}
	case village:
		v := pick(d, words("villages"))
		n.name = v + pick(d, []string{"回迁小区", "安置小区", "新村", "社区", "新居"})
		n.aliases = []string{v + "回迁楼"}
	case tower:
		if d.chance(450) {
			brand, name := pick(d, words("brand")), pick(d, words("grand"))
			n.name = brand + name
			n.aliases = []string{brand + "·" + name, name}
			break
		}
		fallthrough
	default:
		lovely := pick(d, words("lovely"))
		suffix := pick(d, words("estate"))
		n.name = lovely + suffix
		if len([]rune(suffix)) < 2 {
			n.aliases = []string{n.name + "小区"}
		} else if d.chance(250) {
			n.aliases = []string{"原" + pick(d, words("works")) + "地块", lovely}
		}
	}
	return n
}

// found puts a community on the ground.
func (c *City) found(d dice, k cell, slot int, of named) Community {
	s := c.plan.inside(k, 3*(slot%3)+1+d.n(2), 3*(slot/3)+1+d.n(2))
	m := Community{
		Name: of.name, Aliases: slices.Clone(of.aliases), District: c.plan.district[k], Street: c.plan.street[k],
		Address: c.roadAt(k, slot%2 == 0) + strconv.Itoa(2*(slot+9*((k.i+k.j)%12))+1+d.n(2)) + "号",
		Point:   s.point(), Area: c.plan.area[0][k], Station: -1, Connected: true, Management: Direct,
		style: of.style, built: builtIn(d, of.style), far: d.weighted([]int{50, 28, 14, 8}),
	}
	if house, ok := strings.CutSuffix(of.name, "号院"); ok && of.style == numbered && strings.ContainsAny(house, "路街") {
		m.Address = house + "号"
	}
	if of.trait != "" {
		m.Traits = append(m.Traits, of.trait)
	}
	if d.chance(150) && of.style != compound {
		m.Management = Resold
	}
	m.Previous = -1
	if a, served := c.plan.area[1][k]; served {
		m.Previous = c.Seasons[0].Areas[a].Company
	}
	c.ownership(d, &m)
	return m
}

// ownership says who built a community and who served it before.
func (c *City) ownership(d dice, m *Community) {
	today := c.Seasons[1].Areas[m.Area].Company
	if m.built >= 2023 {
		m.Developer = pick(d, words("developers"))
		m.WarrantyUntil = civil.NewDate(m.built+3, 3, 15)
	}
	if today == boilerRoom || today == housingCentre && d.chance(200) {
		m.Management = OwnStation
	}
	if m.Previous >= 0 && m.Previous != today {
		m.Traits = append(m.Traits, ChangedHands)
	}
}

func builtIn(d dice, s style) int {
	switch s {
	case compound, numbered:
		return d.between(1978, 1998)
	case estate:
		return d.between(1999, 2013)
	case village:
		return d.between(2012, 2021)
	default:
		return d.between(2008, 2025)
	}
}

// roadAt is the name of the road west or south of a block.
func (c *City) roadAt(k cell, west bool) string {
	if west {
		return words("roads_ns")[k.i]
	}
	return words("roads_ew")[k.j]
}

// borders moves communities next to another company's ground, and lets some stand astride.
func (c *City) borders(d dice) {
	left, astride := 28, 9
	for _, n := range d.r.Perm(len(c.Communities)) {
		m := &c.Communities[n]
		k, to, ok := c.edgeOf(m)
		if !ok || left == 0 {
			continue
		}
		edge, mid := c.plan.side(k, to), c.plan.inside(k, 4, 4)
		m.Point = toward(edge, mid, d.between(12, 35)).point()
		m.Traits = append(m.Traits, Border)
		if astride > 0 && m.style != tower {
			m.Traits = append(m.Traits, Straddling)
			astride--
		}
		left--
	}
}

// edgeOf finds the block of a community and a neighbouring one that another company serves.
func (c *City) edgeOf(m *Community) (k, to cell, ok bool) {
	for _, k = range c.plan.cells {
		if c.plan.area[0][k] != m.Area || !(geo.Polygon{c.plan.ground([]cell{k})[0][0]}).Contains(m.Point) {
			continue
		}
		for _, to = range k.neighbours() {
			a, built := c.plan.area[0][to]
			if built && c.Seasons[1].Areas[a].Company != c.Seasons[1].Areas[m.Area].Company {
				return k, to, true
			}
		}
		return k, to, false
	}
	return k, to, false
}

// toward is the place so many metres from a on the way to b.
func toward(a, b spot, metres int) spot {
	dx, dy := b.x-a.x, b.y-a.y
	long := max(abs(dx), abs(dy), 1)
	return spot{a.x + dx*metres/long, a.y + dy*metres/long}
}

func abs(n int) int { return max(n, -n) }

// unconnected lets a few villages and old compounds burn coal or gas of their own.
func (c *City) unconnected(d dice) {
	left := 9
	for _, n := range d.r.Perm(len(c.Communities)) {
		m := &c.Communities[n]
		if left > 0 && (m.style == village || m.style == numbered) && len(m.Traits) == 0 {
			m.Connected = false
			m.Traits = append(m.Traits, NotConnected)
			left--
		}
	}
}

// short is what a station is called after a community.
func (m *Community) short() string {
	for _, end := range []string{"小区", "家属院", "宿舍", "生活区"} {
		if s, ok := strings.CutSuffix(m.Name, end); ok && len([]rune(s)) > 1 {
			return s
		}
	}
	return m.Name
}

// place builds the exchange stations: one in each area that has homes, more in the large ones, at a community each.
func (c *City) place() {
	homes := make([][]int, len(c.Seasons[1].Areas))
	for n, m := range c.Communities {
		if m.Connected {
			homes[m.Area] = append(homes[m.Area], n)
		}
	}
	for area, of := range homes {
		var at []geo.Point
		for k := range (len(of) + 4) / 5 {
			host := &c.Communities[of[k*5]]
			code := "S" + pad(len(c.Stations)+1, 3)
			if k == 0 {
				c.Seasons[1].Areas[area].Station = code
			}
			at = append(at, host.Point)
			c.Stations = append(c.Stations, Station{Code: code, Name: host.short() + "换热站", Area: area, Point: host.Point})
		}
		for _, n := range of {
			best := 0
			for k := range at {
				if farther(c.Communities[n].Point, at[best], at[k]) {
					best = k
				}
			}
			c.Communities[n].Station = len(c.Stations) - len(at) + best
		}
	}
}

// farther reports whether a is farther from p than b, reckoned in whole micro-degrees.
func farther(p, a, b geo.Point) bool {
	gap := func(q geo.Point) int64 {
		x, y := int64(q.Lng*1e6)-int64(p.Lng*1e6), int64(q.Lat*1e6)-int64(p.Lat*1e6)
		return x*x*7 + y*y*12
	}
	return gap(a) > gap(b)
}
