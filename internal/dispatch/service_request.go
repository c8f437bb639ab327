package dispatch

import (
	"context"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// Asking is the input of AskMore: more time (延期), a condition to wait for (缓办), or beyond the season (挂账).
type Asking struct {
	cases.Act
	Kind  RequestKind   `json:"kind" form:"kind"`
	Until civil.Instant `json:"until" form:"until"`
}

// AskMore asks for an extension, for postponing or for parking. Nothing changes until somebody else grants it.
func (s *Service) AskMore(ctx context.Context, by actor.Actor, in Asking) (cases.Case, error) {
	var check fault.Check
	check.That(in.Kind == AskExtension || in.Kind == AskPostpone || in.Kind == AskPark, "kind", "field.not_one_of", "allowed", "extension, postpone, park")
	needText(&check, "reason", in.Reason, 1000)
	check.That(in.Kind == AskPark || !in.Until.IsZero(), "until", "field.required")
	if err := check.Err(); err != nil {
		return cases.Case{}, err
	}
	act := audit.Act{Act: "case.ask_" + string(in.Kind), Body: map[string]any{"reason": in.Reason, "until": in.Until}}
	return s.edit(ctx, by, in.Act, in, actor.CaseAskExtend, act, func(ctx context.Context, tx *db.Tx, c *cases.Case) error {
		if !c.Status.WithUnit() || c.Status == cases.Returned || c.Status == cases.Dispatched {
			return fault.New(fault.Conflict, "flow.no_such_step")
		}
		var late fault.Check
		late.That(in.Until.IsZero() || in.Until.After(tx.Now), "until", "dispatch.window_past")
		if err := late.Err(); err != nil {
			return err
		}
		return insertRequest(ctx, tx, Request{
			City: c.City, ID: tx.NewID(), Case: c.ID, Dispatch: c.DispatchID, Kind: in.Kind, State: Open,
			Company: c.Company, Reason: in.Reason, Until: in.Until, AskedAt: tx.Now, AskedBy: by.ID, Version: 1,
		})
	})
}

// Decision is the input of Decide.
type Decision struct {
	cases.Act
	Request string `json:"request" form:"request"`
	Grant   bool   `json:"grant" form:"grant"`
}

// Decide grants or refuses what was asked for. Whoever asked may not; an appeal is not for who dispatched; parking is for
// the section head; more extensions than the pack leaves to the shift leader are too.
func (s *Service) Decide(ctx context.Context, by actor.Actor, in Decision) (cases.Case, error) {
	if !in.Grant {
		if err := in.Why(); err != nil {
			return cases.Case{}, err
		}
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (cases.Case, error) {
		return cases.OnceIn(ctx, tx, by, in.Act, in, func() (cases.Case, error) { return s.decideIn(ctx, tx, by, in) })
	})
}

func (s *Service) decideIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Decision) (cases.Case, error) {
	req, err := findRequest(ctx, tx, in.City, in.Request)
	if err != nil || req.Case != in.ID {
		return cases.Case{}, orMissing(err)
	}
	if req.State != Open && req.State != Replied {
		return cases.Case{}, fault.New(fault.Conflict, "dispatch.decided")
	}
	c, err := s.o.Cases.GetIn(ctx, tx, by, in.City, in.ID)
	if err != nil {
		return cases.Case{}, err
	}
	if err := s.mayDecide(ctx, tx, by, c, req); err != nil {
		return cases.Case{}, err
	}
	if err := decide(ctx, tx, by, req, in.Grant, in.Reason); err != nil {
		return cases.Case{}, err
	}
	if in.Grant {
		switch req.Kind {
		case AskPostpone, AskPark:
			return s.rest(ctx, tx, by, in, req)
		case AskExtension, AskAppeal, AskDispute, Supervision, AskReturn:
		}
	}
	verb := "refused"
	if in.Grant {
		verb = "granted"
	}
	act := audit.Act{Act: "case." + string(req.Kind) + "_" + verb, Body: map[string]any{"request": req.ID, "note": in.Reason}}
	return s.o.Cases.EditIn(ctx, tx, by, in.City, in.ID, act, func(c *cases.Case) error {
		if !in.Grant {
			return nil
		}
		return s.granted(ctx, tx, c, req)
	})
}

func orMissing(err error) error {
	if err != nil {
		return err
	}
	return fault.New(fault.NotFound, "not_found")
}

// mayDecide asks for the permission that the kind of request needs.
func (s *Service) mayDecide(ctx context.Context, tx *db.Tx, by actor.Actor, c cases.Case, req Request) error {
	switch req.Kind {
	case AskExtension:
		r, err := s.o.Cases.Rules(ctx, tx, c.City)
		if err != nil {
			return err
		}
		if most := r.Pack.Options(tx.Now).ExtendMax; c.Extensions >= most && by.May(actor.CasePark, c.On()) != nil {
			return fault.New(fault.Denied, "dispatch.extend_head", "n", most)
		}
		return by.May(actor.CaseExtend, c.On())
	case AskPostpone, AskPark:
		return by.May(actor.CasePark, c.On())
	case AskAppeal:
		d, err := find(ctx, tx, c.City, req.Dispatch)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if d.By == by.ID {
			return fault.New(fault.Denied, "dispatch.own_dispatch")
		}
		return by.May(actor.CaseDecideAppeal, c.On())
	case AskDispute:
		return by.May(actor.CasePark, c.On())
	case Supervision:
		return by.May(actor.CaseSupervise, c.On())
	case AskReturn:
	}
	return fault.New(fault.Conflict, "flow.no_such_step")
}

// granted does what a grant means for the case.
func (s *Service) granted(ctx context.Context, tx *db.Tx, c *cases.Case, req Request) error {
	subject := clock.Subject{City: c.City, Case: c.ID, Urgency: c.Urgency, County: c.District}
	switch req.Kind {
	case AskExtension:
		c.Extensions++
		why := text.Msg("dispatch.why.extended", "until", calendar.When(req.Until))
		if err := s.o.Clocks.Move(ctx, tx, subject, []string{citypack.ClockFeedback, citypack.ClockAnswer}, req.Until, why); err != nil {
			return err
		}
		return s.o.Cases.Due(ctx, tx, c)
	case Supervision:
		c.Supervised = false
	case AskReturn, AskPostpone, AskPark, AskAppeal, AskDispute:
	}
	return nil
}

// rest lets a case wait (缓办, 挂账): the unit's clocks stop, the resident's go on, and so do refund days.
func (s *Service) rest(ctx context.Context, tx *db.Tx, by actor.Actor, in Decision, req Request) (cases.Case, error) {
	event := cases.Postpone
	if req.Kind == AskPark {
		event = cases.Park
	}
	return s.doIn(ctx, tx, by, change{
		act: in.Act, event: event, public: true, body: map[string]any{"request": req.ID, "reason": req.Reason, "until": req.Until},
		apply: func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *cases.Case, _ *Dispatch, plan *cases.Plan) error {
			plan.Happened = nil
			cat, _ := r.Pack.Category(c.Category)
			subject := clock.Subject{City: c.City, Case: c.ID, Category: cat, Urgency: c.Urgency, County: c.District}
			return s.o.Clocks.Pause(ctx, tx, r, subject, nil, tx.Now, text.Msg("dispatch.why."+string(req.Kind)))
		},
	})
}

// Resume takes a postponed or parked case up again.
func (s *Service) Resume(ctx context.Context, by actor.Actor, in cases.Act) (cases.Case, error) {
	return s.do(ctx, by, change{
		act: in, event: cases.Resume, public: true,
		apply: func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *cases.Case, _ *Dispatch, _ *cases.Plan) error {
			cat, _ := r.Pack.Category(c.Category)
			subject := clock.Subject{City: c.City, Case: c.ID, Category: cat, Urgency: c.Urgency, County: c.District}
			return s.o.Clocks.Resume(ctx, tx, r, subject, nil, tx.Now, text.Msg("dispatch.why.resumed"))
		},
	}, in)
}

// Ordering is the input of Supervise.
type Ordering struct {
	cases.Act
	ReplyBy civil.Instant `json:"reply_by" form:"reply_by"`
}

// Supervise issues a supervision order (督办单) with a number and a date by which the unit answers.
func (s *Service) Supervise(ctx context.Context, by actor.Actor, in Ordering) (cases.Case, error) {
	if err := in.Why(); err != nil {
		return cases.Case{}, err
	}
	return s.edit(ctx, by, in.Act, in, actor.CaseSupervise, audit.Act{Act: "case.supervise", Public: true, Body: map[string]any{"reason": in.Reason}},
		func(ctx context.Context, tx *db.Tx, c *cases.Case) error {
			if !c.Open || c.Company == "" {
				return fault.New(fault.Conflict, "flow.no_such_step")
			}
			r, err := s.o.Cases.Rules(ctx, tx, c.City)
			if err != nil {
				return err
			}
			c.Supervised = true
			return s.orderBy(ctx, tx, by, r, *c, in.Reason, "", in.ReplyBy)
		})
}

// order issues a supervision order that the rules call for; ref keeps it from being issued twice for one cause.
func (s *Service) order(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, c cases.Case, reason, ref string) error {
	return s.orderBy(ctx, tx, by, r, c, reason, ref, tx.Now.Add(24*time.Hour))
}

func (s *Service) orderBy(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, c cases.Case, reason, ref string, replyBy civil.Instant) error {
	if _, waits, err := openRequest(ctx, tx, c.City, c.ID, Supervision); err != nil || waits {
		return err // one order at a time: it is still unanswered
	}
	day := tx.Now.Date()
	n, err := db.Next(ctx, tx, c.City, fmt.Sprintf("supervision:%d", day.Year))
	if err != nil {
		return err
	}
	no := r.Pack.Number("supervision", day, n, fmt.Sprintf("%d-%04d", day.Year, n))
	return insertRequest(ctx, tx, Request{
		City: c.City, ID: tx.NewID(), No: no, Case: c.ID, Dispatch: c.DispatchID, Kind: Supervision, State: Open,
		Company: c.Company, Reason: reason, Until: replyBy, Ref: ref, AskedAt: tx.Now, AskedBy: by.ID, Version: 1,
	})
}

// Replying is the input of Reply.
type Replying struct {
	cases.Act
	Request string `json:"request" form:"request"`
}

// Reply answers a supervision order; the reason of the act is the answer.
func (s *Service) Reply(ctx context.Context, by actor.Actor, in Replying) (cases.Case, error) {
	if err := in.Why(); err != nil {
		return cases.Case{}, err
	}
	return s.edit(ctx, by, in.Act, in, actor.CaseFeedBack, audit.Act{Act: "case.supervision_reply", Body: map[string]any{"reply": in.Reason}},
		func(ctx context.Context, tx *db.Tx, c *cases.Case) error {
			req, err := findRequest(ctx, tx, c.City, in.Request)
			if err != nil || req.Case != c.ID || req.Kind != Supervision || req.Company != by.Org && by.Kind == actor.Person {
				return orMissing(err)
			}
			if req.State != Open {
				return fault.New(fault.Conflict, "dispatch.decided")
			}
			was := req
			req.State, req.Reply, req.RepliedAt = Replied, in.Reason, tx.Now
			return saveRequest(ctx, tx, was, req)
		})
}

// Appealing is the input of Appeal.
type Appealing struct {
	cases.Act
	Ref string `json:"ref" form:"ref"` // the clock that was broken, or "rework", "unsatisfied"
}

// Appeal asks that a counted breach, rework or dissatisfaction be looked at again (申诉), within the pack's working days.
func (s *Service) Appeal(ctx context.Context, by actor.Actor, in Appealing) (cases.Case, error) {
	var check fault.Check
	needText(&check, "ref", in.Ref, 100)
	needText(&check, "reason", in.Reason, 1000)
	if err := check.Err(); err != nil {
		return cases.Case{}, err
	}
	return s.edit(ctx, by, in.Act, in, actor.CaseAppeal, audit.Act{Act: "case.appeal", Body: map[string]any{"ref": in.Ref, "reason": in.Reason}},
		func(ctx context.Context, tx *db.Tx, c *cases.Case) error {
			at, ref, err := s.appealable(ctx, tx, *c, in.Ref)
			if err != nil {
				return err
			}
			r, err := s.o.Cases.Rules(ctx, tx, c.City)
			if err != nil {
				return err
			}
			if days := r.Pack.Options(tx.Now).AppealWorkingDays; days > 0 {
				end, err := r.Calendar.Due(calendar.Input{Limit: calendar.Of(days, calendar.WorkingDays), From: at})
				if err != nil {
					return err
				}
				if !end.Due.IsZero() && !tx.Now.Before(end.Due) {
					return fault.New(fault.Conflict, "dispatch.appeal_late", "until", calendar.When(end.Due))
				}
			}
			return insertRequest(ctx, tx, Request{
				City: c.City, ID: tx.NewID(), Case: c.ID, Dispatch: ref, Kind: AskAppeal, State: Open,
				Company: c.Company, Reason: in.Reason, Ref: in.Ref, AskedAt: tx.Now, AskedBy: by.ID, Version: 1,
			})
		})
}

// appealable gives when the thing appealed against happened, and the dispatch that it belongs to.
func (s *Service) appealable(ctx context.Context, tx *db.Tx, c cases.Case, ref string) (civil.Instant, string, error) {
	if ref == "rework" && c.Reworks > 0 || ref == "unsatisfied" && c.Satisfied == "no" {
		return c.UpdatedAt, c.DispatchID, nil
	}
	clocks, err := s.o.Clocks.Of(ctx, tx, c.City, c.ID)
	if err != nil {
		return 0, "", err
	}
	for _, k := range clocks {
		if k.ID == ref && k.Org == c.Company && k.Late(tx.Now) && k.State != clock.Void {
			return max(k.Due, k.Stopped), c.DispatchID, nil
		}
	}
	var check fault.Check
	check.Add("ref", "dispatch.nothing_to_appeal")
	return 0, "", check.Err()
}
