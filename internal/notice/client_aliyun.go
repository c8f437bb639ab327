package notice

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/fault"
)

// AliyunConfig sets up the text messages of Alibaba Cloud (Dysmsapi 2017-05-25).
type AliyunConfig struct {
	URL     string // empty: the provider's own address
	KeyID   string
	Secret  string
	Sign    string           // signature line registered with the provider
	Machine func() time.Time // clock of the signatures
	Client  *http.Client     // nil = one with a timeout of ten seconds
}

// AliyunGateway sends text messages over Alibaba Cloud. The provider knows no key that makes a repeated sending the same one,
// so a message that may have been taken before is looked for among the sent ones of its telephone first.
type AliyunGateway struct {
	c AliyunConfig
	u *url.URL
}

// NewAliyunGateway makes a client; the address must be one.
func NewAliyunGateway(c AliyunConfig) (*AliyunGateway, error) {
	if c.URL == "" {
		c.URL = "https://dysmsapi.aliyuncs.com/"
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("sms provider: %q is no address", c.URL)
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: 10 * time.Second}
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return &AliyunGateway{c: c, u: u}, nil
}

// aliyunAnswer is what both calls answer with.
type aliyunAnswer struct {
	Code    string `json:"Code"`
	Message string `json:"Message"`
	BizID   string `json:"BizId"`
	Details struct {
		List []struct {
			OutID string `json:"OutId"`
		} `json:"SmsSendDetailDTO"`
	} `json:"SmsSendDetailDTOs"`
}

// later are the provider's answers about a message that a later try may change: too many at once, no money in the account.
var later = []string{"isv.BUSINESS_LIMIT_CONTROL", "isv.AMOUNT_NOT_ENOUGH"}

// hopeless reports whether an answer is about the message itself, so that no try helps. What is about us or the provider (a key
// that expired, a right that is missing, a busy interface) is put right by somebody, and the messages wait for it.
func hopeless(code string) bool {
	return strings.HasPrefix(code, "isv.") && !slices.Contains(later, code)
}

// Send sends one message by the provider's template. Its number must be known: providers send no free texts.
func (g *AliyunGateway) Send(ctx context.Context, out Outgoing) (string, error) {
	if out.Code == "" {
		return "", fault.New(fault.Invalid, "notice.reason.no_code")
	}
	if out.Again {
		if found, err := g.sentBefore(ctx, out); err != nil || found {
			return out.Key, err
		}
	}
	params, err := json.Marshal(out.Params)
	if err != nil {
		return "", fmt.Errorf("encode the variables: %w", err)
	}
	a, err := g.call(ctx, "SendSms", url.Values{
		"PhoneNumbers": {out.To}, "SignName": {g.c.Sign}, "TemplateCode": {out.Code}, "TemplateParam": {string(params)}, "OutId": {out.Key},
	})
	switch {
	case err != nil:
		return "", err
	case a.Code == "OK":
		return a.BizID, nil
	case hopeless(a.Code):
		return "", fault.Wrap(fmt.Errorf("sms provider: %s: %s", a.Code, a.Message), fault.Invalid, "notice.gateway_refused")
	}
	return "", fault.Wrap(fmt.Errorf("sms provider: %s: %s", a.Code, a.Message), fault.Down, "notice.gateway_down")
}

// sentBefore looks for a message among those that the provider sent to its telephone today and yesterday; tries are minutes
// apart, so that no page of fifty hides it.
func (g *AliyunGateway) sentBefore(ctx context.Context, out Outgoing) (bool, error) {
	const day = 24 * time.Hour
	china := time.FixedZone("CST", 8*60*60)
	for _, at := range []time.Time{g.c.Machine(), g.c.Machine().Add(-day)} {
		a, err := g.call(ctx, "QuerySendDetails", url.Values{
			"PhoneNumber": {out.To}, "SendDate": {at.In(china).Format("20060102")}, "PageSize": {"50"}, "CurrentPage": {"1"},
		})
		if err != nil {
			return false, err
		}
		if a.Code != "OK" {
			return false, fault.Wrap(fmt.Errorf("sms provider: %s: %s", a.Code, a.Message), fault.Down, "notice.gateway_down")
		}
		for _, d := range a.Details.List {
			if d.OutID == out.Key {
				return true, nil
			}
		}
	}
	return false, nil
}

func (g *AliyunGateway) call(ctx context.Context, action string, q url.Values) (aliyunAnswer, error) {
	var a aliyunAnswer
	u := *g.u
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), http.NoBody)
	if err != nil {
		return a, fmt.Errorf("sms provider: %w", err)
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	SignACS3(req, g.c.KeyID, g.c.Secret, action, g.c.Machine(), hex.EncodeToString(nonce))
	res, err := g.c.Client.Do(req)
	if err != nil {
		return a, fault.Wrap(err, fault.Down, "notice.gateway_down")
	}
	defer res.Body.Close()
	const most = 256 << 10
	if err := json.NewDecoder(io.LimitReader(res.Body, most)).Decode(&a); err != nil || res.StatusCode >= http.StatusInternalServerError {
		return a, fault.Wrap(fmt.Errorf("sms provider: status %d", res.StatusCode), fault.Down, "notice.gateway_down")
	}
	return a, nil
}

// emptyHash is the SHA-256 of no body.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// ACSVersion is the edition of the provider's interface that is called.
const ACSVersion = "2017-05-25"

// SignACS3 signs a request without a body by the provider's third signature scheme (ACS3-HMAC-SHA256): the hash of method,
// path, query, the sorted headers and the hash of the body, under the secret.
func SignACS3(req *http.Request, keyID, secret, action string, at time.Time, nonce string) {
	h := req.Header
	h.Set("Host", req.URL.Host)
	h.Set("X-Acs-Action", action)
	h.Set("X-Acs-Version", ACSVersion)
	h.Set("X-Acs-Date", at.UTC().Format("2006-01-02T15:04:05Z"))
	h.Set("X-Acs-Signature-Nonce", nonce)
	h.Set("X-Acs-Content-Sha256", emptyHash)
	signature, signed := ACS3(req.Method, req.URL, h, secret)
	h.Set("Authorization", "ACS3-HMAC-SHA256 Credential="+keyID+",SignedHeaders="+signed+",Signature="+signature)
}

// ACS3 computes the signature of a request and names the headers that are in it.
func ACS3(method string, u *url.URL, h http.Header, secret string) (signature, signedHeaders string) {
	var names []string
	lines := map[string]string{}
	for name := range h {
		low := strings.ToLower(name)
		if low == "host" || low == "content-type" || strings.HasPrefix(low, "x-acs-") {
			names = append(names, low)
			lines[low] = strings.TrimSpace(h.Get(name))
		}
	}
	slices.Sort(names)
	var canonical strings.Builder
	for _, n := range names {
		canonical.WriteString(n + ":" + lines[n] + "\n")
	}
	signedHeaders = strings.Join(names, ";")
	request := strings.Join([]string{method, u.EscapedPath(), acsQuery(u.Query()), canonical.String(), signedHeaders, h.Get("X-Acs-Content-Sha256")}, "\n")
	sum := sha256.Sum256([]byte(request))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("ACS3-HMAC-SHA256\n" + hex.EncodeToString(sum[:])))
	return hex.EncodeToString(mac.Sum(nil)), signedHeaders
}

// acsQuery is the query in the order and the escaping of the scheme (RFC 3986).
func acsQuery(q url.Values) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(q.Encode())
}
