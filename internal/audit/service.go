package audit

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

// Service is the audit page: see who did what.
type Service struct{ d *db.DB }

// New makes the service of the audit page.
func New(d *db.DB) *Service { return &Service{d: d} }

// List shows the newest entries first, for those who may read the audit.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Entry], error) {
	return db.Read(ctx, s.d, func(tx *db.Tx) (page.Of[Entry], error) { return List(ctx, tx, by, city, f) })
}
