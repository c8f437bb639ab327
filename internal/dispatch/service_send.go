package dispatch

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
)

// Sending is the input of Dispatch, Redispatch and Designate.
type Sending struct {
	cases.Act
	Company   string `json:"company" form:"company"`
	Recording string `json:"recording" form:"recording"` // of the call, where the unit was told by telephone first
	Learn     bool   `json:"learn" form:"learn"`         // keep the choice as a rule of attribution
	Wrong     bool   `json:"wrong" form:"wrong"`         // of a redispatch: the first unit was the wrong one
}

// Dispatch tells the unit that a dispatcher chose (派遣).
func (s *Service) Dispatch(ctx context.Context, by actor.Actor, in Sending) (cases.Case, error) {
	if err := in.check(false); err != nil {
		return cases.Case{}, err
	}
	return s.do(ctx, by, s.dispatching(by, in), in)
}

func (s *Service) dispatching(by actor.Actor, in Sending) change {
	return change{
		act: in.Act, event: cases.Dispatch, body: sendBody(in),
		apply: func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *cases.Case, _ *Dispatch, plan *cases.Plan) error {
			if err := s.learn(ctx, tx, by, *c, in); err != nil {
				return err
			}
			way := Manual
			if cat, ok := r.Pack.Category(c.Category); ok && cat.PhoneFirst && in.Recording != "" {
				way = PhoneFirst
			}
			return s.send(ctx, tx, by, c, sending{company: in.Company, way: way, reason: in.Reason, recording: in.Recording}, plan)
		},
	}
}

// Redispatch takes a case from one unit and gives it to another (改派). A wrong dispatch is the centre's: the first unit's
// clocks end without counting.
func (s *Service) Redispatch(ctx context.Context, by actor.Actor, in Sending) (cases.Case, error) {
	if err := in.check(true); err != nil {
		return cases.Case{}, err
	}
	return s.do(ctx, by, change{
		act: in.Act, event: cases.Redispatch, body: sendBody(in),
		apply: func(ctx context.Context, tx *db.Tx, _ *citypack.Rules, c *cases.Case, d *Dispatch, plan *cases.Plan) error {
			if c.Designated {
				return fault.New(fault.Conflict, "dispatch.binding")
			}
			if err := s.learn(ctx, tx, by, *c, in); err != nil {
				return err
			}
			kind := "replaced"
			if in.Wrong {
				kind = "misdirected"
			}
			if err := s.release(ctx, tx, c, d, kind); err != nil {
				return err
			}
			return s.send(ctx, tx, by, c, sending{company: in.Company, way: Again, reason: in.Reason, recording: in.Recording}, plan)
		},
	}, in)
}

// Designate decides who handles a case that units hand to and fro, or that nobody owns (指定处置). It binds: the unit may
// not return it, and the question of property goes on elsewhere.
func (s *Service) Designate(ctx context.Context, by actor.Actor, in Sending) (cases.Case, error) {
	if err := in.check(true); err != nil {
		return cases.Case{}, err
	}
	return s.do(ctx, by, change{
		act: in.Act, event: cases.Designate, body: sendBody(in), public: true,
		apply: func(ctx context.Context, tx *db.Tx, _ *citypack.Rules, c *cases.Case, d *Dispatch, plan *cases.Plan) error {
			if err := s.settleReturn(ctx, tx, by, *c, d.Company != in.Company, in.Reason); err != nil {
				return err
			}
			if d.ID != "" && d.EndedAt.IsZero() {
				kind := "replaced"
				if in.Wrong {
					kind = "misdirected"
				}
				if err := s.release(ctx, tx, c, d, kind); err != nil {
					return err
				}
			}
			return s.send(ctx, tx, by, c, sending{company: in.Company, way: Designated, reason: in.Reason, recording: in.Recording}, plan)
		},
	}, in)
}

// release ends a unit's hold on a case. Clocks of a wrong dispatch never count; those of another one stop here.
func (s *Service) release(ctx context.Context, tx *db.Tx, c *cases.Case, d *Dispatch, kind string) error {
	was := *d
	d.EndedAt, d.EndKind = tx.Now, kind
	if err := save(ctx, tx, was, *d); err != nil {
		return err
	}
	subject := clock.Subject{City: c.City, Case: c.ID, Urgency: c.Urgency, County: c.District}
	*d = Dispatch{} // written
	if kind != "misdirected" {
		return s.o.Clocks.StopOf(ctx, tx, subject, was.Company, tx.Now)
	}
	return s.o.Clocks.Void(ctx, tx, subject, was.Company, was.ID, text.Msg("dispatch.why.misdirected"))
}

func (s *Service) learn(ctx context.Context, tx *db.Tx, by actor.Actor, c cases.Case, in Sending) error {
	if !in.Learn || s.o.Learn == nil || c.Community == "" {
		return nil
	}
	return s.o.Learn(ctx, tx, by, c.City, territory.Rule{Community: c.Community, Building: c.Building, Company: in.Company, Author: by.Name, At: tx.Now})
}

func (in Sending) check(why bool) error {
	var check fault.Check
	needText(&check, "company", in.Company, 100)
	if why {
		needText(&check, "reason", in.Reason, 1000)
	}
	return check.Err()
}

func sendBody(in Sending) map[string]any {
	body := map[string]any{"company": in.Company}
	if in.Reason != "" {
		body["reason"] = in.Reason
	}
	if in.Wrong {
		body["wrong"] = true
	}
	if in.Learn {
		body["learnt"] = true
	}
	return body
}

// Assisting is the input of AddAssist and EndAssist.
type Assisting struct {
	cases.Act
	Company string `json:"company" form:"company"`
}

// AddAssist has another unit help: the owner of the stretch that failed, while the supplier warms the flat (协办).
func (s *Service) AddAssist(ctx context.Context, by actor.Actor, in Assisting) (cases.Case, error) {
	var check fault.Check
	needText(&check, "company", in.Company, 100)
	needText(&check, "reason", in.Reason, 1000)
	if err := check.Err(); err != nil {
		return cases.Case{}, err
	}
	return s.edit(ctx, by, in.Act, in, actor.CaseDispatch, audit.Act{Act: "case.assist", Body: map[string]any{"company": in.Company, "reason": in.Reason}},
		func(ctx context.Context, tx *db.Tx, c *cases.Case) error {
			if err := s.isCompany(ctx, tx, c.City, "company", in.Company); err != nil {
				return err
			}
			if slices.Contains(append(c.Assisting, c.Company), in.Company) {
				return fault.New(fault.Conflict, "dispatch.already_unit")
			}
			c.Assisting = append(slices.Clip(c.Assisting), in.Company)
			return insert(ctx, tx, Dispatch{
				City: c.City, ID: tx.NewID(), Case: c.ID, Company: in.Company, Part: Assist, Way: Manual,
				Reason: in.Reason, ToldAt: tx.Now, DeliveredAt: tx.Now, By: by.ID, Version: 1,
			})
		})
}

// EndAssist lets an assisting unit go.
func (s *Service) EndAssist(ctx context.Context, by actor.Actor, in Assisting) (cases.Case, error) {
	return s.edit(ctx, by, in.Act, in, actor.CaseDispatch, audit.Act{Act: "case.assist_end", Body: map[string]any{"company": in.Company}},
		func(ctx context.Context, tx *db.Tx, c *cases.Case) error {
			list, err := of(ctx, tx, c.City, c.ID)
			if err != nil {
				return err
			}
			var left []string
			for _, a := range c.Assisting {
				if a != in.Company {
					left = append(left, a)
				}
			}
			c.Assisting = left
			for _, d := range list {
				if d.Part == Assist && d.Company == in.Company && d.EndedAt.IsZero() {
					was := d
					d.EndedAt, d.EndKind = tx.Now, "done"
					return save(ctx, tx, was, d)
				}
			}
			return fault.New(fault.NotFound, "not_found")
		})
}

// edit changes a case without a step of its life, once per key, after asking for a permission.
func (s *Service) edit(ctx context.Context, by actor.Actor, a cases.Act, input any, p actor.Permission, act audit.Act, apply func(ctx context.Context, tx *db.Tx, c *cases.Case) error) (cases.Case, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (cases.Case, error) {
		return cases.OnceIn(ctx, tx, by, a, input, func() (cases.Case, error) {
			if _, err := s.o.Cases.GetIn(ctx, tx, by, a.City, a.ID); err != nil {
				return cases.Case{}, err
			}
			return s.o.Cases.EditIn(ctx, tx, by, a.City, a.ID, act, func(c *cases.Case) error {
				if err := by.May(p, c.On()); err != nil {
					return err
				}
				if a.Version != 0 && a.Version != c.Version {
					return fault.New(fault.Conflict, "conflict.version")
				}
				return apply(ctx, tx, c)
			})
		})
	})
}
