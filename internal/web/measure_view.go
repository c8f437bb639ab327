package web

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// wasWarm reports whether the latest measurement of a home found it warm enough.
func wasWarm(all []measure.OwnMeasurement) bool {
	var latest measure.OwnMeasurement
	for _, m := range all {
		if !m.RequestedAt.Before(latest.RequestedAt) {
			latest = m
		}
	}
	return latest.State == measure.Conforming
}

// measureTone is the colour of a measurement's state.
func measureTone(s measure.State) ui.Tone {
	switch s {
	case measure.Requested:
		return ui.Violet
	case measure.Absent, measure.Refused, measure.Unsigned:
		return ui.Amber
	case measure.Missed, measure.Failed:
		return ui.Red
	case measure.Cured:
		return ui.Teal
	case measure.Conforming:
		return ui.Green
	case measure.Withdrawn:
	}
	return ui.Grey
}

func agreementTone(a measure.Agreement) ui.Tone {
	switch a {
	case measure.Proposed:
		return ui.Violet
	case measure.Agreed:
		return ui.Blue
	case measure.Kept:
		return ui.Green
	case measure.Broken:
		return ui.Red
	case measure.Declined, measure.Replaced, measure.Cancelled:
	}
	return ui.Grey
}

func measureStates() []ui.Option {
	return wordOptions("measure_state."+each, measure.Lifecycle.Statuses())
}

func measureColumns() []ui.Col {
	return []ui.Col{
		{Key: "measurepage.no", Ch: 14},
		{Key: "measurepage.address"},
		{Key: "measurepage.company", Ch: 8},
		{Key: "measurepage.state", Ch: 10},
		{Key: "measurepage.due", Ch: 10},
		{Key: "measurepage.appointed", Ch: 12},
		{Key: "measurepage.tester", Ch: 8},
		{Key: "measurepage.result", Ch: 8},
	}
}

func measureHeader() []string {
	return []string{
		"measurepage.no", "measurepage.case", "measurepage.account", "measurepage.address", "measurepage.company", "measurepage.state", "measurepage.requested",
		"measurepage.due", "measurepage.appointed", "measurepage.tester", "measurepage.tested", "measurepage.lowest", "measurepage.result", "measurepage.misses",
	}
}

func measureCells(ctx context.Context, n measureNames, m measure.Measurement) []any {
	lowest := ""
	if m.Result != nil && m.Result.Known {
		lowest = m.Result.LowestC.String()
	}
	return []any{
		m.No, m.CaseNo, m.Account, m.Address, n.org(ctx, m.Company), ui.T(ctx, "measure_state."+string(m.State)), m.RequestedAt.Minute(), m.DueAt.Minute(),
		spanOf(m.From, m.To), n.person(ctx, m.Worker), m.TestedAt.Minute(), lowest, resultWords(ctx, m.Result), m.Misses,
	}
}

// spanOf says a span of time of one day, or of two; empty when there is none.
func spanOf(from, to civil.Instant) string {
	switch {
	case from.IsZero():
		return ""
	case from.Date() == to.Date():
		return from.MonthDayClock() + "–" + to.Clock()
	}
	return from.MonthDayClock() + " – " + to.MonthDayClock()
}

// resultWords says whether a home is warm enough.
func resultWords(ctx context.Context, r *measure.Result) string {
	switch {
	case r == nil:
		return ""
	case !r.Known:
		return ui.T(ctx, "measurepage.no_standard")
	case r.Conforming:
		return ui.T(ctx, "measurepage.warm")
	}
	return ui.T(ctx, "measurepage.cold")
}

func resultTone(r *measure.Result) ui.Tone {
	switch {
	case r == nil || !r.Known:
		return ui.Grey
	case r.Conforming:
		return ui.Green
	}
	return ui.Red
}

// tenthsWords says a temperature, or nothing.
func tenthsWords(t *celsius.Tenths) string {
	if t == nil {
		return ""
	}
	return t.String() + " ℃"
}

// dueWords says by when somebody must come; empty once it is over.
func dueWords(ctx context.Context, m measure.Measurement) string {
	if m.DueAt.IsZero() || !owedYet(m) {
		return ""
	}
	return calendar.DueWords(httpx.Lang(ctx), m.DueAt)
}

// owedYet reports whether the company still owes a visit.
func owedYet(m measure.Measurement) bool {
	return m.State.Waiting() || m.State == measure.Missed
}

func (v measuresView) stats() []ui.Stat {
	list := at(measureList, v.city)
	show := func(s string) bool { return v.query.Show == s && v.query.State == "" && v.query.Case == "" }
	return []ui.Stat{
		{Icon: "thermometer", Key: "measurepage.show.open", Href: list, Current: show("")},
		{Icon: "clock", Key: "measurepage.show.late", Href: list + "?show=late", Current: show("late")},
		{Icon: "copy", Key: "measurepage.show.conflict", Href: list + "?show=conflict", Current: show("conflict")},
		{Icon: "list-checks", Key: "measurepage.show.all", Href: list + "?show=all", Current: show("all")},
	}
}

// weekView is the calendar of a week.
type weekView struct {
	names measureNames
	city  int
	by    actor.Actor
	query calendarQuery
	now   civil.Instant
	guide measure.Guide
	plan  measure.Plan
}

func (v weekView) days() []civil.Date {
	out := make([]civil.Date, 7)
	for i := range out {
		out[i] = v.query.From.AddDays(i)
	}
	return out
}

// dayName is the head of a column: 11-24 周一.
func dayName(ctx context.Context, d civil.Date) string {
	day := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}[int(d.Weekday())]
	weekday := ui.T(ctx, "measurepage.weekday."+day)
	return d.String()[5:] + " " + weekday
}

// weekRow is a tester's week; the first, with an empty id, is what nobody goes to yet.
type weekRow struct {
	id, name string
	cells    [][]measure.Planned // by day
}

func (v weekView) rows(ctx context.Context) []weekRow {
	all := []weekRow{{name: ui.T(ctx, "measurepage.unassigned"), cells: make([][]measure.Planned, 7)}}
	row := func(id, name string) int {
		if i := slices.IndexFunc(all, func(r weekRow) bool { return r.id == id }); i >= 0 {
			return i
		}
		all = append(all, weekRow{id: id, name: name, cells: make([][]measure.Planned, 7)})
		return len(all) - 1
	}
	for _, t := range v.names.testers {
		if t.Org == cmp.Or(v.query.Company, v.by.Org) {
			row(t.ID, t.Name)
		}
	}
	for _, p := range v.plan.Planned {
		day := v.query.From.DaysUntil(p.Appointment.From.Date())
		if day < 0 || day > 6 {
			continue
		}
		i := row(p.Measurement.Worker, v.names.person(ctx, p.Measurement.Worker))
		all[i].cells[day] = append(all[i].cells[day], p)
	}
	return all
}

// free says the hours of a day in which a tester is not yet taken and may measure.
func (v weekView) free(day civil.Date, taken []measure.Planned) string {
	if day.Before(v.now.Date()) {
		return ""
	}
	var out []string
	for _, s := range freeSpans(day, v.guide, taken) {
		if s.to.After(v.now) {
			out = append(out, max(s.from, v.now).Clock()+"–"+s.to.Clock())
		}
	}
	return strings.Join(out, " ")
}

type span struct{ from, to civil.Instant }

// clockOn is a clock reading of a day; "24:00" is its end.
func clockOn(day civil.Date, hm string) civil.Instant {
	if hm >= "24:00" {
		return day.End()
	}
	return civil.On(day, int(hm[0]-'0')*10+int(hm[1]-'0'), int(hm[3]-'0')*10+int(hm[4]-'0'))
}

// shortestVisit is the shortest time between two appointments that is worth showing as free.
const shortestVisit = 30 * time.Minute

// freeSpans are the hours of a day that the rules allow, less those they exclude and those that are taken.
func freeSpans(day civil.Date, g measure.Guide, taken []measure.Planned) []span {
	open := g.Hours
	if len(open) == 0 {
		return nil // the rules set no hours: nothing to compute from
	}
	var out []span
	for _, h := range open {
		out = append(out, span{clockOn(day, h.From), clockOn(day, h.To)})
	}
	cut := func(from, to civil.Instant) {
		var left []span
		for _, s := range out {
			if !from.Before(s.to) || !to.After(s.from) {
				left = append(left, s)
				continue
			}
			left = append(left, span{s.from, min(s.to, from)}, span{max(s.from, to), s.to})
		}
		out = left
	}
	for _, h := range g.NotHours {
		cut(clockOn(day, h.From), clockOn(day, h.To))
	}
	for _, p := range taken {
		cut(p.Appointment.From, p.Appointment.To)
	}
	return slices.DeleteFunc(out, func(s span) bool { return s.to.Sub(s.from) < shortestVisit })
}

// hoursWords says hours of the rules: 09:00–19:00.
func hoursWords(all []citypack.Hours) string {
	var out []string
	for _, h := range all {
		out = append(out, h.From+"–"+h.To)
	}
	return strings.Join(out, " ")
}

func (v weekView) link(days int) string {
	q := cloneQuery(map[string][]string{"from": {v.query.From.AddDays(days).String()}})
	if v.query.Company != "" {
		q.Set("company", v.query.Company)
	}
	return withQuery(at(measureList+"/calendar", v.city), q)
}

func (v weekView) routeLink(worker string, day civil.Date) string {
	q := cloneQuery(map[string][]string{"day": {day.String()}})
	if worker != "" {
		q.Set("worker", worker)
	}
	return withQuery(at(measureList+"/route", v.city), q)
}

func weekColumns(ctx context.Context, v weekView) []ui.Col {
	out := []ui.Col{{Key: "measurepage.tester", Ch: 8}}
	for _, d := range v.days() {
		out = append(out, ui.Col{Label: dayName(ctx, d)})
	}
	return out
}

// dayView is a tester's day.
type dayView struct {
	names  measureNames
	city   int
	day    civil.Date
	worker string
	now    civil.Instant
	plan   measure.Plan
}

func (v dayView) title(ctx context.Context) string {
	if v.worker == "" {
		return ui.T(ctx, "measurepage.route_all", "day", dayName(ctx, v.day))
	}
	return ui.T(ctx, "measurepage.route_of", "name", v.names.person(ctx, v.worker), "day", dayName(ctx, v.day))
}

// crew are the people who go: the one who leads, and the others.
func (n measureNames) crew(ctx context.Context, m measure.Measurement) string {
	if m.Worker == "" {
		return ""
	}
	out := []string{n.person(ctx, m.Worker)}
	for _, id := range m.Testers {
		out = append(out, n.person(ctx, id))
	}
	return strings.Join(out, ui.T(ctx, "web.and"))
}
