package channel

import (
	"regexp"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Account is one account of a city at a channel: an official account, a mailbox, a feed.
type Account struct {
	City       int               `db:"city_id" json:"city"`
	Channel    cases.Channel     `db:"channel" json:"channel"`
	Name       string            `db:"name" json:"name"` // short, in addresses
	Title      string            `db:"title" json:"title"`
	Credential string            `db:"credential" json:"credential"` // name of the credential in the environment
	Settings   map[string]string `db:"settings,json" json:"settings,omitempty"`
	Enabled    bool              `db:"enabled" json:"enabled"`
	Cursor     string            `db:"cursor" json:"-"`
	NextPoll   civil.Instant     `db:"next_poll_at" json:"next_poll_at,omitzero"`
	LastPoll   civil.Instant     `db:"last_poll_at" json:"last_poll_at,omitzero"`
	LastOK     civil.Instant     `db:"last_ok_at" json:"last_ok_at,omitzero"`
	LastIn     civil.Instant     `db:"last_in_at" json:"last_in_at,omitzero"` // newest message, as the channel dates it
	LastError  string            `db:"last_error" json:"last_error,omitempty"`
	ErrorAt    civil.Instant     `db:"error_at" json:"error_at,omitzero"`
	Failures   int               `db:"failures" json:"failures"` // in a row
	LagMS      int64             `db:"lag_ms" json:"lag_ms"`     // from being written to being kept, of the newest message
	Version    int64             `db:"version" json:"version"`
}

// Subject is the account's audit chain.
func (a Account) Subject() string { return "channel:" + string(a.Channel) + "/" + a.Name }

// AccountInput sets an account up (version 0) or changes it.
type AccountInput struct {
	City       int               `json:"-" form:"-"`
	Channel    cases.Channel     `json:"channel" form:"channel"`
	Name       string            `json:"name" form:"name"`
	Title      string            `json:"title" form:"title"`
	Credential string            `json:"credential" form:"credential"`
	Settings   map[string]string `json:"settings,omitempty" form:"-"`
	Enabled    bool              `json:"enabled" form:"enabled"`
	Version    int64             `json:"version" form:"version"`
}

var (
	nameShape       = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)
	credentialShape = regexp.MustCompile(`^[a-z0-9_]{0,60}$`)
)

// Check collects what is wrong with the input.
func (in AccountInput) Check() error {
	var c fault.Check
	c.That(nameShape.MatchString(in.Name), "name", "channel.bad_name")
	c.That(in.Title != "" && utf8.RuneCountInString(in.Title) <= 60, "title", "field.required")
	c.That(credentialShape.MatchString(in.Credential), "credential", "channel.bad_name")
	size := 0
	for k, v := range in.Settings {
		size += len(k) + len(v)
	}
	const most = 8000
	c.That(size <= most, "settings", "field.too_long", "max", most)
	return c.Err()
}

// Today is what went through an account since midnight.
type Today struct {
	In     int `json:"in"`
	Out    int `json:"out"`
	Failed int `json:"failed"` // messages and answers that wait for a person
}

// Health is how an account does, for the page of channels.
type Health struct {
	Account
	Today    Today `json:"today"`
	Joined   bool  `json:"joined"`   // the program has an adapter for the channel
	Ready    bool  `json:"ready"`    // its credential is there, or it needs none
	CanPoll  bool  `json:"can_poll"` //
	CanReply bool  `json:"can_reply"`
	Fake     bool  `json:"fake"` // talks to the demonstration's own server
}

// OK reports whether nothing asks for a look.
func (h Health) OK() bool {
	return h.Enabled && h.Joined && h.Ready && h.Failures == 0 && h.Today.Failed == 0
}
