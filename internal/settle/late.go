package settle

import (
	"github.com/rehu-heat/rehu/internal/civil"
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
func lates(plan *refund.Plan, rate string, c Claim, orders []Payout, today civil.Date) []Late {
	var out []Late
	var ordered money.Fen
	add := func(l Late) {
		if l, ok := LateOf(plan, rate, l); ok {
			out = append(out, l)
		}
	}
	for _, p := range orders {
		ordered += p.Amount
		upto := today
		if p.State == Paid {
			upto = p.Paid.Date()
		}
		add(Late{Settlement: p.Settlement, Net: p.Net(), PayBy: p.PayBy, Upto: upto, Excused: p.Excused != ""})
	}
	if (c.State == Open || c.State == Confirmed) && c.Status == refund.Computed {
		add(Late{Net: c.Amount - ordered, PayBy: c.PayBy, Upto: today})
	}
	return out
}
