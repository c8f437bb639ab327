package fee

import (
	"context"
	"errors"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
)

// chainOf is the audit chain of a household, where everything about its money stands.
func chainOf(account string) string { return "household:" + account }

// RecordPayment enters a payment of a bill: the bill's sum of payments grows by it at once, and so does whatever rests on it.
// A payment sent twice under one key is entered once; a bill that another changed meanwhile is a Conflict.
func (s *Service) RecordPayment(ctx context.Context, by actor.Actor, in PaymentInput) (Payment, error) {
	if !IsSeason(in.Season) {
		var c fault.Check
		c.Add("season", "fee.bad_season", "value", in.Season)
		return Payment{}, c.Err()
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Payment, error) {
		h, err := s.mayHome(ctx, tx, by, in.City, in.Account, actor.FeeImport)
		if err != nil {
			return Payment{}, err
		}
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Payment, error) {
			return s.recordPayment(ctx, tx, by, in, h)
		})
	})
}

func (s *Service) recordPayment(ctx context.Context, tx *db.Tx, by actor.Actor, in PaymentInput, h place.Home) (Payment, error) {
	rules, err := s.o.Rules(ctx, tx, in.City)
	if err != nil {
		return Payment{}, err
	}
	var before citypack.Season
	if p, ok := rules.Pack.SeasonNamed(seasonFrom(firstYear(in.Season)-1), h.District, rules.Declared); ok {
		before = p
	}
	amount, err := in.check(tx.Now.Date(), before)
	if err != nil {
		return Payment{}, err
	}
	p := Payment{
		City: in.City, ID: tx.NewID(), Account: in.Account, Season: in.Season, Amount: amount, On: in.On, Channel: in.Channel, Payer: in.Payer,
		Receipt: in.Receipt, MadeBy: by.ID, Made: tx.Now, Version: 1,
	}
	if in.Name != "" {
		if s.o.Ring == nil {
			return Payment{}, errors.New("fee: a keyring is needed to keep the name of a payer")
		}
		person, err := secret.Subject(ctx, tx, s.o.Ring, in.City, secret.Phone, "")
		if err != nil {
			return Payment{}, err
		}
		p.Person, p.Name = person.ID, person.Seal("payer_name", in.Name)
	}
	if err := s.payIn(ctx, tx, p, p.Amount, in.Rev); err != nil {
		return Payment{}, err
	}
	if err := db.Insert(ctx, tx, "fee_payment", &p); err != nil {
		return Payment{}, fmt.Errorf("enter a payment: %w", err)
	}
	err = audit.Record(ctx, tx, by, in.City, audit.Act{Subject: chainOf(in.Account), Act: "payment.record", Body: map[string]any{
		"id": p.ID, "season": p.Season, "amount_yuan": p.Amount.Yuan(), "on": p.On, "channel": p.Channel, "payer": p.Payer,
		"payer_name": audit.Fingerprint(p.Person, in.Name), "receipt": p.Receipt,
	}})
	if err != nil {
		return Payment{}, err
	}
	if err := s.changed(ctx, tx, by, in.City, in.Season, in.Account); err != nil {
		return Payment{}, err
	}
	p.Name = secret.MaskName(in.Name)
	return p, nil
}

// payIn moves a bill's sum of payments by an amount, not below nothing. rev is that of the bill that was seen.
func (s *Service) payIn(ctx context.Context, tx *db.Tx, p Payment, by money.Fen, rev string) error {
	edition, err := place.HoldIn(ctx, tx, p.City, place.Fees)
	if err != nil {
		return err
	}
	key := KeyOf(p.Account, p.Season)
	rows, err := RowsIn(ctx, tx, p.City, []string{key})
	if err != nil {
		return err
	}
	row, known := rows[key]
	if !known {
		row = Row{Edition: place.Edition{City: p.City, Key: key, From: edition, Until: place.Forever}, Account: p.Account, Season: p.Season}
	}
	var paid money.Fen
	if row.Paid != nil {
		paid = *row.Paid
	}
	paid = max(0, paid+by)
	row.Paid = &paid
	if at := civil.On(p.On, 0, 0); by > 0 && at.After(row.PaidAt) {
		row.PaidAt = at
	}
	row.Sum = s.o.Places.SumOf(row.Values()...)
	return save(ctx, tx, row, rev)
}

// VoidPayment takes a payment back that was entered by mistake, with the reason; it stays in the record.
func (s *Service) VoidPayment(ctx context.Context, by actor.Actor, in VoidInput) (Payment, error) {
	if err := in.check(); err != nil {
		return Payment{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Payment, error) {
		if _, err := s.mayHome(ctx, tx, by, in.City, in.Account, actor.FeeImport); err != nil {
			return Payment{}, err
		}
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Payment, error) {
			return s.voidPayment(ctx, tx, by, in)
		})
	})
}

func (s *Service) voidPayment(ctx context.Context, tx *db.Tx, by actor.Actor, in VoidInput) (Payment, error) {
	p, err := findPayment(ctx, tx, in.City, in.Account, in.ID)
	if err != nil {
		return p, err
	}
	if !p.Voided.IsZero() {
		return Payment{}, fault.New(fault.Conflict, "payment.void_already")
	}
	p.VoidedBy, p.Voided, p.Reason = by.ID, tx.Now, in.Reason
	if err := endPayment(ctx, tx, p); err != nil {
		return Payment{}, err
	}
	p.Version++
	rows, err := RowsIn(ctx, tx, in.City, []string{KeyOf(p.Account, p.Season)})
	if err != nil {
		return Payment{}, err
	}
	if err := s.payIn(ctx, tx, p, -p.Amount, rows[KeyOf(p.Account, p.Season)].Sum); err != nil {
		return Payment{}, err
	}
	err = audit.Record(ctx, tx, by, in.City, audit.Act{Subject: chainOf(in.Account), Act: "payment.void", Body: map[string]any{
		"id": p.ID, "season": p.Season, "amount_yuan": p.Amount.Yuan(), "reason": p.Reason,
	}})
	if err != nil {
		return Payment{}, err
	}
	if err := s.changed(ctx, tx, by, in.City, p.Season, in.Account); err != nil {
		return Payment{}, err
	}
	one := []Payment{p}
	err = s.mask(ctx, tx, in.City, one)
	return one[0], err
}

// mask opens the names of payers only to show their masked form.
func (s *Service) mask(ctx context.Context, tx *db.Tx, city int, list []Payment) error {
	if s.o.Ring == nil {
		return nil // nobody's name was kept
	}
	ids := make([]string, len(list))
	for i, p := range list {
		ids[i] = p.Person
	}
	people, err := secret.OpenSubjects(ctx, tx, s.o.Ring, city, ids)
	if err != nil {
		return fmt.Errorf("open payers: %w", err)
	}
	for i, p := range list {
		if p.Name == "" {
			continue
		}
		name, err := people[p.Person].Open("payer_name", p.Name)
		if err != nil && !fault.Is(err, fault.NotFound) { // whoever was erased stays unnamed
			return fmt.Errorf("open a payer: %w", err)
		}
		list[i].Name = secret.MaskName(name)
	}
	return nil
}

// changed lets what rests on a household's bills follow, in the transaction that changed one; where nobody asked to be told,
// every basis counts as older than the bills.
func (s *Service) changed(ctx context.Context, tx *db.Tx, by actor.Actor, city int, season, account string) error {
	if s.o.Changed == nil {
		return nextEdition(ctx, tx, city)
	}
	if err := s.o.Changed(ctx, tx, by, city, season, []string{account}); err != nil {
		return fmt.Errorf("what rests on the bill of %s: %w", account, err)
	}
	return nil
}
