package settle

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/page"
)

func payeesOf(ctx context.Context, tx *db.Tx, city int, accounts []string) (map[string]Payee, error) {
	out := map[string]Payee{}
	in, args := marks(accounts, city)
	err := db.Each(ctx, tx, func(p Payee) error { out[p.Account] = p; return nil },
		`SELECT `+db.Columns[Payee]("")+` FROM refund_payee WHERE city_id = $1 AND account IN (`+in+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("payees of households: %w", err)
	}
	return out, nil
}

func savePayee(ctx context.Context, tx *db.Tx, was *Payee, p Payee) (Payee, error) {
	if was == nil {
		p.Version = 1
		err := db.Insert(ctx, tx, "refund_payee", &p)
		if db.IsUnique(err) {
			return p, fault.New(fault.Conflict, "settle.moved")
		}
		return p, err
	}
	p.Version = was.Version + 1
	set, args, err := db.Changed(was, &p, 4)
	if err != nil {
		return p, fmt.Errorf("change a payee: %w", err)
	}
	return p, db.Guarded(ctx, tx, `UPDATE refund_payee SET `+set+` WHERE city_id = $1 AND account = $2 AND version = $3`, append([]any{p.City, p.Account, was.Version}, args...)...)
}

func findPayout(ctx context.Context, tx *db.Tx, city int, settlement, account string) (Payout, error) {
	return db.One[Payout](ctx, tx, `SELECT `+db.Columns[Payout]("")+` FROM payout WHERE city_id = $1 AND settlement = $2 AND account = $3`, city, settlement, account)
}

func payoutsOf(ctx context.Context, tx *db.Tx, city int, season, account string) ([]Payout, error) {
	return db.List[Payout](ctx, tx, `SELECT `+db.Columns[Payout]("")+` FROM payout WHERE city_id = $1 AND account = $2 AND season = $3 ORDER BY created_at, settlement`, city, account, season)
}

// openPayouts are the orders of a household that are not met and in no file.
func openPayouts(ctx context.Context, tx *db.Tx, city int, account string) ([]Payout, error) {
	return db.List[Payout](ctx, tx, `SELECT `+db.Columns[Payout]("")+` FROM payout WHERE city_id = $1 AND account = $2 AND state IN ('due', 'failed', 'unclaimed') ORDER BY settlement`, city, account)
}

func savePayout(ctx context.Context, tx *db.Tx, was, p Payout) (Payout, error) {
	p.Version, p.PaidLate = was.Version+1, p.paidLate()
	set, args, err := db.Changed(&was, &p, 5)
	if err != nil {
		return p, fmt.Errorf("change an order to pay: %w", err)
	}
	return p, db.Guarded(ctx, tx, `UPDATE payout SET `+set+` WHERE city_id = $1 AND settlement = $2 AND account = $3 AND version = $4`,
		append([]any{p.City, p.Settlement, p.Account, was.Version}, args...)...)
}

func listPayouts(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, f PayFilter) (page.Of[Payout], error) {
	var after, settlement string
	if f.After != "" {
		if err := page.Decode(f.After, &after, &settlement); err != nil {
			return page.Of[Payout]{}, err
		}
	}
	args := []any{city, f.Season, after, settlement, string(f.State), f.Company, f.Batch, flag01(f.Overdue), f.today, f.Limit() + 1}
	where, args := within(scope, "c.", args)
	rows, err := db.List[Payout](ctx, tx, `SELECT `+db.Columns[Payout]("p")+` FROM payout p
		JOIN refund_claim c ON c.city_id = p.city_id AND c.season = p.season AND c.account = p.account
		WHERE p.city_id = $1 AND p.season = $2 AND (p.account, p.settlement) > ($3, $4) AND ($5 = '' OR p.state = $5) AND ($6 = '' OR p.company = $6)
		AND ($7 = '' OR p.batch = $7) AND ($8 = 0 OR p.state <> 'paid' AND p.pay_by < $9) AND `+where+`
		ORDER BY p.account, p.settlement LIMIT $10`, args...)
	if err != nil {
		return page.Of[Payout]{}, fmt.Errorf("list orders to pay: %w", err)
	}
	return page.Cut(rows, f.Request, func(p Payout) []any { return []any{p.Account, p.Settlement} }), nil
}

func flag01(b bool) int {
	if b {
		return 1
	}
	return 0
}

func findBatch(ctx context.Context, tx *db.Tx, city int, id string) (Batch, error) {
	return db.One[Batch](ctx, tx, `SELECT `+db.Columns[Batch]("")+` FROM pay_batch WHERE city_id = $1 AND id = $2`, city, id)
}

func fillingBatch(ctx context.Context, tx *db.Tx, city int, season, company string) (Batch, bool, error) {
	return db.Maybe[Batch](ctx, tx, `SELECT `+db.Columns[Batch]("")+` FROM pay_batch WHERE city_id = $1 AND season = $2 AND company = $3 AND state = 'filling' ORDER BY no LIMIT 1`,
		city, season, company)
}

func batchesOf(ctx context.Context, tx *db.Tx, city int, season, company string) ([]Batch, error) {
	return db.List[Batch](ctx, tx, `SELECT `+db.Columns[Batch]("")+` FROM pay_batch WHERE city_id = $1 AND season = $2 AND ($3 = '' OR company = $3) ORDER BY no DESC LIMIT 200`,
		city, season, company)
}

func saveBatch(ctx context.Context, tx *db.Tx, was, b Batch) (Batch, error) {
	b.Version = was.Version + 1
	set, args, err := db.Changed(&was, &b, 4)
	if err != nil {
		return b, fmt.Errorf("change a bank file: %w", err)
	}
	return b, db.Guarded(ctx, tx, `UPDATE pay_batch SET `+set+` WHERE city_id = $1 AND id = $2 AND version = $3`, append([]any{b.City, b.ID, was.Version}, args...)...)
}

// dueFor are orders of a company that can go to the bank.
func dueFor(ctx context.Context, tx *db.Tx, city int, season, company string, limit int) ([]Payout, error) {
	return db.List[Payout](ctx, tx, `SELECT `+db.Columns[Payout]("")+` FROM payout
		WHERE city_id = $1 AND company = $2 AND state = 'due' AND season = $3 AND method = 'bank' ORDER BY account, settlement LIMIT $4`, city, company, season, limit)
}

// inBatch are the orders of a bank file in their order, with the number of their settlement.
func inBatch(ctx context.Context, tx *db.Tx, city int, batch, settlement, account string, limit int) ([]numbered, error) {
	return db.List[numbered](ctx, tx, `SELECT s.no AS settlement_no, `+db.Columns[Payout]("p")+` FROM payout p
		JOIN settlement s ON s.city_id = p.city_id AND s.id = p.settlement
		WHERE p.city_id = $1 AND p.batch = $2 AND (p.settlement, p.account) > ($3, $4) ORDER BY p.settlement, p.account LIMIT $5`, city, batch, settlement, account, limit)
}

// numbered is an order to pay with the number of its settlement.
type numbered struct {
	No int64 `db:"settlement_no"`
	Payout
}

type batchSum struct {
	Rows  int64     `db:"n"`
	Total money.Fen `db:"fen"`
}

func sumBatch(ctx context.Context, tx *db.Tx, city int, batch string) (batchSum, error) {
	return db.One[batchSum](ctx, tx, `SELECT COUNT(*) AS n, CAST(COALESCE(SUM(amount_fen - set_off_fen), 0) AS BIGINT) AS fen FROM payout WHERE city_id = $1 AND batch = $2`, city, batch)
}

// paySums totals the orders to pay of a season.
type paySums struct {
	Company    string    `db:"company"`
	N          int64     `db:"n"`
	Amount     money.Fen `db:"amount"`
	Paid       money.Fen `db:"paid"`
	SetOff     money.Fen `db:"set_off"`
	Unclaimed  money.Fen `db:"unclaimed"`
	Overdue    int64     `db:"overdue"`
	OverdueFen money.Fen `db:"overdue_fen"`
	Done       int64     `db:"done"`
}

func sumPayouts(ctx context.Context, tx *db.Tx, city int, season string, today civil.Date) ([]paySums, error) {
	return db.List[paySums](ctx, tx, `SELECT company, COUNT(*) AS n, CAST(SUM(amount_fen) AS BIGINT) AS amount,
		CAST(SUM(CASE WHEN state = 'paid' THEN amount_fen - set_off_fen ELSE 0 END) AS BIGINT) AS paid, CAST(SUM(set_off_fen) AS BIGINT) AS set_off,
		CAST(SUM(CASE WHEN state = 'unclaimed' THEN amount_fen - set_off_fen ELSE 0 END) AS BIGINT) AS unclaimed,
		SUM(CASE WHEN state <> 'paid' AND pay_by < $3 THEN 1 ELSE 0 END) AS overdue,
		CAST(SUM(CASE WHEN state <> 'paid' AND pay_by < $3 THEN amount_fen - set_off_fen ELSE 0 END) AS BIGINT) AS overdue_fen,
		SUM(CASE WHEN state = 'paid' AND invoice <> 'open' THEN 1 ELSE 0 END) AS done
		FROM payout WHERE city_id = $1 AND season = $2 GROUP BY company ORDER BY company`, city, season, today)
}

// lateRow is an order past its legal day, or a claim past it whose sum is in no order.
type lateRow struct {
	Company string     `db:"company"`
	Net     money.Fen  `db:"net"`
	PayBy   civil.Date `db:"pay_by"`
	Excused string     `db:"excused"`
	Ordered bool       `db:"-"`
}

// lateOnes are the overdue orders of a season, then the claims that came to money and never became an order of it, each
// with what a late charge depends on.
func lateOnes(ctx context.Context, tx *db.Tx, city int, season string, today civil.Date, fn func(lateRow) error) error {
	err := db.Each(ctx, tx, func(r lateRow) error { r.Ordered = true; return fn(r) },
		`SELECT company, amount_fen - set_off_fen AS net, pay_by, excused FROM payout
		WHERE city_id = $1 AND season = $2 AND state <> 'paid' AND pay_by < $3 ORDER BY company, account`, city, season, today)
	if err != nil {
		return fmt.Errorf("orders past the legal day: %w", err)
	}
	return db.Each(ctx, tx, func(r lateRow) error {
		if r.Net <= 0 {
			return nil
		}
		return fn(r)
	}, `SELECT c.company, c.amount_fen - CAST(COALESCE((SELECT SUM(p.amount_fen) FROM payout p
			WHERE p.city_id = c.city_id AND p.account = c.account AND p.season = c.season), 0) AS BIGINT) AS net, c.pay_by, '' AS excused
		FROM refund_claim c WHERE c.city_id = $1 AND c.season = $2 AND c.state IN ('open', 'confirmed') AND c.status = 'computed'
		AND c.amount_fen > 0 AND c.pay_by < $3 ORDER BY c.company, c.account`, city, season, today)
}

// paidLate are the orders of a season that were paid after the legal day, or may have been.
func paidLate(ctx context.Context, tx *db.Tx, city int, season string, fn func(Payout) error) error {
	err := db.Each(ctx, tx, fn, `SELECT `+db.Columns[Payout]("")+` FROM payout
		WHERE city_id = $1 AND season = $2 AND paid_late AND state = 'paid' ORDER BY company, account`, city, season)
	if err != nil {
		return fmt.Errorf("orders paid after the legal day: %w", err)
	}
	return nil
}

// CompanyTerm is what the contracts of a company say about late refunds.
type CompanyTerm struct {
	City     int    `db:"city_id" json:"-"`
	Company  string `db:"company" json:"company"`
	LateRate string `db:"late_rate" json:"late_rate"` // a day, a decimal share of the sum: "0.0005"
	Version  int64  `db:"version" json:"version"`
}

func companyTerms(ctx context.Context, tx *db.Tx, city int) (map[string]CompanyTerm, error) {
	out := map[string]CompanyTerm{}
	err := db.Each(ctx, tx, func(c CompanyTerm) error { out[c.Company] = c; return nil },
		`SELECT `+db.Columns[CompanyTerm]("")+` FROM refund_company WHERE city_id = $1`, city)
	return out, err
}

func saveCompanyTerm(ctx context.Context, tx *db.Tx, c CompanyTerm, version int64) error {
	if version == 0 {
		err := db.Insert(ctx, tx, "refund_company", &c)
		if db.IsUnique(err) {
			return fault.New(fault.Conflict, "settle.moved")
		}
		return err
	}
	return db.Guarded(ctx, tx, `UPDATE refund_company SET late_rate = $4, version = version + 1 WHERE city_id = $1 AND company = $2 AND version = $3`,
		c.City, c.Company, version, c.LateRate)
}
