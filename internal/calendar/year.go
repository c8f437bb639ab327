package calendar

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Bounds of what a calendar takes.
const (
	firstYear = 2000 // before this the working week and the legal time were different
	lastYear  = 2199
	nameRunes = 40
)

// Year is one year's announcement of public holidays and make-up workdays, as files have it.
type Year struct {
	Year   int      `json:"year"`
	Papers []string `json:"papers,omitempty"` // where it was announced
	Days   []Day    `json:"days"`
}

// Day is one entry of a year.
type Day struct {
	Name     string     `json:"name"`
	Date     civil.Date `json:"date"`
	IsOffDay bool       `json:"isOffDay"`      // false: a weekend day on which people work
	Off      bool       `json:"off,omitempty"` // switched off by an operator: the entry is wrong and counts for nothing
}

// Replace gives the newer file of the same year with the entries switched off that are switched off in y. They stay on
// record even when the newer file lacks them, so that the one after it cannot bring them back.
func (y Year) Replace(newer Year) Year {
	days := slices.Clone(newer.Days)
	for _, old := range y.Days {
		if !old.Off {
			continue
		}
		i := slices.IndexFunc(days, old.same)
		if i < 0 {
			days = append(days, old)
			continue
		}
		days[i].Off = true
	}
	newer.Days = days
	return newer
}

// same compares what entries say, not what they are called: a feed that corrects an entry is heard.
func (d Day) same(e Day) bool { return d.Date == e.Date && d.IsOffDay == e.IsOffDay }

// Switch gives the year with one entry switched off or on again; NotFound when there is no such entry.
func (y Year) Switch(date civil.Date, isOffDay, off bool) (Year, error) {
	i := slices.IndexFunc(y.Days, Day{Date: date, IsOffDay: isOffDay}.same)
	if i < 0 {
		return y, fault.New(fault.NotFound, "calendar.no_entry", "date", date.String())
	}
	y.Days = slices.Clone(y.Days)
	y.Days[i].Off = off
	return y, y.Check()
}

// Check collects what is wrong with the year; field names are those of the file.
func (y Year) Check() error {
	var c fault.Check
	c.That(y.Year >= firstYear && y.Year <= lastYear, "year", "field.out_of_range", "min", firstYear, "max", lastYear)
	active := map[civil.Date]bool{}
	seen := map[Day]bool{}
	for i, d := range y.Days {
		at := "days." + strconv.Itoa(i)
		c.That(strings.TrimSpace(d.Name) != "", at+".name", "field.required")
		c.That(utf8.RuneCountInString(d.Name) <= nameRunes, at+".name", "field.too_long", "max", nameRunes)
		if d.Date.IsZero() {
			c.Add(at+".date", "field.required")
			continue
		}
		c.That(d.Date.Year >= y.Year-1 && d.Date.Year <= y.Year+1, at+".date", "calendar.date_outside",
			"date", d.Date.String(), "min", y.Year-1, "max", y.Year+1)
		what := Day{Date: d.Date, IsOffDay: d.IsOffDay}
		c.That(!seen[what] && (d.Off || !active[d.Date]), at+".date", "calendar.date_twice", "date", d.Date.String())
		seen[what] = true
		active[d.Date] = active[d.Date] || !d.Off
	}
	return c.Err()
}

// ParseYear reads a year's file `{"year","days":[{"name","date","isOffDay"}]}` and names the field of everything that is
// wrong with it.
func ParseYear(b []byte) (Year, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(b) {
		return Year{}, fault.New(fault.Invalid, "field.bad_text")
	}
	var file struct {
		Schema string             `json:"$schema"`
		ID     string             `json:"$id"`
		Year   *int               `json:"year"`
		Papers []string           `json:"papers"`
		Days   *[]json.RawMessage `json:"days"`
	}
	var c fault.Check
	if err := strict(b, &file); err != nil {
		wrong(&c, "", err)
		return Year{}, c.Err()
	}
	c.That(file.Year != nil, "year", "field.required")
	c.That(file.Days != nil && len(*file.Days) > 0, "days", "field.required")
	if !c.OK() {
		return Year{}, c.Err()
	}
	y := Year{Year: *file.Year, Papers: file.Papers, Days: make([]Day, 0, len(*file.Days))}
	if c.That(len(*file.Days) <= 3*366, "days", "calendar.too_many", "max", 3*366); !c.OK() {
		return Year{}, c.Err()
	}
	for i, raw := range *file.Days {
		y.Days = append(y.Days, parseDay(&c, "days."+strconv.Itoa(i), raw))
	}
	if !c.OK() {
		return Year{}, c.Err()
	}
	return y, y.Check()
}

func parseDay(c *fault.Check, at string, raw []byte) Day {
	var e struct {
		Name     *string `json:"name"`
		Date     *string `json:"date"`
		IsOffDay *bool   `json:"isOffDay"`
		Off      bool    `json:"off"`
	}
	if err := strict(raw, &e); err != nil {
		wrong(c, at, err)
		return Day{}
	}
	c.That(e.Name != nil, at+".name", "field.required")
	c.That(e.IsOffDay != nil, at+".isOffDay", "field.required")
	if !c.That(e.Date != nil, at+".date", "field.required") || e.Name == nil || e.IsOffDay == nil {
		return Day{}
	}
	d, err := civil.ParseDate(*e.Date)
	c.That(err == nil, at+".date", "calendar.no_such_day", "text", clip(*e.Date))
	return Day{Name: *e.Name, Date: d, IsOffDay: *e.IsOffDay, Off: e.Off}
}

func strict(b []byte, to any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more text after the value")
	}
	return nil
}

// wrong turns what the JSON reader says into a message about a field.
func wrong(c *fault.Check, at string, err error) {
	join := func(name string) string { return strings.Trim(at+"."+name, ".") }
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		c.Add(join(t.Field), "calendar.wrong_type", "got", t.Value)
		return
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		name, _ = strconv.Unquote(name)
		c.Add(join(name), "field.unknown", "name", name)
		return
	}
	c.Add(join(""), "calendar.not_json")
}

// clip keeps foreign text in a message short.
func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
