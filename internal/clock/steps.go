package clock

import (
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
)

// mark is one thing to do at a time of a running clock: record the breach, or take a step of escalation.
type mark struct {
	at   civil.Instant
	step *citypack.Step // nil: record the breach
}

// marks lists what follows a clock, earliest first; at the due time the breach comes before the step.
func (c Clock) marks(steps []citypack.Step) []mark {
	if c.Due.IsZero() || window(c.Code) {
		return nil
	}
	out := make([]mark, 0, len(steps)+1)
	out = append(out, mark{at: c.Due})
	for i := range steps {
		out = append(out, mark{at: c.at(steps[i]), step: &steps[i]})
	}
	slices.SortStableFunc(out, func(a, b mark) int { return int(a.at.Sub(b.at)) })
	return out
}

// at is the time of a step. A share of a limit in hours is a share of its hours, also when an appointment moved its end;
// of a limit in days it is a share of the time to its end.
func (c Clock) at(s citypack.Step) civil.Instant {
	switch {
	case s.LeftPercent > 0:
		whole := c.Due.Sub(c.Started)
		if c.Unit == calendar.Hours || c.Unit == calendar.Minutes {
			whole = time.Duration(int64(c.Amount)*unitMS(c.Unit)) * time.Millisecond
		}
		return c.Due.Add(-(whole * time.Duration(s.LeftPercent) / 100).Truncate(time.Second))
	case s.BeforeDays > 0:
		return c.Due.Add(-time.Duration(s.BeforeDays) * day)
	case s.AfterDays > 0:
		return c.Due.Add(time.Duration(s.AfterDays) * day)
	case s.BeforeMinutes > 0:
		return c.Due.Add(-time.Duration(s.BeforeMinutes) * time.Minute)
	default:
		return c.Due.Add(time.Duration(s.AfterMinutes) * time.Minute)
	}
}

const day = 24 * time.Hour

// next is when there is something to do after an instant; false when nothing is.
func (c Clock) next(steps []citypack.Step, after civil.Instant) (civil.Instant, bool) {
	for _, m := range c.marks(steps) {
		if m.at.After(after) {
			return m.at, true
		}
	}
	return 0, false
}

// todo lists what is to be done now. A warning that comes after the due time helps nobody and is left out.
func (c Clock) todo(steps []citypack.Step, now civil.Instant) []mark {
	return slices.DeleteFunc(c.marks(steps), func(m mark) bool {
		return !m.at.After(c.Stepped) && (m.step != nil || !c.Breached.IsZero()) ||
			m.at.After(now) || m.at.Before(c.Due) && !now.Before(c.Due)
	})
}
