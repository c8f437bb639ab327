package refund

import (
	"strings"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/text"
)

// Topic is what a part of a rule is about: "refundrule.topic.<topic>".
type Topic string

// The topics, in the order in which a claim comes to them.
const (
	AboutStandard   Topic = "standard"
	AboutBase       Topic = "base"
	AboutDivisor    Topic = "divisor"
	AboutCounting   Topic = "counting"
	AboutCure       Topic = "cure"
	AboutReadings   Topic = "readings"
	AboutPresumed   Topic = "presumptions"
	AboutDuty       Topic = "duty"
	AboutExclusions Topic = "exclusions"
	AboutTriggers   Topic = "triggers"
	AboutStops      Topic = "stops"
	AboutDeadline   Topic = "deadline"
	AboutLate       Topic = "late"
	AboutContract   Topic = "contract"
	AboutPayer      Topic = "payer"
	AboutMeasure    Topic = "measure"
)

// Said is what a rule says about a topic. Nothing said about a topic that a claim needs is Silent: the reader must see
// that the law has no figure, not only miss a line.
type Said struct {
	Topic  Topic
	Lines  []text.Localized
	Silent bool
}

// Describe puts a rule into words, whole: what the engine computes with, and beside it the source's words where the pack
// has them. Tiers are a table of their own and are not in it.
func Describe(r *citypack.RefundRule) []Said {
	d := describer{}
	d.topic(AboutStandard, true, standardWords(r)...)
	d.topic(AboutBase, true, baseWords(&r.Base)...)
	d.topic(AboutDivisor, true, divisorWords(r)...)
	d.topic(AboutCounting, true, countingWords(r)...)
	d.topic(AboutCure, false, cureWords(r)...)
	d.topic(AboutReadings, false, readingWords(r)...)
	d.topic(AboutPresumed, false, presumedWords(r.Presumed)...)
	d.topic(AboutDuty, false, dutyWords(r)...)
	d.topic(AboutExclusions, false, conditionWords(r.Exclusions)...)
	d.topic(AboutTriggers, false, triggerWords(r)...)
	d.topic(AboutStops, false, stopWords(r)...)
	d.topic(AboutDeadline, true, deadlineWords(r.Deadline)...)
	d.topic(AboutLate, false, lateWords(r.LateCharge)...)
	d.topic(AboutContract, false, contractWords(r)...)
	d.topic(AboutPayer, false, payerWords(r)...)
	d.topic(AboutMeasure, false, measureWords(r.Measure)...)
	return d.said
}

type describer struct{ said []Said }

func (d *describer) topic(t Topic, needed bool, lines ...text.Localized) {
	if len(lines) > 0 || needed {
		d.said = append(d.said, Said{Topic: t, Lines: lines, Silent: len(lines) == 0})
	}
}

// wordsOf collects lines, leaving out what a rule does not say.
type wordsOf []text.Localized

func (w *wordsOf) add(when bool, key string, pairs ...any) {
	if when {
		*w = append(*w, text.Msg(key, pairs...))
	}
}

// law adds what the source says in words.
func (w *wordsOf) law(phrases ...*citypack.Phrase) {
	for _, p := range phrases {
		if p != nil {
			*w = append(*w, text.Msg("refundrule.law", "text", *p))
		}
	}
}

// choice adds the words of a value of a list: "refundrule.<list>.<value>".
func (w *wordsOf) choice(list, value string, pairs ...any) {
	if value != "" {
		*w = append(*w, text.Msg("refundrule."+list+"."+value, pairs...))
	}
}

func standardWords(r *citypack.RefundRule) []text.Localized {
	var w wordsOf
	s := r.Standard
	if s.C != nil {
		w.add(true, "refundrule.standard", "temp", s.C.String())
	}
	if s.KitchenC != nil {
		w.add(true, "refundrule.kitchen", "temp", s.KitchenC.String())
	}
	if s.Tolerance != nil {
		w.add(true, "refundrule.tolerance", "temp", s.Tolerance.String())
	}
	if s.LowestC != nil {
		w.add(true, "refundrule.lowest", "temp", s.LowestC.String())
	}
	w.add(len(s.Rooms) > 0, "refundrule.rooms", "rooms", strings.Join(s.Rooms, ", "))
	w.choice("tier_basis", string(r.TierBasis))
	if o := r.Overlap; o != nil {
		w.choice("overlap", o.Take)
		for i := range o.Where {
			w.law(&o.Where[i])
		}
	}
	if l := r.Linear; l != nil {
		w.law(l.Text)
	}
	w.add(r.PassRatePercent != "", "refundrule.pass_rate", "percent", r.PassRatePercent)
	return w
}

func baseWords(b *citypack.Base) []text.Localized {
	var w wordsOf
	w.choice("base", string(b.Kind))
	if b.Metered != "" {
		w.add(true, "refundrule.metered", "base", text.Msg("refundrule.base."+string(b.Metered)))
	}
	w.choice("scope", b.Scope)
	w.add(b.Basic != nil && *b.Basic, "refundrule.basic_removed")
	w.law(b.Unit, b.Text, b.Scopes)
	return w
}

func divisorWords(r *citypack.RefundRule) []text.Localized {
	var w wordsOf
	if d := r.Divisor; d != nil {
		switch {
		case d.Days > 0:
			w.choice("divisor_days", d.Kind, "days", d.Days)
		default:
			w.choice("divisor", d.Kind)
		}
		w.law(d.Text, d.More)
	}
	if len(w) > 0 && r.Rounding != "" {
		w.add(true, "refundrule.rounding", "rounding", text.Msg("refund.rounding."+r.Rounding))
	}
	return w
}

func countingWords(r *citypack.RefundRule) []text.Localized {
	var w wordsOf
	if c := r.Counting; c != nil {
		w.choice("counting", string(c.Kind))
		w.choice("from", c.From)
		w.choice("to", c.To)
		w.ends(c)
		w.choice("unit", c.Unit)
		w.add(c.DaysPer > 0, "refundrule.days_per_test", "days", c.DaysPer)
		w.add(c.MinBetween > 0, "refundrule.min_between", "days", c.MinBetween)
		w.add(c.Tests > 0 && c.WindowDays > 0, "refundrule.tests_in_window", "tests", c.Tests, "days", c.WindowDays)
		w.choice("between", c.Between)
		for i := range c.Map {
			w.row(&c.Map[i])
		}
		w.law(c.Text, c.FromText, c.ToText, c.UnitText, c.Source)
	}
	if m := r.MinSpell; m != nil {
		w.add(true, "refundrule.min_spell", "hours", m.Hours)
		w.choice("spell_from", m.From)
		w.law(m.Note)
	}
	if g := r.Grace; g != nil {
		w.add(g.ContinuousDays > 0, "refundrule.grace_continuous", "days", g.ContinuousDays)
		w.add(g.TotalDays > 0, "refundrule.grace_total", "days", g.TotalDays)
		w.law(g.Text)
	}
	for _, one := range r.Windows {
		w.add(one.FirstDays > 0, "refundrule.window_first", "days", one.FirstDays)
		w.add(one.LastDays > 0, "refundrule.window_last", "days", one.LastDays)
	}
	w.law(r.Repeat)
	return w
}

// ends says whether the first and the last day count, where the rule says it.
func (w *wordsOf) ends(c *citypack.Counting) {
	if c.FromCounts != nil {
		w.add(*c.FromCounts, "refundrule.first_counts")
		w.add(!*c.FromCounts, "refundrule.first_not")
	}
	if c.ToCounts != nil {
		w.add(*c.ToCounts, "refundrule.last_counts")
		w.add(!*c.ToCounts, "refundrule.last_not")
	}
}

// row is one line of a table from failed tests to days.
func (w *wordsOf) row(m *citypack.CountMap) {
	switch {
	case m.WholeSeason && m.OverMonths > 0:
		w.add(true, "refundrule.map_months", "months", m.OverMonths)
	case m.WithinDays > 0:
		w.add(true, "refundrule.map_within", "tests", m.FailedTests, "within", m.WithinDays, "days", m.Days)
	default:
		w.add(m.FailedTests > 0, "refundrule.map", "tests", m.FailedTests, "days", m.Days)
	}
	w.law(m.Within)
}

func cureWords(r *citypack.RefundRule) []text.Localized {
	var w wordsOf
	if c := r.Cure; c != nil {
		w.add(c.Hours == 0, "refundrule.no_cure")
		w.add(c.Hours > 0, "refundrule.cure", "hours", c.Hours)
		w.choice("cure_from", c.From)
		w.law(c.Text)
	}
	return w
}

func readingWords(r *citypack.RefundRule) []text.Localized {
	var w wordsOf
	if x := r.Reduction; x != nil {
		w.choice("reduction", string(x.Kind))
		w.law(x.Text)
	}
	for i := range r.Evidence {
		w.add(true, "refundrule.evidence", "text", r.Evidence[i])
	}
	return w
}

func presumedWords(list []citypack.Presumed) []text.Localized {
	var w wordsOf
	for _, p := range list {
		for _, cause := range p.If {
			temp := ""
			if p.BelowC != nil {
				temp = p.BelowC.String()
			}
			then := text.Msg("refund.then."+p.Then, "temp", temp, "percent", p.Percent)
			w.add(true, "refundrule.presumed", "why", text.Msg("refund.if."+cause), "then", then)
		}
		w.choice("presumed_days", p.Days)
		w.law(p.IfText, p.Text)
	}
	return w
}

func dutyWords(r *citypack.RefundRule) []text.Localized {
	return append(conditionWords(r.Duty), conditionWords(r.Precondition)...)
}

// conditionWords are conditions with who must prove them: "refundrule.proved_by.<party>".
func conditionWords(list []citypack.Condition) []text.Localized {
	var w wordsOf
	for _, c := range list {
		if c.ProvedBy == "" {
			w = append(w, c.Text)
			continue
		}
		w.add(true, "refundrule.proved", "text", c.Text, "by", text.Msg("refundrule.proved_by."+string(c.ProvedBy)))
	}
	return w
}

func triggerWords(r *citypack.RefundRule) []text.Localized {
	var w wordsOf
	for i := range r.Triggers {
		t := &r.Triggers[i]
		w.choice("level", t.Level)
		w.add(t.OverHours > 0, "refundrule.trigger_hours", "hours", t.OverHours)
		w.add(t.TotalDays > 0, "refundrule.trigger_days", "days", t.TotalDays)
		w.add(t.FailedTests > 0, "refundrule.trigger_tests", "tests", t.FailedTests, "days", t.WindowDays)
		w.add(t.MinApart > 0, "refundrule.trigger_apart", "days", t.MinApart)
		w.add(t.AfterDays > 0, "refundrule.trigger_after", "days", t.AfterDays)
		w.add(t.RefundDays > 0, "refundrule.trigger_refund", "days", t.RefundDays)
		w.add(t.Percent != "", "refundrule.percent", "percent", t.Percent)
		w.law(t.If, t.Then)
	}
	w.choice("priority", r.Priority)
	return w
}

func stopWords(r *citypack.RefundRule) []text.Localized {
	var w wordsOf
	for i := range r.Stops {
		s := &r.Stops[i]
		w.add(s.Unauthorised, "refundrule.stop_unauthorised")
		w.add(s.MinHours > 0 && !s.MinExclusive, "refundrule.stop_hours", "hours", s.MinHours)
		w.add(s.MinHours > 0 && s.MinExclusive, "refundrule.stop_over", "hours", s.MinHours)
		w.add(s.TotalDays > 0, "refundrule.stop_total", "days", s.TotalDays)
		w.paid(s.Percent, s.By)
		if s.Metered != "" {
			w.add(true, "refundrule.metered", "base", text.Msg("refundrule.base."+string(s.Metered)))
		}
		w.add(s.NotifyOver > 0, "refundrule.stop_notify", "hours", s.NotifyOver)
		w.add(s.Damages, "refundrule.stop_damages")
		w.law(s.If, s.Text)
	}
	w.startEnd("late_start", r.LateStart)
	w.startEnd("early_end", r.EarlyEnd)
	w.startEnd("first_supply", r.FirstSupply)
	return w
}

// startEnd says what a late start, an early end or a late first supply gives: "refundrule.gap.<which>".
func (w *wordsOf) startEnd(which string, s *citypack.StartEnd) {
	if s == nil {
		return
	}
	w.choice("gap", which)
	w.paid(s.Percent, s.By)
	w.law(s.Text)
}

func (w *wordsOf) paid(percent citypack.Decimal, by string) {
	switch {
	case percent == "":
	case by == "":
		w.add(true, "refundrule.percent", "percent", percent)
	default:
		w.add(true, "refundrule.percent_by", "percent", percent, "by", text.Msg("refund.by."+by))
	}
}

func deadlineWords(d *citypack.PayDeadline) []text.Localized {
	var w wordsOf
	if d == nil {
		return w
	}
	w.add(d.MonthDay != "", "refundrule.pay_calendar", "day", d.MonthDay)
	switch {
	case d.Kind == "on_application" && d.Months > 0:
		w.add(true, "refundrule.pay_application_months", "months", d.Months)
	case d.Kind == "on_application":
		w.add(true, "refundrule.pay_application")
	default:
		w.add(d.Months > 0, "refundrule.pay_months", "months", d.Months, "from", text.Msg("refundrule.pay_from."+d.Kind))
		w.add(d.Days > 0, "refundrule.pay_days", "days", d.Days, "from", text.Msg("refundrule.pay_from."+d.Kind))
	}
	w.law(d.Text)
	return w
}

func lateWords(l *citypack.LateRefund) []text.Localized {
	var w wordsOf
	if l != nil {
		w = append(w, phrase(l.Text, "refund.late_charge"))
		w.law(l.Except)
	}
	return w
}

func contractWords(r *citypack.RefundRule) []text.Localized {
	var w wordsOf
	w.add(r.ContractOnly, "refund.warn.contract_only")
	w.add(r.ContractFirst, "refund.warn.contract_first")
	w.add(r.ContractOverride != nil && *r.ContractOverride, "refund.step.contract_may_differ")
	return w
}

func payerWords(r *citypack.RefundRule) []text.Localized {
	var w wordsOf
	if r.Payer != nil {
		w = append(w, *r.Payer)
	}
	if r.PaysTest != nil {
		w.add(true, "refundrule.pays_test", "text", *r.PaysTest)
	}
	if r.Dispute != nil {
		w.add(true, "refundrule.dispute", "text", *r.Dispute)
	}
	for _, s := range r.SuspendedPercent {
		w.add(true, "refundrule.suspended", "percent", s.Percent)
		w.law(s.Version)
	}
	w.add(r.BasicCapPercent != "", "refundrule.basic_cap", "percent", r.BasicCapPercent)
	w.law(r.Extension)
	return w
}

func measureWords(m *citypack.RuleMeasure) []text.Localized {
	var w wordsOf
	if m == nil {
		return w
	}
	switch len(m.WithinHours) {
	case 0:
	case 1:
		w.add(true, "refundrule.within", "hours", m.WithinHours[0])
	default:
		w.add(true, "refundrule.within_range", "from", m.WithinHours[0], "to", m.WithinHours[len(m.WithinHours)-1])
	}
	w.add(m.ContactHours > 0, "refundrule.contact_within", "hours", m.ContactHours)
	if h := m.Between; h != nil {
		w.add(true, "refundrule.measure_between", "from", h.From, "to", h.To)
	}
	if h := m.NotBetween; h != nil {
		w.add(true, "refundrule.measure_not_between", "from", h.From, "to", h.To)
	}
	w.add(m.TestersMin > 0, "refundrule.testers", "n", m.TestersMin)
	w.add(m.WindowsMinutes > 0, "refundrule.windows_closed", "minutes", m.WindowsMinutes)
	w.add(m.HeightCM > 0, "refundrule.height", "cm", m.HeightCM)
	if x := m.Reading; x != nil {
		w.add(x.Count > 0, "refundrule.reading_count", "n", x.Count)
		w.add(x.Days > 0, "refundrule.reading_days", "days", x.Days, "slots", max(x.SlotsPerDay, 1))
		w.choice("reduction", string(x.Result))
	}
	w.law(m.Point, m.BetweenText, m.Value, m.Receipt, m.FixedPoints)
	return w
}
