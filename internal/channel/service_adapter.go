package channel

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Sender sends answers of one channel. The kind of its error says what became of the answer: Invalid — it can never be
// sent; Exhausted or Denied — it was surely not taken, try later; anything else, a timeout above all — it may have been
// taken. The id is the channel's own.
type Sender interface {
	Send(ctx context.Context, a Access, out Outgoing) (id string, err error)
}

// Finder is a Sender whose channel can be asked whether it took an answer with a key.
type Finder interface {
	Find(ctx context.Context, a Access, out Outgoing) (id string, found bool, err error)
}

// Poller fetches what is new since the account's cursor and hands it over in batches of at most BatchSize, oldest first
// where the channel allows it. The cursor it returns is kept when it is not empty, also beside an error: what was handed
// over is kept already. An Exhausted fault with the parameter "after" (seconds) says how long the channel wants to rest.
type Poller interface {
	Poll(ctx context.Context, a Access, got func(batch []Incoming) error) (cursor string, err error)
}

// BatchSize is how many messages are kept in one transaction.
const BatchSize = 200

// Taker is the capability that a channel's messages are for. It runs in a transaction of its own, may run again, and ties
// the message to a case or a clue with Service.LinkIn. An Invalid fault means that it will never take it.
type Taker func(ctx context.Context, tx *db.Tx, m Heard) error

// Adapter is one channel as joined: what it can do, and who takes its messages. Everything but the channel may be left
// out: without a Sender answers are held for staff, without a Poller messages are only pushed, without a Taker they are
// taken as they come.
type Adapter struct {
	Channel cases.Channel
	Sender  Sender
	Poller  Poller
	Every   time.Duration // between two polls; zero: a minute
	Take    Taker
	Keyed   bool // the channel knows a key again, so that sending the same twice is one answer
}

// Access is an account with its credential, for one call to the outside.
type Access struct {
	Account
	Credential Credential
}

// Outgoing is an answer as an adapter is given it.
type Outgoing struct {
	Key    string            // the same however often it is tried
	Form   Form              // of the message that is answered
	To     string            // external id of that message
	Sender string            // id of who wrote it
	Text   string            //
	Handle map[string]string // as the adapter gave it with the message
}

// Credential is what opens an account at the other side. It stands in the environment as REHU_CREDENTIAL_<NAME>, written
// like a query: app_key=…&app_secret=…&token=…; the account in the register names it and holds nothing of it.
type Credential map[string]string

// ParseCredential reads a credential as it stands in the environment.
func ParseCredential(s string) (Credential, error) {
	v, err := url.ParseQuery(strings.TrimSpace(s))
	if err != nil {
		return nil, fault.Wrap(fmt.Errorf("read a credential: %w", err), fault.Invalid, "channel.bad_credential")
	}
	c := make(Credential, len(v))
	for k := range v {
		c[k] = v.Get(k)
	}
	return c, nil
}

// Fake reports whether the account talks to the demonstration's own server and not to the world.
func (c Credential) Fake() bool { return c["fake"] == "1" }
