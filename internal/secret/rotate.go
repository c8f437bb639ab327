package secret

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Erase destroys a person's key and forgets the identity they were found by; whatever was sealed for them is unreadable
// from then on. A caller with the same telephone later is a new person. Erasing twice changes nothing. The caller
// records the act.
func Erase(ctx context.Context, tx *db.Tx, city int, id string) error {
	n, err := db.Exec(ctx, tx, `UPDATE data_subject SET wrapped_key = $1, blind = $2, erased_at = $3
		WHERE city_id = $4 AND id = $5 AND erased_at IS NULL`, "", "erased:"+id, int64(tx.Now), city, id)
	if err != nil {
		return fmt.Errorf("erase a person: %w", err)
	}
	if n == 0 {
		_, err = db.One[civil.Instant](ctx, tx, `SELECT erased_at FROM data_subject WHERE city_id = $1 AND id = $2`, city, id)
	}
	return err
}

// Rotation is how far rewrapping has come.
type Rotation struct {
	Next      string `json:"next"` // give it to the next call; empty when the city is done
	Seen      int    `json:"seen"`
	Rewrapped int    `json:"rewrapped"`
}

// Rotate rewraps the keys of at most n persons of a city, in the order of their ids from after on, under the ring's
// current key. Interrupted, it goes on from the last Next; run twice, it changes nothing more. When it has gone through
// every city, the older keys may leave the keyring.
func Rotate(ctx context.Context, tx *db.Tx, ring *Ring, city int, after string, n int) (Rotation, error) {
	rows, err := db.List[subjectRow](ctx, tx, `SELECT city_id, id, wrapped_key FROM data_subject
		WHERE city_id = $1 AND id > $2 ORDER BY id LIMIT $3`, city, after, n)
	if err != nil {
		return Rotation{}, err
	}
	done := Rotation{Seen: len(rows)}
	for _, row := range rows {
		changed, err := rewrap(ctx, tx, ring, row)
		if err != nil {
			return Rotation{}, err
		}
		if changed {
			done.Rewrapped++
		}
	}
	if len(rows) == n && n > 0 {
		done.Next = rows[n-1].ID
	}
	return done, nil
}

func rewrap(ctx context.Context, tx *db.Tx, ring *Ring, row subjectRow) (bool, error) {
	if row.Wrapped == "" {
		return false, nil
	}
	if id, _, err := splitWrapped(row.Wrapped); err != nil || id == ring.current {
		return false, err
	}
	key, err := ring.Unwrap(row.Wrapped, boundTo(row.City, row.ID))
	if err != nil {
		return false, fmt.Errorf("open the key of person %s: %w", row.ID, err)
	}
	// Guarded by the old value: a person erased meanwhile must not get a key back.
	k, err := db.Exec(ctx, tx, `UPDATE data_subject SET wrapped_key = $1 WHERE city_id = $2 AND id = $3 AND wrapped_key = $4`,
		ring.Wrap(key, boundTo(row.City, row.ID)), row.City, row.ID, row.Wrapped)
	return k == 1, err
}

// Verify tries the keyring on a person of each city, so that a server with the wrong keyring says so when it starts
// and not when the first telephone is asked for.
func Verify(ctx context.Context, tx *db.Tx, ring *Ring) error {
	cities, err := db.List[int](ctx, tx, `SELECT city_id FROM city ORDER BY city_id`)
	if err != nil {
		return err
	}
	for _, city := range cities {
		row, any, err := db.Maybe[subjectRow](ctx, tx, `SELECT city_id, id, wrapped_key FROM data_subject
			WHERE city_id = $1 AND erased_at IS NULL ORDER BY id DESC LIMIT 1`, city)
		if err != nil {
			return err
		}
		if !any {
			continue
		}
		if _, err := open(ring, row); err != nil {
			return fault.Wrap(err, fault.Invalid, "secret.wrong_keyring", "city", city)
		}
	}
	return nil
}
