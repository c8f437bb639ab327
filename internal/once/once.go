// Package once makes a write safe to send twice. A client that lost the answer sends the same request with the same key
// and gets the first answer again; the same key with another body is a Conflict.
package once

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// How long keys are kept: requests of a session, and submissions that may wait on a phone for a season.
const (
	Keep      = 30 * 24 * time.Hour
	KeepField = 400 * 24 * time.Hour
)

type row struct {
	City    int           `db:"city_id"`
	Actor   string        `db:"actor"`
	Key     string        `db:"key"`
	Hash    string        `db:"hash"`
	Result  string        `db:"result"`
	Created civil.Instant `db:"created_at"`
	Expires civil.Instant `db:"expires_at"`
}

// Request names a write: who sends it, under which key, with what body.
type Request struct {
	City int
	By   actor.Actor
	Key  string        // empty: the write is not protected
	Body any           // what must be the same the second time
	Keep time.Duration // zero means Keep
}

// Do runs fn inside the caller's transaction unless the key was used before, and keeps the result with the key.
func Do[T any](ctx context.Context, tx *db.Tx, r Request, fn func() (T, error)) (T, error) {
	var zero T
	if r.Key == "" {
		return fn()
	}
	if len(r.Key) > 200 {
		return zero, fault.New(fault.Invalid, "field.too_long", "max", 200)
	}
	hash, err := bodyHash(r.Body)
	if err != nil {
		return zero, err
	}
	old, found, err := db.Maybe[row](ctx, tx, `SELECT city_id, actor, key, hash, result, created_at, expires_at FROM once_key
		WHERE city_id = $1 AND actor = $2 AND key = $3`, r.City, r.By.ID, r.Key)
	if err != nil {
		return zero, fmt.Errorf("look up idempotency key: %w", err)
	}
	if found {
		return replay[T](old, hash)
	}
	v, err := fn()
	if err != nil {
		return zero, err
	}
	return v, keep(ctx, tx, r, hash, v)
}

func replay[T any](old row, hash string) (T, error) {
	var v T
	if old.Hash != hash {
		return v, fault.New(fault.Conflict, "once.other_body")
	}
	if err := json.Unmarshal([]byte(old.Result), &v); err != nil {
		return v, fmt.Errorf("read kept result: %w", err)
	}
	return v, nil
}

func keep(ctx context.Context, tx *db.Tx, r Request, hash string, v any) error {
	result, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("keep result: %w", err)
	}
	life := r.Keep
	if life == 0 {
		life = Keep
	}
	err = db.Insert(ctx, tx, "once_key", row{r.City, r.By.ID, r.Key, hash, string(result), tx.Now, tx.Now.Add(life)})
	if db.IsUnique(err) {
		return db.ErrRetry // the same request is under way elsewhere: run again and find its result
	}
	if err != nil {
		return fmt.Errorf("keep idempotency key: %w", err)
	}
	return nil
}

func bodyHash(body any) (string, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("hash request: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// Expire forgets keys past their time, a batch at a time; it returns how many.
func Expire(ctx context.Context, d *db.DB, city int) (int64, error) {
	return db.Write(ctx, d, func(tx *db.Tx) (int64, error) {
		return db.Exec(ctx, tx, `DELETE FROM once_key WHERE city_id = $1 AND key IN
			(SELECT key FROM once_key WHERE city_id = $1 AND expires_at < $2 LIMIT 1000) AND expires_at < $2`, city, int64(tx.Now))
	})
}
