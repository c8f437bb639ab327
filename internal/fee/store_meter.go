package fee

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// readingsIn are the meter readings of some households that stand now.
func readingsIn(ctx context.Context, tx *db.Tx, city int, accounts []string) (map[string][]Reading, error) {
	out := map[string][]Reading{}
	for len(accounts) > 0 {
		n := min(len(accounts), mostKeys)
		in, args := marks(accounts[:n], city)
		err := db.Each(ctx, tx, func(r Reading) error { out[r.Account] = append(out[r.Account], r); return nil },
			`SELECT `+db.Columns[Reading]("")+` FROM meter_record WHERE city_id = $1 AND account IN (`+in+`) AND ended = '' ORDER BY account, meter, read_on`, args...)
		if err != nil {
			return nil, fmt.Errorf("meter readings: %w", err)
		}
		accounts = accounts[n:]
	}
	return out, nil
}

// recordsOf are all readings of a household in the order in which they were kept, those too that no longer stand.
func recordsOf(ctx context.Context, tx *db.Tx, city int, account string) ([]Reading, error) {
	out, err := db.List[Reading](ctx, tx, `SELECT `+db.Columns[Reading]("")+` FROM meter_record WHERE city_id = $1 AND account = $2 ORDER BY kept_at, id`, city, account)
	if err != nil {
		return nil, fmt.Errorf("records of meters: %w", err)
	}
	return out, nil
}

// endReading ends a record that stands; somebody else's end is a Conflict.
func endReading(ctx context.Context, tx *db.Tx, r Reading) error {
	return db.Guarded(ctx, tx, `UPDATE meter_record SET ended = $4, ended_by = $5, ended_at = $6, reason = $7
		WHERE city_id = $1 AND id = $2 AND account = $3 AND ended = ''`, r.City, r.ID, r.Account, string(r.Ended), r.EndedBy, r.EndedAt, r.Reason)
}

// insertReadings keeps new records; one that stands already for its meter, day and kind is a Conflict.
func insertReadings(ctx context.Context, tx *db.Tx, list []Reading) error {
	err := db.InsertAll(ctx, tx, "meter_record", list)
	if db.IsUnique(err) {
		return fault.New(fault.Conflict, "meter.taken")
	}
	if err != nil {
		return fmt.Errorf("keep meter readings: %w", err)
	}
	return nil
}

// nextEdition moves the state of the bills on without a row of its own; the caller holds the list.
func nextEdition(ctx context.Context, tx *db.Tx, city int) error {
	_, err := db.Exec(ctx, tx, `UPDATE fee_register SET edition = edition + 1 WHERE city_id = $1 AND kind = 'fees'`, city)
	return err
}
