// Package webpush tells residents by a notification of their own browser what they would otherwise be told by text message,
// when they asked for that on this very device (RFC 8030, RFC 8291, RFC 8292).
//
// Invariants: only a resident who is logged in and has allowed it is written to, and only on the devices where they did;
// logging out there ends it. A push service, which stands outside and may be anybody's, gets nothing that it can read, and
// nothing inside the own network is ever taken for one. What is written is the text of the message and nothing more about
// anybody. Whatever no device has shown in time goes by text message: silence is no delivery.
package webpush

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outward"
	"github.com/rehu-heat/rehu/internal/text"
)

// The bounds.
const (
	mostDevices  = 5   // of one person: the oldest makes room
	mostEndpoint = 800 // characters of an address
	mostAgent    = 120

	// What is shown later than this is shown by text message instead: a leak or a visit soon, the rest within the hour.
	soon, later = 10 * time.Minute, time.Hour
	grace       = 2 * time.Minute // for the word that it was shown to come back
)

// Subscription is what a browser gives when its owner allows notifications there.
type Subscription struct {
	City     int    `json:"-" form:"-"`
	Session  string `json:"-" form:"-"` // the login of this device
	Agent    string `json:"-" form:"-"`
	Endpoint string `json:"endpoint" form:"endpoint"`
	Keys
}

func (in Subscription) check(allow []netip.Prefix) error {
	var c fault.Check
	c.That(len(in.Endpoint) <= mostEndpoint && outward.GoodURL(in.Endpoint, allow), "endpoint", "webpush.bad_endpoint")
	_, _, err := in.Keys.open()
	c.That(err == nil, "p256dh", "webpush.bad_keys")
	return c.Err()
}

// Device is a browser that a resident is written to in.
type Device struct {
	City     int           `db:"city_id" json:"-"`
	ID       string        `db:"id" json:"id"`
	Person   string        `db:"person" json:"-"`
	Session  string        `db:"session" json:"-"`
	Blind    string        `db:"blind" json:"-"`
	Endpoint string        `db:"endpoint" json:"-"` // sealed
	Keys     string        `db:"keys" json:"-"`     // sealed
	Agent    string        `db:"agent" json:"agent"`
	Asked    civil.Instant `db:"asked_at" json:"asked_at"`
	This     bool          `db:"-" json:"this"`
}

// Arrival is a device's word that it showed a message. Proof came with the message.
type Arrival struct {
	City  int    `json:"-" form:"-"`
	Key   string `json:"key" form:"key"`
	Proof string `json:"proof" form:"proof"`
}

// Payload is what a device decrypts: the text, where a tap leads, and how to say that it was shown.
type Payload struct {
	Title string    `json:"title"`
	Text  string    `json:"text"`
	Lang  text.Lang `json:"lang"`
	Open  string    `json:"open"` // path of the page
	Key   string    `json:"key"`  // a message with the same key takes the place of the one before
	Proof string    `json:"proof"`
	Tell  string    `json:"tell"` // path that takes an Arrival
}

// lifeOf is how long a push service keeps a message for a device that is off.
func lifeOf(out notice.Outgoing) time.Duration {
	if out.May {
		return later
	}
	return soon
}

// asks tells a message that is answered with one digit: only a text message can be answered so.
func asks(template string) bool {
	for _, v := range text.Variables(text.Say(text.ZH, template, nil)) {
		if len(v) == 2 && v[0] == 'd' && v[1] >= '1' && v[1] <= '9' {
			return true
		}
	}
	return false
}

// cityOf is the city that a message's key begins with.
func cityOf(key string) (int, bool) {
	head, _, ok := strings.Cut(key, ".")
	city, err := strconv.Atoi(head)
	return city, ok && err == nil
}

func clip(s string, most int) string {
	r := []rune(s)
	return string(r[:min(len(r), most)])
}
