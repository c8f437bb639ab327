package test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/db/dbtest"
)

// wire is the way to the database, which a test can cut and mend.
type wire struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	cut      bool
	open     []net.Conn
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, to: to}
	t.Cleanup(func() { l.Close(); w.set(true) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.join(c)
		}
	}()
	return w
}

func (w *wire) join(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d, err := net.Dial("tcp", w.to)
	if w.cut || err != nil {
		c.Close()
		return
	}
	w.open = append(w.open, c, d)
	go func() { _, _ = io.Copy(c, d); c.Close() }()
	go func() { _, _ = io.Copy(d, c); d.Close() }()
}

// set cuts every connection, or lets new ones through.
func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	for _, c := range w.open {
		c.Close()
	}
	w.open = nil
}

// TestDatabaseGone takes the database away from a running server and gives it back: clear answers meanwhile, and no restart.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	if dbtest.Quick() {
		return // there is no database that could be gone
	}
	u, err := url.Parse(dbtest.EmptyPostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	w := newWire(t, u.Host)
	u.Host = w.listener.Addr().String()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	var log strings.Builder
	server := exec.CommandContext(ctx, binary, "serve", "--data", t.TempDir(), "--database", u.String(), "--listen", addr, "--city", "990100")
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	until := func(path string, status int) {
		t.Helper()
		for {
			r, err := http.Get("http://" + addr + path)
			if err == nil {
				body, _ := io.ReadAll(r.Body)
				r.Body.Close()
				if r.StatusCode == status {
					return
				}
				if strings.Contains(string(body), "goroutine ") || strings.Contains(string(body), "pgx") {
					t.Fatalf("%s shows what is inside: %s", path, body)
				}
			}
			if ctx.Err() != nil {
				t.Fatalf("%s never answered %d: %v", path, status, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	until("/readyz", http.StatusOK)
	w.set(true)
	until("/readyz", http.StatusServiceUnavailable)
	until("/healthz", http.StatusOK)
	w.set(false)
	until("/readyz", http.StatusOK)
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	if strings.Contains(log.String(), "goroutine ") {
		t.Errorf("the log has a stack:\n%s", log.String())
	}
}
