package cases

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// record is a case with the text it is searched by, which never leaves the package.
type record struct {
	Case
	Search string `db:"search"`
}

func find(ctx context.Context, tx *db.Tx, city int, id string) (Case, error) {
	return db.One[Case](ctx, tx, `SELECT `+db.Columns[Case]("")+` FROM case_file WHERE city_id = $1 AND id = $2`, city, id)
}

func findBy(ctx context.Context, tx *db.Tx, city int, column, value string) (Case, bool, error) {
	return db.Maybe[Case](ctx, tx, `SELECT `+db.Columns[Case]("")+` FROM case_file WHERE city_id = $1 AND `+column+` = $2`, city, value)
}

// findTicket finds the case of another system's number.
func findTicket(ctx context.Context, tx *db.Tx, city int, ch Channel, no string) (Case, bool, error) {
	return db.Maybe[Case](ctx, tx, `SELECT `+db.Columns[Case]("")+` FROM case_file
		WHERE city_id = $1 AND channel = $2 AND ticket_no = $3 AND ticket_no <> ''`, city, string(ch), no)
}

func insert(ctx context.Context, tx *db.Tx, c Case) error {
	if err := db.Insert(ctx, tx, "case_file", &record{Case: c, Search: searchText(c)}); err != nil {
		return fmt.Errorf("insert case: %w", err)
	}
	return nil
}

func update(ctx context.Context, tx *db.Tx, was, is Case) error {
	set, args, err := db.Changed(&record{Case: was, Search: searchText(was)}, &record{Case: is, Search: searchText(is)}, 4)
	if err != nil {
		return err
	}
	args = append([]any{was.City, was.ID, was.Version}, args...)
	return db.Guarded(ctx, tx, `UPDATE case_file SET `+set+` WHERE city_id = $1 AND id = $2 AND version = $3`, args...)
}

// tally is one change in the number of cases.
type tally struct {
	City     int    `db:"city_id"`
	ID       string `db:"id"`
	Day      string `db:"day"`
	Status   Status `db:"status"`
	Company  string `db:"company"`
	District string `db:"district"`
	Category string `db:"category"`
	N        int64  `db:"n"`
	Folded   bool   `db:"folded"`
}

func tallyOf(tx *db.Tx, c Case, n int64) tally {
	return tally{City: c.City, ID: tx.NewID(), Day: c.ReceivedAt.Date().String(), Status: c.Status, Company: c.Company, District: c.District, Category: c.Category, N: n}
}

func (t tally) same(u tally) bool {
	return t.Day == u.Day && t.Status == u.Status && t.Company == u.Company && t.District == u.District && t.Category == u.Category
}

func tallyMove(ctx context.Context, tx *db.Tx, was, is Case) error {
	if is.AboutOrg != "" { // of its own list, outside every figure about heat
		if was.AboutOrg != "" {
			return nil
		}
		return db.InsertAll(ctx, tx, "case_tally", []tally{tallyOf(tx, was, -1)})
	}
	from, to := tallyOf(tx, was, -1), tallyOf(tx, is, 1)
	if from.same(to) {
		return nil
	}
	return db.InsertAll(ctx, tx, "case_tally", []tally{from, to})
}

// foldTally replaces a batch of single changes by their sums, by day and over all days; it returns how many it took.
func foldTally(ctx context.Context, tx *db.Tx, city, batch int) (int, error) {
	rows, err := db.List[tally](ctx, tx, `SELECT `+db.Columns[tally]("")+` FROM case_tally
		WHERE city_id = $1 AND NOT folded ORDER BY id LIMIT $2`+db.SkipLocked(tx), city, batch)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	sums := make(map[tally]int64, len(rows))
	for _, r := range rows {
		n := r.N
		r.ID, r.N, r.Folded = "", 0, true
		sums[r] += n
		r.Day = "" // the sum over all days
		sums[r] += n
	}
	for key, n := range sums {
		if err := foldOne(ctx, tx, key, n); err != nil {
			return 0, err
		}
	}
	for start := 0; start < len(rows); start += 200 {
		part := rows[start:min(start+200, len(rows))]
		args := []any{city}
		marks := make([]string, len(part))
		for i, r := range part {
			args = append(args, r.ID)
			marks[i] = fmt.Sprintf("$%d", len(args))
		}
		if _, err := db.Exec(ctx, tx, `DELETE FROM case_tally WHERE city_id = $1 AND id IN (`+strings.Join(marks, ", ")+`)`, args...); err != nil {
			return 0, fmt.Errorf("fold tally: %w", err)
		}
	}
	return len(rows), nil
}

func foldOne(ctx context.Context, tx *db.Tx, key tally, n int64) error {
	if n == 0 {
		return nil
	}
	hit, err := db.Exec(ctx, tx, `UPDATE case_tally SET n = n + $7 WHERE city_id = $1 AND day = $2 AND status = $3 AND company = $4
		AND district = $5 AND category = $6 AND folded`, key.City, key.Day, string(key.Status), key.Company, key.District, key.Category, n)
	if err != nil || hit > 0 {
		return err
	}
	key.ID, key.N = tx.NewID(), n
	return db.Insert(ctx, tx, "case_tally", &key)
}

// number draws the next number of a day: its sort key, and its place in the day.
func number(ctx context.Context, tx *db.Tx, city int, day civil.Date) (seq, n int64, err error) {
	n, err = db.Next(ctx, tx, city, "case:"+day.String())
	if err != nil {
		return 0, 0, err
	}
	if n > 999_999 {
		return 0, 0, fault.New(fault.Exhausted, "case.too_many_today")
	}
	return int64(day.Year*10000+int(day.Month)*100+day.Day)*1_000_000 + n, n, nil
}

// closedBefore lists cases that were closed before an instant, oldest first.
func closedBefore(ctx context.Context, tx *db.Tx, city int, before civil.Instant, most int) ([]string, error) {
	return db.List[string](ctx, tx, `SELECT id FROM case_file WHERE city_id = $1 AND status IN ('closed', 'answered') AND closed_at < $2
		ORDER BY seq LIMIT $3`, city, before, most)
}

type perCommunity struct {
	Community string `db:"community"`
	N         int    `db:"n"`
}

func openPerCommunity(ctx context.Context, tx *db.Tx, city int, communities []string) (map[string]int, error) {
	out := map[string]int{}
	for start := 0; start < len(communities); start += 500 {
		part := communities[start:min(start+500, len(communities))]
		args := []any{city}
		marks := make([]string, len(part))
		for i, id := range part {
			args = append(args, id)
			marks[i] = fmt.Sprintf("$%d", len(args))
		}
		rows, err := db.List[perCommunity](ctx, tx, `SELECT community, COUNT(*) AS n FROM case_file
			WHERE city_id = $1 AND open AND about_org = '' AND community IN (`+strings.Join(marks, ", ")+`) GROUP BY community`, args...)
		if err != nil {
			return nil, fmt.Errorf("count open cases: %w", err)
		}
		for _, r := range rows {
			out[r.Community] = r.N
		}
	}
	return out, nil
}
