package register

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/place"
)

// take makes this import the only one of its list. One whose beat stands still is dead: the same file goes on where it
// stopped, another clears it away.
func (w *work) take(ctx context.Context) error {
	seen, err := db.Write(ctx, w.s.o.DB, func(tx *db.Tx) (holder, error) { return w.holder(ctx, tx) })
	if err != nil {
		return fmt.Errorf("take the list of %s: %w", w.in.Kind, err)
	}
	if seen.Run != "" && seen.Owner != "" {
		if err := w.wait(ctx, seen); err != nil {
			return err
		}
	}
	old, err := db.Write(ctx, w.s.o.DB, func(tx *db.Tx) (run, error) {
		if err := w.claim(ctx, tx, seen); err != nil {
			return run{}, err
		}
		if seen.Run == "" {
			return run{}, w.begin(ctx, tx)
		}
		return w.findRun(ctx, tx, seen.Run)
	})
	if fault.Is(err, fault.Conflict) {
		return fault.Wrap(err, fault.Conflict, "register.runs", "kind", string(w.in.Kind))
	}
	if err != nil || seen.Run == "" {
		return err
	}
	if old.Hash == w.hash && old.State != "published" && !w.in.DryRun {
		w.at = old
		return nil
	}
	w.at = old
	if err := w.finishOld(ctx, old); err != nil {
		return errors.Join(err, w.release(context.WithoutCancel(ctx)))
	}
	w.over.Store(false)
	return db.Do(ctx, w.s.o.DB, func(tx *db.Tx) error {
		if err := w.claimFree(ctx, tx); err != nil {
			return err
		}
		return w.begin(ctx, tx)
	})
}

func (w *work) claimFree(ctx context.Context, tx *db.Tx) error {
	h, err := w.holder(ctx, tx)
	if err != nil {
		return err
	}
	if h.Run != "" {
		return fault.New(fault.Conflict, "register.runs", "kind", string(w.in.Kind))
	}
	return w.claim(ctx, tx, h)
}

// wait watches a list's owner; an owner that moves lives.
func (w *work) wait(ctx context.Context, seen holder) error {
	const looks = 12
	for range looks {
		t := time.NewTimer(w.s.o.Patience / looks)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
		now, err := w.look(ctx)
		if err != nil {
			return err
		}
		if now != seen {
			return fault.New(fault.Conflict, "register.runs", "kind", string(w.in.Kind))
		}
	}
	return nil
}

// finishOld clears a dead run away: what it published stays, what it did not is undone.
func (w *work) finishOld(ctx context.Context, old run) error {
	if old.State == "published" {
		return w.clean(ctx)
	}
	return w.discard(ctx)
}

// clean drops what the published run replaced, and frees the list.
func (w *work) clean(ctx context.Context) error {
	if err := w.sweep(ctx, w.at, retired); err != nil {
		return err
	}
	return w.finished(ctx, "published")
}

// discard undoes a run that was not published, and frees the list.
func (w *work) discard(ctx context.Context) error {
	if err := w.sweep(ctx, w.at, undone); err != nil {
		return err
	}
	return w.finished(ctx, "failed")
}

func (w *work) finished(ctx context.Context, state string) error {
	w.over.Store(true)
	return db.Do(ctx, w.s.o.DB, func(tx *db.Tx) error {
		if err := w.mine(ctx)(tx); err != nil {
			return err
		}
		return w.end(ctx, tx, state)
	})
}

func (w *work) look(ctx context.Context) (holder, error) {
	return db.Read(ctx, w.s.o.DB, func(tx *db.Tx) (holder, error) {
		h, _, err := w.findHolder(ctx, tx)
		return h, err
	})
}

// Sweep clears imports of a city away that stand still since the sweep before, so that a list is not held for ever by a
// process that is gone. Called rarely: until then the same file goes on where it stopped.
func (s *Service) Sweep(ctx context.Context, city int) error {
	for _, k := range place.Kinds() {
		w := &work{s: s, in: Request{City: city, Kind: k}, me: mark()}
		seen, err := w.look(ctx)
		if err != nil {
			return fmt.Errorf("look for dead imports: %w", err)
		}
		if seen.Run == "" || !s.stoodStill(listOf{city, k}, seen) {
			continue
		}
		w.at, err = db.Write(ctx, s.o.DB, func(tx *db.Tx) (run, error) {
			if err := w.claim(ctx, tx, seen); err != nil {
				return run{}, err
			}
			return w.findRun(ctx, tx, seen.Run)
		})
		if fault.Is(err, fault.Conflict) {
			continue // it lives
		}
		if err == nil {
			err = w.finishOld(ctx, w.at)
		}
		if err != nil {
			return errors.Join(err, w.release(context.WithoutCancel(ctx)))
		}
	}
	return nil
}

// stoodStill remembers how a list stands and reports whether it stood so before.
func (s *Service) stoodStill(l listOf, seen holder) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, known := s.still[l]
	s.still[l] = seen
	return known && before == seen
}
