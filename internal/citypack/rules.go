package citypack

import (
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// Rules are a city's rules as they hold now: its pack with the city's approvals, the seasons it declared, its calendar,
// and whether it takes reports in the peak's short form (高峰快录). They are never changed; whoever keeps them for the
// length of a use case sees one state.
type Rules struct {
	Pack     *Pack
	Declared []Declared
	Calendar *calendar.Calendar
	Peak     bool
}

// Season gives the season of the heating year that an instant lies in; county may be empty.
func (r *Rules) Season(at civil.Instant, county string) (Season, bool) {
	return r.Pack.SeasonFor(at.Date(), county, r.Declared)
}

// Phase gives the part of the heating year at an instant; county may be empty.
func (r *Rules) Phase(at civil.Instant, county string) Phase {
	return r.Pack.PhaseAt(at, county, r.Declared)
}

// Limit gives the limit of a clock for a category as it holds at an instant; nothing when the pack does not know one.
func (r *Rules) Limit(clock string, cat *Category, urgency Urgency, at civil.Instant, county string) (LimitValue, bool) {
	return r.Pack.LimitFor(clock, cat, urgency, at, r.Phase(at, county))
}

// Calendar gives the limit as the calendar counts it.
func (v LimitValue) Calendar() (calendar.Limit, calendar.Shifts) {
	shifts := make(calendar.Shifts, len(v.Shifts))
	for i, h := range v.Shifts {
		shifts[i] = calendar.Shift{h.From, h.To}
	}
	return calendar.Limit{Amount: calendar.Whole(v.Amount), Unit: calendar.Unit(v.Unit), Roll: v.Roll}, shifts
}

// RuleLimit looks a limit up by the rule's name as it holds at an instant, for calendar.RuleLimit.
func (r *Rules) RuleLimit(rule string, at civil.Instant) (l calendar.Limit, s calendar.Shifts, provisional bool, explain []calendar.Step, err error) {
	var c fault.Check
	if !slices.Contains(RuleNames(), rule) {
		c.Add("rule", "field.not_one_of", "allowed", strings.Join(RuleNames(), ", "))
		return l, nil, false, nil, c.Err()
	}
	v, ok := r.Pack.Rule(rule, at, r.Phase(at, ""))
	if !ok {
		c.Add("rule", "pack.no_limit", "city", r.Pack.Name, "rule", text.Msg("pack.rule."+rule))
		return l, nil, false, nil, c.Err()
	}
	l, s = v.Calendar()
	key := "pack.explain.limit"
	if v.Phase != "" {
		key = "pack.explain.limit_in_phase"
	}
	explain = []calendar.Step{{
		Message: text.Msg(key, "city", r.Pack.Name, "rule", text.Msg("pack.rule."+rule), "limit", l.Words(),
			"phase", text.Msg("pack.phase."+string(v.Phase)), "source", v.Source.Law),
		Article: v.Source.Article,
	}}
	if v.Provisional {
		explain = append(explain, calendar.Step{Message: text.Msg("pack.explain.provisional")})
	}
	return l, s, v.Provisional, explain, nil
}
