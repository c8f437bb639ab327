package resident

import (
	"context"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/text"
)

type residentRow struct {
	City    int           `db:"city_id"`
	Person  string        `db:"person"`
	Phone   string        `db:"phone"`
	Lang    text.Lang     `db:"lang"`
	Created civil.Instant `db:"created_at"`
	Seen    civil.Instant `db:"seen_at"`
	Version int64         `db:"version"`
}

func findResident(ctx context.Context, tx *db.Tx, city int, person string) (residentRow, bool, error) {
	return db.Maybe[residentRow](ctx, tx, `SELECT `+db.Columns[residentRow]("")+` FROM resident WHERE city_id = $1 AND person = $2`, city, person)
}

// insertResident adds a resident unless they are known; true when they were not.
func insertResident(ctx context.Context, tx *db.Tx, r residentRow) (bool, error) {
	n, err := db.Exec(ctx, tx, `INSERT INTO resident (city_id, person, phone, lang, created_at, seen_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (city_id, person) DO NOTHING`, r.City, r.Person, r.Phone, string(r.Lang), r.Created, r.Seen, r.Version)
	if err != nil {
		return false, fmt.Errorf("keep a resident: %w", err)
	}
	return n == 1, nil
}

func seenNow(ctx context.Context, tx *db.Tx, city int, person string) error {
	if _, err := db.Exec(ctx, tx, `UPDATE resident SET seen_at = $3, version = version + 1 WHERE city_id = $1 AND person = $2`, city, person, tx.Now); err != nil {
		return fmt.Errorf("note a login: %w", err)
	}
	return nil
}

type codeRow struct {
	City    int       `db:"city_id"`
	Key     string    `db:"phone"` // keyed hash of the telephone, or of who asks about which account
	Purpose Purpose   `db:"purpose"`
	ID      string    `db:"id"`
	Ref     string    `db:"ref"`
	Hash    string    `db:"code_hash"`
	Sealed  string    `db:"sealed"`
	Lang    text.Lang `db:"lang"`
	Tries   int       `db:"tries"`
	Created int64     `db:"created_at"`
	Expires int64     `db:"expires_at"`
}

// keepCode keeps a code in the place of the one before.
func keepCode(ctx context.Context, tx *db.Tx, r codeRow) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO resident_code (city_id, phone, purpose, id, ref, code_hash, sealed, lang, tries, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10)
		ON CONFLICT (city_id, phone, purpose) DO UPDATE SET id = excluded.id, ref = excluded.ref, code_hash = excluded.code_hash, sealed = excluded.sealed,
			lang = excluded.lang, tries = 0, created_at = excluded.created_at, expires_at = excluded.expires_at`,
		r.City, r.Key, string(r.Purpose), r.ID, r.Ref, r.Hash, r.Sealed, string(r.Lang), r.Created, r.Expires)
	if err != nil {
		return fmt.Errorf("keep a code: %w", err)
	}
	return nil
}

func codeByID(ctx context.Context, tx *db.Tx, city int, id string) (codeRow, bool, error) {
	return db.Maybe[codeRow](ctx, tx, `SELECT `+db.Columns[codeRow]("")+` FROM resident_code WHERE city_id = $1 AND id = $2`, city, id)
}

// unseal forgets what a code's row held for its message.
func unseal(ctx context.Context, tx *db.Tx, r codeRow) error {
	if _, err := db.Exec(ctx, tx, `UPDATE resident_code SET sealed = '' WHERE city_id = $1 AND id = $2`, r.City, r.ID); err != nil {
		return fmt.Errorf("send a code: %w", err)
	}
	return nil
}

// useTry uses one try of the code that holds; false when none does. The row stays locked until the transaction ends, so
// that guesses sent at once come one after another.
func useTry(ctx context.Context, tx *db.Tx, city int, key string, purpose Purpose, now int64) (codeRow, bool, error) {
	n, err := db.Exec(ctx, tx, `UPDATE resident_code SET tries = tries + 1 WHERE city_id = $1 AND phone = $2 AND purpose = $3
		AND tries < $4 AND expires_at > $5`, city, key, string(purpose), codeTries, now)
	if err != nil {
		return codeRow{}, false, fmt.Errorf("try a code: %w", err)
	}
	if n == 0 {
		return codeRow{}, false, nil
	}
	return db.Maybe[codeRow](ctx, tx, `SELECT `+db.Columns[codeRow]("")+` FROM resident_code WHERE city_id = $1 AND phone = $2 AND purpose = $3`,
		city, key, string(purpose))
}

func dropCode(ctx context.Context, tx *db.Tx, r codeRow) error {
	if _, err := db.Exec(ctx, tx, `DELETE FROM resident_code WHERE city_id = $1 AND id = $2`, r.City, r.ID); err != nil {
		return fmt.Errorf("use a code up: %w", err)
	}
	return nil
}

// count is how often something happened since its day began, and from when on it may again. Machine time.
type count struct {
	N    int   `db:"n"`
	From int64 `db:"from_at"`
	Next int64 `db:"next_at"`
}

// countUp counts one more; the row stays locked until the transaction ends.
func countUp(ctx context.Context, tx *db.Tx, city int, name string, now int64) (count, error) {
	c, err := db.One[count](ctx, tx, `INSERT INTO resident_count (city_id, name, n, from_at, next_at) VALUES ($1, $2, 1, $3, 0)
		ON CONFLICT (city_id, name) DO UPDATE SET
			n = CASE WHEN resident_count.from_at <= $4 THEN 1 ELSE resident_count.n + 1 END,
			next_at = CASE WHEN resident_count.from_at <= $4 THEN 0 ELSE resident_count.next_at END,
			from_at = CASE WHEN resident_count.from_at <= $4 THEN excluded.from_at ELSE resident_count.from_at END
		RETURNING n, from_at, next_at`, city, name, now, now-day.Milliseconds())
	if err != nil {
		return c, fmt.Errorf("count: %w", err)
	}
	return c, nil
}

func countOf(ctx context.Context, tx *db.Tx, city int, name string, now int64) (count, error) {
	c, _, err := db.Maybe[count](ctx, tx, `SELECT n, from_at, next_at FROM resident_count WHERE city_id = $1 AND name = $2 AND from_at > $3`,
		city, name, now-day.Milliseconds())
	if err != nil {
		return c, fmt.Errorf("read a count: %w", err)
	}
	return c, nil
}

func setNext(ctx context.Context, tx *db.Tx, city int, name string, next int64) error {
	if _, err := db.Exec(ctx, tx, `UPDATE resident_count SET next_at = $3 WHERE city_id = $1 AND name = $2`, city, name, next); err != nil {
		return fmt.Errorf("set a wait: %w", err)
	}
	return nil
}

type sessionRow struct {
	City    int    `db:"city_id"`
	ID      string `db:"id"`
	Token   string `db:"token_hash"`
	Before  string `db:"before_hash"`
	Person  string `db:"person"`
	Door    string `db:"door"`
	Agent   string `db:"agent"`
	Created int64  `db:"created_at"`
	Seen    int64  `db:"seen_at"`
	Rotated int64  `db:"rotated_at"`
	Expires int64  `db:"expires_at"`
	Ended   *int64 `db:"ended_at"`
}

// findSession finds the session of a token or of the token before it.
func findSession(ctx context.Context, tx *db.Tx, city int, hash string) (sessionRow, bool, error) {
	r, ok, err := db.Maybe[sessionRow](ctx, tx, `SELECT `+db.Columns[sessionRow]("")+` FROM resident_session WHERE city_id = $1 AND token_hash = $2`, city, hash)
	if err == nil && !ok {
		r, ok, err = db.Maybe[sessionRow](ctx, tx, `SELECT `+db.Columns[sessionRow]("")+` FROM resident_session
			WHERE city_id = $1 AND before_hash = $2 AND before_hash <> '' AND ended_at IS NULL ORDER BY id DESC LIMIT 1`, city, hash)
	}
	if err != nil {
		return r, false, fmt.Errorf("find a session: %w", err)
	}
	return r, ok, nil
}

func sessionsOf(ctx context.Context, tx *db.Tx, city int, person string) ([]sessionRow, error) {
	rows, err := db.List[sessionRow](ctx, tx, `SELECT `+db.Columns[sessionRow]("")+` FROM resident_session
		WHERE city_id = $1 AND person = $2 AND ended_at IS NULL ORDER BY id DESC LIMIT 100`, city, person)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return rows, nil
}

// endSessions ends one session of a person, or all of them when session is empty.
func endSessions(ctx context.Context, tx *db.Tx, city int, person, session string, now int64) (int64, error) {
	n, err := db.Exec(ctx, tx, `UPDATE resident_session SET ended_at = $4 WHERE city_id = $1 AND person = $2 AND ($3 = '' OR id = $3) AND ended_at IS NULL`,
		city, person, session, now)
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	return n, nil
}

func endDoor(ctx context.Context, tx *db.Tx, city int, person, door string, now int64) error {
	if _, err := db.Exec(ctx, tx, `UPDATE resident_session SET ended_at = $4 WHERE city_id = $1 AND person = $2 AND door = $3 AND ended_at IS NULL`,
		city, person, door, now); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// rotate changes a session's token unless another request was first; then that one's answer carries the new token.
func rotate(ctx context.Context, tx *db.Tx, r sessionRow, came, hash string, now int64) (bool, error) {
	n, err := db.Exec(ctx, tx, `UPDATE resident_session SET token_hash = $4, before_hash = $6, rotated_at = $5, seen_at = $5
		WHERE city_id = $1 AND id = $2 AND token_hash = $3 AND ended_at IS NULL`, r.City, r.ID, r.Token, hash, now, came)
	if err != nil {
		return false, fmt.Errorf("change a session's token: %w", err)
	}
	return n == 1, nil
}

func touch(ctx context.Context, tx *db.Tx, r sessionRow, now int64) error {
	if _, err := db.Exec(ctx, tx, `UPDATE resident_session SET seen_at = $3 WHERE city_id = $1 AND id = $2 AND ended_at IS NULL`, r.City, r.ID, now); err != nil {
		return fmt.Errorf("keep a session alive: %w", err)
	}
	return nil
}

type identityRow struct {
	City     int           `db:"city_id"`
	ID       string        `db:"id"`
	Person   string        `db:"person"`
	Channel  Channel       `db:"channel"`
	External string        `db:"external"`
	Sealed   string        `db:"sealed"`
	Created  civil.Instant `db:"created_at"`
	Ended    civil.Instant `db:"ended_at"`
}

func identityOf(ctx context.Context, tx *db.Tx, city int, c Channel, external string) (identityRow, bool, error) {
	return db.Maybe[identityRow](ctx, tx, `SELECT `+db.Columns[identityRow]("")+` FROM resident_identity
		WHERE city_id = $1 AND channel = $2 AND external = $3 AND ended_at IS NULL`, city, string(c), external)
}

func identitiesOf(ctx context.Context, tx *db.Tx, city int, person string) ([]identityRow, error) {
	rows, err := db.List[identityRow](ctx, tx, `SELECT `+db.Columns[identityRow]("")+` FROM resident_identity
		WHERE city_id = $1 AND person = $2 AND ended_at IS NULL ORDER BY id DESC`, city, person)
	if err != nil {
		return nil, fmt.Errorf("list identities: %w", err)
	}
	return rows, nil
}

func endIdentity(ctx context.Context, tx *db.Tx, r identityRow, at civil.Instant) error {
	if _, err := db.Exec(ctx, tx, `UPDATE resident_identity SET ended_at = $3 WHERE city_id = $1 AND id = $2 AND ended_at IS NULL`, r.City, r.ID, at); err != nil {
		return fmt.Errorf("unlink an identity: %w", err)
	}
	return nil
}

// sweep forgets what is over; machine time.
func sweep(ctx context.Context, tx *db.Tx, city int, now time.Time) error {
	for _, one := range []struct {
		query  string
		before time.Duration
	}{
		{`DELETE FROM resident_code WHERE city_id = $1 AND expires_at < $2`, time.Hour},
		{`DELETE FROM resident_count WHERE city_id = $1 AND from_at < $2`, 2 * day},
		{`DELETE FROM resident_session WHERE city_id = $1 AND (expires_at < $2 OR ended_at < $2)`, 30 * day},
	} {
		if _, err := db.Exec(ctx, tx, one.query, city, now.Add(-one.before).UnixMilli()); err != nil {
			return fmt.Errorf("sweep the residents' hall: %w", err)
		}
	}
	return nil
}
