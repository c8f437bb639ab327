// Package channel carries words in from every place where residents speak (WeChat, Weibo, mail, a monitoring vendor's feed,
// another platform) and the answers back out through the same place, so that nobody has to ask on which screen a word
// stands.
//
// An adapter knows one outside party: it takes messages in (by push or by polling) and sends answers. This package keeps
// what came, once, whatever is sent twice or out of order; hands it on in a transaction of its own; and sends answers by
// jobs, never inside a transaction. An answer has a key that stays the same however often it is tried: when a gateway may
// have taken it and then fell silent, the gateway is asked for the key before anything is sent again, and where it cannot
// be asked the answer waits for a person. Who wrote, and what they wrote, is sealed under the writer's own key; the copy
// that is searched and shown has names, telephones and ID numbers masked.
package channel

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/geo"
)

// Form is what kind of word a message is. Its name on the screen is "channel.form.<name>".
type Form string

// The forms.
const (
	Post    Form = "post"    // said to everybody; an answer to it is public too
	Mention Form = "mention" // said to everybody, naming us
	Direct  Form = "direct"  // said to us alone
	Letter  Form = "letter"  // an e-mail or a document
	Event   Form = "event"   // subscribed, tapped a menu, shared a place
)

// Public reports whether an answer to such a word is read by everybody.
func (f Form) Public() bool { return f == Post || f == Mention }

// Media is a picture, a voice or a film that came with a message. It is kept as a reference and never fetched by a page.
type Media struct {
	Kind string `json:"kind"`           // image, voice, video, file
	Ref  string `json:"ref"`            // the channel's own id or address
	Blob string `json:"blob,omitempty"` // our own copy, where the adapter made one
	Text string `json:"text,omitempty"` // what a voice was recognised as
}

// Incoming is what an adapter took in. ID is the channel's own and tells a repeat; Handle is whatever the adapter needs
// to answer (ids, addresses, tokens), opaque to everybody else.
type Incoming struct {
	City       int
	Channel    cases.Channel
	Account    string
	ID         string
	Form       Form
	At         civil.Instant // as the channel says; zero: now
	SenderID   string
	SenderName string
	Text       string
	Link       string // address at which it can be read
	Media      []Media
	Lng, Lat   *float64 // WGS84
	Handle     map[string]string
	Extra      map[string]string // what else the receiving capability wants to know: views, reposts, the post that was shared
	Raw        []byte            // as it came; only its hash is kept
	// Other reports whether the words kept under the ID are another post's than these, for senders who give an id again (a
	// running number of each file, say); nil: the ID is trusted.
	Other func(kept, now string) bool
}

// again is the id of a post whose own id is another's already.
func (in *Incoming) again() string {
	sum := sha256.Sum256([]byte(in.SenderID + "\n" + in.Text))
	const most = 160
	return in.ID[:min(len(in.ID), most)] + "~" + hex.EncodeToString(sum[:12])
}

// MaxText is how much of a message is kept, in characters; a longer one is cut and marked.
const MaxText = 8000

const (
	maxID   = 200
	maxWord = 500
)

// check refuses what cannot be kept; what is merely odd is mended.
func (in *Incoming) check(now civil.Instant) error {
	var c fault.Check
	c.That(in.ID != "" && len(in.ID) <= maxID, "id", "channel.bad_id", "max", maxID)
	c.That(in.Account != "", "account", "field.required")
	c.That(utf8.ValidString(in.Text) && utf8.ValidString(in.SenderName) && utf8.ValidString(in.Link), "text", "channel.not_text")
	c.That(in.Text != "" || len(in.Media) > 0 || in.Form == Event, "text", "field.required")
	c.That(len(in.Link) <= 2*maxWord, "link", "field.too_long", "max", 2*maxWord)
	if err := c.Err(); err != nil {
		return err
	}
	in.mend(now)
	return nil
}

func (in *Incoming) mend(now civil.Instant) {
	in.Text = clip(clean(in.Text), MaxText)
	in.SenderName = clip(clean(in.SenderName), maxWord)
	if in.At.IsZero() || in.At.After(now) {
		in.At = now
	}
	if in.Lng == nil || in.Lat == nil || !(geo.Point{Lng: *in.Lng, Lat: *in.Lat}).Valid() {
		in.Lng, in.Lat = nil, nil
	}
	const mostMedia = 20
	in.Media = in.Media[:min(len(in.Media), mostMedia)]
	if in.Form == "" {
		in.Form = Direct
	}
}

// clean takes away what no text holds: control characters and the marks that turn the reading direction.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < 0x20 || r == 0x7f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfeff:
			return -1
		}
		return r
	}, s))
}

func clip(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// hash names the bytes that came, so that a dispute can be settled with the channel's own record.
func (in *Incoming) hash() string {
	raw := in.Raw
	if len(raw) == 0 {
		raw = []byte(in.ID + "\n" + in.Text)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// identity is how a sender is found again: channels tell large and small letters apart, so it is a hash and no spelling.
func identity(c cases.Channel, sender string) string {
	if sender == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(string(c) + "\n" + sender))
	return hex.EncodeToString(sum[:])
}

// Message is a word as kept. Sender, text and handle stand sealed in Sealed; Heard opens them.
type Message struct {
	City       int               `db:"city_id" json:"city"`
	ID         string            `db:"id" json:"id"`
	Channel    cases.Channel     `db:"channel" json:"channel"`
	Account    string            `db:"account" json:"account"`
	External   string            `db:"external_id" json:"external_id"`
	Form       Form              `db:"form" json:"form"`
	At         civil.Instant     `db:"at" json:"at"`
	ReceivedAt civil.Instant     `db:"received_at" json:"received_at"`
	Person     string            `db:"person" json:"-"`      // whose words they are (data subject)
	Sender     string            `db:"sender" json:"sender"` // masked name
	Text       string            `db:"text" json:"text"`     // telephones and ID numbers masked
	Sealed     string            `db:"sealed" json:"-"`
	Link       string            `db:"link" json:"link,omitempty"`
	Media      []Media           `db:"media,json" json:"media,omitempty"`
	Lng        *float64          `db:"lng" json:"lng,omitempty"`
	Lat        *float64          `db:"lat" json:"lat,omitempty"`
	Extra      map[string]string `db:"extra,json" json:"extra,omitempty"`
	Hash       string            `db:"raw_hash" json:"raw_hash"`
	State      State             `db:"state" json:"state"`
	Reason     string            `db:"reason" json:"reason,omitempty"` // catalogue key: why it could not be handed on
	Attempts   int               `db:"attempts" json:"attempts"`
	Case       string            `db:"case_id" json:"case,omitempty"`
	Clue       string            `db:"clue_id" json:"clue,omitempty"`
	Version    int64             `db:"version" json:"version"`
}

// Subject is the message's audit chain.
func (m Message) Subject() string { return "message:" + m.ID }

// Heard is a message with what was sealed opened, for the capability that takes it and the adapter that answers it.
type Heard struct {
	Message
	SenderID   string            `json:"-"`
	SenderName string            `json:"-"`
	Said       string            `json:"-"`
	Handle     map[string]string `json:"-"`
}

// sealed is what of a message is unreadable in the database.
type sealed struct {
	SenderID   string            `json:"sender_id,omitempty"`
	SenderName string            `json:"sender_name,omitempty"`
	Said       string            `json:"said,omitempty"`
	Handle     map[string]string `json:"handle,omitempty"`
}
