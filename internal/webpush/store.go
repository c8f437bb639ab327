package webpush

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
)

func columns() string { return db.Columns[Device]("") }

// put keeps a browser for whoever asked last, and gives the id that it has.
func put(ctx context.Context, tx *db.Tx, d Device) (string, error) {
	id, err := db.One[string](ctx, tx, `INSERT INTO push_device (city_id, id, person, session, blind, endpoint, keys, agent, asked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (city_id, blind) DO UPDATE SET person = excluded.person, session = excluded.session, endpoint = excluded.endpoint, keys = excluded.keys,
			agent = excluded.agent, asked_at = excluded.asked_at
		RETURNING id`,
		d.City, d.ID, d.Person, d.Session, d.Blind, d.Endpoint, d.Keys, d.Agent, d.Asked)
	if err != nil {
		return "", fmt.Errorf("keep a device: %w", err)
	}
	return id, nil
}

// devicesOf lists a person's devices, the newest first.
func devicesOf(ctx context.Context, tx *db.Tx, city int, person string) ([]Device, error) {
	out, err := db.List[Device](ctx, tx, `SELECT `+columns()+` FROM push_device WHERE city_id = $1 AND person = $2 ORDER BY asked_at DESC, id DESC`, city, person)
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	return out, nil
}

// drop forgets a device of a person; false when there is none any more.
func drop(ctx context.Context, tx *db.Tx, city int, person, id string) (bool, error) {
	n, err := db.Exec(ctx, tx, `DELETE FROM push_device WHERE city_id = $1 AND person = $2 AND id = $3`, city, person, id)
	if err != nil {
		return false, fmt.Errorf("forget a device: %w", err)
	}
	return n == 1, nil
}
