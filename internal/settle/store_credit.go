package settle

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/money"
)

// CreditsIn gives the refunds of households that were met as credit on next season's bill (抵下季): one for each order to pay,
// so that no order counts twice. The caller has asked for its permission.
func CreditsIn(ctx context.Context, tx *db.Tx, city int, accounts []string) ([]fee.Credit, error) {
	type row struct {
		No         int64         `db:"no"`
		Settlement string        `db:"settlement"`
		Account    string        `db:"account"`
		Season     string        `db:"season"`
		Company    string        `db:"company"`
		Net        money.Fen     `db:"net"`
		At         civil.Instant `db:"paid_at"`
	}
	var out []fee.Credit
	for len(accounts) > 0 {
		n := min(len(accounts), mostKeys)
		in, args := marks(accounts[:n], city)
		err := db.Each(ctx, tx, func(r row) error {
			out = append(out, fee.Credit{Account: r.Account, Settlement: r.Settlement, Ref: refOf(r.No, r.Account), Season: r.Season, Company: r.Company, Amount: r.Net, At: r.At})
			return nil
		}, `SELECT s.no AS no, p.settlement AS settlement, p.account AS account, p.season AS season, p.company AS company, p.amount_fen - p.set_off_fen AS net, p.paid_at AS paid_at
			FROM payout p JOIN settlement s ON s.city_id = p.city_id AND s.id = p.settlement
			WHERE p.city_id = $1 AND p.account IN (`+in+`) AND p.method = 'credit' AND p.state = 'paid' ORDER BY p.account, p.season, s.no`, args...)
		if err != nil {
			return nil, fmt.Errorf("credits of households: %w", err)
		}
		accounts = accounts[n:]
	}
	return out, nil
}

// SetOffsIn gives by account what the orders to pay of a season set off against what the household owed of that season's bill
// (抵扣欠费). The caller has asked for its permission.
func SetOffsIn(ctx context.Context, tx *db.Tx, city int, season string, accounts []string) (map[string]money.Fen, error) {
	type row struct {
		Account string    `db:"account"`
		SetOff  money.Fen `db:"set_off"`
	}
	out := map[string]money.Fen{}
	for len(accounts) > 0 {
		n := min(len(accounts), mostKeys)
		in, args := marks(accounts[:n], city, season)
		err := db.Each(ctx, tx, func(r row) error { out[r.Account] += r.SetOff; return nil },
			`SELECT account, set_off_fen AS set_off FROM payout WHERE city_id = $1 AND season = $2 AND account IN (`+in+`) AND set_off_fen > 0`, args...)
		if err != nil {
			return nil, fmt.Errorf("set-offs of households: %w", err)
		}
		accounts = accounts[n:]
	}
	return out, nil
}
