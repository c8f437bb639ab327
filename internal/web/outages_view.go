package web

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// outageTone is the colour of a stop's state.
func outageTone(s outage.State) ui.Tone {
	switch s {
	case outage.Reported:
		return ui.Violet
	case outage.Announced:
		return ui.Blue
	case outage.Repairing:
		return ui.Amber
	case outage.Restored:
		return ui.Teal
	case outage.Lifted:
		return ui.Green
	case outage.Cancelled:
	}
	return ui.Grey
}

func outageStates() []ui.Option {
	var out []ui.Option
	for _, s := range outage.Lifecycle.Statuses() {
		out = append(out, ui.Option{Value: string(s), Key: "outage.state." + string(s)})
	}
	return out
}

func outageColumns() []ui.Col {
	return []ui.Col{
		{Key: "outagepage.no", Ch: 12},
		{Key: "outagepage.kind", Ch: 7},
		{Key: "outagepage.company", Ch: 8},
		{Key: "outagepage.reason"},
		{Key: "outagepage.start", Ch: 9},
		{Key: "outagepage.until", Ch: 9},
		{Key: "outagepage.households", Ch: 5, Num: true},
		{Key: "outagepage.state", Ch: 7},
		{Key: "outagepage.told", Ch: 6},
	}
}

func outageHeader(ctx context.Context) []string {
	keys := []string{"no", "kind", "company", "reason", "start", "until", "first_until", "households", "state", "reported", "announced", "restored", "ended", "told"}
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = ui.T(ctx, "outagepage."+k)
	}
	return out
}

func outageCells(ctx context.Context, names *caseNames, o outage.Outage) []any {
	return []any{
		o.No, ui.T(ctx, "outage.kind."+string(o.Kind)), names.org(ctx, o.Company), o.Reason, o.Start.Minute(), o.Until.Minute(), o.FirstUntil.Minute(),
		homes(o), ui.T(ctx, "outage.state."+string(o.State)), o.Reported.Minute(), o.Announced.Minute(), o.Restored.Minute(), o.Ended.Minute(), told(ctx, o),
	}
}

// homes is how many households a stop reaches; empty when nobody counted.
func homes(o outage.Outage) string {
	if o.Households == nil {
		return ""
	}
	return strconv.Itoa(*o.Households)
}

// told says whether the people were told in time.
func told(ctx context.Context, o outage.Outage) string {
	switch {
	case o.Late:
		return ui.T(ctx, "outagepage.told_late")
	case o.Telling == nil:
		return ui.T(ctx, "outagepage.told_no_rule")
	case o.Telling.Told.IsZero():
		return ui.T(ctx, "outagepage.told_not_yet")
	}
	return ui.T(ctx, "outagepage.told_in_time")
}

// export is the present list as a file.
func (v outagesView) export(format string) string {
	q := url.Values{"format": {format}}
	for name, s := range map[string]string{"state": string(v.query.State), "company": v.query.Company, "all": v.query.All} {
		if s != "" {
			q.Set(name, s)
		}
	}
	return withQuery(at("/c/{city}/outages/export", v.city), q)
}

func (v outagesView) stats() []ui.Stat {
	list := at("/c/{city}/outages", v.city)
	return []ui.Stat{
		{Icon: "siren", Key: "outagepage.live", Value: v.count(), Href: list, Current: v.query.All == "" && v.query.State == ""},
		{Icon: "list-checks", Key: "outagepage.every", Href: list + "?all=yes", Current: v.query.All != ""},
	}
}

func (v outagesView) count() string {
	if v.query.All != "" || v.query.State != "" || v.query.After != "" {
		return ""
	}
	n := strconv.Itoa(len(v.list.Items))
	if v.list.Next != "" {
		return n + "+"
	}
	return n
}

func (v outageView) facts(ctx context.Context) []ui.Fact {
	until := v.Until.Minute()
	if v.Until.IsZero() {
		until = ui.T(ctx, "outagepage.unknown")
	}
	first := ""
	if v.FirstUntil != v.Until {
		first = v.FirstUntil.Minute()
	}
	return []ui.Fact{
		{Key: "outagepage.company", Text: v.names.org(ctx, v.Company)},
		{Key: "outagepage.kind", Text: ui.T(ctx, "outage.kind."+string(v.Kind))},
		{Key: "outagepage.reason", Text: v.Reason},
		{Key: "outagepage.start", Text: v.Start.Minute()},
		{Key: "outagepage.until", Text: until},
		{Key: "outagepage.first_until", Text: first},
		{Key: "outagepage.households", Text: homes(v.Outage)},
		{Key: "outagepage.reported", Text: v.Reported.Minute()},
		{Key: "outagepage.announced", Text: v.Announced.Minute()},
		{Key: "outagepage.restored", Text: v.Restored.Minute()},
		{Key: "outagepage.ended", Text: v.Ended.Minute()},
	}
}

// scopeName says which place a line of a stop is.
func scopeName(ctx context.Context, s outage.Scope) string {
	name := s.Name
	switch {
	case s.Building != "":
		return ui.T(ctx, "outagepage.building", "community", name, "no", s.Building)
	case s.Community != "":
		return name
	case s.Zone != "":
		return strings.TrimSpace(ui.T(ctx, "outagepage.zone", "station", stationName(s), "zone", s.Zone))
	}
	return ui.T(ctx, "outagepage.station_of", "station", stationName(s))
}

func stationName(s outage.Scope) string {
	if s.Name == "" || s.Name == s.Station {
		return s.Station
	}
	return s.Name + " " + s.Station
}

func (v outageView) steps(ctx context.Context) []ui.Step {
	out := make([]ui.Step, len(v.Words))
	for i, one := range v.Words {
		said := one.Text
		if !one.Until.IsZero() {
			said = strings.TrimSpace(said + " " + ui.T(ctx, "outagepage.expected", "at", one.Until.Minute()))
		}
		out[i] = ui.Step{At: one.At.MonthDayClock(), Title: ui.T(ctx, "outage.event."+string(one.Event)), Text: said}
	}
	return out
}

// events are what may be done next: a word is offered first, since it is due most often.
func (v outageView) events() []ui.Option {
	var out []ui.Option
	for _, s := range outage.Lifecycle.From(v.State) {
		out = append(out, ui.Option{Value: string(s.Event), Key: "outage.event." + string(s.Event)})
	}
	return out
}

func (v outageView) caseColumns() []ui.Col {
	cols := []ui.Col{{Key: "casework.col.no", Ch: 10}, {Key: "casework.col.address"}, {Key: "casework.col.status", Ch: 7}}
	if v.link {
		cols = append(cols, ui.Col{Key: "web.acts", Ch: 8})
	}
	return cols
}

// wordDue is when the next word about a stop is due; zero when none is.
func (v outageView) wordDue() civil.Instant {
	if v.hours == 0 || !v.Ended.IsZero() || v.State == outage.Restored || v.Start.After(v.now) {
		return 0
	}
	return v.WordAt + civil.Instant(v.hours)*60*60*1000
}

func (v outageFormView) companyOptions(ctx context.Context) []ui.Option {
	out := make([]ui.Option, len(v.companies))
	for i, o := range v.companies {
		out[i] = ui.Option{Value: o.Code, Text: ui.Named(ctx, o.NameZH, o.NameEN)}
	}
	return out
}

func stationOptions(all []place.Station) []ui.Option {
	out := make([]ui.Option, len(all))
	for i, s := range all {
		out[i] = ui.Option{Value: s.Code, Text: s.Code}
		if s.Name != "" && s.Name != s.Code {
			out[i].Text = s.Name + " " + s.Code
		}
	}
	return out
}

func (v outageFormView) estateOptions() []ui.Option {
	out := make([]ui.Option, len(v.estates))
	for i, c := range v.estates {
		out[i] = ui.Option{Value: c.ID, Text: c.Name}
	}
	return out
}
