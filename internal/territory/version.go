package territory

import (
	"cmp"
	"slices"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/place"
)

// Version is a state of the territories with the document that orders it. It holds from its day until the next one's.
type Version struct {
	City    int           `db:"city_id" json:"-"`
	Code    string        `db:"code" json:"code"`
	From    civil.Date    `db:"from_day" json:"from"` // zero: from the beginning
	Source  string        `db:"source" json:"source"`
	Created civil.Instant `db:"created_at" json:"created_at"`
	By      string        `db:"created_by" json:"-"`
}

// AreaRow is an area as a version draws it; Geometry is a GeoJSON MultiPolygon, nil for an area by list.
type AreaRow struct {
	place.Edition
	Version    string  `db:"version" json:"version"`
	Code       string  `db:"code" json:"code"`
	Name       string  `db:"name" json:"name"`
	Company    string  `db:"company" json:"company"`
	Station    string  `db:"station" json:"station"`
	HeatSource string  `db:"heat_source" json:"heat_source"`
	Geometry   *string `db:"geometry" json:"-"`
}

// CommunityLine is who serves a community by a version's list.
type CommunityLine struct {
	place.Edition
	Version   string `db:"version"`
	Community string `db:"community"`
	Company   string `db:"company"`
	Area      string `db:"area"`
}

// BuildingLine is who serves a building that differs from its community.
type BuildingLine struct {
	place.Edition
	Version   string `db:"version"`
	Community string `db:"community"`
	Building  string `db:"building"`
	Company   string `db:"company"`
	Area      string `db:"area"`
}

// InForce is the number of the version that holds on a day, -1 for none. Versions are in the order of their days.
func InForce(versions []Version, on civil.Date) int {
	for i, v := range slices.Backward(versions) {
		if v.From.IsZero() || !on.Before(v.From) {
			return i
		}
	}
	return -1
}

// line is what a list says about one place.
type line struct{ company, area string }

// spotKey names a building of a community; without building it is the community.
type spotKey struct{ community, building string }

// ground is what one version says about the whole city.
type ground struct {
	version Version
	drawn   bool // the version draws areas itself and does not only take over those of the one before
	areas   []Area
	byCode  map[string]int
	index   *geo.Index
	lines   map[spotKey]line
}

func newGround(v Version, areas []Area, lines map[spotKey]line, before *ground) *ground {
	g := &ground{version: v, drawn: len(areas) > 0, areas: areas, lines: lines, byCode: map[string]int{}}
	if !g.drawn && before != nil {
		g.areas, g.byCode, g.index = before.areas, before.byCode, before.index
		return g
	}
	shapes := make([]*geo.MultiPolygon, len(areas))
	for i := range areas {
		g.byCode[areas[i].Code], shapes[i] = i, areas[i].Geometry
	}
	g.index = geo.NewIndex(shapes)
	return g
}

func (g *ground) area(code string) *Area {
	if i, ok := g.byCode[code]; ok && code != "" {
		return &g.areas[i]
	}
	return nil
}

// drawnAt is whose ground a point is, where only one company's areas hold it.
func (g *ground) drawnAt(p geo.Point) (line, bool) {
	var l line
	found, one := false, true
	if p.IsZero() {
		return l, false
	}
	g.index.At(p, func(i int) bool {
		a := &g.areas[i]
		if found && a.Company != l.company {
			one = false
			return false
		}
		if !found || a.Code < l.area {
			l = line{a.Company, a.Code}
		}
		found = true
		return true
	})
	return l, found && one
}

// owner reads a list's line on this ground: what the line leaves open its area says, else the place on the map.
func (g *ground) owner(l line, p geo.Point) line {
	if a := g.area(l.area); a != nil {
		l.company = cmp.Or(l.company, a.Company)
	}
	if l.company != "" && l.area != "" {
		return l
	}
	if here, ok := g.drawnAt(p); ok && (l.company == "" || l.company == here.company) {
		l.company, l.area = here.company, cmp.Or(l.area, here.area)
	}
	return l
}

// follow reads the line of an earlier list on ground that was drawn anew. A line that only repeats what the old ground
// said follows the ground; an exception stays until a list says otherwise.
func (g *ground) follow(l line, old *ground, p geo.Point) line {
	by := old.owner(line{area: l.area}, p)
	if l.company != "" && by.company != "" && by.company != l.company {
		if g.area(l.area) == nil {
			l.area = ""
		}
		return l
	}
	if a := g.area(l.area); a != nil {
		return line{a.Company, a.Code}
	}
	if here, ok := g.drawnAt(p); ok {
		return here
	}
	if a := old.area(by.area); a != nil && a.Geometry != nil {
		return line{} // the old ground held it, the new one leaves it out
	}
	return line{cmp.Or(l.company, by.company), l.area} // by list: no ground ever held it
}

// history is who serves a place under each version, in their order.
func history(key spotKey, p geo.Point, grounds []*ground) []line {
	out := make([]line, len(grounds))
	var held line
	var since *ground
	for i, g := range grounds {
		l, said := g.lines[key]
		switch {
		case said:
			held, since = l, g
			out[i] = g.owner(l, p)
		case since == nil:
			out[i] = g.owner(line{}, p)
		case !g.drawn && g.index == since.index:
			out[i] = g.owner(held, p)
		default:
			out[i] = g.follow(held, since, p)
		}
	}
	return out
}

// changeMonths is how long another supplier is worth a warning: a season and the summer after it.
const changeMonths = 12

// changed finds the last change of supplier in a history; nil where there was none in the year before the day.
func changed(owners []line, grounds []*ground, on civil.Date) *Change {
	for i := len(owners) - 1; i > 0; i-- {
		if owners[i].company == owners[i-1].company {
			continue
		}
		since := grounds[i].version.From
		if owners[i].company == "" || owners[i-1].company == "" || since.AddMonths(changeMonths).Before(on) {
			return nil
		}
		return &Change{From: owners[i-1].company, Since: since}
	}
	return nil
}

// registers is what is loaded of a city.
type registers struct {
	snapshot  Snapshot // without areas, owners and buildings
	versions  []Version
	grounds   []*ground // of the versions up to the one in force
	places    []place.Community
	buildings []place.Building
	confirmed map[string]map[string]bool // version → community: the hand-over was confirmed
	on        civil.Date
}

// assemble makes the snapshot that holds under the last of the grounds.
func (r *registers) assemble() Snapshot {
	s := r.snapshot
	points := make(map[string]geo.Point, len(r.places))
	s.Communities = make([]Community, len(r.places))
	for i, c := range r.places {
		points[c.ID] = c.Point()
		to := &s.Communities[i]
		*to = Community{
			ID: c.ID, Name: c.Name, Aliases: c.Aliases, District: c.District, Street: c.Street, Address: c.Address, Point: c.Point(),
			Management: Management(c.Management), Property: c.Property, Developer: c.Developer, WarrantyUntil: c.WarrantyUntil,
			Station: c.Station, Zones: c.Zones, Connected: c.Connected, NotServed: Reason(c.NotServed),
		}
		if len(r.grounds) == 0 {
			continue
		}
		owners := history(spotKey{community: c.ID}, c.Point(), r.grounds)
		last := owners[len(owners)-1]
		to.Company, to.Area = last.company, last.area
		if to.Previous = changed(owners, r.grounds, r.on); to.Previous != nil {
			to.Previous.Confirmed = r.confirmedIn(to.Previous.Since, c.ID)
		}
	}
	s.Buildings = r.buildingsServed()
	if n := len(r.grounds); n > 0 {
		s.Areas = slices.Clone(r.grounds[n-1].areas)
		r.markChanged(s.Areas)
	}
	return s
}

func (r *registers) confirmedIn(since civil.Date, community string) bool {
	return slices.ContainsFunc(r.grounds, func(g *ground) bool {
		return g.version.From == since && r.confirmed[g.version.Code][community]
	})
}

// namedBuildings are those that some list says something about of their own.
func (r *registers) namedBuildings() map[spotKey]bool {
	named := map[spotKey]bool{}
	for _, g := range r.grounds {
		for k := range g.lines {
			if k.building != "" {
				named[k] = true
			}
		}
	}
	return named
}

// buildingHistory is who serves a building under each version: whoever serves its community until a list names it.
func (r *registers) buildingHistory(key spotKey, p geo.Point, community []line) []line {
	out := history(key, p, r.grounds)
	for i, g := range r.grounds {
		if _, said := g.lines[key]; said {
			break
		}
		out[i] = community[i]
	}
	return out
}

func (r *registers) buildingsServed() []Building {
	named := r.namedBuildings()
	out := make([]Building, len(r.buildings))
	for i, b := range r.buildings {
		out[i] = Building{Community: b.Community, No: b.No, Point: b.Point(), Station: b.Station, Zone: b.Zone}
		if key := (spotKey{b.Community, b.No}); named[key] {
			owners := history(key, b.Point(), r.grounds)
			out[i].Company, out[i].Area = owners[len(owners)-1].company, owners[len(owners)-1].area
		}
	}
	return out
}

// markChanged notes which areas had another company under the version before.
func (r *registers) markChanged(areas []Area) {
	n := len(r.grounds)
	if n < 2 || !r.grounds[n-1].drawn || r.grounds[n-1].version.From.AddMonths(changeMonths).Before(r.on) {
		return
	}
	for i := range areas {
		if old := r.grounds[n-2].area(areas[i].Code); old != nil && old.Company != areas[i].Company {
			areas[i].Previous = &Change{From: old.Company, Since: r.grounds[n-1].version.From}
		}
	}
}
