package territory

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/place"
)

// Settings are what a city's pack says about attribution; zero values leave the engine's own.
type Settings struct {
	Margin        float64 // metres
	MinConfidence float64
	Lead          float64
	Generic       []string
}

// Service offers the use cases. The fields are set by whoever puts the program together, before the first call.
type Service struct {
	db     *db.DB
	places *place.Service
	cache  cache

	// Settings gives a city's settings; nil leaves the engine's own.
	Settings func(city int, at civil.Instant) Settings
	// Outages tells of a live or planned stop at a place; nil knows none. It is asked in memory, for every answer.
	Outages func(city int, community, building, station string) *Outage
	// OpenCases counts the open cases of communities; nil counts none.
	OpenCases func(ctx context.Context, tx *db.Tx, city int, communities []string) (map[string]int, error)
}

// NewService makes the service and tells the places who serves them. Machine is machine time.
func NewService(d *db.DB, places *place.Service, machine func() time.Time) *Service {
	s := &Service{db: d, places: places}
	s.cache = cache{s: s, machine: machine, cities: map[int]*cached{}}
	places.Owner = s.OwnerIn
	return s
}

// mayRead: who serves where is no secret among staff.
func mayRead(by actor.Actor, city int) error {
	if by.MayAny(actor.TerritoryRead, city) {
		return nil
	}
	return by.May(actor.TerritoryRead, actor.On{City: city})
}

// Attribute says which company a query belongs to. An account that the actor must not see counts as unknown.
func (s *Service) Attribute(ctx context.Context, by actor.Actor, city int, q Query) (Answer, error) {
	if err := mayRead(by, city); err != nil {
		return Answer{}, err
	}
	if err := q.Check(); err != nil {
		return Answer{}, err
	}
	if q.At.IsZero() {
		q.At = s.db.Now()
	}
	x, err := s.cache.index(ctx, nil, city, q.At.Date())
	if err != nil {
		return Answer{}, err
	}
	if q.Household != "" {
		q.House, err = db.Read(ctx, s.db, func(tx *db.Tx) (*Household, error) { return household(ctx, tx, city, q.Household) })
		if err != nil {
			return Answer{}, err
		}
		if h := q.House; h != nil && !maySee(by, city, x, h, q.At.Date()) {
			q.House = nil
		}
	}
	return x.Attribute(q), nil
}

func maySee(by actor.Actor, city int, x *Index, h *Household, on civil.Date) bool {
	where := actor.On{City: city, Station: h.Station}
	where.Company, where.Area = x.Owner(h.Community, h.Building, on)
	if n, ok := x.byID[h.Community]; ok {
		where.District = x.districtCode(x.places[n].district)
	}
	return by.May(actor.TerritoryRead, where) == nil
}

// AttributeIn is Attribute inside the caller's transaction, for intake, which has asked for its own permission.
func (s *Service) AttributeIn(ctx context.Context, tx *db.Tx, city int, q Query) (Answer, error) {
	if err := q.Check(); err != nil {
		return Answer{}, err
	}
	if q.At.IsZero() {
		q.At = tx.Now
	}
	x, err := s.cache.index(ctx, tx, city, q.At.Date())
	if err != nil {
		return Answer{}, err
	}
	if q.Household != "" {
		if q.House, err = household(ctx, tx, city, q.Household); err != nil {
			return Answer{}, err
		}
	}
	return x.Attribute(q), nil
}

// household looks an account up; nil when it is not in the register.
func household(ctx context.Context, tx *db.Tx, city int, account string) (*Household, error) {
	row, ok, err := place.HouseholdIn(ctx, tx, city, account)
	if err != nil || !ok {
		return nil, err
	}
	return &Household{
		Account: row.Account, Community: row.Community, Building: row.Building, Unit: row.Unit, Room: row.Room,
		Station: row.Station, Zone: row.Zone, Riser: row.Riser, HeatStatus: HeatStatus(row.HeatStatus),
	}, nil
}

const mostSuggestions = 50

// Suggest completes the name of a community while it is typed, in Chinese or pinyin.
func (s *Service) Suggest(ctx context.Context, by actor.Actor, city int, typed string, limit int) ([]Suggestion, error) {
	if err := mayRead(by, city); err != nil {
		return nil, err
	}
	x, err := s.cache.index(ctx, nil, city, s.db.Now().Date())
	if err != nil {
		return nil, err
	}
	return x.Suggest(typed, min(cmp.Or(max(limit, 0), 10), mostSuggestions)), nil
}

// OwnerIn is who serves a building of a community now, or the community itself where building is empty.
func (s *Service) OwnerIn(ctx context.Context, tx *db.Tx, city int, community, building string) (company, area string, err error) {
	x, err := s.cache.index(ctx, tx, city, tx.Now.Date())
	if err != nil {
		return "", "", err
	}
	company, area = x.Owner(community, building, tx.Now.Date())
	return company, area, nil
}

// BumpIn tells every process that a city's territories changed, and lets the next call of this one after the commit see
// the change. The reload runs before the committing call returns.
func (s *Service) BumpIn(ctx context.Context, tx *db.Tx, city int) error {
	if err := db.Bump(ctx, tx, city, generation); err != nil {
		return fmt.Errorf("tell of new territories: %w", err)
	}
	ctx = context.WithoutCancel(ctx)
	tx.After(func() { s.cache.refresh(ctx, city) })
	return nil
}

// bumpSoon is BumpIn for a small change: nobody waits for the reload.
func (s *Service) bumpSoon(ctx context.Context, tx *db.Tx, city int) error {
	if err := db.Bump(ctx, tx, city, generation); err != nil {
		return fmt.Errorf("tell of new territories: %w", err)
	}
	ctx = context.WithoutCancel(ctx)
	tx.After(func() { s.cache.refreshSoon(ctx, city) })
	return nil
}
