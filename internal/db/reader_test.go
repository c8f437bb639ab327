package db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
)

// The texts that are asked again and again, in turn and at once.
const (
	nameOf = `SELECT name_en FROM city WHERE city_id = $1`
	upTo   = `SELECT city_id FROM city WHERE city_id <= $1 ORDER BY city_id`
)

func towns(t *testing.T, d *db.DB, n int) {
	t.Helper()
	err := db.Do(context.Background(), d, func(tx *db.Tx) error {
		for i := range n {
			if err := db.Insert(context.Background(), tx, "city", city{i + 1, "城", fmt.Sprint("town", i+1), 1}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func name(ctx context.Context, d *db.DB, of int) (string, error) {
	return db.Read(ctx, d, func(tx *db.Tx) (string, error) { return db.One[string](ctx, tx, nameOf, of) })
}

// TestReadingTheSameAgain: a question that is asked again has its own values and sees what was written since.
func TestReadingTheSameAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		towns(t, d, 3)
		for _, of := range []int{2, 1, 3, 2} {
			if got, err := name(ctx, d, of); err != nil || got != fmt.Sprint("town", of) {
				t.Errorf("town %d is %q, %v", of, got, err)
			}
		}
		if _, err := name(ctx, d, 9); err == nil {
			t.Error("a town that is not there was found")
		}
		err := db.Do(ctx, d, func(tx *db.Tx) error {
			_, err := db.Exec(ctx, tx, `UPDATE city SET name_en = 'new' WHERE city_id = $1`, 2)
			return err
		})
		if got, again := name(ctx, d, 2); err != nil || again != nil || got != "new" {
			t.Errorf("after it was renamed: %q, %v, %v", got, err, again)
		}
	})
}

// TestReadingWithinItsOwnRows: the same question may be asked while its rows are still being read, where the database
// serves one connection with two of them; SQLite does.
func TestReadingWithinItsOwnRows(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	ctx := context.Background()
	towns(t, d, 4)
	got, err := db.Read(ctx, d, func(tx *db.Tx) ([][]int, error) {
		var all [][]int
		err := db.Each(ctx, tx, func(n int) error {
			below, err := db.List[int](ctx, tx, upTo, n)
			all = append(all, below)
			return err
		}, upTo, 3)
		return all, err
	})
	if diff := cmp.Diff([][]int{{1}, {1, 2}, {1, 2, 3}}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// TestReadingAfterGivingUp: a reader who leaves in the middle of the rows, or whose time is over, spoils nothing for the next.
func TestReadingAfterGivingUp(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		towns(t, d, 50)
		enough := errors.New("enough")
		for range 20 {
			ctx, cancel := context.WithCancel(context.Background())
			_, err := db.Read(ctx, d, func(tx *db.Tx) (int, error) {
				return 0, db.Each(ctx, tx, func(n int) error {
					switch n {
					case 5:
						cancel()
					case 6:
						return enough
					}
					return nil
				}, upTo, 50)
			})
			cancel()
			if err == nil {
				t.Fatal("nobody gave up")
			}
			got, err := db.Read(context.Background(), d, func(tx *db.Tx) ([]int, error) { return db.List[int](context.Background(), tx, upTo, 2) })
			if diff := cmp.Diff([]int{1, 2}, got); err != nil || diff != "" {
				t.Fatalf("%v\n%s", err, diff)
			}
		}
	})
}

// TestReadingMoreThanIsKept asks more different questions than a connection remembers, from several sides at once.
func TestReadingMoreThanIsKept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		towns(t, d, 3)
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				for i := range 450 {
					got, err := db.Read(ctx, d, func(tx *db.Tx) (int64, error) {
						return db.One[int64](ctx, tx, fmt.Sprintf("SELECT city_id + %d FROM city WHERE city_id = $1", i), 1+i%3)
					})
					if err != nil || got != int64(1+i%3+i) {
						t.Errorf("question %d: %d, %v", i, got, err)
						return
					}
				}
			})
		}
		all.Wait()
	})
}

// TestReadingAfterAChangeOfTheTable: a statement that was made before a column was there knows it afterwards.
func TestReadingAfterAChangeOfTheTable(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	ctx := context.Background()
	towns(t, d, 1)
	columns := func() int {
		n := 0
		_, err := db.Read(ctx, d, func(tx *db.Tx) (int, error) {
			return 0, db.EachRow(ctx, tx, func(row []any) error { n = len(row); return nil }, `SELECT * FROM city`)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := columns()
	err := db.Do(ctx, d, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, `ALTER TABLE city ADD COLUMN more TEXT`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if after := columns(); after != before+1 {
		t.Errorf("%d columns, then %d", before, after)
	}
}
