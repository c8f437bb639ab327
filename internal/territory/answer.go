package territory

import (
	"encoding/json"
	"math"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/text"
)

// Query is what is known about where a complaint comes from. Every part may be missing.
type Query struct {
	ID        json.RawMessage `json:"id"`
	Text      string          `json:"text"`
	Lng       *float64        `json:"lng"`
	Lat       *float64        `json:"lat"`
	CRS       string          `json:"crs"`
	Household string          `json:"household"`
	At        civil.Instant   `json:"-"` // which versions hold; zero: those without an end
	House     *Household      `json:"-"` // the household of the account, where the caller has looked it up

	// What a person chose instead of typing it: a community by its id, and the parts of the address inside it.
	Community, Building, Unit, Room string `json:"-"`
}

// MaxText is the length of a complaint in characters.
const MaxText = 20000

// Check refuses coordinates that are none.
func (q Query) Check() error {
	var c fault.Check
	if _, err := geo.ParseCRS(q.CRS); err != nil {
		c.Merge("crs", err)
	}
	c.That((q.Lng == nil) == (q.Lat == nil), "lng", "territory.half_a_point")
	c.That(q.Lng == nil || math.Abs(*q.Lng) <= 180, "lng", "field.out_of_range", "min", -180, "max", 180)
	c.That(q.Lat == nil || math.Abs(*q.Lat) <= 90, "lat", "field.out_of_range", "min", -90, "max", 90)
	c.That(len(q.Text) <= 4*MaxText, "text", "field.too_long", "max", MaxText)
	return c.Err()
}

// Decision is what the engine could find out.
type Decision string

// The decisions.
const (
	Assigned  Decision = "assigned"
	Ambiguous Decision = "ambiguous"
	Unknown   Decision = "unknown"
	NotServed Decision = "not_served"
)

// Method is the kind of evidence an answer rests on.
type Method string

// The methods, strongest first.
const (
	ByHousehold Method = "household"
	ByBuilding  Method = "building"
	ByCommunity Method = "community"
	ByAlias     Method = "alias"
	ByRoad      Method = "road"
	ByPoint     Method = "point"
)

// Answer is what the engine says about one query.
type Answer struct {
	ID         json.RawMessage
	Decision   Decision
	Company    string
	Area       string
	Community  *Place
	Building   string
	Unit       string
	Room       string
	Floor      string
	Method     Method
	Confidence float64
	Conflict   bool
	Border     bool
	Neighbours []string
	Changed    *Change
	Management Management
	Station    string
	Zone       string
	Riser      string
	HeatStatus HeatStatus
	Segments   []Segment
	Outage     *Outage
	Candidates []Candidate
	Explain    []Step

	doubtful bool // the account and the text name different homes
}

// Place names a community; District is its district's name.
type Place struct {
	ID           string
	Name         string
	District     string
	DistrictCode string
}

// Candidate is one company that may be meant, best first.
type Candidate struct {
	Company   string
	Area      string
	Community *Place
	Score     float64
	Why       text.Message
}

// SegmentKind is a stretch of the way from heat source to flat.
type SegmentKind string

// The segments, from the source to the flat.
const (
	SegmentSource  SegmentKind = "source"  // 热源
	SegmentPrimary SegmentKind = "primary" // 一次网
	SegmentStation SegmentKind = "station" // 热力站
	SegmentYard    SegmentKind = "yard"    // 庭院管网
	SegmentRiser   SegmentKind = "riser"   // 楼内共用立管
	SegmentIndoor  SegmentKind = "indoor"  // 户内
)

// PartyKind is what the owner of a segment is.
type PartyKind string

// The kinds of owners.
const (
	PartyCompany   PartyKind = "company"
	PartyDeveloper PartyKind = "developer"
	PartyProperty  PartyKind = "property"
	PartyUser      PartyKind = "user"
	PartySource    PartyKind = "source"
)

// Segment says who owns one stretch. Code is set where the owner is a heating company.
type Segment struct {
	Segment SegmentKind
	Kind    PartyKind
	Code    string
	Party   string // name; empty: spoken from Kind
	Why     text.Message
}

// Step is one line of the explanation.
type Step struct {
	Message text.Message
	Article string
}

// MayAutoDispatch reports whether the company can be told at once without a person choosing: the answer is assigned, and
// either rests on the account or the building, or carries no border warning and no change. A change that both companies
// signed (or the authority decided) settles both: the new company's list stands on the old one's ground.
func (a Answer) MayAutoDispatch() bool {
	if a.Decision != Assigned || a.Conflict || a.doubtful {
		return false
	}
	if a.Method == ByHousehold || a.Method == ByBuilding {
		return true
	}
	if a.Changed != nil {
		return a.Changed.Confirmed
	}
	return !a.Border
}

type placeJSON struct {
	Name     string  `json:"name"`
	District *string `json:"district"`
}

type changedJSON struct {
	From      string     `json:"from"`
	Since     civil.Date `json:"since"`
	Confirmed bool       `json:"confirmed"`
}

type segmentJSON struct {
	Segment SegmentKind `json:"segment"`
	Party   string      `json:"party"`
	Why     string      `json:"why"`
	Kind    PartyKind   `json:"kind"`
	Company *string     `json:"company,omitempty"`
	WhyEN   string      `json:"why_en"`
}

type candidateJSON struct {
	Company   *string    `json:"company"`
	Area      *string    `json:"area"`
	Community *placeJSON `json:"community"`
	Score     float64    `json:"score"`
	Why       string     `json:"why"`
	WhyEN     string     `json:"why_en"`
}

type stepJSON struct {
	ZH      string `json:"zh"`
	EN      string `json:"en"`
	Article string `json:"article,omitempty"`
}

type answerJSON struct {
	ID         json.RawMessage `json:"id,omitempty"`
	Decision   Decision        `json:"decision"`
	Company    *string         `json:"company"`
	Area       *string         `json:"area"`
	Community  *placeJSON      `json:"community"`
	Building   *string         `json:"building"`
	Unit       *string         `json:"unit"`
	Room       *string         `json:"room"`
	Method     *string         `json:"method"`
	Confidence float64         `json:"confidence"`
	Conflict   bool            `json:"conflict"`
	Border     bool            `json:"border"`
	Neighbours []string        `json:"neighbours"`
	Changed    *changedJSON    `json:"changed"`
	Management *string         `json:"management"`
	Station    *string         `json:"station"`
	Zone       *string         `json:"zone"`
	HeatStatus *string         `json:"heat_status"`
	Segments   []segmentJSON   `json:"segments"`
	Outage     *Outage         `json:"outage"`
	Candidates []candidateJSON `json:"candidates"`
	Explain    []stepJSON      `json:"explain"`
}

// MarshalJSON writes the answer as the command line and the API publish it.
func (a Answer) MarshalJSON() ([]byte, error) {
	out := answerJSON{
		ID: a.ID, Decision: a.Decision, Company: opt(a.Company), Area: opt(a.Area), Community: a.Community.json(),
		Building: opt(a.Building), Unit: opt(a.Unit), Room: opt(a.Room), Method: opt(string(a.Method)),
		Confidence: round2(a.Confidence), Conflict: a.Conflict, Border: a.Border, Neighbours: a.Neighbours,
		Management: opt(string(a.Management)), Station: opt(a.Station), Zone: opt(a.Zone),
		HeatStatus: opt(string(a.HeatStatus)), Outage: a.Outage,
		Segments: []segmentJSON{}, Candidates: []candidateJSON{}, Explain: []stepJSON{},
	}
	if out.Neighbours == nil {
		out.Neighbours = []string{}
	}
	if a.Changed != nil {
		out.Changed = &changedJSON{a.Changed.From, a.Changed.Since, a.Changed.Confirmed}
	}
	for _, s := range a.Segments {
		out.Segments = append(out.Segments, segmentJSON{
			Segment: s.Segment, Party: s.Name(text.ZH), Why: s.Why.In(text.ZH), Kind: s.Kind, Company: opt(s.Code), WhyEN: s.Why.In(text.EN),
		})
	}
	for _, c := range a.Candidates {
		out.Candidates = append(out.Candidates, candidateJSON{
			opt(c.Company), opt(c.Area), c.Community.json(), round2(c.Score), c.Why.In(text.ZH), c.Why.In(text.EN),
		})
	}
	for _, s := range a.Explain {
		out.Explain = append(out.Explain, stepJSON{s.Message.In(text.ZH), s.Message.In(text.EN), s.Article})
	}
	return json.Marshal(out)
}

// Name is the owner's name, or what the owner is.
func (s Segment) Name(l text.Lang) string {
	if s.Party != "" {
		return s.Party
	}
	return text.T(l, "territory.party."+string(s.Kind))
}

func (p *Place) json() *placeJSON {
	if p == nil {
		return nil
	}
	return &placeJSON{p.Name, opt(p.District)}
}

func opt(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func round2(x float64) float64 { return math.Round(x*100) / 100 }
