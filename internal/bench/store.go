package bench

import (
	"context"
	"strings"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
)

// copyCases adds the first cases once more, under other numbers, closed, with the index of their words and their count.
func copyCases(ctx context.Context, tx *db.Tx, k int) error {
	columns := strings.Split(db.Columns[cases.Case](""), ", ")
	columns = append(columns, "search")
	values := make([]string, len(columns))
	for i, c := range columns {
		switch c {
		case "id", "no", "token":
			values[i] = "c." + c + " || '-' || CAST($2 AS TEXT)"
		case "seq":
			values[i] = "c.seq - $3"
		case "status":
			values[i] = "'closed'"
		case "open":
			values[i] = "FALSE"
		case "due_sort":
			values[i] = "c.due_sort"
		default:
			values[i] = "c." + c
		}
	}
	offset := int64(k) * 100_000_000
	top, err := db.One[int64](ctx, tx, `SELECT MAX(seq) - 1000 FROM case_file WHERE city_id = $1 AND open`, city)
	if err != nil {
		return err
	}
	if _, err := db.Exec(ctx, tx, `INSERT INTO case_file (`+strings.Join(columns, ", ")+`) SELECT `+strings.Join(values, ", ")+`
		FROM case_file c WHERE c.city_id = $1 AND c.open AND c.seq > $4`, city, k, offset, top); err != nil {
		return err
	}
	if _, err := db.Exec(ctx, tx, `INSERT INTO case_gram (city_id, gram, seq) SELECT g.city_id, g.gram, g.seq - $2 FROM case_gram g
		WHERE g.city_id = $1 AND g.seq > $3`, city, offset, top); err != nil {
		return err
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO case_tally (city_id, id, day, status, company, district, category, n, folded)
		SELECT c.city_id, c.id || '-' || CAST($2 AS TEXT), '2026-01-15', 'closed', c.company, c.district, c.category, 1, FALSE
		FROM case_file c WHERE c.city_id = $1 AND c.open AND c.seq > $3`, city, k, top)
	return err
}

// analyze lets the database know its tables, as its own upkeep would have done over the years.
func analyze(ctx context.Context, d *db.DB) error {
	return db.Do(ctx, d, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, "ANALYZE")
		return err
	})
}
