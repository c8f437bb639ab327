package calendar

import (
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/text"
)

// mostSteps bounds the holidays that an explanation names; a limit of years would list dozens.
const mostSteps = 12

// explain says in sentences how a plan was counted.
func (c *Calendar) explain(p plan, o outcome) []Step {
	var steps []Step
	say := func(key string, pairs ...any) {
		steps = append(steps, Step{Message: text.Msg(key, pairs...)})
	}
	first := p.From.Date()
	switch p.Limit.Unit {
	case Minutes, Hours:
		say("calendar.explain.elapsed", "from", Since(p.From), "amount", p.amount())
	case WorkingHours:
		say("calendar.explain.working_hours", "from", Since(p.From), "amount", p.amount(), "shifts", p.shiftWords())
	case Days, WorkingDays:
		first = first.AddDays(1)
		say("calendar.explain.act", "day", dayWords(p.From.Date()), "amount", p.Limit.Words())
	}
	if !o.due.IsZero() && (p.Limit.Unit == WorkingHours || p.Limit.Unit == WorkingDays) {
		steps = append(steps, c.daysOff(first, lastDay(o.due))...)
	}
	if p.Limit.Unit.Pausable() {
		steps = append(steps, p.pauseSteps(o)...)
	} else if len(p.pauses) > 0 {
		say("calendar.explain.runs_on")
	}
	if !o.rolled.IsZero() {
		say("calendar.explain.rolled", "day", dayWords(o.rolled), "to", dayWords(lastDay(o.due)))
	}
	if o.missing != 0 {
		say("calendar.explain.missing", "year", o.missing)
	}
	if !o.due.IsZero() {
		say("calendar.explain.due", "due", WhenFull(o.due))
	}
	return steps
}

// amount names what is counted, which after a pause is what was left.
func (p plan) amount() text.Message {
	if n, ok := p.Limit.Amount.millis(p.Limit.Unit); ok && n == p.budget {
		return p.Limit.Words()
	}
	return lengthWords(p.budget)
}

func (p plan) shiftWords() string {
	parts := make([]string, len(p.Shifts))
	for i, s := range p.Shifts {
		parts[i] = s[0] + "-" + s[1]
	}
	return strings.Join(parts, ", ")
}

// lastDay is the day that a due time ends, or falls on.
func lastDay(due civil.Instant) civil.Date { return (due - 1).Date() }

// daysOff names the holidays and make-up days between two days, and counts the plain weekend days.
func (c *Calendar) daysOff(from, to civil.Date) []Step {
	var steps []Step
	var name string
	var start, end civil.Date
	weekends := 0
	flush := func() {
		if name != "" && len(steps) < mostSteps {
			key := "calendar.explain.holiday"
			if start == end {
				key = "calendar.explain.holiday_one"
			}
			steps = append(steps, Step{Message: text.Msg(key, "name", name, "from", dayWords(start), "to", dayWords(end))})
		}
		name = ""
	}
	for d := from; !d.After(to); d = d.AddDays(1) {
		m, marked := c.days[d]
		if !marked || !m.off || m.name != name {
			flush()
		}
		switch {
		case marked && m.off:
			if name == "" {
				name, start = m.name, d
			}
			end = d
		case marked && weekend(d):
			if len(steps) < mostSteps {
				steps = append(steps, Step{Message: text.Msg("calendar.explain.make_up", "name", m.name, "day", dayWords(d))})
			}
		case !marked && weekend(d):
			weekends++
		}
	}
	flush()
	if weekends > 0 {
		steps = append(steps, Step{Message: text.Msg("calendar.explain.weekends", "n", weekends)})
	}
	return steps
}

// pauseSteps say how long the limit stood still before its end, and since when it still does.
func (p plan) pauseSteps(o outcome) []Step {
	var sum int64
	var open civil.Instant
	for _, q := range p.pauses {
		from, to := max(q.From, p.From), q.To
		if !o.due.IsZero() {
			to = min(to, o.due)
		}
		if to == never {
			open = from
			break
		}
		sum += max(0, int64(to-from))
	}
	var steps []Step
	if sum > 0 {
		steps = append(steps, Step{Message: text.Msg("calendar.explain.pauses", "length", lengthWords(sum))})
	}
	if !open.IsZero() && o.missing == 0 {
		steps = append(steps, Step{Message: text.Msg("calendar.explain.paused", "since", Since(open))})
	}
	return steps
}
