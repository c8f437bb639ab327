package exchange

import (
	"strings"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/text"
)

// natureOf reads 诉求性质 as platforms write it: our code or the Chinese word; empty: not known.
func natureOf(s string) citypack.Nature {
	for _, n := range citypack.Natures() {
		if s == string(n) || s == text.T(text.ZH, "nature."+string(n)) {
			return n
		}
	}
	return ""
}

func natureWords() []string {
	var out []string
	for _, n := range citypack.Natures() {
		out = append(out, string(n), text.T(text.ZH, "nature."+string(n)))
	}
	return out
}

// levelOf reads how urgent a platform says that a matter is.
func levelOf(s string) citypack.Urgency {
	switch s {
	case "normal", "一般":
		return citypack.Normal
	case "urgent", "紧急":
		return citypack.Urgent
	case "critical", "特急":
		return citypack.Critical
	}
	return ""
}

// categoryOf finds the city's category of a code or name; empty: the words of the matter decide.
func categoryOf(p *citypack.Pack, s string) string {
	if s == "" {
		return ""
	}
	for _, c := range p.Leaves() {
		if strings.EqualFold(s, c.Code) || s == c.Name.ZH || strings.EqualFold(s, c.Name.EN) {
			return c.Code
		}
	}
	return ""
}
