package clock

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/jobs"
)

// step is the job that takes the next step of escalation of a clock that still has the due time it had.
type step struct {
	Clock string        `json:"clock"`
	Due   civil.Instant `json:"due"`
}

func (step) Kind() string { return "clock.step" }

// recompute is the job that gives due times to the clocks that waited for a year's holidays.
type recompute struct {
	After string `json:"after,omitempty"`
}

func (recompute) Kind() string { return "clock.recompute" }

func (l *Ledger) register(r *jobs.Runner) {
	jobs.Handle(r, func(ctx context.Context, j jobs.Job, a step) error {
		return db.Do(ctx, l.o.DB, func(tx *db.Tx) error { return l.take(ctx, tx, j.City, a) })
	})
	jobs.Handle(r, func(ctx context.Context, j jobs.Job, a recompute) error {
		return db.Do(ctx, l.o.DB, func(tx *db.Tx) error { return l.recompute(ctx, tx, j.City, a.After) })
	})
}

// take records the breach and takes the steps that are due, and queues the next. Running twice changes nothing: what was
// done up to an instant is on the clock.
func (l *Ledger) take(ctx context.Context, tx *db.Tx, city int, a step) error {
	c, ok, err := find(ctx, tx, city, a.Clock)
	if err != nil || !ok || c.State != Running || c.Due != a.Due {
		return err
	}
	rules, err := l.o.Rules(ctx, tx, city)
	if err != nil {
		return err
	}
	steps := rules.Pack.Escalation(c.Code)
	todo := c.todo(steps, tx.Now)
	b := book{tx: tx, city: city}
	c.Stepped = max(c.Stepped, tx.Now)
	for _, m := range todo {
		if m.step == nil {
			c.Breached = c.Due
			b.changed(&c, Entry{At: c.Due, Event: Breach})
			continue
		}
		b.changed(&c, Entry{At: tx.Now, Event: Escalate, Detail: &Detail{Stage: m.step.Stage, Role: m.step.Role, Path: m.step.Path}})
	}
	b.follow(rules, c)
	if err := b.write(ctx, []Clock{c}); err != nil {
		return err
	}
	return l.tell(ctx, tx, c, todo)
}

func (l *Ledger) tell(ctx context.Context, tx *db.Tx, c Clock, todo []mark) error {
	if l.OnStep == nil {
		return nil
	}
	c.Version++ // as it is stored now
	by := actor.SystemFor("clock", actor.Job)
	for _, m := range todo {
		if m.step == nil {
			continue
		}
		if err := l.OnStep(ctx, tx, by, c, *m.step); err != nil {
			return fmt.Errorf("%s of clock %s: %w", m.step.Stage, c.Code, err)
		}
	}
	return nil
}

// batch bounds how many clocks one transaction recomputes, so that the writer is not held.
const batch = 200

// RecomputeIn queues the computing of due times that waited for a year's holidays or for working hours; the import of the
// year calls it in its own transaction.
func (l *Ledger) RecomputeIn(ctx context.Context, tx *db.Tx, city int) error {
	return jobs.Add(ctx, tx, city, recompute{}, jobs.When{Unique: "all"})
}

// Recompute gives due times at once to the clocks that waited for them, a batch for each transaction; it tells how many
// have one now.
func (l *Ledger) Recompute(ctx context.Context, city int) (int, error) {
	done, after := 0, ""
	for {
		var n int
		next, err := db.Write(ctx, l.o.DB, func(tx *db.Tx) (string, error) {
			var last string
			var err error
			last, n, err = l.recomputeBatch(ctx, tx, city, after)
			return last, err
		})
		if err != nil {
			return done, err
		}
		done += n
		if next == "" {
			return done, nil
		}
		after = next
	}
}

func (l *Ledger) recompute(ctx context.Context, tx *db.Tx, city int, after string) error {
	last, _, err := l.recomputeBatch(ctx, tx, city, after)
	if err != nil || last == "" {
		return err
	}
	return jobs.Add(ctx, tx, city, recompute{After: last}, jobs.When{})
}

// recomputeBatch handles the clocks after an id; last is where to go on, empty at the end.
func (l *Ledger) recomputeBatch(ctx context.Context, tx *db.Tx, city int, after string) (last string, n int, err error) {
	rules, err := l.o.Rules(ctx, tx, city)
	if err != nil {
		return "", 0, err
	}
	clocks, err := listMissing(ctx, tx, city, after, batch)
	if err != nil {
		return "", 0, err
	}
	b := book{tx: tx, city: city}
	for i := range clocks {
		c := &clocks[i]
		if err := c.compute(rules); err != nil {
			return "", 0, fmt.Errorf("recompute clock %s: %w", c.ID, err)
		}
		if c.Due.IsZero() {
			continue
		}
		n++
		b.changed(c, Entry{At: tx.Now, Event: Recompute})
		b.follow(rules, *c)
	}
	if err := b.write(ctx, clocks); err != nil {
		return "", 0, err
	}
	if len(clocks) == batch {
		last = clocks[len(clocks)-1].ID
	}
	return last, n, nil
}
