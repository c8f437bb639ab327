package territory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/text"
)

// How far each kind of evidence carries by itself.
const (
	scoreHousehold = 0.99
	scoreChosen    = 0.97 // a person chose the community from the register
	scoreRule      = 0.92
	scoreName      = 0.90
	scoreAlias     = 0.87
	scoreDerived   = 0.85
	scoreRoadNo    = 0.84
	scoreGeneric   = 0.82
	scorePhrase    = 0.85
	scorePoint     = 0.86
	scoreEdge      = 0.60 // a point within the margin of a border
	scoreShared    = 0.50 // one of several of the same name
	scoreOtherWard = 0.70 // the text names another district
	scorePart      = 0.65 // probably a part of, or another place than, the one named
	scoreNearby    = 0.40 // "opposite of"
	scoreRoad      = 0.50
	scoreMost      = 0.98
	namesCompany   = 0.45 // from here on a piece of text says a company
)

// candidate is one reading of the evidence.
type candidate struct {
	owner
	place    int32 // community, -1 none
	building *Building
	score    float64
	method   Method
	why      text.Message
	unserved Reason
	shared   bool // another community bears the name, and nothing tells which
	vague    bool // which of the communities of one company is open
}

// rival tells companies apart; a community without supplier stands for itself.
func (c candidate) rival() string {
	if c.unserved != "" {
		return "\x00unserved"
	}
	return c.company
}

// weighing is the work on one query.
type weighing struct {
	x    *Index
	q    Query
	on   civil.Date
	t    []rune
	ms   []mention
	near []bool
	all  []spot
	spot spot

	wards    []int32 // districts named in full
	streets  []int32
	road     int32
	roadNo   string
	point    geo.Point
	hasPoint bool
	here     []*Area
	found    []candidate
	said     []candidate // by text alone, before the point was weighed
	house    Household
	known    bool // the account is in the register
	steps    []Step
	a        Answer
}

// Attribute says which company a query belongs to. The query must have passed Check.
func (x *Index) Attribute(q Query) Answer {
	w := &weighing{x: x, q: q, road: -1, a: Answer{ID: q.ID}}
	if !q.At.IsZero() {
		w.on = q.At.Date()
	}
	w.readPoint()
	w.readText()
	w.weighNames()
	w.weighRoad()
	w.weighRules()
	w.said = slices.Clone(w.found)
	w.weighPoint()
	w.weighChosen()
	w.weighHousehold()
	w.decide()
	w.warn()
	w.finish()
	return w.a
}

func (w *weighing) say(key string, pairs ...any) {
	w.steps = append(w.steps, Step{Message: text.Msg("territory.explain."+key, pairs...)})
}

func (w *weighing) readPoint() {
	if w.q.Lng == nil || w.q.Lat == nil {
		return
	}
	crs, err := geo.ParseCRS(w.q.CRS)
	p := geo.Point{Lng: *w.q.Lng, Lat: *w.q.Lat}
	if err != nil || !p.Valid() {
		return
	}
	w.point, w.hasPoint = crs.ToWGS84(p), true
	w.here = w.x.areasAt(w.point, w.on)
}

// readText finds names, roads and spots. Names and road numbers are hidden from the reader of spots, so that the 12 of
// 建设路12号 is no building.
func (w *weighing) readText() {
	if w.q.Text == "" {
		return
	}
	w.t = fold(w.q.Text)
	w.ms = w.x.mentions(w.t)
	w.near = make([]bool, len(w.t)+1)
	hidden := slices.Clone(w.t)
	for _, m := range w.ms {
		end := m.to
		if m.has(isRoad) && (!m.community() || w.houseNumber(m)) {
			if n, after := roadNumber(w.t, m.to); n != "" {
				end = after
				w.road, w.roadNo = senseOf(m, isRoad), n
			} else if w.road < 0 {
				w.road = senseOf(m, isRoad)
			}
		}
		for i := m.from; i < end; i++ {
			hidden[i] = '□'
		}
		if m.community() || end > m.to {
			w.markNear(end)
		}
		w.readDivision(m)
	}
	w.all = spots(hidden, func(i int) bool { return w.near[i] })
	w.spot = join(w.all, func(i int) bool { return w.near[i] })
	w.a.Building, w.a.Unit, w.a.Room, w.a.Floor = w.spot.building, w.spot.unit, w.spot.room, w.spot.floor
}

func senseOf(m mention, k kind) int32 {
	for _, s := range m.senses {
		if s.kind == k {
			return s.ref
		}
	}
	return -1
}

// markNear notes the places right after a name, also behind 小区, a comma or 二期.
func (w *weighing) markNear(end int) {
	if s, ok := hasAt(w.t, end, plainSuffix...); ok {
		end += len([]rune(s))
	}
	if end+1 < len(w.t) && w.t[end+1] == '区' && (isLetter(w.t[end]) || strings.ContainsRune("东西南北中", w.t[end])) {
		w.near[end] = true
		end += 2
	} else if n, ok := numeralAt(w.t, end); ok && standsAt(w.t, n.end, "期") {
		end = n.end + 1
	}
	w.near[end] = true
	if s, ok := hasAt(w.t, end, "院里", "院内", "里面", "院", "里", "内", "的", "，", "、", "-", " ", ":", "第", "那个"); ok {
		w.near[end+len([]rune(s))] = true
	}
}

func (w *weighing) readDivision(m mention) {
	if _, firm := hasAt(w.t, m.to, "热力", "供热", "热电", "分公司", "政府", "供暖公司"); firm {
		return
	}
	for _, s := range m.senses {
		switch s.kind {
		case isDistrict:
			w.wards = append(w.wards, s.ref)
		case isStreet:
			w.streets = append(w.streets, s.ref)
		case isDistrictShort:
			if w.leadsToName(m) {
				w.wards = append(w.wards, s.ref)
			}
		case isStreetShort:
			if w.leadsToName(m) {
				w.streets = append(w.streets, s.ref)
			}
		case isName, isAlias, isDerived, isRoad:
		}
	}
}

// leadsToName: a short name of a district counts only right before the name of a community or road.
func (w *weighing) leadsToName(m mention) bool {
	return slices.ContainsFunc(w.ms, func(o mention) bool {
		return (o.from == m.to || o.from == m.to+1 && strings.ContainsRune("，的市区 ", w.t[m.to])) && (o.community() || o.has(isRoad) || o.has(isStreet))
	})
}

// roadNumber reads 12号 after a road's name.
func roadNumber(t []rune, i int) (number string, end int) {
	n, ok := numeralAt(t, i)
	if !ok {
		return "", i
	}
	if _, building := hasAt(t, n.end, "号楼", "号栋", "号幢"); building || !standsAt(t, n.end, "号") {
		return "", i
	}
	end = n.end + 1
	if standsAt(t, end, "院") {
		end++
	}
	return n.value, end
}

// roadAt reads a road and number that begin at i.
func roadAt(t []rune, i int) (name, number string, end int) {
	for j := i + 1; j < len(t) && j < i+10 && isHan(t[j]); j++ {
		w, ok := hasAt(t, j, "大街", "大道", "胡同", "路", "街", "巷", "弄")
		if !ok || standsAt(t, j, "街道") || standsAt(t, j, "路口") {
			continue
		}
		end = j + len([]rune(w))
		number, after := roadNumber(t, end)
		return string(t[i:end]), number, max(end, after)
	}
	return "", "", i
}

// weighRoad takes a road and number where no community was named.
func (w *weighing) weighRoad() {
	if w.road < 0 || slices.ContainsFunc(w.found, func(c candidate) bool { return c.score >= 0.6 }) {
		return
	}
	r := w.x.roads[w.road]
	list, score, key := w.onRoad(r, true), scoreRoadNo, "why.road_number"
	if len(list) == 0 {
		list, score, key = w.onRoad(r, false), scoreRoad, "why.road"
	}
	why := text.Msg("territory."+key, "road", r.name, "number", w.roadNo)
	group := make([]candidate, 0, mostCandidates)
	for _, c := range list {
		if len(group) == mostCandidates {
			break
		}
		rival := w.x.rivalOf(c, w)
		if i := slices.IndexFunc(group, func(o candidate) bool { return o.rival() == rival }); i >= 0 {
			group[i].vague = true
			continue
		}
		group = append(group, w.readings(c, score, ByRoad, why)...)
	}
	if len(group) > 1 {
		for i := range group {
			group[i].score = min(group[i].score, namesCompany)
		}
	}
	if len(group) > 0 {
		w.say("road", "road", r.name, "number", w.roadNo, "count", len(list))
	}
	w.found = append(w.found, group...)
}

// mostAlong is how many communities of a road are looked at: by then it is clear that the road does not decide.
const mostAlong = 100

// onRoad lists the communities on a road, in the districts that the text names, with the number or all.
func (w *weighing) onRoad(r road, exact bool) []int32 {
	var list []int32
	if exact && w.roadNo == "" {
		return nil
	}
	for _, c := range r.places {
		p := &w.x.places[c]
		if len(w.wards) > 0 && p.district >= 0 && !slices.Contains(w.wards, p.district) || exact && p.number != w.roadNo {
			continue
		}
		if list = append(list, c); len(list) == mostAlong {
			break
		}
	}
	return list
}

// weighRules lets earlier decisions of dispatchers speak.
func (w *weighing) weighRules() {
	x := w.x
	fits := func(r Rule) bool {
		return (r.Building == "" || buildingNo(r.Building) == w.spot.building) &&
			(r.Text == "" || strings.Contains(string(w.t), string(fold(r.Text))))
	}
	for _, c := range slices.Clone(w.found) {
		if c.place < 0 {
			continue
		}
		for _, n := range x.rulesFor[c.place] {
			if r := x.s.Rules[n]; fits(r) && c.score > scoreNearby && !outdated(r, x.s.Communities[c.place]) {
				w.learn(r, c.place, max(scoreRule, c.score), c.method)
			}
		}
	}
	for _, n := range x.roadRules {
		if r := x.s.Rules[n]; w.road >= 0 && string(fold(r.Road)) == x.roads[w.road].name && r.Number == w.roadNo && fits(r) {
			w.learn(r, -1, scorePhrase, ByRoad)
		}
	}
	for i := range w.t {
		x.phrases.walk(w.t, i, func(_ int, v int32) {
			for _, n := range x.ruleTexts[v] {
				if r := x.s.Rules[n]; fits(r) {
					w.learn(r, -1, scorePhrase, ByAlias)
				}
			}
		})
	}
}

// outdated: a re-districting ends what was learnt before it.
func outdated(r Rule, c Community) bool {
	return c.Previous != nil && !r.At.IsZero() && r.At.Date().Before(c.Previous.Since)
}

// learn puts a learnt decision in place of the other readings of the same community.
func (w *weighing) learn(r Rule, place int32, score float64, m Method) {
	w.found = slices.DeleteFunc(w.found, func(c candidate) bool { return place >= 0 && c.place == place })
	if slices.ContainsFunc(w.found, func(c candidate) bool { return c.company == r.Company && c.score >= score }) {
		return
	}
	w.found = append(w.found, candidate{
		owner: owner{company: r.Company, area: r.Area}, place: place, score: score, method: m,
		why: text.Msg("territory.why.rule", "author", r.Author, "at", day(r.At)),
	})
	w.say("rule", "author", r.Author, "at", day(r.At), "company", w.x.companyName(r.Company))
}

func day(at civil.Instant) string {
	if at.IsZero() {
		return ""
	}
	return at.Date().String()
}

func (x *Index) companyName(code string) string { return cmp.Or(x.company[code], code) }

// weighPoint takes the place on the map, by itself and as a witness for what the text says.
func (w *weighing) weighPoint() {
	if !w.hasPoint {
		return
	}
	x := w.x
	if len(w.here) == 0 {
		w.say("point_outside")
		w.nearestListed()
		return
	}
	score := scorePoint
	if !same(w.here) {
		score = scoreShared
		w.say("point_overlap", "count", len(w.here))
	} else if x.otherWithin(w.point, w.on, w.here[0].Company) {
		score = scoreEdge
		w.say("point_edge", "company", x.companyName(w.here[0].Company), "margin", int(x.s.Margin))
	} else {
		w.say("point", "area", w.here[0].Code, "company", x.companyName(w.here[0].Company))
	}
	w.a.Conflict = w.contradicts()
	for _, a := range w.here {
		agreed := false
		for i := range w.found {
			if c := &w.found[i]; c.company == a.Company && c.unserved == "" && c.score >= 0.3 {
				c.score = min(scoreMost, 1-(1-c.score)*(1-score))
				agreed = true
			}
		}
		if !agreed && !slices.ContainsFunc(w.found, func(c candidate) bool { return c.unserved != "" && c.score >= 0.6 }) {
			w.found = append(w.found, candidate{
				owner: owner{a.Company, a.Code, a.Station}, place: -1, score: score, method: ByPoint, why: text.Msg("territory.why.point", "area", a.Code),
			})
		}
	}
}

// nearestListed offers the nearest community for a point on no area's ground, since areas by list have none.
func (w *weighing) nearestListed() {
	if c, away := w.x.points.Nearest(w.point, 300); c >= 0 {
		for _, one := range w.readings(int32(c), 0.45, ByPoint, text.Msg("territory.why.near_point", "metres", int(away))) { //nolint:gosec // thousands
			if slices.ContainsFunc(w.found, func(o candidate) bool { return o.place == one.place }) || one.company == "" {
				continue
			}
			one.building = nil
			w.found = append(w.found, one)
		}
	}
}

// contradicts: the text says companies, and none of them serves where the point lies. A community that the register
// knows to lie on another company's ground is no contradiction.
func (w *weighing) contradicts() bool {
	says := false
	for _, c := range w.said {
		if c.score < namesCompany || c.company == "" {
			continue
		}
		says = true
		if slices.ContainsFunc(w.here, func(a *Area) bool { return a.Company == c.company }) {
			return false
		}
		if c.place < 0 {
			continue
		}
		if home := w.x.s.Communities[c.place].Point; !home.IsZero() && home.Metres(w.point) < 1000 {
			if slices.ContainsFunc(w.x.areasAt(home, w.on), func(a *Area) bool { return a.Company == w.here[0].Company }) {
				return false
			}
		}
	}
	return says
}

// weighHousehold takes the account: the strongest evidence.
func (w *weighing) weighHousehold() {
	h, ok, asked := w.account()
	if !asked {
		return
	}
	if !ok {
		w.say("account_unknown", "account", w.q.Household)
		return
	}
	w.house, w.known = h, true
	c := candidate{place: -1, score: scoreHousehold, method: ByHousehold, why: text.Msg("territory.why.household", "account", h.Account)}
	if n, ok := w.x.byID[h.Community]; ok {
		c.place = n
		c.owner = w.x.ownerOf(n, w.on)
		if b := w.x.building(n, spot{building: buildingNo(h.Building)}); b != nil {
			c.building = b
			c.owner = w.x.ownerOfBuilding(b, c.owner, w.on)
		}
		c.unserved = w.x.unserved(n)
	}
	if h.Company != "" && h.Company != c.company {
		c.owner = owner{company: h.Company}
	}
	c.area, c.station = cmp.Or(h.Area, c.area), cmp.Or(h.Station, c.station)
	if h.Company != "" {
		c.unserved = ""
	}
	for i := range w.found {
		if o := &w.found[i]; o.rival() != c.rival() {
			w.a.doubtful = w.a.doubtful || o.score >= 0.6 && o.method != ByPoint
			o.score *= 0.3
		}
	}
	w.say("household", "account", h.Account, "company", w.x.companyName(c.company))
	if w.a.doubtful {
		w.say("household_other")
	}
	w.found = append(w.found, c)
	w.a.Building, w.a.Unit, w.a.Room = cmp.Or(buildingNo(h.Building), w.a.Building), cmp.Or(h.Unit, w.a.Unit), cmp.Or(h.Room, w.a.Room)
}

// weighChosen takes the community that a person chose while somebody was on the phone: names in the text count no more,
// but an account that says otherwise still does.
func (w *weighing) weighChosen() {
	n, ok := w.x.byID[w.q.Community]
	if w.q.Community == "" || !ok {
		return
	}
	c := candidate{
		place: n, score: scoreChosen, method: ByCommunity, owner: w.x.ownerOf(n, w.on), unserved: w.x.unserved(n),
		why: text.Msg("territory.why.chosen", "name", w.x.s.Communities[n].Name),
	}
	if b := w.x.building(n, spot{building: buildingNo(w.q.Building)}); b != nil && w.q.Building != "" {
		c.building, c.method = b, ByBuilding
		c.owner = w.x.ownerOfBuilding(b, c.owner, w.on)
	}
	for i := range w.found {
		w.found[i].score *= 0.3
	}
	w.said = append(w.said[:0], c)
	w.say("chosen", "name", w.x.s.Communities[n].Name)
	w.found = append(w.found, c)
	w.a.Building, w.a.Unit, w.a.Room = cmp.Or(buildingNo(w.q.Building), w.a.Building), cmp.Or(w.q.Unit, w.a.Unit), cmp.Or(w.q.Room, w.a.Room)
}

// account is the household of the query; asked tells that an account was given and can be looked up.
func (w *weighing) account() (h Household, ok, asked bool) {
	switch {
	case w.q.Household == "":
		return h, false, false
	case w.q.House != nil:
		return *w.q.House, true, true
	case w.x.s.Household == nil:
		return h, false, false
	}
	h, ok = w.x.s.Household(w.q.Household)
	return h, ok, true
}

func (x *Index) unserved(c int32) Reason {
	com := &x.s.Communities[c]
	switch {
	case com.NotServed != "":
		return com.NotServed
	case !com.Connected:
		return NotConnected
	}
	return ""
}

// otherWithin reports whether another company's ground is within the margin of a point.
func (x *Index) otherWithin(p geo.Point, on civil.Date, company string) bool {
	other := false
	x.ground.Near(p, x.s.Margin, func(i int, _ float64) bool {
		a := &x.s.Areas[i]
		other = a.Company != company && a.holds(on)
		return !other
	})
	return other
}
