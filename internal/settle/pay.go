package settle

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/place"
)

// Payee is who gets a household's money, where and how, masked.
type Payee struct {
	City    int           `db:"city_id" json:"-"`
	Account string        `db:"account" json:"account"`
	Kind    PayeeKind     `db:"kind" json:"kind"`
	Person  string        `db:"person" json:"-"`
	Name    string        `db:"name" json:"name"`
	Bank    string        `db:"bank" json:"bank"`
	BankNo  string        `db:"bank_account" json:"bank_account"`
	Choice  Method        `db:"choice" json:"choice"`
	Consent bool          `db:"consent" json:"consent"` // to the credit on next season's bill
	Changed civil.Instant `db:"changed_at" json:"changed_at"`
	Version int64         `db:"version" json:"version"`
}

// PayeeInput is the input of SetPayee; version 0 for the first time.
type PayeeInput struct {
	City    int       `json:"-" form:"-"`
	Account string    `json:"-" form:"-"`
	Kind    PayeeKind `json:"kind" form:"kind"`
	Name    string    `json:"name" form:"name"`
	Bank    string    `json:"bank" form:"bank"`
	BankNo  string    `json:"bank_account" form:"bank_account"`
	Choice  Method    `json:"choice" form:"choice"`
	Consent bool      `json:"consent" form:"consent"`
	Version int64     `json:"version" form:"version"`
}

func (in PayeeInput) check() error {
	var c fault.Check
	c.That(in.Account != "", "account", "field.required")
	c.That(known([]PayeeKind{Payer, Holder, Employer, SubsidyOffice}, in.Kind), "kind", "field.required")
	c.That(known([]Method{ByBank, ByCredit}, in.Choice), "choice", "field.required")
	c.That(in.Choice != ByCredit || in.Consent, "consent", "settle.consent_needed")
	c.That(in.Choice != ByBank || in.Name != "", "name", "field.required")
	c.That(in.Choice != ByBank || IsBankAccount(in.BankNo), "bank_account", "settle.bad_account")
	c.That(len([]rune(in.Name)) <= 100, "name", "field.too_long", "max", 100)
	c.That(len([]rune(in.Bank)) <= 100, "bank", "field.too_long", "max", 100)
	return c.Err()
}

// IsBankAccount checks a bank account number: digits, and for a UnionPay card its check digit.
func IsBankAccount(s string) bool {
	s = strings.ReplaceAll(s, " ", "")
	if len(s) < 8 || len(s) > 32 || strings.Trim(s, "0123456789") != "" {
		return false
	}
	return !strings.HasPrefix(s, "62") || len(s) < 16 || len(s) > 19 || luhn(s)
}

func luhn(s string) bool {
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// meet decides how an order to pay is met: what may be set off against arrears first, then what the household chose. Nobody
// chose: the money is unclaimed until somebody does.
func (p *Payout) meet(to Payee, setOff money.Fen, now civil.Instant) {
	p.Payee, p.Person, p.Name, p.Bank, p.BankNo = to.Kind, to.Person, to.Name, to.Bank, to.BankNo
	p.State, p.Reason, p.SetOff, p.Paid = Due, "", max(0, min(setOff, p.Amount)), 0
	switch {
	case p.Net() == 0:
		p.Method, p.State, p.Paid = BySetOff, Paid, now
	case to.Choice == ByCredit && to.Consent:
		p.Method, p.State, p.Paid = ByCredit, Paid, now
	case to.Choice == ByBank && to.BankNo != "":
		p.Method = ByBank
	default:
		p.Method, p.State, p.Reason = "", Unclaimed, "settle.no_payee"
	}
}

// refOf names an order to pay in a file for the bank.
func refOf(no int64, account string) string { return strconv.FormatInt(no, 10) + "-" + account }

// control is the check of a bank file: how many, how much, and a hash over every row.
type control struct {
	rows  int64
	total money.Fen
	sum   hash.Hash
}

func newControl() *control { return &control{sum: sha256.New()} }

func (c *control) add(ref, name, bank, account string, amount money.Fen) {
	c.rows, c.total = c.rows+1, c.total+amount
	fmt.Fprintf(c.sum, "%s\t%s\t%s\t%s\t%d\n", ref, name, bank, account, int64(amount))
}

func (c *control) hash() string { return hex.EncodeToString(c.sum.Sum(nil)) }

// firstNumber is the first telephone of a cell with several that can be dialled.
func firstNumber(cell string) string {
	for _, n := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(";；、,，/ ", r) }) {
		if place.MayDial(n) {
			return n
		}
	}
	return cell
}
