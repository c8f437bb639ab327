package dispatch

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
)

func find(ctx context.Context, tx *db.Tx, city int, id string) (Dispatch, error) {
	return db.One[Dispatch](ctx, tx, `SELECT `+db.Columns[Dispatch]("")+` FROM dispatch WHERE city_id = $1 AND id = $2`, city, id)
}

// of lists the dispatches of a case in their order.
func of(ctx context.Context, tx *db.Tx, city int, caseID string) ([]Dispatch, error) {
	return db.List[Dispatch](ctx, tx, `SELECT `+db.Columns[Dispatch]("")+` FROM dispatch WHERE city_id = $1 AND case_id = $2 ORDER BY id`, city, caseID)
}

func insert(ctx context.Context, tx *db.Tx, d Dispatch) error {
	if err := db.Insert(ctx, tx, "dispatch", &d); err != nil {
		return fmt.Errorf("insert dispatch: %w", err)
	}
	return nil
}

// save writes what changed between two states of a dispatch.
func save(ctx context.Context, tx *db.Tx, was, is Dispatch) error {
	is.Version = was.Version + 1
	set, args, err := db.Changed(&was, &is, 4)
	if err != nil {
		return err
	}
	args = append([]any{was.City, was.ID, was.Version}, args...)
	return db.Guarded(ctx, tx, `UPDATE dispatch SET `+set+` WHERE city_id = $1 AND id = $2 AND version = $3`, args...)
}

func findRequest(ctx context.Context, tx *db.Tx, city int, id string) (Request, error) {
	return db.One[Request](ctx, tx, `SELECT `+db.Columns[Request]("")+` FROM case_request WHERE city_id = $1 AND id = $2`, city, id)
}

// openRequest finds the undecided request of a kind on a case.
func openRequest(ctx context.Context, tx *db.Tx, city int, caseID string, kind RequestKind) (Request, bool, error) {
	return db.Maybe[Request](ctx, tx, `SELECT `+db.Columns[Request]("")+` FROM case_request
		WHERE city_id = $1 AND case_id = $2 AND kind = $3 AND state IN ('open', 'replied') ORDER BY id DESC LIMIT 1`, city, caseID, string(kind))
}

func requestsOf(ctx context.Context, tx *db.Tx, city int, caseID string) ([]Request, error) {
	return db.List[Request](ctx, tx, `SELECT `+db.Columns[Request]("")+` FROM case_request WHERE city_id = $1 AND case_id = $2 ORDER BY id`, city, caseID)
}

func insertRequest(ctx context.Context, tx *db.Tx, r Request) error {
	if err := db.Insert(ctx, tx, "case_request", &r); err != nil {
		return fmt.Errorf("keep %s: %w", r.Kind, err)
	}
	return nil
}

func saveRequest(ctx context.Context, tx *db.Tx, was, is Request) error {
	is.Version = was.Version + 1
	set, args, err := db.Changed(&was, &is, 4)
	if err != nil {
		return err
	}
	args = append([]any{was.City, was.ID, was.Version}, args...)
	return db.Guarded(ctx, tx, `UPDATE case_request SET `+set+` WHERE city_id = $1 AND id = $2 AND version = $3`, args...)
}

// waiting lists undecided requests of a kind, longest waiting first; kind may be empty.
func waiting(ctx context.Context, tx *db.Tx, city int, kind RequestKind) ([]Request, error) {
	return db.List[Request](ctx, tx, `SELECT `+db.Columns[Request]("")+` FROM case_request
		WHERE city_id = $1 AND state IN ('open', 'replied') AND ($2 = '' OR kind = $2) ORDER BY asked_at LIMIT 500`, city, string(kind))
}
