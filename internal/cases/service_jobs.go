package cases

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/jobs"
)

// foldJob folds the tally of a city.
type foldJob struct{}

// Kind names the job.
func (foldJob) Kind() string { return "cases.fold" }

// archiveJob puts closed cases away once nobody may reopen them.
type archiveJob struct{}

// Kind names the job.
func (archiveJob) Kind() string { return "cases.archive" }

// indexJob packs the words of new cases.
type indexJob struct{}

// Kind names the job.
func (indexJob) Kind() string { return "cases.index" }

// mostLoose is how many cases a search may have to read one by one before they are packed.
const mostLoose = 500

// batch is how many rows a job takes in one transaction, so that it never holds the writer for long.
const batch = 500

// Register adds the background work of cases to a runner.
func (s *Service) Register(r *jobs.Runner) {
	jobs.Handle(r, func(ctx context.Context, j jobs.Job, _ foldJob) error { return s.Fold(ctx, j.City) })
	jobs.Handle(r, func(ctx context.Context, j jobs.Job, _ archiveJob) error {
		if j.City == 0 { // the installation itself has no cases
			return nil
		}
		return s.archiveOld(ctx, j.City)
	})
	jobs.Handle(r, func(ctx context.Context, j jobs.Job, _ indexJob) error {
		n, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (int64, error) { return loose(ctx, tx, j.City) })
		if err != nil || n < mostLoose {
			return err
		}
		return s.Index(ctx, j.City)
	})
	r.Every(time.Minute, foldJob{})
	r.Every(time.Minute, indexJob{})
	r.Every(time.Hour, archiveJob{})
}

// Fold replaces the single changes of the tally by their sums.
func (s *Service) Fold(ctx context.Context, city int) error {
	for {
		n, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (int, error) { return foldTally(ctx, tx, city, batch) })
		if err != nil || n < batch {
			return err
		}
	}
}

// Index packs the words of every case that is not packed yet. A search finds the others too, but reads them one by one.
func (s *Service) Index(ctx context.Context, city int) error {
	for {
		n, err := s.pack(ctx, city)
		if errors.Is(err, errPacked) {
			continue // read again what the other process wrote
		}
		if err != nil || n == 0 {
			return err
		}
	}
}

// pack reads a batch outside the writer, writes the rows of the index a few at a time, and then strikes the cases off. An
// end in between repeats work and loses nothing.
func (s *Service) pack(ctx context.Context, city int) (int, error) {
	type work struct {
		list []unpacked
		rows []packedRow
	}
	w, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (work, error) {
		list, rows, err := toPack(ctx, tx, city)
		return work{list, rows}, err
	})
	if err != nil {
		return 0, err
	}
	for part := range slices.Chunk(w.rows, mostRows) {
		err := db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
			for _, r := range part {
				if err := keepPacked(ctx, tx, city, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	for part := range slices.Chunk(w.list, 5*mostRows) {
		if err := db.Do(ctx, s.o.DB, func(tx *db.Tx) error { return packed(ctx, tx, city, part) }); err != nil {
			return 0, err
		}
	}
	return len(w.list), nil
}

// archiveOld archives what was closed so long ago that it cannot be reopened.
func (s *Service) archiveOld(ctx context.Context, city int) error {
	by := actor.SystemFor("archive", actor.Job)
	for {
		n, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (int, error) {
			r, err := s.o.Rules(ctx, tx, city)
			if err != nil {
				return 0, err
			}
			days := r.Pack.Options(tx.Now).ReopenDays
			if days == 0 {
				return 0, nil
			}
			ids, err := closedBefore(ctx, tx, city, tx.Now.Add(-time.Duration(days)*24*time.Hour), batch/10)
			for _, id := range ids {
				if _, err := s.MoveIn(ctx, tx, by, city, id, Change{Event: Archive}); err != nil {
					return 0, err
				}
			}
			return len(ids), err
		})
		if err != nil || n < batch/10 {
			return err
		}
	}
}

// MarkLate keeps that a limit of a case was broken; the ledger's steps call it.
func (s *Service) MarkLate(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string, k clock.Clock) (Case, error) {
	act := audit.Act{Act: "case.overdue", Public: promised(k), Body: map[string]any{"clock": k.Code, "due": k.Due, "org": k.Org}}
	return s.EditIn(ctx, tx, by, city, id, act, func(c *Case) error {
		c.Late = true
		return nil
	})
}
