package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/settle"
)

// settlements joins refunds to what they follow from: each record of a measurement that may change money reckons the
// household's claim anew in the same transaction.
func (a *App) settlements() (*settle.Service, error) {
	s, err := settle.New(settle.Options{
		DB: a.DB, Ring: a.Ring, Places: a.Places, Fees: a.Fees, Notices: a.Notices, Clocks: a.Clocks, Jobs: a.Runner, Rules: a.Rules.RulesIn, Events: a.measured,
	})
	if err != nil {
		return nil, err
	}
	before := a.Clocks.OnStep
	a.Clocks.OnStep = func(ctx context.Context, tx *db.Tx, by actor.Actor, k clock.Clock, step citypack.Step) error {
		if ours, err := s.Step(ctx, tx, by, k, step); ours || err != nil {
			return err
		}
		return before(ctx, tx, by, k, step)
	}
	a.Measure.OnResult = func(ctx context.Context, tx *db.Tx, by actor.Actor, m measure.Measurement, _ measure.Counted) error {
		if m.Account == "" {
			return nil // without a household account nobody can be paid
		}
		return s.RefreshIn(ctx, tx, by, m.City, m.Account)
	}
	return s, nil
}

// measured gives what was measured at a home in the engine's words, without the results that a finding of the authority has
// put another in the place of.
func (a *App) measured(ctx context.Context, tx *db.Tx, city int, account string) ([]refund.Event, error) {
	list, err := a.Measure.CountedIn(ctx, tx, city, account, "")
	if err != nil {
		return nil, fmt.Errorf("what was measured: %w", err)
	}
	aside, err := a.Findings.PutAsideIn(ctx, tx, city, account)
	if err != nil {
		return nil, fmt.Errorf("what findings put aside: %w", err)
	}
	list = slices.DeleteFunc(list, func(c measure.Counted) bool { return c.Record != "" && slices.Contains(aside, c.Record) })
	return measure.ForRefund(list), nil
}

// approval is the city's approval of a value of its pack; nil where there is none.
func (a *App) approval(ctx context.Context, tx *db.Tx, city int, path string) (*citypack.Approval, error) {
	r, err := a.Rules.RulesIn(ctx, tx, city)
	if err != nil {
		return nil, err
	}
	for _, v := range r.Pack.Values() {
		if v.Path == path {
			return v.Approval, nil
		}
	}
	return nil, nil
}
