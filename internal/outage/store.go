package outage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

func columns() string { return db.Columns[Outage]("o") }

func insert(ctx context.Context, tx *db.Tx, o Outage, scopes []Scope) error {
	if err := db.Insert(ctx, tx, "outage", o); err != nil {
		return fmt.Errorf("add stop: %w", err)
	}
	if err := db.InsertAll(ctx, tx, "outage_scope", scopes); err != nil {
		return fmt.Errorf("add places of a stop: %w", err)
	}
	return nil
}

func find(ctx context.Context, tx *db.Tx, city int, id string) (Outage, error) {
	o, err := db.One[Outage](ctx, tx, `SELECT `+columns()+` FROM outage o WHERE o.city_id = $1 AND o.id = $2`, city, id)
	if err != nil {
		return o, fmt.Errorf("find stop %s: %w", id, err)
	}
	return o, nil
}

// update writes the version of the stop that was seen.
func update(ctx context.Context, tx *db.Tx, o Outage, seen int64) (Outage, error) {
	judged, err := judgement(o.Telling)
	if err != nil {
		return o, err
	}
	err = db.Guarded(ctx, tx, `UPDATE outage SET until_at = $4, first_until = $5, state = $6, telling = $7, late = $8, announced_at = $9,
		restored_at = $10, ended_at = $11, word_at = $12, version = version + 1 WHERE city_id = $1 AND id = $2 AND version = $3`,
		o.City, o.ID, seen, o.Until, o.FirstUntil, string(o.State), judged, o.Late, o.Announced, o.Restored, o.Ended, o.WordAt)
	o.Version = seen + 1
	return o, err
}

func listOpen(ctx context.Context, tx *db.Tx, city int) ([]Outage, error) {
	out, err := db.List[Outage](ctx, tx, `SELECT `+columns()+` FROM outage o WHERE o.city_id = $1 AND o.ended_at IS NULL ORDER BY o.start_at, o.id`, city)
	if err != nil {
		return nil, fmt.Errorf("list open stops: %w", err)
	}
	return out, nil
}

func scopesOfOpen(ctx context.Context, tx *db.Tx, city int) ([]Scope, error) {
	out, err := db.List[Scope](ctx, tx, `SELECT `+db.Columns[Scope]("s")+` FROM outage_scope s
		JOIN outage o ON o.city_id = s.city_id AND o.id = s.outage_id WHERE s.city_id = $1 AND o.ended_at IS NULL ORDER BY s.outage_id, s.n`, city)
	if err != nil {
		return nil, fmt.Errorf("list places of open stops: %w", err)
	}
	return out, nil
}

func scopesOf(ctx context.Context, tx *db.Tx, city int, id string) ([]Scope, error) {
	out, err := db.List[Scope](ctx, tx, `SELECT `+db.Columns[Scope]("s")+` FROM outage_scope s
		WHERE s.city_id = $1 AND s.outage_id = $2 ORDER BY s.n`, city, id)
	if err != nil {
		return nil, fmt.Errorf("list places of stop %s: %w", id, err)
	}
	return out, nil
}

func insertWord(ctx context.Context, tx *db.Tx, w Word) error {
	if err := db.Insert(ctx, tx, "outage_word", w); err != nil {
		return fmt.Errorf("add word: %w", err)
	}
	return nil
}

func wordsOf(ctx context.Context, tx *db.Tx, city int, id string) ([]Word, error) {
	out, err := db.List[Word](ctx, tx, `SELECT `+db.Columns[Word]("w")+` FROM outage_word w
		WHERE w.city_id = $1 AND w.outage_id = $2 ORDER BY w.id`, city, id)
	if err != nil {
		return nil, fmt.Errorf("list words of stop %s: %w", id, err)
	}
	return out, nil
}

// insertCase is false when the case was linked already.
func insertCase(ctx context.Context, tx *db.Tx, o Outage, caseID, by string) (bool, error) {
	n, err := db.Exec(ctx, tx, `INSERT INTO outage_case (city_id, outage_id, case_id, linked_at, linked_by) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (city_id, outage_id, case_id) DO NOTHING`, o.City, o.ID, caseID, tx.Now, by)
	if err != nil {
		return false, fmt.Errorf("link case %s: %w", caseID, err)
	}
	return n == 1, nil
}

func dropCase(ctx context.Context, tx *db.Tx, o Outage, caseID string) (bool, error) {
	n, err := db.Exec(ctx, tx, `DELETE FROM outage_case WHERE city_id = $1 AND outage_id = $2 AND case_id = $3`, o.City, o.ID, caseID)
	if err != nil {
		return false, fmt.Errorf("unlink case %s: %w", caseID, err)
	}
	return n == 1, nil
}

func casesOf(ctx context.Context, tx *db.Tx, city int, id string) ([]string, error) {
	out, err := db.List[string](ctx, tx, `SELECT case_id FROM outage_case WHERE city_id = $1 AND outage_id = $2 ORDER BY linked_at, case_id`, city, id)
	if err != nil {
		return nil, fmt.Errorf("list cases of stop %s: %w", id, err)
	}
	return out, nil
}

// casesAfter lists linked cases in the order of their ids.
func casesAfter(ctx context.Context, tx *db.Tx, o Outage, after string, most int) ([]string, error) {
	out, err := db.List[string](ctx, tx, `SELECT case_id FROM outage_case WHERE city_id = $1 AND outage_id = $2 AND case_id > $3
		ORDER BY case_id LIMIT $4`, o.City, o.ID, after, most)
	if err != nil {
		return nil, fmt.Errorf("list cases of stop %s: %w", o.ID, err)
	}
	return out, nil
}

func findWord(ctx context.Context, tx *db.Tx, city int, id string) (Word, error) {
	w, err := db.One[Word](ctx, tx, `SELECT `+db.Columns[Word]("w")+` FROM outage_word w WHERE w.city_id = $1 AND w.id = $2`, city, id)
	if err != nil {
		return w, fmt.Errorf("find word %s: %w", id, err)
	}
	return w, nil
}

func list(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, f Filter) ([]Outage, error) {
	before, err := cursor(f.Request)
	if err != nil {
		return nil, err
	}
	args := []any{city, before, string(f.State), f.Company, f.Limit() + 1}
	where, args := within(scope, args)
	if f.Open {
		where += " AND o.ended_at IS NULL"
	}
	rows, err := db.List[Outage](ctx, tx, `SELECT `+columns()+` FROM outage o WHERE o.city_id = $1 AND o.id < $2
		AND ($3 = '' OR o.state = $3) AND ($4 = '' OR o.company = $4)`+where+` ORDER BY o.id DESC LIMIT $5`, args...)
	if err != nil {
		return nil, fmt.Errorf("list stops: %w", err)
	}
	return rows, nil
}

func cursor(r page.Request) (string, error) {
	before := "~"
	if r.After == "" {
		return before, nil
	}
	return before, page.Decode(r.After, &before)
}

// within limits a list to what an actor may see, as covers does for one stop.
func within(scope actor.Scope, args []any) (string, []any) {
	if scope.All {
		return "", args
	}
	marks := func(values []string) string {
		out := make([]string, len(values))
		for i, v := range values {
			args = append(args, v)
			out[i] = fmt.Sprintf("$%d", len(args))
		}
		return strings.Join(out, ", ")
	}
	var either []string
	for _, p := range scope.Parts {
		if p.Worker != "" || len(p.Areas) > 0 {
			continue
		}
		both := []string{"TRUE"}
		if len(p.Companies) > 0 {
			both = append(both, "o.company IN ("+marks(p.Companies)+")")
		}
		if len(p.Districts) > 0 {
			both = append(both, `EXISTS (SELECT 1 FROM outage_scope s WHERE s.city_id = o.city_id AND s.outage_id = o.id
				AND (s.district = '' OR s.district IN (`+marks(p.Districts)+`)))`)
		}
		if len(p.Stations) > 0 {
			both = append(both, `EXISTS (SELECT 1 FROM outage_scope s WHERE s.city_id = o.city_id AND s.outage_id = o.id
				AND (s.station = '' OR s.station IN (`+marks(p.Stations)+`)))`)
		}
		either = append(either, "("+strings.Join(both, " AND ")+")")
	}
	if len(either) == 0 {
		return " AND FALSE", args
	}
	return " AND (" + strings.Join(either, " OR ") + ")", args
}

// covers reports whether a scope reaches a stop: its company, and one of its places. A station lies in no district of its
// own, and a community's station is not known here; such places count for everybody of the company.
func covers(scope actor.Scope, o Outage, scopes []Scope) bool {
	if scope.All {
		return true
	}
	return slices.ContainsFunc(scope.Parts, func(p actor.Part) bool {
		if p.Worker != "" || len(p.Areas) > 0 || len(p.Companies) > 0 && !slices.Contains(p.Companies, o.Company) {
			return false
		}
		district := slices.ContainsFunc(scopes, func(s Scope) bool { return s.District == "" || slices.Contains(p.Districts, s.District) })
		station := slices.ContainsFunc(scopes, func(s Scope) bool { return s.Station == "" || slices.Contains(p.Stations, s.Station) })
		return (len(p.Districts) == 0 || district) && (len(p.Stations) == 0 || station)
	})
}
