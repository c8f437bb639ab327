package cases

import (
	"context"
	"log/slog"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
)

// Options are what the service stands on.
type Options struct {
	DB     *db.DB
	Ring   *secret.Ring
	Blobs  *blob.Service
	Clocks *clock.Ledger
	Log    *slog.Logger
	// Look is how many cases one page or count looks at before it says that it goes on; 0 is 4000.
	Look int
	// Rules are the city's rules as they hold now.
	Rules func(ctx context.Context, tx *db.Tx, city int) (*citypack.Rules, error)
	// Attribute says which company a place belongs to.
	Attribute func(ctx context.Context, tx *db.Tx, city int, q territory.Query) (territory.Answer, error)
}

// Service offers the use cases.
type Service struct {
	o Options
	// Filed runs in the transaction that files a case: dispatch hands the case to its company when that needs no person.
	// It may change the case, which is not written yet, and adds to the plan what starts and stops clocks.
	Filed func(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, c *Case, a territory.Answer, plan *Plan) error
	// Reopened runs in the transaction that reopens a case: the company that had it is told again.
	Reopened func(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, c *Case, plan *Plan) error
	// Told runs when something about an open case is to be told to the unit that holds it: a reminder call, a reopening.
	Told func(ctx context.Context, tx *db.Tx, c Case, what string) error
	// Heard runs when the resident is to be told about a change of their case.
	Heard func(ctx context.Context, tx *db.Tx, c Case, e Event) error
	// TestAsked runs in the transaction in which a case gets a test request (测温申请), when it is opened or later.
	TestAsked func(ctx context.Context, tx *db.Tx, by actor.Actor, c Case) error
	// Ended runs in the transaction that closes a case or takes it out of a unit's hands.
	Ended func(ctx context.Context, tx *db.Tx, c Case, e Event) error
}

// Plan gathers what happens to a case's clocks in one act, so that the ledger is asked once.
type Plan struct {
	Happened []clock.Happened
	Org      clock.Org
}

// New makes the service.
func New(o Options) *Service { return &Service{o: o} }

// clockSubject is the case as the ledger of time limits knows it.
func clockSubject(c Case, p *citypack.Pack) clock.Subject {
	cat, _ := p.Category(c.Category)
	return clock.Subject{City: c.City, Case: c.ID, Category: cat, Urgency: c.Urgency, County: c.District}
}

// Tick tells the ledger that something happened to a case, and brings its nearest deadline up to date. The case is not
// written.
func (s *Service) Tick(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *Case, e citypack.Event, at civil.Instant, o clock.Org) error {
	if err := s.o.Clocks.Event(ctx, tx, r, clockSubject(*c, r.Pack), e, at, o); err != nil {
		return err
	}
	return s.Due(ctx, tx, c)
}

// Due brings a case's nearest deadline up to date: the unit's or the centre's, else the one towards the resident. The case
// is not written.
func (s *Service) Due(ctx context.Context, tx *db.Tx, c *Case) error {
	code, due, err := s.o.Clocks.NextDue(ctx, tx, c.City, c.ID)
	if err != nil {
		return err
	}
	if code == "" {
		if code, due, err = s.residentDue(ctx, tx, *c); err != nil {
			return err
		}
	}
	c.setDue(code, due)
	return nil
}

func (s *Service) residentDue(ctx context.Context, tx *db.Tx, c Case) (string, civil.Instant, error) {
	clocks, err := s.o.Clocks.Of(ctx, tx, c.City, c.ID)
	if err != nil {
		return "", 0, err
	}
	for _, k := range clocks {
		if k.State == clock.Running && k.Party == citypack.PartyResident && !k.Due.IsZero() {
			return k.Code, k.Due, nil
		}
	}
	return "", 0, nil
}

// Rules are the city's rules as they hold now.
func (s *Service) Rules(ctx context.Context, tx *db.Tx, city int) (*citypack.Rules, error) {
	return s.o.Rules(ctx, tx, city)
}

// Change is one step of a case's life.
type Change struct {
	Event   Event
	Version int64  // that the actor saw; 0: whichever, for acts that only add
	Act     string // of the audit entry; empty: "case." and the event
	Body    any    // facts of the audit entry
	Public  bool   // the resident may see it
	// Apply checks what needs data and changes the case before it is written; it may use the transaction.
	Apply func(c *Case) error
}

// MoveIn applies an event to a case in the caller's transaction: permission, life cycle, guard, version, count, audit.
func (s *Service) MoveIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string, ch Change) (Case, error) {
	c, err := find(ctx, tx, city, id)
	if err != nil {
		return Case{}, err
	}
	if err := by.May(actor.CaseRead, c.On()); err != nil && by.Kind != actor.System {
		return Case{}, actor.Hide(err)
	}
	was := c
	step, err := Lifecycle.Next(c.Status, ch.Event)
	if err != nil {
		return Case{}, err
	}
	if err := by.May(actor.Permission(step.By), c.On()); err != nil {
		return Case{}, err
	}
	if !c.takes(ch.Event) {
		return Case{}, fault.New(fault.Conflict, "case.staff_elsewhere")
	}
	if ch.Version != 0 && ch.Version != c.Version {
		return Case{}, fault.New(fault.Conflict, "conflict.version")
	}
	c.enter(step.To, tx.Now)
	if ch.Apply != nil {
		if err := ch.Apply(&c); err != nil {
			return Case{}, err
		}
	}
	if err := s.write(ctx, tx, was, &c); err != nil {
		return Case{}, err
	}
	act := ch.Act
	if act == "" {
		act = "case." + string(ch.Event)
	}
	if err := audit.Record(ctx, tx, by, city, audit.Act{Subject: c.Subject(), Act: act, Public: ch.Public, Body: ch.Body}); err != nil {
		return Case{}, err
	}
	return c, s.after(ctx, tx, was, c, ch.Event)
}

// after tells the other capabilities what a step means for them.
func (s *Service) after(ctx context.Context, tx *db.Tx, was, c Case, e Event) error {
	if s.Ended != nil && was.Status.WithUnit() != c.Status.WithUnit() && !c.Open {
		if err := s.Ended(ctx, tx, c, e); err != nil {
			return err
		}
	}
	if s.Heard == nil {
		return nil
	}
	return s.Heard(ctx, tx, c, e)
}

// write keeps a changed case: guarded by the version that was read, counted, found again by its new words.
func (s *Service) write(ctx context.Context, tx *db.Tx, was Case, c *Case) error {
	if err := s.ends(ctx, tx, was, c); err != nil {
		return err
	}
	c.Version, c.UpdatedAt = was.Version+1, tx.Now
	if err := update(ctx, tx, was, *c); err != nil {
		return err
	}
	if err := tallyMove(ctx, tx, was, *c); err != nil {
		return err
	}
	if searchText(was) == searchText(*c) {
		return nil
	}
	return index(ctx, tx, *c)
}

// EditIn changes a case without a step of its life, for capabilities that come later. The caller has asked for permission.
func (s *Service) EditIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string, act audit.Act, apply func(c *Case) error) (Case, error) {
	c, err := find(ctx, tx, city, id)
	if err != nil {
		return Case{}, err
	}
	was := c
	if err := apply(&c); err != nil {
		return Case{}, err
	}
	if err := s.write(ctx, tx, was, &c); err != nil {
		return Case{}, err
	}
	act.Subject = c.Subject()
	return c, audit.Record(ctx, tx, by, city, act)
}
