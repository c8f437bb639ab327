package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/stats"
	"github.com/rehu-heat/rehu/internal/text"
)

// statsRoutes are the pages of those who supervise.
func (w *Web) statsRoutes() []Route {
	if w.Stats == nil || w.Cases == nil || w.Rules == nil {
		return nil
	}
	return []Route{get("/c/{city}/stats", may(actor.StatsRead), w.statsPage)}
}

// statsView is the supervision page: today, and how promises were kept over a period.
type statsView struct {
	names *caseNames
	city  int
	board stats.Board
	rates stats.Rates
	query stats.Query
}

// statsPage shows what is open now and where, which company is late, and how promises of time were kept.
func (w *Web) statsPage(rw http.ResponseWriter, r *http.Request) error {
	ctx, city := r.Context(), httpx.City(r.Context())
	q, err := httpx.Bind[stats.Query](r)
	if err != nil {
		return err
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
		return err
	}
	if v.board, err = w.Stats.Board(ctx, by(r), city); err != nil {
		return err
	}
	if v.rates, err = w.Stats.Rates(ctx, by(r), q); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("supervision.title"), Nav: "stats", Body: statsBody(v)})
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
