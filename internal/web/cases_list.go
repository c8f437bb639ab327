package web

import (
	"context"
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// received is when a case came, as short as a dense table wants it: the hour of today, the day of earlier ones.
func received(ctx context.Context, c cases.Case) string {
	if c.ReceivedAt.Date() == ui.Now(ctx).Date() {
		return c.ReceivedAt.Clock()
	}
	return c.ReceivedAt.MonthDayClock()[:5]
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// one is the only value of a list of choices, empty when there are several or none.
func one[T ~string](all []T) string {
	if len(all) == 1 {
		return string(all[0])
	}
	return ""
}

// oob lets a row of a stream of events take the place of the one shown.
func oob(live bool) templ.Attributes {
	if !live {
		return nil
	}
	return templ.Attributes{"hx-swap-oob": "true"}
}

func swatch(fill int) string {
	if fill == 0 {
		return "swatch"
	}
	return "swatch co-" + strconv.Itoa(fill)
}

func (v consoleView) columns(ctx context.Context) []ui.Col {
	status, due := 6, 7
	if ui.English(ctx) {
		status, due = 8, 8
	}
	cols := []ui.Col{
		{Key: "casework.col.no", Ch: 9},
		{Key: "casework.col.category", Ch: 9},
		{Key: "casework.col.address"},
		{Key: "casework.col.company", Ch: 6},
		{Key: "casework.col.status", Ch: status},
		{Key: "casework.col.due", Ch: due},
		{Key: "casework.col.received", Ch: 5},
	}
	if v.batch {
		cols = append([]ui.Col{{Key: "casework.col.tick", Ch: 2}}, cols...)
	}
	return cols
}

// companyPicks are the companies, and those cases that none has yet.
func (v consoleView) companyPicks(ctx context.Context) []ui.Option {
	return append([]ui.Option{{Value: "-", Key: "casework.no_company"}}, v.names.companyOptions(ctx)...)
}

// narrowed reports whether one of the rarer filters is set, so that they stand open.
func (v consoleView) narrowed() bool {
	q := v.url.Query()
	for _, k := range []string{"late", "state", "urgency", "district", "category", "nature", "channel", "flag", "from", "to", "doc", "doc_due", "sort"} {
		if q.Get(k) != "" {
			return true
		}
	}
	return false
}

func emptyKey(v consoleView) string {
	switch {
	case v.page.Short:
		return "casework.none_so_far"
	case v.query.Query != "":
		return "casework.none_found"
	}
	return "casework.none"
}

// reached says how far a page looked that is not full.
func (v consoleView) reached(ctx context.Context) string {
	if day := v.query.Reached(v.page.Next); !day.IsZero() {
		return ui.T(ctx, "casework.looked_back_to", "date", day)
	}
	return ui.T(ctx, "casework.looked_at_part")
}

// nextURL is the next page of the list, with no case beside it.
func (v consoleView) nextURL() string {
	q := v.url.Query()
	q.Del("open")
	q.Set("after", v.page.Next)
	return withQuery(at("/c/{city}/cases", v.city), q)
}

// totalKey says how many there are, or that there are at least so many.
func totalKey(t cases.Total) string {
	if t.More {
		return "casework.total_more"
	}
	return "casework.total"
}

func (v consoleView) burdenName(ctx context.Context, b burden) string {
	if b.code == "" {
		return ui.T(ctx, "casework.no_company")
	}
	return v.names.org(ctx, b.code)
}

func (v consoleView) burdenURL(b burden) string {
	code := b.code
	if code == "" {
		code = "-"
	}
	return withQuery(at("/c/{city}/cases", v.city), url.Values{"company": {code}})
}
