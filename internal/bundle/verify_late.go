package bundle

import (
	"fmt"

	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/settle"
)

// offset checks that nothing is set off against arrears without an agreement, or a right that the rule gives, to the sum; in a
// household's file also that it is no more than the bill leaves unpaid.
func (v *verifier) offset(at Problem, c *claimLine) {
	var agreed, used money.Fen
	for i, x := range c.SetOffs {
		at.Field = fmt.Sprintf("set_offs.%d.", i)
		switch x.Ground {
		case settle.ByConsent:
			if x.Who == "" || x.Proof == "" || x.On.IsZero() {
				at.Field += "who"
				v.problem(at, "bundle.set_off_bare", "home", c.Home)
			}
		case settle.ByLaw:
			article := ""
			if r := v.money.terms.Rule; r != nil && r.SetOff != nil {
				article = r.SetOff.Article
			}
			if article == "" || article != x.Article {
				at.Field += "article"
				v.differs(at, article, x.Article)
			}
		case settle.Earlier:
		default:
			at.Field += "ground"
			v.differs(at, settle.ByConsent, x.Ground)
		}
		if x.State == settle.Agreed {
			agreed += x.Amount
		}
	}
	for _, p := range c.Payouts {
		used += p.SetOff
	}
	if used > agreed {
		at.Field = "set_offs"
		v.differs(at, used, agreed)
	}
	h := v.money.deed.home
	if h == nil || used == 0 || c.Stale {
		return
	}
	if b, err := settle.BasisOf(h.Bill.read()); err == nil && used > b.Arrears {
		at.Field = "payouts.set_off_yuan"
		v.differs(at, b.Arrears, used)
	}
}

// late recomputes the late charges of a claim: the sum that was late, its days, the rate, and the exception.
func (v *verifier) late(at Problem, c *claimLine) {
	if v.money.terms.LateRates == nil && len(c.Lates) == 0 {
		return // written before late charges stood in the file
	}
	day := v.report.Header.At.Date()
	var want []lateLine
	add := func(company string, l lateLine) {
		var ok bool
		if l.Late, ok = settle.LateOf(v.money.plan, v.money.terms.LateRates[company], l.Late); ok {
			want = append(want, l)
		}
	}
	var ordered money.Fen
	for _, l := range c.Lates {
		v.money.sum.Late += l.Charge
	}
	for _, p := range c.Payouts {
		ordered += p.Amount
		l := lateLine{Settlement: p.Settlement, Late: settle.Late{Net: p.Amount - p.SetOff, PayBy: p.PayBy, Upto: day, Excused: p.Excused}}
		if p.State == settle.Paid {
			l.Upto = p.Paid.Date()
		}
		add(p.Company, l)
	}
	if (c.State == settle.Open || c.State == settle.Confirmed) && c.Status == refund.Computed {
		add(c.Company, lateLine{Late: settle.Late{Net: c.Amount - ordered, PayBy: c.PayBy, Upto: day}})
	}
	if len(want) != len(c.Lates) {
		at.Field = "late_charges"
		v.differs(at, len(want), len(c.Lates))
		return
	}
	for i, w := range want {
		h := c.Lates[i]
		for _, f := range []struct {
			name       string
			want, have any
		}{
			{"settlement", w.Settlement, h.Settlement},
			{"net_yuan", w.Net, h.Net},
			{"pay_by", w.PayBy, h.PayBy},
			{"upto", w.Upto, h.Upto},
			{"days", w.Days, h.Days},
			{"rate", w.Rate, h.Rate},
			{"excused", w.Excused, h.Excused},
			{"charge_yuan", w.Charge, h.Charge},
		} {
			if f.want != f.have {
				at.Field = fmt.Sprintf("late_charges.%d.%s", i, f.name)
				v.differs(at, f.want, f.have)
			}
		}
		if h.Paid < 0 || h.Paid > 0 && !h.PaidOn.After(h.PayBy) {
			at.Field = fmt.Sprintf("late_charges.%d.paid_yuan", i)
			v.differs(at, w.Charge, h.Paid)
		}
	}
}
