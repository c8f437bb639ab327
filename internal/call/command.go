package call

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Verb is what the switch is asked to do.
type Verb string

// The verbs.
const (
	DoAnswer     Verb = "answer"
	DoHold       Verb = "hold"
	DoResume     Verb = "resume"
	DoTransfer   Verb = "transfer"   // to the company's duty number
	DoConference Verb = "conference" // with it: three-way call
	DoHangUp     Verb = "hang_up"
	DoDial       Verb = "dial"
	DoState      Verb = "set_state"
)

// Command is what a switch is given. Key stays the same however often it is sent.
type Command struct {
	Key    string    `json:"key"`
	City   int       `json:"city"`
	Do     Verb      `json:"do"`
	Seat   string    `json:"seat"` // extension
	Call   string    `json:"call,omitempty"`
	To     string    `json:"to,omitempty"` // number
	State  SeatState `json:"state,omitempty"`
	Reason Reason    `json:"reason,omitempty"`
}

// Switch obeys commands. Conflict means that it will not be done, Down that it may be tried again.
type Switch interface {
	Do(ctx context.Context, c Command) error
}

// Order is a seat's wish for the call that it has: what to do and, for another party, which line of the company's duty
// chain.
type Order struct {
	City    int    `json:"-" form:"-"`
	Call    string `json:"call" form:"call"`
	Do      Verb   `json:"do" form:"do"`
	Company string `json:"company" form:"company"` // empty: of the case that the call is bound to
	Rung    int    `json:"rung" form:"rung"`       // of the duty chain, from 0
	Key     string `json:"-" form:"key"`
}

func (o Order) check() error {
	var c fault.Check
	verbs := []Verb{DoAnswer, DoHold, DoResume, DoTransfer, DoConference, DoHangUp}
	c.That(slices.Contains(verbs, o.Do), "do", "field.not_one_of", "allowed", verbs)
	c.That(o.Call != "", "call", "field.required")
	c.That(o.Key != "" && len(o.Key) <= maxRef, "key", "call.bad_ref", "max", maxRef)
	c.That(o.Rung >= 0 && o.Rung < maxRung, "rung", "field.out_of_range", "min", 0, "max", maxRung)
	return c.Err()
}

// event is the report that follows when the switch obeys.
func (v Verb) event() (Kind, bool) {
	switch v {
	case DoAnswer:
		return Answered, true
	case DoHold:
		return Held, true
	case DoResume:
		return Resumed, true
	case DoTransfer:
		return Transferred, true
	case DoConference:
		return Joined, true
	case DoHangUp:
		return Ended, true
	case DoDial, DoState:
	}
	return "", false
}

// MayDo lists what a seat may ask for in a state of its call, in the order of the keys on the screen.
func MayDo(s State) []Verb {
	var out []Verb
	for _, v := range []Verb{DoAnswer, DoHold, DoResume, DoTransfer, DoConference, DoHangUp} {
		e, _ := v.event()
		_, err := Lifecycle.Next(s, e)
		if err == nil && (v == DoAnswer) == (s == Rings) && s != InQueue && s != Arrived && s != Moved {
			out = append(out, v)
		}
	}
	return out
}

// asked is a command as kept.
type asked struct {
	City      int           `db:"city_id"`
	ID        string        `db:"id"` // the key
	Call      string        `db:"call_id"`
	Verb      Verb          `db:"verb"`
	Extension string        `db:"extension"`
	Company   string        `db:"company"`
	Task      string        `db:"task"`
	State     string        `db:"state"`
	Person    string        `db:"person"`
	Name      string        `db:"name"`
	Org       string        `db:"org"`
	At        civil.Instant `db:"asked_at"`
}

// States of a command.
const (
	cmdAsked    = "asked"
	cmdAccepted = "accepted"
	cmdRefused  = "refused"
)

const maxRung = 20
