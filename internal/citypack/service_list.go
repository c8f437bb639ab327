package citypack

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// ListValues lists every sourced value of a city's pack with the city's approvals.
func (s *Service) ListValues(ctx context.Context, by actor.Actor, city int) ([]Value, error) {
	if err := by.May(actor.PackRead, actor.On{City: city}); err != nil {
		return nil, err
	}
	r, err := s.Rules(ctx, city)
	if err != nil {
		return nil, err
	}
	return r.Pack.Values(), nil
}

// ListSeasons lists the seasons that the authority declared, by season and county.
func (s *Service) ListSeasons(ctx context.Context, by actor.Actor, city int) ([]SeasonAct, error) {
	if err := by.May(actor.PackRead, actor.On{City: city}); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) ([]SeasonAct, error) { return listSeasons(ctx, tx, city) })
}

// Peak tells whether the peak's short form is on, who switched it, why and when.
func (s *Service) Peak(ctx context.Context, by actor.Actor, city int) (Switch, error) {
	if err := by.May(actor.PackRead, actor.On{City: city}); err != nil {
		return Switch{}, err
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) (Switch, error) {
		w, _, err := findSwitch(ctx, tx, city, switchPeak)
		w.City, w.Name = city, switchPeak
		return w, err
	})
}

// AboutCity says a missing pack as a message about the field that names the city.
func AboutCity(err error) error {
	if e := fault.Of(err); e.Kind == fault.NotFound && e.Key == "pack.no_city" {
		var c fault.Check
		c.Add("city", e.Key, "city", e.Params["city"])
		return c.Err()
	}
	return err
}
