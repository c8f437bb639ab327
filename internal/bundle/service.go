package bundle

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/settle"
)

// Options set up a Service.
type Options struct {
	DB      *db.DB
	Ring    *secret.Ring
	Program string                          // name and version, written into the header
	Values  func(city int) []citypack.Value // the city pack's values; nil = the file carries none

	// For files about money; without them there are none.
	Settle *settle.Service
	Places *place.Service
	Fees   *fee.Service
	// Approval gives the city's approval of a value; nil where there is none.
	Approval func(ctx context.Context, tx *db.Tx, city int, path string) (*citypack.Approval, error)
}

// Service offers the use cases.
type Service struct{ o Options }

// New makes the service.
func New(o Options) *Service { return &Service{o: o} }

// batch is how many chains are read in one transaction: a reader on a slow line must not hold a snapshot for hours.
const batch = 100

// Export writes the chains that a request asks for. The export itself is an act.
func (s *Service) Export(ctx context.Context, by actor.Actor, in Request, w io.Writer) error {
	if err := by.May(actor.AuditRead, actor.On{City: in.City}); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	key, err := s.key(ctx)
	if err != nil {
		return err
	}
	err = db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		return audit.Record(ctx, tx, by, in.City, audit.Act{Subject: fmt.Sprintf("city:%d", in.City), Act: "audit.export", Body: in})
	})
	if err != nil {
		return err
	}
	e := export{service: s, in: in, w: newWriter(w, auditFormat), leaf: -1}
	if err := e.open(ctx, key); err != nil {
		return err
	}
	for len(e.places) > 0 {
		n := min(batch, len(e.places))
		_, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (struct{}, error) { return struct{}{}, e.chains(ctx, tx, e.places[:n]) })
		if err != nil {
			return err
		}
		e.places = e.places[n:]
	}
	if err := e.rules(); err != nil {
		return err
	}
	return e.w.close(key)
}

func (r Request) check() error {
	var c fault.Check
	c.That(r.City >= 0, "city", "field.required")
	c.That(r.To.IsZero() || r.From.Before(r.To), "to", "bundle.period")
	for _, n := range r.Roots {
		c.That(n > 0, "roots", "bundle.bad_root", "root", n)
	}
	return c.Err()
}

// Root is the present root of a city's log, signed, for the page that publishes it. It needs no right: it says nothing.
func (s *Service) Root(ctx context.Context, city int) (SignedRoot, error) {
	key, err := s.key(ctx)
	if err != nil {
		return SignedRoot{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (SignedRoot, error) { return signRoot(ctx, tx, city, key) })
}

// Rewrap puts the signing key under the keyring's current key, as secret.Rotate does for the keys of persons.
func (s *Service) Rewrap(ctx context.Context) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error { return rewrapKeys(ctx, tx, s.o.Ring) })
}

// key opens the signing key, or makes it at the first use.
func (s *Service) key(ctx context.Context) (ed25519.PrivateKey, error) {
	type found struct {
		key ed25519.PrivateKey
		ok  bool
	}
	find := func(tx *db.Tx) (found, error) {
		key, ok, err := findKey(ctx, tx, s.o.Ring)
		return found{key, ok}, err
	}
	f, err := db.Read(ctx, s.o.DB, find)
	if err != nil || f.ok {
		return f.key, err
	}
	_, fresh, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (ed25519.PrivateKey, error) {
		if f, err := find(tx); err != nil || f.ok { // another process was first
			return f.key, err
		}
		return fresh, insertKey(ctx, tx, s.o.Ring, fresh)
	})
}

func signRoot(ctx context.Context, tx *db.Tx, city int, key ed25519.PrivateKey) (SignedRoot, error) {
	root, err := audit.CurrentRoot(ctx, tx, city)
	if err != nil {
		return SignedRoot{}, err
	}
	hash, err := tlog.ParseHash(root.Hash)
	if err != nil {
		return SignedRoot{}, fmt.Errorf("read the log root: %w", err)
	}
	out := SignedRoot{City: city, Size: root.Size, Hash: hash, At: root.At, Key: publicText(key)}
	out.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, out.message()))
	return out, nil
}

// export is a file being written.
type export struct {
	service *Service
	in      Request
	w       *writer
	root    SignedRoot
	places  []chainAt
	leaf    int64
	logged  map[string]int64 // heads of the leaf that was written last
	values  map[string]citypack.Value
	used    []citypack.Value
}

// known reads the values of the city's pack that entries may name.
func (e *export) known() {
	e.values = map[string]citypack.Value{}
	if e.service.o.Values != nil {
		for _, v := range e.service.o.Values(e.in.City) {
			e.values[v.Path] = v
		}
	}
}

// open fixes the root, lists the chains and writes the header.
func (e *export) open(ctx context.Context, key ed25519.PrivateKey) error {
	e.known()
	h, err := db.Read(ctx, e.service.o.DB, func(tx *db.Tx) (Header, error) { return e.headerIn(ctx, tx, key, auditFormat, true) })
	if err != nil {
		return err
	}
	return e.w.write(line{Header: &h})
}

func (e *export) headerIn(ctx context.Context, tx *db.Tx, key ed25519.PrivateKey, format string, chains bool) (Header, error) {
	root, err := signRoot(ctx, tx, e.in.City, key)
	if err != nil {
		return Header{}, err
	}
	e.root = root
	h := Header{Format: format, Version: formatVersion, City: e.in.City, Program: e.service.o.Program, At: tx.Now, Root: root}
	for _, size := range e.in.Roots {
		if size > root.Size {
			return h, fault.New(fault.Invalid, "bundle.root_ahead", "have", root.Size, "want", size)
		}
		proof, err := audit.ProveRoot(ctx, tx, e.in.City, root.Size, size)
		if err != nil {
			return h, err
		}
		h.Earlier = append(h.Earlier, Earlier{Size: size, Proof: proof})
	}
	if chains {
		e.places, err = plan(ctx, tx, e.in, root.Size)
	}
	return h, err
}

func (e *export) chains(ctx context.Context, tx *db.Tx, places []chainAt) error {
	for _, p := range places {
		if p.leaf != e.leaf {
			if err := e.openLeaf(ctx, tx, p.leaf); err != nil {
				return err
			}
		}
		if err := e.chain(ctx, tx, p.subject); err != nil {
			return fmt.Errorf("export %s: %w", p.subject, err)
		}
	}
	return nil
}

func (e *export) openLeaf(ctx context.Context, tx *db.Tx, idx int64) error {
	leaf, err := audit.LeafAt(ctx, tx, e.in.City, idx)
	if err != nil {
		return err
	}
	proof, err := audit.ProveLeaf(ctx, tx, e.in.City, e.root.Size, idx)
	if err != nil {
		return err
	}
	e.leaf, e.logged = idx, make(map[string]int64, len(leaf.Heads))
	for _, h := range leaf.Heads {
		e.logged[h.Subject] = h.Seq
	}
	return e.w.write(line{Leaf: &leafLine{Idx: idx, Body: leaf.Body, Proof: proof}})
}

func (e *export) chain(ctx context.Context, tx *db.Tx, subject string) error {
	head := headLine{Subject: subject, Logged: e.logged[subject]}
	err := eachEntry(ctx, tx, e.in.City, subject, func(a audit.Entry) error {
		head.Seq, head.Hash = a.Seq, a.Hash
		e.note(a.Body)
		out := entryOf(a)
		return e.w.write(line{Entry: &out})
	})
	if err != nil {
		return err
	}
	return e.w.write(line{Head: &head})
}

// note remembers the values of the city pack that an entry names by their path. A body that cannot be read is exported as
// it is; whoever verifies the file sees that it is broken.
func (e *export) note(body string) {
	var v any
	if len(e.values) > 0 && json.Unmarshal([]byte(body), &v) == nil {
		e.find(v)
	}
}

// rules writes the values that were named.
func (e *export) rules() error {
	slices.SortFunc(e.used, func(a, b citypack.Value) int { return strings.Compare(a.Path, b.Path) })
	for i := range e.used {
		if err := e.w.write(line{Rule: &e.used[i]}); err != nil {
			return err
		}
	}
	return nil
}

func (e *export) find(v any) {
	switch x := v.(type) {
	case string:
		if value, ok := e.values[x]; ok {
			e.used = append(e.used, value)
			delete(e.values, x)
		}
	case []any:
		for _, i := range x {
			e.find(i)
		}
	case map[string]any:
		for _, i := range x {
			e.find(i)
		}
	}
}
