package settle

import (
	"context"
	"fmt"
	"strconv"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/place"
)

// basisMark names the state of the lists that a basis is copied from, and of the rule.
func basisMark(ctx context.Context, tx *db.Tx, city int, t terms) (string, error) {
	fees, _, err := db.Maybe[int64](ctx, tx, `SELECT edition FROM fee_register WHERE city_id = $1 AND kind = $2`, city, string(place.Fees))
	if err != nil {
		return "", fmt.Errorf("edition of the bills: %w", err)
	}
	homes, _, err := db.Maybe[int64](ctx, tx, `SELECT edition FROM register WHERE city_id = $1 AND kind = $2`, city, string(place.Households))
	if err != nil {
		return "", fmt.Errorf("edition of the households: %w", err)
	}
	return strconv.FormatInt(fees, 36) + "." + strconv.FormatInt(homes, 36) + "." + t.mark, nil
}

// census is what the claims of a season look like as a whole: it moves whenever one of them does.
type census struct {
	N       int64 `db:"n"`
	Version int64 `db:"v"`
	Changed int64 `db:"at"`
}

func censusOf(ctx context.Context, tx *db.Tx, city int, season string) (census, error) {
	return db.One[census](ctx, tx, `SELECT COUNT(*) AS n, CAST(COALESCE(SUM(version), 0) AS BIGINT) AS v, COALESCE(MAX(changed_at), 0) AS at
		FROM refund_claim WHERE city_id = $1 AND season = $2`, city, season)
}

// head is who settles a season, and what is seen.
type head struct {
	City    int    `db:"city_id"`
	Season  string `db:"season"`
	Current string `db:"current"`
	Run     string `db:"run"`
	Owner   string `db:"owner"`
	Beat    int64  `db:"beat"`
}

func headIn(ctx context.Context, tx *db.Tx, city int, season string) (head, bool, error) {
	return db.Maybe[head](ctx, tx, `SELECT `+db.Columns[head]("")+` FROM settle_head WHERE city_id = $1 AND season = $2`, city, season)
}

// headMade is headIn that makes the row at the first settlement.
func headMade(ctx context.Context, tx *db.Tx, city int, season string) (head, error) {
	_, err := db.Exec(ctx, tx, `INSERT INTO settle_head (city_id, season, current, run, owner, beat) VALUES ($1, $2, '', '', '', 0)
		ON CONFLICT (city_id, season) DO NOTHING`, city, season)
	if err != nil {
		return head{}, fmt.Errorf("begin a season's settlements: %w", err)
	}
	h, _, err := headIn(ctx, tx, city, season)
	return h, err
}

// take makes this process the one that settles, if the head is still as it was seen; Conflict otherwise.
func take(ctx context.Context, tx *db.Tx, seen head, run, me string) error {
	return db.Guarded(ctx, tx, `UPDATE settle_head SET run = $6, owner = $7, beat = beat + 1
		WHERE city_id = $1 AND season = $2 AND run = $3 AND owner = $4 AND beat = $5`, seen.City, seen.Season, seen.Run, seen.Owner, seen.Beat, run, me)
}

// mine fails unless this process still settles; every transaction of a run begins with it.
func mine(ctx context.Context, tx *db.Tx, city int, season, me string) error {
	n, err := db.Exec(ctx, tx, `UPDATE settle_head SET beat = beat + 1 WHERE city_id = $1 AND season = $2 AND owner = $3`, city, season, me)
	if err == nil && n == 0 {
		return errLost
	}
	return err
}

func release(ctx context.Context, tx *db.Tx, city int, season, me, run, current string) error {
	_, err := db.Exec(ctx, tx, `UPDATE settle_head SET owner = '', run = $4, current = $5 WHERE city_id = $1 AND season = $2 AND owner = $3`, city, season, me, run, current)
	return err
}

func findSettlement(ctx context.Context, tx *db.Tx, city int, id string) (Settlement, error) {
	return db.One[Settlement](ctx, tx, `SELECT `+db.Columns[Settlement]("")+` FROM settlement WHERE city_id = $1 AND id = $2`, city, id)
}

func settlementsOf(ctx context.Context, tx *db.Tx, city int, season string) ([]Settlement, error) {
	return db.List[Settlement](ctx, tx, `SELECT `+db.Columns[Settlement]("")+` FROM settlement WHERE city_id = $1 AND season = $2 ORDER BY no`, city, season)
}

func saveSettlement(ctx context.Context, tx *db.Tx, was, now Settlement) (Settlement, error) {
	now.Version = was.Version + 1
	set, args, err := db.Changed(&was, &now, 4)
	if err != nil {
		return now, fmt.Errorf("move a settlement on: %w", err)
	}
	return now, db.Guarded(ctx, tx, `UPDATE settlement SET `+set+` WHERE city_id = $1 AND id = $2 AND version = $3`,
		append([]any{now.City, now.ID, was.Version}, args...)...)
}

// entry is what a settlement reads of a claim.
type entry struct {
	account, company, facts, basis, basisMark string
	state                                     State
	claimed                                   civil.Instant
	version                                   int64
}

// entriesAfter reads claims in the order of their accounts as the driver gives them: a million rows are not worth a
// million reflections.
func entriesAfter(ctx context.Context, tx *db.Tx, city int, season, after string, limit int) ([]entry, error) {
	out := make([]entry, 0, limit)
	err := db.EachRow(ctx, tx, func(r []any) error {
		out = append(out, entry{
			account: str(r[0]), company: str(r[1]), state: State(str(r[2])), facts: str(r[3]), basis: str(r[4]), basisMark: str(r[5]),
			claimed: civil.Instant(num(r[6])), version: num(r[7]),
		})
		return nil
	}, `SELECT account, company, state, facts, basis, basis_mark, claimed_at, version FROM refund_claim
		WHERE city_id = $1 AND season = $2 AND account > $3 ORDER BY account LIMIT $4`, city, season, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read claims: %w", err)
	}
	return out, nil
}

func str(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case []byte:
		return string(x)
	}
	return ""
}

func num(v any) int64 {
	n, _ := v.(int64)
	return n
}

// priorsOf sums what earlier settlements of the season approved for the accounts of a batch.
func priorsOf(ctx context.Context, tx *db.Tx, city int, approved []string, first, last string) (map[string]money.Fen, error) {
	out := map[string]money.Fen{}
	for _, id := range approved {
		err := db.EachRow(ctx, tx, func(r []any) error { out[str(r[0])] += money.Fen(num(r[1])); return nil },
			`SELECT account, payable_fen FROM settle_line WHERE city_id = $1 AND settlement = $2 AND account >= $3 AND account <= $4 AND payable_fen > 0`, city, id, first, last)
		if err != nil {
			return nil, fmt.Errorf("read what was approved before: %w", err)
		}
	}
	return out, nil
}

var lineColumns = []string{
	"city_id", "settlement", "account", "company", "status", "confirmed", "counted", "amount_fen", "refused_fen", "prior_fen", "payable_fen", "open_fen",
}

func insertLines(ctx context.Context, tx *db.Tx, city int, id string, lines []Line) error {
	rows := make([][]any, len(lines))
	for i, l := range lines {
		rows[i] = []any{
			city, id, l.Account, l.Company, string(l.Status), l.Confirmed, l.Counted, int64(l.Amount), int64(l.Refused), int64(l.Prior), int64(l.Payable), int64(l.Open),
		}
	}
	return db.InsertRows(ctx, tx, "settle_line", lineColumns, rows)
}

// sumLines totals the lines of a settlement by company. It groups by nothing else, since a planner that takes three columns
// for very many groups sorts a million lines on disk, for which others wait.
func sumLines(ctx context.Context, tx *db.Tx, city int, id string) ([]Total, error) {
	return db.List[Total](ctx, tx, `SELECT MIN(city_id) AS city_id, MIN(settlement) AS settlement, company, COUNT(*) AS claims, SUM(CASE WHEN confirmed THEN 1 ELSE 0 END) AS confirmed,
		SUM(CASE WHEN status = 'not_computable' THEN 1 ELSE 0 END) AS not_computable, CAST(SUM(counted) AS BIGINT) AS counted,
		CAST(SUM(amount_fen) AS BIGINT) AS amount_fen, CAST(SUM(refused_fen) AS BIGINT) AS refused_fen, CAST(SUM(prior_fen) AS BIGINT) AS prior_fen,
		CAST(SUM(payable_fen) AS BIGINT) AS payable_fen, CAST(SUM(open_fen) AS BIGINT) AS open_fen
		FROM settle_line WHERE city_id = $1 AND settlement = $2 GROUP BY company ORDER BY company`, city, id)
}

func totalsOf(ctx context.Context, tx *db.Tx, city int, id string) ([]Total, error) {
	return db.List[Total](ctx, tx, `SELECT `+db.Columns[Total]("")+` FROM settle_total WHERE city_id = $1 AND settlement = $2 ORDER BY company`, city, id)
}

// dropLines forgets some lines of a settlement that another took the place of; it returns how many.
func dropLines(ctx context.Context, tx *db.Tx, city int, id string, limit int) (int64, error) {
	last, ok, err := db.Maybe[string](ctx, tx, `SELECT account FROM settle_line WHERE city_id = $1 AND settlement = $2 ORDER BY account LIMIT 1 OFFSET $3`, city, id, limit)
	if err != nil {
		return 0, err
	}
	if !ok {
		return db.Exec(ctx, tx, `DELETE FROM settle_line WHERE city_id = $1 AND settlement = $2`, city, id)
	}
	return db.Exec(ctx, tx, `DELETE FROM settle_line WHERE city_id = $1 AND settlement = $2 AND account < $3`, city, id, last)
}

// linesAfter reads the lines of a settlement that are to be paid.
func linesAfter(ctx context.Context, tx *db.Tx, city int, id, after string, limit int) ([]Line, error) {
	return db.List[Line](ctx, tx, `SELECT `+db.Columns[Line]("")+` FROM settle_line
		WHERE city_id = $1 AND settlement = $2 AND account > $3 AND payable_fen > 0 ORDER BY account LIMIT $4`, city, id, after, limit)
}
