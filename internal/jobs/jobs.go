// Package jobs does what may not happen inside a transaction or must happen later: warnings when a deadline nears,
// messages to residents, clean-up. A job is added in the transaction of the act that causes it, so that neither exists
// without the other.
//
// Work is done at least once: a handler may run again after a crash and must be idempotent by the job's id or its own
// key. It never runs twice at once: the job of a process that lives is its own however long it takes, and that of a process
// that died is taken over within seconds. Schedules run on business time, leases on machine time. Jobs that fail too often are dead and wait for a person on
// the jobs page.
package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

// State is where a job stands.
type State string

// The states.
const (
	Waiting State = "waiting"
	Running State = "running"
	Done    State = "done"
	Dead    State = "dead"
)

// MaxAttempts is how often a job is tried before it is dead.
const MaxAttempts = 10

// Args are the typed arguments of a job; Kind names its handler and never changes.
type Args interface{ Kind() string }

// Job is one piece of work as kept.
type Job struct {
	ID         string        `db:"id" json:"id"`
	City       int           `db:"city_id" json:"city"`
	Kind       string        `db:"kind" json:"kind"`
	Args       string        `db:"args" json:"args"`
	State      State         `db:"state" json:"state"`
	UniqueKey  *string       `db:"unique_key" json:"unique_key,omitempty"`
	RunAt      civil.Instant `db:"run_at" json:"run_at"`
	Attempt    int           `db:"attempt" json:"attempt"`
	MaxAttempt int           `db:"max_attempt" json:"max_attempt"`
	LeaseUntil int64         `db:"lease_until" json:"-"`
	Worker     string        `db:"worker" json:"-"`
	LastError  string        `db:"last_error" json:"last_error,omitempty"`
	Created    civil.Instant `db:"created_at" json:"created_at"`
	DoneAt     civil.Instant `db:"done_at" json:"done_at"`
}

// When says when and how often; the zero value is now and as often as added.
type When struct {
	At     civil.Instant // business time; zero is now
	Unique string        // while a job with this key waits or runs, adding another does nothing
}

// Item is one of several jobs that are added together.
type Item struct {
	Args Args
	When When
}

// Add puts a job into the queue in the caller's transaction.
func Add(ctx context.Context, tx *db.Tx, city int, args Args, when When) error {
	return AddAll(ctx, tx, city, []Item{{args, when}})
}

// AddAll puts jobs into the queue with one statement, for acts that cause several and must stay quick.
func AddAll(ctx context.Context, tx *db.Tx, city int, items []Item) error {
	const columns, most = 8, 100
	for len(items) > 0 {
		n := min(most, len(items))
		values := make([]string, 0, n)
		args := make([]any, 0, n*columns)
		for _, i := range items[:n] {
			b, err := json.Marshal(i.Args)
			if err != nil {
				return fmt.Errorf("encode job %s: %w", i.Args.Kind(), err)
			}
			at := i.When.At
			if at.IsZero() {
				at = tx.Now
			}
			var key any
			if i.When.Unique != "" {
				key = fmt.Sprintf("%d/%s/%s", city, i.Args.Kind(), i.When.Unique)
			}
			p := len(args)
			values = append(values, fmt.Sprintf("($%d, $%d, $%d, $%d, 'waiting', $%d, $%d, 0, $%d, $%d)", p+1, p+2, p+3, p+4, p+5, p+6, p+7, p+8))
			args = append(args, tx.NewID(), city, i.Args.Kind(), string(b), key, int64(at), MaxAttempts, int64(tx.Now))
		}
		_, err := db.Exec(ctx, tx, `INSERT INTO job (id, city_id, kind, args, state, unique_key, run_at, attempt, max_attempt, created_at)
			VALUES `+strings.Join(values, ", ")+`
			ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND state IN ('waiting', 'running') DO NOTHING`, args...)
		if err != nil {
			return fmt.Errorf("add job %s: %w", items[0].Args.Kind(), err)
		}
		items = items[n:]
	}
	return nil
}

// Filter narrows the jobs page.
type Filter struct {
	State State  `json:"state" form:"state"`
	Kind  string `json:"kind" form:"kind"`
	page.Request
}

// Service is the jobs page: see, retry.
type Service struct{ db *db.DB }

// New makes the service of the jobs page.
func New(d *db.DB) *Service { return &Service{db: d} }

// List shows jobs, newest first.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Job], error) {
	if err := by.May(actor.JobRead, actor.On{City: city}); err != nil {
		return page.Of[Job]{}, err
	}
	before := "~"
	if f.After != "" {
		if err := page.Decode(f.After, &before); err != nil {
			return page.Of[Job]{}, err
		}
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) (page.Of[Job], error) {
		rows, err := db.List[Job](ctx, tx, `SELECT `+db.Columns[Job]("")+` FROM job WHERE city_id = $1 AND id < $2
			AND ($3 = '' OR state = $3) AND ($4 = '' OR kind = $4) ORDER BY id DESC LIMIT $5`,
			city, before, string(f.State), f.Kind, f.Limit()+1)
		if err != nil {
			return page.Of[Job]{}, fmt.Errorf("list jobs: %w", err)
		}
		return page.Cut(rows, f.Request, func(j Job) []any { return []any{j.ID} }), nil
	})
}

// Count is the number of jobs in a state and kind.
type Count struct {
	Kind  string `db:"kind" json:"kind"`
	State State  `db:"state" json:"state"`
	N     int64  `db:"n" json:"n"`
}

// Counts totals the queue by kind and state.
func (s *Service) Counts(ctx context.Context, by actor.Actor, city int) ([]Count, error) {
	if err := by.May(actor.JobRead, actor.On{City: city}); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) ([]Count, error) {
		return db.List[Count](ctx, tx, `SELECT kind, state, count(*) AS n FROM job WHERE city_id = $1 GROUP BY kind, state ORDER BY kind, state`, city)
	})
}

// Retry puts a dead job back into the queue.
func (s *Service) Retry(ctx context.Context, by actor.Actor, city int, id string) error {
	if err := by.May(actor.JobRetry, actor.On{City: city}); err != nil {
		return err
	}
	return db.Do(ctx, s.db, func(tx *db.Tx) error {
		n, err := db.Exec(ctx, tx, `UPDATE job SET state = 'waiting', attempt = 0, run_at = $3, last_error = NULL
			WHERE city_id = $1 AND id = $2 AND state = 'dead'`, city, id, int64(tx.Now))
		if err != nil {
			return fmt.Errorf("retry job %s: %w", id, err)
		}
		if n == 0 {
			return fault.New(fault.Conflict, "jobs.not_dead")
		}
		return nil
	})
}
