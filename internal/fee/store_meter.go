package fee

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/place"
)

// readingsIn are all meter readings of some households.
func readingsIn(ctx context.Context, tx *db.Tx, city int, accounts []string) (map[string][]Reading, error) {
	out := map[string][]Reading{}
	for len(accounts) > 0 {
		n := min(len(accounts), mostKeys)
		in, args := marks(accounts[:n], city)
		err := db.Each(ctx, tx, func(r Reading) error { out[r.Account] = append(out[r.Account], r); return nil },
			`SELECT `+db.Columns[Reading]("")+` FROM meter_reading WHERE city_id = $1 AND account IN (`+in+`) ORDER BY account, meter, read_on`, args...)
		if err != nil {
			return nil, fmt.Errorf("meter readings: %w", err)
		}
		accounts = accounts[n:]
	}
	return out, nil
}

// correct puts another value in the place of one that was seen.
func correct(ctx context.Context, tx *db.Tx, r Reading, by string) error {
	return db.Guarded(ctx, tx, `UPDATE meter_reading SET value = $8, unit = $9, kept_by = $10, kept_at = $11, version = version + 1
		WHERE city_id = $1 AND account = $2 AND meter = $3 AND season = $4 AND read_on = $5 AND kind = $6 AND version = $7`,
		r.City, r.Account, r.Meter, r.Season, r.On, string(r.Kind), r.Version, r.Value, r.Unit, by, tx.Now)
}

// nextEdition moves the state of the bills on without a row of its own; the caller holds the list.
func nextEdition(ctx context.Context, tx *db.Tx, city int) error {
	_, err := db.Exec(ctx, tx, `UPDATE fee_register SET edition = edition + 1 WHERE city_id = $1 AND kind = $2`, city, string(place.Fees))
	return err
}
