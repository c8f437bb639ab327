package cases

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
)

// ticketCells are what the last import said about a ticket; false when it did not come by an import.
func ticketCells(ctx context.Context, tx *db.Tx, o Opening) (map[string]string, bool, error) {
	text, ok, err := db.Maybe[string](ctx, tx, `SELECT cells FROM case_ticket WHERE city_id = $1 AND channel = $2 AND ticket_no = $3`,
		o.City, string(o.Channel), o.TicketNo)
	if err != nil || !ok {
		return nil, false, err
	}
	var cells map[string]string
	if err := json.Unmarshal([]byte(text), &cells); err != nil {
		return nil, false, fmt.Errorf("read what was imported of a ticket: %w", err)
	}
	return cells, true, nil
}

func keepTicketCells(ctx context.Context, tx *db.Tx, o Opening, cells map[string]string) error {
	b, err := json.Marshal(cells)
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO case_ticket (city_id, channel, ticket_no, cells) VALUES ($1, $2, $3, $4)
		ON CONFLICT (city_id, channel, ticket_no) DO UPDATE SET cells = excluded.cells`, o.City, string(o.Channel), o.TicketNo, string(b))
	return err
}
