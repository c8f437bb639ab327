package settle

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/refund"
)

// Console is the state of a season's settlements: what runs, what is seen, what is owed.
type Console struct {
	Season      string       `json:"season"`
	Rule        string       `json:"rule"`
	Provisional bool         `json:"provisional"` // the rule waits for the city's approval: nothing is paid
	Running     *Settlement  `json:"running"`     // under way or cut short
	Current     *Settlement  `json:"current"`     // the one that is seen
	Settlements []Settlement `json:"settlements"`
	Total       Total        `json:"total"` // of the current one
	Companies   []Total      `json:"companies"`
	Books       Books        `json:"books"`
	Claims      int64        `json:"claims"` // now
	Choice      *Choice      `json:"choice"`
}

// Console shows a season's settlements to those who see the whole city, others their own companies' part.
func (s *Service) Console(ctx context.Context, by actor.Actor, city int, season string) (Console, error) {
	if err := mayAny(by, city); err != nil {
		return Console{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Console, error) {
		c := Console{Season: season}
		t, err := s.termsIn(ctx, tx, city, season)
		if err != nil {
			return c, err
		}
		c.Rule, c.Provisional = t.rule, t.plan != nil && t.plan.Provisional()
		if chosen, ok, err := choiceIn(ctx, tx, city, season); err != nil {
			return c, err
		} else if ok {
			c.Choice = &chosen
		}
		h, _, err := headIn(ctx, tx, city, season)
		if err != nil {
			return c, err
		}
		if c.Settlements, err = settlementsOf(ctx, tx, city, season); err != nil {
			return c, err
		}
		for i, x := range c.Settlements {
			switch x.ID {
			case h.Run:
				c.Running = &c.Settlements[i]
			case h.Current:
				c.Current = &c.Settlements[i]
			}
		}
		n, err := censusOf(ctx, tx, city, season)
		if err != nil {
			return c, err
		}
		c.Claims = n.N
		if c.Companies, err = s.companies(ctx, tx, by, city, h.Current); err != nil {
			return c, err
		}
		for _, x := range c.Companies {
			c.Total.add(x)
		}
		c.Books, err = s.booksIn(ctx, tx, city, season, func(company string) bool { return seesCompany(by, city, company) })
		return c, err
	})
}

func seesCompany(by actor.Actor, city int, company string) bool {
	return by.May(actor.RefundRead, actor.On{City: city, Company: company}) == nil || by.ScopeOf(actor.RefundRead, city).All
}

func (s *Service) companies(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string) ([]Total, error) {
	all, err := totalsOf(ctx, tx, city, id)
	return slices.DeleteFunc(all, func(t Total) bool { return !seesCompany(by, city, t.Company) }), err
}

// Books are a season's two equations, of everything that the actor may see.
func (s *Service) Books(ctx context.Context, by actor.Actor, city int, season string) (Books, error) {
	if err := mayAny(by, city); err != nil {
		return Books{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Books, error) {
		return s.booksIn(ctx, tx, city, season, func(company string) bool { return seesCompany(by, city, company) })
	})
}

// booksIn takes each side from its own rows: what was assessed from the current settlement, what was approved from every
// approved one, what was paid from the orders to pay.
func (s *Service) booksIn(ctx context.Context, tx *db.Tx, city int, season string, sees func(string) bool) (Books, error) {
	var b Books
	h, _, err := headIn(ctx, tx, city, season)
	if err != nil {
		return b, err
	}
	all, err := settlementsOf(ctx, tx, city, season)
	if err != nil {
		return b, err
	}
	for _, x := range all {
		totals, err := totalsOf(ctx, tx, city, x.ID)
		if err != nil {
			return b, err
		}
		given := x.State == Approved || x.State == Ordered
		for _, t := range totals {
			if !sees(t.Company) {
				continue
			}
			if given {
				b.Approved += t.Payable
			}
			if x.ID == h.Current {
				b.Assessed, b.Refused, b.Open = b.Assessed+t.Amount, b.Refused+t.Refused, b.Open+t.Open
				if !given {
					b.Open += t.Payable // not approved yet
				}
			}
		}
	}
	sums, err := sumPayouts(ctx, tx, city, season, tx.Now.Date())
	if err != nil {
		return b, fmt.Errorf("total the orders to pay: %w", err)
	}
	var ordered money.Fen
	for _, p := range sums {
		if sees(p.Company) {
			ordered, b.Paid, b.SetOff, b.Owed = ordered+p.Amount, b.Paid+p.Paid, b.SetOff+p.SetOff, b.Owed+p.Amount-p.Paid-p.SetOff
		}
	}
	b.Owed += b.Approved - ordered // approved, and not ordered yet
	return b, nil
}

// Lines lists what a settlement says, claim by claim, in the order of the accounts; after is the last account seen.
func (s *Service) Lines(ctx context.Context, by actor.Actor, city int, id, after string, limit int) ([]Line, error) {
	if err := mayAny(by, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Line, error) {
		x, err := findSettlement(ctx, tx, city, id)
		if err != nil {
			return nil, err
		}
		if x.State == Assessing || x.State == Superseded {
			return nil, fault.New(fault.NotFound, "settle.not_seen")
		}
		where, args := within(by.ScopeOf(actor.RefundRead, city), "c.", []any{city, id, after, min(max(limit, 1), 500), x.Season})
		return db.List[Line](ctx, tx, `SELECT `+db.Columns[Line]("l")+` FROM settle_line l
			JOIN refund_claim c ON c.city_id = l.city_id AND c.season = $5 AND c.account = l.account
			WHERE l.city_id = $1 AND l.settlement = $2 AND l.account > $3 AND `+where+` ORDER BY l.account LIMIT $4`, args...)
	})
}

// Overdue is what a company has not paid by the legal day: orders to pay, and claims that never became one.
type Overdue struct {
	Company    string     `json:"company"`
	Orders     int64      `json:"orders"`
	Unsettled  int64      `json:"unsettled"`   // homes whose claim, confirmed or not, is in no order to pay, or not whole
	Amount     money.Fen  `json:"amount_yuan"` // of both
	Oldest     civil.Date `json:"oldest"`
	Days       int        `json:"days"`             // of the oldest
	PaidLate   int64      `json:"paid_late"`        // orders that were paid after the day, and their late charge was not
	LateCharge *money.Fen `json:"late_charge_yuan"` // 滞退金 that is owed up to today; null: the law has none, or the contract's rate is not known
	Missing    string     `json:"missing,omitempty"`

	Stage   citypack.Stage `json:"stage,omitempty"` // the last step that was taken about it
	StageAt civil.Instant  `json:"stage_at"`
}

// Overdue lists companies with refunds past the legal day, the longest first, with the late charge where the law has one.
// Orders whose lateness is the user's own bear none, and one that was paid late stands in it until its charge is paid. A claim that the authority refused, or whose objection waits for the
// authority, is not the company's delay.
func (s *Service) Overdue(ctx context.Context, by actor.Actor, city int, season string) ([]Overdue, error) {
	if err := mayAny(by, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Overdue, error) { return s.overdueIn(ctx, tx, by, city, season) })
}

func (s *Service) overdueIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, season string) ([]Overdue, error) {
	t, rates, err := s.lateTerms(ctx, tx, city, season)
	if err != nil {
		return nil, err
	}
	today := tx.Now.Date()
	late, days := map[string]*Overdue{}, map[string][]civil.Date{}
	of := func(company string) *Overdue {
		if late[company] == nil {
			late[company] = &Overdue{Company: company}
		}
		return late[company]
	}
	err = lateOnes(ctx, tx, city, season, today, func(r lateRow) error {
		if !seesCompany(by, city, r.Company) {
			return nil
		}
		o := of(r.Company)
		if !slices.Contains(days[r.Company], r.PayBy) {
			days[r.Company] = append(days[r.Company], r.PayBy)
		}
		o.add(r, today)
		o.charge(t, rates[r.Company], r.Net, r.PayBy, today, r.Excused != "")
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = chargesLeft(ctx, tx, city, t, season, rates, func(p Payout, owed money.Fen) {
		if seesCompany(by, city, p.Company) {
			o := of(p.Company)
			o.PaidLate++
			o.owes(owed)
		}
	})
	if err != nil {
		return nil, err
	}
	out := make([]Overdue, 0, len(late))
	for _, o := range late {
		out = append(out, *o)
	}
	slices.SortFunc(out, func(a, b Overdue) int {
		return cmp.Or(b.Days-a.Days, strings.Compare(a.Company, b.Company))
	})
	return out, s.stages(ctx, tx, city, season, out, days)
}

// add counts one order, or one claim without.
func (o *Overdue) add(r lateRow, today civil.Date) {
	if r.Ordered {
		o.Orders++
	} else {
		o.Unsettled++
	}
	o.Amount += r.Net
	if o.Oldest.IsZero() || r.PayBy.Before(o.Oldest) {
		o.Oldest = r.PayBy
	}
	o.Days = o.Oldest.DaysUntil(today)
}

// LateDays is for how many days a household has waited for money past the legal day, 0 when it does not.
func (v View) LateDays(today civil.Date) int {
	var late int
	var ordered money.Fen
	for _, p := range v.Payouts {
		ordered += p.Amount
		if p.State != Paid && !p.PayBy.IsZero() && p.PayBy.Before(today) {
			late = max(late, p.PayBy.DaysUntil(today))
		}
	}
	unsettled := (v.State == Open || v.State == Confirmed) && v.Status == refund.Computed && v.Amount > ordered
	if unsettled && !v.PayBy.IsZero() && v.PayBy.Before(today) {
		late = max(late, v.PayBy.DaysUntil(today))
	}
	return late
}

// charge adds the late charge of one order.
func (o *Overdue) charge(t terms, rate string, net money.Fen, payBy, today civil.Date, excused bool) {
	if t.plan == nil || t.plan.Rule().LateCharge == nil {
		return
	}
	q, err := refund.ParseQuantity(rate)
	if err != nil || q <= 0 {
		o.Missing = "contract.late_rate"
		return
	}
	o.owes(t.plan.LateCharge(net, payBy, today, q, excused))
}

func (o *Overdue) owes(charge money.Fen) {
	if o.LateCharge != nil {
		charge += *o.LateCharge
	}
	o.LateCharge = &charge
}

// LateRates are what the contracts of companies say about late refunds, as far as it is kept, in the order of the companies.
func (s *Service) LateRates(ctx context.Context, by actor.Actor, city int) ([]CompanyTerm, error) {
	if err := mayAny(by, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]CompanyTerm, error) {
		terms, err := companyTerms(ctx, tx, city)
		if err != nil {
			return nil, fmt.Errorf("terms of companies: %w", err)
		}
		out := make([]CompanyTerm, 0, len(terms))
		for _, t := range terms {
			if seesCompany(by, city, t.Company) {
				out = append(out, t)
			}
		}
		slices.SortFunc(out, func(a, b CompanyTerm) int { return strings.Compare(a.Company, b.Company) })
		return out, nil
	})
}

// SetLateRate keeps what a company's contracts say about late refunds; version 0 for the first time.
func (s *Service) SetLateRate(ctx context.Context, by actor.Actor, in RateInput) (CompanyTerm, error) {
	if err := by.May(actor.RefundDecide, actor.On{City: in.City, Company: in.Company}); err != nil {
		return CompanyTerm{}, err
	}
	var c fault.Check
	c.That(in.Company != "", "company", "field.required")
	q, err := refund.ParseQuantity(in.LateRate)
	c.That(err == nil && q > 0 && q < refund.Hundredths(100), "late_rate", "settle.bad_rate", "value", in.LateRate)
	if err := c.Err(); err != nil {
		return CompanyTerm{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (CompanyTerm, error) {
		t := CompanyTerm{City: in.City, Company: in.Company, LateRate: strings.TrimSpace(in.LateRate), Version: in.Version + 1}
		if err := saveCompanyTerm(ctx, tx, t, in.Version); err != nil {
			return CompanyTerm{}, err
		}
		return t, audit.Record(ctx, tx, by, in.City, audit.Act{Subject: "company:" + in.Company, Act: "settle.late_rate", Public: true, Body: map[string]any{"late_rate": t.LateRate}})
	})
}

// Published is one company's line of the list that the public sees: no person, no address.
type Published struct {
	Company   string    `json:"company"`
	Claims    int64     `json:"claims"`
	Counted   int64     `json:"counted_days"`
	Assessed  money.Fen `json:"assessed_yuan"`
	Approved  money.Fen `json:"approved_yuan"`
	Paid      money.Fen `json:"paid_yuan"`
	SetOff    money.Fen `json:"set_off_yuan"`
	Unclaimed money.Fen `json:"unclaimed_yuan"`
	Overdue   int64     `json:"overdue"`      // orders to pay past the legal day
	Unsettled int64     `json:"unsettled"`    // homes past the legal day whose claim is in no order to pay, or not whole
	Late      money.Fen `json:"overdue_yuan"` // of both
	Done      int64     `json:"done"`         // paid, with the invoice handled
}

// PublicList is what a city shows of a season's refunds by company: once a settlement of it was approved, and from the legal
// day on what was not paid, settled or not.
func (s *Service) PublicList(ctx context.Context, city int, season string) ([]Published, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Published, error) {
		all, err := settlementsOf(ctx, tx, city, season)
		if err != nil {
			return nil, err
		}
		by := map[string]*Published{}
		line := func(company string) *Published {
			if by[company] == nil {
				by[company] = &Published{Company: company}
			}
			return by[company]
		}
		for _, x := range all {
			if x.State != Approved && x.State != Ordered {
				continue
			}
			totals, err := totalsOf(ctx, tx, city, x.ID)
			if err != nil {
				return nil, err
			}
			for _, t := range totals { // the latest approved one counts for what was assessed
				p := line(t.Company)
				p.Claims, p.Counted, p.Assessed, p.Approved = t.Claims, t.Counted, t.Amount, p.Approved+t.Payable
			}
		}
		sums, err := sumPayouts(ctx, tx, city, season, tx.Now.Date())
		if err != nil {
			return nil, fmt.Errorf("total the orders to pay: %w", err)
		}
		for _, x := range sums {
			p := line(x.Company)
			p.Paid, p.SetOff, p.Unclaimed, p.Done = x.Paid, x.SetOff, x.Unclaimed, x.Done
		}
		err = lateOnes(ctx, tx, city, season, tx.Now.Date(), func(r lateRow) error {
			p := line(r.Company)
			if p.Late += r.Net; r.Ordered {
				p.Overdue++
			} else {
				p.Unsettled++
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		out := make([]Published, 0, len(by))
		for _, p := range by {
			out = append(out, *p)
		}
		slices.SortFunc(out, func(a, b Published) int { return strings.Compare(a.Company, b.Company) })
		return out, nil
	})
}
