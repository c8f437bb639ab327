// Package aliyunfake plays the text message interface of Alibaba Cloud (Dysmsapi 2017-05-25) and checks everything that it
// is sent: the ACS3 signature, its time and nonce, the registered signature line, the template and its variables. It can
// lose its answer after it took a message, as a network does.
package aliyunfake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/notice"
)

// Sent is a message that was taken.
type Sent struct{ Key, To, Code, Params string }

// Provider is the fake; serve it over HTTP.
type Provider struct {
	KeyID, Secret, Sign string
	Templates           map[string][]string // template number → its variables
	Machine             func() time.Time

	mu     sync.Mutex
	nonces map[string]bool
	sent   []Sent
	lose   bool
}

// Sent lists what was taken, in order.
func (p *Provider) Sent() []Sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sent)
}

// Lose makes the provider take messages and break the connection instead of answering, or answer again.
func (p *Provider) Lose(lose bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose = lose
}

// ServeHTTP answers one call.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if code, why := p.check(r); code != "" {
		w.WriteHeader(http.StatusBadRequest)
		p.answer(w, map[string]any{"Code": code, "Message": why})
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch r.Header.Get("X-Acs-Action") {
	case "SendSms":
		p.take(w, r)
	case "QuerySendDetails":
		p.details(w, r)
	default:
		p.answer(w, map[string]any{"Code": "InvalidAction.NotFound", "Message": "no such action"})
	}
}

// check refuses what the holder of the key did not ask just now.
func (p *Provider) check(r *http.Request) (code, why string) {
	h := r.Header
	h.Set("Host", r.Host)
	at, err := time.Parse("2006-01-02T15:04:05Z", h.Get("X-Acs-Date"))
	signature, signed := notice.ACS3(r.Method, r.URL, h, p.Secret)
	want := "ACS3-HMAC-SHA256 Credential=" + p.KeyID + ",SignedHeaders=" + signed + ",Signature=" + signature
	nonce := h.Get("X-Acs-Signature-Nonce")
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err != nil || p.Machine().Sub(at).Abs() > 15*time.Minute:
		return "InvalidTimeStamp.Expired", "x-acs-date"
	case h.Get("X-Acs-Version") != notice.ACSVersion:
		return "InvalidVersion", "x-acs-version"
	case h.Get("Authorization") != want:
		return "SignatureDoesNotMatch", "signature"
	case nonce == "" || p.nonces[nonce]:
		return "SignatureNonceUsed", "x-acs-signature-nonce"
	}
	if p.nonces == nil {
		p.nonces = map[string]bool{}
	}
	p.nonces[nonce] = true
	return "", ""
}

func (p *Provider) take(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	m := Sent{Key: q.Get("OutId"), To: q.Get("PhoneNumbers"), Code: q.Get("TemplateCode"), Params: q.Get("TemplateParam")}
	variables, known := p.Templates[m.Code]
	var params map[string]string
	switch {
	case q.Get("SignName") != p.Sign:
		p.answer(w, map[string]any{"Code": "isv.SMS_SIGNATURE_ILLEGAL", "Message": "SignName"})
		return
	case !known:
		p.answer(w, map[string]any{"Code": "isv.SMS_TEMPLATE_ILLEGAL", "Message": "TemplateCode"})
		return
	case len(m.To) != 11 || !strings.HasPrefix(m.To, "1"):
		p.answer(w, map[string]any{"Code": "isv.MOBILE_NUMBER_ILLEGAL", "Message": "PhoneNumbers"})
		return
	case json.Unmarshal([]byte(m.Params), &params) != nil && m.Params != "null":
		p.answer(w, map[string]any{"Code": "isv.INVALID_JSON_PARAM", "Message": "TemplateParam"})
		return
	}
	for _, v := range variables {
		if params[v] == "" {
			p.answer(w, map[string]any{"Code": "isv.TEMPLATE_MISSING_PARAMETERS", "Message": v})
			return
		}
	}
	p.sent = append(p.sent, m)
	if p.lose {
		panic(http.ErrAbortHandler) // taken, and the answer is lost
	}
	p.answer(w, map[string]any{"Code": "OK", "Message": "OK", "BizId": fmt.Sprintf("biz-%d", len(p.sent))})
}

func (p *Provider) details(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	list := []map[string]any{}
	if q.Get("SendDate") == p.Machine().In(time.FixedZone("CST", 8*60*60)).Format("20060102") {
		for _, m := range p.sent {
			if m.To == q.Get("PhoneNumber") {
				list = append(list, map[string]any{"OutId": m.Key, "SendStatus": 3, "TemplateCode": m.Code})
			}
		}
	}
	p.answer(w, map[string]any{"Code": "OK", "Message": "OK", "SmsSendDetailDTOs": map[string]any{"SmsSendDetailDTO": list}})
}

func (p *Provider) answer(w http.ResponseWriter, v map[string]any) {
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}
