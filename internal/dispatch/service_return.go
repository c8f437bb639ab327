package dispatch

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Returning is the input of Return: "not ours", with the right unit and evidence (回退).
type Returning struct {
	cases.Act
	Right  string        `json:"right" form:"right"` // company that it belongs to
	Photos []blob.Stored `json:"-" form:"-"`
}

// Return says that a case is not the unit's. It is asked before arrival and within the pack's minutes, never of a case that
// was designated; the resident's clock goes on.
func (s *Service) Return(ctx context.Context, by actor.Actor, in Returning) (cases.Case, error) {
	var check fault.Check
	needText(&check, "reason", in.Reason, 1000)
	needText(&check, "right", in.Right, 100)
	if err := check.Err(); err != nil {
		return cases.Case{}, err
	}
	return s.do(ctx, by, change{
		act: in.Act, event: cases.AskReturn, body: map[string]any{"right": in.Right, "reason": in.Reason},
		apply: func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *cases.Case, d *Dispatch, plan *cases.Plan) error {
			if why := mayReturn(*c, *d, r.Pack.Options(tx.Now).ReturnMinutes, tx.Now); why != "" {
				return fault.New(fault.Conflict, why)
			}
			if err := s.isCompany(ctx, tx, c.City, "right", in.Right); err != nil {
				return err
			}
			if in.Right == c.Company {
				var same fault.Check
				same.Add("right", "dispatch.already_unit")
				return same.Err()
			}
			if err := s.photos(ctx, tx, by, *c, in.Photos); err != nil {
				return err
			}
			c.Returns++
			plan.Happened = append(plan.Happened, clock.Happened{Event: citypack.EventReturned, At: tx.Now})
			return insertRequest(ctx, tx, Request{
				City: c.City, ID: tx.NewID(), Case: c.ID, Dispatch: d.ID, Kind: AskReturn, State: Open,
				Company: c.Company, Other: in.Right, Reason: in.Reason, AskedAt: tx.Now, AskedBy: by.ID, Version: 1,
			})
		},
	}, in)
}

// ReturnAnswer is the input of AnswerReturn.
type ReturnAnswer struct {
	cases.Act
	Accept  bool   `json:"accept" form:"accept"`
	Company string `json:"company" form:"company"` // the next unit; empty: the one that the return names
	Learn   bool   `json:"learn" form:"learn"`
}

// AnswerReturn decides a return. Accepted, the next unit is told in the same transaction and the first one's clocks never
// counted; refused, the unit has signed. The second return of a case is for the shift leader alone.
func (s *Service) AnswerReturn(ctx context.Context, by actor.Actor, in ReturnAnswer) (cases.Case, error) {
	if !in.Accept {
		if err := in.Why(); err != nil {
			return cases.Case{}, err
		}
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (cases.Case, error) {
		return cases.OnceIn(ctx, tx, by, in.Act, in, func() (cases.Case, error) { return s.answerReturn(ctx, tx, by, in) })
	})
}

func (s *Service) answerReturn(ctx context.Context, tx *db.Tx, by actor.Actor, in ReturnAnswer) (cases.Case, error) {
	if !in.Accept {
		return s.refuseReturn(ctx, tx, by, in)
	}
	next := in.Company
	c, err := s.doIn(ctx, tx, by, change{
		act: in.Act, event: cases.AcceptReturn, body: map[string]any{"reason": in.Reason},
		apply: func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *cases.Case, d *Dispatch, plan *cases.Plan) error {
			if err := ownReturn(r, *c, tx); err != nil {
				return err
			}
			req, ok, err := openRequest(ctx, tx, c.City, c.ID, AskReturn)
			if err != nil {
				return err
			}
			if ok && next == "" {
				next = req.Other
			}
			if err := s.settleReturn(ctx, tx, by, *c, true, in.Reason); err != nil {
				return err
			}
			plan.Happened = append(plan.Happened, clock.Happened{Event: citypack.EventReturnDone, At: tx.Now})
			if err := s.release(ctx, tx, c, d, "misdirected"); err != nil {
				return err
			}
			c.Taken(next)
			plan.Org = clock.Org{}
			return nil
		},
	})
	if err != nil || next == "" {
		return c, err
	}
	act := in.Act
	act.Version = c.Version
	return s.doIn(ctx, tx, by, s.dispatching(by, Sending{Act: act, Company: next, Learn: in.Learn}))
}

// ownReturn refuses a dispatcher's answer where the pack wants a designation.
func ownReturn(r *citypack.Rules, c cases.Case, tx *db.Tx) error {
	if n := r.Pack.Options(tx.Now).DesignateAfterReturns; n > 0 && c.Returns >= n {
		return fault.New(fault.Conflict, "dispatch.designate_now", "n", c.Returns)
	}
	return nil
}

func (s *Service) refuseReturn(ctx context.Context, tx *db.Tx, by actor.Actor, in ReturnAnswer) (cases.Case, error) {
	return s.doIn(ctx, tx, by, change{
		act: in.Act, event: cases.RefuseReturn, body: map[string]any{"reason": in.Reason},
		apply: func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *cases.Case, d *Dispatch, plan *cases.Plan) error {
			if err := ownReturn(r, *c, tx); err != nil {
				return err
			}
			if err := s.settleReturn(ctx, tx, by, *c, false, in.Reason); err != nil {
				return err
			}
			plan.Happened = append(plan.Happened, clock.Happened{Event: citypack.EventReturnDone, At: tx.Now})
			if d.SignedAt.IsZero() {
				d.SignedAt, d.SignedBy, d.SignedHow, c.SignedAt = tx.Now, by.ID, "return_refused", tx.Now
				plan.Happened = append(plan.Happened, clock.Happened{Event: citypack.EventSigned, At: tx.Now})
			}
			return nil
		},
	})
}

// settleReturn writes the decision under the return that waits, if one does.
func (s *Service) settleReturn(ctx context.Context, tx *db.Tx, by actor.Actor, c cases.Case, granted bool, note string) error {
	req, ok, err := openRequest(ctx, tx, c.City, c.ID, AskReturn)
	if err != nil || !ok {
		return err
	}
	return decide(ctx, tx, by, req, granted, note)
}

// decide writes a decision; nobody decides what they asked for.
func decide(ctx context.Context, tx *db.Tx, by actor.Actor, r Request, granted bool, note string) error {
	if r.AskedBy == by.ID && by.Kind == actor.Person {
		return fault.New(fault.Denied, "dispatch.own_request")
	}
	was := r
	r.State, r.DecidedAt, r.DecidedBy, r.Note = Refused, tx.Now, by.ID, note
	if granted {
		r.State = Granted
	}
	return saveRequest(ctx, tx, was, r)
}

// Disputing is the input of Dispute.
type Disputing struct {
	cases.Act
	Party string `json:"party" form:"party"` // who is said to own the failing stretch
}

// Dispute opens the question of property as a matter of its own (责任争议), while the unit that has the case warms the flat.
func (s *Service) Dispute(ctx context.Context, by actor.Actor, in Disputing) (cases.Case, error) {
	var check fault.Check
	needText(&check, "party", in.Party, 200)
	needText(&check, "reason", in.Reason, 1000)
	if err := check.Err(); err != nil {
		return cases.Case{}, err
	}
	return s.edit(ctx, by, in.Act, in, actor.CaseRead, audit.Act{Act: "case.dispute", Body: map[string]any{"party": in.Party, "reason": in.Reason}},
		func(ctx context.Context, tx *db.Tx, c *cases.Case) error {
			if by.May(actor.CaseReturn, c.On()) != nil && by.May(actor.CaseDispatch, c.On()) != nil {
				return by.May(actor.CaseReturn, c.On())
			}
			return insertRequest(ctx, tx, Request{
				City: c.City, ID: tx.NewID(), Case: c.ID, Dispatch: c.DispatchID, Kind: AskDispute, State: Open,
				Company: c.Company, Other: in.Party, Reason: in.Reason, AskedAt: tx.Now, AskedBy: by.ID, Version: 1,
			})
		})
}
