package fee

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/place"
)

// BillsOfIn is BillsIn for households that the caller has read already.
func (s *Service) BillsOfIn(ctx context.Context, tx *db.Tx, city int, season string, homes []place.Home) (map[string]Bill, error) {
	credits, err := s.creditsIn(ctx, tx, city, homes)
	if err != nil {
		return nil, err
	}
	chains, err := s.chainsIn(ctx, tx, city, homes, credits, func([]Credit) string { return season })
	if err != nil {
		return nil, err
	}
	var plain []place.Home
	out := make(map[string]Bill, len(homes))
	for _, h := range homes {
		chain := chains[h.Account]
		if n := len(chain); n > 0 && chain[n-1].Season == season {
			Fold(credits[h.Account], chain)
			out[h.Account] = chain[n-1]
			continue
		}
		plain = append(plain, h)
	}
	rest, err := s.plainIn(ctx, tx, city, season, plain)
	for account, b := range rest {
		b.apply(nil, nil)
		out[account] = b
	}
	return out, err
}

// plainIn are bills without credits.
func (s *Service) plainIn(ctx context.Context, tx *db.Tx, city int, season string, homes []place.Home) (map[string]Bill, error) {
	if len(homes) == 0 {
		return nil, nil
	}
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
	setOffs, err := s.setOffsIn(ctx, tx, city, season, accounts)
	if err != nil {
		return nil, err
	}
	out := make(map[string]Bill, len(homes))
	for i, h := range homes {
		b := reckon(rules, season, Facts{Row: rows[keys[i]], Term: terms[h.Account], Readings: readings[h.Account]}, h)
		b.SetOff = setOffs[h.Account]
		out[h.Account] = b
	}
	return out, nil
}

func (s *Service) setOffsIn(ctx context.Context, tx *db.Tx, city int, season string, accounts []string) (map[string]money.Fen, error) {
	if s.o.SetOffs == nil {
		return nil, nil
	}
	out, err := s.o.SetOffs(ctx, tx, city, season, accounts)
	if err != nil {
		return nil, fmt.Errorf("set-offs of households: %w", err)
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

// chainsIn are the bills of the households that have credits, each from the first bill that its credits can reach up to the
// one of a season, without a gap. It reads all households of a season at once, so that a settlement of very many of them
// asks as often as there are seasons, not as there are households.
func (s *Service) chainsIn(ctx context.Context, tx *db.Tx, city int, homes []place.Home, credits map[string][]Credit, upto func([]Credit) string) (map[string][]Bill, error) {
	of := map[string][]place.Home{}
	for _, h := range homes {
		list := credits[h.Account]
		if len(list) == 0 {
			continue
		}
		last := upto(list)
		first := last
		for _, c := range list {
			first = min(first, NextSeason(c.Season))
		}
		for season := first; season <= last; season = NextSeason(season) {
			of[season] = append(of[season], h)
		}
	}
	chains := map[string][]Bill{}
	for _, season := range slices.Sorted(maps.Keys(of)) {
		bills, err := s.plainIn(ctx, tx, city, season, of[season])
		if err != nil {
			return nil, err
		}
		for _, h := range of[season] {
			chains[h.Account] = append(chains[h.Account], bills[h.Account])
		}
	}
	return chains, nil
}

// Credits says where the refunds stand that a household had set against later bills, for everybody who may see its bills.
func (s *Service) Credits(ctx context.Context, by actor.Actor, city int, account string) ([]CreditState, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]CreditState, error) {
		if _, err := s.mayHome(ctx, tx, by, city, account, actor.FeeRead); err != nil {
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
	now := citypack.SeasonLabel(tx.Now.Date())
	chains, err := s.chainsIn(ctx, tx, city, []place.Home{h}, credits, func(list []Credit) string {
		upto := now
		for _, c := range list {
			upto = max(upto, NextSeason(c.Season))
		}
		return upto
	})
	return Fold(credits[h.Account], chains[h.Account]), err
}
