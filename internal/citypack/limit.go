package citypack

import (
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
)

// ClockRule is one clock that a case carries.
type ClockRule struct {
	Code        string `json:"code"`
	Name        Phrase `json:"name"`
	Start       Event  `json:"start"`
	Stop        Event  `json:"stop"`
	Party       Party  `json:"party"`
	Appointment bool   `json:"moved_by_appointment"`
}

// LimitValue is a time limit as it holds at one instant.
type LimitValue struct {
	Amount      int        `json:"amount"`
	Unit        Unit       `json:"unit"`
	Roll        *bool      `json:"roll,omitempty"`   // nil: the calendar's default
	Shifts      []Hours    `json:"shifts,omitempty"` // the working hours that working_hour counts in
	Phase       Phase      `json:"phase,omitempty"`  // the phase that the limit is written for
	Source      Source     `json:"source"`
	Confidence  Confidence `json:"confidence"`
	Provisional bool       `json:"provisional"`
	Path        string     `json:"path"`
}

// Elapsed gives a limit of minutes or hours as a plain length of time; limits in days and working time need the calendar.
func (v LimitValue) Elapsed() (time.Duration, bool) {
	switch v.Unit {
	case "minute":
		return time.Duration(v.Amount) * time.Minute, true
	case "hour":
		return time.Duration(v.Amount) * time.Hour, true
	default:
		return 0, false
	}
}

// Clocks lists the clocks that a case of the category carries, in the order of its life. A clock without a limit is
// listed too: it is recorded but cannot be late.
func (p *Pack) Clocks(cat *Category, _ Urgency) []ClockRule {
	var out []ClockRule
	for _, name := range ClockNames() {
		c, ok := p.Doc.Clocks[name]
		if !ok || c.Start == "" || len(c.Kinds) > 0 && (cat == nil || !slices.Contains(c.Kinds, cat.Kind)) {
			continue
		}
		out = append(out, ClockRule{Code: name, Name: c.Name, Start: c.Start, Stop: c.Stop, Party: c.Party, Appointment: c.Appointment})
	}
	return out
}

// Clock gives one clock as the pack writes it.
func (p *Pack) Clock(name string) (Clock, bool) {
	c, ok := p.Doc.Clocks[name]
	return c, ok
}

// LimitFor gives the limit of a clock; nothing when the pack does not know one.
func (p *Pack) LimitFor(clock string, cat *Category, urgency Urgency, at civil.Instant, phase Phase) (LimitValue, bool) {
	q := limitQuery{clock: clock, urgency: urgency, at: at, phase: phase}
	if cat != nil {
		q.kind, q.category, q.parent = cat.Kind, cat.Code, ""
		if cat.parent != nil {
			q.parent = cat.parent.Code
		}
	}
	return p.limit(q)
}

type limitQuery struct {
	clock            string
	kind             Kind
	category, parent string
	urgency          Urgency
	at               civil.Instant
	phase            Phase
}

func (p *Pack) limit(q limitQuery) (LimitValue, bool) {
	for _, l := range p.Doc.Clocks[q.clock].Limits {
		if !l.Covers(q.at.Date()) || !fits(l.Kinds, q.kind) || !fits(l.Urgency, q.urgency) || !fits(l.Phases, q.phase) {
			continue
		}
		if len(l.Categories) > 0 && !slices.Contains(l.Categories, q.category) && !slices.Contains(l.Categories, q.parent) {
			continue
		}
		v := LimitValue{
			Amount: l.Amount, Unit: l.Unit, Roll: l.Roll, Source: l.Source, Confidence: l.Confidence,
			Provisional: p.provisional(l.Origin), Path: l.Path, Shifts: p.Doc.Shifts.Or(q.at.Date(), nil),
		}
		if len(l.Phases) > 0 {
			v.Phase = q.phase
		}
		return v, true
	}
	return LimitValue{}, false
}

func fits[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

// RuleNames lists the names that a time limit can be asked for by, without a category.
func RuleNames() []string {
	return []string{"sign", "first_contact", "leak_on_site", "quality_on_site", "solve", "answer", "measure", "connect"}
}

func ruleQuery(name string) (limitQuery, bool) {
	switch name {
	case "sign":
		return limitQuery{clock: ClockSign, kind: KindQuality, urgency: Normal}, true
	case "first_contact":
		return limitQuery{clock: ClockFirstContact, kind: KindQuality, urgency: Normal}, true
	case "leak_on_site":
		return limitQuery{clock: ClockArrive, kind: KindLeak, urgency: Critical}, true
	case "quality_on_site":
		return limitQuery{clock: ClockArrive, kind: KindQuality, urgency: Normal}, true
	case "solve":
		return limitQuery{clock: ClockFeedback, kind: KindQuality, urgency: Normal}, true
	case "answer":
		return limitQuery{clock: ClockAnswer, kind: KindQuality, urgency: Normal}, true
	case "measure":
		return limitQuery{clock: ClockMeasure, kind: KindMeasure, urgency: Normal}, true
	case "connect":
		return limitQuery{clock: ClockConnect, kind: KindConnection, urgency: Normal}, true
	}
	return limitQuery{}, false
}

// Rule gives a limit by the rule's name.
func (p *Pack) Rule(name string, at civil.Instant, phase Phase) (LimitValue, bool) {
	q, ok := ruleQuery(name)
	if !ok {
		return LimitValue{}, false
	}
	q.at, q.phase = at, phase
	return p.limit(q)
}

// Escalation lists the steps that follow a clock, earliest first.
func (p *Pack) Escalation(clock string) []Step { return p.Doc.Clocks[clock].Escalation }
