package call

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
)

// View is a call with what was reported of it.
type View struct {
	Call
	Reports  []Kept `json:"reports"`
	Recorded bool   `json:"recorded"`
	SeatName string `json:"seat_name,omitempty"`
}

// List shows calls, newest first.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Call], error) {
	if err := by.May(actor.CallRead, actor.On{City: city}); err != nil {
		return page.Of[Call]{}, err
	}
	if err := f.Check(); err != nil {
		return page.Of[Call]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Call], error) { return list(ctx, tx, city, f) })
}

// Export hands every call of a filter over, newest first.
func (s *Service) Export(ctx context.Context, by actor.Actor, city int, f Filter, fn func(Call) error) error {
	f.Size = page.MaxSize
	for {
		some, err := s.List(ctx, by, city, f)
		if err != nil {
			return err
		}
		for _, c := range some.Items {
			if err := fn(c); err != nil {
				return err
			}
		}
		if f.After = some.Next; f.After == "" {
			return nil
		}
	}
}

// Get shows one call.
func (s *Service) Get(ctx context.Context, by actor.Actor, city int, id string) (View, error) {
	if err := by.May(actor.CallRead, actor.On{City: city}); err != nil {
		return View{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (v View, err error) {
		if v.Call, err = find(ctx, tx, city, id); err != nil {
			return v, err
		}
		v.Recorded = v.Recording != ""
		if v.Reports, err = reportsOf(ctx, tx, city, id); err != nil || v.Seat == "" {
			return v, err
		}
		seat, _, err := findSeat(ctx, tx, city, v.Seat)
		v.SeatName = seat.Name
		return v, err
	})
}

// Listening is a wish to hear a recording, with why.
type Listening struct {
	City   int    `json:"-" form:"-"`
	Call   string `json:"-" form:"-"`
	Reason string `json:"reason" form:"reason"`
}

// Listen gives the address of a recording; who, when and why is on record, on the case's timeline too.
func (s *Service) Listen(ctx context.Context, by actor.Actor, in Listening) (string, error) {
	var check fault.Check
	check.That(in.Reason != "", "reason", "call.say_why")
	check.That(len([]rune(in.Reason)) <= maxNote, "reason", "field.too_long", "max", maxNote)
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (string, error) {
		if err := by.May(actor.CallListen, actor.On{City: in.City}); err != nil {
			return "", err
		}
		if err := check.Err(); err != nil {
			return "", err
		}
		c, err := find(ctx, tx, in.City, in.Call)
		if err != nil {
			return "", err
		}
		if c.Recording == "" {
			return "", fault.New(fault.NotFound, "call.no_recording")
		}
		act := audit.Act{Subject: c.Subject(), Act: "call.listen", Body: map[string]any{"reason": in.Reason}}
		if err := audit.Record(ctx, tx, by, in.City, act); err != nil || c.Case == "" {
			return c.Recording, err
		}
		act.Subject, act.Act = "case:"+c.Case, "case.call_listened"
		return c.Recording, audit.Record(ctx, tx, by, in.City, act)
	})
}

// Desk is what the telephone of a member of staff shows.
type Desk struct {
	Connected bool          `json:"connected"`
	Seat      *Seat         `json:"seat,omitempty"` // nil: not logged in
	Call      *Call         `json:"call,omitempty"` // rings or is talked to here
	Last      *Call         `json:"last,omitempty"` // the call before, while it is written up
	Extension string        `json:"-"`              // where they sat last
	Waiting   int           `json:"waiting"`
	Now       civil.Instant `json:"at"`
}

// Desk shows the actor's telephone.
func (s *Service) Desk(ctx context.Context, by actor.Actor, city int) (Desk, error) {
	if err := by.May(actor.CallTake, actor.On{City: city}); err != nil {
		return Desk{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Desk, error) {
		d := Desk{Connected: s.Connected(), Now: tx.Now}
		seat, found, err := findSeat(ctx, tx, city, by.ID)
		d.Extension = seat.Extension
		if err != nil || !found || seat.State == Offline {
			return d, err
		}
		d.Seat = &seat
		live, last, err := callsAt(ctx, tx, city, by.ID)
		if err != nil {
			return d, err
		}
		d.Call = live
		if live == nil && seat.State == Wrap {
			d.Last = last
		}
		d.Waiting, err = countWaiting(ctx, tx, city)
		return d, err
	})
}

// DutyLines are the numbers of a company's duty chain as somebody at a telephone may choose them.
func (s *Service) DutyLines(ctx context.Context, by actor.Actor, city int, company string) ([]place.Call, error) {
	if err := by.May(actor.CallTake, actor.On{City: city}); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]place.Call, error) {
		return s.o.Places.DutyChainIn(ctx, tx, city, company, "", tx.Now)
	})
}

// Changed names the staff whose telephone changed since an instant, with a number that is another one after each change;
// under no name stand the calls that nobody has yet.
func (s *Service) Changed(ctx context.Context, city int, since civil.Instant) (map[string]int64, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (map[string]int64, error) { return changedSince(ctx, tx, city, since) })
}

// Figures are the queue as it stands and the day so far.
func (s *Service) Figures(ctx context.Context, by actor.Actor, city int, day civil.Date) (Figures, error) {
	if err := by.May(actor.CallRead, actor.On{City: city}); err != nil {
		return Figures{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Figures, error) {
		if day.IsZero() {
			day = tx.Now.Date()
		}
		goal, err := s.goal(ctx, tx, city)
		if err != nil {
			return Figures{}, err
		}
		return figures(ctx, tx, city, day, goal)
	})
}

// goal is what the centre wants to reach.
func (s *Service) goal(ctx context.Context, tx *db.Tx, city int) (Goal, error) {
	if s.Goal == nil {
		return Goal{}, nil
	}
	return s.Goal(ctx, tx, city)
}

// Queue is the queue as every seat sees it while it changes. Whoever may see the screen of a seat may see it; it is read
// once for all of them.
func (s *Service) Queue(ctx context.Context, city int) (Figures, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Figures, error) {
		goal, err := s.goal(ctx, tx, city)
		if err != nil {
			return Figures{}, err
		}
		return queue(ctx, tx, city, goal)
	})
}

// SlotsIn counts the calls of a span of days in half-hours, for whoever plans seats.
func (s *Service) SlotsIn(ctx context.Context, tx *db.Tx, city int, from, to civil.Date) ([]Slot, error) {
	return slots(ctx, tx, city, from, to, 0)
}
