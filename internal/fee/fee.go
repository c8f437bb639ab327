// Package fee knows what a household owes for a season's heat and what was paid: the sum that a refund is a share of.
//
// A company sends its bills as a list; an amount that it sent is never replaced by a computed one. Where only the area and
// the price class are known, the bill follows from the city's pack: a price per square metre for the season, the month or
// the day, a basic part beside a metered one, a lower price for low incomes, a share of it for a home whose heat was
// stopped. Invariants: sums are whole fen, rounded once; areas and prices stay exact decimals; what the pack or the list
// does not say is named as missing and never guessed; a price that still waits for the city's approval marks the bill
// as provisional.
package fee

import (
	"fmt"
	"regexp"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/text"
)

// Row is a line of the list of bills as kept. An absent amount is computed, an absent payment is not known.
type Row struct {
	place.Edition
	Account    string        `db:"account"`
	Season     string        `db:"season"`
	AreaM2     string        `db:"billed_area_m2"`
	PriceClass string        `db:"price_class"`
	Amount     *money.Fen    `db:"amount_fen"`
	Paid       *money.Fen    `db:"paid_fen"`
	PaidAt     civil.Instant `db:"paid_at"`
}

// KeyOf is the key of a bill in its list.
func KeyOf(account, season string) string { return account + "|" + season }

// Values are what a row says, for place.Service.SumOf.
func (r Row) Values() []string {
	sum := func(f *money.Fen) string {
		if f == nil {
			return ""
		}
		return f.Yuan()
	}
	return []string{r.Account, r.Season, r.AreaM2, r.PriceClass, sum(r.Amount), sum(r.Paid), r.PaidAt.String()}
}

// Origin says where the amount of a bill comes from.
type Origin string

// The origins. A bill without an amount has none.
const (
	Imported Origin = "imported" // the company's list, or the counter
	Computed Origin = "computed" // from area, class and the pack's price
)

// Bill is what a household owes and paid for a season, and how the sum came about.
type Bill struct {
	Account     string             `json:"account"`
	Season      string             `json:"season"`
	Company     string             `json:"company,omitempty"`
	AreaM2      string             `json:"billed_area_m2"`
	PriceClass  string             `json:"price_class"`          // the pack's code where it has one, else what the list says
	Price       string             `json:"price_yuan,omitempty"` // for a square metre, as Per says
	Per         citypack.PriceUnit `json:"per,omitempty"`
	Metered     bool               `json:"metered"`
	Suspended   bool               `json:"suspended"`
	Amount      *money.Fen         `json:"amount_yuan"`          // null: not known and not computable
	Basic       *money.Fen         `json:"basic_yuan,omitempty"` // of a two-part price
	Origin      Origin             `json:"origin,omitempty"`
	Provisional bool               `json:"provisional"` // the price waits for the city's approval
	Paid        *money.Fen         `json:"paid_yuan"`
	PaidAt      civil.Instant      `json:"paid_at"`
	Credits     []CreditLine       `json:"credits,omitempty"` // refunds of earlier seasons set against this bill
	Credited    money.Fen          `json:"credited_yuan"`     // the sum of what the bill takes of them
	CreditLeft  money.Fen          `json:"credit_left_yuan"`  // what of them stays for the bills after it
	SetOff      money.Fen          `json:"set_off_yuan"`      // refunds of this season that went against what was owed of it
	Due         *money.Fen         `json:"due_yuan"`          // still to pay; below zero: paid too much; null: not known
	Term        Term               `json:"term"`
	Meters      []Metering         `json:"meters,omitempty"` // what heat meters counted
	Lines       []Line             `json:"lines,omitempty"`  // what the amount is the sum of
	Missing     []string           `json:"missing,omitempty"`
	Explain     []text.Message     `json:"explain,omitempty"`
	Rev         string             `json:"rev"` // what Save wants to see again; empty when no list has the bill
}

// Line is one line of a bill, with the rule that it follows from.
type Line struct {
	Code        string       `json:"code"` // imported, area, height, suspended, metered
	Text        text.Message `json:"text"`
	Amount      money.Fen    `json:"amount_yuan"`
	Source      string       `json:"source,omitempty"`      // law and article
	Provisional bool         `json:"provisional,omitempty"` // the rule waits for the city's approval
}

// PaidInFull reports whether the whole bill is known to be met, by payments, credits and set-offs; unknown sums give false and false.
func (b Bill) PaidInFull() (full, known bool) {
	owed, known := b.Owed()
	switch {
	case known && owed <= 0:
		return true, true
	case !known || b.Paid == nil:
		return false, false
	}
	return false, true
}

// Term is what a household's supply contract (供用热合同) says that a bill or a refund depends on.
type Term struct {
	Account  string          `db:"account" json:"-"`
	AgreedC  *celsius.Tenths `db:"agreed_c" json:"agreed_c"`           // the temperature agreed on; null: the standard
	Contract string          `db:"contract" json:"contract,omitempty"` // its number
	HeightM  string          `db:"height_m" json:"height_m,omitempty"` // of the rooms, for a surcharge
	Version  int64           `db:"version" json:"version"`
}

// SaveInput is the input of Save: a bill kept by hand where no company sends a list.
type SaveInput struct {
	City       int           `json:"-" form:"-"`
	Account    string        `json:"account" form:"account"`
	Season     string        `json:"season" form:"season"`
	AreaM2     string        `json:"billed_area_m2" form:"billed_area_m2"`
	PriceClass string        `json:"price_class" form:"price_class"`
	AmountYuan string        `json:"amount_yuan" form:"amount_yuan"`
	PaidYuan   string        `json:"paid_yuan" form:"paid_yuan"`
	PaidAt     civil.Instant `json:"paid_at" form:"paid_at"`
	Rev        string        `json:"rev" form:"rev"`
}

// TermInput is the input of SetTerm.
type TermInput struct {
	City     int             `json:"-" form:"-"`
	Account  string          `json:"account" form:"account"`
	AgreedC  *celsius.Tenths `json:"agreed_c" form:"agreed_c"`
	Contract string          `json:"contract" form:"contract"`
	HeightM  string          `json:"height_m" form:"height_m"`
	Version  int64           `json:"version" form:"version"`
}

var (
	seasonLabel = regexp.MustCompile(`^[0-9]{4}-[0-9]{4}$`)
	plainNumber = regexp.MustCompile(`^[0-9]{1,8}(\.[0-9]{1,6})?$`)
)

// IsSeason reports whether a label names a season: "2025-2026".
func IsSeason(label string) bool {
	return seasonLabel.MatchString(label) && label == seasonFrom(firstYear(label))
}

// firstYear is the year in which a season begins, of a label that begins with four digits.
func firstYear(label string) int {
	n := 0
	for _, r := range label[:4] {
		n = 10*n + int(r-'0')
	}
	return n
}

func seasonFrom(year int) string { return fmt.Sprintf("%04d-%04d", year, year+1) }

// IsArea reports whether a text is an area that a bill can be for: a positive exact decimal.
func IsArea(s string) bool {
	if !plainNumber.MatchString(s) {
		return false
	}
	return rat(s).Sign() > 0
}

// Sum reads a sum that a list gives: yuan with at most two decimals, not negative. Empty is unknown.
func Sum(s string) (*money.Fen, bool) {
	if s == "" {
		return nil, true
	}
	f, err := money.Parse(s)
	if err != nil || f < 0 {
		return nil, false
	}
	return &f, true
}

func (in SaveInput) row() (Row, error) {
	var c fault.Check
	c.That(in.City > 0, "city", "field.required")
	c.That(in.Account != "", "account", "field.required")
	c.That(IsSeason(in.Season), "season", "fee.bad_season", "value", in.Season)
	c.That(in.AreaM2 == "" || IsArea(in.AreaM2), "billed_area_m2", "fee.bad_area", "value", in.AreaM2)
	c.That(len([]rune(in.PriceClass)) <= 60, "price_class", "field.too_long", "max", 60)
	amount, ok := Sum(in.AmountYuan)
	c.That(ok, "amount_yuan", "fee.bad_sum", "value", in.AmountYuan)
	paid, ok := Sum(in.PaidYuan)
	c.That(ok, "paid_yuan", "fee.bad_sum", "value", in.PaidYuan)
	return Row{Account: in.Account, Season: in.Season, AreaM2: in.AreaM2, PriceClass: in.PriceClass, Amount: amount, Paid: paid, PaidAt: in.PaidAt}, c.Err()
}

func (in TermInput) check() error {
	var c fault.Check
	c.That(in.Account != "", "account", "field.required")
	c.That(in.AgreedC == nil || *in.AgreedC >= 100 && *in.AgreedC <= 300, "agreed_c", "fee.bad_agreed")
	c.That(len([]rune(in.Contract)) <= 60, "contract", "field.too_long", "max", 60)
	c.That(in.HeightM == "" || IsArea(in.HeightM), "height_m", "fee.bad_height", "value", in.HeightM)
	return c.Err()
}
