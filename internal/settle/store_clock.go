package settle

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/money"
)

// dutiesOf is what companies have to pay back in a season, by company and legal day: claims whose sum is in no order, and
// orders. An order whose lateness is the user's own is nobody's duty while it waits.
func dutiesOf(ctx context.Context, tx *db.Tx, city int, season string) ([]Duty, error) {
	type row struct {
		Company string        `db:"company"`
		PayBy   civil.Date    `db:"pay_by"`
		Open    int64         `db:"open_n"`
		Held    int64         `db:"held_n"`
		Owed    money.Fen     `db:"owed"`
		Paid    civil.Instant `db:"paid_at"`
		Orders  int64         `db:"orders_n"`
		First   civil.Instant `db:"first_at"`
	}
	var out []Duty
	at := map[string]int{}
	add := func(r row) error {
		d := Duty{Season: season, Company: r.Company, PayBy: r.PayBy}
		i, ok := at[d.subject()]
		if !ok {
			i = len(out)
			at[d.subject()] = i
			out = append(out, d)
		}
		x := &out[i]
		x.Open, x.Held, x.Owed, x.Orders = x.Open+r.Open, x.Held+r.Held, x.Owed+r.Owed, x.Orders+r.Orders
		x.Paid = max(x.Paid, r.Paid)
		if x.First.IsZero() || !r.First.IsZero() && r.First.Before(x.First) {
			x.First = r.First
		}
		return nil
	}
	err := db.Each(ctx, tx, add, `SELECT x.company AS company, x.pay_by AS pay_by,
		SUM(CASE WHEN x.state <> 'objected' THEN 1 ELSE 0 END) AS open_n, SUM(CASE WHEN x.state = 'objected' THEN 1 ELSE 0 END) AS held_n,
		CAST(SUM(CASE WHEN x.state <> 'objected' THEN x.net ELSE 0 END) AS BIGINT) AS owed, MIN(x.from_at) AS first_at
		FROM (SELECT c.company, c.pay_by, c.state, COALESCE(c.published_at, c.confirmed_at, c.claimed_at) AS from_at,
			c.amount_fen - CAST(COALESCE((SELECT SUM(p.amount_fen) FROM payout p
				WHERE p.city_id = c.city_id AND p.account = c.account AND p.season = c.season), 0) AS BIGINT) AS net
			FROM refund_claim c WHERE c.city_id = $1 AND c.season = $2 AND c.state IN ('open', 'objected', 'confirmed') AND c.status = 'computed'
			AND c.amount_fen > 0 AND c.pay_by IS NOT NULL) x
		WHERE x.net > 0 GROUP BY x.company, x.pay_by`, city, season)
	if err != nil {
		return nil, fmt.Errorf("claims by their legal day: %w", err)
	}
	err = db.Each(ctx, tx, add, `SELECT company, pay_by, SUM(CASE WHEN state <> 'paid' AND excused = '' THEN 1 ELSE 0 END) AS open_n,
		CAST(SUM(CASE WHEN state <> 'paid' AND excused = '' THEN amount_fen - set_off_fen ELSE 0 END) AS BIGINT) AS owed,
		MAX(CASE WHEN state = 'paid' THEN paid_at END) AS paid_at, COUNT(*) AS orders_n, MIN(created_at) AS first_at
		FROM payout WHERE city_id = $1 AND season = $2 AND pay_by IS NOT NULL GROUP BY company, pay_by`, city, season)
	if err != nil {
		return nil, fmt.Errorf("orders by their legal day: %w", err)
	}
	return out, nil
}

// publish notes when claims were first published, and by when they must be paid because of it. What they rest on, and so
// their version, stays as it was.
func publish(ctx context.Context, tx *db.Tx, c Claim) error {
	_, err := db.Exec(ctx, tx, `UPDATE refund_claim SET published_at = $4, pay_by = $5 WHERE city_id = $1 AND season = $2 AND account = $3`,
		c.City, c.Season, c.Account, c.Published, c.PayBy)
	if err != nil {
		return fmt.Errorf("note that the claim of %s was published: %w", c.Account, err)
	}
	return nil
}
