package notice

import (
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// TemplateState is where an edition of a city's own words stands.
type TemplateState string

// The states. Only an approved edition is sent.
const (
	Draft      TemplateState = "draft"
	Approved   TemplateState = "approved"
	Refused    TemplateState = "refused"
	Superseded TemplateState = "superseded"
)

// Template is an edition of a city's own words for one message in one language.
type Template struct {
	City      int           `db:"city_id" json:"city"`
	ID        string        `db:"id" json:"id"`
	Template  string        `db:"template" json:"template"` // catalogue key of the text that it replaces
	Lang      text.Lang     `db:"lang" json:"lang"`
	Edition   int           `db:"edition" json:"edition"`
	Text      string        `db:"text" json:"text"`
	Code      string        `db:"code" json:"code,omitempty"`     // the provider's own number of the template, where it wants one
	Reason    string        `db:"reason" json:"reason,omitempty"` // of a refusal
	State     TemplateState `db:"state" json:"state"`
	WrittenBy string        `db:"written_by" json:"written_by"`
	WrittenAt civil.Instant `db:"written_at" json:"written_at"`
	DecidedBy string        `db:"decided_by" json:"decided_by,omitempty"`
	DecidedAt civil.Instant `db:"decided_at" json:"decided_at"`
	Version   int64         `db:"version" json:"version"`
}

// Wording is a message of the catalogue with what a city made of it.
type Wording struct {
	Template  string    `json:"template"`
	Lang      text.Lang `json:"lang"`
	Standard  string    `json:"standard"`
	Variables []string  `json:"variables,omitempty"`
	Current   *Template `json:"current,omitempty"` // approved
	Draft     *Template `json:"draft,omitempty"`   // waits for the second person
}

// templatePrefix marks the texts of the catalogue that are messages to people.
const templatePrefix = "message."

// Templates lists the messages that a city may word itself.
func Templates() []string {
	return slices.DeleteFunc(text.Keys(), func(k string) bool { return !strings.HasPrefix(k, templatePrefix) })
}

// mostTemplate is the length that a message may have, in characters: seven text messages.
const mostTemplate = 470

// checkWording refuses words that could not be sent: variables that the message does not have, a question without the digits
// and the address that answer it, and braces that are left open.
func checkWording(c *fault.Check, key string, l text.Lang, words string) {
	c.That(strings.TrimSpace(words) != "", "text", "field.required")
	c.That(len([]rune(words)) <= mostTemplate, "text", "field.too_long", "max", mostTemplate)
	c.That(strings.Count(words, "{") == strings.Count(words, "}") && strings.Count(words, "{") == braces(words), "text", "notice.template.braces")
	known, used := text.Variables(text.Say(l, key, nil)), text.Variables(words)
	for _, v := range used {
		c.That(slices.Contains(known, v), "text", "notice.template.unknown_variable", "name", v, "allowed", strings.Join(known, ", "))
	}
	for _, v := range known {
		answers := v == "code" || v == "link" && slices.Contains(known, "d1") || len(v) == 2 && v[0] == 'd' && v[1] >= '1' && v[1] <= '9'
		c.That(!answers || slices.Contains(used, v), "text", "notice.template.missing_variable", "name", v)
	}
}

// braces counts the names in braces, also those that come twice.
func braces(s string) int {
	n := 0
	for {
		_, rest, ok := strings.Cut(s, "{")
		if !ok {
			return n
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok || name == "" || strings.Contains(name, "{") {
			return -1
		}
		n, s = n+1, after
	}
}

// Parts is how many messages a gateway charges for a text with its signature line: 70 characters fit into one, 67 into each
// of several, since the parts carry how they belong together (3GPP TS 23.038, TS 23.040).
func Parts(sign, words string) int {
	const one, each = 70, 67
	n := len([]rune(words))
	if sign != "" {
		n += len([]rune(sign)) + 2 // 【】
	}
	if n <= one {
		return 1
	}
	return (n + each - 1) / each
}
