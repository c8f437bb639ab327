package knowledge

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

func columns() string { return db.Columns[Version]("v") }

// live are the versions in force at $2: published, in effect, and no newer one is.
const live = `v.state = 'published' AND v.effective_at <= $2 AND NOT EXISTS (SELECT 1 FROM article_version n
	WHERE n.city_id = v.city_id AND n.article_id = v.article_id AND n.no > v.no AND n.state = 'published' AND n.effective_at <= $2)`

func insertArticle(ctx context.Context, tx *db.Tx, a Article) error {
	return wrap(db.Insert(ctx, tx, "article", a), "add article")
}

func findArticle(ctx context.Context, tx *db.Tx, city int, id string) (Article, error) {
	a, err := db.One[Article](ctx, tx, `SELECT `+db.Columns[Article]("")+` FROM article WHERE city_id = $1 AND id = $2`, city, id)
	return a, wrap(err, "find article "+id)
}

func hasCode(ctx context.Context, tx *db.Tx, city int, code string) (bool, error) {
	_, ok, err := db.Maybe[string](ctx, tx, `SELECT id FROM article WHERE city_id = $1 AND code = $2`, city, code)
	return ok, wrap(err, "find article by code")
}

// nextNo draws the number of an article's next version; Conflict while another version is being written or reviewed.
func nextNo(ctx context.Context, tx *db.Tx, city int, id string) (Article, error) {
	a, err := findArticle(ctx, tx, city, id)
	if err != nil {
		return a, err
	}
	_, open, err := db.Maybe[int](ctx, tx, `SELECT no FROM article_version WHERE city_id = $1 AND article_id = $2
		AND state IN ('draft', 'review') LIMIT 1`, city, id)
	if err != nil {
		return a, wrap(err, "find open drafts")
	}
	if open {
		return a, fault.New(fault.Conflict, "knowledge.draft_open")
	}
	err = db.Guarded(ctx, tx, `UPDATE article SET last_no = last_no + 1, version = version + 1 WHERE city_id = $1 AND id = $2 AND version = $3`,
		city, id, a.Version)
	a.LastNo++
	return a, err
}

func insertVersion(ctx context.Context, tx *db.Tx, v Version) error {
	return wrap(db.Insert(ctx, tx, "article_version", v), "add article version")
}

func findVersion(ctx context.Context, tx *db.Tx, city int, article string, no int) (Version, error) {
	v, err := db.One[Version](ctx, tx, `SELECT `+columns()+` FROM article_version v WHERE v.city_id = $1 AND v.article_id = $2 AND v.no = $3`,
		city, article, no)
	return v, wrap(err, fmt.Sprintf("find article %s version %d", article, no))
}

func findLive(ctx context.Context, tx *db.Tx, city int, article string) (Version, bool, error) {
	return db.Maybe[Version](ctx, tx, `SELECT `+columns()+` FROM article_version v WHERE v.city_id = $1 AND `+live+` AND v.article_id = $3`, city, tx.Now, article)
}

// changeDraft writes a draft anew.
func changeDraft(ctx context.Context, tx *db.Tx, v Version, seen int64) (Version, error) {
	categories, err := jsonList(v.Categories)
	if err != nil {
		return v, err
	}
	mustRead, err := jsonList(v.MustRead)
	if err != nil {
		return v, err
	}
	err = db.Guarded(ctx, tx, `UPDATE article_version SET title_zh = $5, title_en = $6, answer_zh = $7, answer_en = $8, hint_zh = $9, hint_en = $10,
		source = $11, words = $12, categories = $13, must_read = $14, search = $15, review_on = $16, author = $17, version = version + 1
		WHERE city_id = $1 AND article_id = $2 AND no = $3 AND version = $4 AND state = 'draft'`,
		v.City, v.Article, v.No, seen, v.TitleZH, v.TitleEN, v.AnswerZH, v.AnswerEN, v.HintZH, v.HintEN, v.Source, v.Words,
		categories, mustRead, v.Search, v.ReviewOn, v.Author)
	v.Version = seen + 1
	return v, err
}

// jsonList writes a list as the JSON columns hold it: nothing for an empty one.
func jsonList[T any](list []T) (any, error) {
	if len(list) == 0 {
		return nil, nil
	}
	b, err := json.Marshal(list)
	return string(b), wrap(err, "encode a list")
}

func changeState(ctx context.Context, tx *db.Tx, v Version, seen int64) (Version, error) {
	err := db.Guarded(ctx, tx, `UPDATE article_version SET state = $5, effective_at = $6, reviewer = $7, reason = $8, decided_at = $9,
		version = version + 1 WHERE city_id = $1 AND article_id = $2 AND no = $3 AND version = $4`,
		v.City, v.Article, v.No, seen, string(v.State), v.Effective, v.Reviewer, v.Reason, v.Decided)
	v.Version = seen + 1
	return v, err
}

// withdrawOthers ends the article's other published versions.
func withdrawOthers(ctx context.Context, tx *db.Tx, v Version) error {
	_, err := db.Exec(ctx, tx, `UPDATE article_version SET state = 'withdrawn', reason = $4, reviewer = $5, decided_at = $6, version = version + 1
		WHERE city_id = $1 AND article_id = $2 AND no <> $3 AND state = 'published'`, v.City, v.Article, v.No, v.Reason, v.Reviewer, v.Decided)
	return wrap(err, "withdraw article "+v.Article)
}

func list(ctx context.Context, tx *db.Tx, city int, f Filter) ([]Version, error) {
	article, no := "~", 0
	if f.After != "" {
		if err := page.Decode(f.After, &article, &no); err != nil {
			return nil, err
		}
	}
	rows, err := db.List[Version](ctx, tx, `SELECT `+columns()+` FROM article_version v WHERE v.city_id = $1 AND (v.article_id, v.no) < ($2, $3)
		AND ($4 = '' OR v.state = $4) AND ($5 = '' OR v.kind = $5) ORDER BY v.article_id DESC, v.no DESC LIMIT $6`,
		city, article, no, string(f.State), string(f.Kind), f.Limit()+1)
	return rows, wrap(err, "list articles")
}

// versionsOf lists the versions of an article, the newest first.
func versionsOf(ctx context.Context, tx *db.Tx, city int, article string) ([]Version, error) {
	rows, err := db.List[Version](ctx, tx, `SELECT `+columns()+` FROM article_version v WHERE v.city_id = $1 AND v.article_id = $2 ORDER BY v.no DESC`,
		city, article)
	return rows, wrap(err, "list versions of article "+article)
}

// search finds versions in force that have every term, and one of the categories where there are any.
func search(ctx context.Context, tx *db.Tx, q Query, categories, terms []string) ([]Version, error) {
	args := []any{q.City, tx.Now, string(q.Kind)}
	var where strings.Builder
	where.WriteString(` AND ($3 = '' OR v.kind = $3)`)
	var either []string
	for _, c := range categories {
		args = append(args, like(`"`+c+`"`))
		either = append(either, fmt.Sprintf(`v.categories LIKE $%d ESCAPE '!'`, len(args)))
	}
	if len(either) > 0 {
		where.WriteString(" AND (" + strings.Join(either, " OR ") + ")")
	}
	for _, t := range terms {
		args = append(args, like(t))
		fmt.Fprintf(&where, ` AND v.search LIKE $%d ESCAPE '!'`, len(args))
	}
	rows, err := db.List[Version](ctx, tx, `SELECT `+columns()+` FROM article_version v WHERE v.city_id = $1 AND `+live+where.String()+` ORDER BY v.article_id`, args...)
	return rows, wrap(err, "search articles")
}

func like(s string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s) + "%"
}

func countMiss(ctx context.Context, tx *db.Tx, city int, query string) error {
	if r := []rune(query); len(r) > 40 {
		query = string(r[:40])
	}
	_, err := db.Exec(ctx, tx, `INSERT INTO article_miss (city_id, day, query, times) VALUES ($1, $2, $3, 1)
		ON CONFLICT (city_id, day, query) DO UPDATE SET times = article_miss.times + 1`, city, tx.Now.Date(), query)
	return wrap(err, "note a search in vain")
}

func misses(ctx context.Context, tx *db.Tx, city int, day civil.Date) ([]Miss, error) {
	rows, err := db.List[Miss](ctx, tx, `SELECT query, times FROM article_miss WHERE city_id = $1 AND day = $2 ORDER BY times DESC, query LIMIT 200`, city, day)
	return rows, wrap(err, "list searches in vain")
}

// unreadBy lists versions in force that somebody must read and the person has not.
func unreadBy(ctx context.Context, tx *db.Tx, city int, person string) ([]Version, error) {
	rows, err := db.List[Version](ctx, tx, `SELECT `+columns()+` FROM article_version v WHERE v.city_id = $1 AND `+live+` AND v.must_read IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM article_receipt r WHERE r.city_id = v.city_id AND r.article_id = v.article_id AND r.no = v.no AND r.person = $3)
		ORDER BY v.effective_at, v.article_id`, city, tx.Now, person)
	return rows, wrap(err, "list what must be read")
}

// insertReceipt is false when there was a receipt already.
func insertReceipt(ctx context.Context, tx *db.Tx, r Receipt) (bool, error) {
	n, err := db.Exec(ctx, tx, `INSERT INTO article_receipt (city_id, article_id, no, person, org, read_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (city_id, article_id, no, person) DO NOTHING`, r.City, r.Article, r.No, r.Person, r.Org, r.ReadAt)
	return n == 1, wrap(err, "add receipt")
}

func receiptsOf(ctx context.Context, tx *db.Tx, city int, article string, no int) ([]Receipt, error) {
	rows, err := db.List[Receipt](ctx, tx, `SELECT `+db.Columns[Receipt]("")+` FROM article_receipt
		WHERE city_id = $1 AND article_id = $2 AND no = $3 ORDER BY read_at`, city, article, no)
	return rows, wrap(err, "list receipts")
}

func insertFlag(ctx context.Context, tx *db.Tx, f Flag) error {
	return wrap(db.Insert(ctx, tx, "article_flag", f), "add flag")
}

func findFlag(ctx context.Context, tx *db.Tx, city int, id string) (Flag, error) {
	f, err := db.One[Flag](ctx, tx, `SELECT `+db.Columns[Flag]("")+` FROM article_flag WHERE city_id = $1 AND id = $2`, city, id)
	return f, wrap(err, "find flag "+id)
}

func openFlags(ctx context.Context, tx *db.Tx, city int) ([]Flag, error) {
	rows, err := db.List[Flag](ctx, tx, `SELECT `+db.Columns[Flag]("")+` FROM article_flag WHERE city_id = $1 AND settled_at IS NULL ORDER BY id`, city)
	return rows, wrap(err, "list flags")
}

func settleFlag(ctx context.Context, tx *db.Tx, f Flag, by, outcome string) error {
	return db.Guarded(ctx, tx, `UPDATE article_flag SET settled_at = $3, settled_by = $4, outcome = $5
		WHERE city_id = $1 AND id = $2 AND settled_at IS NULL`, f.City, f.ID, tx.Now, by, outcome)
}
