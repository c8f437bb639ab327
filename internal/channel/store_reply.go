package channel

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
)

func replyColumns() string { return db.Columns[Reply]("") }

// insertReply adds a reply; another transaction that wrote the same answer first makes this one run again and find it.
func insertReply(ctx context.Context, tx *db.Tx, r Reply) error {
	err := db.Insert(ctx, tx, "channel_reply", r)
	if db.IsUnique(err) {
		return fmt.Errorf("answer message %s: %w", r.Message, db.ErrRetry)
	}
	if err != nil {
		return fmt.Errorf("keep reply: %w", err)
	}
	return nil
}

func byKey(ctx context.Context, tx *db.Tx, city int, message, key string) (Reply, bool, error) {
	return db.Maybe[Reply](ctx, tx, `SELECT `+replyColumns()+` FROM channel_reply WHERE city_id = $1 AND message_id = $2 AND key = $3`, city, message, key)
}

func findReply(ctx context.Context, tx *db.Tx, city int, id string) (Reply, error) {
	r, err := db.One[Reply](ctx, tx, `SELECT `+replyColumns()+` FROM channel_reply WHERE city_id = $1 AND id = $2`, city, id)
	if err != nil {
		return r, fmt.Errorf("find reply %s: %w", id, err)
	}
	return r, nil
}

// moveReply applies an event of the life cycle to the version that was seen.
func moveReply(ctx context.Context, tx *db.Tx, r Reply, e Move, reason string) (Reply, error) {
	step, err := Outward.Next(r.State, e)
	if err != nil {
		return r, err
	}
	version := r.Version
	r.State, r.Reason, r.Version = step.To, reason, version+1
	if step.To == Sent {
		r.SentAt, r.Unsure = tx.Now, false
	}
	return r, db.Guarded(ctx, tx, `UPDATE channel_reply SET state = $4, reason = $5, gateway_id = $6, sent_at = $7, unsure = $8, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3`, r.City, r.ID, version, string(r.State), r.Reason, r.GatewayID, r.SentAt, r.Unsure)
}

// countAttempt notes that a reply is about to be handed over: from here on it may have been taken.
func countAttempt(ctx context.Context, tx *db.Tx, r Reply) error {
	return db.Guarded(ctx, tx, `UPDATE channel_reply SET attempts = attempts + 1, unsure = TRUE, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3`, r.City, r.ID, r.Version)
}

func clearUnsure(ctx context.Context, tx *db.Tx, r Reply) error {
	return db.Guarded(ctx, tx, `UPDATE channel_reply SET unsure = FALSE, version = version + 1 WHERE city_id = $1 AND id = $2 AND version = $3`,
		r.City, r.ID, r.Version)
}

func listReplies(ctx context.Context, tx *db.Tx, city int, f Filter) ([]Reply, error) {
	before, err := cursor(f.Request)
	if err != nil {
		return nil, err
	}
	rows, err := db.List[Reply](ctx, tx, `SELECT `+replyColumns()+` FROM channel_reply WHERE city_id = $1 AND id < $2
		AND ($3 = '' OR channel = $3) AND ($4 = '' OR account = $4) AND ($5 = '' OR state = $5) ORDER BY id DESC LIMIT $6`,
		city, before, string(f.Channel), f.Account, string(f.State), f.Limit()+1)
	if err != nil {
		return nil, fmt.Errorf("list replies: %w", err)
	}
	return rows, nil
}

func repliesOf(ctx context.Context, tx *db.Tx, city int, clueID, caseID string) ([]Reply, error) {
	rows, err := db.List[Reply](ctx, tx, `SELECT `+replyColumns()+` FROM channel_reply WHERE city_id = $1
		AND ((clue_id = $2 AND $2 <> '') OR (case_id = $3 AND $3 <> '')) ORDER BY id`, city, clueID, caseID)
	if err != nil {
		return nil, fmt.Errorf("list replies of a matter: %w", err)
	}
	return rows, nil
}
