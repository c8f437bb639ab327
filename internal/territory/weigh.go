package territory

import (
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/text"
)

// weighNames takes the communities that the text names.
func (w *weighing) weighNames() {
	type named struct {
		group []candidate
		built bool
		lives bool
	}
	var all []named
	anyBuilt, anyLives := false, false
	for i := range w.ms {
		m := w.ms[i]
		if !m.community() || w.houseNumber(m) {
			continue
		}
		n := named{group: w.group(m), built: w.builtAfter(m), lives: endsAt(w.t, m.from, livesAt...)}
		if len(n.group) == 0 {
			continue
		}
		anyBuilt, anyLives = anyBuilt || n.built, anyLives || n.lives
		all = append(all, n)
	}
	for _, n := range all {
		for _, c := range n.group {
			if len(all) > 1 && (anyBuilt && !n.built || !anyBuilt && anyLives && !n.lives) {
				c.score = min(c.score, scoreNearby)
			}
			w.add(c)
		}
	}
}

// houseNumber reports whether a name that ends like a road stands before a house number: 建设路186号 is a place on the road, and
// says nothing about 建设路小区, whose short name it looks like.
func (w *weighing) houseNumber(m mention) bool {
	if !endsAt(w.t, m.to, "路", "街", "巷") {
		return false
	}
	n, _ := roadNumber(w.t, m.to)
	return n != ""
}

// add keeps the better of two readings that say the same.
func (w *weighing) add(c candidate) {
	for i := range w.found {
		if o := &w.found[i]; o.place == c.place && o.company == c.company {
			if c.score > o.score {
				*o = c
			}
			return
		}
	}
	w.found = append(w.found, c)
}

// group weighs one name: every community that bears it, told apart by district, street, road and point.
func (w *weighing) group(m mention) []candidate {
	x := w.x
	type bearer struct {
		place  int32
		score  float64
		method Method
		proofs int
	}
	var list []bearer
	most := 0
	for _, s := range m.senses {
		if s.kind > isDerived {
			continue
		}
		score, method := w.strength(m, s)
		if score == 0 {
			continue
		}
		b := bearer{place: s.ref, score: score, method: method}
		b.proofs = w.proofs(s.ref)
		if d := x.places[s.ref].district; len(w.wards) > 0 && d >= 0 && !slices.Contains(w.wards, d) {
			b.score, b.proofs = min(b.score, scoreOtherWard), -1
		}
		most = max(most, b.proofs)
		list = append(list, b)
	}
	if len(list) == 0 {
		return nil
	}
	best := slices.DeleteFunc(slices.Clone(list), func(b bearer) bool { return b.proofs < most })
	if len(best) == 0 { // every bearer lies in another district than the text says
		best = list
	}
	rivals := map[string]bool{}
	for _, b := range best {
		rivals[x.rivalOf(b.place, w)] = true
	}
	var out []candidate
	name := string(w.t[m.from:m.to])
	for _, b := range list {
		in := slices.Contains(best, b)
		switch {
		case !in:
			b.score = min(b.score, 0.3)
		case len(rivals) > 1:
			b.score = min(b.score, scoreShared)
		case b.proofs > 0:
			b.score = min(b.score+0.03*float64(b.proofs), 0.96)
		}
		why := text.Msg("territory.why."+string(b.method), "name", name, "community", x.s.Communities[b.place].Name)
		for _, c := range w.readings(b.place, b.score, b.method, why) {
			c.shared = in && len(rivals) > 1
			c.vague = in && len(best) > 1 && len(rivals) == 1
			out = append(out, c)
		}
	}
	if len(list) > 1 {
		w.say("shared", "name", name, "count", len(list), "left", len(best))
	} else {
		w.say("community", "name", name, "community", x.s.Communities[list[0].place].Name, "district", x.districtName(list[0].place))
	}
	return out
}

func (x *Index) rivalOf(place int32, w *weighing) string {
	if r := x.unserved(place); r != "" {
		return "\x00unserved"
	}
	return x.ownerOf(place, w.on).company
}

func (x *Index) districtName(place int32) string {
	if d := x.places[place].district; d >= 0 {
		return x.s.Districts[d].Name
	}
	return x.s.Communities[place].District
}

// proofs counts what else in the query points to a community: its district, street, road, the place on the map.
func (w *weighing) proofs(c int32) int {
	p, com, n := &w.x.places[c], &w.x.s.Communities[c], 0
	if p.district >= 0 && slices.Contains(w.wards, p.district) {
		n++
	}
	if p.street >= 0 && slices.Contains(w.streets, p.street) {
		n++
	}
	if p.road >= 0 && p.road == w.road {
		n++
		if w.roadNo != "" && p.number == w.roadNo {
			n++
		}
	}
	if !w.hasPoint {
		return n
	}
	if !com.Point.IsZero() {
		if com.Point.Metres(w.point) < 1500 {
			n++
		}
	} else if o := w.x.ownerOf(c, w.on); o.area != "" && slices.ContainsFunc(w.here, func(a *Area) bool { return a.Code == o.area }) {
		n++
	}
	return n
}

// strength is how far a name carries where it stands; 0 for not at all.
func (w *weighing) strength(m mention, s sense) (float64, Method) {
	score, method := scoreName, ByCommunity
	switch s.kind {
	case isAlias:
		score, method = scoreAlias, ByAlias
	case isDerived:
		score, method = scoreDerived, ByAlias
	case isName, isDistrict, isDistrictShort, isStreet, isStreetShort, isRoad:
	}
	if endsAt(w.t, m.from, notHere...) {
		return 0, method
	}
	if (m.has(isDistrictShort) || m.has(isStreetShort)) && w.leadsToName(m) {
		return 0, method // 南湖阳光花园: here 南湖 is the district
	}
	_, beside := hasAt(w.t, m.to, nearby...)
	if _, other := hasAt(w.t, m.to, otherPlace...); other && !standsAt(w.t, m.to, "路口") {
		return 0, method
	}
	placed, built := w.placed(m), w.builtAfter(m)
	lives := m.from == 0 || endsAt(w.t, m.from, livesAt...)
	_, plain := hasAt(w.t, m.to, plainSuffix...)
	name := string(w.t[m.from:m.to])
	switch {
	case w.x.generic[name]:
		if !placed && !(lives && built) {
			return 0, method
		}
		score = scoreGeneric
	case m.to-m.from == 2:
		if score -= 0.04; !placed && !built && !plain && !lives {
			score = namesCompany - 0.05
		}
	}
	if built {
		score += 0.03
	}
	if _, longer := hasAt(w.t, m.to, longerName...); longer && !plain {
		score = min(score, scorePart-0.1)
	}
	if !placed && !lives && endsAt(w.t, m.from, brandBefore...) {
		score = min(score, scorePart)
	}
	if w.x.places[s.ref].siblings && w.part(m.to) {
		score = min(score, scorePart)
	}
	if beside || standsAt(w.t, m.to, "路口") {
		score = min(score, scoreNearby)
	}
	return score, method
}

// part reports whether 二期 or 东区 stands after a name.
func (w *weighing) part(i int) bool {
	if i+1 < len(w.t) && w.t[i+1] == '区' && (isLetter(w.t[i]) || strings.ContainsRune("东西南北中", w.t[i])) {
		return true
	}
	n, ok := numeralAt(w.t, i)
	return ok && (standsAt(w.t, n.end, "期") || standsAt(w.t, n.end, "区"))
}

// placed reports whether a district, street or road stands right before a name.
func (w *weighing) placed(m mention) bool {
	for _, o := range w.ms {
		if o.community() || o.to > m.from {
			continue
		}
		end := o.to
		if o.has(isRoad) {
			_, end = roadNumber(w.t, o.to)
		}
		if end == m.from || end == m.from-1 && strings.ContainsRune("，的 市", w.t[end]) {
			return true
		}
	}
	return false
}

// builtAfter reports whether a building stands right after a name.
func (w *weighing) builtAfter(m mention) bool {
	for _, s := range w.all {
		if s.from < m.to || s.from > m.to+8 || s.weight() < 3 {
			continue
		}
		if s.from == m.to || w.near[s.from] {
			return true
		}
	}
	return false
}

// readings are what a community means for the query: its company, or its building's, or one reading for each company
// where its buildings are shared and the text does not tell which.
func (w *weighing) readings(place int32, score float64, m Method, why text.Message) []candidate {
	x := w.x
	c := candidate{owner: x.ownerOf(place, w.on), place: place, score: score, method: m, why: why, unserved: x.unserved(place)}
	if len(x.places[place].buildings) == 0 || c.unserved != "" {
		return []candidate{c}
	}
	shares, whole := x.shares(place, c.owner, w.on)
	name := x.s.Communities[place].Name
	if b := x.building(place, w.spot); b != nil && m != ByPoint {
		c.building, c.owner = b, x.ownerOfBuilding(b, c.owner, w.on)
		if score >= 0.6 {
			c.score, c.method = min(score+0.05, 0.97), ByBuilding
			c.why = text.Msg("territory.why.building", "community", name, "building", w.spot.building)
		}
		w.say("building", "community", name, "building", w.spot.building)
		return []candidate{c}
	}
	if w.spot.building != "" && m != ByPoint {
		w.say("building_unlisted", "community", name, "building", w.spot.building)
	}
	if len(shares) < 2 {
		if len(shares) == 1 {
			c.owner = shares[0]
		}
		return []candidate{c}
	}
	if w.spot.building != "" && !whole { // only the exceptions are listed, and this is none
		c.score = min(score, scoreDerived)
		return []candidate{c}
	}
	w.say("split", "community", name, "count", len(shares))
	out := make([]candidate, 0, len(shares))
	for _, o := range shares {
		d := c
		d.owner, d.score, d.shared = o, min(score, scoreShared), true
		d.why = text.Msg("territory.why.split", "community", name)
		out = append(out, d)
	}
	return out
}
