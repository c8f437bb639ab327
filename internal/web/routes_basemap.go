package web

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/basemap"
	"github.com/rehu-heat/rehu/internal/httpx"
)

// baseMap is the address of what lies under every map of a city.
const baseMap = "/c/{city}/map/base"

func (w *Web) baseMapRoutes() []Route {
	if w.BaseMaps == nil {
		return nil
	}
	return []Route{get(baseMap, may(actor.TerritoryRead, actor.StatsRead), w.mapBase)}
}

// mapBase is the base map as GeoJSON: kind, name, and where the name of a ground stands.
func (w *Web) mapBase(rw http.ResponseWriter, r *http.Request) error {
	all, err := w.BaseMaps.Features(r.Context(), by(r), httpx.City(r.Context()))
	if err != nil {
		return err
	}
	features := make([]feature, 0, len(all))
	for _, f := range all {
		p := map[string]any{"kind": f.Kind, "name": f.Name}
		if f.Kind == basemap.District || f.Kind == basemap.Water {
			if at, ok := f.Middle(); ok {
				p["at"] = []float64{at.Lng, at.Lat}
			}
		}
		features = append(features, feature{"Feature", p, f.Geometry})
	}
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(map[string]any{"type": "FeatureCollection", "features": features}); err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "application/geo+json")
	rw.Header().Set("Cache-Control", "private, max-age=3600") // a base map changes once in a year
	_, _ = rw.Write(b.Bytes())                                // the client is gone: nobody to tell
	return nil
}
