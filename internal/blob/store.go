package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Store keeps bytes under their SHA-256 (64 small hexadecimal digits). Putting the same bytes twice changes nothing.
type Store interface {
	// Put keeps the bytes; it fails when they do not have the hash.
	Put(ctx context.Context, sha string, r io.Reader) error
	// Get opens the bytes; NotFound when they are not there.
	Get(ctx context.Context, sha string) (io.ReadCloser, error)
	// Has reports whether the bytes are there.
	Has(ctx context.Context, sha string) (bool, error)
	// Delete takes the bytes away; it is no fault when they were not there.
	Delete(ctx context.Context, sha string) error
}

// FromConfig opens the store an installation is set up for.
func FromConfig(c config.Blob) (Store, error) {
	if c.Kind == "s3" {
		return NewS3(c.S3)
	}
	return Disk(c.Dir), nil
}

// Disk keeps blobs as files under a folder, two levels deep.
type Disk string

func checkSHA(sha string) error {
	if !isSHA(sha) {
		return fault.New(fault.NotFound, "blob.missing")
	}
	return nil
}

func isSHA(sha string) bool {
	b, err := hex.DecodeString(sha)
	return err == nil && len(b) == sha256.Size && hex.EncodeToString(b) == sha
}

func (d Disk) path(sha string) string { return filepath.Join(string(d), sha[:2], sha[2:4], sha) }

// Put writes to a temporary file, makes it durable and renames it.
func (d Disk) Put(_ context.Context, sha string, r io.Reader) error {
	if err := checkSHA(sha); err != nil {
		return err
	}
	name := d.path(sha)
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return disk(err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return disk(err)
	}
	defer os.Remove(tmp.Name())
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(tmp, h), r)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return disk(err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sha {
		return fault.New(fault.Invalid, "blob.other_hash", "want", sha, "got", got)
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return disk(err)
	}
	for _, dir := range []string{filepath.Dir(name), filepath.Dir(filepath.Dir(name)), string(d)} {
		if err := syncDir(dir); err != nil {
			return disk(err)
		}
	}
	return nil
}

func syncDir(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func disk(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fault.Wrap(err, fault.Down, "db.full")
	}
	return fmt.Errorf("write the attachment: %w", err)
}

// Get opens the file.
func (d Disk) Get(_ context.Context, sha string) (io.ReadCloser, error) {
	if err := checkSHA(sha); err != nil {
		return nil, err
	}
	f, err := os.Open(d.path(sha))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(err, fault.NotFound, "blob.missing")
	}
	if err != nil {
		return nil, fmt.Errorf("open the attachment: %w", err)
	}
	return f, nil
}

// Has looks for the file.
func (d Disk) Has(_ context.Context, sha string) (bool, error) {
	if !isSHA(sha) {
		return false, nil
	}
	_, err := os.Stat(d.path(sha))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Delete removes the file.
func (d Disk) Delete(_ context.Context, sha string) error {
	if err := checkSHA(sha); err != nil {
		return err
	}
	if err := os.Remove(d.path(sha)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the attachment: %w", err)
	}
	return nil
}
