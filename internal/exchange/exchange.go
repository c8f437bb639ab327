// Package exchange passes tickets to and fro between the centre and the platforms above and beside it: 12345, the
// province's platform, the city's 城市运行管理服务平台. A resident who rang 12345 is helped as if they had rung here, and
// what the heating centre cannot settle goes where it belongs, with both numbers on it.
//
// One contract (docs/exchange.md) serves both directions. A ticket belongs to the side that opened it, the asker (交办方);
// the other is the doer (承办方). Either side numbers its own messages about a ticket from 1 without gaps.
//
// Invariants: a message is one act of one side on one ticket, and its number never means anything else; a message that is
// taken is taken once however often it comes; what comes out of turn waits until the gap closes; what we say is written
// down in the transaction of the act that says it and leaves in order, until the other side took it or staff decided; a
// refusal is never retried by itself and never forgotten; names and telephones are sealed under the caller's own key.
package exchange

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Kind is what sort of platform it is. Its name on the screen is "platform_kind.<name>".
type Kind string

// The kinds.
const (
	Hotline  Kind = "hotline"  // 12345政务服务便民热线
	Province Kind = "province" // 省级平台
	City     Kind = "city"     // 城市运行管理服务平台
)

// Kinds lists the kinds in the order of the form.
func Kinds() []Kind { return []Kind{Hotline, Province, City} }

// Channel is the channel of the cases that come from such a platform.
func (k Kind) Channel() cases.Channel {
	if k == City {
		return cases.Platform
	}
	return cases.Hotline
}

// Side is one of the two that exchange tickets. Its name on the screen is "exchange_side.<name>".
type Side string

// The sides.
const (
	Theirs Side = "platform" // the platform
	Ours   Side = "centre"   // this installation
)

// Way is the direction of a message. Its name on the screen is "exchange_way.<name>".
type Way string

// The ways.
const (
	In  Way = "in"
	Out Way = "out"
)

// Platform is one that tickets are exchanged with.
type Platform struct {
	City          int           `db:"city_id" json:"-"`
	Code          string        `db:"code" json:"code"`
	Name          string        `db:"name" json:"name"`
	Kind          Kind          `db:"kind" json:"kind"`
	URL           string        `db:"url" json:"url"`         // address under which it takes messages
	Account       string        `db:"account" json:"account"` // name in the signatures, both ways
	Sealed        string        `db:"secret" json:"-"`
	ReturnMinutes int           `db:"return_minutes" json:"return_minutes"` // 退回时限 from dispatch; 0: none agreed
	GapMinutes    int           `db:"gap_minutes" json:"gap_minutes"`       // how long a message waits for one before it
	Active        bool          `db:"active" json:"active"`
	OKAt          civil.Instant `db:"ok_at" json:"ok_at,omitzero"`
	FailedAt      civil.Instant `db:"failed_at" json:"failed_at,omitzero"` // since when it has not answered; absent: it answers
	Failure       string        `db:"failure" json:"failure,omitempty"`
	HeardAt       civil.Instant `db:"heard_at" json:"heard_at,omitzero"` // its last message
	Created       civil.Instant `db:"created_at" json:"created_at"`
	Version       int64         `db:"version" json:"version"`
}

// Ticket is one matter as it stands between the two sides.
type Ticket struct {
	City       int           `db:"city_id" json:"-"`
	ID         string        `db:"id" json:"id"`
	Platform   string        `db:"platform" json:"platform"`
	No         string        `db:"no" json:"ticket"` // number given by who opened it
	OpenedBy   Side          `db:"opened_by" json:"opened_by"`
	PeerNo     string        `db:"peer_no" json:"peer_no,omitempty"` // number given by the other side
	Case       string        `db:"case_id" json:"case,omitempty"`
	CaseNo     string        `db:"case_no" json:"case_no,omitempty"`
	Status     Status        `db:"status" json:"status"`
	Part       Part          `db:"part" json:"part"`
	Seat       string        `db:"seat" json:"seat,omitempty"` // 驻场 seat that it was given to
	Title      string        `db:"title" json:"title"`         // what it is about, in few words, masked
	District   string        `db:"district" json:"district,omitempty"`
	Company    string        `db:"company" json:"company,omitempty"`
	Person     string        `db:"person" json:"-"`
	OpenedAt   civil.Instant `db:"opened_at" json:"opened_at"`
	AcceptBy   civil.Instant `db:"accept_by" json:"accept_by,omitzero"`
	ReplyBy    civil.Instant `db:"reply_by" json:"reply_by,omitzero"`
	ReturnBy   civil.Instant `db:"return_by" json:"return_by,omitzero"`
	Taken      int64         `db:"taken_seq" json:"taken"` // number of their last message that was taken
	Said       int64         `db:"said_seq" json:"said"`   // number of our last message
	GapSince   civil.Instant `db:"gap_since" json:"gap_since,omitzero"`
	AskedAgain civil.Instant `db:"asked_again" json:"asked_again,omitzero"` // when the missing message was last asked for
	Attention  string        `db:"attention" json:"attention,omitempty"`    // catalogue key: why staff must look
	Lease      int64         `db:"lease" json:"-"`                          // machine time until which a sender holds it
	UpdatedAt  civil.Instant `db:"updated_at" json:"updated_at"`
	Version    int64         `db:"version" json:"version"`
}

// Subject is the ticket's audit chain.
func (t Ticket) Subject() string { return "exchange:" + t.ID }

// Role is which part we have in a ticket.
func (t Ticket) Role(side Side) Role {
	if t.OpenedBy == side {
		return Asker
	}
	return Doer
}

// Part is how a ticket was given to us. Its name on the screen is "exchange_part.<name>".
type Part string

// The parts.
const (
	First      Part = "first"      // 首派
	Additional Part = "additional" // 加派
)

// Message is one act of one side on one ticket: the contract.
type Message struct {
	Ticket      string        `json:"ticket"`    // number given by the side that opened the ticket
	OpenedBy    Side          `json:"opened_by"` // which side that is
	PeerNo      string        `json:"peer_no,omitempty"`
	Seq         int64         `json:"seq"` // counted by the sender for each ticket, from 1, without gaps
	Event       Event         `json:"event"`
	At          civil.Instant `json:"at"`
	Text        string        `json:"text,omitempty"`    // reason, answer, word
	Until       civil.Instant `json:"until,omitzero"`    // new end asked for; by when to reply to a supervision order
	Number      string        `json:"number,omitempty"`  // of a supervision order
	What        string        `json:"what,omitempty"`    // of an exclusion: overdue, dissatisfied, unsolved, rework
	Answers     int64         `json:"answers,omitempty"` // seq of the message of the other side that this one decides or answers
	Reached     string        `json:"reached,omitempty"` // of a call-back: yes, no
	Solved      string        `json:"solved,omitempty"`
	Satisfied   string        `json:"satisfied,omitempty"`
	Details     *Details      `json:"details,omitempty"` // of the first message
	Attachments []Attachment  `json:"attachments,omitempty"`
}

// Details are what a dispatch says about the matter.
type Details struct {
	Part       Part          `json:"part,omitempty"` // empty: first
	Text       string        `json:"text"`           // 诉求内容
	ReceivedAt civil.Instant `json:"received_at"`    // first contact anywhere: the resident's time runs from here
	Caller     cases.Party   `json:"caller"`
	Address    string        `json:"address,omitempty"`
	Category   string        `json:"category,omitempty"` // code or name; one that is not known here is classified by the words
	Nature     string        `json:"nature,omitempty"`   // 诉求性质, code or Chinese word
	Level      string        `json:"level,omitempty"`    // normal, urgent, critical; 一般, 紧急, 特急
	Secret     bool          `json:"secret,omitempty"`   // 保密
	AcceptBy   civil.Instant `json:"accept_by,omitzero"`
	ReplyBy    civil.Instant `json:"reply_by,omitzero"`
	Seat       string        `json:"seat,omitempty"` // 驻场 seat
}

// Attachment is a file by reference: whoever gets it fetches the bytes, from the address if there is one, else from the
// program of the side that names it, and checks that they are what is said here.
type Attachment struct {
	Name      string `json:"name"`
	MediaType string `json:"media_type"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`
	URL       string `json:"url,omitempty"`
}

// Bounds of a message.
const (
	mostText        = 4000
	mostAttachments = 20
	mostSize        = 50 << 20
	skew            = 5 * time.Minute
	oldest          = 400 * 24 * time.Hour
)

var (
	numberShape = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}_./()（）〔〕-]{0,63}$`)
	hashShape   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Check collects what is wrong with a message by itself.
func (m Message) Check(now civil.Instant) error {
	var c fault.Check
	c.That(numberShape.MatchString(m.Ticket), "ticket", "exchange.bad_number")
	c.That(m.PeerNo == "" || numberShape.MatchString(m.PeerNo), "peer_no", "exchange.bad_number")
	among(&c, "opened_by", string(m.OpenedBy), string(Theirs), string(Ours))
	c.That(m.Seq >= 1, "seq", "field.out_of_range", "min", 1, "max", "2^63-1")
	among(&c, "event", string(m.Event), words(Events())...)
	c.That(!m.At.IsZero(), "at", "field.required")
	c.That(!m.At.After(now.Add(skew)), "at", "case.in_future")
	c.That(m.At.IsZero() || now.Sub(m.At) < oldest, "at", "case.too_old")
	m.checkWords(&c)
	for _, f := range needs[m.Event] {
		c.That(m.has(f), f, "field.required")
	}
	if m.Event == CallBack && m.Reached == "yes" {
		c.That(m.Solved != "", "solved", "field.required")
	}
	if m.Details != nil {
		c.That(m.Event == Dispatch, "details", "exchange.no_details")
		m.Details.check(&c, now)
	}
	m.checkAttachments(&c)
	return c.Err()
}

func (m Message) checkWords(c *fault.Check) {
	c.That(utf8.RuneCountInString(m.Text) <= mostText, "text", "field.too_long", "max", mostText)
	c.That(utf8.RuneCountInString(m.Number) <= 100, "number", "field.too_long", "max", 100)
	if m.What != "" {
		among(c, "what", m.What, "overdue", "dissatisfied", "unsolved", "rework")
	}
	for name, v := range map[string]string{"reached": m.Reached, "solved": m.Solved, "satisfied": m.Satisfied} {
		if v != "" {
			among(c, name, v, "yes", "no")
		}
	}
	c.That(m.Answers >= 0, "answers", "field.out_of_range", "min", 0, "max", "2^63-1")
}

func (m Message) checkAttachments(c *fault.Check) {
	c.That(len(m.Attachments) <= mostAttachments, "attachments", "exchange.too_many_files", "max", mostAttachments)
	for i, a := range m.Attachments {
		at := "attachments." + strconv.Itoa(i) + "."
		c.That(a.Name != "" && utf8.RuneCountInString(a.Name) <= 200, at+"name", "field.required")
		c.That(strings.Contains(a.MediaType, "/"), at+"media_type", "field.required")
		c.That(a.Size > 0 && a.Size <= mostSize, at+"size", "field.out_of_range", "min", 1, "max", mostSize)
		c.That(hashShape.MatchString(a.SHA256), at+"sha256", "exchange.bad_hash")
		c.That(a.URL == "" || isFileURL(a.URL), at+"url", "exchange.bad_file_url")
	}
}

// has reports whether a field that an event needs is there.
func (m Message) has(field string) bool {
	switch field {
	case "text":
		return strings.TrimSpace(m.Text) != ""
	case "until":
		return !m.Until.IsZero()
	case "what":
		return m.What != ""
	case "answers":
		return m.Answers > 0
	case "reached":
		return m.Reached != ""
	case "number":
		return m.Number != ""
	}
	return m.Details != nil
}

func (d Details) check(c *fault.Check, now civil.Instant) {
	c.That(strings.TrimSpace(d.Text) != "", "details.text", "field.required")
	c.That(utf8.RuneCountInString(d.Text) <= mostText, "details.text", "field.too_long", "max", mostText)
	c.That(!d.ReceivedAt.IsZero(), "details.received_at", "field.required")
	c.That(!d.ReceivedAt.After(now.Add(skew)), "details.received_at", "case.in_future")
	if d.Part != "" {
		among(c, "details.part", string(d.Part), string(First), string(Additional))
	}
	c.That(d.Caller.Phone == "" || cases.IsPhone(d.Caller.Phone), "details.caller.phone", "case.bad_phone")
	c.That(d.Nature == "" || natureOf(d.Nature) != "", "details.nature", "field.not_one_of", "allowed", strings.Join(natureWords(), ", "))
	c.That(d.Level == "" || levelOf(d.Level) != "", "details.level", "field.not_one_of", "allowed", "normal, urgent, critical, 一般, 紧急, 特急")
	c.That(utf8.RuneCountInString(d.Seat) <= 100, "details.seat", "field.too_long", "max", 100)
}

// Hash is the fingerprint by which the same number with another content is told.
func (m Message) Hash() string {
	b, err := json.Marshal(m)
	if err != nil {
		return "" // every field is plain
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func among(c *fault.Check, name, v string, allowed ...string) {
	c.That(slices.Contains(allowed, v), name, "field.not_one_of", "allowed", strings.Join(allowed, ", "))
}

func words[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}
