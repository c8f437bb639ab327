package outage

import (
	"context"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
)

// reminder is the job that asks the company for a word about a live stop. Word is the last word when it was set: a newer
// one set a reminder of its own.
type reminder struct {
	Outage string        `json:"outage"`
	Word   civil.Instant `json:"word"`
	Times  int           `json:"times"`
}

func (reminder) Kind() string { return "outage.remind" }

// remindLater sets the reminder of the next word, as often as the city's rules ask for one; they may not ask at all. Of a
// stop that is still ahead the first word is due after it began.
func (s *Service) remindLater(ctx context.Context, tx *db.Tx, rules *citypack.Rules, o Outage) error {
	every := time.Duration(rules.Pack.Options(tx.Now).StopWordHours) * time.Hour
	if every == 0 || !o.Ended.IsZero() {
		return nil
	}
	return jobs.Add(ctx, tx, o.City, reminder{Outage: o.ID, Word: o.WordAt}, jobs.When{At: max(tx.Now, o.Start).Add(every)})
}

// remind tells the company and the shift leader that a word is due, and again each time the interval passes in silence.
func (s *Service) remind(ctx context.Context, j jobs.Job, a reminder) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		o, err := find(ctx, tx, j.City, a.Outage)
		if err != nil || o.WordAt != a.Word || !o.Ended.IsZero() {
			return err
		}
		rules, err := s.o.Rules(ctx, tx, j.City)
		if err != nil {
			return err
		}
		every := time.Duration(rules.Pack.Options(tx.Now).StopWordHours) * time.Hour
		if every == 0 {
			return nil
		}
		if err := s.askForWord(ctx, tx, o, every, a.Times); err != nil {
			return err
		}
		return jobs.Add(ctx, tx, j.City, reminder{a.Outage, a.Word, a.Times + 1}, jobs.When{At: tx.Now.Add(every)})
	})
}

func (s *Service) askForWord(ctx context.Context, tx *db.Tx, o Outage, every time.Duration, times int) error {
	if s.o.Notices == nil {
		return nil
	}
	for _, to := range []struct {
		org  string
		role actor.Role
	}{{o.Company, actor.RoleCompany}, {"", actor.RoleLeader}} {
		m := notice.Message{
			City: o.City, Channel: notice.Console, Org: to.org, Role: to.role, Template: "outage.word_due", Subject: subject(o.ID),
			Params: map[string]any{"no": o.No, "hours": int(every / time.Hour), "last": o.WordAt}, QuietExempt: true,
			Matter: fmt.Sprintf("%s/word/%s/%s/%d", subject(o.ID), o.WordAt, to.role, times),
		}
		if _, err := s.o.Notices.EnqueueIn(ctx, tx, actor.SystemFor("outage", actor.Job), m); err != nil {
			return err
		}
	}
	return nil
}

// telling is the job that passes a word on to the callers of the linked cases, a batch for each transaction.
type telling struct {
	Outage string `json:"outage"`
	Word   string `json:"word"`
	After  string `json:"after,omitempty"` // the last case that was told
}

func (telling) Kind() string { return "outage.tell" }

// batch bounds how many callers one transaction tells, so that the writer is not held.
const batch = 50

func (s *Service) tellLater(ctx context.Context, tx *db.Tx, w Word) error {
	if s.Tell == nil || w.Event == File {
		return nil
	}
	return jobs.Add(ctx, tx, w.City, telling{Outage: w.Outage, Word: w.ID}, jobs.When{})
}

func (s *Service) tell(ctx context.Context, j jobs.Job, a telling) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		o, err := find(ctx, tx, j.City, a.Outage)
		if err != nil {
			return err
		}
		w, err := findWord(ctx, tx, j.City, a.Word)
		if err != nil {
			return err
		}
		cases, err := casesAfter(ctx, tx, o, a.After, batch)
		if err != nil || len(cases) == 0 {
			return err
		}
		for _, id := range cases {
			if err := s.Tell(ctx, tx, actor.SystemFor("outage", actor.Job), o, w, id); err != nil {
				return fmt.Errorf("tell case %s of stop %s: %w", id, o.ID, err)
			}
		}
		a.After = cases[len(cases)-1]
		return jobs.Add(ctx, tx, j.City, a, jobs.When{})
	})
}
