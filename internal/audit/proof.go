package audit

import (
	"context"
	"encoding/json"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/rehu-heat/rehu/internal/db"
)

// LoggedLeaf is a leaf of the log with its place and its bytes, which the leaf's hash covers.
type LoggedLeaf struct {
	Leaf
	Idx  int64
	Body string
}

// LeafAt reads one leaf of a city's log.
func LeafAt(ctx context.Context, tx *db.Tx, city int, idx int64) (LoggedLeaf, error) {
	row, err := db.One[leafRow](ctx, tx, `SELECT city_id, idx, at, body FROM log_leaf WHERE city_id = $1 AND idx = $2`, city, idx)
	if err != nil {
		return LoggedLeaf{}, fmt.Errorf("read log leaf %d: %w", idx, err)
	}
	out := LoggedLeaf{Idx: idx, Body: row.Body}
	if err := json.Unmarshal([]byte(row.Body), &out.Leaf); err != nil {
		return LoggedLeaf{}, fmt.Errorf("read log leaf %d: %w", idx, err)
	}
	return out, nil
}

// ProveLeaf proves that a leaf stands in the log of a size.
func ProveLeaf(ctx context.Context, tx *db.Tx, city int, size, idx int64) (tlog.RecordProof, error) {
	p, err := tlog.ProveRecord(size, idx, hashReader(ctx, tx, city))
	if err != nil {
		return nil, fmt.Errorf("prove log leaf %d: %w", idx, err)
	}
	return p, nil
}

// ProveRoot proves that the log of a size only continues the log of an earlier size.
func ProveRoot(ctx context.Context, tx *db.Tx, city int, size, earlier int64) (tlog.TreeProof, error) {
	p, err := tlog.ProveTree(size, earlier, hashReader(ctx, tx, city))
	if err != nil {
		return nil, fmt.Errorf("prove log root %d: %w", earlier, err)
	}
	return p, nil
}
