package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Runner takes jobs from the queue and hands them to their handlers.
type Runner struct {
	db       *db.DB
	log      *slog.Logger
	name     string
	machine  func() time.Time
	lease    time.Duration
	handlers map[string]func(context.Context, Job) error
	periodic []periodic
	cities   func() []int
	self     self
}

type periodic struct {
	args  Args
	every time.Duration
}

// RunnerOptions configure a runner.
type RunnerOptions struct {
	Name    string           // names this process in leases
	Log     *slog.Logger     //
	Machine func() time.Time // machine time, for leases
	Cities  func() []int     // the cities periodic jobs run for
	Lease   time.Duration    // zero is five minutes
}

// NewRunner makes a runner without handlers.
func NewRunner(d *db.DB, o RunnerOptions) *Runner {
	if o.Lease == 0 {
		o.Lease = 5 * time.Minute
	}
	return &Runner{
		db: d, log: o.Log, name: o.Name, machine: o.Machine, lease: o.Lease, cities: o.Cities,
		handlers: map[string]func(context.Context, Job) error{},
		self:     self{name: o.Name, under: map[string]work{}, gone: map[string]time.Time{}},
	}
}

// Handle registers the handler of a kind. An Invalid fault kills the job at once; any other error is retried.
func Handle[A Args](r *Runner, fn func(ctx context.Context, j Job, args A) error) {
	var zero A
	r.handlers[zero.Kind()] = func(ctx context.Context, j Job) error {
		var a A
		if err := json.Unmarshal([]byte(j.Args), &a); err != nil {
			return fault.Wrap(err, fault.Invalid, "jobs.bad_args")
		}
		return fn(ctx, j, a)
	}
}

// Every adds a job of args for each city at this interval of business time.
func (r *Runner) Every(every time.Duration, args Args) {
	r.periodic = append(r.periodic, periodic{args, every})
}

// Run works until the context ends, with a number of workers; a job under way is finished first.
func (r *Runner) Run(ctx context.Context, workers int) {
	r.hold(ctx)
	defer r.letGo()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { r.work(ctx) })
	}
	wg.Go(func() { r.tend(ctx) })
	wg.Wait()
}

func (r *Runner) work(ctx context.Context) {
	const idle = 400 * time.Millisecond
	for ctx.Err() == nil {
		n, err := r.Step(ctx)
		if err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "jobs: queue not reachable", "error", err)
		}
		if n == 0 {
			wait(ctx, idle)
		}
	}
}

// tend schedules periodic jobs and takes back those whose worker died.
func (r *Runner) tend(ctx context.Context) {
	for ctx.Err() == nil {
		r.hold(ctx)
		if err := r.Tick(ctx); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "jobs: periodic work not scheduled", "error", err)
		}
		wait(ctx, time.Second)
	}
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// RunDue schedules what is due and works until nothing is; a simulated history and tests drive the queue with it.
func (r *Runner) RunDue(ctx context.Context) error {
	if err := r.Tick(ctx); err != nil {
		return err
	}
	for {
		n, err := r.Step(ctx)
		if err != nil || n == 0 {
			return err
		}
	}
}

// Tick adds the periodic jobs that are due, lengthens the leases of what is under way here, and returns to the queue what
// nobody works at any more.
func (r *Runner) Tick(ctx context.Context) error {
	if err := r.renew(ctx); err != nil {
		return err
	}
	for _, p := range r.periodic {
		if err := r.schedule(ctx, p); err != nil {
			return err
		}
	}
	return r.reclaim(ctx)
}

func (r *Runner) schedule(ctx context.Context, p periodic) error {
	due, err := db.Read(ctx, r.db, func(tx *db.Tx) (bool, error) {
		next, found, err := db.Maybe[int64](ctx, tx, `SELECT next_at FROM periodic WHERE kind = $1`, p.args.Kind())
		return !found || next <= int64(tx.Now), err
	})
	if err != nil || !due {
		return err
	}
	return db.Do(ctx, r.db, func(tx *db.Tx) error {
		n, err := db.Exec(ctx, tx, `INSERT INTO periodic (kind, next_at) VALUES ($1, $2)
			ON CONFLICT (kind) DO UPDATE SET next_at = excluded.next_at WHERE periodic.next_at <= $3`,
			p.args.Kind(), int64(tx.Now.Add(p.every)), int64(tx.Now))
		if err != nil || n == 0 {
			return err
		}
		for _, city := range r.cities() {
			if err := Add(ctx, tx, city, p.args, When{Unique: "periodic"}); err != nil {
				return err
			}
		}
		return nil
	})
}

const batch = 10

// Step claims a few due jobs and works them off; it returns how many.
func (r *Runner) Step(ctx context.Context) (int, error) {
	claimed, err := r.claim(ctx)
	if err != nil {
		return 0, err
	}
	defer r.forget(claimed)
	for _, j := range claimed {
		if ctx.Err() != nil {
			if err := r.release(context.WithoutCancel(ctx), j); err != nil {
				return len(claimed), err
			}
			continue
		}
		if err := r.one(ctx, j); err != nil {
			return len(claimed), err
		}
	}
	return len(claimed), nil
}

func (r *Runner) claim(ctx context.Context) ([]Job, error) {
	due, err := db.Read(ctx, r.db, func(tx *db.Tx) (bool, error) {
		_, found, err := db.Maybe[string](ctx, tx, `SELECT id FROM job WHERE state = 'waiting' AND run_at <= $1 ORDER BY run_at, id LIMIT 1`, int64(tx.Now))
		return found, err
	})
	if err != nil || !due {
		return nil, err
	}
	name := r.identity()
	claimed, err := db.Write(ctx, r.db, func(tx *db.Tx) ([]Job, error) {
		return db.List[Job](ctx, tx, `UPDATE job SET state = 'running', attempt = attempt + 1, lease_until = $2, worker = $3
			WHERE id IN (SELECT id FROM job WHERE state = 'waiting' AND run_at <= $1 ORDER BY run_at, id LIMIT $4`+db.SkipLocked(tx)+`)
			RETURNING `+db.Columns[Job](""), int64(tx.Now), r.machine().Add(r.lease).UnixMilli(), name, batch)
	})
	r.note(claimed)
	return claimed, err
}

func (r *Runner) one(ctx context.Context, j Job) error {
	doing, mine := r.begin(context.WithoutCancel(ctx), j)
	if !mine {
		return nil // the process was cut off from the database meanwhile, so that others may have taken the job
	}
	err := r.call(doing, j)
	if err != nil {
		r.log.WarnContext(ctx, "job failed", "kind", j.Kind, "job", j.ID, "attempt", j.Attempt, "error", err)
	}
	return db.Do(context.WithoutCancel(ctx), r.db, func(tx *db.Tx) error {
		return finish(ctx, tx, j, err)
	})
}

func (r *Runner) call(ctx context.Context, j Job) (err error) {
	h := r.handlers[j.Kind]
	if h == nil {
		return fault.New(fault.Invalid, "jobs.unknown_kind", "kind", j.Kind)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("job panicked: %v", p)
		}
	}()
	return h(ctx, j)
}

// finish writes the outcome, unless the lease was lost meanwhile and another worker holds the job.
func finish(ctx context.Context, tx *db.Tx, j Job, failed error) error {
	state, next, text, done := Done, tx.Now, "", int64(tx.Now)
	if failed != nil {
		state, done = Waiting, 0
		text = failed.Error()
		next = tx.Now.Add(backoff(j.Attempt))
		if j.Attempt >= j.MaxAttempt || fault.Is(failed, fault.Invalid) {
			state = Dead
		}
	}
	_, err := db.Exec(ctx, tx, `UPDATE job SET state = $2, run_at = $3, last_error = $4, done_at = $5, lease_until = NULL
		WHERE id = $1 AND state = 'running' AND attempt = $6`, j.ID, string(state), int64(next), text, done, j.Attempt)
	if err != nil {
		return fmt.Errorf("finish job %s: %w", j.ID, err)
	}
	return nil
}

func (r *Runner) release(ctx context.Context, j Job) error {
	return db.Do(ctx, r.db, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, `UPDATE job SET state = 'waiting', attempt = attempt - 1 WHERE id = $1 AND state = 'running' AND attempt = $2`, j.ID, j.Attempt)
		return err
	})
}

// backoff grows with the fourth power of the attempt: 1 s, 16 s, 81 s, … about three hours at the tenth.
func backoff(attempt int) time.Duration {
	a := time.Duration(attempt)
	return a * a * a * a * time.Second
}

// Prune forgets jobs that were done before the keep time, in small batches; it returns how many.
func Prune(ctx context.Context, d *db.DB, keep time.Duration) (int64, error) {
	return db.Write(ctx, d, func(tx *db.Tx) (int64, error) {
		return db.Exec(ctx, tx, `DELETE FROM job WHERE id IN (SELECT id FROM job WHERE state = 'done' AND done_at < $1 LIMIT 2000)`,
			int64(tx.Now.Add(-keep)))
	})
}
