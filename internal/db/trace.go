package db

import (
	"context"
	"database/sql"
)

// Trace hears the statements of writing transactions, "COMMIT" at the end of each, so that a benchmark can issue the same
// ones by hand.
type Trace func(query string, args []any)

// traced tells a trace what a transaction runs.
type traced struct {
	runner
	trace Trace
}

func (t traced) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	t.trace(query, args)
	return t.runner.ExecContext(ctx, query, args...)
}

func (t traced) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	t.trace(query, args)
	return t.runner.QueryContext(ctx, query, args...)
}

func (t traced) Commit() error {
	err := t.runner.Commit()
	if err == nil {
		t.trace("COMMIT", nil)
	}
	return err
}
