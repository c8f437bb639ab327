package backup

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"

	"github.com/rehu-heat/rehu/internal/fault"
)

var plainName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// visitor is told what is in an archive while it is read. Its functions may be nil.
type visitor struct {
	header func(Header) error
	part   func(t Table, content []byte) error
	blob   func(sha string, content []byte) error
}

// Check reads an archive from end to end and tells whether it is complete and undamaged.
func Check(ctx context.Context, r io.Reader) (Manifest, error) { return read(ctx, r, visitor{}) }

func broken(cause error, why string) error {
	return fault.Wrap(cause, fault.Invalid, "backup.broken", "why", why)
}

// read goes through an archive and compares everything with the manifest at its end.
func read(ctx context.Context, r io.Reader, v visitor) (Manifest, error) {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return Manifest{}, broken(err, "not a backup archive")
	}
	a := &archive{v: v, rows: map[string]int64{}}
	files := tar.NewReader(zip)
	for {
		if err := ctx.Err(); err != nil {
			return Manifest{}, err
		}
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Manifest{}, broken(err, "the archive is cut short or damaged")
		}
		if h.Size > mostBytes {
			return Manifest{}, broken(nil, h.Name+" is too large")
		}
		content, err := io.ReadAll(files)
		if err != nil {
			return Manifest{}, broken(err, "the archive is cut short or damaged")
		}
		if err := a.file(h.Name, content); err != nil {
			return Manifest{}, err
		}
	}
	if _, err := io.Copy(io.Discard, zip); err != nil { // the checksum stands at the very end
		return Manifest{}, broken(err, "the archive is cut short or damaged")
	}
	return a.end()
}

// archive is what has been read so far.
type archive struct {
	v        visitor
	h        *Header
	m        *Manifest
	parts    []Part
	rows     map[string]int64
	blobs    int64
	bytes    int64
	lastBlob string
}

func (a *archive) file(name string, content []byte) error {
	dir, base := path.Split(name)
	switch {
	case a.m != nil:
		return broken(nil, name+" stands after the manifest")
	case a.h == nil && name == "header.json":
		return a.header(content)
	case a.h == nil:
		return broken(nil, "the header is missing")
	case name == "manifest.json":
		a.m = &Manifest{}
		if err := json.Unmarshal(content, a.m); err != nil {
			return broken(err, "the manifest cannot be read")
		}
		return nil
	case path.Dir(path.Clean(dir)) == "blobs":
		return a.blob(base, content)
	}
	return a.part(name, content)
}

func (a *archive) header(content []byte) error {
	var h Header
	if err := json.Unmarshal(content, &h); err != nil || h.Format != format {
		return broken(err, "not a backup archive")
	}
	if h.FormatVersion > formatVersion {
		return fault.New(fault.Invalid, "backup.newer_format", "have", h.FormatVersion, "want", formatVersion)
	}
	for _, t := range h.Tables {
		ok := plainName.MatchString(t.Name) && len(t.Columns) > 0
		for _, c := range t.Columns {
			ok = ok && plainName.MatchString(c.Name)
		}
		if !ok {
			return broken(nil, "the header names impossible tables")
		}
	}
	a.h = &h
	if a.v.header == nil {
		return nil
	}
	return a.v.header(h)
}

func (a *archive) part(name string, content []byte) error {
	i := slices.IndexFunc(a.h.Tables, func(t Table) bool {
		ok, err := path.Match("tables/*-"+t.Name+"/*.jsonl", name)
		return ok && err == nil
	})
	if i < 0 {
		return broken(nil, "unexpected file "+name)
	}
	p := Part{Name: name, SHA256: sum(content)}
	for _, b := range content {
		if b == '\n' {
			p.Rows++
		}
	}
	a.parts = append(a.parts, p)
	a.rows[a.h.Tables[i].Name] += p.Rows
	if a.v.part == nil {
		return nil
	}
	return a.v.part(a.h.Tables[i], content)
}

func (a *archive) blob(sha string, content []byte) error {
	if sum(content) != sha || sha <= a.lastBlob {
		return broken(nil, "attachment "+sha+" is damaged")
	}
	a.lastBlob = sha
	a.blobs++
	a.bytes += int64(len(content))
	if a.v.blob == nil {
		return nil
	}
	return a.v.blob(sha, content)
}

// end compares what was read with what the manifest promises.
func (a *archive) end() (Manifest, error) {
	if a.m == nil {
		return Manifest{}, broken(nil, "the archive is cut short: no manifest")
	}
	a.m.Header = *a.h
	if !slices.Equal(a.parts, a.m.Parts) {
		return Manifest{}, broken(nil, "rows do not match the manifest")
	}
	for _, t := range a.h.Tables {
		if a.rows[t.Name] != a.m.Rows[t.Name] {
			return Manifest{}, broken(nil, fmt.Sprintf("table %s has %d rows, the manifest says %d", t.Name, a.rows[t.Name], a.m.Rows[t.Name]))
		}
	}
	if a.blobs != a.m.Blobs || a.bytes != a.m.Bytes {
		return Manifest{}, broken(nil, fmt.Sprintf("%d attachments, the manifest says %d", a.blobs, a.m.Blobs))
	}
	return *a.m, nil
}
