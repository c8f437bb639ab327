package territory

import "strings"

// Address is what a text says about where in the city it is. Numbers are Arabic; what is not said is empty.
type Address struct {
	District  string
	Street    string
	Road      string
	Number    string
	Community string
	Building  string
	Unit      string
	Floor     string
	Room      string
}

// spot is a building, unit, floor and room that stand together in a text.
type spot struct {
	section  string // "A" of A区3号楼, "2期" of 二期3号楼: some registers make it part of the number
	building string
	unit     string
	floor    string
	room     string
	from, to int
}

func (s spot) weight() int {
	w := 0
	if s.building != "" {
		w += 4
	}
	if s.unit != "" {
		w += 3
	}
	if s.room != "" {
		w += 2
	}
	if s.floor != "" {
		w++
	}
	return w
}

// spots finds every spot of a text. after tells whether a community's name or a road number ends at a position, which
// makes short forms such as "3-2" readable.
func spots(t []rune, after func(int) bool) []spot {
	var found []spot
	for i := 0; i < len(t); {
		if !mayStart(t, i) {
			i++
			continue
		}
		s := reader{t: t, near: after(i)}
		if got, ok := s.read(i); ok {
			found = append(found, got)
			i = max(got.to, i+1)
			continue
		}
		i++
	}
	return found
}

// mayStart: numbers are read from their beginning only, never from inside a telephone number or a range.
func mayStart(t []rune, i int) bool {
	r := t[i]
	if !isASCIIWord(r) && !isHanNumeral(r) && !strings.ContainsRune("甲乙丙丁东西南北中老新", r) {
		return false
	}
	if i == 0 {
		return true
	}
	prev := t[i-1]
	if isASCIIWord(prev) || isHanNumeral(r) && isHanNumeral(prev) {
		return false
	}
	return !(strings.ContainsRune("-/.:", prev) && i > 1 && isDigit(t[i-2]))
}

type reader struct {
	t    []rune
	near bool // right after a community's name
}

func (r reader) read(i int) (spot, bool) {
	if s, ok := r.chain(i); ok {
		return s, true
	}
	s := spot{from: i, to: i}
	p, ok := r.building(i, &s)
	if !ok {
		p = i
	}
	if q, ok := r.unit(r.skip(p, s.building != ""), &s); ok {
		p = q
	}
	p = r.rest(p, &s)
	s.to = p
	if s.building != "" {
		s.section = section(r.t, i)
	}
	return s, s.weight() > 0
}

// skip passes over what stands between the parts of an address.
func (r reader) skip(i int, inside bool) int {
	for n := 0; inside && n < 2 && i < len(r.t) && strings.ContainsRune("-，、 的第#/", r.t[i]); n++ {
		i++
	}
	return i
}

// chain reads 3-2-601, 3-601 and, after a name, 3-2 or "3 2 601".
func (r reader) chain(i int) (spot, bool) {
	t := r.t
	start := i
	letter := ""
	if isLetter(t[i]) && i+1 < len(t) && isDigit(t[i+1]) {
		letter = string(t[i])
		i++
	}
	var runs []string
	var seps []rune
	for i < len(t) && isDigit(t[i]) {
		j := i
		for j < len(t) && isDigit(t[j]) {
			j++
		}
		runs = append(runs, string(t[i:j]))
		i = j
		if j+1 < len(t) && strings.ContainsRune("- /.一", t[j]) && isDigit(t[j+1]) {
			seps = append(seps, t[j])
			i = j + 1
		} else {
			break
		}
	}
	if len(runs) < 2 || len(runs) != len(seps)+1 || len(runs[0]) > 3 || len(runs[0]) == 3 && runs[0][0] == '0' {
		return spot{}, false
	}
	s := spot{from: start, building: letter + strings.TrimLeft(runs[0], "0"), section: section(t, start)}
	if s.building == letter {
		return spot{}, false
	}
	if !r.links(i, runs, seps, &s) {
		return spot{}, false
	}
	s.to = i
	if s.room == "" && s.unit != "" {
		if w, ok := hasAt(t, i, "单元", "门", "#"); ok {
			s.to = i + len([]rune(w))
		}
		s.to = r.rest(s.to, &s)
		return s, true
	}
	if w, ok := hasAt(t, s.to, "室", "号", "户"); ok && !standsAt(t, s.to, "室温") && !standsAt(t, s.to, "号楼") {
		s.to += len([]rune(w))
	}
	return s, true
}

// links gives the runs of a chain their meaning; false for a date, a telephone number, a range of degrees.
func (r reader) links(end int, runs []string, seps []rune, s *spot) bool {
	measured := measure(r.t, end)
	loose := seps[0] == ' ' || seps[0] == '.' || seps[0] == '/'
	switch n := len(runs); {
	case n == 3 && len(runs[1]) <= 2 && (len(runs[2]) == 3 || len(runs[2]) == 4) && !measured:
		if loose && seps[0] != ' ' && len(runs[2]) == 4 && (runs[2][:2] == "20" || runs[2][:2] == "19") && !r.near {
			return false // 1/15/2026
		}
		s.unit, s.room = strings.TrimLeft(runs[1], "0"), strings.TrimLeft(runs[2], "0")
		return true
	case n == 4 && len(runs[1]) <= 2 && len(runs[2]) <= 2 && len(runs[3]) <= 2 && !loose && !measured:
		s.unit, s.floor = strings.TrimLeft(runs[1], "0"), strings.TrimLeft(runs[2], "0")
		s.room = onFloor(s.floor, strings.TrimLeft(runs[3], "0"))
		return s.floor != ""
	case n == 2 && (len(runs[1]) == 3 || len(runs[1]) == 4) && !measured && (!loose || r.near && seps[0] == ' '):
		s.room = runs[1]
		return runs[1][0] != '0'
	case n == 2 && len(runs[1]) <= 2 && !loose && (standsAt(r.t, end, "单元") || standsAt(r.t, end, "门") || r.near && !measured && !standsAt(r.t, end, "号")):
		s.unit = strings.TrimLeft(runs[1], "0")
		return s.unit != ""
	}
	return false
}

// measure reports whether what follows a number makes it a quantity: degrees, hours, yuan, square metres.
func measure(t []rune, i int) bool {
	if i < len(t) && t[i] == ' ' {
		i++
	}
	if i >= len(t) {
		return false
	}
	if t[i] == '.' && i+1 < len(t) && isDigit(t[i+1]) {
		return true
	}
	if _, speech := hasAt(t, i, "个别", "天天", "年年", "日夜", "分户", "分水", "时冷", "时热", "时有", "多次", "多日", "多天", "多处", "点都", "点也", "次卧", "片刻"); speech {
		return false // the sentence goes on: 601次卧不热
	}
	_, unit := hasAt(t, i, "摄氏", "小时", "来度", "来块", "来户", "几户", "几块", "几度", "余户", "余元")
	return unit || strings.ContainsRune("度℃°点时分秒天日月年次个元块万千百平米㎡M岁%多片组条台倍:", t[i])
}

// building reads 3号楼, 3#, 三栋, A座, A3号楼, 甲2号楼, and 3楼 or 3号 where a unit follows.
func (r reader) building(i int, s *spot) (int, bool) {
	t := r.t
	prefix, p := "", i
	if strings.ContainsRune("甲乙丙丁东西南北老新", t[p]) || isLetter(t[p]) {
		prefix = string(t[p])
		p++
		if p < len(t) && t[p] == '-' && isLetter(t[i]) {
			p++
		}
	}
	n, ok := numeralAt(t, p)
	if !ok {
		if prefix == "" || !isLetter(t[i]) || standsAt(t, p, "栋楼") {
			return i, false
		}
		if w, has := hasAt(t, p, "号楼", "座", "栋", "幢", "楼"); has {
			s.building = prefix
			return p + len([]rune(w)), true
		}
		return i, false
	}
	if len(n.value) > 3 {
		return i, false
	}
	q := n.end
	suffix := ""
	if q < len(t) && isLetter(t[q]) && q+1 < len(t) && strings.ContainsRune("号栋幢座#楼", t[q+1]) {
		suffix = string(t[q])
		q++
	}
	end, ok := r.designator(i, q, n)
	if !ok {
		return i, false
	}
	s.building = prefix + n.value + suffix
	return end, true
}

// designator decides whether what stands after a number makes it a building's.
func (r reader) designator(start, q int, n numeral) (int, bool) {
	t := r.t
	if w, ok := hasAt(t, q, "号住宅楼", "号宿舍楼", "号公寓楼", "号居民楼", "号高层", "号楼栋", "号楼", "号栋", "号幢", "号座", "#楼", "#栋", "#"); ok {
		return q + len([]rune(w)), true
	}
	w, ok := hasAt(t, q, "栋楼", "幢楼", "座楼", "栋", "幢", "座")
	if ok {
		end := q + len([]rune(w))
		counted := len([]rune(w)) == 2 || n.han && !r.near || start > 0 && strings.ContainsRune("这那整共全每有几哪", t[start-1])
		return end, !counted || r.unitFollows(end) || n.han && len([]rune(w)) == 1 && r.roomFollows(end)
	}
	if standsAt(t, q, "楼") {
		return q + 1, r.unitFollows(q + 1)
	}
	if standsAt(t, q, "号") && !endsAt(t, start, "月") {
		return q + 1, r.unitFollows(q+1) || r.near && r.roomFollows(q+1) || r.linkFollows(q+1)
	}
	return q, false
}

func (r reader) unitFollows(i int) bool {
	i = r.skip(i, true)
	if n, ok := numeralAt(r.t, i); ok {
		_, unit := hasAt(r.t, n.end, "单元", "门", "号门", "口")
		return unit && len(n.value) <= 2
	}
	return i < len(r.t) && strings.ContainsRune("东西南北中甲乙丙丁ABCD", r.t[i]) && standsAt(r.t, i+1, "单元")
}

func (r reader) roomFollows(i int) bool {
	n, ok := numeralAt(r.t, r.skip(i, true))
	return ok && (len(n.value) == 3 || len(n.value) == 4) && !measure(r.t, n.end)
}

func (r reader) linkFollows(i int) bool {
	i = r.skip(i, true)
	n, ok := numeralAt(r.t, i)
	if !ok || n.end+1 >= len(r.t) || r.t[n.end] != '-' {
		return false
	}
	return r.roomFollows(n.end + 1)
}

// unit reads 2单元, 东单元 and, inside an address, 2门, 2口, or 2 of 2-601.
func (r reader) unit(i int, s *spot) (int, bool) {
	t := r.t
	if i >= len(t) {
		return i, false
	}
	if strings.ContainsRune("东西南北中甲乙丙丁ABCD", t[i]) && standsAt(t, i+1, "单元") {
		s.unit = string(t[i])
		return i + 3, true
	}
	n, ok := numeralAt(t, i)
	if !ok || len(n.value) > 2 {
		return i, false
	}
	if standsAt(t, n.end, "单元") {
		s.unit = n.value
		return n.end + 2, true
	}
	w, door := hasAt(t, n.end, "门洞", "号门", "门", "口", "梯")
	if door && (s.building != "" || w == "门" && r.roomFollows(n.end+1)) {
		s.unit = n.value
		return n.end + len([]rune(w)), true
	}
	if s.building != "" && n.end < len(t) && t[n.end] == '-' && r.roomFollows(n.end+1) {
		s.unit = n.value
		return n.end + 1, true
	}
	return i, false
}

// rest reads floor and room.
func (r reader) rest(i int, s *spot) int {
	t := r.t
	inside := s.building != "" || s.unit != ""
	p := r.skip(i, inside)
	if w, top := hasAt(t, p, "顶楼", "顶层"); top && inside {
		p += len([]rune(w))
	}
	n, ok := numeralAt(t, p)
	if ok && len(n.value) <= 2 {
		if w, floor := hasAt(t, n.end, "楼", "层"); floor && !standsAt(t, n.end, "楼道") {
			s.floor = n.value
			i = n.end + len([]rune(w))
			inside = true
			p = r.skip(i, true)
			if w, side := hasAt(t, p, "东户", "西户", "中户", "南户", "北户", "左户", "右户", "东边户", "西边户"); side {
				s.room = w
				return p + len([]rune(w))
			}
			n, ok = numeralAt(t, p)
		}
	}
	if !ok || (n.han && !inside) {
		return i
	}
	return r.room(i, n, inside, s)
}

func (r reader) room(i int, n numeral, inside bool, s *spot) int {
	t := r.t
	end, suffix := n.end, ""
	if end < len(t) && isLetter(t[end]) && (end+1 >= len(t) || !isASCIIWord(t[end+1])) {
		suffix = string(t[end])
		end++
	}
	named := standsAt(t, end, "室") && (!standsAt(t, end, "室温") && !standsAt(t, end, "室内") || inside && len(n.value) >= 3) ||
		standsAt(t, end, "房") && !standsAt(t, end, "房间") && !standsAt(t, end, "房子")
	numbered := inside && (standsAt(t, end, "号") && !standsAt(t, end, "号楼") || standsAt(t, end, "户") && (s.unit != "" || s.floor != ""))
	switch l := len(n.value); {
	case l == 3 || l == 4:
		if !named && !numbered && (!inside || measure(t, end) || standsAt(t, end, "户")) {
			return i
		}
		s.room = n.value + suffix
	case l <= 2 && (named || numbered) && s.floor != "":
		s.room = onFloor(s.floor, n.value) + suffix
	case l <= 2 && (named || numbered) && s.unit != "":
		s.room = n.value + suffix
	default:
		return i
	}
	if (named || numbered) && !standsAt(t, end, "室温") && !standsAt(t, end, "室内") {
		end++
	}
	return end
}

// onFloor is the number of the nth flat of a floor: 6 and 1 make 601.
func onFloor(floor, n string) string {
	if len(n) == 1 {
		n = "0" + n
	}
	return floor + n
}

// section reads A区, 东区 or 二期 just before a building.
func section(t []rune, i int) string {
	if i < 2 {
		return ""
	}
	switch t[i-1] {
	case '区':
		if isLetter(t[i-2]) || strings.ContainsRune("东西南北中", t[i-2]) {
			return string(t[i-2])
		}
	case '期':
		if n, ok := numeralAt(t, i-2); ok && n.end == i-1 {
			return n.value + "期"
		}
	}
	return ""
}

// join makes one address of the spots: the weightiest, best right after the name of the community, completed by the
// others where they do not contradict it.
func join(all []spot, after func(int) bool) spot {
	best, most := spot{}, 0
	for _, s := range all {
		w := s.weight()
		if after(s.from) {
			w += 6
		}
		if w > most {
			best, most = s, w
		}
	}
	for _, s := range all {
		if s.from == best.from {
			continue
		}
		if best.building == "" && s.building != "" && (s.unit == "" || s.unit == best.unit) {
			best.building, best.section = s.building, s.section
		}
		if s.building != "" && s.building != best.building {
			continue
		}
		if best.unit == "" && best.room == "" && s.unit != "" {
			best.unit, best.room = s.unit, s.room
		}
		if best.room == "" && s.room != "" && s.unit == "" {
			best.room = s.room
		}
		if best.floor == "" && best.room == "" {
			best.floor = s.floor
		}
	}
	return best
}
