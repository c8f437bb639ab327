package blob_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/fault"
)

// objects is an object store on this machine that checks how it is addressed.
type objects struct {
	t  *testing.T
	mu sync.Mutex
	m  map[string][]byte
}

func (o *objects) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !strings.Contains(r.Header.Get("Authorization"), "Credential=key/") || !strings.HasPrefix(r.URL.Path, "/rehu/city/") {
		o.t.Errorf("%s %s with %q", r.Method, r.URL, r.Header.Get("Authorization"))
	}
	b, has := o.m[r.URL.Path]
	switch r.Method {
	case http.MethodPut:
		o.m[r.URL.Path] = unchunk(o.t, r)
		w.Header().Set("ETag", `"x"`)
	case http.MethodDelete:
		delete(o.m, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	default:
		if !has {
			w.WriteHeader(http.StatusNotFound)
			if r.Method == http.MethodGet {
				fmt.Fprint(w, `<Error><Code>NoSuchKey</Code></Error>`)
			}
			return
		}
		w.Header().Set("ETag", `"x"`)
		w.Header().Set("Last-Modified", "Thu, 15 Jan 2026 00:00:00 GMT")
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(b)
		}
	}
}

// unchunk takes the signed chunks of a body apart.
func unchunk(t *testing.T, r *http.Request) []byte {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		return b
	}
	body := bufio.NewReader(r.Body)
	var out []byte
	for {
		line, err := body.ReadString('\n')
		if err != nil {
			t.Error(err)
			return out
		}
		size, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseInt(size, 16, 64)
		if err != nil || n == 0 {
			return out
		}
		part := make([]byte, n+2)
		if _, err := io.ReadFull(body, part); err != nil {
			t.Error(err)
		}
		out = append(out, part[:n]...)
	}
}

func TestStores(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&objects{t: t, m: map[string][]byte{}})
	defer server.Close()
	s3, err := blob.FromConfig(config.Blob{Kind: "s3", S3: config.S3{
		Endpoint: strings.TrimPrefix(server.URL, "http://"), Bucket: "rehu", Prefix: "city/",
		AccessKey: "key", SecretKey: "secret", Insecure: true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	onDisk, err := blob.FromConfig(config.Blob{Kind: "disk", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for name, store := range map[string]blob.Store{"disk": onDisk, "s3": s3} {
		content := bytes.Repeat([]byte("heat"), 5000)
		h := sha256.Sum256(content)
		sha := hex.EncodeToString(h[:])
		ctx := context.Background()
		if has, err := store.Has(ctx, sha); err != nil || has {
			t.Errorf("%s before: %v, %v", name, has, err)
		}
		if _, err := store.Get(ctx, sha); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: getting nothing: %v; want NotFound", name, err)
		}
		if err := store.Put(ctx, sha, strings.NewReader("other")); fault.Of(err).Key != "blob.other_hash" {
			t.Errorf("%s: other content under a hash: %v", name, err)
		}
		for range 2 {
			if err := store.Put(ctx, sha, bytes.NewReader(content)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		r, err := store.Get(ctx, sha)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := io.ReadAll(r)
		if err = firstOf(err, r.Close()); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: got %d bytes, %v", name, len(got), err)
		}
		for range 2 {
			if err := store.Delete(ctx, sha); err != nil {
				t.Errorf("%s: delete: %v", name, err)
			}
		}
		if has, err := store.Has(ctx, sha); err != nil || has {
			t.Errorf("%s after: %v, %v", name, has, err)
		}
		for _, bad := range []string{"", "../../etc/passwd", strings.ToUpper(sha), sha[:63] + "/"} {
			if _, err := store.Get(ctx, bad); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: Get(%q): %v; want NotFound", name, bad, err)
			}
		}
	}
	server.Close()
	if _, err := s3.Get(timeout(t), strings.Repeat("a", 64)); !fault.Is(err, fault.Down) {
		t.Errorf("store gone: %v; want Down", err)
	}
}

func timeout(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	t.Cleanup(cancel)
	return ctx
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
