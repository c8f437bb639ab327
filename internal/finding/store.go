package finding

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

func columns() string { return db.Columns[Finding]("f") }

func insert(ctx context.Context, tx *db.Tx, f Finding) error {
	if err := db.Insert(ctx, tx, "finding", f); err != nil {
		return fmt.Errorf("add objection: %w", err)
	}
	return nil
}

func find(ctx context.Context, tx *db.Tx, city int, id string) (Finding, error) {
	f, err := db.One[Finding](ctx, tx, `SELECT `+columns()+` FROM finding f WHERE f.city_id = $1 AND f.id = $2`, city, id)
	if err != nil {
		return f, fmt.Errorf("find objection %s: %w", id, err)
	}
	return f, nil
}

// openOf finds the objection to a measurement that is not ended yet.
func openOf(ctx context.Context, tx *db.Tx, city int, measurement string) (Finding, bool, error) {
	f, ok, err := db.Maybe[Finding](ctx, tx, `SELECT `+columns()+` FROM finding f
		WHERE f.city_id = $1 AND f.measurement_id = $2 AND f.state IN ('filed', 'accepted', 'weighed')`, city, measurement)
	if err != nil {
		return f, ok, fmt.Errorf("find the open objection to %s: %w", measurement, err)
	}
	return f, ok, nil
}

// openAt lists the objections of a household's season that are not ended yet, the oldest first.
func openAt(ctx context.Context, tx *db.Tx, city int, home, season string) ([]Finding, error) {
	rows, err := db.List[Finding](ctx, tx, `SELECT `+columns()+` FROM finding f
		WHERE f.city_id = $1 AND f.home = $2 AND f.season = $3 AND f.state IN ('filed', 'accepted', 'weighed') ORDER BY f.id`, city, home, season)
	if err != nil {
		return nil, fmt.Errorf("list the open objections of a household: %w", err)
	}
	return rows, nil
}

// decidedAt lists the objections of a household on which a paper was issued, the oldest first.
func decidedAt(ctx context.Context, tx *db.Tx, city int, home string) ([]Finding, error) {
	rows, err := db.List[Finding](ctx, tx, `SELECT `+columns()+` FROM finding f
		WHERE f.city_id = $1 AND f.home = $2 AND f.state IN ('issued', 'mediated', 'ruled') ORDER BY f.id`, city, home)
	if err != nil {
		return nil, fmt.Errorf("list the findings of a household: %w", err)
	}
	return rows, nil
}

// ofMeasurement lists the objections to a measurement, the newest first.
func ofMeasurement(ctx context.Context, tx *db.Tx, city int, measurement string) ([]Finding, error) {
	rows, err := db.List[Finding](ctx, tx, `SELECT `+columns()+` FROM finding f
		WHERE f.city_id = $1 AND f.measurement_id = $2 ORDER BY f.id DESC LIMIT 20`, city, measurement)
	if err != nil {
		return nil, fmt.Errorf("list the objections to a measurement: %w", err)
	}
	return rows, nil
}

// update writes the version that was seen.
func update(ctx context.Context, tx *db.Tx, f Finding, seen int64) (Finding, error) {
	var paper any
	if f.Paper != nil {
		b, err := json.Marshal(f.Paper)
		if err != nil {
			return f, fmt.Errorf("write the paper: %w", err)
		}
		paper = string(b)
	}
	err := db.Guarded(ctx, tx, `UPDATE finding SET state = $4, company_word = $5, company_word_at = $6, asked_at = $7, paper = $8, reason = $9,
		late = $10, decided_at = $11, version = version + 1 WHERE city_id = $1 AND id = $2 AND version = $3`,
		f.City, f.ID, seen, string(f.State), f.CompanyWord, f.CompanyWordAt, f.AskedAt, paper, f.Reason, f.Late, f.DecidedAt)
	f.Version = seen + 1
	return f, err
}

func list(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, f Filter) ([]Finding, error) {
	before := "~"
	if f.After != "" {
		if err := page.Decode(f.After, &before); err != nil {
			return nil, err
		}
	}
	args := []any{city, before, string(f.State), f.Company, f.Home, f.Measurement, f.Limit() + 1}
	where, args := within(scope, args)
	if f.Open {
		where += " AND f.state IN ('filed', 'accepted', 'weighed')"
	}
	if f.Late {
		where += " AND f.late"
	}
	rows, err := db.List[Finding](ctx, tx, `SELECT `+columns()+` FROM finding f WHERE f.city_id = $1 AND f.id < $2
		AND ($3 = '' OR f.state = $3) AND ($4 = '' OR f.company = $4) AND ($5 = '' OR f.home = $5)
		AND ($6 = '' OR f.measurement_id = $6)`+where+` ORDER BY f.id DESC LIMIT $7`, args...)
	if err != nil {
		return nil, fmt.Errorf("list objections: %w", err)
	}
	return rows, nil
}

// within limits a list to what an actor may see.
func within(scope actor.Scope, args []any) (string, []any) {
	if scope.All {
		return "", args
	}
	var either []string
	for _, p := range scope.Parts {
		if p.Worker != "" {
			continue
		}
		both := []string{"TRUE"}
		for _, by := range []struct {
			column string
			values []string
		}{{"f.company", p.Companies}, {"f.district", p.Districts}, {"f.area", p.Areas}, {"f.station", p.Stations}} {
			if len(by.values) == 0 {
				continue
			}
			marks := make([]string, len(by.values))
			for i, v := range by.values {
				args = append(args, v)
				marks[i] = fmt.Sprintf("$%d", len(args))
			}
			both = append(both, by.column+" IN ("+strings.Join(marks, ", ")+")")
		}
		either = append(either, "("+strings.Join(both, " AND ")+")")
	}
	if len(either) == 0 {
		return " AND FALSE", args
	}
	return " AND (" + strings.Join(either, " OR ") + ")", args
}
