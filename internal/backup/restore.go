package backup

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// marker is the table that stands in a database while it is being restored. A server refuses to start on it.
const marker = "rehu_restore_incomplete"

// rowsAtOnce bounds what one transaction of a restore writes.
const rowsAtOnce = 1000

// Finished is a fault when the database holds half a restore; the server asks before it starts.
func Finished(ctx context.Context, d *db.DB) error {
	_, err := db.Read(ctx, d, func(tx *db.Tx) (struct{}, error) { return struct{}{}, finished(ctx, tx) })
	return err
}

func finished(ctx context.Context, tx *db.Tx) error {
	half, err := db.HasTable(ctx, tx, marker)
	if err != nil {
		return err
	}
	if half {
		return fault.New(fault.Conflict, "backup.incomplete")
	}
	return nil
}

// Restore fills an empty database from an archive, whichever database it was made on, and then brings the schema up to
// this program's version. The archive is checked from end to end before anything is written, and what was written is
// counted afterwards. A database with data in it is refused; one that an interrupted restore left behind is emptied and
// filled again.
func Restore(ctx context.Context, in Installation, archive io.ReadSeeker) (Manifest, error) {
	m, err := Check(ctx, archive)
	if err != nil {
		return Manifest{}, err
	}
	if _, err := archive.Seek(0, io.SeekStart); err != nil {
		return Manifest{}, fmt.Errorf("read the archive again: %w", err)
	}
	r := &restorer{in: in, ctx: ctx, tables: m.Header.Tables, of: len(m.Header.Tables) + 1}
	if err := r.prepare(m.Header); err != nil {
		return Manifest{}, err
	}
	if _, err := read(ctx, archive, visitor{part: r.part, blob: r.blob}); err != nil {
		return Manifest{}, err
	}
	if err := r.verify(m); err != nil {
		return Manifest{}, err
	}
	if _, err := in.DB.Migrate(ctx); err != nil {
		return Manifest{}, err
	}
	return m, nil
}

type restorer struct {
	in     Installation
	ctx    context.Context //nolint:containedctx // lives as long as one call of Restore
	tables []Table
	of     int
	no     int
	table  string
	done   int64
	blobs  int64
}

// prepare brings the database to the archive's schema, sees that it is empty and marks it.
func (r *restorer) prepare(h Header) error {
	want, err := db.ProgramVersion()
	if err != nil {
		return err
	}
	if h.Schema > want {
		return fault.New(fault.Invalid, "backup.newer_schema", "have", h.Schema, "want", want)
	}
	have, err := db.Read(r.ctx, r.in.DB, func(tx *db.Tx) (int64, error) { return db.SchemaVersion(r.ctx, tx) })
	if err != nil {
		return err
	}
	if have > h.Schema {
		return fault.New(fault.Conflict, "backup.older_schema", "have", h.Schema, "want", have)
	}
	if err := r.in.DB.MigrateTo(r.ctx, h.Schema); err != nil {
		return err
	}
	if err := r.clearHalf(h); err != nil {
		return err
	}
	return db.Do(r.ctx, r.in.DB, func(tx *db.Tx) error {
		for _, t := range h.Tables {
			if err := r.fits(tx, t); err != nil {
				return err
			}
		}
		_, err := db.Exec(r.ctx, tx, `CREATE TABLE IF NOT EXISTS `+marker+` (started_at BIGINT NOT NULL)`)
		return err
	})
}

// fits sees that a table exists with the archive's columns and has no rows.
func (r *restorer) fits(tx *db.Tx, t Table) error {
	has, err := db.HasTable(r.ctx, tx, t.Name)
	if err != nil {
		return err
	}
	if !has {
		return fault.New(fault.Invalid, "backup.other_columns", "table", t.Name)
	}
	columns, err := db.ColumnsOf(r.ctx, tx, t.Name)
	if err != nil {
		return err
	}
	if !slices.Equal(columns, t.Columns) {
		return fault.New(fault.Invalid, "backup.other_columns", "table", t.Name)
	}
	_, any, err := db.Maybe[int64](r.ctx, tx, `SELECT 1 FROM `+t.Name+` LIMIT 1`)
	if err == nil && any {
		return fault.New(fault.Conflict, "backup.not_empty", "table", t.Name)
	}
	return err
}

// clearHalf empties what an interrupted restore left behind, last tables first.
func (r *restorer) clearHalf(h Header) error {
	if err := Finished(r.ctx, r.in.DB); err == nil || fault.Of(err).Key != "backup.incomplete" {
		return err
	}
	for _, t := range slices.Backward(h.Tables) {
		err := db.Do(r.ctx, r.in.DB, func(tx *db.Tx) error {
			has, err := db.HasTable(r.ctx, tx, t.Name)
			if err != nil || !has {
				return err
			}
			_, err = db.Exec(r.ctx, tx, `DELETE FROM `+t.Name)
			return err
		})
		if err != nil {
			return fmt.Errorf("clear table %s: %w", t.Name, err)
		}
	}
	return nil
}

// part writes the rows of one file.
func (r *restorer) part(t Table, content []byte) error {
	if t.Name != r.table {
		r.table, r.done = t.Name, 0
		r.no = 1 + slices.IndexFunc(r.tables, func(o Table) bool { return o.Name == t.Name })
	}
	var rows [][]any
	for line := range bytes.Lines(content) {
		row, err := parseRow(line, t.Columns)
		if err != nil {
			return broken(err, "table "+t.Name+" has an unreadable row")
		}
		if rows = append(rows, row); len(rows) < rowsAtOnce {
			continue
		}
		if err := r.insert(t, rows); err != nil {
			return err
		}
		rows = rows[:0]
	}
	return r.insert(t, rows)
}

func (r *restorer) insert(t Table, rows [][]any) error {
	err := db.Do(r.ctx, r.in.DB, func(tx *db.Tx) error { return db.InsertRows(r.ctx, tx, t.Name, columnNames(t), rows) })
	if err != nil {
		return fmt.Errorf("restore table %s: %w", t.Name, err)
	}
	r.done += int64(len(rows))
	r.in.step(Step{Name: t.Name, Done: r.done, No: r.no, Of: r.of})
	return nil
}

func (r *restorer) blob(sha string, content []byte) error {
	if err := r.in.Blobs.Put(r.ctx, sha, bytes.NewReader(content)); err != nil {
		return fmt.Errorf("restore attachment %s: %w", sha, err)
	}
	r.blobs++
	r.in.step(Step{Name: "blobs", Done: r.blobs, No: r.of, Of: r.of})
	return nil
}

// verify counts what stands in the database now and takes the mark away.
func (r *restorer) verify(m Manifest) error {
	return db.Do(r.ctx, r.in.DB, func(tx *db.Tx) error {
		for _, t := range m.Header.Tables {
			n, err := db.One[int64](r.ctx, tx, `SELECT count(*) FROM `+t.Name)
			if err != nil {
				return err
			}
			if n != m.Rows[t.Name] {
				return fault.New(fault.Conflict, "backup.count_differs", "table", t.Name, "have", n, "want", m.Rows[t.Name])
			}
		}
		_, err := db.Exec(r.ctx, tx, `DROP TABLE `+marker)
		return err
	})
}
