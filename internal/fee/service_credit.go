package fee

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/place"
)

// BillsOfIn is BillsIn for households that the caller has read already.
func (s *Service) BillsOfIn(ctx context.Context, tx *db.Tx, city int, season string, homes []place.Home) (map[string]Bill, error) {
	out, err := s.plainIn(ctx, tx, city, season, homes)
	if err != nil {
		return nil, err
	}
	credits, err := s.creditsIn(ctx, tx, city, homes)
	if err != nil {
		return nil, err
	}
	for _, h := range homes {
		if chain, _, err := s.foldIn(ctx, tx, city, h, credits[h.Account], season); err != nil {
			return nil, err
		} else if n := len(chain); n > 0 && chain[n-1].Season == season {
			out[h.Account] = chain[n-1]
			continue
		}
		b := out[h.Account]
		b.apply(nil, nil)
		out[h.Account] = b
	}
	return out, nil
}

// plainIn are bills without credits.
func (s *Service) plainIn(ctx context.Context, tx *db.Tx, city int, season string, homes []place.Home) (map[string]Bill, error) {
	rules, err := s.o.Rules(ctx, tx, city)
	if err != nil {
		return nil, err
	}
	keys, accounts := make([]string, len(homes)), make([]string, len(homes))
	for i, h := range homes {
		keys[i], accounts[i] = KeyOf(h.Account, season), h.Account
	}
	rows, err := RowsIn(ctx, tx, city, keys)
	if err != nil {
		return nil, err
	}
	terms, err := termsIn(ctx, tx, city, accounts)
	if err != nil {
		return nil, err
	}
	readings, err := readingsIn(ctx, tx, city, accounts)
	if err != nil {
		return nil, err
	}
	out := make(map[string]Bill, len(homes))
	for i, h := range homes {
		out[h.Account] = reckon(rules, season, Facts{Row: rows[keys[i]], Term: terms[h.Account], Readings: readings[h.Account]}, h)
	}
	return out, nil
}

// creditsIn are the credits of some households by their accounts.
func (s *Service) creditsIn(ctx context.Context, tx *db.Tx, city int, homes []place.Home) (map[string][]Credit, error) {
	out := map[string][]Credit{}
	if s.o.Credits == nil {
		return out, nil
	}
	accounts := make([]string, len(homes))
	for i, h := range homes {
		accounts[i] = h.Account
	}
	all, err := s.o.Credits(ctx, tx, city, accounts)
	if err != nil {
		return nil, fmt.Errorf("credits of households: %w", err)
	}
	for _, c := range all {
		out[c.Account] = append(out[c.Account], c)
	}
	return out, nil
}

// foldIn sets a household's credits against its bills from the first that they can reach up to the one of a season.
func (s *Service) foldIn(ctx context.Context, tx *db.Tx, city int, h place.Home, credits []Credit, upto string) ([]Bill, []CreditState, error) {
	first := upto
	for _, c := range credits {
		first = min(first, nextSeason(c.Season))
	}
	if len(credits) == 0 {
		return nil, nil, nil
	}
	var bills []Bill
	for season := first; season <= upto; season = nextSeason(season) {
		one, err := s.plainIn(ctx, tx, city, season, []place.Home{h})
		if err != nil {
			return nil, nil, err
		}
		bills = append(bills, one[h.Account])
	}
	states := Fold(credits, bills)
	return bills, states, nil
}

// Credits says where the refunds stand that a household had set against later bills, for everybody who may see its bills.
func (s *Service) Credits(ctx context.Context, by actor.Actor, city int, account string) ([]CreditState, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]CreditState, error) {
		if err := s.mayHome(ctx, tx, by, city, account, actor.FeeRead); err != nil {
			return nil, err
		}
		homes, err := s.o.Places.HomesIn(ctx, tx, city, []string{account})
		if err != nil {
			return nil, err
		}
		return s.CreditsIn(ctx, tx, city, homes[account])
	})
}

// CreditsIn is Credits for a door that has asked for its permission. The bill after a refund's season is looked at even
// when that season has not begun.
func (s *Service) CreditsIn(ctx context.Context, tx *db.Tx, city int, h place.Home) ([]CreditState, error) {
	credits, err := s.creditsIn(ctx, tx, city, []place.Home{h})
	if err != nil {
		return nil, err
	}
	upto := citypack.SeasonLabel(tx.Now.Date())
	for _, c := range credits[h.Account] {
		upto = max(upto, nextSeason(c.Season))
	}
	_, states, err := s.foldIn(ctx, tx, city, h, credits[h.Account], upto)
	return states, err
}
