package call

import (
	"context"
	"errors"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/place"
)

// Command asks the switch to do something with the call at the actor's seat. What comes of it the switch reports. Asking
// again with the same key does nothing twice.
func (s *Service) Command(ctx context.Context, by actor.Actor, in Order) error {
	if err := in.check(); err != nil {
		return err
	}
	if s.o.Switch == nil {
		return fault.New(fault.Conflict, "call.no_switch")
	}
	cmd, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (Command, error) { return s.commandIn(ctx, tx, by, in) })
	if err != nil {
		return err
	}
	return s.send(ctx, cmd)
}

// send hands a command over and keeps how that went; a command that was not answered may be sent again.
func (s *Service) send(ctx context.Context, cmd Command) error {
	err := s.o.Switch.Do(ctx, cmd)
	state := cmdAccepted
	switch {
	case fault.Is(err, fault.Conflict):
		state = cmdRefused
	case err != nil:
		return err
	}
	kept := db.Do(ctx, s.o.DB, func(tx *db.Tx) error { return settleCommand(ctx, tx, cmd.City, cmd.Key, state) })
	return errors.Join(err, kept)
}

func (s *Service) commandIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Order) (Command, error) {
	c, seat, err := s.atSeat(ctx, tx, by, in)
	if err != nil {
		return Command{}, err
	}
	cmd := Command{Key: in.Key, City: in.City, Do: in.Do, Seat: seat.Extension, Call: c.Ref}
	row := asked{City: in.City, ID: in.Key, Call: c.ID, Verb: in.Do, Extension: seat.Extension, State: cmdAsked, Person: by.ID, Name: by.Name, Org: by.Org, At: tx.Now}
	if in.Do == DoTransfer || in.Do == DoConference {
		line, company, err := s.duty(ctx, tx, by, c, in)
		if err != nil {
			return cmd, err
		}
		cmd.To, row.Company = line.Phone, company
	}
	old, found, err := findCommand(ctx, tx, in.City, in.Key)
	switch {
	case err != nil:
		return cmd, err
	case found && (old.Call != row.Call || old.Verb != row.Verb || old.Company != row.Company || old.Person != row.Person):
		return cmd, fault.New(fault.Conflict, "call.key_used")
	case found:
		return cmd, nil
	}
	if _, known := in.Do.event(); known && !mayNow(c.State, in.Do) {
		return cmd, fault.New(fault.Conflict, "call.not_now")
	}
	return cmd, insertCommand(ctx, tx, row)
}

func mayNow(s State, v Verb) bool {
	return slices.Contains(MayDo(s), v)
}

// atSeat is the call of an order with the seat that has it: a call that rings there, or that is talked to there.
func (s *Service) atSeat(ctx context.Context, tx *db.Tx, by actor.Actor, in Order) (Call, Seat, error) {
	if err := by.May(actor.CallTake, actor.On{City: in.City}); err != nil {
		return Call{}, Seat{}, err
	}
	seat, found, err := findSeat(ctx, tx, in.City, by.ID)
	if err != nil {
		return Call{}, seat, err
	}
	if !found || seat.State == Offline {
		return Call{}, seat, fault.New(fault.Conflict, "call.not_logged_in")
	}
	c, err := find(ctx, tx, in.City, in.Call)
	if err != nil {
		return c, seat, err
	}
	if c.Seat != by.ID {
		return c, seat, fault.New(fault.NotFound, "not_found")
	}
	return c, seat, nil
}

// duty is the line to put a call through to: of the company named, else of the case that the call is bound to.
func (s *Service) duty(ctx context.Context, tx *db.Tx, by actor.Actor, c Call, in Order) (place.Call, string, error) {
	company, station := in.Company, ""
	if company == "" && c.Case != "" {
		file, err := s.o.Cases.GetIn(ctx, tx, by, in.City, c.Case)
		if err != nil {
			return place.Call{}, "", err
		}
		company, station = file.Company, file.Station
		if company == "" {
			company = file.Proposed
		}
	}
	if company == "" {
		return place.Call{}, "", fault.New(fault.Conflict, "call.which_company")
	}
	chain, err := s.o.Places.DutyChainIn(ctx, tx, in.City, company, station, tx.Now)
	if err != nil {
		return place.Call{}, company, err
	}
	if in.Rung >= len(chain) {
		return place.Call{}, company, fault.New(fault.Conflict, "call.no_number")
	}
	return chain[in.Rung], company, nil
}

// Sit logs a member of staff in at an extension, makes them ready, lets them rest, or logs them out: at the switch first,
// so that the screen never says "ready" while no call would come.
func (s *Service) Sit(ctx context.Context, by actor.Actor, in Sitting) (Seat, error) {
	if err := in.check(); err != nil {
		return Seat{}, err
	}
	if s.o.Switch == nil {
		return Seat{}, fault.New(fault.Conflict, "call.no_switch")
	}
	seat, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (Seat, error) { return s.sitIn(ctx, tx, by, in) })
	if err != nil {
		return seat, err
	}
	cmd := Command{Key: in.Key, City: in.City, Do: DoState, Seat: seat.Extension, State: seat.State, Reason: seat.Reason}
	if cmd.Key == "" {
		cmd.Key = s.o.DB.NewID()
	}
	if err := s.o.Switch.Do(ctx, cmd); err != nil {
		return seat, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Seat, error) { return s.seated(ctx, tx, by, in) })
}

// seated writes down what the switch was told. It may have let a call ring since: at the line of somebody who logs in, that
// call is theirs.
func (s *Service) seated(ctx context.Context, tx *db.Tx, by actor.Actor, in Sitting) (Seat, error) {
	if in.Do == LogIn {
		if err := holdLine(ctx, tx, in.City, in.Extension); err != nil {
			return Seat{}, err
		}
	}
	seat, err := s.sitIn(ctx, tx, by, in)
	if err != nil {
		return seat, err
	}
	if seat.Version == 0 {
		seat.Version = 1
		err = insertSeat(ctx, tx, seat)
	} else {
		seat, err = updateSeat(ctx, tx, seat)
	}
	if err != nil || in.Do != LogIn {
		return seat, err
	}
	return seat, adopt(ctx, tx, seat)
}

// sitIn is the seat as it will be.
func (s *Service) sitIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Sitting) (Seat, error) {
	if err := by.May(actor.CallTake, actor.On{City: in.City}); err != nil {
		return Seat{}, err
	}
	seat, found, err := findSeat(ctx, tx, in.City, by.ID)
	if err != nil {
		return seat, err
	}
	if !found {
		seat = Seat{City: in.City, Person: by.ID, State: Offline}
	}
	step, err := SeatLifecycle.Next(seat.State, in.Do)
	if err != nil {
		return seat, err
	}
	if in.Do == LogIn {
		other, taken, err := seatAt(ctx, tx, in.City, in.Extension)
		if err != nil {
			return seat, err
		}
		if taken && other.Person != by.ID {
			return seat, fault.New(fault.Conflict, "call.extension_taken", "name", other.Name)
		}
		seat.Extension, seat.Name = in.Extension, by.Name
	}
	why := in.Reason
	if in.Do != Pause {
		why = ""
	}
	seat.enter(step.To, why, tx.Now)
	return seat, nil
}
