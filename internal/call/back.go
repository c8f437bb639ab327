package call

import (
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

// MostTries is how often somebody is called back before it is left.
const MostTries = 3

// holdFor is how long a call-back that somebody took stays theirs without a word.
const holdFor = 15 * time.Minute

// Back is somebody who gave up in the queue and is called back: one for each number, whose further missed calls are counted
// on it. The longest wait stands first.
type Back struct {
	City    int           `db:"city_id" json:"city"`
	ID      string        `db:"id" json:"id"`
	Person  string        `db:"person" json:"-"`
	Sealed  string        `db:"sealed" json:"-"`
	Masked  string        `db:"masked" json:"caller"`
	Blind   string        `db:"blind" json:"-"`
	State   BackState     `db:"state" json:"state"`
	Missed  int           `db:"missed" json:"missed"` // calls that nobody answered
	FirstAt civil.Instant `db:"first_at" json:"first_at"`
	LastAt  civil.Instant `db:"last_at" json:"last_at"`
	Tries   int           `db:"tries" json:"tries"`
	TriedAt civil.Instant `db:"tried_at" json:"tried_at,omitzero"`
	Taker   string        `db:"taker" json:"-"`
	TakenAt civil.Instant `db:"taken_at" json:"taken_at,omitzero"`
	Call    string        `db:"call_id" json:"call,omitempty"` // by which they were reached
	Case    string        `db:"case_id" json:"case,omitempty"`
	Note    string        `db:"note" json:"note,omitempty"`
	Closed  civil.Instant `db:"closed_at" json:"closed_at,omitzero"`
	Version int64         `db:"version" json:"version"`
}

// Subject is the call-back's chain in the audit.
func (b Back) Subject() string { return "call_back:" + b.ID }

// Free reports whether somebody may take it: nobody has, or whoever did forgot it.
func (b Back) Free(now civil.Instant) bool {
	return b.State == Waiting || b.State == Calling && now.Sub(b.TakenAt) > holdFor
}

// move goes on by an event.
func (b *Back) move(e BackEvent, now civil.Instant) error {
	step, err := BackLifecycle.Next(b.State, e)
	if err != nil {
		return err
	}
	b.State = step.To
	if BackLifecycle.IsFinal(b.State) {
		b.Closed = now
	}
	if b.State == Waiting {
		b.Taker, b.TakenAt = "", 0
	}
	return nil
}

// BackAct is what somebody does about a call-back as they saw it.
type BackAct struct {
	City    int       `json:"-" form:"-"`
	ID      string    `json:"-" form:"-"`
	Version int64     `json:"version" form:"version"`
	Do      BackEvent `json:"do" form:"do"`
	Note    string    `json:"note" form:"note"`
	Key     string    `json:"-" form:"key"`
}

const maxNote = 500

func (a BackAct) check() error {
	var c fault.Check
	acts := []BackEvent{TakeBack, Reach, Miss, Release, Drop}
	c.That(slices.Contains(acts, a.Do), "do", "field.not_one_of", "allowed", acts)
	c.That(len([]rune(a.Note)) <= maxNote, "note", "field.too_long", "max", maxNote)
	c.That(a.Do != Drop || a.Note != "", "note", "call.say_why")
	return c.Err()
}

// BackFilter narrows the list of call-backs.
type BackFilter struct {
	State BackState `json:"state" form:"state"`
	Open  bool      `json:"open" form:"open"`
	page.Request
}

// Check refuses what no filter can be.
func (f BackFilter) Check() error {
	var c fault.Check
	c.That(f.State == "" || slices.Contains(BackLifecycle.Statuses(), f.State), "state", "field.not_one_of", "allowed", BackLifecycle.Statuses())
	return c.Err()
}
