package sim

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// matter is one kind of complaint.
type matter struct {
	category string // of the city's pack
	list     string // of what people say
	urgency  string
	scope    Scope
	often    [3]int // in the first three days, the next seven, the rest of the season
	cold     bool
	test     bool
	leak     bool
	status   HeatStatus
	faults   []FaultKind
}

// matters are what people complain about.
var matters = []matter{
	{category: "cold_home", list: "cold", urgency: "normal", scope: OneHome, often: [3]int{22, 30, 30}, cold: true, faults: []FaultKind{HomeAir, HomeAir, Blocked, WeakHome}},
	{category: "cold_room", list: "cold_room", urgency: "normal", scope: OneHome, often: [3]int{10, 14, 13}, cold: true, faults: []FaultKind{HomeAir, Blocked}},
	{category: "cold_end", list: "cold_end", urgency: "normal", scope: OneHome, often: [3]int{5, 8, 8}, cold: true, faults: []FaultKind{WeakHome, HomeAir}},
	{category: "cold_unsteady", list: "unsteady", urgency: "normal", scope: OneHome, often: [3]int{3, 5, 8}, cold: true, faults: []FaultKind{WeakHome}},
	{category: "cold_building", list: "building", urgency: "urgent", scope: OneBuilding, cold: true, faults: []FaultKind{Nothing}},
	{category: "no_heat_fault", list: "fault", urgency: "normal", scope: OneBuilding, cold: true, faults: []FaultKind{Nothing}},
	{category: "no_heat_late", list: "late", urgency: "normal", scope: OneHome, often: [3]int{14, 3, 0}, cold: true, faults: []FaultKind{ValveClosed, HomeAir}},
	{category: "no_heat_not_opened", list: "notopened", urgency: "normal", scope: OneHome, often: [3]int{12, 8, 2}, status: WaitingValve, cold: true, faults: []FaultKind{Unopened}},
	{category: "no_heat_valve", list: "valve", urgency: "normal", scope: OneHome, often: [3]int{16, 8, 2}, cold: true, faults: []FaultKind{ValveClosed}},
	{category: "no_heat_arrears", list: "arrears", urgency: "normal", scope: OneHome, often: [3]int{2, 2, 1}, status: Arrears, cold: true, faults: []FaultKind{ForArrears}},
	{category: "leak_home", list: "leak_home", urgency: "critical", scope: OneHome, often: [3]int{9, 6, 6}, leak: true, faults: []FaultKind{HomeLeak}},
	{category: "leak_shared", list: "leak_shared", urgency: "critical", scope: OneUnit, often: [3]int{3, 3, 2}, leak: true, faults: []FaultKind{HomeLeak}},
	{category: "leak_network", list: "leak_network", urgency: "critical", scope: OneEstate, often: [3]int{1, 1, 1}, leak: true, faults: []FaultKind{HomeLeak}},
	{category: "leak_road", list: "leak_road", urgency: "critical", scope: OneEstate, often: [3]int{1, 1, 1}, leak: true, faults: []FaultKind{HomeLeak}},
	{category: "leak_burst", list: "leak_burst", urgency: "critical", scope: OneEstate, leak: true, faults: []FaultKind{Nothing}},
	{category: "measure_request", list: "measure", urgency: "normal", scope: OneHome, often: [3]int{1, 5, 8}, cold: true, test: true, faults: []FaultKind{WeakHome, HomeAir}},
	{category: "measure_objection", list: "objection", urgency: "normal", scope: OneHome, often: [3]int{0, 1, 2}, cold: true, test: true, faults: []FaultKind{WeakHome}},
	{category: "measure_unpaid", list: "unpaid", urgency: "normal", scope: OneHome, often: [3]int{0, 1, 1}, faults: []FaultKind{Nothing}},
	{category: "fee_area", list: "fee_area", urgency: "normal", scope: OneHome, often: [3]int{1, 1, 1}, faults: []FaultKind{Nothing}},
	{category: "fee_refund", list: "fee_refund", urgency: "normal", scope: OneHome, often: [3]int{1, 1, 1}, faults: []FaultKind{Nothing}},
	{category: "service_no_show", list: "service_no_show", urgency: "normal", scope: OneHome, often: [3]int{1, 3, 3}, faults: []FaultKind{Nothing}},
	{category: "service_shirk", list: "service_shirk", urgency: "normal", scope: OneHome, often: [3]int{1, 2, 2}, faults: []FaultKind{Nothing}},
	{category: "service_false", list: "service_false", urgency: "normal", scope: OneHome, often: [3]int{0, 1, 1}, faults: []FaultKind{Nothing}},
	{category: "facility_cover", list: "cover", urgency: "normal", scope: OneEstate, often: [3]int{0, 0, 1}, faults: []FaultKind{Nothing}},
	{category: "facility_noise", list: "noise", urgency: "normal", scope: OneHome, often: [3]int{1, 1, 2}, faults: []FaultKind{Nothing}},
	{category: "facility_station", list: "station", urgency: "normal", scope: OneEstate, often: [3]int{0, 1, 1}, faults: []FaultKind{Nothing}},
	{category: "facility_works", list: "roadworks", urgency: "normal", scope: OneEstate, often: [3]int{1, 1, 1}, faults: []FaultKind{Nothing}},
	{category: "illegal_alter", list: "alter", urgency: "normal", scope: OneHome, often: [3]int{0, 1, 1}, faults: []FaultKind{Nothing}},
	{category: "illegal_theft", list: "theft", urgency: "normal", scope: OneHome, often: [3]int{0, 0, 1}, faults: []FaultKind{Nothing}},
	{category: "illegal_stop", list: "stop", urgency: "normal", scope: OneEstate, often: [3]int{0, 1, 1}, faults: []FaultKind{Nothing}},
	{category: "connect", list: "connect", urgency: "normal", scope: OneBuilding, often: [3]int{1, 1, 1}, faults: []FaultKind{Nothing}},
}

func matterOf(category string) matter {
	for _, m := range matters {
		if m.category == category {
			return m
		}
	}
	panic("sim: no matter " + category)
}

// topic is one kind of question.
type topic struct {
	name     string // a list of words/ask.txt without "ask_"
	category string
	often    int
}

// What is asked before the season, on its first days, and later.
var (
	askBefore = []topic{
		{"start", "inquiry", 40},
		{"company", "inquiry", 12},
		{"stop", "fee_suspend", 14},
		{"pay", "inquiry", 20},
		{"valve", "inquiry", 12},
		{"invoice", "fee_invoice", 4},
		{"standard", "inquiry", 3},
	}
	askFirst = []topic{
		{"start", "inquiry", 5},
		{"company", "inquiry", 22},
		{"standard", "inquiry", 9},
		{"air", "inquiry", 16},
		{"valve", "inquiry", 18},
		{"progress", "inquiry", 14},
		{"pay", "inquiry", 8},
		{"refund", "fee_refund", 4},
		{"test", "inquiry", 4},
		{"outage", "inquiry", 6},
		{"arrears", "fee_arrears", 3},
		{"stop", "fee_suspend", 4},
		{"pressure", "inquiry", 1},
	}
	askNormal = []topic{
		{"standard", "inquiry", 10},
		{"company", "inquiry", 14},
		{"refund", "fee_refund", 14},
		{"test", "inquiry", 12},
		{"air", "inquiry", 9},
		{"progress", "inquiry", 18},
		{"outage", "inquiry", 9},
		{"invoice", "fee_invoice", 8},
		{"pay", "inquiry", 5},
		{"valve", "inquiry", 3},
		{"arrears", "fee_arrears", 2},
		{"stop", "fee_suspend", 3},
		{"pressure", "inquiry", 2},
		{"suggestion", "opinion_suggestion", 5},
		{"outside", "opinion_praise", 4},
	}
)

func weightsOf(topics []topic) []int {
	w := make([]int, len(topics))
	for n, t := range topics {
		w[n] = t.often
	}
	return w
}

// ask is a question as it is put; praise and proposals end with the address.
func (w *Winter) ask(r dice, c Call) string {
	list := c.Topic
	if list != "suggestion" && list != "outside" {
		list = "ask_" + list
	}
	s := pick(r, words(list)) + pick(r, words("ask_where"))
	if list != c.Topic {
		s += pick(r, words("ask_more"))
	}
	return w.fill(r, c, s, 0)
}

// complain is a complaint as it is said: 60 to 200 characters in most cases.
func (w *Winter) complain(r dice, c *Call, m matter) {
	s := pick(r, words(opening(*c))) + pick(r, words(m.list))
	if c.HasSaid {
		s += pick(r, words("temp"))
	}
	switch {
	case m.leak, m.cold && c.Shared >= 0 && c.Fault != LowFlow, m.cold && seasonStart.DaysUntil(c.At.Date()) < 2:
		c.Since = pick(r, words("fresh"))
	case m.cold:
		c.Since = pick(r, words("since"))
	}
	c.Since = w.fill(r, *c, c.Since, 0)
	s += c.Since
	if m.cold && c.Scope == OneHome && r.chance(450) {
		s += w.neighbours(r, c)
	}
	if c.Care && c.Caller.Relation == "本人" {
		s += pick(r, words("care_self"))
	} else if c.Care {
		s += pick(r, words("care"))
	}
	if r.chance(300) && !m.leak {
		s += pick(r, words("told"))
	}
	if c.Test && !m.test {
		s += pick(r, words("measure"))
	}
	more := shuffled(r, words("filler"))
	for n := 0; m.cold && utf8.RuneCountInString(s) < 75; n++ {
		s += more[n]
	}
	if m.leak {
		s += pick(r, words("demand_leak"))
	} else {
		s += pick(r, words("demand"))
	}
	c.Text = w.fill(r, *c, s, 0)
	c.Since = strings.TrimSuffix(c.Since, "。")
}

// neighbours says whether it is cold next door too: it mostly is where the fault is shared.
func (w *Winter) neighbours(r dice, c *Call) string {
	cold := 150
	if c.Shared >= 0 {
		cold = 850
	}
	if c.Neighbours = "no"; r.chance(cold) {
		c.Neighbours = "yes"
		return pick(r, words("neighbours_cold"))
	}
	return pick(r, words("neighbours_warm"))
}

// opening is the list of first words that fits who speaks.
func opening(c Call) string {
	switch {
	case c.Channel == Hotline:
		return "where_hotline"
	case c.Caller.Relation == "子女":
		return "where_parents"
	case c.Caller.Relation == "物业" || c.Caller.Relation == "社区":
		return "where_public"
	default:
		return "where"
	}
}

// fill puts the names and numbers in.
func (w *Winter) fill(r dice, c Call, s string, n int) string {
	h := w.Households[c.Household]
	m := w.Community(c.Household)
	day, days := sinceDay(r, c.At)
	road := strings.TrimRight(m.Address, "0123456789号")
	return strings.NewReplacer(
		"{addr}", c.Address, "{t}", decimal(c.Said), "{day}", day, "{n}", strconv.Itoa(days), "{times}", strconv.Itoa(n+2), "{road}", road,
		"{company}", w.Companies[w.Supplier(h.Building)].Short, "{years}", strconv.Itoa(2025-m.built),
	).Replace(s)
}

// address is where a caller says the home is: seldom the way the register has it.
func (w *Winter) address(r dice, household int) string {
	h := w.Households[household]
	b := w.Buildings[h.Building]
	m := w.Communities[b.Community]
	name := m.Name
	if len(m.Aliases) > 0 && r.chance(150) {
		name = pick(r, m.Aliases)
	}
	switch k := r.n(100); {
	case k < 12:
		name = w.Districts[m.District].Name + name
	case k < 14: // the caller is wrong about the district
		name = w.Districts[(m.District+1+r.n(5))%6].Name + name
	case k < 20:
		name = m.Address + name
	}
	unit, room := strconv.Itoa(h.Unit), h.Room()
	switch k := r.n(100); {
	case k < 34:
		return name + b.No + "号楼" + unit + "单元" + room
	case k < 48:
		return name + b.No + "-" + unit + "-" + room
	case k < 58:
		return name + b.No + "号楼" + unit + "单元" + room + "室"
	case k < 66:
		return name + hanzi(b.No) + "号楼" + hanzi(unit) + "单元" + room
	case k < 74:
		return name + wide(b.No) + "号楼" + wide(unit) + "单元" + wide(room)
	case k < 81:
		return name + b.No + "栋" + room
	case k < 86:
		return name + b.No + "#" + unit + "单元" + strconv.Itoa(h.Floor) + "楼" + pick(r, []string{"东户", "西户", "中户"})
	case k < 93:
		return name + b.No + "号楼"
	case k < 96:
		return strings.TrimRight(m.Address, "0123456789号") + "上的" + name
	default:
		return name
	}
}

// hanzi writes a number below a hundred the way it is spoken.
func hanzi(no string) string {
	n, err := strconv.Atoi(no)
	if err != nil || n < 1 || n > 99 {
		return no
	}
	digits := []rune("零一二三四五六七八九十")
	switch {
	case n <= 10:
		return string(digits[n])
	case n < 20:
		return "十" + string(digits[n-10])
	case n%10 == 0:
		return string(digits[n/10]) + "十"
	default:
		return string(digits[n/10]) + "十" + string(digits[n%10])
	}
}

// wide writes digits full-width, as phones do by accident.
func wide(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return c - '0' + '０'
		}
		return c
	}, s)
}
