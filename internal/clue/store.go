package clue

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

func columns(alias string) string { return db.Columns[Clue](alias) }

func insert(ctx context.Context, tx *db.Tx, c Clue) error {
	err := db.Insert(ctx, tx, "clue", c)
	if db.IsUnique(err) {
		return fmt.Errorf("take message %s: %w", c.Message, db.ErrRetry)
	}
	if err != nil {
		return fmt.Errorf("keep clue: %w", err)
	}
	return nil
}

func find(ctx context.Context, tx *db.Tx, city int, id string) (Clue, error) {
	c, err := db.One[Clue](ctx, tx, `SELECT `+columns("")+` FROM clue WHERE city_id = $1 AND id = $2`, city, id)
	if err != nil {
		return c, fmt.Errorf("find clue %s: %w", id, err)
	}
	return c, nil
}

func byMessage(ctx context.Context, tx *db.Tx, city int, message string) (Clue, bool, error) {
	return db.Maybe[Clue](ctx, tx, `SELECT `+columns("")+` FROM clue WHERE city_id = $1 AND message_id = $2`, city, message)
}

// byExternal finds the clue of a post by the channel's id.
func byExternal(ctx context.Context, tx *db.Tx, city int, channel, account, external string) (Clue, bool, error) {
	return db.Maybe[Clue](ctx, tx, `SELECT `+columns("c")+` FROM channel_message m JOIN clue c ON c.city_id = m.city_id AND c.message_id = m.id
		WHERE m.city_id = $1 AND m.channel = $2 AND m.account = $3 AND m.external_id = $4`, city, channel, account, external)
}

// sharing lists the first clues of groups that share a band with a text, the newest first.
func sharing(ctx context.Context, tx *db.Tx, c Clue, bands []int64, since civil.Instant) ([]Clue, error) {
	const most = 40
	args := []any{c.City, int64(since), most}
	marks := make([]string, len(bands))
	for i, b := range bands {
		args = append(args, b)
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	rows, err := db.List[Clue](ctx, tx, `SELECT `+columns("c")+` FROM clue c WHERE c.city_id = $1 AND c.id IN
		(SELECT k.clue_id FROM clue_key k WHERE k.city_id = $1 AND k.at >= $2 AND k.band IN (`+strings.Join(marks, ", ")+`))
		ORDER BY c.id DESC LIMIT $3`, args...)
	if err != nil {
		return nil, fmt.Errorf("look for copies: %w", err)
	}
	return rows, nil
}

func insertKeys(ctx context.Context, tx *db.Tx, c Clue, bands []int64) error {
	rows := make([][]any, 0, len(bands))
	seen := map[int64]bool{}
	for _, b := range bands {
		if !seen[b] {
			seen[b] = true
			rows = append(rows, []any{c.City, b, c.ID, int64(c.At)})
		}
	}
	if err := db.InsertRows(ctx, tx, "clue_key", []string{"city_id", "band", "clue_id", "at"}, rows); err != nil {
		return fmt.Errorf("keep what copies are found by: %w", err)
	}
	return nil
}

// byAuthor finds an earlier clue of the same author about the same place.
func byAuthor(ctx context.Context, tx *db.Tx, c Clue, since civil.Instant) (Clue, bool, error) {
	return db.Maybe[Clue](ctx, tx, `SELECT `+columns("")+` FROM clue WHERE city_id = $1 AND person = $2 AND community = $3 AND at >= $4 AND guess = 'heating'
		ORDER BY at DESC, id DESC LIMIT 1`, c.City, c.Person, c.Community, int64(since))
}

// byPlace finds an earlier clue about the same building and the same trouble.
func byPlace(ctx context.Context, tx *db.Tx, c Clue, since civil.Instant) (Clue, bool, error) {
	return db.Maybe[Clue](ctx, tx, `SELECT `+columns("")+` FROM clue WHERE city_id = $1 AND community = $2 AND building = $3 AND category = $4
		AND at >= $5 AND guess = 'heating' ORDER BY at DESC, id DESC LIMIT 1`, c.City, c.Community, c.Building, c.Category, int64(since))
}

func countCopy(ctx context.Context, tx *db.Tx, city int, first string) error {
	_, err := db.Exec(ctx, tx, `UPDATE clue SET copies = copies + 1, changed_at = $3 WHERE city_id = $1 AND id = $2`, city, first, int64(tx.Now))
	if err != nil {
		return fmt.Errorf("count a copy: %w", err)
	}
	return nil
}

// others lists the rest of a clue's group, those still undecided first.
func others(ctx context.Context, tx *db.Tx, c Clue) ([]Clue, error) {
	rows, err := db.List[Clue](ctx, tx, `SELECT `+columns("")+` FROM clue WHERE city_id = $1 AND group_id = $2 AND id <> $3
		ORDER BY CASE WHEN state = 'new' THEN 0 ELSE 1 END, id LIMIT $4`, c.City, c.Group, c.ID, mostOthers)
	if err != nil {
		return nil, fmt.Errorf("list a group: %w", err)
	}
	return rows, nil
}

// store writes what was decided about the version that was seen.
func store(ctx context.Context, tx *db.Tx, c Clue, version int64) error {
	return db.Guarded(ctx, tx, `UPDATE clue SET state = $4, reason = $5, case_id = $6, case_no = $7, decided_by = $8, decided_at = $9, offered_at = $10,
		changed_at = $11, version = version + 1 WHERE city_id = $1 AND id = $2 AND version = $3`,
		c.City, c.ID, version, string(c.State), c.Reason, c.Case, c.CaseNo, c.DecidedBy, c.DecidedAt, c.OfferedAt, tx.Now)
}

// storeReading writes how a clue is read, about the version that was seen.
func storeReading(ctx context.Context, tx *db.Tx, c Clue, version int64) error {
	return db.Guarded(ctx, tx, `UPDATE clue SET guess = $4, category = $5, urgency = $6, rank = $7, temperature = $8, community = $9, place = $10, district = $11,
		company = $12, building = $13, unit = $14, room = $15, changed_at = $16, version = version + 1 WHERE city_id = $1 AND id = $2 AND version = $3`,
		c.City, c.ID, version, string(c.Guess), c.Category, string(c.Urgency), c.Rank, c.Temperature, c.Community, c.Place, c.District,
		c.Company, c.Building, c.Unit, c.Room, c.ChangedAt)
}

func insertCorrection(ctx context.Context, tx *db.Tx, c Correction) error {
	if err := db.Insert(ctx, tx, "clue_correction", &c); err != nil {
		return fmt.Errorf("keep a correction: %w", err)
	}
	return nil
}

func corrections(ctx context.Context, tx *db.Tx, city int, id string) ([]Correction, error) {
	return db.List[Correction](ctx, tx, `SELECT `+db.Columns[Correction]("")+` FROM clue_correction WHERE city_id = $1 AND clue_id = $2 ORDER BY id`, city, id)
}

// changesAtOnce is how many changes one question gives.
const changesAtOnce = 500

func changes(ctx context.Context, tx *db.Tx, city int, since civil.Instant) ([]Changed, error) {
	rows, err := db.List[Changed](ctx, tx, `SELECT id, version, copies, changed_at FROM clue WHERE city_id = $1 AND changed_at >= $2 ORDER BY changed_at, id LIMIT $3`,
		city, int64(since), changesAtOnce)
	if err != nil {
		return nil, fmt.Errorf("ask what changed: %w", err)
	}
	return rows, nil
}

// answered notes an answer; the first one stays the first for the figures unless a closing asked for another.
func answered(ctx context.Context, tx *db.Tx, c Clue, at civil.Instant) error {
	_, err := db.Exec(ctx, tx, `UPDATE clue SET answered_at = COALESCE(answered_at, $3), offered_at = NULL, changed_at = $3, version = version + 1 WHERE city_id = $1 AND id = $2`,
		c.City, c.ID, int64(at))
	if err != nil {
		return fmt.Errorf("note an answer: %w", err)
	}
	return nil
}

func offer(ctx context.Context, tx *db.Tx, city int, file string) error {
	_, err := db.Exec(ctx, tx, `UPDATE clue SET offered_at = $3, changed_at = $3 WHERE city_id = $1 AND case_id = $2 AND case_id <> ''`, city, file, int64(tx.Now))
	return err
}

func caseByNo(ctx context.Context, tx *db.Tx, city int, no string) (string, bool, error) {
	return db.Maybe[string](ctx, tx, `SELECT id FROM case_file WHERE city_id = $1 AND no = $2`, city, no)
}

// owed are the clues whose authors wait for a word.
const owed = `(state IN ('confirmed', 'linked', 'rumour') AND (answered_at IS NULL OR offered_at > answered_at))`

func loads(ctx context.Context, tx *db.Tx, city int) (Loads, error) {
	out := Loads{ByState: map[State]int{}}
	rows, err := db.List[struct {
		State State `db:"state"`
		N     int   `db:"n"`
		Owed  int   `db:"owed"`
	}](ctx, tx, `SELECT state, count(*) AS n, SUM(CASE WHEN `+owed+` THEN 1 ELSE 0 END) AS owed FROM clue WHERE city_id = $1 GROUP BY state`, city)
	if err != nil {
		return out, fmt.Errorf("count clues: %w", err)
	}
	for _, r := range rows {
		out.ByState[r.State] = r.N
		out.Owed += r.Owed
	}
	return out, nil
}

// statistics counts the clues of a period by channel. The first reply is the first one that the channel took.
func statistics(ctx context.Context, tx *db.Tx, city int, from, to civil.Instant) ([]ByChannel, error) {
	const soon = 2 * 3_600_000
	rows, err := db.List[ByChannel](ctx, tx, `SELECT c.channel, count(*) AS n, SUM(CASE WHEN c.guess = 'heating' THEN 1 ELSE 0 END) AS heating,
		SUM(CASE WHEN c.state = 'new' THEN 1 ELSE 0 END) AS waiting, SUM(CASE WHEN c.state = 'confirmed' THEN 1 ELSE 0 END) AS confirmed,
		SUM(CASE WHEN c.state = 'linked' THEN 1 ELSE 0 END) AS linked, SUM(CASE WHEN c.state = 'not_heating' THEN 1 ELSE 0 END) AS not_heating,
		SUM(CASE WHEN c.state = 'rumour' THEN 1 ELSE 0 END) AS rumour, SUM(CASE WHEN c.state = 'spam' THEN 1 ELSE 0 END) AS spam,
		COUNT(r.sent) AS answered, SUM(CASE WHEN r.sent - c.at <= $4 THEN 1 ELSE 0 END) AS soon, COALESCE(SUM(r.sent - c.at), 0) AS took
		FROM clue c LEFT JOIN `+firstReply+` r ON r.city_id = c.city_id AND r.clue_id = c.id
		WHERE c.city_id = $1 AND c.at >= $2 AND c.at < $3 GROUP BY c.channel ORDER BY c.channel`, city, int64(from), int64(to), soon)
	if err != nil {
		return nil, fmt.Errorf("count clues by channel: %w", err)
	}
	middle, err := db.List[struct {
		Channel string `db:"channel"`
		Took    int64  `db:"took"`
	}](ctx, tx, `SELECT m.channel, m.took FROM (SELECT c.channel, r.sent - c.at AS took,
		ROW_NUMBER() OVER (PARTITION BY c.channel ORDER BY r.sent - c.at) AS nth, COUNT(*) OVER (PARTITION BY c.channel) AS n
		FROM clue c JOIN `+firstReply+` r ON r.city_id = c.city_id AND r.clue_id = c.id
		WHERE c.city_id = $1 AND c.at >= $2 AND c.at < $3) m WHERE m.nth = (m.n + 1) / 2`, city, int64(from), int64(to))
	if err != nil {
		return nil, fmt.Errorf("find the middle of the replies: %w", err)
	}
	for _, m := range middle {
		for i := range rows {
			if rows[i].Channel == m.Channel {
				rows[i].MedianMS = m.Took
			}
		}
	}
	return rows, nil
}

// firstReply is when each clue of the city was answered first: as sent, not as written.
const firstReply = `(SELECT city_id, clue_id, MIN(sent_at) AS sent FROM channel_reply WHERE city_id = $1 AND created_at >= $2 AND state = 'sent' AND clue_id <> ''
	GROUP BY city_id, clue_id)`

func list(ctx context.Context, tx *db.Tx, city int, f Filter) ([]Clue, error) {
	where := ""
	args := []any{city}
	add := func(cond string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			cond = strings.Replace(cond, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where += " AND " + cond
	}
	for _, one := range []struct{ column, value string }{
		{"state", string(f.State)},
		{"channel", string(f.Channel)},
		{"account", f.Account},
		{"guess", string(f.Guess)},
		{"urgency", string(f.Urgency)},
		{"community", f.Community},
		{"group_id", f.Group},
	} {
		if one.value != "" {
			add(one.column+" = ?", one.value)
		}
	}
	if f.Owed {
		add(owed)
	}
	if f.Said != "" {
		add(`text LIKE ? ESCAPE '\'`, "%"+strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(f.Said)+"%")
	}
	if !f.From.IsZero() {
		add("at >= ?", int64(f.From.Start()))
	}
	if !f.To.IsZero() {
		add("at < ?", int64(f.To.End()))
	}
	order, err := keyset(f, add)
	if err != nil {
		return nil, err
	}
	args = append(args, f.Limit()+1)
	rows, err := db.List[Clue](ctx, tx, `SELECT `+columns("")+` FROM clue WHERE city_id = $1`+where+order+fmt.Sprintf(" LIMIT $%d", len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("list clues: %w", err)
	}
	return rows, nil
}

// keyset goes on where the page before ended.
func keyset(f Filter, add func(cond string, values ...any)) (order string, err error) {
	if f.State != Undecided {
		before := "~"
		if f.After != "" {
			err = decode(f.After, &before)
		}
		add("id < ?", before)
		return " ORDER BY id DESC", err
	}
	if f.After == "" {
		return " ORDER BY rank, at, id", nil
	}
	var after queued
	err = decode(f.After, &after.rank, &after.at, &after.id)
	add("(rank, at, id) > (?, ?, ?)", after.rank, after.at, after.id)
	return " ORDER BY rank, at, id", err
}

// queued is a place in the queue.
type queued struct {
	rank int
	at   int64
	id   string
}
