// Package staffing says how many seats the centre needs tomorrow at half past eight, so that whoever is cold is answered
// and not left with music.
//
// Calls are forecast by half-hour from the centre's own history, the temperature outside, the day of the season, days off
// and stops of heat; the forecast carries its range, and the error it made on days it had not seen is shown beside it. The
// seats follow by Erlang C for the part of calls to be answered in time, and stand beside the roster. Without enough history
// nothing is forecast: a figure that nothing stands behind would be believed.
//
// Invariants: more seats are never worse; half-hours sum to their day; the forecast of a day never reads that day's calls.
package staffing

import (
	"time"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Settings are what a centre wants to reach. Parts are thousandths.
type Settings struct {
	City      int    `db:"city_id" json:"-" form:"-"`
	Target    int    `db:"target" json:"target" form:"target"`          // of the calls answered in time
	Within    int    `db:"within_s" json:"within_s" form:"within_s"`    // seconds
	Shrinkage int    `db:"shrinkage" json:"shrinkage" form:"shrinkage"` // of those on the roster who are away from their seat
	Talk      int    `db:"talk_s" json:"talk_s" form:"talk_s"`          // seconds, while too few calls were measured
	Wrap      int    `db:"wrap_s" json:"wrap_s" form:"wrap_s"`          // seconds of writing up
	Source    string `db:"source" json:"source" form:"source"`          // why these
	// Provisional: the target is that of the city's rules, and the city has not confirmed it yet.
	Provisional bool          `db:"-" json:"provisional,omitempty" form:"-"`
	Updated     civil.Instant `db:"updated_at" json:"updated_at" form:"-"`
	Version     int64         `db:"version" json:"version" form:"version"`
}

// usual are the settings until a centre has its own: the share and the seconds are those of the city's rules on the day, with
// where they stand; the rest is judgement. Rules that name none leave the target open: nothing is promised that nobody promised.
func usual(city int, rules *citypack.Pack, day civil.Date) Settings {
	s := Settings{City: city, Shrinkage: 300, Talk: 150, Wrap: 45}
	if at, ok := rules.Doc.Telephone.Answer.On(day); ok {
		s.Target, s.Within, s.Source, s.Provisional = at.Value.Percent*10, at.Value.Seconds, at.Source.String(), rules.Provisional(at.Origin)
	}
	return s
}

// HasGoal reports whether anybody said how soon calls are to be answered. Without it no seats can be worked out.
func (s Settings) HasGoal() bool { return s.Target > 0 }

// Check refuses what nobody can mean.
func (s Settings) Check() error {
	var c fault.Check
	within := func(v, low, high int, field string) {
		c.That(v >= low && v <= high, field, "field.out_of_range", "min", low, "max", high)
	}
	within(s.Target, 500, 999, "target")
	within(s.Within, 1, 300, "within_s")
	within(s.Shrinkage, 0, 800, "shrinkage")
	within(s.Talk, 10, 3600, "talk_s")
	within(s.Wrap, 0, 3600, "wrap_s")
	c.That(s.Source != "", "source", "field.required")
	c.That(len([]rune(s.Source)) <= 200, "source", "field.too_long", "max", 200)
	return c.Err()
}

// Shift is a line of the roster of seats (坐席排班): so many seats from one hour to another.
type Shift struct {
	City    int           `db:"city_id" json:"-" form:"-"`
	ID      string        `db:"id" json:"id" form:"id"` // empty: a new one
	Team    string        `db:"team" json:"team" form:"team"`
	From    civil.Instant `db:"from_at" json:"from" form:"from"`
	To      civil.Instant `db:"to_at" json:"to" form:"to"`
	Seats   int           `db:"seats" json:"seats" form:"seats"`
	By      string        `db:"created_by" json:"-" form:"-"`
	Version int64         `db:"version" json:"version" form:"version"`
}

// longest is how long one shift may be.
const longest = 24 * time.Hour

// Check refuses what no shift can be.
func (s Shift) Check() error {
	var c fault.Check
	c.That(s.Team != "", "team", "field.required")
	c.That(len([]rune(s.Team)) <= 40, "team", "field.too_long", "max", 40)
	c.That(!s.From.IsZero(), "from", "field.required")
	if c.That(!s.To.IsZero(), "to", "field.required") {
		c.That(s.To.After(s.From) && s.To.Sub(s.From) <= longest, "to", "staffing.bad_span")
	}
	c.That(s.Seats >= 1 && s.Seats <= 5000, "seats", "field.out_of_range", "min", 1, "max", 5000)
	return c.Err()
}

// Past is how many calls came in a half-hour before this program counted them.
type Past struct {
	City   int           `db:"city_id" json:"-"`
	At     civil.Instant `db:"at" json:"at"`
	Calls  int           `db:"calls" json:"calls"`
	Source string        `db:"source" json:"source"`
}

// MostPast bounds one import of past half-hours: two years.
const MostPast = 2 * 366 * Slots

// Question is what is asked about a day.
type Question struct {
	Day    civil.Date `json:"day" form:"day"`       // empty: tomorrow
	Warmer int        `json:"warmer" form:"warmer"` // what if: whole degrees warmer than expected, negative for colder
	Bursts int        `json:"bursts" form:"bursts"` // what if: main bursts
}

// Check refuses what-ifs beyond sense.
func (q Question) Check() error {
	var c fault.Check
	c.That(q.Warmer >= -30 && q.Warmer <= 30, "warmer", "field.out_of_range", "min", -30, "max", 30)
	c.That(q.Bursts >= 0 && q.Bursts <= 10, "bursts", "field.out_of_range", "min", 0, "max", 10)
	return c.Err()
}

// Need is one half-hour of a plan.
type Need struct {
	At       civil.Instant `json:"at"`
	Calls    float64       `json:"calls"`
	Low      float64       `json:"low"` // four of five half-hours lie between
	High     float64       `json:"high"`
	Came     *int          `json:"came,omitempty"` // calls that did come, of a day that is over or under way
	Seats    int           `json:"seats"`          // at their telephone; 0: no target, nothing to work them out from
	Rostered int           `json:"needed"`         // on the roster, so that so many are
	Have     int           `json:"have"`
	Level    int           `json:"level"` // thousandths answered in time with what there is
}

// Gap is how many are missing; 0 when there are enough.
func (n Need) Gap() int { return max(0, n.Rostered-n.Have) }

// Warmth says where a day's temperature comes from.
type Warmth string

// Where it comes from. Its name on the screen is "staffing.warmth.<name>".
const (
	Given    Warmth = "given"    // hours that the weather service gave
	Guessed  Warmth = "guessed"  // the mean of the last days known
	NotKnown Warmth = "notknown" // nothing is known: as at zero
)

// Plan is a day's forecast beside its roster.
type Plan struct {
	Question
	Settings Settings `json:"settings"`
	Enough   bool     `json:"enough"` // history for a forecast
	Days     int      `json:"days"`   // of history
	TempC    float64  `json:"temp_c"`
	Warmth   Warmth   `json:"warmth"`
	Since    int      `json:"since"` // days since the season began
	Off      bool     `json:"off"`
	Handle   float64  `json:"handle_s"` // seconds a call keeps a seat busy
	Measured bool     `json:"measured"` // by this centre's calls
	Total    Range    `json:"total"`
	Ordinary float64  `json:"ordinary"` // calls of an ordinary day at zero degrees
	Factors  []Factor `json:"factors"`  // what each thing that drives the day multiplies them by
	Slots    []Need   `json:"half_hours"`
	Test     Test     `json:"test"`
	Shifts   []Shift  `json:"shifts"`
}

// Missing counts half-hours without enough seats, and the worst gap.
func (p Plan) Missing() (n, worst int) {
	for _, s := range p.Slots {
		if g := s.Gap(); g > 0 {
			n, worst = n+1, max(worst, g)
		}
	}
	return n, worst
}

// fill puts seats and roster to a forecast. Without a target there are no seats: half-hours then have none.
func (p *Plan) fill(slots [Slots]Range) {
	share := func(thousandths int) float64 { return float64(thousandths) / 1000 }
	p.Slots = make([]Need, Slots)
	length := 24 * time.Hour / Slots
	for i, r := range slots {
		at := p.Day.Start().Add(time.Duration(i) * length)
		o := Offered{Calls: r.Mid, Per: length.Seconds(), Handle: p.Handle}
		n := Need{At: at, Calls: r.Mid, Low: r.Low, High: r.High, Have: onRoster(p.Shifts, at, length)}
		if p.Settings.HasGoal() {
			n.Seats = max(1, Seats(o, share(p.Settings.Target), float64(p.Settings.Within)))
			n.Rostered = Rostered(n.Seats, share(p.Settings.Shrinkage))
			there := int(float64(n.Have) * (1 - share(p.Settings.Shrinkage)))
			n.Level = int(1000 * Level(there, o, float64(p.Settings.Within)))
		}
		p.Slots[i] = n
	}
}

// onRoster is how many seats are there during the whole of a half-hour.
func onRoster(shifts []Shift, at civil.Instant, length time.Duration) int {
	sum := 0
	for _, s := range shifts {
		if !s.From.After(at) && !s.To.Before(at.Add(length)) {
			sum += s.Seats
		}
	}
	return sum
}
