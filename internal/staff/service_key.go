package staff

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

// keyPrefix marks our keys, so that scanners of leaked secrets find them.
const keyPrefix = "rhk_"

// NewKey is the input of CreateKey.
type NewKey struct {
	City    int           `json:"city" form:"-"`
	Name    string        `json:"name" form:"name"`
	Org     string        `json:"org" form:"org"`
	Grants  []actor.Grant `json:"grants" form:"-"`
	Expires civil.Instant `json:"expires_at" form:"expires_at"` // zero: never
}

// IssuedKey is a new key with its secret, which is shown this once.
type IssuedKey struct {
	Key
	Secret string `json:"secret"`
}

// CreateKey makes a key for another program. It can never do more than the one who made it.
func (s *Service) CreateKey(ctx context.Context, by actor.Actor, in NewKey) (IssuedKey, error) {
	in.Name, in.Org = strings.TrimSpace(in.Name), strings.TrimSpace(in.Org)
	if err := mayIssue(by, in); err != nil {
		return IssuedKey{}, err
	}
	var raw [6 + 32]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	id, secret := hex.EncodeToString(raw[:6]), hex.EncodeToString(raw[6:])
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (IssuedKey, error) {
		var c fault.Check
		checkText(&c, "name", in.Name, 50, true)
		c.That(len(in.Grants) > 0 && len(in.Grants) <= 50, "grants", "field.required")
		c.That(in.Expires.IsZero() || in.Expires.After(civil.At(s.o.Machine())), "expires_at", "staff.expires_past")
		if err := c.Err(); err != nil {
			return IssuedKey{}, err
		}
		if err := orgKnown(ctx, tx, in.City, in.Org); err != nil {
			return IssuedKey{}, err
		}
		k := Key{
			ID: id, City: in.City, Name: in.Name, Org: in.Org, Hash: hashToken(secret), Grants: in.Grants, By: by.ID,
			Created: tx.Now, Expires: in.Expires,
		}
		if err := db.Insert(ctx, tx, "api_key", &k); err != nil {
			return IssuedKey{}, fmt.Errorf("keep a key: %w", err)
		}
		return IssuedKey{Key: k, Secret: keyPrefix + id + "_" + secret}, noteKey(ctx, tx, by, k, "key.create",
			map[string]any{"name": k.Name, "org": k.Org, "grants": k.Grants, "expires_at": k.Expires})
	})
}

func mayIssue(by actor.Actor, in NewKey) error {
	if err := mayGive(by, actor.KeyManage, homeGrant(in.City, in.Org), in.Org); err != nil {
		return err
	}
	for _, g := range in.Grants {
		if err := checkGrant(g, in.Org, true); err != nil {
			return err
		}
		if err := mayGive(by, actor.KeyManage, g, in.Org); err != nil {
			return err
		}
	}
	return nil
}

func noteKey(ctx context.Context, tx *db.Tx, by actor.Actor, k Key, act string, body any) error {
	return audit.Record(ctx, tx, by, k.City, audit.Act{Subject: "key:" + k.ID, Act: act, Body: body})
}

// RevokeKey ends a key at once.
func (s *Service) RevokeKey(ctx context.Context, by actor.Actor, id string) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		k, err := findKey(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := mayGive(by, actor.KeyManage, homeGrant(k.City, k.Org), k.Org); err != nil {
			if !by.MayAny(actor.KeyManage, k.City) {
				return actor.Hide(err)
			}
			return err
		}
		if err := db.Guarded(ctx, tx, `UPDATE api_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL`, id, tx.Now); err != nil {
			return err
		}
		tx.After(func() { s.cache.forget("key:" + id) })
		return noteKey(ctx, tx, by, k, "key.revoke", nil)
	})
}

// Keys lists the keys of a city, newest first.
func (s *Service) Keys(ctx context.Context, by actor.Actor, city int, r page.Request) (page.Of[Key], error) {
	if err := by.May(actor.KeyManage, actor.On{City: city}); err != nil {
		return page.Of[Key]{}, err
	}
	at, before := civil.Instant(1<<62-1), ""
	if r.After != "" {
		var ms int64
		if err := page.Decode(r.After, &ms, &before); err != nil {
			return page.Of[Key]{}, err
		}
		at = civil.Instant(ms)
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Key], error) {
		rows, err := db.List[Key](ctx, tx, `SELECT `+db.Columns[Key]("")+` FROM api_key
			WHERE city_id = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3)) ORDER BY created_at DESC, id DESC LIMIT $4`,
			city, int64(at), before, r.Limit()+1)
		if err != nil {
			return page.Of[Key]{}, fmt.Errorf("list keys: %w", err)
		}
		return page.Cut(rows, r, func(k Key) []any { return []any{int64(k.Created), k.ID} }), nil
	})
}

// AuthenticateKey tells who stands behind an API key; false when it does not hold (any more).
func (s *Service) AuthenticateKey(ctx context.Context, secret string) (Identity, bool, error) {
	rest, ours := strings.CutPrefix(secret, keyPrefix)
	id, part, whole := strings.Cut(rest, "_")
	if !ours || !whole || len(id) != 12 || len(part) != 64 {
		return Identity{}, false, nil
	}
	hash := hashToken(part)
	who, ok, epoch := s.cache.get(id + hash)
	if ok {
		return who, true, nil
	}
	k, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (Key, error) { return findKey(ctx, tx, id) })
	if fault.Is(err, fault.NotFound) {
		return Identity{}, false, nil
	}
	if err != nil {
		return Identity{}, false, err
	}
	now := s.o.Machine()
	switch {
	case subtle.ConstantTimeCompare([]byte(hash), []byte(k.Hash)) != 1, !k.Revoked.IsZero(),
		!k.Expires.IsZero() && !civil.At(now).Before(k.Expires):
		return Identity{}, false, nil
	}
	if civil.At(now).Sub(k.Used) >= 5*time.Minute {
		if err := s.keyUsed(ctx, id, civil.At(now)); err != nil {
			return Identity{}, false, err
		}
	}
	who = Identity{Actor: k.actor()}
	s.cache.put(id+hash, remembered{who: who, owner: "key:" + id, idle: ends(k.Expires)}, epoch)
	return who, true, nil
}

// actor is whoever acts with the key.
func (k Key) actor() actor.Actor {
	return actor.Actor{ID: "key:" + k.ID, Name: k.Name, Kind: actor.Key, Org: k.Org, Door: actor.API, Grants: k.Grants}
}

// KeyActor gives the actor of a key by its actor's id, for what is sent to the key's holder without being asked; false when
// the key does not hold (any more).
func (s *Service) KeyActor(ctx context.Context, id string) (actor.Actor, bool, error) {
	k, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (Key, error) { return findKey(ctx, tx, strings.TrimPrefix(id, "key:")) })
	if fault.Is(err, fault.NotFound) {
		return actor.Actor{}, false, nil
	}
	ended := !k.Revoked.IsZero() || !k.Expires.IsZero() && !civil.At(s.o.Machine()).Before(k.Expires)
	return k.actor(), err == nil && !ended, err
}

func ends(at civil.Instant) time.Time {
	if at.IsZero() {
		return time.Time{}
	}
	return at.Time()
}

func (s *Service) keyUsed(ctx context.Context, id string, at civil.Instant) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if _, err := db.Exec(ctx, tx, `UPDATE api_key SET used_at = $2 WHERE id = $1`, id, at); err != nil {
			return fmt.Errorf("note the use of a key: %w", err)
		}
		return nil
	})
}
