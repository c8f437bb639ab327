package cases

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
)

// ofCaller lists the newest cases that a person reported.
func ofCaller(ctx context.Context, tx *db.Tx, city int, person string, most int) ([]Case, error) {
	rows, err := db.List[Case](ctx, tx, `SELECT `+db.Columns[Case]("c")+` FROM case_file c WHERE c.city_id = $1 AND c.caller_id = $2 AND c.status <> 'void'
		ORDER BY c.seq DESC LIMIT $3`, city, person, most)
	if err != nil {
		return nil, fmt.Errorf("list cases of a caller: %w", err)
	}
	return rows, nil
}

// ofAccount lists the newest cases about a household.
func ofAccount(ctx context.Context, tx *db.Tx, city int, account string, most int) ([]Case, error) {
	rows, err := db.List[Case](ctx, tx, `SELECT `+db.Columns[Case]("c")+` FROM case_file c WHERE c.city_id = $1 AND c.account = $2 AND c.account <> ''
		AND c.status <> 'void' ORDER BY c.seq DESC LIMIT $3`, city, account, most)
	if err != nil {
		return nil, fmt.Errorf("list cases of a household: %w", err)
	}
	return rows, nil
}
