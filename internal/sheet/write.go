package sheet

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

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

// sheetRows is how many rows one sheet of a workbook can hold.
const sheetRows = 1_048_576

// maxCell is how many characters one cell of a workbook can hold.
const maxCell = 32_767

type xlsxWriter struct {
	w      io.Writer
	f      *excelize.File
	s      *excelize.StreamWriter
	header []any
	sheets int
	row    int
}

func newXLSX(w io.Writer, header []any) (*xlsxWriter, error) {
	x := &xlsxWriter{w: w, f: excelize.NewFile(), header: header}
	return x, x.sheet()
}

// sheet begins the next sheet, the header on top and fixed.
func (x *xlsxWriter) sheet() error {
	x.sheets++
	name := "Sheet" + strconv.Itoa(x.sheets)
	if x.sheets > 1 {
		if err := x.s.Flush(); err != nil {
			return fmt.Errorf("write a table: %w", err)
		}
		if _, err := x.f.NewSheet(name); err != nil {
			return fmt.Errorf("write a table: %w", err)
		}
	}
	var err error
	if x.s, err = x.f.NewStreamWriter(name); err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	if err := x.s.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	x.row = 0
	return x.Row(x.header...)
}

// Row implements Writer.
func (x *xlsxWriter) Row(cells ...any) error {
	if x.row >= sheetRows {
		if err := x.sheet(); err != nil {
			return err
		}
	}
	row := make([]any, len(cells))
	for i, v := range cells {
		switch n := v.(type) {
		case nil, int, int64, bool:
			row[i] = n
		default:
			row[i] = short(spell(v))
		}
	}
	x.row++
	if err := x.s.SetRow("A"+strconv.Itoa(x.row), row); err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	return nil
}

// short cuts what a cell cannot hold and shows that it did.
func short(s string) string {
	if len(s) <= maxCell {
		return s
	}
	r := []rune(s)
	if len(r) <= maxCell {
		return s
	}
	return string(r[:maxCell-1]) + "…"
}

// Close implements Writer.
func (x *xlsxWriter) Close() error {
	defer x.f.Close()
	if err := x.s.Flush(); err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	if _, err := x.f.WriteTo(x.w); err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	return nil
}
