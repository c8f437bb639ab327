package settle

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
)

func claimsAfter(ctx context.Context, tx *db.Tx, city int, season, after string, limit int) ([]Claim, error) {
	out, err := db.List[Claim](ctx, tx, `SELECT `+db.Columns[Claim]("")+` FROM refund_claim
		WHERE city_id = $1 AND season = $2 AND account > $3 ORDER BY account LIMIT $4`, city, season, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read claims: %w", err)
	}
	return out, nil
}

// linesBetween are the lines of some settlements for a range of accounts, by account, in the order of the settlements.
func linesBetween(ctx context.Context, tx *db.Tx, city int, seen []Settlement, first, last string) (map[string][]Line, error) {
	out := map[string][]Line{}
	for _, x := range seen {
		err := db.Each(ctx, tx, func(l Line) error { out[l.Account] = append(out[l.Account], l); return nil },
			`SELECT `+db.Columns[Line]("")+` FROM settle_line WHERE city_id = $1 AND settlement = $2 AND account >= $3 AND account <= $4`, city, x.ID, first, last)
		if err != nil {
			return nil, fmt.Errorf("lines of settlement %d: %w", x.No, err)
		}
	}
	return out, nil
}

// payoutsBetween are the orders to pay of a range of accounts in a season, by account.
func payoutsBetween(ctx context.Context, tx *db.Tx, city int, season, first, last string) (map[string][]Payout, error) {
	out := map[string][]Payout{}
	err := db.Each(ctx, tx, func(p Payout) error { out[p.Account] = append(out[p.Account], p); return nil },
		`SELECT `+db.Columns[Payout]("")+` FROM payout WHERE city_id = $1 AND season = $2 AND account >= $3 AND account <= $4 ORDER BY account, settlement`,
		city, season, first, last)
	if err != nil {
		return nil, fmt.Errorf("orders to pay of households: %w", err)
	}
	return out, nil
}
