package territory

import (
	"slices"
	"strings"
)

// ParseAddress reads the parts of an address from a text without any register: names are taken by their endings, so a
// community is only as certain as its shape. (*Index).ParseAddress knows the city's names.
func ParseAddress(s string) Address {
	t := fold(s)
	var a Address
	begin := leadIn(t)
	pos := begin
	if i := ending(t, begin, 5, "区", "县"); i > 0 && !endsAt(t, i, "小区", "社区", "家属区", "生活区") && !(i >= 2 && isLetter(t[i-2])) {
		a.District = string(t[max(begin, i-4):i])
		if c := strings.Index(a.District, "市"); c >= 0 {
			a.District = a.District[c+len("市"):]
		}
		pos = i
	}
	if i := ending(t, pos, 6, "街道办", "街道", "镇", "乡"); i > 0 {
		a.Street = string(t[pos:i])
		pos = i
	}
	if name, number, end := roadAt(t, pos); name != "" {
		a.Road, a.Number = name, number
		pos = end
	}
	near := func(i int) bool { return i == pos && pos > begin }
	all := spots(t[:], near)
	all = slices.DeleteFunc(all, func(s spot) bool { return s.from < pos })
	end := pos + nameLength(t[pos:], all, pos)
	a.Community = string(t[pos:end])
	hidden := slices.Clone(t)
	for i := begin; i < end; i++ {
		hidden[i] = '□'
	}
	a.fill(join(spots(hidden, func(i int) bool { return i == end }), func(i int) bool { return i == end }))
	return a
}

func (a *Address) fill(s spot) {
	a.Building, a.Unit, a.Floor, a.Room = s.building, s.unit, s.floor, s.room
}

// leadIn is where the address begins: after "我家住在" and the like.
func leadIn(t []rune) int {
	for _, w := range []string{"住在", "家住", "位于", "地址是", "地址:", "家在", "我是", "住", "在"} {
		n := len([]rune(w))
		for i := 0; i+n <= len(t) && i < 30; i++ {
			if standsAt(t, i, w) {
				return i + n
			}
		}
	}
	if i := slices.Index(t, '，'); i >= 0 && i < 8 && endsAt(t, i, "你好", "您好", "好") {
		return i + 1
	}
	return 0
}

// ending is where the first of the words ends within so many characters of names; 0 for none.
func ending(t []rune, from, within int, words ...string) int {
	for i := from + 1; i < len(t) && i <= from+within && isHan(t[i]); i++ {
		if w, ok := hasAt(t, i, words...); ok {
			return i + len([]rune(w))
		}
	}
	return 0
}

// nameLength is how much of a text may be a community's name: up to its building, or up to an ending that names of
// communities have.
func nameLength(t []rune, all []spot, pos int) int {
	most := 0
	for most < len(t) && most < 14 && (isHan(t[most]) || isASCIIWord(t[most])) {
		most++
	}
	for _, s := range all {
		if s.weight() >= 3 && s.from-pos <= most {
			return len([]rune(strings.TrimRight(string(t[:max(s.from-pos, 0)]), "的第")))
		}
	}
	best := 0
	for i := 1; i < most; i++ {
		for _, list := range [][]string{plainSuffix, longerName, {"苑", "里", "庄园", "新区", "院"}} {
			if w, ok := hasAt(t, i, list...); ok {
				best = max(best, i+len([]rune(w)))
			}
		}
		if best > 0 && i > best {
			break
		}
	}
	return min(best, most)
}

// ParseAddress reads the parts of an address with the names of the city's register.
func (x *Index) ParseAddress(s string) Address {
	w := &weighing{x: x, q: Query{Text: s}, road: -1}
	w.readText()
	w.weighNames()
	a := Address{Number: w.roadNo}
	if len(w.wards) > 0 {
		a.District = x.s.Districts[w.wards[0]].Name
	}
	if len(w.streets) > 0 {
		a.Street = x.s.Streets[w.streets[0]].Name
	}
	if w.road >= 0 {
		a.Road = x.roads[w.road].name
	}
	best := 0.0
	for _, c := range w.found {
		if c.score > best {
			best, a.Community = c.score, x.s.Communities[c.place].Name
		}
	}
	a.fill(w.spot)
	return a
}
