// Package resident is the door of the service hall: an old woman types her telephone and the six digits that it was sent,
// and sees her home; her son, in another city, sees it too once she has agreed, until the day that she chose.
//
// Nobody has a password. A code lives a few minutes, is good for a few tries, and stands nowhere in the clear: it is kept as
// a keyed hash, and the message that brings it shows it to the gateway only. Whoever asks for a code gets the same answer
// after the same work whether or not anybody is behind the telephone, and asking costs growing waits for each telephone,
// address and city, since each code costs money. A session is a token of which only the hash is kept; it changes daily, a
// copy of an older one ends the session, and everybody can log out everywhere.
//
// A home is bound by its account number with something that only its people know, or by a code to the telephone that the
// company has on file, or by a paper that staff look at. A wrong account, a wrong proof and a home that does not exist get
// the same answer, are counted, logged without personal data, and soon have to wait.
package resident

import (
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/text"
)

// The bounds of a code.
const (
	CodeLife  = 5 * time.Minute // how long a code is good for
	codeTries = 5               // how often it may be typed wrongly
)

// The bounds of a session: a resident who looks in once a winter month stays logged in, a forgotten telephone does not.
const (
	sessionIdle = 90 * 24 * time.Hour
	sessionLife = 365 * 24 * time.Hour
	rotateAfter = 24 * time.Hour
	rotateSpare = 2 * time.Minute // the token before still holds: other requests of the same page are under way
	seenEvery   = 10 * time.Minute
)

// Purpose is what a code is for; a code for one is none for another.
type Purpose string

// The purposes.
const (
	ForEnter Purpose = "enter" // log in
	ForBind  Purpose = "bind"  // the holder of a household agrees that somebody is a member of it
	ForHelp  Purpose = "help"  // the holder agrees that somebody helps them
)

// Ask is the input of RequestCode. Address is the visitor's network address, of IPv6 the network.
type Ask struct {
	City    int       `json:"-" form:"-"`
	Phone   string    `json:"phone" form:"phone"`
	Lang    text.Lang `json:"-" form:"-"`
	Address string    `json:"-" form:"-"`
}

// Asked is the answer, the same for everybody: how long a code holds and when another may be asked for.
type Asked struct {
	Minutes int `json:"minutes"`
	Again   int `json:"again_seconds"`
}

// Entry is the input of Enter. Agent is the browser, shown to its owner in the list of logins.
type Entry struct {
	City    int       `json:"-" form:"-"`
	Phone   string    `json:"phone" form:"phone"`
	Code    string    `json:"code" form:"code"`
	Lang    text.Lang `json:"-" form:"-"`
	Address string    `json:"-" form:"-"`
	Agent   string    `json:"-" form:"-"`
}

// Ticket is a login that worked. The token is the session; nobody can read it again.
type Ticket struct {
	Token   string    `json:"token"`
	Expires time.Time `json:"expires_at"`
	Person  string    `json:"-"`
	First   bool      `json:"first"` // nobody logged in with this telephone before
}

// Who is a resident who is logged in.
type Who struct {
	Actor   actor.Actor
	City    int
	Person  string
	Session string
	Phone   string // masked
	Lang    text.Lang
	Renewed string // the session's new token, when it has just been changed
}

// Session is a login that holds, as its owner sees it. Its times are machine time.
type Session struct {
	ID      string    `json:"id"`
	Door    string    `json:"door"`
	Agent   string    `json:"agent"`
	Created time.Time `json:"created_at"`
	Seen    time.Time `json:"seen_at"`
	This    bool      `json:"this"` // the one that asks
}

// Channel is another place that knows a resident: WeChat, Weibo.
type Channel string

// WeChat is the identity that the official account and the mini program give.
const WeChat Channel = "wechat"

// Link is the input of LinkIdentityIn.
type Link struct {
	City     int
	Person   string
	Channel  Channel
	External string // the id over there, as the channel's own check gave it
}

// Identity is a linked channel as its owner sees it.
type Identity struct {
	ID      string        `json:"id"`
	Channel Channel       `json:"channel"`
	Created civil.Instant `json:"created_at"`
}

// As is the actor of a resident of a city.
func As(city int, person string, door actor.Door) actor.Actor {
	return actor.Actor{ID: prefix + person, Kind: actor.Resident, Door: door, Grants: []actor.Grant{{Role: actor.RoleResident, City: city}}}
}

const prefix = "resident:"

// PersonOf is the person behind a resident's actor; false for a visitor who is not logged in and for staff.
func PersonOf(by actor.Actor) (string, bool) {
	id, ok := strings.CutPrefix(by.ID, prefix)
	return id, ok && id != "" && by.Kind == actor.Resident
}

// Limit bounds how often something may happen within a day: so many times at once, then with growing waits, and never more
// than Most.
type Limit struct {
	Free  int             // without any wait
	Waits []time.Duration // before the next, after Free; the last holds for all that follow
	Most  int             // in a day
}

// Limits are what an installation allows. A zero Limit is the default.
type Limits struct {
	Phone   Limit // codes to one telephone
	Address Limit // codes asked from one address; many homes share a mobile carrier's
	City    Limit // codes of a city: what the gateway may cost on a bad day
	Guess   Limit // wrong codes from one address
	Bind    Limit // tries of one resident to bind a home
	Account Limit // wrong proofs for one account, whoever tries
	Helper  Limit // helpers that one resident names
}

const day = 24 * time.Hour

func (l Limits) withDefaults() Limits {
	minutes := func(all ...int) []time.Duration {
		out := make([]time.Duration, len(all))
		for i, m := range all {
			out[i] = time.Duration(m) * time.Minute
		}
		return out
	}
	set := func(l *Limit, d Limit) {
		if l.Most == 0 {
			*l = d
		}
	}
	set(&l.Phone, Limit{Waits: minutes(1, 2, 5, 15, 60), Most: 8})
	set(&l.Address, Limit{Free: 10, Waits: minutes(1, 1, 2, 5), Most: 100})
	set(&l.City, Limit{Free: 20_000, Most: 20_000})
	set(&l.Guess, Limit{Free: 10, Waits: minutes(1, 2, 5, 15), Most: 100})
	set(&l.Bind, Limit{Free: 4, Waits: minutes(1, 5, 15, 60), Most: 12})
	set(&l.Account, Limit{Free: 4, Waits: minutes(5, 30, 120), Most: 8})
	set(&l.Helper, Limit{Free: 5, Waits: minutes(60), Most: 8})
	return l
}

// wait is how long to wait after the n-th time of a day.
func (l Limit) wait(n int) time.Duration {
	if n <= l.Free || len(l.Waits) == 0 {
		return 0
	}
	return l.Waits[min(n-l.Free, len(l.Waits))-1]
}

// refused is how long whoever does something for the n-th time of a day must wait, zero when they may.
func (l Limit) refused(c count, now int64) time.Duration {
	switch {
	case c.N > l.Most:
		return time.Duration(c.From+day.Milliseconds()-now) * time.Millisecond
	case c.Next > now:
		return time.Duration(c.Next-now) * time.Millisecond
	}
	return 0
}

// Event is something worth counting for whoever watches for abuse.
type Event string

// The events.
const (
	EventCode       Event = "code"        // a code was asked for
	EventCodeLimit  Event = "code_limit"  // and refused
	EventEnter      Event = "enter"       // a login
	EventBadCode    Event = "bad_code"    // a wrong code
	EventBind       Event = "bind"        // a home was bound
	EventBadBind    Event = "bad_bind"    // a wrong account or proof
	EventBindLimit  Event = "bind_limit"  // too many of them
	EventTheft      Event = "theft"       // an old token was used
	EventNoDelivery Event = "no_delivery" // a code that no gateway can take
)

// Events lists the events.
func Events() []Event {
	return []Event{EventCode, EventCodeLimit, EventEnter, EventBadCode, EventBind, EventBadBind, EventBindLimit, EventTheft, EventNoDelivery}
}

// known reports whether a channel is one of ours.
func (c Channel) known() bool { return slices.Contains([]Channel{WeChat}, c) }
