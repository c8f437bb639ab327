package stats

import (
	"context"
	"fmt"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
)

// Scene shows what the screen on the wall shows, as far as the actor's right for figures goes.
func (s *Service) Scene(ctx context.Context, by actor.Actor, city int) (Scene, error) {
	scope, err := mayRead(by, city)
	if err != nil {
		return Scene{}, err
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) (Scene, error) {
		tally, err := tallied(ctx, tx, city, scope)
		if err != nil {
			return Scene{}, err
		}
		due, err := dueSoon(ctx, tx, city, scope)
		if err != nil {
			return Scene{}, err
		}
		v := Scene{Board: board(tx.Now, tally, due)}
		v.Units = units(v.Board, tally)
		for _, u := range v.Units {
			v.Unsigned += u.Unsigned
		}
		if err := byHour(ctx, tx, city, scope, &v); err != nil {
			return Scene{}, err
		}
		piles, err := openBySpot(ctx, tx, city, scope)
		if err != nil {
			return Scene{}, err
		}
		homes, err := homesByArea(ctx, tx, city)
		if err != nil {
			return Scene{}, err
		}
		v.Areas, v.Buildings = loads(piles, homes), worst(piles)
		if !scope.All { // an area without open cases may have some that the actor does not see
			v.Areas = slices.DeleteFunc(v.Areas, func(a AreaLoad) bool { return a.Open == 0 })
		}
		v.News, err = newest(ctx, tx, city, scope)
		return v, err
	})
}

// Hours counts today's and yesterday's cases by the hour at which they came in.
func (s *Service) Hours(ctx context.Context, by actor.Actor, city int) (today, yesterday [24]int64, err error) {
	scope, err := mayRead(by, city)
	if err != nil {
		return today, yesterday, err
	}
	v, err := db.Read(ctx, s.db, func(tx *db.Tx) (Scene, error) {
		var v Scene
		return v, byHour(ctx, tx, city, scope, &v)
	})
	return v.Hours, v.Yesterday, err
}

// countHomes counts the homes of every area, unless that was done with the same editions of the lists and the same version of areas.
func (s *Service) countHomes(ctx context.Context, city int) error {
	if s.Owner == nil {
		return nil
	}
	type work struct {
		editions string
		rows     []AreaLoad
		done     bool
	}
	w, err := db.Read(ctx, s.db, func(tx *db.Tx) (w work, err error) {
		if w.editions, w.done, err = homesCounted(ctx, tx, city); err != nil || w.done {
			return w, err
		}
		w.rows, err = s.homes(ctx, tx, city)
		return w, err
	})
	if err != nil || w.done {
		return err
	}
	return db.Do(ctx, s.db, func(tx *db.Tx) error { return saveHomes(ctx, tx, city, w.editions, w.rows) })
}

// homes counts the homes that take heat by the area that serves their building.
func (s *Service) homes(ctx context.Context, tx *db.Tx, city int) ([]AreaLoad, error) {
	byBuilding, err := homesByBuilding(ctx, tx, city)
	if err != nil {
		return nil, err
	}
	type key struct{ area, company string }
	sums := map[key]int64{}
	for _, b := range byBuilding {
		company, area, err := s.Owner(ctx, tx, city, b.Community, b.Building)
		if err != nil {
			return nil, fmt.Errorf("who serves building %s: %w", b.Building, err)
		}
		sums[key{area, company}] += b.N
	}
	out := make([]AreaLoad, 0, len(sums))
	for k, n := range sums {
		if k.area != "" {
			out = append(out, AreaLoad{Area: k.area, Company: k.company, Households: n})
		}
	}
	return out, nil
}
