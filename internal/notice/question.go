package notice

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Door is how an answer came.
type Door string

// The doors of answers.
const (
	BySMS     Door = "sms"
	ByLink    Door = "link"
	Withdrawn Door = "withdrawn" // no longer asked
)

// Asking is a question to a resident. The text of the message finds the digits to answer with as {d1}, {d2} … and the
// address of the page on which it is answered with a tap as {link}.
type Asking struct {
	Message
	Ref     string        // what is asked about: "case:ID/visit:ID"
	Answers []string      // "true", "untrue", in the order of their digits
	Until   civil.Instant // no answer is taken later
}

// Question is a question as kept.
type Question struct {
	City     int           `db:"city_id" json:"city"`
	ID       string        `db:"id" json:"id"`
	Notice   string        `db:"notice_id" json:"notice"`
	Ref      string        `db:"ref" json:"ref"`
	Person   string        `db:"person" json:"-"`
	First    int           `db:"first_digit" json:"first_digit"` // two open questions of one person have different digits
	Answers  []string      `db:"answers,json" json:"answers"`
	Asked    civil.Instant `db:"asked_at" json:"asked_at"`
	Expires  civil.Instant `db:"expires_at" json:"expires_at"`
	Answered civil.Instant `db:"answered_at" json:"answered_at"`
	Answer   string        `db:"answer" json:"answer,omitempty"`
	Door     Door          `db:"door" json:"door,omitempty"`
}

// firstFree is the first of n digits in a row that no open question uses; 0 when they do not fit below ten.
func firstFree(open []Question, n int) int {
	for first := 1; first+n <= 10; first++ {
		if !slices.ContainsFunc(open, func(q Question) bool { return first < q.First+len(q.Answers) && q.First < first+n }) {
			return first
		}
	}
	return 0
}

// pick finds the question and the answer that a text names by its digit: "1", "１。", "回复1".
func pick(open []Question, said string) (Question, string, bool) {
	var digits []int
	for _, r := range said {
		if r >= '０' && r <= '９' {
			r += '0' - '０'
		}
		if r >= '0' && r <= '9' {
			digits = append(digits, int(r-'0'))
		}
	}
	if len(digits) != 1 { // no digit, or several: nobody guesses
		return Question{}, "", false
	}
	for _, q := range open {
		if i := digits[0] - q.First; i >= 0 && i < len(q.Answers) {
			return q, q.Answers[i], true
		}
	}
	return Question{}, "", false
}

// token is the signed, single-purpose part of the address on which a question is answered. It is short enough for a text
// message and good for this one question.
func token(ring *secret.Ring, city int, id string) string {
	raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil {
		raw = []byte(id)
	}
	body := base64.RawURLEncoding.EncodeToString(raw)
	return body + seal(ring, city, body)
}

const sealLen = 20

func seal(ring *secret.Ring, city int, body string) string {
	return ring.Blind("notice.reply", fmt.Sprintf("%d/%s", city, body))[:sealLen]
}
