package db

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Hold is a name that this process holds for as long as it lives. Nothing has to be given back: the operating system lets
// go of it when the process dies, however it dies.
type Hold struct {
	file *os.File  // SQLite: locked
	conn *pgx.Conn // PostgreSQL: a session of its own with an advisory lock
}

// Hold takes a name; whoever holds it is alive (see Abandoned). A name that another holds is a fault of the caller: names
// are drawn anew by each process.
func (d *DB) Hold(ctx context.Context, name string) (*Hold, error) {
	if d.engine == SQLite {
		return holdFile(d.holder(name), name)
	}
	pooled, err := d.pool.Acquire(ctx)
	if err != nil {
		return nil, wrap(fmt.Errorf("hold %s: %w", name, err))
	}
	h := &Hold{conn: pooled.Hijack()}
	var ok bool
	if err := h.conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, lockKey(name)).Scan(&ok); err != nil || !ok {
		h.Release()
		return nil, wrap(fmt.Errorf("hold %s: taken or not reachable: %w", name, errors.Join(err, ErrRetry)))
	}
	// A machine that loses its power says nothing: the server asks it soon, and not after two hours.
	for _, s := range []string{"tcp_keepalives_idle = 10", "tcp_keepalives_interval = 5", "tcp_keepalives_count = 3"} {
		if _, err := h.conn.Exec(ctx, "SET "+s); err != nil {
			h.Release()
			return nil, wrap(fmt.Errorf("hold %s: %w", name, err))
		}
	}
	return h, nil
}

func holdFile(path, name string) (*Hold, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of holders: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("hold %s: %w", name, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("hold %s: %w", name, err)
	}
	return &Hold{file: f}, nil
}

// Held reports whether the name is held still. A session with PostgreSQL can be lost; a locked file cannot.
func (h *Hold) Held(ctx context.Context) bool {
	if h.conn == nil {
		return true
	}
	const patience = 3 * time.Second
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	return h.conn.Ping(ctx) == nil
}

// Release lets go of the name.
func (h *Hold) Release() {
	if h.conn != nil {
		ctx, stop := context.WithTimeout(context.Background(), time.Second) // the caller's context may be over
		defer stop()
		_ = h.conn.Close(ctx)
		return
	}
	_ = os.Remove(h.file.Name())
	h.file.Close()
}

// Abandoned reports whether nobody holds a name: its process is gone, or, with PostgreSQL, cut off from the database. To
// the end of the transaction nobody takes it either.
func Abandoned(ctx context.Context, tx *Tx, name string) (bool, error) {
	if tx.d.engine == Postgres {
		return One[bool](ctx, tx, `SELECT pg_try_advisory_xact_lock($1)`, lockKey(name))
	}
	path := tx.d.holder(name)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the holder of %s: %w", name, err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return false, nil
		}
		return false, fmt.Errorf("look for the holder of %s: %w", name, err)
	}
	return true, os.Remove(path)
}

// holder is the file whose lock holds a name, beside the database.
func (d *DB) holder(name string) string {
	sum := sha256.Sum256([]byte(name))
	return filepath.Join(filepath.Dir(d.file), "holders", hex.EncodeToString(sum[:16]))
}

func lockKey(name string) int64 {
	sum := sha256.Sum256([]byte("rehu hold\n" + name))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}
