package web

import (
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
)

// fieldRoutes are the pages of those who go out.
func (w *Web) fieldRoutes() []Route {
	if w.Cases == nil || w.Dispatch == nil || w.Rules == nil {
		return nil
	}
	return []Route{get("/f/{city}", may(actor.CaseTake), w.fieldPage)}
}

// fieldView is a worker's list on the telephone.
type fieldView struct {
	city  int
	names *caseNames
	page  page.Of[cases.Case]
	total cases.Total
}

// fieldPage is a worker's own orders, the nearest deadline first: a tap leads to the case and its forms.
func (w *Web) fieldPage(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[page.Request](r)
	if err != nil {
		return err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	f := cases.Filter{State: "open", Sort: "due", Status: []cases.Status{cases.Dispatched, cases.Signed, cases.Handling, cases.Rework}, Request: in}
	v := fieldView{city: city}
	if v.names, err = w.caseNames(r); err != nil {
		return err
	}
	if v.page, err = w.Cases.List(ctx, by(r), city, f); err != nil {
		return err
	}
	if v.total, err = w.Cases.Count(ctx, by(r), city, f); err != nil {
		return err
	}
	return w.showField(rw, r, Page{Title: text.Msg("field.title"), Body: fieldBody(v)})
}
