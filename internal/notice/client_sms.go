package notice

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/rehu-heat/rehu/internal/fault"
)

// SMSConfig is an SMS gateway reached over HTTP. It takes POST requests of an Outgoing as JSON, signed by Signer, and
// answers 200 with {"id": …}. The same key again is answered as the first time. 400 and 422 mean never; anything else
// means later.
type SMSConfig struct {
	URL    string
	Signer Signer
	Sign   string       // signature line that goes before every text: 【暖城供热】
	Client *http.Client // nil = one with a timeout of ten seconds
}

// SMSGateway sends text messages through an HTTP gateway.
type SMSGateway struct {
	c    SMSConfig
	path string
}

// NewSMSGateway makes the client; the address was checked with the settings.
func NewSMSGateway(c SMSConfig) (*SMSGateway, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("sms gateway: %q is no address", c.URL)
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: 10 * time.Second}
	}
	path := u.Path
	if path == "" { // what the request asks for then, and what the gateway checks the signature over
		path = "/"
	}
	return &SMSGateway{c: c, path: path}, nil
}

// Send hands a message over.
func (g *SMSGateway) Send(ctx context.Context, out Outgoing) (string, error) {
	if g.c.Sign != "" {
		out.Text = "【" + g.c.Sign + "】" + out.Text
	}
	body, err := json.Marshal(out)
	if err != nil {
		return "", fmt.Errorf("encode text message: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.c.URL, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("sms gateway: %w", err)
	}
	SetHeaders(req.Header, g.c.Signer.Sign(g.path, body))
	res, err := g.c.Client.Do(req)
	if err != nil {
		return "", fault.Wrap(err, fault.Down, "notice.gateway_down")
	}
	defer res.Body.Close()
	var answer struct {
		ID    string `json:"id"`
		Error string `json:"error"`
	}
	const most = 64 << 10
	decodeErr := json.NewDecoder(io.LimitReader(res.Body, most)).Decode(&answer)
	switch {
	case res.StatusCode == http.StatusOK && decodeErr == nil && answer.ID != "":
		return answer.ID, nil
	case res.StatusCode == http.StatusBadRequest || res.StatusCode == http.StatusUnprocessableEntity:
		return "", fault.Wrap(fmt.Errorf("sms gateway: %s", answer.Error), fault.Invalid, "notice.gateway_refused")
	}
	return "", fault.Wrap(fmt.Errorf("sms gateway: status %d: %s", res.StatusCode, answer.Error), fault.Down, "notice.gateway_down")
}

// SetHeaders writes the proof of a signed request into its headers.
func SetHeaders(h http.Header, s Signed) {
	h.Set("Content-Type", "application/json")
	h.Set("X-Rehu-Account", s.Account)
	h.Set("X-Rehu-Timestamp", s.Timestamp)
	h.Set("X-Rehu-Nonce", s.Nonce)
	h.Set("X-Rehu-Signature", s.Signature)
}

// FromRequest reads a signed request; what is over the limit is cut off and then fails the signature.
func FromRequest(r *http.Request) (Signed, error) {
	const most = 64 << 10
	body, err := io.ReadAll(io.LimitReader(r.Body, most))
	if err != nil {
		return Signed{}, fmt.Errorf("read signed request: %w", err)
	}
	h := r.Header
	return Signed{
		Account: h.Get("X-Rehu-Account"), Timestamp: h.Get("X-Rehu-Timestamp"), Nonce: h.Get("X-Rehu-Nonce"),
		Signature: h.Get("X-Rehu-Signature"), Path: r.URL.Path, Body: body,
	}, nil
}
