package weather

import (
	"context"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

func save(ctx context.Context, tx *db.Tx, rows []Reading) error {
	for _, r := range rows {
		if _, err := db.Exec(ctx, tx, `INSERT INTO outdoor_temperature (city_id, at, temp_c, source) VALUES ($1, $2, $3, $4)
			ON CONFLICT (city_id, at) DO UPDATE SET temp_c = excluded.temp_c, source = excluded.source`, r.City, r.At, r.C, r.Source); err != nil {
			return err
		}
	}
	return nil
}

func list(ctx context.Context, tx *db.Tx, city int, from, to civil.Instant) ([]Reading, error) {
	return db.List[Reading](ctx, tx, `SELECT `+db.Columns[Reading]("")+` FROM outdoor_temperature
		WHERE city_id = $1 AND at >= $2 AND at < $3 ORDER BY at`, city, from, to)
}
