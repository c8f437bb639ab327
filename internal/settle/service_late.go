package settle

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
)

// NoteLatePayment keeps that the late charge of an order was paid, on which day, and what shows it. The order itself must be
// paid first, since the charge grows until then, and the sum must be the charge. A second note takes the place of a wrong one.
func (s *Service) NoteLatePayment(ctx context.Context, by actor.Actor, in LateInput) (Payout, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Payout, error) {
		was, err := findPayout(ctx, tx, in.City, in.Settlement, in.Account)
		if err != nil {
			return was, err
		}
		if err := mayCompany(by, actor.SettlePay, in.City, was.Company); err != nil {
			return Payout{}, actor.Hide(err)
		}
		if err := in.check(tx.Now.Date()); err != nil {
			return Payout{}, err
		}
		if was.Version != in.Version {
			return Payout{}, fault.New(fault.Conflict, "settle.moved")
		}
		if err := s.fitsLate(ctx, tx, was, in); err != nil {
			return Payout{}, err
		}
		p := was
		p.LatePaid, p.LateOn, p.LateProof = in.Amount, in.On, in.Proof
		if p, err = savePayout(ctx, tx, was, p); err != nil {
			return Payout{}, err
		}
		err = audit.Record(ctx, tx, by, in.City, audit.Act{Subject: chainOf(in.Account), Act: "payout.late_paid", Public: true, Body: map[string]any{
			"settlement": in.Settlement, "amount_yuan": in.Amount.Yuan(), "on": in.On, "proof": audit.Fingerprint(chainOf(in.Account), in.Proof),
		}})
		if err != nil {
			return Payout{}, err
		}
		one := []Payout{p}
		err = s.mask(ctx, tx, in.City, one)
		return one[0], err
	})
}

// fitsLate refuses a payment of a charge that still grows, that is none, or that is another.
func (s *Service) fitsLate(ctx context.Context, tx *db.Tx, p Payout, in LateInput) error {
	if p.State != Paid {
		return fault.New(fault.Conflict, "settle.late_runs")
	}
	t, rates, err := s.lateTerms(ctx, tx, p.City, p.Season)
	if err != nil {
		return err
	}
	l, ok := p.late(t.plan, rates[p.Company], tx.Now.Date())
	if !ok || l.Charge <= 0 {
		return fault.New(fault.Conflict, "settle.late_none")
	}
	var c fault.Check
	c.That(in.Amount == l.Charge, "amount_yuan", "settle.late_other", "want", l.Charge.Yuan())
	c.That(in.On.After(p.PayBy), "on", "settle.late_before", "day", p.PayBy.String())
	return c.Err()
}

// lateTerms is what a season's late charges depend on: the rule, and what the contracts of companies say.
func (s *Service) lateTerms(ctx context.Context, tx *db.Tx, city int, season string) (terms, map[string]string, error) {
	t, err := s.termsIn(ctx, tx, city, season)
	if err != nil {
		return t, nil, err
	}
	rates, err := lateRates(ctx, tx, city)
	return t, rates, err
}

// lateRates are what contracts say about late refunds, a day, by company.
func lateRates(ctx context.Context, tx *db.Tx, city int) (map[string]string, error) {
	kept, err := companyTerms(ctx, tx, city)
	if err != nil {
		return nil, fmt.Errorf("terms of companies: %w", err)
	}
	out := make(map[string]string, len(kept))
	for company, k := range kept {
		out[company] = k.LateRate
	}
	return out, nil
}

// chargesLeft adds what companies paid late and without the charge: such an order is done with only when that is paid too.
func chargesLeft(ctx context.Context, tx *db.Tx, city int, t terms, season string, rates map[string]string, fn func(p Payout, owed money.Fen)) error {
	if t.plan == nil || t.plan.Rule().LateCharge == nil {
		return nil
	}
	return paidLate(ctx, tx, city, season, func(p Payout) error {
		if l, ok := p.late(t.plan, rates[p.Company], tx.Now.Date()); ok && l.Owed() > 0 {
			fn(p, l.Owed())
		}
		return nil
	})
}
