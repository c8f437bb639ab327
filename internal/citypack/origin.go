package citypack

import (
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/text"
)

// Phrase is a text in both languages.
type Phrase struct {
	ZH string `json:"zh" pack:"required"`
	EN string `json:"en" pack:"required"`
}

// In gives the phrase in the reader's language.
func (p Phrase) In(l text.Lang) string {
	if l == text.EN {
		return p.EN
	}
	return p.ZH
}

// Confidence says how a value is known.
type Confidence string

// The degrees of confidence, strongest first.
const (
	Primary   Confidence = "primary"   // read in the law or contract itself
	Secondary Confidence = "secondary" // read in a news page, a guide or a copy
	Memory    Confidence = "memory"    // recalled by somebody who knows the field, not looked up
	Practice  Confidence = "practice"  // common practice of the field
	Judgement Confidence = "judgement" // an operational default that a city may change
	Fictional Confidence = "fictional" // the demonstration city
)

func (Confidence) values() []string {
	return []string{string(Primary), string(Secondary), string(Memory), string(Practice), string(Judgement), string(Fictional)}
}

// Confirmed reports whether a value with this confidence applies without the city's approval.
func (c Confidence) Confirmed() bool {
	switch c {
	case Primary, Practice, Fictional:
		return true
	case Secondary, Memory, Judgement:
		return false
	}
	return false
}

// Source is where a value was read.
type Source struct {
	Law     string `json:"law" pack:"required"` // title of the law, rule, contract or guide
	Article string `json:"article,omitempty"`
	URL     string `json:"url,omitempty"`
}

// String is the source on one line.
func (s Source) String() string {
	if s.Article == "" {
		return s.Law
	}
	return s.Law + " " + s.Article
}

// Origin stands in every value of a pack: where it comes from and how sure that is.
type Origin struct {
	Source     Source     `json:"source" pack:"required"`
	Confidence Confidence `json:"confidence" pack:"required"`
	Note       *Phrase    `json:"note,omitempty"`
	Path       string     `json:"path,omitempty" pack:"-"` // set when the pack is loaded; approvals name it
}

// Period is when a value holds; an empty end is open. Both days belong to it.
type Period struct {
	From civil.Date `json:"from,omitzero"`
	To   civil.Date `json:"to,omitzero"`
}

// Covers reports whether the day lies in the period.
func (p Period) Covers(day civil.Date) bool {
	return (p.From.IsZero() || !day.Before(p.From)) && (p.To.IsZero() || !day.After(p.To))
}

func (p Period) overlaps(q Period) bool {
	before := func(a, b Period) bool { return !a.To.IsZero() && !b.From.IsZero() && a.To.Before(b.From) }
	return !before(p, q) && !before(q, p)
}

// At is one value with its period and origin.
type At[T any] struct {
	Period
	Value T `json:"value" pack:"required"`
	Origin
}

// Dated is a value that changes over the years.
type Dated[T any] []At[T]

// On gives the value that holds on a day; nothing when it is unknown.
func (d Dated[T]) On(day civil.Date) (At[T], bool) {
	for _, v := range d {
		if v.Covers(day) {
			return v, true
		}
	}
	var none At[T]
	return none, false
}

// Or gives the value that holds on a day, or another when it is unknown.
func (d Dated[T]) Or(day civil.Date, other T) T {
	if v, ok := d.On(day); ok {
		return v.Value
	}
	return other
}
