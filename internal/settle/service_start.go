package settle

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/jobs"
)

// runArgs are a settlement that somebody asked for and nobody waits for. By is who asked: the settlement is theirs, and
// another person approves it.
type runArgs struct {
	City   int         `json:"city"`
	Season string      `json:"season"`
	Period string      `json:"period,omitempty"`
	By     actor.Actor `json:"by"`
}

// Kind implements jobs.Args.
func (runArgs) Kind() string { return "settle.run" }

// run carries a settlement out. Cut short, the next try goes on where it was; the settlement asks for the permission again.
func (s *Service) run(ctx context.Context, _ jobs.Job, a runArgs) error {
	_, err := s.Settle(ctx, a.By, RunInput{City: a.City, Season: a.Season, Period: a.Period})
	return err
}

// Start has a season settled in the background, once however often it is asked for; the console shows how far it is.
func (s *Service) Start(ctx context.Context, by actor.Actor, in RunInput) error {
	if err := by.May(actor.SettleRun, actor.On{City: in.City}); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if _, err := s.termsIn(ctx, tx, in.City, in.Season); err != nil {
			return err
		}
		args := runArgs{City: in.City, Season: in.Season, Period: in.Period, By: by}
		return jobs.Add(ctx, tx, in.City, args, jobs.When{Unique: "settle.run:" + in.Season + ":" + in.Period})
	})
}
