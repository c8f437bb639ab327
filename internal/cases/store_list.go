package cases

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

// sqlOf builds the conditions of a list.
type sqlOf struct {
	from  string // what is walked before the cases, for a search; empty: the cases alone
	seq   string // the column that orders newest first
	where []string
	args  []any
}

// tables is what a list reads from. CROSS JOIN keeps the order in which SQLite walks.
func (q *sqlOf) tables() string {
	if q.from == "" {
		return "case_file c"
	}
	return q.from + " CROSS JOIN case_file c"
}

func (q *sqlOf) arg(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("$%d", len(q.args))
}

func (q *sqlOf) and(cond string) { q.where = append(q.where, cond) }

func (q *sqlOf) eq(column, v string) {
	if v != "" {
		q.and(column + " = " + q.arg(v))
	}
}

// eqOrNone is eq in which "-" means the cases that have none yet.
func (q *sqlOf) eqOrNone(column, v string) {
	if v == "-" {
		q.and(column + " = ''")
		return
	}
	q.eq(column, v)
}

func (q *sqlOf) in(column string, values []string) {
	if len(values) == 1 {
		q.eq(column, values[0])
		return
	}
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = q.arg(v)
	}
	q.and(column + " IN (" + strings.Join(marks, ", ") + ")")
}

func (q *sqlOf) text() string {
	if len(q.where) == 0 {
		return "TRUE"
	}
	return strings.Join(q.where, " AND ")
}

// inCity starts conditions whose first argument is the city.
func inCity(city int) *sqlOf { return &sqlOf{args: []any{city}, seq: "c.seq"} }

// scope limits a list to what the actor may see; units that assist see the case too.
func (q *sqlOf) scope(s actor.Scope) {
	if s.All {
		return
	}
	var parts []string
	for _, p := range s.Parts {
		one := sqlOf{args: q.args}
		if len(p.Districts) > 0 {
			one.in("c.district", p.Districts)
		}
		if len(p.Areas) > 0 {
			one.in("c.area", p.Areas)
		}
		if len(p.Stations) > 0 {
			one.in("c.station", p.Stations)
		}
		if p.Worker != "" {
			one.eq("c.worker", p.Worker)
		}
		if len(p.Companies) > 0 {
			lead := sqlOf{args: one.args}
			lead.in("c.company", p.Companies)
			assist := sqlOf{args: lead.args}
			assist.in("d.company", p.Companies)
			one.args = assist.args
			one.and("(" + lead.text() + " OR EXISTS (SELECT 1 FROM dispatch d WHERE d.city_id = c.city_id AND d.case_id = c.id AND d.part = 'assist' AND d.ended_at IS NULL AND " + assist.text() + "))")
		}
		q.args = one.args
		parts = append(parts, "("+one.text()+")")
	}
	if len(parts) == 0 {
		q.and("1 = 0")
		return
	}
	q.and("(" + strings.Join(parts, " OR ") + ")")
}

// conditions turns a filter into SQL over case_file c.
func (s *Service) conditions(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, f Filter) (*sqlOf, error) {
	q := inCity(city)
	if f.State == "open" {
		q.and("c.open")
	} else if f.State == "closed" {
		q.and("NOT c.open")
	}
	if len(f.Status) > 0 {
		words := make([]string, len(f.Status))
		for i, st := range f.Status {
			words[i] = string(st)
		}
		q.in("c.status", words)
	}
	q.eqOrNone("c.company", f.Company)
	q.eqOrNone("c.district", f.District)
	q.eqOrNone("c.category", f.Category)
	q.eq("c.kind", string(f.Kind))
	q.eq("c.nature", string(f.Nature))
	q.eq("c.channel", string(f.Channel))
	q.eq("c.urgency", string(f.Urgency))
	q.eq("c.community", f.Community)
	q.eq("c.building", f.Building)
	q.eq("c.account", f.Account)
	q.eq("c.station", f.Station)
	q.eq("c.worker", f.Worker)
	if f.Flag != "" {
		q.and(flagSQL[f.Flag])
	}
	if len(f.Among) > 0 {
		q.in("c.category", f.Among)
	}
	if len(f.IDs) > 0 {
		q.in("c.id", f.IDs)
	}
	s.times(tx, q, f)
	if err := s.search(ctx, tx, q, city, f); err != nil {
		return nil, err
	}
	q.scope(scope)
	return q, nil
}

func (s *Service) times(tx *db.Tx, q *sqlOf, f Filter) {
	switch f.Late {
	case "overdue":
		q.and("c.open AND c.due_sort <= " + q.arg(tx.Now))
	case "near":
		q.and("c.open AND c.due_sort > " + q.arg(tx.Now) + " AND c.due_sort <= " + q.arg(tx.Now.Add(2*time.Hour)))
	case "broken":
		q.and("c.late")
	}
	if !f.From.IsZero() {
		q.and("c.received_at >= " + q.arg(f.From.Start()))
	}
	if !f.To.IsZero() {
		q.and("c.received_at < " + q.arg(f.To.End()))
	}
	if !f.Received[0].IsZero() {
		q.and("c.received_at >= " + q.arg(f.Received[0]))
	}
	if !f.Received[1].IsZero() {
		q.and("c.received_at < " + q.arg(f.Received[1]))
	}
	if !f.Since.IsZero() {
		q.and("c.updated_at >= " + q.arg(f.Since))
	}
	if !f.Until.IsZero() {
		q.and("c.updated_at < " + q.arg(f.Until))
	}
}

// list reads a page of cases.
func (s *Service) list(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, f Filter) (page.Of[Case], error) {
	q, err := s.conditions(ctx, tx, city, scope, f)
	if err != nil {
		return page.Of[Case]{}, err
	}
	if err := q.after(f); err != nil {
		return page.Of[Case]{}, err
	}
	rows, err := db.List[Case](ctx, tx, `SELECT `+db.Columns[Case]("c")+` FROM `+q.tables()+` WHERE c.city_id = $1 AND `+q.text()+` ORDER BY `+q.order(f)+` LIMIT `+q.arg(f.Limit()+1), q.args...)
	if err != nil {
		return page.Of[Case]{}, fmt.Errorf("list cases: %w", err)
	}
	return page.Cut(rows, f.Request, func(c Case) []any { return []any{f.key(c), c.Seq} }), nil
}

// order is how the list goes.
func (q *sqlOf) order(f Filter) string {
	switch {
	case f.byDue():
		return "c.due_sort, c.seq"
	case f.byReceived():
		return "c.received_at DESC, c.seq DESC"
	}
	return q.seq + " DESC"
}

// after begins the list behind the row that a cursor names.
func (q *sqlOf) after(f Filter) error {
	if f.After == "" {
		return nil
	}
	var key, seq int64
	if err := page.Decode(f.After, &key, &seq); err != nil {
		return err
	}
	switch {
	case f.byDue():
		q.and("(c.due_sort, c.seq) > (" + q.arg(key) + ", " + q.arg(seq) + ")")
	case f.byReceived():
		q.and("(c.received_at, c.seq) < (" + q.arg(key) + ", " + q.arg(seq) + ")")
	default:
		q.and(q.seq + " < " + q.arg(seq))
	}
	return nil
}

// Total is how many cases a filter finds. More: there are at least so many; only a search for words stops counting.
type Total struct {
	N    int64 `json:"n"`
	More bool  `json:"more,omitempty"`
}

// mostCounted is where counting the hits of a search stops.
const mostCounted = 1000

func (s *Service) count(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, f Filter) (Total, error) {
	if f.tallied() && scope.All {
		n, err := tallied(ctx, tx, city, f)
		return Total{N: n}, err
	}
	q, err := s.conditions(ctx, tx, city, scope, f)
	if err != nil {
		return Total{}, err
	}
	from := ` FROM ` + q.tables() + ` WHERE c.city_id = $1 AND ` + q.text()
	if f.Query == "" {
		n, err := db.One[int64](ctx, tx, `SELECT COUNT(*)`+from, q.args...)
		return Total{N: n}, err
	}
	n, err := db.One[int64](ctx, tx, `SELECT COUNT(*) FROM (SELECT 1 AS one`+from+` LIMIT `+q.arg(mostCounted+1)+`) hits`, q.args...)
	return Total{N: min(n, mostCounted), More: n > mostCounted}, err
}

// tallied sums the tally.
func tallied(ctx context.Context, tx *db.Tx, city int, f Filter) (int64, error) {
	q := inCity(city)
	if st := f.statuses(); st != nil {
		q.in("status", st)
	}
	q.eqOrNone("company", f.Company)
	q.eqOrNone("district", f.District)
	q.eqOrNone("category", f.Category)
	if !f.From.IsZero() {
		q.and("day >= " + q.arg(f.From))
	}
	if !f.To.IsZero() {
		q.and("day <= " + q.arg(f.To))
	}
	return db.One[int64](ctx, tx, `SELECT COALESCE(SUM(n), 0) FROM case_tally WHERE city_id = $1 AND `+q.text(), q.args...)
}

// loads groups the open cases of a scope.
func loads(ctx context.Context, tx *db.Tx, city int, scope actor.Scope) ([]Load, error) {
	q := inCity(city)
	now, soon := q.arg(tx.Now), q.arg(tx.Now.Add(2*time.Hour))
	q.scope(scope)
	return db.List[Load](ctx, tx, `SELECT c.status, c.company, COUNT(*) AS n,
		SUM(CASE WHEN c.due_sort <= `+now+` THEN 1 ELSE 0 END) AS overdue,
		SUM(CASE WHEN c.due_sort > `+now+` AND c.due_sort <= `+soon+` THEN 1 ELSE 0 END) AS near,
		SUM(CASE WHEN c.supervised THEN 1 ELSE 0 END) AS supervised
		FROM case_file c WHERE c.city_id = $1 AND c.open AND `+q.text()+` GROUP BY c.status, c.company ORDER BY c.company, c.status`, q.args...)
}
