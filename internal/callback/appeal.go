package callback

import (
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

// Reason is why a company wants an outcome not to be counted. Its name on the screen is "callback.reason.<name>".
type Reason string

// The reasons.
const (
	User        Reason = "user"        // 用户原因
	Misdirected Reason = "misdirected" // 错派
	Repeat      Reason = "repeat"      // 重复
	Force       Reason = "force"       // 不可抗力
	Untrue      Reason = "untrue"      // 不实
)

// Reasons lists the reasons.
func Reasons() []Reason { return []Reason{User, Misdirected, Repeat, Force, Untrue} }

// Appeal is a company's appeal against how an outcome is counted in one rate (申诉).
type Appeal struct {
	City      int           `db:"city_id" json:"-"`
	ID        string        `db:"id" json:"id"`
	Outcome   string        `db:"outcome_id" json:"outcome"`
	Day       civil.Date    `db:"day" json:"day"` // of the outcome
	Rate      Rate          `db:"rate" json:"rate"`
	Company   string        `db:"company" json:"company"`
	Reason    Reason        `db:"reason" json:"reason"`
	Words     string        `db:"words" json:"words"`
	Proof     string        `db:"proof" json:"proof"` // what shows it: a recording, a photo on the case, a paper's number
	State     AppealState   `db:"state" json:"state"`
	AskedAt   civil.Instant `db:"asked_at" json:"asked_at"`
	AskedBy   string        `db:"asked_by" json:"-"`
	DecidedAt civil.Instant `db:"decided_at" json:"decided_at,omitzero"`
	DecidedBy string        `db:"decided_by" json:"-"`
	Note      string        `db:"note" json:"note,omitempty"`
	Version   int64         `db:"version" json:"version"`
}

// AppealView is an appeal with the outcome that it is about.
type AppealView struct {
	Appeal
	About Outcome `json:"about"`
}

// AppealFilter narrows the list of appeals.
type AppealFilter struct {
	State   AppealState `json:"state" form:"state"`
	Rate    Rate        `json:"rate" form:"rate"`
	Company string      `json:"company" form:"company"`
	page.Request
}

func (f AppealFilter) check() error {
	var c fault.Check
	oneOf(&c, "state", f.State, Asked, Upheld, Refused)
	oneOf(&c, "rate", f.Rate, RatesAll()...)
	return c.Err()
}

// Appealing is the input of Appeal.
type Appealing struct {
	City    int    `json:"-" form:"-"`
	Outcome string `json:"outcome" form:"outcome"`
	Rate    Rate   `json:"rate" form:"rate"`
	Reason  Reason `json:"reason" form:"reason"`
	Words   string `json:"words" form:"words"`
	Proof   string `json:"proof" form:"proof"`
	Key     string `json:"-" form:"key"`
}

func (in *Appealing) check() error {
	var c fault.Check
	in.Words, in.Proof = strings.TrimSpace(in.Words), strings.TrimSpace(in.Proof)
	c.That(in.Rate != "", "rate", "field.required")
	c.That(in.Reason != "", "reason", "field.required")
	oneOf(&c, "rate", in.Rate, RatesAll()...)
	oneOf(&c, "reason", in.Reason, Reasons()...)
	words(&c, "words", in.Words, true)
	words(&c, "proof", in.Proof, true)
	return c.Err()
}

// Deciding is the input of Decide.
type Deciding struct {
	City    int    `json:"-" form:"-"`
	ID      string `json:"-" form:"-"`
	Version int64  `json:"version" form:"version"`
	Uphold  bool   `json:"uphold" form:"uphold"`
	Note    string `json:"note" form:"note"` // why; the company reads it
}

// mostWords is the length of a text in characters.
const mostWords = 1000

func words(c *fault.Check, name, s string, need bool) {
	c.That(!need || s != "", name, "field.required")
	c.That(utf8.RuneCountInString(s) <= mostWords, name, "field.too_long", "max", mostWords)
}

// Period is days whose figures are fixed. The first edition is the freeze; a later one is a correction (更正).
type Period struct {
	City     int           `db:"city_id" json:"-"`
	ID       string        `db:"id" json:"id"`
	From     civil.Date    `db:"from_day" json:"from"`
	To       civil.Date    `db:"to_day" json:"to"`
	Edition  int           `db:"edition" json:"edition"`
	Reason   string        `db:"reason" json:"reason,omitempty"`
	FrozenAt civil.Instant `db:"frozen_at" json:"frozen_at"`
	FrozenBy string        `db:"frozen_by" json:"-"`
}

// Freezing is the input of Freeze: an edition is a correction when there is one before, and then needs its reason.
type Freezing struct {
	City   int        `json:"-" form:"-"`
	From   civil.Date `json:"from" form:"from"`
	To     civil.Date `json:"to" form:"to"`
	Reason string     `json:"reason" form:"reason"`
}
