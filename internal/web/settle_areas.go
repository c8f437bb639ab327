package web

import (
	"net/http"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// refundAreas lists the determinations of areas and those that wait.
func (w *Web) refundAreas(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.areasView(r, r.URL.Query().Get("season"))
	if err != nil {
		return err
	}
	return w.show(rw, r, areasPage(v, ui.Form{}))
}

func (w *Web) areasView(r *http.Request, season string) (payView, error) {
	v, err := w.payView(r, season)
	if err == nil {
		v.areas, err = w.Settle.Areas(r.Context(), by(r), v.city, v.season)
	}
	return v, err
}

// suggestStretch proposes stations and communities by their names while one is typed; what is taken fills the fields of the
// stretch, so that nobody has to know a number.
func (w *Web) suggestStretch(rw http.ResponseWriter, r *http.Request) error {
	city, typed := httpx.City(r.Context()), strings.TrimSpace(r.URL.Query().Get("q"))
	out := []seatSuggestion{}
	if typed == "" {
		return writeJSON(rw, out)
	}
	stations, err := w.Places.Stations(r.Context(), by(r), city, "")
	if err != nil {
		return err
	}
	for _, s := range stations {
		if len(out) < suggestions && (strings.Contains(s.Name, typed) || strings.HasPrefix(s.Code, typed)) {
			out = append(out, seatSuggestion{
				Value: s.Name, Label: s.Name, Hint: text.T(httpx.Lang(r.Context()), "settlepage.station") + " " + s.Code,
				Set: map[string]string{"station": s.Code, "community": ""},
			})
		}
	}
	found, err := w.Territory.Suggest(r.Context(), by(r), city, typed, suggestions)
	if err != nil {
		return err
	}
	for _, s := range found {
		out = append(out, seatSuggestion{Value: s.Name, Label: s.Name, Hint: s.District, Set: map[string]string{"community": s.CommunityID, "station": ""}})
	}
	return writeJSON(rw, out)
}

func areasPage(v payView, f ui.Form) Page {
	return Page{Title: text.Msg("settlepage.areas"), Nav: "refund_areas", Body: areasBody(v, f)}
}

// areaForm is what befell a stretch, with one line of evidence for each source that has one.
type areaForm struct {
	Season       string          `form:"season"`
	Kind         settle.AreaKind `form:"kind"`
	Station      string          `form:"station"`
	Community    string          `form:"community"`
	Building     string          `form:"building"`
	From         civil.Instant   `form:"from"`
	To           civil.Instant   `form:"to"`
	Unauthorised *bool           `form:"unauthorised"`
	Reason       string          `form:"reason"`
	Bearer       string          `form:"bearer"`
	CompanyLog   string          `form:"company_log"`
	StationData  string          `form:"station_data"`
	FirstCall    string          `form:"first_call"`
	LastCall     string          `form:"last_call"`
	Residents    string          `form:"residents"`
	Document     string          `form:"document"`
}

// evidence are the lines that were filled in.
func (a areaForm) evidence(now civil.Instant) []settle.Evidence {
	var out []settle.Evidence
	for _, e := range []settle.Evidence{
		{Source: settle.CompanyLog, Note: a.CompanyLog},
		{Source: settle.StationData, Note: a.StationData},
		{Source: settle.FirstCall, Note: a.FirstCall},
		{Source: settle.LastCall, Note: a.LastCall},
		{Source: settle.Residents, Note: a.Residents},
		{Source: settle.Document, Note: a.Document},
	} {
		if e.Note != "" {
			e.At = now
			out = append(out, e)
		}
	}
	return out
}

func (w *Web) proposeArea(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[areaForm](r)
	city := httpx.City(r.Context())
	if err == nil {
		_, err = w.Settle.ProposeArea(r.Context(), by(r), settle.AreaInput{
			City: city, Season: in.Season, Kind: in.Kind, Station: in.Station, Community: in.Community, Building: in.Building, From: in.From, To: in.To,
			Unauthorised: in.Unauthorised, Reason: in.Reason, Bearer: in.Bearer, Evidence: in.evidence(w.o.Now()), Key: formKey(r),
		})
	}
	if err == nil {
		return w.done(rw, r, settlePath(city, "/areas", in.Season), text.Msg("settlepage.proposed"))
	}
	v, gone := w.areasView(r, in.Season)
	if gone != nil {
		return gone
	}
	return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { return areasPage(v, f) })
}

// determineForm is the authority's word on a stretch.
type determineForm struct {
	settle.DetermineInput
	Season string `form:"season"`
}

func (w *Web) determineArea(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[determineForm](r)
	in.City, in.ID = httpx.City(r.Context()), param(r, "area")
	if err == nil {
		_, err = w.Settle.Determine(r.Context(), by(r), in.DetermineInput)
	}
	return w.after(rw, r, err, settlePath(in.City, "/areas", in.Season), "settlepage.determined")
}

func areaTone(s settle.AreaState) ui.Tone {
	switch s {
	case settle.Determined:
		return ui.Green
	case settle.AreaVoid:
		return ui.Grey
	case settle.Draft:
	}
	return ui.Amber
}
