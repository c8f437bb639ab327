package bundle_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/bundle"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

const city = 990100

var (
	system = actor.SystemFor("test", actor.Command)
	value  = citypack.Value{Path: "clocks.arrive.limits.leak", Text: "1 hour", Confidence: citypack.Fictional, Source: citypack.Source{Law: "演示条例"}}
)

// house is an installation with a clock that the test moves.
type house struct {
	d     *db.DB
	clock *dbtest.Clock
	s     *bundle.Service
}

func open(t *testing.T, d *db.DB) *house {
	t.Helper()
	ring, err := secret.ParseRing("k1:" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{d: d, clock: dbtest.NewClock()}
	d.SetClock(h.clock.Now)
	h.s = bundle.New(bundle.Options{DB: d, Ring: ring, Program: "rehu test", Values: func(int) []citypack.Value { return []citypack.Value{value, {Path: "other"}} }})
	return h
}

func (h *house) record(t *testing.T, subject string, n int) {
	t.Helper()
	for i := range n {
		err := db.Do(context.Background(), h.d, func(tx *db.Tx) error {
			return audit.Record(context.Background(), tx, system, city,
				audit.Act{Subject: subject, Act: "case.note", Body: map[string]any{"n": i, "note": "室温 17.5 °C <楼上>", "rule": value.Path}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// log seals what happened so far and gives the root.
func (h *house) log(t *testing.T) bundle.Root {
	t.Helper()
	h.clock.Advance(time.Minute)
	if _, err := audit.AppendLog(context.Background(), h.d, city); err != nil {
		t.Fatal(err)
	}
	root, err := h.s.Root(context.Background(), city)
	if err != nil || !root.Verify() {
		t.Fatalf("root %+v, %v; want a signed one", root, err)
	}
	out, err := bundle.ParseRoot(root.String())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (h *house) export(t *testing.T, in bundle.Request) string {
	t.Helper()
	in.City = city
	var b bytes.Buffer
	if err := h.s.Export(context.Background(), system, in, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// season fills a house: two chains in one leaf, one of which moved on, one that is not logged yet.
func season(t *testing.T, h *house) (first bundle.Root) {
	t.Helper()
	h.record(t, "case:1", 3)
	h.record(t, "case:2", 2)
	first = h.log(t)
	h.record(t, "case:1", 1)
	h.record(t, "person:9", 1)
	h.log(t)
	h.record(t, "case:1", 1)
	h.record(t, "case:3", 1)
	return first
}

func verify(file string, o bundle.Verification) (bundle.Report, error) {
	return bundle.Verify(strings.NewReader(file), o)
}

func TestExportVerifies(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d)
		first := season(t, h)
		published, err := h.s.Root(context.Background(), city)
		if err != nil {
			t.Fatal(err)
		}
		file := h.export(t, bundle.Request{Kind: "case", Roots: []int64{first.Size}})
		r, err := verify(file, bundle.Verification{Root: &first, Key: published.Key})
		if err != nil {
			t.Fatalf("%v\n%s", err, file)
		}
		got := fmt.Sprintf("%d chains, %d entries, %d leaves, %d rules, %d pending, key known %v", r.Chains, r.Entries, r.Leaves, r.Rules, r.Pending, r.KnownKey)
		if want := "3 chains, 8 entries, 2 leaves, 1 rules, 2 pending, key known true"; got != want {
			t.Errorf("got %s; want %s\n%s", got, want, file)
		}
		if strings.Contains(file, `"subject":"person:9"`) {
			t.Error("a chain of another kind is in the file")
		}
	})
}

func TestWhatIsExported(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d)
		h.record(t, "case:1", 2)
		h.clock.Advance(time.Hour)
		from := h.clock.Now()
		h.record(t, "case:2", 1)
		h.clock.Advance(time.Hour)
		to := h.clock.Now()
		h.record(t, "case:1", 1)
		for name, c := range map[string]struct {
			in   bundle.Request
			want []string
		}{
			"subjects":      {bundle.Request{Subjects: []string{"case:2", "case:1", "case:2"}}, []string{"case:1", "case:2"}},
			"period":        {bundle.Request{Kind: "case", From: from, To: to}, []string{"case:2"}},
			"since":         {bundle.Request{Kind: "case", From: from}, []string{"case:1", "case:2"}},
			"kind":          {bundle.Request{Kind: "cas"}, nil},
			"kind, no time": {bundle.Request{Kind: "case"}, []string{"case:1", "case:2"}},
		} {
			file := h.export(t, c.in)
			var got []string
			for l := range strings.SplitSeq(file, "\n") {
				if rest, ok := strings.CutPrefix(l, `{"head":{"subject":"`); ok {
					got = append(got, rest[:strings.IndexByte(rest, '"')])
				}
			}
			if _, err := verify(file, bundle.Verification{}); err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
			}
		}
		err := h.s.Export(context.Background(), system, bundle.Request{City: city, Subjects: []string{"case:1", "case:7"}}, &bytes.Buffer{})
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("an unknown subject: %v; want NotFound", err)
		}
		seat := actor.Actor{ID: "p1", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleSeat, City: city}}}
		if err := h.s.Export(context.Background(), seat, bundle.Request{City: city}, &bytes.Buffer{}); !fault.Is(err, fault.Denied) {
			t.Errorf("a seat operator: %v; want Denied", err)
		}
	})
}

// small is a file with every sort of line.
func small(t *testing.T) (string, bundle.Verification) {
	t.Helper()
	h := open(t, dbtest.SQLite(t))
	first := season(t, h)
	root, err := h.s.Root(context.Background(), city)
	if err != nil {
		t.Fatal(err)
	}
	return h.export(t, bundle.Request{Kind: "case", Roots: []int64{first.Size}}), bundle.Verification{Root: &first, Key: root.Key}
}

func TestOneChangedByteIsFound(t *testing.T) {
	t.Parallel()
	file, o := small(t)
	for at := range len(file) { // every byte in one way, some in any way
		b := []byte(file)
		b[at] ^= 1
		if r, err := verify(string(b), o); !fault.Is(err, fault.Invalid) || r.Valid() {
			t.Fatalf("byte %d, %q made %q: %v", at, file[at], b[at], err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(file)
		at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		b[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "change"))
		if r, err := verify(string(b), o); !fault.Is(err, fault.Invalid) || r.Valid() {
			t.Fatalf("byte %d, %q made %q: %v", at, file[at], b[at], err)
		}
	})
}

func TestLinesChangedAreFound(t *testing.T) {
	t.Parallel()
	file, o := small(t)
	lines := strings.SplitAfter(strings.TrimSuffix(file, "\n"), "\n")
	lines[len(lines)-1] += "\n"
	for i := range lines {
		without := slices.Delete(slices.Clone(lines), i, i+1)
		if r, err := verify(strings.Join(without, ""), o); !fault.Is(err, fault.Invalid) || r.Valid() {
			t.Errorf("without line %d: %v; want Invalid\n%s", i+1, err, lines[i])
		}
		twice := slices.Insert(slices.Clone(lines), i, lines[i])
		if _, err := verify(strings.Join(twice, ""), o); !fault.Is(err, fault.Invalid) {
			t.Errorf("line %d twice: %v; want Invalid", i+1, err)
		}
		if i+1 < len(lines) {
			swapped := slices.Clone(lines)
			swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
			if _, err := verify(strings.Join(swapped, ""), o); !fault.Is(err, fault.Invalid) {
				t.Errorf("lines %d and %d exchanged: %v; want Invalid", i+1, i+2, err)
			}
		}
		if _, err := verify(strings.Join(lines[:i], ""), o); !fault.Is(err, fault.Invalid) {
			t.Errorf("cut after line %d: %v; want Invalid", i, err)
		}
	}
}

// TestWhereItDiffers pins what the reader is told: the first problem's subject, number and field.
func TestWhereItDiffers(t *testing.T) {
	t.Parallel()
	file, o := small(t)
	nth := func(s, old, with string, n int) string { // replace the n-th occurrence
		at := 0
		for range n {
			i := strings.Index(s[at:], old)
			if i < 0 {
				return s
			}
			at += i + 1
		}
		return s[:at-1] + with + s[at-1+len(old):]
	}
	entry := func(n int) string { // the n-th entry line
		for _, l := range strings.SplitAfter(file, "\n") {
			if strings.HasPrefix(l, `{"entry"`) {
				if n--; n == 0 {
					return l
				}
			}
		}
		t.Fatal("no such entry")
		return ""
	}
	// The file's order: case:3 (not logged), leaf 0: case:2 (2 entries), leaf 1: case:1 (5 entries).
	for name, c := range map[string]struct{ file, want string }{
		"a fact":        {strings.Replace(file, entry(2), nth(entry(2), `\"n\":0`, `\"n\":7`, 1), 1), "case:2 1 body"},
		"an act":        {strings.Replace(file, entry(5), nth(entry(5), `"case.note"`, `"case.nope"`, 1), 1), "case:1 2 act"},
		"the sealed at": {strings.Replace(file, entry(5), nth(entry(5), `\"at\":1`, `\"at\":2`, 1), 1), "case:1 2 at"},
		"a door":        {strings.Replace(file, entry(3), nth(entry(3), `"door":"command"`, `"door":"commanc"`, 1), 1), "case:2 2 door"},
		"a prev":        {strings.Replace(file, entry(3), nth(entry(3), `"prev":"`, `"prev":"0`, 1), 1), "case:2 2 prev"},
		"a hash":        {strings.Replace(file, entry(4), nth(entry(4), `"hash":"`, `"hash":"0`, 1), 1), "case:1 1 hash"},
		"the last hash": {strings.Replace(file, entry(3), nth(entry(3), `"hash":"`, `"hash":"0`, 1), 1), "case:2 2 hash"},
		"a number":      {strings.Replace(file, entry(6), nth(entry(6), `"seq":3`, `"seq":4`, 1), 1), "case:1 4 seq"},
		"a whole entry": {strings.Replace(file, entry(5), "", 1), "case:1 3 seq"},
		"exchanged":     {strings.Replace(file, entry(5)+entry(6), entry(6)+entry(5), 1), "case:1 3 seq"},
		"a rule":        {strings.Replace(file, "1 hour", "2 hour", 1), " 0 rules"},
		"the program":   {strings.Replace(file, "rehu test", "rehu tess", 1), " 0 header"},
		"a leaf":        {nth(file, `\"heads\":[{\"hash\":\"`, `\"heads\":[{\"hash\":\"0`, 1), " 0 leaf"},
		"a total":       {strings.Replace(file, `"entries":8`, `"entries":9`, 1), " 0 entries"},
	} {
		if c.file == file {
			t.Fatalf("%s: nothing was changed", name)
		}
		r, err := verify(c.file, o)
		if err == nil {
			t.Errorf("%s: no problem found", name)
			continue
		}
		p := r.Problems[0]
		if got := fmt.Sprintf("%s %d %s", p.Subject, p.Seq, p.Field); got != c.want {
			t.Errorf("%s: %q (%s); want %q", name, got, p.Message.In(text.EN), c.want)
		}
		for _, p := range r.Problems {
			if m := p.Message.In(text.EN); !text.Has(p.Message.Key) || strings.Contains(m, "{") {
				t.Errorf("%s: the message %q lacks something: %s", name, p.Message.Key, m)
			}
		}
	}
}

func TestAnotherRoot(t *testing.T) {
	t.Parallel()
	h := open(t, dbtest.SQLite(t))
	first := season(t, h)
	other := open(t, dbtest.SQLite(t))
	other.record(t, "case:1", 1)
	foreign := other.log(t)
	now := h.log(t)
	ahead := bundle.Root{Size: now.Size + 1, Hash: now.Hash}
	file := h.export(t, bundle.Request{Kind: "case", Roots: []int64{first.Size}})
	for name, c := range map[string]struct {
		root bundle.Root
		want string
	}{
		"earlier":        {first, ""},
		"the same":       {now, ""},
		"another city's": {foreign, "bundle.root_differs"},
		"the size alone": {bundle.Root{Size: now.Size, Hash: first.Hash}, "bundle.root_differs"},
		"a longer log":   {ahead, "bundle.root_ahead"},
		"unproved":       {bundle.Root{Size: 2, Hash: first.Hash}, "bundle.root_unproved"},
	} {
		r, err := verify(file, bundle.Verification{Root: &c.root})
		got := ""
		if err != nil {
			got = r.Problems[0].Message.Key
		}
		if got != c.want {
			t.Errorf("%s: %q; want %q", name, got, c.want)
		}
	}
	theirs, err := other.s.Root(context.Background(), city)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := verify(file, bundle.Verification{Key: theirs.Key}); err == nil || r.Problems[0].Message.Key != "bundle.other_key" {
		t.Errorf("signed with another key: %v, %v; want that said", r.Problems, err)
	}
}

// TestRewrittenDatabase is what the chains are for: somebody with the database changes an entry and recomputes every hash
// after it. The chain alone is sound again; the log tells.
func TestRewrittenDatabase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d)
		h.record(t, "case:1", 2)
		h.log(t)
		err := db.Do(context.Background(), d, func(tx *db.Tx) error {
			entries, err := audit.History(context.Background(), tx, city, "case:1", 0)
			if err != nil {
				return err
			}
			prev := ""
			for _, e := range entries {
				body := strings.Replace(e.Body, "17.5", "18.5", 1)
				hash := audit.Link(prev, body)
				if _, err := db.Exec(context.Background(), tx, `UPDATE entry SET body = $1, prev = $2, hash = $3 WHERE city_id = $4 AND id = $5`, body, prev, hash, city, e.ID); err != nil {
					return err
				}
				prev = hash
			}
			_, err = db.Exec(context.Background(), tx, `UPDATE chain_head SET hash = $1 WHERE city_id = $2 AND subject = $3`, prev, city, "case:1")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err := verify(h.export(t, bundle.Request{Subjects: []string{"case:1"}}), bundle.Verification{})
		if err == nil || r.Problems[0].Message.Key != "bundle.rewritten" || r.Problems[0].Seq != 2 {
			t.Errorf("%+v, %v; want the rewritten entry 2", r.Problems, err)
		}
	})
}

func TestOneSigningKey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d)
		keys := make([]string, 8)
		var wg sync.WaitGroup
		for i := range keys {
			wg.Go(func() {
				root, err := h.s.Root(context.Background(), city)
				if err != nil {
					t.Error(err)
				}
				keys[i] = root.Key
			})
		}
		wg.Wait()
		if n := len(slices.Compact(keys)); n != 1 || keys[0] == "" {
			t.Errorf("%d signing keys were made at once; want one: %q", n, keys)
		}
	})
}

// TestRotatedKeyring: after rewrapping, the old key of the keyring may leave and the signing key stays the same.
func TestRotatedKeyring(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		key := func(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }
		with := func(keys string) *bundle.Service {
			ring, err := secret.ParseRing(keys)
			if err != nil {
				t.Fatal(err)
			}
			return bundle.New(bundle.Options{DB: d, Ring: ring})
		}
		ctx := context.Background()
		before, err := with("a:"+key(1)).Root(ctx, city)
		if err != nil {
			t.Fatal(err)
		}
		if err := with("b:" + key(2) + ",a:" + key(1)).Rewrap(ctx); err != nil {
			t.Fatal(err)
		}
		after, err := with("b:"+key(2)).Root(ctx, city)
		if err != nil || after.Key != before.Key {
			t.Errorf("after the rotation %q, %v; want %q", after.Key, err, before.Key)
		}
		if _, err := with("c:"+key(3)).Root(ctx, city); err == nil {
			t.Error("a foreign keyring opened the signing key")
		}
	})
}

// TestInspectFindsACutEnd: the last entry and the head are taken back together, so that the chain alone is sound.
func TestInspectFindsACutEnd(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d)
		first := season(t, h)
		ctx := context.Background()
		got, err := h.s.Inspect(ctx, system, city, &first)
		if err != nil || got.Leaves != 2 || got.Heads != 4 {
			t.Fatalf("%+v, %v; want 2 sound leaves with 4 heads", got, err)
		}
		err = db.Do(ctx, d, func(tx *db.Tx) error {
			if _, err := db.Exec(ctx, tx, `DELETE FROM entry WHERE city_id = $1 AND subject = 'case:2' AND seq = 2`, city); err != nil {
				return err
			}
			_, err := db.Exec(ctx, tx, `UPDATE chain_head SET seq = 1 WHERE city_id = $1 AND subject = 'case:2'`, city)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err = h.s.Inspect(ctx, system, city, &first)
		if !fault.Is(err, fault.Invalid) || len(got.Problems) != 1 || got.Problems[0].Subject != "case:2" || got.Problems[0].Message.Key != "bundle.shortened" {
			t.Errorf("%+v, %v; want the cut end of case:2", got.Problems, err)
		}
	})
}
