package callback

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

func insertAppeal(ctx context.Context, tx *db.Tx, a Appeal) error {
	return db.Insert(ctx, tx, "callback_appeal", &a)
}

func findAppeal(ctx context.Context, tx *db.Tx, city int, id string) (Appeal, error) {
	return db.One[Appeal](ctx, tx, `SELECT `+db.Columns[Appeal]("")+` FROM callback_appeal WHERE city_id = $1 AND id = $2`, city, id)
}

// refusedReasons are the grounds on which appeals against an outcome were refused.
func refusedReasons(ctx context.Context, tx *db.Tx, o Outcome, r Rate) ([]Reason, error) {
	return db.List[Reason](ctx, tx, `SELECT reason FROM callback_appeal WHERE city_id = $1 AND outcome_id = $2 AND rate = $3 AND state = 'refused' ORDER BY id`,
		o.City, o.ID, string(r))
}

func decideAppeal(ctx context.Context, tx *db.Tx, a Appeal) error {
	return db.Guarded(ctx, tx, `UPDATE callback_appeal SET state = $4, decided_at = $5, decided_by = $6, note = $7, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3 AND state = 'asked'`, a.City, a.ID, a.Version, string(a.State), a.DecidedAt, a.DecidedBy, a.Note)
}

// listAppeals lists appeals, those that wait first, within what the reader may see.
func listAppeals(ctx context.Context, tx *db.Tx, city int, scopes []actor.Scope, f AppealFilter) (page.Of[Appeal], error) {
	before := "~"
	if f.After != "" {
		if err := page.Decode(f.After, &before); err != nil {
			return page.Of[Appeal]{}, err
		}
	}
	w := &conditions{args: []any{city}, where: []string{"a.city_id = $1"}}
	w.add("a.id < ?", before)
	for column, v := range map[string]string{"state": string(f.State), "rate": string(f.Rate), "company": f.Company} {
		if v != "" {
			w.add("a."+column+" = ?", v)
		}
	}
	w.scope(scopes)
	w.args = append(w.args, f.Limit()+1)
	rows, err := db.List[Appeal](ctx, tx, `SELECT `+db.Columns[Appeal]("a")+` FROM callback_appeal a
		JOIN callback_outcome o ON o.city_id = a.city_id AND o.id = a.outcome_id
		WHERE a.city_id = $1 AND `+strings.Join(w.where, " AND ")+fmt.Sprintf(` ORDER BY a.id DESC LIMIT $%d`, len(w.args)), w.args...)
	if err != nil {
		return page.Of[Appeal]{}, fmt.Errorf("list appeals: %w", err)
	}
	return page.Cut(rows, f.Request, func(a Appeal) []any { return []any{a.ID} }), nil
}

func openAppeals(ctx context.Context, tx *db.Tx, city int, from, to civil.Date) (int64, error) {
	return db.One[int64](ctx, tx, `SELECT COUNT(*) FROM callback_appeal WHERE city_id = $1 AND state = 'asked' AND day >= $2 AND day <= $3`, city, from, to)
}

func findPeriod(ctx context.Context, tx *db.Tx, city int, id string) (Period, error) {
	return db.One[Period](ctx, tx, `SELECT `+db.Columns[Period]("")+` FROM callback_period WHERE city_id = $1 AND id = $2`, city, id)
}

func lastEdition(ctx context.Context, tx *db.Tx, city int, from, to civil.Date) (Period, bool, error) {
	return db.Maybe[Period](ctx, tx, `SELECT `+db.Columns[Period]("")+` FROM callback_period
		WHERE city_id = $1 AND from_day = $2 AND to_day = $3 ORDER BY edition DESC LIMIT 1`, city, from, to)
}

func periods(ctx context.Context, tx *db.Tx, city int) ([]Period, error) {
	return db.List[Period](ctx, tx, `SELECT `+db.Columns[Period]("")+` FROM callback_period WHERE city_id = $1 ORDER BY id DESC LIMIT 100`, city)
}

// fixedDays lists the latest editions of fixed figures that hold some of the days.
func fixedDays(ctx context.Context, tx *db.Tx, city int, from, to civil.Date) ([]Period, error) {
	return db.List[Period](ctx, tx, `SELECT `+db.Columns[Period]("p")+` FROM callback_period p
		WHERE p.city_id = $1 AND p.from_day <= $3 AND p.to_day >= $2 AND NOT EXISTS (SELECT 1 FROM callback_period n
		WHERE n.city_id = p.city_id AND n.from_day = p.from_day AND n.to_day = p.to_day AND n.edition > p.edition)
		ORDER BY p.from_day, p.to_day`, city, from, to)
}

// fixed is how an outcome stands in the figures that were fixed last.
type fixed struct {
	From      civil.Date `db:"from_day"`
	To        civil.Date `db:"to_day"`
	Edition   int        `db:"edition"`
	Response  Place      `db:"st_response"`
	Solved    Place      `db:"st_solved"`
	Satisfied Place      `db:"st_satisfied"`
	Mismatch  Place      `db:"st_mismatch"`
}

func (f fixed) place(r Rate) Place {
	return Outcome{StResponse: f.Response, StSolved: f.Solved, StSatisfied: f.Satisfied, StMismatch: f.Mismatch}.Place(r)
}

func fixedPlace(ctx context.Context, tx *db.Tx, o Outcome) (fixed, bool, error) {
	return db.Maybe[fixed](ctx, tx, `SELECT p.from_day, p.to_day, p.edition, f.st_response, f.st_solved, f.st_satisfied, f.st_mismatch
		FROM callback_frozen f JOIN callback_period p ON p.city_id = f.city_id AND p.id = f.period_id
		WHERE f.city_id = $1 AND f.outcome_id = $2 ORDER BY p.frozen_at DESC, p.id DESC LIMIT 1`, o.City, o.ID)
}

// lastWord is when the last thing was said of the days that counts against a company; zero when there is none.
func lastWord(ctx context.Context, tx *db.Tx, city int, from, to civil.Date) (civil.Instant, error) {
	return db.One[civil.Instant](ctx, tx, `SELECT COALESCE(MAX(CASE WHEN said_at > at THEN said_at ELSE at END), 0) FROM callback_outcome
		WHERE city_id = $1 AND day >= $2 AND day <= $3
		AND (st_response = 'miss' OR st_solved = 'miss' OR st_satisfied = 'miss' OR st_mismatch = 'hit')`, city, from, to)
}

// insertPeriod fixes where every outcome of the days stands now.
func insertPeriod(ctx context.Context, tx *db.Tx, p Period) error {
	if err := db.Insert(ctx, tx, "callback_period", &p); err != nil {
		return err
	}
	_, err := db.Exec(ctx, tx, `INSERT INTO callback_frozen (city_id, period_id, outcome_id, st_response, st_solved, st_satisfied, st_mismatch, rework)
		SELECT city_id, $2, id, st_response, st_solved, st_satisfied, st_mismatch, rework FROM callback_outcome
		WHERE city_id = $1 AND day >= $3 AND day <= $4`, p.City, p.ID, p.From, p.To)
	if err != nil {
		return fmt.Errorf("fix the figures: %w", err)
	}
	return nil
}
