package fee

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
)

// paymentsOf are the payments of a household that were entered one by one, in the order of their days.
func paymentsOf(ctx context.Context, tx *db.Tx, city int, account string) ([]Payment, error) {
	out, err := db.List[Payment](ctx, tx, `SELECT `+db.Columns[Payment]("")+` FROM fee_payment WHERE city_id = $1 AND account = $2 ORDER BY season, paid_on, made_at, id`, city, account)
	if err != nil {
		return nil, fmt.Errorf("payments of a household: %w", err)
	}
	return out, nil
}

func findPayment(ctx context.Context, tx *db.Tx, city int, account, id string) (Payment, error) {
	return db.One[Payment](ctx, tx, `SELECT `+db.Columns[Payment]("")+` FROM fee_payment WHERE city_id = $1 AND id = $2 AND account = $3`, city, id, account)
}

// endPayment voids a payment that stands; a second void is a Conflict.
func endPayment(ctx context.Context, tx *db.Tx, p Payment) error {
	return db.Guarded(ctx, tx, `UPDATE fee_payment SET voided_by = $4, voided_at = $5, void_reason = $6, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3 AND voided_at IS NULL`, p.City, p.ID, p.Version, p.VoidedBy, p.Voided, p.Reason)
}
