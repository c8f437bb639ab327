package web

import (
	"net/http"
	"slices"

	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/text"
)

// guideRoutes explain heating to whoever lives with a radiator: what to look at before reporting, and when to touch nothing.
func (w *Web) guideRoutes() []Route {
	if w.Cases == nil {
		return nil
	}
	return []Route{get("/c/{city}/m/guide", public, w.guide)}
}

// guideTopics are the parts of the guide in the order in which people can look at them.
func guideTopics() []string { return []string{"air", "valve", "filter", "cover", "back", "hands"} }

func (w *Web) guide(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	return w.showCitizen(rw, r, Page{Title: text.Msg("guide.title"), Body: guideBody(city), Back: at("/c/{city}/m", city)})
}

// news gathers the bulletins that are for a home, the newest first.
func (w *Web) news(r *http.Request, v *mineView) error {
	if w.Bulletins == nil {
		return nil
	}
	all, err := w.Bulletins.Live(r.Context(), v.who.City)
	if err != nil {
		return err
	}
	for _, b := range all {
		if slices.ContainsFunc(b.Stretches, func(s place.Stretch) bool { return s.Has(v.home) }) {
			v.told = append(v.told, b)
		}
	}
	return nil
}
