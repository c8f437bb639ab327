package web

import (
	"context"
	"math"
	"net/url"
	"slices"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// householdView is everything about a home in a season.
type householdView struct {
	measure.HomeLog
	names   measureNames
	city    int
	season  string
	seasons []string
	bills   string         // address of the household's bills; empty when the reader may not see them
	claims  []settle.Claim // of the seasons that have records, as far as the reader may see them
}

// choose narrows the log to the season that is asked for, else the last one that has records.
func (v *householdView) choose(now civil.Instant) {
	for _, r := range v.Records {
		if !slices.Contains(v.seasons, r.Season) {
			v.seasons = append(v.seasons, r.Season)
		}
	}
	slices.Sort(v.seasons)
	if v.season == "" {
		v.season = citypack.SeasonLabel(now.Date())
		if len(v.seasons) > 0 {
			v.season = v.seasons[len(v.seasons)-1]
		}
	}
	other := func(at civil.Instant) bool { return citypack.SeasonLabel(at.Date()) != v.season }
	v.Records = slices.DeleteFunc(v.Records, func(r measure.Record) bool { return r.Season != v.season })
	v.Visits = slices.DeleteFunc(v.Visits, func(x measure.Visit) bool { return other(x.At) })
	v.Measurements = slices.DeleteFunc(v.Measurements, func(m measure.Measurement) bool { return m.Season != v.season })
	v.Documents = slices.DeleteFunc(v.Documents, func(d measure.Document) bool { return other(d.Made) })
}

// last is the last measurement of the home, for what its row knows of the place.
func (v householdView) last() measure.Measurement {
	if n := len(v.Measurements); n > 0 {
		return v.Measurements[n-1]
	}
	return measure.Measurement{}
}

func (v householdView) seasonLinks() []ui.Link {
	out := make([]ui.Link, 0, len(v.seasons))
	for _, s := range v.seasons {
		href := withQuery(at(measureList+"/home", v.city), url.Values{"home": {v.Home}, "season": {s}})
		out = append(out, ui.Link{Key: s, Href: href, Current: s == v.season})
	}
	return out
}

// taken is one reading of the season: of a visit or of a laboratory.
type taken struct {
	at       civil.Instant
	room     string
	temp     float64
	line     reading
	outdoor  string
	by       string
	standard float64
	outside  float64
}

// readingsOfSeason are all readings in the order of time.
func (v householdView) readingsOfSeason(ctx context.Context) []taken {
	var out []taken
	add := func(rooms []measure.RoomReading, res *measure.Result, by measure.Party, outdoor float64, outdoorSays string) {
		for i, l := range readings(ctx, rooms, res) {
			t := taken{at: rooms[i].At, room: l.room, temp: float64(rooms[i].TempC) / 10, line: l, by: ui.T(ctx, "measure_party."+string(by)), outside: outdoor, outdoor: outdoorSays}
			if j := roomOf(res, rooms[i].Room); j >= 0 && res.Rooms[j].StandardC != nil {
				t.standard = float64(*res.Rooms[j].StandardC) / 10
			}
			out = append(out, t)
		}
	}
	for _, x := range v.Visits {
		if x.Readings == nil {
			continue
		}
		outdoor := math.NaN()
		if x.Readings.OutdoorC != nil {
			outdoor = float64(*x.Readings.OutdoorC) / 10
		}
		add(x.Readings.Rooms, x.Result, x.Party, outdoor, tenthsWords(x.Readings.OutdoorC))
	}
	for _, l := range labReports(v.Records) {
		add(l.Readings, &l.Result, measure.Laboratory, math.NaN(), "")
	}
	slices.SortStableFunc(out, func(a, b taken) int { return int(a.at.Sub(b.at).Minutes()) })
	return out
}

// chart draws the readings of each room over time, with the outdoor temperature and the standard.
func (v householdView) chart(ctx context.Context, all []taken) ui.Chart {
	c := ui.Chart{
		ID: "home-chart", Title: ui.T(ctx, "measurepage.chart", "season", v.season), Decimals: 1, LabelKey: "measurepage.read_at", NoTable: true,
		LimitName: ui.T(ctx, "measurepage.standard"),
	}
	var rooms []string
	for _, t := range all {
		if !slices.Contains(rooms, t.room) {
			rooms = append(rooms, t.room)
		}
		if at := t.at.MonthDayClock(); !slices.Contains(c.Labels, at) {
			c.Labels = append(c.Labels, at)
		}
		c.Limit = max(c.Limit, t.standard)
	}
	rows := make([]ui.Series, len(rooms)+1)
	for i := range rows {
		rows[i].Values = slices.Repeat([]float64{math.NaN()}, len(c.Labels))
		if i < len(rooms) {
			rows[i].Name = rooms[i]
		}
	}
	outside := &rows[len(rooms)]
	outside.Name = ui.T(ctx, "measurepage.outdoor")
	known := false
	for _, t := range all {
		at := slices.Index(c.Labels, t.at.MonthDayClock())
		rows[slices.Index(rooms, t.room)].Values[at] = t.temp
		if !math.IsNaN(t.outside) {
			outside.Values[at], known = t.outside, true
		}
	}
	if !known {
		rows = rows[:len(rooms)]
	}
	c.Series = rows
	return c
}

// buildingHref is the drawing of the building that the home is in; empty when the register does not say which.
func (v householdView) buildingHref() string {
	m := v.last()
	if m.Community == "" || m.Building == "" {
		return ""
	}
	return at("/c/{city}/places/", v.city) + url.PathEscape(m.Community) + "/" + url.PathEscape(m.Building)
}

func (v householdView) steps(ctx context.Context) []ui.Step {
	return measureView{View: measure.View{Records: v.Records}}.steps(ctx)
}
