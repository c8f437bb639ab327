package clock

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/jobs"
)

// book collects what one act does to the clocks of a case, so that it is written with few statements.
type book struct {
	tx      *db.Tx
	city    int
	entries []Entry
	jobs    []jobs.Item
	dirty   map[string]bool // clocks that changed
}

func (b *book) note(c Clock, e Entry) {
	e.City, e.ID, e.Clock, e.Due = b.city, b.tx.NewID(), c.ID, c.Due
	b.entries = append(b.entries, e)
}

func (b *book) start(rules *citypack.Rules, c Clock) {
	e := Entry{At: c.Started, Event: Start}
	if c.Missing != "" {
		e.Detail = &Detail{Missing: c.Missing}
	}
	b.note(c, e)
	b.follow(rules, c)
}

func (b *book) changed(c *Clock, e Entry) {
	if b.dirty == nil {
		b.dirty = map[string]bool{}
	}
	b.dirty[c.ID] = true
	b.note(*c, e)
}

func (b *book) stop(c *Clock, at civil.Instant, ref string) {
	d := c.stop(at)
	if ref != "" && c.Ref == "" && c.Org != "" {
		if d == nil {
			d = &Detail{}
		}
		d.ByRef = ref
	}
	b.changed(c, Entry{At: at, Event: Stop, Detail: d})
}

// follow queues the next thing to do about a running clock; its job queues the one after.
func (b *book) follow(rules *citypack.Rules, c Clock) {
	if at, ok := c.next(rules.Pack.Escalation(c.Code), c.Stepped); ok && c.State == Running {
		b.jobs = append(b.jobs, jobs.Item{
			Args: step{Clock: c.ID, Due: c.Due},
			When: jobs.When{At: at, Unique: c.ID + "@" + at.String()},
		})
	}
}

// write stores clocks that are new (version 1 and not read from the table) or changed, the entries and the jobs.
func (b *book) write(ctx context.Context, clocks []Clock) error {
	var fresh []Clock
	isNew := b.fresh()
	for _, c := range clocks {
		switch {
		case isNew[c.ID]:
			fresh = append(fresh, c)
		case b.dirty[c.ID]:
			if err := update(ctx, b.tx, c); err != nil {
				return err
			}
		}
	}
	if err := db.InsertAll(ctx, b.tx, "clock", fresh); err != nil {
		return fmt.Errorf("start clocks: %w", err)
	}
	if err := db.InsertAll(ctx, b.tx, "clock_entry", b.entries); err != nil {
		return fmt.Errorf("append to the clock ledger: %w", err)
	}
	return jobs.AddAll(ctx, b.tx, b.city, b.jobs)
}

func (b *book) fresh() map[string]bool {
	out := map[string]bool{}
	for _, e := range b.entries {
		if e.Event == Start {
			out[e.Clock] = true
		}
	}
	return out
}

// update writes where a clock stands. Another transaction that was first makes this one run again on what is there now.
func update(ctx context.Context, tx *db.Tx, c Clock) error {
	n, err := db.Exec(ctx, tx, `UPDATE clock SET from_at = $4, left_ms = $5, due_at = $6, missing = $7, stepped_at = $8, state = $9,
		stopped_at = $10, breached_at = $11, version = version + 1 WHERE city_id = $1 AND id = $2 AND version = $3`,
		c.City, c.ID, c.Version, c.From, c.Left, c.Due, c.Missing, c.Stepped, string(c.State), c.Stopped, c.Breached)
	if err != nil {
		return fmt.Errorf("change clock %s: %w", c.ID, err)
	}
	if n == 0 {
		return fmt.Errorf("change clock %s: %w", c.ID, db.ErrRetry)
	}
	return nil
}

func columns() string { return db.Columns[Clock]("c") }

func listOf(ctx context.Context, tx *db.Tx, city int, subject string) ([]Clock, error) {
	out, err := db.List[Clock](ctx, tx, `SELECT `+columns()+` FROM clock c WHERE c.city_id = $1 AND c.subject = $2 ORDER BY c.id`, city, subject)
	if err != nil {
		return nil, fmt.Errorf("list clocks of %s: %w", subject, err)
	}
	return out, nil
}

func find(ctx context.Context, tx *db.Tx, city int, id string) (Clock, bool, error) {
	c, ok, err := db.Maybe[Clock](ctx, tx, `SELECT `+columns()+` FROM clock c WHERE c.city_id = $1 AND c.id = $2`, city, id)
	if err != nil {
		return c, false, fmt.Errorf("find clock %s: %w", id, err)
	}
	return c, ok, nil
}

func entriesOf(ctx context.Context, tx *db.Tx, city int, subject string) ([]Entry, error) {
	out, err := db.List[Entry](ctx, tx, `SELECT `+db.Columns[Entry]("e")+` FROM clock_entry e
		JOIN clock c ON c.city_id = e.city_id AND c.id = e.clock_id
		WHERE e.city_id = $1 AND c.subject = $2 ORDER BY e.id`, city, subject)
	if err != nil {
		return nil, fmt.Errorf("list clock entries of %s: %w", subject, err)
	}
	return out, nil
}

// listMissing lists running clocks without a due time for want of a year's holidays or of shifts.
func listMissing(ctx context.Context, tx *db.Tx, city int, after string, most int) ([]Clock, error) {
	out, err := db.List[Clock](ctx, tx, `SELECT `+columns()+` FROM clock c WHERE c.city_id = $1 AND c.id > $2
		AND c.state = 'running' AND c.due_at IS NULL AND c.missing <> '' ORDER BY c.id LIMIT $3`, city, after, most)
	if err != nil {
		return nil, fmt.Errorf("list clocks without a due time: %w", err)
	}
	return out, nil
}

// owing lists the clocks of terms that are not ended.
func owing(ctx context.Context, tx *db.Tx, city int) ([]Clock, error) {
	out, err := db.List[Clock](ctx, tx, `SELECT `+columns()+` FROM clock c WHERE c.city_id = $1 AND c.code = 'refund' AND c.state IN ('running', 'paused') ORDER BY c.id`, city)
	if err != nil {
		return nil, fmt.Errorf("list clocks of terms: %w", err)
	}
	return out, nil
}
