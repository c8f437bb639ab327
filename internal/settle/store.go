package settle

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

const mostKeys = 400 // parameters of one statement

// Choice is the rule that the authority chose for a season.
type Choice struct {
	City    int           `db:"city_id" json:"-"`
	Season  string        `db:"season" json:"season"`
	Rule    string        `db:"rule" json:"rule"`
	By      string        `db:"chosen_by" json:"-"`
	At      civil.Instant `db:"chosen_at" json:"chosen_at"`
	Version int64         `db:"version" json:"version"`
}

func choiceIn(ctx context.Context, tx *db.Tx, city int, season string) (Choice, bool, error) {
	return db.Maybe[Choice](ctx, tx, `SELECT `+db.Columns[Choice]("")+` FROM refund_choice WHERE city_id = $1 AND season = $2`, city, season)
}

func saveChoice(ctx context.Context, tx *db.Tx, c Choice, version int64) error {
	if version > 0 {
		return db.Guarded(ctx, tx, `UPDATE refund_choice SET rule = $4, chosen_by = $5, chosen_at = $6, version = version + 1
			WHERE city_id = $1 AND season = $2 AND version = $3`, c.City, c.Season, version, c.Rule, c.By, c.At)
	}
	c.Version = 1
	if err := db.Insert(ctx, tx, "refund_choice", &c); db.IsUnique(err) {
		return fault.New(fault.Conflict, "settle.moved")
	} else if err != nil {
		return fmt.Errorf("choose a rule: %w", err)
	}
	return nil
}

func findClaim(ctx context.Context, tx *db.Tx, city int, season, account string) (Claim, error) {
	c, ok, err := db.Maybe[Claim](ctx, tx, `SELECT `+db.Columns[Claim]("")+` FROM refund_claim WHERE city_id = $1 AND season = $2 AND account = $3`, city, season, account)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "settle.no_claim", "account", account, "season", season)
	}
	return c, err
}

func claimsOf(ctx context.Context, tx *db.Tx, city int, season string, accounts []string) (map[string]Claim, error) {
	out := map[string]Claim{}
	for len(accounts) > 0 {
		n := min(len(accounts), mostKeys)
		in, args := marks(accounts[:n], city, season)
		err := db.Each(ctx, tx, func(c Claim) error { out[c.Account] = c; return nil },
			`SELECT `+db.Columns[Claim]("")+` FROM refund_claim WHERE city_id = $1 AND season = $2 AND account IN (`+in+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("claims of households: %w", err)
		}
		accounts = accounts[n:]
	}
	return out, nil
}

// claimsFrom are the claims of some households of a season and of those after it, season by season.
func claimsFrom(ctx context.Context, tx *db.Tx, city int, season string, accounts []string) ([]Claim, error) {
	var out []Claim
	for len(accounts) > 0 {
		n := min(len(accounts), mostKeys)
		in, args := marks(accounts[:n], city, season)
		list, err := db.List[Claim](ctx, tx, `SELECT `+db.Columns[Claim]("")+` FROM refund_claim WHERE city_id = $1 AND season >= $2 AND account IN (`+in+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("claims of households from a season on: %w", err)
		}
		out, accounts = append(out, list...), accounts[n:]
	}
	slices.SortFunc(out, func(a, b Claim) int {
		return cmp.Or(cmp.Compare(a.Season, b.Season), cmp.Compare(a.Account, b.Account))
	})
	return out, nil
}

func marks(keys []string, first ...any) (string, []any) {
	args, list := first, make([]string, len(keys))
	for i, k := range keys {
		args = append(args, k)
		list[i] = "$" + strconv.Itoa(len(args))
	}
	return strings.Join(list, ", "), args
}

// saveClaim writes what differs from the claim that was seen; one that is new is added.
func saveClaim(ctx context.Context, tx *db.Tx, was *Claim, c Claim) (Claim, error) {
	c.Changed = tx.Now
	if was == nil {
		c.Version = 1
		if err := db.Insert(ctx, tx, "refund_claim", &c); db.IsUnique(err) {
			return c, db.ErrRetry
		} else if err != nil {
			return c, fmt.Errorf("open a claim: %w", err)
		}
		return c, nil
	}
	c.Version = was.Version + 1
	set, args, err := db.Changed(was, &c, 5)
	if err != nil {
		return c, fmt.Errorf("change a claim: %w", err)
	}
	return c, db.Guarded(ctx, tx, `UPDATE refund_claim SET `+set+` WHERE city_id = $1 AND season = $2 AND account = $3 AND version = $4`,
		append([]any{c.City, c.Season, c.Account, was.Version}, args...)...)
}

func listClaims(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, f Filter) (page.Of[Claim], error) {
	var after string
	if f.After != "" {
		if err := page.Decode(f.After, &after); err != nil {
			return page.Of[Claim]{}, err
		}
	}
	args := []any{city, f.Season, after, string(f.State), f.Company, f.Station, f.Community, f.Limit() + 1}
	where, args := within(scope, "", args)
	narrow := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where += " AND " + condition
	}
	if f.Account != "" {
		narrow("account = ?", f.Account)
	}
	if f.Status != "" {
		narrow("status = ?", string(f.Status))
	}
	if !f.Day.IsZero() {
		narrow("claimed_at >= ? AND claimed_at < ?", int64(f.Day.Start()), int64(f.Day.End()))
	}
	rows, err := db.List[Claim](ctx, tx, `SELECT `+db.Columns[Claim]("")+` FROM refund_claim
		WHERE city_id = $1 AND season = $2 AND account > $3 AND ($4 = '' OR state = $4) AND ($5 = '' OR company = $5) AND ($6 = '' OR station = $6)
		AND ($7 = '' OR community = $7) AND `+where+` ORDER BY account LIMIT $8`, args...)
	if err != nil {
		return page.Of[Claim]{}, fmt.Errorf("list claims: %w", err)
	}
	return page.Cut(rows, f.Request, func(c Claim) []any { return []any{c.Account} }), nil
}

func findObjection(ctx context.Context, tx *db.Tx, city int, id string) (Objection, error) {
	return db.One[Objection](ctx, tx, `SELECT `+db.Columns[Objection]("")+` FROM refund_objection WHERE city_id = $1 AND id = $2`, city, id)
}

func objectionsOf(ctx context.Context, tx *db.Tx, city int, season string, accounts []string) (map[string][]Objection, error) {
	out := map[string][]Objection{}
	for len(accounts) > 0 {
		n := min(len(accounts), mostKeys)
		in, args := marks(accounts[:n], city, season)
		err := db.Each(ctx, tx, func(o Objection) error { out[o.Account] = append(out[o.Account], o); return nil },
			`SELECT `+db.Columns[Objection]("")+` FROM refund_objection WHERE city_id = $1 AND season = $2 AND account IN (`+in+`) ORDER BY filed_at, id`, args...)
		if err != nil {
			return nil, fmt.Errorf("objections to claims: %w", err)
		}
		accounts = accounts[n:]
	}
	return out, nil
}

func decideObjection(ctx context.Context, tx *db.Tx, o Objection, version int64) error {
	return db.Guarded(ctx, tx, `UPDATE refund_objection SET state = $4, decision = $5, decided_by = $6, decided_at = $7, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3`, o.City, o.ID, version, string(o.State), o.Decision, o.DecidedBy, o.Decided)
}

func findArea(ctx context.Context, tx *db.Tx, city int, id string) (Area, error) {
	return db.One[Area](ctx, tx, `SELECT `+db.Columns[Area]("")+` FROM refund_area WHERE city_id = $1 AND id = $2`, city, id)
}

func areasOf(ctx context.Context, tx *db.Tx, city int, season string) ([]Area, error) {
	return db.List[Area](ctx, tx, `SELECT `+db.Columns[Area]("")+` FROM refund_area WHERE city_id = $1 AND season = $2 ORDER BY id`, city, season)
}

func saveArea(ctx context.Context, tx *db.Tx, was, a Area) (Area, error) {
	a.Version = was.Version + 1
	set, args, err := db.Changed(&was, &a, 4)
	if err != nil {
		return a, fmt.Errorf("change a determination: %w", err)
	}
	return a, db.Guarded(ctx, tx, `UPDATE refund_area SET `+set+` WHERE city_id = $1 AND id = $2 AND version = $3`, append([]any{a.City, a.ID, was.Version}, args...)...)
}

// exposure sums the claims of a season by company and station.
func exposure(ctx context.Context, tx *db.Tx, city int, season string, scope actor.Scope) ([]Exposure, error) {
	where, args := within(scope, "", []any{city, season})
	return db.List[Exposure](ctx, tx, `SELECT company, station, COUNT(*) AS claims, SUM(CASE WHEN state = 'confirmed' THEN 1 ELSE 0 END) AS confirmed,
		CAST(SUM(counted) AS BIGINT) AS counted, CAST(SUM(amount_fen) AS BIGINT) AS amount_fen, SUM(CASE WHEN status = 'not_computable' THEN 1 ELSE 0 END) AS not_computable
		FROM refund_claim WHERE city_id = $1 AND season = $2 AND state <> 'refused' AND `+where+` GROUP BY company, station ORDER BY company, station`, args...)
}

// countable are claims that may come to something else up to a day than they were counted to.
func countable(ctx context.Context, tx *db.Tx, city int, at counting, upto civil.Date, limit int) ([]Claim, error) {
	if at.all {
		return claimsAfter(ctx, tx, city, at.season, at.after, limit)
	}
	out, err := db.List[Claim](ctx, tx, `SELECT `+db.Columns[Claim]("")+` FROM refund_claim
		WHERE city_id = $1 AND season = $2 AND account > $3 AND running AND (counted_to IS NULL OR counted_to < $4) ORDER BY account LIMIT $5`,
		city, at.season, at.after, upto, limit)
	if err != nil {
		return nil, fmt.Errorf("read running claims: %w", err)
	}
	return out, nil
}

// countedUnder is the mark of the terms under which all claims of a season were counted; empty for none.
func countedUnder(ctx context.Context, tx *db.Tx, city int, season string) (string, error) {
	mark, _, err := db.Maybe[string](ctx, tx, `SELECT counted_under FROM settle_head WHERE city_id = $1 AND season = $2`, city, season)
	return mark, err
}

func countUnder(ctx context.Context, tx *db.Tx, city int, season, mark string) error {
	if _, err := headMade(ctx, tx, city, season); err != nil {
		return err
	}
	_, err := db.Exec(ctx, tx, `UPDATE settle_head SET counted_under = $3 WHERE city_id = $1 AND season = $2`, city, season, mark)
	return err
}

// saveCounts keeps what claims come to; one that somebody changed meanwhile was counted by that.
func saveCounts(ctx context.Context, tx *db.Tx, list []Claim) error {
	for _, c := range list {
		_, err := db.Exec(ctx, tx, `UPDATE refund_claim SET amount_fen = $4, counted = $5, status = $6, missing = $7, pay_by = $8, counted_to = $10, running = $11
			WHERE city_id = $1 AND season = $2 AND account = $3 AND version = $9`,
			c.City, c.Season, c.Account, c.Amount, c.Counted, c.Status, c.Missing, c.PayBy, c.Version, c.CountedTo, c.Running)
		if err != nil {
			return fmt.Errorf("count the claim of %s: %w", c.Account, err)
		}
	}
	return nil
}
