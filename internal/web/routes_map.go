package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// mapRoutes are the map of a city's areas and its table.
func (w *Web) mapRoutes() []Route {
	if w.Places == nil || w.Territory == nil || w.Cases == nil || w.Rules == nil {
		return nil
	}
	read := may(actor.TerritoryRead)
	return append(w.baseMapRoutes(),
		get("/c/{city}/map", read, w.cityMap),
		get("/c/{city}/map/shapes", read, w.mapShapes),
		get("/c/{city}/map/export", read, w.mapExport),
	)
}

// mapQuery is the address of a map: a version, what is shown of it, and the area whose details stand beside it.
type mapQuery struct {
	Version string `form:"version"`
	Company string `form:"company"`
	Query   string `form:"q"`
	Drawn   string `form:"drawn"` // yes: with an outline; no: by list
	Cases   string `form:"cases"` // yes: open cases as points
	Area    string `form:"area"`
}

// mapView is a version's areas as the page shows them.
type mapView struct {
	city     int
	query    mapQuery
	url      *url.URL
	names    *caseNames
	versions []territory.Version
	now      string // the version in force
	all      []territory.DrawnArea
	shown    []territory.DrawnArea // after the filter
	served   map[territory.Ground]int
	mayCases bool
}

func (w *Web) mapView(r *http.Request) (mapView, error) {
	q, err := httpx.Bind[mapQuery](withoutFormat(r))
	if err != nil {
		return mapView{}, err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	v := mapView{city: city, query: q, url: r.URL, mayCases: by(r).MayAny(actor.CaseRead, city)}
	if v.versions, err = w.Territory.Versions(ctx, by(r), city); err != nil {
		return v, err
	}
	if at := territory.InForce(v.versions, w.o.Now().Date()); at >= 0 {
		v.now = v.versions[at].Code
	}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	v.all, err = w.Territory.Areas(ctx, by(r), city, q.Version)
	if err != nil && !(q.Version == "" && fault.Is(err, fault.NotFound)) {
		return v, err
	}
	if v.served, err = w.Territory.CountServed(ctx, by(r), city, q.Version); err != nil {
		return v, err
	}
	for _, a := range v.all {
		if v.wants(ctx, a) {
			v.shown = append(v.shown, a)
		}
	}
	return v, nil
}

// wants reports whether an area passes the filter.
func (v mapView) wants(ctx context.Context, a territory.DrawnArea) bool {
	if v.query.Company != "" && a.Company != v.query.Company || v.query.Drawn != "" && (v.query.Drawn == "yes") != drawn(a) {
		return false
	}
	words := strings.ToLower(strings.Join([]string{a.Code, a.Name, a.Station, a.HeatSource, v.names.org(ctx, a.Company)}, "\n"))
	return strings.Contains(words, strings.ToLower(strings.TrimSpace(v.query.Query)))
}

// drawn reports whether an area has an outline; one by list has not.
func drawn(a territory.DrawnArea) bool { return a.Geometry != nil && *a.Geometry != "" }

// communities counts those of an area.
func (v mapView) communities(a territory.DrawnArea) int {
	return v.served[territory.Ground{Company: a.Company, Area: a.Code}]
}

// chosen is the area whose details stand beside the map.
func (v mapView) chosen() *territory.DrawnArea {
	i := slices.IndexFunc(v.all, func(a territory.DrawnArea) bool { return a.Code == v.query.Area })
	if v.query.Area == "" || i < 0 {
		return nil
	}
	return &v.all[i]
}

// holding is what one company serves, for the legend.
type holding struct {
	company            string
	areas, communities int
}

func (v mapView) legend() []holding {
	of := map[string]*holding{}
	var out []*holding
	add := func(company string) *holding {
		if of[company] == nil {
			of[company] = &holding{company: company}
			out = append(out, of[company])
		}
		return of[company]
	}
	for _, o := range v.names.companies { // in the order of their colours
		add(o.Code)
	}
	for _, a := range v.all {
		add(a.Company).areas++
	}
	for g, n := range v.served {
		add(g.Company).communities += n
	}
	var list []holding
	for _, h := range out {
		if h.areas > 0 || h.communities > 0 {
			list = append(list, *h)
		}
	}
	return list
}

// with is the page's address with one value changed.
func (v mapView) with(name, value string) string {
	q := cloneQuery(v.url.Query())
	q.Set(name, value)
	return withQuery(at("/c/{city}/map", v.city), cloneQuery(q))
}

// cityMap is the map of areas with the table that says the same.
func (w *Web) cityMap(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.mapView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("territorypage.map"), Nav: "map", Body: mapBody(v)})
}

// mapShapes is the areas, and where asked the open cases, as GeoJSON.
func (w *Web) mapShapes(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.mapView(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	features, labels := []feature{}, labelled(v.shown)
	for _, a := range v.shown {
		if !drawn(a) {
			continue
		}
		p := map[string]any{
			"fill": v.names.fill(a.Company), "href": v.with("area", a.Code),
			"note": ui.T(ctx, "territorypage.area_note", "area", a.Name, "company", v.names.org(ctx, a.Company), "n", v.communities(a)),
		}
		if a.Code == v.query.Area {
			p["chosen"], p["name"] = true, a.Name
		} else if labels[a.Company] == a.Code {
			p["name"] = v.names.short(ctx, a.Company)
		}
		features = append(features, feature{"Feature", p, a.GeoJSON})
	}
	if v.query.Cases == "yes" && v.mayCases {
		points, err := w.openPoints(r, v)
		if err != nil {
			return err
		}
		features = append(features, points...)
	}
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(map[string]any{"type": "FeatureCollection", "features": features}); err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "application/geo+json")
	rw.Header().Set("Cache-Control", "private, no-cache")
	_, _ = rw.Write(b.Bytes()) // the client is gone: nobody to tell
	return nil
}

// mostPoints is how many open cases a map shows; those nearest to their deadline come first.
const mostPoints = 1000

func (w *Web) openPoints(r *http.Request, v mapView) ([]feature, error) {
	var out []feature
	f := cases.Filter{State: "open", Sort: "due", Company: v.query.Company, Request: page.Request{Size: page.MaxSize}}
	for {
		list, err := w.Cases.List(r.Context(), by(r), v.city, f)
		if err != nil {
			return nil, err
		}
		for _, c := range list.Items {
			if c.Lng != nil && c.Lat != nil {
				out = append(out, casePoint(r.Context(), v.names, c))
			}
		}
		if f.After = list.Next; f.After == "" || len(out) >= mostPoints {
			return out, nil
		}
	}
}

// mapExport is the table of areas as a file.
func (w *Web) mapExport(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.mapView(r)
	if err != nil {
		return err
	}
	columns := []string{"territorypage.area_code", "territorypage.area_name", "territorypage.company", "territorypage.station", "territorypage.source_heat", "territorypage.drawn", "territorypage.communities"}
	ctx := r.Context()
	return w.sendSheet(rw, r, "areas", columns, func(out sheet.Writer) error {
		for _, a := range v.shown {
			if err := out.Row(a.Code, a.Name, v.names.org(ctx, a.Company), a.Station, a.HeatSource, ui.T(ctx, drawnKey(a)), v.communities(a)); err != nil {
				return err
			}
		}
		return nil
	})
}

func drawnKey(a territory.DrawnArea) string {
	if drawn(a) {
		return "territorypage.drawn.yes"
	}
	return "territorypage.drawn.no"
}
