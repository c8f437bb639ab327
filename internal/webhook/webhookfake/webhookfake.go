// Package webhookfake is a subscriber's program that checks what it is told: signature, time, nonce, and that one delivery
// always says the same. Tests and the demonstration city tell it things.
package webhookfake

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/webhook"
)

// Subscriber is the fake; serve it over HTTP.
type Subscriber struct {
	mu     sync.Mutex
	signer *notice.Signer
	nonces map[string]bool
	bodies map[string]string
	got    []webhook.Payload
	wrong  []string
	down   bool
}

// New makes a subscriber; it believes nobody until it knows the secret.
func New() *Subscriber { return &Subscriber{nonces: map[string]bool{}, bodies: map[string]string{}} }

// Knows gives it the account and secret of its subscription.
func (s *Subscriber) Knows(signer notice.Signer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signer = &signer
}

// Down makes it answer 503, or work again.
func (s *Subscriber) Down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Got lists what it was told, each delivery once.
func (s *Subscriber) Got() []webhook.Payload {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]webhook.Payload(nil), s.got...)
}

// Wrong lists what was against the contract.
func (s *Subscriber) Wrong() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.wrong...)
}

// ServeHTTP takes what it is told.
func (s *Subscriber) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in, err := notice.FromRequest(r)
	if err != nil || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.WriteHeader(s.take(r, in))
}

func (s *Subscriber) take(r *http.Request, in notice.Signed) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	no := func(status int, why string) int {
		s.wrong = append(s.wrong, why)
		return status
	}
	switch {
	case s.down:
		return http.StatusServiceUnavailable
	case s.signer == nil || s.signer.Verify(in) != nil:
		return no(http.StatusUnauthorized, "bad signature")
	case s.nonces[in.Nonce]:
		return no(http.StatusUnauthorized, "nonce used before")
	}
	s.nonces[in.Nonce] = true
	var p webhook.Payload
	if json.Unmarshal(in.Body, &p) != nil || p.ID == "" || p.ID != r.Header.Get("X-Rehu-Delivery") || string(p.Event) != r.Header.Get("X-Rehu-Event") {
		return no(http.StatusUnprocessableEntity, "not a payload: "+string(in.Body))
	}
	if was, known := s.bodies[p.ID]; known {
		if was != string(in.Body) {
			return no(http.StatusConflict, "one delivery says two things")
		}
		return http.StatusOK
	}
	s.bodies[p.ID] = string(in.Body)
	s.got = append(s.got, p)
	return http.StatusOK
}
