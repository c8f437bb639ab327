package cases

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/territory"
)

// Act is what every step of a case's life needs: which case, as the actor saw it, and why.
type Act struct {
	City    int    `json:"-" form:"-"`
	ID      string `json:"-" form:"-"`
	Version int64  `json:"version" form:"version"`
	Reason  string `json:"reason" form:"reason"`
	Key     string `json:"-" form:"key"` // idempotency key
	Seen    int64  `json:"-" form:"-"`   // of a form that waited on a telephone: the last entry of the case that its writer knew
	Field   bool   `json:"-" form:"-"`   // it may have waited on a telephone: its key is kept for a season
}

// Why checks the reason of an act that needs one.
func (a Act) Why() error {
	var c fault.Check
	n := utf8.RuneCountInString(strings.TrimSpace(a.Reason))
	c.That(n > 0, "reason", "field.required")
	c.That(n <= 1000, "reason", "field.too_long", "max", 1000)
	return c.Err()
}

// OnceIn runs a step under the act's idempotency key and gives the case as it then stands.
func OnceIn(ctx context.Context, tx *db.Tx, by actor.Actor, a Act, body any, fn func() (Case, error)) (Case, error) {
	var fresh *Case
	r := once.Request{City: a.City, By: by, Key: a.Key, Body: body}
	if a.Field {
		r.Keep = once.KeepField
	}
	id, err := once.Do(ctx, tx, r, func() (string, error) {
		c, err := fn()
		fresh = &c
		return c.ID, err
	})
	if err != nil {
		return Case{}, err
	}
	if fresh != nil {
		return *fresh, nil
	}
	return find(ctx, tx, a.City, id)
}

// step is a change that needs no more than a reason.
func (s *Service) step(ctx context.Context, by actor.Actor, a Act, e Event, needsReason bool, apply func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *Case) error) (Case, error) {
	if needsReason {
		if err := a.Why(); err != nil {
			return Case{}, err
		}
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Case, error) { return s.stepIn(ctx, tx, by, a, e, apply) })
}

// stepIn is step in the caller's transaction.
func (s *Service) stepIn(ctx context.Context, tx *db.Tx, by actor.Actor, a Act, e Event, apply func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *Case) error) (Case, error) {
	return OnceIn(ctx, tx, by, a, map[string]any{"act": a, "event": e}, func() (Case, error) {
		r, err := s.o.Rules(ctx, tx, a.City)
		if err != nil {
			return Case{}, err
		}
		return s.MoveIn(ctx, tx, by, a.City, a.ID, Change{
			Event: e, Version: a.Version, Body: reasonBody(a.Reason), Public: true,
			Apply: func(c *Case) error {
				if !c.Open {
					if err := s.o.Clocks.StopAll(ctx, tx, clockSubject(*c, r.Pack), tx.Now); err != nil {
						return err
					}
				}
				if apply == nil {
					return nil
				}
				return apply(ctx, tx, r, c)
			},
		})
	})
}

func reasonBody(reason string) any {
	if reason == "" {
		return nil
	}
	return map[string]any{"reason": reason}
}

// Accept takes a report in (受理).
func (s *Service) Accept(ctx context.Context, by actor.Actor, in Act) (Case, error) {
	return s.step(ctx, by, in, Accept, false, nil)
}

// Reject turns a report down (不予受理); the reason says where the resident may go instead.
func (s *Service) Reject(ctx context.Context, by actor.Actor, in Act) (Case, error) {
	return s.step(ctx, by, in, Reject, true, func(_ context.Context, _ *db.Tx, _ *citypack.Rules, c *Case) error {
		c.Answer = in.Reason
		return nil
	})
}

// AskConfirm has a case looked at on the spot before it is filed (交核实).
func (s *Service) AskConfirm(ctx context.Context, by actor.Actor, in Act) (Case, error) {
	return s.step(ctx, by, in, AskConfirm, false, nil)
}

// Confirm says that it is as reported (核实属实).
func (s *Service) Confirm(ctx context.Context, by actor.Actor, in Act) (Case, error) {
	return s.step(ctx, by, in, Confirm, false, nil)
}

// Refute says that it is not as reported (核实不属实).
func (s *Service) Refute(ctx context.Context, by actor.Actor, in Act) (Case, error) {
	return s.step(ctx, by, in, Refute, true, func(_ context.Context, _ *db.Tx, _ *citypack.Rules, c *Case) error {
		c.Answer = in.Reason
		return nil
	})
}

// Withdraw ends a case because the caller takes it back (撤回).
func (s *Service) Withdraw(ctx context.Context, by actor.Actor, in Act) (Case, error) {
	return s.step(ctx, by, in, Withdraw, true, nil)
}

// Terminate ends a case without a result (终止办理).
func (s *Service) Terminate(ctx context.Context, by actor.Actor, in Act) (Case, error) {
	return s.step(ctx, by, in, Terminate, true, nil)
}

// Cancel voids a record that should not exist (作废); it stays readable with the reason.
func (s *Service) Cancel(ctx context.Context, by actor.Actor, in Act) (Case, error) {
	return s.step(ctx, by, in, Cancel, true, nil)
}

// Archive puts a closed case away (归档).
func (s *Service) Archive(ctx context.Context, by actor.Actor, in Act) (Case, error) {
	return s.step(ctx, by, in, Archive, false, nil)
}

// SendBack has the unit do its work again (返工) although it said that it was done.
func (s *Service) SendBack(ctx context.Context, by actor.Actor, in Act) (Case, error) {
	return s.step(ctx, by, in, SendBack, true, s.rework)
}

// rework starts the unit's time anew for a case that comes back to it.
func (s *Service) rework(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *Case) error {
	c.Reworks++
	c.Round++
	o := clock.Org{Org: c.Company, Ref: c.ClockRef()}
	for _, e := range []citypack.Event{citypack.EventDelivered, citypack.EventSigned} {
		if err := s.o.Clocks.Event(ctx, tx, r, clockSubject(*c, r.Pack), e, tx.Now, o); err != nil {
			return err
		}
	}
	if err := s.Due(ctx, tx, c); err != nil {
		return err
	}
	if s.Told == nil {
		return nil
	}
	return s.Told(ctx, tx, *c, "rework")
}

// ClockRef names the time that runs for the unit: its dispatch, and the round of rework.
func (c Case) ClockRef() string {
	if c.Round == 0 {
		return c.DispatchID
	}
	return c.DispatchID + "/" + strconv.Itoa(c.Round)
}

// Answering is the input of AnswerDirect.
type Answering struct {
	Act
	Answer  string `json:"answer" form:"answer"`
	Article string `json:"article" form:"article"`
}

// AnswerDirect answers a question and ends it without a dispatch (直接答复).
func (s *Service) AnswerDirect(ctx context.Context, by actor.Actor, in Answering) (Case, error) {
	var check fault.Check
	in.Answer = strings.TrimSpace(in.Answer)
	check.That(in.Answer != "", "answer", "field.required")
	check.That(utf8.RuneCountInString(in.Answer) <= MaxText, "answer", "field.too_long", "max", MaxText)
	if err := check.Err(); err != nil {
		return Case{}, err
	}
	return s.step(ctx, by, in.Act, Answer, false, func(_ context.Context, _ *db.Tx, _ *citypack.Rules, c *Case) error {
		c.Answer, c.Article = in.Answer, in.Article
		return nil
	})
}

// Filing is the input of File.
type Filing struct {
	Act
	Company string `json:"company" form:"company"` // chosen among the candidates; empty: what attribution says
}

// File makes a case of a report (案件立案), and hands it to its company when that needs no person.
func (s *Service) File(ctx context.Context, by actor.Actor, in Filing) (Case, error) {
	return s.step(ctx, by, in.Act, File, false, func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *Case) error {
		c.Proposed = cmp.Or(in.Company, c.Proposed)
		return s.filed(ctx, tx, by, r, c)
	})
}

// filed asks for the company again, since territories may have changed since the call, and lets dispatch take over.
func (s *Service) filed(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, c *Case) error {
	if s.Filed == nil {
		return nil
	}
	q := territory.Query{
		Text: c.Address + " " + c.Text, Household: c.Account, Lng: c.Lng, Lat: c.Lat, At: tx.Now,
		Community: c.Community, Building: c.Building, Unit: c.Unit, Room: c.Room,
	}
	a, err := s.o.Attribute(ctx, tx, c.City, q)
	if err != nil {
		return err
	}
	var plan Plan
	if err := s.Filed(ctx, tx, by, r, c, a, &plan); err != nil {
		return err
	}
	return s.Run(ctx, tx, r, c, plan)
}

// Run lets the ledger know of what an act means for the clocks, and brings the nearest deadline up to date.
func (s *Service) Run(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *Case, plan Plan) error {
	if err := s.o.Clocks.Events(ctx, tx, r, clockSubject(*c, r.Pack), plan.Happened, plan.Org); err != nil {
		return err
	}
	return s.Due(ctx, tx, c)
}
