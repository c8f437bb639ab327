package webhook

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http" //nolint:depguard // keeps the guarded client
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/outward"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Options are what the service stands on. Jobs and Tell may be left out.
type Options struct {
	DB      *db.DB
	Ring    *secret.Ring
	Cases   *cases.Service
	Outages *outage.Service
	Jobs    *jobs.Runner
	Machine func() time.Time
	Allow   []netip.Prefix // networks inside that may be called
	// Key gives the actor behind an API key; false when it does not hold any more.
	Key func(ctx context.Context, id string) (actor.Actor, bool, error)
	// Tell lets those who manage keys know that a subscriber was switched off.
	Tell func(ctx context.Context, tx *db.Tx, h Hook) error
}

// Service offers the use cases.
type Service struct {
	o      Options
	client *http.Client
}

// New makes the service and, where there is a runner, registers its jobs.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Ring == nil || o.Cases == nil || o.Machine == nil || o.Key == nil {
		return nil, errors.New("webhook: a database, a keyring, cases, keys and machine time are needed")
	}
	s := &Service{o: o, client: outward.Client(o.Allow, callTime)}
	if o.Jobs != nil {
		jobs.Handle(o.Jobs, func(ctx context.Context, j jobs.Job, _ gathering) error { return s.gather(ctx, j.City) })
		jobs.Handle(o.Jobs, func(ctx context.Context, j jobs.Job, a sending) error { return s.deliver(ctx, j.City, a.Delivery) })
		o.Jobs.Every(gatherEvery, gathering{})
	}
	return s, nil
}

type (
	gathering struct{}
	sending   struct{ Delivery string }
)

// Kind names the job that looks for what subscribers are to be told.
func (gathering) Kind() string { return "webhook.gather" }

// Kind names the job that tells one of them one thing.
func (sending) Kind() string { return "webhook.send" }

const (
	gatherEvery = 10 * time.Second
	// left is how long a delivery that is due may wait before it is taken that nobody is at it.
	left      = time.Minute
	atOnce    = 200 // chains looked at in one transaction
	passes    = 25  // times as many where there is nobody to tell
	secretLen = 32
)

func boundTo(id string) string { return "webhook/" + id }

func subject(id string) string { return "webhook:" + id }

// Subscribed is a new subscription with the secret of its signatures, which is shown this once.
type Subscribed struct {
	Hook
	Secret string `json:"secret"`
}

// may is for those who manage keys, and for a key about its own subscriptions.
func may(by actor.Actor, city int, key string) error {
	if by.Kind == actor.Key && by.ID == key && (by.MayAny(actor.CaseRead, city) || by.MayAny(actor.OutageRead, city)) {
		return nil
	}
	return by.May(actor.KeyManage, actor.On{City: city})
}

// Subscribe adds a subscription: a key's own, or one that a manager makes for a key.
func (s *Service) Subscribe(ctx context.Context, by actor.Actor, in Input) (Subscribed, error) {
	in = in.trimmed()
	if by.Kind == actor.Key && in.Key == "" {
		in.Key = by.ID
	}
	if err := may(by, in.City, in.Key); err != nil {
		return Subscribed{}, err
	}
	var c fault.Check
	c.Merge("", in.check(s.o.Allow))
	who, holds, err := s.o.Key(ctx, in.Key)
	if err != nil {
		return Subscribed{}, err
	}
	c.That(holds && (who.MayAny(actor.CaseRead, in.City) || who.MayAny(actor.OutageRead, in.City)), "key", "webhook.no_key")
	if err := c.Err(); err != nil {
		return Subscribed{}, err
	}
	raw := make([]byte, secretLen)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	out := Subscribed{Secret: hex.EncodeToString(raw)}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Subscribed, error) {
		id := tx.NewID()
		out.Hook = Hook{
			City: in.City, ID: id, Key: in.Key, Org: who.Org, Name: in.Name, URL: in.URL, Sealed: s.o.Ring.Wrap([]byte(out.Secret), boundTo(id)), Events: in.Events,
			Active: true, Created: tx.Now, By: by.ID, Version: 1,
		}
		if err := insert(ctx, tx, out.Hook); err != nil {
			return out, err
		}
		return out, record(ctx, tx, by, out.Hook, "webhook.subscribe")
	})
}

func (in Input) trimmed() Input {
	in.Name, in.URL, in.Key = strings.TrimSpace(in.Name), strings.TrimSpace(in.URL), strings.TrimSpace(in.Key)
	return in
}

func record(ctx context.Context, tx *db.Tx, by actor.Actor, h Hook, act string) error {
	events := make([]string, len(h.Events))
	for i, e := range h.Events {
		events[i] = string(e)
	}
	body := map[string]any{"key": h.Key, "url": h.URL, "events": strings.Join(events, " "), "active": h.Active}
	return audit.Record(ctx, tx, by, h.City, audit.Act{Subject: subject(h.ID), Act: act, Body: body})
}

// Change changes the version of a subscription that was seen; switched on again it goes on with what waits.
func (s *Service) Change(ctx context.Context, by actor.Actor, in Input) (Hook, error) {
	in = in.trimmed()
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Hook, error) {
		h, err := s.own(ctx, tx, by, in.City, in.ID)
		if err != nil {
			return h, err
		}
		if err := in.check(s.o.Allow); err != nil {
			return h, err
		}
		h.Name, h.URL, h.Events = in.Name, in.URL, in.Events
		if in.Active && !h.Active {
			h.Why, h.FailingSince = "", 0
		}
		h.Active = in.Active
		if err := save(ctx, tx, h, in.Version); err != nil {
			return h, err
		}
		h.Version = in.Version + 1
		return h, record(ctx, tx, by, h, "webhook.change")
	})
}

// Secret gives a subscription a new secret, which is shown this once; the old one ends at once.
func (s *Service) Secret(ctx context.Context, by actor.Actor, city int, id string) (Subscribed, error) {
	raw := make([]byte, secretLen)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Subscribed, error) {
		h, err := s.own(ctx, tx, by, city, id)
		if err != nil {
			return Subscribed{}, err
		}
		out := Subscribed{Secret: hex.EncodeToString(raw)}
		h.Sealed = s.o.Ring.Wrap([]byte(out.Secret), boundTo(id))
		if err := save(ctx, tx, h, h.Version); err != nil {
			return Subscribed{}, err
		}
		h.Version++
		out.Hook = h
		return out, record(ctx, tx, by, h, "webhook.secret")
	})
}

// own is a subscription that the actor may change; whoever may not finds nothing.
func (s *Service) own(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string) (Hook, error) {
	h, err := find(ctx, tx, city, id)
	if err != nil {
		return h, err
	}
	return h, actor.Hide(may(by, city, h.Key))
}

// List shows the subscriptions that the actor may change: a key's own, a manager's all.
func (s *Service) List(ctx context.Context, by actor.Actor, city int) ([]Hook, error) {
	key := ""
	if by.May(actor.KeyManage, actor.On{City: city}) != nil {
		if by.Kind != actor.Key {
			return nil, by.May(actor.KeyManage, actor.On{City: city})
		}
		key = by.ID
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Hook, error) { return list(ctx, tx, city, key) })
}

// Filter narrows the log of deliveries.
type Filter struct {
	State State `json:"state" form:"state"`
	page.Request
}

// Log shows what a subscriber was told, the newest first.
func (s *Service) Log(ctx context.Context, by actor.Actor, city int, id string, f Filter) (page.Of[Delivery], error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Delivery], error) {
		if _, err := s.own(ctx, tx, by, city, id); err != nil {
			return page.Of[Delivery]{}, err
		}
		rows, err := deliveries(ctx, tx, city, id, f)
		if err != nil {
			return page.Of[Delivery]{}, err
		}
		return page.Cut(rows, f.Request, func(d Delivery) []any { return []any{d.ID} }), nil
	})
}

// Get shows a subscription.
func (s *Service) Get(ctx context.Context, by actor.Actor, city int, id string) (Hook, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Hook, error) { return s.own(ctx, tx, by, city, id) })
}

// Replay tells something again: one delivery, or with an empty one all that were given up.
func (s *Service) Replay(ctx context.Context, by actor.Actor, city int, id, delivery string) (int, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (int, error) {
		h, err := s.own(ctx, tx, by, city, id)
		if err != nil {
			return 0, err
		}
		ids, err := requeue(ctx, tx, h, delivery)
		if err != nil {
			return 0, err
		}
		if delivery != "" && len(ids) == 0 {
			return 0, fault.New(fault.NotFound, "not_found")
		}
		for _, one := range ids {
			if err := jobs.Add(ctx, tx, city, sending{one}, jobs.When{}); err != nil {
				return 0, err
			}
		}
		return len(ids), audit.Record(ctx, tx, by, city, audit.Act{Subject: subject(h.ID), Act: "webhook.replay", Body: map[string]any{"count": len(ids)}})
	})
}

// gather looks through the chains that grew since they were last looked at and queues what subscribers are to be told.
// How far a chain was told of moves on in the transaction that queues it, so that nothing is passed over, however late an
// act's transaction commits, and nothing is looked at twice.
func (s *Service) gather(ctx context.Context, city int) error {
	all, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Hook, error) { return list(ctx, tx, city, "") })
	if err != nil {
		return err
	}
	hooks := slices.DeleteFunc(all, func(h Hook) bool { return !h.Active })
	if len(hooks) == 0 {
		return s.pass(ctx, city)
	}
	for {
		entries, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]audit.Entry, error) { return audit.Untold(ctx, tx, city, atOnce) })
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			break
		}
		if err := s.queue(ctx, city, hooks, entries); err != nil {
			return err
		}
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		waiting, err := due(ctx, tx, city)
		if err != nil {
			return err
		}
		for _, id := range waiting {
			if err := jobs.Add(ctx, tx, city, sending{id}, jobs.When{Unique: "webhook:" + id}); err != nil {
				return err
			}
		}
		return nil
	})
}

// pass goes past what happened where there is nobody to tell. Whoever subscribed meanwhile has it left alone.
func (s *Service) pass(ctx context.Context, city int) error {
	for {
		n, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (int64, error) {
			n, err := audit.PassTold(ctx, tx, city, atOnce*passes)
			if err != nil || n == 0 {
				return n, err
			}
			all, err := list(ctx, tx, city, "")
			if err == nil && slices.ContainsFunc(all, func(h Hook) bool { return h.Active }) {
				err = errSubscribed
			}
			return n, err
		})
		if errors.Is(err, errSubscribed) {
			return nil
		}
		if err != nil || n < atOnce*passes {
			return err
		}
	}
}

var errSubscribed = errors.New("somebody has subscribed meanwhile")

// queue writes down for each subscriber what it may see of what happened.
func (s *Service) queue(ctx context.Context, city int, hooks []Hook, entries []audit.Entry) error {
	eyes := map[string]actor.Actor{}
	var out []Delivery
	for _, e := range entries {
		event, ok := acts[e.Act]
		if !ok {
			continue
		}
		for _, h := range hooks {
			if e.At.Before(h.Created) || !h.wants(event) {
				continue
			}
			who, known := eyes[h.Key]
			if !known {
				var holds bool
				var err error
				if who, holds, err = s.o.Key(ctx, h.Key); err != nil {
					return err
				}
				if !holds {
					who = actor.Actor{}
				}
				eyes[h.Key] = who
			}
			if who.ID == "" {
				continue
			}
			d, err := s.tell(ctx, who, h, e, event)
			if err != nil {
				return err
			}
			if d.Event != "" {
				out = append(out, d)
			}
		}
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if err := audit.MarkTold(ctx, tx, city, entries); err != nil {
			return err
		}
		for _, d := range out {
			d.ID, d.Created, d.NextAt = tx.NewID(), tx.Now, tx.Now
			fresh, err := add(ctx, tx, d)
			if err != nil {
				return err
			}
			if !fresh {
				continue // another process looked at the same time
			}
			if err := jobs.Add(ctx, tx, city, sending{d.ID}, jobs.When{}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (h Hook) wants(e Event) bool {
	return slices.Contains(h.Events, e)
}

// tell puts together what a subscriber is told; empty when it may not know of it.
func (s *Service) tell(ctx context.Context, who actor.Actor, h Hook, e audit.Entry, event Event) (Delivery, error) {
	p := Payload{Event: event, At: e.At, City: e.City}
	kind, id, _ := strings.Cut(e.Subject, ":")
	switch kind {
	case "case":
		c, err := s.o.Cases.Get(ctx, who, e.City, id)
		if err != nil {
			return Delivery{}, hidden(err)
		}
		p.Case = caseFacts(c)
	case "outage":
		if s.o.Outages == nil {
			return Delivery{}, nil
		}
		o, err := s.o.Outages.Get(ctx, who, e.City, id)
		if err != nil {
			return Delivery{}, hidden(err)
		}
		p.Stop = &StopFacts{ID: o.ID, No: o.No, Company: o.Company, Kind: string(o.Kind), State: string(o.State), Start: o.Start, Until: o.Until}
	default:
		return Delivery{}, nil
	}
	body, err := json.Marshal(p)
	return Delivery{City: e.City, Hook: h.ID, Entry: e.ID, Event: event, Subject: e.Subject, Happened: e.At, Body: string(body), State: Queued}, err
}

// hidden is no error for what a subscriber may not see.
func hidden(err error) error {
	if k := fault.KindOf(err); k == fault.NotFound || k == fault.Denied {
		return nil
	}
	return err
}

func caseFacts(c cases.Case) *CaseFacts {
	return &CaseFacts{
		ID: c.ID, No: c.No, Status: string(c.Status), Category: c.Category, Nature: string(c.Nature), Urgency: string(c.Urgency), Channel: string(c.Channel),
		Company: c.Company, District: c.District, Community: c.CommunityName, ReceivedAt: c.ReceivedAt, DueAt: c.DueAt, Version: c.Version,
	}
}

// deliver tells one subscriber one thing. No transaction is open meanwhile.
func (s *Service) deliver(ctx context.Context, city int, id string) error {
	var h Hook
	d, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (Delivery, error) {
		d, err := delivery(ctx, tx, city, id)
		if err != nil {
			return d, err
		}
		h, err = find(ctx, tx, city, d.Hook)
		return d, err
	})
	if err != nil || d.State != Queued || !h.Active || d.NextAt.After(s.o.DB.Now()) {
		return err
	}
	_, holds, err := s.o.Key(ctx, h.Key)
	if err != nil {
		return err
	}
	if !holds {
		return s.off(ctx, h, "webhook.why.key")
	}
	d.Body = withID(d)
	a := s.call(ctx, h, d)
	return db.Do(context.WithoutCancel(ctx), s.o.DB, func(tx *db.Tx) error { return s.note(ctx, tx, h, d, a) })
}

// withID puts the delivery's id into what is sent; it is made when the delivery is written down.
func withID(d Delivery) string {
	var p Payload
	if json.Unmarshal([]byte(d.Body), &p) != nil {
		return d.Body
	}
	p.ID = d.ID
	b, err := json.Marshal(p)
	if err != nil {
		return d.Body
	}
	return string(b)
}

func (s *Service) note(ctx context.Context, tx *db.Tx, h Hook, d Delivery, a answer) error {
	d.Tries, d.Status, d.Error, d.TookMS = d.Tries+1, a.status, a.err, int(a.took.Milliseconds())
	if a.ok() {
		d.State, d.DoneAt, d.NextAt = Sent, tx.Now, 0
		if err := saveDelivery(ctx, tx, d); err != nil {
			return err
		}
		return healthy(ctx, tx, h)
	}
	if d.Tries >= mostTries {
		d.State, d.NextAt = Dead, 0
	} else {
		d.NextAt = tx.Now.Add(Wait(d.Tries))
		if err := jobs.Add(ctx, tx, d.City, sending{d.ID}, jobs.When{At: d.NextAt}); err != nil {
			return err
		}
	}
	if err := saveDelivery(ctx, tx, d); err != nil {
		return err
	}
	since, err := failing(ctx, tx, h)
	if err != nil || tx.Now.Sub(since) < GiveUp {
		return err
	}
	return s.offIn(ctx, tx, h, "webhook.why.failing")
}

func (s *Service) off(ctx context.Context, h Hook, why string) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error { return s.offIn(ctx, tx, h, why) })
}

// offIn switches a subscriber off that cannot be told, and lets the managers know.
func (s *Service) offIn(ctx context.Context, tx *db.Tx, h Hook, why string) error {
	done, err := switchOff(ctx, tx, h, why)
	if err != nil || !done {
		return err
	}
	h.Active, h.Why = false, why
	if err := record(ctx, tx, actor.SystemFor("webhook", actor.Job), h, "webhook.off"); err != nil || s.o.Tell == nil {
		return err
	}
	return s.o.Tell(ctx, tx, h)
}
