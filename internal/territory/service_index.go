package territory

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

// look is how often a process asks whether another one changed the territories.
const look = time.Second

// cache keeps the index of each city. An index that became stale goes on answering while its successor is built.
type cache struct {
	s       *Service
	machine func() time.Time

	mu     sync.Mutex
	cities map[int]*cached
}

type cached struct {
	loading sync.Mutex // one load at a time
	state   atomic.Pointer[loaded]
	looked  atomic.Int64 // machine time in milliseconds
	busy    atomic.Bool  // a successor is being built
}

// loaded is what is known of a city in one generation: an index for each version that was asked for.
type loaded struct {
	generation int64
	versions   []Version

	mu      sync.Mutex
	indexes map[int]*Index
}

func (l *loaded) index(version int) *Index {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.indexes[version]
}

// keep adds an index; of old versions only a few are kept.
func (l *loaded) keep(version int, x *Index) {
	const most = 3
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.indexes) >= most {
		clear(l.indexes)
	}
	l.indexes[version] = x
}

func (c *cache) city(city int) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.cities[city]
	if one == nil {
		one = &cached{}
		c.cities[city] = one
	}
	return one
}

// index is the index that holds on a day. tx is the caller's transaction, nil for none.
func (c *cache) index(ctx context.Context, tx *db.Tx, city int, on civil.Date) (*Index, error) {
	one := c.city(city)
	l := one.state.Load()
	if l == nil {
		var err error
		if l, err = c.first(ctx, tx, city, one); err != nil {
			return nil, err
		}
	} else if err := c.lookAgain(ctx, tx, city, one, l); err != nil {
		return nil, err
	}
	version := InForce(l.versions, on)
	if x := l.index(version); x != nil {
		return x, nil
	}
	one.loading.Lock()
	defer one.loading.Unlock()
	if x := l.index(version); x != nil {
		return x, nil
	}
	x, err := within(ctx, c.s.db, tx, func(tx *db.Tx) (*Index, error) { return c.build(ctx, tx, city, l.versions, version) })
	if err != nil {
		return nil, err
	}
	l.keep(version, x)
	return x, nil
}

// within reads in the caller's transaction, or in one of its own.
func within[T any](ctx context.Context, d *db.DB, tx *db.Tx, fn func(tx *db.Tx) (T, error)) (T, error) {
	if tx != nil {
		return fn(tx)
	}
	return db.Read(ctx, d, fn)
}

func (c *cache) first(ctx context.Context, tx *db.Tx, city int, one *cached) (*loaded, error) {
	one.loading.Lock()
	defer one.loading.Unlock()
	if l := one.state.Load(); l != nil {
		return l, nil
	}
	l, err := within(ctx, c.s.db, tx, func(tx *db.Tx) (*loaded, error) { return c.load(ctx, tx, city) })
	if err != nil {
		return nil, err
	}
	if tx != nil {
		l.generation = -1 // the caller's transaction may yet be taken back: look again soon
	}
	one.looked.Store(c.machine().UnixMilli())
	one.state.Store(l)
	return l, nil
}

// load reads a city and builds the index of the version in force.
func (c *cache) load(ctx context.Context, tx *db.Tx, city int) (*loaded, error) {
	n, err := db.Generation(ctx, tx, city, generation)
	if err != nil {
		return nil, err
	}
	versions, err := VersionsIn(ctx, tx, city)
	if err != nil {
		return nil, err
	}
	version := InForce(versions, tx.Now.Date())
	x, err := c.build(ctx, tx, city, versions, version)
	if err != nil {
		return nil, err
	}
	return &loaded{generation: n, versions: versions, indexes: map[int]*Index{version: x}}, nil
}

func (c *cache) build(ctx context.Context, tx *db.Tx, city int, versions []Version, version int) (*Index, error) {
	r, err := load(ctx, tx, city, versions, version)
	if err != nil {
		return nil, err
	}
	snap := r.assemble()
	if c.s.Settings != nil {
		set := c.s.Settings(city, tx.Now)
		snap.Margin, snap.MinConfidence, snap.Lead, snap.Generic = set.Margin, set.MinConfidence, set.Lead, set.Generic
	}
	snap.Household = func(string) (Household, bool) { return Household{}, false } // looked up by the service
	if c.s.Outages != nil {
		snap.Outages = func(community, building, station string) *Outage {
			return c.s.Outages(city, community, building, station)
		}
	}
	return Build(snap), nil
}

// lookAgain asks once a second whether the territories changed, and then builds the successor beside.
func (c *cache) lookAgain(ctx context.Context, tx *db.Tx, city int, one *cached, l *loaded) error {
	now, last := c.machine().UnixMilli(), one.looked.Load()
	if now-last < look.Milliseconds() || !one.looked.CompareAndSwap(last, now) {
		return nil
	}
	n, err := within(ctx, c.s.db, tx, func(tx *db.Tx) (int64, error) { return db.Generation(ctx, tx, city, generation) })
	if err == nil && n != l.generation {
		c.refreshSoon(context.WithoutCancel(ctx), city)
	}
	return err
}

// refreshSoon replaces a city's index beside, unless somebody is at it; what changes meanwhile is found at the next look.
func (c *cache) refreshSoon(ctx context.Context, city int) {
	one := c.city(city)
	if one.state.Load() == nil || !one.busy.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer one.busy.Store(false)
		c.refresh(ctx, city)
	}()
}

// refresh replaces a city's index, if it has been asked for. On failure the old one goes on answering and the next look
// tries again.
func (c *cache) refresh(ctx context.Context, city int) {
	one := c.city(city)
	if one.state.Load() == nil {
		return
	}
	one.loading.Lock()
	defer one.loading.Unlock()
	l, err := db.Read(ctx, c.s.db, func(tx *db.Tx) (*loaded, error) { return c.load(ctx, tx, city) })
	if err != nil {
		slog.ErrorContext(ctx, "territory index not renewed", "city", city, "error", err)
		return
	}
	one.state.Store(l)
}
