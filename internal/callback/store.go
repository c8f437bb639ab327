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

func insertOutcome(ctx context.Context, tx *db.Tx, o Outcome) error {
	if err := db.Insert(ctx, tx, "callback_outcome", &o); err != nil {
		return fmt.Errorf("keep the outcome: %w", err)
	}
	return nil
}

func findOutcome(ctx context.Context, tx *db.Tx, city int, id string) (Outcome, error) {
	return db.One[Outcome](ctx, tx, `SELECT `+db.Columns[Outcome]("")+` FROM callback_outcome WHERE city_id = $1 AND id = $2`, city, id)
}

// lastOutcome is the latest outcome of a case.
func lastOutcome(ctx context.Context, tx *db.Tx, city int, caseID string) (Outcome, bool, error) {
	return db.Maybe[Outcome](ctx, tx, `SELECT `+db.Columns[Outcome]("")+` FROM callback_outcome WHERE city_id = $1 AND case_id = $2 ORDER BY n DESC LIMIT 1`, city, caseID)
}

// saveOutcome writes what changed, guarded by the version that was read.
func saveOutcome(ctx context.Context, tx *db.Tx, was, o Outcome) (Outcome, error) {
	o.Version = was.Version + 1
	set, args, err := db.Changed(&was, &o, 4)
	if err != nil {
		return o, err
	}
	return o, db.Guarded(ctx, tx, `UPDATE callback_outcome SET `+set+` WHERE city_id = $1 AND id = $2 AND version = $3`,
		append([]any{o.City, o.ID, was.Version}, args...)...)
}

// undrawn lists the days from first to last that have closings of a unit's work and no draw.
func undrawn(ctx context.Context, tx *db.Tx, city int, first, last civil.Date) ([]civil.Date, error) {
	days, err := db.List[civil.Date](ctx, tx, `SELECT DISTINCT o.day FROM callback_outcome o
		WHERE o.city_id = $1 AND o.day >= $2 AND o.day <= $3 AND o.kind = 'closed' AND o.company <> ''
		AND NOT EXISTS (SELECT 1 FROM callback_draw d WHERE d.city_id = o.city_id AND d.day = o.day) ORDER BY o.day`, city, first, last)
	if err != nil {
		return nil, fmt.Errorf("look for days without a draw: %w", err)
	}
	return days, nil
}

func closingsOn(ctx context.Context, tx *db.Tx, city int, day civil.Date) ([]Outcome, error) {
	return db.List[Outcome](ctx, tx, `SELECT `+db.Columns[Outcome]("")+` FROM callback_outcome
		WHERE city_id = $1 AND day = $2 AND kind = 'closed' AND company <> '' ORDER BY id`, city, day)
}

// offered lists re-tests that nobody has come for yet, some at a time, in the order of their outcomes.
func offered(ctx context.Context, tx *db.Tx, city int, after string) ([]Outcome, error) {
	return db.List[Outcome](ctx, tx, `SELECT `+db.Columns[Outcome]("")+` FROM callback_outcome
		WHERE city_id = $1 AND retest = 'offered' AND id > $2 ORDER BY id LIMIT $3`, city, after, offeredBatch)
}

// dispatched reports whether a person handed the case to any of its units.
func dispatched(ctx context.Context, tx *db.Tx, city int, caseID, person string) (bool, error) {
	n, err := db.One[int64](ctx, tx, `SELECT COUNT(*) FROM dispatch WHERE city_id = $1 AND case_id = $2 AND created_by = $3`, city, caseID, person)
	return n > 0, err
}

func findDraw(ctx context.Context, tx *db.Tx, city int, day civil.Date) (Draw, bool, error) {
	return db.Maybe[Draw](ctx, tx, `SELECT `+db.Columns[Draw]("")+` FROM callback_draw WHERE city_id = $1 AND day = $2`, city, day)
}

func draws(ctx context.Context, tx *db.Tx, city int) ([]Draw, error) {
	return db.List[Draw](ctx, tx, `SELECT `+db.Columns[Draw]("")+` FROM callback_draw WHERE city_id = $1 ORDER BY day DESC LIMIT 60`, city)
}

func insertDraw(ctx context.Context, tx *db.Tx, d Draw) error {
	return db.Insert(ctx, tx, "callback_draw", &d)
}

func insertSamples(ctx context.Context, tx *db.Tx, all []Sample) error {
	return db.InsertAll(ctx, tx, "callback_sample", all)
}

func findSample(ctx context.Context, tx *db.Tx, city int, id string) (Sample, error) {
	return db.One[Sample](ctx, tx, `SELECT `+db.Columns[Sample]("")+` FROM callback_sample WHERE city_id = $1 AND id = $2`, city, id)
}

func saveSample(ctx context.Context, tx *db.Tx, s Sample) error {
	return db.Guarded(ctx, tx, `UPDATE callback_sample SET state = $4, solved = $5, satisfied = $6, word = $7, done_at = $8, done_by = $9, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3`, s.City, s.ID, s.Version, string(s.State), s.Solved, s.Satisfied, s.Word, s.DoneAt, s.DoneBy)
}

// listSamples leaves out what the reader or their unit handled, and what the reader asked before.
func listSamples(ctx context.Context, tx *db.Tx, city int, by actor.Actor, f SampleFilter) (page.Of[Sample], error) {
	var after string
	if f.After != "" {
		if err := page.Decode(f.After, &after); err != nil {
			return page.Of[Sample]{}, err
		}
	}
	rows, err := db.List[Sample](ctx, tx, `SELECT `+db.Columns[Sample]("s")+` FROM callback_sample s
		JOIN callback_outcome o ON o.city_id = s.city_id AND o.id = s.outcome_id
		WHERE s.city_id = $1 AND s.state = $2 AND s.id > $3 AND o.handled_by <> $4 AND o.called_by <> $4 AND o.company <> $5
		ORDER BY s.id LIMIT $6`, city, string(f.State), after, by.ID, by.Org, f.Limit()+1)
	if err != nil {
		return page.Of[Sample]{}, fmt.Errorf("list sample calls: %w", err)
	}
	return page.Cut(rows, f.Request, func(s Sample) []any { return []any{s.ID} }), nil
}

func insertTry(ctx context.Context, tx *db.Tx, t Try) error {
	return db.Insert(ctx, tx, "callback_try", &t)
}

func triesOf(ctx context.Context, tx *db.Tx, city int, sample string) ([]Try, error) {
	return db.List[Try](ctx, tx, `SELECT `+db.Columns[Try]("")+` FROM callback_try WHERE city_id = $1 AND sample_id = $2 ORDER BY id`, city, sample)
}

// conditions gathers a WHERE clause and its arguments; the first is the city.
type conditions struct {
	where []string
	args  []any
}

func (q *conditions) add(condition string, v any) {
	q.args = append(q.args, v)
	q.where = append(q.where, strings.Replace(condition, "?", fmt.Sprintf("$%d", len(q.args)), 1))
}

func (q *conditions) in(column string, values []string) string {
	marks := make([]string, len(values))
	for i, v := range values {
		q.args = append(q.args, v)
		marks[i] = fmt.Sprintf("$%d", len(q.args))
	}
	return column + " IN (" + strings.Join(marks, ", ") + ")"
}

// scope limits outcomes to what the reader may see.
func (q *conditions) scope(scopes []actor.Scope) {
	var either []string
	for _, s := range scopes {
		if s.All {
			return
		}
	}
	for _, s := range scopes {
		for _, p := range s.Parts {
			if p.Worker != "" {
				continue
			}
			both := []string{"1 = 1"}
			for column, values := range map[string][]string{"o.district": p.Districts, "o.company": p.Companies, "o.area": p.Areas, "o.station": p.Stations} {
				if len(values) > 0 {
					both = append(both, q.in(column, values))
				}
			}
			either = append(either, "("+strings.Join(both, " AND ")+")")
		}
	}
	if len(either) == 0 {
		either = []string{"1 = 0"}
	}
	q.where = append(q.where, "("+strings.Join(either, " OR ")+")")
}

// places is the table whose places count: of a fixed period what was fixed.
func (q Query) places() (from, alias string) {
	if q.Period == "" {
		return "callback_outcome o", "o"
	}
	return "callback_frozen f JOIN callback_outcome o ON o.city_id = f.city_id AND o.id = f.outcome_id", "f"
}

func (q Query) conditions(scopes []actor.Scope) *conditions {
	w := &conditions{args: []any{q.City}, where: []string{"o.city_id = $1"}}
	if q.Period != "" {
		w.where = append(w.where, "f.city_id = $1")
		w.add("f.period_id = ?", q.Period)
	} else {
		w.add("o.day >= ?", q.From)
		w.add("o.day <= ?", q.To)
	}
	for column, v := range map[string]string{"company": q.Company, "station": q.Station, "district": q.District, "category": q.Category} {
		switch v {
		case "":
		case "-": // none
			w.add("o."+column+" = ?", "")
		default:
			w.add("o."+column+" = ?", v)
		}
	}
	w.scope(scopes)
	return w
}

// narrow adds the place of a rate that rows must stand in.
func (q Query) narrow(w *conditions) {
	_, alias := q.places()
	if q.Rework {
		w.where = append(w.where, alias+".rework")
	}
	if q.Rate == "" || q.Place == "" {
		return
	}
	column := alias + ".st_" + string(q.Rate)
	switch q.Place {
	case Counted:
		w.where = append(w.where, column+" IN ('hit', 'miss')")
	case LeftOut:
		w.where = append(w.where, column+" NOT IN ('hit', 'miss')")
	case Hit, Miss, NoLimit, NotAsked, Unreached, NotSaid, Unclaimed, Back, Excused:
		w.add(column+" = ?", string(q.Place))
	}
}

func cells(ctx context.Context, tx *db.Tx, q Query, scopes []actor.Scope) ([]cell, error) {
	from, a := q.places()
	w := q.conditions(scopes)
	key := "o." + string(q.By)
	st := a + ".st_response, " + a + ".st_solved, " + a + ".st_satisfied, " + a + ".st_mismatch"
	rows, err := db.List[cell](ctx, tx, `SELECT `+key+` AS key, `+st+`, COUNT(*) AS n, SUM(CASE WHEN `+a+`.rework THEN 1 ELSE 0 END) AS rework FROM `+from+`
		WHERE o.city_id = $1 AND `+strings.Join(w.where, " AND ")+` GROUP BY `+key+`, `+st, w.args...)
	if err != nil {
		return nil, fmt.Errorf("count outcomes: %w", err)
	}
	return rows, nil
}

func appealCells(ctx context.Context, tx *db.Tx, q Query, scopes []actor.Scope) ([]appealCell, error) {
	from, _ := q.places()
	w := q.conditions(scopes)
	key := "o." + string(q.By)
	rows, err := db.List[appealCell](ctx, tx, `SELECT `+key+` AS key, a.rate, a.state, COUNT(*) AS n FROM `+from+`
		JOIN callback_appeal a ON a.city_id = o.city_id AND a.outcome_id = o.id
		WHERE o.city_id = $1 AND `+strings.Join(w.where, " AND ")+` GROUP BY `+key+`, a.rate, a.state`, w.args...)
	if err != nil {
		return nil, fmt.Errorf("count appeals: %w", err)
	}
	return rows, nil
}

// outcomes lists rows, newest first, with their places as they count in the query.
func outcomes(ctx context.Context, tx *db.Tx, q Query, scopes []actor.Scope, limit int) ([]Outcome, error) {
	from, a := q.places()
	w := q.conditions(scopes)
	q.narrow(w)
	if q.After != "" {
		var before string
		if err := page.Decode(q.After, &before); err != nil {
			return nil, err
		}
		w.add("o.id < ?", before)
	}
	columns := db.Columns[Outcome]("o")
	for _, st := range []string{"st_response", "st_solved", "st_satisfied", "st_mismatch", "rework"} {
		columns = strings.Replace(columns, "o."+st, a+"."+st, 1)
	}
	w.args = append(w.args, limit)
	rows, err := db.List[Outcome](ctx, tx, `SELECT `+columns+` FROM `+from+` WHERE o.city_id = $1 AND `+strings.Join(w.where, " AND ")+
		fmt.Sprintf(` ORDER BY o.id DESC LIMIT $%d`, len(w.args)), w.args...)
	if err != nil {
		return nil, fmt.Errorf("list outcomes: %w", err)
	}
	return rows, nil
}
