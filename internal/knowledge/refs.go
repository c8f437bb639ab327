package knowledge

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/text"
)

var refPattern = regexp.MustCompile(`\{([a-z_]+\.[a-z_]+)\}`)

func refsIn(s string) []string {
	var out []string
	for _, m := range refPattern.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1])
	}
	return out
}

// Refs lists the values of the city's rules that an article may name.
func Refs() []string {
	out := []string{
		"standard.bedroom", "standard.living_room", "season.start", "season.end",
		"measure.windows", "measure.testers", "measure.instrument", "measure.point", "measure.who_pays",
		"fee.suspended", "fee.stop_by", "fee.pay_by", "option.night_from", "option.night_to", "option.reopen_days", "option.stop_word_hours",
	}
	for _, r := range citypack.RuleNames() {
		out = append(out, "limit."+r)
	}
	return out
}

// fill puts the values of the rules, as they hold at an instant, in the place of the names; a value that the city has not
// yet confirmed is marked as provisional, and one that the rules do not know is said to be unknown.
func fill(rules *citypack.Rules, l text.Lang, at civil.Instant, s string) string {
	return refPattern.ReplaceAllStringFunc(s, func(m string) string {
		v := lookup(rules, at, strings.Trim(m, "{}"))
		if v.words == nil {
			return text.T(l, "knowledge.unknown_value")
		}
		said := v.words(l)
		if v.provisional {
			said += text.T(l, "knowledge.provisional")
		}
		return said
	})
}

// value is what a name stands for; no words: unknown.
type value struct {
	words       func(text.Lang) string
	provisional bool
}

func plain(s string) func(text.Lang) string { return func(text.Lang) string { return s } }

func lookup(rules *citypack.Rules, at civil.Instant, ref string) value {
	group, name, _ := strings.Cut(ref, ".")
	switch group {
	case "standard":
		if v, ok := rules.Pack.Standard(name, at); ok {
			return value{plain(strings.TrimSuffix(v.Value.String(), ".0") + "℃"), rules.Pack.Provisional(v.Origin)}
		}
	case "limit":
		if v, ok := rules.Pack.Rule(name, at, rules.Phase(at, "")); ok {
			limit, _ := v.Calendar()
			return value{limit.Words().In, v.Provisional}
		}
	case "season":
		if s, ok := rules.Season(at, ""); ok {
			when := s.Start
			if name == "end" {
				when = s.End
			}
			return value{calendar.WhenFull(when).In, s.Provisional}
		}
	case "measure":
		return lookupMeasure(rules.Pack, at.Date(), name)
	case "fee":
		return lookupFee(rules.Pack, at.Date(), name)
	case "option":
		return lookupOption(rules.Pack.Options(at), name)
	}
	return value{}
}

func lookupMeasure(p *citypack.Pack, day civil.Date, name string) value {
	m := p.Doc.Measurement
	switch name {
	case "windows":
		return number(p, m.Windows, day, "knowledge.minutes")
	case "testers":
		return number(p, m.Testers, day, "knowledge.persons")
	case "instrument":
		return phrase(p, m.Instrument, day)
	case "point":
		return phrase(p, m.Point, day)
	case "who_pays":
		return phrase(p, m.WhoPays, day)
	}
	return value{}
}

func lookupFee(p *citypack.Pack, day civil.Date, name string) value {
	switch name {
	case "suspended":
		return number(p, p.Doc.Fees.Suspended, day, "knowledge.percent")
	case "stop_by":
		return phrase(p, p.Doc.Fees.StopBy, day)
	case "pay_by":
		return phrase(p, p.Doc.Fees.PayBy, day)
	}
	return value{}
}

func lookupOption(o citypack.Options, name string) value {
	var s string
	switch name {
	case "night_from":
		s = o.NightFrom
	case "night_to":
		s = o.NightTo
	case "reopen_days":
		s = positive(o.ReopenDays)
	case "stop_word_hours":
		s = positive(o.StopWordHours)
	}
	if s == "" {
		return value{}
	}
	return value{words: plain(s)}
}

func positive(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func number(p *citypack.Pack, d citypack.Dated[int], day civil.Date, key string) value {
	v, ok := d.On(day)
	if !ok {
		return value{}
	}
	return value{text.Msg(key, "n", v.Value).In, p.Provisional(v.Origin)}
}

func phrase(p *citypack.Pack, d citypack.Dated[citypack.Phrase], day civil.Date) value {
	v, ok := d.On(day)
	if !ok {
		return value{}
	}
	return value{v.Value.In, p.Provisional(v.Origin)}
}
