package cases

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Origin is what stands behind a matter that came on paper or in person: the visit, the letter, the enquiry of the press,
// the leader's instruction. Which of its fields must be there depends on the channel.
type Origin struct {
	No       string        `json:"no,omitempty" form:"no"`             // number drawn at the counter, 收文号, number of the instruction
	Dated    civil.Date    `json:"dated,omitzero" form:"dated"`        // of the letter or the instruction; day of publication
	From     string        `json:"from,omitempty" form:"from"`         // the outlet; who signed the instruction, by title; the unit that wrote
	Office   string        `json:"office,omitempty" form:"office"`     // that sent the instruction and is told the result
	Text     string        `json:"text,omitempty" form:"text"`         // wording of the instruction
	Due      civil.Instant `json:"due_at,omitzero" form:"due_at"`      // deadline of the instruction or of the enquiry
	Link     string        `json:"link,omitempty" form:"link"`         // where it was published; never fetched
	Answerer string        `json:"answerer,omitempty" form:"answerer"` // who answers the press
	Brought  string        `json:"brought,omitempty" form:"brought"`   // what the visitor brought along
	Contact  Party         `json:"contact,omitzero" form:"contact"`    // the journalist
}

// Recorded is an origin as it is kept: the journalist sealed, and masked where they are shown.
type Recorded struct {
	City          int           `db:"city_id" json:"-"`
	Case          string        `db:"case_id" json:"-"`
	Channel       Channel       `db:"channel" json:"channel"`
	No            string        `db:"no" json:"no,omitempty"`
	Key           string        `db:"number_key" json:"-"`
	Dated         civil.Date    `db:"dated" json:"dated,omitzero"`
	From          string        `db:"source" json:"from,omitempty"`
	Office        string        `db:"office" json:"office,omitempty"`
	Text          string        `db:"text" json:"text,omitempty"`
	Due           civil.Instant `db:"due_at" json:"due_at,omitzero"`
	Link          string        `db:"link" json:"link,omitempty"`
	Answerer      string        `db:"answerer" json:"answerer,omitempty"`
	Brought       string        `db:"brought" json:"brought,omitempty"`
	ContactID     string        `db:"contact_id" json:"-"`
	ContactName   string        `db:"contact_name" json:"contact_name,omitempty"`
	ContactPhone  string        `db:"contact_phone" json:"contact_phone,omitempty"`
	ContactSealed string        `db:"contact_sealed" json:"-"`
}

// WrittenChannels are the channels that have a form of their own, in the order of their tabs.
func WrittenChannels() []Channel { return []Channel{Counter, Letter, Leader, Media} }

// originNeeds are the fields that an origin cannot do without.
var originNeeds = map[Channel][]string{
	Counter: nil, Letter: {"no"}, Leader: {"no", "dated", "from", "office", "text"}, Media: {"from", "answerer"},
}

func (g *Origin) trim() {
	for _, s := range []*string{&g.No, &g.From, &g.Office, &g.Text, &g.Link, &g.Answerer, &g.Brought, &g.Contact.Name, &g.Contact.Phone} {
		*s = strings.TrimSpace(*s)
	}
}

// originOf reports whether a channel brings an origin along.
func originOf(ch Channel) bool { return slices.Contains(WrittenChannels(), ch) }

// onPaper reports whether the matter lay on paper before somebody recorded it: it was received when it was received, and
// what it does not say cannot be asked.
func onPaper(ch Channel) bool { return ch == Letter || ch == Leader || ch == Media }

// checkOrigin refuses what no letter, visit, enquiry or instruction can say. At the seat these channels have forms of
// their own, so what a form asks for must be there; other doors may leave the origin out altogether.
func (o Opening) checkOrigin(c *fault.Check, now civil.Instant) {
	g, ch := o.Origin, channel(o)
	if !originOf(ch) {
		c.That(g == (Origin{}), "origin", "case.origin.channel")
		return
	}
	if g == (Origin{}) && o.Door != citypack.DoorSeat && o.Door != citypack.DoorCounter {
		return
	}
	for _, f := range originNeeds[ch] {
		c.That(g.has(f), "origin."+f, "field.required")
	}
	c.That(ch != Leader || o.Answer == "", "answer", "case.origin.no_direct_answer")
	for name, s := range map[string]string{
		"no": g.No, "from": g.From, "office": g.Office, "answerer": g.Answerer, "brought": g.Brought, "contact.name": g.Contact.Name,
	} {
		c.That(utf8.RuneCountInString(s) <= maxWord, "origin."+name, "field.too_long", "max", maxWord)
	}
	c.That(utf8.RuneCountInString(g.Text) <= MaxText, "origin.text", "field.too_long", "max", MaxText)
	c.That(g.Contact.Phone == "" || IsPhone(g.Contact.Phone), "origin.contact.phone", "case.bad_phone")
	c.That(g.Link == "" || isLink(g.Link), "origin.link", "case.origin.bad_link")
	received := o.ReceivedAt
	if received.IsZero() {
		received = now
	}
	c.That(g.Dated.IsZero() || !g.Dated.After(received.Date()), "origin.dated", "case.origin.after_receipt")
	c.That(g.Due.IsZero() || g.Due.After(received), "origin.due_at", "case.origin.due_before_receipt")
}

func (g Origin) has(field string) bool {
	switch field {
	case "no":
		return g.No != ""
	case "dated":
		return !g.Dated.IsZero()
	case "from":
		return g.From != ""
	case "office":
		return g.Office != ""
	case "text":
		return g.Text != ""
	case "answerer":
		return g.Answerer != ""
	}
	return false
}

func isLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && len(s) <= 1000
}

// numberKey is what must not be there twice: the number in the register of letters of a year, or the number of an
// instruction of a year. Brackets are written in many ways, and mean the same. Visits draw the same numbers every day.
func (g Origin) numberKey(ch Channel, received civil.Instant) string {
	if g.No == "" || ch != Letter && ch != Leader {
		return ""
	}
	year := received.Date().Year
	if ch == Leader && !g.Dated.IsZero() {
		year = g.Dated.Year
	}
	return yearKey(ch, year, g.No)
}

func yearKey(ch Channel, year int, no string) string {
	return string(ch) + "/" + strconv.Itoa(year) + "/" + plainNumber(no)
}

// plainNumber brings a number into one spelling.
func plainNumber(s string) string {
	s = strings.NewReplacer("〔", "[", "〕", "]", "【", "[", "】", "]", "(", "[", ")", "]", "{", "[", "}", "]").Replace(norm.NFKC.String(s))
	return strings.ToUpper(strings.Join(strings.Fields(s), ""))
}

// ReplyKind is to whom something went back about a case. Its name on the screen is "reply.<name>".
type ReplyKind string

// The kinds.
const (
	Report      ReplyKind = "report" // 报结: to the office that sent the instruction
	LetterReply ReplyKind = "letter" // 书面答复: to who wrote
	PressReply  ReplyKind = "press"  // 媒体答复
)

// replyOf is what goes back about a matter of a channel; empty when it is told, not written.
func replyOf(ch Channel) ReplyKind {
	switch ch {
	case Leader:
		return Report
	case Letter:
		return LetterReply
	case Media:
		return PressReply
	case Phone, WeChat, Weibo, Web, Opinion, Hotline, CompanyIn, Platform, Counter, Patrol, Mail, OpenAPI, Other:
	}
	return ""
}

// replyClock is the clock that an answer in writing ends.
func replyClock(ch Channel) string {
	if ch == Leader {
		return citypack.ClockInstruction
	}
	return citypack.ClockEnquiry
}

// ReplyKind is what must or may be sent back about the case; empty when nothing is.
func (c Case) ReplyKind() ReplyKind { return replyOf(c.Channel) }

// Ways lists how a reply may be sent. Their names on the screen are "reply_way.<name>".
func Ways() []string { return []string{"official", "post", "hand", "mail", "phone"} }

// Reply is one thing that was sent back: it is never changed, a correction is a new one.
type Reply struct {
	City   int           `db:"city_id" json:"-"`
	ID     string        `db:"id" json:"id"`
	Case   string        `db:"case_id" json:"case"`
	Kind   ReplyKind     `db:"kind" json:"kind"`
	No     string        `db:"no" json:"no,omitempty"` // its own number in the register of outgoing papers
	To     string        `db:"to_whom" json:"to"`
	Signer string        `db:"signer" json:"signer,omitempty"`
	Way    string        `db:"way" json:"way"`
	Text   string        `db:"text" json:"text"`
	SentAt civil.Instant `db:"sent_at" json:"sent_at"`
	KeptAt civil.Instant `db:"kept_at" json:"kept_at"`
	By     string        `db:"by_id" json:"-"` // a member of staff; never shown to residents
}

// Replying is the input of SendReply: what was sent back, to whom, how and when.
type Replying struct {
	Act
	No     string        `json:"no" form:"no"`
	To     string        `json:"to" form:"to"` // empty: the office of the instruction, the outlet, or the caller
	Signer string        `json:"signer" form:"signer"`
	Way    string        `json:"way" form:"way"`
	Text   string        `json:"text" form:"text"`
	SentAt civil.Instant `json:"sent_at" form:"sent_at"` // zero: now
}

func (in *Replying) check(c Case, now civil.Instant) error {
	for _, s := range []*string{&in.No, &in.To, &in.Signer, &in.Text} {
		*s = strings.TrimSpace(*s)
	}
	var check fault.Check
	oneOf(&check, "way", in.Way, Ways())
	check.That(in.Way != "", "way", "field.required")
	check.That(in.Text != "", "text", "field.required")
	check.That(utf8.RuneCountInString(in.Text) <= MaxText, "text", "field.too_long", "max", MaxText)
	check.That(c.Channel != Leader || in.Signer != "", "signer", "field.required")
	for name, s := range map[string]string{"no": in.No, "to": in.To, "signer": in.Signer} {
		check.That(utf8.RuneCountInString(s) <= maxWord, name, "field.too_long", "max", maxWord)
	}
	check.That(!in.SentAt.After(now.Add(futureSlack)), "sent_at", "case.in_future")
	check.That(in.SentAt.IsZero() || in.SentAt >= c.ReceivedAt, "sent_at", "case.origin.sent_before")
	return check.Err()
}
