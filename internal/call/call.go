// Package call is the telephone of the centre: somebody rings, waits, is answered, is put through to their company, or
// gives up and is called back.
//
// The switch belongs to somebody else and is spoken to over HTTP (docs/telephone.md). It reports what happens; a call is
// what its reports say, worked out from all of them each time, so that reports may come twice, late and in any order and
// the call is the same. Commands go out beside any transaction and carry a key, so that asking again does nothing twice.
//
// Invariants: a number is sealed for its person and shown masked; it leaves only in a command to the switch, as an audited
// reveal, or inside the case that is opened from the call. A recording is an address that only those who may listen see,
// each time on record. Whoever gave up in the queue is called back: there is one open call-back for a number, and talking
// to that number by whatever call ends it. A call that only the voice menu answered was never lost.
package call

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Direction is who rang whom.
type Direction string

// The directions.
const (
	In  Direction = "in"
	Out Direction = "out"
)

// Report is one thing that the switch says happened to a call. ID names the report, so that it counts once; Seq orders the
// reports of a call and At times them.
type Report struct {
	ID        string        `json:"id"`
	Call      string        `json:"call"` // the switch's name of the call
	Seq       int64         `json:"seq"`
	At        civil.Instant `json:"at"`
	Kind      Kind          `json:"kind"`
	Direction Direction     `json:"direction,omitempty"` // empty: in
	Caller    string        `json:"caller,omitempty"`    // number of the other side; empty: withheld
	Line      string        `json:"line,omitempty"`      // number that was called
	Queue     string        `json:"queue,omitempty"`
	Seat      string        `json:"seat,omitempty"`      // extension
	Command   string        `json:"command,omitempty"`   // key of the command that caused it
	Recording string        `json:"recording,omitempty"` // address
}

// Bounds of a report.
const (
	maxRef       = 100
	maxRecording = 500
	maxSeq       = 1 << 50
	maxReports   = 5000 // of one call: hours on hold and back have less, a switch that goes round in a circle has more
)

// Check refuses what no report can be.
func (r Report) Check() error {
	var c fault.Check
	c.That(r.ID != "" && len(r.ID) <= maxRef, "id", "call.bad_ref", "max", maxRef)
	c.That(r.Call != "" && len(r.Call) <= maxRef, "call", "call.bad_ref", "max", maxRef)
	c.That(r.Seq >= 0 && r.Seq < maxSeq, "seq", "field.out_of_range", "min", 0, "max", maxSeq)
	c.That(!r.At.IsZero(), "at", "field.required")
	c.That(slices.Contains(Kinds(), r.Kind), "kind", "field.not_one_of", "allowed", Kinds())
	c.That(r.Direction == "" || r.Direction == In || r.Direction == Out, "direction", "field.not_one_of", "allowed", []Direction{In, Out})
	c.That(len(r.Seat) <= maxRef && len(r.Line) <= maxRef && len(r.Queue) <= maxRef && len(r.Command) <= maxRef, "seat", "field.too_long", "max", maxRef)
	c.That(len(r.Recording) <= maxRecording, "recording", "field.too_long", "max", maxRecording)
	c.That(r.Recording == "" || isAddress(r.Recording), "recording", "call.bad_recording")
	n := secret.NormalPhone(r.Caller)
	c.That(r.Caller == "" || len(n) >= 3 && len(n) <= 20, "caller", "call.bad_number")
	return c.Err()
}

// isAddress lets only web addresses through: a recording is opened in the browser of whoever may listen.
func isAddress(s string) bool {
	return (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")) && !strings.ContainsAny(s, " \t\r\n\"'<>\\")
}

// Kept is a report as kept: without the number.
type Kept struct {
	City      int           `db:"city_id" json:"-"`
	ID        string        `db:"id" json:"-"`
	Call      string        `db:"call_id" json:"-"`
	Seq       int64         `db:"seq" json:"seq"`
	At        civil.Instant `db:"at" json:"at"`
	Kind      Kind          `db:"kind" json:"kind"`
	Extension string        `db:"extension" json:"extension,omitempty"`
	Seat      string        `db:"seat" json:"-"` // who sat there then
	Command   string        `db:"command" json:"-"`
	Company   string        `db:"company" json:"company,omitempty"` // put through to, or joined
	Recording string        `db:"recording" json:"-"`
	Sum       string        `db:"sum" json:"-"` // of what was sent, so that one id never says two things
	Received  civil.Instant `db:"received_at" json:"received_at"`
}

// Facts are what follows from the reports of a call.
type Facts struct {
	State      State         `db:"state" json:"state"`
	Extension  string        `db:"extension" json:"extension,omitempty"`
	Seat       string        `db:"seat" json:"-"` // the person who talks or talked last
	ArrivedAt  civil.Instant `db:"arrived_at" json:"arrived_at"`
	QueuedAt   civil.Instant `db:"queued_at" json:"queued_at,omitzero"`
	RangAt     civil.Instant `db:"rang_at" json:"rang_at,omitzero"`
	AnsweredAt civil.Instant `db:"answered_at" json:"answered_at,omitzero"` // for the first time
	EndedAt    civil.Instant `db:"ended_at" json:"ended_at,omitzero"`
	WaitMS     int64         `db:"wait_ms" json:"wait_ms"` // from the queue to the answer or to giving up
	TalkMS     int64         `db:"talk_ms" json:"talk_ms"` // from the answer to the end or to being put through
	Parties    int           `db:"parties" json:"parties"` // beside caller and seat
	Company    string        `db:"company" json:"company,omitempty"`
	MovedAt    civil.Instant `db:"moved_at" json:"moved_at,omitzero"` // put through
	Recording  string        `db:"recording" json:"-"`
}

// Fold works a call out from its reports: sorted by their numbers, each moves the call as the life cycle says, and one that
// does not fit where it stands is kept and moves nothing.
func Fold(reports []Kept) Facts {
	all := slices.Clone(reports)
	slices.SortFunc(all, func(a, b Kept) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID))
	})
	f := Facts{State: Arrived}
	for n, r := range all {
		if n == 0 || r.At.Before(f.ArrivedAt) {
			f.ArrivedAt = r.At
		}
		if r.Kind == Recorded {
			f.Recording = r.Recording
			continue
		}
		if step, err := Lifecycle.Next(f.State, r.Kind); err == nil {
			f.take(step.To, r)
		}
	}
	f.measure()
	return f
}

// take moves the facts by a report that fits.
func (f *Facts) take(to State, r Kept) {
	switch r.Kind {
	case Queued:
		f.QueuedAt = first(f.QueuedAt, r.At)
	case Ringing:
		f.RangAt = first(f.RangAt, r.At)
		f.sit(r)
	case Answered:
		f.AnsweredAt = first(f.AnsweredAt, r.At)
		f.sit(r)
	case Transferred:
		f.Company, f.MovedAt = r.Company, r.At
	case Joined:
		f.Parties++
		f.Company = cmp.Or(r.Company, f.Company)
	case Left:
		f.Parties = max(0, f.Parties-1)
	case Ended, Abandoned:
		f.EndedAt, f.Parties = r.At, 0
	case Held, Resumed, Recorded:
	}
	f.State = to
}

func (f *Facts) sit(r Kept) {
	if r.Extension != "" {
		f.Extension, f.Seat = r.Extension, r.Seat
	}
}

func first(at, otherwise civil.Instant) civil.Instant {
	if at.IsZero() {
		return otherwise
	}
	return at
}

// measure works out how long was waited and talked.
func (f *Facts) measure() {
	from := first(f.QueuedAt, first(f.RangAt, f.ArrivedAt))
	switch {
	case !f.AnsweredAt.IsZero():
		f.WaitMS = max(0, int64(f.AnsweredAt.Sub(from)/time.Millisecond))
	case f.State == Lost:
		f.WaitMS = max(0, int64(f.EndedAt.Sub(from)/time.Millisecond))
	}
	until := first(f.MovedAt, f.EndedAt)
	if !f.AnsweredAt.IsZero() && !until.IsZero() {
		f.TalkMS = max(0, int64(until.Sub(f.AnsweredAt)/time.Millisecond))
	}
}

// Outcome is what became of a call. Its name on the screen is "call.outcome.<name>".
type Outcome string

// The outcomes.
const (
	Undecided Outcome = ""
	ToCase    Outcome = "case"     // a case was opened
	Told      Outcome = "answered" // answered at once
	Reminded  Outcome = "reminded" // 催办来电
	Reopened  Outcome = "reopened" // 重办
	Noted     Outcome = "note"     // wrong number, silence, nuisance: a note is all
)

// Call is one call as kept and shown: the number masked.
type Call struct {
	City      int       `db:"city_id" json:"city"`
	ID        string    `db:"id" json:"id"`
	Ref       string    `db:"ref" json:"ref"` // the switch's name
	Direction Direction `db:"direction" json:"direction"`
	Line      string    `db:"line" json:"line,omitempty"`
	Queue     string    `db:"queue" json:"queue,omitempty"`
	Person    string    `db:"person" json:"-"`
	Sealed    string    `db:"sealed" json:"-"`
	Masked    string    `db:"masked" json:"caller,omitempty"`
	Blind     string    `db:"blind" json:"-"`
	Facts
	Case    string        `db:"case_id" json:"case,omitempty"`
	Outcome Outcome       `db:"outcome" json:"outcome,omitempty"`
	Note    string        `db:"note" json:"note,omitempty"`
	Updated civil.Instant `db:"updated_at" json:"updated_at"`
	Version int64         `db:"version" json:"version"`
}

// Subject is the call's chain in the audit.
func (c Call) Subject() string { return "call:" + c.ID }

// Live reports whether somebody still waits or talks.
func (c Call) Live() bool { return !Lifecycle.IsFinal(c.State) }

// Waited is how long a caller has waited for a seat by now.
func (c Call) Waited(now civil.Instant) time.Duration {
	if c.State == InQueue || c.State == Rings {
		return max(0, now.Sub(first(c.QueuedAt, first(c.RangAt, c.ArrivedAt))))
	}
	return time.Duration(c.WaitMS) * time.Millisecond
}

// Filter narrows the list of calls; empty fields do not.
type Filter struct {
	State     State      `json:"state" form:"state"`
	Direction Direction  `json:"direction" form:"direction"`
	Case      string     `json:"case" form:"case"`
	Seat      string     `json:"seat" form:"seat"` // extension
	From      civil.Date `json:"from" form:"from"`
	To        civil.Date `json:"to" form:"to"`
	page.Request
}

// Check refuses what no filter can be.
func (f Filter) Check() error {
	var c fault.Check
	c.That(f.State == "" || slices.Contains(Lifecycle.Statuses(), f.State), "state", "field.not_one_of", "allowed", Lifecycle.Statuses())
	c.That(f.Direction == "" || f.Direction == In || f.Direction == Out, "direction", "field.not_one_of", "allowed", []Direction{In, Out})
	return c.Err()
}
