package citypack

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

// generation is the kind under which processes tell each other that a city's rules changed.
const generation = "citypack"

// fresh is how long a process may use what it read without asking whether another process changed it.
const fresh = time.Second

// Service keeps what a city decides about its own rules. A change is obeyed at once in this process and within a second
// in every other. The field is set by whoever puts the program together, before the first call.
type Service struct {
	// OnCalendar runs in the transaction that changes a city's holidays: due times that waited for a year can be computed.
	OnCalendar func(ctx context.Context, tx *db.Tx, city int) error

	db      *db.DB
	set     *Set
	base    *calendar.Calendar
	machine func() time.Time

	mu    sync.Mutex
	epoch uint64 // counts this process's changes, so that what was read before one is not kept after it
	kept  map[int]kept
}

type kept struct {
	rules      *Rules
	generation int64
	asked      time.Time
}

// NewService makes the service over the packs of the installation and the calendar that the program brings.
func NewService(d *db.DB, set *Set, base *calendar.Calendar) *Service {
	return &Service{
		db: d, set: set, base: base, kept: map[int]kept{},
		machine: time.Now, //nolint:forbidigo // the age of a cache is machine time, also in a city whose clock is simulated
	}
}

// Set gives the packs of the installation as they are written, without any city's approvals.
func (s *Service) Set() *Set { return s.set }

// Rules gives a city's rules as they hold now.
func (s *Service) Rules(ctx context.Context, city int) (*Rules, error) {
	if r, ok := s.recent(city); ok {
		return r, nil
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) (*Rules, error) { return s.RulesIn(ctx, tx, city) })
}

// RulesIn is Rules inside the caller's transaction.
func (s *Service) RulesIn(ctx context.Context, tx *db.Tx, city int) (*Rules, error) {
	if r, ok := s.recent(city); ok {
		return r, nil
	}
	s.mu.Lock()
	epoch, old := s.epoch, s.kept[city]
	s.mu.Unlock()
	asked := s.machine()
	now, err := db.Generation(ctx, tx, city, generation)
	if err != nil {
		return nil, fmt.Errorf("rules of city %d: %w", city, err)
	}
	r := old.rules
	if r == nil || old.generation != now {
		if r, err = s.load(ctx, tx, city); err != nil {
			return nil, fmt.Errorf("rules of city %d: %w", city, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch == epoch {
		s.kept[city] = kept{rules: r, generation: now, asked: asked}
	}
	return r, nil
}

func (s *Service) recent(city int) (*Rules, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.kept[city]
	if !ok || s.machine().Sub(k.asked) >= fresh {
		return nil, false
	}
	return k.rules, true
}

// load lays what the city decided over its pack and the calendar.
func (s *Service) load(ctx context.Context, tx *db.Tx, city int) (*Rules, error) {
	p, err := s.set.City(city)
	if err != nil {
		return nil, err
	}
	approvals, err := listApprovals(ctx, tx, city)
	if err != nil {
		return nil, err
	}
	seasons, err := listSeasons(ctx, tx, city)
	if err != nil {
		return nil, err
	}
	years, err := listYears(ctx, tx, city)
	if err != nil {
		return nil, err
	}
	peak, _, err := findSwitch(ctx, tx, city, switchPeak)
	if err != nil {
		return nil, err
	}
	r := &Rules{Pack: p.With(inForce(approvals)), Calendar: s.base, Peak: peak.On}
	for _, d := range seasons {
		r.Declared = append(r.Declared, d.declared())
	}
	for _, y := range years {
		r.Calendar = r.Calendar.With(y.Body)
	}
	return r, nil
}

// changed tells every process, and this one once the change is committed.
func (s *Service) changed(ctx context.Context, tx *db.Tx, city int) error {
	tx.After(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.epoch++
		delete(s.kept, city)
	})
	if err := db.Bump(ctx, tx, city, generation); err != nil {
		return fmt.Errorf("tell that the rules changed: %w", err)
	}
	return nil
}

// RuleLimit looks limits up for requests that name a rule of a city.
func (s *Service) RuleLimit(ctx context.Context) calendar.RuleLimit {
	return func(city int, rule string, at civil.Instant) (calendar.Limit, calendar.Shifts, bool, []calendar.Step, error) {
		r, err := s.Rules(ctx, city)
		if err != nil {
			return calendar.Limit{}, nil, false, nil, AboutCity(err)
		}
		return r.RuleLimit(rule, at)
	}
}

// EnsureCity makes the city's row, which marks it as served by this installation.
func (s *Service) EnsureCity(ctx context.Context, city int) error {
	p, err := s.set.City(city)
	if err != nil {
		return err
	}
	return db.Do(ctx, s.db, func(tx *db.Tx) error { return insertCity(ctx, tx, city, p.Name) })
}

// Served lists the codes of the cities that this installation serves.
func (s *Service) Served(ctx context.Context) ([]int, error) {
	return db.Read(ctx, s.db, func(tx *db.Tx) ([]int, error) { return listCities(ctx, tx) })
}
