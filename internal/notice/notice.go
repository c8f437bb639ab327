// Package notice tells people what happens with their matter: the resident that somebody comes at four, the company that
// a limit is about to end. It also asks: was somebody really at your door? One digit or one tap answers.
//
// A message is written down in the transaction of the act that causes it and sent afterwards by a job, so that neither
// exists without the other and no gateway is waited for inside a transaction. One matter gives one message: repeating the
// act sends nothing twice, and the gateway is given a key that makes a repeated sending the same sending. Nobody is
// woken: between the pack's night hours only leaks, stops and one's own appointments are told. Where no gateway is set up
// a message is held for staff to read out, and never called sent. Telephones are sealed and shown masked; the text of a
// message holds neither name nor telephone; a one-time code stands only in what the gateway is given.
package notice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/flow"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
)

// Channel is the way a message goes.
type Channel string

// The channels.
const (
	SMS     Channel = "sms"
	WeChat  Channel = "wechat"
	Email   Channel = "email"
	Console Channel = "console" // shown to staff
	WebPush Channel = "webpush" // to a browser that the resident let us write to
)

// Class is how near a message is to its receiver.
type Class string

// The classes.
const (
	Own      Class = "own"      // the receiver's own matter
	Bulletin Class = "bulletin" // one text for many, about a building or an area
)

// State is where a message stands.
type State string

// The states.
const (
	Queued    State = "queued"
	Sent      State = "sent"      // the gateway took it, or staff read it out
	Delivered State = "delivered" // the gateway says that it arrived
	Failed    State = "failed"
	Held      State = "held"    // no gateway can take it: staff tell it
	Dropped   State = "dropped" // the person wants no such messages, or it was taken back before it went
)

// Event moves a message on.
type Event string

// The events.
const (
	Take     Event = "take"    // the gateway took it
	Arrive   Event = "arrive"  // receipt: delivered
	Bounce   Event = "bounce"  // receipt: not delivered
	GiveUp   Event = "give_up" // it can never be sent
	Hold     Event = "hold"    // no gateway
	TellSelf Event = "tell"    // staff told it themselves
	Requeue  Event = "requeue" // staff let it be sent again
	Switch   Event = "switch"  // the first way refused: it goes the other
	Drop     Event = "drop"    // the person asked not to be told, or it was taken back
)

// Lifecycle is the life of a message.
var Lifecycle = flow.Table[State, Event]{
	Name: "notice", Start: Queued, Final: []State{Delivered, Dropped},
	Steps: []flow.Step[State, Event]{
		{From: Queued, Event: Take, To: Sent},
		{From: Queued, Event: GiveUp, To: Failed},
		{From: Queued, Event: Hold, To: Held},
		{From: Queued, Event: Switch, To: Queued},
		{From: Queued, Event: Drop, To: Dropped},
		{From: Sent, Event: Arrive, To: Delivered},
		{From: Sent, Event: Bounce, To: Failed},
		{From: Sent, Event: Switch, To: Queued},
		{From: Failed, Event: TellSelf, To: Sent, By: string(actor.CaseUrge)},
		{From: Failed, Event: Requeue, To: Queued, By: string(actor.CaseUrge)},
		{From: Held, Event: TellSelf, To: Sent, By: string(actor.CaseUrge)},
		{From: Held, Event: Requeue, To: Queued, By: string(actor.CaseUrge)},
	},
}

// Message is something to tell. A message to a resident names To; one to staff names a role, and an organisation unless
// every holder of the role in the city is meant.
type Message struct {
	City        int
	Channel     Channel
	Person      string // whose telephone To is (data subject); empty: found by the telephone
	To          string // telephone, e-mail address or WeChat id, in the clear; sealed before it is kept
	Org         string
	Role        actor.Role
	Template    string         // catalogue key of the text
	Params      map[string]any // what the text is filled with; never a name or a telephone
	Lang        text.Lang      // empty: Chinese
	Subject     string         // "case:ID"
	Matter      string         // one message for each; names case, act and occasion
	Class       Class          // empty: Own
	Other       *Address       // where it goes when the channel refuses it
	QuietExempt bool           // a leak, a stop, or the resident's own appointment: also at night

	// Private are parameters that only the recipient may read, such as a one-time code. They are sealed until the gateway
	// has taken the message and forgotten then; what is kept, listed and exported shows Hidden instead. Staff cannot tell
	// such a message: where no gateway can take it, or Until has passed, it fails.
	Private map[string]string
	Until   civil.Instant // not sent later; zero: whenever

	asks bool // carries a question
}

// Address is a way to reach somebody.
type Address struct {
	Channel Channel
	To      string // in the clear
}

// Hidden stands for a private parameter in whatever is kept of a message.
const Hidden = "••••••"

// Notice is a message as kept.
type Notice struct {
	City        int               `db:"city_id" json:"city"`
	ID          string            `db:"id" json:"id"`
	Channel     Channel           `db:"channel" json:"channel"`
	Person      string            `db:"person" json:"-"`
	Recipient   string            `db:"recipient" json:"-"` // sealed
	Org         string            `db:"org" json:"org,omitempty"`
	Role        actor.Role        `db:"role" json:"role,omitempty"`
	Template    string            `db:"template" json:"template"`
	Params      map[string]string `db:"params,json" json:"params,omitempty"`
	Text        string            `db:"text" json:"text"`
	Lang        text.Lang         `db:"lang" json:"lang"`
	Subject     string            `db:"subject" json:"subject,omitempty"`
	Matter      string            `db:"matter" json:"matter"`
	QuietExempt bool              `db:"quiet_exempt" json:"quiet_exempt"`
	State       State             `db:"state" json:"state"`
	Reason      string            `db:"reason" json:"reason,omitempty"` // catalogue key: why it is held or failed
	Attempts    int               `db:"attempts" json:"attempts"`
	GatewayID   string            `db:"gateway_id" json:"gateway_id,omitempty"`
	Class       Class             `db:"class" json:"class"`
	OtherWay    Channel           `db:"other_channel" json:"other_channel,omitempty"` // where it goes when the channel refuses it
	OtherTo     string            `db:"other_to" json:"-"`                            // sealed
	Tried       Channel           `db:"tried" json:"tried,omitempty"`                 // the channel that refused it before
	Parts       int               `db:"parts" json:"parts"`                           // that the gateway charges for; 0 = not sent
	Price       string            `db:"price" json:"price,omitempty"`                 // yuan for a part, as set up when it was sent; empty = unknown
	Created     civil.Instant     `db:"created_at" json:"created_at"`
	SendAt      civil.Instant     `db:"send_at" json:"send_at"` // not before
	SentAt      civil.Instant     `db:"sent_at" json:"sent_at"`
	DeliveredAt civil.Instant     `db:"delivered_at" json:"delivered_at"`
	Private     string            `db:"private" json:"-"` // sealed private parameters, until the gateway took them
	Until       civil.Instant     `db:"until_at" json:"until_at,omitzero"`
	SentKey     string            `db:"sent_key" json:"-"` // the key under which the gateway took it last
	Version     int64             `db:"version" json:"version"`
}

// View is a message as staff see it: the recipient masked.
type View struct {
	Notice
	To       string    `json:"to,omitempty"`
	Question *Question `json:"question,omitempty"` // that the message asks
}

// Filter narrows the list of messages; empty fields do not.
type Filter struct {
	State   State      `json:"state" form:"state"`
	Channel Channel    `json:"channel" form:"channel"`
	Subject string     `json:"subject" form:"subject"`
	Answer  string     `json:"answer" form:"answer"` // of questions: answered, open
	From    civil.Date `json:"from" form:"from"`     // written down on this day or later
	To      civil.Date `json:"to" form:"to"`         // or earlier
	page.Request
}

// Check refuses what no message can be.
func (f Filter) Check() error {
	var c fault.Check
	states := []State{"", Queued, Sent, Delivered, Failed, Held, Dropped}
	channels := append([]Channel{""}, Channels()...)
	c.That(slices.Contains(states, f.State), "state", "field.not_one_of", "allowed", states[1:])
	c.That(slices.Contains(channels, f.Channel), "channel", "field.not_one_of", "allowed", channels[1:])
	c.That(slices.Contains([]string{"", Answered, Unanswered}, f.Answer), "answer", "field.not_one_of", "allowed", []string{Answered, Unanswered})
	return c.Err()
}

// Channels lists every channel.
func Channels() []Channel { return []Channel{SMS, WeChat, WebPush, Email, Console} }

// Whether a question was answered, in a Filter.
const (
	Answered   = "answered"
	Unanswered = "open"
)

// ByHand names a message as it was seen and says why staff tell it themselves or send it again, or how they told it.
type ByHand struct {
	City    int    `json:"city" form:"city"`
	ID      string `json:"id" form:"id"`
	Version int64  `json:"version" form:"version"`
	Reason  string `json:"reason" form:"reason"`
}

// Load is how many messages are in a state; More when there are more than were counted.
type Load struct {
	State State `json:"state"`
	N     int   `json:"n"`
	More  bool  `json:"more"`
}

// Outgoing is what a gateway is given. Key stays the same however often a sending is tried: a gateway that took it before
// answers as it did then. What staff send again after it did not arrive has another.
type Outgoing struct {
	Key      string            `json:"key"`
	To       string            `json:"to"`
	Text     string            `json:"text"`
	Template string            `json:"template"`
	Code     string            `json:"code,omitempty"` // the provider's own number of the template
	Again    bool              `json:"-"`              // tried before: the gateway may have taken it
	Params   map[string]string `json:"params,omitempty"`
	Lang     text.Lang         `json:"-"`
	May      bool              `json:"-"` // the person may refuse such messages
}

// Gateway sends messages of one channel. An Invalid fault means that the message can never be sent; any other error is
// tried again. The id is the gateway's own.
type Gateway interface {
	Send(ctx context.Context, out Outgoing) (id string, err error)
}

// Night are the hours, HH:MM, between which only exempt messages go out; empty is none.
type Night struct{ From, To string }

// Wake is when the night around an instant ends; false in the daytime.
func (n Night) Wake(now civil.Instant) (civil.Instant, bool) {
	from, ok1 := clockOn(now.Date(), n.From)
	to, ok2 := clockOn(now.Date(), n.To)
	if !ok1 || !ok2 || from == to {
		return 0, false
	}
	if from.Before(to) {
		return to, !now.Before(from) && now.Before(to)
	}
	if now.Before(to) {
		return to, true
	}
	return to.Add(24 * time.Hour), !now.Before(from)
}

func clockOn(d civil.Date, s string) (civil.Instant, bool) {
	t, err := time.Parse("15:04", s)
	return civil.On(d, t.Hour(), t.Minute()), err == nil
}

// spell fixes the parameters as the reader's language says them.
func spell(l text.Lang, params map[string]any) map[string]string {
	if len(params) == 0 {
		return nil
	}
	out := make(map[string]string, len(params))
	for k, v := range params {
		switch x := v.(type) {
		case text.Localized:
			out[k] = x.In(l)
		case interface{ Minute() string }:
			out[k] = x.Minute()
		default:
			out[k] = fmt.Sprint(v)
		}
	}
	return out
}

// shown are the parameters as they are kept: private ones hidden.
func shown(m Message) map[string]any {
	if len(m.Private) == 0 {
		return m.Params
	}
	out := maps.Clone(m.Params)
	if out == nil {
		out = make(map[string]any, len(m.Private))
	}
	for k := range m.Private {
		out[k] = Hidden
	}
	return out
}

// key names a sending for the gateway. A message that a gateway took, that did not arrive and that staff send again is
// another sending, and so is one that goes the other way: under the old key the gateway would only repeat its old answer,
// and a late receipt for the one would be taken for the other.
func (n Notice) key() string {
	key := fmt.Sprintf("%d.%s", n.City, n.ID)
	if n.Tried != "" {
		key += "." + string(n.Tried)
	}
	if n.GatewayID == "" {
		return key
	}
	sum := sha256.Sum256([]byte(n.GatewayID))
	return key + "." + hex.EncodeToString(sum[:4])
}

// byVoice stands for the key of a message that staff told: no gateway has anything to say about it.
const byVoice = "told"

// stale tells a receipt for an earlier sending than the present one. What left before keys were kept has none.
func (n Notice) stale(key string) bool {
	if n.State == Queued {
		return key != n.key()
	}
	return n.SentKey != "" && key != n.SentKey
}

// idOf takes a gateway key apart.
func idOf(city int, key string) (string, bool) {
	id, ok := strings.CutPrefix(key, fmt.Sprintf("%d.", city))
	id, _, _ = strings.Cut(id, ".")
	return id, ok
}
