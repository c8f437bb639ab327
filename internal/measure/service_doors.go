package measure

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
)

// Doors counts how visits went at the door, as far as the actor's scope reaches. A visit that was corrected counts as its
// correction says.
func (s *Service) Doors(ctx context.Context, by actor.Actor, city int, q DoorsQuery) (DoorsOf, error) {
	if !by.MayAny(actor.MeasureRead, city) {
		return DoorsOf{}, by.May(actor.MeasureRead, actor.On{City: city})
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (DoorsOf, error) {
		q, err := q.dated(tx.Now)
		if err != nil {
			return DoorsOf{}, err
		}
		out, scope := DoorsOf{From: q.From, To: q.To}, by.ScopeOf(actor.MeasureRead, city)
		counts, err := countDoors(ctx, tx, city, scope, q)
		if err != nil {
			return DoorsOf{}, err
		}
		for _, c := range counts {
			if len(out.Items) == 0 || out.Items[len(out.Items)-1].Company != c.Company {
				out.Items = append(out.Items, Doors{Company: c.Company})
			}
			out.Items[len(out.Items)-1].add(c.Outcome, c.N)
		}
		failed, err := unableDoors(ctx, tx, city, scope, q)
		if err != nil {
			return DoorsOf{}, err
		}
		for _, r := range failed {
			var a KeptArrival
			if err := r.Into(&a); err != nil {
				return DoorsOf{}, err
			}
			d := &out.Items[slices.IndexFunc(out.Items, func(d Doors) bool { return d.Company == r.Company })]
			if d.Causes == nil {
				d.Causes = map[Cause]int{}
			}
			d.Causes[a.Cause]++
		}
		return out, nil
	})
}
