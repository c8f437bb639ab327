package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/basemap"
	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/stats"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/weather"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// wallRoutes are the screen on the wall of the command centre.
func (w *Web) wallRoutes() []Route {
	if w.Stats == nil || w.Cases == nil || w.Rules == nil {
		return nil
	}
	return []Route{get("/c/{city}/wall", may(actor.StatsRead), w.wall)}
}

// How often the wall loads itself again, in seconds: oftener where it shows a queue, in which people wait.
const (
	wallEvery      = 30
	wallQueueEvery = 10
)

func (v wallView) every() int {
	if v.queue != nil {
		return wallQueueEvery
	}
	return wallEvery
}

// wallView is what the screen on the wall shows.
type wallView struct {
	names  *caseNames
	city   int
	scene  stats.Scene
	phase  citypack.Phase
	season citypack.Season // the present or coming one; its label is empty when none is known
	temps  []weather.Reading
	stops  []outage.Outage
	areas  []territory.DrawnArea
	base   []basemap.Feature
	queue  *call.Figures // nil: no telephone, or not for this reader
	held   bool          // the reader stopped it from loading again
}

// wall is the screen on the wall: read from three metres, without scripts and without anything about a person.
func (w *Web) wall(rw http.ResponseWriter, r *http.Request) error {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := wallView{city: city}
	var err error
	if v.names, err = w.caseNames(r); err != nil {
		return err
	}
	if v.scene, err = w.Stats.Scene(ctx, by(r), city); err != nil {
		return err
	}
	v.phase = v.names.rules.Phase(v.scene.At, "")
	v.season, _ = v.names.rules.Season(v.scene.At, "")
	if err := w.wallSurroundings(r, &v); err != nil {
		return err
	}
	if err := w.wallQueue(r, &v); err != nil {
		return err
	}
	if v.held = r.URL.Query().Get("hold") == "yes"; !v.held {
		rw.Header().Set("Refresh", strconv.Itoa(v.every()))
	}
	return w.showAs(rw, r, http.StatusOK, ui.Wall, Page{Title: text.Msg("wall.title"), Nav: "wall", Body: wallBody(v)})
}

// wallQueue reads how the queue stands, once there is a telephone.
func (w *Web) wallQueue(r *http.Request, v *wallView) error {
	if w.Calls == nil || !by(r).MayAny(actor.CallRead, v.city) {
		return nil
	}
	f, err := w.Calls.Queue(r.Context(), v.city)
	if err == nil && (w.Calls.Connected() || f.Any()) {
		v.queue = &f
	}
	return err
}

// wallSurroundings reads what other services know: weather, stops of heat, areas and what lies under them.
func (w *Web) wallSurroundings(r *http.Request, v *wallView) (err error) {
	ctx, today := r.Context(), v.scene.At.Date()
	if w.Weather != nil {
		if v.temps, err = w.Weather.Hours(ctx, by(r), v.city, today.Start(), today.End()); err != nil {
			return err
		}
	}
	if w.Outages != nil && by(r).MayAny(actor.OutageRead, v.city) {
		list, err := w.Outages.List(ctx, by(r), v.city, outage.Filter{Open: true, Request: page.Request{Size: page.MaxSize}})
		if err != nil {
			return err
		}
		v.stops = list.Items
	}
	if w.Territory != nil && by(r).MayAny(actor.TerritoryRead, v.city) {
		if v.areas, err = w.Territory.Areas(ctx, by(r), v.city, ""); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	if w.BaseMaps != nil {
		v.base, err = w.BaseMaps.Features(ctx, by(r), v.city)
	}
	return err
}

// soon is how long before its beginning a stop is shown.
const soon = 24 * time.Hour
