package fee

import (
	"cmp"
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Options set up a Service. Credits may be left out; then no bill has any; so may Ring and Changed.
type Options struct {
	DB     *db.DB
	Places *place.Service
	Rules  func(ctx context.Context, tx *db.Tx, city int) (*citypack.Rules, error)
	// Credits gives the refunds of households that are to be set against later bills.
	Credits func(ctx context.Context, tx *db.Tx, city int, accounts []string) ([]Credit, error)
	// SetOffs gives by account what of a season's refunds went against what the household owed of that season's bill.
	SetOffs func(ctx context.Context, tx *db.Tx, city int, season string, accounts []string) (map[string]money.Fen, error)
	Ring    *secret.Ring // names of payers are kept with it
	// Changed is told, in the same transaction, whose bills of a season somebody changed, and with them those after it.
	Changed func(ctx context.Context, tx *db.Tx, by actor.Actor, city int, season string, accounts []string) error
}

// Service offers the use cases.
type Service struct{ o Options }

// New makes the service.
func New(o Options) *Service { return &Service{o} }

// Bill shows what one household owes and paid for a season, for everybody who may see the household's bills.
func (s *Service) Bill(ctx context.Context, by actor.Actor, city int, account, season string) (Bill, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Bill, error) {
		if _, err := s.mayHome(ctx, tx, by, city, account, actor.FeeRead); err != nil {
			return Bill{}, err
		}
		bills, err := s.BillsIn(ctx, tx, city, season, []string{account})
		return bills[account], err
	})
}

// mayHome gives a household that the actor may act on; it does not exist for those who may not.
func (s *Service) mayHome(ctx context.Context, tx *db.Tx, by actor.Actor, city int, account string, p actor.Permission) (place.Home, error) {
	homes, err := s.o.Places.HomesIn(ctx, tx, city, []string{account})
	if err != nil {
		return place.Home{}, err
	}
	h, known := homes[account]
	if err := by.May(p, h.On(city)); err != nil {
		return place.Home{}, actor.Hide(err)
	}
	if !known {
		return place.Home{}, fault.New(fault.NotFound, "place.no_account", "account", account)
	}
	return h, nil
}

// BillsIn gives the bills of some households for a season inside the caller's transaction, which has asked for its
// permission: a bill for every account, with what is missing where it cannot be known.
func (s *Service) BillsIn(ctx context.Context, tx *db.Tx, city int, season string, accounts []string) (map[string]Bill, error) {
	homes, err := s.o.Places.HomesIn(ctx, tx, city, accounts)
	if err != nil {
		return nil, err
	}
	list := make([]place.Home, len(accounts))
	for i, a := range accounts {
		list[i] = homes[a]
		list[i].Account = a
	}
	return s.BillsOfIn(ctx, tx, city, season, list)
}

// reckon fills a row from the register of households where the list says nothing.
func reckon(rules *citypack.Rules, season string, in Facts, h place.Home) Bill {
	r := &in.Row
	r.Account, r.Season = h.Account, season
	r.AreaM2, r.PriceClass = cmp.Or(r.AreaM2, h.AreaM2), cmp.Or(r.PriceClass, h.PriceClass)
	if !IsArea(r.AreaM2) {
		r.AreaM2 = ""
	}
	in.Heat = h.HeatStatus
	period, _ := rules.Pack.SeasonNamed(season, h.District, rules.Declared)
	period.Label = season
	b := Reckon(rules.Pack, period, in)
	b.Company = h.Company
	return b
}

// Save keeps a bill by hand, a new one or the one that was seen. While a list is being imported it is a Conflict.
func (s *Service) Save(ctx context.Context, by actor.Actor, in SaveInput) (Bill, error) {
	row, err := in.row()
	if err != nil {
		return Bill{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Bill, error) {
		if _, err := s.mayHome(ctx, tx, by, in.City, in.Account, actor.FeeImport); err != nil {
			return Bill{}, err
		}
		edition, err := place.HoldIn(ctx, tx, in.City, place.Fees)
		if err != nil {
			return Bill{}, err
		}
		row.Stamp(place.Edition{City: in.City, Key: KeyOf(in.Account, in.Season), From: edition, Until: place.Forever, Sum: s.o.Places.SumOf(row.Values()...)})
		if err := save(ctx, tx, row, in.Rev); err != nil {
			return Bill{}, err
		}
		err = audit.Record(ctx, tx, by, in.City, audit.Act{Subject: chainOf(in.Account), Act: "fee.save", Body: map[string]any{
			"season": in.Season, "billed_area_m2": row.AreaM2, "price_class": row.PriceClass, "amount_yuan": in.AmountYuan, "paid_yuan": in.PaidYuan, "paid_at": in.PaidAt,
		}})
		if err != nil {
			return Bill{}, err
		}
		if err := s.changed(ctx, tx, by, in.City, in.Season, in.Account); err != nil {
			return Bill{}, err
		}
		bills, err := s.BillsIn(ctx, tx, in.City, in.Season, []string{in.Account})
		return bills[in.Account], err
	})
}

// SetTerm keeps what a household's contract says: version 0 for the first time, else the version that was seen.
func (s *Service) SetTerm(ctx context.Context, by actor.Actor, in TermInput) (Term, error) {
	if err := in.check(); err != nil {
		return Term{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Term, error) {
		if _, err := s.mayHome(ctx, tx, by, in.City, in.Account, actor.FeeImport); err != nil {
			return Term{}, err
		}
		t := Term{Account: in.Account, AgreedC: in.AgreedC, Contract: in.Contract, HeightM: in.HeightM, Version: in.Version + 1}
		if err := setTerm(ctx, tx, in.City, t, in.Version); err != nil {
			return Term{}, fmt.Errorf("keep contract terms: %w", err)
		}
		body := map[string]any{"contract": t.Contract, "height_m": t.HeightM}
		if t.AgreedC != nil {
			body["agreed_c"] = t.AgreedC.String()
		}
		if err := audit.Record(ctx, tx, by, in.City, audit.Act{Subject: chainOf(in.Account), Act: "fee.term", Body: body}); err != nil {
			return Term{}, err
		}
		return t, s.changed(ctx, tx, by, in.City, citypack.SeasonLabel(tx.Now.Date()), in.Account)
	})
}
