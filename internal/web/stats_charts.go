package web

import (
	"cmp"
	"context"
	"math"
	"net/url"
	"slices"
	"strconv"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/stats"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// hourly is the chart of today by hours beside yesterday.
func (v statsView) hourly(ctx context.Context) ui.Chart {
	c := ui.Chart{
		ID: "by-hour", Title: ui.T(ctx, "supervision.hours"), Quiet: true, LabelKey: "wall.hour", Height: 230,
		Series: []ui.Series{{Name: ui.T(ctx, "wall.today")}, {Name: ui.T(ctx, "wall.yesterday")}},
	}
	for h := range 24 {
		c.Labels = append(c.Labels, strconv.Itoa(h))
		c.Series[0].Values = append(c.Series[0].Values, float64(v.byHour[h]))
		c.Series[1].Values = append(c.Series[1].Values, float64(v.before[h]))
	}
	return c
}

// week is how the limits of the cases of seven days were kept.
type week struct {
	from  civil.Date
	kept  map[string]int64
	of    map[string]int64
	cases int64
}

// byWeek adds the days of the period up to weeks from Monday.
func (v statsView) byWeek() []week {
	var out []week
	for _, d := range v.rates.Days {
		day, err := civil.ParseDate(d.Key)
		if err != nil {
			continue
		}
		monday := day.AddDays(-(int(day.Weekday()) + 6) % 7)
		if len(out) == 0 || out[len(out)-1].from != monday {
			out = append(out, week{from: monday, kept: map[string]int64{}, of: map[string]int64{}})
		}
		w := &out[len(out)-1]
		w.cases += d.Received.N
		for _, r := range d.Clocks {
			w.kept[r.Code] += r.Numerator
			w.of[r.Code] += r.Denominator
		}
	}
	return out
}

// weeks is the chart of how limits were kept, week by week.
func (v statsView) weeks(ctx context.Context) ui.Chart {
	c := ui.Chart{ID: "by-week", Title: ui.T(ctx, "supervision.weeks"), LabelKey: "supervision.col.week", Decimals: 1}
	all := v.byWeek()
	for _, w := range all {
		c.Labels = append(c.Labels, w.from.String()[5:])
	}
	for _, col := range v.clockColumns(ctx) {
		s := ui.Series{Name: col.name}
		for _, w := range all {
			s.Values = append(s.Values, percentOf(w.kept[col.code], w.of[col.code]))
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// percentOf is a share with one decimal, rounded down so that 100 means every one; NaN when there is nothing to divide by.
func percentOf(n, of int64) float64 {
	if of == 0 {
		return math.NaN()
	}
	return float64(n*1000/of) / 10
}

// mostBars is how many rows a ranked chart shows.
const mostBars = 12

// ranked puts groups with most cases first.
func (v statsView) ranked(groups []stats.Group) []stats.Group {
	out := slices.DeleteFunc(slices.Clone(groups), func(g stats.Group) bool { return g.Received.N == 0 })
	slices.SortStableFunc(out, func(a, b stats.Group) int { return cmp.Compare(b.Received.N, a.Received.N) })
	return out[:min(len(out), mostBars)]
}

// barOf is the width of a bar in hundredths of the longest.
func barOf(n int64, rows []stats.Group) string {
	return strconv.FormatInt(n*100/max(rows[0].Received.N, 1), 10)
}

func (v statsView) categoryName(ctx context.Context, key string) string {
	if key == "" {
		return ui.T(ctx, "supervision.no_category")
	}
	return v.names.category(ctx, key)
}

func channelName(ctx context.Context, key string) string { return ui.T(ctx, "channel."+key) }

// sheet is the address of a chart's figures as a file.
func (v statsView) sheet(name, format string) string {
	q := url.Values{"sheet": {name}, "format": {format}, "from": {v.query.From.String()}, "to": {v.query.To.String()}}
	if v.query.Company != "" {
		q.Set("company", v.query.Company)
	}
	if v.query.District != "" {
		q.Set("district", v.query.District)
	}
	return withQuery(at("/c/{city}/stats/export", v.city), q)
}

// table is a chart's figures as rows; nil columns for a chart that there is not. Every row of the period is there, also those
// that the chart has no room for.
func (v statsView) table(ctx context.Context, name string) (columns []string, rows [][]any) {
	switch name {
	case "hours":
		for h := range 24 {
			rows = append(rows, []any{h, v.byHour[h], v.before[h]})
		}
		return []string{"wall.hour", "wall.today", "wall.yesterday"}, rows
	case "days":
		return v.groupRows(ctx, "supervision.col.day", v.rates.Days, func(_ context.Context, key string) string { return key })
	case "companies":
		return v.groupRows(ctx, "supervision.col.name", v.rates.Companies, v.companyName)
	case "categories":
		return v.groupRows(ctx, "supervision.col.name", v.rates.Categories, v.categoryName)
	case "channels":
		return v.groupRows(ctx, "supervision.col.name", v.rates.Channels, channelName)
	case "weeks":
		for _, w := range v.byWeek() {
			for _, col := range v.clockColumns(ctx) {
				rows = append(rows, []any{w.from.String(), col.name, w.kept[col.code], w.of[col.code]})
			}
		}
		return []string{"supervision.col.week", "supervision.col.clock", "supervision.col.kept", "supervision.col.decided"}, rows
	}
	return nil, nil
}

func (v statsView) groupRows(ctx context.Context, first string, groups []stats.Group, name naming) (columns []string, rows [][]any) {
	for _, g := range groups {
		rows = append(rows, []any{name(ctx, g.Key), g.Received.N, g.Answered.N, g.Late.N})
	}
	return []string{first, "supervision.col.cases", "supervision.col.answered", "supervision.col.late"}, rows
}
