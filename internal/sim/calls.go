package sim

import (
	"cmp"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/geo"
)

// Channel is how a call comes in.
type Channel string

// The channels.
const (
	Phone   Channel = "phone"
	WeChat  Channel = "wechat"
	Web     Channel = "web"
	Counter Channel = "counter"
	Hotline Channel = "hotline_12345"
	OwnLine Channel = "company" // the company's own line
)

// Scope is how far the cold goes, as the caller says.
type Scope string

// The scopes.
const (
	OneHome     Scope = "household"
	OneUnit     Scope = "unit"
	OneBuilding Scope = "building"
	OneEstate   Scope = "community"
	OneDistrict Scope = "district"
)

// Caller is who calls.
type Caller struct{ Name, Phone, Relation string }

// Call is one call or report, with what the caller says and what is really so.
type Call struct {
	Key        string // the same in every run
	At         civil.Instant
	Channel    Channel
	Caller     Caller
	Address    string // as told
	Text       string
	Said       celsius.Tenths // the temperature said; see HasSaid
	HasSaid    bool
	Scope      Scope
	Since      string // as said
	Neighbours string // whether it is cold next door too: yes, no, empty if nothing was said
	Test       bool   // asks for a temperature test
	Point      geo.Point
	Reminder   string // the key of the open call this one reminds of (催办)
	StillCold  string // the key of the call that was closed although the home is cold
	Bare       bool   // the caller says no more than the name
	Topic      string // what a question is about; empty for what needs a company

	Household int // what is really so
	Category  string
	Urgency   string
	Care      bool
	Fault     FaultKind
	Shared    int // the number of the shared fault, -1 for none
}

// IsQuestion reports whether a seat can answer at once.
func (c Call) IsQuestion() bool { return c.Topic != "" }

// Plan says which calls are wanted.
type Plan struct{ From, To civil.Instant }

// callYear is a winter's calls while they are being made.
type callYear struct {
	*Winter
	later   map[civil.Date][]Call // reminders, and calls of long faults
	touched map[int]bool          // shared faults that have been reported
}

// Calls is everything that is called in, in order of time. The calls of a day never depend on Plan.From and Plan.To.
func (w *Winter) Calls(p Plan) iter.Seq[Call] {
	return func(yield func(Call) bool) {
		y := &callYear{Winter: w, later: map[civil.Date][]Call{}, touched: map[int]bool{}}
		for d := seasonStart.AddDays(-14); !d.Start().After(p.To); d = d.AddDays(1) {
			for _, c := range y.day(d) {
				if c.At.Before(p.From) {
					continue
				}
				if !c.At.Before(p.To) || !yield(c) {
					return
				}
			}
		}
	}
}

// starting is how many times a usual day's calls come on the first days of the season.
var starting = [...]int{1500, 1550, 1350, 1150, 1000, 850, 750, 650, 600, 550, 380, 320, 250, 200, 150, 130}

// pressure is how many times a usual day's calls a day brings, in hundredths.
func (y *callYear) pressure(d civil.Date) int {
	since := seasonStart.DaysUntil(d)
	switch {
	case since < 0:
		return 25 + 3*max(0, 14+since)
	case d.After(seasonEnd):
		return 20
	}
	mean := int(y.Weather.Mean(d))
	p := 82 + max(0, -50-mean)*14/10
	if mean > 0 {
		p = 60
	}
	if since < len(starting) {
		p = max(p, starting[since])
	}
	if wd := d.Weekday(); wd == time.Saturday || wd == time.Sunday {
		p = p * 9 / 10
	}
	return p
}

// day makes the calls of one day.
func (y *callYear) day(d civil.Date) []Call {
	r := roll(y.Seed, "calls", dayNumber(d))
	var out []Call
	p := y.pressure(d) * len(y.Households) / 2_200 // thousandths of what a usual day brings to 20,000 homes
	for range count(r, p*14) {
		out = append(out, y.question(r, d))
	}
	if !d.Before(seasonStart) {
		for range count(r, p*65/10) {
			out = append(out, y.complaint(r, d))
		}
		out = append(out, y.bunches(d)...)
		if d == midWinter {
			out = append(out, y.breakfast(roll(y.Seed, "breakfast"))...)
		}
	}
	out = append(out, y.later[d]...)
	delete(y.later, d)
	slices.SortStableFunc(out, func(a, b Call) int { return cmp.Compare(a.At, b.At) })
	for n := range out {
		out[n].Key = d.String() + "/" + pad(n+1, 4)
		y.follow(out[n])
	}
	return out
}

// midWinter is the day on which the demonstration is usually looked at.
var midWinter = civil.NewDate(2026, 1, 15)

// breakfast are calls of the morning of midWinter from places that operators are trained on, by their bare names, so that
// something waits for a person at eight.
func (y *callYear) breakfast(r dice) (out []Call) {
	homes := y.awkwardHomes()
	for n := range min(12, len(homes)/4) {
		at := civil.On(midWinter, 7, 14+4*n).Add(time.Duration(r.n(180_000)) * time.Millisecond)
		m := matterOf(pick(r, []string{"cold_home", "cold_home", "cold_room", "cold_end", "leak_home"}))
		c := Call{At: at, Household: homes[r.n(len(homes))], Category: m.category, Urgency: m.urgency, Scope: m.scope, Shared: -1}
		c.Fault = m.faults[r.n(len(m.faults))]
		y.say(r, &c, m)
		bare := y.Community(c.Household).Name
		c.Text = strings.ReplaceAll(c.Text, c.Address, bare)
		c.Address, c.Point, c.Bare = bare, geo.Point{}, true
		out = append(out, c)
	}
	return out
}

// awkwardHomes are those in communities whose name alone does not say where they are.
func (y *callYear) awkwardHomes() (out []int) {
	for i, h := range y.Households {
		if m := y.Community(i); h.Status == On && (m.Has(SameName) || m.Has(GenericName)) {
			out = append(out, i)
		}
	}
	return out
}

// hours are how the calls of a day spread over its hours.
var hours = []int{5, 3, 2, 2, 3, 8, 24, 50, 78, 82, 76, 64, 46, 44, 50, 50, 52, 58, 74, 88, 76, 50, 26, 12}

func moment(r dice, d civil.Date) civil.Instant {
	return civil.On(d, r.weighted(hours), r.n(60)).Add(time.Duration(r.n(60_000)) * time.Millisecond)
}

// question is a call that is answered at once.
func (y *callYear) question(r dice, d civil.Date) Call {
	topics := askNormal
	switch since := seasonStart.DaysUntil(d); {
	case since < 0:
		topics = askBefore
	case since < 10:
		topics = askFirst
	}
	topic := topics[r.weighted(weightsOf(topics))]
	c := Call{At: moment(r, d), Household: r.n(len(y.Households)), Category: topic.category, Urgency: "normal", Topic: topic.name, Shared: -1, Scope: OneHome}
	c.Channel = channels[r.weighted([]int{70, 16, 6, 4, 3, 1})]
	y.voice(r, &c)
	c.Text = y.ask(r, c)
	return c
}

// channels in the order of the weights above and below.
var channels = []Channel{Phone, WeChat, Web, Counter, Hotline, OwnLine}

// complaint is a call about something of one home, or about something a passer-by sees.
func (y *callYear) complaint(r dice, d civil.Date) Call {
	phase := 2
	switch since := seasonStart.DaysUntil(d); {
	case since < 3:
		phase = 0
	case since < 10:
		phase = 1
	}
	weights := make([]int, len(matters))
	for n, m := range matters {
		weights[n] = m.often[phase]
	}
	m := matters[r.weighted(weights)]
	at := moment(r, d)
	c := Call{At: at, Household: y.victim(r, m, at), Category: m.category, Urgency: m.urgency, Scope: m.scope, Shared: -1}
	c.Fault = m.faults[r.n(len(m.faults))]
	y.say(r, &c, m)
	return c
}

// victim is a home that such a thing happens to: of several the coldest, or one in the state that the matter is about.
func (y *callYear) victim(r dice, m matter, at civil.Instant) int {
	best := r.n(len(y.Households))
	if m.status != "" {
		if of := y.byState[m.status]; len(of) > 0 {
			return of[r.n(len(of))]
		}
		return best
	}
	for range 12 {
		if h := r.n(len(y.Households)); m.cold && y.Households[h].Status == On &&
			(y.Households[best].Status != On || y.Indoor(h, at) < y.Indoor(best, at)) {
			best = h
		}
	}
	return best
}

// bunches are the calls about shared faults that began on a day or the evening before.
func (y *callYear) bunches(d civil.Date) (out []Call) {
	for n, f := range y.Faults {
		if f.At.Date() != d || y.touched[n] {
			continue
		}
		y.touched[n] = true
		homes := y.Homes(f)
		if len(homes) == 0 {
			continue
		}
		b := roll(y.Seed, "bunch", n)
		for _, at := range y.reports(b, f, len(homes)) {
			home := homes[b.n(len(homes))]
			for range 2 { // the coldest call first
				if other := homes[b.n(len(homes))]; y.Indoor(other, at) < y.Indoor(home, at) {
					home = other
				}
			}
			c := y.aboutShared(b, f, n, home, at)
			if at.Date() == d {
				out = append(out, c)
			} else {
				y.later[at.Date()] = append(y.later[at.Date()], c)
			}
		}
	}
	return out
}

// reports are the times at which neighbours report the same thing.
func (y *callYear) reports(r dice, f Fault, homes int) (out []civil.Instant) {
	var calls int
	var first, over time.Duration
	switch f.Kind {
	case StationDown:
		calls, first, over = min(r.between(8, 15), homes), 50*time.Minute, 3*hour
	case MainBurst:
		calls, first, over = min(r.between(9, 18), homes), 12*time.Minute, 8*hour
	case RiserAir:
		calls, first, over = min(r.between(3, 5), homes), time.Duration(r.between(4, 9))*hour, 100*time.Minute
	default:
		calls, first, over = min(r.between(1, 3), homes), 8*hour, 60*hour
	}
	at := f.At.Add(first)
	if h := at.Time().Hour(); h < 6 && f.Kind != MainBurst { // most people sleep
		at = civil.On(at.Date(), 6, r.between(5, 50))
	}
	for n := range calls {
		if n*2 > calls {
			at = at.Add(over / time.Duration(calls) * time.Duration(r.between(30, 170)) / 100)
		} else {
			at = at.Add(over / time.Duration(calls) * time.Duration(r.between(5, 60)) / 100)
		}
		out = append(out, at)
	}
	return out
}

func (y *callYear) aboutShared(r dice, f Fault, n, home int, at civil.Instant) Call {
	c := Call{At: at, Household: home, Fault: f.Kind, Shared: n, Scope: OneHome, Urgency: "normal"}
	m := matterOf("cold_home")
	switch f.Kind {
	case StationDown:
		m = matterOf(pick(r, []string{"cold_building", "no_heat_fault", "cold_home"}))
		c.Scope = pick(r, []Scope{OneBuilding, OneEstate, OneHome})
	case MainBurst:
		m = matterOf(pick(r, []string{"leak_burst", "no_heat_fault", "cold_building", "leak_road"}))
		c.Scope = OneEstate
	case RiserAir:
		m = matterOf(pick(r, []string{"cold_home", "cold_home", "cold_building", "cold_room"}))
		if m.category == "cold_building" {
			c.Scope = OneUnit
		}
	default:
		m = matterOf("cold_end")
	}
	c.Category, c.Urgency = m.category, m.urgency
	y.say(r, &c, m)
	return c
}

// say fills in who calls and what is said.
func (y *callYear) say(r dice, c *Call, m matter) {
	c.Channel = channels[r.weighted([]int{60, 15, 7, 4, 9, 5})]
	if h := c.At.Time().Hour(); h < 7 || h >= 22 {
		c.Channel = channels[r.weighted([]int{80, 10, 2, 0, 6, 2})]
	}
	y.voice(r, c)
	h := y.Households[c.Household]
	c.Care = h.Care != "" && r.chance(700)
	if m.cold {
		if r.chance(620) {
			c.HasSaid = true
			t := int(y.Indoor(c.Household, c.At)) - depths[c.Fault]*r.between(60, 100)/100*ownFault(c.Fault) + r.bell(4)
			c.Said = celsius.Tenths(min(max(t, 60), 205))
			if r.chance(650) {
				c.Said = (c.Said + 5) / 10 * 10
			}
			c.HasSaid = c.Said < 190 || r.chance(100)
		}
		late := seasonStart.DaysUntil(c.At.Date()) >= 3
		c.Test = m.test || late && r.chance(170)
	}
	if c.Care && c.Urgency == "normal" && m.cold {
		c.Urgency = "urgent"
	}
	y.complain(r, c, m)
}

// ownFault is 1 where the fault is the home's own, so that Indoor does not know of it.
func ownFault(f FaultKind) int {
	switch f {
	case StationDown, MainBurst, RiserAir, LowFlow:
		return 0
	default:
		return 1
	}
}

// voice decides who calls, from where.
func (y *callYear) voice(r dice, c *Call) {
	h := y.Households[c.Household]
	c.Caller = Caller{h.Holder, h.Phone, "本人"}
	switch k := r.n(100); {
	case k < 13 || h.Care != "" && k < 35:
		c.Caller = Caller{person(r), phone(r), "子女"}
	case k < 45 && k >= 37:
		c.Caller = Caller{person(r), phone(r), "家属"}
	case k < 51 && k >= 45:
		c.Caller = Caller{person(r), phone(r), "租户"}
	case k >= 97 || k >= 88 && (c.Scope == OneBuilding || c.Scope == OneEstate):
		c.Caller = Caller{person(r), phone(r), pick(r, []string{"物业", "社区", "邻居"})}
	}
	c.Address = y.address(r, c.Household)
	if (c.Channel == WeChat || c.Channel == Web) && r.chance(600) {
		b := y.Buildings[h.Building]
		c.Point = shift(b.Point, r.bell(20), r.bell(20))
	}
}

// follow plans the reminders and the second complaint of a call, from how the company acts on it.
func (y *callYear) follow(c Call) {
	if c.IsQuestion() || c.Reminder != "" || c.StillCold != "" {
		return
	}
	r := roll(y.Seed, "after "+c.Key)
	act := y.Conduct(c, y.Supplier(y.Households[c.Household].Building), 0)
	at := c.At
	for n := range 3 {
		at = at.Add(time.Duration(r.between(5, 30)) * hour)
		if !at.Before(c.At.Add(act.FeedBackAfter)) || !r.chance(420) {
			break
		}
		y.plant(r, c, daytime(r, at), "again", n)
	}
	if !act.Cured && r.chance(600) {
		y.plant(r, c, daytime(r, c.At.Add(act.FeedBackAfter+time.Duration(r.between(30, 70))*hour)), "still", 0)
	}
}

// daytime moves a call out of the night.
func daytime(r dice, at civil.Instant) civil.Instant {
	if h := at.Time().Hour(); h >= 7 && h < 22 {
		return at
	}
	return civil.On(at.Date().AddDays(1), 8, 0).Add(time.Duration(r.n(180)) * time.Minute)
}

func (y *callYear) plant(r dice, first Call, at civil.Instant, how string, n int) {
	c := first
	c.At, c.Channel, c.Test, c.HasSaid = at, Phone, false, false
	if first.Channel != Counter && r.chance(300) {
		c.Channel = first.Channel
	}
	if how == "again" {
		c.Reminder = first.Key
	} else {
		c.StillCold = first.Key
	}
	c.Text = y.fill(r, c, pick(r, words(opening(c)))+pick(r, words(how))+pick(r, words("demand")), n)
	if at.Date() == first.At.Date() {
		return // the day's list is made already
	}
	y.later[at.Date()] = append(y.later[at.Date()], c)
}

// sinceDay says how long ago something began.
func sinceDay(r dice, at civil.Instant) (dayWord string, days int) {
	days = min(r.between(1, 4), max(1, seasonStart.DaysUntil(at.Date())))
	return [...]string{"昨天", "前天", "大前天", "上" + weekdays[at.Date().AddDays(-4).Weekday()]}[days-1], days
}

var weekdays = [...]string{"周日", "周一", "周二", "周三", "周四", "周五", "周六"}

func decimal(t celsius.Tenths) string {
	if t%10 == 0 {
		return strconv.Itoa(int(t / 10))
	}
	return t.String()
}
