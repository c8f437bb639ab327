package channel

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Reply is an answer as kept.
type Reply struct {
	City      int           `db:"city_id" json:"city"`
	ID        string        `db:"id" json:"id"`
	Message   string        `db:"message_id" json:"message"`
	Channel   cases.Channel `db:"channel" json:"channel"`
	Account   string        `db:"account" json:"account"`
	Public    bool          `db:"public" json:"public"`
	Key       string        `db:"key" json:"key"`
	Text      string        `db:"text" json:"text"`
	Case      string        `db:"case_id" json:"case,omitempty"`
	Clue      string        `db:"clue_id" json:"clue,omitempty"`
	State     State         `db:"state" json:"state"`
	Reason    string        `db:"reason" json:"reason,omitempty"` // catalogue key
	Attempts  int           `db:"attempts" json:"attempts"`
	Unsure    bool          `db:"unsure" json:"unsure,omitempty"` // an attempt may have been taken
	GatewayID string        `db:"gateway_id" json:"gateway_id,omitempty"`
	By        string        `db:"created_by" json:"-"`
	ByName    string        `db:"created_name" json:"by"`
	Created   civil.Instant `db:"created_at" json:"created_at"`
	SentAt    civil.Instant `db:"sent_at" json:"sent_at,omitzero"`
	Version   int64         `db:"version" json:"version"`
}

// Answering is the input of ReplyIn.
type Answering struct {
	City    int
	Message string // the message that is answered
	Text    string
	Key     string   // names the occasion: the same key answers once. Empty: the text itself
	Case    string   //
	Clue    string   //
	Known   []string // personal words of the matter (name, telephone, address to the room) that a public answer must not hold
}

// MaxReply is the length of an answer in characters; a channel may want less and then says so itself.
const MaxReply = 2000

var (
	homeShape = regexp.MustCompile(`[0-9０-９一二三四五六七八九十]+\s*(?:单元|門|门)\s*[0-9０-９一二三四五六七八九十]+\s*(?:室|号|户)?|[0-9０-９]+\s*[-－—]\s*[0-9０-９]+\s*[-－—]\s*[0-9０-９]{3,4}`)
	roomShape = regexp.MustCompile(`(?:号楼|栋|幢|楼)\s*[0-9０-９一二三四五六七八九十]*\s*(?:单元)?\s*[0-9０-９]{3,4}\s*室?`)
	salute    = regexp.MustCompile(`(?:户主|业主|用户|联系人|姓名)[:： ]*\p{Han}{2,4}(?:先生|女士)?`)
)

// Personal finds what a public text must not hold: a mobile or ID number, a home to its room, a name given as such, or one
// of the words that are known to be personal. The answer is a catalogue key, empty when nothing was found.
func Personal(s string, known []string) string {
	masked := secret.MaskText(s)
	if masked != s && holdsPrivateNumber(s, masked) {
		return "channel.personal.number"
	}
	if homeShape.MatchString(s) || roomShape.MatchString(s) {
		return "channel.personal.home"
	}
	if salute.MatchString(s) {
		return "channel.personal.name"
	}
	flat := strings.Join(strings.Fields(s), "")
	for _, k := range known {
		if k = strings.Join(strings.Fields(k), ""); utf8.RuneCountInString(k) >= 2 && strings.Contains(flat, k) {
			return "channel.personal.known"
		}
	}
	return ""
}

// holdsPrivateNumber tells a mobile or ID number from a landline, which a company's duty desk may well be.
func holdsPrivateNumber(s, masked string) bool {
	from, runs := []rune(s), []rune(masked)
	for i := 0; i < len(runs) && i < len(from); i++ {
		if runs[i] == from[i] {
			continue
		}
		lo, hi := i, i
		for lo > 0 && numberRune(from[lo-1]) {
			lo--
		}
		for hi < len(from) && numberRune(from[hi]) {
			hi++
		}
		if !secret.IsLandline(secret.NormalPhone(string(from[lo:hi]))) {
			return true
		}
		i = hi
	}
	return false
}

func numberRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= '０' && r <= '９' || strings.ContainsRune("-－–— ()（）xX", r)
}

func (a *Answering) check(public bool) error {
	a.Text = clean(a.Text)
	var c fault.Check
	c.That(a.Text != "", "text", "field.required")
	c.That(utf8.RuneCountInString(a.Text) <= MaxReply, "text", "field.too_long", "max", MaxReply)
	if public {
		why := Personal(a.Text, a.Known)
		c.That(why == "", "text", why)
	}
	return c.Err()
}
