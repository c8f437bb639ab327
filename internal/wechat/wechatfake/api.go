package wechatfake

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/wechat"
)

// refusal is an error code of WeChat.
type refusal struct {
	Code int    `json:"errcode"`
	Msg  string `json:"errmsg"`
}

var (
	errBusy    = refusal{-1, "system error"}
	errToken   = refusal{40001, "invalid credential, access_token is invalid or not latest"}
	errMissing = refusal{41001, "access_token missing"}
)

// ServeHTTP answers as api.weixin.qq.com does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, wechat.MostMedia+1<<20))
	if err != nil {
		return
	}
	s.mu.Lock()
	answer, sent := s.route(r, body)
	lost := sent && s.lose > 0
	if lost {
		s.lose--
	}
	s.mu.Unlock()
	if lost {
		panic(http.ErrAbortHandler) // the connection ends without an answer
	}
	if m, ok := answer.(media); ok {
		w.Header().Set("Content-Type", m.kind)
		_, _ = w.Write(m.body) // the client is gone: nobody to tell
		return
	}
	if e, ok := answer.(refusal); ok && e.Code != 0 {
		s.mu.Lock()
		s.fault("%s: %d %s", r.URL.Path, e.Code, e.Msg)
		s.mu.Unlock()
	}
	w.Header().Set("Content-Type", "application/json; encoding=utf-8")
	_ = json.NewEncoder(w).Encode(answer) // as above
}

// route gives the answer, and whether something was sent to a resident.
func (s *Server) route(r *http.Request, body []byte) (any, bool) {
	if s.busy > 0 && r.URL.Path != "/cgi-bin/stable_token" {
		s.busy--
		return errBusy, false
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /cgi-bin/stable_token":
		return s.stableToken(body), false
	case "GET /sns/jscode2session":
		return s.code2session(r.URL.Query()), false
	}
	a, e := s.holder(r.URL.Query().Get("access_token"))
	if a == nil {
		return e, false
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /cgi-bin/message/template/send":
		return s.template(a, body)
	case "POST /cgi-bin/message/subscribe/send":
		return s.subscribe(a, body)
	case "POST /cgi-bin/message/custom/send":
		return s.custom(a, body)
	case "POST /cgi-bin/menu/create":
		return s.createMenu(a, body), false
	case "GET /cgi-bin/menu/delete":
		a.menu = nil
		return refusal{0, "ok"}, false
	case "GET /cgi-bin/media/get":
		if m, ok := s.media[r.URL.Query().Get("media_id")]; ok {
			return m, false
		}
		return refusal{40007, "invalid media_id"}, false
	case "POST /cgi-bin/media/upload":
		return s.upload(r, body), false
	}
	return refusal{48001, "api unauthorized"}, false
}

func (s *Server) stableToken(body []byte) any {
	var in struct {
		Grant  string `json:"grant_type"`
		ID     string `json:"appid"`
		Secret string `json:"secret"`
		Force  bool   `json:"force_refresh"`
	}
	if json.Unmarshal(body, &in) != nil || in.Grant != "client_credential" {
		return refusal{40002, "invalid grant_type"}
	}
	a := s.accounts[in.ID]
	if a == nil || in.Secret != a.Secret {
		return refusal{40125, "invalid appsecret"}
	}
	const life = 7200 * time.Second
	left := a.tokens[a.current].Sub(s.now())
	if a.current == "" || left < 5*time.Minute || in.Force {
		if in.Force {
			s.forced++
			delete(a.tokens, a.current)
		}
		a.current, left = random(40), life
		a.tokens[a.current] = s.now().Add(life)
		s.granted++
	}
	return map[string]any{"access_token": a.current, "expires_in": int(left.Seconds())}
}

// holder is the account that a token was given to.
func (s *Server) holder(token string) (*account, refusal) {
	if token == "" {
		return nil, errMissing
	}
	for _, a := range s.accounts {
		if end, ok := a.tokens[token]; ok {
			if s.now().After(end) {
				return nil, refusal{42001, "access_token expired"}
			}
			return a, refusal{}
		}
	}
	return nil, errToken
}

func (s *Server) code2session(q url.Values) any {
	a := s.accounts[q.Get("appid")]
	if a == nil || a.Secret != q.Get("secret") {
		return refusal{40125, "invalid appsecret"}
	}
	open, ok := a.codes[q.Get("js_code")]
	if q.Get("grant_type") != "authorization_code" || !ok || a.App != wechat.Mini {
		return refusal{40029, "invalid code"}
	}
	if open == "" {
		return refusal{40163, "code been used"}
	}
	a.codes[q.Get("js_code")] = ""
	return map[string]string{"openid": open, "session_key": random(12)}
}

type sending struct {
	To       string                       `json:"touser"`
	Template string                       `json:"template_id"`
	Key      string                       `json:"client_msg_id"`
	URL      string                       `json:"url"`
	Page     string                       `json:"page"`
	State    string                       `json:"miniprogram_state"`
	Lang     string                       `json:"lang"`
	Mini     map[string]string            `json:"miniprogram"`
	Data     map[string]map[string]string `json:"data"`
}

func (s *Server) template(a *account, body []byte) (any, bool) {
	var in sending
	if json.Unmarshal(body, &in) != nil || a.App != wechat.Official {
		return refusal{47001, "data format error"}, false
	}
	u := a.users[in.To]
	switch {
	case u == nil:
		return refusal{40003, "invalid openid"}, false
	case !u.follows:
		return refusal{43004, "require subscribe"}, false
	case len(in.Key) > 32:
		return refusal{40036, "invalid client_msg_id"}, false
	}
	if e := s.keywords(a, in); e.Code != 0 {
		return e, false
	}
	if id, ok := a.byKey[in.To+" "+in.Key]; ok && in.Key != "" {
		return map[string]any{"errcode": 0, "errmsg": "ok", "msgid": json.Number(id)}, true
	}
	id := strconv.FormatInt(s.nextID(), 10)
	a.byKey[in.To+" "+in.Key] = id
	u.cards = append(u.cards, Card{At: s.now(), From: Template, Kind: "template", Template: in.Template, Data: flat(in.Data), Link: in.URL, Page: in.Mini["pagepath"]})
	s.pending = append(s.pending, report{a.ID, in.To, event("TEMPLATESENDJOBFINISH", "<MsgID>"+id+"</MsgID><Status><![CDATA[success]]></Status>")})
	return map[string]any{"errcode": 0, "errmsg": "ok", "msgid": json.Number(id)}, true
}

func (s *Server) subscribe(a *account, body []byte) (any, bool) {
	var in sending
	if json.Unmarshal(body, &in) != nil || a.App != wechat.Mini {
		return refusal{47001, "data format error"}, false
	}
	u := a.users[in.To]
	switch {
	case u == nil:
		return refusal{40003, "invalid openid"}, false
	case !slices.Contains([]string{"developer", "trial", "formal"}, in.State) || !slices.Contains([]string{"zh_CN", "en_US"}, in.Lang):
		return refusal{47003, "argument invalid! miniprogram_state or lang"}, false
	case strings.HasPrefix(in.Page, "/") || strings.Contains(in.Page, "://"):
		return refusal{41030, "invalid page"}, false
	}
	if e := s.keywords(a, in); e.Code != 0 {
		return e, false
	}
	if u.consents[in.Template] < 1 {
		return refusal{43101, "user refuse to accept the msg"}, false
	}
	u.consents[in.Template]--
	id := strconv.FormatInt(s.nextID(), 10)
	u.cards = append(u.cards, Card{At: s.now(), From: Subscribe, Kind: "template", Template: in.Template, Data: flat(in.Data), Page: in.Page})
	s.pending = append(s.pending, report{a.ID, in.To, event("subscribe_msg_sent_event", "<SubscribeMsgSentEvent><List><TemplateId><![CDATA["+in.Template+
		"]]></TemplateId><MsgID>"+id+"</MsgID><ErrorCode>0</ErrorCode><ErrorStatus><![CDATA[success]]></ErrorStatus></List></SubscribeMsgSentEvent>")})
	return map[string]any{"errcode": 0, "errmsg": "ok", "msgid": json.Number(id)}, true
}

func flat(data map[string]map[string]string) map[string]string {
	out := make(map[string]string, len(data))
	for k, v := range data {
		out[k] = v["value"]
	}
	return out
}

var (
	kindOf = regexp.MustCompile(`^([a-z_]+?)[0-9]+$`)
	formOf = map[string]*regexp.Regexp{
		"number":           regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`),
		"letter":           regexp.MustCompile(`^[A-Za-z]+$`),
		"phone_number":     regexp.MustCompile(`^[0-9+ -]+$`),
		"phrase":           regexp.MustCompile(`^\p{Han}+$`),
		"character_string": regexp.MustCompile(`^[\x21-\x7e]+$`),
		"time":             regexp.MustCompile(`^([0-9]{4}[年-][0-9]{1,2}[月-][0-9]{1,2}日? ?)?([0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?(~.+)?$`),
		"date":             regexp.MustCompile(`^[0-9]{4}[年-][0-9]{1,2}[月-][0-9]{1,2}日?( [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?$`),
		"amount":           regexp.MustCompile(`^[¥$]?[0-9]+(\.[0-9]+)?元?$`),
	}
)

// keywords checks a message against its template: the same keywords, each of its kind and length.
func (s *Server) keywords(a *account, in sending) refusal {
	want, ok := a.Templates[in.Template]
	if !ok {
		return refusal{40037, "invalid template_id"}
	}
	if len(want) != len(in.Data) {
		return refusal{47003, fmt.Sprintf("argument invalid! %d keywords, want %d", len(in.Data), len(want))}
	}
	for _, k := range want {
		v, ok := in.Data[k]["value"], len(in.Data[k]) == 1
		if !ok || strings.TrimSpace(v) == "" {
			return refusal{47003, "argument invalid! data." + k + ".value is empty"}
		}
		if most := wechat.Limit(k); most > 0 && utf8.RuneCountInString(v) > most {
			return refusal{47003, "argument invalid! data." + k + ".value is too long"}
		}
		m := kindOf.FindStringSubmatch(k)
		if m != nil && formOf[m[1]] != nil && !formOf[m[1]].MatchString(v) {
			return refusal{47003, "argument invalid! data." + k + ".value"}
		}
	}
	return refusal{}
}

func (s *Server) custom(a *account, body []byte) (any, bool) {
	var in struct {
		To    string            `json:"touser"`
		Type  string            `json:"msgtype"`
		Text  map[string]string `json:"text"`
		Image map[string]string `json:"image"`
	}
	if json.Unmarshal(body, &in) != nil {
		return refusal{47001, "data format error"}, false
	}
	u := a.users[in.To]
	const most = 2048
	switch {
	case u == nil:
		return refusal{40003, "invalid openid"}, false
	case s.now().Sub(u.written) > 48*time.Hour:
		return refusal{45015, "response out of time limit or subscription is canceled"}, false
	case in.Type == "text" && (in.Text["content"] == "" || len(in.Text["content"]) > most):
		return refusal{45002, "content size out of limit"}, false
	case in.Type == "image":
		if _, ok := s.media[in.Image["media_id"]]; !ok {
			return refusal{40007, "invalid media_id"}, false
		}
	case in.Type != "text":
		return refusal{40008, "invalid message type"}, false
	}
	u.cards = append(u.cards, Card{At: s.now(), From: Service, Kind: in.Type, Text: in.Text["content"]})
	return refusal{0, "ok"}, true
}

func (s *Server) createMenu(a *account, body []byte) any {
	var in struct {
		Button []Button `json:"button"`
	}
	if json.Unmarshal(body, &in) != nil || len(in.Button) == 0 || len(in.Button) > 3 {
		return refusal{40016, "invalid button size"}
	}
	for _, b := range in.Button {
		if len(b.Sub) > 5 || b.Name == "" || len(b.Name) > 16 || len(b.Sub) == 0 && !b.works() {
			return refusal{40018, "invalid button"}
		}
		for _, sub := range b.Sub {
			if sub.Name == "" || len(sub.Name) > 60 || !sub.works() {
				return refusal{40018, "invalid sub button"}
			}
		}
	}
	a.menu = in.Button
	return refusal{0, "ok"}
}

func (b Button) works() bool {
	switch b.Type {
	case "click":
		return b.Key != "" && len(b.Key) <= 128
	case "view":
		return strings.Contains(b.URL, "://") && len(b.URL) <= 1024
	case "miniprogram":
		return b.App != "" && b.Page != "" && b.URL != ""
	}
	return false
}

func (s *Server) upload(r *http.Request, body []byte) any {
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	f, head, err := r.FormFile("media")
	if err != nil || r.URL.Query().Get("type") != "image" {
		return refusal{41005, "media data missing"}
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil || len(b) == 0 || len(b) > wechat.MostMedia || http.DetectContentType(b) != head.Header.Get("Content-Type") {
		return refusal{40009, "invalid image"}
	}
	id := random(16)
	s.media[id] = media{head.Header.Get("Content-Type"), b}
	return map[string]any{"type": "image", "media_id": id, "created_at": s.now().Unix()}
}
