// Package clock keeps the promises of time: by when a company must sign, call, come, measure and answer, and by when the
// resident must have a warm flat or a word.
//
// Each promise is one clock of a case, of a measurement that was asked for without one, or of what a company has to pay back by a legal day. Its limit is copied from the city pack when it starts; from then on no edit of a
// pack or a calendar moves the due time or undoes a breach. What happens to a clock is appended to its entries and never
// changed. The resident's clock is stopped by nobody's dispute: only closing the case ends it. A due time that cannot be
// computed yet, because next year's holidays are not announced, stays empty with the reason, and a case is never refused
// for it.
//
// A due time is the first instant that is late. A breach is recorded once, with the due time as its time; when a paper
// entered later proves that the act was done in time, the ledger says so and the breach no longer counts.
package clock

import (
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/text"
)

// State is where a clock stands.
type State string

// The states. They are not a life cycle of their own: a clock follows the acts of its case.
const (
	Running State = "running"
	Paused  State = "paused"
	Stopped State = "stopped"
	Void    State = "void" // a wrong dispatch: it never counted
)

// Clock is where one time limit of a case stands.
type Clock struct {
	City        int            `db:"city_id" json:"city"`
	ID          string         `db:"id" json:"id"`
	Subject     string         `db:"subject" json:"subject"` // "case:ID", "measure:ID", "refund:SEASON:COMPANY:DAY"
	Code        string         `db:"code" json:"code"`
	Party       citypack.Party `db:"party" json:"party"`
	Org         string         `db:"org" json:"org,omitempty"` // the company whose clock it is
	Ref         string         `db:"ref" json:"ref,omitempty"` // its dispatch
	Amount      int            `db:"amount" json:"amount"`     // 0: no limit is counted; it ends on a day that the law names, or cannot be late
	Unit        calendar.Unit  `db:"unit" json:"unit"`
	Roll        *bool          `db:"roll" json:"roll,omitempty"`
	Phase       citypack.Phase `db:"phase" json:"phase,omitempty"` // the phase that the limit is written for
	Path        string         `db:"path" json:"path,omitempty"`   // where the limit stands in the pack
	Source      string         `db:"source" json:"source,omitempty"`
	Provisional bool           `db:"provisional" json:"provisional"`
	Started     civil.Instant  `db:"started_at" json:"started_at"`
	From        civil.Instant  `db:"from_at" json:"-"` // Left is counted from here: the start, or the last resumption
	Left        int64          `db:"left_ms" json:"-"` // of a limit in hours or minutes
	Due         civil.Instant  `db:"due_at" json:"due_at"`
	Missing     string         `db:"missing" json:"missing,omitempty"` // why there is no due time: "holidays 2027"
	Stepped     civil.Instant  `db:"stepped_at" json:"-"`              // the steps up to here are done
	State       State          `db:"state" json:"state"`
	Stopped     civil.Instant  `db:"stopped_at" json:"stopped_at"`
	Breached    civil.Instant  `db:"breached_at" json:"breached_at"`
	Version     int64          `db:"version" json:"version"`
}

// Happening is a kind of entry.
type Happening string

// The kinds of entries.
const (
	Start     Happening = "start"
	Pause     Happening = "pause"
	Resume    Happening = "resume"
	Move      Happening = "move"
	Stop      Happening = "stop"
	Breach    Happening = "breach"
	Voided    Happening = "void"
	Recompute Happening = "recompute"
	Escalate  Happening = "escalate"
)

// Entry is one thing that happened to a clock; entries are only ever added.
type Entry struct {
	City   int           `db:"city_id" json:"city"`
	ID     string        `db:"id" json:"id"`
	Clock  string        `db:"clock_id" json:"clock"`
	At     civil.Instant `db:"at" json:"at"` // when it happened, which for paper entered later is before it was written down
	Event  Happening     `db:"event" json:"event"`
	Due    civil.Instant `db:"due_at" json:"due_at"` // the due time from then on
	Detail *Detail       `db:"detail,json" json:"detail,omitempty"`
}

// Detail is what else an entry says.
type Detail struct {
	Why      *text.Message  `json:"why,omitempty"`
	LeftMS   int64          `json:"left_ms,omitempty"` // of a pause or a resumption
	Stage    citypack.Stage `json:"stage,omitempty"`   // of an escalation
	Role     string         `json:"role,omitempty"`
	Was      civil.Instant  `json:"was,omitzero"`       // the due time before a move
	InTime   bool           `json:"in_time,omitempty"`  // a recorded breach that the true time of the act undoes
	Breached bool           `json:"breached,omitempty"` // stopped late
	Missing  string         `json:"missing,omitempty"`  // no due time, and why
	ByRef    string         `json:"by_ref,omitempty"`   // the dispatch whose act stopped a clock without one
	Path     string         `json:"path,omitempty"`     // of the step in the pack
	Held     bool           `json:"held,omitempty"`     // a pause that leaves the due time where it is, and its end
}

// Subject is what clocks belong to: a case, or another matter, as far as its limits depend on it.
type Subject struct {
	City     int
	Case     string
	Matter   string // of clocks that belong to no case: "measure:ID"
	Category *citypack.Category
	Urgency  citypack.Urgency
	County   string
	Own      *citypack.LimitValue // a limit that the matter brings along, for a clock to which the pack knows none
	New      bool                 // in the transaction that opens the case: there can be no clocks yet, so none are looked for
}

func (s Subject) key() string {
	if s.Matter != "" {
		return s.Matter
	}
	return key(s.Case)
}

func key(caseID string) string { return "case:" + caseID }

// Org is the company that an event is about, and its dispatch where there is one already.
type Org struct{ Org, Ref string }

// is reports whether a clock is this company's. A company that was told on its own hotline has no dispatch yet, so an
// absent dispatch fits any.
func (o Org) is(c Clock) bool {
	if c.Party != citypack.PartyUnit {
		return true
	}
	return c.Org == o.Org && (c.Ref == o.Ref || c.Ref == "" || o.Ref == "")
}

// Happened is an event with the time at which it truly happened, which may be in the past.
type Happened struct {
	Event citypack.Event
	At    civil.Instant
}

// window reports whether a clock is an offer rather than a duty: letting the time for a return pass is no breach.
func window(code string) bool { return code == citypack.ClockReturn }

// Late reports whether the clock was not met in time: it ran out or was stopped too late.
func (c Clock) Late(now civil.Instant) bool {
	if c.Due.IsZero() || window(c.Code) || c.State == Void {
		return false
	}
	switch c.State {
	case Stopped:
		return !c.Stopped.Before(c.Due)
	case Paused: // it still has a due time only where it is held, see Hold
		return !c.Breached.IsZero()
	case Running, Void:
	}
	return !now.Before(c.Due)
}

// start makes the clock that a rule of the pack gives.
func start(rules *citypack.Rules, s Subject, rule citypack.ClockRule, at civil.Instant, o Org) (Clock, error) {
	c := Clock{
		City: s.City, Subject: s.key(), Code: rule.Code, Party: rule.Party,
		Started: at, From: at, Stepped: at, State: Running, Version: 1,
	}
	if rule.Party == citypack.PartyUnit {
		c.Org, c.Ref = o.Org, o.Ref
	}
	v, ok := rules.Limit(rule.Code, s.Category, s.Urgency, at, s.County)
	switch {
	case !ok && s.Own != nil:
		v = *s.Own
	case !ok:
		return c, nil
	}
	c.Amount, c.Unit, c.Roll, c.Phase = v.Amount, calendar.Unit(v.Unit), v.Roll, v.Phase
	c.Path, c.Source, c.Provisional = v.Path, v.Source.String(), v.Provisional
	if c.Unit.Pausable() {
		c.Left = int64(c.Amount) * unitMS(c.Unit)
	}
	return c, c.compute(rules)
}

func unitMS(u calendar.Unit) int64 {
	if u == calendar.Minutes {
		return time.Minute.Milliseconds()
	}
	return time.Hour.Milliseconds()
}

// compute sets the due time from what is left, or says what is missing for it.
func (c *Clock) compute(rules *citypack.Rules) error {
	c.Due, c.Missing = 0, ""
	if c.Amount == 0 {
		return nil
	}
	in, ok := c.input(rules)
	if !ok {
		c.Missing = "shifts"
		return nil
	}
	var r calendar.Result
	var err error
	if c.Unit.Pausable() {
		r, err = rules.Calendar.DueLeft(in, time.Duration(c.Left)*time.Millisecond)
	} else {
		r, err = rules.Calendar.Due(in)
	}
	if err != nil {
		return err
	}
	c.Due = r.Due
	if len(r.Missing) > 0 {
		c.Missing = r.Missing[0]
	}
	return nil
}

// input is what the due time depends on; false when the limit counts working hours and the pack has none.
func (c *Clock) input(rules *citypack.Rules) (calendar.Input, bool) {
	in := calendar.Input{Limit: calendar.Limit{Amount: calendar.Whole(c.Amount), Unit: c.Unit, Roll: c.Roll}, From: c.From}
	if c.Unit == calendar.WorkingHours {
		in.Shifts = shifts(rules.Pack, c.From)
	}
	return in, c.Unit != calendar.WorkingHours || len(in.Shifts) > 0
}

func shifts(p *citypack.Pack, at civil.Instant) calendar.Shifts {
	var out calendar.Shifts
	for _, h := range p.Doc.Shifts.Or(at.Date(), nil) {
		out = append(out, calendar.Shift{h.From, h.To})
	}
	return out
}

// remaining is what is left at an instant: the time to the due time where there is one, so that a change of shifts since
// takes nothing away, else what was left less what has run.
func (c *Clock) remaining(rules *citypack.Rules, at civil.Instant) (int64, bool, error) {
	if !c.Due.IsZero() {
		return between(rules, c.Unit, at, c.Due)
	}
	used, ok, err := between(rules, c.Unit, c.From, at)
	return max(0, c.Left-used), ok, err
}

// between is the time from one instant to another that counts for a unit.
func between(rules *citypack.Rules, unit calendar.Unit, from, to civil.Instant) (int64, bool, error) {
	if unit != calendar.WorkingHours {
		return max(0, to.Sub(from).Milliseconds()), true, nil
	}
	const plenty = 20_000 // working hours: ten years of full shifts
	in := calendar.Input{Limit: calendar.Of(plenty, unit), From: from, Shifts: shifts(rules.Pack, from)}
	left, ok, err := rules.Calendar.Remaining(in, to)
	return plenty*time.Hour.Milliseconds() - left.Milliseconds(), ok, err
}

// pause stops the clock at an instant and keeps what is left; false for a clock that a pause does not touch: a limit in
// days runs on, and what is late already stays late.
func (c *Clock) pause(rules *citypack.Rules, at civil.Instant) (bool, error) {
	if c.State != Running || c.Amount == 0 || !c.Unit.Pausable() || at.Before(c.From) || !c.Due.IsZero() && !at.Before(c.Due) {
		return false, nil
	}
	left, ok, err := c.remaining(rules, at)
	if err != nil || !ok {
		return false, err
	}
	c.State, c.Left, c.Due, c.Missing, c.Breached = Paused, left, 0, "", 0
	return true, nil
}

// resume lets a paused clock run on with what was left.
func (c *Clock) resume(rules *citypack.Rules, at civil.Instant) error {
	c.State, c.From = Running, at
	return c.compute(rules)
}

// stop ends the clock at the time of the act; it was breached exactly when that is not before the due time.
func (c *Clock) stop(at civil.Instant) *Detail {
	was := c.Breached
	c.State, c.Stopped, c.Breached = Stopped, at, 0
	if c.Late(at) {
		c.Breached = c.Due
		return &Detail{Breached: true}
	}
	if !was.IsZero() {
		return &Detail{InTime: true}
	}
	return nil
}

// started reports whether the event has started this clock before: it still goes, or it started no earlier.
func started(clocks []Clock, rule citypack.ClockRule, at civil.Instant, o Org) bool {
	return slices.ContainsFunc(clocks, func(c Clock) bool {
		return c.Code == rule.Code && c.State != Void && o.is(c) &&
			(c.State == Running || c.State == Paused || !c.Started.Before(at))
	})
}

// endsWith reports whether an event ends the clock. A reading taken before the test was asked for is kept but answers
// nothing; any other act that seems to come before its clock is a watch that goes wrong.
func (c Clock) endsWith(rules *citypack.Rules, h Happened, o Org) bool {
	if c.State != Running && c.State != Paused || !o.is(c) {
		return false
	}
	r, ok := rules.Pack.Clock(c.Code)
	reading := c.Code == citypack.ClockMeasure || c.Code == citypack.ClockRetest
	return ok && r.Stop == h.Event && !(reading && h.At.Before(c.Started))
}
