package exchange

import (
	"context"

	"github.com/rehu-heat/rehu/internal/db"
)

func fileColumns() string { return db.Columns[File]("") }

func insertFile(ctx context.Context, tx *db.Tx, f File) error {
	return db.Insert(ctx, tx, "exchange_file", f)
}

func fileIn(ctx context.Context, tx *db.Tx, city int, id string) (File, error) {
	return db.One[File](ctx, tx, `SELECT `+fileColumns()+` FROM exchange_file WHERE city_id = $1 AND id = $2`, city, id)
}

func filesOf(ctx context.Context, tx *db.Tx, t Ticket) ([]File, error) {
	return db.List[File](ctx, tx, `SELECT `+fileColumns()+` FROM exchange_file WHERE city_id = $1 AND ticket_id = $2 ORDER BY created_at, message_id, n`, t.City, t.ID)
}

// saveFile writes what became of a file of the version that was read.
func saveFile(ctx context.Context, tx *db.Tx, f File) error {
	return db.Guarded(ctx, tx, `UPDATE exchange_file SET state = $4, blob = $5, error = $6, tries = $7, next_at = $8, done_at = $9, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3`, f.City, f.ID, f.Version, string(f.State), f.Blob, f.Error, f.Tries, f.NextAt, f.DoneAt)
}

// dueFiles are those that may be fetched now, of platforms that are not switched off.
func dueFiles(ctx context.Context, tx *db.Tx, city int) ([]string, error) {
	return db.List[string](ctx, tx, `SELECT f.id FROM exchange_file f JOIN exchange_platform p ON p.city_id = f.city_id AND p.code = f.platform
		WHERE f.city_id = $1 AND f.state = 'wanted' AND f.next_at <= $2 AND p.active ORDER BY f.next_at LIMIT 200`, city, tx.Now)
}
