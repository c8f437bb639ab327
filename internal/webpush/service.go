package webpush

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http" //nolint:depguard // keeps the guarded client
	"net/netip"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outward"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Options are what the service stands on.
type Options struct {
	DB        *db.DB
	Ring      *secret.Ring
	Jobs      *jobs.Runner // nil in a process without workers
	Residents *resident.Service
	Notices   *notice.Service
	Key       Key            // of the installation
	Contact   string         // mailto: or https: address at which a push service can complain
	Allow     []netip.Prefix // networks inside in which a push service may stand
	Title     string         // over every notification; empty: the language's own word
	Machine   func() time.Time
	Log       *slog.Logger
	Home      func(city int) string // path of the page that a tap opens
	Tell      func(city int) string // path that takes a device's word
}

// Service offers the use cases.
type Service struct {
	o      Options
	client *http.Client
}

// callTime is how long a push service may take to answer.
const callTime = 5 * time.Second

// New makes the service and, where there is a runner, registers its jobs.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Ring == nil || o.Residents == nil || o.Notices == nil || o.Machine == nil || o.Home == nil || o.Tell == nil || o.Key.private == nil {
		return nil, errors.New("webpush: a database, keyrings, residents, messages, a clock and addresses are needed")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{o: o, client: outward.Client(o.Allow, callTime)}
	if o.Jobs != nil {
		jobs.Handle(o.Jobs, s.listen)
		jobs.Handle(o.Jobs, s.late)
	}
	return s, nil
}

// PublicKey is the key that a browser ties its subscription to.
func (s *Service) PublicKey() string { return s.o.Key.Public() }

// Subscribe lets a resident be written to on the device on which they are logged in and allowed it.
func (s *Service) Subscribe(ctx context.Context, by actor.Actor, in Subscription) error {
	person, err := whose(by)
	if err != nil {
		return err
	}
	if err := in.check(s.o.Allow); err != nil {
		return err
	}
	keys, err := json.Marshal(in.Keys)
	if err != nil {
		return fmt.Errorf("keep a device: %w", err)
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		p, err := secret.OpenSubject(ctx, tx, s.o.Ring, in.City, person)
		if err != nil {
			return err
		}
		holding, err := s.o.Residents.HoldingIn(ctx, tx, in.City, person)
		if err != nil {
			return err
		}
		if p.Erased || !slices.Contains(holding, in.Session) {
			return fault.New(fault.Denied, "resident.enter_first")
		}
		d := Device{
			City: in.City, ID: tx.NewID(), Person: person, Session: in.Session, Blind: s.o.Ring.Blind("webpush", in.Endpoint),
			Endpoint: p.Seal("webpush.endpoint", in.Endpoint), Keys: p.Seal("webpush.keys", string(keys)), Agent: clip(in.Agent, mostAgent), Asked: tx.Now,
		}
		if d.ID, err = put(ctx, tx, d); err != nil {
			return err
		}
		if err := s.makeRoom(ctx, tx, in.City, person); err != nil {
			return err
		}
		return note(ctx, tx, by, d, "webpush.allowed")
	})
}

// makeRoom forgets the oldest devices of somebody who has many.
func (s *Service) makeRoom(ctx context.Context, tx *db.Tx, city int, person string) error {
	all, err := devicesOf(ctx, tx, city, person)
	if err != nil || len(all) <= mostDevices {
		return err
	}
	for _, d := range all[mostDevices:] {
		if _, err := drop(ctx, tx, city, person, d.ID); err != nil {
			return err
		}
	}
	return nil
}

// Ending names a device that is not written to any more.
type Ending struct {
	City int    `json:"-" form:"-"`
	ID   string `json:"id" form:"id"`
}

// End stops writing to one of a resident's own devices.
func (s *Service) End(ctx context.Context, by actor.Actor, in Ending) error {
	person, err := whose(by)
	if err != nil {
		return err
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		ok, err := drop(ctx, tx, in.City, person, in.ID)
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.NotFound, "not_found")
		}
		return note(ctx, tx, by, Device{City: in.City, ID: in.ID, Person: person}, "webpush.ended")
	})
}

// Mine lists the devices that a resident is written to on.
func (s *Service) Mine(ctx context.Context, by actor.Actor, city int, session string) ([]Device, error) {
	person, err := whose(by)
	if err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Device, error) {
		all, err := s.living(ctx, tx, city, person)
		for i := range all {
			all[i].This = all[i].Session == session
		}
		return all, err
	})
}

// Left forgets the devices of logins that ended, in the transaction that ended them.
func (s *Service) Left(ctx context.Context, tx *db.Tx, city int, person string) error {
	all, err := devicesOf(ctx, tx, city, person)
	if err != nil || len(all) == 0 {
		return err
	}
	holding, err := s.o.Residents.HoldingIn(ctx, tx, city, person)
	if err != nil {
		return err
	}
	for _, d := range all {
		if slices.Contains(holding, d.Session) {
			continue
		}
		if _, err := drop(ctx, tx, city, person, d.ID); err != nil {
			return err
		}
		if err := note(ctx, tx, machine, d, "webpush.left"); err != nil {
			return err
		}
	}
	return nil
}

// Reach reports whether a text can go to a person by notification: on a device that is still logged in.
func (s *Service) Reach(ctx context.Context, tx *db.Tx, city int, person, template string) (bool, error) {
	if person == "" || asks(template) {
		return false, nil
	}
	all, err := s.living(ctx, tx, city, person)
	return len(all) > 0, err
}

// living lists the devices whose login holds.
func (s *Service) living(ctx context.Context, tx *db.Tx, city int, person string) ([]Device, error) {
	all, err := devicesOf(ctx, tx, city, person)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	holding, err := s.o.Residents.HoldingIn(ctx, tx, city, person)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(d Device) bool { return !slices.Contains(holding, d.Session) }), nil
}

// Arrived takes a device's word that it showed a message. The proof came encrypted with the message: nobody else has it.
func (s *Service) Arrived(ctx context.Context, in Arrival) error {
	city, ok := cityOf(in.Key)
	if !ok || city != in.City || subtle.ConstantTimeCompare([]byte(in.Proof), []byte(s.proof(in.Key))) != 1 {
		return fault.New(fault.NotFound, "not_found")
	}
	err := s.o.Notices.Receive(ctx, city, notice.Receipt{Key: in.Key, Delivered: true})
	if !fault.Is(err, fault.Conflict) {
		return err
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		return jobs.Add(ctx, tx, city, arrived{in.Key}, jobs.When{At: tx.Now.Add(overtook), Unique: in.Key})
	})
}

// overtook is how long a device may be ahead of the note that its message went out: the other devices are being told.
const overtook = mostDevices * callTime

// arrived is the job that says again what a device said too early; a device says it once.
type arrived struct {
	Key string `json:"key"`
}

func (arrived) Kind() string { return "webpush.arrived" }

// late is that job.
func (s *Service) late(ctx context.Context, j jobs.Job, a arrived) error {
	return s.o.Notices.Receive(ctx, j.City, notice.Receipt{Key: a.Key, Delivered: true})
}

func (s *Service) proof(key string) string { return s.o.Ring.Blind("webpush.shown", key) }

var machine = actor.SystemFor("webpush", actor.Job)

func note(ctx context.Context, tx *db.Tx, by actor.Actor, d Device, act string) error {
	return audit.Record(ctx, tx, by, d.City, audit.Act{Subject: "person:" + d.Person, Act: act, Body: map[string]any{"device": d.ID}})
}

func whose(by actor.Actor) (string, error) {
	person, ok := resident.PersonOf(by)
	if !ok {
		return "", fault.New(fault.Denied, "resident.enter_first")
	}
	return person, nil
}
