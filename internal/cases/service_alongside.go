package cases

import (
	"context"
	"time"

	"github.com/rehu-heat/rehu/internal/db"
)

// Near places of a case, from close to far.
const (
	OnRiser    = "riser"    // 同一立管
	InUnit     = "unit"     // 同一单元
	InBuilding = "building" // 同一栋楼
)

// Alongside is how many other homes near a resident's own reported the same trouble and wait for the same company: a place and a
// number, and nobody's name, telephone or door.
type Alongside struct {
	Where string `json:"where,omitempty"` // riser, unit, building; empty when there are too few
	Homes int    `json:"homes,omitempty"` // besides one's own
	Going bool   `json:"going,omitempty"` // the company has taken one of them, or one's own, in hand
}

// fewest is how many other homes must have reported before a number is told: one alone would say which neighbour it was.
const fewest = 2

// alongsideFor is how far back reports count as the same trouble.
const alongsideFor = 14 * 24 * time.Hour

// Alongside counts the neighbours who wait with a resident for the same thing: on the riser where that is known, else in the unit,
// else in the building. What somebody asked to keep secret is not counted.
func (s *Service) Alongside(ctx context.Context, city int, p Proof) (Alongside, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Alongside, error) {
		c, err := s.prove(ctx, tx, city, p)
		if err != nil || !c.Open || c.Company == "" || c.Community == "" || c.Building == "" {
			return Alongside{}, err
		}
		all, err := waiting(ctx, tx, c, tx.Now.Add(-alongsideFor))
		return alongside(c, all), err
	})
}

// alongside counts each other home once, at the closest place that has enough of them.
func alongside(c Case, all []Case) Alongside {
	for _, near := range []struct {
		where string
		fits  func(o Case) bool
	}{
		{OnRiser, func(o Case) bool { return c.Riser != "" && o.Riser == c.Riser && o.Unit == c.Unit }},
		{InUnit, func(o Case) bool { return c.Unit != "" && o.Unit == c.Unit }},
		{InBuilding, func(Case) bool { return true }},
	} {
		homes, going := map[string]bool{}, c.inHand()
		for _, o := range all {
			if home := o.Unit + "/" + o.Room; near.fits(o) && o.Room != "" && home != c.Unit+"/"+c.Room {
				homes[home] = true
				going = going || o.inHand()
			}
		}
		if len(homes) >= fewest {
			return Alongside{Where: near.where, Homes: len(homes), Going: going}
		}
	}
	return Alongside{}
}

// inHand reports whether the company works on a case.
func (c Case) inHand() bool {
	return c.Status == Signed || c.Status == Handling || c.Status == Rework
}
