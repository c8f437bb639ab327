package citypack

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
)

// Declared is a season start and end that the authority published for the whole city or a county; it overrides the rule.
// An absent start or end leaves the rule's.
type Declared struct {
	Season   string        `json:"season"` // 2025-2026
	County   string        `json:"county,omitempty"`
	Start    civil.Instant `json:"start,omitzero"`
	End      civil.Instant `json:"end,omitzero"`
	By       string        `json:"by"`
	At       civil.Instant `json:"at"`
	Document string        `json:"document"`
}

// Season is one heating season; End is the first instant without the duty to heat.
type Season struct {
	Label       string        `json:"label"`
	Start       civil.Instant `json:"start"`
	End         civil.Instant `json:"end"`
	Declared    bool          `json:"declared"`
	Source      Source        `json:"source"`
	Confidence  Confidence    `json:"confidence"`
	Provisional bool          `json:"provisional"`
}

// SeasonLabel names the season of the heating year that a day lies in; a heating year begins on 1 July.
func SeasonLabel(day civil.Date) string {
	y := day.Year
	if day.Month < time.July {
		y--
	}
	return fmt.Sprintf("%d-%d", y, y+1)
}

// SeasonFor gives the season of the heating year that the day lies in, from what was declared for the county, what was
// declared for the city, what the pack knows as announced, and the rule, in this order; nothing when none knows it.
func (p *Pack) SeasonFor(day civil.Date, county string, declared []Declared) (Season, bool) {
	return p.SeasonNamed(SeasonLabel(day), county, declared)
}

// SeasonNamed is SeasonFor by the season's label.
func (p *Pack) SeasonNamed(label, county string, declared []Declared) (Season, bool) {
	year, ok := labelYear(label)
	if !ok {
		return Season{}, false
	}
	s := Season{Label: label}
	for _, r := range bySpecific(p.Doc.Season.Rule, county, func(r SeasonRule) []string { return r.Counties }) {
		start, err1 := r.Start.in(year)
		end, err2 := r.End.after(start)
		if err1 == nil && err2 == nil && r.Covers(start.Date()) {
			s.Start, s.End = start, end
			s.Source, s.Confidence, s.Provisional = r.Source, r.Confidence, p.provisional(r.Origin)
			break
		}
	}
	for _, a := range bySpecific(p.Doc.Season.Announced, county, func(a Announced) []string { return a.Counties }) {
		if a.Label != label {
			continue
		}
		s.override(parsePackTime(a.Start), parsePackTime(a.End))
		s.Source, s.Confidence, s.Provisional = a.Source, a.Confidence, p.provisional(a.Origin)
		break
	}
	for _, whole := range []bool{true, false} { // the county's declaration is written over the city's
		for _, d := range declared {
			if d.Season == label && (d.County == "") == whole && (whole || d.County == county) {
				s.override(d.Start, d.End)
				s.Declared, s.Provisional = true, false
				s.Source, s.Confidence = Source{Law: d.Document}, Primary
			}
		}
	}
	return s, !s.Start.IsZero() && s.Start.Before(s.End)
}

func (s *Season) override(start, end civil.Instant) {
	if !start.IsZero() {
		s.Start = start
	}
	if !end.IsZero() {
		s.End = end
	}
}

// bySpecific puts the entries that name the county before those for the whole city and drops other counties'.
func bySpecific[T any](list []T, county string, counties func(T) []string) []T {
	var named, whole []T
	for _, e := range list {
		switch c := counties(e); {
		case len(c) == 0:
			whole = append(whole, e)
		case county != "" && slices.Contains(c, county):
			named = append(named, e)
		}
	}
	return append(named, whole...)
}

// PhaseAt gives the part of the heating year at an instant. The first days end at 24:00 of the n-th day after the day on
// which the season starts. Without a season the phase is empty.
func (p *Pack) PhaseAt(at civil.Instant, county string, declared []Declared) Phase {
	s, ok := p.SeasonFor(at.Date(), county, declared)
	if !ok {
		return ""
	}
	day := s.Start.Date()
	days := func(d Dated[int]) int { return d.Or(day, 0) }
	trial := s.Start.Add(-time.Duration(days(p.Doc.Season.TrialDays)) * 24 * time.Hour)
	fill := trial.Add(-time.Duration(days(p.Doc.Season.FillDays)) * 24 * time.Hour)
	switch {
	case at.Before(fill):
		return PhaseMaintenance
	case at.Before(trial):
		return PhaseFill
	case at.Before(s.Start):
		return PhaseTrial
	case !at.Before(s.End):
		if n := days(p.Doc.Season.AfterDays); n > 0 && !at.Before(s.End.Add(-time.Millisecond).Date().AddDays(n).End()) {
			return PhaseMaintenance
		}
		return PhaseAfter
	}
	if n := days(p.Doc.Season.FirstDays); n > 0 && at.Before(day.AddDays(n).End()) {
		return PhaseFirstDays
	}
	return PhaseSeason
}

func labelYear(label string) (int, bool) {
	if len(label) != 9 || label[4] != '-' {
		return 0, false
	}
	a, err1 := strconv.Atoi(label[:4])
	b, err2 := strconv.Atoi(label[5:])
	return a, err1 == nil && err2 == nil && b == a+1
}

// in gives the time of the year in the heating year that begins in July of year.
func (m MonthDayTime) in(year int) (civil.Instant, error) {
	month, day, hour, minute, err := m.parts()
	if err != nil {
		return 0, err
	}
	if time.Month(month) < time.July {
		year++
	}
	return civil.On(civil.NewDate(year, time.Month(month), day), hour, minute), nil
}

// after gives the first such time of the year later than the start.
func (m MonthDayTime) after(start civil.Instant) (civil.Instant, error) {
	month, day, hour, minute, err := m.parts()
	if err != nil {
		return 0, err
	}
	for year := start.Date().Year; ; year++ {
		if t := civil.On(civil.NewDate(year, time.Month(month), day), hour, minute); t.After(start) {
			return t, nil
		}
	}
}

func (m MonthDayTime) parts() (month, day, hour, minute int, err error) {
	if _, err = fmt.Sscanf(string(m), "%02d-%02d %02d:%02d", &month, &day, &hour, &minute); err != nil {
		return 0, 0, 0, 0, fmt.Errorf("not a time of the year like 11-15 00:00: %q", string(m))
	}
	last := civil.NewDate(2024, time.Month(month)+1, 0).Day
	if month < 1 || month > 12 || day < 1 || day > last || hour > 24 || minute > 59 || hour == 24 && minute > 0 {
		return 0, 0, 0, 0, fmt.Errorf("no such time of the year: %q", string(m))
	}
	return month, day, hour, minute, nil
}

// parsePackTime reads YYYY-MM-DD HH:MM where 24:00 is the end of the day; absent is zero.
func parsePackTime(s string) civil.Instant {
	if len(s) != len("2006-01-02 15:04") {
		return 0
	}
	day, err := civil.ParseDate(s[:10])
	hour, err1 := strconv.Atoi(s[11:13])
	minute, err2 := strconv.Atoi(s[14:16])
	if err != nil || err1 != nil || err2 != nil {
		return 0
	}
	return civil.On(day, hour, minute)
}
