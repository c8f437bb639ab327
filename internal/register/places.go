package register

import (
	"strings"

	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/territory"
)

// communities reads the list of communities, and with it who serves them.
type communities struct {
	base
	seen  map[string][]line // what the file says about a key
	bare  map[string]int    // names without district → row
	names map[string]int    // names with district → row
}

type line struct {
	row  int
	area string
}

func newCommunities(k *known) *communities {
	return &communities{base: base{k}, seen: map[string][]line{}, bare: map[string]int{}, names: map[string]int{}}
}

func (*communities) columns() []sheet.Column { return communityColumns }

// before is what is kept of a community; a new one gets an id.
func (l *communities) before(n *notes, r record, name string) place.Community {
	district := l.k.district(r.get("district"))
	fresh := place.Community{Name: name, District: district, Connected: true}
	fresh.Key = district + "|" + name
	found := l.k.named(name, district)
	if district != "" && len(found) == 0 {
		for _, i := range l.k.byName[name] {
			if l.k.communities[i].District == "" { // known by its name alone until now
				found = append(found, i)
			}
		}
	}
	switch len(found) {
	case 0:
		fresh.ID = l.k.newID()
		return fresh
	case 1:
		c := l.k.communities[found[0]]
		if district != "" {
			c.District = district
		}
		return c
	}
	n.fault(r.no, "district", "register.which_district", "community", name, "count", len(found))
	return fresh
}

func (l *communities) read(r record, n *notes) []out {
	name := key(n, r, "name")
	c := l.before(n, r, name)
	if r.get("district") == "" {
		l.bare[name] = r.no
	} else {
		l.names[name] = r.no
	}
	if r.x.Has("aliases") {
		c.Aliases = several(r.get("aliases"))
	}
	if r.x.Has("street") {
		c.Street = l.k.street(c.District, r.get("street"))
	}
	c.Address = r.or("address", c.Address)
	if r.x.Has("lng") || r.x.Has("lat") {
		c.Lng, c.Lat = l.k.point(n, r)
	}
	c.Management = oneOf(n, r, "management", r.or("management", c.Management), managements)
	c.Property, c.Developer = r.or("property", c.Property), r.or("developer", c.Developer)
	if r.x.Has("warranty_until") {
		c.WarrantyUntil = day(n, r, "warranty_until", r.get("warranty_until"))
	}
	c.Station = r.or("station", c.Station)
	if r.x.Has("zones") {
		c.Zones = several(r.get("zones"))
	}
	if r.x.Has("connected") {
		c.NotServed = oneOf(n, r, "connected", r.get("connected"), connections)
		c.Connected = c.NotServed == ""
	}
	within(n, r, communityColumns)
	l.k.station(c.Station, r.get("company"), c.Zones...)
	values := append([]string{
		c.Name, strings.Join(c.Aliases, ";"), c.District, c.Street, c.Address, c.Management, c.Property, c.Developer, c.WarrantyUntil.String(), c.Station,
		strings.Join(c.Zones, ";"), c.NotServed,
	}, coordinates(c.Lng, c.Lat)...)
	outs := []out{{"community", c.Key, values, &c}}
	company, area := l.k.served(n, r)
	l.seen[c.Key] = append(l.seen[c.Key], line{r.no, area})
	if company != "" || area != "" {
		l.k.outside(n, r, c, area)
		s := territory.CommunityLine{Version: l.k.version.Code, Community: c.ID, Company: company, Area: area}
		outs = append(outs, out{"community_line", l.k.version.Code + "|" + c.Key, []string{company, area}, &s})
	}
	return outs
}

// served reads who serves a place.
func (k *known) served(n *notes, r record) (company, area string) {
	company, area = r.get("company"), r.get("area")
	if strings.ContainsAny(area, ";；、") {
		n.fault(r.no, "area", "register.two_areas_cell", "areas", area)
		return company, ""
	}
	k.company(n, r, company)
	if a, drawn := k.areas[area]; area != "" && company == "" && !drawn {
		n.warn(r.no, "area", "register.area_unknown", "area", area)
	} else if drawn && company != "" && a.Company != company {
		n.warn(r.no, "company", "register.other_than_area", "company", company, "area", area, "of", a.Company)
	}
	return company, area
}

// outside warns of a community that does not lie on the ground of its area.
func (k *known) outside(n *notes, r record, c place.Community, area string) {
	a, ok := k.shapes[area]
	if ok && a != nil && !c.Point().IsZero() && !a.Contains(c.Point()) && a.BorderMetres(c.Point()) > outsideMetres {
		n.warn(r.no, "area", "register.outside_area", "community", c.Name, "area", area)
	}
}

// outsideMetres is how far off the ground of its area a community's point may lie: it stands for a whole estate.
const outsideMetres = 200

func (l *communities) finish(n *notes) {
	for name, row := range l.bare {
		if other, both := l.names[name]; both {
			n.fault(row, "district", "register.district_needed", "community", name, "row", other)
		}
	}
}

// twice: a community that stands in two areas is told as what it is.
func (l *communities) twice(n *notes, target, key string, rows []int) {
	if target != "community" {
		return // the same rows again
	}
	areas := map[string]bool{}
	for _, s := range l.seen[key] {
		areas[s.area] = true
	}
	_, name, _ := strings.Cut(key, "|")
	for _, r := range rows {
		if len(areas) > 1 {
			n.fault(r, "area", "register.two_areas", "community", name, "rows", numbers(rows))
		} else {
			n.fault(r, "name", "register.twice", "key", name, "rows", numbers(rows))
		}
	}
}

// buildings reads the list of buildings, and who serves those that differ from their community.
type buildings struct{ base }

func (buildings) columns() []sheet.Column { return buildingColumns }

func (l buildings) read(r record, n *notes) []out {
	key(n, r, "community")
	no := place.BuildingNo(key(n, r, "building"))
	c, ok := l.k.community(n, r)
	if !ok {
		return nil
	}
	b := place.Building{Community: c.ID, No: no, Station: r.get("station"), Zone: r.get("zone")}
	b.Lng, b.Lat = l.k.point(n, r)
	within(n, r, buildingColumns)
	l.k.station(b.Station, r.get("company"), b.Zone)
	id := c.ID + "|" + no
	outs := []out{{"building", id, append([]string{b.Station, b.Zone}, coordinates(b.Lng, b.Lat)...), &b}}
	if company, area := l.k.served(n, r); company != "" || area != "" {
		s := territory.BuildingLine{Version: l.k.version.Code, Community: c.ID, Building: no, Company: company, Area: area}
		outs = append(outs, out{"building_line", l.k.version.Code + "|" + id, []string{company, area}, &s})
	}
	return outs
}

func (buildings) twice(n *notes, target, key string, rows []int) {
	if target != "building" {
		return
	}
	_, no, _ := strings.Cut(key, "|")
	for _, r := range rows {
		n.fault(r, "building", "register.twice", "key", no, "rows", numbers(rows))
	}
}
