package settle

import (
	"context"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
)

// recountArgs are the daily job that counts on: a home that stays cold has one day more, though nobody recorded anything.
type recountArgs struct{}

// Kind implements jobs.Args.
func (recountArgs) Kind() string { return "settle.recount" }

func (s *Service) recount(ctx context.Context, j jobs.Job, _ recountArgs) error {
	if j.City == 0 { // the installation itself has no claims
		return nil
	}
	_, err := s.Recount(ctx, j.City)
	return err
}

// Recount brings the claims of the running season up to today and says how many changed. It reads only those that come to
// more with another day, and all of them once after the rule or the season changed. What a claim rests on stays as it is, and
// so does its state: a confirmation is of the facts, whose days run on until a fact ends them.
func (s *Service) Recount(ctx context.Context, city int) (changed int, err error) {
	var at counting
	for {
		list, next, err := s.uncounted(ctx, city, at)
		if err != nil {
			return changed, err
		}
		err = db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
			if err := saveCounts(ctx, tx, list); err != nil || !next.all || next.after != "" {
				return err
			}
			return countUnder(ctx, tx, city, next.season, next.mark)
		})
		if err != nil {
			return changed, err
		}
		changed += len(list)
		if at = next; at.after == "" {
			return changed, nil
		}
	}
}

// counting is how far a recount has come: after is empty before the first and after the last claim.
type counting struct {
	after, season string
	mark          string // the rule and season that it began under
	all           bool   // those too that do not run
}

// uncounted reads some claims and keeps those that come to something else today. Nothing is left to count without a season.
func (s *Service) uncounted(ctx context.Context, city int, at counting) ([]Claim, counting, error) {
	var changed []Claim
	next, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (counting, error) {
		changed = nil
		t, err := s.termsIn(ctx, tx, city, citypack.SeasonLabel(tx.Now.Date()))
		if fault.Is(err, fault.Invalid) {
			return counting{}, nil
		}
		if err != nil {
			return at, err
		}
		next := at
		if at.after == "" {
			under, err := countedUnder(ctx, tx, city, t.label)
			if err != nil {
				return at, err
			}
			next = counting{season: t.label, mark: t.mark, all: under != t.mark}
		}
		list, err := countable(ctx, tx, city, next, t.upto(tx.Now), s.o.Batch)
		if err != nil {
			return at, err
		}
		g := &gathered{city: city, t: t, now: tx.Now}
		for _, c := range list {
			now, err := g.counted(c)
			if err != nil {
				return at, err
			}
			same := now
			if same.CountedTo = c.CountedTo; same != c || now.Running {
				changed = append(changed, now)
			}
		}
		next.after = ""
		if len(list) == s.o.Batch {
			next.after = list[len(list)-1].Account
		}
		return next, nil
	})
	return changed, next, err
}

// counted is a claim as its own facts say today.
func (g *gathered) counted(c Claim) (Claim, error) {
	events, err := UnpackEvents(c.Facts)
	if err != nil {
		return c, fmt.Errorf("facts of the claim of %s: %w", c.Account, err)
	}
	basis, err := UnpackBasis(c.Basis)
	if err != nil {
		return c, fmt.Errorf("basis of the claim of %s: %w", c.Account, err)
	}
	g.assess(&c, events, basis)
	return c, nil
}

// recountEvery is how often claims are brought up to today.
const recountEvery = 24 * time.Hour
