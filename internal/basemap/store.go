package basemap

import (
	"context"
	"encoding/json"

	"github.com/rehu-heat/rehu/internal/db"
)

// row is a feature as the table holds it.
type row struct {
	Feature
	Shape string `db:"geometry"`
}

func replace(ctx context.Context, tx *db.Tx, city int, all []Feature) error {
	if _, err := db.Exec(ctx, tx, `DELETE FROM base_map WHERE city_id = $1`, city); err != nil {
		return err
	}
	rows := make([]row, len(all))
	for n, f := range all {
		f.City = city
		rows[n] = row{f, string(f.Geometry)}
	}
	return db.InsertAll(ctx, tx, "base_map", rows)
}

func list(ctx context.Context, tx *db.Tx, city int) ([]Feature, error) {
	rows, err := db.List[row](ctx, tx, `SELECT `+db.Columns[row]("")+` FROM base_map WHERE city_id = $1 ORDER BY n`, city)
	if err != nil {
		return nil, err
	}
	out := make([]Feature, len(rows))
	for n, r := range rows {
		out[n] = r.Feature
		out[n].Geometry = json.RawMessage(r.Shape)
	}
	return out, nil
}
