// Package bulletin tells everybody in a building, an estate, a station's reach or an area the same thing: heat comes on
// Thursday, the pipe is being repaired until eight, open your doors for the pressure test.
//
// Somebody writes a bulletin and sees first how many households it reaches and what it costs at most; somebody else lets it
// go out. A job then tells every household once, some at a time, and goes on where it was cut short. Whoever has two homes in
// the reach is told once; whoever refused bulletins is not told, but a leak, a fault and a stop are told all the same and also
// at night. A stop says when the heat goes off, and is held against the city's notice period as the report of a planned stop is:
// a bulletin that goes out too late is marked for good. While it holds, a bulletin stands on the residents' pages for everybody, with or without a telephone.
package bulletin

import (
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/flow"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/text"
)

// Kind is what a bulletin is about.
type Kind string

// The kinds.
const (
	FirstSupply Kind = "first_supply" // 首次供热
	Filling     Kind = "filling"      // 充水试压
	Stop        Kind = "stop"         // 停热
	Fault       Kind = "fault"        // 故障
	Leak        Kind = "leak"         // 漏水
	Advice      Kind = "advice"       // 提示
)

// Kinds lists the kinds in the order of a form.
func Kinds() []Kind { return []Kind{Stop, Fault, Leak, FirstSupply, Filling, Advice} }

// urgent reports whether a kind is told also at night and to those who want no bulletins.
func (k Kind) urgent() bool { return k == Stop || k == Fault || k == Leak }

// Reach is the sort of place that a bulletin is for.
type Reach string

// The sorts of places.
const (
	Building  Reach = "building"
	Community Reach = "community"
	Station   Reach = "station"
	Area      Reach = "area"
)

// State is where a bulletin stands.
type State string

// The states.
const (
	Waiting   State = "waiting" // for the second person
	Sending   State = "sending"
	Told      State = "told"
	Refused   State = "refused"
	Withdrawn State = "withdrawn"
)

// Event moves a bulletin on.
type Event string

// The events.
const (
	Approve  Event = "approve"
	Refuse   Event = "refuse"
	Finish   Event = "finish" // every household was gone through
	Withdraw Event = "withdraw"
)

// Lifecycle is the life of a bulletin.
var Lifecycle = flow.Table[State, Event]{
	Name: "bulletin", Start: Waiting, Final: []State{Refused, Withdrawn},
	Steps: []flow.Step[State, Event]{
		{From: Waiting, Event: Approve, To: Sending, By: string(actor.NoticeApprove)},
		{From: Waiting, Event: Refuse, To: Refused, By: string(actor.NoticeApprove)},
		{From: Waiting, Event: Withdraw, To: Withdrawn, By: string(actor.NoticeWrite)},
		{From: Sending, Event: Finish, To: Told},
		{From: Sending, Event: Withdraw, To: Withdrawn, By: string(actor.NoticeWrite)},
		{From: Told, Event: Withdraw, To: Withdrawn, By: string(actor.NoticeWrite)},
	},
}

// Bulletin is one as kept.
type Bulletin struct {
	City       int             `db:"city_id" json:"city"`
	ID         string          `db:"id" json:"id"`
	No         string          `db:"no" json:"no"`
	Kind       Kind            `db:"kind" json:"kind"`
	TextZH     string          `db:"text_zh" json:"text_zh"`
	TextEN     string          `db:"text_en" json:"text_en,omitempty"`
	Reach      Reach           `db:"scope_kind" json:"reach"`
	Scope      string          `db:"scope_id" json:"scope"`
	Name       string          `db:"scope_name" json:"name"`
	Stretches  []place.Stretch `db:"stretches,json" json:"-"`
	Send       bool            `db:"send" json:"send"`                // also as a message; otherwise on the pages only
	Starts     civil.Instant   `db:"from_at" json:"from_at,omitzero"` // of a stop: when the heat goes off
	Late       bool            `db:"late" json:"late,omitempty"`      // of a stop: told later than the city's notice period wants
	Until      civil.Instant   `db:"until_at" json:"until_at"`        // stands on the pages until then
	Households int             `db:"households" json:"households"`    // in the reach when it was written
	Parts      int             `db:"parts" json:"parts"`              // that a gateway charges for one household
	State      State           `db:"state" json:"state"`
	Reason     string          `db:"reason" json:"reason,omitempty"`
	Stretch    int             `db:"stretch" json:"-"`
	After      string          `db:"after_account" json:"-"`
	Reached    int             `db:"reached" json:"reached"`     // households with a telephone that were gone through
	Unreached  int             `db:"unreached" json:"unreached"` // without one
	WrittenBy  string          `db:"written_by" json:"written_by"`
	WrittenAt  civil.Instant   `db:"written_at" json:"written_at"`
	DecidedBy  string          `db:"decided_by" json:"decided_by,omitempty"`
	DecidedAt  civil.Instant   `db:"decided_at" json:"decided_at"`
	ToldAt     civil.Instant   `db:"told_at" json:"told_at"`
	Version    int64           `db:"version" json:"version"`
}

// In is the text in a reader's language; Chinese where there is no English.
func (b Bulletin) In(l text.Lang) string {
	if l == text.EN && b.TextEN != "" {
		return b.TextEN
	}
	return b.TextZH
}

// Input is a bulletin to write.
type Input struct {
	City      int           `json:"city" form:"city"`
	Key       string        `json:"key,omitempty" form:"_key"`
	Kind      Kind          `json:"kind" form:"kind"`
	TextZH    string        `json:"text_zh" form:"text_zh"`
	TextEN    string        `json:"text_en,omitempty" form:"text_en"`
	Reach     Reach         `json:"reach" form:"reach"`
	Community string        `json:"community,omitempty" form:"community"` // id, of a community or a building
	Building  string        `json:"building,omitempty" form:"building"`
	Station   string        `json:"station,omitempty" form:"station"` // code
	Area      string        `json:"area,omitempty" form:"area"`       // code
	Send      bool          `json:"send" form:"send"`
	Starts    civil.Instant `json:"from_at,omitzero" form:"from_at"` // of a stop: when the heat goes off
	Until     civil.Instant `json:"until_at" form:"until_at"`
}

// The bounds of a bulletin.
const (
	mostText = 400
	longest  = 60 * 24 * time.Hour
)

func (in *Input) check(now civil.Instant) error {
	in.TextZH, in.TextEN = strings.TrimSpace(in.TextZH), strings.TrimSpace(in.TextEN)
	in.Building = place.BuildingNo(strings.TrimSpace(in.Building))
	var c fault.Check
	c.That(slices.Contains(Kinds(), in.Kind), "kind", "field.not_one_of", "allowed", Kinds())
	c.That(in.TextZH != "", "text_zh", "field.required")
	c.That(len([]rune(in.TextZH)) <= mostText, "text_zh", "field.too_long", "max", mostText)
	c.That(len([]rune(in.TextEN)) <= 2*mostText, "text_en", "field.too_long", "max", 2*mostText)
	switch in.Reach {
	case Building:
		c.That(in.Community != "", "community", "field.required")
		c.That(in.Building != "", "building", "field.required")
	case Community:
		c.That(in.Community != "", "community", "field.required")
	case Station:
		c.That(in.Station != "", "station", "field.required")
	case Area:
		c.That(in.Area != "", "area", "field.required")
	default:
		c.Add("reach", "field.not_one_of", "allowed", []Reach{Building, Community, Station, Area})
	}
	c.That(in.Kind != Stop || !in.Starts.IsZero(), "from_at", "field.required")
	if c.That(!in.Until.IsZero(), "until_at", "field.required") {
		c.That(in.Until.After(now), "until_at", "bulletin.until_past")
		c.That(in.Kind != Stop || in.Starts.IsZero() || in.Until.After(in.Starts), "until_at", "bulletin.until_before")
		c.That(in.Until.Sub(now) <= longest, "until_at", "bulletin.until_far", "days", int(longest/(24*time.Hour)))
	}
	return c.Err()
}

// startsOfStop is when the heat goes off; other kinds tell of no such hour.
func (in *Input) startsOfStop() civil.Instant {
	if in.Kind != Stop {
		return 0
	}
	return in.Starts
}

// Preview is what a bulletin would do.
type Preview struct {
	Bulletin
	Text   string        `json:"text"`             // as the message reads
	Price  string        `json:"price,omitempty"`  // yuan for a part; empty: unknown
	AtMost string        `json:"at_most"`          // yuan if every household has a telephone; empty: unknown
	Sends  civil.Instant `json:"sends,omitzero"`   // not before, when the night is in the way
	Same   int           `json:"same,omitempty"`   // bulletins that go on in the same place
	Urgent bool          `json:"urgent,omitempty"` // told also at night and to those who want no bulletins

	Notice []calendar.Step `json:"notice,omitempty"` // of a stop: how early it had to be told, and whether it is
}

// Decision approves, refuses or withdraws a bulletin as it was seen.
type Decision struct {
	City    int    `json:"city" form:"city"`
	ID      string `json:"id" form:"id"`
	Version int64  `json:"version" form:"version"`
	Event   Event  `json:"event" form:"event"`
	Reason  string `json:"reason,omitempty" form:"reason"`
}

// Filter narrows the list of bulletins.
type Filter struct {
	State State `json:"state" form:"state"`
	Kind  Kind  `json:"kind" form:"kind"`
	page.Request
}
