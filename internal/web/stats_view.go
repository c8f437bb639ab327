package web

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/stats"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// naming says the key of a row in words; rating gives the rates that a table shows of a group.
type (
	naming func(ctx context.Context, key string) string
	rating func(stats.Group) []stats.Rate
)

func statsClocks(g stats.Group) []stats.Rate     { return g.Clocks }
func statsIndicators(g stats.Group) []stats.Rate { return g.Indicators }

// rateColumn is a rate with its name; long names carry a title.
type rateColumn struct{ code, name string }

func (v statsView) companyName(ctx context.Context, key string) string {
	if key == "" {
		return ui.T(ctx, "casework.no_company")
	}
	return v.names.org(ctx, key)
}

func (v statsView) districtName(ctx context.Context, key string) string {
	for _, d := range v.names.districts {
		if d.Code == key {
			return d.Name
		}
	}
	if key == "" {
		return ui.T(ctx, "supervision.no_district")
	}
	return key
}

func (v statsView) stateName(ctx context.Context, key string) string { return ui.T(ctx, "status."+key) }

func (v statsView) today() []ui.Stat {
	one := func(key string, f stats.Figure, tone ui.Tone) ui.Stat {
		if f.N == 0 {
			tone = ""
		}
		return ui.Stat{Key: key, Value: decimal(f.N), Tone: tone, Href: v.href(f)}
	}
	return []ui.Stat{
		one("supervision.received", v.board.Received, ""), one("supervision.open", v.board.Open, ""),
		one("supervision.near", v.board.Near, ui.Amber), one("supervision.overdue", v.board.Overdue, ui.Red),
	}
}

// days is the chart of a period: what came in, and what broke a limit.
func (v statsView) days(ctx context.Context) ui.Chart {
	c := ui.Chart{
		ID: "by-day", Title: ui.T(ctx, "supervision.by_day"), LabelKey: "supervision.col.day",
		Series: []ui.Series{{Name: ui.T(ctx, "supervision.col.cases")}, {Name: ui.T(ctx, "supervision.late")}},
	}
	for _, d := range v.rates.Days {
		label := d.Key
		if len(label) == len("2026-01-15") {
			label = label[5:]
		}
		c.Labels = append(c.Labels, label)
		c.Series[0].Values = append(c.Series[0].Values, float64(d.Received.N))
		c.Series[1].Values = append(c.Series[1].Values, float64(d.Late.N))
	}
	return c
}

func (v statsView) clockColumns(ctx context.Context) []rateColumn {
	var out []rateColumn
	for _, r := range v.rates.All.Clocks {
		k, _ := v.names.rules.Pack.Clock(r.Code)
		out = append(out, rateColumn{r.Code, k.Name.In(httpx.Lang(ctx))})
	}
	return out
}

func (v statsView) indicatorColumns(ctx context.Context) []rateColumn {
	var out []rateColumn
	for _, r := range v.rates.All.Indicators {
		i := slices.IndexFunc(v.names.rules.Pack.Doc.Indicators, func(one citypack.Indicator) bool { return one.Code == r.Code })
		if i >= 0 {
			out = append(out, rateColumn{r.Code, v.names.rules.Pack.Doc.Indicators[i].Name.In(httpx.Lang(ctx))})
		}
	}
	return out
}

// rateCols are the columns of a table of rates. A name of the pack is its own key.
func rateCols(cols []rateColumn) []ui.Col {
	out := []ui.Col{{Key: "supervision.col.name", Ch: 9}}
	for _, c := range cols {
		out = append(out, ui.Col{Key: c.name, Num: true})
	}
	return out
}

func rateOf(all []stats.Rate, code string) (stats.Rate, bool) {
	for _, r := range all {
		if r.Code == code {
			return r, true
		}
	}
	return stats.Rate{}, false
}
