package territory

import (
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

// KnownRule is a learnt decision as kept.
type KnownRule struct {
	City        int           `db:"city_id" json:"-"`
	ID          string        `db:"id" json:"id"`
	Text        string        `db:"phrase" json:"text"`
	Community   string        `db:"community" json:"community"`
	Building    string        `db:"building" json:"building"`
	Road        string        `db:"road" json:"road"`
	Number      string        `db:"number" json:"number"`
	Company     string        `db:"company" json:"company"`
	Area        string        `db:"area" json:"area"`
	Note        string        `db:"note" json:"note"`
	Author      string        `db:"author" json:"-"`
	AuthorName  string        `db:"author_name" json:"author"`
	Created     civil.Instant `db:"created_at" json:"created_at"`
	Withdrawn   civil.Instant `db:"withdrawn_at" json:"withdrawn_at"`
	WithdrawnBy string        `db:"withdrawn_by" json:"-"`
	Version     int64         `db:"version" json:"version"`
}

func (k KnownRule) rule() Rule {
	return Rule{
		Text: k.Text, Community: k.Community, Building: k.Building, Road: k.Road, Number: k.Number,
		Company: k.Company, Area: k.Area, Author: k.AuthorName, At: k.Created,
	}
}

// check refuses a rule that would catch more than was meant.
func (r *Rule) check() error {
	for _, f := range []*string{&r.Text, &r.Community, &r.Building, &r.Road, &r.Number, &r.Company, &r.Area} {
		*f = strings.TrimSpace(*f)
	}
	var c fault.Check
	c.That(r.Company != "", "company", "field.required")
	c.That(r.Text == "" || len([]rune(r.Text)) >= 3, "text", "territory.rule_short", "min", 3)
	c.That(r.Text != "" || r.Community != "" || r.Road != "", "text", "territory.rule_says_nothing")
	c.That(r.Building == "" || r.Community != "", "community", "field.required")
	c.That(r.Number == "" || r.Road != "", "road", "field.required")
	c.That(len([]rune(r.Text)) <= 100, "text", "field.too_long", "max", 100)
	return c.Err()
}

// RuleFilter narrows the list of rules.
type RuleFilter struct {
	Query     string `json:"q" form:"q"`
	Company   string `json:"company" form:"company"`
	Withdrawn bool   `json:"withdrawn" form:"withdrawn"` // show those too
	page.Request
}

// Confusable is two communities that callers or seats confuse.
type Confusable struct {
	City    int           `db:"city_id" json:"-"`
	A       string        `db:"a" json:"a"`
	B       string        `db:"b" json:"b"`
	Note    string        `db:"note" json:"note"`
	Created civil.Instant `db:"created_at" json:"created_at"`
	By      string        `db:"created_by" json:"-"`
}
