// Package clue is where the city listens: what people write about their heating on Weibo, in forums and in the feeds of a
// monitoring vendor, before anybody has decided whether it is a case.
//
// Every post becomes one clue. The program reads it (heating or not, what is wrong, where, how cold, how urgent) and says
// line by line why it thinks so; a person decides. Copies, reposts and several posts about one place and hour stand
// together as a group, so that they are read once; but every author keeps a clue of their own and gets an answer of their
// own, because behind each stands a flat. A public answer never holds personal data.
package clue

import (
	"slices"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
)

// Guess is what the program takes a post for. Its name on the screen is "clue.guess.<name>".
type Guess string

// The guesses.
const (
	Heating    Guess = "heating"
	OtherTopic Guess = "other"
	Hearsay    Guess = "hearsay" // passes on what somebody heard, with no home of one's own
	Advert     Guess = "advert"
)

// Grouped is why a clue stands with another. Its name on the screen is "clue.grouped.<name>".
type Grouped string

// The reasons to stand together.
const (
	Alone     Grouped = ""
	Repost    Grouped = "repost"     // passes on the other post
	Copy      Grouped = "copy"       // nearly the same words
	SameHand  Grouped = "author"     // the same author about the same place
	SamePlace Grouped = "place_hour" // another author, the same building and hour
)

// Clue is one post and what became of it. Names and telephones in it are masked; the message it was made of has the rest.
type Clue struct {
	City        int              `db:"city_id" json:"city"`
	ID          string           `db:"id" json:"id"`
	Message     string           `db:"message_id" json:"message"`
	Channel     cases.Channel    `db:"channel" json:"channel"`
	Account     string           `db:"account" json:"account"`
	Form        channel.Form     `db:"form" json:"form"`
	At          civil.Instant    `db:"at" json:"at"`
	ReceivedAt  civil.Instant    `db:"received_at" json:"received_at"`
	Person      string           `db:"person" json:"-"`
	Sender      string           `db:"sender" json:"sender"`
	Text        string           `db:"text" json:"text"`
	Link        string           `db:"link" json:"link,omitempty"`
	Guess       Guess            `db:"guess" json:"guess"`
	Category    string           `db:"category" json:"category,omitempty"`
	Urgency     citypack.Urgency `db:"urgency" json:"urgency"`
	Rank        int              `db:"rank" json:"-"` // order of the queue: what is urgent first
	Temperature *celsius.Tenths  `db:"temperature" json:"temperature,omitempty"`
	Care        string           `db:"care" json:"care,omitempty"`
	Community   string           `db:"community" json:"community,omitempty"`
	Place       string           `db:"place" json:"place,omitempty"` // the community's name
	District    string           `db:"district" json:"district,omitempty"`
	Company     string           `db:"company" json:"company,omitempty"`
	Building    string           `db:"building" json:"building,omitempty"`
	Unit        string           `db:"unit" json:"unit,omitempty"`
	Room        string           `db:"room" json:"room,omitempty"`
	Why         []text.Message   `db:"why,json" json:"why"`
	Group       string           `db:"group_id" json:"group"` // id of the first clue of the group
	Grouped     Grouped          `db:"grouped" json:"grouped,omitempty"`
	Copies      int              `db:"copies" json:"copies"` // of the first: how many stand with it
	State       State            `db:"state" json:"state"`
	Reason      string           `db:"reason" json:"reason,omitempty"`
	Case        string           `db:"case_id" json:"case,omitempty"`
	CaseNo      string           `db:"case_no" json:"case_no,omitempty"`
	DecidedBy   string           `db:"decided_by" json:"decided_by,omitempty"`
	DecidedAt   civil.Instant    `db:"decided_at" json:"decided_at,omitzero"`
	AnsweredAt  civil.Instant    `db:"answered_at" json:"answered_at,omitzero"`
	OfferedAt   civil.Instant    `db:"offered_at" json:"offered_at,omitzero"` // its case was closed: an answer is due
	ChangedAt   civil.Instant    `db:"changed_at" json:"changed_at,omitzero"`
	Version     int64            `db:"version" json:"version"`
}

// Subject is the clue's audit chain.
func (c Clue) Subject() string { return "clue:" + c.ID }

// Public reports whether an answer to the clue is read by everybody.
func (c Clue) Public() bool { return c.Form.Public() }

// Owed reports whether the author still waits for a word: about what was decided, or about the closing of the case.
func (c Clue) Owed() bool {
	switch c.State {
	case Confirmed, Linked, Rumour:
		return c.AnsweredAt.IsZero() || c.OfferedAt.After(c.AnsweredAt)
	case Undecided, NotHeating, Spam:
	}
	return false
}

// Filter narrows the list of clues; empty fields do not.
type Filter struct {
	State     State            `json:"state" form:"state"`
	Channel   cases.Channel    `json:"channel" form:"channel"`
	Account   string           `json:"account" form:"account"`
	Guess     Guess            `json:"guess" form:"guess"`
	Urgency   citypack.Urgency `json:"urgency" form:"urgency"`
	Community string           `json:"community" form:"community"`
	Owed      bool             `json:"owed" form:"owed"`
	Group     string           `json:"group" form:"group"`
	Said      string           `json:"q" form:"q"`
	From      civil.Date       `json:"from" form:"from"`
	To        civil.Date       `json:"to" form:"to"`
	page.Request
}

// Check refuses what no clue can be.
func (f Filter) Check() error {
	var c fault.Check
	c.That(f.State == "" || known(States(), f.State), "state", "clue.no_such_state")
	c.That(f.Guess == "" || known(Guesses(), f.Guess), "guess", "clue.no_such_state")
	c.That(utf8.RuneCountInString(f.Said) <= maxSaid, "q", "field.too_long", "max", maxSaid)
	c.That(f.From.IsZero() || f.To.IsZero() || !f.To.Before(f.From), "to", "clue.from_to")
	return c.Err()
}

const maxSaid = 50

func known[T comparable](all []T, one T) bool {
	return slices.Contains(all, one)
}

// Guesses lists the guesses in the order of the form.
func Guesses() []Guess { return []Guess{Heating, Hearsay, OtherTopic, Advert} }
