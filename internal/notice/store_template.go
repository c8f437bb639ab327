package notice

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/text"
)

func templateColumns() string { return db.Columns[Template]("") }

func insertTemplate(ctx context.Context, tx *db.Tx, t Template) error {
	err := db.Insert(ctx, tx, "notice_template", t)
	if db.IsUnique(err) { // two wrote at once: the second counts on from the first
		return fmt.Errorf("edition %d of %s: %w", t.Edition, t.Template, db.ErrRetry)
	}
	if err != nil {
		return fmt.Errorf("keep template: %w", err)
	}
	return nil
}

func findTemplate(ctx context.Context, tx *db.Tx, city int, id string) (Template, error) {
	t, err := db.One[Template](ctx, tx, `SELECT `+templateColumns()+` FROM notice_template WHERE city_id = $1 AND id = $2`, city, id)
	if err != nil {
		return t, fmt.Errorf("find template %s: %w", id, err)
	}
	return t, nil
}

func approvedTemplate(ctx context.Context, tx *db.Tx, city int, template string, l text.Lang) (Template, bool, error) {
	t, ok, err := db.Maybe[Template](ctx, tx, `SELECT `+templateColumns()+` FROM notice_template
		WHERE city_id = $1 AND template = $2 AND lang = $3 AND state = 'approved'`, city, template, string(l))
	if err != nil {
		return t, false, fmt.Errorf("find the words of %s: %w", template, err)
	}
	return t, ok, nil
}

func liveTemplates(ctx context.Context, tx *db.Tx, city int) ([]Template, error) {
	out, err := db.List[Template](ctx, tx, `SELECT `+templateColumns()+` FROM notice_template
		WHERE city_id = $1 AND state IN ('draft', 'approved') ORDER BY template, lang, edition`, city)
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	return out, nil
}

func nextEdition(ctx context.Context, tx *db.Tx, t Template) (int, error) {
	n, err := db.One[int](ctx, tx, `SELECT COALESCE(MAX(edition), 0) + 1 FROM notice_template WHERE city_id = $1 AND template = $2 AND lang = $3`,
		t.City, t.Template, string(t.Lang))
	if err != nil {
		return 0, fmt.Errorf("count editions of %s: %w", t.Template, err)
	}
	return n, nil
}

func supersedeDrafts(ctx context.Context, tx *db.Tx, t Template) error {
	return supersede(ctx, tx, t, Draft)
}

func supersedeApproved(ctx context.Context, tx *db.Tx, t Template) error {
	return supersede(ctx, tx, t, Approved)
}

func supersede(ctx context.Context, tx *db.Tx, t Template, was TemplateState) error {
	_, err := db.Exec(ctx, tx, `UPDATE notice_template SET state = 'superseded', version = version + 1
		WHERE city_id = $1 AND template = $2 AND lang = $3 AND state = $4`, t.City, t.Template, string(t.Lang), string(was))
	if err != nil {
		return fmt.Errorf("supersede %s: %w", t.Template, err)
	}
	return nil
}

func decideTemplate(ctx context.Context, tx *db.Tx, t Template, version int64) (Template, error) {
	err := db.Guarded(ctx, tx, `UPDATE notice_template SET state = $4, reason = $5, decided_by = $6, decided_at = $7, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3`, t.City, t.ID, version, string(t.State), t.Reason, t.DecidedBy, t.DecidedAt)
	t.Version = version + 1
	return t, err
}
