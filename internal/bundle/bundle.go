// Package bundle gives away what was done about a case, a person or a whole city in a file that anyone can check offline:
// a resident's lawyer, an auditor, the company that was blamed.
//
// An export is JSON Lines, each line an object with one key. First the header: city, instant, public key and the signed
// root of the city's Merkle log. Then whole chains, grouped by the log leaf that holds their last logged head: the leaf
// with its proof of inclusion, the entries of a chain, its head; chains that the log does not hold yet stand before the
// first leaf. Then the values of the city pack that the entries name, the totals, and last an Ed25519 signature over the
// SHA-256 of every byte before it. Verify needs the file only; it remembers one leaf and one entry at a time, so that a
// season of a city is checked in little memory.
//
// What is proved: no entry of an exported chain was changed, removed from its middle, added or moved since it was
// sealed, and the log only grew since a root that the reader wrote down earlier. That the end of a chain was not cut off
// needs the log itself: Inspect checks that in the database.
package bundle

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

const (
	auditFormat   = "rehu-audit"
	formatVersion = 1
)

// Request says which chains to export: those of Subjects, or those of a kind ("case", "person"; empty is all) that moved
// in a period (zero ends are open). A chain is always exported whole.
type Request struct {
	City     int           `json:"city" form:"-"`
	Subjects []string      `json:"subjects,omitempty" form:"subject"`
	Kind     string        `json:"kind,omitempty" form:"kind"`
	From     civil.Instant `json:"from" form:"from"`
	To       civil.Instant `json:"to" form:"to"`
	Roots    []int64       `json:"roots,omitempty" form:"root"` // sizes of roots written down earlier that the file shall prove
}

// SignedRoot is the state of a city's log, signed: what is published and written down.
type SignedRoot struct {
	City      int           `json:"city"`
	Size      int64         `json:"size"`
	Hash      tlog.Hash     `json:"hash"`
	At        civil.Instant `json:"at"`
	Key       string        `json:"key"` // Ed25519 public key, base64
	Signature string        `json:"signature"`
}

// String is the root in the form that ParseRoot reads.
func (r SignedRoot) String() string { return fmt.Sprintf("%d:%s", r.Size, r.Hash) }

func (r SignedRoot) message() []byte {
	return fmt.Appendf(nil, "rehu audit root v1\n%d %d %s\n", r.City, r.Size, r.Hash)
}

// Verify reports whether the root's own key signed it.
func (r SignedRoot) Verify() bool { return signed(r.Key, r.message(), r.Signature) }

// Root is a state of the log that somebody wrote down earlier.
type Root struct {
	Size int64
	Hash tlog.Hash
}

// ParseRoot reads a root written down as SIZE:HASH.
func ParseRoot(s string) (Root, error) {
	size, hash, _ := strings.Cut(strings.TrimSpace(s), ":")
	n, err := strconv.ParseInt(size, 10, 64)
	h, hashErr := tlog.ParseHash(hash)
	if err != nil || n < 0 || hashErr != nil {
		return Root{}, fault.New(fault.Invalid, "bundle.bad_root", "root", s)
	}
	return Root{Size: n, Hash: h}, nil
}

// Header opens an export.
type Header struct {
	Format  string        `json:"format"`
	Version int           `json:"version"`
	City    int           `json:"city"`
	Program string        `json:"program"`
	At      civil.Instant `json:"at"`
	Scope   *Scope        `json:"scope,omitempty"` // of a file about money
	Root    SignedRoot    `json:"root"`
	Earlier []Earlier     `json:"earlier,omitempty"`
}

// Earlier proves that the log at Root continues the log of an earlier size.
type Earlier struct {
	Size  int64          `json:"size"`
	Proof tlog.TreeProof `json:"proof"`
}

// leafLine is a leaf of the log with the proof that it stands under the header's root.
type leafLine struct {
	Idx   int64            `json:"idx"`
	Body  string           `json:"body"`
	Proof tlog.RecordProof `json:"proof"`
}

// entryLine is one entry as kept, so that a column changed in the database shows against the sealed body.
type entryLine struct {
	ID      string        `json:"id"`
	Subject string        `json:"subject"`
	Seq     int64         `json:"seq"`
	At      civil.Instant `json:"at"`
	Act     string        `json:"act"`
	Actor   string        `json:"actor"`
	Org     string        `json:"org"`
	Door    string        `json:"door"`
	Body    string        `json:"body"`
	Prev    string        `json:"prev"`
	Hash    string        `json:"hash"`
}

// headLine ends a chain. Logged is the sequence number up to which the leaf before it holds the chain, 0 for not yet.
type headLine struct {
	Subject string `json:"subject"`
	Seq     int64  `json:"seq"`
	Hash    string `json:"hash"`
	Logged  int64  `json:"logged"`
}

// endLine counts the lines and holds the SHA-256 of each sort of line, so that a difference can be placed.
type endLine struct {
	Chains   int64             `json:"chains"`
	Entries  int64             `json:"entries"`
	Leaves   int64             `json:"leaves"`
	Rules    int64             `json:"rules"`
	Claims   int64             `json:"claims,omitempty"`
	Sections map[string]string `json:"sections"`
}

type signatureLine struct {
	SHA256  string `json:"sha256"` // of every byte before this line
	Ed25519 string `json:"ed25519"`
}

// line is any line; exactly one field is set.
type line struct {
	Header *Header         `json:"header,omitempty"`
	Leaf   *leafLine       `json:"leaf,omitempty"`
	Entry  *entryLine      `json:"entry,omitempty"`
	Head   *headLine       `json:"head,omitempty"`
	Rule   *citypack.Value `json:"rule,omitempty"`

	Terms      *termsLine      `json:"terms,omitempty"`
	Home       *homeLine       `json:"home,omitempty"`
	Settlement *settlementLine `json:"settlement,omitempty"`
	Claim      *claimLine      `json:"claim,omitempty"`
	Total      *totalLine      `json:"total,omitempty"`
	Books      *booksLine      `json:"books,omitempty"`

	End       *endLine       `json:"end,omitempty"`
	Signature *signatureLine `json:"signature,omitempty"`
}

// section names the sort of a line; empty when not exactly one field is set.
func (l line) section() string {
	name, set := "", 0
	for _, f := range []struct {
		name string
		is   bool
	}{
		{"header", l.Header != nil},
		{"leaves", l.Leaf != nil},
		{"chains", l.Entry != nil},
		{"chains", l.Head != nil},
		{"rules", l.Rule != nil},
		{"money", l.Terms != nil},
		{"money", l.Home != nil},
		{"money", l.Settlement != nil},
		{"money", l.Claim != nil},
		{"money", l.Total != nil},
		{"money", l.Books != nil},
		{"end", l.End != nil},
		{"signature", l.Signature != nil},
	} {
		if f.is {
			name = f.name
			set++
		}
	}
	if set != 1 {
		return ""
	}
	return name
}

// sections are the sorts of lines whose digests the end line of a format holds.
func sections(format string) []string {
	if format == refundFormat {
		return []string{"header", "leaves", "chains", "rules", "money"}
	}
	return []string{"header", "leaves", "chains", "rules"}
}

// exportMessage is what the signature of a file signs.
func exportMessage(sum string) []byte { return []byte("rehu audit export v1\n" + sum + "\n") }

// signed reports whether a public key (base64) signed a message.
func signed(key string, message []byte, signature string) bool {
	k, err := base64.StdEncoding.Strict().DecodeString(key)
	if err != nil || len(k) != ed25519.PublicKeySize {
		return false
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(signature)
	return err == nil && ed25519.Verify(k, message, sig)
}

func entryOf(e audit.Entry) entryLine {
	return entryLine{
		ID: e.ID, Subject: e.Subject, Seq: e.Seq, At: e.At, Act: e.Act, Actor: e.Actor, Org: e.Org, Door: string(e.Door),
		Body: e.Body, Prev: e.Prev, Hash: e.Hash,
	}
}
