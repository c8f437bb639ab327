package outage

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/text"
)

// Telling is how early the people had to be told of a stop, copied from the rules of then, and when they were. Days are
// counted as 24 hours back from the start, so that nobody is called late who is not late under every reading.
type Telling struct {
	Amount      int           `json:"amount"` // 0: at once
	Unit        calendar.Unit `json:"unit"`
	OverHours   int           `json:"over_hours,omitempty"` // the rule is for stops longer than this
	Tell        []string      `json:"tell,omitempty"`
	Source      string        `json:"source"`
	Provisional bool          `json:"provisional,omitempty"`
	By          civil.Instant `json:"by"`             // the last instant that is early enough; absent for working days
	Told        civil.Instant `json:"told,omitzero"`  // the announcement, or of a sudden stop the report
	Late        bool          `json:"late,omitempty"` // told after By
}

// tellingFor finds the rule for a stop of this kind and length; nil when the city has none. The rule for the longest stops
// that fits holds.
func tellingFor(rules *citypack.Rules, o Outage) *Telling {
	kind := citypack.NoticePlanned
	if o.Kind == Sudden {
		kind = citypack.NoticeSudden
	}
	var best *citypack.Notice
	for _, n := range rules.Pack.OutageNotice(o.Start) {
		long := n.OverHours == 0 || !o.Until.IsZero() && o.Until.Sub(o.Start) > time.Duration(n.OverHours)*time.Hour
		if n.What == kind && long && (best == nil || n.OverHours > best.OverHours) {
			best = &n
		}
	}
	if best == nil {
		return nil
	}
	out := &Telling{
		Amount: best.Amount, Unit: calendar.Unit(best.Unit), OverHours: best.OverHours, Tell: best.Tell,
		Source: best.Source.String(), Provisional: rules.Pack.Provisional(best.Origin), By: o.Start,
	}
	if back, ok := back(out.Unit, out.Amount); ok {
		out.By = o.Start.Add(-back)
	} else {
		out.By = 0
	}
	return out
}

// TellingOf judges at an instant the announcement of a planned stop, for whoever tells people of a stop beside its report:
// its Explain says the rule of the city, and Late whether it is too late for it.
func TellingOf(rules *citypack.Rules, start, until, at civil.Instant) Outage {
	o := Outage{Kind: Planned, Start: start, Until: until}
	if o.Telling = tellingFor(rules, o); o.Telling != nil {
		o.Telling.told(rules, o, at)
		o.Late = o.Telling.Late
	}
	return o
}

// back is how long before the start; false for working time, which is counted forward from the announcement.
func back(u calendar.Unit, amount int) (time.Duration, bool) {
	switch u {
	case calendar.Minutes:
		return time.Duration(amount) * time.Minute, true
	case calendar.Hours:
		return time.Duration(amount) * time.Hour, true
	case calendar.Days:
		return time.Duration(amount) * 24 * time.Hour, true
	case calendar.WorkingHours, calendar.WorkingDays:
		return 0, amount == 0
	}
	return 0, false
}

// told judges an announcement at an instant. A sudden stop is only to be told at once: how long it took is said, and it is
// late where the rules give a limit.
func (n *Telling) told(rules *citypack.Rules, o Outage, at civil.Instant) {
	n.Told = at
	switch {
	case o.Kind == Sudden:
		wait, _ := back(n.Unit, n.Amount)
		n.By = o.Start.Add(wait)
		n.Late = n.Amount > 0 && at.After(n.By)
	case !n.By.IsZero():
		n.Late = at.After(n.By)
	default:
		limit := calendar.Limit{Amount: calendar.Whole(n.Amount), Unit: n.Unit}
		r, err := rules.Calendar.Due(calendar.Input{Limit: limit, From: at, Shifts: shifts(rules.Pack, at)})
		n.Late = err == nil && !r.Due.IsZero() && r.Due.After(o.Start)
	}
}

// judge brings the fact of being late up to an instant: a planned stop that nobody has announced is late once it can no
// longer be announced in time.
func (o *Outage) judge(now civil.Instant) {
	n := o.Telling
	if n == nil {
		return
	}
	missed := o.Kind == Planned && n.Told.IsZero() && (!now.Before(o.Start) || !n.By.IsZero() && now.After(n.By))
	n.Late = n.Late || missed
	o.Late = n.Late
}

func shifts(p *citypack.Pack, at civil.Instant) calendar.Shifts {
	var out calendar.Shifts
	for _, h := range p.Doc.Shifts.Or(at.Date(), nil) {
		out = append(out, calendar.Shift{h.From, h.To})
	}
	return out
}

// Explain says in sentences how early the people had to be told, and whether they were.
func (o Outage) Explain() []calendar.Step {
	n := o.Telling
	if n == nil {
		return []calendar.Step{{Message: text.Msg("outage.notice.none")}}
	}
	say := func(key string, pairs ...any) calendar.Step {
		return calendar.Step{Message: text.Msg(key, pairs...), Article: n.Source}
	}
	var steps []calendar.Step
	limit := calendar.Of(n.Amount, n.Unit).Words()
	switch {
	case n.Amount == 0:
		steps = append(steps, say("outage.notice.at_once", "source", n.Source))
	case o.Kind == Sudden:
		steps = append(steps, say("outage.notice.within", "limit", limit, "source", n.Source))
	case n.OverHours > 0:
		steps = append(steps, say("outage.notice.over", "hours", n.OverHours, "limit", limit, "source", n.Source))
	default:
		steps = append(steps, say("outage.notice.before", "limit", limit, "source", n.Source))
	}
	if n.Provisional {
		steps = append(steps, say("outage.notice.provisional"))
	}
	if !n.By.IsZero() && n.Amount > 0 {
		steps = append(steps, say("outage.notice.by", "by", calendar.WhenFull(n.By)))
	}
	return append(steps, o.explainTold()...)
}

func (o Outage) explainTold() []calendar.Step {
	n := o.Telling
	say := func(key string, pairs ...any) []calendar.Step {
		return []calendar.Step{{Message: text.Msg(key, pairs...)}}
	}
	switch {
	case n.Told.IsZero() && n.Late:
		return say("outage.notice.missed")
	case n.Told.IsZero():
		return say("outage.notice.not_told")
	case n.Late:
		return say("outage.notice.late", "at", calendar.WhenFull(n.Told))
	case o.Kind == Sudden && n.Told.After(o.Start):
		return say("outage.notice.after", "at", calendar.WhenFull(n.Told), "minutes", int64(n.Told.Sub(o.Start)/time.Minute))
	}
	return say("outage.notice.in_time", "at", calendar.WhenFull(n.Told))
}

// judgement is a telling as the table keeps it.
func judgement(n *Telling) (any, error) {
	if n == nil {
		return nil, nil
	}
	b, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("encode telling: %w", err)
	}
	return string(b), nil
}
