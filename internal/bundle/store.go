package bundle

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/secret"
)

type keyRow struct {
	No      int64         `db:"no"`
	Public  string        `db:"public"`
	Private string        `db:"private"`
	Created civil.Instant `db:"created_at"`
}

func boundTo(no int64) string { return fmt.Sprintf("signing_key:%d", no) }

// findKey opens the signing key in use; false when none was made yet.
func findKey(ctx context.Context, tx *db.Tx, ring *secret.Ring) (ed25519.PrivateKey, bool, error) {
	row, found, err := db.Maybe[keyRow](ctx, tx, `SELECT `+db.Columns[keyRow]("")+` FROM signing_key ORDER BY no DESC LIMIT 1`)
	if err != nil || !found {
		return nil, false, err
	}
	seed, err := ring.Unwrap(row.Private, boundTo(row.No))
	if err != nil {
		return nil, false, fmt.Errorf("open the signing key: %w", err)
	}
	return ed25519.NewKeyFromSeed(seed), true, nil
}

// insertKey keeps the first signing key. Of two processes that make one at once, the first wins and the second runs again.
func insertKey(ctx context.Context, tx *db.Tx, ring *secret.Ring, key ed25519.PrivateKey) error {
	n, err := db.Exec(ctx, tx, `INSERT INTO signing_key (no, public, private, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (no) DO NOTHING`,
		1, publicText(key), ring.Wrap(key.Seed(), boundTo(1)), int64(tx.Now))
	if err != nil {
		return fmt.Errorf("keep the signing key: %w", err)
	}
	if n == 0 {
		return db.ErrRetry
	}
	return nil
}

func publicText(key ed25519.PrivateKey) string {
	return base64.StdEncoding.EncodeToString(key[ed25519.SeedSize:])
}

// rewrapKeys puts the signing keys under the ring's current key.
func rewrapKeys(ctx context.Context, tx *db.Tx, ring *secret.Ring) error {
	rows, err := db.List[keyRow](ctx, tx, `SELECT `+db.Columns[keyRow]("")+` FROM signing_key ORDER BY no`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		seed, err := ring.Unwrap(r.Private, boundTo(r.No))
		if err != nil {
			return fmt.Errorf("open the signing key: %w", err)
		}
		if _, err := db.Exec(ctx, tx, `UPDATE signing_key SET private = $1 WHERE no = $2`, ring.Wrap(seed, boundTo(r.No)), r.No); err != nil {
			return fmt.Errorf("rewrap the signing key: %w", err)
		}
	}
	return nil
}

// chainAt is a chain to export and the leaf that holds its last logged head, -1 for none.
type chainAt struct {
	leaf    int64
	subject string
}

// chains lists the subjects that a request asks for, and NotFound for one it names that has no chain.
func chains(ctx context.Context, tx *db.Tx, in Request) ([]string, error) {
	if len(in.Subjects) > 0 {
		out := slices.Compact(slices.Sorted(slices.Values(in.Subjects)))
		for _, s := range out {
			found, err := hasChain(ctx, tx, in.City, s)
			if err != nil {
				return nil, err
			}
			if !found {
				return nil, fault.New(fault.NotFound, "bundle.no_chain", "subject", s)
			}
		}
		return out, nil
	}
	if in.From.IsZero() && in.To.IsZero() {
		return db.List[string](ctx, tx, `SELECT subject FROM chain_head WHERE city_id = $1 AND ($2 = '' OR substr(subject, 1, $3) = $2)`,
			in.City, prefix(in.Kind), len(prefix(in.Kind)))
	}
	// Ids begin with the instant they were made at, so that a period is a range of the key.
	from, to := idAt(in.From), "~"
	if !in.To.IsZero() {
		to = idAt(in.To + idSlack)
	}
	until := in.To
	if until.IsZero() {
		until = civil.Instant(1<<62 - 1)
	}
	return db.List[string](ctx, tx, `SELECT DISTINCT subject FROM entry WHERE city_id = $1 AND id >= $2 AND id < $3
		AND at >= $4 AND at < $5 AND ($6 = '' OR substr(subject, 1, $7) = $6)`,
		in.City, from, to, int64(in.From), int64(until), prefix(in.Kind), len(prefix(in.Kind)))
}

func hasChain(ctx context.Context, tx *db.Tx, city int, subject string) (bool, error) {
	_, found, err := db.Maybe[int64](ctx, tx, `SELECT seq FROM chain_head WHERE city_id = $1 AND subject = $2`, city, subject)
	return found, err
}

// idSlack is how far an id may run ahead of its instant when many are made within a millisecond.
const idSlack = 60_000

func prefix(kind string) string {
	if kind == "" {
		return ""
	}
	return kind + ":"
}

// idAt is a text that sorts before every id made at or after an instant.
func idAt(at civil.Instant) string {
	ms := uint64(max(at, 0))
	return fmt.Sprintf("%08x-%04x", ms>>16, ms&0xffff)
}

// cover finds the leaves that hold chains; it keeps the last entry id of each leaf it has looked at.
type cover struct {
	city int
	size int64
	upto map[int64]string
}

func (c *cover) uptoOf(ctx context.Context, tx *db.Tx, idx int64) (string, error) {
	if s, ok := c.upto[idx]; ok {
		return s, nil
	}
	leaf, err := audit.LeafAt(ctx, tx, c.city, idx)
	if err != nil {
		return "", err
	}
	c.upto[idx] = leaf.Upto
	return leaf.Upto, nil
}

// leafOf is the leaf that covers the last logged entry of a subject: the first one whose last id is not before it.
func (c *cover) leafOf(ctx context.Context, tx *db.Tx, subject string) (int64, error) {
	if c.size == 0 {
		return -1, nil
	}
	last, err := c.uptoOf(ctx, tx, c.size-1)
	if err != nil {
		return 0, err
	}
	id, found, err := db.Maybe[string](ctx, tx, `SELECT id FROM entry WHERE city_id = $1 AND subject = $2 AND id <= $3
		ORDER BY seq DESC LIMIT 1`, c.city, subject, last)
	if err != nil || !found {
		return -1, err
	}
	low, high := int64(0), c.size-1
	for low < high {
		mid := (low + high) / 2
		upto, err := c.uptoOf(ctx, tx, mid)
		if err != nil {
			return 0, err
		}
		if upto >= id {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low, nil
}

// plan puts the chains in the order of the file.
func plan(ctx context.Context, tx *db.Tx, in Request, size int64) ([]chainAt, error) {
	subjects, err := chains(ctx, tx, in)
	if err != nil {
		return nil, err
	}
	c := cover{city: in.City, size: size, upto: map[int64]string{}}
	out := make([]chainAt, len(subjects))
	for i, s := range subjects {
		leaf, err := c.leafOf(ctx, tx, s)
		if err != nil {
			return nil, err
		}
		out[i] = chainAt{leaf: leaf, subject: s}
	}
	slices.SortFunc(out, func(a, b chainAt) int {
		if a.leaf != b.leaf {
			return int(a.leaf - b.leaf)
		}
		return strings.Compare(a.subject, b.subject)
	})
	return out, nil
}

func eachEntry(ctx context.Context, tx *db.Tx, city int, subject string, fn func(audit.Entry) error) error {
	return db.Each(ctx, tx, fn, `SELECT `+db.Columns[audit.Entry]("")+` FROM entry WHERE city_id = $1 AND subject = $2 ORDER BY seq`, city, subject)
}

func hashOf(ctx context.Context, tx *db.Tx, city int, subject string, seq int64) (string, bool, error) {
	return db.Maybe[string](ctx, tx, `SELECT hash FROM entry WHERE city_id = $1 AND subject = $2 AND seq = $3`, city, subject, seq)
}
