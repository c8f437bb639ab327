package place

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

// Seen is the join that leaves of a list's table, under an alias, the rows that are seen now.
func Seen(alias string, k Kind) string {
	return fmt.Sprintf(` JOIN %[3]s %[1]s_r ON %[1]s_r.city_id = %[1]s.city_id AND %[1]s_r.kind = '%[2]s'
		AND %[1]s.edition <= %[1]s_r.edition AND %[1]s.until_edition > %[1]s_r.edition`, alias, string(k), k.Register())
}

// CompaniesIn lists the supply units of a city inside the caller's transaction.
func CompaniesIn(ctx context.Context, tx *db.Tx, city int) ([]Company, error) {
	return db.List[Company](ctx, tx, `SELECT `+db.Columns[Company]("c")+` FROM company c`+Seen("c", Companies)+`
		WHERE c.city_id = $1 ORDER BY c.code`, city)
}

// CompanyIn gives one supply unit; false when there is none.
func CompanyIn(ctx context.Context, tx *db.Tx, city int, code string) (Company, bool, error) {
	return db.Maybe[Company](ctx, tx, `SELECT `+db.Columns[Company]("c")+` FROM company c`+Seen("c", Companies)+`
		WHERE c.city_id = $1 AND c.row_key = $2`, city, code)
}

// DistrictsIn lists the districts of a city.
func DistrictsIn(ctx context.Context, tx *db.Tx, city int) ([]District, error) {
	return db.List[District](ctx, tx, `SELECT `+db.Columns[District]("")+` FROM district WHERE city_id = $1 ORDER BY code`, city)
}

// StreetsIn lists the streets of a city.
func StreetsIn(ctx context.Context, tx *db.Tx, city int) ([]Street, error) {
	return db.List[Street](ctx, tx, `SELECT `+db.Columns[Street]("")+` FROM street WHERE city_id = $1 ORDER BY code`, city)
}

// CommunitiesIn lists every community of a city.
func CommunitiesIn(ctx context.Context, tx *db.Tx, city int) ([]Community, error) {
	return db.List[Community](ctx, tx, `SELECT `+db.Columns[Community]("c")+` FROM community c`+Seen("c", Communities)+`
		WHERE c.city_id = $1 ORDER BY c.id`, city)
}

// CommunityIn gives one community; no such one is NotFound.
func CommunityIn(ctx context.Context, tx *db.Tx, city int, id string) (Community, error) {
	return db.One[Community](ctx, tx, `SELECT `+db.Columns[Community]("c")+` FROM community c`+Seen("c", Communities)+`
		WHERE c.city_id = $1 AND c.id = $2`, city, id)
}

// BuildingsIn lists every building of a city.
func BuildingsIn(ctx context.Context, tx *db.Tx, city int) ([]Building, error) {
	return db.List[Building](ctx, tx, `SELECT `+db.Columns[Building]("b")+` FROM building b`+Seen("b", Buildings)+`
		WHERE b.city_id = $1 ORDER BY b.row_key`, city)
}

func buildingsOf(ctx context.Context, tx *db.Tx, city int, community string) ([]Building, error) {
	return db.List[Building](ctx, tx, `SELECT `+db.Columns[Building]("b")+` FROM building b`+Seen("b", Buildings)+`
		WHERE b.city_id = $1 AND b.community = $2 ORDER BY b.row_key`, city, community)
}

// HouseholdIn gives one household as kept; false when the account is not in the register.
func HouseholdIn(ctx context.Context, tx *db.Tx, city int, account string) (HouseholdRow, bool, error) {
	return db.Maybe[HouseholdRow](ctx, tx, `SELECT `+db.Columns[HouseholdRow]("h")+` FROM household h`+Seen("h", Households)+`
		WHERE h.city_id = $1 AND h.row_key = $2`, city, account)
}

// spot narrows the households of a community; empty fields do not.
type spot struct{ community, building, unit, room string }

func householdsAt(ctx context.Context, tx *db.Tx, city int, s spot) ([]HouseholdRow, error) {
	const most = 5000 // flats of one building; a community without building numbers is cut
	return db.List[HouseholdRow](ctx, tx, `SELECT `+db.Columns[HouseholdRow]("h")+` FROM household h`+Seen("h", Households)+`
		WHERE h.city_id = $1 AND h.community = $2 AND ($3 = '' OR h.building = $3) AND ($4 = '' OR h.unit = $4) AND ($5 = '' OR h.room = $5)
		ORDER BY h.building, h.unit, h.room, h.account LIMIT $6`, city, s.community, s.building, s.unit, s.room, most)
}

func stockOf(ctx context.Context, tx *db.Tx, city int, community string) ([]Stock, error) {
	return db.List[Stock](ctx, tx, `SELECT h.building, COUNT(*) AS households, SUM(CASE WHEN h.heat_status IN ('', 'on') THEN 1 ELSE 0 END) AS heated
		FROM household h`+Seen("h", Households)+` WHERE h.city_id = $1 AND h.community = $2 GROUP BY h.building`, city, community)
}

func householdsOfPerson(ctx context.Context, tx *db.Tx, city int, person string) ([]HouseholdRow, error) {
	const most = 200 // a landlord, or a property company that gave its own number
	return db.List[HouseholdRow](ctx, tx, `SELECT `+db.Columns[HouseholdRow]("h")+` FROM household h`+Seen("h", Households)+`
		WHERE h.city_id = $1 AND h.person = $2 AND h.person <> '' ORDER BY h.account LIMIT $3`, city, person, most)
}

func stations(ctx context.Context, tx *db.Tx, city int, company string) ([]Station, error) {
	list, err := db.List[Station](ctx, tx, `SELECT `+db.Columns[Station]("")+` FROM station
		WHERE city_id = $1 AND ($2 = '' OR company = $2) ORDER BY code`, city, company)
	if err != nil {
		return nil, err
	}
	loops := map[string][]Loop{}
	err = db.Each(ctx, tx, func(l Loop) error { loops[l.Station] = append(loops[l.Station], l); return nil },
		`SELECT `+db.Columns[Loop]("")+` FROM loop WHERE city_id = $1 ORDER BY station, code`, city)
	for i := range list {
		list[i].Loops = loops[list[i].Code]
	}
	return list, err
}

func findStation(ctx context.Context, tx *db.Tx, city int, code string) (Station, bool, error) {
	return db.Maybe[Station](ctx, tx, `SELECT `+db.Columns[Station]("")+` FROM station WHERE city_id = $1 AND code = $2`, city, code)
}

// communities lists by name; the cursor is name and id.
func communities(ctx context.Context, tx *db.Tx, city int, f CommunityFilter) (page.Of[Community], error) {
	var name, id string
	if f.After != "" {
		if err := page.Decode(f.After, &name, &id); err != nil {
			return page.Of[Community]{}, err
		}
	}
	rows, err := db.List[Community](ctx, tx, `SELECT `+db.Columns[Community]("c")+` FROM community c`+Seen("c", Communities)+`
		WHERE c.city_id = $1 AND (c.name, c.id) > ($2, $3) AND ($4 = '' OR c.district = $4) AND ($5 = '' OR c.street = $5)
		AND ($6 = '' OR c.station = $6)
		AND ($7 = '' OR lower(c.name) LIKE $7 ESCAPE '\' OR lower(c.aliases) LIKE $7 ESCAPE '\' OR lower(c.address) LIKE $7 ESCAPE '\')
		ORDER BY c.name, c.id LIMIT $8`, city, name, id, f.District, f.Street, f.Station, likePattern(f.Query), f.Limit()+1)
	if err != nil {
		return page.Of[Community]{}, fmt.Errorf("list communities: %w", err)
	}
	return page.Cut(rows, f.Request, func(c Community) []any { return []any{c.Name, c.ID} }), nil
}

// shiftAt is the shift of a desk that holds at an instant: the latest that has begun and not ended.
func shiftAt(ctx context.Context, tx *db.Tx, city int, company, station string, at civil.Instant) (*Shift, error) {
	s, ok, err := db.Maybe[Shift](ctx, tx, `SELECT `+db.Columns[Shift]("s")+` FROM duty s`+Seen("s", Duty)+`
		WHERE s.city_id = $1 AND s.company = $2 AND s.station = $3 AND s.from_at <= $4 AND (s.to_at IS NULL OR s.to_at > $4)
		ORDER BY s.from_at DESC LIMIT 1`, city, company, station, at)
	if err != nil || !ok {
		return nil, err
	}
	return &s, nil
}

func likePattern(q string) string {
	q = strings.ToLower(strings.TrimSpace(q))
	if q == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q) + "%"
}
