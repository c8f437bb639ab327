package resident

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

func bindingColumns() string { return db.Columns[Binding]("b") }

func insertBinding(ctx context.Context, tx *db.Tx, b Binding) error {
	err := db.Insert(ctx, tx, "resident_binding", b)
	if db.IsUnique(err) {
		return fmt.Errorf("bind a home: %w", db.ErrRetry)
	}
	if err != nil {
		return fmt.Errorf("bind a home: %w", err)
	}
	return nil
}

func findBinding(ctx context.Context, tx *db.Tx, city int, id string) (Binding, error) {
	b, err := db.One[Binding](ctx, tx, `SELECT `+bindingColumns()+` FROM resident_binding b WHERE b.city_id = $1 AND b.id = $2`, city, id)
	if err != nil {
		return b, fmt.Errorf("find binding %s: %w", id, err)
	}
	return b, nil
}

func heldBinding(ctx context.Context, tx *db.Tx, city int, person, account string) (Binding, bool, error) {
	b, ok, err := db.Maybe[Binding](ctx, tx, `SELECT `+bindingColumns()+` FROM resident_binding b
		WHERE b.city_id = $1 AND b.person = $2 AND b.account = $3 AND b.state = 'held'`, city, person, account)
	if err != nil {
		return b, false, fmt.Errorf("find a binding: %w", err)
	}
	return b, ok, nil
}

func bindingsOf(ctx context.Context, tx *db.Tx, city int, person string) ([]Binding, error) {
	rows, err := db.List[Binding](ctx, tx, `SELECT `+bindingColumns()+` FROM resident_binding b
		WHERE b.city_id = $1 AND b.person = $2 AND b.state IN ('held', 'asked', 'refused') ORDER BY b.id LIMIT 100`, city, person)
	if err != nil {
		return nil, fmt.Errorf("list a resident's homes: %w", err)
	}
	return rows, nil
}

// bindingsAt lists who sees a home.
func bindingsAt(ctx context.Context, tx *db.Tx, city int, account string) ([]Binding, error) {
	rows, err := db.List[Binding](ctx, tx, `SELECT `+bindingColumns()+` FROM resident_binding b
		WHERE b.city_id = $1 AND b.account = $2 AND b.state = 'held' ORDER BY b.id`, city, account)
	if err != nil {
		return nil, fmt.Errorf("list who sees a home: %w", err)
	}
	return rows, nil
}

func bindingsHeld(ctx context.Context, tx *db.Tx, city int, person string) (int, error) {
	n, err := db.One[int](ctx, tx, `SELECT count(*) FROM resident_binding WHERE city_id = $1 AND person = $2 AND state IN ('held', 'asked')`, city, person)
	if err != nil {
		return 0, fmt.Errorf("count a resident's homes: %w", err)
	}
	return n, nil
}

// moveBinding applies an event of the life cycle to the version that was seen.
func moveBinding(ctx context.Context, tx *db.Tx, b Binding, e Move, by, reason string) (Binding, error) {
	step, err := Lifecycle.Next(b.State, e)
	if err != nil {
		return b, err
	}
	b.State = step.To
	if e == End {
		b.EndedAt, b.EndedBy = tx.Now, by
	} else {
		b.Decided, b.DecidedBy, b.Reason = tx.Now, by, reason
	}
	err = db.Guarded(ctx, tx, `UPDATE resident_binding SET state = $4, account = $5, community = $6, building = $7, unit = $8, room = $9, district = $10,
		company = $11, reason = $12, decided_at = $13, decided_by = $14, ended_at = $15, ended_by = $16, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3`, b.City, b.ID, b.Version, string(b.State), b.Account, b.Community, b.Building, b.Unit, b.Room,
		b.District, b.Company, b.Reason, b.Decided, b.DecidedBy, b.EndedAt, b.EndedBy)
	if db.IsUnique(err) {
		return b, fault.New(fault.Conflict, "resident.bound_already")
	}
	b.Version++
	return b, err
}

// endOutlived ends the help whose day has passed.
func endOutlived(ctx context.Context, tx *db.Tx, city int, now civil.Instant) error {
	if _, err := db.Exec(ctx, tx, `UPDATE resident_binding SET state = 'ended', ended_at = $3, ended_by = 'until', version = version + 1
		WHERE city_id = $1 AND state = 'held' AND until_day < $2`, city, now.Date(), now); err != nil {
		return fmt.Errorf("end help whose day has passed: %w", err)
	}
	return nil
}

func listBindings(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, f Filter) ([]Binding, error) {
	after := ""
	if f.After != "" {
		if err := page.Decode(f.After, &after); err != nil {
			return nil, err
		}
	}
	args := []any{city, string(f.State), after, f.Limit() + 1}
	where, args := covered(scope, args)
	rows, err := db.List[Binding](ctx, tx, `SELECT `+bindingColumns()+` FROM resident_binding b WHERE b.city_id = $1 AND b.state = $2 AND b.id > $3
		AND (b.proof = 'paper' OR $2 <> 'asked')`+where+` ORDER BY b.id LIMIT $4`, args...)
	if err != nil {
		return nil, fmt.Errorf("list bindings: %w", err)
	}
	return rows, nil
}

// covered limits a list to what an actor may see.
func covered(scope actor.Scope, args []any) (string, []any) {
	if scope.All {
		return "", args
	}
	var either []string
	for _, p := range scope.Parts {
		if p.Worker != "" || len(p.Areas) > 0 || len(p.Stations) > 0 {
			continue // narrower than a binding says where it is
		}
		both := []string{"1 = 1"}
		for _, by := range []struct {
			column string
			values []string
		}{{"b.company", p.Companies}, {"b.district", p.Districts}} {
			if len(by.values) == 0 {
				continue
			}
			marks := make([]string, len(by.values))
			for i, v := range by.values {
				args = append(args, v)
				marks[i] = fmt.Sprintf("$%d", len(args))
			}
			both = append(both, by.column+" IN ("+strings.Join(marks, ", ")+")")
		}
		either = append(either, "("+strings.Join(both, " AND ")+")")
	}
	if len(either) == 0 {
		return " AND 1 = 0", args
	}
	return " AND (" + strings.Join(either, " OR ") + ")", args
}
