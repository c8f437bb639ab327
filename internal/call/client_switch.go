package call

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
)

// SwitchConfig is a telephone switch reached over HTTP. It takes a Command as JSON by POST to URL/commands, signed as
// text messages are (notice.Signer), and answers 200 once the command is under way. The same key again is answered as the
// first time and does nothing. 400, 404, 409 and 422 mean that it will not be done; anything else means later.
type SwitchConfig struct {
	URL    string
	Signer notice.Signer
	Client *http.Client                                        // nil = one with a timeout of three seconds: somebody waits at the telephone
	Pause  func(ctx context.Context, wait time.Duration) error // between two tries; nil sleeps
}

// HTTPSwitch speaks to a switch over HTTP.
type HTTPSwitch struct {
	c    SwitchConfig
	url  string
	path string
}

// NewHTTPSwitch makes the client.
func NewHTTPSwitch(c SwitchConfig) (*HTTPSwitch, error) {
	address := strings.TrimSuffix(c.URL, "/") + "/commands"
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("telephone switch: %q is no address", c.URL)
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: 3 * time.Second}
	}
	if c.Pause == nil {
		c.Pause = pause
	}
	return &HTTPSwitch{c: c, url: address, path: u.Path}, nil
}

func pause(ctx context.Context, wait time.Duration) error {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// How often a command is tried, and how long the first pause is; each is twice the one before.
const (
	tries      = 3
	firstPause = 150 * time.Millisecond
)

// Do hands a command over. A try that was not answered may have been obeyed, which its key makes harmless to ask again.
func (s *HTTPSwitch) Do(ctx context.Context, c Command) error {
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode command: %w", err)
	}
	wait := firstPause
	for n := 1; ; n++ {
		err := s.once(ctx, body)
		if err == nil || !fault.Is(err, fault.Down) || n == tries {
			return err
		}
		if paused := s.c.Pause(ctx, wait); paused != nil {
			return errors.Join(err, paused)
		}
		wait *= 2
	}
}

func (s *HTTPSwitch) once(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("telephone switch: %w", err)
	}
	notice.SetHeaders(req.Header, s.c.Signer.Sign(s.path, body))
	res, err := s.c.Client.Do(req)
	if err != nil {
		return fault.Wrap(err, fault.Down, "call.switch_down")
	}
	defer res.Body.Close()
	const most = 64 << 10
	said, err := io.ReadAll(io.LimitReader(res.Body, most))
	if err != nil {
		return fault.Wrap(err, fault.Down, "call.switch_down")
	}
	switch res.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity:
		return fault.Wrap(fmt.Errorf("telephone switch: status %d: %s", res.StatusCode, said), fault.Conflict, "call.switch_refused")
	}
	return fault.Wrap(fmt.Errorf("telephone switch: status %d: %s", res.StatusCode, said), fault.Down, "call.switch_down")
}
