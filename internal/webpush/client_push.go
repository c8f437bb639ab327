package webpush

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/rehu-heat/rehu/internal/notice"
)

// answer is what a push service makes of a message.
type answer string

const (
	accepted answer = "accepted"
	gone     answer = "gone"    // the subscription is no more
	refused  answer = "refused" // it will never take this
	unsure   answer = "unsure"  // busy, or nobody knows
)

// push posts a message, encrypted for one device, to the push service of its browser (RFC 8030, section 5).
func (s *Service) push(ctx context.Context, t target, out notice.Outgoing, payload []byte) (answer, error) {
	e, err := NewEnvelope()
	if err != nil {
		return unsure, err
	}
	body, err := e.Seal(payload, t.keys)
	if err != nil {
		return refused, err
	}
	proof, err := s.o.Key.Prove(t.endpoint, s.o.Contact, s.o.Machine())
	if err != nil {
		return refused, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.endpoint, bytes.NewReader(body))
	if err != nil {
		return refused, fmt.Errorf("push service: %w", err)
	}
	h := req.Header
	h.Set("Authorization", proof)
	h.Set("Content-Encoding", "aes128gcm")
	h.Set("Content-Type", "application/octet-stream")
	h.Set("TTL", strconv.Itoa(int(lifeOf(out)/time.Second)))
	h.Set("Topic", topic(out.Key))
	h.Set("Urgency", "high")
	if out.May {
		h.Set("Urgency", "normal")
	}
	res, err := s.client.Do(req)
	if err != nil {
		return unsure, fmt.Errorf("push service: %w", err)
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(res.Body, 300)) // for the log only
	err = fmt.Errorf("push service: status %d: %s", res.StatusCode, bytes.ToValidUTF8(said, nil))
	switch code := res.StatusCode; {
	case code/100 == 2:
		return accepted, nil
	case code == http.StatusNotFound || code == http.StatusGone:
		return gone, err
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= http.StatusInternalServerError:
		return unsure, err
	}
	return refused, err
}

// topic names a message for the push service: of two with one topic the device gets the later one. It may have 32
// characters of base64url.
func topic(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:24])
}
