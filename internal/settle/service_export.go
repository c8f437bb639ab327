package settle

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/refund"
)

// What a file that anybody can check is written from. Whoever calls these has asked for the permission to export.

// Terms are what every sum of a season follows from beside the claims.
type Terms struct {
	Rule          *citypack.RefundRule // nil: none is known
	Provisional   bool
	StatutoryDays int
	Season        refund.Season
	Rates         map[string]string // what contracts say about late refunds, a day, by company
	Today         civil.Date
	mark          string
}

// TermsIn gives the terms of a season as they hold now.
func (s *Service) TermsIn(ctx context.Context, tx *db.Tx, city int, season string) (Terms, error) {
	t, err := s.termsIn(ctx, tx, city, season)
	if err != nil {
		return Terms{}, err
	}
	rules, err := s.o.Rules(ctx, tx, city)
	if err != nil {
		return Terms{}, err
	}
	out := Terms{Season: t.season, StatutoryDays: rules.Pack.Doc.Season.StatutDays.Or(t.season.From.Date(), 0)}
	if t.plan != nil {
		rule := t.plan.Rule()
		out.Rule, out.Provisional = &rule, t.plan.Provisional()
	}
	if out.Rates, err = lateRates(ctx, tx, city); err != nil {
		return Terms{}, err
	}
	out.Today = tx.Now.Date()
	out.mark, err = basisMark(ctx, tx, city, t)
	return out, err
}

// Lates are the late charges of a claim up to the day of the terms.
func (t Terms) Lates(plan *refund.Plan, k Kept) []Late {
	return lates(plan, t.Rates, k.Claim, k.Payouts, t.Today)
}

// RunsFrom is the day from which a claim's time to pay runs by the terms' rule; absent when it does not run yet.
func (t Terms) RunsFrom(c Claim) civil.Date {
	if t.Rule == nil {
		return c.Claimed.Date()
	}
	if at := startOf(*t.Rule, c); !at.IsZero() {
		return at.Date()
	}
	return civil.Date{}
}

// Kept is a claim with the input that its amount was reckoned from, what settlements said of it, and its orders to pay.
type Kept struct {
	Claim   Claim
	Input   refund.Input
	Stale   bool // the rule or a list is newer than the amount
	Lines   []Line
	Payouts []Payout
	SetOffs []SetOff // Who is a salted hash here
}

// KeptIn reads claims of a season in the order of the accounts, with their lines in the settlements named.
func (s *Service) KeptIn(ctx context.Context, tx *db.Tx, city int, season, after string, seen []Settlement, limit int) ([]Kept, error) {
	t, err := s.termsIn(ctx, tx, city, season)
	if err != nil {
		return nil, err
	}
	mark, err := basisMark(ctx, tx, city, t)
	if err != nil {
		return nil, err
	}
	claims, err := claimsAfter(ctx, tx, city, season, after, limit)
	if err != nil || len(claims) == 0 {
		return nil, err
	}
	return s.kept(ctx, tx, t, mark, claims, seen)
}

// KeptOneIn is KeptIn for the claim of one household; false where it has none.
func (s *Service) KeptOneIn(ctx context.Context, tx *db.Tx, city int, season, account string, seen []Settlement) (Kept, bool, error) {
	t, err := s.termsIn(ctx, tx, city, season)
	if err != nil {
		return Kept{}, false, err
	}
	mark, err := basisMark(ctx, tx, city, t)
	if err != nil {
		return Kept{}, false, err
	}
	claims, err := claimsOf(ctx, tx, city, season, []string{account})
	c, ok := claims[account]
	if err != nil || !ok {
		return Kept{}, false, err
	}
	list, err := s.kept(ctx, tx, t, mark, []Claim{c}, seen)
	if err != nil {
		return Kept{}, false, err
	}
	return list[0], true, nil
}

func (s *Service) kept(ctx context.Context, tx *db.Tx, t terms, mark string, claims []Claim, seen []Settlement) ([]Kept, error) {
	city, first, last := claims[0].City, claims[0].Account, claims[len(claims)-1].Account
	lines, err := linesBetween(ctx, tx, city, seen, first, last)
	if err != nil {
		return nil, err
	}
	payouts, err := payoutsBetween(ctx, tx, city, t.label, first, last)
	if err != nil {
		return nil, err
	}
	accounts := make([]string, len(claims))
	for i, c := range claims {
		accounts[i] = c.Account
	}
	setOffs, err := setOffsOf(ctx, tx, city, t.label, accounts)
	if err != nil {
		return nil, err
	}
	for _, list := range setOffs {
		for i, x := range list {
			who, err := s.whoAgreed(ctx, tx, x)
			if err != nil {
				return nil, err
			}
			list[i].Who = audit.Fingerprint(x.Person, who)
		}
	}
	out := make([]Kept, len(claims))
	for i, c := range claims {
		events, err := UnpackEvents(c.Facts)
		if err != nil {
			return nil, err
		}
		basis, err := UnpackBasis(c.Basis)
		if err != nil {
			return nil, err
		}
		upto := c.CountedTo
		if upto.IsZero() { // from before the days of counting were kept
			upto = t.upto(c.Changed)
		}
		out[i] = Kept{
			Claim: c, Input: t.input(events, basis, t.runsFrom(c), upto), Stale: c.BasisMark != mark, Lines: lines[c.Account], Payouts: payouts[c.Account], SetOffs: setOffs[c.Account],
		}
	}
	return out, nil
}

// Seen is a settlement that people see, with its totals.
type Seen struct {
	Settlement
	Current bool
	Totals  []Total
}

// SeenIn lists the settlements of a season that were approved or are the current one, in the order of their numbers.
func (s *Service) SeenIn(ctx context.Context, tx *db.Tx, city int, season string) ([]Seen, error) {
	h, _, err := headIn(ctx, tx, city, season)
	if err != nil {
		return nil, err
	}
	all, err := settlementsOf(ctx, tx, city, season)
	if err != nil {
		return nil, err
	}
	var out []Seen
	for _, x := range all {
		if x.ID != h.Current && x.State != Approved && x.State != Ordered {
			continue
		}
		totals, err := totalsOf(ctx, tx, city, x.ID)
		if err != nil {
			return nil, fmt.Errorf("totals of settlement %d: %w", x.No, err)
		}
		out = append(out, Seen{Settlement: x, Current: x.ID == h.Current, Totals: totals})
	}
	return out, nil
}

// Reckons reports whether a claim still is what the settlement saw, under the same terms.
func (x Settlement) Reckons(k Kept, t Terms) bool {
	return !k.Stale && k.Claim.Changed.Before(x.Started) && strings.HasSuffix(x.Mark, "."+t.mark)
}

// BooksIn are a season's two equations of all companies.
func (s *Service) BooksIn(ctx context.Context, tx *db.Tx, city int, season string) (Books, error) {
	return s.booksIn(ctx, tx, city, season, func(string) bool { return true })
}

// ObjectionsIn are the objections to one household's claim.
func (s *Service) ObjectionsIn(ctx context.Context, tx *db.Tx, city int, season, account string) ([]Objection, error) {
	list, err := objectionsOf(ctx, tx, city, season, []string{account})
	return list[account], err
}

// AreasIn are the determinations that a claim contains.
func (s *Service) AreasIn(ctx context.Context, tx *db.Tx, c Claim) ([]Area, error) {
	all, err := areasOf(ctx, tx, c.City, c.Season)
	if err != nil {
		return nil, err
	}
	return c.areasAmong(all)
}

// CountIn is how many claims a season has.
func (s *Service) CountIn(ctx context.Context, tx *db.Tx, city int, season string) (int64, error) {
	n, err := censusOf(ctx, tx, city, season)
	return n.N, err
}
