// Package static serves the files that pages load: style sheets, scripts, icons. All are in the binary, compressed once,
// and their address carries a hash of everything, so that a browser keeps them for a year and a new program is never seen
// with old files.
//
// Invariant: an address that Path gave is answered with the same bytes for ever.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed *.css *.svg *.png js/*.js vendor/*.js vendor/*.css vendor/*.svg
var files embed.FS

// Prefix is where the files live under the site's address.
const Prefix = "/static/"

// The files of others, by the name that pages use.
const (
	HTMX       = "vendor/htmx-2.0.11.js"
	SSE        = "vendor/htmx-ext-sse-2.2.4.js"
	Icons      = "vendor/icons-1.62.0.svg"
	Leaflet    = "vendor/leaflet-1.9.4.js"
	LeafletCSS = "vendor/leaflet-1.9.4.css"
)

type file struct {
	kind        string
	plain, gzip []byte
}

type set struct {
	hash  string
	files map[string]file
}

// load reads and compresses everything at the first use. A file that cannot be read is a broken build.
var load = sync.OnceValue(func() set {
	s := set{files: map[string]file{}}
	all := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		plain, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(all, "%s %d\n", name, len(plain)) // a hash takes everything
		_, _ = all.Write(plain)
		s.files[name] = file{kind: kindOf(name), plain: plain, gzip: packed(plain)}
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("static: %v", err))
	}
	s.hash = hex.EncodeToString(all.Sum(nil))[:12]
	return s
})

func kindOf(name string) string {
	if path.Ext(name) == ".js" {
		return "text/javascript; charset=utf-8" // whatever the machine's own table says
	}
	return mime.TypeByExtension(path.Ext(name))
}

func packed(plain []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a valid one
	_, _ = z.Write(plain)                                 // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// fieldScripts are what the pages of the telephone may load.
var fieldScripts = []string{
	"boot", "live", "toast", "form", "dialog", "copy", "photo", "queue", "outbox", "pending", "send", "upload", "fill", "draft", "place", "call", "keep",
	"leave", "sign", "verdict", "windows",
}

// FieldFiles are the addresses of everything that the pages of the telephone load, to be there without a network.
func FieldFiles() []string {
	out := []string{Path("m.css"), Path("f.css"), Path("logo.svg"), Path(Icons), Path("field-192.png")}
	for _, js := range fieldScripts {
		out = append(out, Path("js/"+js+".js"))
	}
	return out
}

// Path is the address of a file. A name that does not exist is a mistake in a page: the first test meets it.
func Path(name string) string {
	s := load()
	if _, ok := s.files[name]; !ok {
		panic("static: no file " + name)
	}
	return Prefix + s.hash + "/" + name
}

// Icon is the address of an icon in the sprite.
func Icon(name string) string { return Path(Icons) + "#" + name }

// Open gives the bytes of a file, for a page that carries an image inside itself.
func Open(name string) ([]byte, bool) {
	f, ok := load().files[name]
	return f.plain, ok
}

// Size is the compressed size of a file in bytes, for the budgets of pages.
func Size(name string) int { return len(load().files[name].gzip) }

// Handler answers below Prefix.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := load()
		hash, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix), "/")
		f, ok := s.files[name]
		if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", f.kind)
		h.Set("Vary", "Accept-Encoding")
		if hash == s.hash {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		} else { // a page of the program before this one is still open
			h.Set("Cache-Control", "no-cache")
		}
		body := f.plain
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body = f.gzip
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
		if r.Method == http.MethodGet {
			_, _ = io.Copy(w, bytes.NewReader(body)) // the client is gone: nobody to tell
		}
	})
}
