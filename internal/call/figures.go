package call

import (
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
)

// AnswerWithin is the time within which a call should be answered: 95 % within 15 seconds is what government hotlines
// promise in practice; no law says it.
const AnswerWithin = 15 * time.Second

// SlotLength is the step in which calls are counted, forecast and staffed.
const SlotLength = 30 * time.Minute

// Slot is what happened in half an hour: calls that wanted a seat, by the time they came.
type Slot struct {
	N        int           `db:"n" json:"-"` // of the day, from 0
	At       civil.Instant `db:"-" json:"at"`
	Offered  int           `db:"offered" json:"offered"`
	Answered int           `db:"answered" json:"answered"`
	InTime   int           `db:"in_time" json:"in_time"` // answered within AnswerWithin
	Lost     int           `db:"lost" json:"lost"`
	WaitMS   int64         `db:"wait_ms" json:"wait_ms"` // of all together
	TalkMS   int64         `db:"talk_ms" json:"talk_ms"`
}

// add sums slots.
func (s *Slot) add(o Slot) {
	s.Offered, s.Answered, s.InTime, s.Lost = s.Offered+o.Offered, s.Answered+o.Answered, s.InTime+o.InTime, s.Lost+o.Lost
	s.WaitMS, s.TalkMS = s.WaitMS+o.WaitMS, s.TalkMS+o.TalkMS
}

// Level is the service level in tenths of a per cent: answered in time out of all that are decided; false while none is.
// Calls that gave up stay in it, so that a full queue cannot look good.
func (s Slot) Level() (int, bool) {
	decided := s.Answered + s.Lost
	if decided == 0 {
		return 0, false
	}
	return s.InTime * 1000 / decided, true
}

// SeatSum is what a seat did today.
type SeatSum struct {
	Person   string `db:"seat" json:"-"`
	Name     string `db:"-" json:"name"`
	Answered int    `db:"answered" json:"answered"`
	Moved    int    `db:"moved" json:"transferred"`
	TalkMS   int64  `db:"talk_ms" json:"talk_ms"`
	Seat     *Seat  `db:"-" json:"now,omitempty"`
}

// Figures are the queue as it stands and the day so far.
type Figures struct {
	At       civil.Instant `json:"at"`
	Waiting  int           `json:"waiting"`
	Longest  int64         `json:"longest_wait_ms"`
	Talking  int           `json:"talking"`
	Ready    int           `json:"seats_ready"`
	Busy     int           `json:"seats_busy"`
	Wrap     int           `json:"seats_wrap"`
	Break    int           `json:"seats_break"`
	Day      Slot          `json:"today"`
	Slots    []Slot        `json:"half_hours"`
	Seats    []SeatSum     `json:"seats"`
	Backs    int           `json:"call_backs_open"`
	Menu     int           `json:"menu_answered"` // callers to whom the voice menu said something
	Absorbed int           `json:"menu_absorbed"` // of those, who then wanted no seat
}

// Any reports whether there is anything to show: a telephone is connected, or was today.
func (f Figures) Any() bool {
	return f.Day.Offered > 0 || f.Waiting+f.Talking+f.Ready+f.Busy+f.Wrap+f.Break > 0 || f.Menu > 0
}
