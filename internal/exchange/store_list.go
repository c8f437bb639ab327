package exchange

import (
	"context"
	"strconv"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

// listTickets is newest first, within the actor's scope.
func listTickets(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, f Filter) ([]Ticket, error) {
	before := "~" // sorts after every id
	if f.After != "" {
		if err := page.Decode(f.After, &before); err != nil {
			return nil, err
		}
	}
	from, to := civil.Instant(0), civil.Instant(1<<62-1)
	if !f.From.IsZero() {
		from = f.From.Start()
	}
	if !f.To.IsZero() {
		to = f.To.End()
	}
	args := []any{city, before, f.Platform, string(f.Status), string(f.OpenedBy), f.Case, f.Query, f.Attention, int64(from), int64(to), f.Limit() + 1}
	where, args := within(scope, args)
	return db.List[Ticket](ctx, tx, `SELECT `+ticketColumns()+` FROM exchange_ticket
		WHERE city_id = $1 AND id < $2 AND ($3 = '' OR platform = $3) AND ($4 = '' OR status = $4) AND ($5 = '' OR opened_by = $5)
		AND ($6 = '' OR case_id = $6) AND ($7 = '' OR no = $7 OR peer_no = $7 OR case_no = $7) AND ($8 = '' OR attention <> '')
		AND opened_at >= $9 AND opened_at < $10 AND `+where+` ORDER BY id DESC LIMIT $11`, args...)
}

// mostWaiting bounds the list of what waits; the figures count all.
const mostWaiting = 200

func listWaiting(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, platform string, state MessageState) ([]Waiting, error) {
	args := []any{city, platform, string(state)}
	where, args := within(scope, args)
	return db.List[Waiting](ctx, tx, `SELECT `+db.Columns[Entry]("m")+`, t.no, t.case_no FROM exchange_message m
		JOIN exchange_ticket t ON t.city_id = m.city_id AND t.id = m.ticket_id
		WHERE m.city_id = $1 AND m.state <> 'taken' AND m.state <> 'sent' AND ($2 = '' OR m.platform = $2) AND ($3 = '' OR m.state = $3)
		AND `+where+` ORDER BY m.created_at, m.id LIMIT `+strconv.Itoa(mostWaiting), args...)
}

// count is how many of something a platform has.
type count struct {
	Platform string `db:"platform"`
	What     string `db:"what"`
	N        int64  `db:"n"`
}

func countsOf(ctx context.Context, tx *db.Tx, city int) ([]count, error) {
	return db.List[count](ctx, tx, `SELECT platform, state AS what, count(*) AS n FROM exchange_message
		WHERE city_id = $1 AND state <> 'taken' AND state <> 'sent' GROUP BY platform, state
		UNION ALL SELECT platform, 'open' AS what, count(*) AS n FROM exchange_ticket
		WHERE city_id = $1 AND status <> 'closed' AND status <> 'returned' AND status <> 'cancelled' GROUP BY platform
		UNION ALL SELECT platform, 'differ' AS what, count(*) AS n FROM exchange_difference
		WHERE city_id = $1 AND (state = 'open' OR state = 'repairing') GROUP BY platform`, city)
}

// hurry lets what waits for a platform go now.
func hurry(ctx context.Context, tx *db.Tx, city int, platform string) (int64, error) {
	return db.Exec(ctx, tx, `UPDATE exchange_message SET next_at = $3, state = 'queued', error = '' WHERE city_id = $1 AND platform = $2 AND way = 'out'
		AND (state = 'queued' OR state = 'refused')`, city, platform, tx.Now)
}
