package notice

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
)

func keepRefusal(ctx context.Context, tx *db.Tx, r Refusal) error {
	var err error
	if r.Scope == "" {
		_, err = db.Exec(ctx, tx, `DELETE FROM notice_refusal WHERE city_id = $1 AND person = $2`, r.City, r.Person)
	} else {
		_, err = db.Exec(ctx, tx, `INSERT INTO notice_refusal (city_id, person, scope, door, at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (city_id, person) DO UPDATE SET scope = excluded.scope, door = excluded.door, at = excluded.at`,
			r.City, r.Person, string(r.Scope), r.Door, r.At)
	}
	if err != nil {
		return fmt.Errorf("keep what a person does not want: %w", err)
	}
	return nil
}

func refusalOf(ctx context.Context, tx *db.Tx, city int, person string) (Refusal, bool, error) {
	r, ok, err := db.Maybe[Refusal](ctx, tx, `SELECT `+db.Columns[Refusal]("")+` FROM notice_refusal WHERE city_id = $1 AND person = $2`, city, person)
	if err != nil {
		return r, false, fmt.Errorf("find what a person does not want: %w", err)
	}
	return r, ok, nil
}

// isQuestion reports whether a message asks; only messages that are kept already can.
func isQuestion(ctx context.Context, tx *db.Tx, n Notice) (bool, error) {
	_, ok, err := questionOf(ctx, tx, n.City, n.ID)
	return ok, err
}
