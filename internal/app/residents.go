package app

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/territory"
)

// residents sets up the service hall: what later capabilities know about a home comes in as functions.
func (a *App) residents() (*resident.Service, error) {
	return resident.New(resident.Options{
		DB: a.DB, Ring: a.Ring, Jobs: a.Runner, Notices: a.Notices, Places: a.Places, Blobs: a.Blobs, Machine: a.o.Machine, Log: a.Log,
		Bills: a.billsOf, Locate: a.locate,
	})
}

// billsOf are the sums of this season's and the last season's bill of a household, whole and as paid: what stands on a
// paper that its people have.
func (a *App) billsOf(ctx context.Context, tx *db.Tx, city int, account string) ([]money.Fen, error) {
	r, err := a.Rules.RulesIn(ctx, tx, city)
	if err != nil {
		return nil, err
	}
	var out []money.Fen
	for _, day := range []int{0, -365} {
		season, ok := r.Pack.SeasonFor(tx.Now.Date().AddDays(day), "", r.Declared)
		if !ok {
			continue
		}
		bills, err := a.Fees.BillsIn(ctx, tx, city, season.Label, []string{account})
		if err != nil {
			return nil, err
		}
		for _, sum := range []*money.Fen{bills[account].Amount, bills[account].Paid} {
			if sum != nil && *sum > 0 && !slices.Contains(out, *sum) {
				out = append(out, *sum)
			}
		}
	}
	return out, nil
}

// locate reads an address in a resident's words.
func (a *App) locate(ctx context.Context, tx *db.Tx, city int, words string) (resident.Spot, error) {
	found, err := a.Territory.AttributeIn(ctx, tx, city, territory.Query{Text: words, At: tx.Now})
	if err != nil {
		return resident.Spot{}, err
	}
	spot := resident.Spot{Company: found.Company}
	if found.Community != nil {
		spot.District = found.Community.District
	}
	return spot, nil
}
