package call

import (
	"slices"
	"unicode"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Reason is why a seat takes no calls. Its name on the screen is "call.reason.<name>".
type Reason string

// The reasons of a break.
const (
	Meal     Reason = "meal"
	Rest     Reason = "rest"
	Meeting  Reason = "meeting"
	Training Reason = "training"
	OtherWhy Reason = "other"
)

// Reasons lists them.
func Reasons() []Reason { return []Reason{Meal, Rest, Meeting, Training, OtherWhy} }

// Seat is a member of staff at the switch.
type Seat struct {
	City      int           `db:"city_id" json:"-"`
	Person    string        `db:"person" json:"-"`
	Name      string        `db:"name" json:"name"`
	Extension string        `db:"extension" json:"seat"`
	State     SeatState     `db:"state" json:"state"`
	Reason    Reason        `db:"reason" json:"reason,omitempty"`
	Since     civil.Instant `db:"since" json:"since"`
	Call      string        `db:"call_id" json:"call,omitempty"`
	Updated   civil.Instant `db:"updated_at" json:"-"`
	Version   int64         `db:"version" json:"version"`
}

// Sitting is what a member of staff wants their own seat to be.
type Sitting struct {
	City      int       `json:"-" form:"-"`
	Do        SeatEvent `json:"do" form:"do"`
	Extension string    `json:"seat" form:"seat"`     // to log in
	Reason    Reason    `json:"reason" form:"reason"` // of a break
	Key       string    `json:"-" form:"key"`
}

func (s Sitting) check() error {
	var c fault.Check
	own := []SeatEvent{LogIn, GoReady, Pause, LogOut}
	c.That(slices.Contains(own, s.Do), "do", "field.not_one_of", "allowed", own)
	if s.Do == LogIn {
		c.That(isExtension(s.Extension), "seat", "call.bad_extension")
	}
	if s.Do == Pause {
		c.That(slices.Contains(Reasons(), s.Reason), "reason", "field.not_one_of", "allowed", Reasons())
	}
	return c.Err()
}

// isExtension: a few letters and digits, as switches number their lines.
func isExtension(s string) bool {
	for _, r := range s {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 20
}

// enter moves a seat.
func (s *Seat) enter(to SeatState, why Reason, now civil.Instant) {
	if s.State != to || s.Reason != why {
		s.Since = now
	}
	s.State, s.Reason, s.Updated = to, why, now
	if to != Busy {
		s.Call = ""
	}
}

// follow moves a seat by what became of a call that it has; false when that changes nothing.
func (s *Seat) follow(c Call, now civil.Instant) bool {
	talks := c.State == Talking || c.State == OnHold
	switch {
	case talks && c.Seat == s.Person && s.State != Offline:
		if s.State == Busy && s.Call == c.ID {
			return false
		}
		s.enter(Busy, "", now)
		s.Call = c.ID
	case s.State == Busy && s.Call == c.ID && (!talks || c.Seat != s.Person):
		s.enter(Wrap, "", now)
	default:
		return false
	}
	return true
}
