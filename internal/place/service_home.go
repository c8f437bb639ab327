package place

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
)

// Home is a household without personal data, with where it lies and who serves it, for capabilities that keep something
// about many households at once.
type Home struct {
	Account       string `db:"account" json:"account"`
	Community     string `db:"community" json:"community"` // id
	CommunityName string `db:"name" json:"community_name"`
	District      string `db:"district" json:"district"`
	Building      string `db:"building" json:"building"`
	Unit          string `db:"unit" json:"unit"`
	Room          string `db:"room" json:"room"`
	AreaM2        string `db:"area_m2" json:"area_m2"`
	PriceClass    string `db:"price_class" json:"price_class"`
	HeatStatus    string `db:"heat_status" json:"heat_status"`
	Paid          string `db:"paid" json:"paid"`
	Station       string `db:"station" json:"station"`
	Zone          string `db:"zone" json:"zone"`
	Company       string `db:"-" json:"company"`
	Area          string `db:"-" json:"area"`
}

// On is what an act about the household touches.
func (h Home) On(city int) actor.On {
	return actor.On{City: city, District: h.District, Company: h.Company, Area: h.Area, Station: h.Station}
}

const homeColumns = `h.account, h.community, COALESCE(c.name, '') AS name, COALESCE(c.district, '') AS district, h.building, h.unit, h.room, h.area_m2,
	h.price_class, h.heat_status, h.paid, COALESCE(NULLIF(h.station, ''), NULLIF(b.station, ''), c.station, '') AS station, COALESCE(NULLIF(h.zone, ''), b.zone, '') AS zone`

// homeTables joins a household with its community and building as they are seen now.
func homeTables() string {
	return ` FROM household h` + Seen("h", Households) + `
		LEFT JOIN register c_r ON c_r.city_id = h.city_id AND c_r.kind = 'communities'
		LEFT JOIN community c ON c.city_id = h.city_id AND c.id = h.community AND c.edition <= c_r.edition AND c.until_edition > c_r.edition
		LEFT JOIN register b_r ON b_r.city_id = h.city_id AND b_r.kind = 'buildings'
		LEFT JOIN building b ON b.city_id = h.city_id AND b.community = h.community AND b.no = h.building
			AND b.edition <= b_r.edition AND b.until_edition > b_r.edition`
}

// HomesIn gives households by account; the caller has asked for its permission. Unknown accounts are left out.
func (s *Service) HomesIn(ctx context.Context, tx *db.Tx, city int, accounts []string) (map[string]Home, error) {
	out := make(map[string]Home, len(accounts))
	const most = 400 // parameters of one statement
	for len(accounts) > 0 {
		n := min(len(accounts), most)
		args, marks := []any{city}, make([]string, n)
		for i, a := range accounts[:n] {
			args = append(args, a)
			marks[i] = "$" + strconv.Itoa(i+2)
		}
		list, err := db.List[Home](ctx, tx, `SELECT `+homeColumns+homeTables()+` WHERE h.city_id = $1 AND h.row_key IN (`+strings.Join(marks, ", ")+`)`, args...)
		if err == nil {
			err = s.served(ctx, tx, city, list)
		}
		if err != nil {
			return nil, fmt.Errorf("households by account: %w", err)
		}
		for _, h := range list {
			out[h.Account] = h
		}
		accounts = accounts[n:]
	}
	return out, nil
}

// HomesAfterIn lists households in the order of their accounts, some at a time, of a stretch of the network or the city; an
// empty stretch means every household.
func (s *Service) HomesAfterIn(ctx context.Context, tx *db.Tx, city int, in Stretch, after string, limit int) ([]Home, error) {
	list, err := db.List[Home](ctx, tx, `SELECT `+homeColumns+homeTables()+` WHERE h.city_id = $1 AND h.row_key > $2
		AND ($3 = '' OR COALESCE(NULLIF(h.station, ''), NULLIF(b.station, ''), c.station) = $3) AND ($4 = '' OR COALESCE(NULLIF(h.zone, ''), b.zone) = $4)
		AND ($5 = '' OR h.community = $5) AND ($6 = '' OR h.building = $6) ORDER BY h.row_key LIMIT $7`,
		city, after, in.Station, in.Zone, in.Community, in.Building, limit)
	if err == nil {
		err = s.served(ctx, tx, city, list)
	}
	if err != nil {
		return nil, fmt.Errorf("households of a stretch: %w", err)
	}
	return list, nil
}

// served fills in who serves the households.
func (s *Service) served(ctx context.Context, tx *db.Tx, city int, list []Home) error {
	if s.Owner == nil {
		return nil
	}
	known := map[[2]string][2]string{}
	for i, h := range list {
		key := [2]string{h.Community, h.Building}
		who, ok := known[key]
		if !ok {
			company, area, err := s.Owner(ctx, tx, city, h.Community, h.Building)
			if err != nil {
				return fmt.Errorf("who serves a household: %w", err)
			}
			who = [2]string{company, area}
			known[key] = who
		}
		list[i].Company, list[i].Area = cmp.Or(who[0], h.Company), cmp.Or(who[1], h.Area)
	}
	return nil
}
