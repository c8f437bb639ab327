package refund

import (
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/text"
)

// spell is one stretch of cold: from the event that the rule counts from to the one that ends it.
type spell struct {
	from, to        civil.Instant
	open            bool // nothing has ended it yet
	first, last     int  // of its failing measurements
	report, request civil.Instant
	repeated        bool // the fault came back within the cure time
}

// anchors are the report and the request that wait for a measurement.
type anchors struct{ report, request civil.Instant }

// from is where counting starts, by the rule; where the rule is silent the request, else the report, else the test.
func (a anchors) from(rule string, at civil.Instant, none bool) civil.Instant {
	switch rule {
	case "test_request":
		return a.request
	case "report":
		if a.report != 0 {
			return a.report
		}
		return a.request // whoever asks for a test has said that it is cold
	case "test":
		return at
	}
	switch {
	case a.request != 0:
		return a.request
	case a.report != 0:
		return a.report
	case none:
		return at
	}
	return 0
}

// walk finds the spells of a level.
func (p *Plan) walk(in *Input, s *Scratch, level Level) {
	s.spells = s.spells[:0]
	none := p.firstAnchor(in, s, level) == 0
	var a anchors
	open, next := false, 0
	for _, i := range s.order {
		e := &in.Events[i]
		if levelOf(e) != level {
			continue
		}
		switch e.Type {
		case Reported:
			if a.report == 0 {
				a.report = e.At
			}
		case Requested:
			if a.request == 0 {
				a.request = e.At
			}
		case Withdrawn:
			open, a = s.end(open, e.At), anchors{}
		case CureVerified:
			if len(e.Readings) == 0 && p.counting.To != "retest_passes" {
				open, a = s.end(open, e.At), anchors{}
			}
		default:
		}
		if next >= len(s.tests) || s.tests[next].event != i {
			continue
		}
		t := &s.tests[next]
		next++
		switch {
		case t.early:
		case t.conforms:
			open, a = s.end(open, t.last), anchors{}
		case open:
			s.spells[len(s.spells)-1].last = next - 1
		default:
			open = p.begin(s, a, t, next-1, none)
		}
	}
}

// end closes the spell that is open.
func (s *Scratch) end(open bool, at civil.Instant) bool {
	if open {
		sp := &s.spells[len(s.spells)-1]
		sp.to, sp.open = at, false
	}
	return false
}

// begin opens a spell at a failing measurement, or goes on with the last one when the fault came back within the cure
// time and the rule then refunds the whole.
func (p *Plan) begin(s *Scratch, a anchors, t *test, index int, none bool) bool {
	if n := len(s.spells); n > 0 && p.rule.Repeat != nil && p.rule.Cure != nil {
		sp := &s.spells[n-1]
		if !sp.open && t.at <= sp.to.Add(hours(p.rule.Cure.Hours)) {
			sp.open, sp.to, sp.last, sp.repeated = true, 0, index, true
			return true
		}
	}
	from := a.from(p.counting.From, t.at, none)
	if from == 0 {
		if s.talk {
			s.warn("no_request", text.Msg("refund.warn.no_request", "day", dateOf(dayOf(t.at))))
		}
		return false
	}
	s.spells = append(s.spells, spell{from: from, open: true, first: index, last: index, report: a.report, request: a.request})
	return true
}

// until is the instant at which a spell that nothing has ended stops counting: the season's end, or the end of the
// stretch that is asked about.
func (in *Input) until() civil.Instant {
	end := in.Season.To
	if !in.Only.To.IsZero() && (end == 0 || in.Only.To.End() < end) {
		end = in.Only.To.End()
	}
	return end
}

// counts says whether a spell counts at all: cured in time it does not, too short it does not.
func (p *Plan) counts(s *Scratch, sp *spell) bool {
	if c := p.rule.Cure; c != nil && c.Hours > 0 && !sp.open && !sp.repeated {
		if start := p.anchor(s, sp, c.From); sp.to <= start.Add(hours(c.Hours)) {
			if s.talk {
				s.step(p.article(), text.Msg("refund.step.cured", "hours", c.Hours, "from", start.Minute(), "to", sp.to.Minute()))
			}
			return false
		}
		if s.talk {
			s.step(p.article(), text.Msg("refund.step.not_cured", "hours", c.Hours))
		}
	}
	if m := p.rule.MinSpell; m != nil {
		if start := p.anchor(s, sp, m.From); sp.to < start.Add(hours(m.Hours)) {
			if s.talk {
				s.step(p.article(), text.Msg("refund.step.short_spell", "hours", m.Hours, "from", start.Minute(), "to", sp.to.Minute()))
			}
			return false
		}
		if s.talk {
			s.step(p.article(), text.Msg("refund.step.long_spell", "hours", m.Hours))
		}
	}
	return true
}

// anchor is the event that a cure or a shortest spell is counted from.
func (p *Plan) anchor(s *Scratch, sp *spell, from string) civil.Instant {
	var at civil.Instant
	switch from {
	case "report":
		if at = sp.report; at == 0 {
			at = sp.request
		}
	case "test_request":
		at = sp.request
	case "test":
		at = s.tests[sp.first].last
	}
	if at == 0 {
		at = sp.from
	}
	return at
}

// spells counts the days of every spell into the level's table.
func (p *Plan) countSpells(in *Input, s *Scratch, level Level) {
	p.walk(in, s, level)
	total := int32(0)
	for i := range s.spells {
		sp := &s.spells[i]
		if sp.open {
			sp.to = in.until()
			if sp.to == 0 {
				s.lack("season.to")
				continue
			}
			if sp.to <= sp.from {
				continue
			}
			if s.talk {
				s.warn("open_spell", text.Msg("refund.warn.open_spell", "from", dateOf(dayOf(sp.from)), "to", dateOf(dayOf(sp.to-1))))
			}
		}
		if !p.counts(s, sp) {
			continue
		}
		first, last := p.days(s, sp)
		if s.talk && last >= first {
			s.step(p.article(), text.Msg("refund.step.spell", "from", dateOf(first), "to", dateOf(last), "days", int(last-first)+1))
		}
		p.fill(s, sp, first, last, &total)
	}
}

// days are the first and the last day that a spell counts.
func (p *Plan) days(s *Scratch, sp *spell) (first, last int32) {
	first = dayOf(sp.from)
	if u := p.counting.Unit; u == "full_24h" || u == "each_24h" || p.counting.Kind == citypack.CountBlocks {
		n := int32(int64(sp.to-sp.from) / dayMillis)
		if s.talk {
			s.step(p.article(), text.Msg("refund.step.blocks", "from", sp.from.Minute(), "to", sp.to.Minute(), "days", n))
		}
		return first, first + n - 1
	}
	if p.counting.FromCounts != nil && !*p.counting.FromCounts {
		first++
	}
	if sp.open { // counted up to an instant, not to a day that ends it
		return first, dayOf(sp.to - 1)
	}
	last = dayOf(sp.to)
	if p.counting.ToCounts == nil || !*p.counting.ToCounts {
		last--
	}
	if s.talk && (p.counting.FromCounts == nil || p.counting.ToCounts == nil) {
		s.warn("first_last_day", text.Msg("refund.warn.first_last_day"))
	}
	if s.talk && p.counting.From == "" {
		s.warn("count_from", text.Msg("refund.warn.count_from"))
	}
	return first, last
}

// fill writes the spell's days with the temperature that holds on each.
func (p *Plan) fill(s *Scratch, sp *spell, first, last int32, total *int32) {
	held, ids := p.held(s, sp)
	grace := p.rule.Grace
	k := sp.first
	for d := first; d <= last; d++ {
		f := held
		if f == 0 {
			for k < sp.last && dayOf(s.tests[k+1].at) <= d {
				k++
			}
			f = ids + int16(k-sp.first)
		}
		*total++
		if grace != nil && !beyond(grace, d-first+1, *total) {
			f = s.cleared(f, CauseGrace)
		}
		if i, ok := s.at(d); ok {
			s.other[i] = f
		}
	}
}

// beyond reports whether a day lies beyond the grace days.
func beyond(g *citypack.Grace, run, total int32) bool {
	return g.ContinuousDays > 0 && run > int32(g.ContinuousDays) || g.TotalDays > 0 && total > int32(g.TotalDays)
}

// held is the one fact for the whole spell where the rule takes the first, the lowest or the mean of its readings. Else
// each reading holds until the next, and ids is the fact of the first.
func (p *Plan) held(s *Scratch, sp *spell) (one, ids int16) {
	tests := s.tests[sp.first : sp.last+1]
	if len(tests) == 1 {
		return s.add(tests[0].fact), 0
	}
	switch p.between {
	case "first":
		return s.add(tests[0].fact), 0
	case "lowest":
		worst := tests[0].fact
		for i := range tests {
			if f := tests[i].fact; !f.conforms && worse(f.verdict, f.temp, worst) {
				worst = f
			}
		}
		if s.talk {
			s.step(p.article(), text.Msg("refund.step.lowest", "temp", celsiusOf(worst.temp)))
		}
		return s.add(worst), 0
	case "mean":
		return s.add(p.meanOf(s, tests)), 0
	case "":
		if s.talk {
			s.warn("between_readings", text.Msg("refund.warn.between_readings"))
		}
	}
	f := tests[0].fact
	for i := range tests {
		if !tests[i].conforms { // what conformed for a while only in a span that counts as a whole changes nothing
			f = tests[i].fact
		}
		if id := s.add(f); i == 0 {
			ids = id
		}
	}
	return 0, ids
}

func (p *Plan) meanOf(s *Scratch, tests []test) fact {
	var sum ratio
	n := int64(0)
	for i := range tests {
		if !tests[i].conforms {
			sum, n = sum.add(tests[i].temp), n+1
		}
	}
	f := tests[0].fact
	f.temp = sum.mul(ratio{num: 1, den: n})
	f.verdict = p.judge(f.temp, s.agreed, false)
	if s.talk {
		s.step(p.article(), text.Msg("refund.step.mean", "temp", celsiusOf(f.temp)))
	}
	return f
}

// cleared is a fact that does not pay, for a reason.
func (s *Scratch) cleared(of int16, cause Cause) int16 {
	f := s.facts[of]
	f.percent, f.known, f.cause, f.noRooms = ratio{}, true, cause, false
	for i := range s.facts {
		if g := &s.facts[i]; g.cause == cause && g.percent.sign() == 0 && g.level == f.level && g.hasTemp == f.hasTemp && g.temp.same(f.temp) {
			return int16(i)
		}
	}
	return s.add(f)
}

func (p *Plan) article() string { return p.rule.Source.Article }
