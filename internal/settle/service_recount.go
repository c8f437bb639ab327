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

// Recount brings every claim of the running season up to today and says how many changed. What a claim rests on stays as it
// is, and so does its state: a confirmation is of the facts, whose days run on until a fact ends them.
func (s *Service) Recount(ctx context.Context, city int) (changed int, err error) {
	after := ""
	for {
		list, g, err := s.uncounted(ctx, city, after)
		if err != nil || g == nil {
			return changed, err
		}
		if len(list) > 0 {
			err := db.Do(ctx, s.o.DB, func(tx *db.Tx) error { return saveCounts(ctx, tx, list) })
			if err != nil {
				return changed, err
			}
			changed += len(list)
		}
		if after = g.last; after == "" {
			return changed, nil
		}
	}
}

// counting is how far a recount has come; last is empty after the last claim.
type counting struct{ last string }

// uncounted reads some claims and keeps those that come to something else today. Nothing is left to count without a season.
func (s *Service) uncounted(ctx context.Context, city int, after string) ([]Claim, *counting, error) {
	var changed []Claim
	at, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (*counting, error) {
		changed = nil
		t, err := s.termsIn(ctx, tx, city, citypack.SeasonLabel(tx.Now.Date()))
		if fault.Is(err, fault.Invalid) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		list, err := claimsAfter(ctx, tx, city, t.label, after, s.o.Batch)
		if err != nil || len(list) == 0 {
			return nil, err
		}
		g := &gathered{city: city, t: t, now: tx.Now}
		for _, c := range list {
			now, err := g.counted(c)
			if err != nil {
				return nil, err
			}
			if now.Amount != c.Amount || now.Counted != c.Counted || now.Status != c.Status || now.PayBy != c.PayBy || now.Missing != c.Missing {
				changed = append(changed, now)
			}
		}
		if len(list) < s.o.Batch {
			return &counting{}, nil
		}
		return &counting{last: list[len(list)-1].Account}, nil
	})
	return changed, at, err
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
