// Package wechat is the city's door in WeChat: the official account that residents write to, and the mini program in which
// they report, follow and rate. Whoever writes 家里不热 is led through three questions to a case; whoever writes 进度 reads
// how far it has come; a picture joins the case that it belongs to; what no rule understands a seat answers.
//
// Nothing is believed that is not signed: a message whose signature, time, key or account does not fit is refused and
// changes nothing. Every message counts once, however often WeChat pushes it, and is answered the same each time within the
// five seconds that WeChat waits; whatever takes longer is done by a job. A message to a resident needs a template that the
// city registered and, in the mini program, the resident's consent: one consent is one message and is spent exactly once.
// When an answer of WeChat is lost, its own report decides whether the message left. The secrets of an account come from the
// environment, its access token is kept sealed and renewed by one process at a time. Openids are sealed as telephones are.
package wechat

import (
	"regexp"
	"time"

	"github.com/rehu-heat/rehu/internal/geo"
)

// App is the kind of an account.
type App string

// The kinds of accounts.
const (
	Official App = "official" // 服务号
	Mini     App = "mini"     // 小程序
)

// Kind is what a pushed message is.
type Kind string

// The kinds of messages and events; everything else is Other.
const (
	Text        Kind = "text"
	Image       Kind = "image"
	Voice       Kind = "voice"
	Location    Kind = "location"
	Subscribe   Kind = "subscribe"   // 关注
	Unsubscribe Kind = "unsubscribe" // 取消关注
	Menu        Kind = "menu"        // a tap on a button of the menu
	Sent        Kind = "sent"        // WeChat reports how a template or subscription message went
	Consents    Kind = "consents"    // somebody allowed or refused subscription messages
	Other       Kind = "other"
)

// Window is how far the clocks of WeChat and of the server may be apart; older pushes are refused.
const Window = 5 * time.Minute

// Patience is how long WeChat waits for an answer before it pushes a message again.
const Patience = 5 * time.Second

// Inbound is a pushed message or event, decrypted and checked.
type Inbound struct {
	Key        string // one for each message: of its id, or of sender, time and event
	App        string // app id of the account
	To         string // how WeChat addresses it
	OpenID     string
	Kind       Kind
	At         time.Time // as WeChat says
	Text       string    // text, recognised speech, key of a menu button
	Media      string    // media id of a picture or a recording
	Format     string    // of a recording: amr, speex
	Point      *geo.Point
	Label      string // address that goes with a location
	Scene      string // of a subscription: the QR code's parameter
	Outcome    *Outcome
	Allowances []Allowance
}

// Outcome is WeChat's report on a message that it took.
type Outcome struct {
	Message   string // WeChat's id of it
	Template  string // template id; subscription messages only
	Delivered bool
	Why       string
}

// Allowance is a resident's word on one subscription template.
type Allowance struct {
	Template string
	Accepted bool
	Popup    bool // said in the window that asks; false: changed later in the settings
}

var appID = regexp.MustCompile(`^wx[0-9a-zA-Z]{8,30}$`)

// IsAppID reports whether a text can be the id of an account.
func IsAppID(s string) bool { return appID.MatchString(s) }

var openID = regexp.MustCompile(`^[0-9A-Za-z_-]{6,64}$`)
