package channel

import (
	"context"
	"errors"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
)

// pollEvery is how often a city's accounts are looked over; each has its own pace.
const pollEvery = 30 * time.Second

const (
	pollPace  = time.Minute      // between two polls, unless the adapter says otherwise
	pollLease = 10 * time.Minute // as long as this nobody else polls the account
	pollRest  = time.Hour        // the longest rest after failures
)

// polling is the periodic job that polls the accounts of a city.
type polling struct{}

// Kind names the job.
func (polling) Kind() string { return "channel.poll" }

func (s *Service) poll(ctx context.Context, j jobs.Job, _ polling) error {
	due, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Account, error) { return dueAccounts(ctx, tx, j.City) })
	if err != nil {
		return err
	}
	var all error
	for _, a := range due {
		if s.adapters[a.Channel].Poller != nil {
			all = errors.Join(all, s.pollOne(ctx, a))
		}
	}
	return all
}

// PollNow polls an account at once, whatever its pace; for the demonstration and tests.
func (s *Service) PollNow(ctx context.Context, a Account) error { return s.pollOne(ctx, a) }

// pollOne takes the account for itself, fetches outside any transaction, keeps each batch in one of its own, and writes
// down how it went. A failed poll is on the account, where staff see it, and no failed job.
func (s *Service) pollOne(ctx context.Context, a Account) error {
	mine, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (bool, error) { return lease(ctx, tx, a, tx.Now.Add(pollLease)) })
	if err != nil || !mine {
		return err
	}
	var got Recorded
	acc, err := s.access(a)
	cursor := ""
	if err == nil {
		cursor, err = s.adapters[a.Channel].Poller.Poll(ctx, acc, func(batch []Incoming) error {
			some, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (Recorded, error) { return s.RecordAllIn(ctx, tx, batch) })
			got.add(some)
			return err
		})
	}
	if err != nil {
		s.o.Log.WarnContext(ctx, "poll failed", "channel", a.Channel, "account", a.Name, "error", err)
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		now, found := findAccount(ctx, tx, a.City, a.Channel, a.Name)
		if found != nil {
			return found
		}
		return s.polled(now, cursor, got, err, tx.Now).store(ctx, tx)
	})
}

// polled is an account after a poll.
type polled struct{ Account }

func (s *Service) polled(a Account, cursor string, got Recorded, failed error, now civil.Instant) polled {
	pace := s.adapters[a.Channel].Every
	if pace == 0 {
		pace = pollPace
	}
	a.LastPoll = now
	if cursor != "" {
		a.Cursor = cursor
	}
	if got.Newest.After(a.LastIn) {
		a.LastIn, a.LagMS = got.Newest, now.Sub(got.Newest).Milliseconds()
	}
	if failed == nil {
		a.LastOK, a.LastError, a.Failures, a.NextPoll = now, "", 0, now.Add(pace)
		return polled{a}
	}
	a.Failures++
	a.LastError, a.ErrorAt = fault.Of(failed).Key, now
	a.NextPoll = now.Add(rest(pace, a.Failures, failed))
	return polled{a}
}

// longestRest is as long as a channel can ask for: one that wants years is wrong.
const longestRest = 24 * time.Hour

// rest doubles with every failure; a channel that says how long it wants to be left alone is left alone that long.
func rest(pace time.Duration, failures int, failed error) time.Duration {
	if f := fault.Of(failed); f.Kind == fault.Exhausted {
		if after, ok := f.Params["after"].(int); ok && after > 0 {
			return time.Duration(min(int64(after), int64(longestRest/time.Second))) * time.Second
		}
	}
	return min(pace<<min(failures, 10), pollRest)
}
