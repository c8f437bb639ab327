package cases

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

// LinksOf lists the links of a case that were not undone.
func LinksOf(ctx context.Context, tx *db.Tx, city int, id string) ([]Link, error) {
	return db.List[Link](ctx, tx, `SELECT `+db.Columns[Link]("")+` FROM case_link
		WHERE city_id = $1 AND (case_id = $2 OR other_id = $2) AND undone_at IS NULL ORDER BY id`, city, id)
}

func findLink(ctx context.Context, tx *db.Tx, city int, id string) (Link, error) {
	return db.One[Link](ctx, tx, `SELECT `+db.Columns[Link]("")+` FROM case_link WHERE city_id = $1 AND id = $2 AND undone_at IS NULL`, city, id)
}

func undoLink(ctx context.Context, tx *db.Tx, by actor.Actor, l Link) error {
	if err := db.Guarded(ctx, tx, `UPDATE case_link SET undone_at = $3, undone_by = $4 WHERE city_id = $1 AND id = $2 AND undone_at IS NULL`,
		l.City, l.ID, tx.Now, by.ID); err != nil {
		return fmt.Errorf("undo a link: %w", err)
	}
	return nil
}

// openOfCaller lists a caller's open cases that were received since an instant, newest first.
func openOfCaller(ctx context.Context, tx *db.Tx, city int, caller string, since civil.Instant) ([]Case, error) {
	return db.List[Case](ctx, tx, `SELECT `+db.Columns[Case]("")+` FROM case_file
		WHERE city_id = $1 AND caller_id = $2 AND open AND about_org = '' AND received_at >= $3 ORDER BY seq DESC LIMIT 20`, city, caller, since)
}
