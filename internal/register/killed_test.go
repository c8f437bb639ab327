package register_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
)

// many is a list of households that needs a good number of portions.
func many(n int, m2 string) string {
	var b strings.Builder
	b.WriteString("account,community,district,building,unit,room,holder,phone,area_m2,use_type,price_class,heat_status,paid,station,zone,riser\n")
	for i := range n {
		fmt.Fprintf(&b, "H%03d,阳光花园,,%d,1,%d01,张%d,138000%05d,%s,,,,,,,\n", i, 1+i%9, 1+i%20, i, i, m2)
	}
	return b.String()
}

func TestAKilledImportGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, phase := range []string{"staging", "applying"} {
			k := newDesk(t, d)
			k.load(place.Companies, companies)
			k.load(place.Communities, communities)
			k.load(place.Households, many(60, "70"))
			k.kill(phase, many(100, "80"))
			if h, err := k.places.Household(context.Background(), k.root, city, "H000"); err != nil || h.AreaM2 != "70" {
				t.Errorf("killed while %s: half of it is seen: %+v, %v", phase, h, err)
			}
			if phase == "staging" {
				r := k.load(place.Households, many(100, "80"))
				if counts(r) != [4]int{100, 40, 60, 0} {
					t.Errorf("resumed while %s: %v", phase, counts(r))
				}
				continue
			}
			if r := k.load(place.Households, many(90, "90")); counts(r) != [4]int{90, 0, 90, 0} {
				t.Errorf("another file after a killed one: %v", counts(r))
			}
			k.kill(phase, many(100, "91"))
			if r := k.load(place.Households, many(100, "91")); counts(r) != [4]int{100, 0, 100, 0} {
				t.Errorf("resumed while %s: %v", phase, counts(r))
			}
		}
		k := newDesk(t, d)
		n, err := db.Read(context.Background(), d, func(tx *db.Tx) (int64, error) {
			return db.One[int64](context.Background(), tx, `SELECT count(*) FROM household WHERE city_id = $1`, city)
		})
		if err != nil || n != 100 {
			t.Errorf("%d rows, %v; want 100", n, err)
		}
		if r := k.load(place.Households, many(100, "91")); r.Unchanged != 100 {
			t.Errorf("at the end: %v", counts(r))
		}
	})
}

// kill cancels an import of households in the middle of a phase.
func (k *desk) kill(phase, content string) {
	k.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := k.Import(ctx, k.root, register.Request{City: city, Kind: place.Households, Progress: func(done, total int) {
		if done > 40 && (total > 0) == (phase == "applying") {
			cancel()
		}
	}}, strings.NewReader(content))
	if !errors.Is(err, context.Canceled) {
		k.t.Fatalf("killed: %v", err)
	}
}

func TestADeadImportIsTakenOver(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		k.load(place.Companies, companies)
		k.load(place.Communities, communities)
		k.kill("applying", many(100, "80"))
		err := db.Do(ctx, d, func(tx *db.Tx) error { // as a process leaves it that lost its power
			_, err := db.Exec(ctx, tx, `UPDATE register SET owner = 'dead' WHERE city_id = $1 AND kind = 'households'`, city)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if r := k.load(place.Households, many(100, "80")); counts(r) != [4]int{100, 100, 0, 0} {
			t.Errorf("got %v", counts(r))
		}
	})
}

func TestTwoImportsOfOneList(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.load(place.Companies, companies)
		k.load(place.Communities, communities)
		started, goOn := make(chan struct{}), make(chan struct{})
		first := make(chan error, 1)
		go func() {
			once := false
			_, err := k.Import(context.Background(), k.root, register.Request{City: city, Kind: place.Households, Progress: func(int, int) {
				if !once {
					once = true
					close(started)
					<-goOn
				}
			}}, strings.NewReader(many(50, "80")))
			first <- err
		}()
		<-started
		if _, err := k.try(register.Request{Kind: place.Households}, many(50, "80")); !fault.Is(err, fault.Conflict) {
			t.Errorf("the second: %v; want Conflict", err)
		}
		if r := k.load(place.Duty, duty); r.Added != 2 {
			t.Errorf("another list meanwhile: %v", counts(r))
		}
		close(goOn)
		if err := <-first; err != nil {
			t.Errorf("the first: %v", err)
		}
		if r := k.load(place.Households, many(50, "80")); r.Unchanged != 50 {
			t.Errorf("after it: %v", counts(r))
		}
	})
}

func TestASweepFreesWhatADeadImportHeld(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		k.load(place.Companies, companies)
		k.load(place.Communities, communities)
		k.load(place.Households, many(60, "70"))
		k.kill("applying", many(100, "80"))
		hold := func() error {
			return db.Do(ctx, d, func(tx *db.Tx) error { _, err := place.HoldIn(ctx, tx, city, place.Households); return err })
		}
		if err := k.Sweep(ctx, city); err != nil {
			t.Fatal(err)
		}
		if err := hold(); !fault.Is(err, fault.Conflict) {
			t.Errorf("after the first sweep: %v; want Conflict, since the file may go on", err)
		}
		if err := k.Sweep(ctx, city); err != nil {
			t.Fatal(err)
		}
		if err := hold(); err != nil {
			t.Errorf("after the second sweep: %v", err)
		}
		if r := k.load(place.Households, many(60, "70")); r.Unchanged != 60 {
			t.Errorf("what the dead import wrote is left: %v", counts(r))
		}
	})
}
