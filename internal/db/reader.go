package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"

	"modernc.org/sqlite"
)

// SQLite makes a plan each time it is handed a text, which for the short questions behind a page takes longer than the
// answer. A reading connection therefore keeps the statements it used last; they are gone with the connection.
const (
	keptStatements = 200     // those over all columns of a case take 50 kB each, most a fraction of that
	keptText       = 8 << 10 // a longer text is a list of values, which nobody asks for twice
)

// liteConn is what a connection of SQLite's driver can do.
type liteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
	driver.Pinger
}

// liteRows is what rows of SQLite's driver can do.
type liteRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// liteReaders opens connections that keep their statements.
type liteReaders struct{ driver.Connector }

func openReaders(dsn string) (*sql.DB, error) {
	plain, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(liteReaders{plain}), nil
}

// Connect implements driver.Connector.
func (r liteReaders) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := r.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, ok := c.(liteConn)
	if !ok {
		_ = c.Close()
		return nil, fmt.Errorf("the driver's connection is a %T", c)
	}
	return &liteReader{liteConn: conn, kept: map[string]*liteStmt{}}, nil
}

// liteReader is one reading connection. The pool lets one caller at a time use it.
type liteReader struct {
	liteConn
	kept map[string]*liteStmt
	uses int64
}

type liteStmt struct {
	driver.Stmt
	busy bool  // its rows are still being read
	last int64 // when it was used last, counted in uses
}

// QueryContext implements driver.QueryerContext.
func (r *liteReader) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := r.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return r.liteConn.QueryContext(ctx, query, args)
	}
	asks, ok := s.Stmt.(driver.StmtQueryContext)
	if !ok {
		return nil, fmt.Errorf("the driver's statement is a %T", s.Stmt)
	}
	rows, err := asks.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	more, ok := rows.(liteRows)
	if !ok {
		_ = rows.Close()
		return nil, fmt.Errorf("the driver's rows are a %T", rows)
	}
	s.busy = true
	return &keptRows{more, s}, nil
}

// statement finds or makes the statement of a text; none where it is not to be kept, or where its rows are being read.
func (r *liteReader) statement(ctx context.Context, query string) (*liteStmt, error) {
	r.uses++
	s := r.kept[query]
	switch {
	case s != nil && s.busy:
		return nil, nil
	case s != nil:
		s.last = r.uses
		return s, nil
	case len(query) > keptText || !strings.HasPrefix(query, "SELECT ") && !strings.HasPrefix(query, "WITH "):
		return nil, nil
	}
	if len(r.kept) >= keptStatements {
		if err := r.drop(); err != nil {
			return nil, err
		}
	}
	made, err := r.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s = &liteStmt{Stmt: made, last: r.uses}
	r.kept[query] = s
	return s, nil
}

// drop lets go of the statement that was not used for longest.
func (r *liteReader) drop() error {
	oldest := ""
	for text, s := range r.kept {
		if !s.busy && (oldest == "" || s.last < r.kept[oldest].last) {
			oldest = text
		}
	}
	s := r.kept[oldest]
	if s == nil {
		return nil // all of them are being read
	}
	delete(r.kept, oldest)
	return s.Close()
}

// Close implements driver.Conn.
func (r *liteReader) Close() error {
	var first error
	for _, s := range r.kept {
		if err := s.Close(); err != nil && first == nil {
			first = err
		}
	}
	clear(r.kept)
	if err := r.liteConn.Close(); err != nil && first == nil {
		first = err
	}
	return first
}

// keptRows frees their statement for its next use when they are closed.
type keptRows struct {
	liteRows
	of *liteStmt
}

// Close implements driver.Rows.
func (r *keptRows) Close() error {
	err := r.liteRows.Close()
	r.of.busy = false
	return err
}
