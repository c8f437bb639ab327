// Package sim invents 暖城 (990100), a city in the north of China that does not exist: its districts and heating
// companies, the ground each of them serves, exchange stations, estates, buildings and flats, the winter that comes over
// it, what breaks, who calls about it and in which words, and how each company then behaves.
//
// Everything follows from a seed. The same seed gives the same city, byte for byte, on every machine; every answer is a
// function of the seed and of what is asked about, never of the order of questions. Nobody in it is real: telephone
// numbers have prefixes that are assigned to no network.
package sim

import (
	"slices"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/geo"
)

// Code and Name are the city's, as in its pack.
const (
	Code = 990100
	Name = "暖城"
)

// City is everything that the registers of the city hold. Rows refer to each other by their index.
type City struct {
	Seed        uint64
	Districts   []District
	Streets     []Street
	Companies   []Company
	Seasons     [2]Territory // last season's and this season's
	Stations    []Station
	Communities []Community
	Buildings   []Building
	Households  []Household
	Duty        []Duty
	Map         []MapFeature

	plan    *plan
	raised  []int         // how many buildings each community has
	firstOf []int         // the first household of each building
	atStop  map[int][]int // buildings of each station
	byState map[HeatStatus][]int
}

// District is a county or district.
type District struct{ Code, Name string }

// Street is a subdistrict or town.
type Street struct {
	Code, Name string
	District   int
}

// CompanyKind is what kind of unit supplies heat.
type CompanyKind string

// The kinds of supply units.
const (
	HeatingCompany CompanyKind = "company"        // 供热企业
	HousingCentre  CompanyKind = "housing_centre" // 房管中心
	OwnBoilerRoom  CompanyKind = "own_boiler"     // 自备锅炉房
)

// Company is a supply unit.
type Company struct {
	Code, Name, Short string
	Kind              CompanyKind
	Phone             string
	Licence           string
	LicenceUntil      civil.Date

	skill  int // 0-100: how well it is run
	warmth int // tenths of a degree that its water is too warm or too cool
}

// Territory is who serves which ground in one season.
type Territory struct {
	Version string
	From    civil.Date
	Source  string
	Areas   []Area
}

// Area is the ground that one company serves.
type Area struct {
	Code    string
	Name    string
	Company int
	Station string // the code of its first station
	Ground  geo.MultiPolygon
}

// Station is a heat exchange station.
type Station struct {
	Code, Name string
	Area       int // of this season
	Point      geo.Point
}

// Community is an estate, village, compound or single house with a name.
type Community struct {
	Name          string
	Aliases       []string
	District      int
	Street        int
	Address       string
	Point         geo.Point
	Area          int // of this season
	Previous      int // the company of last season; that of today where nothing changed, -1 if nobody served it
	Management    Management
	Developer     string
	WarrantyUntil civil.Date
	Station       int // -1 where not connected
	Zones         []Zone
	Connected     bool
	Traits        []Trait

	built int // year
	style style
	far   int // 0-3: how far down the network
}

// Management is who runs the heating inside a community, in the words of the registers.
type Management string

// The kinds of management.
const (
	Direct     Management = "直管"
	Resold     Management = "转供"
	OwnStation Management = "自管站"
)

// Zone is a pressure zone of a tall building, in the words of the registers.
type Zone string

// The zones.
const (
	LowZone  Zone = "低区"
	MidZone  Zone = "中区"
	HighZone Zone = "高区"
)

// Trait is what makes a community hard to attribute.
type Trait string

// The traits.
const (
	SameName     Trait = "same_name"     // another community in another district has the name
	SimilarName  Trait = "similar_name"  // another one is called nearly the same
	GenericName  Trait = "generic_name"  // the name says nothing
	SharedAlias  Trait = "shared_alias"  // people call another one the same
	Phases       Trait = "phases"        // built in parts that different companies may serve
	Border       Trait = "border"        // within a few metres of another company's ground
	Straddling   Trait = "straddling"    // some of its buildings stand on the other side
	ChangedHands Trait = "changed_hands" // another company served it last season
	NotConnected Trait = "not_connected" // nobody supplies it
)

// Has reports whether the community has a trait.
func (m Community) Has(t Trait) bool { return slices.Contains(m.Traits, t) }

// Building is one building of a community.
type Building struct {
	Community int
	No        string
	Point     geo.Point
	Area      int // another one than the community's where the building straddles a border
	Station   int
	Floors    int
	Units     int
	PerFloor  int // flats on one floor of one unit
}

// HeatStatus is whether a home is open for heat, in the words of the registers.
type HeatStatus string

// The states.
const (
	On           HeatStatus = "用热"
	Suspended    HeatStatus = "报停"
	Arrears      HeatStatus = "欠费停"
	NotOpened    HeatStatus = "未开通"
	WaitingValve HeatStatus = "待开栓"
)

// Household is a heat user.
type Household struct {
	Account    string
	Building   int
	Unit       int
	Floor      int
	Flat       int // on its floor, from 1
	Holder     string
	Phone      string
	AreaTenths int // of a square metre
	UseType    string
	PriceClass string
	Status     HeatStatus
	Paid       bool
	Zone       Zone
	Care       string // why the home needs care, empty if it does not
}

// Duty is one line of a duty roster (值班表).
type Duty struct {
	Company  int
	Station  int // -1: the whole company
	From, To civil.Instant
	Name     string
	Phone    string
	Backup   string
	Leader   string
}

// NewCity builds the city of a seed with so many households in its registers.
func NewCity(seed uint64, households int) *City {
	c := &City{Seed: seed, Districts: districts(), plan: newPlan(seed)}
	c.Streets = c.plan.streets()
	c.Companies = companies()
	c.divide()
	c.settle()
	c.place()
	c.build(max(households, 1))
	c.people(max(households, 1))
	c.roster()
	c.Map = c.plan.features(c)
	c.index()
	return c
}

// index notes what is asked for again and again.
func (c *City) index() {
	c.firstOf = make([]int, len(c.Buildings))
	for b := range c.firstOf {
		c.firstOf[b] = -1
	}
	c.atStop = map[int][]int{}
	c.byState = map[HeatStatus][]int{}
	for i, h := range c.Households {
		if c.firstOf[h.Building] < 0 {
			c.firstOf[h.Building] = i
		}
		c.byState[h.Status] = append(c.byState[h.Status], i)
	}
	for b, at := range c.Buildings {
		if at.Station >= 0 && c.firstOf[b] >= 0 {
			c.atStop[at.Station] = append(c.atStop[at.Station], b)
		}
	}
}

// Supplier is the index of the company that serves a building today.
func (c *City) Supplier(building int) int {
	return c.Seasons[1].Areas[c.Buildings[building].Area].Company
}

// Community is the community a household lives in.
func (c *City) Community(household int) *Community {
	return &c.Communities[c.Buildings[c.Households[household].Building].Community]
}

// NameOf invents the name of somebody who works in the city.
func (c *City) NameOf(what string, n int) string { return person(roll(c.Seed, "staff "+what, n)) }

// Digits are so many digits that follow from the seed and a purpose.
func (c *City) Digits(purpose string, n int) string {
	d, out := roll(c.Seed, "digits "+purpose), make([]byte, n)
	for i := range out {
		out[i] = byte('0' + d.n(10))
	}
	return string(out)
}
