// Package blob keeps what residents and staff attach: photographs of a thermometer, of a burst pipe, of the slip left at
// a closed door, and scanned documents.
//
// Bytes are kept under their SHA-256, on disk or in an object store, and are written before the row that names them, so
// that a row never points at nothing. Photographs are checked by content, turned upright, made smaller and written anew,
// which leaves out where and with which telephone they were taken; the hash of what was received is kept beside.
package blob

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Limits of what is taken in.
const (
	MaxBytes       = 10 << 20
	maxJPEGPixels  = 50_000_000 // about 75 MB decoded
	maxOtherPixels = 24_000_000 // PNG and WebP take four to eight bytes a pixel
	longEdge       = 2048
	quality        = 85
)

// Photo is the purpose that takes images only; every other purpose also takes PDF documents.
const Photo = "photo"

// Voice is the purpose that takes recordings only, as telephones and WeChat make them (AMR, MP3). They are kept as they came.
const Voice = "voice"

// Blob is one attachment. Subject is what it belongs to, as in the audit chain: "case:ID".
type Blob struct {
	City      int           `db:"city_id" json:"city"`
	ID        string        `db:"id" json:"id"`
	Subject   string        `db:"subject" json:"-"`
	Purpose   string        `db:"purpose" json:"purpose"`
	Name      string        `db:"name" json:"name"`
	MediaType string        `db:"media_type" json:"media_type"`
	Size      int64         `db:"size" json:"size"`
	SHA256    string        `db:"sha256" json:"sha256"`
	Received  string        `db:"received" json:"received"` // SHA-256 of what was sent, before it was written anew
	Public    bool          `db:"public" json:"public"`
	CreatedAt civil.Instant `db:"created_at" json:"created_at"`
	CreatedBy string        `db:"created_by" json:"created_by"`
}

// Upload is an attachment as it comes in.
type Upload struct {
	City    int
	Subject string
	Purpose string
	Name    string
	Public  bool // residents may see it
	Reader  io.Reader
}

// Stored is an attachment whose bytes are safe and whose row is not written yet.
type Stored struct {
	blob Blob
}

// For says what the attachment belongs to, for owners that get their id only in the transaction.
func (s Stored) For(subject string) Stored {
	s.blob.Subject = subject
	return s
}

// SHA256 is the hash of the bytes that are kept, by which an owner knows an attachment that came before.
func (s Stored) SHA256() string { return s.blob.SHA256 }

// Service takes attachments in and gives them out.
type Service struct {
	d     *db.DB
	store Store
	turns chan struct{} // decoding takes memory: few at a time
}

// New makes the service.
func New(d *db.DB, store Store) *Service {
	return &Service{d: d, store: store, turns: make(chan struct{}, 2)}
}

// Store is where the bytes are, for backups.
func (s *Service) Store() Store { return s.store }

// Save takes an attachment in and keeps it. The owning capability has decided before that the actor may, and records
// the act with its own.
func (s *Service) Save(ctx context.Context, by actor.Actor, in Upload) (Blob, error) {
	kept, err := s.Keep(ctx, in)
	if err != nil {
		return Blob{}, err
	}
	return db.Write(ctx, s.d, func(tx *db.Tx) (Blob, error) { return s.SaveIn(ctx, tx, by, kept) })
}

// Keep checks an attachment and writes its bytes. It is called before the transaction that names them with SaveIn.
func (s *Service) Keep(ctx context.Context, in Upload) (Stored, error) {
	raw, err := readAll(in.Reader)
	if err != nil {
		return Stored{}, err
	}
	out, err := s.treat(ctx, raw, in.Purpose)
	if err != nil {
		return Stored{}, err
	}
	b := Blob{
		City: in.City, Subject: in.Subject, Purpose: in.Purpose, Public: in.Public, MediaType: out.media, Size: int64(len(out.bytes)),
		SHA256: sum(out.bytes), Received: sum(raw), Name: cleanName(in.Name, out.ext),
	}
	if err := s.store.Put(ctx, b.SHA256, bytes.NewReader(out.bytes)); err != nil {
		return Stored{}, fmt.Errorf("keep an attachment: %w", err)
	}
	return Stored{blob: b}, nil
}

// SaveIn writes the row of what Keep stored, in the owner's transaction.
func (s *Service) SaveIn(ctx context.Context, tx *db.Tx, by actor.Actor, kept Stored) (Blob, error) {
	b := kept.blob
	if b.Subject == "" || b.SHA256 == "" {
		return Blob{}, fmt.Errorf("an attachment without owner or bytes: %q, %q", b.Subject, b.SHA256)
	}
	b.ID, b.CreatedAt, b.CreatedBy = tx.NewID(), tx.Now, by.ID
	return b, db.Insert(ctx, tx, "blob", b)
}

// CopyIn lets an attachment belong to another subject too. Its owner has decided that it may; done twice it is one.
func CopyIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id, subject string) (Blob, error) {
	b, err := db.One[Blob](ctx, tx, `SELECT `+db.Columns[Blob]("")+` FROM blob WHERE city_id = $1 AND id = $2`, city, id)
	if err != nil {
		return b, err
	}
	there, err := Of(ctx, tx, city, subject)
	if err != nil {
		return b, err
	}
	for _, o := range there {
		if o.SHA256 == b.SHA256 && o.Purpose == b.Purpose {
			return o, nil
		}
	}
	b.ID, b.Subject, b.CreatedAt, b.CreatedBy = tx.NewID(), subject, tx.Now, by.ID
	return b, db.Insert(ctx, tx, "blob", b)
}

// Of lists the attachments of a subject in the order they came.
func Of(ctx context.Context, tx *db.Tx, city int, subject string) ([]Blob, error) {
	return db.List[Blob](ctx, tx, `SELECT `+db.Columns[Blob]("")+` FROM blob WHERE city_id = $1 AND subject = $2 ORDER BY id`, city, subject)
}

// Open gives an attachment and its bytes, which the caller closes. May is asked with the subject whether the actor may
// read it; whoever may not learns no more than that nothing was found.
func (s *Service) Open(ctx context.Context, city int, id string, may func(subject string) error) (Blob, io.ReadCloser, error) {
	b, err := db.Read(ctx, s.d, func(tx *db.Tx) (Blob, error) {
		return db.One[Blob](ctx, tx, `SELECT `+db.Columns[Blob]("")+` FROM blob WHERE city_id = $1 AND id = $2`, city, id)
	})
	if err != nil {
		return Blob{}, nil, err
	}
	if err := may(b.Subject); err != nil {
		return Blob{}, nil, actor.Hide(err)
	}
	r, err := s.store.Get(ctx, b.SHA256)
	if err != nil {
		return Blob{}, nil, err
	}
	return b, r, nil
}

func readAll(r io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "blob.broken")
	}
	if len(raw) > MaxBytes {
		return nil, fault.New(fault.Invalid, "blob.too_big", "max", MaxBytes>>20)
	}
	if len(raw) == 0 {
		return nil, fault.New(fault.Invalid, "blob.empty")
	}
	return raw, nil
}

// cleanName leaves a file name that is safe to show and to save under: no folders, no control or direction characters,
// not too long, and the ending of what it really is.
func cleanName(name, ext string) string {
	const most = 80
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	name = strings.TrimSuffix(name, path.Ext(name))
	var b strings.Builder
	n := 0
	for _, r := range norm.NFC.String(name) {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`/:*?"<>|`, r) {
			continue
		}
		if n++; n > most {
			break
		}
		b.WriteRune(r)
	}
	clean := strings.Trim(b.String(), " .")
	if clean == "" {
		clean = "file"
	}
	return clean + ext
}
