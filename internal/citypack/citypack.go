// Package citypack holds the rules of a city as data: when heat must come and how warm, how fast a company must act, what
// the clerk must ask, and what is paid back when it fails. Nothing of that is in the program.
//
// A pack is one YAML file per city, laid over its province's and the national defaults. Every value names its source and
// how sure it is; a value that nobody read in a primary text is provisional until the city approves it. What is unknown
// is absent, and the program asks for it rather than inventing it.
package citypack

import (
	"sort"
	"strconv"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// Pack is the rules of one city, with what its province and the national defaults give.
type Pack struct {
	Code       int
	Name       Phrase
	Edition    string
	Categories []*Category
	Doc        Document // everything, after inheritance

	file     string   // its own file
	chain    []string // codes from the city up
	byCode   map[string]*Category
	values   []Value
	byPath   map[string]int
	approved map[string]Approval
}

// Approval is the city's act that makes a provisional value apply. It holds only while the value is the one that was
// approved.
type Approval struct {
	Path  string        `json:"path"`
	Value string        `json:"value"` // the value's text as it was approved; empty approves whatever stands there
	By    string        `json:"by"`
	At    civil.Instant `json:"at"`
}

// Approvals is a set of approvals.
type Approvals []Approval

// Summary is one line of the list of cities.
type Summary struct {
	Code    int    `json:"code"`
	Name    Phrase `json:"name"`
	Edition string `json:"edition"`
	Level   Level  `json:"level"`
}

// Set is all packs of an installation.
type Set struct {
	files map[string]*file // by code
	packs map[int]*Pack
}

// City gives a city's pack, or NotFound.
func (s *Set) City(code int) (*Pack, error) {
	if p, ok := s.packs[code]; ok && (p.Doc.Level == LevelCity || p.Doc.Level == LevelCounty) {
		return p, nil
	}
	return nil, fault.New(fault.NotFound, "pack.no_city", "city", code)
}

// Cities lists the cities that have a pack, by code.
func (s *Set) Cities() []Summary {
	var out []Summary
	for _, p := range s.packs {
		if p.Doc.Level == LevelCity || p.Doc.Level == LevelCounty {
			out = append(out, Summary{Code: p.Code, Name: p.Name, Edition: p.Edition, Level: p.Doc.Level})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Code < out[j].Code })
	return out
}

// Rules gives every refund rule of every pack by its id, provinces' and superseded ones included.
func (s *Set) Rules() map[string]RefundRule {
	out := map[string]RefundRule{}
	for _, p := range s.packs {
		for _, r := range p.Doc.RefundRules {
			if p.mine(r.Path) {
				out[r.ID] = r
			}
		}
	}
	return out
}

// With gives the pack with a city's approvals; the pack itself does not change.
func (p *Pack) With(approvals Approvals) *Pack {
	q := *p
	q.approved = make(map[string]Approval, len(approvals))
	for _, a := range approvals {
		q.approved[a.Path] = a
	}
	q.values = make([]Value, len(p.values))
	copy(q.values, p.values)
	for i := range q.values {
		q.values[i].Provisional = q.provisional(Origin{Path: q.values[i].Path, Confidence: q.values[i].Confidence})
		if a, ok := q.approved[q.values[i].Path]; ok && !q.values[i].Confidence.Confirmed() && !q.values[i].Provisional {
			q.values[i].Approval = &a
		}
	}
	return &q
}

// provisional reports whether a value still waits for the city's approval.
func (p *Pack) provisional(o Origin) bool {
	if o.Confidence.Confirmed() {
		return false
	}
	a, ok := p.approved[o.Path]
	if !ok {
		return true
	}
	i, known := p.byPath[o.Path]
	return a.Value != "" && (!known || p.values[i].Text != a.Value)
}

// Provisional reports whether a value of the pack still waits for the city's approval.
func (p *Pack) Provisional(o Origin) bool { return p.provisional(o) }

// Category finds a category by its code.
func (p *Pack) Category(code string) (*Category, bool) {
	c, ok := p.byCode[code]
	return c, ok
}

// Leaves lists the categories that a case can have, in the order of the tree.
func (p *Pack) Leaves() []*Category {
	var out []*Category
	var walk func([]*Category)
	walk = func(list []*Category) {
		for _, c := range list {
			switch {
			case c.Hidden:
			case len(c.Children) == 0:
				out = append(out, c)
			default:
				walk(c.Children)
			}
		}
	}
	walk(p.Categories)
	return out
}

// Required lists the fields that a door must fill in for a category; without one, the city's general standard.
func (p *Pack) Required(cat *Category, door string) []string {
	f := p.fields(cat, door)
	if f == nil {
		return nil
	}
	return stringsOf(f.Required)
}

// Recommended lists the fields that a door should ask for.
func (p *Pack) Recommended(cat *Category, door string) []string {
	f := p.fields(cat, door)
	if f == nil {
		return nil
	}
	return stringsOf(f.Recommended)
}

func (p *Pack) fields(cat *Category, door string) *Fields {
	if cat != nil {
		if f := cat.Entry.at(door); f != nil {
			return f
		}
	}
	return p.Doc.Entry.at(door)
}

// FeedbackForm lists the fields that the company fills in for a category.
func (p *Pack) FeedbackForm(cat *Category) []FormField {
	if cat != nil && cat.Feedback != nil {
		return cat.Feedback
	}
	return p.Doc.Feedback
}

// Standard gives the temperature that a room must have, and its origin; nothing when the pack does not know.
func (p *Pack) Standard(room string, at civil.Instant) (At[Degree], bool) {
	return p.Doc.Standard[room].On(at.Date())
}

// PriceName is what the pack calls a price; the code itself when it has none of it.
func (p *Pack) PriceName(code string) Phrase {
	for _, x := range p.Doc.Fees.Prices {
		if x.Code == code {
			return x.Name
		}
	}
	return Phrase{ZH: code, EN: code}
}

// Term gives the city's own label for a word of the field; without one the key, so that callers can fall back.
func (p *Pack) Term(key string, l text.Lang) string {
	if t, ok := p.Doc.Terms[key]; ok {
		return t.In(l)
	}
	return key
}

// Generic lists names that match no place by themselves.
func (p *Pack) Generic(at civil.Instant) []string { return p.Doc.GenericNames.Or(at.Date(), nil) }

func codeOf(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}
