package clock

import (
	"time"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/text"
)

// Explain says in sentences why the clock ends when it does: the limit and where it stands, how it was counted, and every
// pause, appointment and end since. Entries are those of Ledger.Entries; those of other clocks are passed over.
func (c Clock) Explain(rules *citypack.Rules, entries []Entry) []calendar.Step {
	if c.given() {
		return c.explainGiven(rules, entries)
	}
	steps := c.explainLimit(rules)
	first := true
	for _, e := range entries {
		if e.Clock != c.ID {
			continue
		}
		if first {
			steps = append(steps, c.explainStart(rules, e)...)
			first = false
			continue
		}
		if m, ok := e.say(); ok {
			steps = append(steps, calendar.Step{Message: m})
		}
	}
	return steps
}

func (c Clock) explainLimit(rules *citypack.Rules) []calendar.Step {
	r, _ := rules.Pack.Clock(c.Code)
	say := func(key string, pairs ...any) calendar.Step {
		return calendar.Step{Message: text.Msg(key, pairs...), Article: c.Source}
	}
	if c.Amount == 0 {
		return []calendar.Step{say("clock.explain.no_limit", "name", r.Name)}
	}
	limit := calendar.Of(c.Amount, c.Unit).Words()
	steps := []calendar.Step{say("clock.explain.limit", "name", r.Name, "limit", limit, "source", c.Source)}
	if c.Phase != "" {
		steps[0] = say("clock.explain.limit_phase", "name", r.Name, "limit", limit, "source", c.Source, "phase", text.Msg("clock.phase."+string(c.Phase)))
	}
	if c.Provisional {
		steps = append(steps, say("clock.explain.provisional"))
	}
	return steps
}

// explainStart counts again how the clock began. When the calendar or the shifts have been edited since, the due time
// stands as it was told, and the explanation says so instead of giving other reasons.
func (c Clock) explainStart(rules *citypack.Rules, e Entry) []calendar.Step {
	if c.Amount == 0 {
		return nil
	}
	c.From = c.Started
	kept := calendar.Step{Message: text.Msg("clock.explain.kept", "due", calendar.WhenFull(e.Due))}
	in, ok := c.input(rules)
	if !ok {
		return []calendar.Step{{Message: text.Msg("clock.explain.no_shifts")}}
	}
	r, err := rules.Calendar.Due(in)
	if err != nil || r.Due != e.Due && !e.Due.IsZero() {
		return []calendar.Step{kept}
	}
	return r.Explain
}

// Told says which steps of escalation were taken about the clock and who was told, oldest first.
func (c Clock) Told(entries []Entry) []text.Message {
	var out []text.Message
	for _, e := range entries {
		if e.Clock == c.ID && e.Event == Escalate && e.Detail != nil {
			out = append(out, text.Msg("clock.told", "at", calendar.WhenFull(e.At), "stage", text.Msg("clock.stage."+string(e.Detail.Stage)), "role", text.Msg("role."+e.Detail.Role)))
		}
	}
	return out
}

// say puts an entry in words; false for one that says nothing about the due time.
func (e Entry) say() (text.Message, bool) {
	var d Detail
	if e.Detail != nil {
		d = *e.Detail
	}
	why := text.Msg("clock.explain.no_reason")
	if d.Why != nil {
		why = *d.Why
	}
	at, due := calendar.Since(e.At), calendar.WhenFull(e.Due)
	switch e.Event {
	case Pause:
		if d.Held {
			return text.Msg("clock.explain.hold", "at", at, "why", why), true
		}
		return text.Msg("clock.explain.pause", "at", at, "left", lengthWords(d.LeftMS), "why", why), true
	case Resume:
		if d.Held {
			return text.Msg("clock.explain.goes_on", "at", at, "due", due), true
		}
		return text.Msg("clock.explain.resume", "at", at, "left", lengthWords(d.LeftMS), "due", due), true
	case Move:
		return text.Msg("clock.explain.move", "at", at, "due", due, "why", why), true
	case Recompute:
		return text.Msg("clock.explain.recompute", "at", at, "due", due), true
	case Breach:
		return text.Msg("clock.explain.breach", "at", due), true
	case Voided:
		return text.Msg("clock.explain.void", "at", at, "why", why), true
	case Stop:
		return text.Msg(stopKey(d), "at", at), true
	case Start, Escalate:
		return text.Message{}, false
	}
	return text.Message{}, false
}

func stopKey(d Detail) string {
	switch {
	case d.Breached:
		return "clock.explain.stop_late"
	case d.InTime:
		return "clock.explain.stop_in_time_after_all"
	default:
		return "clock.explain.stop"
	}
}

// lengthWords names a length of time; the seconds are not worth a word.
func lengthWords(ms int64) text.Message {
	d := time.Duration(ms) * time.Millisecond
	return text.Msg("clock.length", "hours", int64(d/time.Hour), "minutes", int64(d%time.Hour/time.Minute))
}
