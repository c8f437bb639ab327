package wechat

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"time"

	"github.com/rehu-heat/rehu/internal/fault"
)

// API is where WeChat answers.
const API = "https://api.weixin.qq.com"

// The bounds of what is taken from WeChat.
const (
	mostAnswer = 1 << 20
	// MostMedia is the largest picture or recording that is taken: WeChat's own bound for pictures.
	MostMedia = 10 << 20
)

// The error codes of WeChat that matter to a caller.
const (
	codeBusy        = -1
	codeBadToken    = 40001 // wrong, or replaced by a newer one
	codeBadMedia    = 40007
	codeInvalid     = 40014
	codeExpired     = 42001
	codeQuota       = 45009
	codeFast        = 45011
	codeUnsubscribe = 43004 // does not follow the account
	codeRefused     = 43101 // no consent to this message
	codeTooLate     = 45015 // the resident wrote more than 48 hours ago
	codeBadCode     = 40029 // of code2session
	codeUsedCode    = 40163
)

// RefusalError is an error code that WeChat answered with: it did not do what was asked.
type RefusalError struct {
	Code    int
	Message string
}

// Error is the text for the log.
func (r *RefusalError) Error() string {
	return fmt.Sprintf("wechat: errcode %d: %s", r.Code, r.Message)
}

// unsent is an error before anything reached WeChat.
type unsent struct{ error }

// Unwrap gives the cause.
func (u unsent) Unwrap() error { return u.error }

// later reports whether WeChat surely did nothing and the same request may go through later: it was busy, or not reached.
func later(err error) bool {
	if _, ok := errors.AsType[unsent](err); ok {
		return true
	}
	code := refused(err)
	return code == codeBusy || code == codeQuota || code == codeFast
}

// refused gives the error code of an error, 0 when WeChat did not answer with one.
func refused(err error) int {
	if r, ok := errors.AsType[*RefusalError](err); ok {
		return r.Code
	}
	return 0
}

// tokens give an account's access token; one that is stale is not given again.
type tokens interface {
	token(ctx context.Context, a *Account, stale string) (string, error)
}

// Client speaks to WeChat's servers. Its use cases are those of the service.
type Client struct {
	http   *http.Client
	tokens tokens
}

// NewClient makes a client of WeChat; h may be nil. Redirects are not followed: secrets stand in the addresses.
func NewClient(h *http.Client) *Client {
	if h == nil {
		h = &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return &Client{http: h}
}

// request is one call of WeChat.
type request struct {
	method, path string
	query        url.Values
	body         []byte
	kind         string // of the body
}

// exchange sends a request and reads at most so many bytes of the answer. Whatever is not an answer is Down: WeChat may or
// may not have done it.
func (c *Client) exchange(ctx context.Context, a *Account, r request, most int64) ([]byte, string, error) {
	at := cmp.Or(a.api, API) + r.path
	if len(r.query) > 0 {
		at += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, at, bytes.NewReader(r.body))
	if err != nil {
		return nil, "", fmt.Errorf("wechat %s: %w", r.path, err)
	}
	if r.kind != "" {
		req.Header.Set("Content-Type", r.kind)
	}
	res, err := c.http.Do(req)
	if err != nil {
		down := fault.Wrap(withoutQuery(err), fault.Down, "wechat.down")
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
			return nil, "", unsent{down}
		}
		return nil, "", down
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	if err != nil || res.StatusCode != http.StatusOK {
		return nil, "", fault.Wrap(fmt.Errorf("wechat %s: status %d, %w", r.path, res.StatusCode, errors.Join(err)), fault.Down, "wechat.down")
	}
	if int64(len(b)) > most {
		return nil, "", fault.New(fault.Invalid, "wechat.too_large")
	}
	return b, res.Header.Get("Content-Type"), nil
}

// withoutQuery takes the address out of an error, since secrets and tokens stand in it.
func withoutQuery(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("wechat: %s: %w", u.Op, u.Err)
	}
	return err
}

// do sends a request with the account's token, with a new one when WeChat says that it is no longer good.
func (c *Client) do(ctx context.Context, a *Account, r request, most int64) ([]byte, string, error) {
	stale := ""
	for try := 0; ; try++ {
		token, err := c.tokens.token(ctx, a, stale)
		if err != nil {
			return nil, "", unsent{err}
		}
		with := r
		with.query = url.Values{"access_token": {token}}
		maps.Copy(with.query, r.query)
		b, kind, err := c.once(ctx, a, with, most)
		code := refused(err)
		if try > 0 || code != codeBadToken && code != codeInvalid && code != codeExpired {
			return b, kind, err
		}
		stale = token
	}
}

// once sends a request and tells an error code from an answer.
func (c *Client) once(ctx context.Context, a *Account, r request, most int64) ([]byte, string, error) {
	b, kind, err := c.exchange(ctx, a, r, most)
	if err != nil {
		return nil, "", err
	}
	if isJSON(kind, b) {
		var e struct {
			Code    int    `json:"errcode"`
			Message string `json:"errmsg"`
		}
		if err := json.Unmarshal(b, &e); err != nil {
			return nil, "", fault.Wrap(fmt.Errorf("wechat %s: %w", r.path, err), fault.Down, "wechat.down")
		}
		if e.Code != 0 {
			return nil, "", &RefusalError{e.Code, e.Message}
		}
	}
	return b, kind, nil
}

func isJSON(kind string, b []byte) bool {
	media, _, err := mime.ParseMediaType(kind)
	return err == nil && (media == "application/json" || media == "text/plain") || bytes.HasPrefix(bytes.TrimSpace(b), []byte("{"))
}

// post sends JSON and reads JSON.
func (c *Client) post(ctx context.Context, a *Account, path string, in, out any) error {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false) // WeChat shows < as it is written
	if err := e.Encode(in); err != nil {
		return fmt.Errorf("wechat %s: %w", path, err)
	}
	b, _, err := c.do(ctx, a, request{method: http.MethodPost, path: path, body: body.Bytes(), kind: "application/json"}, mostAnswer)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fault.Wrap(fmt.Errorf("wechat %s: %w", path, err), fault.Down, "wechat.down")
	}
	return nil
}

// grant is an access token as WeChat gives it.
type grant struct {
	Token   string `json:"access_token"`
	Expires int64  `json:"expires_in"` // seconds
}

// stableToken asks for the account's access token. With force the one in use ends at once.
func (c *Client) stableToken(ctx context.Context, a *Account, force bool) (grant, error) {
	body, err := json.Marshal(map[string]any{
		"grant_type": "client_credential", "appid": a.ID, "secret": a.secrets.Secret, "force_refresh": force,
	})
	if err != nil {
		return grant{}, fmt.Errorf("ask for a token: %w", err)
	}
	b, _, err := c.once(ctx, a, request{method: http.MethodPost, path: "/cgi-bin/stable_token", body: body, kind: "application/json"}, mostAnswer)
	if err != nil {
		return grant{}, err
	}
	var g grant
	if err := json.Unmarshal(b, &g); err != nil || g.Token == "" || len(g.Token) > 2048 || g.Expires < 1 || g.Expires > 86400 {
		return grant{}, fault.Wrap(errors.New("wechat: no token in the answer"), fault.Down, "wechat.down")
	}
	return g, nil
}

// delivery is a template or subscription message.
type delivery struct {
	To     string
	Key    string // the same however often it is tried
	Data   map[string]string
	Link   string // address that a tap opens; official account only
	Page   string // page of the mini program
	MiniID string
	Lang   string // zh_CN, en_US
}

type value struct {
	Value string `json:"value"`
}

func (d delivery) values() map[string]value {
	out := make(map[string]value, len(d.Data))
	for k, v := range d.Data {
		out[k] = value{v}
	}
	return out
}

// sendTemplate sends a template message; WeChat takes the same key of the same resident once within ten minutes.
func (c *Client) sendTemplate(ctx context.Context, a *Account, template string, d delivery) (string, error) {
	in := map[string]any{"touser": d.To, "template_id": template, "client_msg_id": d.Key, "data": d.values()}
	if d.Link != "" {
		in["url"] = d.Link
	}
	if d.Page != "" && d.MiniID != "" {
		in["miniprogram"] = map[string]string{"appid": d.MiniID, "pagepath": d.Page}
	}
	var out struct {
		ID json.Number `json:"msgid"`
	}
	err := c.post(ctx, a, "/cgi-bin/message/template/send", in, &out)
	return out.ID.String(), err
}

// sendSubscribe sends a subscription message of the mini program. WeChat knows no key for it: whether an answer that was
// lost meant that it left, only its report tells.
func (c *Client) sendSubscribe(ctx context.Context, a *Account, template string, d delivery) (string, error) {
	in := map[string]any{"touser": d.To, "template_id": template, "data": d.values(), "miniprogram_state": "formal", "lang": d.Lang}
	if d.Page != "" {
		in["page"] = d.Page
	}
	var out struct {
		ID json.Number `json:"msgid"`
	}
	err := c.post(ctx, a, "/cgi-bin/message/subscribe/send", in, &out)
	return out.ID.String(), err
}

// sendText answers a resident as customer service, which WeChat allows for 48 hours after they wrote.
func (c *Client) sendText(ctx context.Context, a *Account, to, said string) error {
	return c.post(ctx, a, "/cgi-bin/message/custom/send", map[string]any{
		"touser": to, "msgtype": "text", "text": map[string]string{"content": said},
	}, nil)
}

// login is what a code of wx.login stands for.
type login struct {
	OpenID string `json:"openid"`
	Union  string `json:"unionid"`
	Key    string `json:"session_key"` // never kept: nothing of ours needs it
}

// code2session asks whose code it is.
func (c *Client) code2session(ctx context.Context, a *Account, code string) (login, error) {
	b, _, err := c.once(ctx, a, request{method: http.MethodGet, path: "/sns/jscode2session", query: url.Values{
		"appid": {a.ID}, "secret": {a.secrets.Secret}, "js_code": {code}, "grant_type": {"authorization_code"},
	}}, mostAnswer)
	if err != nil {
		return login{}, err
	}
	var l login
	if err := json.Unmarshal(b, &l); err != nil || !openID.MatchString(l.OpenID) {
		return login{}, fault.Wrap(errors.New("wechat: no openid in the answer"), fault.Down, "wechat.down")
	}
	return l, nil
}

// download fetches a picture or a recording. What it claims to be is not believed: whoever keeps it looks at the bytes.
func (c *Client) download(ctx context.Context, a *Account, media string) ([]byte, error) {
	b, kind, err := c.do(ctx, a, request{method: http.MethodGet, path: "/cgi-bin/media/get", query: url.Values{"media_id": {media}}}, MostMedia)
	if err != nil {
		return nil, err
	}
	if len(b) == 0 || isJSON(kind, b) {
		return nil, fault.New(fault.Invalid, "wechat.bad_media")
	}
	return b, nil
}

// Upload gives WeChat a picture for three days and returns its media id.
func (c *Client) Upload(ctx context.Context, a *Account, name, kind string, b []byte) (string, error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name="media"; filename=%q; filelength=%d`, name, len(b))}, "Content-Type": {kind},
	})
	if err == nil {
		_, err = part.Write(b)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return "", fmt.Errorf("write a picture for WeChat: %w", err)
	}
	got, _, err := c.do(ctx, a, request{
		method: http.MethodPost, path: "/cgi-bin/media/upload", query: url.Values{"type": {"image"}}, body: body.Bytes(), kind: w.FormDataContentType(),
	}, mostAnswer)
	if err != nil {
		return "", err
	}
	var out struct {
		ID string `json:"media_id"`
	}
	if err := json.Unmarshal(got, &out); err != nil || out.ID == "" {
		return "", fault.Wrap(errors.New("wechat: no media id in the answer"), fault.Down, "wechat.down")
	}
	return out.ID, nil
}

// SendImage shows a resident a picture that was uploaded before.
func (c *Client) SendImage(ctx context.Context, a *Account, to, media string) error {
	return c.post(ctx, a, "/cgi-bin/message/custom/send", map[string]any{
		"touser": to, "msgtype": "image", "image": map[string]string{"media_id": media},
	}, nil)
}

// putMenu sets the custom menu.
func (c *Client) putMenu(ctx context.Context, a *Account, mini string, all []Button) error {
	return c.post(ctx, a, "/cgi-bin/menu/create", map[string]any{"button": buttons(mini, all)}, nil)
}

// dropMenu takes the custom menu away.
func (c *Client) dropMenu(ctx context.Context, a *Account) error {
	_, _, err := c.do(ctx, a, request{method: http.MethodGet, path: "/cgi-bin/menu/delete"}, mostAnswer)
	return err
}

func buttons(mini string, all []Button) []map[string]any {
	out := make([]map[string]any, 0, len(all))
	for _, b := range all {
		one := map[string]any{"name": b.Name}
		switch {
		case len(b.Below) > 0:
			one["sub_button"] = buttons(mini, b.Below)
		case b.Key != "":
			one["type"], one["key"] = "click", b.Key
		case b.URL != "":
			one["type"], one["url"] = "view", b.URL
		default:
			// Versions of WeChat without mini programs open the address instead, so it cannot be left out.
			one["type"], one["appid"], one["pagepath"], one["url"] = "miniprogram", mini, b.Page, "https://mp.weixin.qq.com"
		}
		out = append(out, one)
	}
	return out
}
