// Package callback keeps what residents say of what was done for them (回访), and what follows for the figures: was it
// solved, was somebody satisfied, and does the unit's "solved" hold against the resident's word.
//
// Its unit is the outcome: one end of a unit's work that was asked about, a closing of a case or a call-back before it that
// heard "not solved". Invariants: who did the work neither asks nor judges; nobody chooses whom a sample asks, the city's
// published log does; a resident rates each closing once and "not solved" reopens it once; every outcome stands in exactly
// one place of every rate, in its numerator, among its misses, or outside with the reason, so that the rows of a list are the
// number above it; an appeal is decided by nobody who dispatched, handled or asked; a frozen figure changes only by a
// correction with its reason.
package callback

import (
	"slices"

	"github.com/rehu-heat/rehu/internal/civil"
)

// Kind is how a unit's work ended. Its name on the screen is "callback.kind.<name>".
type Kind string

// The kinds.
const (
	Closed   Kind = "closed"    // 结案
	SentBack Kind = "sent_back" // 回访未解决: before closing
)

// Rate is one of the shares that are told of a company. Its name on the screen is "callback.rate.<name>".
type Rate string

// The rates.
const (
	Response  Rate = "response"  // 响应率
	Solved    Rate = "solved"    // 解决率
	Satisfied Rate = "satisfied" // 满意率
	Mismatch  Rate = "mismatch"  // 回访不符率: the unit said solved, the resident says no
)

// RatesAll lists the rates in the order of the page.
func RatesAll() []Rate { return []Rate{Response, Solved, Satisfied, Mismatch} }

// Place is where an outcome stands in a rate: Hit, Miss, or the reason why it is not counted. Its name on the screen is
// "callback.place.<name>".
type Place string

// The places.
const (
	Hit       Place = "hit"
	Miss      Place = "miss"
	NoLimit   Place = "no_limit"  // the pack knows no limit for a first contact
	NotAsked  Place = "not_asked" // nobody had to be asked
	Unreached Place = "unreached" // 未接通
	NotSaid   Place = "not_said"  // asked, and not said
	Unclaimed Place = "unclaimed" // the unit did not say that it was solved
	Back      Place = "sent_back" // not closed yet: the closing counts
	Excused   Place = "excused"   // 申诉成立
)

// Out lists the reasons for which an outcome leaves a denominator.
func Out() []Place {
	return []Place{Back, NoLimit, NotAsked, Unreached, NotSaid, Unclaimed, Excused}
}

// Answers of a resident.
const (
	yes       = "yes"
	no        = "no"
	unreached = "unreached"
)

// Outcome is one end of a unit's work with what the resident says of it. Names of staff never leave the service.
type Outcome struct {
	City        int           `db:"city_id" json:"-"`
	ID          string        `db:"id" json:"id"`
	Case        string        `db:"case_id" json:"case"`
	CaseNo      string        `db:"case_no" json:"case_no"`
	Kind        Kind          `db:"kind" json:"kind"`
	N           int           `db:"n" json:"n"` // the case's first, second … outcome
	Day         civil.Date    `db:"day" json:"day"`
	At          civil.Instant `db:"at" json:"at"`
	Company     string        `db:"company" json:"company"`
	Station     string        `db:"station" json:"station,omitempty"`
	Area        string        `db:"area" json:"area,omitempty"`
	District    string        `db:"district" json:"district,omitempty"`
	Category    string        `db:"category" json:"category"`
	Dispatch    string        `db:"dispatch_id" json:"-"`
	HandledBy   string        `db:"handled_by" json:"-"`
	CalledBy    string        `db:"called_by" json:"-"`
	HandlerSaid string        `db:"handler_said" json:"handler_said,omitempty"`
	Response    string        `db:"response" json:"response"` // in_time, late, no_limit
	Called      string        `db:"called" json:"called,omitempty"`
	Solved      string        `db:"solved" json:"solved,omitempty"`       // the resident's last word
	Satisfied   string        `db:"satisfied" json:"satisfied,omitempty"` // the resident's last word
	How         string        `db:"said_how" json:"said_how,omitempty"`
	SaidAt      civil.Instant `db:"said_at" json:"said_at,omitzero"`
	Word        string        `db:"word" json:"word,omitempty"`
	RatedAt     civil.Instant `db:"rated_at" json:"rated_at,omitzero"`
	ReopenedAt  civil.Instant `db:"reopened_at" json:"reopened_at,omitzero"`
	Retest      string        `db:"retest" json:"retest,omitempty"`
	Rework      bool          `db:"rework" json:"rework,omitempty"`
	Excuses     []Excuse      `db:"excuses,json" json:"excuses,omitempty"`
	StResponse  Place         `db:"st_response" json:"response_place"`
	StSolved    Place         `db:"st_solved" json:"solved_place"`
	StSatisfied Place         `db:"st_satisfied" json:"satisfied_place"`
	StMismatch  Place         `db:"st_mismatch" json:"mismatch_place"`
	Version     int64         `db:"version" json:"version"`
}

// Place is where the outcome stands in a rate.
func (o Outcome) Place(r Rate) Place {
	switch r {
	case Response:
		return o.StResponse
	case Solved:
		return o.StSolved
	case Satisfied:
		return o.StSatisfied
	case Mismatch:
	}
	return o.StMismatch
}

// stand puts the outcome into its place in every rate. Whatever changes an outcome calls it.
func (o *Outcome) stand() {
	o.StResponse, o.StSolved, o.StSatisfied, o.StMismatch = o.response(), o.solved(), o.satisfied(), o.mismatch()
	for _, x := range o.Excuses {
		switch x.Rate {
		case Response:
			o.StResponse = Excused
		case Solved:
			o.StSolved = Excused
		case Satisfied:
			o.StSatisfied = Excused
		case Mismatch:
			o.StMismatch = Excused
		}
	}
}

func (o Outcome) response() Place {
	switch {
	case o.Kind == SentBack:
		return Back
	case o.Response == "in_time":
		return Hit
	case o.Response == "late":
		return Miss
	}
	return NoLimit
}

func (o Outcome) solved() Place {
	if o.Kind == SentBack {
		return Back
	}
	return said(o.Solved)
}

func said(answer string) Place {
	switch answer {
	case yes:
		return Hit
	case no:
		return Miss
	case unreached:
		return Unreached
	}
	return NotAsked
}

func (o Outcome) satisfied() Place {
	switch {
	case o.Kind == SentBack:
		return Back
	case o.Satisfied != "":
		return said(o.Satisfied)
	case o.Solved == yes || o.Solved == no:
		return NotSaid
	}
	return said(o.Solved)
}

// mismatch: a hit is a contradiction here.
func (o Outcome) mismatch() Place {
	if o.HandlerSaid != yes {
		return Unclaimed
	}
	switch p := said(o.Solved); p {
	case Hit:
		return Miss
	case Miss:
		return Hit
	case NoLimit, NotAsked, Unreached, NotSaid, Unclaimed, Back, Excused, Counted, LeftOut:
		return p
	}
	return NotAsked
}

// Contradicts reports whether the resident denies what the unit said.
func (o Outcome) Contradicts() bool { return o.HandlerSaid == yes && o.Solved == no }

// hear takes the resident's word; the last one counts, and who asked first stays on record in Called.
func (o *Outcome) hear(solved, satisfied, how, word string, at civil.Instant) {
	o.Solved, o.Satisfied, o.How, o.SaidAt = solved, satisfied, how, at
	if word != "" {
		o.Word = word
	}
	o.stand()
}

// Excuse is what an upheld appeal left on an outcome. Each stays as it was written; a later one stands beside it.
type Excuse struct {
	Rate   Rate          `json:"rate"`
	Reason Reason        `json:"reason"`
	Appeal string        `json:"appeal"`
	At     civil.Instant `json:"at"`
}

// excuse takes the outcome out of a rate for the reason of an appeal.
func (o *Outcome) excuse(x Excuse) {
	o.Excuses = append(slices.Clip(o.Excuses), x) // what the outcome was read with is not written over
	o.stand()
}

// against reports whether a place counts against the unit.
func (r Rate) against(p Place) bool {
	if r == Mismatch {
		return p == Hit
	}
	return p == Miss
}

// Appealable lists the rates in which an outcome counts against its company.
func (o Outcome) Appealable() []Rate {
	var out []Rate
	for _, r := range RatesAll() {
		if r.against(o.Place(r)) {
			out = append(out, r)
		}
	}
	return out
}
