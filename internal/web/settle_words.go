package web

import (
	"context"
	"net/url"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// settleWatch is the console's own address, which its part asks again.
func settleWatch(ctx context.Context) string {
	u := ui.Of(ctx).URL
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}

// methodOf says how an order is met; nothing while nobody chose.
func methodOf(ctx context.Context, m settle.Method) string {
	if m == "" {
		return ""
	}
	return ui.T(ctx, "refundpage.method."+string(m))
}

func batchTone(s settle.BatchState) ui.Tone {
	switch s {
	case settle.BatchReady:
		return ui.Blue
	case settle.BatchAnswered:
		return ui.Green
	case settle.BatchFilling:
	}
	return ui.Amber
}

// lateCharge is what is owed on top, or what is missing to say so.
func lateCharge(ctx context.Context, o settle.Overdue) string {
	switch {
	case o.LateCharge != nil:
		return o.LateCharge.Yuan()
	case o.Missing != "":
		return ui.T(ctx, "settlepage.rate_missing")
	}
	return ui.T(ctx, "settlepage.no_late_charge")
}

// rateOf is what is kept of a company's contracts: the rate and the version that a change of it must name.
func (v payView) rateOf(company string) settle.CompanyTerm {
	for _, t := range v.rates {
		if t.Company == company {
			return t
		}
	}
	return settle.CompanyTerm{Company: company}
}

// payByWords says by when money must be there and, past that, for how many days it is not.
func payByWords(ctx context.Context, day civil.Date, late int) string {
	switch {
	case late > 0 && !day.IsZero():
		return ui.T(ctx, "refundpage.pay_by_late", "day", day.String(), "n", late)
	default:
		return dayOrNone(day)
	}
}

// fieldTime fills a field for a day and an hour.
func fieldTime(at civil.Instant) string {
	if at.IsZero() {
		return ""
	}
	return at.Date().String() + "T" + at.Clock()
}

// stageOf says how far the escalation about a company's overdue refunds has come, and since when.
func stageOf(ctx context.Context, o settle.Overdue) string {
	if o.Stage == "" {
		return ui.T(ctx, "settlepage.no_stage")
	}
	return ui.T(ctx, "clock.stage."+string(o.Stage)) + " " + o.StageAt.Date().String()
}
