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
