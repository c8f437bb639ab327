// Package place knows where heat goes: heating companies, districts, communities (小区), buildings, households, heat
// exchange stations (热力站) and who answers there tonight.
//
// Its tables hold what companies and the city declare in their lists. A list becomes visible as a whole or not at all:
// rows carry the edition from which and until which they are seen, and register.edition says which one that is.
// Invariants: exactly one row of a key is seen at a time; the holder's name and telephone are sealed, leave the package
// masked, and each reveal is an audited act with a reason; addresses are plain, since field staff work by them; whoever is
// bound to a company sees no household of another.
package place

import (
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/geo"
)

// Kind is one of the lists that are imported.
type Kind string

// The lists.
const (
	Companies   Kind = "companies"
	Areas       Kind = "areas"
	Communities Kind = "communities"
	Buildings   Kind = "buildings"
	Households  Kind = "households"
	Duty        Kind = "duty"
	Fees        Kind = "fees" // bills and payments, kept by the package fee
)

// Kinds lists the lists in the order in which a new city imports them.
func Kinds() []Kind { return []Kind{Companies, Areas, Communities, Buildings, Households, Duty, Fees} }

// Register is the table with the lock and the edition of a list.
func (k Kind) Register() string {
	if k == Fees {
		return "fee_register"
	}
	return "register"
}

// Forever stands in until_edition of a row that nothing has replaced; a number that JSON and both databases hold exactly.
const Forever int64 = 1<<53 - 1

// Edition says during which editions of its list a row is seen.
type Edition struct {
	City  int    `db:"city_id" json:"-"`
	Key   string `db:"row_key" json:"-"`
	From  int64  `db:"edition" json:"-"`
	Until int64  `db:"until_edition" json:"-"`
	Sum   string `db:"row_sum" json:"-"`
}

// Stamp sets the editions of a row that is written.
func (e *Edition) Stamp(x Edition) { *e = x }

// CompanyKind is the sort of a supply unit.
type CompanyKind string

// The kinds of supply units.
const (
	HeatingCompany CompanyKind = "company"        // 供热企业
	HousingCentre  CompanyKind = "housing_centre" // 房管中心
	OwnBoiler      CompanyKind = "own_boiler"     // 自备锅炉房
)

// Company is a supply unit: a heating company, a housing centre or an own boiler room.
type Company struct {
	Edition
	Code         string      `db:"code" json:"code"`
	Name         string      `db:"name" json:"name"`
	Kind         CompanyKind `db:"kind" json:"kind"`
	Phone        string      `db:"phone" json:"phone"`
	Licence      string      `db:"licence" json:"licence"`
	LicenceUntil civil.Date  `db:"licence_until" json:"licence_until"`
}

// District is a county or district (GB/T 2260); without a known code its name stands for it.
type District struct {
	City    int           `db:"city_id" json:"-"`
	Code    string        `db:"code" json:"code"`
	Name    string        `db:"name" json:"name"`
	Created civil.Instant `db:"created_at" json:"-"`
}

// Street is a subdistrict or town (街道, 镇) of a district.
type Street struct {
	City     int           `db:"city_id" json:"-"`
	Code     string        `db:"code" json:"code"`
	District string        `db:"district" json:"district"`
	Name     string        `db:"name" json:"name"`
	Created  civil.Instant `db:"created_at" json:"-"`
}

// Station is a heat exchange station (热力站).
type Station struct {
	City    int           `db:"city_id" json:"-"`
	Code    string        `db:"code" json:"code"`
	Name    string        `db:"name" json:"name"`
	Company string        `db:"company" json:"company"`
	Address string        `db:"address" json:"address"`
	Lng     *float64      `db:"lng" json:"lng"`
	Lat     *float64      `db:"lat" json:"lat"`
	Version int64         `db:"version" json:"version"`
	Created civil.Instant `db:"created_at" json:"-"`
	Loops   []Loop        `db:"-" json:"loops,omitempty"`
}

// Loop is a loop or pressure zone (环路, 高区/低区) of a station.
type Loop struct {
	City    int           `db:"city_id" json:"-"`
	Station string        `db:"station" json:"-"`
	Code    string        `db:"code" json:"code"`
	Name    string        `db:"name" json:"name"`
	Created civil.Instant `db:"created_at" json:"-"`
}

// Community is an estate, village, compound or single house with a name. District is the code of its district.
type Community struct {
	Edition
	ID            string     `db:"id" json:"id"`
	Name          string     `db:"name" json:"name"`
	Aliases       []string   `db:"aliases,json" json:"aliases,omitempty"`
	District      string     `db:"district" json:"district"`
	Street        string     `db:"street" json:"street"`
	Address       string     `db:"address" json:"address"`
	Lng           *float64   `db:"lng" json:"lng"`
	Lat           *float64   `db:"lat" json:"lat"`
	Management    string     `db:"management" json:"management"`
	Property      string     `db:"property" json:"property"`
	Developer     string     `db:"developer" json:"developer"`
	WarrantyUntil civil.Date `db:"warranty_until" json:"warranty_until"`
	Station       string     `db:"station" json:"station"`
	Zones         []string   `db:"zones,json" json:"zones,omitempty"`
	Connected     bool       `db:"connected" json:"connected"`
	NotServed     string     `db:"not_served" json:"not_served"`
}

// Point is where the community lies, zero if unknown.
func (c Community) Point() geo.Point { return point(c.Lng, c.Lat) }

// Building is one building of a community; Community is its id.
type Building struct {
	Edition
	Community string   `db:"community" json:"community"`
	No        string   `db:"no" json:"no"`
	Lng       *float64 `db:"lng" json:"lng"`
	Lat       *float64 `db:"lat" json:"lat"`
	Station   string   `db:"station" json:"station"`
	Zone      string   `db:"zone" json:"zone"`
}

// Point is where the building lies, zero if unknown.
func (b Building) Point() geo.Point { return point(b.Lng, b.Lat) }

func point(lng, lat *float64) geo.Point {
	if lng == nil || lat == nil {
		return geo.Point{}
	}
	return geo.Point{Lng: *lng, Lat: *lat}
}

// HouseholdRow is a household as kept: Holder and Phone are sealed for Person.
type HouseholdRow struct {
	Edition
	Account    string `db:"account"`
	Community  string `db:"community"`
	Building   string `db:"building"`
	Unit       string `db:"unit"`
	Room       string `db:"room"`
	Floor      *int   `db:"floor"`
	Person     string `db:"person"`
	Holder     string `db:"holder"`
	Phone      string `db:"phone"`
	AreaM2     string `db:"area_m2"` // an exact decimal
	UseType    string `db:"use_type"`
	PriceClass string `db:"price_class"`
	HeatStatus string `db:"heat_status"`
	Paid       string `db:"paid"`
	Station    string `db:"station"`
	Zone       string `db:"zone"`
	Riser      string `db:"riser"`
}

// Household is a heat user as staff see it: name and telephone masked, the address plain.
type Household struct {
	Account       string `json:"account"`
	Community     string `json:"community"` // id
	CommunityName string `json:"community_name"`
	District      string `json:"district"`
	Building      string `json:"building"`
	Unit          string `json:"unit"`
	Room          string `json:"room"`
	Floor         *int   `json:"floor"`
	Holder        string `json:"holder"`
	Phone         string `json:"phone"`
	AreaM2        string `json:"area_m2"`
	UseType       string `json:"use_type"`
	PriceClass    string `json:"price_class"`
	HeatStatus    string `json:"heat_status"`
	Paid          string `json:"paid"`
	Station       string `json:"station"`
	Zone          string `json:"zone"`
	Riser         string `json:"riser"`
	Company       string `json:"company"`
	Area          string `json:"area"`
}

// Shift is one line of a duty roster (值班表); Station is empty for the company's own desk.
type Shift struct {
	Edition
	Rev     string        `db:"-" json:"rev"` // what SaveShift wants to see again
	Company string        `db:"company" json:"company"`
	Station string        `db:"station" json:"station"`
	At      civil.Instant `db:"from_at" json:"from"`
	To      civil.Instant `db:"to_at" json:"to"` // zero: until the next shift
	Name    string        `db:"name" json:"name"`
	Phone   string        `db:"phone" json:"phone"`
	Backup  string        `db:"backup" json:"backup"`
	Leader  string        `db:"leader" json:"leader"`
}
