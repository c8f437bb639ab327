// Package feedfake is a monitoring vendor that watches nobody: it serves invented posts as RSS, JSON or CSV, checks the
// reader's token, and answers 304 to whoever has them already. Tests and the demonstration city read it as they would a
// real one.
package feedfake

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/civil"
)

// Post is one thing that somebody wrote.
type Post struct {
	ID     string        `json:"id"`
	Title  string        `json:"title,omitempty"`
	Text   string        `json:"content"`
	Author string        `json:"author"`
	Link   string        `json:"url,omitempty"`
	At     civil.Instant `json:"time"`
	Of     string        `json:"source_id,omitempty"`
}

// Server is the fake; serve it over HTTP: /feed.xml, /feed.json, /feed.csv.
type Server struct {
	token string

	mu    sync.Mutex
	posts []Post
	gbk   bool
	full  int // answers with all posts
}

// New makes a vendor whose readers show a token; empty asks for none.
func New(token string) *Server { return &Server{token: token} }

// Settings are those of an account that reads the vendor's JSON.
func Settings(base string) map[string]string {
	return map[string]string{
		"url": base + "/feed.json", "format": "json", "items": "data.list", "text": "content", "link": "url", "at": "time", "repost_of": "source_id",
	}
}

// Write adds a post.
func (s *Server) Write(p Post) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posts = append(s.posts, p)
}

// GBK makes the CSV come in GBK.
func (s *Server) GBK() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gbk = true
}

// Full is how often all posts were sent.
func (s *Server) Full() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.full
}

// ServeHTTP answers a reader.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != "" && !channel.Same(r.Header.Get("Authorization"), "Bearer "+s.token) {
		http.Error(w, "token", http.StatusUnauthorized)
		return
	}
	body, kind := s.body(r.URL.Path)
	if kind == "" {
		http.NotFound(w, r)
		return
	}
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Content-Type", kind)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.full++
	_, _ = w.Write(body) // the reader is gone: nobody to tell
}

func (s *Server) body(path string) (body []byte, kind string) {
	switch {
	case strings.HasSuffix(path, "/feed.json"):
		b, err := json.Marshal(map[string]any{"code": 0, "data": map[string]any{"list": s.posts}})
		if err != nil {
			return nil, ""
		}
		return b, "application/json"
	case strings.HasSuffix(path, "/feed.csv"):
		return s.table(), "text/csv"
	case strings.HasSuffix(path, "/feed.xml"):
		return s.rss(), "application/rss+xml"
	}
	return nil, ""
}

func (s *Server) table() []byte {
	var b strings.Builder
	c := csv.NewWriter(&b)
	_ = c.Write([]string{"编号", "标题", "正文", "作者", "链接", "发布时间"}) // into memory
	for _, p := range s.posts {
		_ = c.Write([]string{p.ID, p.Title, p.Text, p.Author, p.Link, p.At.Minute()})
	}
	c.Flush()
	if !s.gbk {
		return []byte("\xef\xbb\xbf" + b.String())
	}
	out, err := simplifiedchinese.GBK.NewEncoder().String(b.String())
	if err != nil {
		return nil
	}
	return []byte(out)
}

type item struct {
	GUID        string `xml:"guid"`
	Title       string `xml:"title"`
	Description string `xml:"description"`
	Author      string `xml:"author"`
	Link        string `xml:"link"`
	Date        string `xml:"pubDate"`
}

func (s *Server) rss() []byte {
	type channelOf struct {
		Title string `xml:"title"`
		Items []item `xml:"item"`
	}
	doc := struct {
		XMLName xml.Name  `xml:"rss"`
		Version string    `xml:"version,attr"`
		Channel channelOf `xml:"channel"`
	}{Version: "2.0", Channel: channelOf{Title: "feedfake"}}
	for _, p := range s.posts {
		doc.Channel.Items = append(doc.Channel.Items, item{p.ID, p.Title, p.Text, p.Author, p.Link, p.At.Time().Format("Mon, 02 Jan 2006 15:04:05 -0700")})
	}
	b, err := xml.Marshal(doc)
	if err != nil {
		return nil
	}
	return append([]byte(xml.Header), b...)
}
