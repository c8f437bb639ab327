package outage

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/territory"
)

// generation is the kind under which a change of stops is told to every process.
const generation = "outage"

// look is how often a process asks whether another one changed the stops.
const look = time.Second

// cache holds the open stops of each city, so that an attribution can ask in memory.
type cache struct {
	o      Options
	mu     sync.Mutex
	cities map[int]*cityCache
}

type cityCache struct {
	loading sync.Mutex
	state   atomic.Pointer[open]
	looked  atomic.Int64 // machine time, ms
	busy    atomic.Bool
}

// open are the stops of a city that are not over, with the places that they reach.
type open struct {
	generation int64
	outages    []reach
}

type reach struct {
	Outage
	stations    map[string]bool
	communities map[string]bool
	buildings   map[[2]string]bool
}

func newCache(o Options) *cache { return &cache{o: o, cities: map[int]*cityCache{}} }

func (c *cache) city(code int) *cityCache {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cities[code] == nil {
		c.cities[code] = &cityCache{}
	}
	return c.cities[code]
}

// LiveAt tells of a stop that is going on at a place, the one that lasts longest; nil when none is known. Station may be
// empty where it is not known. It answers from memory: a change of this process holds at once, another's within a second.
func (s *Service) LiveAt(city int, community, building, station string) *territory.Outage {
	l := s.cache.get(city)
	if l == nil {
		return nil
	}
	now := s.o.DB.Now()
	building = place.BuildingNo(building)
	var best *territory.Outage
	for _, r := range l.outages {
		if !r.Live(now) || !r.at(community, building, station) {
			continue
		}
		if best == nil || r.Until.IsZero() || !best.Until.IsZero() && r.Until.After(best.Until) {
			best = &territory.Outage{ID: r.ID, Until: r.Until}
		}
	}
	return best
}

// ComingAt tells of the first stop that was announced for a place and begins within a time; nil when none is known. It answers
// from memory, as LiveAt does.
func (s *Service) ComingAt(city int, community, building, station string, within time.Duration) *territory.Outage {
	l := s.cache.get(city)
	if l == nil {
		return nil
	}
	now := s.o.DB.Now()
	building = place.BuildingNo(building)
	var best *reach
	for i, r := range l.outages {
		if r.Announced.IsZero() || !r.Start.After(now) || r.Start.After(now.Add(within)) || !r.at(community, building, station) {
			continue
		}
		if best == nil || r.Start.Before(best.Start) {
			best = &l.outages[i]
		}
	}
	if best == nil {
		return nil
	}
	return &territory.Outage{ID: best.ID, Until: best.Until}
}

func (r reach) at(community, building, station string) bool {
	return station != "" && r.stations[station] || community != "" && (r.communities[community] || r.buildings[[2]string{community, building}])
}

// get gives what is known, and looks once a second whether it changed. What cannot be read is logged and not known.
func (c *cache) get(city int) *open {
	one := c.city(city)
	l := one.state.Load()
	if l == nil {
		return c.load(one, city)
	}
	now, last := c.o.Machine().UnixMilli(), one.looked.Load()
	if now-last >= look.Milliseconds() && one.looked.CompareAndSwap(last, now) && one.busy.CompareAndSwap(false, true) {
		go func() {
			defer one.busy.Store(false)
			c.refresh(one, city, l.generation)
		}()
	}
	return l
}

// timeout bounds a reload; nobody waits longer for it than for a page.
const timeout = 5 * time.Second

func (c *cache) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), timeout) //nolint:forbidigo // asked in memory by an attribution that has no context
}

func (c *cache) load(one *cityCache, city int) *open {
	one.loading.Lock()
	defer one.loading.Unlock()
	if l := one.state.Load(); l != nil {
		return l
	}
	ctx, done := c.context()
	defer done()
	l, err := db.Read(ctx, c.o.DB, func(tx *db.Tx) (*open, error) { return readOpen(ctx, tx, city) })
	if err != nil {
		slog.ErrorContext(ctx, "open stops of heat not read", "city", city, "error", err)
		return nil
	}
	one.looked.Store(c.o.Machine().UnixMilli())
	one.state.Store(l)
	return l
}

// refresh reads the stops again when their generation moved.
func (c *cache) refresh(one *cityCache, city int, have int64) {
	ctx, done := c.context()
	defer done()
	n, err := db.Read(ctx, c.o.DB, func(tx *db.Tx) (int64, error) { return db.Generation(ctx, tx, city, generation) })
	if err != nil {
		slog.ErrorContext(ctx, "open stops of heat not looked for", "city", city, "error", err)
		return
	}
	if n != have {
		one.state.CompareAndSwap(one.state.Load(), nil)
		c.load(one, city)
	}
}

// bump tells every process that the stops changed, and lets the next question of this one see it.
func (s *Service) bump(ctx context.Context, tx *db.Tx, city int) error {
	if err := db.Bump(ctx, tx, city, generation); err != nil {
		return fmt.Errorf("tell of a changed stop: %w", err)
	}
	one := s.cache.city(city)
	tx.After(func() { one.state.Store(nil) })
	return nil
}

// readOpen reads the stops that are not over. A zone of a station is the buildings that the register puts into it.
func readOpen(ctx context.Context, tx *db.Tx, city int) (*open, error) {
	n, err := db.Generation(ctx, tx, city, generation)
	if err != nil {
		return nil, err
	}
	outages, err := listOpen(ctx, tx, city)
	if err != nil {
		return nil, err
	}
	scopes, err := scopesOfOpen(ctx, tx, city)
	if err != nil {
		return nil, err
	}
	l := &open{generation: n, outages: make([]reach, len(outages))}
	at := map[string]int{}
	for i, o := range outages {
		l.outages[i] = reach{Outage: o, stations: map[string]bool{}, communities: map[string]bool{}, buildings: map[[2]string]bool{}}
		at[o.ID] = i
	}
	zones := false
	for _, p := range scopes {
		r := l.outages[at[p.Outage]]
		switch {
		case p.Zone != "":
			zones = true
		case p.Station != "":
			r.stations[p.Station] = true
		case p.Building != "":
			r.buildings[[2]string{p.Community, p.Building}] = true
		default:
			r.communities[p.Community] = true
		}
	}
	if !zones {
		return l, nil
	}
	return l, l.addZones(ctx, tx, city, scopes, at)
}

func (l *open) addZones(ctx context.Context, tx *db.Tx, city int, scopes []Scope, at map[string]int) error {
	buildings, err := place.BuildingsIn(ctx, tx, city)
	if err != nil {
		return fmt.Errorf("list buildings of zones: %w", err)
	}
	for _, p := range scopes {
		if p.Zone == "" {
			continue
		}
		for _, b := range buildings {
			if b.Station == p.Station && b.Zone == p.Zone {
				l.outages[at[p.Outage]].buildings[[2]string{b.Community, b.No}] = true
			}
		}
	}
	return nil
}

// Announcement is a stop as residents see it: no names of staff, no cases.
type Announcement struct {
	No      string        `json:"no"`
	Kind    Kind          `json:"kind"`
	State   State         `json:"state"`
	Reason  string        `json:"reason"`
	Start   civil.Instant `json:"start_at"`
	Until   civil.Instant `json:"until_at"`
	Overdue bool          `json:"overdue"`
	Company string        `json:"company"`
	Scope   []Scope       `json:"scope"`
	Estates []string      `json:"estates,omitempty"` // communities that the stations of the scope heat: residents know no station
	Words   []Word        `json:"words"`
}

// Announcements lists the stops that residents may know of: sudden ones and those that are announced, until they are
// lifted. Everybody may read them.
func (s *Service) Announcements(ctx context.Context, city int) ([]Announcement, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Announcement, error) {
		outages, err := listOpen(ctx, tx, city)
		if err != nil {
			return nil, err
		}
		var out []Announcement
		for _, o := range outages {
			if o.Kind == Planned && o.Announced.IsZero() && tx.Now.Before(o.Start) {
				continue
			}
			a := Announcement{No: o.No, Kind: o.Kind, State: o.State, Reason: o.Reason, Start: o.Start, Until: o.Until, Overdue: o.Overdue(tx.Now), Company: o.Company}
			if a.Scope, err = scopesOf(ctx, tx, city, o.ID); err != nil {
				return nil, err
			}
			if a.Estates, err = estatesOf(ctx, tx, city, a.Scope); err != nil {
				return nil, err
			}
			if a.Words, err = wordsOf(ctx, tx, city, o.ID); err != nil {
				return nil, err
			}
			out = append(out, a)
		}
		return out, nil
	})
}

// estatesOf names the communities that a stop reaches through a station.
func estatesOf(ctx context.Context, tx *db.Tx, city int, scope []Scope) ([]string, error) {
	var out []string
	for _, s := range scope {
		if s.Station == "" {
			continue
		}
		names, err := place.EstatesOfStationIn(ctx, tx, city, s.Station)
		if err != nil {
			return nil, err
		}
		out = append(out, names...)
	}
	return out, nil
}
