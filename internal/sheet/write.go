package sheet

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
)

// Writer takes the rows of a table, one at a time, and never holds them all.
type Writer interface {
	// Row adds a row: texts, numbers, times, or anything with a String method; nil is an empty cell.
	Row(cells ...any) error
	// Close writes what is left. It does not close what is written to.
	Close() error
}

// Format is a kind of file.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// MediaType is what HTTP calls the format.
func (f Format) MediaType() string {
	if f == XLSX {
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return "text/csv; charset=utf-8"
}

// NewWriter starts a file of a format with its header row.
func NewWriter(w io.Writer, f Format, header ...string) (Writer, error) {
	cells := make([]any, len(header))
	for i, h := range header {
		cells[i] = h
	}
	var out Writer = newCSV(w)
	if f == XLSX {
		var err error
		if out, err = newXLSX(w, cells); err != nil {
			return nil, err
		}
		return out, nil
	}
	return out, out.Row(cells...)
}

// flushEvery keeps a slow export moving: rows between two writes to the network.
const flushEvery = 500

type csvWriter struct {
	w    io.Writer
	c    *csv.Writer
	row  []string
	rows int
}

func newCSV(w io.Writer) *csvWriter {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	return &csvWriter{w: w, c: c}
}

// Row implements Writer.
func (c *csvWriter) Row(cells ...any) error {
	if c.rows == 0 {
		if _, err := io.WriteString(c.w, "\ufeff"); err != nil { // spreadsheets take a file without it for GBK
			return fmt.Errorf("write a table: %w", err)
		}
	}
	c.row = c.row[:0]
	for _, v := range cells {
		c.row = append(c.row, spell(v))
	}
	if err := c.c.Write(c.row); err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	if c.rows++; c.rows%flushEvery == 0 {
		c.c.Flush()
		return c.c.Error()
	}
	return nil
}

// Close implements Writer.
func (c *csvWriter) Close() error {
	c.c.Flush()
	return c.c.Error()
}

// spell writes a value as text: texts guarded, everything else as itself.
func spell(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return Guard(strings.ReplaceAll(clean(x), "\r\n", "\n"))
	case int:
		return strconv.Itoa(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case bool:
		return strconv.FormatBool(x)
	case civil.Instant:
		if x.IsZero() {
			return ""
		}
		return x.Time().Format("2006-01-02 15:04:05")
	case fmt.Stringer:
		return Guard(clean(x.String()))
	}
	return Guard(clean(fmt.Sprint(v)))
}

// clean drops characters that no spreadsheet can hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}
