package staff

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

// account is the whole row of a person, secrets included; it never leaves the package.
type account struct {
	Person
	OIDC     *string  `db:"oidc_subject"`
	Password string   `db:"password"`
	Secret   string   `db:"totp"`
	Step     int64    `db:"totp_step"`
	Recovery []string `db:"recovery,json"`
}

func find(ctx context.Context, tx *db.Tx, id string) (account, error) {
	a, err := db.One[account](ctx, tx, `SELECT `+db.Columns[account]("")+` FROM person WHERE id = $1`, id)
	if err != nil {
		return a, err
	}
	a.Grants, err = grantsOf(ctx, tx, id)
	return a, err
}

// findBy reads an account by a column of its own unique index.
func findBy(ctx context.Context, tx *db.Tx, column, value string) (account, bool, error) {
	a, ok, err := db.Maybe[account](ctx, tx, `SELECT `+db.Columns[account]("")+` FROM person WHERE `+column+` = $1`, value)
	if err != nil || !ok {
		return a, ok, err
	}
	a.Grants, err = grantsOf(ctx, tx, a.ID)
	return a, true, err
}

func grantsOf(ctx context.Context, tx *db.Tx, person string) ([]Grant, error) {
	return db.List[Grant](ctx, tx, `SELECT `+db.Columns[Grant]("")+` FROM person_grant WHERE person_id = $1 ORDER BY id`, person)
}

func insertGrant(ctx context.Context, tx *db.Tx, by actor.Actor, person string, g actor.Grant) (Grant, error) {
	row := Grant{
		ID: tx.NewID(), Person: person, City: g.City, Role: g.Role, Districts: g.Districts, Companies: g.Companies,
		Areas: g.Areas, Stations: g.Stations, Created: tx.Now, By: by.ID,
	}
	if err := db.Insert(ctx, tx, "person_grant", &row); err != nil {
		return row, fmt.Errorf("add a grant: %w", err)
	}
	return row, nil
}

// list shows people of a home city, or with a role there, inside the manager's scope.
func list(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, f Filter) (page.Of[Person], error) {
	var after string
	if f.After != "" {
		if err := page.Decode(f.After, &after); err != nil {
			return page.Of[Person]{}, err
		}
	}
	args := []any{city, after, likePattern(f.Query), f.Org, string(f.Role), f.Active, f.Limit() + 1}
	within, args := scopeSQL(scope, args)
	rows, err := db.List[Person](ctx, tx, `SELECT `+db.Columns[Person]("p")+` FROM person p
		WHERE (p.city_id = $1 OR EXISTS (SELECT 1 FROM person_grant g WHERE g.person_id = p.id AND g.city_id = $1))
		AND p.login > $2 AND ($3 = '' OR p.login LIKE $3 ESCAPE '\' OR lower(p.name) LIKE $3 ESCAPE '\')
		AND ($4 = '' OR p.org = $4)
		AND ($5 = '' OR EXISTS (SELECT 1 FROM person_grant h WHERE h.person_id = p.id AND h.role = $5))
		AND ($6 = '' OR ($6 = 'yes' AND p.active = TRUE) OR ($6 = 'no' AND p.active = FALSE))`+within+`
		ORDER BY p.login LIMIT $7`, args...)
	if err != nil {
		return page.Of[Person]{}, fmt.Errorf("list people: %w", err)
	}
	out := page.Cut(rows, f.Request, func(p Person) []any { return []any{p.Login} })
	for i := range out.Items {
		if out.Items[i].Grants, err = grantsOf(ctx, tx, out.Items[i].ID); err != nil {
			return page.Of[Person]{}, err
		}
	}
	return out, nil
}

// scopeSQL limits a manager inside companies to the people of those companies.
func scopeSQL(scope actor.Scope, args []any) (string, []any) {
	if scope.All {
		return "", args
	}
	var orgs []string
	for _, part := range scope.Parts {
		for _, c := range part.Companies {
			args = append(args, c)
			orgs = append(orgs, fmt.Sprintf("$%d", len(args)))
		}
	}
	if len(orgs) == 0 {
		return " AND FALSE", args
	}
	return " AND p.org IN (" + strings.Join(orgs, ", ") + ")", args
}

func likePattern(q string) string {
	q = strings.ToLower(strings.TrimSpace(q))
	if q == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q) + "%"
}

type sessionRow struct {
	ID      string `db:"id"`
	Hash    string `db:"token_hash"`
	Person  string `db:"person_id"`
	Pending bool   `db:"pending"`
	Address string `db:"address"`
	Agent   string `db:"agent"`
	Created int64  `db:"created_at"`
	Seen    int64  `db:"seen_at"`
	Expires int64  `db:"expires_at"`
	Ended   *int64 `db:"ended_at"`
}

func findSession(ctx context.Context, tx *db.Tx, hash string) (sessionRow, bool, error) {
	return db.Maybe[sessionRow](ctx, tx, `SELECT `+db.Columns[sessionRow]("")+` FROM session WHERE token_hash = $1`, hash)
}

func sessionsOf(ctx context.Context, tx *db.Tx, person string, alive int64) ([]sessionRow, error) {
	return db.List[sessionRow](ctx, tx, `SELECT `+db.Columns[sessionRow]("")+` FROM session
		WHERE person_id = $1 AND ended_at IS NULL AND pending = FALSE AND expires_at > $2 ORDER BY created_at DESC, id DESC LIMIT 200`, person, alive)
}

// endSessions ends those of a person but one; keep may be empty.
func endSessions(ctx context.Context, tx *db.Tx, person, keep string, now int64) (int64, error) {
	n, err := db.Exec(ctx, tx, `UPDATE session SET ended_at = $3 WHERE person_id = $1 AND id <> $2 AND ended_at IS NULL`, person, keep, now)
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	return n, nil
}

type attempts struct {
	Failures int64 `db:"failures"`
	From     int64 `db:"from_at"`
	Locked   int64 `db:"locked_until"`
}

func attemptsOf(ctx context.Context, tx *db.Tx, name string) (attempts, error) {
	a, _, err := db.Maybe[attempts](ctx, tx, `SELECT failures, from_at, locked_until FROM login_attempt WHERE name = $1`, name)
	return a, err
}

func saveAttempts(ctx context.Context, tx *db.Tx, name string, a attempts) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO login_attempt (name, failures, from_at, locked_until) VALUES ($1, $2, $3, $4)
		ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, from_at = excluded.from_at, locked_until = excluded.locked_until`,
		name, a.Failures, a.From, a.Locked)
	if err != nil {
		return fmt.Errorf("count attempts: %w", err)
	}
	return nil
}

// countAttempt adds one in a single statement, so that guesses sent at once are all counted.
func countAttempt(ctx context.Context, tx *db.Tx, name string, now, window int64) (attempts, error) {
	return db.One[attempts](ctx, tx, `INSERT INTO login_attempt (name, failures, from_at, locked_until) VALUES ($1, 1, $2, 0)
		ON CONFLICT (name) DO UPDATE SET
			failures = CASE WHEN login_attempt.from_at < $3 THEN 1 ELSE login_attempt.failures + 1 END,
			from_at = CASE WHEN login_attempt.from_at < $3 THEN excluded.from_at ELSE login_attempt.from_at END
		RETURNING failures, from_at, locked_until`, name, now, now-window)
}

// Key is an API key as managers see it; the secret itself is not kept.
type Key struct {
	ID      string        `db:"id" json:"id"`
	City    int           `db:"city_id" json:"city"`
	Name    string        `db:"name" json:"name"`
	Org     string        `db:"org" json:"org"`
	Hash    string        `db:"secret_hash" json:"-"`
	Grants  []actor.Grant `db:"grants,json" json:"grants"`
	By      string        `db:"created_by" json:"created_by"`
	Created civil.Instant `db:"created_at" json:"created_at"`
	Expires civil.Instant `db:"expires_at" json:"expires_at"`
	Revoked civil.Instant `db:"revoked_at" json:"revoked_at"`
	Used    civil.Instant `db:"used_at" json:"used_at"` // machine time, to a few minutes
}

func findKey(ctx context.Context, tx *db.Tx, id string) (Key, error) {
	return db.One[Key](ctx, tx, `SELECT `+db.Columns[Key]("")+` FROM api_key WHERE id = $1`, id)
}

func findOrg(ctx context.Context, tx *db.Tx, city int, code string) (Organisation, bool, error) {
	return db.Maybe[Organisation](ctx, tx, `SELECT `+db.Columns[Organisation]("")+` FROM organisation WHERE city_id = $1 AND code = $2`, city, code)
}

// Holders lists the active people who hold one of the roles in a city, with their grants there, by organisation and name.
func Holders(ctx context.Context, tx *db.Tx, city int, roles []actor.Role) ([]Person, error) {
	if len(roles) == 0 {
		return nil, nil
	}
	args, marks := []any{city}, make([]string, len(roles))
	for i, r := range roles {
		args = append(args, string(r))
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	rows, err := db.List[Person](ctx, tx, `SELECT `+db.Columns[Person]("p")+` FROM person p WHERE p.active = TRUE AND EXISTS
		(SELECT 1 FROM person_grant g WHERE g.person_id = p.id AND g.city_id = $1 AND g.role IN (`+strings.Join(marks, ", ")+`))
		ORDER BY p.org, p.name, p.id`, args...)
	if err != nil {
		return nil, fmt.Errorf("list holders of roles: %w", err)
	}
	grants, err := db.List[Grant](ctx, tx, `SELECT `+db.Columns[Grant]("")+` FROM person_grant WHERE city_id = $1 ORDER BY id`, city)
	if err != nil {
		return nil, fmt.Errorf("list grants of a city: %w", err)
	}
	at := make(map[string]int, len(rows))
	for i, p := range rows {
		at[p.ID] = i
	}
	for _, g := range grants {
		if i, ok := at[g.Person]; ok {
			rows[i].Grants = append(rows[i].Grants, g)
		}
	}
	return rows, nil
}

// badge finds who works in a city.
func badge(ctx context.Context, tx *db.Tx, city int, person string) (Badge, bool, error) {
	return db.Maybe[Badge](ctx, tx, `SELECT `+db.Columns[Badge]("")+` FROM person WHERE id = $1 AND city_id = $2 AND active = TRUE`, person, city)
}

func findMember(ctx context.Context, tx *db.Tx, city int, org, who string) (Person, bool, error) {
	rows, err := db.List[Person](ctx, tx, `SELECT `+db.Columns[Person]("p")+` FROM person p
		WHERE (p.city_id = $1 OR EXISTS (SELECT 1 FROM person_grant g WHERE g.person_id = p.id AND g.city_id = $1))
		AND ($2 = '' AND p.id = $3 OR p.org = $2 AND p.org <> '' AND (p.id = $3 OR p.login = $3 OR p.name = $3)) ORDER BY p.id LIMIT 2`, city, org, who)
	if err != nil || len(rows) != 1 {
		return Person{}, false, err
	}
	return rows[0], true, nil
}

func findCentre(ctx context.Context, tx *db.Tx, city int) (Organisation, bool, error) {
	return db.Maybe[Organisation](ctx, tx, `SELECT `+db.Columns[Organisation]("")+` FROM organisation
		WHERE city_id = $1 AND kind = 'centre' AND active = TRUE ORDER BY code LIMIT 1`, city)
}
