package call

import (
	"context"
	"fmt"
	"slices"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

func insert(ctx context.Context, tx *db.Tx, c Call) error {
	if err := db.Insert(ctx, tx, "call_record", c); err != nil {
		return fmt.Errorf("add call: %w", err)
	}
	return nil
}

func find(ctx context.Context, tx *db.Tx, city int, id string) (Call, error) {
	c, err := db.One[Call](ctx, tx, `SELECT `+db.Columns[Call]("c")+` FROM call_record c WHERE c.city_id = $1 AND c.id = $2`, city, id)
	if err != nil {
		return c, fmt.Errorf("find call %s: %w", id, err)
	}
	return c, nil
}

// hold keeps everybody else from a call until the transaction ends.
func hold(ctx context.Context, tx *db.Tx, city int, ref string) error {
	_, err := db.Exec(ctx, tx, `UPDATE call_record SET updated_at = updated_at WHERE city_id = $1 AND ref = $2`, city, ref)
	return err
}

func findRef(ctx context.Context, tx *db.Tx, city int, ref string) (Call, bool, error) {
	c, found, err := db.Maybe[Call](ctx, tx, `SELECT `+db.Columns[Call]("c")+` FROM call_record c WHERE c.city_id = $1 AND c.ref = $2`, city, ref)
	if err != nil {
		return c, false, fmt.Errorf("find call: %w", err)
	}
	return c, found, nil
}

// update writes the version of a call that was read.
func update(ctx context.Context, tx *db.Tx, c Call) (Call, error) {
	err := db.Guarded(ctx, tx, `UPDATE call_record SET direction = $4, state = $5, line = $6, queue = $7, person = $8, sealed = $9, masked = $10,
		blind = $11, extension = $12, seat = $13, arrived_at = $14, queued_at = $15, rang_at = $16, answered_at = $17, ended_at = $18, wait_ms = $19,
		talk_ms = $20, parties = $21, company = $22, moved_at = $23, recording = $24, case_id = $25, outcome = $26, note = $27, updated_at = $28,
		version = version + 1 WHERE city_id = $1 AND id = $2 AND version = $3`,
		c.City, c.ID, c.Version, string(c.Direction), string(c.State), c.Line, c.Queue, c.Person, c.Sealed, c.Masked,
		c.Blind, c.Extension, c.Seat, c.ArrivedAt, c.QueuedAt, c.RangAt, c.AnsweredAt, c.EndedAt, c.WaitMS,
		c.TalkMS, c.Parties, c.Company, c.MovedAt, c.Recording, c.Case, string(c.Outcome), c.Note, c.Updated)
	c.Version++
	return c, err
}

func findReport(ctx context.Context, tx *db.Tx, city int, id string) (Kept, bool, error) {
	k, found, err := db.Maybe[Kept](ctx, tx, `SELECT `+db.Columns[Kept]("r")+` FROM call_report r WHERE r.city_id = $1 AND r.id = $2`, city, id)
	if err != nil {
		return k, false, fmt.Errorf("find report: %w", err)
	}
	return k, found, nil
}

func insertReport(ctx context.Context, tx *db.Tx, k Kept) error {
	if err := db.Insert(ctx, tx, "call_report", k); err != nil {
		return fmt.Errorf("add report: %w", err)
	}
	return nil
}

func countReports(ctx context.Context, tx *db.Tx, city int, id string) (int, error) {
	return db.One[int](ctx, tx, `SELECT COUNT(*) FROM call_report r WHERE r.city_id = $1 AND r.call_id = $2`, city, id)
}

func reportsOf(ctx context.Context, tx *db.Tx, city int, id string) ([]Kept, error) {
	out, err := db.List[Kept](ctx, tx, `SELECT `+db.Columns[Kept]("r")+` FROM call_report r WHERE r.city_id = $1 AND r.call_id = $2
		ORDER BY r.seq, r.at, r.id`, city, id)
	if err != nil {
		return nil, fmt.Errorf("list reports of call %s: %w", id, err)
	}
	return out, nil
}

func findSeat(ctx context.Context, tx *db.Tx, city int, person string) (Seat, bool, error) {
	s, found, err := db.Maybe[Seat](ctx, tx, `SELECT `+db.Columns[Seat]("s")+` FROM call_seat s WHERE s.city_id = $1 AND s.person = $2`, city, person)
	if err != nil {
		return s, false, fmt.Errorf("find seat: %w", err)
	}
	return s, found, nil
}

// holdLine lets one writer after the other at a line of the switch. It is taken before any call is.
func holdLine(ctx context.Context, tx *db.Tx, city int, extension string) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO call_line (city_id, extension, writes) VALUES ($1, $2, 1)
		ON CONFLICT (city_id, extension) DO UPDATE SET writes = call_line.writes + 1`, city, extension)
	if err != nil {
		return fmt.Errorf("hold a line: %w", err)
	}
	return nil
}

// adopt gives the calls that are at a line, and were nobody's, to whoever sits there now, with the reports that follow from.
func adopt(ctx context.Context, tx *db.Tx, s Seat) error {
	_, err := db.Exec(ctx, tx, `UPDATE call_report SET seat = $3 WHERE city_id = $1 AND extension = $2 AND seat = '' AND call_id IN
		(SELECT c.id FROM call_record c WHERE c.city_id = $1 AND c.extension = $2 AND c.seat = '' AND c.ended_at IS NULL)`, s.City, s.Extension, s.Person)
	if err != nil {
		return fmt.Errorf("adopt reports: %w", err)
	}
	_, err = db.Exec(ctx, tx, `UPDATE call_record SET seat = $3, updated_at = $4, version = version + 1
		WHERE city_id = $1 AND extension = $2 AND seat = '' AND ended_at IS NULL`, s.City, s.Extension, s.Person, tx.Now)
	if err != nil {
		return fmt.Errorf("adopt calls: %w", err)
	}
	return nil
}

// seatAt is whoever is logged in at an extension.
func seatAt(ctx context.Context, tx *db.Tx, city int, extension string) (Seat, bool, error) {
	s, found, err := db.Maybe[Seat](ctx, tx, `SELECT `+db.Columns[Seat]("s")+` FROM call_seat s
		WHERE s.city_id = $1 AND s.extension = $2 AND s.state <> 'offline'`, city, extension)
	if err != nil {
		return s, false, fmt.Errorf("find seat at %s: %w", extension, err)
	}
	return s, found, nil
}

func seatsOf(ctx context.Context, tx *db.Tx, city int) ([]Seat, error) {
	out, err := db.List[Seat](ctx, tx, `SELECT `+db.Columns[Seat]("s")+` FROM call_seat s WHERE s.city_id = $1 ORDER BY s.extension, s.person`, city)
	if err != nil {
		return nil, fmt.Errorf("list seats: %w", err)
	}
	return out, nil
}

func insertSeat(ctx context.Context, tx *db.Tx, s Seat) error {
	if err := db.Insert(ctx, tx, "call_seat", s); err != nil {
		return fmt.Errorf("add seat: %w", err)
	}
	return nil
}

func updateSeat(ctx context.Context, tx *db.Tx, s Seat) (Seat, error) {
	err := db.Guarded(ctx, tx, `UPDATE call_seat SET name = $4, extension = $5, state = $6, reason = $7, since = $8, call_id = $9, updated_at = $10,
		version = version + 1 WHERE city_id = $1 AND person = $2 AND version = $3`,
		s.City, s.Person, s.Version, s.Name, s.Extension, string(s.State), string(s.Reason), s.Since, s.Call, s.Updated)
	s.Version++
	return s, err
}

func findCommand(ctx context.Context, tx *db.Tx, city int, id string) (asked, bool, error) {
	a, found, err := db.Maybe[asked](ctx, tx, `SELECT `+db.Columns[asked]("a")+` FROM call_command a WHERE a.city_id = $1 AND a.id = $2`, city, id)
	if err != nil {
		return a, false, fmt.Errorf("find command: %w", err)
	}
	return a, found, nil
}

func insertCommand(ctx context.Context, tx *db.Tx, a asked) error {
	if err := db.Insert(ctx, tx, "call_command", a); err != nil {
		return fmt.Errorf("add command: %w", err)
	}
	return nil
}

func settleCommand(ctx context.Context, tx *db.Tx, city int, id, state string) error {
	_, err := db.Exec(ctx, tx, `UPDATE call_command SET state = $3 WHERE city_id = $1 AND id = $2`, city, id, state)
	return err
}

// taskOf is the call-back that a call was dialled for; empty for none.
func taskOf(ctx context.Context, tx *db.Tx, city int, call string) (string, error) {
	task, _, err := db.Maybe[string](ctx, tx, `SELECT a.task FROM call_report r JOIN call_command a ON a.city_id = r.city_id AND a.id = r.command
		WHERE r.city_id = $1 AND r.call_id = $2 AND a.task <> '' ORDER BY r.seq LIMIT 1`, city, call)
	return task, err
}

func findBack(ctx context.Context, tx *db.Tx, city int, id string) (Back, error) {
	b, err := db.One[Back](ctx, tx, `SELECT `+db.Columns[Back]("b")+` FROM call_back b WHERE b.city_id = $1 AND b.id = $2`, city, id)
	if err != nil {
		return b, fmt.Errorf("find call-back %s: %w", id, err)
	}
	return b, nil
}

func openBack(ctx context.Context, tx *db.Tx, city int, blind string) (Back, bool, error) {
	b, found, err := db.Maybe[Back](ctx, tx, `SELECT `+db.Columns[Back]("b")+` FROM call_back b
		WHERE b.city_id = $1 AND b.blind = $2 AND b.closed_at IS NULL`, city, blind)
	if err != nil {
		return b, false, fmt.Errorf("find call-back: %w", err)
	}
	return b, found, nil
}

func insertBack(ctx context.Context, tx *db.Tx, b Back) error {
	if err := db.Insert(ctx, tx, "call_back", b); err != nil {
		return fmt.Errorf("add call-back: %w", err)
	}
	return nil
}

func updateBack(ctx context.Context, tx *db.Tx, b Back) (Back, error) {
	err := db.Guarded(ctx, tx, `UPDATE call_back SET state = $4, missed = $5, first_at = $6, last_at = $7, tries = $8, tried_at = $9, taker = $10,
		taken_at = $11, call_id = $12, case_id = $13, note = $14, closed_at = $15, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3`,
		b.City, b.ID, b.Version, string(b.State), b.Missed, b.FirstAt, b.LastAt, b.Tries, b.TriedAt, b.Taker,
		b.TakenAt, b.Call, b.Case, b.Note, b.Closed)
	b.Version++
	return b, err
}

func answeredSince(ctx context.Context, tx *db.Tx, city int, blind string, at civil.Instant) (bool, error) {
	n, err := db.One[int](ctx, tx, `SELECT COUNT(*) FROM call_record c WHERE c.city_id = $1 AND c.blind = $2 AND c.answered_at >= $3`, city, blind, at)
	return n > 0, err
}

func listBacks(ctx context.Context, tx *db.Tx, city int, f BackFilter) (page.Of[Back], error) {
	after := civil.Instant(0)
	id, cmp, order, open := "", ">", "ASC", " AND b.closed_at IS NULL"
	if !f.Open {
		after, id, cmp, order, open = civil.Instant(1<<62), "~", "<", "DESC", ""
	}
	if f.After != "" {
		if err := page.Decode(f.After, &after, &id); err != nil {
			return page.Of[Back]{}, err
		}
	}
	rows, err := db.List[Back](ctx, tx, `SELECT `+db.Columns[Back]("b")+` FROM call_back b WHERE b.city_id = $1 AND ($2 = '' OR b.state = $2)`+open+`
		AND (b.first_at, b.id) `+cmp+` ($3, $4) ORDER BY b.first_at `+order+`, b.id `+order+` LIMIT $5`, city, string(f.State), int64(after), id, f.Limit()+1) // an instant of 0 would be NULL
	if err != nil {
		return page.Of[Back]{}, fmt.Errorf("list call-backs: %w", err)
	}
	return page.Cut(rows, f.Request, func(b Back) []any { return []any{b.FirstAt, b.ID} }), nil
}

func list(ctx context.Context, tx *db.Tx, city int, f Filter) (page.Of[Call], error) {
	at, id := civil.Instant(1<<62), "~"
	if f.After != "" {
		if err := page.Decode(f.After, &at, &id); err != nil {
			return page.Of[Call]{}, err
		}
	}
	from, to := civil.Instant(0), civil.Instant(1<<62)
	if !f.From.IsZero() {
		from = f.From.Start()
	}
	if !f.To.IsZero() {
		to = f.To.End()
	}
	rows, err := db.List[Call](ctx, tx, `SELECT `+db.Columns[Call]("c")+` FROM call_record c WHERE c.city_id = $1 AND (c.arrived_at, c.id) < ($2, $3)
		AND c.arrived_at >= $4 AND c.arrived_at < $5 AND ($6 = '' OR c.state = $6) AND ($7 = '' OR c.direction = $7) AND ($8 = '' OR c.case_id = $8)
		AND ($9 = '' OR c.extension = $9) ORDER BY c.arrived_at DESC, c.id DESC LIMIT $10`,
		city, int64(at), id, int64(from), int64(to), string(f.State), string(f.Direction), f.Case, f.Seat, f.Limit()+1)
	if err != nil {
		return page.Of[Call]{}, fmt.Errorf("list calls: %w", err)
	}
	if err := unlead(ctx, tx, city, rows); err != nil {
		return page.Of[Call]{}, err
	}
	return page.Cut(rows, f.Request, func(c Call) []any { return []any{c.ArrivedAt, c.ID} }), nil
}

// unlead takes from listed calls the way to a complaint about staff: whom it concerns may read the list too.
func unlead(ctx context.Context, tx *db.Tx, city int, rows []Call) error {
	var ids []string
	for _, c := range rows {
		if c.Case != "" {
			ids = append(ids, c.Case)
		}
	}
	about, err := cases.AboutStaff(ctx, tx, city, ids)
	for i := range rows {
		if about[rows[i].Case] {
			rows[i].Case = ""
		}
	}
	return err
}

// callsAt are the live call of a member of staff and the last one that is over.
func callsAt(ctx context.Context, tx *db.Tx, city int, person string) (live, last *Call, err error) {
	rows, err := db.List[Call](ctx, tx, `SELECT `+db.Columns[Call]("c")+` FROM call_record c WHERE c.city_id = $1 AND c.seat = $2
		AND c.arrived_at >= $3 ORDER BY c.arrived_at DESC, c.id DESC LIMIT 20`, city, person, tx.Now.Date().AddDays(-1).Start())
	if err != nil {
		return nil, nil, fmt.Errorf("list calls of a seat: %w", err)
	}
	for i, c := range rows {
		switch c.State {
		case Talking, OnHold:
			return &rows[i], last, nil // what is talked to counts before what rings
		case Rings:
			if live == nil {
				live = &rows[i]
			}
		case Arrived, InQueue, Moved, Over, Lost:
			if last == nil && !c.AnsweredAt.IsZero() {
				last = &rows[i]
			}
		}
	}
	return live, last, nil
}

func countWaiting(ctx context.Context, tx *db.Tx, city int) (int, error) {
	return db.One[int](ctx, tx, `SELECT COUNT(*) FROM call_record c WHERE c.city_id = $1 AND c.ended_at IS NULL AND c.direction = 'in'
		AND c.state IN ('queued', 'ringing') AND c.arrived_at >= $2`, city, tx.Now.Add(-liveFor))
}

type changeRow struct {
	Person  string `db:"person"`
	Version int64  `db:"version"`
}

func changedSince(ctx context.Context, tx *db.Tx, city int, since civil.Instant) (map[string]int64, error) {
	rows, err := db.List[changeRow](ctx, tx, `SELECT c.seat AS person, c.version + c.updated_at AS version FROM call_record c
		WHERE c.city_id = $1 AND c.updated_at >= $2
		UNION ALL SELECT s.person AS person, s.version + s.updated_at AS version FROM call_seat s WHERE s.city_id = $1 AND s.updated_at >= $2`, city, since)
	if err != nil {
		return nil, fmt.Errorf("ask which telephones changed: %w", err)
	}
	out := map[string]int64{}
	for _, r := range rows {
		out[r.Person] += r.Version
	}
	return out, nil
}

func insertAnswer(ctx context.Context, tx *db.Tx, a Spoken) error {
	if err := db.Insert(ctx, tx, "call_answer", a); err != nil {
		return fmt.Errorf("add answer of the voice menu: %w", err)
	}
	return nil
}

// namesOf are the seats by person.
func namesOf(seats []Seat, person string) (Seat, bool) {
	i := slices.IndexFunc(seats, func(s Seat) bool { return s.Person == person })
	if i < 0 {
		return Seat{}, false
	}
	return seats[i], true
}
