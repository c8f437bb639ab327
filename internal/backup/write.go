package backup

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// writer is an archive being written.
type writer struct {
	in    Installation
	tar   *tar.Writer
	m     Manifest
	names *bufio.Writer // hashes of the attachments that rows name, one a line
}

// Write writes an archive of one moment of the installation while it goes on working. It needs little memory however
// much there is.
func Write(ctx context.Context, in Installation, out io.Writer) (Manifest, error) {
	zip, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return Manifest{}, fmt.Errorf("start the archive: %w", err)
	}
	names, err := os.CreateTemp("", "rehu-backup-*")
	if err != nil {
		return Manifest{}, fmt.Errorf("start the archive: %w", err)
	}
	defer os.Remove(names.Name())
	defer names.Close()
	w := &writer{in: in, tar: tar.NewWriter(zip), names: bufio.NewWriter(names), m: Manifest{Rows: map[string]int64{}, Missing: []string{}}}
	if _, err := db.Read(ctx, in.DB, func(tx *db.Tx) (struct{}, error) { return struct{}{}, w.tables(ctx, tx) }); err != nil {
		return Manifest{}, err
	}
	// The attachments are copied after the snapshot is given back: they never change, and copying them can take hours.
	if err := w.names.Flush(); err != nil {
		return Manifest{}, fmt.Errorf("list the attachments: %w", err)
	}
	if _, err := names.Seek(0, io.SeekStart); err != nil {
		return Manifest{}, fmt.Errorf("list the attachments: %w", err)
	}
	if err := w.blobs(ctx, names); err != nil {
		return Manifest{}, err
	}
	if err := w.json("manifest.json", w.m); err != nil {
		return Manifest{}, err
	}
	if err := errors.Join(w.tar.Close(), zip.Close()); err != nil {
		return Manifest{}, fmt.Errorf("end the archive: %w", err)
	}
	return w.m, nil
}

func (w *writer) json(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return file(w.tar, name, append(b, '\n'), w.m.Header.At)
}

func (w *writer) tables(ctx context.Context, tx *db.Tx) error {
	if err := w.header(ctx, tx); err != nil {
		return err
	}
	for i, t := range w.m.Header.Tables {
		p := &parts{w: w, table: t, no: i + 1}
		if err := p.write(ctx, tx); err != nil {
			return fmt.Errorf("back up table %s: %w", t.Name, err)
		}
	}
	return db.EachRow(ctx, tx, func(row []any) error {
		_, err := fmt.Fprintln(w.names, row[0])
		return err
	}, `SELECT DISTINCT sha256 FROM blob ORDER BY sha256`)
}

func (w *writer) header(ctx context.Context, tx *db.Tx) error {
	if err := finished(ctx, tx); err != nil {
		return err
	}
	version, err := db.SchemaVersion(ctx, tx)
	if err != nil {
		return err
	}
	h := Header{Format: format, FormatVersion: formatVersion, Program: w.in.Program, Schema: version, Engine: tx.Engine(), At: tx.Now, Keyring: w.in.Keyring}
	all, err := db.Tables()
	if err != nil {
		return err
	}
	for _, t := range all {
		has, err := db.HasTable(ctx, tx, t.Name)
		if err != nil {
			return err
		}
		if !has || !kept(t.Name) { // a schema that is not migrated yet lacks the newer tables
			continue
		}
		columns, err := db.ColumnsOf(ctx, tx, t.Name)
		if err != nil {
			return err
		}
		h.Tables = append(h.Tables, Table{Name: t.Name, Columns: columns})
	}
	w.m.Header = h
	return w.json("header.json", h)
}

// parts writes the rows of one table.
type parts struct {
	w     *writer
	table Table
	no    int // of the table
	count int // parts so far
	rows  int64
	buf   []byte
}

func (p *parts) write(ctx context.Context, tx *db.Tx) error {
	key, err := db.KeyOf(ctx, tx, p.table.Name)
	if err != nil {
		return err
	}
	query := "SELECT " + strings.Join(columnNames(p.table), ", ") + " FROM " + p.table.Name
	if len(key) > 0 {
		query += " ORDER BY " + strings.Join(key, ", ") // earlier rows first: a row may refer to an earlier one
	}
	err = db.EachRow(ctx, tx, func(row []any) error {
		var err error
		if p.buf, err = appendRow(p.buf, p.table.Columns, row); err != nil {
			return err
		}
		p.rows++
		if len(p.buf) < partBytes {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return p.flush()
	}, query)
	if err != nil {
		return err
	}
	return p.flush()
}

func (p *parts) flush() error {
	m := &p.w.m
	if p.rows > 0 {
		p.count++
		name := fmt.Sprintf("tables/%03d-%s/%06d.jsonl", p.no, p.table.Name, p.count)
		if err := file(p.w.tar, name, p.buf, m.Header.At); err != nil {
			return err
		}
		m.Parts = append(m.Parts, Part{Name: name, Rows: p.rows, SHA256: sum(p.buf)})
	}
	m.Rows[p.table.Name] += p.rows
	p.buf, p.rows = p.buf[:0], 0
	p.w.in.step(Step{Name: p.table.Name, Done: m.Rows[p.table.Name], No: p.no, Of: len(m.Header.Tables) + 1})
	return nil
}

func columnNames(t Table) []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

func (w *writer) blobs(ctx context.Context, names io.Reader) error {
	lines := bufio.NewScanner(names)
	of := len(w.m.Header.Tables) + 1
	for lines.Scan() {
		sha := lines.Text()
		content, err := w.blob(ctx, sha)
		if err != nil {
			return err
		}
		if content == nil {
			w.m.Missing = append(w.m.Missing, sha)
			continue
		}
		if err := file(w.tar, "blobs/"+sha[:2]+"/"+sha, content, w.m.Header.At); err != nil {
			return err
		}
		w.m.Blobs++
		w.m.Bytes += int64(len(content))
		w.in.step(Step{Name: "blobs", Done: w.m.Blobs, No: of, Of: of})
	}
	return lines.Err()
}

// blob reads an attachment; nil when it is lost or damaged, which must not keep the rest from being saved.
func (w *writer) blob(ctx context.Context, sha string) ([]byte, error) {
	r, err := w.in.Blobs.Get(ctx, sha)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(r, mostBytes))
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("read attachment %s: %w", sha, err)
	}
	if sum(content) != sha {
		return nil, nil
	}
	return content, nil
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// full names a full disk.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fault.Wrap(err, fault.Down, "db.full")
	}
	return err
}
