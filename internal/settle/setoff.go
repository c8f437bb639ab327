package settle

import (
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
)

// Ground is what arrears may be set off against a refund for.
type Ground string

// The grounds.
const (
	ByConsent Ground = "consent" // the household agreed
	ByLaw     Ground = "law"     // the city's rule gives the company the right
	Earlier   Ground = "earlier" // set off before agreements were kept
)

// SetOffState is where an agreement stands.
type SetOffState string

// The states.
const (
	Agreed    SetOffState = "agreed"
	Withdrawn SetOffState = "withdrawn"
)

// SetOff is what allows that part of a refund goes against arrears: without one a refund is paid in full. Who is masked.
type SetOff struct {
	City    int           `db:"city_id" json:"-"`
	ID      string        `db:"id" json:"id"`
	Season  string        `db:"season" json:"season"`
	Account string        `db:"account" json:"account"`
	Company string        `db:"company" json:"company"`
	Amount  money.Fen     `db:"amount_fen" json:"amount_yuan"`
	Ground  Ground        `db:"ground" json:"ground"`
	Article string        `db:"article" json:"article,omitempty"` // of the law that gives the right
	On      civil.Date    `db:"agreed_on" json:"on"`
	Person  string        `db:"person" json:"-"`
	Who     string        `db:"who" json:"who,omitempty"`
	Proof   string        `db:"proof" json:"proof,omitempty"`
	State   SetOffState   `db:"state" json:"state"`
	Reason  string        `db:"reason" json:"reason,omitempty"` // of a withdrawal
	MadeBy  string        `db:"made_by" json:"-"`
	Made    civil.Instant `db:"made_at" json:"made_at"`
	Version int64         `db:"version" json:"version"`
}

// SetOffInput is the input of AgreeSetOff.
type SetOffInput struct {
	City    int        `json:"-" form:"-"`
	Season  string     `json:"-" form:"-"`
	Account string     `json:"-" form:"-"`
	Ground  Ground     `json:"ground" form:"ground"`
	Amount  money.Fen  `json:"amount_yuan" form:"amount_yuan"`
	On      civil.Date `json:"on" form:"on"`
	Who     string     `json:"who" form:"who"`     // who agreed, by name
	Proof   string     `json:"proof" form:"proof"` // the paper that shows it
	Key     string     `json:"-" form:"-"`         // idempotency
}

func (in SetOffInput) check(today civil.Date) error {
	var c fault.Check
	c.That(known([]Ground{ByConsent, ByLaw}, in.Ground), "ground", "field.required")
	c.That(in.Amount > 0, "amount_yuan", "settle.set_off_nothing")
	c.That(!in.On.IsZero(), "on", "field.required")
	c.That(!in.On.After(today), "on", "settle.set_off_ahead")
	c.That(in.Ground == ByLaw || in.Who != "", "who", "field.required")
	c.That(in.Ground == ByLaw || in.Proof != "", "proof", "settle.proof_needed")
	c.That(len([]rune(in.Who)) <= 100, "who", "field.too_long", "max", 100)
	c.That(len([]rune(in.Proof)) <= 1000, "proof", "field.too_long", "max", 1000)
	return c.Err()
}

// offset is how a household's arrears and its agreements stand in a season.
type offset struct {
	arrears money.Fen // as the bill says
	agreed  money.Fen // by agreements that hold
	used    money.Fen // by orders to pay
}

// rest is what may still be set off: agreed, and owed.
func (o offset) rest() money.Fen { return max(0, min(o.agreed, o.arrears)-o.used) }

// allowed is how much more may be agreed: no more than the arrears, and no more than what is still to be paid.
func (o offset) allowed(c Claim, orders []Payout) (byArrears, byRefund money.Fen) {
	open := c.Amount
	for _, p := range orders {
		switch p.State {
		case Paid, InFile:
			open -= p.Amount
		case Due, Failed, Unclaimed:
			open -= p.SetOff
		}
	}
	return max(0, o.arrears-max(o.agreed, o.used)), max(0, open-max(0, o.agreed-o.used))
}

// rightOf is the law's right to set off; nothing where the rule says none.
func (t terms) rightOf() *citypack.SetOffRight {
	if t.plan == nil {
		return nil
	}
	return t.plan.Rule().SetOff
}
