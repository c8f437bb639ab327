package stats

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

const (
	dayMS = 24 * 3600 * 1000
	// offsetMS is Chinese legal time, which has had no summer time since 1991.
	offsetMS = 8 * 3600 * 1000
	// slack is how long a change may take from its clock reading to its commit, or a breach until it is recorded.
	slack = 15 * 60 * 1000
)

// changedDays lists the days whose cases, or whose clocks, changed since an instant.
func changedDays(ctx context.Context, tx *db.Tx, city int, since civil.Instant) ([]civil.Date, error) {
	if since.IsZero() {
		return everyDay(ctx, tx, city)
	}
	numbers, err := db.List[int64](ctx, tx, `SELECT DISTINCT (received_at + $3) / $4 AS day_no FROM case_file
		WHERE city_id = $1 AND updated_at >= $2
		UNION SELECT (c.received_at + $3) / $4 AS day_no FROM clock k
		JOIN case_file c ON c.city_id = k.city_id AND c.id = substr(k.subject, 6)
		WHERE k.city_id = $1 AND k.breached_at >= $2 ORDER BY day_no`, city, int64(since)-slack, int64(offsetMS), int64(dayMS))
	if err != nil {
		return nil, err
	}
	out := make([]civil.Date, len(numbers))
	for i, n := range numbers {
		out[i] = civil.Instant(n*dayMS - offsetMS).Date()
	}
	return out, nil
}

func everyDay(ctx context.Context, tx *db.Tx, city int) ([]civil.Date, error) {
	type span struct {
		First civil.Instant `db:"first_at"`
		Last  civil.Instant `db:"last_at"`
	}
	s, err := db.One[span](ctx, tx, `SELECT MIN(received_at) AS first_at, MAX(received_at) AS last_at FROM case_file WHERE city_id = $1`, city)
	if err != nil || s.Last.IsZero() {
		return nil, err
	}
	var out []civil.Date
	for day := s.First.Date(); !day.After(s.Last.Date()); day = day.AddDays(1) {
		out = append(out, day)
	}
	return out, nil
}

// casesOf counts a day's cases, and the dispatches of each unit among them.
func casesOf(ctx context.Context, tx *db.Tx, city int, day civil.Date) ([]caseSum, error) {
	rows, err := countedBy[caseSum](ctx, tx, city, day, "category")
	if err != nil {
		return nil, err
	}
	type key struct{ company, district, category string }
	at := map[key]int{}
	var out []caseSum
	for _, r := range rows {
		k := key{r.Company, r.District, r.Category}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, caseSum{City: city, Day: day.String(), Company: r.Company, District: r.District, Category: r.Category})
		}
		out[i].add(r.counts)
	}
	return out, nil
}

// channelsOf counts a day's cases by the channel that they came in by.
func channelsOf(ctx context.Context, tx *db.Tx, city int, day civil.Date) ([]channelSum, error) {
	rows, err := countedBy[channelSum](ctx, tx, city, day, "channel")
	if err != nil {
		return nil, err
	}
	type key struct{ company, district, channel string }
	at := map[key]int{}
	var out []channelSum
	for _, r := range rows {
		k := key{r.Company, r.District, r.Channel}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, channelSum{City: city, Day: day.String(), Company: r.Company, District: r.District, Channel: r.Channel})
		}
		out[i].add(r.counts)
	}
	return out, nil
}

// countedBy counts a day's cases by unit, district and a column of the case: what became of them, and how often they were sent.
func countedBy[T any](ctx context.Context, tx *db.Tx, city int, day civil.Date, column string) ([]T, error) {
	rows, err := db.List[T](ctx, tx, `SELECT company, district, `+column+`, COUNT(*) AS received,
		COUNT(*) FILTER (WHERE company = '' AND status IN ('answered', 'archived')) AS answered,
		COUNT(*) FILTER (WHERE status IN ('rejected', 'withdrawn', 'terminated', 'void')) AS refused,
		COUNT(*) FILTER (WHERE dispatched_at IS NOT NULL AND status NOT IN ('rejected', 'withdrawn', 'terminated', 'void')) AS due,
		COUNT(*) FILTER (WHERE dispatched_at IS NOT NULL AND status IN ('fed_back', 'verified', 'to_close', 'closed', 'archived')) AS disposed,
		COUNT(*) FILTER (WHERE dispatched_at IS NOT NULL AND status IN ('closed', 'archived')) AS closed,
		COUNT(*) FILTER (WHERE late) AS late, COUNT(*) FILTER (WHERE late AND open) AS late_open,
		COUNT(*) FILTER (WHERE reworks > 0) AS reworked, COUNT(*) FILTER (WHERE reopens > 0) AS reopened,
		COUNT(*) FILTER (WHERE extensions > 0) AS extended,
		COUNT(*) FILTER (WHERE solved IN ('yes', 'no')) AS called, COUNT(*) FILTER (WHERE solved = 'yes') AS solved,
		COUNT(*) FILTER (WHERE satisfied = 'yes' AND solved IN ('yes', 'no')) AS satisfied
		FROM case_file WHERE city_id = $1 AND received_at >= $2 AND received_at < $3 AND about_org = '' GROUP BY company, district, `+column,
		city, int64(day.Start()), int64(day.End()))
	if err != nil {
		return nil, fmt.Errorf("count cases: %w", err)
	}
	sent, err := db.List[T](ctx, tx, `SELECT d.company, c.district, c.`+column+`, COUNT(*) AS dispatches,
		COUNT(*) FILTER (WHERE d.end_kind = 'misdirected') AS misdirected
		FROM case_file c JOIN dispatch d ON d.city_id = c.city_id AND d.case_id = c.id
		WHERE c.city_id = $1 AND c.received_at >= $2 AND c.received_at < $3 AND d.part = 'lead' AND d.end_kind <> 'void'
		GROUP BY d.company, c.district, c.`+column, city, int64(day.Start()), int64(day.End()))
	if err != nil {
		return nil, fmt.Errorf("count dispatches: %w", err)
	}
	return append(rows, sent...), nil
}

// clocksOf counts the limits of a day's cases. A limit is decided once it was met or has passed; those of wrong dispatches,
// those to which the pack knows no limit and the window for returns, which nobody can break, do not count. The deadlines of
// instructions and of the press are days, not limits, and do.
func clocksOf(ctx context.Context, tx *db.Tx, city int, day civil.Date) ([]clockSum, error) {
	rows, err := db.List[clockSum](ctx, tx, `SELECT k.org AS company, c.district, k.code,
		COUNT(*) FILTER (WHERE k.due_at IS NOT NULL AND (k.breached_at IS NOT NULL OR k.state = 'stopped')) AS decided,
		COUNT(*) FILTER (WHERE k.due_at IS NOT NULL AND k.breached_at IS NULL AND k.state = 'stopped') AS kept,
		COUNT(*) FILTER (WHERE k.breached_at IS NULL AND k.state IN ('running', 'paused')) AS running
		FROM case_file c JOIN clock k ON k.city_id = c.city_id AND k.subject = 'case:' || c.id
		WHERE c.city_id = $1 AND c.received_at >= $2 AND c.received_at < $3 AND c.about_org = ''
		AND k.state <> 'void' AND (k.unit <> '' OR k.code IN ('instruction', 'enquiry')) AND k.code <> 'return_window'
		GROUP BY k.org, c.district, k.code`, city, int64(day.Start()), int64(day.End()))
	if err != nil {
		return nil, fmt.Errorf("count clocks: %w", err)
	}
	for i := range rows {
		rows[i].City, rows[i].Day = city, day.String()
	}
	return rows, nil
}

func replaceDay(ctx context.Context, tx *db.Tx, city int, day civil.Date, c countedDay) error {
	if _, err := db.Exec(ctx, tx, `DELETE FROM stat_case WHERE city_id = $1 AND day = $2`, city, day); err != nil {
		return err
	}
	if _, err := db.Exec(ctx, tx, `DELETE FROM stat_clock WHERE city_id = $1 AND day = $2`, city, day); err != nil {
		return err
	}
	if _, err := db.Exec(ctx, tx, `DELETE FROM stat_channel WHERE city_id = $1 AND day = $2`, city, day); err != nil {
		return err
	}
	if err := db.InsertAll(ctx, tx, "stat_case", c.cases); err != nil {
		return err
	}
	if err := db.InsertAll(ctx, tx, "stat_channel", c.channels); err != nil {
		return err
	}
	return db.InsertAll(ctx, tx, "stat_clock", c.clocks)
}

func saveMark(ctx context.Context, tx *db.Tx, city int, upto civil.Instant) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO stat_mark (city_id, upto) VALUES ($1, $2)
		ON CONFLICT (city_id) DO UPDATE SET upto = excluded.upto`, city, int64(upto))
	return err
}
