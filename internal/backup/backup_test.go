package backup_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/backup"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

func installation(t *testing.T, d *db.DB) backup.Installation {
	return backup.Installation{DB: d, Blobs: blob.Disk(t.TempDir()), Program: "test", Keyring: "abcd"}
}

func sha(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// entries are so many that a table has more than one part and more than one batch.
const entries = 3000

// fill writes rows with values that are easily damaged on the way, and two attachments under three rows.
func fill(t *testing.T, in backup.Installation, entries int) {
	t.Helper()
	ctx := context.Background()
	photo, paper := []byte("photograph"), bytes.Repeat([]byte{0, 1, 2, 255}, 70000)
	for _, b := range [][]byte{photo, paper} {
		if err := in.Blobs.Put(ctx, sha(b), bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
	}
	err := db.Do(ctx, in.DB, func(tx *db.Tx) error {
		var errs []error
		insert := func(table, columns string, rows ...[]any) {
			errs = append(errs, db.InsertRows(ctx, tx, table, strings.Split(columns, " "), rows))
		}
		insert("city", "city_id name_zh name_en created_at", []any{990100, "暖城 <&> \"’\u2028\n\t\\", "Nuancheng 🔥", int64(1)})
		insert("counter", "city_id name value", []any{990100, "a", int64(9223372036854775807)}, []any{990100, "b", int64(-9007199254740993)}, []any{990100, "", int64(0)})
		insert("job", "id city_id kind args state unique_key run_at attempt max_attempt created_at done_at",
			[]any{"j1", 990100, "x", "{}", "waiting", nil, int64(1), 0, 5, int64(1), nil}, []any{"j2", 990100, "x", `{"a":"\u0001"}`, "done", "u", int64(1), 1, 5, int64(1), int64(7)})
		insert("blob", "city_id id subject purpose name media_type size sha256 received public created_at created_by",
			[]any{990100, "b1", "case:1", "photo", "a.jpg", "image/jpeg", int64(len(photo)), sha(photo), "r", true, int64(1), "x"},
			[]any{990100, "b2", "case:2", "photo", "b.jpg", "image/jpeg", int64(len(photo)), sha(photo), "r", false, int64(1), "x"},
			[]any{990100, "b3", "case:2", "paper", "c.pdf", "application/pdf", int64(len(paper)), sha(paper), "r", false, int64(1), "x"})
		body := strings.Repeat("室温", 300)
		for i := range entries {
			insert("entry", "city_id id subject seq at act actor actor_name org door public body prev hash",
				[]any{990100, fmt.Sprintf("e%04d", i), "case:1", int64(i), int64(i), "a", "b", "c", "", "page", i%2 == 0, body, "", "h"})
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// dump is every row of every table, in the form of the archive's own values.
func dump(t *testing.T, d *db.DB) map[string][]string {
	t.Helper()
	ctx := context.Background()
	tables, err := db.Tables()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	_, err = db.Read(ctx, d, func(tx *db.Tx) (int, error) {
		for _, table := range tables {
			key, err := db.KeyOf(ctx, tx, table.Name)
			if err != nil || len(key) == 0 {
				return 0, fmt.Errorf("key of %s: %v, %w", table.Name, key, err)
			}
			columns, err := db.ColumnsOf(ctx, tx, table.Name)
			if err != nil {
				return 0, err
			}
			err = db.EachRow(ctx, tx, func(row []any) error {
				for i, v := range row {
					if n, is := v.(int64); is && columns[i].Type == db.BoolColumn {
						row[i] = n != 0
					}
				}
				all[table.Name] = append(all[table.Name], fmt.Sprintf("%#v", row))
				return nil
			}, "SELECT * FROM "+table.Name+" ORDER BY "+strings.Join(key, ", "))
			if err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func write(t *testing.T, in backup.Installation) ([]byte, backup.Manifest) {
	t.Helper()
	var b bytes.Buffer
	m, err := backup.Write(context.Background(), in, &b)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), m
}

// empty is a database without any schema.
func empty(t *testing.T, engine db.Engine) *db.DB {
	t.Helper()
	o := db.Options{File: filepath.Join(t.TempDir(), "new", "rehu.db"), Fast: true}
	if engine == db.Postgres {
		o = db.Options{URL: dbtest.EmptyPostgresURL(t)}
	}
	d, err := db.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// TestThereAndBack takes an installation from one database to the other and back, into a fresh and a migrated one.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		first := installation(t, d)
		fill(t, first, entries)
		archive, m := write(t, first)
		if m.Total() != entries+1+3+2+3 || m.Blobs != 2 || len(m.Missing) != 0 || m.Header.Engine != d.Engine() {
			t.Errorf("manifest: %d rows, %d attachments, missing %v", m.Total(), m.Blobs, m.Missing)
		}
		other := db.SQLite
		if d.Engine() == db.SQLite && !dbtest.Quick() {
			other = db.Postgres
		}
		second := installation(t, empty(t, other))
		var steps []backup.Step
		second.Progress = func(s backup.Step) { steps = append(steps, s) }
		if _, err := backup.Restore(ctx, second, bytes.NewReader(archive)); err != nil {
			t.Fatal(err)
		}
		if last := steps[len(steps)-1]; last.Name != "blobs" || last.Done != 2 || last.No != last.Of {
			t.Errorf("last step %+v", last)
		}
		if diff := cmp.Diff(dump(t, d), dump(t, second.DB)); diff != "" {
			t.Errorf("%s differs from %s:\n%s", other, d.Engine(), diff)
		}
		if err := backup.Finished(ctx, second.DB); err != nil {
			t.Error(err)
		}
		back, _ := write(t, second)
		third := installation(t, dbtest.SQLite(t))
		if d.Engine() == db.Postgres {
			third.DB = dbtest.Postgres(t)
		}
		m, err := backup.Restore(ctx, third, bytes.NewReader(back))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(dump(t, d), dump(t, third.DB)); diff != "" || m.Header.Keyring != "abcd" {
			t.Errorf("there and back differs:\n%s", diff)
		}
		if has, err := third.Blobs.Has(ctx, sha([]byte("photograph"))); err != nil || !has {
			t.Errorf("attachment after the way back: %v, %v", has, err)
		}
	})
}

func TestOneMomentWhileTheServerWorks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		in := installation(t, d)
		fill(t, in, 20)
		ctx := context.Background()
		n := 0
		in.Progress = func(s backup.Step) { // between two tables somebody writes to both
			if s.Name == "blobs" {
				return
			}
			n++
			err := db.Do(ctx, d, func(tx *db.Tx) error {
				return errors.Join(
					db.InsertRows(ctx, tx, "counter", []string{"city_id", "name", "value"}, [][]any{{1, fmt.Sprint("late", n), int64(1)}}),
					db.InsertRows(ctx, tx, "periodic", []string{"kind", "next_at"}, [][]any{{fmt.Sprint("late", n), int64(1)}}))
			})
			if err != nil {
				t.Error(err)
			}
		}
		_, m := write(t, in)
		if n < 10 || m.Rows["counter"] != 3 || m.Rows["periodic"] != 0 {
			t.Errorf("after %d late writes the archive has %v; want the moment it began", n, m.Rows)
		}
	})
}

func TestTargetsRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		in := installation(t, d)
		fill(t, in, 20)
		archive, _ := write(t, in)
		before := dump(t, d)
		if _, err := backup.Restore(ctx, in, bytes.NewReader(archive)); fault.Of(err).Key != "backup.not_empty" {
			t.Errorf("restoring over data: %v; want backup.not_empty", err)
		}
		if diff := cmp.Diff(before, dump(t, d)); diff != "" {
			t.Errorf("a refused restore changed something:\n%s", diff)
		}
		if err := backup.Finished(ctx, d); err != nil {
			t.Errorf("a refused restore left its mark: %v", err)
		}
	})
}

func TestInterruptedRestoreRunsAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		source := installation(t, dbtest.SQLite(t))
		fill(t, source, entries)
		archive, _ := write(t, source)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		in := installation(t, d)
		in.Progress = func(s backup.Step) {
			if s.Name == "entry" && s.Done >= 2000 {
				cancel()
			}
		}
		if _, err := backup.Restore(ctx, in, bytes.NewReader(archive)); err == nil {
			t.Fatal("the restore went on after its context ended")
		}
		ctx = context.Background()
		if err := backup.Finished(ctx, d); fault.Of(err).Key != "backup.incomplete" {
			t.Errorf("half a restore: %v; want backup.incomplete", err)
		}
		if _, err := backup.Write(ctx, in, io.Discard); fault.Of(err).Key != "backup.incomplete" {
			t.Errorf("backup of half a restore: %v; want backup.incomplete", err)
		}
		in.Progress = nil
		if _, err := backup.Restore(ctx, in, bytes.NewReader(archive)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(dump(t, source.DB), dump(t, d)); diff != "" {
			t.Errorf("after the second run:\n%s", diff)
		}
	})
}

// TestDamageIsFound cuts an archive short or changes a byte anywhere.
func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	in := installation(t, dbtest.SQLite(t))
	fill(t, in, 20)
	archive, _ := write(t, in)
	ctx := context.Background()
	if _, err := backup.Check(ctx, bytes.NewReader(archive)); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(10, len(archive)-1).Draw(t, "at") // the first ten bytes are gzip's own, most of them free
		bad := bytes.Clone(archive)
		if rapid.Bool().Draw(t, "cut") {
			bad = bad[:at]
		} else {
			bad[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		}
		_, err := backup.Check(ctx, bytes.NewReader(bad))
		if err == nil && bytes.Equal(unzip(bad), unzip(archive)) {
			return // a bit that compression does not use
		}
		if fault.Of(err).Key != "backup.broken" {
			t.Fatalf("damage at %d of %d: %v; want backup.broken", at, len(archive), err)
		}
	})
}

// unzip is what an archive unpacks to, nil when it does not.
func unzip(archive []byte) []byte {
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil
	}
	b, err := io.ReadAll(zip)
	if err != nil {
		return nil
	}
	return b
}

// rewrite changes the files of an archive as change says; nil leaves a file out.
func rewrite(t *testing.T, archive []byte, change func(name string, content []byte) []byte) []byte {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	outZip := gzip.NewWriter(&b)
	in, out := tar.NewReader(zip), tar.NewWriter(outZip)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if content = change(h.Name, content); content == nil {
			continue
		}
		h.Size = int64(len(content))
		if err := out.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(out.Close(), outZip.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchivesRefused(t *testing.T) {
	t.Parallel()
	in := installation(t, dbtest.SQLite(t))
	fill(t, in, entries)
	archive, _ := write(t, in)
	header := func(change func(h map[string]any)) func(string, []byte) []byte {
		return func(name string, content []byte) []byte {
			if name != "header.json" {
				return content
			}
			var h map[string]any
			if err := json.Unmarshal(content, &h); err != nil {
				t.Fatal(err)
			}
			change(h)
			b, err := json.Marshal(h)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
	leaveOut := func(part string) func(string, []byte) []byte {
		return func(name string, content []byte) []byte {
			if strings.Contains(name, part) {
				return nil
			}
			return content
		}
	}
	for name, c := range map[string]struct {
		archive []byte
		key     string
	}{
		"no archive":   {[]byte("hello"), "backup.broken"},
		"newer schema": {rewrite(t, archive, header(func(h map[string]any) { h["schema"] = 9999 })), "backup.newer_schema"},
		"newer format": {rewrite(t, archive, header(func(h map[string]any) { h["format_version"] = 9 })), "backup.newer_format"},
		"other columns": {rewrite(t, archive, header(func(h map[string]any) {
			h["tables"].([]any)[0].(map[string]any)["columns"] = []any{map[string]any{"name": "x", "type": "int"}}
		})), "backup.other_columns"},
		"SQL as table name": {rewrite(t, archive, header(func(h map[string]any) { h["tables"].([]any)[0].(map[string]any)["name"] = "city; DROP TABLE job" })), "backup.broken"},
		"no header":         {rewrite(t, archive, leaveOut("header.json")), "backup.broken"},
		"no manifest":       {rewrite(t, archive, leaveOut("manifest.json")), "backup.broken"},
		"a part is missing": {rewrite(t, archive, leaveOut("entry/000002")), "backup.broken"},
		"a blob is missing": {rewrite(t, archive, leaveOut(sha([]byte("photograph")))), "backup.broken"},
		"a row was changed": {rewrite(t, archive, func(_ string, b []byte) []byte { return bytes.ReplaceAll(b, []byte("Nuancheng"), []byte("Nuanchang")) }), "backup.broken"},
	} {
		target := installation(t, empty(t, db.SQLite))
		_, err := backup.Restore(context.Background(), target, bytes.NewReader(c.archive))
		if f := fault.Of(err); f.Key != c.key || !text.Has(f.Key) {
			t.Errorf("%s: %v; want %s", name, err, c.key)
		}
		if err := backup.Finished(context.Background(), target.DB); err != nil {
			t.Errorf("%s: the target is marked although nothing was written: %v", name, err)
		}
	}
}

func TestLostAttachmentsAreNamed(t *testing.T) {
	t.Parallel()
	in := installation(t, dbtest.SQLite(t))
	fill(t, in, 20)
	lost := sha([]byte("photograph"))
	if err := in.Blobs.Delete(context.Background(), lost); err != nil {
		t.Fatal(err)
	}
	archive, m := write(t, in)
	if diff := cmp.Diff([]string{lost}, m.Missing); diff != "" || m.Blobs != 1 {
		t.Errorf("missing: %s", diff)
	}
	target := installation(t, empty(t, db.SQLite))
	if m, err := backup.Restore(context.Background(), target, bytes.NewReader(archive)); err != nil || len(m.Missing) != 1 {
		t.Errorf("restored %v, %v", m.Missing, err)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	in := installation(t, dbtest.SQLite(t))
	fill(t, in, 20)
	dir := filepath.Join(t.TempDir(), "backups")
	name, m, err := backup.Save(context.Background(), in, dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := backup.Check(context.Background(), f)
	if err != nil || cmp.Diff(m, got) != "" {
		t.Errorf("checked %+v, %v", got, err)
	}
	for day := range 3 { // older ones
		at := dbtest.Start.Add(-time.Duration(day+1) * 24 * time.Hour)
		if err := os.WriteFile(filepath.Join(dir, backup.Name(at)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	gone, err := backup.Prune(dir, 2)
	left, globErr := filepath.Glob(filepath.Join(dir, "*"))
	want := []string{filepath.Join(dir, "rehu-20260114-080000.tar.gz"), name}
	if err != nil || globErr != nil || len(gone) != 2 || cmp.Diff(want, left) != "" {
		t.Errorf("pruned %v, left %v, %v", gone, left, err)
	}
}

// TestOlderSchema restores what an earlier program saved: at its schema first, then migrated.
func TestOlderSchema(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	newest, err := db.ProgramVersion()
	if err != nil {
		t.Fatal(err)
	}
	old := installation(t, empty(t, db.SQLite))
	if err := old.DB.MigrateTo(ctx, 1); err != nil {
		t.Fatal(err)
	}
	fill(t, old, 20)
	archive, m := write(t, old)
	if m.Header.Schema != 1 {
		t.Errorf("schema %d; want 1", m.Header.Schema)
	}
	target := installation(t, empty(t, db.SQLite))
	if _, err := backup.Restore(ctx, target, bytes.NewReader(archive)); err != nil {
		t.Fatal(err)
	}
	have, err := db.Read(ctx, target.DB, func(tx *db.Tx) (int64, error) { return db.SchemaVersion(ctx, tx) })
	if err != nil || have != newest {
		t.Errorf("schema after the restore %d, %v; want %d", have, err, newest)
	}
	if n := len(dump(t, target.DB)["entry"]); n != 20 {
		t.Errorf("%d entries; want 20", n)
	}
	migrated := installation(t, dbtest.SQLite(t))
	if _, err := backup.Restore(ctx, migrated, bytes.NewReader(archive)); newest > 1 && fault.Of(err).Key != "backup.older_schema" {
		t.Errorf("into a newer empty database: %v; want backup.older_schema", err)
	}
}

func TestSessionsStayBehind(t *testing.T) {
	t.Parallel()
	_, m := write(t, installation(t, dbtest.SQLite(t)))
	all, err := db.Tables()
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, table := range m.Header.Tables {
		has[table.Name] = true
	}
	for _, table := range all {
		login := table.Name == "session" || table.Name == "resident_session"
		if has[table.Name] == login {
			t.Errorf("table %s in the archive: %v", table.Name, has[table.Name])
		}
	}
}
