package measure

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/once"
)

// Own is what a resident sees of the measurements of their own case: no names of staff, their own signatures masked.
type Own struct {
	Measurements []OwnMeasurement `json:"measurements"`
	MayRequest   bool             `json:"may_request"`
}

// OwnMeasurement is one measurement as the resident sees it.
type OwnMeasurement struct {
	Measurement
	Appointments []Appointment `json:"appointments"`
	Visits       []Visit       `json:"visits"`
	Documents    []Document    `json:"documents"`
	Events       []Counted     `json:"events"`
	Answered     []string      `json:"answered,omitempty"` // visits of which the resident said whether somebody came
}

// Asking is what a resident says through their receipt.
type Asking struct {
	cases.Proof
	City        int    `json:"-" form:"-"`
	Measurement string `json:"measurement" form:"measurement"`
	Appointment string `json:"appointment" form:"appointment"`
	Visit       string `json:"visit" form:"visit"`
	Window      string `json:"window" form:"window"` // of ChooseOwn
	Yes         bool   `json:"yes" form:"yes"`
	Reason      string `json:"reason" form:"reason"`
	Key         string `json:"-" form:"key"`
}

// OfOwn shows a resident the measurements of the case that their proof belongs to.
func (s *Service) OfOwn(ctx context.Context, city int, p cases.Proof) (Own, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Own, error) {
		c, err := s.o.Cases.ProveIn(ctx, tx, city, p)
		if err != nil {
			return Own{}, err
		}
		return s.own(ctx, tx, c)
	})
}

func (s *Service) own(ctx context.Context, tx *db.Tx, c cases.Case) (Own, error) {
	list, err := ofCase(ctx, tx, c.City, c.ID)
	if err != nil {
		return Own{}, err
	}
	as := c.Resident(actor.Public)
	out := Own{MayRequest: !slices.ContainsFunc(list, func(m Measurement) bool { return m.State.Waiting() || m.State == Missed || m.State == Unsigned })}
	for _, m := range list {
		v, err := s.view(ctx, tx, as, m)
		if err != nil {
			return Own{}, err
		}
		events, err := CountedEvents(v.Records, v.Visits, tx.Now)
		if err != nil {
			return Own{}, err
		}
		m.Worker, m.Testers = "", nil
		for i := range v.Visits {
			v.Visits[i].hideStaff()
		}
		out.Measurements = append(out.Measurements, OwnMeasurement{m, v.Appointments, v.Visits, v.Documents, events, answered(v.Records)})
	}
	return out, nil
}

// answered are the visits of which the resident said whether somebody came.
func answered(records []Record) []string {
	var out []string
	for _, r := range records {
		if r.Kind == KindAnswer {
			out = append(out, r.Visit)
		}
	}
	return out
}

// RequestOwn is a resident's request for a test of the home that their case is about.
func (s *Service) RequestOwn(ctx context.Context, by actor.Actor, in Asking) (Own, error) {
	return s.say(ctx, by, in, func(ctx context.Context, tx *db.Tx, as actor.Actor, c cases.Case) error {
		_, err := s.RequestIn(ctx, tx, as, Requesting{City: c.City, Case: c.ID, Source: ByResident})
		return err
	})
}

// AnswerOwn is a resident's yes or no to a proposed time.
func (s *Service) AnswerOwn(ctx context.Context, by actor.Actor, in Asking) (Own, error) {
	return s.say(ctx, by, in, s.onOwn(in, func(ctx context.Context, tx *db.Tx, as actor.Actor, m *Measurement) (string, error) {
		return "", s.word(ctx, tx, as, m, in.Appointment, in.Yes, agreed{How: "page"})
	}))
}

// WithdrawOwn ends a resident's own request.
func (s *Service) WithdrawOwn(ctx context.Context, by actor.Actor, in Asking) (Own, error) {
	return s.say(ctx, by, in, s.onOwn(in, func(ctx context.Context, tx *db.Tx, as actor.Actor, m *Measurement) (string, error) {
		return s.withdraw(ctx, tx, as, m, Act{Reason: in.Reason})
	}))
}

// ConfirmOwn is a resident's word on a claimed cure: warm now, or still cold.
func (s *Service) ConfirmOwn(ctx context.Context, by actor.Actor, in Asking) (Own, error) {
	return s.say(ctx, by, in, s.onOwn(in, func(ctx context.Context, tx *db.Tx, as actor.Actor, m *Measurement) (string, error) {
		e := Deny
		if in.Yes {
			e = Verify
		}
		if _, err := Lifecycle.Next(m.State, e); err != nil {
			return "", err
		}
		return s.heard(ctx, tx, as, m, in.Yes)
	}))
}

// onOwn finds the measurement that a resident means among those of their case.
func (s *Service) onOwn(in Asking, do func(ctx context.Context, tx *db.Tx, as actor.Actor, m *Measurement) (string, error)) func(context.Context, *db.Tx, actor.Actor, cases.Case) error {
	return func(ctx context.Context, tx *db.Tx, as actor.Actor, c cases.Case) error {
		m, err := find(ctx, tx, c.City, in.Measurement)
		if err != nil {
			return err
		}
		if m.Case != c.ID {
			return fault.New(fault.NotFound, "not_found")
		}
		_, err = s.actIn(ctx, tx, as, m, 0, func(ctx context.Context, tx *db.Tx, _ *citypack.Rules, m *Measurement) (string, error) {
			return do(ctx, tx, as, m)
		})
		return err
	}
}

// say does what a resident says, once for each key, and shows them how it stands.
func (s *Service) say(ctx context.Context, by actor.Actor, in Asking, do func(context.Context, *db.Tx, actor.Actor, cases.Case) error) (Own, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Own, error) {
		c, err := s.o.Cases.ProveIn(ctx, tx, in.City, in.Proof)
		if err != nil {
			return Own{}, err
		}
		as := c.Resident(by.Door)
		_, err = once.Do(ctx, tx, once.Request{City: in.City, By: as, Key: in.Key, Body: in}, func() (bool, error) { return true, do(ctx, tx, as, c) })
		if err != nil {
			return Own{}, err
		}
		return s.own(ctx, tx, c)
	})
}
