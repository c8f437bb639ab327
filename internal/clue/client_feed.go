package clue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/outward"
)

// Feeds polls RSS, Atom, JSON and CSV feeds. The account's settings say where (url), how (format: xml, json, csv) and
// which field is which; its credential, where there is one, is sent as "Authorization: Bearer" (token) or as a query
// parameter (param, token). An address inside one's own network is only read with a credential that says private=1, so
// that nobody makes the server read its neighbours by registering a feed; such a feed leads to no other host, so that it
// cannot do so either.
type Feeds struct{ open, inside *http.Client }

// NewFeeds makes the poller.
func NewFeeds() *Feeds {
	const patience = 60 * time.Second
	guarded := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !outward.Reachable(at.Addr(), nil) {
			return fault.New(fault.Invalid, "clue.feed.private")
		}
		return nil
	}}
	return &Feeds{
		open:   &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: guarded.DialContext, MaxIdleConns: 4}, CheckRedirect: follow},
		inside: &http.Client{Timeout: patience, CheckRedirect: stay},
	}
}

// follow goes where a feed has moved to, without showing the token there: neither in the address that it came from nor in
// the clear.
func follow(to *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("a feed leads on and on")
	}
	to.Header.Del("Referer")
	if to.URL.Scheme != "https" && via[0].URL.Scheme == "https" {
		to.Header.Del("Authorization")
	}
	return nil
}

// stay follows a feed inside the network on its own host only.
func stay(to *http.Request, via []*http.Request) error {
	if to.URL.Host != via[0].URL.Host {
		return fault.New(fault.Invalid, "clue.feed.elsewhere")
	}
	return follow(to, via)
}

// seen is the cursor: what the feed said of itself the last time.
type seen struct {
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"`
}

// Poll fetches a feed unless it says that it has not changed.
func (f *Feeds) Poll(ctx context.Context, a channel.Access, got func([]channel.Incoming) error) (string, error) {
	req, err := request(ctx, a)
	if err != nil {
		return "", err
	}
	client := f.open
	if a.Credential["private"] == "1" || a.Credential.Fake() {
		client = f.inside
	}
	res, err := client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*fault.Error](err); ok {
			return "", e
		}
		if at, ok := errors.AsType[*url.Error](err); ok {
			err = at.Err // its text without the address, which may hold the token
		}
		return "", fault.Wrap(err, fault.Down, "clue.feed.down")
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotModified:
		return "", nil
	case res.StatusCode == http.StatusTooManyRequests:
		after, _ := strconv.Atoi(res.Header.Get("Retry-After")) // absent: the usual rest
		return "", fault.New(fault.Exhausted, "clue.too_often", "after", after)
	case res.StatusCode != http.StatusOK:
		return "", fault.Wrap(fmt.Errorf("feed: status %d", res.StatusCode), fault.Down, "clue.feed.down")
	}
	g := gather{got: got}
	err = ReadFeed(res.Body, Format(a.Settings["format"]), MappingOf(a.Settings), func(e Entry) error { return g.add(e.incoming(a.City, a.Name)) })
	if err = errors.Join(err, g.flush()); err != nil {
		return "", err
	}
	b, err := json.Marshal(seen{res.Header.Get("ETag"), res.Header.Get("Last-Modified")})
	return string(b), err
}

func request(ctx context.Context, a channel.Access) (*http.Request, error) {
	u, err := url.Parse(a.Settings["url"])
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, fault.New(fault.Invalid, "clue.feed.bad_url")
	}
	token := a.Credential["token"]
	if p := a.Credential["param"]; p != "" && token != "" {
		q := u.Query()
		q.Set(p, token)
		u.RawQuery, token = q.Encode(), ""
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "clue.feed.bad_url")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	var last seen
	if json.Unmarshal([]byte(a.Cursor), &last) == nil { // anything else is no cursor of ours: fetch anew
		if last.ETag != "" {
			req.Header.Set("If-None-Match", last.ETag)
		}
		if last.Modified != "" {
			req.Header.Set("If-Modified-Since", last.Modified)
		}
	}
	return req, nil
}
