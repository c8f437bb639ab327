package dispatch

import (
	"context"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Signing is the input of Sign and SignFor.
type Signing struct {
	cases.Act
	OrderNo   string `json:"order_no" form:"order_no"`   // the company's own number
	Recording string `json:"recording" form:"recording"` // of the call, where the centre signs for a unit
	Answered  string `json:"answered" form:"answered"`   // who took the call
}

// Sign says that the unit has the case (签收).
func (s *Service) Sign(ctx context.Context, by actor.Actor, in Signing) (cases.Case, error) {
	return s.do(ctx, by, s.signing(by, in, cases.Sign, "unit"), in)
}

// SignFor signs for a unit that was told by a recorded call (代签收): small boiler rooms have no computer.
func (s *Service) SignFor(ctx context.Context, by actor.Actor, in Signing) (cases.Case, error) {
	var check fault.Check
	needText(&check, "recording", in.Recording, 300)
	needText(&check, "answered", in.Answered, 100)
	if err := check.Err(); err != nil {
		return cases.Case{}, err
	}
	return s.do(ctx, by, s.signing(by, in, cases.SignFor, "by_phone"), in)
}

func (s *Service) signing(by actor.Actor, in Signing, e cases.Event, how string) change {
	body := map[string]any{"how": how}
	if in.Recording != "" {
		body["recording"] = in.Recording
	}
	return change{
		act: in.Act, event: e, body: body, public: true,
		apply: func(_ context.Context, tx *db.Tx, _ *citypack.Rules, c *cases.Case, d *Dispatch, plan *cases.Plan) error {
			d.SignedAt, d.SignedBy, d.SignedHow, d.OrderNo = tx.Now, by.ID, how, in.OrderNo
			if in.Recording != "" {
				d.Recording = in.Recording
			}
			c.SignedAt = tx.Now
			plan.Happened = append(plan.Happened, clock.Happened{Event: citypack.EventSigned, At: tx.Now})
			return nil
		},
	}
}

// Assigning is the input of Assign: the second dispatch inside a company (二次派单).
type Assigning struct {
	cases.Act
	Station string `json:"station" form:"station"`
	Crew    string `json:"crew" form:"crew"`
	Worker  string `json:"worker" form:"worker"` // person's id
	OrderNo string `json:"order_no" form:"order_no"`
}

// Assign gives a case to a station, a crew or a worker of the unit.
func (s *Service) Assign(ctx context.Context, by actor.Actor, in Assigning) (cases.Case, error) {
	var check fault.Check
	check.That(in.Station != "" || in.Crew != "" || in.Worker != "", "station", "field.required")
	if err := check.Err(); err != nil {
		return cases.Case{}, err
	}
	body := map[string]any{"station": in.Station, "crew": in.Crew, "worker": in.Worker}
	return s.do(ctx, by, change{
		act: in.Act, event: cases.Assign, body: body,
		apply: func(_ context.Context, tx *db.Tx, _ *citypack.Rules, c *cases.Case, d *Dispatch, _ *cases.Plan) error {
			d.Station, d.Crew, d.Worker, d.AssignedAt, d.TakenAt = in.Station, in.Crew, in.Worker, tx.Now, 0
			if in.OrderNo != "" {
				d.OrderNo = in.OrderNo
			}
			if in.Station != "" {
				c.Station = in.Station
			}
			c.Worker = in.Worker
			return nil
		},
	}, in)
}

// Take says that a station, crew or worker is on it (接单).
func (s *Service) Take(ctx context.Context, by actor.Actor, in cases.Act) (cases.Case, error) {
	return s.do(ctx, by, change{
		act: in, event: cases.Take, public: true, adds: true, body: map[string]any{},
		apply: func(_ context.Context, tx *db.Tx, _ *citypack.Rules, c *cases.Case, d *Dispatch, _ *cases.Plan) error {
			d.TakenAt = tx.Now
			if d.Worker == "" && by.Kind == actor.Person && d.Station == "" {
				d.Worker, c.Worker = by.ID, by.ID
			}
			return nil
		},
	}, in)
}

// Contacting is one try to reach the resident (首次联系).
type Contacting struct {
	cases.Act
	Result string        `json:"result" form:"result"` // connected, no_answer, message
	At     civil.Instant `json:"at" form:"at"`         // zero: now
	Note   string        `json:"note" form:"note"`
	Device Device        `json:"device,omitzero" form:"device"`
}

// Contact keeps one try. The time limit is met by a call that was answered, or by two tries and a message.
func (s *Service) Contact(ctx context.Context, by actor.Actor, in Contacting) (cases.Case, error) {
	var check fault.Check
	check.That(in.Result == "connected" || in.Result == "no_answer" || in.Result == "message", "result", "field.not_one_of", "allowed", "connected, no_answer, message")
	check.That(len([]rune(in.Note)) <= 1000, "note", "field.too_long", "max", 1000)
	check.Merge("", in.Device.Check())
	if err := check.Err(); err != nil {
		return cases.Case{}, err
	}
	return s.do(ctx, by, change{
		act: in.Act, event: cases.Contact, body: in.Device.into(map[string]any{"result": in.Result}), public: in.Result == "connected", adds: true, at: in.At,
		apply: func(ctx context.Context, tx *db.Tx, _ *citypack.Rules, c *cases.Case, d *Dispatch, plan *cases.Plan) error {
			at, err := happened(in.At, d.ToldAt, tx.Now)
			if err != nil {
				return err
			}
			if _, err := cases.AddDeed(ctx, tx, deed(*c, *d, by, cases.DeedContact, in.Result, at), in); err != nil {
				return err
			}
			done, err := reached(ctx, tx, *c, *d)
			if err != nil || !done || !d.ContactedAt.IsZero() {
				return err
			}
			d.ContactedAt = at
			plan.Happened = append(plan.Happened, clock.Happened{Event: citypack.EventContacted, At: at})
			return nil
		},
	}, in)
}

// reached reports whether the tries under a dispatch meet the limit of the first contact.
func reached(ctx context.Context, tx *db.Tx, c cases.Case, d Dispatch) (bool, error) {
	list, err := cases.Deeds(ctx, tx, c.City, c.ID, cases.DeedContact)
	if err != nil {
		return false, err
	}
	tries, message := 0, false
	for _, one := range list {
		if one.Dispatch != d.ID {
			continue
		}
		switch one.Result {
		case "connected":
			return true, nil
		case "no_answer":
			tries++
		case "message":
			message = true
		}
	}
	return tries >= 2 && message, nil
}

// happened checks the time that a unit gives for what it did: not before it knew of the case, and not in the future.
func happened(at, from, now civil.Instant) (civil.Instant, error) {
	if at.IsZero() {
		return now, nil
	}
	var check fault.Check
	check.That(!at.After(now.Add(time.Minute)), "at", "case.in_future")
	check.That(!at.Before(from.Add(-time.Minute)), "at", "dispatch.before_told")
	return at, check.Err()
}

func deed(c cases.Case, d Dispatch, by actor.Actor, kind cases.DeedKind, result string, at civil.Instant) cases.Deed {
	return cases.Deed{City: c.City, Case: c.ID, Dispatch: d.ID, Kind: kind, At: at, Company: d.Company, By: by.ID, Result: result}
}

// DutyCall is one number of the duty roster that the centre tried because a dispatch stayed unsigned.
type DutyCall struct {
	cases.Act
	Name     string `json:"name" form:"name"`
	Phone    string `json:"phone" form:"phone"`
	Answered bool   `json:"answered" form:"answered"`
}

// LogDutyCall keeps who was called and who answered.
func (s *Service) LogDutyCall(ctx context.Context, by actor.Actor, in DutyCall) (cases.Case, error) {
	var check fault.Check
	needText(&check, "name", in.Name, 100)
	if err := check.Err(); err != nil {
		return cases.Case{}, err
	}
	return s.edit(ctx, by, in.Act, in, actor.CaseUrge, audit.Act{Act: "case.duty_call", Body: map[string]any{"name": in.Name, "answered": in.Answered}},
		func(context.Context, *db.Tx, *cases.Case) error { return nil })
}
