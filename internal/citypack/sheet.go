package citypack

import (
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/paper"
	"github.com/rehu-heat/rehu/internal/text"
)

// Template is the city's form of a document, such as "room_test_sheet".
func (p *Pack) Template(code string) (Template, bool) {
	i := slices.IndexFunc(p.Doc.Documents, func(t Template) bool { return t.Code == code })
	if i < 0 {
		return Template{}, false
	}
	return p.Doc.Documents[i], true
}

// Entries are what a document is filled in with.
type Entries struct {
	Issuer     string
	Number     string
	Date       string            // beside the seal
	Values     []paper.Pair      // by the names of the template's fields
	Middle     []paper.Block     // between the answers and the signatures, such as a table of readings
	Signatures []paper.Signature // by the names of the template's fields
	Check      string            // what the QR code says: where the document can be checked
	CheckNote  string
	Official   bool // laid out as an official document
}

// Sheet fills a template in. Every field of the template is on it, in its order, empty where there is no value, so that it can be filled in
// by hand; a value that the template has no field for stands behind, since what is known is not left out. Fields that are signed become places to sign.
func (t Template) Sheet(l text.Lang, e Entries) paper.Document {
	d := paper.Document{Language: l, Issuer: e.Issuer, Title: t.Name.In(l), Number: e.Number}
	if e.Official {
		d.Style = paper.Official
	}
	if t.Copies > 1 {
		d.Footer = text.T(l, "paper.copies", "n", t.Copies)
	}
	asked, signed := t.split(l)
	if pairs := fill(asked, e.Values); len(pairs) > 0 {
		for i := range pairs {
			pairs[i].Label = fieldIn(l, pairs[i].Label)
		}
		d.Blocks = append(d.Blocks, paper.Pairs{Pairs: pairs})
	}
	d.Blocks = append(d.Blocks, e.Middle...)
	if places := sign(signed, e.Signatures); len(places) > 0 {
		for i := range places {
			places[i].Label = fieldIn(l, places[i].Label)
		}
		d.Blocks = append(d.Blocks, paper.Signatures{Signatures: places})
	}
	if seal := t.Seal.In(l); seal != "" {
		place := e.Issuer
		if place == "" {
			place = seal
		}
		d.Blocks = append(d.Blocks, paper.Seal{Place: place, Date: e.Date, Note: text.T(l, "paper.seal", "who", seal)})
	}
	if e.Check != "" {
		d.Blocks = append(d.Blocks, paper.Code{Content: e.Check, Caption: e.CheckNote})
	}
	return d
}

// split tells the fields that are answered from those that are signed.
func (t Template) split(l text.Lang) (asked, signed []string) {
	for _, f := range t.Fields {
		switch {
		case strings.HasPrefix(f, "双方") && isSigned(f):
			signed = append(signed, text.T(l, "paper.sign.user"), text.T(l, "paper.sign.company"))
		case isSigned(f):
			signed = append(signed, f)
		default:
			asked = append(asked, f)
		}
	}
	return asked, signed
}

func isSigned(field string) bool {
	return strings.HasSuffix(field, "签字") || strings.HasSuffix(field, "签名") || strings.HasSuffix(field, "签章")
}

func fill(asked []string, values []paper.Pair) []paper.Pair {
	var out []paper.Pair
	used := make([]bool, len(values))
	for _, f := range asked {
		p := paper.Pair{Label: f}
		for i, v := range values {
			if v.Label == f && !used[i] {
				p.Value, used[i] = v.Value, true
				break
			}
		}
		out = append(out, p)
	}
	for i, v := range values {
		if !used[i] && v.Value != "" {
			out = append(out, v)
		}
	}
	return out
}

func sign(signed []string, given []paper.Signature) []paper.Signature {
	var out []paper.Signature
	used := make([]bool, len(given))
	for _, f := range signed {
		s := paper.Signature{Label: f}
		for i, g := range given {
			if g.Label == f && !used[i] {
				s, used[i] = g, true
				break
			}
		}
		out = append(out, s)
	}
	for i, g := range given {
		if !used[i] {
			out = append(out, g)
		}
	}
	return out
}
