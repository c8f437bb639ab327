package clue

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/fault"
)

// WeiboAPI is where the open API is, unless a credential says base=….
const WeiboAPI = "https://api.weibo.com/2"

// Weibo reads mentions and private messages of an account through Weibo's open API, and answers both. The credential
// holds access_token (polling and answering), app_secret (pushes) and, for a test server, base.
type Weibo struct{ client *http.Client }

// NewWeibo makes the client; nil is one with a timeout of fifteen seconds.
func NewWeibo(c *http.Client) *Weibo {
	if c == nil {
		c = &http.Client{Timeout: 15 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // the token goes nowhere else
	}
	return &Weibo{c}
}

// weiboCursor is how far each list was read.
type weiboCursor struct {
	Mention int64 `json:"mention"`
	Direct  int64 `json:"direct"`
}

const (
	weiboPage  = 50 // the most that one page gives
	weiboPages = 40 // as far back as the open API goes: two thousand posts
)

// Poll reads what is new since the cursor. A list is given newest first, page by page; it is handed over only when all of
// it was read, and the cursor moves only when all of it was kept, so that a broken poll passes over nothing.
func (w *Weibo) Poll(ctx context.Context, a channel.Access, got func([]channel.Incoming) error) (string, error) {
	var c weiboCursor
	_ = json.Unmarshal([]byte(a.Cursor), &c) // an unreadable cursor begins anew; repeats are known
	before := c
	err := w.mentions(ctx, a, &c, got)
	if err == nil {
		err = w.directs(ctx, a, &c, got)
	}
	if c == before {
		return "", err
	}
	b, marshalErr := json.Marshal(c)
	if marshalErr != nil {
		return "", marshalErr
	}
	return string(b), err
}

func (w *Weibo) mentions(ctx context.Context, a channel.Access, c *weiboCursor, got func([]channel.Incoming) error) error {
	return w.pages(ctx, a, "/statuses/mentions.json", &c.Mention, got, func(b []byte) ([]channel.Incoming, []int64, error) {
		var page struct {
			Statuses []WeiboStatus `json:"statuses"`
		}
		if err := json.Unmarshal(b, &page); err != nil {
			return nil, nil, err
		}
		var in []channel.Incoming
		var ids []int64
		for _, s := range page.Statuses {
			in, ids = append(in, s.incoming(a.City, a.Name)), append(ids, s.ID)
		}
		return in, ids, nil
	})
}

func (w *Weibo) directs(ctx context.Context, a channel.Access, c *weiboCursor, got func([]channel.Incoming) error) error {
	return w.pages(ctx, a, "/direct_messages.json", &c.Direct, got, func(b []byte) ([]channel.Incoming, []int64, error) {
		var page struct {
			Messages []WeiboDirect `json:"direct_messages"`
		}
		if err := json.Unmarshal(b, &page); err != nil {
			return nil, nil, err
		}
		var in []channel.Incoming
		var ids []int64
		for _, d := range page.Messages {
			ids = append(ids, d.ID)
			if one, ok := d.incoming(a.City, a.Name); ok {
				in = append(in, one)
			}
		}
		return in, ids, nil
	})
}

// pages reads a list from its newest post back to since and hands it over, the oldest page first. It goes by the last id of
// a page, not by page numbers: what is deleted meanwhile moves nothing past the reader. A page may be shorter than asked for,
// since Weibo leaves out what the reader may not see, so that only an empty one is the end.
func (w *Weibo) pages(ctx context.Context, a channel.Access, path string, since *int64, got func([]channel.Incoming) error, read func([]byte) ([]channel.Incoming, []int64, error)) error {
	var all [][]channel.Incoming
	newest, oldest := *since, int64(0)
	ended := false
	for page := 1; page <= weiboPages && !ended; page++ {
		q := url.Values{"since_id": {strconv.FormatInt(*since, 10)}, "count": {strconv.Itoa(weiboPage)}}
		if oldest > 0 {
			q.Set("max_id", strconv.FormatInt(oldest-1, 10))
		}
		b, err := w.call(ctx, a, http.MethodGet, path, q)
		if err != nil {
			return err
		}
		in, ids, err := read(b)
		if err != nil {
			return fault.Wrap(err, fault.Down, "clue.weibo.broken")
		}
		all = append(all, in)
		was := oldest
		for _, id := range ids {
			newest = max(newest, id)
			if oldest == 0 || id < oldest {
				oldest = id
			}
		}
		ended = len(ids) == 0 || oldest == was || oldest <= *since+1
	}
	for _, one := range slices.Backward(all) {
		if err := got(one); err != nil {
			return err
		}
	}
	*since = newest
	if !ended {
		return fault.New(fault.Down, "clue.weibo.gap")
	}
	return nil
}

// Send answers a mention with a comment under it, which everybody reads, and a private message with another.
func (w *Weibo) Send(ctx context.Context, a channel.Access, out channel.Outgoing) (string, error) {
	path, q := "/comments/create.json", url.Values{"id": {out.Handle["status"]}, "comment": {out.Text}}
	if out.Form == channel.Direct {
		data, err := json.Marshal(map[string]string{"text": out.Text})
		if err != nil {
			return "", fmt.Errorf("encode an answer: %w", err)
		}
		path, q = "/messages/reply.json", url.Values{"type": {"text"}, "receiver_id": {out.Handle["receiver"]}, "data": {string(data)}}
	}
	if out.Form != channel.Direct && out.Handle["status"] == "" {
		return "", fault.New(fault.Invalid, "clue.weibo.refused")
	}
	b, err := w.call(ctx, a, http.MethodPost, path, q)
	if err != nil {
		return "", err
	}
	var answer struct {
		ID int64 `json:"id"`
	}
	if err := json.Unmarshal(b, &answer); err != nil || answer.ID == 0 {
		return "", fault.Wrap(fmt.Errorf("weibo answered %.100s", b), fault.Down, "clue.weibo.broken")
	}
	return strconv.FormatInt(answer.ID, 10), nil
}

// Find looks whether an answer stands there already. Weibo takes no key, so it is known by its words: among the comments that
// we wrote, under the post, or among our own messages to the reader. Addresses are left out: Weibo writes them anew.
func (w *Weibo) Find(ctx context.Context, a channel.Access, out channel.Outgoing) (string, bool, error) {
	path, q := "/comments/by_me.json", url.Values{"count": {"200"}}
	if out.Form == channel.Direct {
		path, q = "/direct_messages/sent.json", url.Values{"count": {"200"}}
	}
	b, err := w.call(ctx, a, http.MethodGet, path, q)
	if err != nil {
		return "", false, err
	}
	var sent struct {
		Comments []struct {
			ID     int64  `json:"id"`
			Text   string `json:"text"`
			Status struct {
				ID int64 `json:"id"`
			} `json:"status"`
		} `json:"comments"`
		Messages []WeiboDirect `json:"direct_messages"`
	}
	if err := json.Unmarshal(b, &sent); err != nil {
		return "", false, fault.Wrap(err, fault.Down, "clue.weibo.broken")
	}
	same := func(text string) bool { return slices.Equal(bare(text), bare(out.Text)) }
	for _, c := range sent.Comments {
		if strconv.FormatInt(c.Status.ID, 10) == out.Handle["status"] && same(c.Text) {
			return strconv.FormatInt(c.ID, 10), true, nil
		}
	}
	for _, m := range sent.Messages {
		if strconv.FormatInt(m.Receiver, 10) == out.Handle["receiver"] && same(m.Text) {
			return strconv.FormatInt(m.ID, 10), true, nil
		}
	}
	return "", false, nil
}

// call asks the open API and sorts its errors by what became of the request.
func (w *Weibo) call(ctx context.Context, a channel.Access, method, path string, q url.Values) ([]byte, error) {
	const most = 8 << 20
	address := strings.TrimSuffix(cmp.Or(a.Credential["base"], WeiboAPI), "/") + path
	q.Set("access_token", a.Credential["access_token"])
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(q.Encode())
	} else {
		address += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "clue.weibo.bad_base")
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := w.client.Do(req)
	if err != nil {
		return nil, fault.New(fault.Down, "clue.weibo.down") // the error's text would hold the token
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, most))
	if err != nil {
		return nil, fault.Wrap(err, fault.Down, "clue.weibo.down")
	}
	if res.StatusCode != http.StatusOK || errorIn(b) {
		return nil, weiboFault(res, b)
	}
	return b, nil
}

// errorIn reports whether an answer that calls itself good is an error.
func errorIn(b []byte) bool {
	if !bytes.Contains(b, []byte(`"error_code"`)) {
		return false
	}
	var e struct {
		Code int `json:"error_code"`
	}
	return json.Unmarshal(b, &e) == nil && e.Code != 0
}

// weiboFault reads the open API's error codes.
func weiboFault(res *http.Response, b []byte) error {
	var e struct {
		Error string `json:"error"`
		Code  int    `json:"error_code"`
	}
	_ = json.Unmarshal(b, &e) // no code: the status has to do
	cause := fmt.Errorf("weibo: status %d, code %d: %s", res.StatusCode, e.Code, e.Error)
	switch e.Code {
	case 10022, 10023, 10024, 20016, 20019, 20028: // calls of the address, the user, the function; too much, too fast, twice
		after, _ := strconv.Atoi(res.Header.Get("Retry-After")) // absent: the usual rest
		return fault.Wrap(cause, fault.Exhausted, "clue.too_often", "after", after)
	case 21314, 21315, 21316, 21317, 21327, 21332, 10006: // the token is spent or wrong
		return fault.Wrap(cause, fault.Denied, "clue.weibo.token")
	case 20101, 20102, 20201, 20202, 20206, 20207, 20008, 20012: // the post is gone, comments are closed, the text will not do
		return fault.Wrap(cause, fault.Invalid, "clue.weibo.refused")
	}
	if res.StatusCode == http.StatusTooManyRequests {
		return fault.Wrap(cause, fault.Exhausted, "clue.too_often", "after", 0)
	}
	return fault.Wrap(cause, fault.Down, "clue.weibo.down")
}
