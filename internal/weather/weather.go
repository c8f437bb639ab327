// Package weather keeps how cold it was outside, hour by hour, as the city's weather service gives it: the figure beside
// which the day's calls are read.
//
// An hour has one temperature: what is recorded again replaces what stood there, and readings within an hour count for that
// hour. Nothing is filled in: an hour without a reading stays without one.
package weather

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/sheet"
)

// Reading is the temperature outside in one hour.
type Reading struct {
	City   int            `db:"city_id" json:"-"`
	At     civil.Instant  `db:"at" json:"at"` // the beginning of the hour
	C      celsius.Tenths `db:"temp_c" json:"temp_c"`
	Source string         `db:"source" json:"source"`
}

// Record is what somebody hands over.
type Record struct {
	City     int       `json:"-"`
	Source   string    `json:"source"`
	Readings []Reading `json:"readings"`
}

// The bounds of what may be recorded: tenths of a degree, and a winter's hours at once.
const (
	coldest = -600
	warmest = 600
	most    = 10_000
)

const hour = civil.Instant(time.Hour / time.Millisecond)

// hourOf is the beginning of the hour that an instant lies in. Chinese legal time is a whole number of hours from UTC.
func hourOf(at civil.Instant) civil.Instant { return at - at%hour }

func (r Record) check() error {
	var c fault.Check
	c.That(len(r.Readings) > 0, "readings", "field.required")
	c.That(len(r.Readings) <= most, "readings", "weather.too_many", "max", most)
	c.That(strings.TrimSpace(r.Source) != "", "source", "field.required")
	for _, one := range r.Readings {
		c.That(!one.At.IsZero(), "readings.at", "field.required")
		c.That(one.C >= coldest && one.C <= warmest, "readings.temp_c", "field.out_of_range", "min", coldest/10, "max", warmest/10)
	}
	return c.Err()
}

// byHour is the readings by their hours; of several in one hour the last is kept.
func (r Record) byHour() []Reading {
	at := map[civil.Instant]int{}
	var out []Reading
	for _, one := range r.Readings {
		one.City, one.At, one.Source = r.City, hourOf(one.At), strings.TrimSpace(r.Source)
		if n, ok := at[one.At]; ok {
			out[n] = one
			continue
		}
		at[one.At] = len(out)
		out = append(out, one)
	}
	return out
}

// Read reads a table with the columns time and temp_c.
func Read(name string, from io.Reader) ([]Reading, error) {
	t, err := sheet.Open(name, from)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	x, err := sheet.Match(t.Header(), sheet.Column{Name: "time", Aliases: []string{"时间"}, Required: true},
		sheet.Column{Name: "temp_c", Aliases: []string{"气温", "室外温度"}, Required: true})
	if err != nil {
		return nil, err
	}
	var out []Reading
	for {
		row, n, err := t.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		var one Reading
		if one.At, err = sheet.Time(x.Get(row, "time")); err == nil {
			one.C, err = celsius.Parse(strings.TrimSpace(x.Get(row, "temp_c")))
		}
		if err != nil {
			return nil, fault.Wrap(fmt.Errorf("row %d: %w", n, err), fault.Invalid, "weather.bad_row", "row", n)
		}
		if out = append(out, one); len(out) > most {
			return nil, fault.New(fault.Invalid, "weather.too_many", "max", most)
		}
	}
}
