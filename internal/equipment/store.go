package equipment

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

func columns() string { return db.Columns[Instrument]("e") }

func find(ctx context.Context, tx *db.Tx, city int, id string) (Instrument, error) {
	i, err := db.One[Instrument](ctx, tx, `SELECT `+columns()+` FROM equipment e WHERE e.city_id = $1 AND e.id = $2`, city, id)
	if err != nil {
		return i, fmt.Errorf("find instrument %s: %w", id, err)
	}
	return i, nil
}

// FindIn gives the instrument of an owner with a number; false when the register does not know it.
func FindIn(ctx context.Context, tx *db.Tx, city int, owner, number string) (Instrument, bool, error) {
	return db.Maybe[Instrument](ctx, tx, `SELECT `+columns()+` FROM equipment e WHERE e.city_id = $1 AND e.owner = $2 AND e.number = $3`, city, owner, number)
}

func insert(ctx context.Context, tx *db.Tx, i Instrument) error {
	return db.Insert(ctx, tx, "equipment", i)
}

func update(ctx context.Context, tx *db.Tx, i Instrument, seen int64) (Instrument, error) {
	err := db.Guarded(ctx, tx, `UPDATE equipment SET owner = $4, number = $5, kind = $6, model = $7, certificate = $8, verifier = $9, verified_on = $10,
		valid_until = $11, state = $12, updated_at = $13, version = version + 1 WHERE city_id = $1 AND id = $2 AND version = $3`,
		i.City, i.ID, seen, i.Owner, i.Number, string(i.Kind), i.Model, i.Certificate, i.Verifier, i.VerifiedOn, i.ValidUntil, string(i.State), i.Updated)
	i.Version = seen + 1
	return i, err
}

func list(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, f Filter) ([]Instrument, error) {
	var after [2]string
	if f.After != "" {
		if err := page.Decode(f.After, &after[0], &after[1]); err != nil {
			return nil, err
		}
	}
	args := []any{city, after[0], after[1], f.Owner, string(f.Kind), string(f.State), "%" + strings.ToLower(f.Query) + "%", before(f.Before), f.Limit() + 1}
	where, args := within(scope, args)
	rows, err := db.List[Instrument](ctx, tx, `SELECT `+columns()+` FROM equipment e WHERE e.city_id = $1 AND (e.owner, e.number) > ($2, $3)
		AND ($4 = '' OR e.owner = $4) AND ($5 = '' OR e.kind = $5) AND ($6 = '' OR e.state = $6) AND lower(e.number) LIKE $7
		AND ($8 = '' OR e.valid_until IS NULL OR e.valid_until < $8)`+where+` ORDER BY e.owner, e.number LIMIT $9`, args...)
	if err != nil {
		return nil, fmt.Errorf("list instruments: %w", err)
	}
	return rows, nil
}

func before(d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// within limits a list to the owners that a scope names; an instrument lies in no district and no station.
func within(scope actor.Scope, args []any) (string, []any) {
	if scope.All {
		return "", args
	}
	var owners []string
	for _, p := range scope.Parts {
		if len(p.Companies) == 0 {
			return "", args
		}
		for _, c := range p.Companies {
			args = append(args, c)
			owners = append(owners, fmt.Sprintf("$%d", len(args)))
		}
	}
	if len(owners) == 0 {
		return " AND 1 = 0", args
	}
	return " AND e.owner IN (" + strings.Join(owners, ", ") + ")", args
}
