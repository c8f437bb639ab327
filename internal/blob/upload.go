package blob

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Bounds of an upload in pieces.
const (
	MaxPiece   = 1 << 20        // one piece
	uploadLife = 24 * time.Hour // after the last piece
	maxWaiting = 60             // uploads of one person that no form has named yet
)

// Coming is an upload in pieces: who sends it, how much of it is here. Its id is the sender's, so that beginning it twice
// is one upload.
type Coming struct {
	City    int           `db:"city_id" json:"-"`
	ID      string        `db:"id" json:"id"`
	By      string        `db:"by_id" json:"-"`
	Name    string        `db:"name" json:"name"`
	Size    int64         `db:"size" json:"size"`
	Got     int64         `db:"got" json:"got"`       // the next piece begins here
	SHA256  string        `db:"sha256" json:"sha256"` // of the whole, as the sender says; empty: it could not compute one
	Kept    *Blob         `db:"kept,json" json:"-"`   // once all of it is here and was looked at
	Created civil.Instant `db:"created_at" json:"-"`
	Touched civil.Instant `db:"touched_at" json:"-"`
}

// Done reports whether all of it is here and is a photograph.
func (c Coming) Done() bool { return c.Kept != nil }

// Announce is the input of Begin.
type Announce struct {
	City   int    `json:"-" form:"-"`
	ID     string `json:"id" form:"id"` // 32 to 64 small hexadecimal digits, made by the sender at random
	Name   string `json:"name" form:"name"`
	Size   int64  `json:"size" form:"size"`
	SHA256 string `json:"sha256" form:"sha256"`
}

func (a Announce) check() error {
	var c fault.Check
	raw, err := hex.DecodeString(a.ID)
	c.That(err == nil && len(raw) >= 16 && len(raw) <= 32 && hex.EncodeToString(raw) == a.ID, "id", "blob.upload_id")
	c.That(a.Size > 0 && a.Size <= MaxBytes, "size", "field.out_of_range", "min", 1, "max", MaxBytes)
	c.That(a.SHA256 == "" || isSHA(a.SHA256), "sha256", "blob.upload_sha")
	c.That(len(a.Name) <= 300, "name", "field.too_long", "max", 300)
	return c.Err()
}

// Begin announces a photograph that will come in pieces, or says how far one has come that was announced before. The
// caller has decided that the actor may send photographs.
func (s *Service) Begin(ctx context.Context, by actor.Actor, in Announce) (Coming, error) {
	if err := in.check(); err != nil {
		return Coming{}, err
	}
	return db.Write(ctx, s.d, func(tx *db.Tx) (Coming, error) {
		old, found, err := findUpload(ctx, tx, in.City, in.ID)
		if err != nil {
			return Coming{}, err
		}
		if found {
			if old.By != by.ID || old.Size != in.Size || old.SHA256 != in.SHA256 {
				return Coming{}, fault.New(fault.Conflict, "blob.upload_other")
			}
			return old, nil
		}
		n, err := db.One[int64](ctx, tx, `SELECT COUNT(*) FROM upload WHERE city_id = $1 AND by_id = $2`, in.City, by.ID)
		if err != nil {
			return Coming{}, err
		}
		if n >= maxWaiting {
			return Coming{}, fault.New(fault.Exhausted, "blob.upload_many")
		}
		c := Coming{City: in.City, ID: in.ID, By: by.ID, Name: in.Name, Size: in.Size, SHA256: in.SHA256, Created: tx.Now, Touched: tx.Now}
		if err := db.Insert(ctx, tx, "upload", c); db.IsUnique(err) {
			return Coming{}, db.ErrRetry
		} else if err != nil {
			return Coming{}, fmt.Errorf("begin an upload: %w", err)
		}
		return c, nil
	})
}

// Upload says how far an upload of the actor's has come.
func (s *Service) Upload(ctx context.Context, by actor.Actor, city int, id string) (Coming, error) {
	return db.Read(ctx, s.d, func(tx *db.Tx) (Coming, error) { return ownUpload(ctx, tx, by, city, id) })
}

// Append adds the piece that begins at a byte. A piece that is here already, whole or in part, adds only what is new; one
// that would leave a hole is a Conflict, and Upload says where to go on. With the last piece the whole is looked at: what
// is no photograph, or not what was announced, is refused and forgotten.
func (s *Service) Append(ctx context.Context, by actor.Actor, city int, id string, at int64, body io.Reader) (Coming, error) {
	piece, err := io.ReadAll(io.LimitReader(body, MaxPiece+1))
	if err != nil {
		return Coming{}, fault.Wrap(err, fault.Down, "blob.upload_cut")
	}
	if len(piece) > MaxPiece {
		return Coming{}, fault.New(fault.Invalid, "blob.piece_large", "max", MaxPiece)
	}
	c, err := db.Write(ctx, s.d, func(tx *db.Tx) (Coming, error) { return appendIn(ctx, tx, by, city, id, at, piece) })
	if err != nil || c.Got < c.Size || c.Done() {
		return c, err
	}
	return s.finish(ctx, by, c)
}

func appendIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string, at int64, piece []byte) (Coming, error) {
	c, err := ownUpload(ctx, tx, by, city, id)
	if err != nil || c.Done() {
		return c, err
	}
	if at < 0 || at > c.Got {
		return c, fault.New(fault.Conflict, "blob.upload_hole", "got", c.Got)
	}
	skip := min(c.Got-at, int64(len(piece)))
	piece = piece[skip:]
	if len(piece) == 0 {
		return c, nil
	}
	if c.Got+int64(len(piece)) > c.Size {
		return c, fault.New(fault.Invalid, "blob.upload_long", "size", c.Size)
	}
	part := uploadPart{City: city, Upload: id, At: c.Got, Content: piece}
	if err := db.Insert(ctx, tx, "upload_part", part); db.IsUnique(err) {
		return c, db.ErrRetry // the same piece came twice at once
	} else if err != nil {
		return c, fmt.Errorf("keep a piece: %w", err)
	}
	was := c.Got
	c.Got, c.Touched = c.Got+int64(len(piece)), tx.Now
	n, err := db.Exec(ctx, tx, `UPDATE upload SET got = $1, touched_at = $2 WHERE city_id = $3 AND id = $4 AND got = $5`, c.Got, int64(c.Touched), city, id, was)
	if err == nil && n == 0 {
		err = db.ErrRetry
	}
	return c, err
}

// finish puts the pieces together and looks at the whole, outside of any transaction.
func (s *Service) finish(ctx context.Context, by actor.Actor, c Coming) (Coming, error) {
	parts, err := db.Read(ctx, s.d, func(tx *db.Tx) ([]uploadPart, error) {
		return db.List[uploadPart](ctx, tx, `SELECT `+db.Columns[uploadPart]("")+` FROM upload_part WHERE city_id = $1 AND upload_id = $2 ORDER BY at_byte`, c.City, c.ID)
	})
	if err != nil {
		return c, err
	}
	whole := make([]byte, 0, c.Size)
	for _, p := range parts {
		whole = append(whole, p.Content...)
	}
	if int64(len(whole)) != c.Size {
		return s.Upload(ctx, by, c.City, c.ID) // another request has finished it
	}
	kept, err := s.whole(ctx, c, whole)
	if err != nil {
		if fault.Is(err, fault.Invalid) {
			if drop := s.forget(ctx, c); drop != nil {
				return c, drop
			}
		}
		return c, err
	}
	row, err := json.Marshal(kept.blob)
	if err != nil {
		return c, fmt.Errorf("keep an upload: %w", err)
	}
	return db.Write(ctx, s.d, func(tx *db.Tx) (Coming, error) {
		if _, err := db.Exec(ctx, tx, `UPDATE upload SET kept = $1, touched_at = $2 WHERE city_id = $3 AND id = $4`, string(row), int64(tx.Now), c.City, c.ID); err != nil {
			return c, err
		}
		if _, err := db.Exec(ctx, tx, `DELETE FROM upload_part WHERE city_id = $1 AND upload_id = $2`, c.City, c.ID); err != nil {
			return c, err
		}
		c.Kept, c.Touched = &kept.blob, tx.Now
		return c, nil
	})
}

func (s *Service) whole(ctx context.Context, c Coming, whole []byte) (Stored, error) {
	if c.SHA256 != "" && sum(whole) != c.SHA256 {
		return Stored{}, fault.New(fault.Invalid, "blob.other_hash", "want", c.SHA256, "got", sum(whole))
	}
	return s.Keep(ctx, Upload{City: c.City, Purpose: Photo, Name: c.Name, Reader: bytes.NewReader(whole)})
}

func (s *Service) forget(ctx context.Context, c Coming) error {
	return db.Do(ctx, s.d, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, `DELETE FROM upload WHERE city_id = $1 AND id = $2`, c.City, c.ID)
		return err
	})
}

// Arrived gives a photograph that came in pieces, for the form that names it. It stays for the same form sent again, until
// the day is over.
func (s *Service) Arrived(ctx context.Context, by actor.Actor, city int, id string) (Stored, error) {
	c, err := s.Upload(ctx, by, city, id)
	if err != nil {
		return Stored{}, err
	}
	if !c.Done() {
		return Stored{}, fault.New(fault.Conflict, "blob.upload_unfinished", "name", c.Name)
	}
	return Stored{blob: *c.Kept}, nil
}

// SweepUploads forgets uploads that nobody went on with for a day, a batch at a time; it returns how many.
func (s *Service) SweepUploads(ctx context.Context, city int) (int64, error) {
	return db.Write(ctx, s.d, func(tx *db.Tx) (int64, error) {
		return db.Exec(ctx, tx, `DELETE FROM upload WHERE city_id = $1 AND id IN
			(SELECT id FROM upload WHERE city_id = $1 AND touched_at < $2 LIMIT 100)`, city, int64(tx.Now.Add(-uploadLife)))
	})
}

type uploadPart struct {
	City    int    `db:"city_id"`
	Upload  string `db:"upload_id"`
	At      int64  `db:"at_byte"`
	Content []byte `db:"content"`
}

func findUpload(ctx context.Context, tx *db.Tx, city int, id string) (Coming, bool, error) {
	return db.Maybe[Coming](ctx, tx, `SELECT `+db.Columns[Coming]("")+` FROM upload WHERE city_id = $1 AND id = $2`, city, id)
}

// ownUpload finds an upload of the actor's; another's does not exist for them.
func ownUpload(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string) (Coming, error) {
	c, found, err := findUpload(ctx, tx, city, id)
	if err == nil && (!found || c.By != by.ID) {
		err = fault.New(fault.NotFound, "blob.upload_gone")
	}
	return c, err
}
