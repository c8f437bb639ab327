package app

import (
	"context"
	"time"

	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/bundle"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/once"
)

// installation is the city under which work for the whole installation is queued; acts on people without a home city
// stand in its chains too.
const installation = 0

// keepDone is how long finished jobs stay on the jobs page.
const keepDone = 7 * 24 * time.Hour

type (
	rootJob   struct{}
	onceJob   struct{}
	sweepJob  struct{}
	importJob struct{}
	uploadJob struct{}
	backupJob struct{}
)

// Kind names the job that puts the heads of the audit chains into the city's log.
func (rootJob) Kind() string { return "audit.root" }

// Kind names the job that forgets old idempotency keys.
func (onceJob) Kind() string { return "once.expire" }

// Kind names the job that forgets ended sessions and finished jobs.
func (sweepJob) Kind() string { return "staff.sweep" }

// Kind names the job that clears away imports whose process is gone.
func (importJob) Kind() string { return "register.sweep" }

// Kind names the job that forgets photographs whose telephone never went on with them.
func (uploadJob) Kind() string { return "blob.sweep_uploads" }

// Kind names the job that writes a backup.
func (backupJob) Kind() string { return "backup.write" }

// jobCities are the cities that periodic work runs for: the served ones and the installation itself.
func (a *App) jobCities() []int { return append([]int{installation}, a.cities.get()...) }

func (a *App) houseKeeping() {
	jobs.Handle(a.Runner, func(ctx context.Context, j jobs.Job, _ rootJob) error { return a.appendRoots(ctx, j.City) })
	a.Runner.Every(time.Minute, rootJob{})
	jobs.Handle(a.Runner, func(ctx context.Context, j jobs.Job, _ onceJob) error {
		return untilNone(func() (int64, error) { return once.Expire(ctx, a.DB, j.City) })
	})
	a.Runner.Every(time.Hour, onceJob{})
	jobs.Handle(a.Runner, func(ctx context.Context, j jobs.Job, _ sweepJob) error {
		if j.City != installation {
			return nil
		}
		if err := a.Staff.Sweep(ctx); err != nil {
			return err
		}
		return untilNone(func() (int64, error) { return jobs.Prune(ctx, a.DB, keepDone) })
	})
	a.Runner.Every(24*time.Hour, sweepJob{})
	jobs.Handle(a.Runner, func(ctx context.Context, j jobs.Job, _ importJob) error { return a.Register.Sweep(ctx, j.City) })
	a.Runner.Every(time.Hour, importJob{})
	jobs.Handle(a.Runner, func(ctx context.Context, j jobs.Job, _ uploadJob) error {
		return untilNone(func() (int64, error) { return a.Blobs.SweepUploads(ctx, j.City) })
	})
	a.Runner.Every(time.Hour, uploadJob{})
	jobs.Handle(a.Runner, func(ctx context.Context, j jobs.Job, _ backupJob) error {
		if j.City != installation {
			return nil
		}
		return a.scheduledBackup(ctx)
	})
	if a.Config.Backup.Every > 0 {
		a.Runner.Every(a.Config.Backup.Every, backupJob{})
	}
}

// appendRoots adds leaves until every chain that moved stands in the log.
func (a *App) appendRoots(ctx context.Context, city int) error {
	for size := int64(-1); ; {
		root, err := audit.AppendLog(ctx, a.DB, city)
		if err != nil || root.Size == size {
			return err
		}
		size = root.Size
	}
}

func untilNone(batch func() (int64, error)) error {
	for {
		if n, err := batch(); err != nil || n == 0 {
			return err
		}
	}
}

// Root puts what is settled into a city's log and gives the signed root, to be written down.
func (a *App) Root(ctx context.Context, city int) (bundle.SignedRoot, error) {
	if _, err := a.Packs.City(city); err != nil {
		return bundle.SignedRoot{}, err
	}
	if err := a.appendRoots(ctx, city); err != nil {
		return bundle.SignedRoot{}, err
	}
	return a.Bundles.Root(ctx, city)
}
