package secret_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/secret"
)

const city = 990100

func keyOf(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }

func ringOf(t *testing.T, s string) *secret.Ring {
	t.Helper()
	r, err := secret.ParseRing(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSealOpensForOnePersonAndFieldOnly(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		ring := ringOf(t, "a:"+keyOf(1))
		people, err := db.Write(ctx, d, func(tx *db.Tx) ([]secret.Person, error) {
			var all []secret.Person
			for i := range 4 {
				p, err := secret.Subject(ctx, tx, ring, city+i%2, secret.Phone, fmt.Sprintf("1380000000%d", i))
				if err != nil {
					return nil, err
				}
				all = append(all, p)
			}
			return all, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			i, j := rapid.IntRange(0, 3).Draw(t, "i"), rapid.IntRange(0, 3).Draw(t, "j")
			field := rapid.SampledFrom([]string{"name", "phone"})
			f, g := field.Draw(t, "f"), field.Draw(t, "g")
			plain := rapid.String().Draw(t, "plain")
			sealed := people[i].Seal(f, plain)
			got, err := people[j].Open(g, sealed)
			if same := i == j && f == g; same || plain == "" {
				if err != nil || got != plain {
					t.Fatalf("opened %q, %v; want %q", got, err, plain)
				}
			} else if err == nil {
				t.Fatalf("person %d field %s opened what was sealed for person %d field %s", j, g, i, f)
			}
			if plain != "" && len(plain) > 5 && strings.Contains(sealed, plain) {
				t.Fatalf("the sealed value shows the plain one: %q", sealed)
			}
		})
	})
}

func TestSubjectIsFoundBySpelling(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		ring := ringOf(t, "a:"+keyOf(1))
		subject := func(city int, kind, identity string) string {
			t.Helper()
			p, err := db.Write(ctx, d, func(tx *db.Tx) (secret.Person, error) {
				return secret.Subject(ctx, tx, ring, city, kind, identity)
			})
			if err != nil {
				t.Fatal(err)
			}
			return p.ID
		}
		first := subject(city, secret.Phone, "13812346438")
		for _, same := range []string{"138 1234 6438", "+86 138-1234-6438", "１３８１２３４６４３８", "008613812346438", "8613812346438"} {
			if got := subject(city, secret.Phone, same); got != first {
				t.Errorf("%s is person %s; want %s", same, got, first)
			}
		}
		if subject(city, secret.Name, "13812346438") == first || subject(140100, secret.Phone, "13812346438") == first {
			t.Error("another kind or another city found the same person")
		}
		if a, b := subject(city, secret.Phone, ""), subject(city, secret.Phone, "  "); a == b {
			t.Error("two anonymous callers are one person")
		}
		id, known, err := findPhone(ctx, d, ring, "138-1234-6438")
		if err != nil || !known || id != first {
			t.Errorf("found %s, %v, %v; want %s", id, known, err, first)
		}
	})
}

func findPhone(ctx context.Context, d *db.DB, ring *secret.Ring, phone string) (id string, known bool, err error) {
	id, err = db.Read(ctx, d, func(tx *db.Tx) (string, error) {
		id, known, err = secret.FindSubject(ctx, tx, ring, city, secret.Phone, phone)
		return id, err
	})
	return id, known, err
}

func TestTwoFirstCallsAtOnceMakeOnePerson(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		ring := ringOf(t, "a:"+keyOf(1))
		ids := make([]string, 8)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				p, err := db.Write(ctx, d, func(tx *db.Tx) (secret.Person, error) {
					return secret.Subject(ctx, tx, ring, city, secret.Phone, "03514123456")
				})
				if err != nil {
					t.Error(err)
				}
				ids[i] = p.ID
			})
		}
		wg.Wait()
		for _, id := range ids {
			if id != ids[0] || id == "" {
				t.Fatalf("persons %v; want one", ids)
			}
		}
	})
}

func TestErasedStaysUnreadable(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		ring := ringOf(t, "a:"+keyOf(1))
		err := db.Do(ctx, d, func(tx *db.Tx) error {
			p, err := secret.Subject(ctx, tx, ring, city, secret.Phone, "13812346438")
			if err != nil {
				return err
			}
			sealed := p.Seal("phone", "13812346438")
			for range 2 {
				if err := secret.Erase(ctx, tx, city, p.ID); err != nil {
					return err
				}
			}
			again, err := secret.OpenSubject(ctx, tx, ring, city, p.ID)
			if err != nil || !again.Erased {
				t.Errorf("after erasure: %+v, %v; want Erased", again, err)
			}
			if v, err := again.Open("phone", sealed); fault.Of(err).Key != "secret.erased" {
				t.Errorf("erased telephone: %q, %v; want secret.erased", v, err)
			}
			next, err := secret.Subject(ctx, tx, ring, city, secret.Phone, "13812346438")
			if err != nil || next.ID == p.ID {
				t.Errorf("the next call is person %s, %v; want a new one", next.ID, err)
			}
			if err := secret.Erase(ctx, tx, city, "nobody"); !fault.Is(err, fault.NotFound) {
				t.Errorf("erasing nobody: %v; want NotFound", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestRotation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		before := ringOf(t, "a:"+keyOf(1))
		both := ringOf(t, "b:"+keyOf(2)+", a:"+keyOf(1))
		after := ringOf(t, "b:"+keyOf(2)+",blind:"+keyOf(1))
		const people = 25
		ids, sealed := make([]string, people), map[string]string{}
		err := db.Do(ctx, d, func(tx *db.Tx) error {
			if _, err := db.Exec(ctx, tx, `INSERT INTO city (city_id, name_zh, name_en, created_at) VALUES ($1, '暖城', 'Nuancheng', 1)`, city); err != nil {
				return err
			}
			for i := range people {
				p, err := secret.Subject(ctx, tx, before, city, secret.Phone, fmt.Sprintf("138000000%02d", i))
				if err != nil {
					return err
				}
				ids[i], sealed[p.ID] = p.ID, p.Seal("phone", p.ID)
			}
			return secret.Erase(ctx, tx, city, ids[3])
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Do(ctx, d, func(tx *db.Tx) error { return secret.Verify(ctx, tx, after) }); fault.Of(err).Key != "secret.wrong_keyring" {
			t.Errorf("new key alone before rotation: %v; want secret.wrong_keyring", err)
		}
		rewrapped, next := 0, ""
		for {
			step, err := db.Write(ctx, d, func(tx *db.Tx) (secret.Rotation, error) { return secret.Rotate(ctx, tx, both, city, next, 10) })
			if err != nil {
				t.Fatal(err)
			}
			rewrapped += step.Rewrapped
			if next = step.Next; next == "" {
				break
			}
		}
		if rewrapped != people-1 {
			t.Errorf("rewrapped %d; want %d (one is erased)", rewrapped, people-1)
		}
		err = db.Do(ctx, d, func(tx *db.Tx) error {
			if step, err := secret.Rotate(ctx, tx, both, city, "", 100); err != nil || step.Rewrapped != 0 {
				t.Errorf("second run: %+v, %v; want nothing rewrapped", step, err)
			}
			opened, err := secret.OpenSubjects(ctx, tx, after, city, append(ids, "", ids[0], "nobody"))
			if err != nil || len(opened) != people {
				t.Fatalf("opened %d, %v; want %d", len(opened), err, people)
			}
			for id, p := range opened {
				if v, err := p.Open("phone", sealed[id]); !p.Erased && (err != nil || v != id) {
					t.Errorf("person %s after rotation: %q, %v", id, v, err)
				}
			}
			p, err := secret.Subject(ctx, tx, after, city, secret.Phone, "13800000000")
			if err != nil || p.ID != ids[0] {
				t.Errorf("blind index after rotation gives %s, %v; want %s", p.ID, err, ids[0])
			}
			return secret.Verify(ctx, tx, after)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	rings := make([]*secret.Ring, 6)
	var wg sync.WaitGroup
	for i := range rings {
		wg.Go(func() {
			var err error
			if rings[i], err = secret.LoadRing(dir, ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, r := range rings {
		if r.Fingerprint() != rings[0].Fingerprint() || r.Current() != rings[0].Current() {
			t.Error("two first starts at once made two keyrings")
		}
	}
	name := filepath.Join(dir, secret.KeyFile)
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	wrapped := rings[0].Wrap([]byte("x"), "here")
	added, err := secret.AddKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	if added.Current() == rings[0].Current() || added.Blind("phone", "1") != rings[0].Blind("phone", "1") {
		t.Error("a new key must be current and leave the blind index as it was")
	}
	if got, err := added.Unwrap(wrapped, "here"); err != nil || string(got) != "x" {
		t.Errorf("the old key's value: %q, %v", got, err)
	}
	if _, err := added.Unwrap(wrapped, "there"); err == nil {
		t.Error("a wrapped value opened for another purpose")
	}
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.LoadRing(dir, ""); fault.Of(err).Key != "secret.file_mode" {
		t.Errorf("a key file others can read: %v; want secret.file_mode", err)
	}
}

func TestBadKeyrings(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "a", "a:###", "a:" + base64.StdEncoding.EncodeToString([]byte("short")), "a:" + keyOf(1) + ",a:" + keyOf(2),
		"ä:" + keyOf(1), "blind:" + keyOf(1), "a:" + keyOf(1) + ",blind:AAAA",
	} {
		if _, err := secret.ParseRing(s); fault.Of(err).Key != "secret.bad_keys" {
			t.Errorf("%q: %v; want secret.bad_keys", s, err)
		}
	}
}
