package place

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/db"
)

// Stretch is a part of the network or the city: a station, one of its zones, a community, or a building of it. Its fields
// hold together; empty ones say nothing.
type Stretch struct{ Station, Zone, Community, Building string }

// Has reports whether a home lies in the stretch; one that says nothing has none.
func (s Stretch) Has(h Home) bool {
	said := func(what, is string) bool { return what == "" || what == is }
	return s != Stretch{} && said(s.Station, h.Station) && said(s.Zone, h.Zone) && said(s.Community, h.Community) &&
		said(BuildingNo(s.Building), BuildingNo(h.Building))
}

// StationIn gives one station; false when there is none.
func StationIn(ctx context.Context, tx *db.Tx, city int, code string) (Station, bool, error) {
	return findStation(ctx, tx, city, code)
}

// EstatesOfStationIn names the communities that a station heats, as their own rows or those of their buildings say.
func EstatesOfStationIn(ctx context.Context, tx *db.Tx, city int, station string) ([]string, error) {
	names, err := db.List[string](ctx, tx, `SELECT c.name FROM community c`+Seen("c", Communities)+` WHERE c.city_id = $1 AND c.station = $2 AND c.station <> ''
		UNION SELECT c.name FROM building b`+Seen("b", Buildings)+` JOIN community c ON c.city_id = b.city_id AND c.id = b.community`+Seen("c", Communities)+`
		WHERE b.city_id = $1 AND b.station = $2 AND b.station <> '' ORDER BY 1`, city, station)
	if err != nil {
		return nil, fmt.Errorf("communities of station %s: %w", station, err)
	}
	return names, nil
}

// CountHouseholdsIn counts the households in any of the stretches, each once. A household without a station or zone of
// its own has that of its building, else that of its community.
func CountHouseholdsIn(ctx context.Context, tx *db.Tx, city int, stretches []Stretch) (int, error) {
	args := []any{city}
	var either []string
	for _, s := range stretches {
		var both []string
		for _, f := range []struct{ column, value string }{
			{"COALESCE(NULLIF(h.station, ''), NULLIF(b.station, ''), c.station)", s.Station},
			{"COALESCE(NULLIF(h.zone, ''), b.zone)", s.Zone},
			{"h.community", s.Community},
			{"h.building", s.Building},
		} {
			if f.value != "" {
				args = append(args, f.value)
				both = append(both, fmt.Sprintf("%s = $%d", f.column, len(args)))
			}
		}
		if len(both) > 0 {
			either = append(either, "("+strings.Join(both, " AND ")+")")
		}
	}
	if len(either) == 0 {
		return 0, nil
	}
	n, err := db.One[int](ctx, tx, `SELECT count(*) FROM household h`+Seen("h", Households)+`
		JOIN community c ON c.city_id = h.city_id AND c.id = h.community`+Seen("c", Communities)+`
		LEFT JOIN register b_r ON b_r.city_id = h.city_id AND b_r.kind = 'buildings'
		LEFT JOIN building b ON b.city_id = h.city_id AND b.community = h.community AND b.no = h.building
			AND b.edition <= b_r.edition AND b.until_edition > b_r.edition
		WHERE h.city_id = $1 AND (`+strings.Join(either, " OR ")+`)`, args...)
	if err != nil {
		return 0, fmt.Errorf("count households: %w", err)
	}
	return n, nil
}

// AccountAtIn gives the account of the one household at an address; false when the register knows none or several.
func AccountAtIn(ctx context.Context, tx *db.Tx, city int, at Address) (string, bool, error) {
	found, err := db.List[string](ctx, tx, `SELECT h.account FROM household h`+Seen("h", Households)+`
		WHERE h.city_id = $1 AND h.community = $2 AND h.building = $3 AND h.unit = $4 AND h.room = $5 ORDER BY h.account LIMIT 2`,
		city, at.Community, BuildingNo(at.Building), UnitNo(at.Unit), RoomNo(at.Room))
	if err != nil {
		return "", false, fmt.Errorf("find the household at an address: %w", err)
	}
	if len(found) != 1 {
		return "", false, nil
	}
	return found[0], true, nil
}
