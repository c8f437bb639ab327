package territory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/geo"
)

// Index answers queries about one Snapshot. It never changes after Build and may be used by many at once.
type Index struct {
	s       Snapshot
	names   *trie
	senses  [][]sense
	generic map[string]bool

	places    []site // one for each community
	byID      map[string]int32
	byCode    map[string][]int32 // versions of an area
	company   map[string]string  // code → name
	districts map[string]int32   // code and name → number
	streets   map[string]int32
	roads     []road
	roadNo    map[string]int32

	ground    *geo.Index  // areas
	points    *geo.Points // communities
	phrases   *trie       // texts of rules
	ruleTexts [][]int32
	rulesFor  map[int32][]int32 // rules of a community
	roadRules []int32

	search searcher
}

// site is what the engine needs of a community.
type site struct {
	district, street int32 // -1 unknown
	road             int32
	number           string
	buildings        []house // sorted by no
	confused         []int32
	siblings         bool // 阳光花园, where 阳光花园二期 is registered too
}

type house struct {
	no string
	at int32 // into Snapshot.Buildings
}

type road struct {
	name   string
	places []int32
}

// Build makes the index. It refuses nothing: a building of an unknown community or an area of an unknown company is left
// without effect, since imports check the registers.
func Build(s Snapshot) *Index {
	s.Margin = cmp.Or(s.Margin, DefaultMargin)
	s.MinConfidence = cmp.Or(s.MinConfidence, DefaultConfidence)
	s.Lead = cmp.Or(s.Lead, DefaultLead)
	x := &Index{
		s: s, generic: map[string]bool{}, byID: make(map[string]int32, len(s.Communities)), byCode: make(map[string][]int32, len(s.Areas)),
		company: map[string]string{}, districts: map[string]int32{}, streets: map[string]int32{}, roadNo: map[string]int32{},
		rulesFor: map[int32][]int32{},
	}
	for _, list := range [][]string{generic, s.Generic} {
		for _, g := range list {
			x.generic[string(fold(g))] = true
		}
	}
	for _, c := range s.Companies {
		x.company[c.Code] = c.Name
	}
	d := &dictionary{number: make(map[string]int32, 2*len(s.Communities))}
	x.addDivisions(d)
	x.addCommunities(d)
	x.addBuildings()
	x.addAreas()
	x.addRules()
	x.names, x.senses = newTrie(d.names), d.senses
	x.search = newSearcher(s.Communities)
	return x
}

func (x *Index) addDivisions(d *dictionary) {
	for i, dist := range x.s.Districts {
		n := int32(i) //nolint:gosec // few
		name := string(fold(dist.Name))
		x.districts[dist.Code], x.districts[dist.Name] = n, n
		d.add(name, sense{isDistrict, n})
		d.add(shortName(name, "区", "县", "市"), sense{isDistrictShort, n})
	}
	for i, st := range x.s.Streets {
		n := int32(i) //nolint:gosec // few
		name := string(fold(st.Name))
		x.streets[st.Code] = n
		x.streets[st.District+"/"+st.Name] = n
		if _, ok := x.streets[st.Name]; !ok {
			x.streets[st.Name] = n
		}
		d.add(name, sense{isStreet, n})
		d.add(shortName(name, "街道", "镇", "乡"), sense{isStreetShort, n})
		if s := shortName(name, "街道"); s != "" {
			d.add(s+"街道办", sense{isStreet, n})
		}
	}
}

func (x *Index) addCommunities(d *dictionary) {
	at := make([]geo.Point, len(x.s.Communities))
	x.places = make([]site, len(x.s.Communities))
	for i := range x.s.Communities {
		c, n := &x.s.Communities[i], int32(i) //nolint:gosec // thousands
		x.byID[c.ID] = n
		at[i] = c.Point
		p := &x.places[i]
		p.district, p.street, p.road = find(x.districts, c.District), -1, -1
		if c.Street != "" {
			if p.street = find(x.streets, c.Street); p.street < 0 || x.s.Streets[p.street].District != "" {
				if s := find(x.streets, x.districtCode(p.district)+"/"+c.Street); s >= 0 {
					p.street = s
				}
			}
		}
		name := string(fold(c.Name))
		d.add(name, sense{isName, n})
		short := variants(name)
		for _, a := range c.Aliases {
			alias := string(fold(a))
			d.add(alias, sense{isAlias, n})
			short = append(short, variants(alias)...)
		}
		for _, v := range short {
			if !x.generic[v] {
				d.add(v, sense{isDerived, n})
			}
		}
		x.addRoad(d, n, c.Address)
	}
	for _, pair := range x.s.Confusable {
		a, okA := x.byID[pair.A]
		b, okB := x.byID[pair.B]
		if okA && okB && a != b {
			x.places[a].confused = append(x.places[a].confused, b)
			x.places[b].confused = append(x.places[b].confused, a)
		}
	}
	x.points = geo.NewPoints(at)
	x.markSiblings()
}

// markSiblings notes names of which another is a part.
func (x *Index) markSiblings() {
	type named struct {
		name string
		at   int32
	}
	list := make([]named, len(x.s.Communities))
	for i := range list {
		list[i] = named{string(fold(x.s.Communities[i].Name)), int32(i)} //nolint:gosec // thousands
	}
	slices.SortFunc(list, func(a, b named) int { return strings.Compare(a.name, b.name) })
	for i, n := range list {
		for j := i + 1; j < len(list) && j < i+50 && strings.HasPrefix(list[j].name, n.name); j++ {
			rest := list[j].name[len(n.name):]
			if strings.HasSuffix(rest, "期") || strings.HasSuffix(rest, "区") {
				x.places[n.at].siblings = true
			}
		}
	}
}

func (x *Index) districtCode(n int32) string {
	if n < 0 {
		return ""
	}
	return x.s.Districts[n].Code
}

func find(m map[string]int32, key string) int32 {
	if n, ok := m[key]; ok && key != "" {
		return n
	}
	return -1
}

// addRoad reads the road of a community's address.
func (x *Index) addRoad(d *dictionary, n int32, address string) {
	if address == "" {
		return
	}
	t := fold(address)
	for _, dist := range x.s.Districts { // 南湖区建设路12号
		if name := fold(dist.Name); standsAt(t, 0, string(name)) {
			t = t[len(name):]
			break
		}
	}
	name, number, _ := roadAt(t, 0)
	if name == "" {
		return
	}
	r, ok := x.roadNo[name]
	if !ok {
		r = int32(len(x.roads)) //nolint:gosec // few
		x.roadNo[name] = r
		x.roads = append(x.roads, road{name: name})
		d.add(name, sense{isRoad, r})
	}
	x.roads[r].places = append(x.roads[r].places, n)
	x.places[n].road, x.places[n].number = r, number
}

func (x *Index) addBuildings() {
	for i := range x.s.Buildings {
		b := &x.s.Buildings[i]
		if n, ok := x.byID[b.Community]; ok {
			x.places[n].buildings = append(x.places[n].buildings, house{buildingNo(b.No), int32(i)}) //nolint:gosec // thousands
		}
	}
	for i := range x.places {
		slices.SortStableFunc(x.places[i].buildings, func(a, b house) int { return strings.Compare(a.no, b.no) })
		x.places[i].buildings = slices.Clip(x.places[i].buildings)
	}
}

// buildingNo brings a building's number of the register to the form in which spots are read.
func buildingNo(no string) string {
	t := fold(no)
	for _, end := range []string{"号楼", "号栋", "号幢", "#楼", "栋", "幢", "座", "#", "号", "楼"} {
		if n := len([]rune(end)); len(t) > n && standsAt(t, len(t)-n, end) {
			t = t[:len(t)-n]
			break
		}
	}
	var out []rune
	for i := 0; i < len(t); {
		if n, ok := numeralAt(t, i); ok {
			out = append(out, []rune(n.value)...)
			i = n.end
			continue
		}
		if t[i] != '区' && t[i] != '-' {
			out = append(out, t[i])
		}
		i++
	}
	return string(out)
}

func (x *Index) addAreas() {
	ground := make([]*geo.MultiPolygon, len(x.s.Areas))
	for i := range x.s.Areas {
		a := &x.s.Areas[i]
		ground[i] = a.Geometry
		x.byCode[a.Code] = append(x.byCode[a.Code], int32(i)) //nolint:gosec // thousands
	}
	x.ground = geo.NewIndex(ground)
}

func (x *Index) addRules() {
	texts := &dictionary{number: map[string]int32{}}
	for i, r := range x.s.Rules {
		n := int32(i) //nolint:gosec // few
		c, known := x.byID[r.Community]
		switch {
		case known:
			x.rulesFor[c] = append(x.rulesFor[c], n)
		case r.Community != "":
		case r.Road != "":
			x.roadRules = append(x.roadRules, n)
		case len([]rune(r.Text)) >= 3:
			texts.add(string(fold(r.Text)), sense{ref: n})
		}
	}
	x.phrases = newTrie(texts.names)
	for _, s := range texts.senses {
		var refs []int32
		for _, one := range s {
			refs = append(refs, one.ref)
		}
		x.ruleTexts = append(x.ruleTexts, refs)
	}
}

// building finds a building of a community by what a text says.
func (x *Index) building(c int32, s spot) *Building {
	if s.building == "" {
		return nil
	}
	list := x.places[c].buildings
	for _, no := range []string{s.section + s.building, s.building} {
		i, ok := slices.BinarySearchFunc(list, no, func(h house, no string) int { return strings.Compare(h.no, no) })
		if ok {
			return &x.s.Buildings[list[i].at]
		}
	}
	return nil
}

// holds reports whether an area's version holds on a day.
func (a *Area) holds(at civil.Date) bool {
	if at.IsZero() {
		return a.To.IsZero()
	}
	return (a.From.IsZero() || !at.Before(a.From)) && (a.To.IsZero() || !at.After(a.To))
}

// area is the version of an area that holds on a day, nil for none.
func (x *Index) area(code string, at civil.Date) *Area {
	for _, i := range x.byCode[code] {
		if a := &x.s.Areas[i]; a.holds(at) {
			return a
		}
	}
	return nil
}

// areasAt tells the areas that hold a point on a day.
func (x *Index) areasAt(p geo.Point, at civil.Date) []*Area {
	var found []*Area
	x.ground.At(p, func(i int) bool {
		if a := &x.s.Areas[i]; a.holds(at) {
			found = append(found, a)
		}
		return true
	})
	return found
}

// owner is who serves.
type owner struct {
	company, area, station string
}

// ownerOf is who serves a community on a day: the company of its line, else its area's, else the one whose ground its
// point lies in. Before a change the company of then serves.
func (x *Index) ownerOf(c int32, at civil.Date) owner {
	com := &x.s.Communities[c]
	o := owner{com.Company, com.Area, com.Station}
	if a := x.area(com.Area, at); com.Area != "" && a != nil {
		o.company = cmp.Or(o.company, a.Company)
		o.station = cmp.Or(o.station, a.Station)
	}
	if (o.company == "" || o.area == "") && !com.Point.IsZero() {
		if here := x.areasAt(com.Point, at); len(here) > 0 && (o.company == "" && same(here) || o.company == here[0].Company && len(here) == 1) {
			o.company, o.area = here[0].Company, cmp.Or(o.area, here[0].Code)
			o.station = cmp.Or(o.station, here[0].Station)
		}
	}
	if com.Previous != nil && !at.IsZero() && !com.Previous.Since.IsZero() && at.Before(com.Previous.Since) && com.Previous.From != "" {
		return owner{company: com.Previous.From}
	}
	return o
}

// Owner is who serves a building of a community on a day, or the community itself where building is empty; an unknown
// community is served by nobody.
func (x *Index) Owner(community, building string, at civil.Date) (company, area string) {
	n, ok := x.byID[community]
	if !ok {
		return "", ""
	}
	o := x.ownerOf(n, at)
	if b := x.building(n, spot{building: buildingNo(building)}); b != nil {
		o = x.ownerOfBuilding(b, o, at)
	}
	return o.company, o.area
}

func same(areas []*Area) bool {
	for _, a := range areas {
		if a.Company != areas[0].Company {
			return false
		}
	}
	return true
}

// ownerOfBuilding is who serves a building of a community.
func (x *Index) ownerOfBuilding(b *Building, of owner, at civil.Date) owner {
	o := of
	if b.Area != "" {
		o.area = b.Area
		if a := x.area(b.Area, at); a != nil {
			o.company, o.station = a.Company, cmp.Or(a.Station, o.station)
		}
	}
	if b.Company != "" && b.Company != o.company {
		o.company = b.Company
		if b.Area == "" {
			o.area, o.station = "", ""
		}
	}
	if o.company == "" && !b.Point.IsZero() {
		if here := x.areasAt(b.Point, at); len(here) > 0 && same(here) {
			o.company, o.area = here[0].Company, here[0].Code
		}
	}
	o.station = cmp.Or(b.Station, o.station)
	return o
}

// shares are the companies that serve buildings of a community; whole tells that the register lists a building for each
// of them, so that a building which is not listed could be anybody's.
func (x *Index) shares(c int32, of owner, at civil.Date) (all []owner, whole bool) {
	for _, h := range x.places[c].buildings {
		o := x.ownerOfBuilding(&x.s.Buildings[h.at], of, at)
		if o.company == of.company {
			whole = true
		}
		if o.company != "" && !slices.ContainsFunc(all, func(have owner) bool { return have.company == o.company }) {
			all = append(all, o)
		}
	}
	if of.company != "" && !whole {
		all = append([]owner{of}, all...)
	}
	return all, whole || of.company == ""
}
