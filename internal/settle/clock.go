package settle

import (
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/text"
)

// The legal day has one clock for everything that a company owes the households of a season by that day: a company of a
// hundred thousand homes is warned once of all of them, and each household reads the same clock. It starts when the law's
// form says, goes while a claim or an order to pay is open, and is stopped by the last proof of payment.

// Duty is what a company has to pay back by one day.
type Duty struct {
	Season  string
	Company string
	PayBy   civil.Date
	Open    int64         // households whose claim or order is open
	Held    int64         // households whose objection waits for the authority: nobody is urged for them
	Owed    money.Fen     // to the open ones
	Paid    civil.Instant // the last proof of payment
	Orders  int64         // orders to pay, met or not
	First   civil.Instant // the day from which the earliest claim's time runs
}

// dutyPrefix begins the subjects of these clocks.
const dutyPrefix = "refund:"

func (d Duty) subject() string {
	return dutyPrefix + d.Season + ":" + d.Company + ":" + d.PayBy.String()
}

// dutyOf reads what subject wrote.
func dutyOf(subject string) (Duty, bool) {
	rest, ok := strings.CutPrefix(subject, dutyPrefix)
	season, rest, ok2 := strings.Cut(rest, ":")
	at := strings.LastIndexByte(rest, ':')
	if !ok || !ok2 || at < 0 {
		return Duty{}, false
	}
	day, err := civil.ParseDate(rest[at+1:])
	return Duty{Season: season, Company: rest[:at], PayBy: day}, err == nil
}

// term is the duty as the ledger of clocks takes it.
func (d Duty) term(t terms) clock.Term {
	rule := t.plan.Rule()
	out := clock.Term{
		Code: citypack.ClockRefund, Org: d.Company, From: t.season.To, Due: d.PayBy.End(), Path: rule.Path, Source: rule.Source.String(), Provisional: t.plan.Provisional(),
	}
	kind, since := "season", t.last()
	if rule.Deadline != nil {
		switch rule.Deadline.Kind {
		case "within":
			kind, out.From = "within."+runsFrom(rule), d.First
		case "calendar":
			kind = "calendar"
		}
	}
	out.From = min(out.From, out.Due.Add(-time.Millisecond))
	if d.First.After(0) && kind != "season" {
		since = d.First.Date()
	}
	out.Why = text.Msg("settle.clock.why."+kind, "season", d.Season, "day", d.PayBy, "from", since)
	return out
}

// runsFrom is from what a deadline of so many months runs.
func runsFrom(rule citypack.RefundRule) string {
	if rule.Deadline == nil || rule.Deadline.From == "" {
		return fromClaim
	}
	return rule.Deadline.From
}

// From what a deadline may run.
const (
	fromClaim        = "claim"
	fromConfirmation = "confirmation"
	fromPublication  = "publication"
)

// runsFrom is the instant from which a claim's time to pay runs by the rule; absent when it does not run yet.
func (t terms) runsFrom(c Claim) civil.Instant {
	if t.plan == nil {
		return c.Claimed
	}
	return startOf(t.plan.Rule(), c)
}

func startOf(rule citypack.RefundRule, c Claim) civil.Instant {
	switch runsFrom(rule) {
	case fromConfirmation:
		return c.Confirm
	case fromPublication:
		return c.Published
	}
	return c.Claimed
}

// payBy is the last day to pay a claim: of a deadline that runs from a confirmation or a publication only once there is one.
func (t terms) payBy(c Claim) civil.Date {
	if t.plan == nil || runsFrom(t.plan.Rule()) == fromClaim {
		return c.PayBy
	}
	from := t.runsFrom(c)
	if from.IsZero() {
		return civil.Date{}
	}
	d := t.plan.Rule().Deadline
	return from.Date().AddMonths(d.Months).AddDays(d.Days)
}
