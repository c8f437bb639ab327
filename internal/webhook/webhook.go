// Package webhook tells other organisations' programs that something happened, so that they need not ask all the time: a
// company's own system hears of a new case of its own, the city's app of an announced stop.
//
// Invariants: a subscriber is told of nothing that its API key may not see, judged when it is told; what is told names the
// case and its state and nobody's name, telephone or address; every act is told once per subscriber, again and again until
// it is taken, in a log that can be replayed; nothing inside the own network is ever called unless the operator allows it.
package webhook

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/outward"
)

// Event is what a subscriber may be told of. Its name on the screen is "webhook_event.<name>".
type Event string

// The events.
const (
	CaseOpened      Event = "case.opened"
	CaseDispatched  Event = "case.dispatched"
	CaseSigned      Event = "case.signed"
	CaseArrived     Event = "case.arrived"
	CaseFedBack     Event = "case.fed_back"
	CaseReturned    Event = "case.returned"
	CaseReminded    Event = "case.reminded"
	CaseReopened    Event = "case.reopened"
	CaseClosed      Event = "case.closed"
	OutageReported  Event = "outage.reported"
	OutageAnnounced Event = "outage.announced"
	OutageRestored  Event = "outage.restored"
	OutageLifted    Event = "outage.lifted"
)

// Events lists the events in the order of the form.
func Events() []Event {
	return []Event{
		CaseOpened, CaseDispatched, CaseSigned, CaseArrived, CaseFedBack, CaseReturned, CaseReminded, CaseReopened, CaseClosed,
		OutageReported, OutageAnnounced, OutageRestored, OutageLifted,
	}
}

// acts are the entries of the audit that mean an event.
var acts = map[string]Event{
	"case.open": CaseOpened, "case.dispatch": CaseDispatched, "case.redispatch": CaseDispatched, "case.designate": CaseDispatched,
	"case.sign": CaseSigned, "case.sign_for": CaseSigned, "case.arrive": CaseArrived, "case.feed_back": CaseFedBack, "case.return": CaseReturned,
	"case.remind": CaseReminded, "case.reopen": CaseReopened, "case.close": CaseClosed, "case.answer": CaseClosed,
	"outage.report": OutageReported, "outage.announce": OutageAnnounced, "outage.restore": OutageRestored, "outage.lift": OutageLifted,
}

// Hook is one subscription.
type Hook struct {
	City         int           `db:"city_id" json:"-"`
	ID           string        `db:"id" json:"id"`
	Key          string        `db:"key_id" json:"key"` // the API key whose eyes it has
	Org          string        `db:"org" json:"org"`
	Name         string        `db:"name" json:"name"`
	URL          string        `db:"url" json:"url"`
	Sealed       string        `db:"secret" json:"-"`
	Events       []Event       `db:"events,json" json:"events"`
	Active       bool          `db:"active" json:"active"`
	Why          string        `db:"why" json:"why,omitempty"` // catalogue key: why it was switched off by itself
	FailingSince civil.Instant `db:"failing_since" json:"failing_since,omitzero"`
	OKAt         civil.Instant `db:"ok_at" json:"ok_at,omitzero"`
	Created      civil.Instant `db:"created_at" json:"created_at"`
	By           string        `db:"created_by" json:"-"`
	Version      int64         `db:"version" json:"version"`
}

// State is where a delivery stands. Its name on the screen is "webhook_state.<name>".
type State string

// The states.
const (
	Queued State = "queued"
	Sent   State = "sent"
	Dead   State = "dead" // tried too often; it can be replayed
)

// Delivery is one thing that one subscriber is told.
type Delivery struct {
	City     int           `db:"city_id" json:"-"`
	ID       string        `db:"id" json:"id"`
	Hook     string        `db:"webhook_id" json:"webhook"`
	Entry    string        `db:"entry_id" json:"-"`
	Event    Event         `db:"event" json:"event"`
	Subject  string        `db:"subject" json:"subject"`
	Happened civil.Instant `db:"happened" json:"happened"`
	Body     string        `db:"body" json:"body"`
	State    State         `db:"state" json:"state"`
	Tries    int           `db:"tries" json:"tries"`
	NextAt   civil.Instant `db:"next_at" json:"next_at,omitzero"`
	Status   int           `db:"status" json:"status,omitempty"` // of the last answer
	Error    string        `db:"error" json:"error,omitempty"`
	TookMS   int           `db:"took_ms" json:"took_ms,omitempty"`
	Created  civil.Instant `db:"created_at" json:"created_at"`
	DoneAt   civil.Instant `db:"done_at" json:"done_at,omitzero"`
}

// Payload is what a subscriber gets: what happened to which case or stop, how it stands by now, and nothing about people.
// Deliveries may overtake each other; a case's version says which is the later state.
type Payload struct {
	ID    string        `json:"id"` // of the delivery: the same however often it comes
	Event Event         `json:"event"`
	At    civil.Instant `json:"at"`
	City  int           `json:"city"`
	Case  *CaseFacts    `json:"case,omitempty"`
	Stop  *StopFacts    `json:"outage,omitempty"`
}

// CaseFacts are a case without anybody's data.
type CaseFacts struct {
	ID         string        `json:"id"`
	No         string        `json:"no"`
	Status     string        `json:"status"`
	Category   string        `json:"category"`
	Nature     string        `json:"nature"`
	Urgency    string        `json:"urgency"`
	Channel    string        `json:"channel"`
	Company    string        `json:"company,omitempty"`
	District   string        `json:"district,omitempty"`
	Community  string        `json:"community,omitempty"`
	ReceivedAt civil.Instant `json:"received_at"`
	DueAt      civil.Instant `json:"due_at,omitzero"`
	Version    int64         `json:"version"`
}

// StopFacts are a stop of heat.
type StopFacts struct {
	ID      string        `json:"id"`
	No      string        `json:"no"`
	Company string        `json:"company"`
	Kind    string        `json:"kind"`
	State   string        `json:"state"`
	Start   civil.Instant `json:"start"`
	Until   civil.Instant `json:"until,omitzero"`
}

// Input is the input of Subscribe and Change.
type Input struct {
	City    int     `json:"-" form:"-"`
	ID      string  `json:"-" form:"-"`
	Key     string  `json:"key" form:"key"` // of a manager's: whose eyes; a key subscribes for itself
	Name    string  `json:"name" form:"name"`
	URL     string  `json:"url" form:"url"`
	Events  []Event `json:"events" form:"events"`
	Active  bool    `json:"active" form:"active"`
	Version int64   `json:"version" form:"version"`
}

func (in Input) check(allow []netip.Prefix) error {
	var c fault.Check
	c.That(in.Name != "" && len([]rune(in.Name)) <= 100, "name", "field.required")
	c.That(outward.GoodURL(in.URL, allow), "url", "webhook.bad_url")
	c.That(len(in.Events) > 0, "events", "field.required")
	for _, e := range in.Events {
		if !c.That(slices.Contains(Events(), e), "events", "field.not_one_of", "allowed", strings.Join(names(), ", ")) {
			break
		}
	}
	return c.Err()
}

func names() []string {
	var out []string
	for _, e := range Events() {
		out = append(out, string(e))
	}
	return out
}

// The bounds of trying again.
const (
	firstWait = 10 * time.Second
	mostWait  = 2 * time.Hour
	mostTries = 60 // longer than GiveUp
	// GiveUp is how long a subscriber may fail before it is switched off.
	GiveUp = 72 * time.Hour
)

// Wait is how long to wait after so many tries: twice as long each time up to a bound, a fifth more or less.
func Wait(tries int) time.Duration {
	d := mostWait
	if tries <= 10 {
		d = min(firstWait<<max(tries-1, 0), mostWait)
	}
	return d - d/5 + rand.N(2*d/5)
}
