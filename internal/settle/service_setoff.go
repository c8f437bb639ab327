package settle

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/secret"
)

// AgreeSetOff keeps that part of a refund goes against the household's arrears: because the household agreed, on a day, by a
// paper, to a sum, or because the city's rule gives the company the right. More than the arrears, or more than what is still
// to be paid, is refused. Orders that wait follow.
func (s *Service) AgreeSetOff(ctx context.Context, by actor.Actor, in SetOffInput) (SetOff, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (SetOff, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (SetOff, error) {
			c, err := findClaim(ctx, tx, in.City, in.Season, in.Account)
			if err != nil {
				return SetOff{}, err
			}
			if err := may(by, actor.SettlePay, c); err != nil {
				return SetOff{}, err
			}
			if err := in.check(tx.Now.Date()); err != nil {
				return SetOff{}, err
			}
			return s.agreeIn(ctx, tx, by, c, in)
		})
	})
}

func (s *Service) agreeIn(ctx context.Context, tx *db.Tx, by actor.Actor, c Claim, in SetOffInput) (SetOff, error) {
	x := SetOff{
		City: c.City, ID: tx.NewID(), Season: c.Season, Account: c.Account, Company: c.Company, Amount: in.Amount, Ground: in.Ground, On: in.On, Proof: in.Proof,
		State: Agreed, MadeBy: by.ID, Made: tx.Now, Version: 1,
	}
	if in.Ground == ByLaw {
		t, err := s.termsIn(ctx, tx, c.City, c.Season)
		if err != nil {
			return x, err
		}
		right := t.rightOf()
		if right == nil {
			return x, fault.New(fault.Conflict, "settle.set_off_no_right", "rule", t.rule)
		}
		x.Article = right.Article
	}
	if err := touch(ctx, tx, c); err != nil {
		return x, err
	}
	if err := s.fitsClaim(ctx, tx, c, in); err != nil {
		return x, err
	}
	if in.Who != "" {
		person, err := secret.Subject(ctx, tx, s.o.Ring, c.City, secret.Phone, "")
		if err != nil {
			return x, err
		}
		x.Person, x.Who = person.ID, person.Seal("set_off_who", in.Who)
	}
	if err := db.Insert(ctx, tx, "refund_set_off", &x); err != nil {
		return x, fmt.Errorf("keep a set-off: %w", err)
	}
	if err := s.redirectTo(ctx, tx, c.City, c.Account); err != nil {
		return x, err
	}
	err := audit.Record(ctx, tx, by, c.City, audit.Act{Subject: chainOf(c.Account), Act: "payout.set_off", Public: true, Body: map[string]any{
		"season": c.Season, "set_off": x.ID, "ground": x.Ground, "article": x.Article, "amount_yuan": x.Amount.Yuan(), "on": x.On,
		"who": audit.Fingerprint(x.Person, in.Who), "proof": audit.Fingerprint(chainOf(c.Account), x.Proof),
	}})
	if err != nil {
		return x, err
	}
	return s.shown(ctx, tx, x)
}

// fitsClaim refuses more than is owed on either side.
func (s *Service) fitsClaim(ctx context.Context, tx *db.Tx, c Claim, in SetOffInput) error {
	o, err := s.offsetsOf(ctx, tx, c.City, c.Season, []string{c.Account})
	if err != nil {
		return err
	}
	orders, err := payoutsOf(ctx, tx, c.City, c.Season, c.Account)
	if err != nil {
		return err
	}
	byArrears, byRefund := o[c.Account].allowed(c, orders)
	var f fault.Check
	if f.That(in.Amount <= byArrears, "amount_yuan", "settle.set_off_over_arrears", "arrears", byArrears.Yuan()) {
		f.That(in.Amount <= byRefund, "amount_yuan", "settle.set_off_over_refund", "refund", byRefund.Yuan())
	}
	return f.Err()
}

// offsetsOf is how arrears, agreements and orders stand for households.
func (s *Service) offsetsOf(ctx context.Context, tx *db.Tx, city int, season string, accounts []string) (map[string]offset, error) {
	bills, err := s.o.Fees.BillsIn(ctx, tx, city, season, accounts)
	if err != nil {
		return nil, err
	}
	agreed, err := agreedOf(ctx, tx, city, season, accounts)
	if err != nil {
		return nil, err
	}
	used, err := setOffBefore(ctx, tx, city, season, accounts)
	if err != nil {
		return nil, err
	}
	out := make(map[string]offset, len(accounts))
	for _, a := range accounts {
		basis, err := BasisOf(bills[a])
		if err != nil {
			return nil, err
		}
		out[a] = offset{arrears: basis.Arrears, agreed: agreed[a], used: used[a]}
	}
	return out, nil
}

// WithdrawInput is the input of WithdrawSetOff. Version is that of the agreement that was seen.
type WithdrawInput struct {
	City    int    `json:"-" form:"-"`
	ID      string `json:"-" form:"-"`
	Reason  string `json:"reason" form:"reason"`
	Version int64  `json:"version" form:"version"`
}

// WithdrawSetOff takes an agreement back as long as no money followed it.
func (s *Service) WithdrawSetOff(ctx context.Context, by actor.Actor, in WithdrawInput) (SetOff, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (SetOff, error) {
		was, err := findSetOff(ctx, tx, in.City, in.ID)
		if err != nil {
			return was, err
		}
		c, err := findClaim(ctx, tx, in.City, was.Season, was.Account)
		if err != nil {
			return SetOff{}, err
		}
		if err := may(by, actor.SettlePay, c); err != nil {
			return SetOff{}, err
		}
		if in.Reason == "" {
			var f fault.Check
			f.Add("reason", "field.required")
			return SetOff{}, f.Err()
		}
		if was.Version != in.Version {
			return SetOff{}, fault.New(fault.Conflict, "settle.moved")
		}
		settled, err := setOffSettled(ctx, tx, in.City, was.Season, was.Account)
		if err != nil {
			return SetOff{}, err
		}
		agreed, err := agreedOf(ctx, tx, in.City, was.Season, []string{was.Account})
		if err != nil {
			return SetOff{}, err
		}
		if was.State != Agreed || agreed[was.Account]-was.Amount < settled {
			return SetOff{}, fault.New(fault.Conflict, "settle.set_off_used")
		}
		x := was
		x.State, x.Reason = Withdrawn, in.Reason
		if x, err = saveSetOff(ctx, tx, was, x); err != nil {
			return SetOff{}, err
		}
		if err := s.redirectTo(ctx, tx, c.City, c.Account); err != nil {
			return SetOff{}, err
		}
		err = audit.Record(ctx, tx, by, c.City, audit.Act{Subject: chainOf(c.Account), Act: "payout.set_off_withdraw", Public: true, Body: map[string]any{
			"season": c.Season, "set_off": x.ID, "reason": x.Reason,
		}})
		if err != nil {
			return SetOff{}, err
		}
		return s.shown(ctx, tx, x)
	})
}

// shown opens who agreed only to show the masked form.
func (s *Service) shown(ctx context.Context, tx *db.Tx, x SetOff) (SetOff, error) {
	who, err := s.whoAgreed(ctx, tx, x)
	x.Who = secret.MaskName(who)
	return x, err
}

func (s *Service) whoAgreed(ctx context.Context, tx *db.Tx, x SetOff) (string, error) {
	if x.Who == "" {
		return "", nil
	}
	people, err := secret.OpenSubjects(ctx, tx, s.o.Ring, x.City, []string{x.Person})
	if err != nil {
		return "", fmt.Errorf("open who agreed: %w", err)
	}
	p := people[x.Person]
	who, err := p.Open("set_off_who", x.Who)
	if err != nil {
		return "", fmt.Errorf("open who agreed: %w", err)
	}
	return who, nil
}

// setOffsIn are a claim's agreements, as they are shown.
func (s *Service) setOffsIn(ctx context.Context, tx *db.Tx, c Claim) ([]SetOff, error) {
	all, err := setOffsOf(ctx, tx, c.City, c.Season, []string{c.Account})
	list := all[c.Account]
	for i := range list {
		if list[i], err = s.shown(ctx, tx, list[i]); err != nil {
			return nil, err
		}
	}
	return list, err
}

// redirectTo lets the orders of a household that wait follow what was agreed.
func (s *Service) redirectTo(ctx context.Context, tx *db.Tx, city int, account string) error {
	all, err := payeesOf(ctx, tx, city, []string{account})
	if err != nil {
		return err
	}
	to := all[account]
	to.City, to.Account = city, account
	return s.redirect(ctx, tx, to)
}
