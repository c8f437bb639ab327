// Package outage is what a seat can honestly say when a whole building is cold: that the company has reported a stop of
// heat (停热报备), why, and until when.
//
// A company reports planned and sudden stops of its own stations, communities and buildings and of nobody else's. A stop
// is announced, repaired, restored and at last lifted, when the homes are warm again; its expected time may change, each
// time with a word. A word about a live stop is due every few hours, and the company is reminded of it. Whether the people
// were told early enough is checked against the city's rules and kept as a fact with its reason; a report is never refused
// for being late, since a stop that nobody reported is worse. Cases are linked to a stop and stay what they are: each
// household keeps its own answer and its own closing.
package outage

import (
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/flow"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
)

// Kind is whether a stop was planned.
type Kind string

// The kinds.
const (
	Planned Kind = "planned" // 计划停热
	Sudden  Kind = "sudden"  // 突发停热
)

// State is where a stop stands.
type State string

// The states.
const (
	Reported  State = "reported"  // 报备
	Announced State = "announced" // 公告
	Repairing State = "repairing" // 抢修
	Restored  State = "restored"  // 恢复, homes are still getting warm
	Lifted    State = "lifted"    // 解除
	Cancelled State = "cancelled" // 撤销
)

// Event moves a stop on.
type Event string

// The events.
const (
	File       Event = "report"     // 报备: how a stop begins, not a row of the table
	Announce   Event = "announce"   // 公告
	Begin      Event = "begin"      // 停热抢修开始
	Reschedule Event = "reschedule" // 变更预计时间
	Say        Event = "say"        // 进展
	Restore    Event = "restore"    // 恢复供热
	Relapse    Event = "relapse"    // 再次停热
	Lift       Event = "lift"       // 解除
	Cancel     Event = "cancel"     // 撤销
)

// Lifecycle is the life of a stop.
var Lifecycle = flow.Table[State, Event]{
	Name: "outage", Start: Reported, Final: []State{Lifted, Cancelled},
	Steps: []flow.Step[State, Event]{
		{From: Reported, Event: Announce, To: Announced, By: string(actor.OutageReport)},
		{From: Reported, Event: Begin, To: Repairing, By: string(actor.OutageReport)},
		{From: Reported, Event: Reschedule, To: Reported, By: string(actor.OutageReport)},
		{From: Reported, Event: Say, To: Reported, By: string(actor.OutageReport)},
		{From: Reported, Event: Cancel, To: Cancelled, By: string(actor.OutageReport)},
		{From: Announced, Event: Begin, To: Repairing, By: string(actor.OutageReport)},
		{From: Announced, Event: Reschedule, To: Announced, By: string(actor.OutageReport)},
		{From: Announced, Event: Say, To: Announced, By: string(actor.OutageReport)},
		{From: Announced, Event: Cancel, To: Cancelled, By: string(actor.OutageReport)},
		{From: Repairing, Event: Announce, To: Repairing, By: string(actor.OutageReport)},
		{From: Repairing, Event: Reschedule, To: Repairing, By: string(actor.OutageReport)},
		{From: Repairing, Event: Say, To: Repairing, By: string(actor.OutageReport)},
		{From: Repairing, Event: Restore, To: Restored, By: string(actor.OutageReport)},
		{From: Restored, Event: Say, To: Restored, By: string(actor.OutageReport)},
		{From: Restored, Event: Relapse, To: Repairing, By: string(actor.OutageReport)},
		{From: Restored, Event: Lift, To: Lifted, By: string(actor.OutageReport)},
	},
}

// Outage is one stop of heat.
type Outage struct {
	City       int           `db:"city_id" json:"city"`
	ID         string        `db:"id" json:"id"`
	No         string        `db:"no" json:"no"`
	Company    string        `db:"company" json:"company"`
	Kind       Kind          `db:"kind" json:"kind"`
	Reason     string        `db:"reason" json:"reason"`
	Start      civil.Instant `db:"start_at" json:"start_at"`
	Until      civil.Instant `db:"until_at" json:"until_at"` // expected return; absent: not known yet
	FirstUntil civil.Instant `db:"first_until" json:"first_until"`
	State      State         `db:"state" json:"state"`
	Households *int          `db:"households" json:"households"` // affected; absent: not counted
	Telling    *Telling      `db:"telling,json" json:"telling,omitempty"`
	Late       bool          `db:"late" json:"late"` // the people were told too late
	Reported   civil.Instant `db:"reported_at" json:"reported_at"`
	Announced  civil.Instant `db:"announced_at" json:"announced_at"`
	Restored   civil.Instant `db:"restored_at" json:"restored_at"`
	Ended      civil.Instant `db:"ended_at" json:"ended_at"`
	WordAt     civil.Instant `db:"word_at" json:"word_at"` // the last word about it
	Reporter   string        `db:"reporter" json:"-"`
	Version    int64         `db:"version" json:"version"`
}

// Live reports whether heat is off, or homes are still getting warm, at an instant.
func (o Outage) Live(now civil.Instant) bool { return o.Ended.IsZero() && !now.Before(o.Start) }

// Overdue reports whether the expected time has passed without heat; the company's time is then shown red.
func (o Outage) Overdue(now civil.Instant) bool {
	return o.Ended.IsZero() && o.State != Restored && !o.Until.IsZero() && !now.Before(o.Until)
}

// Scope is one place that a stop reaches: a station, one of its zones, a community or one of its buildings.
type Scope struct {
	City      int    `db:"city_id" json:"-"`
	Outage    string `db:"outage_id" json:"-"`
	N         int    `db:"n" json:"-"`
	Station   string `db:"station" json:"station,omitempty" form:"station"`
	Zone      string `db:"zone" json:"zone,omitempty" form:"zone"`
	Community string `db:"community" json:"community,omitempty" form:"community"` // id
	Name      string `db:"name" json:"name" form:"-"`                             // of the community or station
	Building  string `db:"building" json:"building,omitempty" form:"building"`
	District  string `db:"district" json:"-" form:"-"`
}

func (s Scope) stretch() place.Stretch {
	return place.Stretch{Station: s.Station, Zone: s.Zone, Community: s.Community, Building: s.Building}
}

// Word is one thing that was said about a stop; words are only ever added and are public, except who said them.
type Word struct {
	City   int           `db:"city_id" json:"-"`
	ID     string        `db:"id" json:"id"`
	Outage string        `db:"outage_id" json:"-"`
	Event  Event         `db:"event" json:"event"`
	At     civil.Instant `db:"at" json:"at"`
	Text   string        `db:"text" json:"text"`
	Until  civil.Instant `db:"until_at" json:"until_at"`
	Person string        `db:"person" json:"-"`
}

// Report is a company's report of a stop (停热报备).
type Report struct {
	City    int           `json:"city" form:"city"`
	Company string        `json:"company" form:"company"`
	Kind    Kind          `json:"kind" form:"kind"`
	Reason  string        `json:"reason" form:"reason"`
	Start   civil.Instant `json:"start_at" form:"start_at"` // empty: now
	Until   civil.Instant `json:"until_at" form:"until_at"` // of a planned stop it must be known
	Scope   []Scope       `json:"scope" form:"scope"`
	Key     string        `json:"key" form:"key"` // idempotency
}

// MostScopes bounds the places of one report.
const MostScopes = 200

func (r *Report) check(now civil.Instant) error {
	r.Reason = strings.TrimSpace(r.Reason)
	if r.Start.IsZero() {
		r.Start = now
	}
	var c fault.Check
	c.That(r.Company != "", "company", "field.required")
	c.That(r.Kind == Planned || r.Kind == Sudden, "kind", "field.not_one_of", "allowed", "planned, sudden")
	c.That(r.Reason != "", "reason", "field.required")
	c.That(len([]rune(r.Reason)) <= 500, "reason", "field.too_long", "max", 500)
	c.That(r.Kind != Planned || !r.Until.IsZero(), "until_at", "field.required")
	c.That(r.Until.IsZero() || r.Until.After(r.Start), "until_at", "outage.ends_before")
	c.That(r.Kind != Sudden || !r.Start.After(now), "start_at", "outage.sudden_ahead")
	c.That(len(r.Scope) > 0, "scope", "field.required")
	c.That(len(r.Scope) <= MostScopes, "scope", "field.out_of_range", "min", 1, "max", MostScopes)
	return c.Err()
}

// Change moves a stop on or says a word about it.
type Change struct {
	City    int           `json:"city" form:"city"`
	ID      string        `json:"id" form:"id"`
	Version int64         `json:"version" form:"version"`
	Event   Event         `json:"event" form:"event"`
	Text    string        `json:"text" form:"text"`         // what the people are told
	Until   civil.Instant `json:"until_at" form:"until_at"` // a new expected time
	Key     string        `json:"key" form:"key"`           // idempotency
}

func (in *Change) check(now civil.Instant) error {
	in.Text = strings.TrimSpace(in.Text)
	var c fault.Check
	switch in.Event {
	case Reschedule:
		c.That(!in.Until.IsZero(), "until_at", "field.required")
		c.That(in.Text != "", "text", "field.required")
	case Say, Cancel, Relapse:
		c.That(in.Text != "", "text", "field.required")
	case Announce, Begin, Restore, Lift:
	default:
		c.Add("event", "flow.no_such_step")
	}
	c.That(in.Until.IsZero() || in.Until.After(now), "until_at", "outage.until_past")
	c.That(len([]rune(in.Text)) <= 500, "text", "field.too_long", "max", 500)
	return c.Err()
}

// View is a stop with everything about it.
type View struct {
	Outage
	Scope   []Scope         `json:"scope"`
	Words   []Word          `json:"words"`
	Cases   []string        `json:"cases"`
	Explain []calendar.Step `json:"explain,omitempty"` // of the telling
}

// Filter narrows the list of stops; empty fields do not.
type Filter struct {
	State   State  `json:"state" form:"state"`
	Company string `json:"company" form:"company"`
	Open    bool   `json:"open" form:"open"` // not lifted and not cancelled
	page.Request
}
