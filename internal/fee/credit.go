package fee

import (
	"cmp"
	"slices"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/money"
)

// Credit is a refund that a household chose to have set against next season's bill (抵下季) instead of paid out. It follows
// from the order to pay alone and is nowhere copied, so that no second settlement and no later list of bills can give it
// twice or lose it.
type Credit struct {
	Account    string        `json:"-"`
	Settlement string        `json:"settlement"`
	Ref        string        `json:"ref"`    // the number of the order to pay
	Season     string        `json:"season"` // of the refund
	Company    string        `json:"company,omitempty"`
	Amount     money.Fen     `json:"amount_yuan"`
	At         civil.Instant `json:"at"`
}

// CreditLine is what a bill has of a credit: what was left of it before the bill, and what the bill takes.
type CreditLine struct {
	Credit
	Before money.Fen `json:"before_yuan"`
	Taken  money.Fen `json:"taken_yuan"`
	Why    string    `json:"why,omitempty"` // why nothing is taken: "unknown", "paid", "company"
}

// Left is what stays for the bills after it.
func (l CreditLine) Left() money.Fen { return l.Before - l.Taken }

// The reasons why a bill takes nothing of a credit.
const (
	whyUnknown = "unknown" // the bill's sum is not known yet
	whyPaid    = "paid"    // nothing of the bill is left to pay
	whyCompany = "company" // another company sends the bill
)

// CreditUse is what the bill of one season took of a credit.
type CreditUse struct {
	Season string    `json:"season"`
	Taken  money.Fen `json:"taken_yuan"`
}

// CreditState is where a credit stands: which bills took what of it, and what is left.
type CreditState struct {
	Credit
	Uses []CreditUse `json:"uses,omitempty"`
	Left money.Fen   `json:"left_yuan"`
	Why  string      `json:"why,omitempty"` // of what is left
}

// NextSeason is the label of the season after one.
func NextSeason(label string) string { return seasonFrom(firstYear(label) + 1) }

// Owed is what is still to pay of a bill after payments, credits and set-offs; below zero the household has that much too much with
// the company. Nothing where the bill's sum is not known. A payment that no list names counts as none.
func (b Bill) Owed() (money.Fen, bool) {
	if b.Amount == nil {
		return 0, false
	}
	owed := *b.Amount - b.Credited - b.SetOff
	if b.Paid != nil {
		owed -= *b.Paid
	}
	return owed, true
}

// Arrears are what would be owed of a bill without any set-off: how much could be set off at all.
func (b Bill) Arrears() (money.Fen, bool) {
	owed, known := b.Owed()
	return owed + b.SetOff, known
}

// apply sets the credits of earlier seasons against a bill, the oldest first; left is what of each is still there. A bill
// takes no more than is still to pay of it, and only from the company that sends it.
func (b *Bill) apply(credits []Credit, left []money.Fen) {
	for i, c := range credits {
		if left[i] == 0 || c.Season >= b.Season {
			continue
		}
		l := CreditLine{Credit: c, Before: left[i]}
		owed, known := b.Owed()
		switch {
		case c.Company != "" && b.Company != "" && c.Company != b.Company:
			l.Why = whyCompany
		case !known:
			l.Why = whyUnknown
		case owed <= 0:
			l.Why = whyPaid
		default:
			l.Taken = min(owed, left[i])
		}
		left[i] -= l.Taken
		b.Credited, b.CreditLeft = b.Credited+l.Taken, b.CreditLeft+left[i]
		b.Credits = append(b.Credits, l)
	}
	if owed, known := b.Owed(); known {
		b.Due = &owed
	}
}

// Fold sets the credits of one household against its bills, which stand in the order of their seasons without a gap, and
// says where each credit stands after the last.
func Fold(credits []Credit, bills []Bill) []CreditState {
	credits = slices.Clone(credits)
	slices.SortFunc(credits, func(a, b Credit) int {
		return cmp.Or(cmp.Compare(a.Season, b.Season), cmp.Compare(a.At, b.At), cmp.Compare(a.Ref, b.Ref))
	})
	left, out := make([]money.Fen, len(credits)), make([]CreditState, len(credits))
	for i, c := range credits {
		left[i], out[i].Credit = c.Amount, c
	}
	for i := range bills {
		b := &bills[i]
		b.Credits, b.Credited, b.CreditLeft = nil, 0, 0
		b.apply(credits, left)
		for _, l := range b.Credits {
			j := slices.IndexFunc(credits, func(c Credit) bool { return c.Settlement == l.Settlement && c.Ref == l.Ref })
			out[j].Why = l.Why
			if l.Taken > 0 {
				out[j].Uses = append(out[j].Uses, CreditUse{b.Season, l.Taken})
			}
		}
	}
	for i := range out {
		out[i].Left = left[i]
	}
	return out
}
