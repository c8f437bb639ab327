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
func (s *Service) search(ctx context.Context, tx *db.Tx, q *sqlOf, city int, query string) error {
	if phone := secret.NormalPhone(query); secret.IsMobile(phone) || secret.IsLandline(phone) {
		blind := q.arg(s.o.Ring.Blind(secret.Phone, phone))
		who := `(SELECT p.id FROM data_subject p WHERE p.city_id = $1 AND p.blind = ` + blind + `)`
		q.and(`(c.caller_id IN ` + who + ` OR c.contact_id IN ` + who + `)`)
		return nil
	}
	list := words(query)
	if len(list) == 0 {
		return nil
	}
	found, err := wordsSQL(ctx, tx, q, city, list)
	if err != nil {
		return err
	}
	if name := s.nameBlind(query); len(list) == 1 && isName(list[0]) {
		found = "c.caller_blind = " + q.arg(name) + " OR " + found
	}
	q.and("(" + found + ")")
	return nil
}

func isName(s string) bool {
	n := utf8.RuneCountInString(s)
	return n >= 2 && n <= 4
}

// mostDriven is up to how many hits of a piece are read to drive a search; a piece that stands in more cases than that is
// found fast enough by walking the newest cases.
const mostDriven = 5000

// wordsSQL asks for every word. The rarest piece gives the cases to look at, the other pieces narrow down, and for longer
// words the text itself decides.
func wordsSQL(ctx context.Context, tx *db.Tx, q *sqlOf, city int, list []string) (string, error) {
	var pieces []string
	var parts []string
	for _, w := range list {
		pieces = append(pieces, gramsOf(w)...)
		if utf8.RuneCountInString(w) > 2 {
			parts = append(parts, `c.search LIKE `+q.arg(likeText(w))+` ESCAPE '\'`)
		}
	}
	seqs, driven, err := rarest(ctx, tx, city, pieces)
	if err != nil {
		return "", err
	}
	for _, g := range pieces {
		if g == driven {
			continue
		}
		parts = append(parts, "EXISTS (SELECT 1 FROM case_gram g WHERE g.city_id = c.city_id AND g.gram = "+q.arg(g)+" AND g.seq = c.seq)")
	}
	if driven != "" {
		marks := make([]string, len(seqs))
		for i, n := range seqs {
			marks[i] = strconv.FormatInt(n, 10)
		}
		if len(marks) == 0 {
			marks = []string{"0"}
		}
		parts = append(parts, "c.seq IN ("+strings.Join(marks, ", ")+")")
	}
	return "(" + strings.Join(parts, " AND ") + ")", nil
}

// rarest gives the cases of the piece that stands in the fewest, if those are few.
func rarest(ctx context.Context, tx *db.Tx, city int, pieces []string) (seqs []int64, piece string, err error) {
	most := mostDriven + 1
	for _, g := range pieces {
		hits, err := db.List[int64](ctx, tx, `SELECT seq FROM case_gram WHERE city_id = $1 AND gram = $2 ORDER BY seq DESC LIMIT $3`, city, g, most)
		if err != nil {
			return nil, "", err
		}
		if len(hits) < most {
			seqs, piece, most = hits, g, max(len(hits), 1)
		}
	}
	return seqs, piece, nil
}
