package stats

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

// nearly is how soon a limit passes that is called near; the case list uses the same.
const nearly = 2 * time.Hour

// within limits a query to companies and districts; the columns are those of every table that is counted.
func within(scope actor.Scope, args []any) (string, []any) {
	if scope.All {
		return "", args
	}
	in := func(column string, values []string) string {
		marks := make([]string, len(values))
		for i, v := range values {
			args = append(args, v)
			marks[i] = fmt.Sprintf("$%d", len(args))
		}
		return column + " IN (" + strings.Join(marks, ", ") + ")"
	}
	var parts []string
	for _, p := range scope.Parts {
		var conds []string
		if len(p.Companies) > 0 {
			conds = append(conds, in("company", p.Companies))
		}
		if len(p.Districts) > 0 {
			conds = append(conds, in("district", p.Districts))
		}
		if len(conds) > 0 {
			parts = append(parts, "("+strings.Join(conds, " AND ")+")")
		}
	}
	if len(parts) == 0 {
		return " AND 1 = 0", args
	}
	return " AND (" + strings.Join(parts, " OR ") + ")", args
}

type tallyRow struct {
	Status   cases.Status `db:"status"`
	Company  string       `db:"company"`
	District string       `db:"district"`
	N        int64        `db:"n"`
	Today    int64        `db:"today"`
}

// tallied counts all cases by status, company and district, and those of today: the rows over all days, the changes that
// are not folded yet, and the rows of the day.
func tallied(ctx context.Context, tx *db.Tx, city int, scope actor.Scope) ([]tallyRow, error) {
	cond, args := within(scope, []any{city, tx.Now.Date()})
	out, err := db.List[tallyRow](ctx, tx, `SELECT status, company, district, CAST(SUM(n) AS BIGINT) AS n, CAST(SUM(today) AS BIGINT) AS today FROM (
		SELECT status, company, district, n, 0 AS today FROM case_tally WHERE city_id = $1 AND day = ''`+cond+`
		UNION ALL SELECT status, company, district, n, 0 AS today FROM case_tally WHERE city_id = $1 AND NOT folded`+cond+`
		UNION ALL SELECT status, company, district, 0 AS n, n AS today FROM case_tally WHERE city_id = $1 AND day = $2`+cond+`
		) counted GROUP BY status, company, district`, args...)
	if err != nil {
		return nil, fmt.Errorf("count cases: %w", err)
	}
	return out, nil
}

type dueRow struct {
	Status   cases.Status `db:"status"`
	Company  string       `db:"company"`
	District string       `db:"district"`
	Overdue  int64        `db:"overdue"`
	Near     int64        `db:"near"`
}

// dueSoon counts open cases whose nearest limit has passed or passes soon; one index of the open cases holds all it reads.
func dueSoon(ctx context.Context, tx *db.Tx, city int, scope actor.Scope) ([]dueRow, error) {
	cond, args := within(scope, []any{city, int64(tx.Now), int64(tx.Now.Add(nearly))})
	out, err := db.List[dueRow](ctx, tx, `SELECT status, company, district, COUNT(*) FILTER (WHERE due_sort <= $2) AS overdue,
		COUNT(*) FILTER (WHERE due_sort > $2 AND due_sort <= $3) AS near
		FROM case_file WHERE city_id = $1 AND open AND about_org = ''`+cond+` GROUP BY company, status, district HAVING MIN(due_sort) <= $3`, args...)
	if err != nil {
		return nil, fmt.Errorf("count deadlines: %w", err)
	}
	return out, nil
}

// caseSum is a counted row of cases.
type caseSum struct {
	City     int    `db:"city_id"`
	Day      string `db:"day"`
	Company  string `db:"company"`
	District string `db:"district"`
	Category string `db:"category"`
	counts
}

// channelSum is a counted row of the cases of a channel.
type channelSum struct {
	City     int    `db:"city_id"`
	Day      string `db:"day"`
	Company  string `db:"company"`
	District string `db:"district"`
	Channel  string `db:"channel"`
	counts
}

// counts are the numbers of a row.
type counts struct {
	Received    int64 `db:"received"`
	Answered    int64 `db:"answered"`
	Refused     int64 `db:"refused"` // not accepted, withdrawn, terminated, void
	Due         int64 `db:"due"`     // went to a unit and was not taken back
	Disposed    int64 `db:"disposed"`
	Closed      int64 `db:"closed"`
	Late        int64 `db:"late"`
	LateOpen    int64 `db:"late_open"`
	Reworked    int64 `db:"reworked"`
	Reopened    int64 `db:"reopened"`
	Extended    int64 `db:"extended"`
	Called      int64 `db:"called"` // call-backs that reached the resident
	Solved      int64 `db:"solved"`
	Satisfied   int64 `db:"satisfied"`
	Dispatches  int64 `db:"dispatches"`
	Misdirected int64 `db:"misdirected"`
}

func (s *counts) add(r counts) {
	s.Received += r.Received
	s.Answered += r.Answered
	s.Refused += r.Refused
	s.Due += r.Due
	s.Disposed += r.Disposed
	s.Closed += r.Closed
	s.Late += r.Late
	s.LateOpen += r.LateOpen
	s.Reworked += r.Reworked
	s.Reopened += r.Reopened
	s.Extended += r.Extended
	s.Called += r.Called
	s.Solved += r.Solved
	s.Satisfied += r.Satisfied
	s.Dispatches += r.Dispatches
	s.Misdirected += r.Misdirected
}

// clockSum is a counted row of clocks.
type clockSum struct {
	City     int    `db:"city_id"`
	Day      string `db:"day"`
	Company  string `db:"company"`
	District string `db:"district"`
	Code     string `db:"code"`
	Decided  int64  `db:"decided"` // kept or broken
	Kept     int64  `db:"kept"`
	Running  int64  `db:"running"`
}

// period is the condition of a question over a counted table.
func (q Query) period(scope actor.Scope) (string, []any) {
	cond, args := within(scope, []any{q.City, q.From, q.To})
	for _, f := range []struct{ column, value string }{{"company", q.Company}, {"district", q.District}} {
		if f.value != "" {
			args = append(args, orNone(f.value))
			cond += fmt.Sprintf(" AND %s = $%d", f.column, len(args))
		}
	}
	return cond, args
}

// counted are the columns of stat_case that are summed up.
func counted() string {
	var out []string
	for _, c := range []string{
		"received", "answered", "refused", "due", "disposed", "closed", "late", "late_open", "reworked", "reopened", "extended", "called",
		"solved", "satisfied", "dispatches", "misdirected",
	} {
		out = append(out, "CAST(SUM("+c+") AS BIGINT) AS "+c)
	}
	return strings.Join(out, ", ")
}

func eachCaseSum(ctx context.Context, tx *db.Tx, q Query, scope actor.Scope, fn func(caseSum) error) error {
	cond, args := q.period(scope)
	return db.Each(ctx, tx, fn, `SELECT day, company, district, `+counted()+` FROM stat_case
		WHERE city_id = $1 AND day >= $2 AND day <= $3`+cond+` GROUP BY day, company, district`, args...)
}

func eachCategorySum(ctx context.Context, tx *db.Tx, q Query, scope actor.Scope, fn func(caseSum) error) error {
	cond, args := q.period(scope)
	return db.Each(ctx, tx, fn, `SELECT category, `+counted()+` FROM stat_case
		WHERE city_id = $1 AND day >= $2 AND day <= $3`+cond+` GROUP BY category`, args...)
}

func eachChannelSum(ctx context.Context, tx *db.Tx, q Query, scope actor.Scope, fn func(channelSum) error) error {
	cond, args := q.period(scope)
	return db.Each(ctx, tx, fn, `SELECT channel, `+counted()+` FROM stat_channel
		WHERE city_id = $1 AND day >= $2 AND day <= $3`+cond+` GROUP BY channel`, args...)
}

func eachClockSum(ctx context.Context, tx *db.Tx, q Query, scope actor.Scope, fn func(clockSum) error) error {
	cond, args := q.period(scope)
	return db.Each(ctx, tx, fn, `SELECT `+db.Columns[clockSum]("")+` FROM stat_clock
		WHERE city_id = $1 AND day >= $2 AND day <= $3`+cond, args...)
}

func countedUpto(ctx context.Context, tx *db.Tx, city int) (civil.Instant, error) {
	upto, _, err := db.Maybe[civil.Instant](ctx, tx, `SELECT upto FROM stat_mark WHERE city_id = $1`, city)
	return upto, err
}

// orNone reads "-" as the cases that have no company yet, as the case list does.
func orNone(value string) string {
	if value == "-" {
		return ""
	}
	return value
}
