package fee

import (
	"context"
	"maps"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
)

// perRead is how many rows of the list are read at once: no transaction is long.
const perRead = 500

// begin asks for the permission and says after which account the list goes on.
func (f Filter) begin(by actor.Actor, city int) (after string, err error) {
	if !by.MayAny(actor.FeeRead, city) {
		return "", by.May(actor.FeeRead, actor.On{City: city})
	}
	if err := f.check(); err != nil || f.After == "" {
		return "", err
	}
	return after, page.Decode(f.After, &after)
}

// List shows the bills of a season that a list or the counter gave, in the order of the accounts, to those who may see
// them.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Entry], error) {
	after, err := f.begin(by, city)
	if err != nil {
		return page.Of[Entry]{}, err
	}
	var seen []Entry
	for more := true; more && len(seen) <= f.Limit(); {
		var part []Entry
		if part, after, more, err = s.portion(ctx, by, city, f, after); err != nil {
			return page.Of[Entry]{}, err
		}
		seen = append(seen, part...)
	}
	return page.Cut(seen, f.Request, func(e Entry) []any { return []any{e.Account} }), nil
}

// Each goes through all bills of the list, without an end of its pages: for files and sums.
func (s *Service) Each(ctx context.Context, by actor.Actor, city int, f Filter, fn func(Entry) error) error {
	f.Request = page.Request{}
	after, err := f.begin(by, city)
	if err != nil {
		return err
	}
	for more := true; more; {
		var part []Entry
		if part, after, more, err = s.portion(ctx, by, city, f, after); err != nil {
			return err
		}
		for _, e := range part {
			if err := fn(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// Sum totals the bills of the list by company; the sums of each balance.
func (s *Service) Sum(ctx context.Context, by actor.Actor, city int, f Filter) ([]Sums, error) {
	of := map[string]*Sums{}
	err := s.Each(ctx, by, city, f, func(e Entry) error {
		if of[e.Company] == nil {
			of[e.Company] = &Sums{Company: e.Company}
		}
		of[e.Company].add(e.Bill)
		return nil
	})
	out := make([]Sums, 0, len(of))
	for _, company := range slices.Sorted(maps.Keys(of)) {
		out = append(out, *of[company])
	}
	return out, err
}

// portion is what the list shows of some of its rows, and where it goes on.
func (s *Service) portion(ctx context.Context, by actor.Actor, city int, f Filter, after string) (part []Entry, last string, more bool, err error) {
	last = after
	part, err = db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Entry, error) {
		rows, err := list(ctx, tx, city, f, after, perRead)
		if err != nil || len(rows) == 0 {
			return nil, err
		}
		last, more = rows[len(rows)-1].Account, len(rows) == perRead
		return s.entries(ctx, tx, by, city, f, rows)
	})
	return part, last, more, err
}

// entries are the bills of rows whose households the actor may see, as far as the list shows them.
func (s *Service) entries(ctx context.Context, tx *db.Tx, by actor.Actor, city int, f Filter, rows []Row) ([]Entry, error) {
	accounts := make([]string, len(rows))
	for i, r := range rows {
		accounts[i] = r.Account
	}
	homes, err := s.o.Places.HomesIn(ctx, tx, city, accounts)
	if err != nil {
		return nil, err
	}
	var may []place.Home
	for _, a := range accounts {
		h := homes[a]
		h.Account = a
		if by.May(actor.FeeRead, h.On(city)) == nil && f.serves(h) {
			may = append(may, h)
		}
	}
	bills, err := s.BillsOfIn(ctx, tx, city, f.Season, may)
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, h := range may {
		if b := bills[h.Account]; f.shows(b) {
			out = append(out, entry(b, h))
		}
	}
	return out, nil
}

// Account is everything about a household's bills: each season's with its lines, what was paid and by whom, what refunds did,
// and what its meters showed.
type Account struct {
	Home     place.Home    `json:"home"`
	Bills    []Bill        `json:"bills"` // the newest first
	Payments []Payment     `json:"payments"`
	Credits  []CreditState `json:"credits"`
	Readings []Reading     `json:"readings"` // in the order of time; those too that no longer stand
}

// Account shows everything about a household's bills, for everybody who may see them.
func (s *Service) Account(ctx context.Context, by actor.Actor, city int, account string) (Account, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Account, error) {
		h, err := s.mayHome(ctx, tx, by, city, account, actor.FeeRead)
		if err != nil {
			return Account{}, err
		}
		return s.accountIn(ctx, tx, city, h)
	})
}

func (s *Service) accountIn(ctx context.Context, tx *db.Tx, city int, h place.Home) (Account, error) {
	out := Account{Home: h}
	seasons, err := seasonsOf(ctx, tx, city, h.Account)
	if err != nil {
		return out, err
	}
	if now := citypack.SeasonLabel(tx.Now.Date()); !slices.Contains(seasons, now) {
		seasons = append(seasons, now)
	}
	if out.Credits, err = s.CreditsIn(ctx, tx, city, h); err != nil {
		return out, err
	}
	for _, c := range out.Credits {
		for _, u := range c.Uses {
			if !slices.Contains(seasons, u.Season) {
				seasons = append(seasons, u.Season)
			}
		}
	}
	slices.Sort(seasons)
	slices.Reverse(seasons)
	for _, season := range seasons {
		bills, err := s.BillsOfIn(ctx, tx, city, season, []place.Home{h})
		if err != nil {
			return out, err
		}
		out.Bills = append(out.Bills, bills[h.Account])
	}
	if out.Payments, err = paymentsOf(ctx, tx, city, h.Account); err != nil {
		return out, err
	}
	if err := s.mask(ctx, tx, city, out.Payments); err != nil {
		return out, err
	}
	all, err := recordsOf(ctx, tx, city, h.Account)
	out.Readings = ordered(all)
	return out, err
}

// PaymentsOf are the payments of one season.
func (a Account) PaymentsOf(season string) []Payment {
	return slices.DeleteFunc(slices.Clone(a.Payments), func(p Payment) bool { return p.Season != season })
}
