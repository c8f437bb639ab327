package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/rehu-heat/rehu/internal/fault"
)

// wrap turns what the drivers say into faults; a fault passes untouched.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	if _, is := errors.AsType[*fault.Error](err); is {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(err, fault.Down, "db.down")
	}
	switch class(err) {
	case unique:
		return fault.Wrap(err, fault.Conflict, "conflict.unique")
	case lost, serial:
		return fault.Wrap(err, fault.Down, "db.down")
	case full:
		return fault.Wrap(err, fault.Down, "db.full")
	case other:
	}
	if errors.Is(err, ErrRetry) {
		return fault.Wrap(err, fault.Conflict, "conflict.version")
	}
	return err
}

type errClass int

const (
	other  errClass = iota
	unique          // a row with the same key
	lost            // connection gone
	serial          // serialization failure or lock not got
	full            // disk full
)

func class(err error) errClass {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return classPostgres(pg.Code)
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return classSQLite(lite.Code())
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return lost
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return lost
	}
	for _, e := range []error{driver.ErrBadConn, io.ErrUnexpectedEOF, io.EOF, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNREFUSED} {
		if errors.Is(err, e) {
			return lost
		}
	}
	if strings.Contains(err.Error(), "conn closed") {
		return lost
	}
	return other
}

func classPostgres(code string) errClass {
	switch {
	case code == "23505":
		return unique
	case code == "40001" || code == "40P01" || code == "55P03":
		return serial
	case strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P"):
		return lost
	case code == "53100":
		return full
	}
	return other
}

func classSQLite(code int) errClass {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return unique
	}
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return serial
	case sqlite3.SQLITE_FULL:
		return full
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		return lost
	}
	return other
}

// retryable tells the errors after which the whole transaction may run again. A connection lost during commit is not
// among them: the commit may have happened, and the caller's idempotency key must decide.
func retryable(err error) bool {
	if errors.Is(err, ErrRetry) {
		return true
	}
	if strings.HasPrefix(err.Error(), "commit: ") {
		return class(err) == serial
	}
	c := class(err)
	return c == serial || c == lost
}

// IsUnique reports whether a statement failed because a row with the same key exists.
func IsUnique(err error) bool { return err != nil && class(err) == unique }
