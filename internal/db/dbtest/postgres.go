package dbtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest/cluster"
)

// PostgresURL makes a migrated database of the test server and gives its address; it is dropped when the test ends.
func PostgresURL(t testing.TB) string {
	t.Helper()
	base, template, err := server()
	if err != nil {
		t.Fatalf("PostgreSQL for tests (make test installs it; REHU_TEST_QUICK=1 leaves it out): %v", err)
	}
	name := fmt.Sprintf("t_%d_%d_%d", os.Getpid(), time.Now().UnixNano()%1e9, databases.Add(1))
	if err := onServer(base, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, template)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := onServer(base, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name)); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	return withDatabase(base, name)
}

// EmptyPostgresURL makes a database without any schema, for tests of migration and restore.
func EmptyPostgresURL(t testing.TB) string {
	t.Helper()
	base, _, err := server()
	if err != nil {
		t.Fatalf("PostgreSQL for tests: %v", err)
	}
	name := fmt.Sprintf("e_%d_%d", os.Getpid(), databases.Add(1))
	if err := onServer(base, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = onServer(base, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name)) })
	return withDatabase(base, name)
}

var databases atomic.Int64

type running struct{ base, template string }

var start = sync.OnceValues(func() (running, error) {
	base := os.Getenv("REHU_TEST_POSTGRES")
	if base == "" {
		c, err := cluster.Start(context.Background())
		if err != nil {
			return running{}, err
		}
		base = c.URL
	}
	template, err := makeTemplate(base)
	return running{base, template}, err
})

func server() (base, template string, err error) {
	r, err := start()
	return r.base, r.template, err
}

// makeTemplate migrates one database for this schema and keeps it; processes that share a server share it.
func makeTemplate(base string) (string, error) {
	sum := sha256.New()
	files, err := fs.Glob(db.Migrations(), "*.sql")
	if err != nil {
		return "", err
	}
	for _, f := range files {
		b, err := fs.ReadFile(db.Migrations(), f)
		if err != nil {
			return "", err
		}
		sum.Write(b)
	}
	name := "template_" + hex.EncodeToString(sum.Sum(nil))[:12]
	ctx := context.Background()
	conn, err := sql.Open("pgx", base)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	one, err := conn.Conn(ctx)
	if err != nil {
		return "", err
	}
	defer one.Close()
	if _, err := one.ExecContext(ctx, "SELECT pg_advisory_lock(7268)"); err != nil {
		return "", err
	}
	var n int
	if err := one.QueryRowContext(ctx, "SELECT count(*) FROM pg_database WHERE datname = $1", name).Scan(&n); err != nil {
		return "", err
	}
	if n == 1 {
		return name, nil
	}
	// A run that was killed half-way left its half: nobody else makes one while we hold the lock.
	if _, err := one.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name+"_new WITH (FORCE)"); err != nil {
		return "", err
	}
	if _, err := one.ExecContext(ctx, "CREATE DATABASE "+name+"_new"); err != nil {
		return "", err
	}
	d, err := db.Open(ctx, db.Options{URL: withDatabase(base, name+"_new")})
	if err != nil {
		return "", err
	}
	_, err = d.Migrate(ctx)
	d.Close()
	if err != nil {
		_, _ = one.ExecContext(ctx, "DROP DATABASE "+name+"_new WITH (FORCE)")
		return "", err
	}
	_, err = one.ExecContext(ctx, "ALTER DATABASE "+name+"_new RENAME TO "+name)
	return name, err
}

func onServer(base, statement string) error {
	conn, err := sql.Open("pgx", base)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(context.Background(), statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

func withDatabase(base, name string) string {
	u, err := url.Parse(base)
	if err != nil {
		panic(err) // the address was used before
	}
	u.Path = "/" + name
	return u.String()
}
