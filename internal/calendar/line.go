package calendar

import (
	"encoding/json"
	"strconv"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Line is one request for a due time, as a city's own staff write it. Times are texts here, so that a wrong one is named
// by its field.
type Line struct {
	City   CityCode    `json:"city"`
	Limit  *Limit      `json:"limit"`
	Rule   string      `json:"rule"` // a rule of the city's pack, instead of limit
	From   string      `json:"from"`
	Pauses []PauseLine `json:"pauses"`
	Shifts Shifts      `json:"shifts"`
}

// PauseLine is a pause in a request; without an end it is still going on.
type PauseLine struct {
	From string  `json:"from"`
	To   *string `json:"to"`
}

// CityCode is a city's code (GB/T 2260), a number or a string in JSON.
type CityCode int

// UnmarshalJSON reads 140100 or "140100".
func (c *CityCode) UnmarshalJSON(b []byte) error {
	s := string(b)
	if s == "null" {
		return nil
	}
	if b[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 100_000 || n > 999_999 {
		return fault.New(fault.Invalid, "calendar.bad_city")
	}
	*c = CityCode(n)
	return nil
}

// Answer is the due time of a line. The id is echoed by whoever reads the lines.
type Answer struct {
	Due         civil.Instant `json:"due"`
	Provisional bool          `json:"provisional"` // rests on a value that the city has not yet confirmed
	Missing     []string      `json:"missing,omitempty"`
	Explain     []Step        `json:"explain"`
}

// RuleLimit looks up a rule of a city's pack as it holds at an instant: its limit, the shifts of the city, whether the
// value is provisional, and where it stands.
type RuleLimit func(city int, rule string, at civil.Instant) (l Limit, s Shifts, provisional bool, explain []Step, err error)

// Answer computes the due time of a line. Rules may be nil where there are no packs.
func (c *Calendar) Answer(line Line, rules RuleLimit) (Answer, error) {
	in, err := line.input()
	if err != nil {
		return Answer{}, err
	}
	var a Answer
	if line.Limit == nil {
		if rules == nil {
			return Answer{}, invalid("rule", "calendar.no_packs")
		}
		var shifts Shifts
		in.Limit, shifts, a.Provisional, a.Explain, err = rules(int(line.City), line.Rule, in.From)
		if err != nil {
			return Answer{}, err
		}
		if len(in.Shifts) == 0 {
			in.Shifts = shifts
		}
	}
	r, err := c.Due(in)
	if err != nil {
		return Answer{}, err
	}
	a.Due, a.Missing, a.Explain = r.Due, r.Missing, append(a.Explain, r.Explain...)
	return a, nil
}

// input reads the line's times and says which of its fields do not go together.
func (l Line) input() (Input, error) {
	var c fault.Check
	in := Input{Shifts: l.Shifts}
	switch {
	case l.Limit != nil && l.Rule != "":
		c.Add("rule", "calendar.limit_and_rule")
	case l.Limit != nil:
		in.Limit = *l.Limit
		c.That(in.Limit.Unit != Minutes, "limit.unit", "field.not_one_of", "allowed", allowedUnits())
		in.Limit.check(&c)
	case l.Rule == "":
		c.Add("limit", "calendar.no_limit")
	default:
		c.That(l.City != 0, "city", "field.required")
	}
	in.From = parseTime(&c, "from", l.From)
	for i, p := range l.Pauses {
		at := "pauses." + strconv.Itoa(i)
		one := Pause{From: parseTime(&c, at+".from", p.From)}
		if p.To != nil {
			one.To = parseTime(&c, at+".to", *p.To)
		}
		in.Pauses = append(in.Pauses, one)
	}
	return in, c.Err()
}

func parseTime(c *fault.Check, field, s string) civil.Instant {
	if !c.That(s != "", field, "field.required") {
		return 0
	}
	i, err := civil.ParseInstant(s)
	if !c.That(err == nil, field, "field.not_a_time") {
		return 0
	}
	c.That(sane(i), field, "calendar.bad_year", "min", firstYear, "max", lastYear)
	return i
}

func invalid(field, key string) error {
	var c fault.Check
	c.Add(field, key)
	return c.Err()
}
