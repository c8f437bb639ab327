package channel

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

func accountColumns() string { return db.Columns[Account]("") }

func findAccount(ctx context.Context, tx *db.Tx, city int, c cases.Channel, name string) (Account, error) {
	a, err := db.One[Account](ctx, tx, `SELECT `+accountColumns()+` FROM channel_account WHERE city_id = $1 AND channel = $2 AND name = $3`, city, string(c), name)
	if err != nil {
		return a, fmt.Errorf("find account %s/%s: %w", c, name, err)
	}
	return a, nil
}

func listAccounts(ctx context.Context, tx *db.Tx, city int) ([]Account, error) {
	rows, err := db.List[Account](ctx, tx, `SELECT `+accountColumns()+` FROM channel_account WHERE city_id = $1 ORDER BY channel, name`, city)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	return rows, nil
}

func insertAccount(ctx context.Context, tx *db.Tx, a Account) error {
	err := db.Insert(ctx, tx, "channel_account", a)
	if db.IsUnique(err) {
		return fault.New(fault.Conflict, "channel.account_exists")
	}
	if err != nil {
		return fmt.Errorf("keep account: %w", err)
	}
	return nil
}

// updateAccount writes what staff decide; how polls went is written by polled.store.
func updateAccount(ctx context.Context, tx *db.Tx, a Account, version int64) (Account, error) {
	settings, err := json.Marshal(a.Settings)
	if err != nil {
		return a, fmt.Errorf("keep account: %w", err)
	}
	a.Version = version + 1
	return a, db.Guarded(ctx, tx, `UPDATE channel_account SET title = $5, credential = $6, settings = $7, enabled = $8, next_poll_at = $9, failures = $10,
		version = version + 1 WHERE city_id = $1 AND channel = $2 AND name = $3 AND version = $4`,
		a.City, string(a.Channel), a.Name, version, a.Title, a.Credential, string(settings), a.Enabled, a.NextPoll, a.Failures)
}

func dueAccounts(ctx context.Context, tx *db.Tx, city int) ([]Account, error) {
	rows, err := db.List[Account](ctx, tx, `SELECT `+accountColumns()+` FROM channel_account WHERE city_id = $1 AND enabled
		AND (next_poll_at IS NULL OR next_poll_at <= $2) ORDER BY channel, name`, city, int64(tx.Now))
	if err != nil {
		return nil, fmt.Errorf("list accounts to poll: %w", err)
	}
	return rows, nil
}

// lease takes an account for one poller; false when another one has it. What staff see and change keeps its version.
func lease(ctx context.Context, tx *db.Tx, a Account, until civil.Instant) (bool, error) {
	n, err := db.Exec(ctx, tx, `UPDATE channel_account SET next_poll_at = $5 WHERE city_id = $1 AND channel = $2 AND name = $3
		AND next_poll_at IS NOT DISTINCT FROM $4`, a.City, string(a.Channel), a.Name, a.NextPoll, until)
	if err != nil {
		return false, fmt.Errorf("take an account: %w", err)
	}
	return n == 1, nil
}

func (p polled) store(ctx context.Context, tx *db.Tx) error {
	_, err := db.Exec(ctx, tx, `UPDATE channel_account SET cursor = $4, next_poll_at = $5, last_poll_at = $6, last_ok_at = $7, last_in_at = $8,
		last_error = $9, error_at = $10, failures = $11, lag_ms = $12 WHERE city_id = $1 AND channel = $2 AND name = $3`,
		p.City, string(p.Channel), p.Name, p.Cursor, p.NextPoll, p.LastPoll, p.LastOK, p.LastIn, p.LastError, p.ErrorAt, p.Failures, p.LagMS)
	if err != nil {
		return fmt.Errorf("keep how a poll went: %w", err)
	}
	return nil
}
