package call

import (
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

// Inquiry is what the voice menu knows of a caller: the number, and what they keyed in or said.
type Inquiry struct {
	Call   string `json:"call"` // the switch's name of the call
	Caller string `json:"caller"`
	Digits string `json:"digits,omitempty"` // keyed in: the building's number, once a community was said; else the area's
	Speech string `json:"speech,omitempty"` // recognised: community and building
	Lang   string `json:"lang,omitempty"`   // zh or en
}

const maxSpeech = 200

// Check refuses what no inquiry can be.
func (q Inquiry) Check() error {
	var c fault.Check
	c.That(q.Call != "" && len(q.Call) <= maxRef, "call", "call.bad_ref", "max", maxRef)
	c.That(len([]rune(q.Speech)) <= maxSpeech, "speech", "field.too_long", "max", maxSpeech)
	c.That(len(q.Digits) <= maxRef, "digits", "field.too_long", "max", maxRef)
	n := secret.NormalPhone(q.Caller)
	c.That(q.Caller == "" || len(n) >= 3 && len(n) <= 20, "caller", "call.bad_number")
	return c.Err()
}

// What the voice menu can say.
const (
	SaysStop    = "stop"    // heat is off at the caller's building
	SaysPlanned = "planned" // it will be
	SaysCase    = "case"    // how the caller's open case stands
	SaysAsk     = "ask"     // the caller is asked for the number of their service area
	SaysSeat    = "seat"    // nothing is known: a seat
)

// Reply is what the voice menu reads out. Then is "offer" where the caller may hang up or still ask for a seat, "digits" where
// they key something in and the menu asks again with it, and "seat" where they are put through.
type Reply struct {
	Kind string    `json:"kind"`
	Say  string    `json:"say"`
	Lang text.Lang `json:"lang"`
	Then string    `json:"then"`
}

// Spoken is an answer of the voice menu as kept.
type Spoken struct {
	City    int           `db:"city_id" json:"-"`
	ID      string        `db:"id" json:"id"`
	Ref     string        `db:"ref" json:"call"`
	At      civil.Instant `db:"at" json:"at"`
	Kind    string        `db:"kind" json:"kind"`
	Subject string        `db:"subject" json:"subject,omitempty"` // "outage:ID", "case:ID"
	Lang    text.Lang     `db:"lang" json:"lang"`
}

// whence is how the menu came to know of a place. It is read out, since a stop at the place that somebody named is not one at
// their home.
type whence string

const (
	byNumber whence = "home"
	byName   whence = "named"
	byArea   whence = "area"
)

// sayStop reads a stop out.
func sayStop(l text.Lang, o outage.Outage, from whence, now civil.Instant) Reply {
	r := Reply{Kind: SaysStop, Lang: l, Then: "offer"}
	params := map[string]any{"where": text.T(l, "call.menu.where."+string(from)), "reason": reasonFor(l, o.Reason), "at": sayTime(l, o.Start, now), "until": sayTime(l, o.Until, now)}
	key := "call.menu.stop"
	switch {
	case o.Start.After(now):
		r.Kind, key = SaysPlanned, "call.menu.planned"
	case o.State == outage.Restored:
		key = "call.menu.restored"
	case o.Overdue(now):
		key = "call.menu.stop_overdue"
	case o.Until.IsZero():
		key = "call.menu.stop_open"
	}
	r.Say = text.Say(l, key, params) + text.T(l, "call.menu.offer")
	return r
}

// reasonFor is the company's own words, which are Chinese.
func reasonFor(l text.Lang, reason string) string {
	reason = strings.TrimRight(secret.MaskText(reason), "。.!！ ")
	if l != text.ZH || reason == "" {
		return text.T(l, "call.menu.no_reason")
	}
	return reason
}

// sayTime is a time as it is spoken: today at 18:30, tomorrow at 7.
func sayTime(l text.Lang, at, now civil.Instant) string {
	if at.IsZero() {
		return ""
	}
	day := "call.time.date"
	switch now.Date().DaysUntil(at.Date()) {
	case 0:
		day = "call.time.today"
	case 1:
		day = "call.time.tomorrow"
	}
	t := at.Time()
	clock := "call.time.sharp"
	if t.Minute() != 0 {
		clock = "call.time.clock"
	}
	month := strconv.Itoa(int(t.Month()))
	if l == text.EN {
		month = t.Month().String()
	}
	return text.T(l, day, "month", month, "day", t.Day(), "clock", text.T(l, clock, "hour", t.Hour(), "minute", t.Minute()))
}

// areaNumber are the digits of an area's code, without the noughts before them.
func areaNumber(code string) string {
	var digits strings.Builder
	for _, r := range code {
		if r >= '0' && r <= '9' {
			digits.WriteRune(r)
		}
	}
	return strings.TrimLeft(digits.String(), "0")
}

// spell says digits one by one, as people read numbers out.
func spell(digits string) string {
	var out []string
	for _, r := range digits {
		if r >= '0' && r <= '9' {
			out = append(out, string(r))
		}
	}
	return strings.Join(out, " ")
}

// lastDigits are the end of a case number, by which a caller knows it again.
func lastDigits(no string) string {
	const n = 4
	var digits []rune
	for _, r := range no {
		if r >= '0' && r <= '9' {
			digits = append(digits, r)
		}
	}
	return spell(string(digits[max(0, len(digits)-n):]))
}
