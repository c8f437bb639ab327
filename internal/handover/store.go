package handover

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

func find(ctx context.Context, tx *db.Tx, city int, id string) (Sheet, error) {
	return db.One[Sheet](ctx, tx, `SELECT `+db.Columns[Sheet]("")+` FROM handover WHERE city_id = $1 AND id = $2`, city, id)
}

func waiting(ctx context.Context, tx *db.Tx, city int) (Sheet, bool, error) {
	return db.Maybe[Sheet](ctx, tx, `SELECT `+db.Columns[Sheet]("")+` FROM handover WHERE city_id = $1 AND state = 'written'`, city)
}

func insert(ctx context.Context, tx *db.Tx, s Sheet) error {
	if err := db.Insert(ctx, tx, "handover", &s); err != nil {
		return fmt.Errorf("keep the sheet: %w", err)
	}
	return nil
}

func take(ctx context.Context, tx *db.Tx, s Sheet, version int64) error {
	return db.Guarded(ctx, tx, `UPDATE handover SET state = $4, taken_at = $5, taken_by = $6, taker = $7, reply = $8, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3 AND state = 'written'`,
		s.City, s.ID, version, string(s.State), s.TakenAt, s.TakenBy, s.Taker, s.Reply)
}

func list(ctx context.Context, tx *db.Tx, city int, r page.Request) (page.Of[Sheet], error) {
	after := "~" // sorts after every id
	if r.After != "" {
		if err := page.Decode(r.After, &after); err != nil {
			return page.Of[Sheet]{}, err
		}
	}
	rows, err := db.List[Sheet](ctx, tx, `SELECT `+db.Columns[Sheet]("")+` FROM handover WHERE city_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
		city, after, r.Limit()+1)
	if err != nil {
		return page.Of[Sheet]{}, err
	}
	return page.Cut(rows, r, func(s Sheet) []any { return []any{s.ID} }), nil
}
