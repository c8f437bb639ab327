package stats

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/place"
)

// The kinds of cases that say that something is wrong with a building.
const (
	quality = citypack.KindQuality
	leak    = citypack.KindLeak
)

const hourMS = 3600 * 1000

// byHour counts what came in today and yesterday by the hour, and yesterday's up to this time of day.
func byHour(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, v *Scene) error {
	type slot struct {
		Hour int64 `db:"hour_no"`
		N    int64 `db:"n"`
		Till int64 `db:"till"`
	}
	today := tx.Now.Date()
	from := today.AddDays(-1).Start()
	cond, args := within(scope, []any{city, int64(from), int64(today.End()), int64(hourMS), int64(tx.Now) - dayMS})
	rows, err := db.List[slot](ctx, tx, `SELECT (received_at - $2) / $4 AS hour_no, COUNT(*) AS n, COUNT(*) FILTER (WHERE received_at <= $5) AS till
		FROM case_file WHERE city_id = $1 AND received_at >= $2 AND received_at < $3 AND about_org = ''`+cond+` GROUP BY (received_at - $2) / $4`, args...)
	if err != nil {
		return fmt.Errorf("count the day by hours: %w", err)
	}
	for _, r := range rows {
		switch {
		case r.Hour >= 0 && r.Hour < 24:
			v.Yesterday[r.Hour] = r.N
			v.SameHour += r.Till
		case r.Hour < 48:
			v.Hours[r.Hour-24] = r.N
		}
	}
	return nil
}

// openBySpot counts open cases by where they are.
func openBySpot(ctx context.Context, tx *db.Tx, city int, scope actor.Scope) ([]pile, error) {
	cond, args := within(scope, []any{city})
	out, err := db.List[pile](ctx, tx, `SELECT area, company, community, community_name, building, kind, COUNT(*) AS n FROM case_file
		WHERE city_id = $1 AND open AND about_org = ''`+cond+` GROUP BY area, company, community, community_name, building, kind`, args...)
	if err != nil {
		return nil, fmt.Errorf("count open cases by place: %w", err)
	}
	return out, nil
}

// newest lists the cases that came in last, within a day. A case whose caller stays hidden shows no community.
func newest(ctx context.Context, tx *db.Tx, city int, scope actor.Scope) ([]News, error) {
	cond, args := within(scope, []any{city, int64(tx.Now) - dayMS, mostNews})
	out, err := db.List[News](ctx, tx, `SELECT received_at, category, urgency, district, CASE WHEN secret THEN '' ELSE community_name END AS community_name, company, status
		FROM case_file WHERE city_id = $1 AND received_at >= $2 AND status <> 'void' AND about_org = ''`+cond+` ORDER BY received_at DESC, seq DESC LIMIT $3`, args...)
	if err != nil {
		return nil, fmt.Errorf("list new cases: %w", err)
	}
	return out, nil
}

func homesByArea(ctx context.Context, tx *db.Tx, city int) ([]AreaLoad, error) {
	out, err := db.List[homeRow](ctx, tx, `SELECT `+db.Columns[homeRow]("")+` FROM stat_area WHERE city_id = $1 ORDER BY area, company`, city)
	if err != nil {
		return nil, fmt.Errorf("read the homes of areas: %w", err)
	}
	loads := make([]AreaLoad, 0, len(out))
	for _, r := range out {
		loads = append(loads, AreaLoad{Area: r.Area, Company: r.Company, Households: r.Households})
	}
	return loads, nil
}

type homeRow struct {
	City       int    `db:"city_id"`
	Area       string `db:"area"`
	Company    string `db:"company"`
	Households int64  `db:"households"`
}

// homesCounted gives the editions of the lists and the version of areas that the count depends on, and whether it was made with
// these.
func homesCounted(ctx context.Context, tx *db.Tx, city int) (editions string, done bool, err error) {
	type edition struct {
		Kind    string `db:"kind"`
		Edition int64  `db:"edition"`
	}
	list, err := db.List[edition](ctx, tx, `SELECT kind, edition FROM register WHERE city_id = $1 ORDER BY kind`, city)
	if err != nil {
		return "", false, fmt.Errorf("read editions: %w", err)
	}
	var b strings.Builder
	drawn, err := db.One[string](ctx, tx, `SELECT COALESCE(MAX(from_day), '') FROM territory_version WHERE city_id = $1 AND from_day <= $2`, city, tx.Now.Date())
	if err != nil {
		return "", false, fmt.Errorf("read the version in force: %w", err)
	}
	b.WriteString(drawn)
	for _, e := range list {
		b.WriteString(" " + e.Kind + "=" + strconv.FormatInt(e.Edition, 10))
	}
	was, _, err := db.Maybe[string](ctx, tx, `SELECT editions FROM stat_area_mark WHERE city_id = $1`, city)
	return b.String(), was == b.String(), err
}

type buildingHomes struct {
	Community string `db:"community"`
	Building  string `db:"building"`
	N         int64  `db:"n"`
}

func homesByBuilding(ctx context.Context, tx *db.Tx, city int) ([]buildingHomes, error) {
	return db.List[buildingHomes](ctx, tx, `SELECT h.community, h.building, COUNT(*) AS n FROM household h`+place.Seen("h", place.Households)+`
		WHERE h.city_id = $1 GROUP BY h.community, h.building`, city)
}

func saveHomes(ctx context.Context, tx *db.Tx, city int, editions string, rows []AreaLoad) error {
	if _, err := db.Exec(ctx, tx, `DELETE FROM stat_area WHERE city_id = $1`, city); err != nil {
		return err
	}
	kept := make([]homeRow, len(rows))
	for n, r := range rows {
		kept[n] = homeRow{city, r.Area, r.Company, r.Households}
	}
	if err := db.InsertAll(ctx, tx, "stat_area", kept); err != nil {
		return err
	}
	_, err := db.Exec(ctx, tx, `INSERT INTO stat_area_mark (city_id, editions) VALUES ($1, $2)
		ON CONFLICT (city_id) DO UPDATE SET editions = excluded.editions`, city, editions)
	return err
}
