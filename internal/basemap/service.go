package basemap

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/geo"
)

// Service offers the use cases.
type Service struct{ db *db.DB }

// New makes the service.
func New(d *db.DB) *Service { return &Service{db: d} }

// Replacing is a base map that takes the place of a city's present one.
type Replacing struct {
	City   int
	Body   []byte // GeoJSON
	CRS    geo.CRS
	Source string
	DryRun bool
}

// Replace puts a base map in the place of the present one and says how many features it has.
func (s *Service) Replace(ctx context.Context, by actor.Actor, in Replacing) (int, error) {
	if err := by.May(actor.TerritoryImport, actor.On{City: in.City}); err != nil {
		return 0, err
	}
	all, err := Read(in.Body, in.CRS)
	if err != nil || in.DryRun {
		return len(all), err
	}
	return len(all), db.Do(ctx, s.db, func(tx *db.Tx) error {
		if err := replace(ctx, tx, in.City, all); err != nil {
			return fmt.Errorf("keep the base map: %w", err)
		}
		return audit.Record(ctx, tx, by, in.City, audit.Act{
			Subject: "base_map:city", Act: "base_map.replace", Body: map[string]any{"features": len(all), "source": in.Source},
		})
	})
}

// Features lists the base map in the order in which it is drawn, for those who see maps of areas or cases.
func (s *Service) Features(ctx context.Context, by actor.Actor, city int) ([]Feature, error) {
	if !by.MayAny(actor.TerritoryRead, city) && !by.MayAny(actor.StatsRead, city) {
		return nil, by.May(actor.TerritoryRead, actor.On{City: city})
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) ([]Feature, error) { return list(ctx, tx, city) })
}
