package exchange

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

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
)

// Missing asks the other side for what it said about a ticket from a number on.
type Missing struct {
	Ticket   string `json:"ticket"`
	OpenedBy Side   `json:"opened_by"`
	From     int64  `json:"from"`
}

// Messages is the answer: what was said, in order.
type Messages struct {
	Messages []Message `json:"messages"`
}

// DayAsked asks the other side for its list of a day.
type DayAsked struct {
	Day   civil.Date `json:"day"`
	After string     `json:"after,omitempty"` // Next of the page before
}

// DayList is a page of the list of a day.
type DayList struct {
	Tickets []Line `json:"tickets"`
	Next    string `json:"next,omitempty"`
}

// most an answer may be long.
const mostAnswer = 4 << 20

// post hands a message over. Invalid: the platform says that it never takes it so. Any other error: later.
func (s *Service) post(ctx context.Context, p Platform, m Message) (Receipt, error) {
	r, err := call[Receipt](ctx, s, p, "/messages", m)
	if err == nil && (r.Result != Applied && r.Result != Known && r.Result != Waits || r.Ticket != m.Ticket) {
		err = fault.Wrap(fmt.Errorf("an answer without result or ticket"), fault.Down, "exchange.half_answer")
	}
	return r, err
}

func (s *Service) missing(ctx context.Context, p Platform, in Missing) (Messages, error) {
	return call[Messages](ctx, s, p, "/resend", in)
}

// call sends a signed request and reads the answer.
func call[Out any](ctx context.Context, s *Service, p Platform, path string, in any) (Out, error) {
	var out Out
	raw, err := s.request(ctx, p, path, in)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return out, fault.Wrap(fmt.Errorf("half an answer: %w", err), fault.Down, "exchange.half_answer")
	}
	return out, nil
}

// signed makes a request that carries our signature.
func (s *Service) signed(ctx context.Context, p Platform, path string, body []byte) (*http.Request, error) {
	signer, err := s.signer(p)
	if err != nil {
		return nil, fmt.Errorf("open the secret of platform %s: %w", p.Code, err)
	}
	u, err := url.Parse(p.URL + path)
	if err != nil {
		return nil, fault.Wrap(err, fault.Down, "exchange.down")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fault.Wrap(err, fault.Down, "exchange.down")
	}
	notice.SetHeaders(req.Header, signer.Sign(u.Path, body))
	return req, nil
}

func (s *Service) request(ctx context.Context, p Platform, path string, in any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	body, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	req, err := s.signed(ctx, p, path, body)
	if err != nil {
		return nil, err
	}
	res, err := s.o.Client.Do(req)
	if err != nil {
		return nil, fault.Wrap(plain(err), fault.Down, "exchange.down")
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	switch {
	case refuses(res.StatusCode):
		return nil, fault.Wrap(fmt.Errorf("%d: %s", res.StatusCode, said(raw)), fault.Invalid, "exchange.refused")
	case res.StatusCode/100 != 2:
		return nil, fault.Wrap(fmt.Errorf("%d: %s", res.StatusCode, said(raw)), fault.Down, "exchange.down")
	case err != nil:
		return nil, fault.Wrap(plain(err), fault.Down, "exchange.half_answer")
	}
	return raw, nil
}

// refuses tells a status that says that the message itself is at fault. A signature that is not believed, too many
// requests and trouble of the platform's own say nothing about the message.
func refuses(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusTooEarly:
		return false
	}
	return status/100 == 4
}

// plain is a network error without the address, which stands beside it.
func plain(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// said is what a platform says in an answer that refuses: the messages about the fields, or the text as it is.
func said(raw []byte) string {
	var p struct {
		Detail string `json:"detail"`
		Error  string `json:"error"`
		Fields []struct {
			Name    string `json:"name"`
			Message string `json:"message"`
		} `json:"fields"`
	}
	if json.Unmarshal(raw, &p) != nil {
		r := []rune(strings.TrimSpace(string(raw)))
		return string(r[:min(len(r), 200)])
	}
	var out strings.Builder
	out.WriteString(p.Detail + p.Error)
	for _, f := range p.Fields {
		fmt.Fprintf(&out, " [%s] %s", f.Name, f.Message)
	}
	return strings.TrimSpace(out.String())
}
