package fee

import (
	"slices"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
)

// Channel is the way in which a bill was paid (缴费渠道).
type Channel string

// The channels.
const (
	AtCounter  Channel = "counter"
	ByBank     Channel = "bank" // collected by a bank
	ByTransfer Channel = "transfer"
	ByWeChat   Channel = "wechat"
	ByAlipay   Channel = "alipay"
	Otherwise  Channel = "other"
)

// Channels lists the channels.
func Channels() []Channel {
	return []Channel{AtCounter, ByBank, ByTransfer, ByWeChat, ByAlipay, Otherwise}
}

// Payer is who paid a bill (缴费人).
type Payer string

// The payers.
const (
	Holder        Payer = "holder"
	Occupant      Payer = "occupant" // who lives there: a tenant
	Employer      Payer = "employer"
	SubsidyOffice Payer = "subsidy_office"
	SomebodyElse  Payer = "other"
)

// Payers lists the payers.
func Payers() []Payer { return []Payer{Holder, Occupant, Employer, SubsidyOffice, SomebodyElse} }

// Payment is a payment that somebody at a counter entered. The bill's sum of payments holds it until it is void; a list that
// the company sends afterwards speaks for all payments again.
type Payment struct {
	City     int           `db:"city_id" json:"-"`
	ID       string        `db:"id" json:"id"`
	Account  string        `db:"account" json:"account"`
	Season   string        `db:"season" json:"season"`
	Amount   money.Fen     `db:"amount_fen" json:"amount_yuan"`
	On       civil.Date    `db:"paid_on" json:"on"`
	Channel  Channel       `db:"channel" json:"channel"`
	Payer    Payer         `db:"payer" json:"payer"`
	Person   string        `db:"person" json:"-"`
	Name     string        `db:"payer_name" json:"payer_name,omitempty"` // masked
	Receipt  string        `db:"receipt" json:"receipt,omitempty"`
	MadeBy   string        `db:"made_by" json:"-"`
	Made     civil.Instant `db:"made_at" json:"made_at"`
	VoidedBy string        `db:"voided_by" json:"-"`
	Voided   civil.Instant `db:"voided_at" json:"voided_at"`
	Reason   string        `db:"void_reason" json:"void_reason,omitempty"`
	Version  int64         `db:"version" json:"version"`
}

// PaymentInput is the input of RecordPayment. Rev is that of the bill that was seen, so that two clerks do not enter the same
// money; empty where no list has the bill yet.
type PaymentInput struct {
	City       int        `json:"-" form:"-"`
	Account    string     `json:"-" form:"-"`
	Season     string     `json:"season" form:"season"`
	AmountYuan string     `json:"amount_yuan" form:"amount_yuan"`
	On         civil.Date `json:"on" form:"on"`
	Channel    Channel    `json:"channel" form:"channel"`
	Payer      Payer      `json:"payer" form:"payer"`
	Name       string     `json:"payer_name" form:"payer_name"`
	Receipt    string     `json:"receipt" form:"receipt"`
	Rev        string     `json:"rev" form:"rev"`
	Key        string     `json:"-" form:"-"`
}

// check says what is wrong with a payment. A season's bill can be paid from the day on which the heat of the season before
// has ended; where nobody knows that day, from the first of the year in which the season begins.
func (in PaymentInput) check(today civil.Date, before citypack.Season) (money.Fen, error) {
	var c fault.Check
	amount, ok := Sum(in.AmountYuan)
	if c.That(in.AmountYuan != "", "amount_yuan", "field.required") && c.That(ok, "amount_yuan", "fee.bad_sum", "value", in.AmountYuan) {
		c.That(*amount > 0, "amount_yuan", "payment.nothing")
	}
	c.That(!in.On.IsZero(), "on", "field.required")
	c.That(!in.On.After(today), "on", "payment.future", "on", in.On.String())
	if IsSeason(in.Season) && !in.On.IsZero() {
		first := civil.NewDate(firstYear(in.Season), 1, 1)
		if !before.End.IsZero() {
			first = before.End.Date()
		}
		c.That(!in.On.Before(first), "on", "payment.too_early", "on", in.On.String(), "season", in.Season, "first", first.String())
	}
	c.That(slices.Contains(Channels(), in.Channel), "channel", "field.required")
	c.That(slices.Contains(Payers(), in.Payer), "payer", "field.required")
	for name, v := range map[string]string{"payer_name": in.Name, "receipt": in.Receipt} {
		c.That(len([]rune(v)) <= 60, name, "field.too_long", "max", 60)
	}
	if err := c.Err(); err != nil {
		return 0, err
	}
	return *amount, nil
}

// VoidInput is the input of VoidPayment and VoidReading.
type VoidInput struct {
	City    int    `json:"-" form:"-"`
	Account string `json:"-" form:"-"`
	ID      string `json:"-" form:"-"`
	Reason  string `json:"reason" form:"reason"`
	Key     string `json:"-" form:"-"`
}

func (in VoidInput) check() error {
	var c fault.Check
	if c.That(in.Reason != "", "reason", "field.required") {
		c.That(len([]rune(in.Reason)) <= 200, "reason", "field.too_long", "max", 200)
	}
	return c.Err()
}
