package web

import (
	"net/http"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
)

// placeRoutes are the pages of communities, buildings and flats.
func (w *Web) placeRoutes() []Route {
	if w.Places == nil || w.Territory == nil || w.Cases == nil || w.Rules == nil {
		return nil
	}
	read := may(actor.TerritoryRead)
	return []Route{
		get("/c/{city}/places", read, w.places),
		get("/c/{city}/places/{community}", read, w.community),
		get("/c/{city}/places/{community}/{building}", read, w.building),
	}
}

// recently is how far back a community's ended cases are shown, and until when a flat that was put right is marked.
const recently = 14 * 24 * time.Hour

type placesView struct {
	city   int
	names  *caseNames
	filter territory.ServedFilter
	list   page.Of[territory.Served]
}

// places lists communities with who serves them.
func (w *Web) places(rw http.ResponseWriter, r *http.Request) error {
	f, err := httpx.Bind[territory.ServedFilter](r)
	if err != nil {
		return err
	}
	v := placesView{city: httpx.City(r.Context()), filter: f}
	if v.names, err = w.caseNames(r); err != nil {
		return err
	}
	if v.list, err = w.Territory.Served(r.Context(), by(r), v.city, f); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("nav.places"), Nav: "places", Body: placesBody(v)})
}

// communityView is everything about a community on one page (一分钟一页纸).
type communityView struct {
	city      int
	names     *caseNames
	one       place.Community
	served    territory.Served
	street    string
	stations  map[string]string // code → name
	buildings []place.Stock
	cases     []cases.Case // open ones the reader may see, nearest deadline first
	ended     []cases.Case // ended lately
	stop      *outage.View
	confused  []territory.DoubtPlace // communities that this one is taken for
	may       bool                   // the reader may see cases
	warn      bool                   // the reader may say what is confused
}

func (w *Web) community(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.communityView(r)
	if err != nil {
		return err
	}
	if v.buildings, err = w.stock(r, v.one.ID); err != nil {
		return err
	}
	if v.stop, err = w.stopAt(r, v.one.ID, "", v.served.Station); err != nil {
		return err
	}
	if v.confused, err = w.confusedWith(r, v.one.ID); err != nil {
		return err
	}
	v.warn = by(r).MayAny(actor.KnowledgeWrite, v.city) || by(r).MayAny(actor.CaseDispatch, v.city)
	return w.show(rw, r, Page{Title: text.Msg("territorypage.community_title", "name", v.one.Name), Nav: "places", Body: communityBody(v)})
}

func (w *Web) communityView(r *http.Request) (communityView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := communityView{city: city, stations: map[string]string{}, may: by(r).MayAny(actor.CaseRead, city)}
	var err error
	if v.one, err = w.Places.Community(ctx, by(r), city, r.PathValue("community")); err != nil {
		return v, err
	}
	if v.served, err = w.Territory.ServedBy(ctx, by(r), city, v.one.ID); err != nil {
		return v, err
	}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	streets, err := w.Places.Streets(ctx, by(r), city)
	if err != nil {
		return v, err
	}
	v.street = v.one.Street
	for _, s := range streets {
		if s.Code == v.one.Street {
			v.street = s.Name
		}
	}
	stations, err := w.Places.Stations(ctx, by(r), city, "")
	if err != nil {
		return v, err
	}
	for _, s := range stations {
		v.stations[s.Code] = s.Name
	}
	if v.may {
		v.cases, v.ended, err = w.casesAt(r, v.one.ID)
	}
	return v, err
}

// casesAt lists the open cases of a community and those that ended lately, as far as the reader may see them.
func (w *Web) casesAt(r *http.Request, community string) (open, ended []cases.Case, err error) {
	f := cases.Filter{Community: community, State: "open", Sort: "due", Request: page.Request{Size: page.MaxSize}}
	for { // all of them: a cold building must not look warm because the list was cut
		list, err := w.Cases.List(r.Context(), by(r), httpx.City(r.Context()), f)
		if err != nil {
			return nil, nil, err
		}
		open = append(open, list.Items...)
		if f.After = list.Next; f.After == "" || len(open) >= 10*page.MaxSize {
			break
		}
	}
	since := w.o.Now().Add(-recently)
	f = cases.Filter{Community: community, State: "closed", Request: page.Request{Size: page.MaxSize}}
	list, err := w.Cases.List(r.Context(), by(r), httpx.City(r.Context()), f)
	for _, c := range list.Items {
		if c.ClosedAt > since {
			ended = append(ended, c)
		}
	}
	return open, ended, err
}

// stock counts the households of a community's buildings; buildings that the register names without any stand there too.
func (w *Web) stock(r *http.Request, community string) ([]place.Stock, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	return w.Places.Stock(ctx, by(r), city, community)
}

// stopAt is the stop of heat at a place, nil when there is none or the reader may not see stops.
func (w *Web) stopAt(r *http.Request, community, building, station string) (*outage.View, error) {
	city := httpx.City(r.Context())
	if w.Outages == nil || !by(r).MayAny(actor.OutageRead, city) {
		return nil, nil
	}
	live := w.Outages.LiveAt(city, community, building, station)
	if live == nil {
		return nil, nil
	}
	stop, err := w.Outages.Get(r.Context(), by(r), city, live.ID)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied) { // another company's
		return nil, nil
	}
	return &stop, err
}

// building is a building in section (楼栋暖图).
func (w *Web) building(rw http.ResponseWriter, r *http.Request) error {
	base, err := w.communityView(r)
	if err != nil {
		return err
	}
	no := place.BuildingNo(r.PathValue("building"))
	homes, err := w.Places.HouseholdsOf(r.Context(), by(r), base.city, base.one.ID, no)
	if err != nil {
		return err
	}
	if len(homes) == 0 { // none, or none that the reader may see
		return fault.New(fault.NotFound, "territorypage.no_building", "building", no)
	}
	v := newBuildingView(base, no, homes)
	if v.stop, err = w.stopAt(r, base.one.ID, no, homes[0].Station); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("territorypage.building_title", "name", base.one.Name, "building", no), Nav: "places", Body: buildingBody(v)})
}
