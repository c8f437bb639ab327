package clock

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/text"
)

// Ledger starts, stops and moves clocks inside the transactions of the acts that cause it. Whoever calls it has asked for
// the permission of that act; the ledger has no doors of its own.
type Ledger struct {
	o Options

	// OnStep is told of every step of escalation (临期预警, 催办, 超期, 督办单, 约谈, 通报) in the step's transaction. Nil is
	// nobody.
	OnStep func(ctx context.Context, tx *db.Tx, by actor.Actor, c Clock, step citypack.Step) error
}

// Options set up a Ledger.
type Options struct {
	DB    *db.DB
	Rules func(ctx context.Context, tx *db.Tx, city int) (*citypack.Rules, error) // the rules of a city as they stand now
	Jobs  *jobs.Runner                                                            // works off the steps; nil in a process that has no workers
}

// New makes a ledger and, where there is a runner, registers its jobs.
func New(o Options) (*Ledger, error) {
	if o.DB == nil || o.Rules == nil {
		return nil, errors.New("clock: a database and the rules of the cities are needed")
	}
	l := &Ledger{o: o}
	if o.Jobs != nil {
		l.register(o.Jobs)
	}
	return l, nil
}

// Event tells the ledger that something happened: clocks that it ends are stopped, clocks that it begins are started.
func (l *Ledger) Event(ctx context.Context, tx *db.Tx, rules *citypack.Rules, s Subject, e citypack.Event, at civil.Instant, o Org) error {
	return l.Events(ctx, tx, rules, s, []Happened{{e, at}}, o)
}

// Events is Event for several things that happen in one act, in their order: filing and dispatching a case at once costs
// no more statements than one of them.
//
// An event stops the clocks of the company that it names and of the centre and the resident; without a company, of no
// company. A clock is started once: not while it goes, and not by an event that is no later than the one that started it
// before, so that an act that is told twice counts once.
func (l *Ledger) Events(ctx context.Context, tx *db.Tx, rules *citypack.Rules, s Subject, events []Happened, o Org) error {
	b := book{tx: tx, city: s.City}
	clocks, err := existing(ctx, tx, s)
	if err != nil {
		return err
	}
	for _, h := range events {
		for i := range clocks {
			c := &clocks[i]
			if c.endsWith(rules, h, o) {
				b.stop(c, max(h.At, c.Started), o.Ref)
			}
		}
		for _, r := range rules.Pack.Clocks(s.Category, s.Urgency) {
			if r.Start != h.Event || r.Party == citypack.PartyUnit && o.Org == "" || started(clocks, r, h.At, o) {
				continue
			}
			c, err := start(rules, s, r, h.At, o)
			if err != nil {
				return fmt.Errorf("start clock %s: %w", r.Code, err)
			}
			c.ID = tx.NewID()
			clocks = append(clocks, c)
			b.start(rules, c)
		}
	}
	return b.write(ctx, clocks)
}

func existing(ctx context.Context, tx *db.Tx, s Subject) ([]Clock, error) {
	if s.New {
		return nil, nil
	}
	return listOf(ctx, tx, s.City, s.key())
}

// Pause stops clocks until Resume, from an instant on. Without codes it means every clock of the companies and the
// centre; the resident's clock is only stopped when it is named. Limits in days run on, and what is late stays late.
func (l *Ledger) Pause(ctx context.Context, tx *db.Tx, rules *citypack.Rules, s Subject, codes []string, at civil.Instant, reason text.Message) error {
	return l.each(ctx, tx, s, func(b *book, c *Clock) error {
		if c.State != Running || !named(codes, *c) {
			return nil
		}
		ok, err := c.pause(rules, at)
		if ok {
			b.changed(c, Entry{At: at, Event: Pause, Detail: &Detail{Why: &reason, LeftMS: c.Left}})
		}
		return err
	})
}

func named(codes []string, c Clock) bool {
	if len(codes) == 0 {
		return c.Party != citypack.PartyResident
	}
	return slices.Contains(codes, c.Code)
}

// Resume lets paused clocks run on with what was left when they were paused, whatever the pack says by now.
func (l *Ledger) Resume(ctx context.Context, tx *db.Tx, rules *citypack.Rules, s Subject, codes []string, at civil.Instant, reason text.Message) error {
	return l.each(ctx, tx, s, func(b *book, c *Clock) error {
		if c.State != Paused || len(codes) > 0 && !slices.Contains(codes, c.Code) {
			return nil
		}
		if err := c.resume(rules, at); err != nil {
			return fmt.Errorf("resume clock %s: %w", c.Code, err)
		}
		c.Stepped = at
		b.changed(c, Entry{At: at, Event: Resume, Detail: &Detail{Why: &reason, LeftMS: c.Left, Missing: c.Missing}})
		b.follow(rules, *c)
		return nil
	})
}

// Move gives the named clocks another due time: an appointment that the resident confirmed, an extension that was
// granted. What is late already stays late.
func (l *Ledger) Move(ctx context.Context, tx *db.Tx, s Subject, codes []string, due civil.Instant, why text.Message) error {
	if !due.After(tx.Now) {
		return fault.New(fault.Invalid, "clock.move_to_past", "due", due.Minute())
	}
	rules, err := l.o.Rules(ctx, tx, s.City)
	if err != nil {
		return err
	}
	return l.each(ctx, tx, s, func(b *book, c *Clock) error {
		open := c.State == Running || c.State == Paused
		if !open || !slices.Contains(codes, c.Code) || c.Late(tx.Now) || c.Due == due {
			return nil
		}
		was := c.Due
		c.State, c.Due, c.Missing, c.Stepped = Running, due, "", tx.Now
		b.changed(c, Entry{At: tx.Now, Event: Move, Detail: &Detail{Why: &why, Was: was}})
		b.follow(rules, *c)
		return nil
	})
}

// Void ends a company's clocks, met ones and late ones too, without counting: the dispatch was wrong, and that is the
// centre's fault. An absent ref means every dispatch of the company.
func (l *Ledger) Void(ctx context.Context, tx *db.Tx, s Subject, org, ref string, why text.Message) error {
	o := Org{org, ref}
	return l.each(ctx, tx, s, func(b *book, c *Clock) error {
		if c.Party != citypack.PartyUnit || c.State == Void || !o.is(*c) {
			return nil
		}
		c.State, c.Breached = Void, 0
		if c.Stopped.IsZero() {
			c.Stopped = tx.Now
		}
		b.changed(c, Entry{At: tx.Now, Event: Voided, Detail: &Detail{Why: &why}})
		return nil
	})
}

// StopAll ends every clock that still goes: the case was closed.
func (l *Ledger) StopAll(ctx context.Context, tx *db.Tx, s Subject, at civil.Instant) error {
	return l.each(ctx, tx, s, func(b *book, c *Clock) error {
		if c.State == Running || c.State == Paused {
			b.stop(c, at, "")
		}
		return nil
	})
}

// StopOf ends what a company's clocks still had to run: the case was taken from it. What it missed before counts.
func (l *Ledger) StopOf(ctx context.Context, tx *db.Tx, s Subject, org string, at civil.Instant) error {
	return l.each(ctx, tx, s, func(b *book, c *Clock) error {
		if c.Party == citypack.PartyUnit && c.Org == org && (c.State == Running || c.State == Paused) {
			b.stop(c, at, "")
		}
		return nil
	})
}

// each hands the subject's clocks to fn, which says through the book what changed, and writes it down.
func (l *Ledger) each(ctx context.Context, tx *db.Tx, s Subject, fn func(b *book, c *Clock) error) error {
	clocks, err := existing(ctx, tx, s)
	if err != nil {
		return err
	}
	b := book{tx: tx, city: s.City}
	for i := range clocks {
		if err := fn(&b, &clocks[i]); err != nil {
			return err
		}
	}
	return b.write(ctx, clocks)
}

// Of lists the clocks of a case in the order in which they started.
func (l *Ledger) Of(ctx context.Context, tx *db.Tx, city int, caseID string) ([]Clock, error) {
	return listOf(ctx, tx, city, key(caseID))
}

// OfMatter lists the clocks of a matter that is no case, with what happened to them, oldest first.
func (l *Ledger) OfMatter(ctx context.Context, tx *db.Tx, city int, matter string) ([]Clock, []Entry, error) {
	clocks, err := listOf(ctx, tx, city, matter)
	if err != nil || len(clocks) == 0 {
		return nil, nil, err
	}
	entries, err := entriesOf(ctx, tx, city, matter)
	return clocks, entries, err
}

// Entries lists what happened to the clocks of a case, oldest first.
func (l *Ledger) Entries(ctx context.Context, tx *db.Tx, city int, caseID string) ([]Entry, error) {
	return entriesOf(ctx, tx, city, key(caseID))
}

// NextDue gives the duty of a company or the centre that ends first; nothing when none goes.
func (l *Ledger) NextDue(ctx context.Context, tx *db.Tx, city int, caseID string) (code string, due civil.Instant, err error) {
	clocks, err := listOf(ctx, tx, city, key(caseID))
	if err != nil {
		return "", 0, err
	}
	for _, c := range clocks {
		if c.State != Running || c.Due.IsZero() || c.Party == citypack.PartyResident || window(c.Code) {
			continue
		}
		if due.IsZero() || c.Due.Before(due) {
			code, due = c.Code, c.Due
		}
	}
	return code, due, nil
}
