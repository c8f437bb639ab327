package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/stats"
	"github.com/rehu-heat/rehu/internal/text"
)

// statsRoutes are the pages of those who supervise.
func (w *Web) statsRoutes() []Route {
	if w.Stats == nil || w.Cases == nil || w.Rules == nil {
		return nil
	}
	return []Route{
		get("/c/{city}/stats", may(actor.StatsRead), w.statsPage),
		get("/c/{city}/stats/export", may(actor.StatsRead), w.statsSheet),
	}
}

// statsView is the supervision page: today, and how promises were kept over a period.
type statsView struct {
	names          *caseNames
	city           int
	board          stats.Board
	rates          stats.Rates
	query          stats.Query
	byHour, before [24]int64 // received today and yesterday
}

// statsOf reads what the page and its files show.
func (w *Web) statsOf(r *http.Request) (statsView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	q, err := httpx.Bind[stats.Query](r)
	if err != nil {
		return statsView{}, err
	}
	q.City = city
	if q.To.IsZero() {
		q.To = w.o.Now().Date()
	}
	if q.From.IsZero() {
		q.From = q.To.AddDays(-13)
	}
	v := statsView{city: city, query: q}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	if v.rates, err = w.Stats.Rates(ctx, by(r), q); err != nil {
		return v, err
	}
	v.byHour, v.before, err = w.Stats.Hours(ctx, by(r), city)
	return v, err
}

// statsPage shows what is open now and where, which company is late, and how promises of time were kept.
func (w *Web) statsPage(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.statsOf(r)
	if err != nil {
		return err
	}
	if v.board, err = w.Stats.Board(r.Context(), by(r), v.city); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("supervision.title"), Nav: "stats", Body: statsBody(v)})
}

// statsSheet is one chart's figures as a file.
func (w *Web) statsSheet(rw http.ResponseWriter, r *http.Request) error {
	named, err := httpx.Bind[struct {
		stats.Query
		Sheet  string `form:"sheet"`
		Format string `form:"format"`
	}](r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	q.Del("sheet")
	q.Del("format")
	plain := r.Clone(r.Context())
	plain.URL.RawQuery = q.Encode()
	v, err := w.statsOf(plain)
	if err != nil {
		return err
	}
	columns, rows := v.table(r.Context(), named.Sheet)
	if columns == nil {
		return fault.New(fault.NotFound, "supervision.no_sheet")
	}
	return w.sendSheet(rw, r, "stats-"+named.Sheet, columns, func(out sheet.Writer) error {
		for _, row := range rows {
			if err := out.Row(row...); err != nil {
				return err
			}
		}
		return nil
	})
}

// href is the list of cases behind a figure.
func (v statsView) href(f stats.Figure) string {
	return withQuery(at("/c/{city}/cases", v.city), filterQuery(f.Filter))
}

// filterQuery writes a filter the way the list's address reads it.
func filterQuery(f cases.Filter) url.Values {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	for _, s := range f.Status {
		q.Add("status", string(s))
	}
	set("q", f.Query)
	set("company", f.Company)
	set("district", f.District)
	set("category", f.Category)
	set("kind", string(f.Kind))
	set("nature", string(f.Nature))
	set("channel", string(f.Channel))
	set("urgency", string(f.Urgency))
	set("late", f.Late)
	set("flag", f.Flag)
	set("from", f.From.String())
	set("to", f.To.String())
	set("state", strings.TrimSpace(f.State))
	if f.State == "" {
		q.Set("state", "all")
	}
	return q
}
