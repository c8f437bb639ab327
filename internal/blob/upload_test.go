package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
)

var sender, stranger = actor.Actor{ID: "w1", Kind: actor.Person}, actor.Actor{ID: "w2", Kind: actor.Person}

func hashOf(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func announce(n int, photo []byte) blob.Announce {
	return blob.Announce{City: city, ID: fmt.Sprintf("%032x", n), Name: "door.jpg", Size: int64(len(photo)), SHA256: hashOf(photo)}
}

// An upload that was cut goes on where it stopped; pieces that come twice, or overlap, change nothing.
func TestUploadResumes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := blob.New(d, blob.Disk(t.TempDir()))
		photo := asJPEG(t, picture(300, 200))
		a := announce(1, photo)
		if _, err := s.Begin(ctx, sender, a); err != nil {
			t.Fatal(err)
		}
		put := func(from, to int) blob.Coming {
			t.Helper()
			c, err := s.Append(ctx, sender, city, a.ID, int64(from), bytes.NewReader(photo[from:to]))
			if err != nil {
				t.Fatalf("piece %d to %d: %v", from, to, err)
			}
			return c
		}
		put(0, 100)
		if _, err := s.Append(ctx, sender, city, a.ID, 500, bytes.NewReader(photo[500:600])); fault.Of(err).Key != "blob.upload_hole" {
			t.Errorf("a piece after a hole: %v", err)
		}
		if _, err := s.Arrived(ctx, sender, city, a.ID); fault.Of(err).Key != "blob.upload_unfinished" {
			t.Errorf("taken before it is complete: %v", err)
		}
		again, err := s.Begin(ctx, sender, a) // after the network came back
		if err != nil || again.Got != 100 {
			t.Fatalf("begun again: %d bytes, %v; want 100", again.Got, err)
		}
		put(50, 200)
		put(0, 100)
		if c := put(200, len(photo)); !c.Done() {
			t.Error("not done with the last byte")
		}
		if c := put(200, len(photo)); !c.Done() {
			t.Error("the last piece sent again")
		}
		kept, err := s.Arrived(ctx, sender, city, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		row, err := db.Write(ctx, d, func(tx *db.Tx) (blob.Blob, error) { return s.SaveIn(ctx, tx, sender, kept.For("case:1")) })
		if err != nil || row.Received != a.SHA256 || row.MediaType != "image/jpeg" {
			t.Errorf("kept: %+v, %v", row, err)
		}
		left, err := db.Read(ctx, d, func(tx *db.Tx) (int64, error) {
			return db.One[int64](ctx, tx, `SELECT COUNT(*) FROM upload_part WHERE city_id = $1`, city)
		})
		if err != nil || left != 0 {
			t.Errorf("%d pieces are left, %v", left, err)
		}
	})
}

func TestUploadRefusals(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := blob.New(d, blob.Disk(t.TempDir()))
		photo := asJPEG(t, picture(60, 60))
		for name, change := range map[string]func(*blob.Announce){
			"no id":         func(a *blob.Announce) { a.ID = "" },
			"a short id":    func(a *blob.Announce) { a.ID = "ab" },
			"a path":        func(a *blob.Announce) { a.ID = strings.Repeat("../", 11) },
			"nothing":       func(a *blob.Announce) { a.Size = 0 },
			"too much":      func(a *blob.Announce) { a.Size = blob.MaxBytes + 1 },
			"half a hash":   func(a *blob.Announce) { a.SHA256 = "abc" },
			"an epic title": func(a *blob.Announce) { a.Name = strings.Repeat("长", 200) },
		} {
			a := announce(2, photo)
			change(&a)
			if _, err := s.Begin(ctx, sender, a); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v, want Invalid", name, err)
			}
		}
		send := func(n int, a blob.Announce, bytesOf []byte) error {
			if _, err := s.Begin(ctx, sender, a); err != nil {
				return err
			}
			_, err := s.Append(ctx, sender, city, a.ID, 0, bytes.NewReader(bytesOf))
			return err
		}
		wrong := announce(3, photo)
		wrong.SHA256 = hashOf([]byte("another"))
		if err := send(3, wrong, photo); fault.Of(err).Key != "blob.other_hash" {
			t.Errorf("other bytes than announced: %v", err)
		}
		script := []byte("<script>alert(1)</script> no picture at all")
		if err := send(4, announce(4, script), script); !fault.Is(err, fault.Invalid) {
			t.Errorf("no photograph: %v", err)
		}
		for _, n := range []int{3, 4} { // forgotten, so that the id can be used for the right one
			if _, err := s.Upload(ctx, sender, city, fmt.Sprintf("%032x", n)); !fault.Is(err, fault.NotFound) {
				t.Errorf("upload %d after it was refused: %v, want NotFound", n, err)
			}
		}
		if err := send(5, announce(5, photo), append(bytes.Clone(photo), 1)); fault.Of(err).Key != "blob.upload_long" {
			t.Errorf("more than announced: %v", err)
		}
		if _, err := s.Append(ctx, sender, city, announce(5, photo).ID, 0, bytes.NewReader(make([]byte, blob.MaxPiece+1))); fault.Of(err).Key != "blob.piece_large" {
			t.Errorf("a piece over the limit: %v", err)
		}
		if _, err := s.Upload(ctx, stranger, city, announce(5, photo).ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another's upload: %v, want NotFound", err)
		}
		if _, err := s.Begin(ctx, stranger, announce(5, photo)); !fault.Is(err, fault.Conflict) {
			t.Errorf("another's id: %v, want Conflict", err)
		}
	})
}

// The same piece sent by two requests at once is kept once.
func TestUploadPiecesAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := blob.New(d, blob.Disk(t.TempDir()))
		photo := asJPEG(t, picture(200, 200))
		a := announce(6, photo)
		if _, err := s.Begin(ctx, sender, a); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				for at := 0; at < len(photo); at += 700 {
					if _, err := s.Append(ctx, sender, city, a.ID, int64(at), bytes.NewReader(photo[at:min(at+700, len(photo))])); err != nil {
						t.Errorf("piece at %d: %v", at, err)
						return
					}
				}
			})
		}
		wg.Wait()
		if _, err := s.Arrived(ctx, sender, city, a.ID); err != nil {
			t.Error(err)
		}
	})
}

func TestUploadsAreSwept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		clock := dbtest.NewClock()
		d.SetClock(clock.Now)
		s := blob.New(d, blob.Disk(t.TempDir()))
		photo := asJPEG(t, picture(60, 60))
		for n := range 2 {
			a := announce(10+n, photo)
			if _, err := s.Begin(ctx, sender, a); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Append(ctx, sender, city, a.ID, 0, bytes.NewReader(photo[:50])); err != nil {
				t.Fatal(err)
			}
			clock.Advance(20 * time.Hour)
		}
		if n, err := s.SweepUploads(ctx, city); err != nil || n != 1 {
			t.Errorf("swept %d, %v; want the one that rested for a day", n, err)
		}
		if _, err := s.Upload(ctx, sender, city, announce(11, photo).ID); err != nil {
			t.Errorf("the younger one: %v", err)
		}
	})
}
