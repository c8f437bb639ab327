package httpx

import (
	"compress/gzip"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// smallest is the size from which compressing pays.
const smallest = 1024

// Gzip compresses what our pages and the API answer as text, when the client takes it. Streams of events stay as they
// are: each must arrive at once.
func Gzip() func(http.Handler) http.Handler {
	pool := &sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(nil, 5); return w }} // 5 is a valid level
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Accept-Encoding")
			if !takesGzip(r.Header.Get("Accept-Encoding")) || r.Method == http.MethodHead || r.Header.Get("Range") != "" {
				next.ServeHTTP(w, r)
				return
			}
			g := &gzipWriter{ResponseWriter: w, pool: pool}
			next.ServeHTTP(g, r)
			g.close() // not deferred: after a panic the answer must not look whole
		})
	}
}

// takesGzip reads Accept-Encoding; "gzip;q=0" is a no.
func takesGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") && strings.TrimSpace(name) != "*" {
			continue
		}
		q, ok := strings.CutPrefix(strings.TrimSpace(params), "q=")
		f, err := strconv.ParseFloat(q, 64)
		return !ok || err == nil && f > 0
	}
	return false
}

// gzipWriter holds back the first kilobyte until it knows whether to compress.
type gzipWriter struct {
	http.ResponseWriter
	pool    *sync.Pool
	z       *gzip.Writer
	held    []byte
	status  int
	decided bool
}

func (g *gzipWriter) WriteHeader(status int) {
	if status >= 100 && status < 200 {
		g.ResponseWriter.WriteHeader(status)
		return
	}
	if g.status == 0 {
		g.status = status
	}
	if !compressible(g.Header(), status) {
		g.decide(false)
	}
}

func (g *gzipWriter) Write(b []byte) (int, error) {
	if g.decided {
		return g.write(b)
	}
	if g.Header().Get("Content-Type") == "" {
		g.Header().Set("Content-Type", http.DetectContentType(append(slices.Clip(g.held), b...)))
	}
	if !compressible(g.Header(), g.statusOr200()) {
		g.decide(false)
		return g.write(b)
	}
	g.held = append(g.held, b...)
	if len(g.held) < smallest {
		return len(b), nil
	}
	g.decide(true)
	return len(b), g.release()
}

func (g *gzipWriter) write(b []byte) (int, error) {
	if g.z != nil {
		return g.z.Write(b)
	}
	return g.ResponseWriter.Write(b)
}

func (g *gzipWriter) statusOr200() int {
	if g.status == 0 {
		return http.StatusOK
	}
	return g.status
}

// decide sends the header, from then on compressed or not.
func (g *gzipWriter) decide(compress bool) {
	if g.decided {
		return
	}
	g.decided = true
	if compress {
		g.Header().Set("Content-Encoding", "gzip")
		g.Header().Del("Content-Length")
		g.z = g.pool.Get().(*gzip.Writer)
		g.z.Reset(g.ResponseWriter)
	}
	g.ResponseWriter.WriteHeader(g.statusOr200())
}

func (g *gzipWriter) release() error {
	held := g.held
	g.held = nil
	if len(held) == 0 {
		return nil
	}
	_, err := g.write(held)
	return err
}

// FlushError sends what there is, also what is too little to compress.
func (g *gzipWriter) FlushError() error {
	g.decide(len(g.held) >= smallest)
	if err := g.release(); err != nil {
		return err
	}
	if g.z != nil {
		if err := g.z.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(g.ResponseWriter).Flush()
}

// restart forgets what a handler began to say and nobody has heard yet, so that an error can be said instead.
func restart(w http.ResponseWriter) {
	for w != nil {
		if g, ok := w.(*gzipWriter); ok && !g.decided {
			g.held, g.status = nil, 0
			return
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return
		}
		w = u.Unwrap()
	}
}

// Unwrap lets http.ResponseController reach the connection's deadlines.
func (g *gzipWriter) Unwrap() http.ResponseWriter { return g.ResponseWriter }

func (g *gzipWriter) close() {
	if g.status != 0 || len(g.held) > 0 {
		g.decide(false)
	}
	_ = g.release() // the client is gone: nobody to tell
	if g.z != nil {
		_ = g.z.Close() // as above
		g.pool.Put(g.z)
		g.z = nil
	}
}

// compressible tells an answer with a body of text.
func compressible(h http.Header, status int) bool {
	if status < 200 || status == http.StatusNoContent || status == http.StatusNotModified || status == http.StatusPartialContent ||
		h.Get("Content-Encoding") != "" || strings.Contains(h.Get("Cache-Control"), "no-transform") {
		return false
	}
	t := h.Get("Content-Type")
	if t == "" {
		return true
	}
	media, _, err := mime.ParseMediaType(t)
	if err != nil || media == "text/event-stream" {
		return false
	}
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "json") || strings.HasSuffix(media, "xml") || media == "application/javascript"
}
