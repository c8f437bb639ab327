package cases

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
)

// AddDeed keeps a deed with its facts in the caller's transaction.
func AddDeed(ctx context.Context, tx *db.Tx, d Deed, facts any) (Deed, error) {
	b, err := json.Marshal(facts)
	if err != nil {
		return Deed{}, err
	}
	d.ID, d.Data = tx.NewID(), b
	if d.At.IsZero() {
		d.At = tx.Now
	}
	if err := db.Insert(ctx, tx, "case_act", &d); err != nil {
		return Deed{}, fmt.Errorf("keep %s: %w", d.Kind, err)
	}
	return d, nil
}

// Deeds lists what was done about a case, oldest first; kind may be empty.
func Deeds(ctx context.Context, tx *db.Tx, city int, id string, kind DeedKind) ([]Deed, error) {
	return db.List[Deed](ctx, tx, `SELECT `+db.Columns[Deed]("")+` FROM case_act
		WHERE city_id = $1 AND case_id = $2 AND ($3 = '' OR kind = $3) ORDER BY id`, city, id, string(kind))
}

// handled reports whether a person did any of the unit's work on a case.
func handled(ctx context.Context, tx *db.Tx, c Case, person string) (bool, error) {
	n, err := db.One[int64](ctx, tx, `SELECT COUNT(*) FROM case_act WHERE city_id = $1 AND case_id = $2 AND by_id = $3
		AND kind IN ('contact', 'appointment', 'visit', 'feedback')`, c.City, c.ID, person)
	if err != nil || n > 0 {
		return n > 0, err
	}
	n, err = db.One[int64](ctx, tx, `SELECT COUNT(*) FROM dispatch WHERE city_id = $1 AND case_id = $2 AND (worker = $3 OR signed_by = $3)`, c.City, c.ID, person)
	return n > 0, err
}
