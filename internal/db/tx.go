package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Tx is one transaction: a statement runner, the clock reading and the id source.
type Tx struct {
	Now civil.Instant

	d    *DB
	run  runner
	done []func()
}

// ErrRetry asks Write to run its function again on a fresh transaction: another transaction got in between.
var ErrRetry = errors.New("another transaction was first")

const attempts = 5

// Write runs fn in a read-write transaction and commits when fn returns no error. fn may run more than once (lost
// connections, serialization failures, ErrRetry), so it must have no effect outside the transaction. On error the zero
// value is returned, never a half-changed one.
func Write[T any](ctx context.Context, d *DB, fn func(tx *Tx) (T, error)) (T, error) {
	var zero T
	for n := 1; ; n++ {
		v, tx, err := writeOnce(ctx, d, fn)
		if err == nil {
			for _, f := range tx.done {
				f()
			}
			return v, nil
		}
		if n >= attempts || ctx.Err() != nil || !retryable(err) {
			return zero, wrap(err)
		}
		if pause(ctx, n) != nil {
			return zero, wrap(err)
		}
	}
}

func pause(ctx context.Context, n int) error {
	t := time.NewTimer(time.Duration(n*n) * 5 * time.Millisecond)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func writeOnce[T any](ctx context.Context, d *DB, fn func(tx *Tx) (T, error)) (T, *Tx, error) {
	var zero T
	raw, err := d.begin(ctx)
	if err != nil {
		return zero, nil, fmt.Errorf("begin: %w", err)
	}
	tx := &Tx{Now: d.Now(), d: d, run: raw}
	defer raw.Rollback() // after Commit it does nothing
	v, err := fn(tx)
	if err != nil {
		return zero, nil, err
	}
	if err := raw.Commit(); err != nil {
		return zero, nil, fmt.Errorf("commit: %w", err)
	}
	return v, tx, nil
}

func (d *DB) begin(ctx context.Context) (runner, error) {
	run, err := d.beginRaw(ctx)
	if err != nil || d.trace == nil {
		return run, err
	}
	return traced{run, d.trace}, nil
}

func (d *DB) beginRaw(ctx context.Context) (runner, error) {
	if d.engine == SQLite {
		return d.lite.begin(ctx)
	}
	return d.write.BeginTx(ctx, nil)
}

// Do is Write for a function without a result.
func Do(ctx context.Context, d *DB, fn func(tx *Tx) error) error {
	_, err := Write(ctx, d, func(tx *Tx) (struct{}, error) { return struct{}{}, fn(tx) })
	return err
}

// Read runs fn in a read-only transaction that sees one state of the database.
func Read[T any](ctx context.Context, d *DB, fn func(tx *Tx) (T, error)) (T, error) {
	var zero T
	opts := &sql.TxOptions{ReadOnly: true}
	if d.engine == Postgres {
		opts.Isolation = sql.LevelRepeatableRead
	}
	raw, err := d.read.BeginTx(ctx, opts)
	if err != nil {
		return zero, wrap(fmt.Errorf("begin: %w", err))
	}
	defer raw.Rollback() // nothing was written
	v, err := fn(&Tx{Now: d.Now(), d: d, run: raw})
	if err != nil {
		return zero, wrap(err)
	}
	return v, nil
}

// NewID makes a UUIDv7 of the transaction's clock reading.
func (tx *Tx) NewID() string { return tx.d.ids.New(tx.Now) }

// Engine tells which database the transaction runs on; only this package and statistics may branch on it.
func (tx *Tx) Engine() Engine { return tx.d.engine }

// After runs f once the transaction has committed; for in-memory wake-ups only, since f is lost in a crash.
func (tx *Tx) After(f func()) { tx.done = append(tx.done, f) }

// Exec runs a statement and gives the number of rows it touched.
func Exec(ctx context.Context, tx *Tx, query string, args ...any) (int64, error) {
	res, err := tx.run.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", short(query), err)
	}
	return res.RowsAffected()
}

// Guarded runs an update whose WHERE names the version the actor saw; no row means somebody was first: Conflict.
func Guarded(ctx context.Context, tx *Tx, query string, args ...any) error {
	n, err := Exec(ctx, tx, query, args...)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.Conflict, "conflict.version")
	}
	return nil
}

// Next draws the next number of a counter of a city, starting at 1. Numbers are not handed out twice and a rolled-back
// transaction leaves no gap.
func Next(ctx context.Context, tx *Tx, city int, counter string) (int64, error) {
	return One[int64](ctx, tx, `INSERT INTO counter (city_id, name, value) VALUES ($1, $2, 1)
		ON CONFLICT (city_id, name) DO UPDATE SET value = counter.value + 1 RETURNING value`, city, counter)
}

// Bump tells every process that something it keeps in memory is stale (see Generations).
func Bump(ctx context.Context, tx *Tx, city int, kind string) error {
	_, err := Exec(ctx, tx, `INSERT INTO generation (city_id, kind, value) VALUES ($1, $2, 1)
		ON CONFLICT (city_id, kind) DO UPDATE SET value = generation.value + 1`, city, kind)
	return err
}

// Generation is the present value of a kind, 0 when it was never bumped.
func Generation(ctx context.Context, tx *Tx, city int, kind string) (int64, error) {
	v, err := One[int64](ctx, tx, `SELECT value FROM generation WHERE city_id = $1 AND kind = $2`, city, kind)
	if fault.Is(err, fault.NotFound) {
		return 0, nil
	}
	return v, err
}

func short(query string) string {
	const most = 60
	b := make([]rune, 0, most)
	space := false
	for _, r := range query {
		if r == ' ' || r == '\n' || r == '\t' {
			space = len(b) > 0
			continue
		}
		if space {
			b, space = append(b, ' '), false
		}
		if b = append(b, r); len(b) >= most {
			break
		}
	}
	return string(b)
}

// SkipLocked is the clause that lets several processes take rows of a queue at once; SQLite has one writer and needs none.
func SkipLocked(tx *Tx) string {
	if tx.d.engine == Postgres {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}
