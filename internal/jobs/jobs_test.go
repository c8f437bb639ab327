package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
)

type note struct {
	N int `json:"n"`
}

func (note) Kind() string { return "test.note" }

func runner(d *db.DB, machine func() time.Time) *jobs.Runner {
	return jobs.NewRunner(d, jobs.RunnerOptions{Name: "t", Log: slog.New(slog.DiscardHandler), Machine: machine, Cities: func() []int { return []int{990100} }})
}

func add(t *testing.T, d *db.DB, n int, when jobs.When) {
	t.Helper()
	err := db.Do(context.Background(), d, func(tx *db.Tx) error {
		return jobs.Add(context.Background(), tx, 990100, note{n}, when)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEachJobRunsOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const n = 60
		var mu sync.Mutex
		got := map[int]int{}
		for i := range n {
			add(t, d, i, jobs.When{})
		}
		var wg sync.WaitGroup
		for range 4 {
			r := runner(d, time.Now)
			jobs.Handle(r, func(_ context.Context, _ jobs.Job, a note) error {
				mu.Lock()
				defer mu.Unlock()
				got[a.N]++
				return nil
			})
			wg.Go(func() {
				if err := r.RunDue(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i := range n {
			if got[i] != 1 {
				t.Errorf("job %d ran %d times; want once", i, got[i])
			}
		}
	})
}

func TestRetryAndDeath(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		clock := dbtest.NewClock()
		d.SetClock(clock.Now)
		runs := 0
		r := runner(d, time.Now)
		jobs.Handle(r, func(context.Context, jobs.Job, note) error { runs++; return errors.New("gateway down") })
		add(t, d, 1, jobs.When{})
		for range jobs.MaxAttempts + 3 {
			if err := r.RunDue(context.Background()); err != nil {
				t.Fatal(err)
			}
			clock.Advance(4 * time.Hour)
		}
		if runs != jobs.MaxAttempts {
			t.Errorf("ran %d times; want %d", runs, jobs.MaxAttempts)
		}
		s := jobs.New(d)
		admin := actor.Actor{ID: "a", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleAdmin}}}
		page, err := s.List(context.Background(), admin, 990100, jobs.Filter{State: jobs.Dead})
		if err != nil || len(page.Items) != 1 || page.Items[0].LastError != "gateway down" {
			t.Fatalf("dead jobs: %+v, %v; want one", page.Items, err)
		}
		if err := s.Retry(context.Background(), admin, 990100, page.Items[0].ID); err != nil {
			t.Fatal(err)
		}
		if err := s.Retry(context.Background(), admin, 990100, page.Items[0].ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("second retry: %v; want Conflict", err)
		}
		if _, err := s.List(context.Background(), actor.Anonymous(actor.Page), 990100, jobs.Filter{}); !fault.Is(err, fault.Denied) {
			t.Errorf("resident reads jobs: %v; want Denied", err)
		}
	})
}

func TestUniqueAndLater(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		clock := dbtest.NewClock()
		d.SetClock(clock.Now)
		runs := 0
		r := runner(d, time.Now)
		jobs.Handle(r, func(context.Context, jobs.Job, note) error { runs++; return nil })
		later := jobs.When{At: clock.Now().Add(time.Hour), Unique: "x"}
		add(t, d, 1, later)
		add(t, d, 2, later)
		for _, want := range []struct {
			at   civil.Instant
			runs int
		}{{dbtest.Start.Add(59 * time.Minute), 0}, {dbtest.Start.Add(time.Hour), 1}} {
			clock.Set(want.at)
			if err := r.RunDue(context.Background()); err != nil {
				t.Fatal(err)
			}
			if runs != want.runs {
				t.Errorf("at %s: %d runs; want %d", want.at, runs, want.runs)
			}
		}
	})
}

func TestExpiredLeaseIsTakenOver(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		machine := time.Now()
		runs := 0
		r := runner(d, func() time.Time { return machine })
		jobs.Handle(r, func(context.Context, jobs.Job, note) error { runs++; return nil })
		add(t, d, 1, jobs.When{})
		err := db.Do(ctx, d, func(tx *db.Tx) error { // a worker took it and died
			_, err := db.Exec(ctx, tx, `UPDATE job SET state = 'running', attempt = 1, lease_until = $1`, machine.Add(time.Minute).UnixMilli())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.RunDue(ctx); err != nil || runs != 0 {
			t.Fatalf("before the lease ends: %d runs, %v; want none", runs, err)
		}
		machine = machine.Add(2 * time.Minute)
		if err := r.RunDue(ctx); err != nil || runs != 1 {
			t.Errorf("after the lease ended: %d runs, %v; want one", runs, err)
		}
	})
}
