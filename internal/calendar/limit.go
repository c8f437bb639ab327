package calendar

import (
	"cmp"
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// Unit is what a limit is counted in.
type Unit string

// The units. Minutes are for packs, which write short limits in them; the command line's contract has the other four.
const (
	Minutes      Unit = "minute"       // elapsed
	Hours        Unit = "hour"         // elapsed
	Days         Unit = "day"          // natural days
	WorkingHours Unit = "working_hour" // inside the shifts of working days
	WorkingDays  Unit = "working_day"
)

// Units lists the units that a request may name.
func Units() []Unit { return []Unit{Hours, Days, WorkingHours, WorkingDays} }

// millis is the length of one unit; zero for days, which have no fixed one.
func (u Unit) millis() int64 {
	switch u {
	case Minutes:
		return time.Minute.Milliseconds()
	case Hours, WorkingHours:
		return time.Hour.Milliseconds()
	case Days, WorkingDays:
	}
	return 0
}

// most is the longest limit that is believed: ten years.
func (u Unit) most() int {
	switch u {
	case Minutes:
		return 3660 * 24 * 60
	case Hours, WorkingHours:
		return 3660 * 24
	case Days, WorkingDays:
		return 3660
	}
	return 0
}

// Pausable reports whether a pause stops a limit of this unit; days run on.
func (u Unit) Pausable() bool { return u.millis() > 0 }

// Amount is an exact decimal with up to five places, so that every amount of hours is a whole number of milliseconds.
type Amount int64

const (
	places = 5
	scale  = 100_000 // 10^places
)

// Whole is the amount of a whole number.
func Whole(n int) Amount { return Amount(n) * scale }

// ParseAmount reads a decimal such as 3, 0.5 or 1e1.
func ParseAmount(s string) (Amount, error) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 40 || strings.Trim(s, "0123456789.+-eE") != "" {
		return 0, fault.New(fault.Invalid, "field.not_a_number")
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e > 40 || e < -40 {
			return 0, fault.New(fault.Invalid, "field.not_a_number")
		}
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return 0, fault.New(fault.Invalid, "field.not_a_number")
	}
	r.Mul(r, big.NewRat(scale, 1))
	if !r.IsInt() {
		return 0, fault.New(fault.Invalid, "calendar.amount_too_fine", "places", places)
	}
	if !r.Num().IsInt64() || r.Num().Int64() > math.MaxInt32*scale || r.Num().Int64() < -math.MaxInt32*scale {
		return 0, fault.New(fault.Invalid, "calendar.amount_too_big")
	}
	return Amount(r.Num().Int64()), nil
}

// whole gives the amount as a whole number, if it is one.
func (a Amount) whole() (int, bool) { return int(a / scale), a%scale == 0 }

// millis is the exact length of an amount of the unit; false when it is no whole number of milliseconds.
func (a Amount) millis(u Unit) (int64, bool) {
	n := int64(a) * u.millis()
	return n / scale, n%scale == 0
}

// String writes the decimal without needless zeros.
func (a Amount) String() string {
	sign, n := "", int64(a)
	if n < 0 {
		sign, n = "-", -n
	}
	s := sign + strconv.FormatInt(n/scale, 10)
	if rest := n % scale; rest != 0 {
		s += "." + strings.TrimRight(strconv.FormatInt(scale+rest, 10)[1:], "0")
	}
	return s
}

// MarshalJSON writes a number.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalJSON reads a number, or a string that holds one.
func (a *Amount) UnmarshalJSON(b []byte) error {
	s := string(b)
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	}
	v, err := ParseAmount(s)
	if err != nil {
		return err
	}
	*a = v
	return nil
}

// Limit is a time limit: so many of a unit. Roll says whether a limit in natural days whose last day is a day off ends
// with the next working day; absent means yes.
type Limit struct {
	Amount Amount `json:"amount"`
	Unit   Unit   `json:"unit"`
	Roll   *bool  `json:"roll,omitempty"`
}

// Of makes a limit of a whole number of units.
func Of(n int, u Unit) Limit { return Limit{Amount: Whole(n), Unit: u} }

// Rolls reports whether a limit in natural days moves off a day off.
func (l Limit) Rolls() bool { return l.Roll == nil || *l.Roll }

// Words names the limit for people: 3个工作日.
func (l Limit) Words() text.Message {
	key := "calendar.amount." + string(l.Unit)
	if l.Amount == scale {
		key += ".one" // English has a singular
	}
	return text.Msg(key, "n", l.Amount.String())
}

func (l Limit) check(c *fault.Check) {
	known := l.Unit == Minutes || slices.Contains(Units(), l.Unit)
	if !c.That(known, "limit.unit", "field.not_one_of", "allowed", allowedUnits()) {
		return
	}
	_, whole := l.Amount.whole()
	_, exact := l.Amount.millis(l.Unit)
	switch {
	case l.Amount <= 0:
		c.Add("limit.amount", "calendar.amount_not_positive")
	case l.Amount > Whole(l.Unit.most()):
		c.Add("limit.amount", "calendar.amount_over", "max", l.Unit.most())
	case !l.Unit.Pausable() && !whole:
		c.Add("limit.amount", "calendar.amount_not_whole")
	case !exact:
		c.Add("limit.amount", "calendar.amount_too_fine", "places", 0)
	}
}

func allowedUnits() string {
	var names []string
	for _, u := range Units() {
		names = append(names, string(u))
	}
	return strings.Join(names, ", ")
}

// Shift is one stretch of work on a working day, from and to as HH:MM; the end may be 24:00.
type Shift [2]string

// Shifts are the stretches of work on every working day.
type Shifts []Shift

// span is a shift in milliseconds after midnight.
type span struct{ from, to int64 }

// Check refuses shifts that cannot be: no such time, ending before they start, overlapping.
func (s Shifts) Check() error {
	_, err := s.parse()
	return err
}

// parse gives the shifts in the order of the day.
func (s Shifts) parse() ([]span, error) {
	var c fault.Check
	type numbered struct {
		span
		i int
	}
	list := make([]numbered, 0, len(s))
	for i, one := range s {
		at := strconv.Itoa(i)
		from, ok1 := clock(one[0])
		to, ok2 := clock(one[1])
		switch {
		case !ok1 || one[0] == "24:00":
			c.Add(at, "calendar.bad_clock", "text", clip(one[0]))
		case !ok2:
			c.Add(at, "calendar.bad_clock", "text", clip(one[1]))
		case from >= to:
			c.Add(at, "calendar.shift_backwards", "from", one[0], "to", one[1])
		default:
			list = append(list, numbered{span{from, to}, i})
		}
	}
	slices.SortStableFunc(list, func(a, b numbered) int { return cmp.Compare(a.from, b.from) })
	spans := make([]span, len(list))
	for k, n := range list {
		spans[k] = n.span
		if k > 0 && n.from < spans[k-1].to {
			c.Add(strconv.Itoa(n.i), "calendar.shifts_overlap", "from", s[n.i][0], "to", s[n.i][1])
		}
	}
	return spans, c.Err()
}

// clock reads HH:MM from 00:00 to 24:00.
func clock(s string) (int64, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	h, m := int64(s[0]-'0')*10+int64(s[1]-'0'), int64(s[3]-'0')*10+int64(s[4]-'0')
	if h > 24 || m > 59 || h == 24 && m > 0 {
		return 0, false
	}
	return (h*60 + m) * 60_000, true
}

// Pause is a time during which a limit in hours does not run. Without an end it is still going on.
type Pause struct {
	From civil.Instant `json:"from"`
	To   civil.Instant `json:"to"`
}

// Input is everything that a due time depends on, besides the calendar.
type Input struct {
	Limit  Limit
	From   civil.Instant
	Pauses []Pause
	Shifts Shifts // for working hours only
}

// Check collects what is wrong with the input, by the field names of the contract.
func (in Input) Check() error {
	_, err := in.prepare()
	return err
}

// plan is a checked input, ready to be counted.
type plan struct {
	Input
	budget int64   // milliseconds, for limits in hours and minutes
	spans  []span  // in the order of the day
	pauses []Pause // in order, none touching another; an open one is the last and ends never
}

const never = civil.Instant(math.MaxInt64)

func (in Input) prepare() (plan, error) {
	var c fault.Check
	p := plan{Input: in}
	in.Limit.check(&c)
	p.budget, _ = in.Limit.Amount.millis(in.Limit.Unit)
	if c.That(!in.From.IsZero(), "from", "field.required") {
		c.That(sane(in.From), "from", "calendar.bad_year", "min", firstYear, "max", lastYear)
	}
	var err error
	if p.spans, err = in.Shifts.parse(); err != nil {
		c.Merge("shifts", err)
	}
	c.That(in.Limit.Unit != WorkingHours || len(in.Shifts) > 0, "shifts", "calendar.no_shifts")
	for i, one := range in.Pauses {
		at := "pauses." + strconv.Itoa(i)
		if !c.That(!one.From.IsZero(), at+".from", "field.required") {
			continue
		}
		c.That(sane(one.From), at+".from", "calendar.bad_year", "min", firstYear, "max", lastYear)
		c.That(one.To.IsZero() || sane(one.To), at+".to", "calendar.bad_year", "min", firstYear, "max", lastYear)
		c.That(one.To.IsZero() || !one.To.Before(one.From), at+".to", "calendar.pause_backwards")
	}
	p.pauses = merge(in.Pauses)
	return p, c.Err()
}

var (
	earliest = civil.Date{Year: firstYear, Month: time.January, Day: 1}.Start()
	latest   = civil.Date{Year: lastYear, Month: time.December, Day: 31}.End()
)

func sane(i civil.Instant) bool { return !i.Before(earliest) && i.Before(latest) }

// merge puts pauses in order and joins those that touch, so that none counts twice.
func merge(list []Pause) []Pause {
	if len(list) == 0 {
		return nil
	}
	all := slices.Clone(list)
	for i := range all {
		if all[i].To.IsZero() {
			all[i].To = never
		}
	}
	slices.SortFunc(all, func(a, b Pause) int { return cmp.Compare(a.From, b.From) })
	out := all[:1]
	for _, p := range all[1:] {
		if last := &out[len(out)-1]; p.From <= last.To {
			last.To = max(last.To, p.To)
			continue
		}
		out = append(out, p)
	}
	return out
}
