package db

import (
	"context"
	"database/sql"
	"fmt"
)

// runner is what a transaction runs its statements on.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	Commit() error
	Rollback() error
}

// liteWriter is SQLite's one writing connection. It is held for the life of the database, so that its statements stay
// prepared; the turn channel lets one transaction in at a time and gives up when the caller's context ends.
type liteWriter struct {
	conn  *sql.Conn
	turn  chan struct{}
	stmts map[string]*sql.Stmt
}

func newLiteWriter(ctx context.Context, d *sql.DB) (*liteWriter, error) {
	conn, err := d.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the writing connection: %w", err)
	}
	return &liteWriter{conn: conn, turn: make(chan struct{}, 1), stmts: map[string]*sql.Stmt{}}, nil
}

// begin waits for the turn and takes the write lock.
func (w *liteWriter) begin(ctx context.Context) (runner, error) {
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	t := &liteTx{w: w}
	if _, err := t.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		<-w.turn
		return nil, err
	}
	return t, nil
}

// exclusive runs fn with the writing connection to itself, outside any transaction.
func (w *liteWriter) exclusive(ctx context.Context, fn func(*sql.Conn) error) error {
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-w.turn }()
	return fn(w.conn)
}

func (w *liteWriter) close() error { return w.conn.Close() }

func (w *liteWriter) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := w.stmts[query]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	const most = 2000 // texts are constants of the program; the bound is against a mistake
	if len(w.stmts) < most {
		w.stmts[query] = s
	}
	return s, nil
}

// liteTx is one transaction on the writing connection. Its statements do not listen to the caller's context: they are
// short, and the driver would start a goroutine for each.
type liteTx struct {
	w    *liteWriter
	over bool
}

func (t *liteTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx = context.WithoutCancel(ctx)
	s, err := t.w.prepared(ctx, query) //nolint:sqlclosecheck // the writer keeps its prepared statements
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

func (t *liteTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	ctx = context.WithoutCancel(ctx)
	s, err := t.w.prepared(ctx, query) //nolint:sqlclosecheck // the writer keeps its prepared statements
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

func (t *liteTx) Commit() error { return t.end("COMMIT") }

func (t *liteTx) Rollback() error { return t.end("ROLLBACK") }

func (t *liteTx) end(how string) error {
	if t.over {
		return sql.ErrTxDone
	}
	_, err := t.ExecContext(context.Background(), how)
	if err != nil && how == "COMMIT" {
		return err // Rollback, which the caller defers, ends it
	}
	t.over = true
	<-t.w.turn
	return err
}
