package channel

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

func messageColumns() string { return db.Columns[Message]("") }

// insertMessage adds a message; another transaction that kept the same one first makes this one run again and find it.
func insertMessage(ctx context.Context, tx *db.Tx, m Message) error {
	err := db.Insert(ctx, tx, "channel_message", m)
	if db.IsUnique(err) {
		return fmt.Errorf("keep message %s: %w", m.External, db.ErrRetry)
	}
	if err != nil {
		return fmt.Errorf("keep message: %w", err)
	}
	return nil
}

func byExternal(ctx context.Context, tx *db.Tx, in Incoming) (Message, bool, error) {
	return db.Maybe[Message](ctx, tx, `SELECT `+messageColumns()+` FROM channel_message
		WHERE city_id = $1 AND channel = $2 AND account = $3 AND external_id = $4`, in.City, string(in.Channel), in.Account, in.ID)
}

// knownIDs tells which of a batch's ids the account of its first message brought before, and with which words.
func knownIDs(ctx context.Context, tx *db.Tx, first Incoming, ids []string) (map[string]string, error) {
	args := []any{first.City, string(first.Channel), first.Account}
	marks := make([]string, len(ids))
	for i, id := range ids {
		args = append(args, id)
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	rows, err := db.List[struct {
		ID   string `db:"external_id"`
		Text string `db:"text"`
	}](ctx, tx, `SELECT external_id, text FROM channel_message
		WHERE city_id = $1 AND channel = $2 AND account = $3 AND external_id IN (`+strings.Join(marks, ", ")+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("look for repeats: %w", err)
	}
	known := make(map[string]string, len(ids))
	for _, r := range rows {
		known[r.ID] = r.Text
	}
	return known, nil
}

func findMessage(ctx context.Context, tx *db.Tx, city int, id string) (Message, error) {
	m, err := db.One[Message](ctx, tx, `SELECT `+messageColumns()+` FROM channel_message WHERE city_id = $1 AND id = $2`, city, id)
	if err != nil {
		return m, fmt.Errorf("find message %s: %w", id, err)
	}
	return m, nil
}

// moveMessage applies an event of the life cycle to the version that was seen.
func moveMessage(ctx context.Context, tx *db.Tx, m Message, e Move, reason string) error {
	step, err := Inward.Next(m.State, e)
	if err != nil {
		return err
	}
	return db.Guarded(ctx, tx, `UPDATE channel_message SET state = $4, reason = $5, attempts = attempts + 1, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3`, m.City, m.ID, m.Version, string(step.To), reason)
}

func linkMessage(ctx context.Context, tx *db.Tx, city int, id, clueID, caseID string) error {
	return db.Guarded(ctx, tx, `UPDATE channel_message SET clue_id = CASE WHEN $3 = '' THEN clue_id ELSE $3 END,
		case_id = CASE WHEN $4 = '' THEN case_id ELSE $4 END, version = version + 1 WHERE city_id = $1 AND id = $2`, city, id, clueID, caseID)
}

func listMessages(ctx context.Context, tx *db.Tx, city int, f Filter) ([]Message, error) {
	before, err := cursor(f.Request)
	if err != nil {
		return nil, err
	}
	rows, err := db.List[Message](ctx, tx, `SELECT `+messageColumns()+` FROM channel_message WHERE city_id = $1 AND id < $2
		AND ($3 = '' OR channel = $3) AND ($4 = '' OR account = $4) AND ($5 = '' OR state = $5) ORDER BY id DESC LIMIT $6`,
		city, before, string(f.Channel), f.Account, string(f.State), f.Limit()+1)
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	return rows, nil
}

func messagesOf(ctx context.Context, tx *db.Tx, city int, clueID, caseID string) ([]Message, error) {
	rows, err := db.List[Message](ctx, tx, `SELECT `+messageColumns()+` FROM channel_message WHERE city_id = $1
		AND ((clue_id = $2 AND $2 <> '') OR (case_id = $3 AND $3 <> '')) ORDER BY id`, city, clueID, caseID)
	if err != nil {
		return nil, fmt.Errorf("list messages of a matter: %w", err)
	}
	return rows, nil
}

func cursor(r page.Request) (string, error) {
	before := "~"
	if r.After == "" {
		return before, nil
	}
	return before, page.Decode(r.After, &before)
}

// insertNonce uses a nonce up; false when it was used before.
func insertNonce(ctx context.Context, tx *db.Tx, nonce Nonce, at int64) (bool, error) {
	n, err := db.Exec(ctx, tx, `INSERT INTO channel_nonce (city_id, channel, account, nonce, seen_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (city_id, channel, account, nonce) DO NOTHING`, nonce.City, nonce.Channel, nonce.Account, nonce.Word, at)
	if err != nil {
		return false, fmt.Errorf("use a nonce: %w", err)
	}
	return n == 1, nil
}

// forgetNonces drops nonces whose proofs are too old to be used again anyway, a few at a time.
func forgetNonces(ctx context.Context, tx *db.Tx, city int, before int64) error {
	_, err := db.Exec(ctx, tx, `DELETE FROM channel_nonce WHERE city_id = $1 AND seen_at < $2 AND nonce IN
		(SELECT nonce FROM channel_nonce WHERE city_id = $1 AND seen_at < $2 LIMIT 20)`, city, before)
	if err != nil {
		return fmt.Errorf("forget nonces: %w", err)
	}
	return nil
}

// count is one line of what went through the accounts.
type count struct {
	Channel string `db:"channel"`
	Account string `db:"account"`
	N       int    `db:"n"`
	Failed  int    `db:"failed"`
}

// todays counts what went through every account since an instant; what waits for a person counts whenever it came.
func todays(ctx context.Context, tx *db.Tx, city int, since civil.Instant) (map[string]Today, error) {
	out := map[string]Today{}
	in, err := db.List[count](ctx, tx, `SELECT channel, account, SUM(CASE WHEN received_at >= $2 THEN 1 ELSE 0 END) AS n,
		SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) AS failed FROM channel_message
		WHERE city_id = $1 AND (received_at >= $2 OR state = 'failed') GROUP BY channel, account`, city, int64(since))
	if err != nil {
		return nil, fmt.Errorf("count messages: %w", err)
	}
	for _, c := range in {
		out[c.Channel+"/"+c.Account] = Today{In: c.N, Failed: c.Failed}
	}
	gone, err := db.List[count](ctx, tx, `SELECT channel, account, SUM(CASE WHEN state = 'sent' AND sent_at >= $2 THEN 1 ELSE 0 END) AS n,
		SUM(CASE WHEN state IN ('failed', 'held') THEN 1 ELSE 0 END) AS failed FROM channel_reply
		WHERE city_id = $1 AND (created_at >= $2 OR state IN ('failed', 'held')) GROUP BY channel, account`, city, int64(since))
	if err != nil {
		return nil, fmt.Errorf("count answers: %w", err)
	}
	for _, c := range gone {
		t := out[c.Channel+"/"+c.Account]
		t.Out, t.Failed = c.N, t.Failed+c.Failed
		out[c.Channel+"/"+c.Account] = t
	}
	return out, nil
}

func recentOf(ctx context.Context, tx *db.Tx, city int, person string, most int) ([]Message, error) {
	rows, err := db.List[Message](ctx, tx, `SELECT `+messageColumns()+` FROM channel_message WHERE city_id = $1 AND person = $2
		AND case_id <> '' ORDER BY id DESC LIMIT $3`, city, person, most)
	if err != nil {
		return nil, fmt.Errorf("list a writer's messages: %w", err)
	}
	return rows, nil
}
