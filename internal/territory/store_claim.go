package territory

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
)

func findRound(ctx context.Context, tx *db.Tx, city int, id string) (Round, error) {
	return db.One[Round](ctx, tx, `SELECT `+db.Columns[Round]("")+` FROM claim_round WHERE city_id = $1 AND id = $2`, city, id)
}

func roundOf(ctx context.Context, tx *db.Tx, city int, season string) (Round, bool, error) {
	return db.Maybe[Round](ctx, tx, `SELECT `+db.Columns[Round]("")+` FROM claim_round WHERE city_id = $1 AND season = $2`, city, season)
}

func rounds(ctx context.Context, tx *db.Tx, city int) ([]Round, error) {
	return db.List[Round](ctx, tx, `SELECT `+db.Columns[Round]("")+` FROM claim_round WHERE city_id = $1 ORDER BY id DESC`, city)
}

func setRound(ctx context.Context, tx *db.Tx, r Round) error {
	return db.Guarded(ctx, tx, `UPDATE claim_round SET state = $4, published = $5, version = version + 1 WHERE city_id = $1 AND id = $2 AND version = $3`,
		r.City, r.ID, r.Version, string(r.State), r.Published)
}

func findLine(ctx context.Context, tx *db.Tx, city int, round, community string) (ClaimLine, error) {
	return db.One[ClaimLine](ctx, tx, `SELECT `+db.Columns[ClaimLine]("")+` FROM claim_line WHERE city_id = $1 AND round = $2 AND community = $3`, city, round, community)
}

func insertLine(ctx context.Context, tx *db.Tx, l ClaimLine) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO claim_line (city_id, round, community, name, district, base_company, base_area, company, state, claims, note, decided_by, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, '', 'gap', 0, '', '', 1) ON CONFLICT (city_id, round, community) DO NOTHING`,
		l.City, l.Round, l.Community, l.Name, l.District, l.Base, l.BaseArea)
	return err
}

func setLine(ctx context.Context, tx *db.Tx, l ClaimLine) error {
	return db.Guarded(ctx, tx, `UPDATE claim_line SET company = $5, state = $6, claims = $7, from_agreed = $8, to_agreed = $9, note = $10, decided_at = $11,
		decided_by = $12, version = version + 1 WHERE city_id = $1 AND round = $2 AND community = $3 AND version = $4`,
		l.City, l.Round, l.Community, l.Version, l.Company, string(l.State), l.Claims, l.FromAgreed, l.ToAgreed, l.Note, l.DecidedAt, l.DecidedBy)
}

func claimants(ctx context.Context, tx *db.Tx, city int, round, community string) ([]string, error) {
	return db.List[string](ctx, tx, `SELECT company FROM claim WHERE city_id = $1 AND round = $2 AND community = $3 ORDER BY company`, city, round, community)
}

func addClaim(ctx context.Context, tx *db.Tx, by actor.Actor, l ClaimLine, company string) (bool, error) {
	n, err := db.Exec(ctx, tx, `INSERT INTO claim (city_id, round, community, company, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (city_id, round, community, company) DO NOTHING`, l.City, l.Round, l.Community, company, tx.Now, by.ID)
	return n == 1, err
}

func dropClaim(ctx context.Context, tx *db.Tx, l ClaimLine, company string) (bool, error) {
	n, err := db.Exec(ctx, tx, `DELETE FROM claim WHERE city_id = $1 AND round = $2 AND community = $3 AND company = $4`, l.City, l.Round, l.Community, company)
	return n == 1, err
}

// unclaimedOf lists communities that a company served and has not claimed.
func unclaimedOf(ctx context.Context, tx *db.Tx, city int, round, company string) ([]string, error) {
	return db.List[string](ctx, tx, `SELECT l.community FROM claim_line l WHERE l.city_id = $1 AND l.round = $2 AND l.base_company = $3
		AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.city_id = l.city_id AND c.round = l.round AND c.community = l.community AND c.company = $3)
		ORDER BY l.community LIMIT $4`, city, round, company, mostClaims)
}

// linesWhere is the condition that a filter means; its parameters start at $1.
func linesWhere(city int, round string, f LineFilter) (string, []any) {
	return `l.city_id = $1 AND l.round = $2 AND ($3 = '' OR l.state = $3) AND ($4 = '' OR l.district = $4)
		AND ($5 = '' OR l.base_company = $5 OR l.company = $5 OR EXISTS (SELECT 1 FROM claim c
			WHERE c.city_id = l.city_id AND c.round = l.round AND c.community = l.community AND c.company = $5))
		AND ($6 = '' OR lower(l.name) LIKE $6 ESCAPE '\')`, []any{city, round, string(f.State), f.District, f.Company, likePattern(f.Query)}
}

func linesOf(ctx context.Context, tx *db.Tx, city int, round string, f LineFilter) (page.Of[ClaimLine], error) {
	var district, name, community string
	if f.After != "" {
		if err := page.Decode(f.After, &district, &name, &community); err != nil {
			return page.Of[ClaimLine]{}, err
		}
	}
	where, args := linesWhere(city, round, f)
	rows, err := db.List[ClaimLine](ctx, tx, `SELECT `+db.Columns[ClaimLine]("l")+` FROM claim_line l WHERE `+where+`
		AND (l.district, l.name, l.community) > ($7, $8, $9) ORDER BY l.district, l.name, l.community LIMIT $10`,
		append(args, district, name, community, f.Limit()+1)...)
	if err != nil {
		return page.Of[ClaimLine]{}, fmt.Errorf("lines of a claim round: %w", err)
	}
	return page.Cut(rows, f.Request, func(l ClaimLine) []any { return []any{l.District, l.Name, l.Community} }), nil
}

func eachLine(ctx context.Context, tx *db.Tx, city int, round string, f LineFilter, fn func(ClaimLine) error) error {
	where, args := linesWhere(city, round, f)
	return db.Each(ctx, tx, fn, `SELECT `+db.Columns[ClaimLine]("l")+` FROM claim_line l WHERE `+where+` ORDER BY l.district, l.name, l.community`, args...)
}

func countLines(ctx context.Context, tx *db.Tx, city int, round string) (map[ClaimState]int, error) {
	type row struct {
		State ClaimState `db:"state"`
		N     int        `db:"n"`
	}
	out := map[ClaimState]int{}
	for _, s := range ClaimStates() {
		out[s] = 0
	}
	err := db.Each(ctx, tx, func(r row) error { out[r.State] = r.N; return nil },
		`SELECT state, count(*) AS n FROM claim_line WHERE city_id = $1 AND round = $2 GROUP BY state`, city, round)
	return out, err
}

// listSettled writes what a round settled as the list of a version; the list of communities must be held.
func listSettled(ctx context.Context, tx *db.Tx, r Round, version string, edition int64) (int, error) {
	type row struct {
		Key       string `db:"row_key"`
		Community string `db:"community"`
		Company   string `db:"company"`
	}
	rows, err := db.List[row](ctx, tx, `SELECT c.row_key, l.community, l.company FROM claim_line l JOIN community c ON c.city_id = l.city_id AND c.id = l.community`+
		place.Seen("c", place.Communities)+` WHERE l.city_id = $1 AND l.round = $2 AND l.state IN ('agreed', 'decided') AND l.company <> l.base_company
		ORDER BY l.community`, r.City, r.ID)
	if err != nil {
		return 0, err
	}
	lines := make([]CommunityLine, len(rows))
	for i, x := range rows {
		lines[i] = CommunityLine{
			Edition: place.Edition{City: r.City, Key: version + "|" + x.Key, From: edition, Until: place.Forever},
			Version: version, Community: x.Community, Company: x.Company,
		}
		if _, err := db.Exec(ctx, tx, `DELETE FROM community_line WHERE city_id = $1 AND version = $2 AND community = $3`, r.City, version, x.Community); err != nil {
			return 0, err
		}
	}
	return len(lines), db.InsertAll(ctx, tx, "community_line", lines)
}

func likePattern(q string) string {
	q = strings.ToLower(strings.TrimSpace(q))
	if q == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q) + "%"
}

func findRule(ctx context.Context, tx *db.Tx, city int, id string) (KnownRule, error) {
	return db.One[KnownRule](ctx, tx, `SELECT `+db.Columns[KnownRule]("")+` FROM territory_rule WHERE city_id = $1 AND id = $2`, city, id)
}

// sameRule finds a rule in force that says the same.
func sameRule(ctx context.Context, tx *db.Tx, city int, r Rule) (KnownRule, bool, error) {
	return db.Maybe[KnownRule](ctx, tx, `SELECT `+db.Columns[KnownRule]("")+` FROM territory_rule WHERE city_id = $1 AND phrase = $2 AND community = $3
		AND building = $4 AND road = $5 AND number = $6 AND company = $7 AND area = $8 AND withdrawn_at IS NULL ORDER BY id LIMIT 1`,
		city, r.Text, r.Community, r.Building, r.Road, r.Number, r.Company, r.Area)
}

func rulesOf(ctx context.Context, tx *db.Tx, city int, f RuleFilter) (page.Of[KnownRule], error) {
	before := "~"
	if f.After != "" {
		if err := page.Decode(f.After, &before); err != nil {
			return page.Of[KnownRule]{}, err
		}
	}
	shown := " AND withdrawn_at IS NULL"
	if f.Withdrawn {
		shown = ""
	}
	rows, err := db.List[KnownRule](ctx, tx, `SELECT `+db.Columns[KnownRule]("")+` FROM territory_rule WHERE city_id = $1 AND id < $2
		AND ($3 = '' OR company = $3) AND ($4 = '' OR lower(phrase) LIKE $4 ESCAPE '\' OR lower(road) LIKE $4 ESCAPE '\' OR lower(note) LIKE $4 ESCAPE '\')`+shown+`
		ORDER BY id DESC LIMIT $5`, city, before, f.Company, likePattern(f.Query), f.Limit()+1)
	if err != nil {
		return page.Of[KnownRule]{}, fmt.Errorf("list learnt rules: %w", err)
	}
	return page.Cut(rows, f.Request, func(k KnownRule) []any { return []any{k.ID} }), nil
}

func communityExists(ctx context.Context, tx *db.Tx, city int, id string) error {
	_, err := place.CommunityIn(ctx, tx, city, id)
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.NotFound, "territory.no_community")
	}
	return err
}

func mustExist(ctx context.Context, tx *db.Tx, city int, company, community string) (district string, err error) {
	var c fault.Check
	if _, ok, err := place.CompanyIn(ctx, tx, city, company); err != nil {
		return "", err
	} else if !ok {
		c.Add("company", "place.no_company", "value", company)
	}
	if community != "" {
		p, err := place.CommunityIn(ctx, tx, city, community)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return "", err
		}
		if err != nil {
			c.Add("community", "territory.no_community")
		}
		district = p.District
	}
	return district, c.Err()
}
