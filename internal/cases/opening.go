package cases

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
)

// MaxText is the length of a complaint in characters.
const MaxText = 4000

// futureSlack is how far the clock of a client may go before ours.
const futureSlack = time.Minute

// maxWord is the length of every other field in characters.
const maxWord = 300

// Opening is what a door knows about a new matter. The same struct comes from the seat's form, the resident's page, the
// API, Open311 and imported sheets; which of its fields must be filled in is the entry standard of the pack, by door.
type Opening struct {
	City        int              `json:"-" form:"-"`
	Door        citypack.Door    `json:"-" form:"-"`
	Channel     Channel          `json:"channel" form:"channel"`
	TicketNo    string           `json:"ticket_no" form:"ticket_no"`
	ReceivedAt  civil.Instant    `json:"received_at" form:"received_at"` // zero: now
	Text        string           `json:"text" form:"text"`
	Nature      citypack.Nature  `json:"nature" form:"nature"`
	Category    string           `json:"category" form:"category"`
	Urgency     citypack.Urgency `json:"urgency" form:"urgency"` // only to raise what category and words give
	Caller      Party            `json:"caller" form:"caller"`
	Relation    Relation         `json:"relation" form:"relation"`
	Contact     Party            `json:"contact" form:"contact"`
	Secret      bool             `json:"secret" form:"secret"`
	Scope       Scope            `json:"scope" form:"scope"`
	Account     string           `json:"account" form:"account"`
	Community   string           `json:"community" form:"community"` // id, chosen from suggestions
	Building    string           `json:"building" form:"building"`
	Unit        string           `json:"unit" form:"unit"`
	Room        string           `json:"room" form:"room"`
	Address     string           `json:"address" form:"address"`
	Lng         *float64         `json:"lng" form:"lng"`
	Lat         *float64         `json:"lat" form:"lat"`
	CRS         string           `json:"crs" form:"crs"`
	Details     Details          `json:"details" form:"details"`
	TestRequest string           `json:"test_request" form:"test_request"` // yes, no; empty: not asked
	Company     string           `json:"company" form:"company"`           // chosen among the candidates
	Answer      string           `json:"answer" form:"answer"`             // 直接答复
	Article     string           `json:"article" form:"article"`           // article and version that the answer stands on
	Hold        bool             `json:"hold" form:"hold"`                 // leave in 待受理
	Paper       string           `json:"paper_reason" form:"paper_reason"` // 补录 from paper: why
	CheckedBy   string           `json:"checked_by" form:"checked_by"`     // second person's check of a paper record
	Outage      string           `json:"outage" form:"outage"`
	Link        string           `json:"link" form:"link"` // a case to link to
	Origin      Origin           `json:"origin,omitzero" form:"origin"`
	About       About            `json:"about,omitzero" form:"about"` // a complaint about staff: whose
	Key         string           `json:"-" form:"key"`                // idempotency key
	Photos      []blob.Stored    `json:"-" form:"-"`
	Token       string           `json:"-" form:"-"` // Open311 token that the case answers to
}

// fieldNames maps the pack's names of entry fields to the names of the input.
var fieldNames = map[citypack.EntryField]string{
	citypack.FieldPhone: "caller.phone", citypack.FieldCaller: "caller.name", citypack.FieldContact: "contact.phone",
	citypack.FieldFloor: "details.floor", citypack.FieldPosition: "details.position", citypack.FieldHeating: "details.heating",
	citypack.FieldRooms: "details.rooms", citypack.FieldSince: "details.since", citypack.FieldTemperature: "details.temperature",
	citypack.FieldNeighbours: "details.neighbours", citypack.FieldPaid: "details.paid", citypack.FieldLeak: "details.leak",
	citypack.FieldTold: "details.company_told_at", citypack.FieldCare: "details.care", citypack.FieldAvailable: "details.available",
	citypack.FieldAmount: "details.amount", citypack.FieldSuspect: "details.suspect", citypack.FieldLocation: "lng",
	citypack.FieldPhoto: "photo",
}

// FieldName is the name that an entry field has in the input: "phone" is "caller.phone".
func FieldName(f string) string {
	if n, ok := fieldNames[citypack.EntryField(f)]; ok {
		return n
	}
	return f
}

// has reports whether the entry field is filled in.
func (o Opening) has(f citypack.EntryField) bool { //nolint:funlen // one case for each field of the entry standard
	d := o.Details
	switch f {
	case citypack.FieldAddress:
		return o.Address != "" || o.Community != "" || o.Account != ""
	case citypack.FieldRoom:
		return o.Room != "" || o.Account != "" || (o.Scope != "" && o.Scope != Home) || territory.ParseAddress(o.Address).Room != ""
	case citypack.FieldAccount:
		return o.Account != ""
	case citypack.FieldPhone:
		return o.Caller.Phone != ""
	case citypack.FieldCaller:
		return o.Caller.Name != ""
	case citypack.FieldRelation:
		return o.Relation != ""
	case citypack.FieldContact:
		return o.Contact.Phone != "" || o.Contact.Name != ""
	case citypack.FieldScope:
		return o.Scope != ""
	case citypack.FieldText:
		return o.Text != ""
	case citypack.FieldNature:
		return o.Nature != ""
	case citypack.FieldLocation:
		return o.Lng != nil
	case citypack.FieldPhoto:
		return len(o.Photos) > 0
	case citypack.FieldTestRequest:
		return o.TestRequest != ""
	case citypack.FieldSecret:
		return true
	case citypack.FieldTemperature:
		return d.Temperature != nil
	case citypack.FieldTold:
		return !d.ToldAt.IsZero() || d.ToldNo != ""
	case citypack.FieldFloor:
		return d.Floor != ""
	case citypack.FieldPosition:
		return d.Position != ""
	case citypack.FieldHeating:
		return d.Heating != ""
	case citypack.FieldRooms:
		return d.Rooms != ""
	case citypack.FieldSince:
		return d.Since != ""
	case citypack.FieldNeighbours:
		return d.Neighbours != ""
	case citypack.FieldPaid:
		return d.Paid != ""
	case citypack.FieldLeak:
		return d.Leak != ""
	case citypack.FieldCare:
		return d.Care != ""
	case citypack.FieldAvailable:
		return d.Available != ""
	case citypack.FieldAmount:
		return d.Amount != ""
	case citypack.FieldSuspect:
		return d.Suspect != ""
	}
	return true
}

// MissingFields lists the fields of the entry standard that are still empty, as the pack names them.
func (o Opening) MissingFields(p *citypack.Pack, cat *citypack.Category) []string {
	var out []string
	for _, f := range p.Required(cat, string(o.Door)) {
		if !o.has(citypack.EntryField(f)) {
			out = append(out, f)
		}
	}
	return out
}

// strict reports whether the door refuses a record that lacks required fields; the others keep them as 待补录. A question
// that is answered at once needs no address, a call that broke off is held with what was said, and a paper says what it says.
func (o Opening) strict(u citypack.Urgency) bool {
	if onPaper(o.Channel) || o.About.Org != "" { // or about a person, not about a flat
		return false
	}
	switch o.Door {
	case citypack.DoorSeat, citypack.DoorCounter:
		return u != citypack.Critical && o.Paper == "" && !o.Hold && o.Answer == ""
	case citypack.DoorPeak:
		return !o.Hold && o.Answer == ""
	case citypack.DoorWeb, citypack.DoorAPI, citypack.DoorOpen311:
		return true
	case citypack.DoorImport:
	}
	return false
}

// trim takes away the spaces around every text.
func (o *Opening) trim() {
	for _, s := range []*string{
		&o.TicketNo, &o.Text, &o.Caller.Name, &o.Caller.Phone, &o.Contact.Name, &o.Contact.Phone, &o.Account, &o.Community,
		&o.Building, &o.Unit, &o.Room, &o.Address, &o.Company, &o.Answer, &o.Article, &o.Paper, &o.CheckedBy, &o.Link, &o.About.Org, &o.About.Person,
		&o.Details.Floor, &o.Details.Rooms, &o.Details.Since, &o.Details.Thermometer, &o.Details.ToldNo, &o.Details.Available,
		&o.Details.Amount, &o.Details.Suspect, &o.Details.Media,
	} {
		*s = strings.TrimSpace(*s)
	}
	o.Origin.trim()
}

// Check collects what is wrong with the input by itself; whether the entry standard is met depends on the category too.
func (o Opening) Check(p *citypack.Pack, now civil.Instant) error {
	var c fault.Check
	o.checkWords(&c)
	o.checkChoices(&c, p)
	o.checkPlace(&c, p)
	o.checkTimes(&c, now)
	o.checkOrigin(&c, now)
	if t := o.Details.Temperature; t != nil {
		c.That(*t >= -300 && *t <= 600, "details.temperature", "field.out_of_range", "min", "-30", "max", "60")
	}
	return c.Err()
}

func (o Opening) checkWords(c *fault.Check) {
	c.That(utf8.RuneCountInString(o.Text) <= MaxText, "text", "field.too_long", "max", MaxText)
	c.That(utf8.RuneCountInString(o.Answer) <= MaxText, "answer", "field.too_long", "max", MaxText)
	for name, s := range map[string]string{
		"address": o.Address, "caller.name": o.Caller.Name, "contact.name": o.Contact.Name, "ticket_no": o.TicketNo,
		"building": o.Building, "unit": o.Unit, "room": o.Room, "paper_reason": o.Paper, "details.rooms": o.Details.Rooms,
		"details.since": o.Details.Since, "details.available": o.Details.Available, "details.suspect": o.Details.Suspect,
		"details.media_url": o.Details.Media, "about.org": o.About.Org, "about.person": o.About.Person,
	} {
		c.That(utf8.RuneCountInString(s) <= maxWord, name, "field.too_long", "max", maxWord)
	}
	for name, s := range map[string]string{"caller.phone": o.Caller.Phone, "contact.phone": o.Contact.Phone} {
		c.That(s == "" || IsPhone(s), name, "case.bad_phone")
	}
}

// IsPhone reports whether a telephone can be dialled: a mobile, a landline with or without area code, or a service number.
func IsPhone(s string) bool {
	digits := secret.NormalPhone(s)
	if secret.IsMobile(digits) || secret.IsLandline(digits) {
		return true
	}
	return len(digits) >= 5 && len(digits) <= 8 && strings.Trim(digits, "0123456789") == ""
}

func (o Opening) checkChoices(c *fault.Check, p *citypack.Pack) {
	oneOf(c, "channel", o.Channel, Channels())
	oneOf(c, "nature", o.Nature, citypack.Natures())
	oneOf(c, "urgency", o.Urgency, []citypack.Urgency{citypack.Normal, citypack.Urgent, citypack.Critical})
	oneOf(c, "scope", o.Scope, Scopes())
	oneOf(c, "relation", o.Relation, Relations())
	oneOf(c, "test_request", o.TestRequest, []string{"yes", "no"})
	if o.Category != "" {
		_, ok := p.Category(o.Category)
		c.That(ok, "category", "case.no_such_category", "code", o.Category)
	}
}

func oneOf[S ~string](c *fault.Check, name string, v S, allowed []S) {
	if v == "" {
		return
	}
	words := make([]string, len(allowed))
	for i, a := range allowed {
		if a == v {
			return
		}
		words[i] = string(a)
	}
	c.Add(name, "field.not_one_of", "allowed", strings.Join(words, ", "))
}

func (o Opening) checkPlace(c *fault.Check, p *citypack.Pack) {
	q := territory.Query{Lng: o.Lng, Lat: o.Lat, CRS: o.CRS}
	if err := q.Check(); err != nil {
		c.Merge("", err)
		return
	}
	if o.Lng == nil || o.Lat == nil {
		return
	}
	crs, err := geo.ParseCRS(o.CRS)
	if err != nil {
		return
	}
	at := crs.ToWGS84(geo.Point{Lng: *o.Lng, Lat: *o.Lat})
	c.That(p.Doc.Bounds.Contains(at.Lng, at.Lat), "lng", "case.outside_city")
}

func (o Opening) checkTimes(c *fault.Check, now civil.Instant) {
	if o.ReceivedAt.IsZero() {
		return
	}
	c.That(!o.ReceivedAt.After(now.Add(futureSlack)), "received_at", "case.in_future")
	c.That(now.Sub(o.ReceivedAt) < 400*24*time.Hour, "received_at", "case.too_old")
	if (o.Door == citypack.DoorSeat || o.Door == citypack.DoorPeak || o.Door == citypack.DoorCounter) && !onPaper(o.Channel) {
		late := now.Sub(o.ReceivedAt) > 15*time.Minute
		c.That(!late || o.Paper != "", "paper_reason", "case.paper_reason")
		c.That(!late || o.CheckedBy != "", "checked_by", "case.paper_checked")
	}
	c.That(!o.Details.ToldAt.After(now.Add(futureSlack)), "details.company_told_at", "case.in_future")
}

// Query is what attribution is asked about: where a form that is still being filled in lies, too.
func (o Opening) Query(at civil.Instant) territory.Query {
	where := o.Address
	if o.Text != "" && !strings.Contains(o.Text, where) {
		where = strings.TrimSpace(where + " " + o.Text)
	} else if o.Text != "" {
		where = o.Text
	}
	return territory.Query{
		Text: where, Lng: o.Lng, Lat: o.Lat, CRS: o.CRS, Household: o.Account, At: at,
		Community: o.Community, Building: o.Building, Unit: o.Unit, Room: o.Room,
	}
}
