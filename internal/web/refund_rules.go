package web

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// refundRulesView are the refund rules of a city's pack.
type refundRulesView struct {
	city   int
	pack   *citypack.Pack
	rules  []citypack.RefundRule
	values map[string]citypack.Value // by path, with the city's approvals
	may    bool
}

// refundRules shows each refund rule with what it rests on and whether the city stands by it.
func (w *Web) refundRules(rw http.ResponseWriter, r *http.Request) error {
	ctx, city := r.Context(), httpx.City(r.Context())
	rules, err := w.Rules.Rules(ctx, city)
	if err != nil {
		return err
	}
	all, err := w.Rules.ListValues(ctx, by(r), city)
	if err != nil {
		return err
	}
	v := refundRulesView{city: city, pack: rules.Pack, rules: rules.Pack.Doc.RefundRules, values: map[string]citypack.Value{}, may: by(r).MayAny(actor.PackApprove, city)}
	for _, one := range all {
		v.values[one.Path] = one
	}
	return w.show(rw, r, Page{Title: text.Msg("refundpage.rules"), Nav: "refund_rules", Body: refundRulesBody(v)})
}

func (v refundRulesView) provisional(r citypack.RefundRule) bool { return v.pack.Provisional(r.Origin) }

// facts are what a rule says, as far as it says it.
func (v refundRulesView) facts(ctx context.Context, r citypack.RefundRule) []ui.Fact {
	l := httpx.Lang(ctx)
	out := []ui.Fact{
		{Key: "refundpage.rule_id", Text: r.ID},
		{Key: "refundpage.rule_status", Text: ui.T(ctx, "refundpage.rule_status."+string(r.Status))},
		{Key: "refundpage.source", Text: r.Source.String()},
		{Key: "refundpage.confidence", Text: ui.T(ctx, "refund.confidence."+string(r.Confidence))},
		{Key: "refundpage.valid", Text: periodOf(ctx, r.Period)},
	}
	if r.Read != nil {
		out = append(out, ui.Fact{Key: "refundpage.read", Text: r.Read.In(l)})
	}
	if len(r.ConflictWith) > 0 {
		out = append(out, ui.Fact{Key: "refundpage.conflict", Text: strings.Join(r.ConflictWith, ui.T(ctx, "web.and"))})
	}
	return out
}

// tierLine is one step of a rule: a span of temperatures, or of degrees below the standard, and what it pays.
type tierLine struct{ span, percent string }

// tierWords writes the steps of a rule as its law writes them: brackets for closed ends, parentheses for open ones.
func tierWords(r citypack.RefundRule) []tierLine {
	var out []tierLine
	for _, t := range r.Tiers {
		out = append(out, tierLine{bracket(t.From, t.FromClosed, t.To, t.ToClosed) + " ℃", percentWords(t.Percent)})
	}
	for _, t := range r.ShortfallTiers {
		out = append(out, tierLine{"Δ " + bracket(t.Over, t.OverClosed, t.To, t.ToClosed) + " ℃", percentWords(t.Percent)})
	}
	if l := r.Linear; l != nil {
		out = append(out, tierLine{"< " + l.BelowC.String() + " ℃", percentWords(l.PercentPerDegree) + " / ℃"})
	}
	return out
}

func bracket(from *citypack.Degree, fromIn bool, to *citypack.Degree, toIn bool) string {
	left, right := "(", ")"
	if fromIn {
		left = "["
	}
	if toIn {
		right = "]"
	}
	a, b := "−∞", "+∞"
	if from != nil {
		a = from.String()
	}
	if to != nil {
		b = to.String()
	}
	return left + a + ", " + b + right
}

func percentWords(d citypack.Decimal) string { return cmp.Or(string(d), "?") + " %" }

// periodOf says from when to when something holds.
func periodOf(ctx context.Context, p citypack.Period) string {
	switch {
	case p.From.IsZero() && p.To.IsZero():
		return ui.T(ctx, "refundpage.valid_unknown")
	case p.To.IsZero():
		return ui.T(ctx, "refundpage.valid_from", "from", p.From.String())
	case p.From.IsZero():
		return ui.T(ctx, "refundpage.valid_to", "to", p.To.String())
	}
	return p.From.String() + " – " + p.To.String()
}

// ruleName names a refund rule in a list of choices.
func ruleName(ctx context.Context, r citypack.RefundRule) string {
	l := httpx.Lang(ctx)
	return strings.Join([]string{r.Place.In(l), r.Rank.In(l), r.ID}, " · ")
}

// ruleApplies says why a rule holds without the city's approval.
func ruleApplies(r citypack.RefundRule) string {
	if r.Confidence == citypack.Fictional {
		return "rules.state.fictional"
	}
	return "rules.state.applies"
}
