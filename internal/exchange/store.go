package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

// MessageState is where a message stands. Its name on the screen is "exchange_message.<name>".
type MessageState string

// The states: of what came in, and of what goes out.
const (
	Held     MessageState = "held"    // came out of turn
	TakenIn  MessageState = "taken"   //
	Queued   MessageState = "queued"  //
	Sent     MessageState = "sent"    // the other side took it
	Rejected MessageState = "refused" // the side that got it says that it cannot be: staff decide
)

// Entry is a message as kept.
type Entry struct {
	City     int           `db:"city_id" json:"-"`
	ID       string        `db:"id" json:"id"`
	Ticket   string        `db:"ticket_id" json:"ticket_id"`
	Platform string        `db:"platform" json:"platform"`
	Way      Way           `db:"way" json:"way"`
	Seq      int64         `db:"seq" json:"seq"`
	Event    Event         `db:"event" json:"event"`
	SaidAt   civil.Instant `db:"said_at" json:"said_at"`
	State    MessageState  `db:"state" json:"state"`
	Note     string        `db:"note" json:"note,omitempty"` // what it says, masked
	Person   string        `db:"person" json:"-"`
	Body     string        `db:"body" json:"-"` // the message itself, sealed
	Hash     string        `db:"hash" json:"-"`
	Files    []Attachment  `db:"files,json" json:"attachments,omitempty"`
	By       string        `db:"by_id" json:"-"`
	Created  civil.Instant `db:"created_at" json:"created_at"`
	DoneAt   civil.Instant `db:"done_at" json:"done_at,omitzero"`
	Tries    int           `db:"tries" json:"tries,omitempty"`
	NextAt   civil.Instant `db:"next_at" json:"next_at,omitzero"`
	Error    string        `db:"error" json:"error,omitempty"`
}

// Request is what is asked for beside a ticket.
type Request struct {
	City      int           `db:"city_id" json:"-"`
	Ticket    string        `db:"ticket_id" json:"-"`
	Way       Way           `db:"way" json:"way"`
	Seq       int64         `db:"seq" json:"seq"`
	Kind      RequestKind   `db:"kind" json:"kind"`
	State     RequestState  `db:"state" json:"state"`
	Reason    string        `db:"reason" json:"reason"`
	What      string        `db:"what" json:"what,omitempty"`
	Number    string        `db:"number" json:"number,omitempty"`
	Until     civil.Instant `db:"until_at" json:"until,omitzero"`
	AskedAt   civil.Instant `db:"asked_at" json:"asked_at"`
	DecidedAt civil.Instant `db:"decided_at" json:"decided_at,omitzero"`
	Note      string        `db:"note" json:"note,omitempty"`
}

func platformIn(ctx context.Context, tx *db.Tx, city int, code string) (Platform, error) {
	return db.One[Platform](ctx, tx, `SELECT `+db.Columns[Platform]("")+` FROM exchange_platform WHERE city_id = $1 AND code = $2`, city, code)
}

func platformsIn(ctx context.Context, tx *db.Tx, city int) ([]Platform, error) {
	return db.List[Platform](ctx, tx, `SELECT `+db.Columns[Platform]("")+` FROM exchange_platform WHERE city_id = $1 ORDER BY code`, city)
}

func savePlatform(ctx context.Context, tx *db.Tx, p Platform, seen int64) error {
	return db.Guarded(ctx, tx, `UPDATE exchange_platform SET name = $4, kind = $5, url = $6, account = $7, secret = $8, return_minutes = $9,
		gap_minutes = $10, active = $11, version = version + 1 WHERE city_id = $1 AND code = $2 AND version = $3`,
		p.City, p.Code, seen, p.Name, string(p.Kind), p.URL, p.Account, p.Sealed, p.ReturnMinutes, p.GapMinutes, p.Active)
}

// answered notes that a platform answered, or since when it does not and why.
func answered(ctx context.Context, tx *db.Tx, p Platform, failure string) error {
	if failure == "" {
		_, err := db.Exec(ctx, tx, `UPDATE exchange_platform SET ok_at = $3, failed_at = NULL, failure = '' WHERE city_id = $1 AND code = $2`, p.City, p.Code, tx.Now)
		return err
	}
	_, err := db.Exec(ctx, tx, `UPDATE exchange_platform SET failed_at = COALESCE(failed_at, $3), failure = $4 WHERE city_id = $1 AND code = $2`, p.City, p.Code, tx.Now, failure)
	return err
}

func heard(ctx context.Context, tx *db.Tx, p Platform) error {
	_, err := db.Exec(ctx, tx, `UPDATE exchange_platform SET heard_at = $3 WHERE city_id = $1 AND code = $2`, p.City, p.Code, tx.Now)
	return err
}

func ticketColumns() string { return db.Columns[Ticket]("") }

func ticketIn(ctx context.Context, tx *db.Tx, city int, id string) (Ticket, error) {
	return db.One[Ticket](ctx, tx, `SELECT `+ticketColumns()+` FROM exchange_ticket WHERE city_id = $1 AND id = $2`, city, id)
}

func ticketByNo(ctx context.Context, tx *db.Tx, city int, platform string, by Side, no string) (Ticket, bool, error) {
	return db.Maybe[Ticket](ctx, tx, `SELECT `+ticketColumns()+` FROM exchange_ticket WHERE city_id = $1 AND platform = $2 AND opened_by = $3 AND no = $4`,
		city, platform, string(by), no)
}

func ticketsOfCase(ctx context.Context, tx *db.Tx, city int, caseID string) ([]Ticket, error) {
	return db.List[Ticket](ctx, tx, `SELECT `+ticketColumns()+` FROM exchange_ticket WHERE city_id = $1 AND case_id = $2 ORDER BY id`, city, caseID)
}

// numberOfOther reports whether another platform gave the same number to a ticket of its own.
func numberOfOther(ctx context.Context, tx *db.Tx, p Platform, no string) (bool, error) {
	_, found, err := db.Maybe[string](ctx, tx, `SELECT id FROM exchange_ticket WHERE city_id = $1 AND no = $2 AND opened_by = 'platform' AND platform <> $3 LIMIT 1`,
		p.City, no, p.Code)
	return found, err
}

// ticketNoTaken reports whether another case of the same channel came here under a number.
func ticketNoTaken(ctx context.Context, tx *db.Tx, c cases.Case, no string) (bool, error) {
	_, found, err := db.Maybe[string](ctx, tx, `SELECT id FROM case_file WHERE city_id = $1 AND channel = $2 AND ticket_no = $3`, c.City, string(c.Channel), no)
	return found, err
}

func insertTicket(ctx context.Context, tx *db.Tx, t Ticket) error {
	err := db.Insert(ctx, tx, "exchange_ticket", t)
	if db.IsUnique(err) {
		return db.ErrRetry // the other side sent it twice at once
	}
	return err
}

// saveTicket writes what changed of the version that was read; whoever was second begins again.
func saveTicket(ctx context.Context, tx *db.Tx, was Ticket, is *Ticket) error {
	is.Version, is.UpdatedAt = was.Version+1, tx.Now
	set, args, err := db.Changed(&was, is, 4)
	if err != nil {
		return err
	}
	n, err := db.Exec(ctx, tx, `UPDATE exchange_ticket SET `+set+` WHERE city_id = $1 AND id = $2 AND version = $3`, append([]any{was.City, was.ID, was.Version}, args...)...)
	if err == nil && n == 0 {
		return db.ErrRetry
	}
	return err
}

func insertEntry(ctx context.Context, tx *db.Tx, e Entry) error {
	err := db.Insert(ctx, tx, "exchange_message", e)
	if db.IsUnique(err) {
		return db.ErrRetry
	}
	return err
}

func entryColumns() string { return db.Columns[Entry]("") }

func entryIn(ctx context.Context, tx *db.Tx, city int, id string) (Entry, error) {
	return db.One[Entry](ctx, tx, `SELECT `+entryColumns()+` FROM exchange_message WHERE city_id = $1 AND id = $2`, city, id)
}

func entryBySeq(ctx context.Context, tx *db.Tx, t Ticket, way Way, seq int64) (Entry, bool, error) {
	return db.Maybe[Entry](ctx, tx, `SELECT `+entryColumns()+` FROM exchange_message WHERE city_id = $1 AND ticket_id = $2 AND way = $3 AND seq = $4`,
		t.City, t.ID, string(way), seq)
}

func entriesOf(ctx context.Context, tx *db.Tx, t Ticket) ([]Entry, error) {
	return db.List[Entry](ctx, tx, `SELECT `+entryColumns()+` FROM exchange_message WHERE city_id = $1 AND ticket_id = $2 ORDER BY created_at, way, seq`, t.City, t.ID)
}

// saidFrom lists what we said about a ticket from a number on.
func saidFrom(ctx context.Context, tx *db.Tx, t Ticket, seq int64, most int) ([]Entry, error) {
	return db.List[Entry](ctx, tx, `SELECT `+entryColumns()+` FROM exchange_message WHERE city_id = $1 AND ticket_id = $2 AND way = 'out' AND seq >= $3
		ORDER BY seq LIMIT $4`, t.City, t.ID, seq, most)
}

// headOf is the first message about a ticket that the other side has not taken.
func headOf(ctx context.Context, tx *db.Tx, t Ticket) (Entry, bool, error) {
	return db.Maybe[Entry](ctx, tx, `SELECT `+entryColumns()+` FROM exchange_message WHERE city_id = $1 AND ticket_id = $2 AND way = 'out' AND state <> 'sent'
		ORDER BY seq LIMIT 1`, t.City, t.ID)
}

func saveEntry(ctx context.Context, tx *db.Tx, was, is Entry) error {
	set, args, err := db.Changed(&was, &is, 4)
	if err != nil || set == "" {
		return err
	}
	return db.Guarded(ctx, tx, `UPDATE exchange_message SET `+set+` WHERE city_id = $1 AND id = $2 AND state = $3`,
		append([]any{was.City, was.ID, string(was.State)}, args...)...)
}

// dropEntry forgets a message that waited and does not fit: its number is free for the right one.
func dropEntry(ctx context.Context, tx *db.Tx, e Entry) error {
	_, err := db.Exec(ctx, tx, `DELETE FROM exchange_message WHERE city_id = $1 AND id = $2 AND state = 'held'`, e.City, e.ID)
	return err
}

// heldOf counts what waits on a ticket for a message before it.
func heldOf(ctx context.Context, tx *db.Tx, t Ticket) (int64, error) {
	return db.One[int64](ctx, tx, `SELECT count(*) FROM exchange_message WHERE city_id = $1 AND ticket_id = $2 AND way = 'in' AND state = 'held'`, t.City, t.ID)
}

// again puts what we said from a number on back into the queue.
func again(ctx context.Context, tx *db.Tx, t Ticket, from int64) (int64, error) {
	return db.Exec(ctx, tx, `UPDATE exchange_message SET state = 'queued', next_at = $4, tries = 0, error = '' WHERE city_id = $1 AND ticket_id = $2 AND way = 'out' AND seq >= $3`,
		t.City, t.ID, from, tx.Now)
}

// resent puts what we said from a number on back into the queue for an instant, as tried so often.
func resent(ctx context.Context, tx *db.Tx, t Ticket, from int64, tries int, at civil.Instant) error {
	_, err := db.Exec(ctx, tx, `UPDATE exchange_message SET state = 'queued', next_at = $4, tries = $5, error = '' WHERE city_id = $1 AND ticket_id = $2
		AND way = 'out' AND seq >= $3`, t.City, t.ID, from, at, tries)
	return err
}

// lease lets one sender at a time work on a ticket.
func lease(ctx context.Context, tx *db.Tx, t Ticket, now, until int64) (bool, error) {
	n, err := db.Exec(ctx, tx, `UPDATE exchange_ticket SET lease = $4 WHERE city_id = $1 AND id = $2 AND lease < $3`, t.City, t.ID, now, until)
	return n == 1, err
}

func prolong(ctx context.Context, tx *db.Tx, t Ticket, until int64) error {
	_, err := db.Exec(ctx, tx, `UPDATE exchange_ticket SET lease = $3 WHERE city_id = $1 AND id = $2`, t.City, t.ID, until)
	return err
}

// dueTickets are those with a message that may go out now. What is said to a platform that is switched off waits with it.
func dueTickets(ctx context.Context, tx *db.Tx, city int) ([]string, error) {
	return db.List[string](ctx, tx, `SELECT DISTINCT m.ticket_id FROM exchange_message m JOIN exchange_platform p ON p.city_id = m.city_id AND p.code = m.platform
		WHERE m.city_id = $1 AND m.state = 'queued' AND m.next_at <= $2 AND p.active`, city, tx.Now)
}

// gaps are the tickets on which something is missing.
func gaps(ctx context.Context, tx *db.Tx, city int) ([]Ticket, error) {
	return db.List[Ticket](ctx, tx, `SELECT `+db.Columns[Ticket]("t")+` FROM exchange_ticket t JOIN exchange_platform p ON p.city_id = t.city_id AND p.code = t.platform
		WHERE t.city_id = $1 AND t.gap_since IS NOT NULL AND p.active ORDER BY t.gap_since LIMIT 200`, city)
}

func insertRequest(ctx context.Context, tx *db.Tx, r Request) error {
	return db.Insert(ctx, tx, "exchange_request", r)
}

func requestIn(ctx context.Context, tx *db.Tx, t Ticket, way Way, seq int64) (Request, bool, error) {
	return db.Maybe[Request](ctx, tx, `SELECT `+db.Columns[Request]("")+` FROM exchange_request WHERE city_id = $1 AND ticket_id = $2 AND way = $3 AND seq = $4`,
		t.City, t.ID, string(way), seq)
}

func requestsOf(ctx context.Context, tx *db.Tx, t Ticket) ([]Request, error) {
	return db.List[Request](ctx, tx, `SELECT `+db.Columns[Request]("")+` FROM exchange_request WHERE city_id = $1 AND ticket_id = $2 ORDER BY asked_at, way, seq`, t.City, t.ID)
}

func saveRequest(ctx context.Context, tx *db.Tx, r Request) error {
	return db.Guarded(ctx, tx, `UPDATE exchange_request SET state = $5, decided_at = $6, note = $7 WHERE city_id = $1 AND ticket_id = $2 AND way = $3 AND seq = $4
		AND state = 'asked'`, r.City, r.Ticket, string(r.Way), r.Seq, string(r.State), r.DecidedAt, r.Note)
}

// within writes the condition that limits tickets to what an actor may see; alias names the table.
func within(scope actor.Scope, args []any) (string, []any) {
	if scope.All {
		return "TRUE", args
	}
	var any []string
	for _, p := range scope.Parts {
		if len(p.Areas)+len(p.Stations) > 0 || p.Worker != "" {
			continue // a ticket knows district and company only
		}
		all := []string{}
		all, args = oneOf(all, args, "district", p.Districts)
		all, args = oneOf(all, args, "company", p.Companies)
		any = append(any, "("+strings.Join(all, " AND ")+")")
	}
	if len(any) == 0 {
		return "FALSE", args
	}
	return "(" + strings.Join(any, " OR ") + ")", args
}

// oneOf adds the condition that a column holds one of a list; an empty list is no condition.
func oneOf(all []string, args []any, column string, list []string) ([]string, []any) {
	if len(list) == 0 {
		return all, args
	}
	marks := make([]string, len(list))
	for i, v := range list {
		args = append(args, v)
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	return append(all, column+" IN ("+strings.Join(marks, ", ")+")"), args
}

func encoded(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "" // plain values
	}
	return string(b)
}
