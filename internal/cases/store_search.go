package cases

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/secret"
)

// index notes that the words of a case are to be packed; until then a search reads its text.
func index(ctx context.Context, tx *db.Tx, c Case) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO case_unindexed (city_id, seq, stamp) VALUES ($1, $2, $3)
		ON CONFLICT (city_id, seq) DO UPDATE SET stamp = excluded.stamp`, c.City, c.Seq, c.Version)
	if err != nil {
		return fmt.Errorf("index case: %w", err)
	}
	return nil
}

// search narrows a list to the cases that hold every word of the query: a case number, a telephone, a name in full, or any
// piece of what was said.
func (s *Service) search(ctx context.Context, tx *db.Tx, q *sqlOf, city int, f Filter) (*finder, error) {
	if phone := secret.NormalPhone(f.Query); secret.IsMobile(phone) || secret.IsLandline(phone) {
		ids, err := db.List[string](ctx, tx, `SELECT id FROM data_subject WHERE city_id = $1 AND blind = $2`, city, s.o.Ring.Blind(secret.Phone, phone))
		if err != nil {
			return nil, err
		}
		q.few = true
		if len(ids) == 0 {
			q.and("1 = 0")
			return nil, nil
		}
		marks := make([]string, len(ids))
		for i, id := range ids {
			marks[i] = q.arg(id)
		}
		who := "(" + strings.Join(marks, ", ") + ")"
		q.and(`c.seq IN (SELECT a.seq FROM case_file a WHERE a.city_id = $1 AND a.caller_id IN ` + who + `
			UNION ALL SELECT b.seq FROM case_file b WHERE b.city_id = $1 AND b.contact_id <> b.caller_id AND b.contact_id IN ` + who + `)`)
		return nil, nil
	}
	list := words(f.Query)
	if len(list) == 0 {
		return nil, nil
	}
	if id, ok, err := numbered(ctx, tx, city, f.Query); err != nil || ok {
		q.eq("c.id", id)
		q.few = true
		return nil, err
	}
	if name := s.nameBlind(f.Query); len(list) == 1 && isName(list[0]) {
		has, err := named(ctx, tx, city, name)
		if err != nil {
			return nil, err
		}
		if has {
			q.name = name
			q.rare("c.caller_blind", name, "")
			return nil, nil
		}
	}
	for _, w := range list {
		q.and(`c.search LIKE ` + q.arg(likeText(w)) + ` ESCAPE '\'`)
	}
	return newFinder(ctx, tx, city, piecesOf(list))
}

// named reports whether somebody of a name ever called. The range and its order lead PostgreSQL to the index, whatever it
// thinks of how frequent the name is.
func named(ctx context.Context, tx *db.Tx, city int, blind string) (bool, error) {
	_, has, err := db.Maybe[int64](ctx, tx, `SELECT seq FROM case_file WHERE city_id = $1 AND caller_blind >= $2 AND caller_blind <= $2 AND caller_blind <> ''
		ORDER BY caller_blind, seq LIMIT 1`, city, blind)
	return has, err
}

// numbered finds the case whose number, here or in the system it came from, is the whole query.
func numbered(ctx context.Context, tx *db.Tx, city int, query string) (string, bool, error) {
	no := strings.ToUpper(strings.TrimSpace(query))
	if utf8.RuneCountInString(no) < 5 {
		return "", false, nil
	}
	id, ok, err := db.Maybe[string](ctx, tx, `SELECT id FROM case_file WHERE city_id = $1 AND no = $2`, city, no)
	if err != nil || ok {
		return id, ok, err
	}
	args := []any{city, strings.TrimSpace(query)}
	marks := make([]string, len(Channels()))
	for i, ch := range Channels() {
		args = append(args, string(ch))
		marks[i] = "$" + strconv.Itoa(len(args))
	}
	return db.Maybe[string](ctx, tx, `SELECT id FROM case_file WHERE city_id = $1 AND ticket_no = $2 AND ticket_no <> '' AND channel IN (`+strings.Join(marks, ", ")+`) LIMIT 1`, args...)
}

func isName(s string) bool {
	n := utf8.RuneCountInString(s)
	return n >= 2 && n <= 4
}
