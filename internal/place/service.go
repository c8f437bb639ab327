package place

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Service offers the use cases.
type Service struct {
	db   *db.DB
	ring *secret.Ring

	// Owner tells which company and area serve a building (or a community, without building). The service of territories
	// sets it. Without it nobody who is bound to a company sees any household.
	Owner func(ctx context.Context, tx *db.Tx, city int, community, building string) (company, area string, err error)
}

// New makes the service.
func New(d *db.DB, ring *secret.Ring) *Service { return &Service{db: d, ring: ring} }

// CommunityFilter narrows the list of communities; empty fields do not.
type CommunityFilter struct {
	Query    string `json:"q" form:"q"` // part of the name, another name or the address
	District string `json:"district" form:"district"`
	Street   string `json:"street" form:"street"`
	Station  string `json:"station" form:"station"`
	page.Request
}

// mayRead: the places themselves are no secret among staff.
func mayRead(by actor.Actor, city int) error {
	if by.MayAny(actor.TerritoryRead, city) {
		return nil
	}
	return by.May(actor.TerritoryRead, actor.On{City: city})
}

func read[T any](ctx context.Context, s *Service, by actor.Actor, city int, fn func(tx *db.Tx) (T, error)) (T, error) {
	if err := mayRead(by, city); err != nil {
		var zero T
		return zero, err
	}
	return db.Read(ctx, s.db, fn)
}

// Companies lists the supply units of a city.
func (s *Service) Companies(ctx context.Context, by actor.Actor, city int) ([]Company, error) {
	return read(ctx, s, by, city, func(tx *db.Tx) ([]Company, error) { return CompaniesIn(ctx, tx, city) })
}

// Districts lists the districts of a city.
func (s *Service) Districts(ctx context.Context, by actor.Actor, city int) ([]District, error) {
	return read(ctx, s, by, city, func(tx *db.Tx) ([]District, error) { return DistrictsIn(ctx, tx, city) })
}

// Streets lists the streets of a city.
func (s *Service) Streets(ctx context.Context, by actor.Actor, city int) ([]Street, error) {
	return read(ctx, s, by, city, func(tx *db.Tx) ([]Street, error) { return StreetsIn(ctx, tx, city) })
}

// Stations lists the heat exchange stations of a city with their loops; company may be empty.
func (s *Service) Stations(ctx context.Context, by actor.Actor, city int, company string) ([]Station, error) {
	return read(ctx, s, by, city, func(tx *db.Tx) ([]Station, error) { return stations(ctx, tx, city, company) })
}

// Communities lists communities by name.
func (s *Service) Communities(ctx context.Context, by actor.Actor, city int, f CommunityFilter) (page.Of[Community], error) {
	return read(ctx, s, by, city, func(tx *db.Tx) (page.Of[Community], error) { return communities(ctx, tx, city, f) })
}

// Community shows one community.
func (s *Service) Community(ctx context.Context, by actor.Actor, city int, id string) (Community, error) {
	return read(ctx, s, by, city, func(tx *db.Tx) (Community, error) { return CommunityIn(ctx, tx, city, id) })
}

// BuildingsOf lists the buildings of a community that the register names.
func (s *Service) BuildingsOf(ctx context.Context, by actor.Actor, city int, community string) ([]Building, error) {
	return read(ctx, s, by, city, func(tx *db.Tx) ([]Building, error) { return buildingsOf(ctx, tx, city, community) })
}

// Household shows one household to those who may see its company's; to others it does not exist.
func (s *Service) Household(ctx context.Context, by actor.Actor, city int, account string) (Household, error) {
	return read(ctx, s, by, city, func(tx *db.Tx) (Household, error) {
		row, ok, err := HouseholdIn(ctx, tx, city, account)
		if err != nil {
			return Household{}, err
		}
		if !ok {
			return Household{}, fault.New(fault.NotFound, "place.no_account", "account", account)
		}
		seen, err := s.visible(ctx, tx, by, city, []HouseholdRow{row})
		if err != nil {
			return Household{}, err
		}
		if len(seen) == 0 {
			return Household{}, fault.New(fault.NotFound, "place.no_account", "account", account)
		}
		return seen[0], nil
	})
}

// HouseholdsOf lists the households of a building for its section (楼栋暖图); an empty building gives the whole community.
func (s *Service) HouseholdsOf(ctx context.Context, by actor.Actor, city int, community, building string) ([]Household, error) {
	return s.At(ctx, by, city, Address{Community: community, Building: building})
}

// Address narrows households; Community is an id, the other parts may be empty.
type Address struct {
	Community string `json:"community" form:"community"`
	Building  string `json:"building" form:"building"`
	Unit      string `json:"unit" form:"unit"`
	Room      string `json:"room" form:"room"`
}

// At lists the households at an address.
func (s *Service) At(ctx context.Context, by actor.Actor, city int, a Address) ([]Household, error) {
	return read(ctx, s, by, city, func(tx *db.Tx) ([]Household, error) {
		rows, err := householdsAt(ctx, tx, city, spot{a.Community, BuildingNo(a.Building), UnitNo(a.Unit), RoomNo(a.Room)})
		if err != nil {
			return nil, fmt.Errorf("households at an address: %w", err)
		}
		return s.visible(ctx, tx, by, city, rows)
	})
}

// ByPhone lists the households whose holder gave a telephone number, for the seat whose telephone rings.
func (s *Service) ByPhone(ctx context.Context, by actor.Actor, city int, phone string) ([]Household, error) {
	return read(ctx, s, by, city, func(tx *db.Tx) ([]Household, error) {
		person, ok, err := secret.FindSubject(ctx, tx, s.ring, city, secret.Phone, phone)
		if err != nil || !ok {
			return nil, err
		}
		rows, err := householdsOfPerson(ctx, tx, city, person)
		if err != nil {
			return nil, err
		}
		return s.visible(ctx, tx, by, city, rows)
	})
}

// visible leaves out what the actor must not see and masks the rest.
func (s *Service) visible(ctx context.Context, tx *db.Tx, by actor.Actor, city int, rows []HouseholdRow) ([]Household, error) {
	type home struct {
		community     Community
		company, area string
	}
	homes := map[[2]string]home{}
	var out []Household
	var kept []HouseholdRow
	for _, r := range rows {
		key := [2]string{r.Community, r.Building}
		h, known := homes[key]
		if !known {
			var err error
			if h.community, err = CommunityIn(ctx, tx, city, r.Community); err != nil && !fault.Is(err, fault.NotFound) {
				return nil, err
			}
			if s.Owner != nil {
				if h.company, h.area, err = s.Owner(ctx, tx, city, r.Community, r.Building); err != nil {
					return nil, fmt.Errorf("who serves a household: %w", err)
				}
			}
			homes[key] = h
		}
		station := cmp.Or(r.Station, h.community.Station)
		on := actor.On{City: city, District: h.community.District, Company: h.company, Area: h.area, Station: station}
		if by.May(actor.TerritoryRead, on) != nil {
			continue
		}
		kept = append(kept, r)
		out = append(out, Household{
			Account: r.Account, Community: r.Community, CommunityName: h.community.Name, District: h.community.District,
			Building: r.Building, Unit: r.Unit, Room: r.Room, Floor: r.Floor, AreaM2: r.AreaM2, UseType: r.UseType,
			PriceClass: r.PriceClass, HeatStatus: r.HeatStatus, Paid: r.Paid, Station: station, Zone: r.Zone, Riser: r.Riser,
			Company: h.company, Area: h.area,
		})
	}
	return out, s.mask(ctx, tx, city, kept, out)
}

// mask opens names and telephones only to show their masked form.
func (s *Service) mask(ctx context.Context, tx *db.Tx, city int, rows []HouseholdRow, out []Household) error {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.Person
	}
	people, err := secret.OpenSubjects(ctx, tx, s.ring, city, ids)
	if err != nil {
		return err
	}
	for i, r := range rows {
		holder, phone, err := opened(people[r.Person], r)
		if err != nil {
			return err
		}
		out[i].Holder, out[i].Phone = secret.MaskName(holder), secret.MaskPhone(phone)
	}
	return nil
}

// opened reads a household's personal data; after erasure there are none.
func opened(p secret.Person, r HouseholdRow) (holder, phone string, err error) {
	if r.Person == "" || p.Erased || p.ID == "" {
		return "", "", nil
	}
	if holder, err = p.Open("household.holder", r.Holder); err != nil {
		return "", "", err
	}
	phone, err = p.Open("household.phone", r.Phone)
	return holder, phone, err
}

// Seal makes the personal columns of a household row. Person must be fresh from secret.Subject.
func (r *HouseholdRow) Seal(p secret.Person, holder, phone string) {
	r.Person, r.Holder, r.Phone = p.ID, p.Seal("household.holder", holder), p.Seal("household.phone", phone)
}

// EachPlainIn hands over households as kept, with their personal data in the clear, to an import that changes a part of
// them; the caller has asked for its permission. Nothing of it may be shown.
func (s *Service) EachPlainIn(ctx context.Context, tx *db.Tx, city int, accounts []string, fn func(HouseholdRow, Contact)) error {
	var rows []HouseholdRow
	var ids []string
	for _, a := range accounts {
		row, ok, err := HouseholdIn(ctx, tx, city, a)
		if err != nil {
			return err
		}
		if ok {
			rows, ids = append(rows, row), append(ids, row.Person)
		}
	}
	people, err := secret.OpenSubjects(ctx, tx, s.ring, city, ids)
	if err != nil {
		return err
	}
	for _, r := range rows {
		holder, phone, err := opened(people[r.Person], r)
		if err != nil {
			return err
		}
		fn(r, Contact{holder, phone})
	}
	return nil
}

// Contact is a household's personal data in the clear.
type Contact struct {
	Holder string `json:"holder"`
	Phone  string `json:"phone"`
}

// Reveal shows a household's name and telephone; the act and its reason are recorded.
func (s *Service) Reveal(ctx context.Context, by actor.Actor, city int, account, reason string) (Contact, error) {
	var c fault.Check
	c.That(strings.TrimSpace(reason) != "", "reason", "field.required")
	if err := c.Err(); err != nil {
		return Contact{}, err
	}
	home, err := s.Household(ctx, by, city, account)
	if err != nil {
		return Contact{}, err
	}
	on := actor.On{City: city, District: home.District, Company: home.Company, Area: home.Area, Station: home.Station}
	if err := by.May(actor.CaseReveal, on); err != nil {
		return Contact{}, err
	}
	return db.Write(ctx, s.db, func(tx *db.Tx) (Contact, error) {
		row, ok, err := HouseholdIn(ctx, tx, city, account)
		if err != nil || !ok || row.Person == "" {
			return Contact{}, err
		}
		p, err := secret.OpenSubject(ctx, tx, s.ring, city, row.Person)
		if err != nil {
			return Contact{}, err
		}
		holder, phone, err := opened(p, row)
		if err != nil {
			return Contact{}, err
		}
		return Contact{holder, phone}, audit.Record(ctx, tx, by, city, audit.Act{
			Subject: "household:" + account, Act: "household.reveal", Body: map[string]any{"reason": reason},
		})
	})
}
