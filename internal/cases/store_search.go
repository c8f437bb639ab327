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

var gramColumns = []string{"city_id", "gram", "seq"}

// index makes a case findable by every piece of its words.
func index(ctx context.Context, tx *db.Tx, c Case) error {
	return addGrams(ctx, tx, c, grams(searchText(c)))
}

func addGrams(ctx context.Context, tx *db.Tx, c Case, list []string) error {
	rows := make([][]any, len(list))
	for i, g := range list {
		rows[i] = []any{c.City, g, c.Seq}
	}
	if err := db.InsertRows(ctx, tx, "case_gram", gramColumns, rows); err != nil {
		return fmt.Errorf("index case: %w", err)
	}
	return nil
}

// reindex brings the pieces up to date after the words changed.
func reindex(ctx context.Context, tx *db.Tx, was, is Case) error {
	old := make(map[string]bool)
	for _, g := range grams(searchText(was)) {
		old[g] = true
	}
	var added []string
	for _, g := range grams(searchText(is)) {
		if !old[g] {
			added = append(added, g)
		}
		delete(old, g)
	}
	for g := range old {
		if _, err := db.Exec(ctx, tx, `DELETE FROM case_gram WHERE city_id = $1 AND gram = $2 AND seq = $3`, is.City, g, is.Seq); err != nil {
			return fmt.Errorf("index case: %w", err)
		}
	}
	return addGrams(ctx, tx, is, added)
}

// search narrows a list to the cases that hold every word of the query: a case number, a telephone, a name in full, or any
// piece of what was said.
func (s *Service) search(ctx context.Context, tx *db.Tx, q *sqlOf, city int, f Filter) error {
	if phone := secret.NormalPhone(f.Query); secret.IsMobile(phone) || secret.IsLandline(phone) {
		blind := q.arg(s.o.Ring.Blind(secret.Phone, phone))
		who := `(SELECT p.id FROM data_subject p WHERE p.city_id = $1 AND p.blind = ` + blind + `)`
		q.and(`(c.caller_id IN ` + who + ` OR c.contact_id IN ` + who + `)`)
		return nil
	}
	list := words(f.Query)
	if len(list) == 0 {
		return nil
	}
	if id, ok, err := numbered(ctx, tx, city, f.Query); err != nil || ok {
		q.eq("c.id", id)
		return err
	}
	if name := s.nameBlind(f.Query); len(list) == 1 && isName(list[0]) {
		n, err := db.One[int64](ctx, tx, `SELECT COUNT(*) FROM (SELECT 1 AS one FROM case_file WHERE city_id = $1 AND caller_blind = $2 LIMIT 1) hit`, city, name)
		if err != nil {
			return err
		}
		if n > 0 {
			q.eq("c.caller_blind", name)
			return nil
		}
	}
	return wordsSQL(ctx, tx, q, city, list, f.byDue())
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

// mostDriven is up to how many hits of a piece are read to drive a search.
const mostDriven = 3000

// wordsSQL asks for every word. A piece that stands in few cases gives the cases to look at. Where every piece is common,
// the index of pieces itself is walked, newest case first, and stops when the page is full. Other pieces narrow down, and
// for longer words the text decides.
func wordsSQL(ctx context.Context, tx *db.Tx, q *sqlOf, city int, list []string, byDue bool) error {
	var all, pieces []string
	for _, w := range list {
		all = append(all, pairsOf(w)...)
		pieces = append(pieces, gramsOf(w)...)
		if utf8.RuneCountInString(w) > 2 {
			q.and(`c.search LIKE ` + q.arg(likeText(w)) + ` ESCAPE '\'`)
		}
	}
	seqs, few, err := rarest(ctx, tx, city, all)
	if err != nil {
		return err
	}
	if few {
		marks := make([]string, len(seqs))
		for i, n := range seqs {
			marks[i] = strconv.FormatInt(n, 10)
		}
		if len(marks) == 0 {
			marks = []string{"0"}
		}
		q.and("c.seq IN (" + strings.Join(marks, ", ") + ")")
	}
	for i, g := range pieces {
		if few || byDue {
			q.and("EXISTS (SELECT 1 FROM case_gram g WHERE g.city_id = c.city_id AND g.gram = " + q.arg(g) + " AND g.seq = c.seq)")
			continue
		}
		q.walk(i, g)
	}
	return nil
}

// walk adds a piece to the walk over the index of pieces.
func (q *sqlOf) walk(i int, gram string) {
	g := "g" + strconv.Itoa(i)
	q.and(g + ".city_id = $1 AND " + g + ".gram = " + q.arg(gram))
	if i == 0 {
		q.from, q.seq = "case_gram g0", "g0.seq"
		q.and("c.seq = g0.seq")
		return
	}
	q.from += " CROSS JOIN case_gram " + g
	q.and(g + ".seq = g0.seq")
}

// rarest gives the cases of the piece that stands in the fewest, if those are few.
func rarest(ctx context.Context, tx *db.Tx, city int, pieces []string) (seqs []int64, few bool, err error) {
	most := mostDriven + 1
	for _, g := range pieces {
		hits, err := db.List[int64](ctx, tx, `SELECT seq FROM case_gram WHERE city_id = $1 AND gram = $2 ORDER BY seq DESC LIMIT $3`, city, g, most)
		if err != nil {
			return nil, false, err
		}
		if len(hits) < most {
			seqs, few, most = hits, true, max(len(hits), 1)
		}
	}
	return seqs, few, nil
}
