package place

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

// HoldIn keeps imports of a list out until the caller's transaction ends, so that rows may be edited by hand, and gives the
// edition that is seen. While an import runs that is not yet seen it is a Conflict.
func HoldIn(ctx context.Context, tx *db.Tx, city int, k Kind) (int64, error) {
	_, err := db.Exec(ctx, tx, `INSERT INTO `+k.Register()+` (city_id, kind, edition, run, owner, beat, changed_at) VALUES ($1, $2, 0, '', '', 0, $3)
		ON CONFLICT (city_id, kind) DO NOTHING`, city, string(k), tx.Now)
	if err != nil {
		return 0, fmt.Errorf("hold the list of %s: %w", k, err)
	}
	n, ok, err := db.Maybe[int64](ctx, tx, `UPDATE `+k.Register()+` AS r SET changed_at = $3 WHERE city_id = $1 AND kind = $2
		AND (run = '' OR EXISTS (SELECT 1 FROM import_run i WHERE i.city_id = $1 AND i.id = r.run AND i.state = 'published')) RETURNING edition`,
		city, string(k), tx.Now)
	if err != nil {
		return 0, fmt.Errorf("hold the list of %s: %w", k, err)
	}
	if !ok {
		return 0, fault.New(fault.Conflict, "place.import_runs")
	}
	return n, nil
}

// saveShift writes a shift in place; rev is the sum of the row that was seen.
func saveShift(ctx context.Context, tx *db.Tx, s Shift, rev string) error {
	if rev != "" {
		return db.Guarded(ctx, tx, `UPDATE duty SET to_at = $5, name = $6, phone = $7, backup = $8, leader = $9, row_sum = $10
			WHERE city_id = $1 AND row_key = $2 AND row_sum = $3 AND until_edition = $4`,
			s.City, s.Key, rev, Forever, s.To, s.Name, s.Phone, s.Backup, s.Leader, s.Sum)
	}
	_, taken, err := db.Maybe[string](ctx, tx, `SELECT row_sum FROM duty WHERE city_id = $1 AND row_key = $2 AND until_edition = $3`, s.City, s.Key, Forever)
	if err != nil {
		return fmt.Errorf("look up a shift: %w", err)
	}
	if taken {
		return fault.New(fault.Conflict, "place.shift_taken")
	}
	if err := db.Insert(ctx, tx, "duty", &s); err != nil {
		return fmt.Errorf("add a shift: %w", err)
	}
	return nil
}

func dropShift(ctx context.Context, tx *db.Tx, s Shift, rev string) error {
	return db.Guarded(ctx, tx, `DELETE FROM duty WHERE city_id = $1 AND row_key = $2 AND row_sum = $3 AND until_edition = $4`,
		s.City, s.KeyOf(), rev, Forever)
}

func shifts(ctx context.Context, tx *db.Tx, city int, f ShiftFilter) (page.Of[Shift], error) {
	var at civil.Instant
	var key string
	if f.After != "" {
		if err := page.Decode(f.After, &at, &key); err != nil {
			return page.Of[Shift]{}, err
		}
	}
	rows, err := db.List[Shift](ctx, tx, `SELECT `+db.Columns[Shift]("s")+` FROM duty s`+Seen("s", Duty)+`
		WHERE s.city_id = $1 AND (s.from_at, s.row_key) > ($2, $3) AND ($4 = '' OR s.company = $4) AND ($5 = '' OR s.station = $5)
		AND ($6 = 0 OR s.to_at IS NULL OR s.to_at > $6) AND ($7 = 0 OR s.from_at < $7)
		ORDER BY s.from_at, s.row_key LIMIT $8`,
		city, int64(at), key, f.Company, f.Station, int64(f.From), int64(f.To), f.Limit()+1)
	if err != nil {
		return page.Of[Shift]{}, fmt.Errorf("list shifts: %w", err)
	}
	for i := range rows {
		rows[i].Rev = rows[i].Sum
	}
	return page.Cut(rows, f.Request, func(s Shift) []any { return []any{s.At, s.Key} }), nil
}

// NoteStationIn keeps a station that a list names; one that is known stays as it was described, but learns its company.
func NoteStationIn(ctx context.Context, tx *db.Tx, s Station) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO station (city_id, code, name, company, address, version, created_at) VALUES ($1, $2, $3, $4, '', 1, $5)
		ON CONFLICT (city_id, code) DO UPDATE SET company = excluded.company WHERE station.company = '' AND excluded.company <> ''`,
		s.City, s.Code, s.Name, s.Company, tx.Now)
	if err != nil {
		return fmt.Errorf("note a station: %w", err)
	}
	return nil
}

// NoteLoopIn keeps a loop or pressure zone that a list names.
func NoteLoopIn(ctx context.Context, tx *db.Tx, l Loop) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO loop (city_id, station, code, name, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (city_id, station, code) DO NOTHING`, l.City, l.Station, l.Code, l.Name, tx.Now)
	if err != nil {
		return fmt.Errorf("note a loop: %w", err)
	}
	return nil
}

func setStation(ctx context.Context, tx *db.Tx, s Station, version int64) error {
	return db.Guarded(ctx, tx, `UPDATE station SET name = $4, company = $5, address = $6, lng = $7, lat = $8, version = version + 1
		WHERE city_id = $1 AND code = $2 AND version = $3`, s.City, s.Code, version, s.Name, s.Company, s.Address, s.Lng, s.Lat)
}

func saveDistrict(ctx context.Context, tx *db.Tx, d District) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO district (city_id, code, name, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (city_id, code) DO UPDATE SET name = excluded.name`, d.City, d.Code, d.Name, tx.Now)
	return err
}

func saveStreet(ctx context.Context, tx *db.Tx, s Street) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO street (city_id, code, district, name, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (city_id, code) DO UPDATE SET district = excluded.district, name = excluded.name`, s.City, s.Code, s.District, s.Name, tx.Now)
	return err
}
