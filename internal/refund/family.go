package refund

import (
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/text"
)

// cold counts the cold days of a level into the level's table, in the family of the rule.
func (p *Plan) cold(in *Input, s *Scratch, level Level) {
	clear(s.other)
	p.collect(in, s, level)
	switch p.counting.Kind {
	case citypack.CountPerTest:
		p.perTest(s)
	case citypack.CountByTests:
		p.byTests(in, s)
	case citypack.CountMonth:
		p.byMonth(in, s)
	case citypack.CountWindow:
		p.byWindow(s)
	case citypack.CountConfirmed:
		p.confirmed(s)
	case citypack.CountSpan, citypack.CountBlocks, citypack.CountNonConform, citypack.CountAfterSpell, citypack.CountGraceExcess:
		p.countSpells(in, s, level)
	default:
		if s.talk && len(s.tests) > 0 {
			s.warn("counting_silent", text.Msg("refund.warn.counting_silent"))
		}
		p.countSpells(in, s, level)
	}
	p.presume(in, s, level)
	p.exclude(in, s)
	p.windows(in, s)
	for i, f := range s.other {
		if f != 0 {
			s.raise(s.first+int32(i), f)
		}
	}
}

// failed lists the failing measurements that count and lie at least so many days apart.
func (s *Scratch) failed(apart int) []int {
	var out []int
	last := int32(0)
	for i := range s.tests {
		t := &s.tests[i]
		d := dayOf(t.at)
		if t.early || t.conforms || len(out) > 0 && d < last+int32(apart) {
			continue
		}
		out, last = append(out, i), d
	}
	return out
}

// put writes a fact for so many days from a day on; within the table the colder of two stands.
func (s *Scratch) put(day, n int32, f int16) {
	for d := day; d < day+n; d++ {
		i, ok := s.at(d)
		if !ok {
			continue
		}
		if now := s.other[i]; now == 0 || s.facts[f].worth().cmp(s.facts[now].worth()) > 0 {
			s.other[i] = f
		}
	}
}

// perTest counts each failed test as a fixed number of days from its own on.
func (p *Plan) perTest(s *Scratch) {
	for _, i := range s.failed(p.counting.MinBetween) {
		t := &s.tests[i]
		if s.talk {
			s.step(p.article(), text.Msg("refund.step.per_test", "day", dateOf(dayOf(t.at)), "days", p.counting.DaysPer))
		}
		s.put(dayOf(t.at), int32(p.counting.DaysPer), s.add(t.fact))
	}
}

// byTests looks the days up by the number of failed tests. The lowest of their temperatures sets the tier, for the table
// gives one number of days for all of them.
func (p *Plan) byTests(in *Input, s *Scratch) {
	list := s.failed(p.counting.MinBetween)
	if len(list) == 0 {
		return
	}
	worst := s.tests[list[0]].fact
	for _, i := range list {
		if f := s.tests[i].fact; worse(f.verdict, f.temp, worst) {
			worst = f
		}
	}
	first := dayOf(s.tests[list[0]].at)
	last := dayOf(s.tests[list[len(list)-1]].at)
	days, all := 0, false
	for _, m := range p.counting.Map {
		switch {
		case m.OverMonths > 0:
			if dateOf(first).AddMonths(m.OverMonths).Before(dateOf(last)) && !p.warmBetween(s, list) {
				all = m.WholeSeason
				days = max(days, m.Days)
			}
		case m.FailedTests > 0 && s.within(list, m.FailedTests, m.WithinDays):
			days = max(days, m.Days)
		}
	}
	if s.talk {
		s.warn("tests_lowest", text.Msg("refund.warn.tests_lowest"))
	}
	if all {
		p.wholeSeason(in, s, worst)
		return
	}
	if s.talk {
		s.step(p.article(), text.Msg("refund.step.by_tests", "tests", len(list), "days", days))
	}
	end := s.first + int32(len(s.cells)) - int32(days) // the days are fixed: at the season's end they lie before it
	s.put(max(s.first, min(first, end)), int32(days), s.add(worst))
}

// warmBetween reports whether a measurement conformed between the failed ones.
func (p *Plan) warmBetween(s *Scratch, list []int) bool {
	for i := list[0]; i < list[len(list)-1]; i++ {
		if t := &s.tests[i]; t.conforms && !t.early {
			return true
		}
	}
	return false
}

// within reports whether n of the failed tests lie inside so many days; 0 is any time.
func (s *Scratch) within(list []int, n, days int) bool {
	for i := 0; i+n <= len(list); i++ {
		if days == 0 || dayOf(s.tests[list[i+n-1]].at)-dayOf(s.tests[list[i]].at) < int32(days) {
			return true
		}
	}
	return false
}

// wholeSeason pays the full fee of the season.
func (p *Plan) wholeSeason(in *Input, s *Scratch, f fact) {
	first, last, ok := in.seasonDays()
	if !ok {
		s.lack("season.to")
		return
	}
	v := p.price(in)
	n := int64(last-first) + 1
	f.verdict = verdict{known: true, percent: whole(100), band: noBand}
	if v.hasDays {
		f.weight = v.days.mul(ratio{num: 1, den: n})
	}
	if s.talk {
		s.step(p.article(), text.Msg("refund.step.whole_season"))
	}
	s.put(first, int32(n), s.add(f))
}

// byMonth lets the mean of a month's tests decide the month.
func (p *Plan) byMonth(in *Input, s *Scratch) {
	for i := 0; i < len(s.tests); {
		month := dateOf(dayOf(s.tests[i].at))
		month.Day = 1
		next := dayNumber(month.AddMonths(1))
		var sum ratio
		n, f := 0, s.tests[i].fact
		for ; i < len(s.tests) && dayOf(s.tests[i].at) < next; i++ {
			if t := &s.tests[i]; !t.early {
				sum, n = sum.add(t.temp), n+1
			}
		}
		if n < max(1, p.counting.Tests) {
			if s.talk {
				s.warn("too_few_tests", text.Msg("refund.warn.too_few_tests", "month", int(month.Month), "tests", n, "needed", p.counting.Tests))
			}
			continue
		}
		f.temp = sum.mul(ratio{num: 1, den: int64(n)})
		f.verdict = p.judge(f.temp, in.AgreedC, false)
		if s.talk {
			s.step(p.article(), text.Msg("refund.step.month_mean", "month", int(month.Month), "temp", celsiusOf(f.temp), "tests", n))
		}
		if !f.conforms {
			s.put(dayNumber(month), next-dayNumber(month), s.add(f))
		}
	}
}

// byWindow lets failed tests inside a window make the window.
func (p *Plan) byWindow(s *Scratch) {
	n, size := max(1, p.counting.Tests), int32(p.counting.WindowDays)
	list := s.failed(p.counting.MinBetween)
	for i := 0; i+n <= len(list); i++ {
		a, b := &s.tests[list[i]], &s.tests[list[i+n-1]]
		first := dayOf(a.at)
		if dayOf(b.at)-first >= size {
			continue
		}
		if s.talk {
			s.step(p.article(), text.Msg("refund.step.window", "from", dateOf(first), "days", size, "tests", n))
		}
		f := a.fact
		if p.between == "lowest" && worse(b.verdict, b.temp, f) {
			f = b.fact
		}
		s.put(first, size, s.add(f))
		if p.between != "lowest" {
			s.put(dayOf(b.at), first+size-dayOf(b.at), s.add(b.fact))
		}
	}
}

// confirmed counts the days on which both sides signed a failing measurement.
func (p *Plan) confirmed(s *Scratch) {
	for i := range s.tests {
		t := &s.tests[i]
		if t.early || t.conforms {
			continue
		}
		if !t.signed {
			if s.talk {
				s.warn("not_confirmed", text.Msg("refund.warn.not_confirmed", "day", dateOf(dayOf(t.at))))
			}
			continue
		}
		if s.talk {
			s.step(p.article(), text.Msg("refund.step.confirmed", "day", dateOf(dayOf(t.at))))
		}
		s.put(dayOf(t.at), 1, s.add(t.fact))
	}
}
