package db

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/rehu-heat/rehu/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations gives the schema files, for the tests that check them against the rules of docs/sql.md.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}

// Migrate brings the schema up to this program's version, one process at a time. A schema that is newer than the program
// is refused and left alone. It returns the version.
func (d *DB) Migrate(ctx context.Context) (int64, error) {
	if d.engine == SQLite {
		unlock, err := lockFile(d.file + ".migrate")
		if err != nil {
			return 0, err
		}
		defer unlock()
		var version int64
		err = d.lite.exclusive(ctx, func(*sql.Conn) error {
			var err error
			version, err = d.migrateSQLite(ctx)
			return err
		})
		return version, err
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return 0, fmt.Errorf("make the migration lock: %w", err)
	}
	return up(ctx, goose.DialectPostgres, d.write, goose.WithSessionLocker(locker))
}

// migrateSQLite uses a connection of its own, since the writer's one is held.
func (d *DB) migrateSQLite(ctx context.Context) (int64, error) {
	own, err := sql.Open("sqlite", "file:"+d.file+"?_pragma=busy_timeout(10000)&_txlock=immediate&_pragma=foreign_keys(1)")
	if err != nil {
		return 0, fmt.Errorf("open SQLite: %w", err)
	}
	defer own.Close()
	own.SetMaxOpenConns(1)
	return up(ctx, goose.DialectSQLite3, own)
}

func up(ctx context.Context, dialect goose.Dialect, conn *sql.DB, opts ...goose.ProviderOption) (int64, error) {
	p, err := goose.NewProvider(dialect, conn, Migrations(), append(opts, goose.WithDisableGlobalRegistry(true))...)
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	have, want, err := versions(ctx, p)
	if err != nil {
		return 0, err
	}
	if have > want {
		return have, fault.New(fault.Invalid, "db.newer_schema", "have", have, "want", want)
	}
	if _, err := p.Up(ctx); err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	return want, nil
}

func versions(ctx context.Context, p *goose.Provider) (have, want int64, err error) {
	if have, err = p.GetDBVersion(ctx); err != nil {
		return 0, 0, fmt.Errorf("read the schema version: %w", wrap(err))
	}
	for _, s := range p.ListSources() {
		want = max(want, s.Version)
	}
	return have, want, nil
}

func lockFile(name string) (func(), error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the migration lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("take the migration lock: %w", err)
	}
	return func() { f.Close() }, nil
}
