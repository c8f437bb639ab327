package resident

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"sync/atomic"
	"time"

	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Options set up a Service. Bills and Locate may be left out: the proof by bill and the guess of the company are not there
// then.
type Options struct {
	DB      *db.DB
	Ring    *secret.Ring
	Jobs    *jobs.Runner // sends codes; nil in a process without workers
	Notices *notice.Service
	Places  *place.Service
	Blobs   *blob.Service
	Machine func() time.Time
	Log     *slog.Logger
	Limits  Limits

	// Bills gives the sums of a household's bills that prove that somebody has one of them.
	Bills func(ctx context.Context, tx *db.Tx, city int, account string) ([]money.Fen, error)
	// Locate reads an address in a resident's words.
	Locate func(ctx context.Context, tx *db.Tx, city int, words string) (Spot, error)
}

// Spot is where an address in words seems to lie, for those who look at a paper.
type Spot struct{ District, Company string }

// Service offers the use cases.
type Service struct {
	o      Options
	events map[Event]*atomic.Int64

	// OnLeave is told in the same transaction that logins of a person ended. Nil is nobody.
	OnLeave func(ctx context.Context, tx *db.Tx, city int, person string) error
}

// New makes the service and, where there is a runner, registers its jobs.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Ring == nil || o.Notices == nil || o.Places == nil || o.Machine == nil {
		return nil, errors.New("resident: a database, a keyring, messages, places and a clock are needed")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Limits = o.Limits.withDefaults()
	s := &Service{o: o, events: make(map[Event]*atomic.Int64, len(Events()))}
	for _, e := range Events() {
		s.events[e] = new(atomic.Int64)
	}
	if o.Jobs != nil {
		jobs.Handle(o.Jobs, s.sendCode)
		jobs.Handle(o.Jobs, func(ctx context.Context, j jobs.Job, _ sweeping) error { return s.Sweep(ctx, j.City) })
		o.Jobs.Every(time.Hour, sweeping{})
	}
	return s, nil
}

// sweeping is the job that forgets what no longer matters.
type sweeping struct{}

func (sweeping) Kind() string { return "resident.sweep" }

// Counts tells how often each event happened since the process began.
func (s *Service) Counts() map[Event]int64 {
	out := make(map[Event]int64, len(s.events))
	for e, n := range s.events {
		out[e] = n.Load()
	}
	return out
}

// note counts an event and writes a line without personal data.
func (s *Service) note(ctx context.Context, city int, e Event) {
	s.events[e].Add(1)
	if e != EventCode && e != EventEnter && e != EventBind {
		s.o.Log.InfoContext(ctx, "resident refused", "event", string(e), "city", city)
	}
}

func (s *Service) machine() int64 { return s.o.Machine().UnixMilli() }

// newCode draws six digits.
func newCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // only a broken reader fails, and crypto/rand's never does
	}
	return fmt.Sprintf("%06d", n)
}

// tally counts one more of something in the caller's transaction and says how long to wait instead; whoever is refused rolls
// the count back with the transaction. Rows are locked in the order of the calls: telephone, address, city.
func (s *Service) tally(ctx context.Context, tx *db.Tx, city int, name string, l Limit) (time.Duration, error) {
	now := s.machine()
	c, err := countUp(ctx, tx, city, name, now)
	if err != nil {
		return 0, err
	}
	if wait := l.refused(c, now); wait > 0 {
		return wait, nil
	}
	if wait := l.wait(c.N); wait > 0 {
		return 0, setNext(ctx, tx, city, name, now+wait.Milliseconds())
	}
	return 0, nil
}

// blocked says how long whoever already did something too often must wait, without counting.
func (s *Service) blocked(ctx context.Context, tx *db.Tx, city int, name string, l Limit) (time.Duration, error) {
	now := s.machine()
	c, err := countOf(ctx, tx, city, name, now)
	if err != nil {
		return 0, err
	}
	c.N++
	return l.refused(c, now), nil
}

func (s *Service) counter(kind, value string) string {
	return s.o.Ring.Blind("resident count "+kind, value)
}

// tooMany refuses with the time to wait.
func tooMany(key string, wait time.Duration) error {
	if wait >= 2*time.Minute {
		return fault.New(fault.Exhausted, key+".minutes", "minutes", int(wait.Minutes())+1)
	}
	return fault.New(fault.Exhausted, key+".seconds", "seconds", int(wait.Seconds())+1)
}

// Sweep forgets codes and counts that are over and sessions that ended long ago, and ends the help whose day has passed.
func (s *Service) Sweep(ctx context.Context, city int) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if err := sweep(ctx, tx, city, s.o.Machine()); err != nil {
			return err
		}
		return endOutlived(ctx, tx, city, tx.Now)
	})
}
