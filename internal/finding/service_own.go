package finding

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/paper"
	"github.com/rehu-heat/rehu/internal/text"
)

// OfOwn shows a resident the objections to the measurements of the case that their proof belongs to, the newest first of
// each measurement.
func (s *Service) OfOwn(ctx context.Context, city int, p cases.Proof) ([]View, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]View, error) {
		c, err := s.own(ctx, tx, city, p)
		if err != nil {
			return nil, err
		}
		return s.ofOwn(ctx, tx, city, c)
	})
}

// FileOwn raises a resident's own objection to a measurement of their case.
func (s *Service) FileOwn(ctx context.Context, by actor.Actor, in Own) ([]View, error) {
	return s.say(ctx, by, in.City, in.Proof, once.Request{Key: in.Key, Body: in}, func(tx *db.Tx, as actor.Actor, c Claimant) error {
		if !slices.Contains(c.Measurements, in.Measurement) {
			return fault.New(fault.NotFound, "not_found")
		}
		_, err := s.fileIn(ctx, tx, as, Filing{
			City: in.City, Measurement: in.Measurement, Ground: in.Ground, Way: in.Way, Text: in.Text, Applicant: in.Applicant, Phone: in.Phone,
		}, c.Person)
		return err
	})
}

// WithdrawOwn takes a resident's own objection back.
func (s *Service) WithdrawOwn(ctx context.Context, by actor.Actor, in Leaving) ([]View, error) {
	return s.say(ctx, by, in.City, in.Proof, once.Request{Key: in.Key, Body: in}, func(tx *db.Tx, as actor.Actor, c Claimant) error {
		f, err := ofThese(ctx, tx, in.City, in.ID, c)
		if err != nil {
			return err
		}
		_, err = s.changeIn(ctx, tx, as, f, in.Version, s.stepping(ctx, as, Stepping{Act: Act{City: in.City, ID: in.ID, Reason: in.Reason}, Event: Withdraw}))
		return err
	})
}

// SheetOwn is the issued paper as a resident gets it, the applicant's name masked: whoever has the link of a receipt need
// not be who objected.
func (s *Service) SheetOwn(ctx context.Context, city int, p cases.Proof, id string, l text.Lang) (paper.Document, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (paper.Document, error) {
		c, err := s.own(ctx, tx, city, p)
		if err != nil {
			return paper.Document{}, err
		}
		f, err := ofThese(ctx, tx, city, id, c)
		if err != nil {
			return paper.Document{}, err
		}
		t, err := s.template(ctx, tx, f)
		if err != nil {
			return paper.Document{}, err
		}
		return document(l, t, f, f.masked(l)), nil
	})
}

func (s *Service) own(ctx context.Context, tx *db.Tx, city int, p cases.Proof) (Claimant, error) {
	if s.o.Own == nil {
		return Claimant{}, fault.New(fault.NotFound, "not_found")
	}
	return s.o.Own(ctx, tx, city, p)
}

// ofThese finds an objection to one of the claimant's measurements; others learn nothing of it.
func ofThese(ctx context.Context, tx *db.Tx, city int, id string, c Claimant) (Finding, error) {
	f, err := find(ctx, tx, city, id)
	if err == nil && !slices.Contains(c.Measurements, f.Measurement) {
		err = fault.New(fault.NotFound, "not_found")
	}
	return f, err
}

func (s *Service) ofOwn(ctx context.Context, tx *db.Tx, city int, c Claimant) ([]View, error) {
	as := resident(actor.Anonymous(actor.Public), city, c)
	out := []View{}
	for _, m := range c.Measurements {
		list, err := ofMeasurement(ctx, tx, city, m)
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			v, err := s.view(ctx, tx, as, f)
			if err != nil {
				return nil, err
			}
			v.Allowed = slices.DeleteFunc(v.Allowed, func(e Event) bool { return e != Withdraw })
			out = append(out, v)
		}
	}
	return out, nil
}

// resident is the actor of what a resident does through their receipt.
func resident(by actor.Actor, city int, c Claimant) actor.Actor {
	return actor.Actor{ID: "resident:" + c.Person, Kind: actor.Resident, Door: by.Door, Grants: []actor.Grant{{Role: actor.RoleSystem, City: city}}}
}

// say does what a resident says, once for each key, and shows them how it stands.
func (s *Service) say(ctx context.Context, by actor.Actor, city int, p cases.Proof, q once.Request, do func(tx *db.Tx, as actor.Actor, c Claimant) error) ([]View, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) ([]View, error) {
		c, err := s.own(ctx, tx, city, p)
		if err != nil {
			return nil, err
		}
		as := resident(by, city, c)
		q.City, q.By = city, as
		if _, err := once.Do(ctx, tx, q, func() (bool, error) { return true, do(tx, as, c) }); err != nil {
			return nil, err
		}
		return s.ofOwn(ctx, tx, city, c)
	})
}
