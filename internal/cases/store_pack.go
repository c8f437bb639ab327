package cases

import (
	"context"
	"errors"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
)

// mostPacked bounds how many cases are packed at once, and mostRows how many rows one transaction writes: the writer is
// never held for long.
const (
	mostPacked = 10_000
	mostRows   = 300
)

// unpacked is a case whose words are not in the index yet.
type unpacked struct {
	Seq    int64  `db:"seq"`
	Stamp  int64  `db:"stamp"`
	Search string `db:"search"`
}

// packedRow is one row of the index; was is how many cases it held when it was read.
type packedRow struct {
	gram string
	part int64
	was  int
	seqs []int64
}

// loose counts the cases that are not packed.
func loose(ctx context.Context, tx *db.Tx, city int) (int64, error) {
	return db.One[int64](ctx, tx, `SELECT COUNT(*) FROM case_unindexed WHERE city_id = $1`, city)
}

// toPack reads the oldest cases that are not packed, all of the same days, and the rows of the index that their pieces
// belong to.
func toPack(ctx context.Context, tx *db.Tx, city int) ([]unpacked, []packedRow, error) {
	first, ok, err := db.Maybe[int64](ctx, tx, `SELECT seq FROM case_unindexed WHERE city_id = $1 ORDER BY seq LIMIT 1`, city)
	if err != nil || !ok {
		return nil, nil, err
	}
	part := partOf(first)
	var list []unpacked
	at := map[string]int{}
	var rows []packedRow
	err = db.Each(ctx, tx, func(u unpacked) error {
		for _, g := range grams(u.Search) {
			i, has := at[g]
			if !has {
				i = len(rows)
				at[g], rows = i, append(rows, packedRow{gram: g, part: part})
			}
			rows[i].seqs = append(rows[i].seqs, u.Seq)
		}
		u.Search = ""
		list = append(list, u)
		return nil
	}, `SELECT u.seq, u.stamp, c.search FROM case_unindexed u JOIN case_file c ON c.city_id = u.city_id AND c.seq = u.seq
		WHERE u.city_id = $1 AND u.seq < $2 ORDER BY u.seq LIMIT $3`, city, (part+1)*daysOfPart, mostPacked)
	if err != nil {
		return nil, nil, fmt.Errorf("index cases: %w", err)
	}
	for i := range rows {
		r := &rows[i]
		b, ok, err := db.Maybe[[]byte](ctx, tx, `SELECT seqs FROM case_posting WHERE city_id = $1 AND gram = $2 AND part = $3`, city, r.gram, part)
		if err != nil {
			return nil, nil, fmt.Errorf("index cases: %w", err)
		}
		if ok {
			old := unpack(b)
			r.was, r.seqs = len(old), union(old, r.seqs)
		}
	}
	return list, rows, nil
}

// errPacked is that another process packed the same row meanwhile.
var errPacked = errors.New("the index was written by another process")

// keepPacked writes a row of the index unless nothing is new in it. Rows only grow, so that the number they held guards them.
func keepPacked(ctx context.Context, tx *db.Tx, city int, r packedRow) error {
	if len(r.seqs) == r.was {
		return nil
	}
	var hit int64
	var err error
	if r.was == 0 {
		hit, err = db.Exec(ctx, tx, `INSERT INTO case_posting (city_id, gram, part, n, seqs) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			city, r.gram, r.part, len(r.seqs), pack(r.seqs))
	} else {
		hit, err = db.Exec(ctx, tx, `UPDATE case_posting SET n = $5, seqs = $6 WHERE city_id = $1 AND gram = $2 AND part = $3 AND n = $4`,
			city, r.gram, r.part, r.was, len(r.seqs), pack(r.seqs))
	}
	if err == nil && hit == 0 {
		return errPacked
	}
	return err
}

// packed strikes cases off the list of those that are to be packed, unless their words changed meanwhile.
func packed(ctx context.Context, tx *db.Tx, city int, list []unpacked) error {
	for _, u := range list {
		if _, err := db.Exec(ctx, tx, `DELETE FROM case_unindexed WHERE city_id = $1 AND seq = $2 AND stamp = $3`, city, u.Seq, u.Stamp); err != nil {
			return fmt.Errorf("index cases: %w", err)
		}
	}
	return nil
}
