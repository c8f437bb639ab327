// Package settle turns cold days into money: the claim of a household from its first failing test on, the company's
// objection, the authority's decision, the settlement of a season, the order to the bank, and the proof that it was paid.
//
// A claim holds everything that its sum follows from, so that a settlement of a million of them reads one row each and the
// explanation can be made again at any time. What always holds:
//
//   - Money goes out once. A settlement pays what a claim comes to up to its day, less what earlier settlements approved; a
//     household has one order to pay per settlement; an order goes into one file for the bank.
//   - A settlement is seen as a whole or not at all, goes on where it was cut short, and run twice is the same settlement.
//   - Only confirmed claims are paid, under a rule that the city stands by, after a second person's approval.
//   - The books balance to the fen: assessed = approved + refused + open, approved = paid + set off + owed.
//   - What concerns a whole area reaches every household of it without a request; per day the higher claim counts.
//   - Names and bank accounts are sealed; nothing personal is in a list that the public sees.
package settle

import (
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/refund"
)

// Claim is a household's refund of a season as it stands now. Amount is provisional until a settlement is approved.
type Claim struct {
	City      int           `db:"city_id" json:"-"`
	Season    string        `db:"season" json:"season"`
	Account   string        `db:"account" json:"account"`
	State     State         `db:"state" json:"state"`
	Company   string        `db:"company" json:"company"`
	Station   string        `db:"station" json:"station"`
	Area      string        `db:"area" json:"area"`
	District  string        `db:"district" json:"district"`
	Community string        `db:"community" json:"community"`
	Facts     string        `db:"facts" json:"-"` // packed events
	Basis     string        `db:"basis" json:"-"` // packed fee
	BasisMark string        `db:"basis_mark" json:"-"`
	Home      bool          `db:"home" json:"home"` // it rests on events of the home, not only of its area
	Status    refund.Status `db:"status" json:"status"`
	Amount    money.Fen     `db:"amount_fen" json:"amount_yuan"`
	Counted   int           `db:"counted" json:"counted_days"`
	Missing   string        `db:"missing" json:"missing,omitempty"` // separated by blanks
	PayBy     civil.Date    `db:"pay_by" json:"pay_by"`
	CountedTo civil.Date    `db:"counted_to" json:"-"` // the last day that the sum is reckoned up to
	Running   bool          `db:"running" json:"-"`    // it comes to more with another day
	Confirmed *money.Fen    `db:"confirmed_fen" json:"confirmed_yuan"`
	Confirm   civil.Instant `db:"confirmed_at" json:"confirmed_at"`
	Bearer    string        `db:"bearer" json:"bearer,omitempty"` // who bears it where that is not the company
	Claimed   civil.Instant `db:"claimed_at" json:"claimed_at"`
	Published civil.Instant `db:"published_at" json:"published_at"` // in an approved settlement, for the first time
	Changed   civil.Instant `db:"changed_at" json:"changed_at"`
	Version   int64         `db:"version" json:"version"`
}

// View is a claim with why: every day, every step, the objections, what was paid.
type View struct {
	Claim
	Rule       string            `json:"rule"`
	Assessment refund.Assessment `json:"-"`
	Answer     refund.AnswerLine `json:"assessment"` // the same in the form of the contract of rehu refund
	Objections []Objection       `json:"objections"`
	Areas      []Area            `json:"areas"`
	Payouts    []Payout          `json:"payouts"`
	SetOffs    []SetOff          `json:"set_offs"`
	Lates      []Late            `json:"late_charges"`
	Clocks     []clock.Clock     `json:"clocks"` // of the legal day
	Allowed    []Event           `json:"allowed"`

	ClockEntries []clock.Entry `json:"-"`
}

// Objection is what a company says against a claim, with its proof, and what the authority decided.
type Objection struct {
	City      int            `db:"city_id" json:"-"`
	ID        string         `db:"id" json:"id"`
	Season    string         `db:"season" json:"season"`
	Account   string         `db:"account" json:"account"`
	Company   string         `db:"company" json:"company"`
	Reason    string         `db:"reason" json:"reason"` // an exclusion of the rule
	From      civil.Date     `db:"from_day" json:"from"`
	To        civil.Date     `db:"to_day" json:"to"`
	Proof     string         `db:"proof" json:"proof"`
	State     ObjectionState `db:"state" json:"state"`
	Decision  string         `db:"decision" json:"decision,omitempty"`
	FiledBy   string         `db:"filed_by" json:"-"`
	Filed     civil.Instant  `db:"filed_at" json:"filed_at"`
	DecidedBy string         `db:"decided_by" json:"-"`
	Decided   civil.Instant  `db:"decided_at" json:"decided_at"`
	Version   int64          `db:"version" json:"version"`
}

// ObjectionState is where an objection stands.
type ObjectionState string

// The states of an objection.
const (
	Filed    ObjectionState = "filed"
	Accepted ObjectionState = "accepted"
	Rejected ObjectionState = "rejected"
)

// AreaKind is what befell a whole stretch of the network.
type AreaKind string

// The kinds; a stop's hours are determined by the authority (停热时长认定).
const (
	AreaStop      AreaKind = "stop"
	AreaLateStart AreaKind = "late_start"
	AreaEarlyEnd  AreaKind = "early_end"
	AreaExcluded  AreaKind = "exclusion"
)

// AreaState is where such a record stands.
type AreaState string

// The states.
const (
	Draft      AreaState = "draft"
	Determined AreaState = "determined"
	AreaVoid   AreaState = "void"
)

// Source is where a line of evidence about a stop comes from.
type Source string

// The sources (企业日志, 热力站数据, 首末次来电, 居民答复, other papers).
const (
	CompanyLog  Source = "company_log"
	StationData Source = "station_data"
	FirstCall   Source = "first_call"
	LastCall    Source = "last_call"
	Residents   Source = "residents"
	Document    Source = "document"
)

// Sources lists the sources.
func Sources() []Source {
	return []Source{CompanyLog, StationData, FirstCall, LastCall, Residents, Document}
}

// Evidence is one line of what shows when a stop began and ended.
type Evidence struct {
	Source Source        `json:"source"`
	At     civil.Instant `json:"at"`
	Note   string        `json:"note"`
}

// Area is a claim of a whole stretch: it reaches every household of it.
type Area struct {
	City         int           `db:"city_id" json:"-"`
	ID           string        `db:"id" json:"id"`
	Season       string        `db:"season" json:"season"`
	Kind         AreaKind      `db:"kind" json:"kind"`
	Station      string        `db:"station" json:"station,omitempty"`
	Zone         string        `db:"zone" json:"zone,omitempty"`
	Community    string        `db:"community" json:"community,omitempty"`
	Building     string        `db:"building" json:"building,omitempty"`
	From         civil.Instant `db:"from_at" json:"from"`
	To           civil.Instant `db:"to_at" json:"to"` // absent: not over yet
	Unauthorised *bool         `db:"unauthorised" json:"unauthorised,omitempty"`
	Reason       string        `db:"reason" json:"reason,omitempty"` // of an exclusion
	Bearer       string        `db:"bearer" json:"bearer,omitempty"` // who bears what is paid for it, where that is not the company
	Evidence     []Evidence    `db:"evidence,json" json:"evidence"`
	State        AreaState     `db:"state" json:"state"`
	After        string        `db:"spread_after" json:"-"`
	Spread       bool          `db:"spread_done" json:"spread"`
	Reached      int64         `db:"reached" json:"reached"` // households that have it
	MadeBy       string        `db:"made_by" json:"-"`
	Made         civil.Instant `db:"made_at" json:"made_at"`
	DecidedBy    string        `db:"decided_by" json:"-"`
	Decided      civil.Instant `db:"decided_at" json:"decided_at"`
	Version      int64         `db:"version" json:"version"`
}

// Hours are the determined hours of a stop, 0 while it lasts.
func (a Area) Hours() float64 {
	if a.To.IsZero() {
		return 0
	}
	return a.To.Sub(a.From).Hours()
}

// Settlement is one reckoning of a season's claims up to a day.
type Settlement struct {
	City        int             `db:"city_id" json:"-"`
	ID          string          `db:"id" json:"id"`
	No          int64           `db:"no" json:"no"`
	Season      string          `db:"season" json:"season"`
	Period      string          `db:"period" json:"period,omitempty"` // "2026-01"; empty: the whole season
	Upto        civil.Date      `db:"upto" json:"upto"`               // the last day that counts
	Rule        string          `db:"rule" json:"rule"`
	Mark        string          `db:"mark" json:"-"` // what it was reckoned from
	State       SettlementState `db:"state" json:"state"`
	After       string          `db:"after_account" json:"-"`
	Claims      int64           `db:"claims" json:"claims"` // done so far
	Total       int64           `db:"total" json:"total"`
	Provisional bool            `db:"provisional" json:"provisional"` // the rule waits for the city's approval
	PayBy       civil.Date      `db:"pay_by" json:"pay_by"`
	RunBy       string          `db:"run_by" json:"-"`
	Started     civil.Instant   `db:"started_at" json:"started_at"`
	Assessed    civil.Instant   `db:"assessed_at" json:"assessed_at"`
	ApprovedBy  string          `db:"approved_by" json:"-"`
	Approved    civil.Instant   `db:"approved_at" json:"approved_at"`
	Note        string          `db:"note" json:"note,omitempty"`
	Version     int64           `db:"version" json:"version"`
}

// Total is what a settlement comes to for one company, or for all where Company is empty.
type Total struct {
	City          int       `db:"city_id" json:"-"`
	Settlement    string    `db:"settlement" json:"-"`
	Company       string    `db:"company" json:"company"`
	Claims        int64     `db:"claims" json:"claims"`
	Confirmed     int64     `db:"confirmed" json:"confirmed"`
	NotComputable int64     `db:"not_computable" json:"not_computable"`
	Counted       int64     `db:"counted" json:"counted_days"`
	Amount        money.Fen `db:"amount_fen" json:"amount_yuan"`
	Refused       money.Fen `db:"refused_fen" json:"refused_yuan"`
	Prior         money.Fen `db:"prior_fen" json:"prior_yuan"` // approved by earlier settlements
	Payable       money.Fen `db:"payable_fen" json:"payable_yuan"`
	Open          money.Fen `db:"open_fen" json:"open_yuan"` // not confirmed yet; below zero: more was approved than is due now
}

func (t *Total) add(u Total) {
	t.Claims, t.Confirmed, t.NotComputable, t.Counted = t.Claims+u.Claims, t.Confirmed+u.Confirmed, t.NotComputable+u.NotComputable, t.Counted+u.Counted
	t.Amount, t.Refused, t.Prior, t.Payable, t.Open = t.Amount+u.Amount, t.Refused+u.Refused, t.Prior+u.Prior, t.Payable+u.Payable, t.Open+u.Open
}

// Line is what a settlement says of one claim.
type Line struct {
	City       int           `db:"city_id" json:"-"`
	Settlement string        `db:"settlement" json:"-"`
	Account    string        `db:"account" json:"account"`
	Company    string        `db:"company" json:"company"`
	Status     refund.Status `db:"status" json:"status"`
	Confirmed  bool          `db:"confirmed" json:"confirmed"`
	Counted    int           `db:"counted" json:"counted_days"`
	Amount     money.Fen     `db:"amount_fen" json:"amount_yuan"`
	Refused    money.Fen     `db:"refused_fen" json:"refused_yuan"`
	Prior      money.Fen     `db:"prior_fen" json:"prior_yuan"`
	Payable    money.Fen     `db:"payable_fen" json:"payable_yuan"`
	Open       money.Fen     `db:"open_fen" json:"open_yuan"`
}

// split divides what a claim comes to: refused, approved before, payable now, open. Nothing is lost between them.
func (l *Line) split(state State) {
	switch {
	case state == Refused:
		l.Refused = l.Amount - l.Prior
	case l.Confirmed && l.Status == refund.Computed && l.Amount > l.Prior:
		l.Payable = l.Amount - l.Prior
	default:
		l.Open = l.Amount - l.Prior
	}
}

// Method is how an order to pay is met.
type Method string

// The methods. Where nobody chose, nothing is paid until somebody does.
const (
	ByBank   Method = "bank"
	ByCredit Method = "credit"  // 抵下季
	BySetOff Method = "set_off" // wholly against arrears
)

// PayeeKind is who gets the money.
type PayeeKind string

// The payees.
const (
	Payer         PayeeKind = "payer"
	Holder        PayeeKind = "holder"
	Employer      PayeeKind = "employer"
	SubsidyOffice PayeeKind = "subsidy_office"
)

// Invoice is what became of the invoice for the full fee.
type Invoice string

// The states of an invoice. A refund is done only once it is handled.
const (
	InvoiceOpen     Invoice = "open"
	InvoiceNone     Invoice = "none"        // none was issued
	InvoiceCredit   Invoice = "credit_note" // 红字发票
	InvoiceDiscount Invoice = "discount"    // 折让 on next season's bill
)

// Payout is one order to pay a household. Names and accounts are masked.
type Payout struct {
	City       int           `db:"city_id" json:"-"`
	Settlement string        `db:"settlement" json:"settlement"`
	Account    string        `db:"account" json:"account"`
	Season     string        `db:"season" json:"season"`
	Company    string        `db:"company" json:"company"`
	Bearer     string        `db:"bearer" json:"bearer,omitempty"`
	Amount     money.Fen     `db:"amount_fen" json:"amount_yuan"`
	SetOff     money.Fen     `db:"set_off_fen" json:"set_off_yuan"` // against arrears
	Method     Method        `db:"method" json:"method,omitempty"`
	Payee      PayeeKind     `db:"payee" json:"payee,omitempty"`
	Person     string        `db:"person" json:"-"`
	Name       string        `db:"name" json:"name,omitempty"`
	Bank       string        `db:"bank" json:"bank,omitempty"`
	BankNo     string        `db:"bank_account" json:"bank_account,omitempty"`
	State      PayState      `db:"state" json:"state"`
	Batch      string        `db:"batch" json:"batch,omitempty"`
	Reason     string        `db:"reason" json:"reason,omitempty"` // why it failed or waits
	BankRef    string        `db:"bank_ref" json:"bank_ref,omitempty"`
	PayBy      civil.Date    `db:"pay_by" json:"pay_by"`
	Paid       civil.Instant `db:"paid_at" json:"paid_at"`
	Excused    string        `db:"excused" json:"excused,omitempty"` // why lateness is not the company's: the user did not come
	Invoice    Invoice       `db:"invoice" json:"invoice"`
	InvoiceNo  string        `db:"invoice_no" json:"invoice_no,omitempty"`
	Notified   civil.Instant `db:"notified_at" json:"notified_at"`
	Notice     string        `db:"notice" json:"notice,omitempty"` // the message, or the proof of another way
	ToldBy     string        `db:"told_by" json:"told_by,omitempty"`
	LatePaid   money.Fen     `db:"late_fen" json:"late_paid_yuan"` // the late charge, as far as it was paid
	LateOn     civil.Date    `db:"late_on" json:"late_paid_on"`
	LateProof  string        `db:"late_proof" json:"late_proof,omitempty"`
	PaidLate   bool          `db:"paid_late" json:"-"` // after the legal day
	Created    civil.Instant `db:"created_at" json:"created_at"`
	Version    int64         `db:"version" json:"version"`
}

// Net is what goes to the payee.
func (p Payout) Net() money.Fen { return p.Amount - p.SetOff }

// Done reports whether nothing is left to do: paid, and the invoice handled.
func (p Payout) Done() bool { return p.State == Paid && p.Invoice != InvoiceOpen }

// Batch is a file for the bank of one company.
type Batch struct {
	City     int           `db:"city_id" json:"-"`
	ID       string        `db:"id" json:"id"`
	No       int64         `db:"no" json:"no"`
	Company  string        `db:"company" json:"company"`
	Season   string        `db:"season" json:"season"`
	State    BatchState    `db:"state" json:"state"`
	Rows     int64         `db:"rows_n" json:"rows"`
	Total    money.Fen     `db:"total_fen" json:"total_yuan"`
	MadeBy   string        `db:"made_by" json:"-"`
	Made     civil.Instant `db:"made_at" json:"made_at"`
	Answered civil.Instant `db:"answered_at" json:"answered_at"`
	Version  int64         `db:"version" json:"version"`
}

// BatchState is where a bank file stands.
type BatchState string

// The states.
const (
	BatchFilling  BatchState = "filling"
	BatchReady    BatchState = "ready"
	BatchAnswered BatchState = "answered"
)

// Books are the two equations of a season: Assessed = Approved + Refused + Open, Approved = Paid + SetOff + Owed.
type Books struct {
	Company  string    `json:"company,omitempty"`
	Assessed money.Fen `json:"assessed_yuan"`
	Approved money.Fen `json:"approved_yuan"`
	Refused  money.Fen `json:"refused_yuan"`
	Open     money.Fen `json:"open_yuan"`
	Paid     money.Fen `json:"paid_yuan"`    // by bank, as credit
	SetOff   money.Fen `json:"set_off_yuan"` // against arrears
	Owed     money.Fen `json:"owed_yuan"`    // ordered or not, unclaimed among them
}

// Balanced reports whether both equations hold.
func (b Books) Balanced() bool {
	return b.Assessed == b.Approved+b.Refused+b.Open && b.Approved == b.Paid+b.SetOff+b.Owed
}

// Filter narrows the list of claims; the season is needed.
type Filter struct {
	Season    string `json:"season" form:"season"`
	State     State  `json:"state" form:"state"`
	Company   string `json:"company" form:"company"`
	Station   string `json:"station" form:"station"`
	Community string `json:"community" form:"community"`

	Account string        `json:"account" form:"account"`
	Status  refund.Status `json:"status" form:"status"` // whether the season's rule could be worked out
	Day     civil.Date    `json:"day" form:"day"`       // claimed on that day
	page.Request
}
