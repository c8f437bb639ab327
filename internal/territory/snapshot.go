// Package territory says which heating company serves a flat, and why it thinks so (确权).
//
// The engine is pure: Build makes an Index of a Snapshot of the registers, and Attribute answers a complaint as a
// resident writes it. Evidence is weighed on a ladder: household account, building, community, alias, road and number,
// point on the map. An answer is assigned only when it is strong and no other company comes close; otherwise the
// dispatcher chooses among candidates. Nothing is ever guessed: a generic name, a shared name or two pieces of evidence
// that disagree never assign a company.
package territory

import (
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/geo"
)

// Snapshot is everything the engine knows about a city at one moment.
type Snapshot struct {
	City        int
	CityName    string
	Districts   []District
	Streets     []Street
	Companies   []Company
	Areas       []Area
	Communities []Community
	Buildings   []Building
	Confusable  []Pair
	Rules       []Rule

	Outages   func(community, building, station string) *Outage // nil: none known
	Household func(account string) (Household, bool)            // nil: no register of households

	Margin        float64  // metres on both sides of a border within which a point is uncertain; 0 is DefaultMargin
	Generic       []string // names that mean nothing by themselves, added to the built-in ones
	MinConfidence float64  // to be assigned; 0 is DefaultConfidence
	Lead          float64  // over the next company; 0 is DefaultLead
}

// What holds where the city's pack does not say.
const (
	DefaultMargin     = 50.0
	DefaultConfidence = 0.8
	DefaultLead       = 0.2
)

// District is a county or district (GB/T 2260).
type District struct{ Code, Name string }

// Street is a subdistrict or town; District is the code of its district.
type Street struct{ Code, Name, District string }

// Company is a heating company, housing centre or own boiler room.
type Company struct{ Code, Name string }

// Area is the ground or the list of communities that one company serves. The same code may occur once for each version.
type Area struct {
	Code     string
	Company  string
	Station  string
	Source   string            // who runs the heat source, where the register knows it
	Geometry *geo.MultiPolygon // nil: an area by list
	From, To civil.Date        // zero: open; To is the last day
	Previous *Change
}

// Management is who runs the heating inside a community.
type Management string

// The kinds of management; empty is unknown.
const (
	Direct     Management = "direct"      // 直管: the company itself, to the flat
	Resold     Management = "resold"      // 转供: the property company, behind the company's meter
	OwnStation Management = "own_station" // 自管站: a station not handed over
)

// Reason is why a community has no supplier.
type Reason string

// The reasons; empty with Connected false is NotConnected.
const (
	NotConnected Reason = "not_connected"
	OwnHeating   Reason = "own_heating"
	Stopped      Reason = "stopped" // the community as a whole has stopped heat use
)

// Change says that another company served before.
type Change struct {
	From      string // company
	Since     civil.Date
	Confirmed bool // both companies signed
}

// Community is an estate, village, compound or single house with a name.
type Community struct {
	ID            string
	Name          string
	Aliases       []string
	District      string // code or name
	Street        string // code or name
	Address       string // "建设路12号"
	Point         geo.Point
	Company       string // empty: the area's, else the area in which Point lies
	Area          string
	Management    Management
	Property      string // property company, or owner of the own station
	Developer     string
	WarrantyUntil civil.Date // the developer's warranty, last day
	Station       string
	Zones         []string // pressure zones, if one only it is told
	Connected     bool
	NotServed     Reason
	Previous      *Change
}

// Building is one building of a community; Company and Area are empty where they are the community's.
type Building struct {
	Community string // id
	No        string // "3", "A3", "3号楼"
	Point     geo.Point
	Company   string
	Area      string
	Station   string
	Zone      string
}

// Pair is two communities that callers or seats confuse.
type Pair struct{ A, B string }

// Rule is a dispatcher's decision that was learnt: where every condition that is given holds, the company is meant.
type Rule struct {
	Text      string // a piece of text, at least three characters
	Community string // id
	Building  string
	Road      string // "建设路"
	Number    string // "12"
	Company   string
	Area      string
	Author    string
	At        civil.Instant
}

// Outage is a live or planned stop.
type Outage struct {
	ID    string        `json:"id"`
	Until civil.Instant `json:"until"`
}

// HeatStatus is whether a household is open for heat.
type HeatStatus string

// The states of a household; empty is unknown.
const (
	HeatOn           HeatStatus = "on"
	HeatSuspended    HeatStatus = "suspended"
	HeatArrears      HeatStatus = "arrears"
	HeatNotOpened    HeatStatus = "not_opened"
	HeatWaitingValve HeatStatus = "waiting_valve"
)

// Household is a heat user in the companies' registers.
type Household struct {
	Account    string
	Community  string // id
	Building   string
	Unit       string
	Room       string
	Company    string // empty: the building's or community's
	Area       string
	Station    string
	Zone       string
	Riser      string
	HeatStatus HeatStatus
}
