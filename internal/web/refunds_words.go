package web

import (
	"context"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// dayOrNone writes a day that may be absent.
func dayOrNone(d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// openEnd writes an end that may still be open.
func openEnd(ctx context.Context, at civil.Instant) string {
	if at.IsZero() {
		return ui.T(ctx, "refundpage.not_over")
	}
	return at.Minute()
}

// timeOrNone writes an instant that may be absent.
func timeOrNone(at civil.Instant) string {
	if at.IsZero() {
		return ""
	}
	return at.Minute()
}

// payFacts are what is known about an order to pay.
func payFacts(ctx context.Context, p settle.Payout, late *settle.Late) []ui.Fact {
	out := []ui.Fact{{Key: "refundpage.net", Text: p.Net().Yuan()}}
	if p.SetOff > 0 {
		out = append(out, ui.Fact{Key: "refundpage.set_off", Text: p.SetOff.Yuan()})
	}
	return append(out,
		ui.Fact{Key: "refundpage.pay_by", Text: dayOrNone(p.PayBy)},
		ui.Fact{Key: "settlepage.late_charge", Text: lateWords(ctx, late)},
		ui.Fact{Key: "refundpage.late_paid", Text: latePaidWords(ctx, p.LatePaid, p.LateOn)},
		ui.Fact{Key: "refundpage.late_proof", Text: p.LateProof},
		ui.Fact{Key: "refundpage.paid_at", Text: timeOrNone(p.Paid)},
		ui.Fact{Key: "refundpage.bank_ref", Text: p.BankRef},
		ui.Fact{Key: "refundpage.waits", Text: firstKey(ctx, p.Reason, p.Reason)},
		ui.Fact{Key: "refundpage.invoice", Text: ui.T(ctx, "refundpage.invoice."+string(p.Invoice)) + " " + p.InvoiceNo},
		ui.Fact{Key: "refundpage.told_at", Text: toldOf(ctx, p)},
		ui.Fact{Key: "refundpage.excused", Text: p.Excused},
		ui.Fact{Key: "refundpage.bearer", Text: p.Bearer},
	)
}

// toldOf says when and how the household was told.
func toldOf(ctx context.Context, p settle.Payout) string {
	if p.Notified.IsZero() {
		return ""
	}
	how := p.ToldBy
	if how == string(notice.SMS) {
		how = ui.T(ctx, "notice.channel.sms")
	}
	return p.Notified.Minute() + " " + how
}

// originOf says where a bill's sum comes from.
func originOf(ctx context.Context, b fee.Bill) string {
	if b.Origin == "" {
		return ""
	}
	return ui.T(ctx, "refundpage.bill_origin."+string(b.Origin))
}

// moveLook is the look of an act's button: what ends a claim is no ordinary button.
func moveLook(act string) string {
	if act == "refuse" {
		return "danger"
	}
	return "main-act"
}

// lateWords say what lateness costs, and how that follows.
func lateWords(ctx context.Context, l *settle.Late) string {
	switch {
	case l == nil:
		return ""
	case l.Excused:
		return ui.T(ctx, "refundpage.late_excused")
	case l.Rate == "":
		return ui.T(ctx, "settlepage.rate_missing")
	}
	return ui.T(ctx, "refundpage.late_words", "charge", l.Charge.Yuan(), "amount", l.Net.Yuan(), "rate", l.Rate, "days", l.Days)
}

// lateAct names what may be done about a late charge: note that it was paid, or correct that note.
func lateAct(p settle.Payout) string {
	if p.LatePaid > 0 {
		return "refundpage.late_again"
	}
	return "refundpage.act.late"
}

// latePaidWords say what of a late charge was paid, and when.
func latePaidWords(ctx context.Context, amount money.Fen, on civil.Date) string {
	if amount == 0 {
		return ""
	}
	return ui.T(ctx, "refundpage.late_paid_words", "amount", amount.Yuan(), "on", on.String())
}

// setOffFacts are why part of a refund goes against arrears.
func setOffFacts(ctx context.Context, x settle.SetOff) []ui.Fact {
	return []ui.Fact{
		{Key: "refundpage.set_off_ground", Text: ui.T(ctx, "refundpage.set_off_ground."+string(x.Ground)) + " " + x.Article},
		{Key: "refundpage.set_off_on", Text: dayOrNone(x.On)},
		{Key: "refundpage.set_off_who", Text: x.Who},
		{Key: "refundpage.set_off_proof", Text: x.Proof},
		{Key: "refundpage.unset_reason", Text: x.Reason},
	}
}

func setOffTone(s settle.SetOffState) ui.Tone {
	if s == settle.Agreed {
		return ui.Green
	}
	return ui.Blue
}
