package refund

import (
	"sort"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/text"
)

// Explain computes a claim with a line per day, every step in both languages with its article, and all warnings.
func (p *Plan) Explain(in *Input) (Assessment, error) {
	if err := in.Check(); err != nil {
		return Assessment{}, err
	}
	s := &Scratch{}
	s.reset(true)
	p.tellRule(in, s)
	p.run(in, s)
	var parts []priced
	s.split(in.Events != nil)
	sum, counted, v := p.total(in, s, &parts)
	a := Assessment{Rule: p.rule.ID, Status: p.status(s), Counted: counted}
	a.PayBy, a.ApplyBy = p.payBy(in)
	p.tellMoney(in, s, &v)
	if a.Status != NotComputable {
		fen := money.Fen(sum.round(p.rule.Rounding))
		a.Refund, a.Exact = &fen, sum.String()
		s.step("", text.Msg("refund.step.sum", "exact", exactYuan(sum), "yuan", fen.Yuan(), "rounding", text.Msg("refund.rounding."+p.rounding())))
	}
	a.Days = p.lines(s, parts, a.Refund)
	a.Percent = shared(a.Days)
	p.tellEnd(s, &a)
	a.Explain, a.Warnings, a.Missing = s.steps, s.warned, s.missing
	for _, m := range a.Missing {
		a.Explain = append(a.Explain, Step{Message: text.Msg("refund.step.missing", "what", text.Msg("refund.missing."+m))})
	}
	return a, nil
}

// exactYuan writes a sum in fen as yuan before rounding.
func exactYuan(fen ratio) string { return fen.mul(ratio{num: 1, den: 100}).String() }

// rounding names the rule's rounding, with a message "refund.rounding.<mode>".
func (p *Plan) rounding() string {
	if p.rule.Rounding == "" {
		return "half_up"
	}
	return p.rule.Rounding
}

// split gives every day of an event stream a line of its own.
func (s *Scratch) split(each bool) {
	if !each {
		return
	}
	var out []row
	for _, r := range s.rows {
		for k := range r.days {
			out = append(out, row{day: r.day + k, days: 1, fact: r.fact})
		}
	}
	s.rows = out
}

// lines writes the rows. The rounded sum is shared out by the largest remainder, so that the lines add up to it.
func (p *Plan) lines(s *Scratch, parts []priced, total *money.Fen) []DayLine {
	out := make([]DayLine, len(s.rows))
	for i, r := range s.rows {
		f := &s.facts[r.fact]
		out[i] = DayLine{Date: r.date(), Days: int(r.days), Tier: p.label(f.band), Percent: f.percent.String(), Level: f.level, Cause: f.cause}
		if f.hasTemp {
			out[i].TempC = celsiusOf(f.temp)
		}
		if !f.known {
			out[i].Percent = ""
		}
		if parts[i].ok {
			base := money.Fen(parts[i].base.round(""))
			out[i].Base = &base
		}
	}
	if total == nil {
		return out
	}
	for i, part := range share(*total, parts) {
		out[i].Refund = &part
	}
	return out
}

// share splits a sum over the parts: each is rounded down and the fen left over go to the largest remainders, earlier
// days first among equals.
func share(total money.Fen, parts []priced) []money.Fen {
	out := make([]money.Fen, len(parts))
	rest := make([]ratio, len(parts))
	index := make([]int, len(parts))
	var sum ratio
	for i := range parts {
		sum = sum.add(parts[i].refund)
	}
	capped, rounded := sum, whole(int64(total))
	if diff := sum.sub(rounded); diff.cmp(whole(1)) >= 0 { // the rule's ceiling cut the sum
		capped = rounded
	}
	left := total
	for i := range parts {
		part := parts[i].refund
		if !capped.same(sum) {
			part = part.mul(capped).div(sum)
		}
		n, r := part.floor()
		out[i], rest[i], index[i] = money.Fen(n), r, i
		left -= out[i]
	}
	sort.SliceStable(index, func(a, b int) bool { return rest[index[a]].cmp(rest[index[b]]) > 0 })
	for i := 0; left > 0 && len(index) > 0; i, left = i+1, left-1 {
		out[index[i%len(index)]]++
	}
	return out
}

// shared is the percentage that all days have in common, empty where they differ.
func shared(days []DayLine) string {
	if len(days) == 0 {
		return ""
	}
	for _, d := range days {
		if d.Percent != days[0].Percent {
			return ""
		}
	}
	return days[0].Percent
}

// tellRule says which rule applies and what it measures against.
func (p *Plan) tellRule(in *Input, s *Scratch) {
	r := p.rule
	s.step(r.Source.Article, text.Msg("refund.step.rule", "place", r.Place, "rank", r.Rank, "law", r.Source.Law))
	switch {
	case p.shortfall && in.AgreedC != nil:
		s.step(r.Source.Article, text.Msg("refund.step.agreed", "temp", degrees(*in.AgreedC)))
	case r.Standard.C != nil:
		s.step(r.Source.Article, text.Msg("refund.step.standard", "temp", celsiusOf(p.conforms)))
	}
	if in.AgreedC != nil && !p.shortfall {
		s.warn("agreed_not_in_tiers", text.Msg("refund.warn.agreed_not_in_tiers", "temp", degrees(*in.AgreedC)))
	}
	if c := r.Counting; c != nil && (c.FromText != nil || c.ToText != nil || c.Text != nil) && in.Events != nil {
		switch {
		case c.Text != nil:
			s.step(r.Source.Article, text.Msg("refund.step.counting", "text", *c.Text))
		case c.FromText != nil && c.ToText != nil:
			s.step(r.Source.Article, text.Msg("refund.step.counting_from_to", "from", *c.FromText, "to", *c.ToText))
		case c.ToText != nil:
			s.step(r.Source.Article, text.Msg("refund.step.counting", "text", *c.ToText))
		default:
			s.step(r.Source.Article, text.Msg("refund.step.counting", "text", *c.FromText))
		}
	}
	p.warnStanding(s)
	p.checkPreconditions(in, s)
}

// warnStanding says what is doubtful about the rule as a whole: how it is known, "refund.confidence.<degree>", and where it
// stands, "refund.standing.<status>".
func (p *Plan) warnStanding(s *Scratch) {
	r := p.rule
	if p.opts.Provisional {
		s.warn("needs_approval", text.Msg("refund.warn.needs_approval", "confidence", text.Msg("refund.confidence."+string(r.Confidence))))
	}
	switch r.Status {
	case citypack.RefundSuperseded, citypack.RefundDraft, citypack.RefundReference:
		s.warn("not_in_force", text.Msg("refund.warn.not_in_force", "status", text.Msg("refund.standing."+string(r.Status))))
	case citypack.RefundInForce:
	}
	if len(r.ConflictWith) > 0 {
		s.warn("conflict", text.Msg("refund.warn.conflict", "other", r.ConflictWith[0]))
	}
	if r.ContractFirst {
		s.warn("contract_first", text.Msg("refund.warn.contract_first"))
	}
	if r.ContractOnly {
		s.warn("contract_only", text.Msg("refund.warn.contract_only"))
	}
	if r.TiersMissing != nil {
		s.step(r.Source.Article, text.Msg("refund.step.tiers_missing", "text", *r.TiersMissing))
	}
}

// checkPreconditions warns where the events do not show what must come before a test.
func (p *Plan) checkPreconditions(in *Input, s *Scratch) {
	for _, c := range p.rule.Precondition {
		if c.Code == "failed_repair" && in.Events != nil && in.tried() {
			continue
		}
		if in.Events != nil {
			s.warn("precondition", text.Msg("refund.warn.precondition", "text", c.Text))
		}
	}
}

// tried reports whether a repair was reported and tried.
func (in *Input) tried() bool {
	report, cure := false, false
	for i := range in.Events {
		t := in.Events[i].Type
		report, cure = report || t == Reported, cure || t == CureClaimed || t == CureVerified
	}
	return report && cure
}

// tellMoney says how a day's fee comes about.
func (p *Plan) tellMoney(in *Input, s *Scratch, v *price) {
	r := p.rule
	if r.Base.Unit != nil {
		s.step(r.Source.Article, text.Msg("refund.step.base", "text", *r.Base.Unit))
	}
	if d := r.Divisor; d != nil && d.Text != nil {
		s.step(r.Source.Article, text.Msg("refund.step.divisor", "text", *d.Text))
	}
	kind := p.kind(&in.Fee, nil)
	switch {
	case v.hasSeason && v.hasDays && v.per != PerDay && v.per != PerMonth:
		if kind == citypack.BaseWithoutBasic || kind == citypack.BaseMeterReading {
			if v.hasBasic {
				s.step("", text.Msg("refund.step.day_fee_without_basic", "total", exactYuan(v.season), "basic", exactYuan(v.basic), "days", v.days.String()))
			}
			break
		}
		s.step("", text.Msg("refund.step.day_fee", "total", exactYuan(v.season), "days", v.days.String()))
	case v.per == PerDay && v.hasProduct:
		s.step("", text.Msg("refund.step.price_per_day", "fee", exactYuan(v.product)))
	case v.per == PerMonth && v.hasProduct:
		s.step("", text.Msg("refund.step.price_per_month", "fee", exactYuan(v.product)))
	}
	if v.borrowed {
		s.warn("divisor_from_input", text.Msg("refund.warn.divisor_from_input", "days", in.Season.Days))
	}
	if kind == citypack.BaseMeterReading {
		s.warn("meter_averaged", text.Msg("refund.warn.meter_averaged"))
	}
	if f := &in.Fee; f.Total != nil && (f.Per == "" || f.Per == PerSeason) && v.hasProduct {
		if d := v.season.sub(v.product); d.cmp(whole(1)) >= 0 || d.cmp(whole(-1)) <= 0 {
			s.warn("total_differs", text.Msg("refund.warn.total_differs", "total", exactYuan(v.season), "product", exactYuan(v.product)))
		}
	}
	for i := range s.rows {
		f := &s.facts[s.rows[i].fact]
		if i > 0 && s.rows[i-1].fact == s.rows[i].fact || !f.known || f.cause != CauseCold {
			continue
		}
		if f.band != noBand {
			s.step(r.Source.Article, text.Msg("refund.step.tier", "temp", celsiusOf(f.temp), "tier", p.label(f.band), "percent", f.percent.String()))
		}
	}
}

// tellEnd says by when it must be paid, and what happens when it is not.
func (p *Plan) tellEnd(s *Scratch, a *Assessment) {
	r := p.rule
	switch {
	case !a.PayBy.IsZero():
		s.step(r.Source.Article, text.Msg("refund.step.pay_by", "day", a.PayBy))
	case !a.ApplyBy.IsZero():
		s.step(r.Source.Article, text.Msg("refund.step.apply_by", "day", a.ApplyBy))
	case r.Deadline == nil:
		s.warn("no_deadline", text.Msg("refund.warn.no_deadline"))
	case r.Deadline.Kind == "within":
		s.warn("deadline_runs", text.Msg("refund.warn.deadline_runs", "months", r.Deadline.Months, "days", r.Deadline.Days))
	default:
		s.warn("deadline_needs_season", text.Msg("refund.warn.deadline_needs_season"))
	}
	if r.LateCharge != nil {
		s.step(r.Source.Article, text.Msg("refund.step.late_charge", "text", phrase(r.LateCharge.Text, "refund.late_charge")))
	}
	if r.ContractOverride != nil && *r.ContractOverride {
		s.step(r.Source.Article, text.Msg("refund.step.contract_may_differ"))
	}
	if r.Payer != nil {
		s.step(r.Source.Article, text.Msg("refund.step.payer", "text", *r.Payer))
	}
}
