package cases

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/db"
)

// findNumber finds the case that has a number in the register already.
func findNumber(ctx context.Context, tx *db.Tx, city int, key string) (Case, bool, error) {
	return db.Maybe[Case](ctx, tx, `SELECT `+db.Columns[Case]("c")+` FROM case_file c JOIN case_origin o ON o.city_id = c.city_id AND o.case_id = c.id
		WHERE c.city_id = $1 AND o.number_key = $2 AND o.number_key <> ''`, city, key)
}

// insertOrigin keeps an origin; false when another case has its number.
func insertOrigin(ctx context.Context, tx *db.Tx, r Recorded) (bool, error) {
	n, err := db.Exec(ctx, tx, `INSERT INTO case_origin (city_id, case_id, channel, no, number_key, dated, source, office, text, due_at, link, answerer,
		brought, contact_id, contact_name, contact_phone, contact_sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT DO NOTHING`,
		r.City, r.Case, string(r.Channel), r.No, r.Key, r.Dated, r.From, r.Office, r.Text, r.Due, r.Link, r.Answerer,
		r.Brought, r.ContactID, r.ContactName, r.ContactPhone, r.ContactSealed)
	if err != nil {
		return false, fmt.Errorf("keep the origin of a case: %w", err)
	}
	return n == 1, nil
}

func originOfCase(ctx context.Context, tx *db.Tx, city int, id string) (Recorded, bool, error) {
	return db.Maybe[Recorded](ctx, tx, `SELECT `+db.Columns[Recorded]("")+` FROM case_origin WHERE city_id = $1 AND case_id = $2`, city, id)
}

// freeNumber gives the number of a void record back, so that the paper can be recorded rightly.
func freeNumber(ctx context.Context, tx *db.Tx, c Case) error {
	_, err := db.Exec(ctx, tx, `UPDATE case_origin SET number_key = '' WHERE city_id = $1 AND case_id = $2`, c.City, c.ID)
	return err
}

func replies(ctx context.Context, tx *db.Tx, city int, id string) ([]Reply, error) {
	return db.List[Reply](ctx, tx, `SELECT `+db.Columns[Reply]("")+` FROM case_reply WHERE city_id = $1 AND case_id = $2 ORDER BY id`, city, id)
}

// mostPapers is up to how many cases of one number are named in a query.
const mostPapers = 200

// papers limits a list to the cases of a number, and to those whose paper sets a deadline up to a day.
func (q *sqlOf) papers(ctx context.Context, tx *db.Tx, city int, f Filter) error {
	if !f.DocDue.IsZero() {
		q.few = true
		q.and("c.doc_due_at < " + q.arg(f.DocDue.End()))
	}
	no := strings.TrimSpace(f.Doc)
	if no == "" {
		return nil
	}
	q.few = true
	of := inCity(city)
	exact := of.arg(no)
	var keys []string
	for _, ch := range []Channel{Letter, Leader} {
		for year := tx.Now.Date().Year; year > tx.Now.Date().Year-3; year-- {
			keys = append(keys, of.arg(yearKey(ch, year, no)))
		}
	}
	ids, err := db.List[string](ctx, tx, `SELECT o.case_id FROM case_origin o WHERE o.city_id = $1 AND (o.no = `+exact+` AND o.no <> ''
		OR o.number_key IN (`+strings.Join(keys, ", ")+`) AND o.number_key <> '') ORDER BY o.case_id DESC LIMIT `+of.arg(mostPapers), of.args...)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		q.and("1 = 0")
		return nil
	}
	q.in("c.id", ids)
	return nil
}
