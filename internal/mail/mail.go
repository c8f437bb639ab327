// Package mail is the city's letter box on the Internet: what residents write to it is read and becomes a word on their case
// or a clue, and what the city tells them goes out as a letter that their post office, and a tired reader, can make sense of.
//
// A letter is taken from the mailbox once, whatever happens to the connection, to this program or to the numbers of the
// mailbox, and stays there as it was: the mailbox is only looked at. Nothing in a letter is believed: how deep it is
// nested, how many parts it has, which characters it says it is written in, and what its files say they are. An answer to a
// letter of ours stands on its case only when it comes from the address that we wrote to. Machines are never answered. A
// letter of ours has an id that stays the same however often it is tried, so that a repeat is known as one.
package mail

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Bounds of what is read of a letter.
const (
	MaxLetter = 20 << 20 // a longer one is read to headBytes and says so
	headBytes = 512 << 10
	maxText   = 64 << 10 // of decoded text
	maxDepth  = 8
	maxParts  = 100
	maxFiles  = 20
	maxRefs   = 20
	maxLine   = 300 // of a subject or a name, in characters
)

// Machine is by what a letter was written, when by no person. Its name on the screen is "mail.machine.<name>".
type Machine string

// The machines.
const (
	Person    Machine = ""
	AutoReply Machine = "auto_reply" // out of office, received with thanks
	Bulk      Machine = "bulk"       // a list, an advertisement
	Bounce    Machine = "bounce"     // a post office about a letter of ours
	Ourselves Machine = "ourselves"  // a letter of ours that came back: a loop
)

// Letter is a letter as read.
type Letter struct {
	ID      string // Message-ID, without brackets; may be empty, may be a lie
	Key     string // names the letter by what stands in it: the same however often it is delivered
	From    string // address in small letters
	Name    string
	Subject string
	Text    string
	Refs    []string // what it answers, the nearest first
	Machine Machine
	Failed  Failed // of a bounce
	Files   []File
	Odd     []string // catalogue keys: what could not be read
	Trusted bool     // false: the mailbox's own server says that the sender is forged
}

// File is an attachment as it came. Name and Type are what the sender says.
type File struct {
	Name  string
	Type  string
	Bytes []byte
}

// Failed is what a post office says about a letter of ours.
type Failed struct {
	ID     string // of our letter
	Action string // failed, delayed, delivered, relayed, expanded
	Status string // 5.1.1
}

// Kinds of letters of ours, as their ids name them.
const (
	ofNotice = "n"
	ofReply  = "r"
)

// ours reads the id of a letter of ours: n.CITY.NOTICE[.AGAIN]@domain or r.CITY.REPLY@domain.
var ours = regexp.MustCompile(`^([nr])\.(\d{6})\.([0-9a-f]{8}-[0-9a-f-]{27})((?:\.[0-9a-f]{8})?)@`)

// oursAnywhere finds such an id in the text of a bounce that follows no form.
var oursAnywhere = regexp.MustCompile(`\b[nr]\.\d{6}\.[0-9a-f]{8}-[0-9a-f-]{27}(?:\.[0-9a-f]{8})?@[A-Za-z0-9.-]+`)

// own is a letter of ours as its id names it.
type own struct {
	kind string
	city int
	id   string
	key  string // as the capability that sent it names it
}

func ownID(id string) (own, bool) {
	m := ours.FindStringSubmatch(id)
	if m == nil {
		return own{}, false
	}
	o := own{kind: m[1], id: m[3], key: m[2] + "." + m[3] + m[4]}
	_, err := fmt.Sscanf(m[2], "%d", &o.city)
	return o, err == nil
}

// messageID is the id of a letter of ours; domain is that of the sending address.
func messageID(kind, key, from string) string {
	_, domain, _ := strings.Cut(from, "@")
	return kind + "." + key + "@" + domain
}

// Names of what a credential of a mailbox holds; docs/mail.md describes them.
const (
	credSMTP     = "smtp" // smtps://host:465, or smtp://host:587 with STARTTLS
	credIMAP     = "imap" // imaps://host:993, or imap://host:143 with STARTTLS
	credUser     = "user"
	credPassword = "password"
	credFrom     = "from"   // address that letters come from
	credFolder   = "folder" // that is read; INBOX
	credSent     = "sent"   // folder in which the server keeps what it sent; empty: it keeps nothing
	credCA       = "ca"     // file with the certificates to trust besides the system's
	credServer   = "authserv"
)

// door is an address at a mail server.
type door struct {
	host, port string
	implicit   bool // TLS from the first byte; otherwise by STARTTLS, never without
}

func doorOf(c channel.Credential, name string, ports map[string]string) (door, error) {
	u, err := url.Parse(c[name])
	if err != nil || u.Hostname() == "" || ports[u.Scheme] == "" {
		return door{}, fault.New(fault.Conflict, "mail.reason.bad_address")
	}
	d := door{host: u.Hostname(), port: u.Port(), implicit: strings.HasSuffix(u.Scheme, "s")}
	if d.port == "" {
		d.port = ports[u.Scheme]
	}
	return d, nil
}

var (
	smtpPorts = map[string]string{"smtp": "587", "smtps": "465"}
	imapPorts = map[string]string{"imap": "143", "imaps": "993"}
)

// Extra words that the channel keeps with a letter.
const (
	ExtraMachine = "machine"
	ExtraFailed  = "failed" // id of our letter that a bounce is about
	ExtraAction  = "action"
	ExtraStatus  = "status"
	ExtraOdd     = "odd"    // catalogue keys, a space between
	ExtraForged  = "forged" // "1": the sender is not who they say
)

// Words of the handle, which is sealed.
const (
	handleID      = "message_id"
	handleRefs    = "refs"
	handleSubject = "subject"
)

// keyOf names a letter by its own words and not by the way it took.
func keyOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d\n%s\n", len(p), p)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)[:20])
}

// cursor is how far a mailbox was read: the numbers count only as long as the mailbox says that they do.
type cursor struct {
	validity, uid uint32
}

func parseCursor(s string) (cursor, bool) {
	var c cursor
	n, err := fmt.Sscanf(s, "%d:%d", &c.validity, &c.uid)
	return c, err == nil && n == 2
}

func (c cursor) String() string { return fmt.Sprintf("%d:%d", c.validity, c.uid) }

// Address is a resident's own address for letters.
type Address struct {
	City      int           `db:"city_id" json:"city"`
	Person    string        `db:"person" json:"-"`
	Sealed    string        `db:"address" json:"-"`
	Blind     string        `db:"blind" json:"-"`
	State     State         `db:"state" json:"state"`
	Code      string        `db:"code" json:"-"` // hash of the code that was sent
	Tries     int           `db:"tries" json:"-"`
	Expires   civil.Instant `db:"expires_at" json:"-"`
	AskedAt   civil.Instant `db:"asked_at" json:"asked_at"`
	Confirmed civil.Instant `db:"confirmed_at" json:"confirmed_at,omitzero"`
	Version   int64         `db:"version" json:"version"`
}

// State is whether an address was confirmed.
type State string

// The states.
const (
	Asked State = "asked" // a code was sent to it
	Kept  State = "kept"  // its owner gave the code back
)

var addressShape = regexp.MustCompile(`^[a-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$`)

// NormalAddress is an address in the one spelling by which it is found again; empty when it is none.
func NormalAddress(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) > 254 || !addressShape.MatchString(s) || strings.Contains(s, "..") {
		return ""
	}
	return s
}
