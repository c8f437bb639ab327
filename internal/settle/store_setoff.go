package settle

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/money"
)

func findSetOff(ctx context.Context, tx *db.Tx, city int, id string) (SetOff, error) {
	return db.One[SetOff](ctx, tx, `SELECT `+db.Columns[SetOff]("")+` FROM refund_set_off WHERE city_id = $1 AND id = $2`, city, id)
}

func setOffsOf(ctx context.Context, tx *db.Tx, city int, season string, accounts []string) (map[string][]SetOff, error) {
	out := map[string][]SetOff{}
	for len(accounts) > 0 {
		n := min(len(accounts), mostKeys)
		in, args := marks(accounts[:n], city, season)
		err := db.Each(ctx, tx, func(x SetOff) error { out[x.Account] = append(out[x.Account], x); return nil },
			`SELECT `+db.Columns[SetOff]("")+` FROM refund_set_off WHERE city_id = $1 AND season = $2 AND account IN (`+in+`) ORDER BY made_at, id`, args...)
		if err != nil {
			return nil, fmt.Errorf("set-offs of households: %w", err)
		}
		accounts = accounts[n:]
	}
	return out, nil
}

// agreedOf sums the agreements that hold.
func agreedOf(ctx context.Context, tx *db.Tx, city int, season string, accounts []string) (map[string]money.Fen, error) {
	all, err := setOffsOf(ctx, tx, city, season, accounts)
	out := make(map[string]money.Fen, len(all))
	for a, list := range all {
		for _, x := range list {
			if x.State == Agreed {
				out[a] += x.Amount
			}
		}
	}
	return out, err
}

// setOffSettled is what was set off in orders that money followed: paid, or in a file for the bank.
func setOffSettled(ctx context.Context, tx *db.Tx, city int, season, account string) (money.Fen, error) {
	return db.One[money.Fen](ctx, tx, `SELECT CAST(COALESCE(SUM(set_off_fen), 0) AS BIGINT) FROM payout
		WHERE city_id = $1 AND season = $2 AND account = $3 AND state IN ('paid', 'ordered')`, city, season, account)
}

func saveSetOff(ctx context.Context, tx *db.Tx, was, x SetOff) (SetOff, error) {
	x.Version = was.Version + 1
	set, args, err := db.Changed(&was, &x, 4)
	if err != nil {
		return x, fmt.Errorf("change a set-off: %w", err)
	}
	return x, db.Guarded(ctx, tx, `UPDATE refund_set_off SET `+set+` WHERE city_id = $1 AND id = $2 AND version = $3`, append([]any{x.City, x.ID, was.Version}, args...)...)
}

// touch holds a claim to the end of the transaction, so that of two who agree at once the second sees the first.
func touch(ctx context.Context, tx *db.Tx, c Claim) error {
	n, err := db.Exec(ctx, tx, `UPDATE refund_claim SET version = version WHERE city_id = $1 AND season = $2 AND account = $3 AND version = $4`,
		c.City, c.Season, c.Account, c.Version)
	if err == nil && n == 0 {
		return db.ErrRetry
	}
	return err
}
