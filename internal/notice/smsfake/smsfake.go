// Package smsfake is an SMS gateway that sends nothing and checks everything: signature, time, nonce, telephone, and that
// one key always carries one message. Tests and the demonstration city talk to it as to a real one; it reports receipts
// and replies back, signed.
package smsfake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Gateway is the fake; serve it over HTTP.
type Gateway struct {
	signer notice.Signer

	mu     sync.Mutex
	nonces map[string]bool
	byKey  map[string]string // key → body
	sent   []notice.Outgoing
	down   bool
}

// New makes a gateway that shares the secret with the client.
func New(signer notice.Signer) *Gateway {
	return &Gateway{signer: signer, nonces: map[string]bool{}, byKey: map[string]string{}}
}

// Sent lists what was taken, each key once, in order.
func (g *Gateway) Sent() []notice.Outgoing {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]notice.Outgoing(nil), g.sent...)
}

// Down makes the gateway answer 503, or work again.
func (g *Gateway) Down(down bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.down = down
}

// ServeHTTP takes a message.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in, err := notice.FromRequest(r)
	if err != nil || r.Method != http.MethodPost {
		answer(w, http.StatusBadRequest, "", "not a signed POST request")
		return
	}
	if err := g.signer.Verify(in); err != nil {
		answer(w, http.StatusUnauthorized, "", "bad signature")
		return
	}
	var out notice.Outgoing
	d := json.NewDecoder(bytes.NewReader(in.Body))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		answer(w, http.StatusBadRequest, "", err.Error())
		return
	}
	status, id, why := g.take(in, out)
	answer(w, status, id, why)
}

func (g *Gateway) take(in notice.Signed, out notice.Outgoing) (status int, id, why string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.down:
		return http.StatusServiceUnavailable, "", "down"
	case g.nonces[in.Nonce]:
		return http.StatusUnauthorized, "", "nonce used before"
	case out.Key == "" || out.Text == "":
		return http.StatusUnprocessableEntity, "", "key and text are needed"
	case !secret.IsMobile(secret.NormalPhone(out.To)):
		return http.StatusUnprocessableEntity, "", "not a mobile number"
	}
	g.nonces[in.Nonce] = true
	if body, ok := g.byKey[out.Key]; ok {
		if body != string(in.Body) {
			return http.StatusConflict, "", "key used for another message"
		}
		return http.StatusOK, "sms-" + out.Key, ""
	}
	g.byKey[out.Key] = string(in.Body)
	g.sent = append(g.sent, out)
	return http.StatusOK, "sms-" + out.Key, ""
}

func answer(w http.ResponseWriter, status int, id, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"id": id, "error": why}) // the client is gone: nobody to tell
}

// Receipt reports to an address of the installation whether a message arrived.
func (g *Gateway) Receipt(ctx context.Context, address, key string, delivered bool) error {
	return g.post(ctx, address, map[string]any{"kind": "receipt", "key": key, "delivered": delivered})
}

// Reply reports a text message that came from a telephone.
func (g *Gateway) Reply(ctx context.Context, address, from, said string) error {
	return g.post(ctx, address, map[string]any{"kind": "reply", "from": from, "text": said})
}

func (g *Gateway) post(ctx context.Context, address string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	notice.SetHeaders(req.Header, g.signer.Sign(u.Path, body))
	client := &http.Client{}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("report to %s: %w", u.Host, err)
	}
	defer res.Body.Close()
	if res.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("report to %s: status %d", u.Host, res.StatusCode)
	}
	return nil
}
