package stats

import (
	"context"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

// countEvery is how old the rates of a day that changes may be.
const countEvery = 5 * time.Minute

// countJob counts the days of a city whose cases changed.
type countJob struct{}

// Kind names the job.
func (countJob) Kind() string { return "stats.count" }

// Count counts anew every day whose cases changed since it last ran, and gives how many days that were. Interrupted, it
// starts over with the same days.
func (s *Service) Count(ctx context.Context, city int) (int, error) {
	type work struct {
		days []civil.Date
		upto civil.Instant
	}
	w, err := db.Read(ctx, s.db, func(tx *db.Tx) (work, error) {
		since, err := countedUpto(ctx, tx, city)
		if err != nil {
			return work{}, err
		}
		days, err := changedDays(ctx, tx, city, since)
		return work{days, tx.Now}, err
	})
	if err != nil {
		return 0, fmt.Errorf("find days to count: %w", err)
	}
	if err := s.countHomes(ctx, city); err != nil {
		return 0, fmt.Errorf("count homes: %w", err)
	}
	for _, day := range w.days {
		if err := s.countDay(ctx, city, day); err != nil {
			return 0, fmt.Errorf("count %s: %w", day, err)
		}
	}
	return len(w.days), db.Do(ctx, s.db, func(tx *db.Tx) error { return saveMark(ctx, tx, city, w.upto) })
}

// countedDay is what was counted of a day.
type countedDay struct {
	cases    []caseSum
	channels []channelSum
	clocks   []clockSum
}

// countDay reads a day's cases outside the writer and then replaces what was counted of it.
func (s *Service) countDay(ctx context.Context, city int, day civil.Date) error {
	c, err := db.Read(ctx, s.db, func(tx *db.Tx) (countedDay, error) {
		var c countedDay
		var err error
		if c.cases, err = casesOf(ctx, tx, city, day); err != nil {
			return c, err
		}
		if c.channels, err = channelsOf(ctx, tx, city, day); err != nil {
			return c, err
		}
		c.clocks, err = clocksOf(ctx, tx, city, day)
		return c, err
	})
	if err != nil {
		return err
	}
	return db.Do(ctx, s.db, func(tx *db.Tx) error { return replaceDay(ctx, tx, city, day, c) })
}
