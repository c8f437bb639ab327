package register

import (
	"sort"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/territory"
)

// known is what the registers say already, and what the file adds to them beside its own rows.
type known struct {
	city        int
	crs         geo.CRS
	version     territory.Version
	companies   map[string]place.Company
	districts   map[string]string // code or name → code
	streets     map[[2]string]string
	communities []place.Community
	byName      map[string][]int
	areas       map[string]territory.AreaRow // of the version in force or the one imported
	shapes      map[string]*geo.MultiPolygon
	oldAreas    []territory.AreaRow // of the version before, for an import of areas
	newID       func() string

	newDistricts map[string]place.District
	newStreets   map[string]place.Street
	newStations  map[string]place.Station
	newLoops     map[[2]string]place.Loop
}

func newKnown() *known {
	return &known{
		companies: map[string]place.Company{}, districts: map[string]string{}, streets: map[[2]string]string{},
		byName: map[string][]int{}, areas: map[string]territory.AreaRow{},
		shapes:       map[string]*geo.MultiPolygon{},
		newDistricts: map[string]place.District{}, newStreets: map[string]place.Street{},
		newStations: map[string]place.Station{}, newLoops: map[[2]string]place.Loop{},
	}
}

func (k *known) addDistrict(d place.District) {
	k.districts[d.Code], k.districts[d.Name] = d.Code, d.Code
}

func (k *known) addStreet(s place.Street) {
	k.streets[[2]string{s.District, s.Name}], k.streets[[2]string{s.District, s.Code}] = s.Code, s.Code
}

func (k *known) addCommunity(c place.Community) {
	k.byName[c.Name] = append(k.byName[c.Name], len(k.communities))
	k.communities = append(k.communities, c)
}

// district is the code of a district by code or name; a name that is new becomes a district.
func (k *known) district(s string) string {
	if s == "" {
		return ""
	}
	if code, ok := k.districts[s]; ok {
		return code
	}
	d := place.District{City: k.city, Code: s, Name: s}
	k.newDistricts[s] = d
	k.addDistrict(d)
	return s
}

// street is the code of a street of a district.
func (k *known) street(district, s string) string {
	if s == "" {
		return ""
	}
	if code, ok := k.streets[[2]string{district, s}]; ok {
		return code
	}
	n := place.Street{City: k.city, Code: district + "/" + s, District: district, Name: s}
	k.newStreets[n.Code] = n
	k.addStreet(n)
	return n.Code
}

// station notes a station that a row names, and the zone beside it.
func (k *known) station(code, company string, zones ...string) {
	if code == "" {
		return
	}
	s := k.newStations[code]
	if s.Code == "" || s.Company == "" {
		k.newStations[code] = place.Station{City: k.city, Code: code, Name: code, Company: company, Version: 1}
	}
	for _, z := range zones {
		if z != "" {
			k.newLoops[[2]string{code, z}] = place.Loop{City: k.city, Station: code, Code: z, Name: z}
		}
	}
}

// company checks that a company is known; empty is.
func (k *known) company(n *notes, r record, code string) bool {
	if code == "" {
		return true
	}
	if _, ok := k.companies[code]; ok {
		return true
	}
	n.fault(r.no, "company", "register.no_company", "company", code)
	return false
}

// community finds the community that a row names; the district may be left out where the name is unique.
func (k *known) community(n *notes, r record) (place.Community, bool) {
	name, district := r.get("community"), r.get("district")
	if name == "" {
		return place.Community{}, false
	}
	found := k.named(name, district)
	switch len(found) {
	case 0:
		n.fault(r.no, "community", "register.no_community", "community", name, "district", district)
		return place.Community{}, false
	case 1:
		return k.communities[found[0]], true
	}
	n.fault(r.no, "district", "register.which_district", "community", name, "count", len(found))
	return place.Community{}, false
}

// named lists the communities of a name, of a district where that is given.
func (k *known) named(name, district string) []int {
	all := k.byName[name]
	if district == "" {
		return all
	}
	code, ok := k.districts[district]
	if !ok {
		code = district
	}
	var found []int
	for _, i := range all {
		if k.communities[i].District == code {
			found = append(found, i)
		}
	}
	return found
}

// point reads a row's coordinates.
func (k *known) point(n *notes, r record) (lng, lat *float64) {
	a, b := r.get("lng"), r.get("lat")
	if a == "" && b == "" {
		return nil, nil
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX != nil || x < -180 || x > 180 {
		n.fault(r.no, "lng", "register.bad_lng", "value", a)
	}
	if errY != nil || y < -90 || y > 90 {
		n.fault(r.no, "lat", "register.bad_lat", "value", b)
	}
	if errX != nil || errY != nil {
		return nil, nil
	}
	p := k.crs.ToWGS84(geo.Point{Lng: x, Lat: y})
	return &p.Lng, &p.Lat
}

func numbers(rows []int) string {
	sort.Ints(rows)
	texts := make([]string, len(rows))
	for i, r := range rows {
		texts[i] = strconv.Itoa(r)
	}
	return strings.Join(texts, ", ")
}
