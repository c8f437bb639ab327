// Package calendar knows which days people work and answers "by when?": when the five hours of the repair crew are over,
// when the three working days of an office end, how much is left of a limit that was paused.
//
// A due time is the first instant that is late; people read it as 24:00 of the day before when it is midnight. A day whose
// year is not yet announced by the State Council is unknown: a due time that depends on it stays empty and says which year is
// missing, and nothing is guessed. Everything here is a function of values: no clock and no database. A Calendar is never
// changed; With gives a new one.
package calendar

import (
	"embed"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
)

//go:embed holidays/*.json
var embedded embed.FS

// Calendar tells working days from days off, for the years it has been given.
type Calendar struct {
	years map[int]Year
	days  map[civil.Date]mark // what the years' entries say about single days, after overrides
}

// mark is what one entry says about a day.
type mark struct {
	name string
	off  bool
}

// DayInfo is what the calendar says about one day.
type DayInfo struct {
	Date   civil.Date `json:"date"`
	Known  bool       `json:"known"` // false: the year's announcement is missing, and the rest says nothing
	Work   bool       `json:"work"`
	Name   string     `json:"name,omitempty"`    // the public holiday that the day belongs to or makes up for
	MakeUp bool       `json:"make_up,omitempty"` // a weekend day on which people work
}

var builtIn = sync.OnceValue(func() *Calendar {
	entries, err := embedded.ReadDir("holidays")
	if err != nil {
		panic(err) // the files are part of the binary: a broken one fails every test
	}
	var years []Year
	for _, e := range entries {
		name := e.Name()
		if len(name) != len("2026.json") {
			continue
		}
		b, err := embedded.ReadFile("holidays/" + name)
		if err != nil {
			panic(err)
		}
		y, err := ParseYear(b)
		if err != nil {
			panic(err)
		}
		years = append(years, y)
	}
	return (&Calendar{}).With(years...)
})

// Embedded is the calendar of the announcements that the program was built with.
func Embedded() *Calendar { return builtIn() }

// With gives a calendar in which the years replace those of the same number. Entries that an operator switched off stay
// off, whatever a later file says.
func (c *Calendar) With(years ...Year) *Calendar {
	n := &Calendar{years: maps.Clone(c.years)}
	if n.years == nil {
		n.years = map[int]Year{}
	}
	for _, y := range years {
		if old, ok := n.years[y.Year]; ok {
			y = old.Replace(y)
		}
		n.years[y.Year] = y
	}
	n.index()
	return n
}

// index lays the years' entries over each other: about a day of year Y the file of Y+1 is heard first (its announcement is
// the later one), then the file of Y, then the file of Y-1.
func (c *Calendar) index() {
	c.days = map[civil.Date]mark{}
	for _, shift := range []int{1, 0, -1} { // the strongest last
		for _, y := range c.years {
			for _, d := range y.Days {
				if !d.Off && d.Date.Year == y.Year+shift {
					c.days[d.Date] = mark{name: d.Name, off: d.IsOffDay}
				}
			}
		}
	}
}

// Years lists the years whose file is there, in order.
func (c *Calendar) Years() []int { return slices.Sorted(maps.Keys(c.years)) }

// Year gives a year's file as the calendar uses it, switched-off entries included.
func (c *Calendar) Year(year int) (Year, bool) {
	y, ok := c.years[year]
	y.Days = slices.Clone(y.Days)
	return y, ok
}

// IsWorkday reports whether people work on the day, and whether the calendar knows it at all.
func (c *Calendar) IsWorkday(d civil.Date) (work, known bool) {
	if _, known = c.years[d.Year]; !known {
		return false, false
	}
	if m, ok := c.days[d]; ok {
		return !m.off, true
	}
	return !weekend(d), true
}

// DayInfo tells everything about a day.
func (c *Calendar) DayInfo(d civil.Date) DayInfo {
	i := DayInfo{Date: d}
	if i.Work, i.Known = c.IsWorkday(d); !i.Known {
		return i
	}
	if m, ok := c.days[d]; ok {
		i.Name, i.MakeUp = m.name, !m.off && weekend(d)
	}
	return i
}

func weekend(d civil.Date) bool {
	w := d.Weekday()
	return w == time.Saturday || w == time.Sunday
}

// FirstDays is the end of "the first n days" of a season: 24:00 of the n-th day after the day on which it starts.
func FirstDays(seasonStart civil.Instant, n int) civil.Instant {
	return seasonStart.Date().AddDays(n).End()
}
