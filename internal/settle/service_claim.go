package settle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/refund"
)

// RefreshIn reckons the claim of a household anew from what was measured, in the transaction of the record that changes
// it. The claim begins with the first day that counts; before that nothing is written. Whoever calls it has asked for the
// permission of the act that caused it.
func (s *Service) RefreshIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, account string) error {
	season := citypack.SeasonLabel(tx.Now.Date())
	t, err := s.termsIn(ctx, tx, city, season)
	if fault.Is(err, fault.Invalid) {
		return nil // a city without a season pays nothing back yet
	}
	if err != nil {
		return err
	}
	homes, err := s.o.Places.HomesIn(ctx, tx, city, []string{account})
	if err != nil {
		return err
	}
	h, ok := homes[account]
	if !ok {
		return nil // a report without a household account cannot be paid
	}
	var events []refund.Event
	if s.o.Events != nil {
		if events, err = s.o.Events(ctx, tx, city, account); err != nil {
			return fmt.Errorf("what was measured at %s: %w", account, err)
		}
	}
	events = slices.DeleteFunc(events, func(e refund.Event) bool { return citypack.SeasonLabel(e.At.Date()) != season })
	g, err := s.gather(ctx, tx, city, t, []place.Home{h})
	if err != nil {
		return err
	}
	return s.reckonOne(ctx, tx, by, g, h, events)
}

// gathered is what the claims of some households follow from, beside their own events.
type gathered struct {
	city       int
	t          terms
	claims     map[string]Claim
	bills      map[string]fee.Bill
	objections map[string][]Objection
	areas      []Area
	mark       string
	now        civil.Instant
	scratch    refund.Scratch
	ticked     bool // the clocks of the legal days will be looked at
}

func (s *Service) gather(ctx context.Context, tx *db.Tx, city int, t terms, homes []place.Home) (*gathered, error) {
	accounts := make([]string, len(homes))
	for i, h := range homes {
		accounts[i] = h.Account
	}
	g := &gathered{city: city, t: t, now: tx.Now}
	var err error
	if g.claims, err = claimsOf(ctx, tx, city, t.label, accounts); err != nil {
		return nil, err
	}
	if g.bills, err = s.o.Fees.BillsOfIn(ctx, tx, city, t.label, homes); err != nil {
		return nil, err
	}
	if g.objections, err = objectionsOf(ctx, tx, city, t.label, accounts); err != nil {
		return nil, err
	}
	if g.areas, err = areasOf(ctx, tx, city, t.label); err != nil {
		return nil, fmt.Errorf("determinations of a season: %w", err)
	}
	g.mark, err = basisMark(ctx, tx, city, t)
	return g, err
}

// reckonOne makes the claim of one household what its facts say now.
func (s *Service) reckonOne(ctx context.Context, tx *db.Tx, by actor.Actor, g *gathered, h place.Home, own []refund.Event) error {
	was, known := g.claims[h.Account]
	c, err := g.claim(was, known, h, own, tx.Now)
	if err != nil {
		return err
	}
	if !known && c.Counted == 0 && (c.Status != refund.NotComputable || !mayCount(own, c.Facts)) {
		return nil
	}
	if known && same(was, c) {
		return nil
	}
	before := &was
	if !known {
		before = nil
	} else if (was.State == Confirmed || was.State == Refused) && (was.Facts != c.Facts || was.Basis != c.Basis) {
		c.State, c.Confirmed, c.Confirm = Open, nil, 0
		if !c.Home {
			c.State = Confirmed // what the authority determined for the whole area needs no further confirmation
		}
	}
	if c.State == Confirmed && c.Confirmed == nil {
		c.Confirmed, c.Confirm = &c.Amount, tx.Now
	}
	c.PayBy = g.t.payBy(c)
	if !g.ticked && (c.Amount > 0 || was.Amount > 0) {
		g.ticked = true
		if err := s.tick(ctx, tx, g.city); err != nil {
			return err
		}
	}
	if c, err = saveClaim(ctx, tx, before, c); err != nil {
		return err
	}
	g.claims[h.Account] = c
	return audit.Record(ctx, tx, by, g.city, audit.Act{Subject: chainOf(h.Account), Act: "refund.assess", Public: true, Body: map[string]any{
		"season": c.Season, "rule": g.t.rule, "status": c.Status, "amount_yuan": c.Amount.Yuan(), "counted_days": c.Counted, "state": c.State,
	}})
}

// same reports whether nothing of a claim that money follows from is new.
func same(a, b Claim) bool {
	return a.Facts == b.Facts && a.Basis == b.Basis && a.Amount == b.Amount && a.Counted == b.Counted && a.Status == b.Status && a.Missing == b.Missing &&
		a.PayBy == b.PayBy && a.BasisMark == b.BasisMark && a.Company == b.Company && a.Station == b.Station && a.Bearer == b.Bearer
}

// mayCount reports whether something happened that a refund could follow from, were it computable.
func mayCount(own []refund.Event, facts string) bool {
	return facts != "" && slices.ContainsFunc(own, func(e refund.Event) bool {
		switch e.Type {
		case refund.Tested, refund.Retested, refund.LabReported, refund.MissedByCompany, refund.RefusedByCompany, refund.NoRecord, refund.Stopped, refund.LateStarted, refund.EarlyEnded:
			return true
		case refund.Reported, refund.Requested, refund.Appointed, refund.UserAbsent, refund.CureClaimed, refund.CureVerified, refund.RefusedByUser,
			refund.UnableByCompany, refund.Withdrawn, refund.Resumed, refund.Excluded, refund.OutdoorRead:
		}
		return false
	})
}

// claim is what a household's claim looks like with these events of its own.
func (g *gathered) claim(was Claim, known bool, h place.Home, own []refund.Event, now civil.Instant) (Claim, error) {
	c := was
	if !known {
		c = Claim{City: g.city, Season: g.t.label, Account: h.Account, State: Open, Claimed: now}
	}
	c.Company, c.Station, c.Area, c.District, c.Community = h.Company, h.Station, h.Area, h.District, h.Community
	events := slices.Clone(own)
	c.Home, c.Bearer = len(own) > 0, ""
	for _, o := range g.objections[h.Account] {
		if o.State == Accepted {
			events = append(events, refund.Event{
				Type: refund.Excluded, At: o.From.Start(), Until: o.To.End().Add(-time.Millisecond), Code: o.Reason, Accepted: &yes, Record: "objection:" + o.ID,
			})
		}
	}
	for _, a := range g.areas {
		if a.State == Determined && a.covers(h) {
			events = append(events, a.events()...)
			if a.Bearer != "" {
				c.Bearer = a.Bearer
			}
		}
	}
	if !c.Home && !known {
		c.State = Confirmed
	}
	basis, err := BasisOf(g.bills[h.Account])
	if err != nil {
		return c, fmt.Errorf("basis of %s: %w", h.Account, err)
	}
	c.Facts, c.Basis, c.BasisMark = PackEvents(events), basis.Pack(), g.mark
	g.assess(&c, events, basis)
	return c, nil
}

// assess sets what a claim comes to.
func (g *gathered) assess(c *Claim, events []refund.Event, basis Basis) {
	c.CountedTo = g.t.upto(g.now)
	in := g.t.input(events, basis, g.t.runsFrom(*c), c.CountedTo)
	r, said := g.t.assess(&in, &g.scratch)
	c.Status, c.Amount, c.Counted, c.PayBy, c.Missing = r.Status, r.Refund, r.Counted, r.PayBy, ""
	if said != "" {
		c.Missing = g.t.missing(&in, said)
	}
	c.Running = g.t.runs(in, r, &g.scratch)
}

// own are the events of a claim that its area, its objections and the season did not add.
func own(facts string) ([]refund.Event, error) {
	events, err := UnpackEvents(facts)
	return slices.DeleteFunc(events, func(e refund.Event) bool {
		return strings.HasPrefix(e.Record, "area:") || strings.HasPrefix(e.Record, "objection:")
	}), err
}

// again reckons a claim from the events that it has, after something beside them changed.
func (s *Service) again(ctx context.Context, tx *db.Tx, by actor.Actor, c Claim) (Claim, error) {
	t, err := s.termsIn(ctx, tx, c.City, c.Season)
	if err != nil {
		return c, err
	}
	homes, err := s.o.Places.HomesIn(ctx, tx, c.City, []string{c.Account})
	if err != nil {
		return c, err
	}
	h, ok := homes[c.Account]
	if !ok {
		return c, fault.New(fault.NotFound, "place.no_account", "account", c.Account)
	}
	events, err := own(c.Facts)
	if err != nil {
		return c, err
	}
	g, err := s.gather(ctx, tx, c.City, t, []place.Home{h})
	if err != nil {
		return c, err
	}
	if err := s.reckonOne(ctx, tx, by, g, h, events); err != nil {
		return c, err
	}
	return findClaim(ctx, tx, c.City, c.Season, c.Account)
}

// Claim shows one claim with why, for everybody who may see the household's refunds.
func (s *Service) Claim(ctx context.Context, by actor.Actor, city int, season, account string) (View, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		c, err := findClaim(ctx, tx, city, season, account)
		if err != nil {
			return View{}, err
		}
		if err := may(by, actor.RefundRead, c); err != nil {
			return View{}, err
		}
		return s.viewIn(ctx, tx, by, c)
	})
}

// ClaimIn is Claim for a door that has shown that the reader is the household itself: the resident's page.
func (s *Service) ClaimIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, season, account string) (View, error) {
	c, err := findClaim(ctx, tx, city, season, account)
	if err != nil {
		return View{}, err
	}
	return s.viewIn(ctx, tx, by, c)
}

func (s *Service) viewIn(ctx context.Context, tx *db.Tx, by actor.Actor, c Claim) (View, error) {
	v := View{Claim: c, Allowed: allowed(by, c)}
	t, err := s.termsIn(ctx, tx, c.City, c.Season)
	if err != nil {
		return v, err
	}
	v.Rule = t.rule
	if v.Assessment, err = t.explain(c, tx.Now); err != nil {
		return v, err
	}
	v.Answer = refund.AnswerOf(v.Assessment)
	objections, err := objectionsOf(ctx, tx, c.City, c.Season, []string{c.Account})
	if err != nil {
		return v, err
	}
	v.Objections = objections[c.Account]
	areas, err := areasOf(ctx, tx, c.City, c.Season)
	if err != nil {
		return v, err
	}
	if v.Areas, err = c.areasAmong(areas); err != nil {
		return v, err
	}
	if v.Payouts, err = payoutsOf(ctx, tx, c.City, c.Season, c.Account); err != nil {
		return v, err
	}
	if v.SetOffs, err = s.setOffsIn(ctx, tx, c); err != nil {
		return v, err
	}
	rates, err := lateRates(ctx, tx, c.City)
	if err != nil {
		return v, err
	}
	v.Lates = lates(t.plan, rates, c, v.Payouts, tx.Now.Date())
	if v.Clocks, v.ClockEntries, err = s.clocksOf(ctx, tx, v); err != nil {
		return v, err
	}
	return v, s.mask(ctx, tx, c.City, v.Payouts)
}

// explain makes a claim's assessment with words, from what the claim keeps.
func (t terms) explain(c Claim, now civil.Instant) (refund.Assessment, error) {
	if t.plan == nil {
		return refund.Assessment{Status: refund.NotComputable, Missing: []string{"rule"}}, nil
	}
	events, err := UnpackEvents(c.Facts)
	if err != nil {
		return refund.Assessment{}, err
	}
	basis, err := UnpackBasis(c.Basis)
	if err != nil {
		return refund.Assessment{}, err
	}
	in := t.input(events, basis, t.runsFrom(c), t.upto(now))
	return t.plan.Explain(&in)
}

// InputIn gives what a claim is computed from, for a bundle that anybody can check.
func (s *Service) InputIn(ctx context.Context, tx *db.Tx, city int, season, account string) (refund.Input, string, error) {
	c, err := findClaim(ctx, tx, city, season, account)
	if err != nil {
		return refund.Input{}, "", err
	}
	t, err := s.termsIn(ctx, tx, city, season)
	if err != nil {
		return refund.Input{}, "", err
	}
	events, err := UnpackEvents(c.Facts)
	if err != nil {
		return refund.Input{}, "", err
	}
	basis, err := UnpackBasis(c.Basis)
	return t.input(events, basis, t.runsFrom(c), t.upto(tx.Now)), t.rule, err
}

// Claims lists the claims of a season in the order of the accounts, for those who may see them.
func (s *Service) Claims(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Claim], error) {
	if err := mayAny(by, city); err != nil {
		return page.Of[Claim]{}, err
	}
	if !fee.IsSeason(f.Season) {
		return page.Of[Claim]{}, badSeason(f.Season)
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Claim], error) {
		return listClaims(ctx, tx, city, by.ScopeOf(actor.RefundRead, city), f)
	})
}

func mayAny(by actor.Actor, city int) error {
	if by.MayAny(actor.RefundRead, city) {
		return nil
	}
	return by.May(actor.RefundRead, actor.On{City: city})
}

func badSeason(label string) error {
	var c fault.Check
	c.Add("season", "fee.bad_season", "value", label)
	return c.Err()
}

// Exposure is what a company may have to pay back, by station (企业风险敞口).
type Exposure struct {
	Company       string    `db:"company" json:"company"`
	Station       string    `db:"station" json:"station"`
	Claims        int64     `db:"claims" json:"claims"`
	Confirmed     int64     `db:"confirmed" json:"confirmed"`
	NotComputable int64     `db:"not_computable" json:"not_computable"`
	Counted       int64     `db:"counted" json:"counted_days"`
	Amount        money.Fen `db:"amount_fen" json:"amount_yuan"`
}

// Exposure sums the provisional amounts of a season by company and station.
func (s *Service) Exposure(ctx context.Context, by actor.Actor, city int, season string) ([]Exposure, error) {
	if err := mayAny(by, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Exposure, error) {
		return exposure(ctx, tx, city, season, by.ScopeOf(actor.RefundRead, city))
	})
}
