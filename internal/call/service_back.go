package call

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/secret"
)

// followBacks lets call-backs follow a call: one that was lost asks for a call-back, one that was answered ends it, and one
// that we made ourselves is a try.
func (s *Service) followBacks(ctx context.Context, tx *db.Tx, was, c Call, cmd asked) error {
	if c.Direction == Out {
		return s.followTry(ctx, tx, was, c, cmd)
	}
	if c.Blind == "" {
		return nil // nobody to call
	}
	if !c.AnsweredAt.IsZero() && (was.AnsweredAt.IsZero() || was.Blind == "") {
		return s.merge(ctx, tx, c)
	}
	if c.State == Lost && c.AnsweredAt.IsZero() && (was.State != Lost || was.Blind == "") {
		return s.missed(ctx, tx, c)
	}
	return nil
}

// missed notes that nobody answered a call: on the call-back that waits for the number already, else on a new one. Whoever
// was answered since needs none, though the report of the lost call came late.
func (s *Service) missed(ctx context.Context, tx *db.Tx, c Call) error {
	later, err := answeredSince(ctx, tx, c.City, c.Blind, c.EndedAt)
	if err != nil || later {
		return err
	}
	since := first(c.QueuedAt, first(c.RangAt, c.ArrivedAt))
	b, found, err := openBack(ctx, tx, c.City, c.Blind)
	if err != nil {
		return err
	}
	if !found {
		return insertBack(ctx, tx, Back{
			City: c.City, ID: tx.NewID(), Person: c.Person, Sealed: c.Sealed, Masked: c.Masked, Blind: c.Blind,
			State: Waiting, Missed: 1, FirstAt: since, LastAt: c.EndedAt, Version: 1,
		})
	}
	b.Missed++
	b.FirstAt, b.LastAt = min(b.FirstAt, since), max(b.LastAt, c.EndedAt)
	_, err = updateBack(ctx, tx, b)
	return err
}

// merge ends the call-back of a number that was answered after it gave up.
func (s *Service) merge(ctx context.Context, tx *db.Tx, c Call) error {
	b, found, err := openBack(ctx, tx, c.City, c.Blind)
	if err != nil || !found || c.AnsweredAt.Before(b.FirstAt) {
		return err
	}
	if err := b.move(Merge, tx.Now); err != nil {
		return err
	}
	b.Call = c.ID
	if b, err = updateBack(ctx, tx, b); err != nil {
		return err
	}
	return recordBack(ctx, tx, theSwitch(), b, Merge)
}

// followTry ends a try to call back by what the switch says became of the call.
func (s *Service) followTry(ctx context.Context, tx *db.Tx, was, c Call, cmd asked) error {
	task := cmd.Task
	if task == "" {
		var err error
		if task, err = taskOf(ctx, tx, c.City, c.ID); err != nil || task == "" {
			return err
		}
	}
	b, err := findBack(ctx, tx, c.City, task)
	if err != nil || b.State != Calling {
		return err
	}
	var e BackEvent
	switch {
	case !c.AnsweredAt.IsZero() && was.AnsweredAt.IsZero():
		e, b.Call = Reach, c.ID
	case c.State == Lost && was.State != Lost:
		e = Miss
	default:
		return nil
	}
	return s.tried(ctx, tx, theSwitch(), &b, e)
}

// tried counts a try and writes the call-back.
func (s *Service) tried(ctx context.Context, tx *db.Tx, by actor.Actor, b *Back, e BackEvent) (err error) {
	b.Tries, b.TriedAt = b.Tries+1, tx.Now
	if e == Miss && b.Tries >= MostTries {
		e = GiveUp
	}
	if err := b.move(e, tx.Now); err != nil {
		return err
	}
	if *b, err = updateBack(ctx, tx, *b); err != nil {
		return err
	}
	return recordBack(ctx, tx, by, *b, e)
}

func recordBack(ctx context.Context, tx *db.Tx, by actor.Actor, b Back, e BackEvent) error {
	return audit.Record(ctx, tx, by, b.City, audit.Act{Subject: b.Subject(), Act: "call_back." + string(e), Body: map[string]any{"tries": b.Tries, "note": b.Note}})
}

// Backs lists call-backs: open ones with the longest wait first, else the newest first.
func (s *Service) Backs(ctx context.Context, by actor.Actor, city int, f BackFilter) (page.Of[Back], error) {
	if err := by.May(actor.CallRead, actor.On{City: city}); err != nil {
		return page.Of[Back]{}, err
	}
	if err := f.Check(); err != nil {
		return page.Of[Back]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Back], error) { return listBacks(ctx, tx, city, f) })
}

// Back shows one call-back.
func (s *Service) Back(ctx context.Context, by actor.Actor, city int, id string) (Back, error) {
	if err := by.May(actor.CallRead, actor.On{City: city}); err != nil {
		return Back{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Back, error) { return findBack(ctx, tx, city, id) })
}

// ActBack takes a call-back, says how the try went, gives it back or ends it. Taking it dials where the telephone can.
func (s *Service) ActBack(ctx context.Context, by actor.Actor, in BackAct) (Back, error) {
	if err := in.check(); err != nil {
		return Back{}, err
	}
	var dial *Command
	b, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (Back, error) {
		dial = nil
		b, err := findBack(ctx, tx, in.City, in.ID)
		if err != nil {
			return b, err
		}
		if err := mayBack(by, b, in.Do, tx.Now); err != nil {
			return b, err
		}
		if b.Version != in.Version {
			return b, fault.New(fault.Conflict, "call.back_moved")
		}
		if b.Note = secret.MaskText(in.Note); in.Do == TakeBack {
			dial, err = s.take(ctx, tx, by, &b, in)
			return b, err
		}
		if in.Do == Reach || in.Do == Miss {
			return b, s.tried(ctx, tx, by, &b, in.Do)
		}
		if err := b.move(in.Do, tx.Now); err != nil {
			return b, err
		}
		if b, err = updateBack(ctx, tx, b); err != nil {
			return b, err
		}
		return b, recordBack(ctx, tx, by, b, in.Do)
	})
	if err != nil || dial == nil {
		return b, err
	}
	if err := s.send(ctx, *dial); err != nil {
		return s.notDialled(ctx, by, b, err)
	}
	return b, nil
}

// mayBack: only whoever took a call-back says how it went; a leader may take it from them.
func mayBack(by actor.Actor, b Back, e BackEvent, now civil.Instant) error {
	on := actor.On{City: b.City}
	if e == Drop {
		return by.May(actor.CallManage, on)
	}
	if err := by.May(actor.CallTake, on); err != nil {
		return err
	}
	if e != TakeBack && b.State == Calling && b.Taker != by.ID && by.May(actor.CallManage, on) != nil {
		return fault.New(fault.Conflict, "call.back_taken")
	}
	if e == TakeBack && !b.Free(now) && !BackLifecycle.IsFinal(b.State) {
		return fault.New(fault.Conflict, "call.back_taken")
	}
	return nil
}

// take makes a call-back somebody's, and the command that dials it from their seat; nil where they have none.
func (s *Service) take(ctx context.Context, tx *db.Tx, by actor.Actor, b *Back, in BackAct) (*Command, error) {
	if b.State == Calling { // forgotten by whoever had it
		if err := b.move(Release, tx.Now); err != nil {
			return nil, err
		}
	}
	if err := b.move(TakeBack, tx.Now); err != nil {
		return nil, err
	}
	b.Taker, b.TakenAt = by.ID, tx.Now
	var err error
	if *b, err = updateBack(ctx, tx, *b); err != nil {
		return nil, err
	}
	if err := recordBack(ctx, tx, by, *b, TakeBack); err != nil {
		return nil, err
	}
	seat, found, err := findSeat(ctx, tx, b.City, by.ID)
	if err != nil || !found || seat.State == Offline || seat.State == Busy || s.o.Switch == nil {
		return nil, err
	}
	to, err := s.number(ctx, tx, b.City, b.Person, b.Sealed)
	if err != nil {
		return nil, err
	}
	if to == "" {
		return nil, fault.New(fault.NotFound, "call.erased")
	}
	key := in.Key
	if key == "" {
		key = tx.NewID()
	}
	row := asked{City: b.City, ID: key, Verb: DoDial, Extension: seat.Extension, Task: b.ID, State: cmdAsked, Person: by.ID, Name: by.Name, Org: by.Org, At: tx.Now}
	return &Command{Key: key, City: b.City, Do: DoDial, Seat: seat.Extension, To: to}, insertCommand(ctx, tx, row)
}

// notDialled gives a call-back back that the switch would not dial.
func (s *Service) notDialled(ctx context.Context, by actor.Actor, b Back, why error) (Back, error) {
	_, err := s.ActBack(ctx, by, BackAct{City: b.City, ID: b.ID, Version: b.Version, Do: Release})
	if err != nil {
		return b, err
	}
	return b, why
}

// Number shows the number of a call-back to whoever took it, to dial by hand; it is on record.
func (s *Service) Number(ctx context.Context, by actor.Actor, city int, id string) (string, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (string, error) {
		if err := by.May(actor.CallTake, actor.On{City: city}); err != nil {
			return "", err
		}
		b, err := findBack(ctx, tx, city, id)
		if err != nil {
			return "", err
		}
		if b.State != Calling || b.Taker != by.ID {
			return "", fault.New(fault.Conflict, "call.take_first")
		}
		act := audit.Act{Subject: b.Subject(), Act: "call_back.reveal", Body: map[string]any{"number": audit.Fingerprint(b.Subject(), b.Blind)}}
		if err := audit.Record(ctx, tx, by, city, act); err != nil {
			return "", err
		}
		return s.number(ctx, tx, city, b.Person, b.Sealed)
	})
}
