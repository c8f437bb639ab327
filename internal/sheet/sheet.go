// Package sheet reads and writes the tables that offices send each other: CSV as their programs really save it (UTF-8 or
// GB 18030, commas, semicolons or tabs) and XLSX.
//
// Reading goes row by row in bounded memory; whatever is wrong names its row and column as the spreadsheet shows them. What
// is written can be opened without harm: a cell that a spreadsheet would run as a formula gets an apostrophe in front,
// which reading takes away again.
package sheet

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Reader gives the rows of a table.
type Reader interface {
	// Header is the first row that is not empty, spaces trimmed.
	Header() []string
	// Next is the next row that is not empty, as many cells as the header, and its number as the spreadsheet shows it;
	// io.EOF after the last. Rows may be reused by the next call.
	Next() (row []string, number int, err error)
	// Close frees what reading holds.
	Close() error
}

// Limits bound what a file may hold. The zero value of each stands for its default.
type Limits struct {
	Bytes    int64 // of an XLSX file as sent; 64 MB
	Unzipped int64 // of one part of an XLSX file; 1 GB, read as a stream
	Strings  int64 // of an XLSX file's table of texts, which is held in memory; 64 MB
	Rows     int   // 10,000,000
	Columns  int   // 200
	Cell     int   // bytes of one cell; 131,072
}

func (l Limits) withDefaults() Limits {
	or(&l.Bytes, 64<<20)
	or(&l.Unzipped, 1<<30)
	or(&l.Strings, 64<<20)
	or(&l.Rows, 10_000_000)
	or(&l.Columns, 200)
	or(&l.Cell, 131_072)
	return l
}

func or[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

// plainNumber is what stays a number although it starts with a sign.
var plainNumber = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?%?$`)

// runs tells a text that a spreadsheet may run as a formula.
func runs(s string) bool {
	if s == "" {
		return false
	}
	if c := s[0]; c == '\t' || c == '\r' || c == '\n' {
		return true
	}
	s = strings.TrimLeft(s, " \u00a0\u3000")
	r, _ := utf8.DecodeRuneInString(s)
	return strings.ContainsRune("=+-@＝＋－＠", r) && r != utf8.RuneError && !plainNumber.MatchString(s)
}

// Guard makes a text harmless in a spreadsheet.
func Guard(s string) string {
	if runs(s) {
		return "'" + s
	}
	return s
}

// unguard takes away what Guard put.
func unguard(s string) string {
	if rest, ok := strings.CutPrefix(s, "'"); ok && runs(rest) {
		return rest
	}
	return s
}

// Column is a name that a header may carry: the contract's, or what offices call it.
type Column struct {
	Name     string
	Aliases  []string
	Required bool // the column must be there
}

// Index finds cells by column name.
type Index struct {
	at      map[string]int
	Unknown []string // headers that no column claims
}

// Match maps a header to columns. A required column that is missing, and a column that stands twice, are faults.
func Match(header []string, columns ...Column) (Index, error) {
	x := Index{at: map[string]int{}}
	claims := map[string]string{}
	for _, c := range columns {
		claims[fold(c.Name)] = c.Name
		for _, a := range c.Aliases {
			claims[fold(a)] = c.Name
		}
	}
	var check fault.Check
	for i, h := range header {
		name, known := claims[fold(h)]
		if !known {
			if h != "" {
				x.Unknown = append(x.Unknown, h)
			}
			continue
		}
		if first, twice := x.at[name]; twice {
			check.Add(name, "sheet.column_twice", "column", name, "first", Letter(first), "second", Letter(i))
			continue
		}
		x.at[name] = i
	}
	for _, c := range columns {
		if _, ok := x.at[c.Name]; c.Required && !ok {
			check.Add(c.Name, "sheet.column_missing", "column", c.Name)
		}
	}
	return x, check.Err()
}

// fold makes two spellings of a header one: case, spaces, full-width letters, stars of "required" columns.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			r -= '！' - '!'
		case r == '\u3000':
			return -1
		}
		switch {
		case r == ' ' || r == '*' || r == '\t' || r == '\n':
			return -1
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// Has reports whether the file has the column.
func (x Index) Has(name string) bool { _, ok := x.at[name]; return ok }

// Get is the cell of a column, empty when the file has no such column.
func (x Index) Get(row []string, name string) string {
	i, ok := x.at[name]
	if !ok || i >= len(row) {
		return ""
	}
	return row[i]
}

// Letter names a column, counted from 0, as spreadsheets do: A to Z, then AA.
func Letter(i int) string {
	s := ""
	for i++; i > 0; i = (i - 1) / 26 {
		s = string(rune('A'+(i-1)%26)) + s
	}
	return s
}

var timeForms = []string{"2006-1-2 15:4:5", "2006-1-2 15:4", "2006-1-2T15:4:5", "2006-1-2T15:4"}

// Time reads a time as offices write it: 2026-01-15 08:00, 2026/1/15 8:00:05, 2026年1月15日 8时5分, or RFC 3339.
func Time(s string) (civil.Instant, error) {
	if at, err := civil.ParseInstant(s); err == nil {
		return at, nil
	}
	plain := plainDate(s)
	for _, f := range timeForms {
		if t, err := time.ParseInLocation(f, plain, civil.Zone); err == nil {
			return civil.At(t), nil
		}
	}
	if d, err := Day(s); err == nil {
		return d.Start(), nil
	}
	return 0, fmt.Errorf("not a time like 2026-01-15 08:00: %q", s)
}

// Day reads a day as offices write it: 2026-01-15, 2026/1/15, 2026.1.15, 20260115, 2026年1月15日.
func Day(s string) (civil.Date, error) {
	plain := plainDate(s)
	for _, f := range []string{"2006-1-2", "20060102", "2006-1-2 0:0:0", "2006-1-2 00:00:00"} {
		if t, err := time.Parse(f, plain); err == nil {
			return civil.DateOf(t), nil
		}
	}
	return civil.Date{}, fmt.Errorf("not a day like 2026-01-15: %q", s)
}

// plainDate brings the signs of a date to dashes and colons.
func plainDate(s string) string {
	s = strings.NewReplacer("年", "-", "月", "-", "日", " ", "时", ":", "分", ":", "秒", "", "/", "-", ".", "-", "：", ":").Replace(strings.TrimSpace(s))
	return strings.TrimRight(strings.Join(strings.Fields(s), " "), ":-")
}
