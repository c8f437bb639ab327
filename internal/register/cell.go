package register

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/sheet"
)

// plain trims a cell, also of the wide space that Chinese tables are full of.
func plain(s string) string { return strings.Trim(s, " \t\r\n\u00a0\u3000") }

// longest is how much one cell of a list may hold.
const longest = 500

// several splits a cell at the signs that separate names.
func several(s string) []string {
	var out []string
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == ';' || r == '；' || r == '、' }) {
		if part = plain(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// oneOf reads a word that a list knows; empty stays empty.
func oneOf(n *notes, r record, column, cell string, words map[string]string) string {
	if cell == "" {
		return ""
	}
	if v, ok := words[strings.ToLower(cell)]; ok {
		return v
	}
	n.fault(r.no, column, "register.bad_word", "value", cell, "allowed", allowed(words))
	return ""
}

// allowed names the Chinese words of a list, sorted.
func allowed(words map[string]string) string {
	first := map[string]string{}
	for w, v := range words {
		if w > "~" && (first[v] == "" || len(w) < len(first[v]) || len(w) == len(first[v]) && w < first[v]) {
			first[v] = w
		}
	}
	return strings.Join(sorted(first), "、")
}

func sorted(m map[string]string) []string {
	var out []string
	for _, v := range m {
		out = append(out, v)
	}
	sortStrings(out)
	return out
}

var (
	managements = map[string]string{
		"direct": "direct", "直管": "direct", "resold": "resold", "转供": "resold", "own_station": "own_station", "自管站": "own_station", "自管": "own_station",
	}
	connections = map[string]string{ // empty: connected
		"是": "", "已接入": "", "接入": "", "yes": "", "y": "", "true": "", "1": "",
		"否": "not_connected", "未接入": "not_connected", "no": "not_connected", "n": "not_connected", "false": "not_connected", "0": "not_connected", "not_connected": "not_connected",
		"自采暖": "own_heating", "own_heating": "own_heating", "报停": "stopped", "整体报停": "stopped", "stopped": "stopped",
	}
	heatStatuses = map[string]string{
		"on": "on", "用热": "on", "正常": "on", "suspended": "suspended", "报停": "suspended", "arrears": "arrears", "欠费停": "arrears", "欠费停热": "arrears",
		"not_opened": "not_opened", "未开通": "not_opened", "waiting_valve": "waiting_valve", "待开栓": "waiting_valve",
	}
	payments = map[string]string{
		"yes": "yes", "y": "yes", "true": "yes", "1": "yes", "是": "yes", "已缴": "yes", "已缴费": "yes", "已交": "yes",
		"no": "no", "n": "no", "false": "no", "0": "no", "否": "no", "未缴": "no", "未缴费": "no", "未交": "no", "欠费": "no",
		"part": "part", "部分": "part", "部分缴费": "part",
	}
	companyKinds = map[string]string{
		"company": "company", "供热企业": "company", "企业": "company", "housing_centre": "housing_centre", "房管中心": "housing_centre",
		"own_boiler": "own_boiler", "自备锅炉": "own_boiler", "自备锅炉房": "own_boiler",
	}
)

var decimal = regexp.MustCompile(`^[0-9]{1,8}(\.[0-9]{1,6})?$`)

// number reads an exact decimal and keeps it as text, without zeros that say nothing.
func number(n *notes, r record, column, cell string) string {
	if cell == "" {
		return ""
	}
	s := strings.ReplaceAll(cell, ",", "")
	if !decimal.MatchString(s) {
		n.fault(r.no, column, "register.bad_number", "value", cell)
		return ""
	}
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s = strings.TrimLeft(s, "0"); s == "" || s[0] == '.' {
		s = "0" + s
	}
	return s
}

func day(n *notes, r record, column, cell string) civil.Date {
	if cell == "" {
		return civil.Date{}
	}
	d, err := sheet.Day(cell)
	if err != nil {
		n.fault(r.no, column, "register.bad_day", "value", cell)
	}
	return d
}

func instant(n *notes, r record, column, cell string) civil.Instant {
	if cell == "" {
		return 0
	}
	at, err := sheet.Time(cell)
	if err != nil {
		n.fault(r.no, column, "register.bad_time", "value", cell)
	}
	return at
}

// key reads a cell that must not be empty.
func key(n *notes, r record, column string) string {
	s := r.get(column)
	if s == "" {
		n.fault(r.no, column, "field.required")
	} else if len([]rune(s)) > 100 || strings.ContainsAny(s, "|\n") {
		n.fault(r.no, column, "register.bad_key", "value", s)
	}
	return s
}

// within refuses cells that are too long to be meant.
func within(n *notes, r record, columns []sheet.Column) {
	for _, c := range columns {
		if len([]rune(r.get(c.Name))) > longest {
			n.fault(r.no, c.Name, "field.too_long", "max", longest)
		}
	}
}

func coordinates(lng, lat *float64) []string {
	if lng == nil || lat == nil {
		return []string{"", ""}
	}
	return []string{strconv.FormatFloat(*lng, 'f', 8, 64), strconv.FormatFloat(*lat, 'f', 8, 64)}
}

var orgCode = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)

// phones splits a cell with several numbers.
func phones(cell string) []string {
	return strings.FieldsFunc(cell, func(c rune) bool { return strings.ContainsRune(";；、,，/ ", c) })
}

// firstPhone is the number by which the holder is found: of several the first that can be dialled.
func firstPhone(cell string) string {
	for _, one := range phones(cell) {
		if place.MayDial(one) {
			return one
		}
	}
	return cell
}
