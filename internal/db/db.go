// Package db is the only place that knows which database the city's records are kept in: embedded SQLite for one machine,
// PostgreSQL for a province. SQL is written once, in the subset both accept (docs/sql.md), with $1 parameters.
//
// A use case opens a transaction with Write or Read and passes the *Tx on; a function with a tx parameter takes part in
// the caller's transaction, one without opens its own. tx.Now is the one reading of the business clock. No network call
// is made inside a transaction: SQLite has one writer.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/rehu-heat/rehu/internal/civil"
)

// Engine is the kind of database.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Options say where the database is and which clock and id source its transactions use. Either File or URL is set.
type Options struct {
	File  string               // SQLite file; its folder is made
	URL   string               // postgres://…
	Clock func() civil.Instant // business time; nil = the machine's
	Seed  uint64               // seeds the ids when not zero, so that a simulated history repeats
	Fast  bool                 // a commit need not survive a power cut: for tests and simulated history only
	Conns int                  // most connections of the PostgreSQL pool; 0 = 16
	Trace Trace                // hears every statement of a writing transaction; for benchmarks
}

// DB is an open database.
type DB struct {
	engine Engine
	write  *sql.DB
	read   *sql.DB
	pool   *pgxpool.Pool
	file   string
	clock  func() civil.Instant
	ids    *IDs
	lite   *liteWriter
	trace  Trace
}

// Open connects; it does not migrate.
func Open(ctx context.Context, o Options) (*DB, error) {
	d := &DB{clock: o.Clock, ids: NewIDs(o.Seed), trace: o.Trace}
	if d.clock == nil {
		d.clock = func() civil.Instant { return civil.At(time.Now()) }
	}
	if o.URL != "" {
		return d, d.openPostgres(ctx, o)
	}
	return d, d.openSQLite(ctx, o)
}

func (d *DB) openPostgres(ctx context.Context, o Options) error {
	d.engine = Postgres
	cfg, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return fmt.Errorf("read the database address: %w", err)
	}
	cfg.MaxConns = int32(max(o.Conns, 16))
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.ConnConfig.RuntimeParams["application_name"] = "rehu"
	if o.Fast {
		cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	}
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = 3 * time.Second
	}
	d.pool, err = pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("open PostgreSQL: %w", err)
	}
	d.write = stdlib.OpenDBFromPool(d.pool)
	d.read = d.write
	if err := d.write.PingContext(ctx); err != nil {
		d.Close()
		return wrap(fmt.Errorf("reach PostgreSQL: %w", err))
	}
	return nil
}

func (d *DB) openSQLite(ctx context.Context, o Options) error {
	d.engine, d.file = SQLite, o.File
	if err := os.MkdirAll(filepath.Dir(o.File), 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	f, err := os.OpenFile(o.File, os.O_CREATE|os.O_RDWR, 0o600) // residents' data: SQLite itself would let everybody read it
	if err != nil {
		return fmt.Errorf("make the database file: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("make the database file: %w", err)
	}
	sync := "&_pragma=synchronous(FULL)"
	if o.Fast {
		sync = "&_pragma=synchronous(OFF)&_pragma=wal_autocheckpoint(20000)" // fewer writes of the same pages
	}
	base := "file:" + strings.NewReplacer("?", "%3f", "#", "%23").Replace(o.File) + "?_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)"
	if d.write, err = sql.Open("sqlite", base+"&_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=cache_size(-16000)"+sync); err != nil {
		return fmt.Errorf("open SQLite: %w", err)
	}
	d.write.SetMaxOpenConns(1)
	d.write.SetMaxIdleConns(1)
	if err := d.write.PingContext(ctx); err != nil {
		return wrap(fmt.Errorf("open SQLite: %w", err))
	}
	if d.lite, err = newLiteWriter(ctx, d.write); err != nil {
		return err
	}
	if d.read, err = openReaders(base + "&_pragma=query_only(1)&_pragma=cache_size(-8000)"); err != nil {
		return fmt.Errorf("open SQLite for reading: %w", err)
	}
	d.read.SetMaxOpenConns(readers())
	d.read.SetMaxIdleConns(readers())
	d.read.SetConnMaxIdleTime(time.Minute) // what nobody reads with gives its memory back
	return nil
}

// Relax gives back memory that much work has filled, the page caches of SQLite's connections, and keeps the writer's small
// from now on.
func (d *DB) Relax(ctx context.Context) error {
	if d.lite == nil {
		return nil
	}
	d.read.SetMaxIdleConns(-1) // closes those that are idle now
	d.read.SetMaxIdleConns(readers())
	return d.lite.exclusive(ctx, func(c *sql.Conn) error {
		_, err := c.ExecContext(ctx, "PRAGMA cache_size = -4000; PRAGMA shrink_memory")
		return err
	})
}

// readers is how many connections read SQLite's file.
func readers() int { return max(4, runtime.NumCPU()) }

func (d *DB) closeLite() error {
	if d.lite == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := d.lite.exclusive(ctx, func(c *sql.Conn) error {
		_, err := c.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
		return err
	})
	return errors.Join(err, d.lite.close())
}

// Engine tells which database it is.
func (d *DB) Engine() Engine { return d.engine }

// File is the SQLite file, empty on PostgreSQL.
func (d *DB) File() string { return d.file }

// Now reads the business clock.
func (d *DB) Now() civil.Instant { return d.clock() }

// SetClock changes the business clock; a demonstration lives through a season with it.
func (d *DB) SetClock(clock func() civil.Instant) { d.clock = clock }

// NewID makes an id of the business clock outside a transaction.
func (d *DB) NewID() string { return d.ids.New(d.clock()) }

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	if err := d.read.PingContext(ctx); err != nil {
		return wrap(err)
	}
	return nil
}

// Close ends every connection. On SQLite the log is folded into the file first.
func (d *DB) Close() error {
	var errs []error
	if d.read != nil && d.read != d.write {
		errs = append(errs, d.read.Close())
	}
	if d.write != nil {
		if d.engine == SQLite {
			errs = append(errs, d.closeLite())
		}
		errs = append(errs, d.write.Close())
	}
	if d.pool != nil {
		d.pool.Close()
	}
	return errors.Join(errs...)
}
