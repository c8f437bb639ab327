package bulletin

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

func columns() string { return db.Columns[Bulletin]("") }

func insert(ctx context.Context, tx *db.Tx, b Bulletin) error {
	if err := db.Insert(ctx, tx, "bulletin", b); err != nil {
		return fmt.Errorf("keep bulletin: %w", err)
	}
	return nil
}

func find(ctx context.Context, tx *db.Tx, city int, id string) (Bulletin, error) {
	b, err := db.One[Bulletin](ctx, tx, `SELECT `+columns()+` FROM bulletin WHERE city_id = $1 AND id = $2`, city, id)
	if err != nil {
		return b, fmt.Errorf("find bulletin %s: %w", id, err)
	}
	return b, nil
}

func save(ctx context.Context, tx *db.Tx, b Bulletin, version int64) (Bulletin, error) {
	err := db.Guarded(ctx, tx, `UPDATE bulletin SET state = $4, reason = $5, decided_by = $6, decided_at = $7, told_at = $8, late = $9, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3`,
		b.City, b.ID, version, string(b.State), b.Reason, b.DecidedBy, b.DecidedAt, b.ToldAt, b.Late)
	b.Version = version + 1
	return b, err
}

// advance keeps how far the telling has come from where it was. It is no new version: whoever takes a bulletin back while it
// goes out decides about what they saw.
func advance(ctx context.Context, tx *db.Tx, b, was Bulletin) error {
	return db.Guarded(ctx, tx, `UPDATE bulletin SET stretch = $3, after_account = $4, reached = $5, unreached = $6
		WHERE city_id = $1 AND id = $2 AND state = 'sending' AND stretch = $7 AND after_account = $8`,
		b.City, b.ID, b.Stretch, b.After, b.Reached, b.Unreached, was.Stretch, was.After)
}

func list(ctx context.Context, tx *db.Tx, city int, f Filter) ([]Bulletin, error) {
	before := "~"
	if f.After != "" {
		if err := page.Decode(f.After, &before); err != nil {
			return nil, err
		}
	}
	out, err := db.List[Bulletin](ctx, tx, `SELECT `+columns()+` FROM bulletin WHERE city_id = $1 AND id < $2 AND ($3 = '' OR state = $3)
		AND ($4 = '' OR kind = $4) ORDER BY id DESC LIMIT $5`, city, before, string(f.State), string(f.Kind), f.Limit()+1)
	if err != nil {
		return nil, fmt.Errorf("list bulletins: %w", err)
	}
	return out, nil
}

func live(ctx context.Context, tx *db.Tx, city int) ([]Bulletin, error) {
	out, err := db.List[Bulletin](ctx, tx, `SELECT `+columns()+` FROM bulletin WHERE city_id = $1 AND state IN ('sending', 'told') AND until_at > $2
		ORDER BY id DESC LIMIT 200`, city, tx.Now)
	if err != nil {
		return nil, fmt.Errorf("list live bulletins: %w", err)
	}
	return out, nil
}

// countSame counts other bulletins that go on in the same place.
func countSame(ctx context.Context, tx *db.Tx, b Bulletin) (int, error) {
	n, err := db.One[int](ctx, tx, `SELECT COUNT(*) FROM bulletin WHERE city_id = $1 AND scope_kind = $2 AND scope_id = $3 AND id <> $4
		AND state IN ('waiting', 'sending', 'told') AND until_at > $5`, b.City, string(b.Reach), b.Scope, b.ID, tx.Now)
	if err != nil {
		return 0, fmt.Errorf("count bulletins of the same place: %w", err)
	}
	return n, nil
}
