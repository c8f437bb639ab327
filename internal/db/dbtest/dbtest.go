// Package dbtest gives every store test both databases: a SQLite file and a PostgreSQL database of its own, both with the
// full schema. A test that passes on one only proves nothing about the other, least of all about races.
//
// PostgreSQL is the server named by REHU_TEST_POSTGRES, or a temporary one that the first test of the process starts from
// the system's binaries and that dies with the process. With REHU_TEST_QUICK=1 only SQLite runs.
package dbtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

// Start is where the clock of a test database stands: a morning in the middle of a heating season.
var Start = civil.On(civil.NewDate(2026, 1, 15), 8, 0)

// Each runs fn once on SQLite and once on PostgreSQL, as subtests in parallel.
func Each(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, SQLite(t))
	})
	if Quick() {
		return
	}
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, Postgres(t))
	})
}

// Quick reports whether only SQLite is wanted.
func Quick() bool { return os.Getenv("REHU_TEST_QUICK") == "1" }

// Clock is a business clock that tests move by hand.
type Clock struct{ now atomic.Int64 }

// NewClock starts at Start.
func NewClock() *Clock {
	c := &Clock{}
	c.now.Store(int64(Start))
	return c
}

// Now reads the clock.
func (c *Clock) Now() civil.Instant { return civil.Instant(c.now.Load()) }

// Set moves it to an instant.
func (c *Clock) Set(at civil.Instant) { c.now.Store(int64(at)) }

// Advance moves it on.
func (c *Clock) Advance(d time.Duration) { c.now.Add(d.Milliseconds()) }

// SQLite gives an empty, migrated SQLite database whose clock stands at Start; use d.SetClock to move it.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rehu.db")
	template, err := sqliteTemplate()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, template, 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, db.Options{File: file, Fast: true})
}

// Postgres gives an empty, migrated PostgreSQL database.
func Postgres(t testing.TB) *db.DB {
	t.Helper()
	return open(t, db.Options{URL: PostgresURL(t), Conns: 16})
}

func open(t testing.TB, o db.Options) *db.DB {
	t.Helper()
	o.Clock = func() civil.Instant { return Start }
	d, err := db.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

// sqliteTemplate is the bytes of a migrated, empty SQLite file, made once.
var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "rehu-template-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	file := filepath.Join(dir, "t.db")
	d, err := db.Open(ctx, db.Options{File: file, Fast: true})
	if err != nil {
		return nil, err
	}
	if _, err := d.Migrate(ctx); err != nil {
		d.Close()
		return nil, fmt.Errorf("migrate: %w", err)
	}
	if err := d.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})
