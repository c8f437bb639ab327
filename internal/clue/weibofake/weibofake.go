// Package weibofake is Weibo's open API that tells nobody and checks everything: the token, the paging, the length of a
// comment, how often it is asked. Tests and the demonstration city talk to it as to the real one; it pushes messages,
// signed, as the fans' service does.
package weibofake

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clue"
)

// Answer is a comment or a message that the account wrote.
type Answer struct {
	ID   int64
	To   int64 // the post, or the reader
	Text string
}

// Server is the fake; serve it over HTTP.
type Server struct {
	token, secret string

	mu       sync.Mutex
	next     int64
	statuses []clue.WeiboStatus
	directs  []clue.WeiboDirect
	comments []Answer
	messages []Answer
	calls    int
	limit    int  // calls that are still answered; negative: no limit
	after    int  // seconds that it then wants to rest
	mute     bool // takes the next answer and falls silent
}

// New makes a server for one account.
func New(token, secret string) *Server {
	return &Server{token: token, secret: secret, next: 5_000_000_000, limit: -1}
}

// Begin lets the ids of what is written from now on follow the given one.
func (s *Server) Begin(after int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = after
}

// Mention writes a post that names the account, and gives its id.
func (s *Server) Mention(user int64, name, said string, at civil.Instant, of int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	post := clue.WeiboStatus{ID: s.next, Created: stamp(at), Text: said, User: clue.WeiboUser{ID: user, Name: name}}
	for _, old := range s.statuses {
		if old.ID == of {
			post.Of = &old
		}
	}
	s.statuses = append(s.statuses, post)
	return s.next
}

// Direct writes a private message to the account, and gives it.
func (s *Server) Direct(user int64, name, said string, at civil.Instant) clue.WeiboDirect {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	d := clue.WeiboDirect{ID: s.next, Type: "text", Created: stamp(at), Text: said, Sender: user, Name: name, Receiver: 1}
	s.directs = append(s.directs, d)
	return d
}

func stamp(at civil.Instant) string { return at.Time().Format("Mon Jan 02 15:04:05 -0700 2006") }

// Limit answers so many more calls and then wants to rest; negative is no limit.
func (s *Server) Limit(calls, after int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit, s.after = calls, after
}

// Mute makes the server take the next answer and fall silent instead of saying so.
func (s *Server) Mute() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mute = true
}

// Comments lists the comments that were written, Messages the private answers.
func (s *Server) Comments() []Answer { return s.copy(&s.comments) }

// Messages lists the private answers.
func (s *Server) Messages() []Answer { return s.copy(&s.messages) }

func (s *Server) copy(list *[]Answer) []Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(*list)
}

// Calls is how often it was asked.
func (s *Server) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// ServeHTTP answers a call of the open API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, 10008, "param error")
		return
	}
	if !channel.Same(r.Form.Get("access_token"), s.token) {
		refuse(w, http.StatusForbidden, 21332, "invalid_access_token")
		return
	}
	if s.limit == 0 {
		w.Header().Set("Retry-After", strconv.Itoa(s.after))
		refuse(w, http.StatusForbidden, 10023, "User requests out of rate limit!")
		return
	}
	if s.limit > 0 {
		s.limit--
	}
	_, path, _ := strings.Cut(r.URL.Path, "/2/")
	switch r.Method + " " + path {
	case "GET statuses/mentions.json":
		give(w, "statuses", slice(r.Form, s.statuses, func(p clue.WeiboStatus) int64 { return p.ID }))
	case "GET direct_messages.json":
		give(w, "direct_messages", slice(r.Form, s.directs, func(p clue.WeiboDirect) int64 { return p.ID }))
	case "POST comments/create.json":
		s.comment(w, r.Form)
	case "POST messages/reply.json":
		s.reply(w, r.Form)
	case "GET comments/by_me.json":
		give(w, "comments", written(s.comments))
	case "GET direct_messages/sent.json":
		give(w, "direct_messages", written(s.messages))
	default:
		refuse(w, http.StatusNotFound, 10020, "request api not found")
	}
}

// slice is a page of a list, newest first, after since_id and up to max_id. As Weibo does, it may hold less than asked for
// where something may not be seen.
func slice[T any](q url.Values, all []T, id func(T) int64) []T {
	since, _ := strconv.ParseInt(q.Get("since_id"), 10, 64) // absent: everything
	until, _ := strconv.ParseInt(q.Get("max_id"), 10, 64)
	size, _ := strconv.Atoi(q.Get("count"))
	const usual, most = 20, 50
	size = min(cmp.Or(size, usual), most)
	out := []T{}
	for _, one := range slices.Backward(all) {
		if id(one) > since && (until == 0 || id(one) <= until) && len(out) < size {
			out = append(out, one)
		}
	}
	return out[:max(len(out)-1, min(len(out), 1))]
}

// written are our own words, newest first.
func written(all []Answer) []map[string]any {
	out := []map[string]any{}
	for _, a := range slices.Backward(all) {
		out = append(out, map[string]any{"id": a.ID, "text": a.Text, "receiver_id": a.To, "status": map[string]any{"id": a.To}})
	}
	return out
}

func (s *Server) comment(w http.ResponseWriter, q url.Values) {
	id, _ := strconv.ParseInt(q.Get("id"), 10, 64)
	const most = 140
	said := q.Get("comment")
	switch {
	case !slices.ContainsFunc(s.statuses, func(p clue.WeiboStatus) bool { return p.ID == id }):
		refuse(w, http.StatusBadRequest, 20101, "target weibo does not exist!")
	case said == "" || utf8.RuneCountInString(said) > most:
		refuse(w, http.StatusBadRequest, 20012, "Text too long, please input text less than 140 characters!")
	default:
		s.take(w, &s.comments, id, said)
	}
}

func (s *Server) reply(w http.ResponseWriter, q url.Values) {
	to, _ := strconv.ParseInt(q.Get("receiver_id"), 10, 64)
	var data struct {
		Text string `json:"text"`
	}
	switch err := json.Unmarshal([]byte(q.Get("data")), &data); {
	case err != nil || data.Text == "":
		refuse(w, http.StatusBadRequest, 20008, "content is null!")
	case !slices.ContainsFunc(s.directs, func(d clue.WeiboDirect) bool { return d.Sender == to }):
		refuse(w, http.StatusBadRequest, 20206, "the reader never wrote to the account")
	default:
		s.take(w, &s.messages, to, data.Text)
	}
}

func (s *Server) take(w http.ResponseWriter, list *[]Answer, to int64, said string) {
	s.next++
	*list = append(*list, Answer{s.next, to, said})
	if s.mute {
		s.mute = false
		panic(http.ErrAbortHandler) // the answer is lost on the way back
	}
	write(w, http.StatusOK, map[string]any{"id": s.next, "text": said})
}

func give(w http.ResponseWriter, name string, list any) {
	write(w, http.StatusOK, map[string]any{name: list})
}

func refuse(w http.ResponseWriter, status, code int, why string) {
	write(w, status, map[string]any{"error": why, "error_code": code})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}

// Push sends a private message to an address of the installation, signed, and gives the status it answered with.
func (s *Server) Push(ctx context.Context, address string, d clue.WeiboDirect, at time.Time, nonce string) (int, error) {
	d.ID = 0 // what is pushed has none
	body, err := json.Marshal(d)
	if err != nil {
		return 0, err
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	q := url.Values{"timestamp": {stamp}, "nonce": {nonce}, "signature": {channel.SignatureSorted(s.secret, stamp, nonce)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"?"+q.Encode(), strings.NewReader(string(body)))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	client := &http.Client{Timeout: 10 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("push: %w", err)
	}
	defer res.Body.Close()
	return res.StatusCode, nil
}
