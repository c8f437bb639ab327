package webhook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/rehu-heat/rehu/internal/notice"
)

// callTime is how long a subscriber may take to answer.
const callTime = 10 * time.Second

// answer is what came of a call.
type answer struct {
	status int
	err    string
	took   time.Duration
}

func (a answer) ok() bool { return a.err == "" && a.status/100 == 2 }

// call posts a delivery, signed anew.
func (s *Service) call(ctx context.Context, h Hook, d Delivery) answer {
	began := s.o.Machine()
	out := func(status int, err error) answer {
		a := answer{status: status, took: s.o.Machine().Sub(began)}
		if err != nil {
			a.err = shorten(plain(err).Error())
		}
		return a
	}
	secret, err := s.o.Ring.Unwrap(h.Sealed, boundTo(h.ID))
	if err != nil {
		return out(0, err)
	}
	u, err := url.Parse(h.URL)
	if err != nil {
		return out(0, err)
	}
	signer := notice.Signer{Account: h.ID, Secret: string(secret), Machine: s.o.Machine}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader([]byte(d.Body)))
	if err != nil {
		return out(0, err)
	}
	notice.SetHeaders(req.Header, signer.Sign(u.Path, []byte(d.Body)))
	req.Header.Set("X-Rehu-Event", string(d.Event))
	req.Header.Set("X-Rehu-Delivery", d.ID)
	res, err := s.client.Do(req)
	if err != nil {
		return out(0, err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // only the status says something
	return out(res.StatusCode, nil)
}

// plain is a network error without the address, which stands beside it.
func plain(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

func shorten(s string) string {
	const most = 300
	r := []rune(s)
	return string(r[:min(len(r), most)])
}
