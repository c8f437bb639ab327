package staffing

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// settings are the centre's own; without them those of the city's rules.
func settings(ctx context.Context, tx *db.Tx, city int, rules *citypack.Rules) (Settings, error) {
	s, found, err := db.Maybe[Settings](ctx, tx, `SELECT `+db.Columns[Settings]("s")+` FROM staffing_setting s WHERE s.city_id = $1`, city)
	if err != nil {
		return s, fmt.Errorf("find the settings of staffing: %w", err)
	}
	if !found {
		return usual(city, rules.Pack, tx.Now.Date()), nil
	}
	return s, nil
}

// saveSettings writes the version that was seen; 0 is the first.
func saveSettings(ctx context.Context, tx *db.Tx, s Settings) (Settings, error) {
	if s.Version == 0 {
		s.Version = 1
		err := db.Insert(ctx, tx, "staffing_setting", s)
		if db.IsUnique(err) {
			return s, fault.Wrap(err, fault.Conflict, "conflict.version")
		}
		return s, err
	}
	err := db.Guarded(ctx, tx, `UPDATE staffing_setting SET target = $3, within_s = $4, shrinkage = $5, talk_s = $6, wrap_s = $7, source = $8,
		updated_at = $9, version = version + 1 WHERE city_id = $1 AND version = $2`,
		s.City, s.Version, s.Target, s.Within, s.Shrinkage, s.Talk, s.Wrap, s.Source, s.Updated)
	s.Version++
	return s, err
}

func insertShift(ctx context.Context, tx *db.Tx, s Shift) error {
	if err := db.Insert(ctx, tx, "staffing_shift", s); err != nil {
		return fmt.Errorf("add shift: %w", err)
	}
	return nil
}

func findShift(ctx context.Context, tx *db.Tx, city int, id string) (Shift, error) {
	s, err := db.One[Shift](ctx, tx, `SELECT `+db.Columns[Shift]("s")+` FROM staffing_shift s WHERE s.city_id = $1 AND s.id = $2`, city, id)
	if err != nil {
		return s, fmt.Errorf("find shift %s: %w", id, err)
	}
	return s, nil
}

func updateShift(ctx context.Context, tx *db.Tx, s Shift) (Shift, error) {
	err := db.Guarded(ctx, tx, `UPDATE staffing_shift SET team = $4, from_at = $5, to_at = $6, seats = $7, created_by = $8, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3`, s.City, s.ID, s.Version, s.Team, s.From, s.To, s.Seats, s.By)
	s.Version++
	return s, err
}

func dropShift(ctx context.Context, tx *db.Tx, s Shift) error {
	return db.Guarded(ctx, tx, `DELETE FROM staffing_shift WHERE city_id = $1 AND id = $2 AND version = $3`, s.City, s.ID, s.Version)
}

// shiftsOf are the shifts that reach into a day.
func shiftsOf(ctx context.Context, tx *db.Tx, city int, day civil.Date) ([]Shift, error) {
	return listShifts(ctx, tx, city, day.AddDays(-1).Start(), day.End(), day.Start())
}

// startingOn are the shifts that begin on a day.
func startingOn(ctx context.Context, tx *db.Tx, city int, day civil.Date) ([]Shift, error) {
	return listShifts(ctx, tx, city, day.Start(), day.End(), day.Start())
}

func listShifts(ctx context.Context, tx *db.Tx, city int, from, to, endsAfter civil.Instant) ([]Shift, error) {
	out, err := db.List[Shift](ctx, tx, `SELECT `+db.Columns[Shift]("s")+` FROM staffing_shift s
		WHERE s.city_id = $1 AND s.from_at >= $2 AND s.from_at < $3 AND s.to_at > $4 ORDER BY s.from_at, s.team, s.id`, city, from, to, endsAfter)
	if err != nil {
		return nil, fmt.Errorf("list shifts: %w", err)
	}
	return out, nil
}

func pastOf(ctx context.Context, tx *db.Tx, city int, from, to civil.Date) ([]Past, error) {
	out, err := db.List[Past](ctx, tx, `SELECT `+db.Columns[Past]("p")+` FROM staffing_history p
		WHERE p.city_id = $1 AND p.at >= $2 AND p.at < $3 ORDER BY p.at`, city, from.Start(), to.End())
	if err != nil {
		return nil, fmt.Errorf("list past half-hours: %w", err)
	}
	return out, nil
}

func keepPast(ctx context.Context, tx *db.Tx, city int, source string, some []Past) error {
	for _, p := range some {
		_, err := db.Exec(ctx, tx, `INSERT INTO staffing_history (city_id, at, calls, source) VALUES ($1, $2, $3, $4)
			ON CONFLICT (city_id, at) DO UPDATE SET calls = excluded.calls, source = excluded.source`, city, p.At, p.Calls, source)
		if err != nil {
			return fmt.Errorf("keep past half-hours: %w", err)
		}
	}
	return nil
}
