package bundle

import (
	"encoding/json"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/settle"
)

// What files about money hold beside chains. docs/bundle.md explains every field to whoever writes a checker of their own.
const (
	refundFormat  = "rehu-refund"
	kindHousehold = "household"
	kindSeason    = "season"
)

// Scope says what a file about money is about.
type Scope struct {
	Kind   string `json:"kind"` // household or season
	Season string `json:"season"`
	Home   string `json:"home,omitempty"` // of a household's file: its pseudonym
}

// HouseholdRequest asks for everything about the refund of one home in one season.
type HouseholdRequest struct {
	City    int     `json:"city" form:"-"`
	Season  string  `json:"season" form:"season"`
	Account string  `json:"account" form:"account"`
	Roots   []int64 `json:"roots,omitempty" form:"root"`
}

// SeasonRequest asks for all claims of a city and season.
type SeasonRequest struct {
	City     int                     `json:"city" form:"-"`
	Season   string                  `json:"season" form:"season"`
	Roots    []int64                 `json:"roots,omitempty" form:"root"`
	Progress func(done, total int64) `json:"-" form:"-"`
}

// termsLine is the rule that every sum of the file follows from, word for word, and the season.
type termsLine struct {
	Season        string               `json:"season"`
	From          civil.Instant        `json:"from"`
	To            civil.Instant        `json:"to"`
	Days          int                  `json:"days"` // whole days of the season, 0 where that leaves a rest
	StatutoryDays int                  `json:"statutory_days"`
	Rule          *citypack.RefundRule `json:"rule"` // null: none is known
	Provisional   bool                 `json:"provisional"`
	Approval      *citypack.Approval   `json:"approval"`
	LateRates     map[string]string    `json:"late_rates,omitzero"` // by company: what its contracts charge a day for a late refund; absent in files of before
}

// plan makes the rule ready; nil without a rule.
func (t termsLine) plan() *refund.Plan {
	if t.Rule == nil {
		return nil
	}
	return refund.Compile(*t.Rule, refund.Options{Provisional: t.Provisional, SeasonDays: t.StatutoryDays})
}

// homeLine says where a household's home is, as far as whoever exported it may know.
type homeLine struct {
	Home      string `json:"home"`
	Account   string `json:"account"`
	Company   string `json:"company"`
	Station   string `json:"station"`
	District  string `json:"district"`
	Community string `json:"community"`
	Building  string `json:"building,omitempty"`
	Unit      string `json:"unit,omitempty"`
	Room      string `json:"room,omitempty"`
	Bill      bill   `json:"bill"`
}

// bill is the bill of the season as it stood when the file was written.
type bill struct {
	AreaM2     string          `json:"billed_area_m2"`
	PriceClass string          `json:"price_class"`
	Price      string          `json:"price_yuan,omitempty"`
	Per        string          `json:"per,omitempty"`
	Metered    bool            `json:"metered"`
	Suspended  bool            `json:"suspended"`
	Amount     *money.Fen      `json:"amount_yuan"`
	Basic      *money.Fen      `json:"basic_yuan"`
	Paid       *money.Fen      `json:"paid_yuan"`
	Credited   money.Fen       `json:"credited_yuan,omitempty"` // refunds of earlier seasons that the bill takes
	Origin     string          `json:"origin,omitempty"`
	AgreedC    *celsius.Tenths `json:"agreed_c"` // by the contract
}

func billOf(b fee.Bill) bill {
	return bill{
		AreaM2: b.AreaM2, PriceClass: b.PriceClass, Price: b.Price, Per: string(b.Per), Metered: b.Metered, Suspended: b.Suspended, Amount: b.Amount,
		Basic: b.Basic, Paid: b.Paid, Credited: b.Credited, Origin: string(b.Origin), AgreedC: b.Term.AgreedC,
	}
}

func (b bill) read() fee.Bill {
	return fee.Bill{
		AreaM2: b.AreaM2, PriceClass: b.PriceClass, Price: b.Price, Per: citypack.PriceUnit(b.Per), Metered: b.Metered, Suspended: b.Suspended, Amount: b.Amount,
		Basic: b.Basic, Paid: b.Paid, Credited: b.Credited, Term: fee.Term{AgreedC: b.AgreedC},
	}
}

// settlementLine is one settlement of the season that is seen.
type settlementLine struct {
	No       int64                  `json:"no"`
	Period   string                 `json:"period,omitempty"`
	Upto     civil.Date             `json:"upto"`
	Rule     string                 `json:"rule"`
	State    settle.SettlementState `json:"state"`
	Current  bool                   `json:"current"`
	Assessed civil.Instant          `json:"assessed_at"`
	Approved civil.Instant          `json:"approved_at"`
	PayBy    civil.Date             `json:"pay_by"`
}

func (s settlementLine) given() bool { return s.State == settle.Approved || s.State == settle.Ordered }

// claimLine is one household's refund: what it follows from, what it comes to, and what became of it.
type claimLine struct {
	No      int64         `json:"no"` // counts the claims of the file from 1
	Home    string        `json:"home"`
	Company string        `json:"company"`
	Station string        `json:"station"`
	State   settle.State  `json:"state"`
	Claimed civil.Instant `json:"claimed_at"`
	Changed civil.Instant `json:"changed_at"`
	From    civil.Date    `json:"runs_from,omitzero"` // the day from which the time to pay runs, where the rule lets it run from a day of the claim

	Fee     refund.Fee      `json:"fee"`
	AgreedC *celsius.Tenths `json:"agreed_c"`
	Events  []refund.Event  `json:"events"`
	Upto    civil.Date      `json:"assess_to"`
	Stale   bool            `json:"stale"` // the rule or a list is newer than the sums: the next settlement reckons them anew

	Status  refund.Status `json:"status"`
	Amount  money.Fen     `json:"amount_yuan"`
	Counted int           `json:"counted_days"`
	PayBy   civil.Date    `json:"pay_by"`
	Missing string        `json:"missing,omitempty"`

	Settled []settledLine   `json:"settled"`
	Payouts []payoutLine    `json:"payouts"`
	SetOffs []setOffLine    `json:"set_offs,omitempty"`
	Lates   []lateLine      `json:"late_charges,omitempty"`
	Why     json.RawMessage `json:"assessment,omitempty"` // of a household's file: the answer of rehu refund, with every day and step
	Objects []objectionLine `json:"objections,omitempty"`
	Areas   []areaLine      `json:"areas,omitempty"`
}

// settledLine is what a settlement said of a claim. The sums add up: amount = refused + prior + payable + open.
type settledLine struct {
	Settlement int64         `json:"settlement"` // its number
	Company    string        `json:"company"`
	Status     refund.Status `json:"status"`
	Confirmed  bool          `json:"confirmed"`
	Counted    int           `json:"counted_days"`
	Amount     money.Fen     `json:"amount_yuan"`
	Refused    money.Fen     `json:"refused_yuan"`
	Prior      money.Fen     `json:"prior_yuan"`
	Payable    money.Fen     `json:"payable_yuan"`
	Open       money.Fen     `json:"open_yuan"`
	Same       bool          `json:"same"` // the claim still is what the settlement saw, so that its sum can be recomputed
}

// payoutLine is an order to pay. Payee and account are left out.
type payoutLine struct {
	Settlement int64           `json:"settlement"`
	Company    string          `json:"company"`
	Amount     money.Fen       `json:"amount_yuan"`
	SetOff     money.Fen       `json:"set_off_yuan"`
	Method     settle.Method   `json:"method,omitempty"`
	State      settle.PayState `json:"state"`
	PayBy      civil.Date      `json:"pay_by"`
	Paid       civil.Instant   `json:"paid_at"`
	Excused    bool            `json:"excused,omitempty"` // lateness is the user's own
	Invoice    settle.Invoice  `json:"invoice"`
	Proof      string          `json:"proof,omitempty"` // salted hash of the bank's reference
}

// setOffLine is what allows that arrears are set off: the household's agreement, or the article of the law. Who agreed is a
// salted hash, as is the paper.
type setOffLine struct {
	Amount  money.Fen          `json:"amount_yuan"`
	Ground  settle.Ground      `json:"ground"`
	Article string             `json:"article,omitempty"`
	On      civil.Date         `json:"on"`
	State   settle.SetOffState `json:"state"`
	Made    civil.Instant      `json:"made_at"`
	Who     string             `json:"who,omitempty"`
	Proof   string             `json:"proof,omitempty"`
}

// lateLine is the late charge (滞退金) of an order, or with settlement 0 of what is in none.
type lateLine struct {
	Settlement int64 `json:"settlement"`
	settle.Late
}

// objectionLine is what the company said against a claim and what the authority decided.
type objectionLine struct {
	ID       string                `json:"id"`
	Company  string                `json:"company"`
	Reason   string                `json:"reason"`
	From     civil.Date            `json:"from"`
	To       civil.Date            `json:"to"`
	State    settle.ObjectionState `json:"state"`
	Filed    civil.Instant         `json:"filed_at"`
	Decided  civil.Instant         `json:"decided_at"`
	Proof    string                `json:"proof,omitempty"`    // salted hash
	Decision string                `json:"decision,omitempty"` // salted hash
}

// areaLine is a determination that reached the home.
type areaLine struct {
	ID   string          `json:"id"`
	Kind settle.AreaKind `json:"kind"`
	From civil.Instant   `json:"from"`
	To   civil.Instant   `json:"to"`
}

// totalLine is what a settlement comes to for one company.
type totalLine struct {
	Settlement    int64     `json:"settlement"`
	Company       string    `json:"company"`
	Claims        int64     `json:"claims"`
	Confirmed     int64     `json:"confirmed"`
	NotComputable int64     `json:"not_computable"`
	Counted       int64     `json:"counted_days"`
	Amount        money.Fen `json:"amount_yuan"`
	Refused       money.Fen `json:"refused_yuan"`
	Prior         money.Fen `json:"prior_yuan"`
	Payable       money.Fen `json:"payable_yuan"`
	Open          money.Fen `json:"open_yuan"`
}

// booksLine are the two equations of the season: assessed = approved + refused + open, approved = paid + set off + owed.
type booksLine struct {
	Assessed money.Fen `json:"assessed_yuan"`
	Approved money.Fen `json:"approved_yuan"`
	Refused  money.Fen `json:"refused_yuan"`
	Open     money.Fen `json:"open_yuan"`
	Paid     money.Fen `json:"paid_yuan"`
	SetOff   money.Fen `json:"set_off_yuan,omitempty"`
	Owed     money.Fen `json:"owed_yuan"`
	Late     money.Fen `json:"late_charge_yuan,omitempty"` // up to the day of the file
}

func booksOf(b settle.Books) booksLine {
	return booksLine{Assessed: b.Assessed, Approved: b.Approved, Refused: b.Refused, Open: b.Open, Paid: b.Paid, SetOff: b.SetOff, Owed: b.Owed}
}

func (b booksLine) balanced() bool {
	return b.Assessed == b.Approved+b.Refused+b.Open && b.Approved == b.Paid+b.SetOff+b.Owed
}
