package sheet

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/rehu-heat/rehu/internal/fault"
)

// Open reads a file of either kind, told by its content; name is for messages.
func Open(name string, r io.Reader) (Reader, error) { return OpenWith(name, r, Limits{}) }

// OpenWith is Open with limits.
func OpenWith(name string, r io.Reader, l Limits) (Reader, error) {
	l = l.withDefaults()
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(8)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, broken(name, err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return openXLSX(name, b, l)
	case bytes.HasPrefix(head, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return nil, fault.New(fault.Invalid, "sheet.old_xls", "file", name)
	}
	return openCSV(name, b, l)
}

func broken(name string, cause error) error {
	if _, is := errors.AsType[*fault.Error](cause); is {
		return cause
	}
	return fault.Wrap(cause, fault.Invalid, "sheet.broken", "file", name)
}

type csvReader struct {
	name   string
	l      Limits
	budget *budget
	r      *csv.Reader
	header []string
	number int
	row    []string
}

func openCSV(name string, b *bufio.Reader, l Limits) (Reader, error) {
	text := bufio.NewReaderSize(decoded(b), 64<<10)
	c := &csvReader{name: name, l: l}
	sample, _ := text.Peek(4 << 10) // an error shows again when the rows are read
	c.budget = &budget{r: text}
	c.r = csv.NewReader(c.budget)
	c.r.Comma = separator(sample)
	c.r.FieldsPerRecord = -1
	c.r.ReuseRecord = true
	for c.header == nil {
		row, err := c.record()
		if errors.Is(err, io.EOF) {
			return nil, fault.New(fault.Invalid, "sheet.empty", "file", name)
		}
		if err != nil {
			return nil, err
		}
		if !blank(row) {
			c.header = headerOf(row)
		}
	}
	c.row = make([]string, len(c.header))
	return c, nil
}

// Header implements Reader.
func (c *csvReader) Header() []string { return c.header }

// Close implements Reader.
func (c *csvReader) Close() error { return nil }

// Next implements Reader.
func (c *csvReader) Next() ([]string, int, error) {
	for {
		row, err := c.record()
		if err != nil {
			return nil, c.number, err
		}
		if blank(row) {
			continue
		}
		return fit(row, c.row, c.number)
	}
}

// record reads one record, which must be whole, of good text and within the limits.
func (c *csvReader) record() ([]string, error) {
	c.budget.left = int64(c.l.Cell)*4 + 128<<10 // the reader fetches ahead
	row, err := c.r.Read()
	c.number++
	switch e, isParse := errors.AsType[*csv.ParseError](err); {
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case errors.Is(err, errTooLong):
		return nil, fault.New(fault.Invalid, "sheet.row_too_long", "row", c.number)
	case isParse:
		return nil, fault.Wrap(err, fault.Invalid, "sheet.bad_quote", "row", c.number, "line", e.Line)
	case err != nil:
		return nil, broken(c.name, err)
	case c.number > c.l.Rows:
		return nil, fault.New(fault.Invalid, "sheet.too_many_rows", "max", c.l.Rows)
	case len(row) > c.l.Columns:
		return nil, fault.New(fault.Invalid, "sheet.too_many_columns", "row", c.number, "max", c.l.Columns)
	}
	for i, cell := range row {
		if err := checkCell(cell, c.number, i, c.l); err != nil {
			return nil, err
		}
		row[i] = unguard(strings.TrimSpace(cell))
	}
	return row, nil
}

func checkCell(cell string, row, column int, l Limits) error {
	switch {
	case len(cell) > l.Cell:
		return fault.New(fault.Invalid, "sheet.cell_too_long", "row", row, "column", Letter(column))
	case !utf8.ValidString(cell), strings.ContainsRune(cell, utf8.RuneError), strings.ContainsRune(cell, 0):
		return fault.New(fault.Invalid, "sheet.bad_text", "row", row, "column", Letter(column))
	}
	return nil
}

func blank(row []string) bool {
	for _, c := range row {
		if c != "" {
			return false
		}
	}
	return true
}

func headerOf(row []string) []string {
	h := make([]string, len(row))
	for i, c := range row {
		h[i] = strings.Clone(strings.TrimPrefix(c, "\ufeff"))
	}
	for len(h) > 0 && h[len(h)-1] == "" {
		h = h[:len(h)-1]
	}
	return h
}

// fit gives a row exactly the header's width.
func fit(row, into []string, number int) ([]string, int, error) {
	clear(into)
	for i, c := range row {
		if i < len(into) {
			into[i] = c
		} else if c != "" {
			return nil, number, fault.New(fault.Invalid, "sheet.cell_without_header", "row", number, "column", Letter(i))
		}
	}
	return into, number, nil
}

// separator is what the first line separates its cells with: the sign that stands there most, outside quotes.
func separator(sample []byte) rune {
	counts := map[rune]int{}
	quoted := false
	for _, b := range sample {
		if b == '"' {
			quoted = !quoted
		}
		if b == '\n' && !quoted && len(counts) > 0 {
			break
		}
		if !quoted && (b == ',' || b == ';' || b == '\t') {
			counts[rune(b)]++
		}
	}
	best := ','
	for _, r := range []rune{';', '\t'} {
		if counts[r] > counts[best] {
			best = r
		}
	}
	return best
}

var errTooLong = errors.New("a record is too long")

// budget stops a record that never ends, such as one with a quote that is not closed.
type budget struct {
	r    io.Reader
	left int64
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	return n, err
}

// decoded gives UTF-8. A byte order mark decides; otherwise the first bytes that are not ASCII do, wherever they stand.
func decoded(b *bufio.Reader) io.Reader {
	head, _ := b.Peek(3) // an error shows again when the rows are read
	switch {
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		_, _ = b.Discard(3) // they were just seen
		return b
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return transform.NewReader(b, unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder())
	}
	return &guess{b: b}
}

// guess passes ASCII on and decides between UTF-8 and GB 18030 when it meets anything else.
type guess struct {
	b       *bufio.Reader
	decided io.Reader
}

func (g *guess) Read(p []byte) (int, error) {
	if g.decided != nil {
		return g.decided.Read(p)
	}
	if g.b.Buffered() == 0 {
		if _, err := g.b.Peek(1); err != nil {
			return 0, err
		}
	}
	chunk, _ := g.b.Peek(min(g.b.Buffered(), len(p)))
	i := bytes.IndexFunc(chunk, func(r rune) bool { return r >= utf8.RuneSelf })
	if i < 0 {
		return g.b.Read(p[:len(chunk)])
	}
	if i > 0 {
		return g.b.Read(p[:i])
	}
	sample, _ := g.b.Peek(32 << 10) // as much as there is
	g.decided = g.b
	if !looksUTF8(sample) {
		g.decided = transform.NewReader(g.b, simplifiedchinese.GB18030.NewDecoder())
	}
	return g.decided.Read(p)
}

// looksUTF8 tells UTF-8, also with a broken place or two, which are then reported where they stand: hardly a pair of GB
// 18030's bytes is a character of UTF-8.
func looksUTF8(b []byte) bool {
	good, bad := 0, 0
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1 && utf8.FullRune(b):
			bad++
		case n > 1:
			good++
		}
		b = b[n:]
	}
	return good >= bad
}
