package callback

import (
	"cmp"
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

// Rates gives the figures of a period, in all and apart, with who left each denominator and what was appealed against.
func (s *Service) Rates(ctx context.Context, by actor.Actor, q Query) (Rates, error) {
	if err := q.check(); err != nil {
		return Rates{}, err
	}
	scopes, err := seeing(by, q.City)
	if err != nil {
		return Rates{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Rates, error) {
		out := Rates{From: q.From, To: q.To, By: q.By}
		if q.Period != "" {
			p, err := findPeriod(ctx, tx, q.City, q.Period)
			if err != nil {
				return out, err
			}
			out.Period, out.From, out.To = &p, p.From, p.To
		}
		if out.Period == nil {
			var err error
			if out.Fixed, err = fixedDays(ctx, tx, q.City, q.From, q.To); err != nil {
				return out, err
			}
		}
		counted, err := cells(ctx, tx, q, scopes)
		if err != nil {
			return out, err
		}
		appealed, err := appealCells(ctx, tx, q, scopes)
		if err != nil {
			return out, err
		}
		out.fold(counted, appealed)
		return out, nil
	})
}

func (r *Rates) fold(counted []cell, appealed []appealCell) {
	all, each := newCounter(""), map[string]*counter{}
	for _, x := range counted {
		if each[x.Key] == nil {
			each[x.Key] = newCounter(x.Key)
		}
		each[x.Key].add(x)
		all.add(x)
	}
	for _, a := range appealed {
		if c := each[a.Key]; c != nil {
			c.appeal(a)
			all.appeal(a)
		}
	}
	r.All = all.group()
	for _, c := range each {
		r.Groups = append(r.Groups, c.group())
	}
	slices.SortFunc(r.Groups, func(a, b Group) int { return cmp.Compare(a.Key, b.Key) })
}

// Outcomes lists the rows behind a number.
func (s *Service) Outcomes(ctx context.Context, by actor.Actor, q Query) (page.Of[Outcome], error) {
	if err := q.check(); err != nil {
		return page.Of[Outcome]{}, err
	}
	scopes, err := seeing(by, q.City)
	if err != nil {
		return page.Of[Outcome]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Outcome], error) {
		rows, err := outcomes(ctx, tx, q, scopes, q.Limit()+1)
		for i := range rows {
			rows[i] = rows[i].shownTo(by)
		}
		return page.Cut(rows, q.Request, func(o Outcome) []any { return []any{o.ID} }), err
	})
}

// shownTo is an outcome as somebody may read it: what a resident says of a unit in their own words is not for that unit, whose
// people it may name.
func (o Outcome) shownTo(by actor.Actor) Outcome {
	if o.Company != "" && by.Org == o.Company {
		o.Word = ""
	}
	return o
}

// Export gives every row behind a number, without an end.
func (s *Service) Export(ctx context.Context, by actor.Actor, q Query, row func(Outcome) error) error {
	q.Size, q.After = page.MaxSize, ""
	for {
		p, err := s.Outcomes(ctx, by, q)
		if err != nil {
			return err
		}
		for _, o := range p.Items {
			if err := row(o); err != nil {
				return err
			}
		}
		if q.After = p.Next; q.After == "" {
			return nil
		}
	}
}

// Outcome shows one outcome with its appeals.
func (s *Service) Outcome(ctx context.Context, by actor.Actor, city int, id string) (Outcome, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Outcome, error) {
		o, err := findOutcome(ctx, tx, city, id)
		if err != nil {
			return o, err
		}
		return o.shownTo(by), actor.Hide(mayRead(by, o))
	})
}

func onOf(o Outcome) actor.On {
	return actor.On{City: o.City, District: o.District, Company: o.Company, Area: o.Area, Station: o.Station}
}

func mayRead(by actor.Actor, o Outcome) error {
	err := by.May(actor.StatsRead, onOf(o))
	for _, p := range []actor.Permission{actor.CaseAppeal, actor.CaseDecideAppeal} {
		if by.May(p, onOf(o)) == nil {
			return nil
		}
	}
	return err
}
