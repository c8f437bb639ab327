package cases

import (
	"context"
	"fmt"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
)

// plainOnly leaves complaints about staff out.
const plainOnly = " AND c.about_org = ''"

// staff limits the list of complaints about staff to those that the reader handles and that do not concern them.
func (q *sqlOf) staff(ctx context.Context, tx *db.Tx, city int, who reader) error {
	if who.by.Kind == actor.System {
		return nil
	}
	mine := sqlOf{args: q.args}
	mine.and("c.about_to = " + mine.arg(who.by.ID))
	q.args = mine.args
	handles := sqlOf{args: q.args}
	if err := handles.scope(ctx, tx, city, who.by.ScopeOf(actor.CaseStaff, city)); err != nil {
		return err
	}
	if who.by.ScopeOf(actor.CaseRead, city).Parts == nil && !who.All {
		handles.and("1 = 0")
	}
	q.args = handles.args
	q.and("(" + mine.text() + " OR " + handles.text() + ")")
	q.and("c.about_person <> " + q.arg(who.by.ID))
	orgs := []string{who.by.Org}
	for _, g := range who.by.Grants {
		if g.Role.OfCompany() || g.Role == actor.RoleLiaison {
			orgs = append(orgs, g.Companies...)
		}
	}
	kept := sqlOf{args: q.args}
	kept.in("c.about_org", orgs)
	q.args = kept.args
	q.and("(NOT c.about_unit OR NOT (" + kept.text() + ") OR c.about_to = " + q.arg(who.by.ID) + ")")
	return nil
}

func findHandler(ctx context.Context, tx *db.Tx, city int, org string) (Handler, bool, error) {
	return db.Maybe[Handler](ctx, tx, `SELECT `+db.Columns[Handler]("")+` FROM complaint_handler WHERE city_id = $1 AND org = $2 AND person_id <> ''`, city, org)
}

func listHandlers(ctx context.Context, tx *db.Tx, city int) ([]Handler, error) {
	return db.List[Handler](ctx, tx, `SELECT `+db.Columns[Handler]("")+` FROM complaint_handler WHERE city_id = $1 ORDER BY org`, city)
}

func saveHandler(ctx context.Context, tx *db.Tx, h Handler, version int64) error {
	if version == 0 {
		h.Version = 1
		if err := db.Insert(ctx, tx, "complaint_handler", &h); err != nil {
			return fmt.Errorf("name a complaint handler: %w", err)
		}
		return nil
	}
	return db.Guarded(ctx, tx, `UPDATE complaint_handler SET person_id = $4, person_name = $5, version = version + 1
		WHERE city_id = $1 AND org = $2 AND version = $3`, h.City, h.Org, version, h.Person, h.Name)
}

// AboutStaff names the complaints about staff among cases: what leads to a case leads to none of them.
func AboutStaff(ctx context.Context, tx *db.Tx, city int, ids []string) (map[string]bool, error) {
	out := map[string]bool{}
	for part := range slices.Chunk(ids, 500) {
		q := inCity(city)
		q.in("c.id", part)
		some, err := db.List[string](ctx, tx, `SELECT c.id FROM case_file c WHERE c.city_id = $1 AND c.about_org <> '' AND `+q.text(), q.args...)
		if err != nil {
			return nil, fmt.Errorf("find complaints about staff: %w", err)
		}
		for _, id := range some {
			out[id] = true
		}
	}
	return out, nil
}
