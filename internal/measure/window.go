package measure

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Part is a part of a day in which somebody may come. Its name on the screen is "measure_part.<name>".
type Part string

// The parts.
const (
	Morning   Part = "am"  // until noon
	Afternoon Part = "pm"  // until six
	Evening   Part = "eve" // later
)

// PartsOfDay lists them in their order.
func PartsOfDay() []Part { return []Part{Morning, Afternoon, Evening} }

// bounds are the hours of a part.
func (p Part) bounds() (from, to int) {
	switch p {
	case Morning:
		return 0, 12
	case Afternoon:
		return 12, 18
	case Evening:
	}
	return 18, 24
}

// partOf is the part of the day in which a visit begins.
func partOf(at civil.Instant) Part {
	h := at.Time().In(civil.Zone).Hour()
	for _, p := range []Part{Morning, Afternoon} {
		if _, to := p.bounds(); h < to {
			return p
		}
	}
	return Evening
}

// Window is a time that a resident may choose.
type Window struct {
	ID     string        `json:"id"` // "2026-01-16 am"
	Part   Part          `json:"part"`
	From   civil.Instant `json:"from"`
	To     civil.Instant `json:"to"`
	Left   *int          `json:"left,omitempty"` // places; absent: the company sets no number
	Within bool          `json:"within"`         // the limit by which the company must come
}

// Offer is what a resident may choose from.
//
// A window beyond the limit is offered too, and marked: a home where nobody can be in before then is served all the same. What
// the choice does to the limit depends on who made it necessary. While the company still has a window within its limit, a
// later one is the resident's own wish: a later time is agreed, the limit moves to it, and a presumption that holds where "no
// later time was agreed" does not apply; the page says so before the choice. Where the company has none within its limit left,
// nobody but the company made it late: the limit stays, passes, and is kept down as missed.
type Offer struct {
	Windows []Window      `json:"windows"`
	Limit   civil.Instant `json:"limit,omitzero"` // by which the company must come, as the rules say; absent where it is not known or over
	// NoneWithin says that the company has no window left within the limit. Whatever is chosen then, the company is late: it
	// is not the resident who moved the time.
	NoneWithin bool          `json:"none_within"`
	Agreed     string        `json:"agreed,omitempty"` // the appointment that a choice replaces
	Lead       int           `json:"lead_minutes"`     // how long before its beginning an agreed time may still be changed
	Locked     bool          `json:"locked"`           // it is too late for that
	Until      civil.Instant `json:"change_until,omitzero"`
}

// AnyBeyond reports whether some of what is offered lies beyond the limit.
func (o Offer) AnyBeyond() bool {
	return !o.Limit.IsZero() && slices.ContainsFunc(o.Windows, func(w Window) bool { return !w.Within })
}

const (
	offeredDays   = 7
	mostOffered   = 14
	leastWindow   = time.Hour
	windowStep    = 30 * time.Minute
	mostPlaces    = 500
	capacityAhead = 62 // days for which a day's own number may be set
	longestArea   = 60
	daysOfWeek    = 7
)

// parseWindow reads the name of a window.
func parseWindow(id string) (civil.Date, Part, bool) {
	d, p, ok := strings.Cut(id, " ")
	day, err := civil.ParseDate(d)
	return day, Part(p), ok && err == nil && slices.Contains(PartsOfDay(), Part(p))
}

func windowID(day civil.Date, p Part) string { return day.String() + " " + string(p) }

// span is a stretch of time.
type span struct{ from, to civil.Instant }

func (s span) cut(by span) span { return span{max(s.from, by.from), min(s.to, by.to)} }

// openHours are the stretches of a day in which the rules let testers come and let readings count; where they name no hours,
// the day outside the night.
func openHours(p *citypack.Pack, day civil.Date) []span {
	d := rulesOn(p, day)
	hours := d.hours()
	if len(hours) == 0 {
		o := p.Options(day.Start())
		hours = []citypack.Hours{{From: cmp.Or(o.NightTo, "00:00"), To: cmp.Or(o.NightFrom, "24:00")}}
	}
	var out []span
	for _, h := range hours {
		out = append(out, span{clockOn(day, h.From), clockOn(day, h.To)})
	}
	for _, h := range d.notHours() {
		var rest []span
		for _, s := range out {
			rest = append(rest, s.cut(span{s.from, clockOn(day, h.From)}), s.cut(span{clockOn(day, h.To), s.to}))
		}
		out = rest
	}
	return slices.DeleteFunc(out, func(s span) bool { return !s.to.After(s.from) })
}

// clockOn is a clock reading of a rule ("08:30", "24:00") on a day.
func clockOn(day civil.Date, hm string) civil.Instant {
	h, m, _ := strings.Cut(hm, ":")
	hour, _ := strconv.Atoi(h) // the schema has checked it
	minute, _ := strconv.Atoi(m)
	return day.Start().Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
}

// windowsOn are the windows of a day that begin after an instant, each cut at the limit where enough of it lies before.
func windowsOn(p *citypack.Pack, day civil.Date, after, limit civil.Instant) []Window {
	var out []Window
	open := openHours(p, day)
	for _, part := range PartsOfDay() {
		from, to := part.bounds()
		bounds := span{day.Start().Add(time.Duration(from) * time.Hour), day.Start().Add(time.Duration(to) * time.Hour)}
		bounds.from = max(bounds.from, roundUp(after))
		best := span{}
		for _, s := range open {
			if s = s.cut(bounds); s.to.Sub(s.from) > best.to.Sub(best.from) {
				best = s
			}
		}
		if best.to.Sub(best.from) < leastWindow {
			continue
		}
		w := Window{ID: windowID(day, part), Part: part, From: best.from, To: best.to}
		if !limit.IsZero() && w.To.After(limit) && roundDown(limit).Sub(w.From) >= leastWindow {
			w.To = roundDown(limit)
		}
		w.Within = !limit.IsZero() && !w.To.After(limit)
		out = append(out, w)
	}
	return out
}

func roundUp(at civil.Instant) civil.Instant {
	step := civil.Instant(windowStep.Milliseconds())
	return (at + step - 1) / step * step
}

func roundDown(at civil.Instant) civil.Instant {
	step := civil.Instant(windowStep.Milliseconds())
	return at / step * step
}

// Capacity is how many homes a company can measure in a part of a day.
type Capacity struct {
	City    int           `db:"city_id" json:"-"`
	Company string        `db:"company" json:"company"`
	Area    string        `db:"area" json:"area,omitempty"`       // empty: all areas without a number of their own
	Day     string        `db:"day" json:"day,omitempty"`         // a single day
	Weekday int           `db:"weekday" json:"weekday,omitempty"` // 1 Monday to 7 Sunday; neither: every day
	Part    Part          `db:"part" json:"part"`
	Places  int           `db:"places" json:"places"`
	By      string        `db:"updated_by" json:"-"`
	Updated civil.Instant `db:"updated_at" json:"updated_at"`
}

// capacities are the numbers of a company.
type capacities []Capacity

// of picks the number that holds for an area, a day and a part: a day's own before its day of the week before every day's,
// and of these an area's before the company's. So a company that closes on a holiday closes everywhere.
func (all capacities) of(area string, day civil.Date, part Part) (Capacity, bool) {
	for _, when := range []Capacity{{Day: day.String()}, {Weekday: weekdayOf(day)}, {}} {
		for _, where := range []string{area, ""} {
			i := slices.IndexFunc(all, func(c Capacity) bool {
				return c.Area == where && c.Day == when.Day && c.Weekday == when.Weekday && c.Part == part
			})
			if i >= 0 {
				return all[i], true
			}
		}
	}
	return Capacity{}, false
}

// weekdayOf counts the days of the week from 1 Monday to 7 Sunday.
func weekdayOf(day civil.Date) int { return (int(day.Weekday())+6)%daysOfWeek + 1 }

// booked is an appointment that takes a place.
type booked struct {
	Area string        `db:"area"`
	From civil.Instant `db:"from_at"`
}

// pool is what shares the places of a number.
type pool struct {
	area, day string
	part      Part
}

// taken counts the places that are taken of each number.
func (all capacities) taken(list []booked) map[pool]int {
	out := map[pool]int{}
	for _, b := range list {
		day, part := b.From.Date(), partOf(b.From)
		if c, ok := all.of(b.Area, day, part); ok {
			out[pool{c.Area, day.String(), part}]++
		}
	}
	return out
}

// free sets the places that are left in each window and drops the windows that are full.
func (all capacities) free(area string, windows []Window, taken map[pool]int) []Window {
	var out []Window
	for _, w := range windows {
		day := w.From.Date()
		if c, ok := all.of(area, day, w.Part); ok {
			left := c.Places - taken[pool{c.Area, day.String(), w.Part}]
			if left <= 0 {
				continue
			}
			w.Left = &left
		}
		out = append(out, w)
	}
	return out
}

// limit is the time by which the rules make the company come, as long as it is ahead and no time was agreed on beyond it.
func (m Measurement) limit(now civil.Instant) civil.Instant {
	if m.State != Requested || m.Promise == nil || m.DueAt.IsZero() || m.DueAt.After(m.Promise.First) || !m.Promise.First.After(now) {
		return 0
	}
	return m.Promise.First
}

// choosable reports whether a time may be chosen for what is owed now: a test, or a re-test after a cure.
func (s State) choosable() bool { return s.Waiting() || s == Missed || s == Unsigned || s == Cured }

// Choosing is the input of Choose: the window that the resident wants, as staff heard it.
type Choosing struct {
	Act
	Window    string `json:"window" form:"window"`
	Recording string `json:"recording" form:"recording"` // of the call in which the resident chose
}

// Setting is the input of SetCapacity: for a single day, for days of the week, or with neither for every day. Without places
// the number is taken away.
type Setting struct {
	City     int        `json:"-" form:"-"`
	Company  string     `json:"company" form:"company"` // empty: the actor's own
	Area     string     `json:"area" form:"area"`
	Day      civil.Date `json:"day" form:"day"`
	Weekdays []int      `json:"weekdays" form:"weekdays"` // 1 Monday to 7 Sunday
	Parts    []Part     `json:"parts" form:"parts"`
	Places   *int       `json:"places" form:"places"`
	Version  int64      `json:"version" form:"version"` // of the numbers of the company that the actor saw; 0: it has none yet
	Key      string     `json:"-" form:"key"`
}

func (in Setting) check(by actor.Actor, now civil.Instant) error {
	var c fault.Check
	c.That(in.Company != "", "company", "field.required")
	c.That(in.Company == by.Org, "company", "measure.own_places") // whoever promises places sends the testers
	c.That(len([]rune(in.Area)) <= longestArea, "area", "field.too_long", "max", longestArea)
	c.That(len(in.Parts) > 0, "parts", "field.required")
	for _, p := range in.Parts {
		c.That(slices.Contains(PartsOfDay(), p), "parts", "field.not_one_of", "allowed", words(PartsOfDay()))
	}
	for _, d := range in.Weekdays {
		c.That(d >= 1 && d <= daysOfWeek, "weekdays", "field.out_of_range", "min", 1, "max", daysOfWeek)
	}
	c.That(in.Places == nil || *in.Places >= 0 && *in.Places <= mostPlaces, "places", "field.out_of_range", "min", 0, "max", mostPlaces)
	if !in.Day.IsZero() {
		c.That(len(in.Weekdays) == 0, "weekdays", "measure.day_or_weekdays")
		ahead := now.Date().DaysUntil(in.Day)
		c.That(ahead >= 0, "day", "dispatch.window_past")
		c.That(ahead <= capacityAhead, "day", "field.out_of_range", "min", now.Date().String(), "max", now.Date().AddDays(capacityAhead).String())
	}
	return c.Err()
}

// rows are the numbers that a setting writes.
func (in Setting) rows() []Capacity {
	c := Capacity{City: in.City, Company: in.Company, Area: in.Area}
	if !in.Day.IsZero() {
		c.Day = in.Day.String()
	}
	days := slices.Clone(in.Weekdays)
	if len(days) == 0 {
		days = []int{0}
	}
	var out []Capacity
	for _, c.Weekday = range days {
		for _, c.Part = range in.Parts {
			out = append(out, c)
		}
	}
	return out
}

// Half is a part of a day as the company sees it: what is taken and what may be.
type Half struct {
	Area   string     `json:"area,omitempty"`
	Day    civil.Date `json:"day"`
	Part   Part       `json:"part"`
	Taken  int        `json:"taken"`
	Places *int       `json:"places,omitempty"`
}

// CapacityView is what a company has set, and how the next days are filled.
type CapacityView struct {
	Company string     `json:"company"`
	Version int64      `json:"version"`
	Set     []Capacity `json:"set"`
	Days    []Half     `json:"days"`
}
