package calendar

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// Step is one step of an explanation, with the article that it follows where there is one.
type Step struct {
	text.Message
	Article string
}

// MarshalJSON writes the sentence in both languages, with < and > as they are: steps speak of limits, and whoever encodes
// for a page escapes them there.
func (s Step) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		ZH      string `json:"zh"`
		EN      string `json:"en"`
		Article string `json:"article,omitempty"`
	}{s.In(text.ZH), s.In(text.EN), s.Article})
	return b.Bytes(), err
}

// Result is a due time and how it came about. Due is absent while a pause is going on and while a year is missing.
type Result struct {
	Due     civil.Instant
	Missing []string // what must be imported first: "holidays 2027"
	Paused  bool     // an open pause stops the limit
	Explain []Step
}

// outcome is a counted plan.
type outcome struct {
	due     civil.Instant
	missing int // the year whose file is missing
	rolled  civil.Date
}

// Due computes the first instant that is late.
func (c *Calendar) Due(in Input) (Result, error) {
	p, err := in.prepare()
	if err != nil {
		return Result{}, err
	}
	return c.result(p), nil
}

// DueLeft computes when a limit ends of which only left remains: what Remaining said when a pause began, counted on from
// in.From under the shifts that hold now. The limit's amount is not looked at, only its unit.
func (c *Calendar) DueLeft(in Input, left time.Duration) (Result, error) {
	in.Limit.Amount = scale
	p, err := in.prepare()
	if err != nil {
		return Result{}, err
	}
	most := int64(in.Limit.Unit.most()) * in.Limit.Unit.millis()
	if !in.Limit.Unit.Pausable() || left < 0 || left.Milliseconds() > most {
		return Result{}, fault.New(fault.Invalid, "calendar.not_pausable")
	}
	p.budget = left.Milliseconds()
	return c.result(p), nil
}

func (c *Calendar) result(p plan) Result {
	o := c.count(p)
	r := Result{Due: o.due}
	switch {
	case o.missing != 0:
		r.Missing = []string{"holidays " + strconv.Itoa(o.missing)}
	case o.due.IsZero():
		r.Paused = true
	}
	r.Explain = c.explain(p, o)
	return r
}

func (c *Calendar) count(p plan) outcome {
	if p.budget <= 0 && p.Limit.Unit.Pausable() {
		return outcome{due: p.From} // nothing was left when the pause began
	}
	switch p.Limit.Unit {
	case Minutes, Hours:
		return outcome{due: elapsed(p)}
	case WorkingHours:
		return c.workingHours(p)
	case Days:
		return c.naturalDays(p)
	case WorkingDays:
		return c.workingDays(p)
	}
	return outcome{}
}

// elapsed walks from pause to pause; absent when an open pause comes before the end.
func elapsed(p plan) civil.Instant {
	t, left := p.From, p.budget
	for _, pause := range p.pauses {
		if pause.To <= t {
			continue
		}
		if gap := int64(pause.From - t); gap >= left {
			break
		} else if gap > 0 {
			left -= gap
		}
		if pause.To == never {
			return 0
		}
		t = pause.To
	}
	return t + civil.Instant(left)
}

// naturalDays does not count the day of the act; the last day ends at 24:00 and rolls off a day off.
func (c *Calendar) naturalDays(p plan) outcome {
	n, _ := p.Limit.Amount.whole()
	last := p.From.Date().AddDays(n)
	if !p.Limit.Rolls() {
		return outcome{due: last.End()}
	}
	first := last
	for {
		work, known := c.IsWorkday(last)
		if !known {
			return outcome{missing: last.Year}
		}
		if work {
			break
		}
		last = last.AddDays(1)
	}
	o := outcome{due: last.End()}
	if last != first {
		o.rolled = first
	}
	return o
}

// workingDays does not count the day of the act; the last working day ends at 24:00.
func (c *Calendar) workingDays(p plan) outcome {
	n, _ := p.Limit.Amount.whole()
	for day := p.From.Date().AddDays(1); ; day = day.AddDays(1) {
		work, known := c.IsWorkday(day)
		if !known {
			return outcome{missing: day.Year}
		}
		if work {
			n--
		}
		if n == 0 {
			return outcome{due: day.End()}
		}
	}
}

// workingHours adds up shift by shift and ends at the earliest instant at which the sum is reached.
func (c *Calendar) workingHours(p plan) outcome {
	left := p.budget
	var o outcome
	o.missing = c.work(p, never, func(from, to civil.Instant) bool {
		if n := int64(to - from); n < left {
			left -= n
			return true
		}
		o.due = from + civil.Instant(left)
		return false
	})
	return o
}

// work visits every stretch in which the limit runs between p.From and end, in order, until visit says stop. It returns
// the year that is missing, if it came to one; a day that a pause covers whole need not be known.
func (c *Calendar) work(p plan, end civil.Instant, visit func(from, to civil.Instant) bool) (missing int) {
	pauses := p.pauses
	var free []Pause
	for day := p.From.Date(); ; day = day.AddDays(1) {
		midnight := day.Start()
		for len(pauses) > 0 && pauses[0].To <= midnight {
			pauses = pauses[1:]
		}
		if midnight >= end || len(pauses) > 0 && pauses[0].To == never && pauses[0].From <= midnight {
			return 0
		}
		free = free[:0]
		for _, s := range p.spans {
			from, to := max(midnight+civil.Instant(s.from), p.From), min(midnight+civil.Instant(s.to), end)
			free = without(free, from, to, pauses)
		}
		if len(free) == 0 {
			continue
		}
		work, known := c.IsWorkday(day)
		if !known {
			return day.Year
		}
		for _, f := range free {
			if work && !visit(f.From, f.To) {
				return 0
			}
		}
	}
}

// without appends what is left of a stretch outside the pauses.
func without(list []Pause, from, to civil.Instant, pauses []Pause) []Pause {
	for _, p := range pauses {
		if from >= to || p.From >= to {
			break
		}
		if p.From > from {
			list = append(list, Pause{from, p.From})
		}
		from = max(from, p.To)
	}
	if from < to {
		list = append(list, Pause{from, to})
	}
	return list
}

// Remaining is what is left at now of a limit in hours or minutes, nothing once it is reached. It is false for a limit in
// days, which no pause stops, and while a year is missing.
func (c *Calendar) Remaining(in Input, now civil.Instant) (time.Duration, bool, error) {
	p, err := in.prepare()
	if err != nil || !in.Limit.Unit.Pausable() {
		return 0, false, err
	}
	used := int64(0)
	if in.Limit.Unit == WorkingHours {
		missing := c.work(p, now, func(from, to civil.Instant) bool {
			used += int64(to - from)
			return used < p.budget
		})
		if missing != 0 {
			return 0, false, nil
		}
	} else {
		for _, f := range without(nil, in.From, now, p.pauses) {
			used += int64(f.To - f.From)
		}
	}
	return time.Duration(max(0, p.budget-used)) * time.Millisecond, true, nil
}
