package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/fault"
)

// xlsxReader reads the first sheet of a workbook as a stream. The parts are read directly, since numbers must come as they
// are stored (a telephone is not 1.38E+10) and times as times, whatever the cell's format shows.
type xlsxReader struct {
	name   string
	l      Limits
	texts  []string
	times  []bool // by cell style: the number is a day or a time
	old    bool   // days count from 1904
	part   *limited
	d      *xml.Decoder
	header []string
	row    []string
	cells  []string
	number int
}

func openXLSX(name string, r io.Reader, l Limits) (Reader, error) {
	raw, err := io.ReadAll(io.LimitReader(r, l.Bytes+1))
	if err != nil {
		return nil, broken(name, err)
	}
	if int64(len(raw)) > l.Bytes {
		return nil, fault.New(fault.Invalid, "sheet.too_big", "file", name, "max", l.Bytes>>20)
	}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, broken(name, err)
	}
	x := &xlsxReader{name: name, l: l}
	sheet, err := x.workbook(z)
	if err == nil {
		err = x.sharedTexts(z)
	}
	if err == nil {
		err = x.styles(z)
	}
	if err == nil {
		x.part, err = x.open(z, sheet, l.Unzipped)
	}
	if err != nil {
		return nil, broken(name, err)
	}
	x.d = xml.NewDecoder(x.part)
	if err := x.readHeader(); err != nil {
		_ = x.part.Close() // the first fault is the one to tell
		return nil, err
	}
	return x, nil
}

func (x *xlsxReader) readHeader() error {
	for x.header == nil {
		err := x.record()
		if errors.Is(err, io.EOF) {
			return fault.New(fault.Invalid, "sheet.empty", "file", x.name)
		}
		if err != nil {
			return err
		}
		if !blank(x.cells) {
			x.header = headerOf(x.cells)
		}
	}
	x.row = make([]string, len(x.header))
	return nil
}

// Header implements Reader.
func (x *xlsxReader) Header() []string { return x.header }

// Close implements Reader.
func (x *xlsxReader) Close() error { return x.part.Close() }

// Next implements Reader.
func (x *xlsxReader) Next() ([]string, int, error) {
	for {
		if err := x.record(); err != nil {
			return nil, x.number, err
		}
		if !blank(x.cells) {
			return fit(x.cells, x.row, x.number)
		}
	}
}

// limited refuses a part that unzips to more than it may, whatever its header says, and a row that never ends.
type limited struct {
	io.ReadCloser
	left int64 // of the part
	row  int64 // of the row
	name string
}

// maxRow is how many bytes of XML one row, or one text, may take.
const maxRow = 16 << 20

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 || l.row <= 0 {
		return 0, fault.New(fault.Invalid, "sheet.bomb", "file", l.name)
	}
	n, err := l.ReadCloser.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	l.row -= int64(n)
	return n, err
}

// isBomb tells a part that is compressed further than any real table.
func isBomb(f *zip.File, most int64) bool {
	return f.UncompressedSize64 > uint64(most) || f.UncompressedSize64 > 16<<20 && f.UncompressedSize64/200 > f.CompressedSize64
}

var errNoPart = errors.New("the workbook lacks a part")

func (x *xlsxReader) open(z *zip.Reader, name string, most int64) (*limited, error) {
	for _, f := range z.File {
		if !strings.EqualFold(strings.TrimPrefix(f.Name, "/"), name) {
			continue
		}
		if isBomb(f, most) {
			return nil, fault.New(fault.Invalid, "sheet.bomb", "file", x.name)
		}
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		return &limited{r, most, maxRow, x.name}, nil
	}
	return nil, errNoPart
}

// small reads a part that describes the workbook.
func (x *xlsxReader) small(z *zip.Reader, name string, into any) error {
	r, err := x.open(z, name, 16<<20)
	if err != nil {
		return err
	}
	defer r.Close()
	return xml.NewDecoder(r).Decode(into)
}

// workbook finds the first visible sheet.
func (x *xlsxReader) workbook(z *zip.Reader) (string, error) {
	var book struct {
		Props struct {
			Old string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			State string `xml:"state,attr"`
			ID    string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
		} `xml:"sheets>sheet"`
	}
	var rels struct {
		All []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if err := x.small(z, "xl/workbook.xml", &book); err != nil {
		return "", err
	}
	if err := x.small(z, "xl/_rels/workbook.xml.rels", &rels); err != nil {
		return "", err
	}
	x.old = book.Props.Old == "1" || book.Props.Old == "true"
	for _, s := range book.Sheets {
		if s.State != "" && s.State != "visible" {
			continue
		}
		for _, r := range rels.All {
			if r.ID == s.ID && strings.HasPrefix(r.Target, "/") {
				return strings.TrimPrefix(r.Target, "/"), nil
			}
			if r.ID == s.ID {
				return path.Join("xl", r.Target), nil
			}
		}
	}
	return "", errNoPart
}

// richText is a text that may consist of runs; readings aids (rPh) are not part of it.
type richText struct {
	T    string `xml:"t"`
	Runs []struct {
		T string `xml:"t"`
	} `xml:"r"`
}

func (r richText) String() string {
	var s strings.Builder
	s.WriteString(r.T)
	for _, run := range r.Runs {
		s.WriteString(run.T)
	}
	return s.String()
}

func (x *xlsxReader) sharedTexts(z *zip.Reader) error {
	part, err := x.open(z, "xl/sharedStrings.xml", x.l.Strings)
	if errors.Is(err, errNoPart) {
		return nil
	}
	if err != nil {
		return err
	}
	defer part.Close()
	d := xml.NewDecoder(part)
	for {
		part.row = maxRow
		start, err := element(d, "si")
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var t richText
		if err := d.DecodeElement(&t, &start); err != nil {
			return err
		}
		x.texts = append(x.texts, t.String())
	}
}

// element goes on to the next start of an element.
func element(d *xml.Decoder, name string) (xml.StartElement, error) {
	for {
		t, err := d.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		if s, ok := t.(xml.StartElement); ok && s.Name.Local == name {
			return s.Copy(), nil
		}
	}
}

func (x *xlsxReader) styles(z *zip.Reader) error {
	var s struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Cells []struct {
			Format int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	err := x.small(z, "xl/styles.xml", &s)
	if errors.Is(err, errNoPart) {
		return nil
	}
	if err != nil {
		return err
	}
	custom := map[int]bool{}
	for _, f := range s.Formats {
		custom[f.ID] = isTimeFormat(f.Code)
	}
	for _, c := range s.Cells {
		own, isCustom := custom[c.Format]
		x.times = append(x.times, own || !isCustom && isTimeID(c.Format))
	}
	return nil
}

// isTimeID tells the built-in formats of days and times, the East Asian ones included.
func isTimeID(id int) bool {
	return id >= 14 && id <= 22 || id >= 27 && id <= 36 || id >= 45 && id <= 47 || id >= 50 && id <= 58
}

// isTimeFormat tells a format of days or times: one with y, m, d, h or s outside quotes, brackets and escapes.
func isTimeFormat(code string) bool {
	quoted, bracket := false, false
	for i := 0; i < len(code); i++ {
		switch c := code[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\\' || c == '_':
			i++
		case c == '[':
			bracket = true
		case c == ']':
			bracket = false
		case !bracket && strings.IndexByte("ymdhsYMDHS", c) >= 0:
			return true
		}
	}
	return false
}

// cell is one cell as stored.
type cell struct {
	Ref    string   `xml:"r,attr"`
	Type   string   `xml:"t,attr"`
	Style  int      `xml:"s,attr"`
	Value  string   `xml:"v"`
	Inline richText `xml:"is"`
}

// record reads the next row into x.cells.
func (x *xlsxReader) record() error {
	x.part.row = maxRow
	start, err := element(x.d, "row")
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	if err != nil {
		return broken(x.name, err)
	}
	x.number++
	for _, a := range start.Attr {
		if a.Name.Local == "r" {
			if n, err := strconv.Atoi(a.Value); err == nil && n >= x.number {
				x.number = n
			}
		}
	}
	if x.number > x.l.Rows {
		return fault.New(fault.Invalid, "sheet.too_many_rows", "max", x.l.Rows)
	}
	x.cells = x.cells[:0]
	for {
		t, err := x.d.Token()
		if err != nil {
			return broken(x.name, err)
		}
		switch t := t.(type) {
		case xml.EndElement:
			if t.Name.Local == "row" {
				return nil
			}
		case xml.StartElement:
			if t.Name.Local != "c" {
				continue
			}
			if err := x.cell(t); err != nil {
				return err
			}
		}
	}
}

func (x *xlsxReader) cell(start xml.StartElement) error {
	var c cell
	if err := x.d.DecodeElement(&c, &start); err != nil {
		return broken(x.name, err)
	}
	at := len(x.cells)
	if n := column(c.Ref); n >= 0 {
		at = n
	}
	if at >= x.l.Columns {
		return fault.New(fault.Invalid, "sheet.too_many_columns", "row", x.number, "max", x.l.Columns)
	}
	value, ok := x.value(c)
	if !ok {
		return fault.New(fault.Invalid, "sheet.bad_cell", "row", x.number, "column", Letter(at))
	}
	if err := checkCell(value, x.number, at, x.l); err != nil {
		return err
	}
	for len(x.cells) <= at {
		x.cells = append(x.cells, "")
	}
	x.cells[at] = unguard(strings.TrimSpace(value))
	return nil
}

// column reads the letters of a reference such as AB12; -1 when there are none.
func column(ref string) int {
	n := 0
	for i := 0; i < len(ref) && ref[i] >= 'A' && ref[i] <= 'Z' && n < 1<<20; i++ {
		n = n*26 + int(ref[i]-'A') + 1
	}
	return n - 1
}

// value is what a cell holds as text; false when the cell is an error such as #REF! or points nowhere.
func (x *xlsxReader) value(c cell) (string, bool) {
	switch c.Type {
	case "s":
		i, err := strconv.Atoi(c.Value)
		if err != nil || i < 0 || i >= len(x.texts) {
			return "", false
		}
		return x.texts[i], true
	case "inlineStr":
		return c.Inline.String(), true
	case "b":
		return map[bool]string{true: "true", false: "false"}[c.Value == "1"], true
	case "e":
		return "", false
	case "str", "d":
		return c.Value, true
	}
	if c.Value == "" {
		return "", true
	}
	if c.Style >= 0 && c.Style < len(x.times) && x.times[c.Style] {
		return x.moment(c.Value)
	}
	return plain(c.Value), true
}

// plain spells a stored number without an exponent.
func plain(s string) string {
	if !strings.ContainsAny(s, "eE") && len(s) < 16 {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	if !strings.ContainsAny(s, "eE.") {
		return s // a long whole number is kept digit by digit
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// moment turns days since 1899-12-30 (or 1904-01-01) into a day, or a day and a time of the city's clock.
func (x *xlsxReader) moment(s string) (string, bool) {
	days, err := strconv.ParseFloat(s, 64)
	if err != nil || days < 0 || days > 2_958_466 {
		return "", false
	}
	from := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if x.old {
		from = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	whole := int(days)
	seconds := int((days-float64(whole))*86400 + 0.5)
	t := from.AddDate(0, 0, whole).Add(time.Duration(seconds) * time.Second)
	switch {
	case whole == 0:
		return t.Format("15:04:05"), true
	case seconds == 0:
		return t.Format("2006-01-02"), true
	}
	return t.Format("2006-01-02 15:04:05"), true
}
