package notice

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

func columns() string { return db.Columns[Notice]("") }

// insert adds a message; another transaction that told the same matter first makes this one run again and find it.
func insert(ctx context.Context, tx *db.Tx, n Notice) error {
	err := db.Insert(ctx, tx, "notice", n)
	if db.IsUnique(err) {
		return fmt.Errorf("tell matter %s: %w", n.Matter, db.ErrRetry)
	}
	if err != nil {
		return fmt.Errorf("keep notice: %w", err)
	}
	return nil
}

func byMatter(ctx context.Context, tx *db.Tx, city int, matter string) (Notice, bool, error) {
	return db.Maybe[Notice](ctx, tx, `SELECT `+columns()+` FROM notice WHERE city_id = $1 AND matter = $2`, city, matter)
}

func find(ctx context.Context, tx *db.Tx, city int, id string) (Notice, error) {
	n, err := db.One[Notice](ctx, tx, `SELECT `+columns()+` FROM notice WHERE city_id = $1 AND id = $2`, city, id)
	if err != nil {
		return n, fmt.Errorf("find notice %s: %w", id, err)
	}
	return n, nil
}

// move applies an event of the life cycle to the version that was seen.
func move(ctx context.Context, tx *db.Tx, n Notice, version int64, e Event, reason string) (Notice, error) {
	step, err := Lifecycle.Next(n.State, e)
	if err != nil {
		return n, err
	}
	n.State, n.Reason = step.To, reason
	switch step.To {
	case Sent:
		n.SentAt = tx.Now
	case Delivered:
		n.DeliveredAt = tx.Now
	case Queued, Failed, Held, Dropped:
	}
	if e != Switch { // whatever becomes of it, nobody reads it again
		n.Private = ""
	}
	err = db.Guarded(ctx, tx, `UPDATE notice SET state = $4, reason = $5, gateway_id = $6, sent_at = $7, delivered_at = $8, channel = $9, recipient = $10,
		other_channel = $11, other_to = $12, tried = $13, parts = $14, price = $15, private = $16, sent_key = $17, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3`, n.City, n.ID, version, string(n.State), n.Reason, n.GatewayID, n.SentAt, n.DeliveredAt,
		string(n.Channel), n.Recipient, string(n.OtherWay), n.OtherTo, string(n.Tried), n.Parts, n.Price, n.Private, n.SentKey)
	n.Version = version + 1
	return n, err
}

// recall drops what waits of the matters that begin with a prefix.
func recall(ctx context.Context, tx *db.Tx, city int, prefix, reason string) error {
	_, err := db.Exec(ctx, tx, `UPDATE notice SET state = 'dropped', reason = $3, private = '', version = version + 1
		WHERE city_id = $1 AND state = 'queued' AND matter LIKE $2`, city, prefix+"%", reason)
	if err != nil {
		return fmt.Errorf("recall %s: %w", prefix, err)
	}
	return nil
}

func countAttempt(ctx context.Context, tx *db.Tx, n Notice) error {
	return db.Guarded(ctx, tx, `UPDATE notice SET attempts = attempts + 1, version = version + 1 WHERE city_id = $1 AND id = $2 AND version = $3`,
		n.City, n.ID, n.Version)
}

func list(ctx context.Context, tx *db.Tx, city int, f Filter) ([]Notice, error) {
	before, err := cursor(f.Request)
	if err != nil {
		return nil, err
	}
	from, until := int64(0), int64(math.MaxInt64) // an instant of zero would be no value at all
	if !f.From.IsZero() {
		from = int64(f.From.Start())
	}
	if !f.To.IsZero() {
		until = int64(f.To.End())
	}
	rows, err := db.List[Notice](ctx, tx, `SELECT `+db.Columns[Notice]("n")+` FROM notice n WHERE n.city_id = $1 AND n.id < $2 AND ($3 = '' OR n.state = $3)
		AND ($4 = '' OR n.channel = $4) AND ($5 = '' OR n.subject = $5) AND n.created_at >= $6 AND n.created_at < $7
		AND ($8 = '' OR EXISTS (SELECT 1 FROM notice_question q WHERE q.city_id = n.city_id AND q.notice_id = n.id
			AND (($8 = 'answered' AND q.answer <> '') OR ($8 = 'open' AND q.answered_at IS NULL))))
		ORDER BY n.id DESC LIMIT $9`,
		city, before, string(f.State), string(f.Channel), f.Subject, from, until, f.Answer, f.Limit()+1)
	if err != nil {
		return nil, fmt.Errorf("list notices: %w", err)
	}
	return rows, nil
}

// count counts the messages in a state, up to a bound.
func count(ctx context.Context, tx *db.Tx, city int, state State, most int) (int, error) {
	n, err := db.One[int](ctx, tx, `SELECT COUNT(*) FROM (SELECT id FROM notice WHERE city_id = $1 AND state = $2 LIMIT $3) AS waiting`, city, string(state), most)
	if err != nil {
		return 0, fmt.Errorf("count notices: %w", err)
	}
	return n, nil
}

// questionsOf finds the questions that messages ask, by message.
func questionsOf(ctx context.Context, tx *db.Tx, city int, views []View) (map[string]Question, error) {
	out := map[string]Question{}
	if len(views) == 0 {
		return out, nil
	}
	args, marks := []any{city}, make([]string, len(views))
	for i, v := range views {
		args = append(args, v.ID)
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	rows, err := db.List[Question](ctx, tx, `SELECT `+questionColumns()+` FROM notice_question WHERE city_id = $1 AND notice_id IN (`+strings.Join(marks, ", ")+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("list questions: %w", err)
	}
	for _, q := range rows {
		out[q.Notice] = q
	}
	return out, nil
}

func cursor(r page.Request) (string, error) {
	before := "~"
	if r.After == "" {
		return before, nil
	}
	return before, page.Decode(r.After, &before)
}

func listOf(ctx context.Context, tx *db.Tx, city int, subject string) ([]Notice, error) {
	rows, err := db.List[Notice](ctx, tx, `SELECT `+columns()+` FROM notice WHERE city_id = $1 AND subject = $2 ORDER BY id`, city, subject)
	if err != nil {
		return nil, fmt.Errorf("list notices of %s: %w", subject, err)
	}
	return rows, nil
}

func inbox(ctx context.Context, tx *db.Tx, city int, org string, roles []string, r page.Request) ([]Notice, error) {
	before, err := cursor(r)
	if err != nil {
		return nil, err
	}
	args := []any{city, before, org, r.Limit() + 1}
	marks := make([]string, len(roles))
	for i, role := range roles {
		args = append(args, role)
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	rows, err := db.List[Notice](ctx, tx, `SELECT `+columns()+` FROM notice WHERE city_id = $1 AND id < $2 AND (org = '' OR org = $3)
		AND role <> '' AND role IN (`+strings.Join(marks, ", ")+`) ORDER BY id DESC LIMIT $4`, args...)
	if err != nil {
		return nil, fmt.Errorf("list the inbox: %w", err)
	}
	return rows, nil
}

func questionColumns() string { return db.Columns[Question]("") }

func insertQuestion(ctx context.Context, tx *db.Tx, q Question) error {
	if err := db.Insert(ctx, tx, "notice_question", q); err != nil {
		return fmt.Errorf("keep question: %w", err)
	}
	return nil
}

func questionOf(ctx context.Context, tx *db.Tx, city int, noticeID string) (Question, bool, error) {
	return db.Maybe[Question](ctx, tx, `SELECT `+questionColumns()+` FROM notice_question WHERE city_id = $1 AND notice_id = $2`, city, noticeID)
}

func findQuestion(ctx context.Context, tx *db.Tx, city int, id string) (Question, error) {
	return db.One[Question](ctx, tx, `SELECT `+questionColumns()+` FROM notice_question WHERE city_id = $1 AND id = $2`, city, id)
}

// openQuestions lists the questions that a person may still answer.
func openQuestions(ctx context.Context, tx *db.Tx, city int, person string) ([]Question, error) {
	out, err := db.List[Question](ctx, tx, `SELECT `+questionColumns()+` FROM notice_question
		WHERE city_id = $1 AND person = $2 AND answered_at IS NULL AND expires_at > $3 ORDER BY id`, city, person, tx.Now)
	if err != nil {
		return nil, fmt.Errorf("list open questions: %w", err)
	}
	return out, nil
}

// answerQuestion writes the first answer down; a second one finds none left to give.
func answerQuestion(ctx context.Context, tx *db.Tx, q Question) error {
	n, err := db.Exec(ctx, tx, `UPDATE notice_question SET answered_at = $3, answer = $4, door = $5
		WHERE city_id = $1 AND id = $2 AND answered_at IS NULL`, q.City, q.ID, q.Answered, q.Answer, string(q.Door))
	if err != nil {
		return fmt.Errorf("answer question %s: %w", q.ID, err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "notice.answered")
	}
	return nil
}

func withdrawQuestions(ctx context.Context, tx *db.Tx, city int, ref string, at civil.Instant) error {
	_, err := db.Exec(ctx, tx, `UPDATE notice_question SET answered_at = $3, door = 'withdrawn'
		WHERE city_id = $1 AND ref = $2 AND answered_at IS NULL`, city, ref, at)
	if err != nil {
		return fmt.Errorf("withdraw questions of %s: %w", ref, err)
	}
	return nil
}

// SentIn is when and how a message left, or was told by staff; the zero instant as long as it was not.
func SentIn(ctx context.Context, tx *db.Tx, city int, id string) (civil.Instant, Channel, error) {
	n, ok, err := db.Maybe[Notice](ctx, tx, `SELECT `+columns()+` FROM notice WHERE city_id = $1 AND id = $2 AND state IN ('sent', 'delivered')`, city, id)
	if err != nil || !ok {
		return 0, "", err
	}
	return n.SentAt, n.Channel, nil
}

// costs adds up the parts that left between two instants.
func costs(ctx context.Context, tx *db.Tx, city int, from, until civil.Instant) ([]Cost, error) {
	out, err := db.List[Cost](ctx, tx, `SELECT channel, class, price, COUNT(*) AS messages, SUM(parts) AS parts FROM notice
		WHERE city_id = $1 AND sent_at >= $2 AND sent_at < $3 AND parts > 0 GROUP BY channel, class, price ORDER BY channel, class, price`, city, from, until)
	if err != nil {
		return nil, fmt.Errorf("add up what messages cost: %w", err)
	}
	return out, nil
}
