package db_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
)

type city struct {
	City int           `db:"city_id"`
	ZH   string        `db:"name_zh"`
	EN   string        `db:"name_en"`
	At   civil.Instant `db:"created_at"`
}

func TestInsertAndRead(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		want := city{990100, "暖城", "Nuancheng", dbtest.Start}
		if err := db.Do(ctx, d, func(tx *db.Tx) error { return db.Insert(ctx, tx, "city", want) }); err != nil {
			t.Fatal(err)
		}
		got, err := db.Read(ctx, d, func(tx *db.Tx) (city, error) {
			return db.One[city](ctx, tx, `SELECT city_id, name_zh, name_en, created_at FROM city WHERE city_id = $1`, 990100)
		})
		if err != nil || cmp.Diff(want, got) != "" {
			t.Fatalf("got %+v, %v; want %+v", got, err, want)
		}
		err = db.Do(ctx, d, func(tx *db.Tx) error { return db.Insert(ctx, tx, "city", want) })
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("inserting twice: %v; want Conflict", err)
		}
		_, err = db.Read(ctx, d, func(tx *db.Tx) (string, error) {
			return db.One[string](ctx, tx, `SELECT name_zh FROM city WHERE city_id = $1`, 1)
		})
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("missing row: %v; want NotFound", err)
		}
	})
}

func TestWriteRollsBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		boom := errors.New("boom")
		_, err := db.Write(ctx, d, func(tx *db.Tx) (int, error) {
			if err := db.Insert(ctx, tx, "city", city{1, "a", "a", 1}); err != nil {
				return 0, err
			}
			return 7, boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("got %v; want boom", err)
		}
		n, err := db.Read(ctx, d, func(tx *db.Tx) (int64, error) { return db.One[int64](ctx, tx, `SELECT count(*) FROM city`) })
		if err != nil || n != 0 {
			t.Errorf("rows after rollback: %d, %v; want 0", n, err)
		}
	})
}

func TestCounterHasNoGapsAndNoTwins(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		const writers, each = 8, 10
		var mu sync.Mutex
		seen := map[int64]int{}
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range each {
					n, err := db.Write(ctx, d, func(tx *db.Tx) (int64, error) { return db.Next(ctx, tx, 990100, "case:2026-01-15") })
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					seen[n]++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for i := int64(1); i <= writers*each; i++ {
			if seen[i] != 1 {
				t.Errorf("number %d handed out %d times; want once", i, seen[i])
			}
		}
	})
}

func TestRetryRunsAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		runs := 0
		got, err := db.Write(context.Background(), d, func(*db.Tx) (int, error) {
			runs++
			if runs < 3 {
				return 0, db.ErrRetry
			}
			return runs, nil
		})
		if err != nil || got != 3 {
			t.Errorf("got %d, %v; want 3 after two retries", got, err)
		}
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d, err := db.Open(ctx, db.Options{File: filepath.Join(t.TempDir(), "x", "rehu.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Migrate(ctx); err != nil {
		t.Fatalf("second run: %v", err)
	}
	err = db.Do(ctx, d, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Migrate(ctx); fault.Of(err).Key != "db.newer_schema" {
		t.Errorf("got %v; want db.newer_schema", err)
	}
}

func TestIDsSortByTime(t *testing.T) {
	t.Parallel()
	ids := db.NewIDs(7)
	last := ""
	for i := range 20000 {
		id := ids.New(civil.Instant(1_700_000_000_000 + i/9000))
		if id <= last || len(id) != 36 || id[14] != '7' {
			t.Fatalf("id %d: %s after %s", i, id, last)
		}
		last = id
	}
	if a, b := db.NewIDs(7).New(5e12), db.NewIDs(7).New(5e12); a != b {
		t.Errorf("same seed gave %s and %s", a, b)
	}
}
