package web

import (
	"context"
	"net/url"

	"github.com/rehu-heat/rehu/internal/web/ui"
)

// signs reports whether the pile is one that is signed together.
func (v deskView) signs() bool { return v.maySign && v.tab.name == "unsigned" }

func (v deskView) columns() []ui.Col {
	cols := []ui.Col{{Key: "casework.col.no", Ch: 9}, {Key: "casework.col.category", Ch: 13}, {Key: "casework.col.address"}, {Key: "casework.col.status", Ch: 7}, {Key: "casework.col.due", Ch: 10}}
	if v.signs() {
		cols = append([]ui.Col{{Key: "casework.col.tick", Ch: 2}}, cols...)
	}
	return cols
}

func (v deskView) tabURL(tab, pattern string) string {
	return withQuery(at(pattern, v.city), url.Values{"tab": {tab}})
}

// mark tells the state of the list from any other.
func (v deskView) mark() string { return markOf(v.page.Items, int64(len(v.orders))) }

// changedURL is where the page asks whether its list is still as it shows it.
func (v deskView) changedURL() string {
	q := url.Values{"tab": {v.tab.name}, "seen": {v.mark()}}
	if v.after != "" {
		q.Set("after", v.after)
	}
	return withQuery(at("/c/{city}/company", v.city), q)
}

func (v deskView) stats(_ context.Context) []ui.Stat {
	out := make([]ui.Stat, len(v.tabs))
	for i, t := range v.tabs {
		out[i] = ui.Stat{Key: "company.tab." + t.name, Value: decimal(v.totals[i].N), Href: v.tabURL(t.name, "/c/{city}/company"), Current: t.name == v.tab.name}
	}
	return out
}
