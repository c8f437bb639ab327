package settle

import (
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/refund"
)

// Late is what lateness of an order, or of a claim that is in none, costs the company (滞退金): the sum times the rate that its
// contracts give, for each day after the legal one.
type Late struct {
	Settlement string     `json:"-"` // absent: what is in no order to pay
	Net        money.Fen  `json:"net_yuan"`
	PayBy      civil.Date `json:"pay_by"`
	Upto       civil.Date `json:"upto"` // the day of payment, or today
	Days       int        `json:"days"`
	Rate       string     `json:"rate,omitempty"` // a day; absent: the contract's rate is not kept, so that there is no sum
	Excused    bool       `json:"excused"`        // the user is the cause, and the law excepts that
	Charge     money.Fen  `json:"charge_yuan"`
	Paid       money.Fen  `json:"paid_yuan,omitempty"` // of the charge
	PaidOn     civil.Date `json:"paid_on,omitzero"`
}

// Owed is what is left of the charge.
func (l Late) Owed() money.Fen { return max(0, l.Charge-l.Paid) }

// paidLate reports whether an order was paid after the legal day.
func (p Payout) paidLate() bool {
	return p.State == Paid && !p.PayBy.IsZero() && p.Paid.Date().After(p.PayBy)
}

// late is the charge of an order up to its payment, or to today.
func (p Payout) late(plan *refund.Plan, rate string, today civil.Date) (Late, bool) {
	upto := today
	if p.State == Paid {
		upto = p.Paid.Date()
	}
	l := Late{Settlement: p.Settlement, Net: p.Net(), PayBy: p.PayBy, Upto: upto, Excused: p.Excused != "", Paid: p.LatePaid, PaidOn: p.LateOn}
	return LateOf(plan, rate, l)
}

// LateOf reckons one; false where the rule has no such charge, nothing is late or nothing is to be paid.
func LateOf(plan *refund.Plan, rate string, l Late) (Late, bool) {
	if plan == nil || plan.Rule().LateCharge == nil || l.PayBy.IsZero() || !l.Upto.After(l.PayBy) || l.Net <= 0 {
		return l, false
	}
	l.Days, l.Rate, l.Charge = l.PayBy.DaysUntil(l.Upto), rate, 0
	if q, err := refund.ParseQuantity(rate); err == nil {
		l.Charge = plan.LateCharge(l.Net, l.PayBy, l.Upto, q, l.Excused)
	}
	return l, true
}

// lates are the late charges of a claim up to a day: of each order, and of what is in none.
func lates(plan *refund.Plan, rates map[string]string, c Claim, orders []Payout, today civil.Date) []Late {
	var out []Late
	var ordered money.Fen
	for _, p := range orders {
		ordered += p.Amount
		if l, ok := p.late(plan, rates[p.Company], today); ok {
			out = append(out, l)
		}
	}
	if (c.State == Open || c.State == Confirmed) && c.Status == refund.Computed {
		if l, ok := LateOf(plan, rates[c.Company], Late{Net: c.Amount - ordered, PayBy: c.PayBy, Upto: today}); ok {
			out = append(out, l)
		}
	}
	return out
}

// LateInput is the input of NoteLatePayment: Amount is the whole charge of the order.
type LateInput struct {
	City       int        `json:"-" form:"-"`
	Settlement string     `json:"-" form:"-"`
	Account    string     `json:"-" form:"-"`
	Amount     money.Fen  `json:"amount_yuan" form:"amount_yuan"`
	On         civil.Date `json:"on" form:"on"`
	Proof      string     `json:"proof" form:"proof"` // the number of the transfer, or the receipt
	Version    int64      `json:"version" form:"version"`
}

func (in LateInput) check(today civil.Date) error {
	var c fault.Check
	c.That(in.Amount > 0, "amount_yuan", "field.required")
	c.That(!in.On.IsZero(), "on", "field.required")
	c.That(!in.On.After(today), "on", "settle.paid_in_future")
	c.That(in.Proof != "", "proof", "settle.proof_needed")
	c.That(len([]rune(in.Proof)) <= 200, "proof", "field.too_long", "max", 200)
	return c.Err()
}
