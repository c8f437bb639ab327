package call

import (
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
)

// Goal is how soon calls are to be answered: a part of them, in thousandths, within a time, and who says so. The zero Goal is
// none: then no call is in time or late.
type Goal struct {
	Share       int           `json:"share"`
	Within      time.Duration `json:"-"`
	Source      string        `json:"source,omitempty"`
	Provisional bool          `json:"provisional,omitempty"` // the city has not confirmed it yet
}

// Known reports whether there is a goal.
func (g Goal) Known() bool { return g.Within > 0 }

// Late reports whether somebody waits for longer than the goal says.
func (f Figures) Late() bool { return f.Goal.Known() && f.Longest > f.Goal.Within.Milliseconds() }

// SlotLength is the step in which calls are counted, forecast and staffed.
const SlotLength = 30 * time.Minute

// Slot is what happened in half an hour: calls that wanted a seat, by the time they came.
type Slot struct {
	N        int           `db:"n" json:"-"` // of the day, from 0
	At       civil.Instant `db:"-" json:"at"`
	Offered  int           `db:"offered" json:"offered"`
	Answered int           `db:"answered" json:"answered"`
	InTime   int           `db:"in_time" json:"in_time"` // answered as soon as the goal of the centre says
	Lost     int           `db:"lost" json:"lost"`
	WaitMS   int64         `db:"wait_ms" json:"wait_ms"` // of all together
	TalkMS   int64         `db:"talk_ms" json:"talk_ms"`
}

// add sums slots.
func (s *Slot) add(o Slot) {
	s.Offered, s.Answered, s.InTime, s.Lost = s.Offered+o.Offered, s.Answered+o.Answered, s.InTime+o.InTime, s.Lost+o.Lost
	s.WaitMS, s.TalkMS = s.WaitMS+o.WaitMS, s.TalkMS+o.TalkMS
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
	Goal     Goal          `json:"goal"`
	WithinS  int           `json:"within_s"`
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

// count adds a seat.
func (f *Figures) count(s SeatState) {
	switch s {
	case Ready:
		f.Ready++
	case Busy:
		f.Busy++
	case Wrap:
		f.Wrap++
	case Break:
		f.Break++
	case Offline:
	}
}

// Level is the service level of a slot in tenths of a per cent: answered in time out of all that are decided; false while
// none is, or nobody said what is in time. Calls that gave up stay in it, so that a full queue cannot look good.
func (f Figures) Level(s Slot) (int, bool) {
	decided := s.Answered + s.Lost
	if decided == 0 || !f.Goal.Known() {
		return 0, false
	}
	return s.InTime * 1000 / decided, true
}

// Missed reports whether fewer calls were answered in time than the goal says.
func (f Figures) Missed() bool {
	n, ok := f.Level(f.Day)
	return ok && n < f.Goal.Share
}

// Away is how many seats are logged in and take no call: on a break, or writing the last one up.
func (f Figures) Away() int { return f.Break + f.Wrap }

// Any reports whether there is anything to show: a telephone is connected, or was today.
func (f Figures) Any() bool {
	return f.Day.Offered > 0 || f.Waiting+f.Talking+f.Ready+f.Busy+f.Wrap+f.Break > 0 || f.Menu > 0
}
