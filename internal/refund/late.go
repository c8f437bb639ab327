package refund

import (
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/money"
)

// LateCharge is what a company owes on top of a refund that it pays late (滞退金): the refund times the contract's rate a
// day, in ten-thousandths, for each day after the last day to pay. It is nothing where the rule has no such charge, and
// where the user is the cause that the refund was not collected.
func (p *Plan) LateCharge(refund money.Fen, payBy, paid civil.Date, rate Quantity, userCause bool) money.Fen {
	if p.rule.LateCharge == nil || userCause && p.rule.LateCharge.Except != nil || payBy.IsZero() || !paid.After(payBy) || rate <= 0 {
		return 0
	}
	days := int64(payBy.DaysUntil(paid))
	sum := whole(int64(refund)).mul(over(int64(rate), quantityOne)).mul(whole(days))
	return money.Fen(sum.round(p.rule.Rounding))
}
