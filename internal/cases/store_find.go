package cases

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

// A search for words goes over candidates: the cases that hold every piece by the packed index, and those that are not
// packed yet. Their texts decide. However many candidates there are, one page looks at so many and says where it stopped.
const (
	firstLooked = 150 // candidates at once, in the beginning: common words fill a page with them
	thenLooked  = 800
	fewLeft     = 8 // of a part, on average
)

// finder gives the candidates of a search, newest first.
type finder struct {
	city   int
	pieces []string
	parts  []postings // newest first
	window int        // how many parts are read at once next
	loose  []int64    // not packed yet, rising
	got    []int64    // of the parts at hand, rising
}

// postings are the rows of the packed index that cover the same days: how many cases each piece has there.
type postings struct {
	part int64
	n    map[string]int64
}

type postingSize struct {
	Gram string `db:"gram"`
	Part int64  `db:"part"`
	N    int64  `db:"n"`
}

// widest is how many parts are read at once at most: where few cases hold a query, the page is behind many of them.
const widest = 32

func newFinder(ctx context.Context, tx *db.Tx, city int, pieces []string) (*finder, error) {
	f := &finder{city: city, pieces: pieces, window: 1}
	var err error
	if f.loose, err = db.List[int64](ctx, tx, `SELECT seq FROM case_unindexed WHERE city_id = $1 ORDER BY seq`, city); err != nil {
		return nil, fmt.Errorf("search cases: %w", err)
	}
	q := inCity(city)
	q.in("gram", pieces)
	sizes, err := db.List[postingSize](ctx, tx, `SELECT gram, part, n FROM case_posting WHERE city_id = $1 AND `+q.text()+` ORDER BY part DESC, gram`, q.args...)
	if err != nil {
		return nil, fmt.Errorf("search cases: %w", err)
	}
	for len(sizes) > 0 {
		p := postings{part: sizes[0].Part, n: make(map[string]int64, len(pieces))}
		for len(sizes) > 0 && sizes[0].Part == p.part {
			p.n[sizes[0].Gram] = sizes[0].N
			sizes = sizes[1:]
		}
		if len(p.n) == len(pieces) { // else no packed case of these days holds all of them
			f.parts = append(f.parts, p)
		}
	}
	return f, nil
}

// next gives up to most candidates below a number, falling. The numbers of later calls must fall too.
func (f *finder) next(ctx context.Context, tx *db.Tx, below int64, most int) ([]int64, error) {
	var out []int64
	f.loose = under(f.loose, below)
	f.got = under(f.got, below)
	for len(out) < most {
		for len(f.got) == 0 && len(f.parts) > 0 {
			if f.parts[0].part*daysOfPart >= below {
				f.parts = f.parts[1:]
				continue
			}
			n := min(f.window, len(f.parts))
			got, err := f.read(ctx, tx, f.parts[:n])
			if err != nil {
				return nil, err
			}
			f.got, f.parts, f.window = under(got, below), f.parts[n:], min(2*f.window, widest)
		}
		a, b := last(f.got), last(f.loose)
		if a < 0 && b < 0 {
			break
		}
		if a >= b {
			f.got = f.got[:len(f.got)-1]
		}
		if b >= a {
			f.loose = f.loose[:len(f.loose)-1]
		}
		out = append(out, max(a, b))
	}
	return out, nil
}

type postingRow struct {
	Part int64  `db:"part"`
	Seqs []byte `db:"seqs"`
}

// read gives the cases of some parts, newest first, that may hold every piece: a piece at a time, the rarest first.
func (f *finder) read(ctx context.Context, tx *db.Tx, parts []postings) ([]int64, error) {
	total := func(g string) (n int64) {
		for _, p := range parts {
			n += p.n[g]
		}
		return n
	}
	grams := slices.SortedFunc(slices.Values(f.pieces), func(a, b string) int { return cmp.Compare(total(a), total(b)) })
	left := map[int64][]int64{} // by part
	for _, p := range parts {
		left[p.part] = nil
	}
	for i, g := range grams {
		rows, err := db.List[postingRow](ctx, tx, `SELECT part, seqs FROM case_posting WHERE city_id = $1 AND gram = $2 AND part >= $3 AND part <= $4`,
			f.city, g, parts[len(parts)-1].part, parts[0].part)
		if err != nil {
			return nil, fmt.Errorf("search cases: %w", err)
		}
		n := 0
		for _, r := range rows {
			seqs, has := left[r.Part]
			switch {
			case !has:
				continue // another piece is missing there
			case i == 0:
				seqs = unpack(r.Seqs)
			default:
				seqs = both(seqs, unpack(r.Seqs))
			}
			left[r.Part] = seqs
			n += len(seqs)
		}
		if n == 0 || i > 1 && n < fewLeft*len(parts) { // the texts of so few are read sooner than more rows
			break
		}
	}
	var out []int64
	for _, p := range slices.Backward(parts) {
		out = append(out, left[p.part]...)
	}
	return out, nil
}

// under cuts a rising list below a number.
func under(seqs []int64, below int64) []int64 {
	n, _ := slices.BinarySearch(seqs, below)
	return seqs[:n]
}

func last(seqs []int64) int64 {
	if len(seqs) == 0 {
		return -1
	}
	return seqs[len(seqs)-1]
}

// among is the condition that a case is one of these.
func among(seqs []int64) string {
	marks := make([]string, len(seqs))
	for i, n := range seqs {
		marks[i] = strconv.FormatInt(n, 10)
	}
	return ` AND c.seq IN (` + strings.Join(marks, ", ") + `)`
}

// found is the page of a search, newest first.
func (q *sqlOf) found(ctx context.Context, tx *db.Tx, find *finder, f Filter) (page.Of[Case], error) {
	below := int64(math.MaxInt64)
	if f.After != "" {
		var key int64
		if err := page.Decode(f.After, &key, &below); err != nil {
			return page.Of[Case]{}, err
		}
	}
	need, looked, most := f.Limit()+1, 0, min(firstLooked, q.look)
	var rows []Case
	for len(rows) < need && looked < q.look {
		seqs, err := find.next(ctx, tx, below, most)
		if err != nil {
			return page.Of[Case]{}, err
		}
		if len(seqs) == 0 {
			return f.cut(rows), nil
		}
		hits, err := db.List[Case](ctx, tx, q.rows()+among(seqs)+` ORDER BY c.seq DESC LIMIT `+strconv.Itoa(need-len(rows)), q.args...)
		if err != nil {
			return page.Of[Case]{}, fmt.Errorf("search cases: %w", err)
		}
		rows, below, looked, most = append(rows, hits...), seqs[len(seqs)-1], looked+len(seqs), min(thenLooked, q.look)
	}
	if len(rows) >= need {
		return f.cut(rows), nil
	}
	return page.Of[Case]{Items: rows, Next: page.Encode(int64(0), below), Short: true}, nil
}

// counted is how many cases a search finds, as far as one look goes.
func (q *sqlOf) counted(ctx context.Context, tx *db.Tx, find *finder) (Total, error) {
	var n int64
	below, most := int64(math.MaxInt64), min(firstLooked, q.look)
	for looked := 0; looked < q.look && n <= mostCounted; {
		seqs, err := find.next(ctx, tx, below, most)
		if err != nil || len(seqs) == 0 {
			return Total{N: n}, err
		}
		hits, err := db.One[int64](ctx, tx, `SELECT COUNT(*) FROM case_file c WHERE c.city_id = $1 AND `+q.text()+among(seqs), q.args...)
		if err != nil {
			return Total{}, fmt.Errorf("count cases: %w", err)
		}
		n, below, looked, most = n+hits, seqs[len(seqs)-1], looked+len(seqs), min(thenLooked, q.look)
	}
	return Total{N: min(n, mostCounted), More: true}, nil
}

// each hands every case of a search on, newest first.
func (q *sqlOf) each(ctx context.Context, tx *db.Tx, find *finder, fn func(Case) error) error {
	for below := int64(math.MaxInt64); ; {
		seqs, err := find.next(ctx, tx, below, thenLooked)
		if err != nil || len(seqs) == 0 {
			return err
		}
		if err := db.Each(ctx, tx, fn, q.rows()+among(seqs)+` ORDER BY c.seq DESC`, q.args...); err != nil {
			return fmt.Errorf("search cases: %w", err)
		}
		below = seqs[len(seqs)-1]
	}
}

type dueRow struct {
	Due int64 `db:"due_sort"`
	Seq int64 `db:"seq"`
}

// foundByDue is the page of a search among the open cases, nearest deadline first.
func (q *sqlOf) foundByDue(ctx context.Context, tx *db.Tx, find *finder, f Filter) (page.Of[Case], error) {
	open := inCity(find.city)
	open.and("c.open")
	if err := open.after(f); err != nil {
		return page.Of[Case]{}, err
	}
	list, err := db.List[dueRow](ctx, tx, `SELECT c.due_sort, c.seq FROM case_file c WHERE c.city_id = $1 AND `+open.text()+` ORDER BY c.due_sort, c.seq`, open.args...)
	if err != nil {
		return page.Of[Case]{}, fmt.Errorf("search cases: %w", err)
	}
	if list, err = find.keep(ctx, tx, list); err != nil {
		return page.Of[Case]{}, err
	}
	need, looked, most := f.Limit()+1, 0, min(firstLooked, q.look)
	var rows []Case
	for len(list) > 0 && len(rows) < need {
		n := min(most, len(list))
		if looked += n; looked > q.look {
			return page.Of[Case]{Items: rows, Next: page.Encode(list[0].Due, list[0].Seq-1), Short: true}, nil
		}
		seqs := make([]int64, n)
		for i, r := range list[:n] {
			seqs[i] = r.Seq
		}
		hits, err := db.List[Case](ctx, tx, q.rows()+among(seqs)+` ORDER BY c.due_sort, c.seq LIMIT `+strconv.Itoa(need-len(rows)), q.args...)
		if err != nil {
			return page.Of[Case]{}, fmt.Errorf("search cases: %w", err)
		}
		rows, list, most = append(rows, hits...), list[n:], min(thenLooked, q.look)
	}
	return f.cut(rows), nil
}

// keep leaves the candidates among some cases, in their order.
func (f *finder) keep(ctx context.Context, tx *db.Tx, list []dueRow) ([]dueRow, error) {
	if len(list) == 0 {
		return nil, nil
	}
	open := make([]int64, len(list)) // falling, like the candidates
	for i, r := range list {
		open[i] = r.Seq
	}
	slices.SortFunc(open, falling)
	var kept []int64
	for below := open[0] + 1; len(open) > 0; {
		f.window = widest
		seqs, err := f.next(ctx, tx, below, 100*thenLooked)
		if err != nil {
			return nil, err
		}
		if len(seqs) == 0 {
			break
		}
		below = seqs[len(seqs)-1]
		for _, n := range seqs {
			for len(open) > 0 && open[0] > n {
				open = open[1:]
			}
			if len(open) > 0 && open[0] == n {
				kept = append(kept, n)
			}
		}
	}
	return slices.DeleteFunc(list, func(r dueRow) bool {
		_, has := slices.BinarySearchFunc(kept, r.Seq, falling)
		return !has
	}), nil
}

func falling(a, b int64) int { return cmp.Compare(b, a) }
