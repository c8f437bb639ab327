package weather

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

// Service offers the use cases.
type Service struct{ db *db.DB }

// New makes the service.
func New(d *db.DB) *Service { return &Service{db: d} }

// Record keeps readings of a city; repeating it changes nothing.
func (s *Service) Record(ctx context.Context, by actor.Actor, in Record) error {
	if err := by.May(actor.TerritoryImport, actor.On{City: in.City}); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	rows := in.byHour()
	return db.Do(ctx, s.db, func(tx *db.Tx) error {
		if err := save(ctx, tx, rows); err != nil {
			return fmt.Errorf("keep temperatures: %w", err)
		}
		return audit.Record(ctx, tx, by, in.City, audit.Act{
			Subject: "weather:" + rows[0].At.Date().String(), Act: "weather.record",
			Body: map[string]any{"source": rows[0].Source, "hours": len(rows), "from": rows[0].At.String(), "to": rows[len(rows)-1].At.String()},
		})
	})
}

// Hours lists the readings of a span of time, the end not included, for those who see figures.
func (s *Service) Hours(ctx context.Context, by actor.Actor, city int, from, to civil.Instant) ([]Reading, error) {
	if !by.MayAny(actor.StatsRead, city) {
		return nil, by.May(actor.StatsRead, actor.On{City: city})
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) ([]Reading, error) { return list(ctx, tx, city, from, to) })
}
