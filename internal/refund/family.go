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

// failing lists the failing measurements that count.
func (s *Scratch) failing() []int {
	var out []int
	for i := range s.tests {
		if t := &s.tests[i]; !t.early && !t.conforms {
			out = append(out, i)
		}
	}
	return out
}

// apart takes from a list of measurements the first, and of the others those that lie at least so many days after the one
// taken before: as many as there can be.
func (s *Scratch) apart(list []int, days int) []int {
	var out []int
	for _, i := range list {
		if len(out) == 0 || s.day(i) >= s.day(out[len(out)-1])+int32(days) {
			out = append(out, i)
		}
	}
	return out
}

func (s *Scratch) day(test int) int32 { return dayOf(s.tests[test].at) }

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

// perTest counts each failed test as a fixed number of days from its own on. A test too soon after the last one adds no
// days; from then on its temperature holds for those that are left.
func (p *Plan) perTest(s *Scratch) {
	from, end := int32(0), int32(0)
	for _, i := range s.failing() {
		d := s.day(i)
		if end == 0 || d >= from+int32(p.counting.MinBetween) {
			from, end = d, d+int32(p.counting.DaysPer)
			if s.talk {
				s.step(p.article(), text.Msg("refund.step.per_test", "day", dateOf(d), "days", p.counting.DaysPer))
			}
		}
		s.put(d, end-d, s.add(s.tests[i].fact))
	}
}

// byTests looks the days up by the number of failed tests. The lowest of their temperatures sets the tier, for the table
// gives one number of days for all of them.
func (p *Plan) byTests(in *Input, s *Scratch) {
	every := s.failing()
	if len(every) == 0 {
		return
	}
	list := s.apart(every, p.counting.MinBetween)
	worst := s.tests[list[0]].fact
	for _, i := range every {
		if f := s.tests[i].fact; worse(f.verdict, f.temp, worst) {
			worst = f
		}
	}
	first, last := s.day(every[0]), s.day(every[len(every)-1])
	days, all := 0, false
	for _, m := range p.counting.Map {
		switch {
		case m.OverMonths > 0:
			if dateOf(first).AddMonths(m.OverMonths).Before(dateOf(last)) && !p.warmBetween(s, every) {
				all = m.WholeSeason
				days = max(days, m.Days)
			}
		case m.FailedTests > 0 && s.within(every, m.FailedTests, m.WithinDays, p.counting.MinBetween):
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

// within reports whether n failed tests, far enough apart, lie inside so many days; 0 is any time.
func (s *Scratch) within(list []int, n, days, apart int) bool {
	for i := range list {
		if taken := s.apart(list[i:], apart); len(taken) >= n && (days == 0 || s.day(taken[n-1])-s.day(taken[0]) < int32(days)) {
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
	every := s.failing()
	for i := range every {
		list := s.apart(every[i:], p.counting.MinBetween)
		if len(list) < n || s.day(list[n-1])-s.day(list[0]) >= size {
			continue
		}
		first := s.day(list[0])
		if s.talk {
			s.step(p.article(), text.Msg("refund.step.window", "from", dateOf(first), "days", size, "tests", n))
		}
		for k, j := range list[:n] { // each reading holds until the next
			from, to := s.day(j), first+size
			if k+1 < n {
				to = s.day(list[k+1])
			}
			s.put(from, to-from, s.add(s.tests[j].fact))
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
