// Package cases keeps what residents say is wrong with their heating, from the first word to the archive: one record for
// every call, message and visit, whatever door it came by.
//
// Invariants: every change of status is a row of Lifecycle and an entry in the case's audit chain; nothing is deleted and
// no household is merged into another's case; the resident's clock runs from the first contact anywhere and stops for
// nobody's dispute; names and telephones are sealed under the caller's own key and masked wherever they are shown; whoever
// handled a case never verifies it.
package cases

import (
	"encoding/json"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
)

// Channel is how the resident reached us. Its name on the screen is "channel.<name>".
type Channel string

// The channels.
const (
	Phone     Channel = "phone"    // 来电
	WeChat    Channel = "wechat"   // 微信
	Weibo     Channel = "weibo"    // 微博
	Web       Channel = "web"      // 网页
	Opinion   Channel = "opinion"  // 网络舆情
	Hotline   Channel = "12345"    // 12345热线
	CompanyIn Channel = "company"  // 供热企业转报（企业热线）
	Platform  Channel = "platform" // 城市运行管理服务平台
	Counter   Channel = "counter"  // 来访
	Letter    Channel = "letter"   // 来信
	Media     Channel = "media"    // 媒体曝光
	Leader    Channel = "leader"   // 领导批示、上级交办
	Patrol    Channel = "patrol"   // 巡查走访
	Mail      Channel = "mail"     // 电子邮件
	OpenAPI   Channel = "open311"  // Open311
	Other     Channel = "other"    // 其他
)

// Channels lists the channels in the order of the form.
func Channels() []Channel {
	return []Channel{Phone, WeChat, Web, Hotline, Counter, Letter, Leader, Media, Opinion, Weibo, CompanyIn, Platform, Patrol, Mail, OpenAPI, Other}
}

// Scope is how far the trouble reaches. Its name on the screen is "scope.<name>".
type Scope string

// The scopes.
const (
	Home     Scope = "home"     // 单户
	Stairs   Scope = "unit"     // 单元
	Block    Scope = "building" // 整楼
	Estate   Scope = "estate"   // 小区
	District Scope = "district" // 片区
)

// Scopes lists the scopes from small to large.
func Scopes() []Scope { return []Scope{Home, Stairs, Block, Estate, District} }

// Relation is what the caller is to the household. Its name on the screen is "relation.<name>".
type Relation string

// Relations lists what a caller may be to the household.
func Relations() []Relation {
	return []Relation{"self", "family", "tenant", "neighbour", "community", "property", "other"}
}

// Party is a person as typed in: never kept in the clear.
type Party struct {
	Name  string `json:"name" form:"name"`
	Phone string `json:"phone" form:"phone"`
}

// Details are the answers to the entry standard that are not columns of their own.
type Details struct {
	Floor       string          `json:"floor,omitempty" form:"floor"`             // "6" or "6/11"
	Position    string          `json:"position,omitempty" form:"position"`       // top, bottom, edge, middle
	Heating     string          `json:"heating,omitempty" form:"heating"`         // radiator, floor, fan_coil
	Rooms       string          `json:"rooms,omitempty" form:"rooms"`             // all rooms, or which
	Since       string          `json:"since,omitempty" form:"since"`             // as said: "昨晚"
	Temperature *celsius.Tenths `json:"temperature,omitempty" form:"temperature"` // as said
	Thermometer string          `json:"thermometer,omitempty" form:"thermometer"` // by what instrument
	Neighbours  string          `json:"neighbours,omitempty" form:"neighbours"`   // yes, no, unknown
	Paid        string          `json:"paid,omitempty" form:"paid"`               // yes, no, unknown
	Leak        string          `json:"leak,omitempty" form:"leak"`               // yes, no
	ToldAt      civil.Instant   `json:"company_told_at,omitzero" form:"company_told_at"`
	ToldNo      string          `json:"company_ticket,omitempty" form:"company_ticket"`
	Care        string          `json:"care,omitempty" form:"care"` // old, infant, ill, disabled, place
	Available   string          `json:"available,omitempty" form:"available"`
	Amount      string          `json:"amount,omitempty" form:"amount"`
	Suspect     string          `json:"suspect,omitempty" form:"suspect"`
	Media       string          `json:"media_url,omitempty" form:"media_url"` // as sent by another system; never fetched
}

// Case is one record. Names and telephones in it are masked; Reveal gives them in the clear and keeps who asked.
type Case struct {
	City          int              `db:"city_id" json:"city"`
	ID            string           `db:"id" json:"id"`
	Seq           int64            `db:"seq" json:"-"`
	No            string           `db:"no" json:"no"` // as people read it out, numbered by city and day
	Status        Status           `db:"status" json:"status"`
	Open          bool             `db:"open" json:"open"`
	Channel       Channel          `db:"channel" json:"channel"`
	Door          citypack.Door    `db:"door" json:"door"`
	TicketNo      string           `db:"ticket_no" json:"ticket_no,omitempty"` // number in the system it came from
	ReceivedAt    civil.Instant    `db:"received_at" json:"received_at"`       // first contact anywhere
	RecordedAt    civil.Instant    `db:"recorded_at" json:"recorded_at"`
	Nature        citypack.Nature  `db:"nature" json:"nature"`
	Category      string           `db:"category" json:"category"`
	Kind          citypack.Kind    `db:"kind" json:"kind"`
	Urgency       citypack.Urgency `db:"urgency" json:"urgency"`
	Text          string           `db:"text" json:"text"` // telephones and ID numbers masked
	Said          string           `db:"said" json:"-"`    // sealed
	CallerID      string           `db:"caller_id" json:"-"`
	CallerName    string           `db:"caller_name" json:"caller_name,omitempty"`   // masked
	CallerPhone   string           `db:"caller_phone" json:"caller_phone,omitempty"` // masked
	CallerSealed  string           `db:"caller_sealed" json:"-"`
	CallerBlind   string           `db:"caller_blind" json:"-"`
	Relation      Relation         `db:"relation" json:"relation,omitempty"`
	ContactID     string           `db:"contact_id" json:"-"`
	ContactName   string           `db:"contact_name" json:"contact_name,omitempty"`
	ContactPhone  string           `db:"contact_phone" json:"contact_phone,omitempty"`
	ContactSealed string           `db:"contact_sealed" json:"-"`
	Secret        bool             `db:"secret" json:"secret"` // 保密: hidden from the company
	Scope         Scope            `db:"scope" json:"scope"`
	Account       string           `db:"account" json:"account,omitempty"`
	Community     string           `db:"community" json:"community,omitempty"` // id
	CommunityName string           `db:"community_name" json:"community_name,omitempty"`
	Building      string           `db:"building" json:"building,omitempty"`
	Unit          string           `db:"unit" json:"unit,omitempty"`
	Room          string           `db:"room" json:"room,omitempty"`
	Address       string           `db:"address" json:"address"`
	District      string           `db:"district" json:"district,omitempty"` // code
	Area          string           `db:"area" json:"area,omitempty"`
	Proposed      string           `db:"proposed" json:"proposed,omitempty"` // company that attribution names
	Company       string           `db:"company" json:"company,omitempty"`   // lead unit, once dispatched
	Assisting     []string         `db:"assisting,json" json:"assisting,omitempty"`
	Station       string           `db:"station" json:"station,omitempty"`
	Riser         string           `db:"riser" json:"riser,omitempty"`
	Worker        string           `db:"worker" json:"worker,omitempty"`
	AboutOrg      string           `db:"about_org" json:"about_org,omitempty"` // 对工作人员的投诉: their unit
	AboutUnit     bool             `db:"about_unit" json:"-"`                  // the whole unit is kept away
	AboutPerson   string           `db:"about_person" json:"-"`                // never shown to residents
	AboutTo       string           `db:"about_to" json:"-"`                    // the unit's designated complaint handler
	AboutRef      string           `db:"about_ref" json:"-"`                   // the case, and the act on it, that it is about: "CASE/ACT"
	Lng           *float64         `db:"lng" json:"lng,omitempty"`
	Lat           *float64         `db:"lat" json:"lat,omitempty"`
	Decision      string           `db:"decision" json:"decision,omitempty"` // territory.Decision
	Border        bool             `db:"border" json:"border,omitempty"`
	Changed       bool             `db:"changed" json:"changed,omitempty"`
	Attribution   json.RawMessage  `db:"attribution,json" json:"attribution,omitempty"` // the answer as it was given
	Details       Details          `db:"details,json" json:"details"`
	Missing       []string         `db:"missing,json" json:"missing,omitempty"` // 待补录: fields of the entry standard
	TestAt        civil.Instant    `db:"test_at" json:"test_requested_at,omitzero"`
	Peak          bool             `db:"peak" json:"peak,omitempty"`
	Paper         bool             `db:"paper" json:"paper,omitempty"`
	Outage        string           `db:"outage" json:"outage,omitempty"`
	DispatchID    string           `db:"dispatch" json:"dispatch,omitempty"`
	DispatchedAt  civil.Instant    `db:"dispatched_at" json:"dispatched_at,omitzero"`
	SignedAt      civil.Instant    `db:"signed_at" json:"signed_at,omitzero"`
	ArrivedAt     civil.Instant    `db:"arrived_at" json:"arrived_at,omitzero"`
	FedBackAt     civil.Instant    `db:"fed_back_at" json:"fed_back_at,omitzero"`
	Answer        string           `db:"answer" json:"answer,omitempty"`   // to the resident
	Article       string           `db:"article" json:"article,omitempty"` // knowledge article and version behind a direct answer
	ClosedAt      civil.Instant    `db:"closed_at" json:"closed_at,omitzero"`
	Solved        string           `db:"solved" json:"solved,omitempty"` // yes, no, unreached: as the resident says
	Satisfied     string           `db:"satisfied" json:"satisfied,omitempty"`
	DueAt         civil.Instant    `db:"due_at" json:"due_at,omitzero"` // nearest running limit
	DueClock      string           `db:"due_clock" json:"due_clock,omitempty"`
	DueSort       int64            `db:"due_sort" json:"-"`
	Late          bool             `db:"late" json:"late"` // a limit was broken
	Urges         int              `db:"urges" json:"urges,omitempty"`
	Returns       int              `db:"returns" json:"returns,omitempty"`
	Reworks       int              `db:"reworks" json:"reworks,omitempty"`
	Round         int              `db:"round" json:"-"` // of rework since the last dispatch: limits run anew in each
	Reopens       int              `db:"reopens" json:"reopens,omitempty"`
	Extensions    int              `db:"extensions" json:"extensions,omitempty"`
	UntrueVisits  int              `db:"untrue_visits" json:"untrue_visits,omitempty"`
	Supervised    bool             `db:"supervised" json:"supervised,omitempty"`
	Designated    bool             `db:"designated" json:"designated,omitempty"`
	Linked        bool             `db:"linked" json:"linked,omitempty"`
	DocNo         string           `db:"doc_no" json:"doc_no,omitempty"`         // of the letter, the instruction, the visit
	DocDue        civil.Instant    `db:"doc_due_at" json:"doc_due_at,omitzero"`  // deadline that the paper sets
	ReportDue     bool             `db:"report_due" json:"report_due,omitempty"` // 待报结: a leader waits for the report
	Token         string           `db:"token" json:"-"`                         // Open311 token
	CreatedBy     string           `db:"created_by" json:"-"`
	UpdatedAt     civil.Instant    `db:"updated_at" json:"updated_at"`
	Version       int64            `db:"version" json:"version"`
}

// Subject is the case's audit chain and the owner of its attachments.
func (c Case) Subject() string { return "case:" + c.ID }

// On is what permissions depend on.
func (c Case) On() actor.On {
	return actor.On{City: c.City, District: c.District, Company: c.Company, Assisting: c.Assisting, Area: c.Area, Station: c.Station, Worker: c.Worker, Concern: c.Concern()}
}

// noDue sorts cases without a deadline last.
const noDue = int64(1) << 60

// setDue keeps the nearest deadline and its sort key together.
func (c *Case) setDue(clock string, due civil.Instant) {
	c.DueClock, c.DueAt, c.DueSort = clock, due, int64(due)
	if due.IsZero() {
		c.DueClock, c.DueSort = "", noDue
	}
}

// enter moves the case into a status.
func (c *Case) enter(s Status, at civil.Instant) {
	if s == Closed || s == Answered {
		c.ClosedAt = at
	}
	c.Status, c.Open = s, s.IsOpen()
	if !c.Open {
		c.setDue("", 0)
	}
}

// Dispatched hands the case to a unit: what the one before did is no longer the case's.
func (c *Case) Dispatched(id, company string, at civil.Instant, binding bool) {
	c.DispatchID, c.Company, c.DispatchedAt = id, company, at
	c.SignedAt, c.ArrivedAt, c.FedBackAt, c.Worker, c.Round = 0, 0, 0, "", 0
	c.Designated = c.Designated || binding
	c.enter(Dispatched, at)
}

// Taken frees the case of its unit; next is who may be meant instead.
func (c *Case) Taken(next string) {
	c.DispatchID, c.Company, c.Proposed = "", "", next
	c.SignedAt, c.ArrivedAt, c.FedBackAt, c.Worker, c.Round = 0, 0, 0, "", 0
}

// MayReopen reports whether the resident may still say "still cold": once for each closing, within the pack's days.
func (c Case) MayReopen(o citypack.Options, now civil.Instant) bool {
	if c.Status != Closed && c.Status != Answered {
		return false
	}
	return o.ReopenDays == 0 || now.Before(c.ClosedAt.Add(time.Duration(o.ReopenDays)*24*time.Hour))
}

// Allowed lists the events that the actor may apply to the case now: the buttons of a page, the API's actions.
func (c Case) Allowed(by actor.Actor) []Event {
	var out []Event
	for _, s := range Lifecycle.From(c.Status) {
		if c.takes(s.Event) && by.May(actor.Permission(s.By), c.On()) == nil {
			out = append(out, s.Event)
		}
	}
	return out
}
