package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

// Root is the state of a city's Merkle log: whoever wrote down an earlier root can prove that nothing before it changed.
type Root struct {
	City int           `json:"city"`
	Size int64         `json:"size"`
	Hash string        `json:"hash"`
	At   civil.Instant `json:"at"`
}

// Leaf is one entry of the log: the heads of the chains that moved since the leaf before.
type Leaf struct {
	At    int64      `json:"at"`
	Upto  string     `json:"upto"` // the last entry id covered
	Heads []LeafHead `json:"heads"`
}

// LeafHead is the state of one chain.
type LeafHead struct {
	Subject string `json:"subject" db:"subject"`
	Seq     int64  `json:"seq" db:"seq"`
	Hash    string `json:"hash" db:"hash"`
}

type leafRow struct {
	City int           `db:"city_id"`
	Idx  int64         `db:"idx"`
	At   civil.Instant `db:"at"`
	Body string        `db:"body"`
}

// settle is how long an entry may stay uncommitted after its id was made; younger ones wait for the next leaf.
const settle = 10_000

// leafHeads is the most chains one leaf covers.
const leafHeads = 2000

// AppendLog adds a leaf with the heads of every chain that moved since the last leaf, and returns the root. Nothing new
// leaves the log as it is.
func AppendLog(ctx context.Context, d *db.DB, city int) (Root, error) {
	return db.Write(ctx, d, func(tx *db.Tx) (Root, error) {
		size, last, err := logState(ctx, tx, city)
		if err != nil {
			return Root{}, err
		}
		leaf, err := nextLeaf(ctx, tx, city, last)
		if err != nil {
			return Root{}, err
		}
		if len(leaf.Heads) > 0 {
			if err := appendLeaf(ctx, tx, city, size, leaf); err != nil {
				if db.IsUnique(err) { // another process added this leaf first: look again
					err = errors.Join(err, db.ErrRetry)
				}
				return Root{}, err
			}
			size++
		}
		return rootOf(ctx, tx, city, size)
	})
}

// CurrentRoot is the log's present root.
func CurrentRoot(ctx context.Context, tx *db.Tx, city int) (Root, error) {
	size, _, err := logState(ctx, tx, city)
	if err != nil {
		return Root{}, err
	}
	return rootOf(ctx, tx, city, size)
}

func logState(ctx context.Context, tx *db.Tx, city int) (int64, Leaf, error) {
	row, found, err := db.Maybe[leafRow](ctx, tx, `SELECT city_id, idx, at, body FROM log_leaf WHERE city_id = $1 ORDER BY idx DESC LIMIT 1`, city)
	if err != nil || !found {
		return 0, Leaf{}, err
	}
	var leaf Leaf
	if err := json.Unmarshal([]byte(row.Body), &leaf); err != nil {
		return 0, Leaf{}, fmt.Errorf("read log leaf %d: %w", row.Idx, err)
	}
	return row.Idx + 1, leaf, nil
}

func nextLeaf(ctx context.Context, tx *db.Tx, city int, last Leaf) (Leaf, error) {
	type moved struct {
		ID      string `db:"id"`
		Subject string `db:"subject"`
		Seq     int64  `db:"seq"`
		Hash    string `db:"hash"`
	}
	rows, err := db.List[moved](ctx, tx, `SELECT id, subject, seq, hash FROM entry
		WHERE city_id = $1 AND id > $2 AND at < $3 ORDER BY id LIMIT $4`, city, last.Upto, int64(tx.Now)-settle, leafHeads)
	if err != nil {
		return Leaf{}, fmt.Errorf("read moved chains: %w", err)
	}
	leaf := Leaf{At: int64(tx.Now), Upto: last.Upto}
	at := map[string]int{}
	for _, r := range rows {
		leaf.Upto = r.ID
		h := LeafHead{r.Subject, r.Seq, r.Hash}
		if i, ok := at[r.Subject]; ok {
			leaf.Heads[i] = h
			continue
		}
		at[r.Subject] = len(leaf.Heads)
		leaf.Heads = append(leaf.Heads, h)
	}
	return leaf, nil
}

func appendLeaf(ctx context.Context, tx *db.Tx, city int, size int64, leaf Leaf) error {
	body, err := Canonical(leaf)
	if err != nil {
		return err
	}
	hashes, err := tlog.StoredHashes(size, body, hashReader(ctx, tx, city))
	if err != nil {
		return fmt.Errorf("hash log leaf: %w", err)
	}
	at := tlog.StoredHashIndex(0, size)
	for i, h := range hashes {
		if _, err := db.Exec(ctx, tx, `INSERT INTO log_hash (city_id, idx, hash) VALUES ($1, $2, $3)`, city, at+int64(i), h.String()); err != nil {
			return fmt.Errorf("store log hash: %w", err)
		}
	}
	return db.Insert(ctx, tx, "log_leaf", leafRow{City: city, Idx: size, At: tx.Now, Body: string(body)})
}

func rootOf(ctx context.Context, tx *db.Tx, city int, size int64) (Root, error) {
	h, err := tlog.TreeHash(size, hashReader(ctx, tx, city))
	if err != nil {
		return Root{}, fmt.Errorf("compute log root: %w", err)
	}
	return Root{City: city, Size: size, Hash: h.String(), At: tx.Now}, nil
}

func hashReader(ctx context.Context, tx *db.Tx, city int) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, idx := range indexes {
			s, err := db.One[string](ctx, tx, `SELECT hash FROM log_hash WHERE city_id = $1 AND idx = $2`, city, idx)
			if err != nil {
				return nil, fmt.Errorf("log hash %d: %w", idx, err)
			}
			if out[i], err = tlog.ParseHash(s); err != nil {
				return nil, fmt.Errorf("log hash %d: %w", idx, err)
			}
		}
		return out, nil
	}
}
