package wechatfake

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/wechat"
)

// Push is one message on its way to the installation, as bytes: it can be sent again, late, or changed by an attacker.
type Push struct {
	App    string
	OpenID string
	Query  url.Values
	Body   []byte
}

func event(name, rest string) string {
	return "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[" + name + "]]></Event>" + rest
}

func cdata(s string) string {
	return "<![CDATA[" + strings.ReplaceAll(s, "]]>", "]]]]><![CDATA[>") + "]]>"
}

// Compose signs and encrypts a message of a resident. What is inside is written as WeChat does.
func (s *Server) Compose(app, openid, inside string) Push {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.compose(app, openid, inside, s.now())
}

func (s *Server) compose(app, openid, inside string, at time.Time) Push {
	a := s.accounts[app]
	plain := "<xml><ToUserName>" + cdata(a.Original) + "</ToUserName><FromUserName>" + cdata(openid) + "</FromUserName><CreateTime>" +
		stamp(at) + "</CreateTime>" + inside + "</xml>"
	sealed := a.cipher.Encrypt([]byte(plain))
	body := "<xml><ToUserName>" + cdata(a.Original) + "</ToUserName><Encrypt>" + cdata(sealed) + "</Encrypt></xml>"
	ts, n := stamp(at), random(5)
	return Push{App: app, OpenID: openid, Body: []byte(body), Query: url.Values{
		"signature": {wechat.Sign(a.Token, ts, n)}, "timestamp": {ts}, "nonce": {n}, "openid": {openid}, "encrypt_type": {"aes"},
		"msg_signature": {wechat.Sign(a.Token, ts, n, sealed)},
	}}
}

// Deliver posts a push and gives the text of the passive answer, empty when there was none.
func (s *Server) Deliver(ctx context.Context, p Push) (string, error) {
	s.mu.Lock()
	a := s.accounts[p.App]
	address := a.Server
	s.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"?"+p.Query.Encode(), bytes.NewReader(p.Body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "text/xml")
	res, err := s.client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	const most = 64 << 10
	b, err := io.ReadAll(io.LimitReader(res.Body, most))
	if err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the installation answered %d: %s", res.StatusCode, b)
	}
	if string(b) == "success" || len(b) == 0 {
		return "", nil
	}
	return a.read(b, p.OpenID)
}

// Say delivers a push as WeChat does, a second time when the first got no answer, and shows the answer to the resident.
func (s *Server) Say(ctx context.Context, p Push, card Card) (string, error) {
	s.mu.Lock()
	u := s.accounts[p.App].of(p.OpenID)
	u.written = s.now()
	card.At, card.From = s.now(), Resident
	u.cards = append(u.cards, card)
	s.mu.Unlock()
	said, err := s.Deliver(ctx, p)
	if err != nil && ctx.Err() == nil {
		said, err = s.Deliver(ctx, p)
	}
	if err == nil && said != "" {
		s.mu.Lock()
		u.cards = append(u.cards, Card{At: s.now(), From: Passive, Kind: "text", Text: said})
		s.mu.Unlock()
	}
	return said, err
}

// read opens a passive answer and checks everything that WeChat checks.
func (a *account) read(b []byte, to string) (string, error) {
	var e struct {
		Encrypt   string `xml:"Encrypt"`
		Signature string `xml:"MsgSignature"`
		Timestamp string `xml:"TimeStamp"`
		Nonce     string `xml:"Nonce"`
	}
	if err := xml.Unmarshal(b, &e); err != nil {
		return "", fmt.Errorf("the answer is no XML: %w", err)
	}
	if e.Signature != wechat.Sign(a.Token, e.Timestamp, e.Nonce, e.Encrypt) {
		return "", errors.New("the answer's signature is wrong")
	}
	inside, err := a.cipher.Decrypt(e.Encrypt)
	if err != nil {
		return "", err
	}
	var m struct {
		To      string `xml:"ToUserName"`
		From    string `xml:"FromUserName"`
		Created int64  `xml:"CreateTime"`
		Type    string `xml:"MsgType"`
		Content string `xml:"Content"`
	}
	if err := xml.Unmarshal(inside, &m); err != nil {
		return "", fmt.Errorf("the answer inside is no XML: %w", err)
	}
	const most = 2048
	switch {
	case m.To != to || m.From != a.Original:
		return "", fmt.Errorf("the answer goes from %q to %q", m.From, m.To)
	case m.Type != "text" || m.Created == 0 || m.Content == "" || len(m.Content) > most:
		return "", fmt.Errorf("the answer is no text of at most %d bytes: %q", most, m.Content)
	}
	return m.Content, nil
}

// Write is a text message.
func (s *Server) Write(ctx context.Context, app, openid, text string) (string, error) {
	return s.Say(ctx, s.Compose(app, openid, s.Text(text)), Card{Kind: "text", Text: text})
}

// Text is the inside of a text message with an id of its own.
func (s *Server) Text(text string) string {
	return "<MsgType><![CDATA[text]]></MsgType><Content>" + cdata(text) + "</Content><MsgId>" + s.id() + "</MsgId>"
}

func (s *Server) id() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprint(s.nextID())
}

// Photo is a picture.
func (s *Server) Photo(ctx context.Context, app, openid, kind string, body []byte) (string, error) {
	id := s.PutMedia(kind, body)
	return s.Say(ctx, s.Compose(app, openid, "<MsgType><![CDATA[image]]></MsgType><PicUrl><![CDATA[https://mmbiz.qpic.cn/x]]></PicUrl><MediaId>"+cdata(id)+
		"</MediaId><MsgId>"+s.id()+"</MsgId>"), Card{Kind: "image"})
}

// Speak is a recording.
func (s *Server) Speak(ctx context.Context, app, openid string, body []byte, recognised string) (string, error) {
	id := s.PutMedia("audio/amr", body)
	return s.Say(ctx, s.Compose(app, openid, "<MsgType><![CDATA[voice]]></MsgType><MediaId>"+cdata(id)+"</MediaId><Format><![CDATA[amr]]></Format><Recognition>"+
		cdata(recognised)+"</Recognition><MsgId>"+s.id()+"</MsgId>"), Card{Kind: "voice"})
}

// Locate is a location, in the coordinates of Chinese maps.
func (s *Server) Locate(ctx context.Context, app, openid string, lat, lng float64, label string) (string, error) {
	return s.Say(ctx, s.Compose(app, openid, fmt.Sprintf("<MsgType><![CDATA[location]]></MsgType><Location_X>%.6f</Location_X><Location_Y>%.6f</Location_Y><Scale>16</Scale><Label>%s</Label><MsgId>%s</MsgId>",
		lat, lng, cdata(label), s.id())), Card{Kind: "location", Text: label})
}

// Follow is a subscription of the official account.
func (s *Server) Follow(ctx context.Context, app, openid string) (string, error) {
	s.mu.Lock()
	s.accounts[app].of(openid).follows = true
	s.mu.Unlock()
	return s.Say(ctx, s.Compose(app, openid, event("subscribe", "<EventKey></EventKey>")), Card{Kind: "event", Text: "subscribe"})
}

// Leave ends it.
func (s *Server) Leave(ctx context.Context, app, openid string) error {
	s.mu.Lock()
	s.accounts[app].of(openid).follows = false
	s.mu.Unlock()
	_, err := s.Say(ctx, s.Compose(app, openid, event("unsubscribe", "<EventKey></EventKey>")), Card{Kind: "event", Text: "unsubscribe"})
	return err
}

// Tap is a tap on a button of the menu.
func (s *Server) Tap(ctx context.Context, app, openid, key string) (string, error) {
	return s.Say(ctx, s.Compose(app, openid, event("CLICK", "<EventKey>"+cdata(key)+"</EventKey>")), Card{Kind: "event", Text: key})
}

// Report pushes the reports on messages that were taken and not reported yet; each so often.
func (s *Server) Report(ctx context.Context, times int) error {
	s.mu.Lock()
	all := s.pending
	s.pending = nil
	s.mu.Unlock()
	for _, r := range all {
		p := s.Compose(r.app, r.openid, r.body)
		for range times {
			if _, err := s.Deliver(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}
