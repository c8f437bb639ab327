// Package wechatfake is a WeChat that sends nothing and checks everything: tokens, openids, templates with the length and kind of
// every keyword, consents, the menu's bounds, media. It pushes signed and encrypted messages of residents to the
// installation and reads the answers, can lose an answer after it accepted a request, push a message twice or late, and end
// tokens. Tests and the demonstration city talk to it as to the real one.
package wechatfake

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/wechat"
)

// Account is an official account or a mini program as WeChat knows it.
type Account struct {
	App       wechat.App
	ID        string
	Original  string
	Secret    string
	Token     string
	AESKey    string
	Templates map[string][]string // template id → its keywords
	Server    string              // address of the installation that messages are pushed to
}

// Card is a message as it stands on a resident's screen.
type Card struct {
	At       time.Time
	From     string // "resident", "account", "service" (answers of customer service), "template", "subscribe"
	Kind     string // text, image, voice, location, event, template
	Text     string
	Template string
	Data     map[string]string
	Link     string
	Page     string
}

// The senders of cards.
const (
	Resident  = "resident"
	Passive   = "account"
	Service   = "service"
	Template  = "template"
	Subscribe = "subscribe"
)

// user is a resident in WeChat, for one account.
type user struct {
	follows  bool
	written  time.Time      // last message; customer service may answer for 48 hours
	consents map[string]int // template id → messages allowed
	cards    []Card
}

type account struct {
	Account
	cipher  *wechat.Cipher
	tokens  map[string]time.Time // token → end
	current string
	users   map[string]*user
	codes   map[string]string // of wx.login → openid; used once
	menu    []Button
	byKey   map[string]string // openid and client_msg_id → message id
}

// Button is an entry of the menu as it was created.
type Button struct {
	Name string   `json:"name"`
	Type string   `json:"type"`
	Key  string   `json:"key"`
	URL  string   `json:"url"`
	App  string   `json:"appid"`
	Page string   `json:"pagepath"`
	Sub  []Button `json:"sub_button"`
}

type media struct {
	kind string
	body []byte
}

// Server is the fake; serve it over HTTP.
type Server struct {
	now    func() time.Time
	client *http.Client

	mu       sync.Mutex
	accounts map[string]*account
	media    map[string]media
	lose     int // answers to lose after accepting
	busy     int // requests to turn away
	granted  int // tokens given
	forced   int
	last     int64
	faults   []string
	pending  []report
}

// report is an event about a message, pushed when asked for.
type report struct {
	app, openid string
	body        string
}

// New makes a WeChat with accounts; now is machine time.
func New(now func() time.Time, all ...Account) (*Server, error) {
	s := &Server{
		now: now, client: &http.Client{Timeout: wechat.Patience}, accounts: map[string]*account{}, media: map[string]media{}, last: 2_200_000_000,
	}
	for _, a := range all {
		c, err := wechat.NewCipher(a.ID, a.AESKey)
		if err != nil {
			return nil, err
		}
		s.accounts[a.ID] = &account{
			Account: a, cipher: c, tokens: map[string]time.Time{}, users: map[string]*user{}, codes: map[string]string{}, byKey: map[string]string{},
		}
	}
	return s, nil
}

// Credential is what the environment of the installation holds for an account.
func (s *Server) Credential(app string) map[string]string {
	a := s.accounts[app]
	return map[string]string{wechat.CredentialSecret: a.Secret, wechat.CredentialToken: a.Token, wechat.CredentialAESKey: a.AESKey}
}

// PointTo says where an account's messages are pushed to.
func (s *Server) PointTo(app, address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[app].Server = address
}

// LoseAnswers accepts the next requests that send something and hangs up instead of answering.
func (s *Server) LoseAnswers(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose = n
}

// Busy answers the next requests with "system busy".
func (s *Server) Busy(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = n
}

// EndTokens makes every token that was given useless, as when somebody else refreshed it.
func (s *Server) EndTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		a.tokens, a.current = map[string]time.Time{}, ""
	}
}

// Granted counts the tokens that were given out anew, and how many of them by force.
func (s *Server) Granted() (all, forced int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.granted, s.forced
}

// Faults are the requests that the real WeChat would have refused, with the reason.
func (s *Server) Faults() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// Cards are what a resident sees of an account, oldest first.
func (s *Server) Cards(app, openid string) []Card {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.accounts[app].users[openid]; u != nil {
		return slices.Clone(u.cards)
	}
	return nil
}

// Follows reports whether a resident follows an account.
func (s *Server) Follows(app, openid string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.accounts[app].users[openid]
	return u != nil && u.follows
}

// Consents counts the messages of a template that a resident still allows.
func (s *Server) Consents(app, openid, template string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.accounts[app].users[openid]; u != nil {
		return u.consents[template]
	}
	return 0
}

// MenuOf is the custom menu of an account.
func (s *Server) MenuOf(app string) []Button {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.accounts[app].menu)
}

// PutMedia keeps a picture or a recording under a media id.
func (s *Server) PutMedia(kind string, body []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := random(16)
	s.media[id] = media{kind, body}
	return id
}

// Code is a code of wx.login for a resident, good once.
func (s *Server) Code(app, openid string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	code := random(16)
	s.accounts[app].codes[code] = openid
	s.accounts[app].of(openid)
	return code
}

// Allow is a resident's yes to subscription messages in the mini program's window.
func (s *Server) Allow(app, openid string, templates ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range templates {
		s.accounts[app].of(openid).consents[t]++
	}
}

func (a *account) of(openid string) *user {
	u := a.users[openid]
	if u == nil {
		u = &user{consents: map[string]int{}}
		a.users[openid] = u
	}
	return u
}

func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// AESKey makes the key of an account that nobody else has.
func AESKey() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return strings.TrimSuffix(base64.StdEncoding.EncodeToString(b), "=")
}

// NewAccount makes an account with secrets that nobody else has.
func NewAccount(app wechat.App, id string, templates map[string][]string) Account {
	return Account{
		App: app, ID: id, Original: "gh_" + id, Secret: random(16), Token: random(12), AESKey: AESKey(), Templates: maps.Clone(templates),
	}
}

func (s *Server) fault(format string, args ...any) {
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

func (s *Server) nextID() int64 {
	s.last++
	return s.last
}

func stamp(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
