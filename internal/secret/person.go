package secret

import (
	"context"
	"crypto/cipher"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Kinds of identity by which a person is found again.
const (
	Phone = "phone"
	Name  = "name"
	IDNo  = "id_no"
)

// Person is somebody whose data are kept, with their key opened. The zero value seals nothing.
type Person struct {
	City   int
	ID     string
	Erased bool
	aead   cipher.AEAD
}

type subjectRow struct {
	City    int           `db:"city_id"`
	ID      string        `db:"id"`
	Blind   string        `db:"blind"`
	Wrapped string        `db:"wrapped_key"`
	Created civil.Instant `db:"created_at"`
}

// Subject finds the person of a city by an identity such as a telephone, or makes one. The identity is normalised here.
// Without one (an anonymous caller) the person is always new.
func Subject(ctx context.Context, tx *db.Tx, ring *Ring, city int, kind, identity string) (Person, error) {
	identity = Normal(kind, identity)
	if identity == "" {
		id := tx.NewID()
		p, _, err := create(ctx, tx, ring, subjectRow{City: city, ID: id, Blind: "none:" + id})
		return p, err
	}
	blind := ring.Blind(kind, identity)
	row, known, err := find(ctx, tx, city, blind)
	if err != nil {
		return Person{}, err
	}
	if known {
		return open(ring, row)
	}
	p, made, err := create(ctx, tx, ring, subjectRow{City: city, ID: tx.NewID(), Blind: blind})
	if err != nil || made {
		return p, err
	}
	if row, known, err = find(ctx, tx, city, blind); err != nil { // another transaction was first
		return Person{}, err
	}
	if !known {
		return Person{}, db.ErrRetry
	}
	return open(ring, row)
}

func find(ctx context.Context, tx *db.Tx, city int, blind string) (subjectRow, bool, error) {
	return db.Maybe[subjectRow](ctx, tx, `SELECT city_id, id, wrapped_key FROM data_subject WHERE city_id = $1 AND blind = $2`, city, blind)
}

func create(ctx context.Context, tx *db.Tx, ring *Ring, row subjectRow) (Person, bool, error) {
	key := randomKey()
	aead, err := sealer(key)
	if err != nil {
		return Person{}, false, err
	}
	n, err := db.Exec(ctx, tx, `INSERT INTO data_subject (city_id, id, blind, wrapped_key, created_at)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT (city_id, blind) DO NOTHING`,
		row.City, row.ID, row.Blind, ring.Wrap(key, boundTo(row.City, row.ID)), int64(tx.Now))
	if err != nil {
		return Person{}, false, fmt.Errorf("keep a person: %w", err)
	}
	return Person{City: row.City, ID: row.ID, aead: aead}, n == 1, nil
}

// FindSubject is the id of the person with an identity; false when there is none.
func FindSubject(ctx context.Context, tx *db.Tx, ring *Ring, city int, kind, identity string) (string, bool, error) {
	identity = Normal(kind, identity)
	if identity == "" {
		return "", false, nil
	}
	row, known, err := find(ctx, tx, city, ring.Blind(kind, identity))
	return row.ID, known, err
}

// OpenSubject opens the key of one person.
func OpenSubject(ctx context.Context, tx *db.Tx, ring *Ring, city int, id string) (Person, error) {
	row, err := db.One[subjectRow](ctx, tx, `SELECT city_id, id, wrapped_key FROM data_subject WHERE city_id = $1 AND id = $2`, city, id)
	if err != nil {
		return Person{}, err
	}
	return open(ring, row)
}

// OpenSubjects opens the keys of many persons with one query for each few hundred of them. Ids that are not there are
// left out, empty ones passed over.
func OpenSubjects(ctx context.Context, tx *db.Tx, ring *Ring, city int, ids []string) (map[string]Person, error) {
	out := make(map[string]Person, len(ids))
	want := make([]string, 0, len(ids))
	for _, id := range ids {
		if _, twice := out[id]; id != "" && !twice {
			out[id] = Person{}
			want = append(want, id)
		}
	}
	clear(out)
	for len(want) > 0 {
		n := min(len(want), 512)
		if err := openSome(ctx, tx, ring, city, want[:n], out); err != nil {
			return nil, err
		}
		want = want[n:]
	}
	return out, nil
}

// openSome fills the list of ids up to a power of two, so that few different statements are prepared.
func openSome(ctx context.Context, tx *db.Tx, ring *Ring, city int, ids []string, out map[string]Person) error {
	n := 1
	for n < len(ids) {
		n *= 2
	}
	args := make([]any, 0, n+1)
	args = append(args, city)
	var marks strings.Builder
	for i := range n {
		args = append(args, ids[min(i, len(ids)-1)])
		if i > 0 {
			marks.WriteString(", ")
		}
		marks.WriteString("$" + strconv.Itoa(i+2))
	}
	return db.Each(ctx, tx, func(row subjectRow) error {
		p, err := open(ring, row)
		out[row.ID] = p
		return err
	}, `SELECT city_id, id, wrapped_key FROM data_subject WHERE city_id = $1 AND id IN (`+marks.String()+`)`, args...)
}

func open(ring *Ring, row subjectRow) (Person, error) {
	p := Person{City: row.City, ID: row.ID}
	if row.Wrapped == "" {
		p.Erased = true
		return p, nil
	}
	key, err := ring.Unwrap(row.Wrapped, boundTo(row.City, row.ID))
	if err != nil {
		return Person{}, fmt.Errorf("open the key of person %s: %w", row.ID, err)
	}
	p.aead, err = sealer(key)
	return p, err
}

func boundTo(city int, id string) string { return "person\x00" + strconv.Itoa(city) + "\x00" + id }

func (p Person) bound(field string) []byte {
	return []byte(strconv.Itoa(p.City) + "\x00" + p.ID + "\x00" + field)
}

// Seal encrypts a value for one field of this person; it opens for no other person and no other field. Empty stays empty.
// It panics on a person without a key, since storing the value in the clear or dropping it would both be wrong: callers
// check Erased where the person was not just found by Subject.
func (p Person) Seal(field, plain string) string {
	if plain == "" {
		return ""
	}
	if p.aead == nil {
		panic("secret: Seal for a person without a key")
	}
	return "p1." + base64.RawStdEncoding.EncodeToString(p.aead.Seal(nil, nil, []byte(plain), p.bound(field)))
}

// Open decrypts what Seal made. After erasure it is NotFound.
func (p Person) Open(field, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	if p.aead == nil {
		return "", fault.New(fault.NotFound, "secret.erased")
	}
	b64, ok := strings.CutPrefix(sealed, "p1.")
	if !ok {
		return "", fault.New(fault.Internal, "secret.unreadable")
	}
	b, err := base64.RawStdEncoding.DecodeString(b64)
	if err != nil {
		return "", fault.Wrap(err, fault.Internal, "secret.unreadable")
	}
	plain, err := p.aead.Open(nil, nil, b, p.bound(field))
	if err != nil {
		return "", fault.Wrap(err, fault.Internal, "secret.unreadable")
	}
	return string(plain), nil
}
