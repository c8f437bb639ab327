package refund

import (
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/text"
)

// lapses names what a side failed to do, in the words of the packs; nothing for other events.
func (e *Event) lapses() []string {
	var out []string
	switch e.Type {
	case RefusedByUser:
		return []string{"user_refuses_test"}
	case MissedByCompany:
		return []string{"company_late"}
	case RefusedByCompany: // who refuses to test does not test in time
		return []string{"company_refuses", "company_late"}
	case UnableByCompany:
		return []string{"company_unable"}
	case NoRecord:
		return []string{"company_no_record"}
	case Tested, Retested, LabReported:
	default:
		return nil
	}
	if !yes(e.SignedUser) {
		out = append(out, "user_refuses_signature")
	}
	if !yes(e.SignedCompany) {
		out = append(out, "company_no_signature")
	}
	if !yes(e.Certificate) {
		out = append(out, "company_no_certificate")
	}
	if !yes(e.CopyLeft) {
		out = append(out, "company_no_copy")
	}
	return out
}

// presume applies what the rule says of days on which a side did not cooperate. It applies only where the rule has such
// a presumption, and never over a later time that both sides agreed on.
func (p *Plan) presume(in *Input, s *Scratch, level Level) {
	for _, i := range s.order {
		e := &in.Events[i]
		if levelOf(e) != level {
			continue
		}
		lapses := e.lapses()
		if len(lapses) == 0 {
			continue
		}
		d := dayOf(e.At)
		k := slices.IndexFunc(p.presumed, func(q presumption) bool {
			return slices.ContainsFunc(q.of.If, func(name string) bool { return slices.Contains(lapses, name) })
		})
		switch {
		case k < 0:
			if s.talk {
				s.warn("no_presumption", text.Msg("refund.warn.no_presumption", "day", dateOf(d)))
			}
		case strings.HasPrefix(lapses[len(lapses)-1], "company_late") && agreedLater(in, e, level):
			if s.talk {
				s.warn("agreed_later", text.Msg("refund.warn.agreed_later", "day", dateOf(d)))
			}
		default:
			last := d
			if p.presumed[k].of.Days == "until_test" {
				last = s.nextTest(e, d)
			}
			for ; d <= last; d++ {
				p.presumeDay(in, s, &p.presumed[k], d, level)
			}
		}
	}
}

// agreedLater reports whether both sides had agreed on a time after the one that was missed.
func agreedLater(in *Input, missed *Event, level Level) bool {
	return slices.ContainsFunc(in.Events, func(e Event) bool {
		return e.Type == Appointed && levelOf(&e) == level && e.At > missed.At
	})
}

// nextTest is the day before the next measurement.
func (s *Scratch) nextTest(e *Event, d int32) int32 {
	for i := range s.tests {
		if t := &s.tests[i]; t.at > e.At {
			return max(d, dayOf(t.at)-1)
		}
	}
	return d
}

// presumeDay writes one day: why, "refund.if.<lapse>", and what follows, "refund.then.<result>".
func (p *Plan) presumeDay(in *Input, s *Scratch, q *presumption, d int32, level Level) {
	i, ok := s.at(d)
	if !ok {
		return
	}
	if s.talk {
		then := text.Msg("refund.then."+q.of.Then, "percent", string(q.of.Percent), "temp", q.of.BelowC)
		s.step(p.article(), text.Msg("refund.step.presumed", "day", dateOf(d), "why", phrase(q.of.IfText, "refund.if."+q.of.If[0]), "then", then))
	}
	now := s.other[i]
	f := p.coldFact(in)
	f.cause, f.level, f.hasTemp, f.verdict = CausePresumed, level, false, verdict{known: true, band: noBand}
	switch q.of.Then {
	case "conforming":
		if now != 0 {
			s.other[i] = s.cleared(now, CausePresumed)
		}
		return
	case "percent":
		f.percent, f.known = q.percent, q.known
	case "below":
		if q.of.BelowC != nil {
			f.verdict = p.judge(over(int64(*q.of.BelowC)*1000-1, 1000), in.AgreedC, false)
		}
	case "nonconforming":
		if now != 0 && !s.facts[now].conforms && s.facts[now].percent.sign() > 0 {
			return // a reading says more than the presumption
		}
		v, known := p.mildest()
		f.verdict = v
		f.known = known
		if s.talk && known {
			s.warn("presumed_mildest", text.Msg("refund.warn.presumed_mildest", "percent", v.percent.String()))
		}
	}
	if now == 0 || f.worth().cmp(s.facts[now].worth()) > 0 || s.facts[now].cause != CauseCold {
		s.other[i] = s.add(f)
	}
}

// exclude takes out the days on which the company is free, where the reason stands in the rule and the proof is there.
func (p *Plan) exclude(in *Input, s *Scratch) {
	for _, i := range s.order {
		e := &in.Events[i]
		switch e.Type {
		case Excluded:
			if !p.excludes(s, e) {
				continue
			}
			last := dayOf(e.At)
			if !e.Until.IsZero() {
				last = dayOf(e.Until)
			}
			p.clearDays(s, dayOf(e.At), last, CauseExcluded)
		case OutdoorRead:
			for _, c := range slices.Concat(p.rule.Exclusions, p.rule.Duty) {
				if c.OutdoorBelowC != nil && e.Readings[0].TempC < *c.OutdoorBelowC {
					if s.talk {
						s.step(p.article(), text.Msg("refund.step.outdoor", "day", dateOf(dayOf(e.At)), "temp", e.Readings[0].TempC, "why", c.Text))
					}
					p.clearDays(s, dayOf(e.At), dayOf(e.At), CauseExcluded)
				}
			}
		default:
		}
	}
}

// excludes reports whether an exclusion takes effect. The company must prove it: what it only claims, or what was not
// accepted, does not.
func (p *Plan) excludes(s *Scratch, e *Event) bool {
	day := dateOf(dayOf(e.At))
	known := len(p.rule.Exclusions)+len(p.rule.Duty) > 0
	why := text.Localized(text.Msg("refund.exclusion"))
	if e.Code != "" {
		known = false
		for _, c := range slices.Concat(p.rule.Exclusions, p.rule.Duty) {
			if c.Code == e.Code {
				known, why = true, c.Text
			}
		}
	}
	switch {
	case !known:
		if s.talk {
			s.warn("exclusion_unknown", text.Msg("refund.warn.exclusion_unknown", "day", day))
		}
		return false
	case e.Accepted != nil && !*e.Accepted:
		if s.talk {
			s.warn("exclusion_refused", text.Msg("refund.warn.exclusion_refused", "day", day))
		}
		return false
	case e.Accepted == nil && e.By == ByCompany:
		if s.talk {
			s.warn("exclusion_unproved", text.Msg("refund.warn.exclusion_unproved", "day", day))
		}
		return false
	}
	if s.talk {
		s.step(p.article(), text.Msg("refund.step.excluded", "day", day, "why", why))
	}
	return true
}

func (p *Plan) clearDays(s *Scratch, first, last int32, cause Cause) {
	for d := first; d <= last; d++ {
		if i, ok := s.at(d); ok && s.other[i] != 0 {
			s.other[i] = s.cleared(s.other[i], cause)
		}
	}
}

// windows takes out the first and the last days of the season where the rule does.
func (p *Plan) windows(in *Input, s *Scratch) {
	if len(p.rule.Windows) == 0 {
		return
	}
	first, last, ok := in.seasonDays()
	if !ok {
		s.lack("season.from")
		return
	}
	for d := first; d <= last; d++ {
		if i, in := s.at(d); in && s.other[i] != 0 && p.inWindow(d, first, last) {
			if s.talk {
				s.warn("window", text.Msg("refund.warn.window", "day", dateOf(d)))
			}
			s.other[i] = s.cleared(s.other[i], CauseWindow)
		}
	}
}

func (p *Plan) inWindow(d, first, last int32) bool {
	return slices.ContainsFunc(p.rule.Windows, func(w citypack.Window) bool {
		return d < first+int32(w.FirstDays) || d > last-int32(w.LastDays)
	})
}

// phrase is the pack's own words, or a message where it has none.
func phrase(p *citypack.Phrase, key string) text.Localized {
	if p != nil {
		return *p
	}
	return text.Msg(key)
}
