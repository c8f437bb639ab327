package refund

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
)

const (
	coldest   = celsius.Tenths(-300)
	warmest   = celsius.Tenths(600)
	firstYear = 1992 // from here on a day is always 24 hours long in China
	lastYear  = 2199
	mostDays  = 366
)

// Bounds far above any household, so that a slip of the keyboard is no refund and no sum overflows.
const (
	mostFee   money.Fen = 100_000_000_000 // a thousand million yuan
	mostArea  int       = 10_000_000      // square metres
	mostPrice int       = 1_000_000       // yuan
)

// Check collects what is wrong with an input, by the field names of the contract.
func (in *Input) Check() error {
	var c fault.Check
	in.checkSeason(&c)
	in.checkFee(&c)
	switch {
	case len(in.Daily) > 0 && len(in.Events) > 0:
		c.Add("events", "refund.daily_and_events")
	case in.Daily == nil && in.Events == nil:
		c.Add("daily", "refund.no_facts")
	}
	if in.AgreedC != nil {
		c.That(*in.AgreedC >= 100 && *in.AgreedC <= 350, "agreed_c", "refund.agreed_outside", "min", "10", "max", "35")
	}
	in.checkDaily(&c)
	in.checkEvents(&c)
	return c.Err()
}

func (in *Input) checkSeason(c *fault.Check) {
	s := in.Season
	if !s.From.IsZero() && sane(c, "season.from", s.From) && !s.To.IsZero() && sane(c, "season.to", s.To) {
		c.That(s.From.Before(s.To), "season.to", "refund.season_backwards")
		c.That(dayOf(s.To)-dayOf(s.From) <= mostDays, "season.to", "refund.season_too_long", "days", mostDays)
	}
	c.That(s.Days >= 0 && s.Days <= mostDays, "season.days", "refund.days_outside", "min", 1, "max", mostDays)
}

func sane(c *fault.Check, field string, at civil.Instant) bool {
	y := at.Date().Year
	return c.That(y >= firstYear && y <= lastYear, field, "refund.bad_year", "min", firstYear, "max", lastYear)
}

func (in *Input) checkFee(c *fault.Check) {
	f := &in.Fee
	c.That(f.AreaM2 >= 0 && f.AreaM2 <= Quantity(mostArea)*quantityOne, "fee.area_m2", "refund.not_positive", "most", mostArea)
	c.That(f.Price >= 0 && f.Price <= Quantity(mostPrice)*quantityOne, "fee.price_yuan_per_m2", "refund.not_positive", "most", mostPrice)
	if f.Total != nil {
		c.That(*f.Total >= 0 && *f.Total <= mostFee, "fee.total_yuan", "refund.negative", "most", mostFee.Yuan())
	}
	if f.Basic != nil {
		c.That(*f.Basic >= 0 && *f.Basic <= mostFee, "fee.basic_yuan", "refund.negative", "most", mostFee.Yuan())
		if total, ok := f.season(); ok {
			c.That(whole(int64(*f.Basic)).cmp(total) <= 0, "fee.basic_yuan", "refund.basic_over_total")
		}
	}
	c.That(f.Per == "" || slices.Contains([]PricePer{PerSeason, PerMonth, PerDay}, f.Per), "fee.price_per", "field.not_one_of",
		"allowed", "season, month, day")
	var sum Quantity
	for i, r := range f.Rooms {
		at := "fee.rooms." + strconv.Itoa(i)
		c.That(r.AreaM2 > 0 && r.AreaM2 <= Quantity(mostArea)*quantityOne, at+".area_m2", "refund.not_positive", "most", mostArea)
		for _, other := range f.Rooms[:i] {
			c.That(other.Room != r.Room, at+".room", "refund.room_twice", "room", r.Room)
		}
		sum += r.AreaM2
	}
	if f.AreaM2 > 0 {
		c.That(sum <= f.AreaM2, "fee.rooms", "refund.rooms_over_area", "rooms", sum, "area", f.AreaM2)
	}
}

func (in *Input) checkDaily(c *fault.Check) {
	total := 0
	for i := range in.Daily {
		d := &in.Daily[i]
		if d.TempC < coldest || d.TempC > warmest {
			outside(c, "daily."+strconv.Itoa(i)+".temp_c")
		}
		if d.Days < 1 || d.Days > mostDays {
			c.Add("daily."+strconv.Itoa(i)+".days", "refund.days_outside", "min", 1, "max", mostDays)
			continue
		}
		if d.Room == "" {
			total += d.Days
		}
		if !d.Date.IsZero() {
			in.checkDayFact(c, i)
		}
	}
	most := mostDays
	if in.Season.Days > 0 {
		most = in.Season.Days
	}
	c.That(total <= most, "daily", "refund.more_days_than_season", "days", total, "most", most)
}

// checkDayFact refuses days outside the season and two facts about one day.
func (in *Input) checkDayFact(c *fault.Check, i int) {
	d := &in.Daily[i]
	at := "daily." + strconv.Itoa(i) + ".date"
	if !c.That(d.Date.Year >= firstYear && d.Date.Year <= lastYear, at, "refund.bad_year", "min", firstYear, "max", lastYear) {
		return
	}
	from := dayNumber(d.Date)
	to := from + int32(d.Days) - 1
	if first, last, ok := in.seasonDays(); ok {
		c.That(from >= first && to <= last, at, "refund.outside_season", "from", dateOf(first), "to", dateOf(last))
	}
	for j := range in.Daily[:i] {
		o := &in.Daily[j]
		if o.Date.IsZero() || o.Room != d.Room {
			continue
		}
		start := dayNumber(o.Date)
		c.That(to < start || from > start+int32(o.Days)-1, at, "refund.day_twice", "other", j)
	}
}

func outside(c *fault.Check, field string) {
	c.Add(field, "refund.temperature_outside", "min", degrees(coldest), "max", degrees(warmest))
}

func (in *Input) checkEvents(c *fault.Check) {
	first, last, bounded := in.seasonDays()
	for i := range in.Events {
		e := &in.Events[i]
		if good := e.plain() && (!bounded || dayOf(e.At) >= first && dayOf(e.At) <= last || free(e.Type)); !good {
			in.checkEvent(c, i, first, last, bounded)
		}
		for j := range e.Readings {
			if t := e.Readings[j].TempC; t < coldest || t > warmest {
				outside(c, "events."+strconv.Itoa(i)+".readings."+strconv.Itoa(j)+".temp_c")
			}
		}
	}
	in.checkContradictions(c)
}

// plain reports whether an event has what its type needs; what it lacks is said by checkEvent.
func (e *Event) plain() bool {
	switch e.Type {
	case Tested, Retested, LabReported:
		if len(e.Readings) == 0 {
			return false
		}
	case OutdoorRead:
		if len(e.Readings) != 1 {
			return false
		}
	case Reported, Requested, Appointed, UserAbsent, CureClaimed, CureVerified, MissedByCompany, RefusedByCompany, UnableByCompany,
		RefusedByUser, NoRecord, Withdrawn, Stopped, Resumed, LateStarted, EarlyEnded, Excluded:
	default:
		return false
	}
	return e.At > firstInstant && e.At < lastInstant && e.By.known() && e.Level.known() && e.Until.IsZero()
}

func (m Maker) known() bool {
	return m == "" || m == ByCompany || m == ByAuthority || m == ByLaboratory || m == ByGridWorker
}

func (l Level) known() bool {
	return l == "" || l == LevelHome || l == LevelArea || l == LevelSeasonStart
}

// free reports whether an event may lie outside the season.
func free(t EventType) bool { return t == Resumed || t == Appointed || t == Withdrawn }

func (in *Input) checkEvent(c *fault.Check, i int, first, last int32, bounded bool) {
	e, at := &in.Events[i], "events."+strconv.Itoa(i)
	c.That(slices.Contains(EventTypes(), e.Type), at+".type", "field.not_one_of", "allowed", names(EventTypes()))
	c.That(e.By == "" || slices.Contains(Makers(), e.By), at+".by", "field.not_one_of", "allowed", names(Makers()))
	c.That(e.Level == "" || slices.Contains(Levels(), e.Level), at+".level", "field.not_one_of", "allowed", names(Levels()))
	switch e.Type {
	case Tested, Retested, LabReported:
		c.That(len(e.Readings) > 0, at+".readings", "refund.no_readings")
	case OutdoorRead:
		c.That(len(e.Readings) == 1, at+".readings", "refund.one_reading")
	default:
	}
	if !c.That(!e.At.IsZero(), at+".at", "field.required") || !sane(c, at+".at", e.At) {
		return
	}
	if bounded && !free(e.Type) {
		d := dayOf(e.At)
		c.That(d >= first && d <= last, at+".at", "refund.outside_season", "from", dateOf(first), "to", dateOf(last))
	}
	c.That(e.Until.IsZero() || !e.Until.Before(e.At), at+".until", "refund.until_backwards")
}

func names[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = string(t)
	}
	return strings.Join(out, ", ")
}

// checkContradictions refuses two statements of one source about one moment that cannot both be true.
func (in *Input) checkContradictions(c *fault.Check) {
	for i := range in.Events {
		e := &in.Events[i]
		if len(e.Readings) == 0 {
			continue
		}
		for j := range in.Events[:i] {
			if o := &in.Events[j]; o.At == e.At && o.Type == e.Type && o.By == e.By && o.Level == e.Level && contradict(o.Readings, e.Readings) {
				c.Add("events."+strconv.Itoa(i)+".readings", "refund.contradiction", "other", j)
			}
		}
	}
}

func contradict(a, b []Reading) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Room == y.Room && x.TempC != y.TempC {
				return true
			}
		}
	}
	return false
}
