package cases

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

// waiting lists the open cases of a case's building that the same company has for the same kind of trouble.
func waiting(ctx context.Context, tx *db.Tx, c Case, since civil.Instant) ([]Case, error) {
	rows, err := db.List[Case](ctx, tx, `SELECT `+db.Columns[Case]("c")+` FROM case_file c WHERE c.city_id = $1 AND c.community = $2 AND c.building = $3
		AND c.open AND NOT c.secret AND c.company = $4 AND c.category = $5 AND c.received_at >= $6 AND c.id <> $7 ORDER BY c.seq DESC LIMIT 500`,
		c.City, c.Community, c.Building, c.Company, c.Category, since, c.ID)
	if err != nil {
		return nil, fmt.Errorf("list cases beside a case: %w", err)
	}
	return rows, nil
}
