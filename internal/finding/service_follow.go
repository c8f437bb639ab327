package finding

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
)

// TestedIn takes a new result of a laboratory or of the authority into the objections of the household that are being
// looked at, in the transaction that brings it, and tells the authority. Whoever calls it has asked for the permission of
// the act that brought the result; an objection that is not accepted yet stays as it is.
func (s *Service) TestedIn(ctx context.Context, tx *db.Tx, city int, home, season string, e Evidence) error {
	if len(e.Rooms) == 0 || e.By != "laboratory" && e.By != "authority" {
		return nil
	}
	open, err := openAt(ctx, tx, city, home, season)
	if err != nil {
		return err
	}
	by := actor.SystemFor("finding", actor.Job)
	for _, f := range open {
		step, err := Lifecycle.Next(f.State, Weigh)
		if err != nil || e.At.Before(f.FiledAt) {
			continue // not accepted yet, or it was there when the objection was raised
		}
		f.State = step.To
		if f, err = update(ctx, tx, f, f.Version); err != nil {
			return err
		}
		facts := map[string]any{"finding": f.ID, "no": f.No, "state": string(f.State), "record": e.Record}
		if err := s.record(ctx, tx, by, f, "finding.weigh", facts); err != nil {
			return err
		}
		if err := s.tell(ctx, tx, f, "weighed"); err != nil {
			return err
		}
	}
	return nil
}

// PutAsideIn are the records of a household that count no more because findings name other results, inside the caller's
// transaction, for capabilities that settle.
func (s *Service) PutAsideIn(ctx context.Context, tx *db.Tx, city int, home string) ([]string, error) {
	decided, err := decidedAt(ctx, tx, city, home)
	return PutAside(decided), err
}
