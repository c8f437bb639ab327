package settle

import (
	"context"
	"fmt"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/place"
)

// RebaseIn reckons the claims of some households anew, of a season and of those after it, in the transaction of what
// changed their bills: a bill or payment that somebody entered, or a refund set against later bills. So a claim never rests
// on a bill that is no longer so. Whoever calls it has asked for the permission of that act.
func (s *Service) RebaseIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, season string, accounts []string) error {
	claims, err := claimsFrom(ctx, tx, city, season, accounts)
	if err != nil || len(claims) == 0 {
		return err
	}
	homes, err := s.o.Places.HomesIn(ctx, tx, city, accounts)
	if err != nil {
		return err
	}
	for len(claims) > 0 { // in the order of the seasons
		n := slices.IndexFunc(claims, func(c Claim) bool { return c.Season != claims[0].Season })
		if n < 0 {
			n = len(claims)
		}
		if err := s.rebase(ctx, tx, by, claims[:n], homes); err != nil {
			return err
		}
		claims = claims[n:]
	}
	return nil
}

// rebase reckons claims of one season anew from the events that they have.
func (s *Service) rebase(ctx context.Context, tx *db.Tx, by actor.Actor, claims []Claim, homes map[string]place.Home) error {
	city := claims[0].City
	t, err := s.termsIn(ctx, tx, city, claims[0].Season)
	if fault.Is(err, fault.Invalid) {
		return nil // the city has no such season any more: nothing can be reckoned
	}
	if err != nil {
		return err
	}
	var known []place.Home
	for _, c := range claims {
		if h, ok := homes[c.Account]; ok {
			known = append(known, h)
		}
	}
	g, err := s.gather(ctx, tx, city, t, known)
	if err != nil {
		return err
	}
	for _, h := range known {
		events, err := own(g.claims[h.Account].Facts)
		if err != nil {
			return fmt.Errorf("facts of the claim of %s: %w", h.Account, err)
		}
		if err := s.reckonOne(ctx, tx, by, g, h, events); err != nil {
			return err
		}
	}
	return nil
}
