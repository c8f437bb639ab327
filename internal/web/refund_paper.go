package web

import (
	"net/http"

	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/paper"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/text"
)

// refundStatement is a household's statement (退费说明) as PDF, in the language that is asked for.
func (w *Web) refundStatement(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.refundView(r)
	if err != nil {
		return err
	}
	l := statementLang(r)
	s := statement{View: v.View, l: l, issuer: w.o.Site.Owner, estate: v.estate, company: v.names.orgs[v.Company].NameZH}
	if en := v.names.orgs[v.Company].NameEN; l == text.EN && en != "" {
		s.company = en
	}
	if v.rule != nil {
		s.rule, s.waits = v.rule.Place.In(l)+" · "+v.rule.Source.String(), v.waits
	}
	return w.sheetOf(rw, s.sheet(w.o.Now().Date().String()), "refund-"+v.Season+"-"+string(l))
}

// statementLang is the language of a sheet: what its link says, else the reader's.
func statementLang(r *http.Request) text.Lang {
	if v := r.URL.Query().Get("in"); v != "" {
		return text.ParseLang(v)
	}
	return httpx.Lang(r.Context())
}

// statement is what a household's statement says.
type statement struct {
	settle.View
	l                             text.Lang
	issuer, estate, company, rule string
	waits                         bool
}

func (s statement) t(key string, pairs ...any) string { return text.T(s.l, key, pairs...) }

// stands is the claim's state in one sentence.
func (s statement) stands() string {
	switch {
	case s.Status == refund.NotComputable:
		return s.t("refundpage.paper.cannot")
	case s.State == settle.Refused:
		return s.t("refundpage.refused_sum", "amount", s.Amount.Yuan())
	case s.State == settle.Confirmed && s.Confirmed != nil:
		return s.t("refundpage.confirmed_sum", "days", s.Counted, "amount", s.Confirmed.Yuan(), "at", s.Confirm.Minute())
	}
	return s.t("refundpage.so_far", "days", s.Counted, "amount", s.Amount.Yuan())
}

// sheet lays the statement out: what it comes to, day by day, and every step with its article.
func (s statement) sheet(day string) paper.Document {
	blocks := []paper.Block{
		paper.Pairs{Two: true, Pairs: s.pairs()},
		paper.Space{Height: 3},
		paper.Paragraph{Text: s.stands()},
	}
	if s.waits {
		blocks = append(blocks, paper.Paragraph{Text: s.t("refundpage.waits_approval")})
	}
	for _, m := range s.Assessment.Missing {
		blocks = append(blocks, paper.Paragraph{Text: s.t("refundpage.paper.missing", "what", text.Msg("refund.missing."+m))})
	}
	if len(s.Assessment.Days) > 0 {
		blocks = append(blocks, paper.Heading{Text: s.t("refundpage.day_table")}, s.days())
	}
	blocks = append(blocks, paper.Heading{Text: s.t("refundpage.why")})
	for _, step := range s.Assessment.Explain {
		words := step.In(s.l)
		if step.Article != "" {
			words += " (" + step.Article + ")"
		}
		blocks = append(blocks, paper.Paragraph{Text: words})
	}
	if len(s.Assessment.Warnings) > 0 {
		blocks = append(blocks, paper.Heading{Text: s.t("refundpage.warnings")})
		for _, one := range s.Assessment.Warnings {
			blocks = append(blocks, paper.Paragraph{Text: one.Message.In(s.l)})
		}
	}
	blocks = append(blocks, s.money()...)
	blocks = append(blocks, paper.Space{Height: 4}, paper.Paragraph{Text: s.t("refundpage.paper.objecting"), Small: true})
	return paper.Document{
		Style: paper.Form, Language: s.l, Issuer: s.issuer, Title: s.t("refundpage.paper.title"), Number: s.Account + " · " + s.Season, Blocks: blocks,
		Footer: s.t("refundpage.paper.foot", "day", day),
	}
}

func (s statement) pairs() []paper.Pair {
	out := []paper.Pair{
		{Label: s.t("refundpage.account"), Value: s.Account},
		{Label: s.t("refundpage.season"), Value: s.Season},
		{Label: s.t("refundpage.estate"), Value: s.estate},
		{Label: s.t("refundpage.company"), Value: s.company},
		{Label: s.t("refundpage.state"), Value: s.t("refund_claim.state." + string(s.State))},
		{Label: s.t("refundpage.days"), Value: count(int64(s.Counted))},
		{Label: s.t("refundpage.amount"), Value: s.Amount.Yuan()},
		{Label: s.t("refundpage.pay_by"), Value: dayOrNone(s.PayBy)},
	}
	if s.rule != "" {
		out = append(out, paper.Pair{Label: s.t("refundpage.rule"), Value: s.rule})
	}
	return out
}

// money is what became of the sum: each order to pay, what was set off against arrears and why, and what lateness costs.
func (s statement) money() []paper.Block {
	if len(s.Payouts)+len(s.SetOffs) == 0 {
		return nil
	}
	out := []paper.Block{paper.Heading{Text: s.t("refundpage.payment")}}
	for _, p := range s.Payouts {
		words := s.t("refundpage.paper.order", "amount", p.Amount.Yuan(), "set_off", p.SetOff.Yuan(), "net", p.Net().Yuan(), "state", text.Msg("payout.state."+string(p.State)))
		if !p.Paid.IsZero() {
			words += " " + p.Paid.Minute()
		}
		out = append(out, paper.Paragraph{Text: words})
	}
	for _, x := range s.SetOffs {
		if x.State != settle.Agreed {
			continue
		}
		key := "refundpage.paper.set_off." + string(x.Ground)
		out = append(out, paper.Paragraph{Text: s.t(key, "amount", x.Amount.Yuan(), "on", x.On.String(), "who", x.Who, "proof", x.Proof, "article", x.Article)})
	}
	for _, l := range s.Lates {
		if l.Charge > 0 {
			words := s.t("refundpage.paper.late", "charge", l.Charge.Yuan(), "amount", l.Net.Yuan(), "rate", l.Rate, "days", l.Days, "day", l.PayBy.String())
			if l.Paid > 0 {
				words += s.t("refundpage.paper.late_paid", "amount", l.Paid.Yuan(), "on", l.PaidOn.String())
			}
			out = append(out, paper.Paragraph{Text: words})
		}
	}
	return out
}

// days is the table of days, each with its temperature, tier, percentage, base, sum and cause.
func (s statement) days() paper.Table {
	t := paper.Table{Columns: []paper.Column{
		{Title: s.t("refundpage.date"), Width: 18},
		{Title: s.t("refundpage.temp"), Width: 11, Align: paper.Right},
		{Title: s.t("refundpage.tier"), Width: 13},
		{Title: s.t("refundpage.percent"), Width: 11, Align: paper.Right},
		{Title: s.t("refundpage.base"), Width: 15, Align: paper.Right},
		{Title: s.t("refundpage.sum"), Width: 13, Align: paper.Right},
		{Title: s.t("refundpage.cause"), Width: 20},
	}}
	for _, d := range s.Assessment.Days {
		date := s.t("refundpage.n_days", "n", d.Days)
		if !d.Date.IsZero() {
			date = d.Date.String()
		}
		t.Rows = append(t.Rows, []string{date, tempOf(d), d.Tier, shareOf(d), yuan(d.Base), yuan(d.Refund), s.t("refund.cause." + string(d.Cause))})
	}
	return t
}
