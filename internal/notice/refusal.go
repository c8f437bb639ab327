package notice

import (
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
)

// Scope is how much a person does not want to be told.
type Scope string

// The scopes. A leak, a stop, one's own appointment and a question about one's own matter are told all the same.
const (
	Bulletins  Scope = "bulletin" // no bulletins to many
	Everything Scope = "all"      // nothing that can be left out
)

// Refusal is a person's wish not to be told.
type Refusal struct {
	City   int           `db:"city_id" json:"city"`
	Person string        `db:"person" json:"-"`
	Scope  Scope         `db:"scope" json:"scope"`
	Door   string        `db:"door" json:"door"` // sms, link, page, staff, wechat
	At     civil.Instant `db:"at" json:"at"`
}

// covers reports whether a message is among what a person does not want.
func (r Refusal) covers(n Notice) bool {
	if n.QuietExempt {
		return false
	}
	return n.Class == Bulletin || r.Scope == Everything
}

// Wish reads the words by which people refuse messages; ok is false when they are about something else.
func Wish(said string) (scope Scope, refuse, ok bool) { return wish(said) }

// wish reads the words by which people refuse messages or want them again: 退订, TD, 取消退订.
func wish(said string) (scope Scope, refuse, ok bool) {
	switch strings.ToUpper(strings.Trim(strings.TrimSpace(said), "。.!！")) {
	case "TD", "T", "退订", "拒收", "QX", "STOP":
		return Bulletins, true, true
	case "TDALL", "全部退订", "STOP ALL":
		return Everything, true, true
	case "HF", "恢复", "取消退订", "START":
		return "", false, true
	}
	return "", false, false
}
