// Package audit keeps what was done, by whom and when, so that it cannot be quietly changed.
//
// Every act is one entry in the chain of its subject (a case, a person, a pack): the entry's hash covers the hash before
// it, so a changed, removed or inserted entry shows. Chains are per subject, so that no chain is a lock for the whole
// city. A job appends the heads of the chains that moved to a Merkle log of the city, whose root is published; an export
// can be checked offline against a root written down earlier. The timeline a case shows is the entries of its subject.
//
// Personal data never stand in an entry in the clear: they are given as salted hashes (Fingerprint).
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

// Act is what happened to a subject.
type Act struct {
	Subject string // "case:ID", "person:ID", …
	Act     string // the verb: "case.open", "staff.grant"
	Public  bool   // may be shown to the resident concerned (names of staff never are)
	Body    any    // facts, JSON-encodable without floating point numbers; nil for none
}

// Entry is one kept act.
type Entry struct {
	City      int           `db:"city_id" json:"city"`
	ID        string        `db:"id" json:"id"`
	Subject   string        `db:"subject" json:"subject"`
	Seq       int64         `db:"seq" json:"seq"`
	At        civil.Instant `db:"at" json:"at"`
	Act       string        `db:"act" json:"act"`
	Actor     string        `db:"actor" json:"actor"`
	ActorName string        `db:"actor_name" json:"-"`
	Org       string        `db:"org" json:"org"`
	Door      actor.Door    `db:"door" json:"door"`
	Public    bool          `db:"public" json:"public"`
	Body      string        `db:"body" json:"body"` // canonical JSON of the hashed content
	Prev      string        `db:"prev" json:"prev"`
	Hash      string        `db:"hash" json:"hash"`
}

// content is what an entry's hash covers.
type content struct {
	City    int             `json:"city"`
	ID      string          `json:"id"`
	Subject string          `json:"subject"`
	Seq     int64           `json:"seq"`
	At      int64           `json:"at"`
	Act     string          `json:"act"`
	Actor   string          `json:"actor"`
	Org     string          `json:"org"`
	Door    string          `json:"door"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// Data decodes the facts of the entry into v.
func (e Entry) Data(v any) error {
	var c content
	if err := json.Unmarshal([]byte(e.Body), &c); err != nil {
		return fmt.Errorf("read entry %s: %w", e.ID, err)
	}
	if len(c.Data) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.Data, v); err != nil {
		return fmt.Errorf("read entry %s: %w", e.ID, err)
	}
	return nil
}

type head struct {
	Seq  int64  `db:"seq"`
	Hash string `db:"hash"`
}

// Record appends an act to its subject's chain, in the caller's transaction. Two writers on one chain: the second one's
// transaction runs again (db.ErrRetry).
func Record(ctx context.Context, tx *db.Tx, by actor.Actor, city int, act Act) error {
	_, err := RecordID(ctx, tx, by, city, act)
	return err
}

// RecordID is Record that gives the entry.
func RecordID(ctx context.Context, tx *db.Tx, by actor.Actor, city int, act Act) (Entry, error) {
	h, found, err := db.Maybe[head](ctx, tx, `SELECT seq, hash FROM chain_head WHERE city_id = $1 AND subject = $2`, city, act.Subject)
	if err != nil {
		return Entry{}, fmt.Errorf("read chain head: %w", err)
	}
	e := Entry{
		City: city, ID: tx.NewID(), Subject: act.Subject, Seq: h.Seq + 1, At: tx.Now, Act: act.Act, Actor: by.ID,
		ActorName: by.Name, Org: by.Org, Door: by.Door, Public: act.Public, Prev: h.Hash,
	}
	if err := e.seal(act.Body); err != nil {
		return Entry{}, err
	}
	if err := moveHead(ctx, tx, e, found); err != nil {
		return Entry{}, err
	}
	if err := db.Insert(ctx, tx, "entry", &e); err != nil {
		return Entry{}, fmt.Errorf("append entry: %w", err)
	}
	return e, nil
}

func (e *Entry) seal(data any) error {
	c := content{
		City: e.City, ID: e.ID, Subject: e.Subject, Seq: e.Seq, At: int64(e.At), Act: e.Act, Actor: e.Actor,
		Org: e.Org, Door: string(e.Door),
	}
	if data != nil {
		raw, err := json.Marshal(data)
		if err != nil {
			return fmt.Errorf("encode %s: %w", e.Act, err)
		}
		c.Data = raw
	}
	b, err := Canonical(c)
	if err != nil {
		return fmt.Errorf("encode %s: %w", e.Act, err)
	}
	e.Body, e.Hash = string(b), Link(e.Prev, string(b))
	return nil
}

// Link is the hash of an entry: SHA-256 over the hash before it, a newline and its canonical body, in hex.
func Link(prev, body string) string {
	h := sha256.New()
	h.Write([]byte(prev))
	h.Write([]byte{'\n'})
	h.Write([]byte(body))
	return hex.EncodeToString(h.Sum(nil))
}

func moveHead(ctx context.Context, tx *db.Tx, e Entry, exists bool) error {
	var n int64
	var err error
	if exists {
		n, err = db.Exec(ctx, tx, `UPDATE chain_head SET seq = $3, hash = $4 WHERE city_id = $1 AND subject = $2 AND seq = $5`,
			e.City, e.Subject, e.Seq, e.Hash, e.Seq-1)
	} else {
		n, err = db.Exec(ctx, tx, `INSERT INTO chain_head (city_id, subject, seq, hash) VALUES ($1, $2, $3, $4)
			ON CONFLICT (city_id, subject) DO NOTHING`, e.City, e.Subject, e.Seq, e.Hash)
	}
	if err != nil {
		return fmt.Errorf("move chain head: %w", err)
	}
	if n == 0 {
		return db.ErrRetry
	}
	return nil
}

// History lists the entries of a subject from a sequence number on, oldest first.
func History(ctx context.Context, tx *db.Tx, city int, subject string, after int64) ([]Entry, error) {
	return db.List[Entry](ctx, tx, `SELECT `+db.Columns[Entry]("")+` FROM entry
		WHERE city_id = $1 AND subject = $2 AND seq > $3 ORDER BY seq`, city, subject, after)
}

// Untold lists, oldest first, the entries that those outside have not been told of yet, of at most so many chains. What it
// misses is told next time: a chain stands still in the list until MarkTold, however late its entries were committed.
func Untold(ctx context.Context, tx *db.Tx, city, chains int) ([]Entry, error) {
	out, err := db.List[Entry](ctx, tx, `SELECT `+db.Columns[Entry]("e")+` FROM
		(SELECT city_id, subject, told FROM chain_head WHERE city_id = $1 AND told < seq ORDER BY subject LIMIT $2) h
		JOIN entry e ON e.city_id = h.city_id AND e.subject = h.subject AND e.seq > h.told WHERE e.city_id = $1 ORDER BY e.id`, city, chains)
	if err != nil {
		return nil, fmt.Errorf("list untold entries: %w", err)
	}
	return out, nil
}

// MarkTold notes that those outside were told of entries that Untold gave, in the transaction that tells it.
func MarkTold(ctx context.Context, tx *db.Tx, city int, entries []Entry) error {
	upto := map[string]int64{}
	for _, e := range entries {
		upto[e.Subject] = max(upto[e.Subject], e.Seq)
	}
	for _, subject := range slices.Sorted(maps.Keys(upto)) { // in one order, so that two of them cannot wait for each other
		_, err := db.Exec(ctx, tx, `UPDATE chain_head SET told = $3 WHERE city_id = $1 AND subject = $2 AND told < $3`, city, subject, upto[subject])
		if err != nil {
			return fmt.Errorf("mark %s told: %w", subject, err)
		}
	}
	return nil
}

// PassTold marks at most so many chains told where there is nobody to tell, and gives how many they were.
func PassTold(ctx context.Context, tx *db.Tx, city, chains int) (int64, error) {
	n, err := db.Exec(ctx, tx, `UPDATE chain_head SET told = seq WHERE city_id = $1 AND told < seq AND subject IN
		(SELECT subject FROM chain_head WHERE city_id = $1 AND told < seq ORDER BY subject LIMIT $2)`, city, chains)
	if err != nil {
		return 0, fmt.Errorf("pass untold chains: %w", err)
	}
	return n, nil
}

// Filter narrows the audit list; empty fields do not.
type Filter struct {
	Subject string        `json:"subject" form:"subject"`
	Actor   string        `json:"actor" form:"actor"`
	Act     string        `json:"act" form:"act"`
	From    civil.Instant `json:"from" form:"from"`
	To      civil.Instant `json:"to" form:"to"`
	page.Request
}

// List shows the newest entries first, for those who may read the audit.
func List(ctx context.Context, tx *db.Tx, by actor.Actor, city int, f Filter) (page.Of[Entry], error) {
	if err := by.May(actor.AuditRead, actor.On{City: city}); err != nil {
		return page.Of[Entry]{}, err
	}
	before := "~" // sorts after every id
	if f.After != "" {
		if err := page.Decode(f.After, &before); err != nil {
			return page.Of[Entry]{}, err
		}
	}
	to := f.To
	if to.IsZero() {
		to = civil.Instant(1<<62 - 1)
	}
	rows, err := db.List[Entry](ctx, tx, `SELECT `+db.Columns[Entry]("")+` FROM entry
		WHERE city_id = $1 AND id < $2 AND ($3 = '' OR subject = $3) AND ($4 = '' OR actor = $4) AND ($5 = '' OR act = $5)
		AND at >= $6 AND at < $7 ORDER BY id DESC LIMIT $8`,
		city, before, f.Subject, f.Actor, f.Act, int64(f.From), int64(to), f.Limit()+1)
	if err != nil {
		return page.Of[Entry]{}, fmt.Errorf("list audit: %w", err)
	}
	return page.Cut(rows, f.Request, func(e Entry) []any { return []any{e.ID} }), nil
}

// Fingerprint is a salted hash of a personal value, so that an entry can prove which value was meant without showing it.
// The salt is the subject's id.
func Fingerprint(subject, value string) string {
	if value == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(subject + "\x00" + value))
	return hex.EncodeToString(sum[:16])
}

// Check recomputes a chain and says where it breaks: entries must be those of one subject in order, starting at seq 1.
func Check(entries []Entry) error {
	var c Chain
	for _, e := range entries {
		if err := c.Add(e); err != nil {
			return err
		}
	}
	return nil
}
