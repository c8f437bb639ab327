package callback

import (
	"context"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

const (
	// drawAfter is how long after midnight a day is drawn: whatever began before midnight is written by then.
	drawAfter = 10 * time.Minute
	// drawBack is how many days are drawn afterwards when nobody drew them in their time, an outage for instance. Residents are
	// not called about what is longer ago.
	drawBack = 31
)

// Draw draws the sample of every past day that has closings and was not drawn yet, each day once: yesterday, and days before
// it that were missed. Only the background work calls it: the root of the city's log gives the order, after the log has taken
// in the closings. The log is closed once for all of them.
func (s *Service) Draw(ctx context.Context, city int) error {
	days, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]civil.Date, error) {
		last := tx.Now.Add(-drawAfter).Date().AddDays(-1)
		return undrawn(ctx, tx, city, last.AddDays(1-drawBack), last)
	})
	if err != nil || len(days) == 0 {
		return err
	}
	root, err := audit.AppendLog(ctx, s.o.DB, city)
	if err != nil {
		return fmt.Errorf("close the log before the draw: %w", err)
	}
	for _, day := range days {
		err := db.Do(ctx, s.o.DB, func(tx *db.Tx) error { return s.drawIn(ctx, tx, city, day, root) })
		if err != nil && !db.IsUnique(err) { // else another process was first
			return fmt.Errorf("draw the sample of %s: %w", day, err)
		}
	}
	return nil
}

// drawIn draws one day by the share that held on that day.
func (s *Service) drawIn(ctx context.Context, tx *db.Tx, city int, day civil.Date, root audit.Root) error {
	if _, done, err := findDraw(ctx, tx, city, day); err != nil || done {
		return err
	}
	r, err := s.o.Rules(ctx, tx, city)
	if err != nil {
		return err
	}
	percent := r.Pack.Options(day.Start()).CallbackSample
	if percent == 0 {
		return nil
	}
	closings, err := closingsOn(ctx, tx, city, day)
	if err != nil || len(closings) == 0 {
		return err
	}
	picks := Choose(root.Hash, min(percent, 100), closings)
	d := Draw{City: city, Day: day, Percent: percent, Root: root.Hash, LogSize: root.Size, Closings: len(closings), Drawn: len(picks), At: tx.Now}
	if err := insertDraw(ctx, tx, d); err != nil {
		return err
	}
	all := make([]Sample, len(picks))
	for i, p := range picks {
		all[i] = Sample{City: city, ID: tx.NewID(), Outcome: p.Outcome.ID, Day: day, Rank: p.Rank, Of: p.Of, Score: p.Score, State: Drawn, Version: 1}
	}
	if err := insertSamples(ctx, tx, all); err != nil {
		return err
	}
	act := audit.Act{Subject: "callback:" + day.String(), Act: "callback.draw", Body: map[string]any{"root": root.Hash, "log_size": root.Size, "percent": percent, "closings": len(closings), "drawn": len(picks)}}
	return audit.Record(ctx, tx, actor.SystemFor("callback", actor.Job), city, act)
}
