package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Options set up a Service. Jobs, Credentials and Log may be left out.
type Options struct {
	DB          *db.DB
	Ring        *secret.Ring
	Jobs        *jobs.Runner // hands messages on, sends answers and polls; nil in a process that has no workers
	Credentials map[string]string
	Machine     func() time.Time // for proofs; nil: the machine's
	Log         *slog.Logger
}

// Service offers the use cases.
type Service struct {
	o        Options
	adapters map[cases.Channel]Adapter

	// OnCase is told, in its transaction, of a message that was tied to a case. Nil is nobody.
	OnCase func(ctx context.Context, tx *db.Tx, m Message) error
}

// New makes the service and, where there is a runner, registers its jobs.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Ring == nil {
		return nil, errors.New("channel: a database and a keyring are needed")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Machine == nil {
		o.Machine = time.Now //nolint:forbidigo // machine time, unless given
	}
	s := &Service{o: o, adapters: map[cases.Channel]Adapter{}}
	if o.Jobs != nil {
		jobs.Handle(o.Jobs, s.take)
		jobs.Handle(o.Jobs, s.send)
		jobs.Handle(o.Jobs, s.poll)
		o.Jobs.Every(pollEvery, polling{})
	}
	return s, nil
}

// Join adds an adapter; whoever puts the program together calls it once for each channel, before the first message.
func (s *Service) Join(a Adapter) { s.adapters[a.Channel] = a }

var machine = actor.SystemFor("channel", actor.Job)

// access finds an account and opens its credential. Conflict when it is switched off, Down when its credential is missing.
func (s *Service) access(a Account) (Access, error) {
	if !a.Enabled {
		return Access{}, fault.New(fault.Conflict, "channel.reason.off")
	}
	if a.Credential == "" {
		return Access{Account: a}, nil
	}
	raw, ok := s.o.Credentials[a.Credential]
	if !ok {
		return Access{}, fault.New(fault.Conflict, "channel.reason.no_credential")
	}
	c, err := ParseCredential(raw)
	return Access{a, c}, err
}

// AccessOf opens the credential of an account that was read before, for a capability that runs the channel.
func (s *Service) AccessOf(a Account) (Access, error) { return s.access(a) }

// Access gives an account that takes pushed messages, with its credential: the secret that the push is signed with.
// NotFound hides whether it is missing, switched off or without credential from whoever knocks.
func (s *Service) Access(ctx context.Context, city int, c cases.Channel, name string) (Access, error) {
	a, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (Account, error) { return findAccount(ctx, tx, city, c, name) })
	if err != nil {
		return Access{}, err
	}
	out, err := s.access(a)
	if err != nil {
		s.o.Log.WarnContext(ctx, "pushed message refused", "channel", c, "account", name, "error", err)
		return Access{}, fault.New(fault.NotFound, "not_found")
	}
	return out, nil
}

// Prove checks a pushed request's proof and uses its nonce up: the same request again is Denied. Refusals are logged.
func (s *Service) Prove(ctx context.Context, a Account, p Proof) error {
	err := p.Check(s.o.Machine())
	if err == nil {
		err = s.useNonce(ctx, a, p.Nonce)
	}
	if err != nil {
		s.o.Log.WarnContext(ctx, "pushed message refused", "channel", a.Channel, "account", a.Name, "error", err)
	}
	return err
}

func (s *Service) useNonce(ctx context.Context, a Account, nonce string) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		fresh, err := UseNonceIn(ctx, tx, Nonce{a.City, string(a.Channel), a.Name, nonce}, s.o.Machine())
		if err == nil && !fresh {
			err = fault.New(fault.Denied, "channel.replayed")
		}
		return err
	})
}

// Nonce is the word of a proof that its sender uses once.
type Nonce struct {
	City    int
	Channel string // or another way in with signed requests
	Account string
	Word    string
}

// UseNonceIn uses a nonce up, in the transaction of what the request does; false when it was used before. Whoever calls it
// has checked the proof. It is remembered for longer than a proof holds: one is believed from MaxSkew before its time on
// until MaxSkew after it.
func UseNonceIn(ctx context.Context, tx *db.Tx, n Nonce, machine time.Time) (bool, error) {
	now := machine.UnixMilli()
	fresh, err := insertNonce(ctx, tx, n, now)
	if err != nil || !fresh {
		return fresh, err
	}
	return true, forgetNonces(ctx, tx, n.City, now-3*MaxSkew.Milliseconds())
}

// open opens what of messages is sealed; an erased writer's messages come without it.
func (s *Service) open(ctx context.Context, tx *db.Tx, m Message) (Heard, error) {
	h := Heard{Message: m}
	p, err := secret.OpenSubject(ctx, tx, s.o.Ring, m.City, m.Person)
	if err != nil {
		return h, fmt.Errorf("open the writer of message %s: %w", m.ID, err)
	}
	if p.Erased {
		return h, nil
	}
	plain, err := p.Open("channel", m.Sealed)
	if err != nil {
		return h, fmt.Errorf("open message %s: %w", m.ID, err)
	}
	var in sealed
	if err := json.Unmarshal([]byte(plain), &in); err != nil {
		return h, fmt.Errorf("read message %s: %w", m.ID, err)
	}
	h.SenderID, h.SenderName, h.Said, h.Handle = in.SenderID, in.SenderName, in.Said, in.Handle
	return h, nil
}

// HeardIn opens a message for the capability that took it, which has asked for the permission.
func (s *Service) HeardIn(ctx context.Context, tx *db.Tx, city int, id string) (Heard, error) {
	m, err := findMessage(ctx, tx, city, id)
	if err != nil {
		return Heard{}, err
	}
	return s.open(ctx, tx, m)
}

// Revealing names a message whose words are wanted unmasked, and says why.
type Revealing struct {
	City   int    `json:"-" form:"-"`
	ID     string `json:"-" form:"id"`
	Reason string `json:"reason" form:"reason"`
}

// Revealed is what a message holds unmasked.
type Revealed struct {
	Name string `json:"name"`
	Said string `json:"said"`
}

// Reveal shows who wrote a message and what, unmasked; it is an act with a reason.
func (s *Service) Reveal(ctx context.Context, by actor.Actor, in Revealing) (Revealed, error) {
	if err := by.May(actor.CaseReveal, actor.On{City: in.City}); err != nil {
		return Revealed{}, err
	}
	if err := seesAll(by, actor.ChannelRead, in.City); err != nil {
		return Revealed{}, err
	}
	if err := checkReason(&in.Reason); err != nil {
		return Revealed{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Revealed, error) {
		h, err := s.HeardIn(ctx, tx, in.City, in.ID)
		if err != nil {
			return Revealed{}, err
		}
		act := audit.Act{Subject: h.Subject(), Act: "channel.reveal", Body: map[string]any{"reason": in.Reason}}
		return Revealed{h.SenderName, h.Said}, audit.Record(ctx, tx, by, in.City, act)
	})
}

// seesAll asks for a permission over the whole city: what stands in a channel belongs to no company yet.
func seesAll(by actor.Actor, p actor.Permission, city int) error {
	if err := by.May(p, actor.On{City: city}); err != nil {
		return err
	}
	if !by.ScopeOf(p, city).All {
		return fault.New(fault.Denied, "denied.scope")
	}
	return nil
}
