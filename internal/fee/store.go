package fee

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/place"
)

const mostKeys = 400 // parameters of one statement

func marks(keys []string, first ...any) (string, []any) {
	args, list := first, make([]string, len(keys))
	for i, k := range keys {
		args = append(args, k)
		list[i] = "$" + strconv.Itoa(len(args))
	}
	return strings.Join(list, ", "), args
}

// RowsIn gives the bills that are seen now by their keys; the caller has asked for its permission.
func RowsIn(ctx context.Context, tx *db.Tx, city int, keys []string) (map[string]Row, error) {
	out := make(map[string]Row, len(keys))
	for len(keys) > 0 {
		n := min(len(keys), mostKeys)
		in, args := marks(keys[:n], city)
		err := db.Each(ctx, tx, func(r Row) error { out[r.Key] = r; return nil },
			`SELECT `+db.Columns[Row]("f")+` FROM fee f`+place.Seen("f", place.Fees)+` WHERE f.city_id = $1 AND f.row_key IN (`+in+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("bills by account: %w", err)
		}
		keys = keys[n:]
	}
	return out, nil
}

// termRow is a term as kept.
type termRow struct {
	City int `db:"city_id"`
	Term
}

func termsIn(ctx context.Context, tx *db.Tx, city int, accounts []string) (map[string]Term, error) {
	out := map[string]Term{}
	for len(accounts) > 0 {
		n := min(len(accounts), mostKeys)
		in, args := marks(accounts[:n], city)
		err := db.Each(ctx, tx, func(t Term) error { out[t.Account] = t; return nil },
			`SELECT `+db.Columns[Term]("")+` FROM fee_term WHERE city_id = $1 AND account IN (`+in+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("contract terms: %w", err)
		}
		accounts = accounts[n:]
	}
	return out, nil
}

// list reads the bills of a season in the order of the accounts.
func list(ctx context.Context, tx *db.Tx, city int, f Filter, after string, limit int) ([]Row, error) {
	rows, err := db.List[Row](ctx, tx, `SELECT `+db.Columns[Row]("f")+` FROM fee f`+place.Seen("f", place.Fees)+`
		WHERE f.city_id = $1 AND f.season = $2 AND f.account > $3 AND ($4 = '' OR substr(f.account, 1, length($4)) = $4) ORDER BY f.account LIMIT $5`,
		city, f.Season, after, f.Account, limit)
	if err != nil {
		return nil, fmt.Errorf("list bills: %w", err)
	}
	return rows, nil
}

// seasonsOf are the seasons of which a household has a bill or payments of its own, or a meter was read.
func seasonsOf(ctx context.Context, tx *db.Tx, city int, account string) ([]string, error) {
	out, err := db.List[string](ctx, tx, `SELECT f.season FROM fee f`+place.Seen("f", place.Fees)+` WHERE f.city_id = $1 AND f.account = $2
		UNION SELECT season FROM meter_record WHERE city_id = $1 AND account = $2
		UNION SELECT season FROM fee_payment WHERE city_id = $1 AND account = $2 ORDER BY 1`, city, account)
	if err != nil {
		return nil, fmt.Errorf("seasons of a household: %w", err)
	}
	return out, nil
}

// save writes a bill in place; rev is the sum of the row that was seen, empty for a new one.
func save(ctx context.Context, tx *db.Tx, r Row, rev string) error {
	if rev != "" {
		return db.Guarded(ctx, tx, `UPDATE fee SET billed_area_m2 = $5, price_class = $6, amount_fen = $7, paid_fen = $8, paid_at = $9, row_sum = $10
			WHERE city_id = $1 AND row_key = $2 AND row_sum = $3 AND until_edition = $4`,
			r.City, r.Key, rev, place.Forever, r.AreaM2, r.PriceClass, r.Amount, r.Paid, r.PaidAt, r.Sum)
	}
	_, taken, err := db.Maybe[string](ctx, tx, `SELECT row_sum FROM fee WHERE city_id = $1 AND row_key = $2 AND until_edition = $3`, r.City, r.Key, place.Forever)
	if err != nil {
		return fmt.Errorf("look up a bill: %w", err)
	}
	if taken {
		return fault.New(fault.Conflict, "fee.taken")
	}
	if err := db.Insert(ctx, tx, "fee", &r); err != nil {
		return fmt.Errorf("add a bill: %w", err)
	}
	return nil
}

func setTerm(ctx context.Context, tx *db.Tx, city int, t Term, version int64) error {
	if version == 0 {
		err := db.Insert(ctx, tx, "fee_term", &termRow{city, t})
		if db.IsUnique(err) {
			return fault.New(fault.Conflict, "fee.taken")
		}
		return err
	}
	return db.Guarded(ctx, tx, `UPDATE fee_term SET agreed_c = $4, contract = $5, height_m = $6, version = version + 1
		WHERE city_id = $1 AND account = $2 AND version = $3`, city, t.Account, version, t.AgreedC, t.Contract, t.HeightM)
}
