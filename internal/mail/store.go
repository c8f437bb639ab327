package mail

import (
	"context"
	"fmt"
	"regexp"

	"github.com/rehu-heat/rehu/internal/db"
)

// numbers are what may be the number of a case in a subject.
var numbers = regexp.MustCompile(`[A-Z]{0,6}[0-9][0-9A-Z-]{7,29}`)

func addressColumns() string { return db.Columns[Address]("") }

// caseByNo finds a case by the number that people read out.
func caseByNo(ctx context.Context, tx *db.Tx, city int, no string) (string, bool, error) {
	return db.Maybe[string](ctx, tx, `SELECT id FROM case_file WHERE city_id = $1 AND no = $2`, city, no)
}

// findAddress is a person's address, asked for or kept.
func findAddress(ctx context.Context, tx *db.Tx, city int, person string) (Address, bool, error) {
	return db.Maybe[Address](ctx, tx, `SELECT `+addressColumns()+` FROM mail_address WHERE city_id = $1 AND person = $2`, city, person)
}

// personsAt lists whose confirmed address one is: a couple may share one.
func personsAt(ctx context.Context, tx *db.Tx, city int, blind string) ([]string, error) {
	rows, err := db.List[string](ctx, tx, `SELECT person FROM mail_address WHERE city_id = $1 AND blind = $2 AND state = 'kept' ORDER BY person`, city, blind)
	if err != nil {
		return nil, fmt.Errorf("find whose address it is: %w", err)
	}
	return rows, nil
}

// putAddress writes an address that is asked for over whatever was there.
func putAddress(ctx context.Context, tx *db.Tx, a Address) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO mail_address (city_id, person, address, blind, state, code, tries, expires_at, asked_at, confirmed_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, NULL, 1) ON CONFLICT (city_id, person) DO UPDATE SET address = excluded.address, blind = excluded.blind,
		state = excluded.state, code = excluded.code, tries = 0, expires_at = excluded.expires_at, asked_at = excluded.asked_at, confirmed_at = NULL,
		version = mail_address.version + 1`,
		a.City, a.Person, a.Sealed, a.Blind, string(a.State), a.Code, a.Expires, a.AskedAt)
	if err != nil {
		return fmt.Errorf("keep an address: %w", err)
	}
	return nil
}

// storeAddress writes what became of an address, guarded by its version.
func storeAddress(ctx context.Context, tx *db.Tx, a Address, version int64) error {
	return db.Guarded(ctx, tx, `UPDATE mail_address SET state = $4, code = $5, tries = $6, confirmed_at = $7, version = version + 1
		WHERE city_id = $1 AND person = $2 AND version = $3`, a.City, a.Person, version, string(a.State), a.Code, a.Tries, a.Confirmed)
}

func dropAddress(ctx context.Context, tx *db.Tx, city int, person string) error {
	if _, err := db.Exec(ctx, tx, `DELETE FROM mail_address WHERE city_id = $1 AND person = $2`, city, person); err != nil {
		return fmt.Errorf("drop an address: %w", err)
	}
	return nil
}
