package jobs_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/jobs"
)

// server is a runner as a server has it. A name drawn anew by each keeps them apart.
func server(d *db.DB, machine func() time.Time, lease time.Duration) *jobs.Runner {
	return jobs.NewRunner(d, jobs.RunnerOptions{
		Name: "host", Log: slog.New(slog.DiscardHandler), Machine: machine, Lease: lease, Cities: func() []int { return []int{990100} },
	})
}

// run starts a server and gives what ends it.
func run(t *testing.T, r *jobs.Runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx, 1) }()
	return func() { cancel(); <-done }
}

func jobsIn(t *testing.T, d *db.DB, state jobs.State) int64 {
	t.Helper()
	n, err := db.Read(t.Context(), d, func(tx *db.Tx) (int64, error) {
		return db.One[int64](t.Context(), tx, `SELECT count(*) FROM job WHERE state = $1`, string(state))
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// until waits for what must come to be.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// known gives both databases with the environment by which another process finds them.
func known(t *testing.T, fn func(t *testing.T, d *db.DB, address string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		d := dbtest.SQLite(t)
		fn(t, d, "REHU_JOBS_FILE="+d.File())
	})
	if dbtest.Quick() {
		return
	}
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		url := dbtest.PostgresURL(t)
		d, err := db.Open(t.Context(), db.Options{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		fn(t, d, "REHU_JOBS_URL="+url)
	})
}

// TestVictim is the process that TestTheJobOfADeadProcessIsTakenOver kills: it works at a job that never ends.
func TestVictim(t *testing.T) {
	o := db.Options{File: os.Getenv("REHU_JOBS_FILE"), URL: os.Getenv("REHU_JOBS_URL")}
	if o.File == "" && o.URL == "" {
		return // only when it is started as the victim
	}
	d, err := db.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	r := server(d, time.Now, 0)
	jobs.Handle(r, func(context.Context, jobs.Job, note) error { select {} })
	r.Run(t.Context(), 1)
}

// TestTheJobOfADeadProcessIsTakenOver: killed with no warning, its job runs elsewhere within seconds though its lease has five
// minutes; while it lives, even stopped for long, nobody touches the job.
func TestTheJobOfADeadProcessIsTakenOver(t *testing.T) {
	t.Parallel()
	known(t, func(t *testing.T, d *db.DB, address string) {
		add(t, d, 1, jobs.When{})
		victim := exec.Command(os.Args[0], "-test.run=^TestVictim$", "-test.timeout=5m")
		victim.Env = append(os.Environ(), address)
		if err := victim.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = victim.Process.Kill(); _ = victim.Wait() }()
		until(t, "the job is under way", func() bool { return jobsIn(t, d, jobs.Running) == 1 })
		if err := victim.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		var ahead atomic.Int64 // hours that the machine of the other server is ahead: every lease is over by its watch
		var runs atomic.Int64
		r := server(d, func() time.Time { return time.Now().Add(time.Duration(ahead.Load()) * time.Hour) }, 0)
		jobs.Handle(r, func(context.Context, jobs.Job, note) error { runs.Add(1); return nil })
		for range 3 {
			ahead.Add(1)
			if err := r.RunDue(t.Context()); err != nil || runs.Load() != 0 {
				t.Fatalf("while the process lives: %d runs, %v; want none", runs.Load(), err)
			}
		}
		ahead.Store(0)
		if err := victim.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = victim.Wait()
		stop := run(t, r)
		until(t, "another process took the job", func() bool { return jobsIn(t, d, jobs.Done) == 1 })
		stop()
		if runs.Load() != 1 {
			t.Errorf("the job ran %d times; want once", runs.Load())
		}
	})
}

// TestALongJobKeepsItsLease: a job that takes longer than its lease is not given to another server, nor begun again by its own.
func TestALongJobKeepsItsLease(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const lease = 300 * time.Millisecond
		add(t, d, 1, jobs.When{})
		var runs, looked atomic.Int64
		long := func(context.Context, jobs.Job, note) error {
			runs.Add(1)
			until(t, "both servers looked several times", func() bool { return looked.Load() >= 40 })
			return nil
		}
		var stops []func()
		for range 2 {
			r := server(d, func() time.Time { looked.Add(1); return time.Now() }, lease)
			jobs.Handle(r, long)
			stops = append(stops, run(t, r))
		}
		until(t, "the job is done", func() bool { return jobsIn(t, d, jobs.Done) == 1 })
		for _, stop := range stops {
			stop()
		}
		if runs.Load() != 1 {
			t.Errorf("the job ran %d times; want once", runs.Load())
		}
	})
}
