package place

import (
	"context"
	"fmt"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Stock is how many households of a building the register names, and how many of them take heat.
type Stock struct {
	Building   string `db:"building" json:"building"`
	Households int    `db:"households" json:"households"`
	On         int    `db:"heated" json:"on"`
}

// Stock counts the households of a community by building, leaving out the buildings whose households the actor must not
// see.
func (s *Service) Stock(ctx context.Context, by actor.Actor, city int, community string) ([]Stock, error) {
	return read(ctx, s, by, city, func(tx *db.Tx) ([]Stock, error) {
		home, err := CommunityIn(ctx, tx, city, community)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		all, err := stockOf(ctx, tx, city, community)
		if err != nil {
			return nil, fmt.Errorf("count households of a community: %w", err)
		}
		var out []Stock
		for _, b := range all {
			on := actor.On{City: city, District: home.District, Station: home.Station}
			if s.Owner != nil {
				if on.Company, on.Area, err = s.Owner(ctx, tx, city, community, b.Building); err != nil {
					return nil, fmt.Errorf("who serves a building: %w", err)
				}
			}
			if by.May(actor.TerritoryRead, on) == nil {
				out = append(out, b)
			}
		}
		slices.SortFunc(out, func(a, b Stock) int { return natural(a.Building, b.Building) })
		return out, nil
	})
}
