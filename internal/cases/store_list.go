package cases

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

// sqlOf builds the conditions of a list.
type sqlOf struct {
	where []string
	args  []any
	look  int    // how many cases one page looks at
	name  string // the keyed hash of the name that is searched for
	only  string // the one company whose cases the reader sees, where that is all that limits them
	plain string // complaints about staff are left out; every index meets it
	few   bool   // the conditions leave so few cases that all of them may be read
}

// rows reads the cases that meet the conditions.
func (q *sqlOf) rows() string {
	return `SELECT ` + db.Columns[Case]("c") + ` FROM case_file c WHERE c.city_id = $1 AND ` + q.text()
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
		return "TRUE" + q.plain
	}
	return strings.Join(q.where, " AND ") + q.plain
}

// inCity starts conditions whose first argument is the city.
func inCity(city int) *sqlOf { return &sqlOf{args: []any{city}} }

// mostAssisted is up to how many cases that a company assists with are named in a query.
const mostAssisted = 200

// scope limits a list to what the actor may see; units that assist see the case too.
func (q *sqlOf) scope(ctx context.Context, tx *db.Tx, city int, s actor.Scope) error {
	if s.All {
		return nil
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
			ids, err := assisted(ctx, tx, city, p.Companies)
			if err != nil {
				return err
			}
			assist := sqlOf{args: lead.args}
			switch {
			case len(ids) == 0:
				if len(s.Parts) == 1 && len(p.Companies) == 1 && len(one.where) == 0 {
					q.only = p.Companies[0]
					q.eq("c.company", q.only) // said plainly, it leads an index
					return nil
				}
				one.and(lead.text())
			case len(ids) <= mostAssisted:
				assist.in("c.id", ids)
				one.and("(" + lead.text() + " OR " + assist.text() + ")")
			default:
				assist.in("d.company", p.Companies)
				one.and("(" + lead.text() + " OR EXISTS (SELECT 1 FROM dispatch d WHERE d.city_id = c.city_id AND d.case_id = c.id AND d.part = 'assist' AND d.ended_at IS NULL AND " + assist.text() + "))")
			}
			one.args = assist.args
		}
		q.args = one.args
		parts = append(parts, "("+one.text()+")")
	}
	if len(parts) == 0 {
		q.and("1 = 0")
		return nil
	}
	q.and("(" + strings.Join(parts, " OR ") + ")")
	return nil
}

// assisted are the cases that companies assist with, up to one more than are named in a query.
func assisted(ctx context.Context, tx *db.Tx, city int, companies []string) ([]string, error) {
	q := inCity(city)
	q.in("d.company", companies)
	return db.List[string](ctx, tx, `SELECT d.case_id FROM dispatch d WHERE d.city_id = $1 AND `+q.text()+` AND d.part = 'assist' AND d.ended_at IS NULL
		LIMIT `+q.arg(mostAssisted+1), q.args...)
}

// conditions turns a filter into SQL over case_file c.
//
// With words to search for it also gives the finder of the candidates.
func (s *Service) conditions(ctx context.Context, tx *db.Tx, city int, who reader, f Filter) (*sqlOf, *finder, error) {
	q := inCity(city)
	q.plain = plainOnly
	q.look = cmp.Or(s.o.Look, mostLooked)
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
	q.rare("c.nature", string(f.Nature), string(citypack.Repair))
	q.rare("c.channel", string(f.Channel), string(Phone))
	q.rare("c.urgency", string(f.Urgency), string(citypack.Normal))
	q.eq("c.community", f.Community)
	q.eq("c.building", f.Building)
	q.rare("c.account", f.Account, "")
	q.eq("c.station", f.Station)
	q.rare("c.worker", f.Worker, "")
	if f.Flag != "" {
		q.and(flagSQL[f.Flag])
	}
	if err := q.papers(ctx, tx, city, f); err != nil {
		return nil, nil, err
	}
	if len(f.Among) > 0 {
		q.in("c.category", f.Among)
	}
	if len(f.IDs) > 0 {
		q.in("c.id", f.IDs)
	}
	s.times(tx, q, f)
	q.few = q.few || f.Account != "" || f.Community != "" || f.Worker != "" || len(f.IDs) > 0 || !f.Since.IsZero()
	find, err := s.search(ctx, tx, q, city, f)
	if err != nil {
		return nil, nil, err
	}
	if f.Flag == staffFlag {
		q.plain = ""
		return q, find, q.staff(ctx, tx, city, who)
	}
	return q, find, q.scope(ctx, tx, city, who.Scope)
}

// rare is eq for a column whose usual value has no index; the others do, each named by its condition.
func (q *sqlOf) rare(column, v, usual string) {
	q.eq(column, v)
	if v != "" && v != usual {
		q.and(column + " <> '" + usual + "'")
	}
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
	q.received(f)
	if !f.Since.IsZero() {
		q.and("c.updated_at >= " + q.arg(f.Since))
	}
	if !f.Until.IsZero() {
		q.and("c.updated_at < " + q.arg(f.Until))
	}
}

// received limits a list to the time of the first contact.
func (q *sqlOf) received(f Filter) {
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
}

// list reads a page of cases.
func (s *Service) list(ctx context.Context, tx *db.Tx, city int, who reader, f Filter) (page.Of[Case], error) {
	q, find, err := s.conditions(ctx, tx, city, who, f)
	switch {
	case err != nil:
		return page.Of[Case]{}, err
	case find != nil && f.byDue():
		return q.foundByDue(ctx, tx, find, f)
	case find != nil:
		return q.found(ctx, tx, find, f)
	}
	end, bounded, err := q.end(ctx, tx, city, f)
	if err != nil {
		return page.Of[Case]{}, err
	}
	if err := q.after(f); err != nil {
		return page.Of[Case]{}, err
	}
	if bounded {
		q.until(f, end)
	}
	if q.few {
		return q.sorted(ctx, tx, f)
	}
	rows, err := db.List[Case](ctx, tx, q.rows()+` ORDER BY `+f.order()+` LIMIT `+q.arg(f.Limit()+1), q.args...)
	if err != nil {
		return page.Of[Case]{}, fmt.Errorf("list cases: %w", err)
	}
	if bounded && len(rows) <= f.Limit() {
		return page.Of[Case]{Items: rows, Next: page.Encode(end.Key, end.Seq), Short: true}, nil
	}
	return f.cut(rows), nil
}

// sorted reads a page of few cases: their numbers are put in order first and then only the page is read, since rows are
// long. The plus signs keep an index of the order from leading through all cases.
func (q *sqlOf) sorted(ctx context.Context, tx *db.Tx, f Filter) (page.Of[Case], error) {
	first := strings.ReplaceAll(f.order(), "c.", "+c.")
	list, err := db.List[int64](ctx, tx, `SELECT c.seq FROM case_file c WHERE c.city_id = $1 AND `+q.text()+` ORDER BY `+first+` LIMIT `+strconv.Itoa(f.Limit()+1), q.args...)
	if err != nil {
		return page.Of[Case]{}, fmt.Errorf("list cases: %w", err)
	}
	if len(list) == 0 {
		return f.cut(nil), nil
	}
	rows, err := db.List[Case](ctx, tx, q.rows()+among(list)+` ORDER BY `+first, q.args...)
	if err != nil {
		return page.Of[Case]{}, fmt.Errorf("list cases: %w", err)
	}
	return f.cut(rows), nil
}

// cut makes a page of rows, one more than it holds when there is a next one.
func (f Filter) cut(rows []Case) page.Of[Case] {
	return page.Cut(rows, f.Request, func(c Case) []any { return []any{f.key(c), c.Seq} })
}

// mostLooked is how many cases one page or count looks at. Where fewer of them meet the filter than a page holds, the page
// says so and its cursor stands where the look ended.
const mostLooked = 4000

// mark is a place in the order of a list.
type mark struct {
	Key int64 `db:"key"`
	Seq int64 `db:"seq"`
}

// end is where the walk of a page ends: so many rows further on in the index that leads it. A list whose every
// condition that index meets needs no end.
func (q *sqlOf) end(ctx context.Context, tx *db.Tx, city int, f Filter) (mark, bool, error) {
	if q.few {
		return mark{}, false, nil
	}
	lead := inCity(city)
	lead.lead(f, q)
	if len(lead.where) >= len(q.where) {
		return mark{}, false, nil
	}
	if err := lead.after(f); err != nil {
		return mark{}, false, err
	}
	m, ok, err := db.Maybe[mark](ctx, tx, `SELECT `+f.column()+` AS key, c.seq FROM case_file c WHERE c.city_id = $1 AND `+lead.text()+`
		ORDER BY `+f.order()+` LIMIT 1 OFFSET `+lead.arg(q.look), lead.args...)
	if err != nil {
		return mark{}, false, fmt.Errorf("list cases: %w", err)
	}
	return m, ok, nil
}

// lead adds the conditions that the index of a list's order meets by itself.
func (q *sqlOf) lead(f Filter, of *sqlOf) {
	switch {
	case f.byDue():
		q.and("c.open")
		return
	case f.byReceived():
		if f.Late == "broken" {
			q.and("c.late")
		}
		q.received(f)
		return
	}
	switch {
	case of.name != "":
		q.rare("c.caller_blind", of.name, "")
	case f.State == "open":
		q.and("c.open")
	case f.Flag != "" && f.Flag != "care" && f.Flag != "test":
		q.and(flagSQL[f.Flag])
	case f.Urgency != "" && f.Urgency != citypack.Normal:
		q.rare("c.urgency", string(f.Urgency), string(citypack.Normal))
	case f.Nature != "" && f.Nature != citypack.Repair:
		q.rare("c.nature", string(f.Nature), string(citypack.Repair))
	case f.Channel != "" && f.Channel != Phone:
		q.rare("c.channel", string(f.Channel), string(Phone))
	case len(f.Status) == 1:
		q.eq("c.status", string(f.Status[0]))
	case f.Company != "" || of.only != "":
		q.eqOrNone("c.company", cmp.Or(f.Company, of.only))
	case f.District != "":
		q.eqOrNone("c.district", f.District)
	case f.Category != "":
		q.eqOrNone("c.category", f.Category)
	}
}

// column is what orders the list before the number.
func (f Filter) column() string {
	switch {
	case f.byDue():
		return "c.due_sort"
	case f.byReceived():
		return "c.received_at"
	}
	return "c.seq"
}

// order is how the list goes.
func (f Filter) order() string {
	switch {
	case f.byDue():
		return "c.due_sort, c.seq"
	case f.byReceived():
		return "c.received_at DESC, c.seq DESC"
	}
	return "c.seq DESC"
}

// until ends a walk at a place, that one included.
func (q *sqlOf) until(f Filter, m mark) {
	switch {
	case f.byDue():
		q.and("(c.due_sort, c.seq) <= (" + q.arg(m.Key) + ", " + q.arg(m.Seq) + ")")
	case f.byReceived():
		q.and("(c.received_at, c.seq) >= (" + q.arg(m.Key) + ", " + q.arg(m.Seq) + ")")
	default:
		q.and("c.seq >= " + q.arg(m.Seq))
	}
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
		q.and("c.seq < " + q.arg(seq))
	}
	return nil
}

// Total is how many cases a filter finds. More: there are at least so many, since one look does not go over all of them.
type Total struct {
	N    int64 `json:"n"`
	More bool  `json:"more,omitempty"`
}

// mostCounted is where counting the hits of a search stops.
const mostCounted = 1000

func (s *Service) count(ctx context.Context, tx *db.Tx, city int, who reader, f Filter) (Total, error) {
	f.Request = page.Request{}
	if f.tallied() && who.All {
		n, err := tallied(ctx, tx, city, f)
		return Total{N: n}, err
	}
	q, find, err := s.conditions(ctx, tx, city, who, f)
	if err != nil {
		return Total{}, err
	}
	if find != nil {
		return q.counted(ctx, tx, find)
	}
	if q.name != "" { // a frequent name has very many
		n, err := db.One[int64](ctx, tx, `SELECT COUNT(*) FROM (SELECT 1 FROM case_file c WHERE c.city_id = $1 AND `+q.text()+` LIMIT `+q.arg(mostCounted+1)+`) hits`, q.args...)
		return Total{N: min(n, mostCounted), More: n > mostCounted}, err
	}
	var end mark
	bounded := false
	if f.State != "open" && f.Late != "overdue" && f.Late != "near" { // the open ones are few enough to be counted
		if end, bounded, err = q.end(ctx, tx, city, f); err != nil {
			return Total{}, err
		}
	}
	if bounded {
		q.until(f, end)
	}
	n, err := db.One[int64](ctx, tx, `SELECT COUNT(*) FROM case_file c WHERE c.city_id = $1 AND `+q.text(), q.args...)
	return Total{N: n, More: bounded}, err
}

// tallied sums the tally: the days asked for, or the rows over all days and the changes that are not folded yet.
func tallied(ctx context.Context, tx *db.Tx, city int, f Filter) (int64, error) {
	q := inCity(city)
	if st := f.statuses(); st != nil {
		q.in("status", st)
	}
	q.eqOrNone("company", f.Company)
	q.eqOrNone("district", f.District)
	q.eqOrNone("category", f.Category)
	if f.From.IsZero() && f.To.IsZero() {
		return db.One[int64](ctx, tx, `SELECT COALESCE(SUM(n), 0) FROM (SELECT n FROM case_tally WHERE city_id = $1 AND day = '' AND `+q.text()+`
			UNION ALL SELECT n FROM case_tally WHERE city_id = $1 AND NOT folded AND `+q.text()+`) counted`, q.args...)
	}
	q.and("day > ''")
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
	if err := q.scope(ctx, tx, city, scope); err != nil {
		return nil, err
	}
	return db.List[Load](ctx, tx, `SELECT c.status, c.company, COUNT(*) AS n,
		SUM(CASE WHEN c.due_sort <= `+now+` THEN 1 ELSE 0 END) AS overdue,
		SUM(CASE WHEN c.due_sort > `+now+` AND c.due_sort <= `+soon+` THEN 1 ELSE 0 END) AS near,
		SUM(CASE WHEN c.supervised THEN 1 ELSE 0 END) AS supervised
		FROM case_file c WHERE c.city_id = $1 AND c.open AND c.about_org = '' AND `+q.text()+` GROUP BY c.status, c.company ORDER BY c.company, c.status`, q.args...)
}
