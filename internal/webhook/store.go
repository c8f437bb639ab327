package webhook

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

func columns() string { return db.Columns[Hook]("") }

func insert(ctx context.Context, tx *db.Tx, h Hook) error {
	if err := db.Insert(ctx, tx, "webhook", h); err != nil {
		return fmt.Errorf("add webhook: %w", err)
	}
	return nil
}

func find(ctx context.Context, tx *db.Tx, city int, id string) (Hook, error) {
	return db.One[Hook](ctx, tx, `SELECT `+columns()+` FROM webhook WHERE city_id = $1 AND id = $2`, city, id)
}

func list(ctx context.Context, tx *db.Tx, city int, key string) ([]Hook, error) {
	return db.List[Hook](ctx, tx, `SELECT `+columns()+` FROM webhook WHERE city_id = $1 AND ($2 = '' OR key_id = $2) ORDER BY id`, city, key)
}

func save(ctx context.Context, tx *db.Tx, h Hook, seen int64) error {
	return db.Guarded(ctx, tx, `UPDATE webhook SET name = $4, url = $5, events = $6, active = $7, why = $8, failing_since = $9, secret = $10, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3`, h.City, h.ID, seen, h.Name, h.URL, eventsText(h.Events), h.Active, h.Why, h.FailingSince, h.Sealed)
}

func healthy(ctx context.Context, tx *db.Tx, h Hook) error {
	_, err := db.Exec(ctx, tx, `UPDATE webhook SET ok_at = $3, failing_since = NULL WHERE city_id = $1 AND id = $2`, h.City, h.ID, tx.Now)
	return err
}

// failing notes that a subscriber fails and tells since when it has.
func failing(ctx context.Context, tx *db.Tx, h Hook) (civil.Instant, error) {
	return db.One[civil.Instant](ctx, tx, `UPDATE webhook SET failing_since = COALESCE(failing_since, $3) WHERE city_id = $1 AND id = $2 RETURNING failing_since`,
		h.City, h.ID, tx.Now)
}

func switchOff(ctx context.Context, tx *db.Tx, h Hook, why string) (bool, error) {
	n, err := db.Exec(ctx, tx, `UPDATE webhook SET active = FALSE, why = $3, version = version + 1 WHERE city_id = $1 AND id = $2 AND active = TRUE`, h.City, h.ID, why)
	return n == 1, err
}

// add is false when the subscriber was told of the act before.
func add(ctx context.Context, tx *db.Tx, d Delivery) (bool, error) {
	n, err := db.Exec(ctx, tx, `INSERT INTO webhook_delivery (city_id, id, webhook_id, entry_id, event, subject, happened, body, state, tries, next_at, status, error, took_ms, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'queued', 0, $9, 0, '', 0, $10) ON CONFLICT (city_id, webhook_id, entry_id) DO NOTHING`,
		d.City, d.ID, d.Hook, d.Entry, string(d.Event), d.Subject, d.Happened, d.Body, d.NextAt, d.Created)
	return n == 1, err
}

func deliveryColumns() string { return db.Columns[Delivery]("") }

func delivery(ctx context.Context, tx *db.Tx, city int, id string) (Delivery, error) {
	return db.One[Delivery](ctx, tx, `SELECT `+deliveryColumns()+` FROM webhook_delivery WHERE city_id = $1 AND id = $2`, city, id)
}

func saveDelivery(ctx context.Context, tx *db.Tx, d Delivery) error {
	_, err := db.Exec(ctx, tx, `UPDATE webhook_delivery SET state = $3, tries = $4, next_at = $5, status = $6, error = $7, took_ms = $8, done_at = $9
		WHERE city_id = $1 AND id = $2 AND state = 'queued'`, d.City, d.ID, string(d.State), d.Tries, d.NextAt, d.Status, d.Error, d.TookMS, d.DoneAt)
	return err
}

func deliveries(ctx context.Context, tx *db.Tx, city int, hook string, f Filter) ([]Delivery, error) {
	before := "~" // sorts after every id
	if f.After != "" {
		if err := page.Decode(f.After, &before); err != nil {
			return nil, err
		}
	}
	return db.List[Delivery](ctx, tx, `SELECT `+deliveryColumns()+` FROM webhook_delivery WHERE city_id = $1 AND webhook_id = $2 AND id < $3 AND ($4 = '' OR state = $4)
		ORDER BY id DESC LIMIT $5`, city, hook, before, string(f.State), f.Limit()+1)
}

// requeue puts a delivery, or all that were given up, back into the queue.
func requeue(ctx context.Context, tx *db.Tx, h Hook, one string) ([]string, error) {
	return db.List[string](ctx, tx, `UPDATE webhook_delivery SET state = 'queued', tries = 0, next_at = $4, error = '', done_at = NULL
		WHERE city_id = $1 AND webhook_id = $2 AND (id = $3 OR $3 = '' AND state = 'dead') RETURNING id`, h.City, h.ID, one, tx.Now)
}

// due are the deliveries that wait with nobody at them, as after a crash.
func due(ctx context.Context, tx *db.Tx, city int) ([]string, error) {
	return db.List[string](ctx, tx, `SELECT d.id FROM webhook_delivery d JOIN webhook h ON h.city_id = d.city_id AND h.id = d.webhook_id
		WHERE d.city_id = $1 AND d.state = 'queued' AND d.next_at <= $2 AND h.active = TRUE ORDER BY d.next_at LIMIT 500`, city, tx.Now.Add(-left))
}

func eventsText(list []Event) string {
	b, err := json.Marshal(list)
	if err != nil {
		return "[]" // plain words
	}
	return string(b)
}
