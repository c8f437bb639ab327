package exchange

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

func callColumnsOf() string { return db.Columns[CallRecord]("") }

func callIn(ctx context.Context, tx *db.Tx, city int, company, no string) (CallRecord, bool, error) {
	return db.Maybe[CallRecord](ctx, tx, `SELECT `+callColumnsOf()+` FROM hotline_report WHERE city_id = $1 AND company = $2 AND no = $3`, city, company, no)
}

func insertCall(ctx context.Context, tx *db.Tx, r CallRecord) error {
	err := db.Insert(ctx, tx, "hotline_report", r)
	if db.IsUnique(err) {
		return db.ErrRetry // the same call from another hand
	}
	return err
}

func listCalls(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, f CallFilter) ([]CallRecord, error) {
	at, company, no := int64(1<<62), "~", "~"
	if f.After != "" {
		if err := page.Decode(f.After, &at, &company, &no); err != nil {
			return nil, err
		}
	}
	from, to := int64(0), int64(1<<62)
	if !f.From.IsZero() {
		from = int64(f.From.Start())
	}
	if !f.To.IsZero() {
		to = int64(f.To.End())
	}
	args := []any{city, at, company, no, f.Company, f.Late, from, to, f.Limit() + 1}
	where, args := within(scope, args)
	return db.List[CallRecord](ctx, tx, `SELECT `+callColumnsOf()+` FROM hotline_report
		WHERE city_id = $1 AND (told_at, company, no) < ($2, $3, $4) AND ($5 = '' OR company = $5) AND ($6 <> 'yes' OR late = TRUE)
		AND told_at >= $7 AND told_at < $8 AND `+where+` ORDER BY told_at DESC, company DESC, no DESC LIMIT $9`, args...)
}

func reportings(ctx context.Context, tx *db.Tx, city int, since civil.Instant) ([]Reporting, error) {
	return db.List[Reporting](ctx, tx, `SELECT company, count(*) AS n, count(*) FILTER (WHERE late = TRUE) AS late, max(received_at) AS last_at FROM hotline_report
		WHERE city_id = $1 AND told_at >= $2 GROUP BY company ORDER BY company`, city, since)
}

// numberGaps are the stretches between two numbers of a company that follow each other and do not touch.
func numberGaps(ctx context.Context, tx *db.Tx, city int, since civil.Instant) ([]NumberGap, error) {
	return db.List[NumberGap](ctx, tx, `SELECT company, prefix, number, following, told_at FROM (
			SELECT company, prefix, number, told_at, lead(number) OVER (PARTITION BY company, prefix ORDER BY number) AS following
			FROM hotline_report WHERE city_id = $1 AND number >= 0 AND told_at >= $2) numbered
		WHERE following - number > 1 ORDER BY company, prefix, number LIMIT 500`, city, since)
}
