package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// refundView is one claim with everything that it follows from and what the reader may do about it.
type refundView struct {
	settle.View
	city     int
	names    *caseNames
	estate   string
	rule     *citypack.RefundRule
	approval *citypack.Approval
	waits    bool              // the rule waits for the city's approval
	bill     *fee.Bill         // nil: the reader may not see it, or there is none
	credits  []fee.CreditState // where refunds stand that were met as credit
	payee    settle.Payee
	pays     bool // the reader may say who gets the money and what became of it
	decides  bool
	cases    string // address of the household's cases; empty when the reader may not see them
	record   string // address of the household's measurements
	bills    string // address of the household's bills; empty when the reader may not see them
	act      string // which form is open
	subject  string // of what: an objection, an order to pay
	form     ui.Form
}

// refundKey is the claim that an address names.
func refundKey(r *http.Request) (season, account string) {
	return param(r, "season"), param(r, "account")
}

func (w *Web) refundView(r *http.Request) (refundView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	season, account := refundKey(r)
	v := refundView{city: city}
	var err error
	if v.View, err = w.Settle.Claim(ctx, by(r), city, season, account); err != nil {
		return v, err
	}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	v.estate = w.communityNames(r, []string{v.Community}).name(v.Community)
	v.findRule()
	if v.payee, err = w.Settle.Payee(ctx, by(r), city, account); err != nil {
		return v, err
	}
	on := actor.On{City: city, Company: v.Company, District: v.District, Station: v.Station, Area: v.Area}
	v.pays = by(r).May(actor.SettlePay, on) == nil
	v.decides = by(r).May(actor.RefundDecide, on) == nil
	if by(r).May(actor.CaseRead, on) == nil && w.has("/c/{city}/cases") {
		v.cases = withQuery(at("/c/{city}/cases", city), filterValues("account", account))
	}
	if w.open(by(r), "/c/{city}/measurements/home", city) {
		v.record = withQuery(at("/c/{city}/measurements/home", city), filterValues("home", account))
	}
	reads := by(r).May(actor.FeeRead, on) == nil
	if w.Fees == nil || !reads {
		return v, nil
	}
	v.bills = billPath(city, account)
	b, err := w.Fees.Bill(ctx, by(r), city, account, season)
	if fault.Is(err, fault.NotFound) {
		return v, nil
	}
	v.bill = &b
	if err == nil {
		v.credits, err = w.Fees.Credits(ctx, by(r), city, account)
	}
	return v, err
}

// credit is where the money of an order stands that was met as credit; nothing for other orders.
func (v refundView) credit(p settle.Payout) *fee.CreditState {
	i := slices.IndexFunc(v.credits, func(c fee.CreditState) bool { return c.Settlement == p.Settlement })
	if i < 0 {
		return nil
	}
	return &v.credits[i]
}

// whyLeft says why nothing of a credit is taken.
func whyLeft(ctx context.Context, why string) string {
	if why == "" {
		return ""
	}
	return ui.T(ctx, "bill.credit_why."+why)
}

// lateOf is what lateness of an order costs, or with no order named of what is in none; nil where it costs nothing.
func (v refundView) lateOf(settlement string) *settle.Late {
	i := slices.IndexFunc(v.Lates, func(l settle.Late) bool { return l.Settlement == settlement })
	if i < 0 {
		return nil
	}
	return &v.Lates[i]
}

// setOff finds an agreement to set arrears off.
func (v refundView) setOff(id string) (settle.SetOff, bool) {
	i := slices.IndexFunc(v.SetOffs, func(x settle.SetOff) bool { return x.ID == id })
	if i < 0 {
		return settle.SetOff{}, false
	}
	return v.SetOffs[i], true
}

// setOffRight is the article that gives the company the right to set arrears off; empty where the rule gives none.
func (v refundView) setOffRight() string {
	if v.rule == nil || v.rule.SetOff == nil {
		return ""
	}
	return v.rule.SetOff.Article
}

// findRule finds the claim's rule and whether the city stands by it.
func (v *refundView) findRule() {
	pack := v.names.rules.Pack
	rule, ok := pack.RefundRule(v.Rule)
	if !ok {
		return
	}
	v.rule, v.waits = &rule, pack.Provisional(rule.Origin)
	values := pack.Values()
	if i := slices.IndexFunc(values, func(x citypack.Value) bool { return x.Path == rule.Path }); i >= 0 {
		v.approval = values[i].Approval
	}
}

func (v refundView) href(more ...string) string {
	return refundPath(v.city, v.Season, v.Account, more...)
}

// opens is the address that opens a form.
func (v refundView) opens(act, subject string) string {
	return withQuery(v.href(), filterValues("act", act, "subject", subject)) + "#act"
}

func (v refundView) allows(e settle.Event) bool { return slices.Contains(v.Allowed, e) }

// page is the claim's page.
func (v refundView) page() Page {
	return Page{Title: text.Msg("refundpage.one", "account", v.Account), Nav: "refund", Body: refundBody(v)}
}

// stands is what the claim comes to, in one sentence.
func (v refundView) stands(ctx context.Context) string {
	switch {
	case v.Status == refund.NotComputable:
		return ui.T(ctx, "refundpage.cannot", "missing", missingWords(ctx, v.Missing))
	case v.State == settle.Refused:
		return ui.T(ctx, "refundpage.refused_sum", "amount", v.Amount.Yuan())
	case v.State == settle.Confirmed && v.Confirmed != nil && *v.Confirmed != v.Amount:
		return ui.T(ctx, "refundpage.grown_sum", "days", v.Counted, "now", v.Amount.Yuan(), "amount", v.Confirmed.Yuan(), "at", v.Confirm.Minute())
	case v.State == settle.Confirmed && v.Confirmed != nil:
		return ui.T(ctx, "refundpage.confirmed_sum", "days", v.Counted, "amount", v.Confirmed.Yuan(), "at", v.Confirm.Minute())
	}
	return ui.T(ctx, "refundpage.so_far", "days", v.Counted, "amount", v.Amount.Yuan())
}

// reasons are what the rule lets a company put forward, with whoever must prove it.
func (v refundView) reasons(ctx context.Context) []ui.Option {
	var out []ui.Option
	if v.rule == nil {
		return out
	}
	l := httpx.Lang(ctx)
	for _, c := range slices.Concat(v.rule.Exclusions, v.rule.Duty, v.rule.Precondition) {
		if c.Code != "" && !slices.ContainsFunc(out, func(o ui.Option) bool { return o.Value == c.Code }) {
			out = append(out, ui.Option{Value: c.Code, Text: c.Text.In(l)})
		}
	}
	return out
}

// reason says a reason of the rule in words.
func (v refundView) reason(ctx context.Context, code string) string {
	all := v.reasons(ctx)
	if i := slices.IndexFunc(all, func(o ui.Option) bool { return o.Value == code }); i >= 0 {
		return all[i].Text
	}
	return code
}

// objection is the one that is to be decided.
func (v refundView) objection(id string) (settle.Objection, bool) {
	i := slices.IndexFunc(v.Objections, func(o settle.Objection) bool { return o.ID == id })
	if i < 0 {
		return settle.Objection{}, false
	}
	return v.Objections[i], true
}

// payout is the order that something is noted about.
func (v refundView) payout(settlement string) (settle.Payout, bool) {
	i := slices.IndexFunc(v.Payouts, func(p settle.Payout) bool { return p.Settlement == settlement })
	if i < 0 {
		return settle.Payout{}, false
	}
	return v.Payouts[i], true
}

// stationOr is what a claim says of its heat station.
func stationOr(ctx context.Context, s string) string {
	return cmp.Or(s, ui.T(ctx, "refundpage.no_station"))
}

func refundTone(s settle.State) ui.Tone {
	switch s {
	case settle.Objected:
		return ui.Violet
	case settle.Confirmed:
		return ui.Green
	case settle.Refused:
		return ui.Grey
	case settle.Open:
	}
	return ui.Amber
}

func payTone(s settle.PayState) ui.Tone {
	switch s {
	case settle.Paid:
		return ui.Green
	case settle.InFile:
		return ui.Teal
	case settle.Failed:
		return ui.Red
	case settle.Unclaimed:
		return ui.Amber
	case settle.Due:
	}
	return ui.Blue
}

// objectionTone is the colour of an objection's state.
func objectionTone(s settle.ObjectionState) ui.Tone {
	switch s {
	case settle.Accepted:
		return ui.Green
	case settle.Rejected:
		return ui.Grey
	case settle.Filed:
	}
	return ui.Violet
}

// stepWords is a step of the explanation in the reader's language.
func stepWords(ctx context.Context, s refund.Step) string { return s.In(httpx.Lang(ctx)) }

// shareOf writes a day's percentage.
func shareOf(d refund.DayLine) string {
	if d.Percent == "" {
		return ""
	}
	return d.Percent + " %"
}

// tempOf writes a day's temperature.
func tempOf(d refund.DayLine) string {
	if d.TempC == "" {
		return ""
	}
	return d.TempC + " ℃"
}

// causeOf says why a day counts or does not, and at which level.
func causeOf(ctx context.Context, d refund.DayLine) string {
	out := ui.T(ctx, "refund.cause."+string(d.Cause))
	if d.Level != "" && d.Level != refund.LevelHome {
		level := ui.T(ctx, "refundpage.level."+string(d.Level))
		return out + " · " + level
	}
	return out
}

// paidDays are the lines that money follows from; the others are shown apart.
func (v refundView) dayLines() (paid, rest []refund.DayLine) {
	for _, d := range v.Assessment.Days {
		if d.Refund != nil && *d.Refund > 0 {
			paid = append(paid, d)
		} else {
			rest = append(rest, d)
		}
	}
	return paid, rest
}

func (w *Web) refund(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.refundView(r)
	if err != nil {
		return err
	}
	v.act, v.subject = r.URL.Query().Get("act"), r.URL.Query().Get("subject")
	return w.show(rw, r, v.page())
}

// narrowed reports whether the list shows less than the season.
func (v refundsView) narrowed() bool {
	q := v.query
	return q.State != "" || q.Company != "" || q.Station != "" || q.Status != "" || q.Account != "" || !q.Day.IsZero()
}
