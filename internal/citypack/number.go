package citypack

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
)

var numberPart = regexp.MustCompile(`\{(city|date|year|n)(?::(\d+))?\}`)

// Number writes the number of a document as the pack forms it: {city}, {date}, {year} and {n:6} stand for their values.
// Without a form of the pack it is other.
func (p *Pack) Number(kind string, day civil.Date, n int64, other string) string {
	f, ok := p.Doc.Numbering[kind]
	if !ok {
		return other
	}
	return p.number(f.Format, day, n)
}

// TemplateNumber writes the number of a document of this template, or other where the template forms none.
func (p *Pack) TemplateNumber(t Template, day civil.Date, n int64, other string) string {
	if t.Number == "" {
		return other
	}
	return p.number(t.Number, day, n)
}

func (p *Pack) number(format string, day civil.Date, n int64) string {
	return numberPart.ReplaceAllStringFunc(format, func(part string) string {
		m := numberPart.FindStringSubmatch(part)
		switch m[1] {
		case "city":
			return strconv.Itoa(p.Code)
		case "date":
			return strings.ReplaceAll(day.String(), "-", "")
		case "year":
			return strconv.Itoa(day.Year)
		}
		width, _ := strconv.Atoi(m[2])
		return fmt.Sprintf("%0*d", width, n)
	})
}
