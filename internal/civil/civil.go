// Package civil holds the times people read: instants and days, always in the city's zone.
//
// The whole of China keeps one legal time, so every city's zone is Asia/Shanghai. An instant is stored as Unix
// milliseconds on both databases (text timestamps compare as text on SQLite) and written in JSON as RFC 3339 with the
// city's offset; a day is stored and written as YYYY-MM-DD.
package civil

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // the binary runs on machines without a zone database
)

// Zone is the legal time of every Chinese city.
var Zone = mustZone("Asia/Shanghai")

func mustZone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		return time.FixedZone("CST", 8*3600)
	}
	return z
}

// Instant is a moment in Unix milliseconds. Zero means absent.
type Instant int64

// At gives the instant of a time.
func At(t time.Time) Instant {
	if t.IsZero() {
		return 0
	}
	return Instant(t.UnixMilli())
}

// On gives the instant of a clock reading on a day in the city's zone; hour may be 24.
func On(d Date, hour, minute int) Instant {
	return At(time.Date(d.Year, d.Month, d.Day, hour, minute, 0, 0, Zone))
}

// ParseInstant reads RFC 3339, or a local time without offset (the city's), to the minute or to the second.
func ParseInstant(s string) (Instant, error) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return At(t), nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, s, Zone); err == nil {
			return At(t), nil
		}
	}
	return 0, fmt.Errorf("not a time like 2026-01-15T08:00: %q", s)
}

// IsZero reports whether the instant is absent.
func (i Instant) IsZero() bool { return i == 0 }

// Time is the instant in the city's zone.
func (i Instant) Time() time.Time { return time.UnixMilli(int64(i)).In(Zone) }

// Date is the day the instant falls on in the city's zone.
func (i Instant) Date() Date { return DateOf(i.Time()) }

// Add moves the instant.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d.Milliseconds()) }

// Sub is the time from j to i.
func (i Instant) Sub(j Instant) time.Duration { return time.Duration(i-j) * time.Millisecond }

// Before and After compare instants.
func (i Instant) Before(j Instant) bool { return i < j }

// After reports whether i is later than j.
func (i Instant) After(j Instant) bool { return i > j }

// String is RFC 3339 with the city's offset, to the second unless there are milliseconds; empty when absent.
func (i Instant) String() string {
	if i == 0 {
		return ""
	}
	if i%1000 != 0 {
		return i.Time().Format("2006-01-02T15:04:05.000Z07:00")
	}
	return i.Time().Format(time.RFC3339)
}

// Minute is the form people read on a page, YYYY-MM-DD HH:MM (国办发〔2017〕47号); empty when absent.
func (i Instant) Minute() string {
	if i == 0 {
		return ""
	}
	return i.Time().Format("2006-01-02 15:04")
}

// Clock is HH:MM.
func (i Instant) Clock() string {
	if i == 0 {
		return ""
	}
	return i.Time().Format("15:04")
}

// MonthDayClock is MM-DD HH:MM, for dense tables.
func (i Instant) MonthDayClock() string {
	if i == 0 {
		return ""
	}
	return i.Time().Format("01-02 15:04")
}

// MarshalJSON writes RFC 3339 with the city's offset, null when absent.
func (i Instant) MarshalJSON() ([]byte, error) {
	if i == 0 {
		return []byte("null"), nil
	}
	return []byte(`"` + i.String() + `"`), nil
}

// UnmarshalJSON reads what ParseInstant reads, or null.
func (i *Instant) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*i = 0
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("a time must be a string: %w", err)
	}
	return i.UnmarshalText([]byte(s))
}

// UnmarshalText reads what ParseInstant reads; empty is absent.
func (i *Instant) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*i = 0
		return nil
	}
	v, err := ParseInstant(string(b))
	if err != nil {
		return err
	}
	*i = v
	return nil
}

// MarshalText writes what String writes.
func (i Instant) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// Value stores Unix milliseconds, NULL when absent.
func (i Instant) Value() (driver.Value, error) {
	if i == 0 {
		return nil, nil
	}
	return int64(i), nil
}

// Scan reads Unix milliseconds or NULL.
func (i *Instant) Scan(v any) error {
	switch x := v.(type) {
	case nil:
		*i = 0
	case int64:
		*i = Instant(x)
	default:
		return fmt.Errorf("civil.Instant: cannot read %T", v)
	}
	return nil
}

// Date is a day of the calendar. Its zero value means absent.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the day of t in t's own zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// NewDate normalises like time.Date does: NewDate(2026, 1, 32) is 1 February.
func NewDate(y int, m time.Month, d int) Date {
	return DateOf(time.Date(y, m, d, 0, 0, 0, 0, time.UTC))
}

// ParseDate reads YYYY-MM-DD and refuses days that do not exist.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse("2006-01-02", strings.TrimSpace(s))
	if err != nil {
		return Date{}, fmt.Errorf("not a day like 2026-01-15: %q", s)
	}
	return DateOf(t), nil
}

// IsZero reports whether the day is absent.
func (d Date) IsZero() bool { return d == Date{} }

// String is YYYY-MM-DD, empty when absent.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// Start is 0:00 of the day in the city's zone.
func (d Date) Start() Instant { return On(d, 0, 0) }

// End is 24:00 of the day: the first instant of the next.
func (d Date) End() Instant { return d.AddDays(1).Start() }

// AddDays moves by natural days.
func (d Date) AddDays(n int) Date { return NewDate(d.Year, d.Month, d.Day+n) }

// AddMonths moves by months; a day that the month lacks becomes its last one.
func (d Date) AddMonths(n int) Date {
	first := NewDate(d.Year, d.Month+time.Month(n), 1)
	last := NewDate(first.Year, first.Month+1, 0).Day
	return Date{first.Year, first.Month, min(d.Day, last)}
}

// DaysUntil counts natural days from d to e; negative when e is earlier.
func (d Date) DaysUntil(e Date) int { return int(e.utc().Sub(d.utc()).Hours() / 24) }

func (d Date) utc() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

// Before reports whether d is an earlier day than e.
func (d Date) Before(e Date) bool { return d.utc().Before(e.utc()) }

// After reports whether d is a later day than e.
func (d Date) After(e Date) bool { return d.utc().After(e.utc()) }

// MarshalText writes YYYY-MM-DD.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads YYYY-MM-DD; empty is absent.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	v, err := ParseDate(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// MarshalJSON writes a string, null when absent.
func (d Date) MarshalJSON() ([]byte, error) {
	if d.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + d.String() + `"`), nil
}

// UnmarshalJSON reads a string or null.
func (d *Date) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*d = Date{}
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("a day must be a string: %w", err)
	}
	return d.UnmarshalText([]byte(s))
}

// Value stores TEXT, NULL when absent.
func (d Date) Value() (driver.Value, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.String(), nil
}

// Scan reads TEXT or NULL.
func (d *Date) Scan(v any) error {
	switch x := v.(type) {
	case nil:
		*d = Date{}
		return nil
	case string:
		return d.UnmarshalText([]byte(x))
	case []byte:
		return d.UnmarshalText(x)
	default:
		return fmt.Errorf("civil.Date: cannot read %T", v)
	}
}
