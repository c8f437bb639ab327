// Package pushfake is a push service with its browsers: it checks what it is sent as a real one does (the proof of the
// sender, for whom and how long; the encryption; topic, urgency and time to live), decrypts it with the keys of the browser
// and keeps what it would show. Tests and the demonstration city talk to it as to a real one.
package pushfake

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/webpush"
)

// Browser is one subscription, with what only the browser knows.
type Browser struct {
	ID       string
	Endpoint string
	Keys     webpush.Keys

	key     *ecdh.PrivateKey
	auth    []byte
	sender  string // public key that the subscription is tied to
	expired bool
}

// Shown is a message that a browser got.
type Shown struct {
	Browser string
	webpush.Payload
	TTL     int
	Urgency string
}

// Service is the push service; serve it over HTTP.
type Service struct {
	now func() time.Time

	mu       sync.Mutex
	base     string
	browsers map[string]*Browser
	topics   map[string]int // topic → place in shown
	shown    []Shown
	wrong    []string
	down     int
}

// New makes a service on the machine's clock.
func New(now func() time.Time) *Service {
	return &Service{now: now, browsers: map[string]*Browser{}, topics: map[string]int{}}
}

// Stands tells the service under which address it is served.
func (s *Service) Stands(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base = strings.TrimSuffix(base, "/")
}

// Subscribe makes a browser that allows notifications of the holder of a public key.
func (s *Service) Subscribe(sender string) (Browser, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return Browser{}, fmt.Errorf("draw a browser's key: %w", err)
	}
	auth := make([]byte, 16)
	_, _ = rand.Read(auth) // never fails, see its documentation
	s.mu.Lock()
	defer s.mu.Unlock()
	id := rand.Text()
	b := Browser{
		ID: id, Endpoint: s.base + "/push/" + id, key: key, auth: auth, sender: sender,
		Keys: webpush.Keys{P256DH: base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()), Auth: base64.RawURLEncoding.EncodeToString(auth)},
	}
	s.browsers[id] = &b
	return b, nil
}

// Expire makes a subscription one that is gone.
func (s *Service) Expire(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.browsers[id]; b != nil {
		b.expired = true
	}
}

// Down makes the service answer 503 so many times.
func (s *Service) Down(times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = times
}

// Shown lists what browsers got, oldest first; of two with one topic only the later one.
func (s *Service) Shown() []Shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Shown(nil), s.shown...)
}

// Wrong lists what the service refused, and why.
func (s *Service) Wrong() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.wrong...)
}

// mostWrong bounds what is kept of refusals.
const mostWrong = 50

// ServeHTTP takes a message.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, ok := strings.CutPrefix(r.URL.Path, "/push/")
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<10))
	s.mu.Lock()
	defer s.mu.Unlock()
	refuse := func(status int, why string) {
		s.wrong = append(s.wrong[max(0, len(s.wrong)-mostWrong+1):], why)
		http.Error(w, why, status)
	}
	b := s.browsers[id]
	switch {
	case !ok || err != nil || r.Method != http.MethodPost:
		refuse(http.StatusBadRequest, "not a POST request of a message")
		return
	case s.down > 0:
		s.down--
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	case b == nil:
		http.Error(w, "no such subscription", http.StatusNotFound)
		return
	case b.expired:
		http.Error(w, "the subscription is gone", http.StatusGone)
		return
	}
	shown, status, err := s.read(r, b, body)
	if err != nil {
		refuse(status, err.Error())
		return
	}
	topic := id + "\n" + r.Header.Get("Topic")
	if i, ok := s.topics[topic]; ok {
		s.shown[i] = shown
	} else {
		s.topics[topic] = len(s.shown)
		s.shown = append(s.shown, shown)
	}
	w.Header().Set("Location", s.base+"/message/"+rand.Text())
	w.WriteHeader(http.StatusCreated)
}

var topicForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// read checks a message and opens it.
func (s *Service) read(r *http.Request, b *Browser, body []byte) (Shown, int, error) {
	h := r.Header
	proof, err := webpush.CheckProof(h.Get("Authorization"), s.base, s.now())
	if err != nil {
		return Shown{}, http.StatusUnauthorized, err
	}
	ttl, err := strconv.Atoi(h.Get("TTL"))
	switch {
	case proof.Key != b.sender:
		return Shown{}, http.StatusForbidden, fmt.Errorf("the subscription belongs to another key")
	case err != nil || ttl < 0:
		return Shown{}, http.StatusBadRequest, fmt.Errorf("TTL %q", h.Get("TTL"))
	case h.Get("Content-Encoding") != "aes128gcm":
		return Shown{}, http.StatusUnsupportedMediaType, fmt.Errorf("encoding %q", h.Get("Content-Encoding"))
	case !topicForm.MatchString(h.Get("Topic")):
		return Shown{}, http.StatusBadRequest, fmt.Errorf("topic %q", h.Get("Topic"))
	case h.Get("Urgency") != "normal" && h.Get("Urgency") != "high":
		return Shown{}, http.StatusBadRequest, fmt.Errorf("urgency %q", h.Get("Urgency"))
	case len(body) > 4096:
		return Shown{}, http.StatusRequestEntityTooLarge, fmt.Errorf("%d bytes", len(body))
	}
	plain, err := webpush.Unseal(body, b.key, b.auth)
	if err != nil {
		return Shown{}, http.StatusBadRequest, err
	}
	out := Shown{Browser: b.ID, TTL: ttl, Urgency: h.Get("Urgency")}
	d := json.NewDecoder(bytes.NewReader(plain))
	d.DisallowUnknownFields()
	if err := d.Decode(&out.Payload); err != nil {
		return Shown{}, http.StatusBadRequest, fmt.Errorf("the payload: %w", err)
	}
	return out, 0, nil
}

// Arrive says to the installation at an address, as the browser's worker does, that a message was shown.
func (s *Service) Arrive(ctx context.Context, site string, m Shown) error {
	form := url.Values{"key": {m.Key}, "proof": {m.Proof}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, site+m.Tell, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("say that a message was shown: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return fmt.Errorf("say that a message was shown: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("say that a message was shown: status %d", res.StatusCode)
	}
	return nil
}
