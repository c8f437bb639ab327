package exchange

import (
	"context"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

// line is a row of our list of a day, with the id by which pages of it are cut.
type line struct {
	ID string `db:"id"`
	Line
}

// linesOf lists the tickets that were opened on a day; most 0 is all of them.
func linesOf(ctx context.Context, tx *db.Tx, p Platform, day civil.Date, after string, most int) ([]line, error) {
	if most == 0 {
		most = 1 << 30
	}
	return db.List[line](ctx, tx, `SELECT id, no, opened_by, peer_no, status, said_seq, taken_seq FROM exchange_ticket
		WHERE city_id = $1 AND platform = $2 AND opened_at >= $3 AND opened_at < $4 AND id > $5 ORDER BY id LIMIT $6`,
		p.City, p.Code, day.Start(), day.End(), after, most)
}

func dayIn(ctx context.Context, tx *db.Tx, p Platform, day civil.Date) (Day, bool, error) {
	return db.Maybe[Day](ctx, tx, `SELECT `+db.Columns[Day]("")+` FROM exchange_day WHERE city_id = $1 AND platform = $2 AND day = $3`, p.City, p.Code, day)
}

func daysOf(ctx context.Context, tx *db.Tx, city int, platform string) ([]Day, error) {
	return db.List[Day](ctx, tx, `SELECT `+db.Columns[Day]("")+` FROM exchange_day WHERE city_id = $1 AND ($2 = '' OR platform = $2) ORDER BY day DESC, platform LIMIT 60`, city, platform)
}

func keepDay(ctx context.Context, tx *db.Tx, d Day) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO exchange_day (city_id, platform, day, fetched_at, theirs, ours, differing) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (city_id, platform, day) DO UPDATE SET fetched_at = excluded.fetched_at, theirs = excluded.theirs, ours = excluded.ours, differing = excluded.differing`,
		d.City, d.Platform, d.Day, d.FetchedAt, d.Theirs, d.Ours, d.Differing)
	return err
}

func differenceColumns() string { return db.Columns[Difference]("") }

func differencesOf(ctx context.Context, tx *db.Tx, p Platform, day civil.Date) ([]Difference, error) {
	return db.List[Difference](ctx, tx, `SELECT `+differenceColumns()+` FROM exchange_difference WHERE city_id = $1 AND platform = $2 AND day = $3 ORDER BY state, no`, p.City, p.Code, day)
}

func differenceIn(ctx context.Context, tx *db.Tx, in Repairing) (Difference, error) {
	return db.One[Difference](ctx, tx, `SELECT `+differenceColumns()+` FROM exchange_difference WHERE city_id = $1 AND platform = $2 AND day = $3 AND opened_by = $4 AND no = $5`,
		in.City, in.Platform, in.Day, string(in.OpenedBy), in.No)
}

func saveDifference(ctx context.Context, tx *db.Tx, d Difference) error {
	_, err := db.Exec(ctx, tx, `UPDATE exchange_difference SET state = $6, error = $7, repaired_at = $8, repaired_by = $9
		WHERE city_id = $1 AND platform = $2 AND day = $3 AND opened_by = $4 AND no = $5`,
		d.City, d.Platform, d.Day, string(d.OpenedBy), d.No, string(d.State), d.Error, d.RepairedAt, d.RepairedBy)
	return err
}

// goneDifferences marks what a look does not find any more; keepDifference then marks what it does.
func goneDifferences(ctx context.Context, tx *db.Tx, p Platform, day civil.Date) error {
	_, err := db.Exec(ctx, tx, `UPDATE exchange_difference SET state = 'gone' WHERE city_id = $1 AND platform = $2 AND day = $3 AND state = 'open'`, p.City, p.Code, day)
	return err
}

func keepDifference(ctx context.Context, tx *db.Tx, d Difference) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO exchange_difference (city_id, platform, day, opened_by, no, kind, theirs, ours, ticket_id, state, error, found_at, repaired_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', '', $10, '')
		ON CONFLICT (city_id, platform, day, opened_by, no) DO UPDATE SET kind = excluded.kind, theirs = excluded.theirs, ours = excluded.ours,
		ticket_id = excluded.ticket_id, state = 'open'`,
		d.City, d.Platform, d.Day, string(d.OpenedBy), d.No, string(d.Kind), encoded(d.Theirs), encoded(d.Ours), d.Ticket, d.FoundAt)
	return err
}
