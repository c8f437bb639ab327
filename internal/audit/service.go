package audit

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

// Service is the audit page: see who did what.
type Service struct {
	d *db.DB
	// Kept names the subjects whose entries are kept from a reader; nil: none.
	Kept func(ctx context.Context, tx *db.Tx, by actor.Actor, city int, subjects []string) (map[string]bool, error)
}

// New makes the service of the audit page.
func New(d *db.DB) *Service { return &Service{d: d} }

// List shows the newest entries first, for those who may read the audit.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Entry], error) {
	return db.Read(ctx, s.d, func(tx *db.Tx) (page.Of[Entry], error) {
		out, err := List(ctx, tx, by, city, f)
		if err != nil || s.Kept == nil {
			return out, err
		}
		subjects := make([]string, len(out.Items))
		for i, e := range out.Items {
			subjects[i] = e.Subject
		}
		kept, err := s.Kept(ctx, tx, by, city, subjects)
		out.Items = slices.DeleteFunc(out.Items, func(e Entry) bool { return kept[e.Subject] })
		return out, err
	})
}
