package measure

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

func columns() string { return db.Columns[Measurement]("m") }

func find(ctx context.Context, tx *db.Tx, city int, id string) (Measurement, error) {
	m, err := db.One[Measurement](ctx, tx, `SELECT `+columns()+` FROM measurement m WHERE m.city_id = $1 AND m.id = $2`, city, id)
	if err != nil {
		return m, fmt.Errorf("find measurement %s: %w", id, err)
	}
	return m, nil
}

func insert(ctx context.Context, tx *db.Tx, m Measurement) error {
	if err := db.Insert(ctx, tx, "measurement", m); err != nil {
		return fmt.Errorf("add measurement: %w", err)
	}
	return nil
}

// hold lets one writer after the other at a home: what is read after it is what the writer before has left.
func hold(ctx context.Context, tx *db.Tx, city int, home string) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO measure_home (city_id, home, writes) VALUES ($1, $2, 1)
		ON CONFLICT (city_id, home) DO UPDATE SET writes = measure_home.writes + 1`, city, home)
	if err != nil {
		return fmt.Errorf("hold a home: %w", err)
	}
	return nil
}

// held gives a measurement once its home is held.
func held(ctx context.Context, tx *db.Tx, m Measurement) (Measurement, error) {
	if err := hold(ctx, tx, m.City, m.Home); err != nil {
		return m, err
	}
	return find(ctx, tx, m.City, m.ID)
}

// update writes what changed of the version that was read.
func update(ctx context.Context, tx *db.Tx, was, is Measurement) (Measurement, error) {
	is.Version, is.Updated = was.Version+1, tx.Now
	set, args, err := db.Changed(&was, &is, 4)
	if err != nil {
		return is, err
	}
	args = append([]any{was.City, was.ID, was.Version}, args...)
	return is, db.Guarded(ctx, tx, `UPDATE measurement SET `+set+` WHERE city_id = $1 AND id = $2 AND version = $3`, args...)
}

// ofHome lists the measurements of a home, oldest first.
func ofHome(ctx context.Context, tx *db.Tx, city int, home string) ([]Measurement, error) {
	out, err := db.List[Measurement](ctx, tx, `SELECT `+columns()+` FROM measurement m WHERE m.city_id = $1 AND m.home = $2 ORDER BY m.id`, city, home)
	if err != nil {
		return nil, fmt.Errorf("list measurements of a home: %w", err)
	}
	return out, nil
}

// ofCase lists the measurements of a case, oldest first.
func ofCase(ctx context.Context, tx *db.Tx, city int, caseID string) ([]Measurement, error) {
	out, err := db.List[Measurement](ctx, tx, `SELECT `+columns()+` FROM measurement m
		WHERE m.city_id = $1 AND m.case_id = $2 AND m.case_id <> '' ORDER BY m.id`, city, caseID)
	if err != nil {
		return nil, fmt.Errorf("list measurements of case %s: %w", caseID, err)
	}
	return out, nil
}

func insertRecord(ctx context.Context, tx *db.Tx, r Record) error {
	return db.Insert(ctx, tx, "measure_record", r)
}

// recordsOfHome lists everything about a home in the order in which it was told.
func recordsOfHome(ctx context.Context, tx *db.Tx, city int, home string) ([]Record, error) {
	out, err := db.List[Record](ctx, tx, `SELECT `+db.Columns[Record]("r")+` FROM measure_record r WHERE r.city_id = $1 AND r.home = $2 ORDER BY r.seq`, city, home)
	if err != nil {
		return nil, fmt.Errorf("list records of a home: %w", err)
	}
	return out, nil
}

func findRecord(ctx context.Context, tx *db.Tx, city int, id string) (Record, error) {
	r, err := db.One[Record](ctx, tx, `SELECT `+db.Columns[Record]("r")+` FROM measure_record r WHERE r.city_id = $1 AND r.id = $2`, city, id)
	if err != nil {
		return r, fmt.Errorf("find record %s: %w", id, err)
	}
	return r, nil
}

func recordsOfVisit(ctx context.Context, tx *db.Tx, city int, visit string) ([]Record, error) {
	out, err := db.List[Record](ctx, tx, `SELECT `+db.Columns[Record]("r")+` FROM measure_record r
		WHERE r.city_id = $1 AND r.visit_id = $2 AND r.visit_id <> '' ORDER BY r.seq`, city, visit)
	if err != nil {
		return nil, fmt.Errorf("list records of visit %s: %w", visit, err)
	}
	return out, nil
}

func insertAppointment(ctx context.Context, tx *db.Tx, a Appointment) error {
	if err := db.Insert(ctx, tx, "measure_appointment", a); err != nil {
		return fmt.Errorf("add appointment: %w", err)
	}
	return nil
}

func findAppointment(ctx context.Context, tx *db.Tx, city int, id string) (Appointment, error) {
	a, err := db.One[Appointment](ctx, tx, `SELECT `+db.Columns[Appointment]("a")+` FROM measure_appointment a WHERE a.city_id = $1 AND a.id = $2`, city, id)
	if err != nil {
		return a, fmt.Errorf("find appointment %s: %w", id, err)
	}
	return a, nil
}

func appointmentsOf(ctx context.Context, tx *db.Tx, city int, measurement string) ([]Appointment, error) {
	out, err := db.List[Appointment](ctx, tx, `SELECT `+db.Columns[Appointment]("a")+` FROM measure_appointment a
		WHERE a.city_id = $1 AND a.measurement_id = $2 ORDER BY a.id`, city, measurement)
	if err != nil {
		return nil, fmt.Errorf("list appointments of %s: %w", measurement, err)
	}
	return out, nil
}

// turned writes an appointment's new state over the version that was read.
func turned(ctx context.Context, tx *db.Tx, a Appointment) (Appointment, error) {
	err := db.Guarded(ctx, tx, `UPDATE measure_appointment SET state = $4, how = $5, recording = $6, answered_at = $7, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3`, a.City, a.ID, a.Version, string(a.State), a.How, a.Recording, a.AnsweredAt)
	a.Version++
	return a, err
}

// doorRows are the arrivals of a span of days that count, with the measurement that they belong to.
const doorRows = ` FROM measure_record r JOIN measurement m ON m.city_id = r.city_id AND m.id = r.measurement_id
	WHERE r.city_id = $1 AND r.outcome <> '' AND r.at >= $2 AND r.at < $3 AND ($4 = '' OR r.company = $4) AND r.counted
	AND NOT EXISTS (SELECT 1 FROM measure_record c WHERE c.city_id = r.city_id AND c.corrects = r.id AND c.corrects <> '')`

func countDoors(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, q DoorsQuery) ([]doorCount, error) {
	where, args := covered(scope, []any{city, int64(q.From.Start()), int64(q.To.End()), q.Company})
	out, err := db.List[doorCount](ctx, tx, `SELECT r.company, r.outcome, COUNT(*) AS n`+doorRows+where+` GROUP BY r.company, r.outcome ORDER BY r.company, r.outcome`, args...)
	if err != nil {
		return nil, fmt.Errorf("count visits at the door: %w", err)
	}
	return out, nil
}

// unableDoors are the arrivals among them on which the company could not measure.
func unableDoors(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, q DoorsQuery) ([]Record, error) {
	where, args := covered(scope, []any{city, int64(q.From.Start()), int64(q.To.End()), q.Company})
	out, err := db.List[Record](ctx, tx, `SELECT `+db.Columns[Record]("r")+doorRows+` AND r.outcome = 'unable'`+where+` ORDER BY r.id`, args...)
	if err != nil {
		return nil, fmt.Errorf("list visits that could not be made: %w", err)
	}
	return out, nil
}

// numberOf is the number that a document of a matter took before; false when it has none yet.
func numberOf(ctx context.Context, tx *db.Tx, city int, matter, code string) (Document, bool, error) {
	return db.Maybe[Document](ctx, tx, `SELECT `+db.Columns[Document]("d")+` FROM measure_document d WHERE d.city_id = $1 AND d.matter = $2 AND d.code = $3`, city, matter, code)
}

func documentsOf(ctx context.Context, tx *db.Tx, city int, home string) ([]Document, error) {
	out, err := db.List[Document](ctx, tx, `SELECT `+db.Columns[Document]("d")+` FROM measure_document d WHERE d.city_id = $1 AND d.home = $2 ORDER BY d.made_at, d.id`, city, home)
	if err != nil {
		return nil, fmt.Errorf("list documents of a home: %w", err)
	}
	return out, nil
}

func findDocument(ctx context.Context, tx *db.Tx, city int, id string) (Document, error) {
	d, err := db.One[Document](ctx, tx, `SELECT `+db.Columns[Document]("d")+` FROM measure_document d WHERE d.city_id = $1 AND d.id = $2`, city, id)
	if err != nil {
		return d, fmt.Errorf("find document %s: %w", id, err)
	}
	return d, nil
}

// list reads a page of measurements, the newest first.
func list(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, f Filter) ([]Measurement, error) {
	before := "~"
	if f.After != "" {
		if err := page.Decode(f.After, &before); err != nil {
			return nil, err
		}
	}
	var since civil.Instant
	if !f.Since.IsZero() {
		since = f.Since.Start()
	}
	args := []any{city, before, string(f.State), f.Company, f.Station, f.Worker, f.Home, f.Case, f.Season, int64(since), f.Limit() + 1}
	where, args := covered(scope, args)
	if f.Open {
		where += " AND m.state NOT IN ('conforming', 'withdrawn')"
	}
	if f.Conflict {
		where += " AND m.conflict"
	}
	where, args = f.narrow(where, args)
	if f.Late {
		args = append(args, int64(tx.Now))
		where += fmt.Sprintf(" AND (m.misses > 0 OR m.state IN ('requested', 'absent', 'refused') AND m.due_at <= $%d)", len(args))
	}
	rows, err := db.List[Measurement](ctx, tx, `SELECT `+columns()+` FROM measurement m WHERE m.city_id = $1 AND m.id < $2
		AND ($3 = '' OR m.state = $3) AND ($4 = '' OR m.company = $4) AND ($5 = '' OR m.station = $5) AND ($6 = '' OR m.worker = $6)
		AND ($7 = '' OR m.home = $7) AND ($8 = '' OR m.case_id = $8) AND ($9 = '' OR m.season = $9) AND m.requested_at >= $10`+where+`
		ORDER BY m.id DESC LIMIT $11`, args...)
	if err != nil {
		return nil, fmt.Errorf("list measurements: %w", err)
	}
	return rows, nil
}

// narrow adds what few lists ask for: an estate, what is due by the end of a day, the appointments of a day.
func (f Filter) narrow(where string, args []any) (string, []any) {
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where += " AND " + condition
	}
	if f.Community != "" {
		add("m.community_name LIKE ? ESCAPE '!'", "%"+strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(f.Community)+"%")
	}
	if !f.Due.IsZero() {
		add("m.state IN ('requested', 'absent', 'missed', 'refused', 'unsigned') AND m.due_at < ?", int64(f.Due.End()))
	}
	if f.Outcome != "" {
		add("EXISTS (SELECT 1 FROM measure_record v WHERE v.city_id = m.city_id AND v.measurement_id = m.id AND v.outcome = ? AND v.counted)", string(f.Outcome))
	}
	if !f.Day.IsZero() {
		add("m.appointed_from >= ? AND m.appointed_from < ?", int64(f.Day.Start()), int64(f.Day.End()))
	}
	return where, args
}

// covered limits a list over measurement m to what an actor may see, as Measurement.On does for one.
func covered(scope actor.Scope, args []any) (string, []any) {
	if scope.All {
		return "", args
	}
	in := func(column string, values []string) string {
		marks := make([]string, len(values))
		for i, v := range values {
			args = append(args, v)
			marks[i] = fmt.Sprintf("$%d", len(args))
		}
		return "m." + column + " IN (" + strings.Join(marks, ", ") + ")"
	}
	var either []string
	for _, p := range scope.Parts {
		both := []string{"1 = 1"}
		if len(p.Districts) > 0 {
			both = append(both, in("district", p.Districts))
		}
		if len(p.Companies) > 0 {
			both = append(both, in("company", p.Companies))
		}
		if len(p.Areas) > 0 {
			both = append(both, in("area", p.Areas))
		}
		if len(p.Stations) > 0 {
			both = append(both, in("station", p.Stations))
		}
		if p.Worker != "" {
			both = append(both, in("worker", []string{p.Worker, ""}))
		}
		either = append(either, "("+strings.Join(both, " AND ")+")")
	}
	if len(either) == 0 {
		return " AND 1 = 0", args
	}
	return " AND (" + strings.Join(either, " OR ") + ")", args
}

// planned lists appointments of a span of time with their measurements.
func planned(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, in CalendarFilter) ([]Appointment, []Measurement, error) {
	args := []any{city, int64(in.From.Start()), int64(in.To.End()), in.Company, in.Station, in.Worker}
	where, args := covered(scope, args)
	const from = ` FROM measure_appointment a JOIN measurement m ON m.city_id = a.city_id AND m.id = a.measurement_id
		WHERE a.city_id = $1 AND a.from_at >= $2 AND a.from_at < $3 AND a.state NOT IN ('replaced', 'declined', 'cancelled')
		AND ($4 = '' OR m.company = $4) AND ($5 = '' OR m.station = $5) AND ($6 = '' OR m.worker = $6)`
	const order = ` ORDER BY a.from_at, a.id`
	appointments, err := db.List[Appointment](ctx, tx, `SELECT `+db.Columns[Appointment]("a")+from+where+order, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("list appointments: %w", err)
	}
	measurements, err := db.List[Measurement](ctx, tx, `SELECT `+columns()+from+where+order, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("list appointments: %w", err)
	}
	return appointments, measurements, nil
}

// owed lists measurements without an appointment to come that are due by an instant, the most urgent first.
func owed(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, in CalendarFilter, by civil.Instant) ([]Measurement, error) {
	args := []any{city, in.Company, in.Station, in.Worker, int64(by), int64(tx.Now)}
	where, args := covered(scope, args)
	out, err := db.List[Measurement](ctx, tx, `SELECT `+columns()+` FROM measurement m WHERE m.city_id = $1
		AND ($2 = '' OR m.company = $2) AND ($3 = '' OR m.station = $3) AND ($4 = '' OR m.worker = $4)
		AND m.state IN ('requested', 'absent', 'missed', 'refused', 'unsigned', 'cured') AND (m.due_at IS NULL OR m.due_at < $5)
		AND (m.appointed_to IS NULL OR m.appointed_to < $6)`+where+` ORDER BY m.due_at NULLS LAST, m.id LIMIT 500`, args...)
	if err != nil {
		return nil, fmt.Errorf("list what is owed: %w", err)
	}
	return out, nil
}
