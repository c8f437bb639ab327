// Package backup copies a whole installation into one file and back: every table and every attachment, in a form that
// does not depend on the database, so that an archive made on a laptop with SQLite is restored into a city's PostgreSQL.
//
// An archive is a compressed tar file: header.json, the rows of each table as JSON Lines in parts of a few megabytes, the
// attachments, and last manifest.json with the number of rows and the SHA-256 of each part. It shows one moment, although
// the server goes on working while it is made. The keyring is never in it: without the installation's keys the personal
// data of a backup stay unreadable, and whoever restores needs a copy of them.
package backup

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

const (
	format        = "rehu-backup"
	formatVersion = 1
	partBytes     = 4 << 20  // rows of one part before compression
	mostBytes     = 64 << 20 // of any file in an archive
)

// Header opens an archive.
type Header struct {
	Format        string        `json:"format"`
	FormatVersion int           `json:"format_version"`
	Program       string        `json:"program"` // version of the program that made it
	Schema        int64         `json:"schema"`
	Engine        db.Engine     `json:"engine"`
	At            civil.Instant `json:"at"`
	Keyring       string        `json:"keyring"` // fingerprint of the keyring that personal data need
	Tables        []Table       `json:"tables"`  // in the order of their foreign keys
}

// Table is a table of an archive.
type Table struct {
	Name    string      `json:"name"`
	Columns []db.Column `json:"columns"`
}

// Manifest closes an archive and says what it must contain.
type Manifest struct {
	Header  Header           `json:"-"`
	Rows    map[string]int64 `json:"rows"`
	Parts   []Part           `json:"parts"`
	Blobs   int64            `json:"blobs"`
	Bytes   int64            `json:"blob_bytes"`
	Missing []string         `json:"missing_blobs"` // named by rows, but not readable when the archive was made
}

// Part is one file of rows.
type Part struct {
	Name   string `json:"name"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Total is the number of rows of all tables.
func (m Manifest) Total() int64 {
	var n int64
	for _, rows := range m.Rows {
		n += rows
	}
	return n
}

// Step is how far a backup or a restore has come: rows of a table, or attachments.
type Step struct {
	Name string // a table, or "blobs"
	Done int64
	No   int // which of all tables, from 1; attachments come last
	Of   int
}

// Installation is what is copied, or what is copied into. Progress may be nil.
type Installation struct {
	DB       *db.DB
	Blobs    blob.Store
	Program  string // version of this program
	Keyring  string // fingerprint of its keyring
	Progress func(Step)
}

func (in Installation) step(s Step) {
	if in.Progress != nil {
		in.Progress(s)
	}
}

// kept tells the tables that an archive holds: all but sessions, since whoever restores must log in anew.
func kept(name string) bool { return name != "session" && !strings.HasSuffix(name, "_session") }

// Name is the file name of an archive made at an instant.
func Name(at civil.Instant) string { return "rehu-" + at.Time().Format("20060102-150405") + ".tar.gz" }

// Save writes an archive into a folder under its Name; it appears there whole or not at all.
func Save(ctx context.Context, in Installation, dir string) (string, Manifest, error) {
	name := filepath.Join(dir, Name(civil.At(time.Now()))) //nolint:forbidigo // a file is named by the machine's time, also in a simulated city
	m, err := SaveAs(ctx, in, name)
	return name, m, err
}

// SaveAs is Save with a file name of the caller's.
func SaveAs(ctx context.Context, in Installation, name string) (Manifest, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return Manifest{}, fmt.Errorf("make the backup folder: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".backup-*") // readable by its owner only
	if err != nil {
		return Manifest{}, fmt.Errorf("write the backup: %w", err)
	}
	defer os.Remove(tmp.Name())
	m, err := Write(ctx, in, tmp)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return Manifest{}, fmt.Errorf("write the backup: %w", full(err))
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return Manifest{}, fmt.Errorf("write the backup: %w", err)
	}
	d, err := os.Open(filepath.Dir(name))
	if err != nil {
		return Manifest{}, fmt.Errorf("write the backup: %w", err)
	}
	return m, errors.Join(d.Sync(), d.Close())
}

// Prune removes all but the newest archives of a folder and tells which went.
func Prune(dir string, keep int) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "rehu-*.tar.gz"))
	if err != nil {
		return nil, fmt.Errorf("list backups: %w", err)
	}
	slices.Sort(names)
	old := names[:max(0, len(names)-max(1, keep))]
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return nil, fmt.Errorf("remove an old backup: %w", err)
		}
	}
	return old, nil
}

// file adds one file to an archive.
func file(w *tar.Writer, name string, content []byte, at civil.Instant) error {
	h := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), ModTime: at.Time(), Format: tar.FormatPAX}
	if err := w.WriteHeader(h); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if _, err := w.Write(content); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
