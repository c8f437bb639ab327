package equipment

import (
	"context"
	"fmt"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/page"
)

// Service offers the use cases.
type Service struct{ db *db.DB }

// New makes the service.
func New(d *db.DB) *Service { return &Service{db: d} }

func subject(id string) string { return "equipment:" + id }

// mayOf asks for a permission on the instruments of an owner. Instruments lie in no district and at no station: whoever is
// bound to one of those is asked by company alone.
func mayOf(by actor.Actor, p actor.Permission, city int, owner string) error {
	scope := by.ScopeOf(p, city)
	ours := func(part actor.Part) bool { return len(part.Companies) == 0 || slices.Contains(part.Companies, owner) }
	if scope.All || slices.ContainsFunc(scope.Parts, ours) {
		return nil
	}
	return by.May(p, actor.On{City: city, Company: owner})
}

// Save adds an instrument or changes the version of one that was seen.
func (s *Service) Save(ctx context.Context, by actor.Actor, in Entry) (Instrument, error) {
	return db.Write(ctx, s.db, func(tx *db.Tx) (Instrument, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Instrument, error) {
			return s.SaveIn(ctx, tx, by, in)
		})
	})
}

// SaveIn is Save in the caller's transaction.
func (s *Service) SaveIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Entry) (Instrument, error) {
	if in.trim(); in.Owner == "" {
		in.Owner = by.Org
	}
	if err := mayOf(by, actor.InstrumentEdit, in.City, in.Owner); err != nil {
		return Instrument{}, err
	}
	if err := in.check(); err != nil {
		return Instrument{}, err
	}
	other, taken, err := FindIn(ctx, tx, in.City, in.Owner, in.Number)
	if err != nil {
		return Instrument{}, err
	}
	if taken && other.ID != in.ID {
		return Instrument{}, fault.New(fault.Conflict, "equipment.taken", "owner", in.Owner, "number", in.Number)
	}
	if in.ID == "" {
		return s.add(ctx, tx, by, in)
	}
	was, err := find(ctx, tx, in.City, in.ID)
	if err != nil {
		return Instrument{}, err
	}
	if err := mayOf(by, actor.InstrumentEdit, in.City, was.Owner); err != nil {
		return Instrument{}, actor.Hide(err)
	}
	return s.change(ctx, tx, by, was, in)
}

func (s *Service) add(ctx context.Context, tx *db.Tx, by actor.Actor, in Entry) (Instrument, error) {
	i := in.over(Instrument{City: in.City, ID: tx.NewID(), Version: 1, Created: tx.Now, Updated: tx.Now})
	err := insert(ctx, tx, i)
	if db.IsUnique(err) {
		return Instrument{}, fault.New(fault.Conflict, "equipment.taken", "owner", in.Owner, "number", in.Number)
	}
	if err != nil {
		return Instrument{}, fmt.Errorf("add instrument: %w", err)
	}
	return i, record(ctx, tx, by, i, "equipment.add")
}

func (s *Service) change(ctx context.Context, tx *db.Tx, by actor.Actor, was Instrument, in Entry) (Instrument, error) {
	i := in.over(was)
	i.Updated = tx.Now
	i, err := update(ctx, tx, i, in.Version)
	if err != nil {
		return Instrument{}, err
	}
	return i, record(ctx, tx, by, i, "equipment.change")
}

func record(ctx context.Context, tx *db.Tx, by actor.Actor, i Instrument, act string) error {
	return audit.Record(ctx, tx, by, i.City, audit.Act{Subject: subject(i.ID), Act: act, Body: map[string]any{
		"owner": i.Owner, "number": i.Number, "kind": i.Kind, "certificate": i.Certificate, "verified_on": i.VerifiedOn, "valid_until": i.ValidUntil, "state": i.State,
	}})
}

// Get shows one instrument.
func (s *Service) Get(ctx context.Context, by actor.Actor, city int, id string) (Instrument, error) {
	return db.Read(ctx, s.db, func(tx *db.Tx) (Instrument, error) {
		i, err := find(ctx, tx, city, id)
		if err != nil {
			return Instrument{}, err
		}
		if err := mayOf(by, actor.InstrumentRead, city, i.Owner); err != nil {
			return Instrument{}, actor.Hide(err)
		}
		return i, nil
	})
}

// List shows instruments by owner and number, as far as the actor's scope reaches.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Instrument], error) {
	if !by.MayAny(actor.InstrumentRead, city) {
		return page.Of[Instrument]{}, by.May(actor.InstrumentRead, actor.On{City: city})
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) (page.Of[Instrument], error) {
		rows, err := list(ctx, tx, city, by.ScopeOf(actor.InstrumentRead, city), f)
		if err != nil {
			return page.Of[Instrument]{}, err
		}
		return page.Cut(rows, f.Request, func(i Instrument) []any { return []any{i.Owner, i.Number} }), nil
	})
}
