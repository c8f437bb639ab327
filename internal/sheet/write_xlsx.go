package sheet

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// sheetRows is how many rows one sheet of a workbook can hold.
const sheetRows = 1_048_576

// maxCell is how many characters one cell of a workbook can hold.
const maxCell = 32_767

// xlsxWriter writes a workbook from its first byte to its last: texts stand in their cells instead of in a list of all
// texts, and what names the sheets comes at the end. So a file of any length takes the memory of one row, and whoever
// waits for it gets its beginning at once.
type xlsxWriter struct {
	zip    *zip.Writer
	part   *bufio.Writer // of the sheet at hand
	header []any
	sheets int
	row    int
}

func newXLSX(w io.Writer, header []any) (*xlsxWriter, error) {
	x := &xlsxWriter{zip: zip.NewWriter(w), part: bufio.NewWriterSize(nil, 32<<10), header: header}
	x.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	err := x.parts( // first what tells programs that this ZIP is a workbook; sheets need no mention, however many come
		[2]string{"[Content_Types].xml", `<Types xmlns="` + ofPackage + `content-types">` +
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Default Extension="xml" ContentType="` + mediaType + `worksheet+xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="` + mediaType + `sheet.main+xml"/>` +
			`<Override PartName="/xl/styles.xml" ContentType="` + mediaType + `styles+xml"/></Types>`},
		[2]string{"_rels/.rels", `<Relationships xmlns="` + ofPackage + `relationships"><Relationship Id="workbook" Type="` + relations +
			`/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		[2]string{"xl/styles.xml", `<styleSheet ` + mainSpace + `><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>` +
			`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
			`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
			`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
			`<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs></styleSheet>`},
	)
	if err != nil {
		return nil, err
	}
	return x, x.sheet()
}

const (
	xmlHead   = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	mainSpace = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	relations = `http://schemas.openxmlformats.org/officeDocument/2006/relationships`
	ofPackage = `http://schemas.openxmlformats.org/package/2006/`
	mediaType = `application/vnd.openxmlformats-officedocument.spreadsheetml.`

	// sheetHead fixes the header, so that it stays in sight.
	sheetHead = xmlHead + `<worksheet ` + mainSpace + `><sheetViews><sheetView workbookViewId="0">` +
		`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>`
	sheetFoot = `</sheetData></worksheet>`
)

// sheet begins the next sheet, the header on top.
func (x *xlsxWriter) sheet() error {
	if err := x.endSheet(); err != nil {
		return err
	}
	x.sheets++
	w, err := x.zip.Create("xl/worksheets/sheet" + strconv.Itoa(x.sheets) + ".xml")
	if err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	x.part.Reset(w)
	x.put(sheetHead)
	x.row = 0
	return x.Row(x.header...)
}

// endSheet ends the sheet at hand, if there is one.
func (x *xlsxWriter) endSheet() error {
	if x.sheets == 0 {
		return nil
	}
	x.put(sheetFoot)
	if err := x.part.Flush(); err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	return nil
}

// Row implements Writer.
func (x *xlsxWriter) Row(cells ...any) error {
	if x.row >= sheetRows {
		if err := x.sheet(); err != nil {
			return err
		}
	}
	x.row++
	row := strconv.Itoa(x.row)
	x.put(`<row r="` + row + `">`)
	for i, v := range cells {
		if v != nil {
			x.cell(Letter(i)+row, v)
		}
	}
	if _, err := x.part.WriteString(`</row>`); err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	return nil
}

// put writes a piece; a bufio.Writer keeps its first error for the end of the row.
func (x *xlsxWriter) put(s string) { _, _ = x.part.WriteString(s) }

// cell writes one cell: numbers and truths as such, everything else as text.
func (x *xlsxWriter) cell(at string, v any) {
	switch n := v.(type) {
	case int:
		x.put(`<c r="` + at + `"><v>` + strconv.Itoa(n) + `</v></c>`)
	case int64:
		x.put(`<c r="` + at + `"><v>` + strconv.FormatInt(n, 10) + `</v></c>`)
	case bool:
		b := "0"
		if n {
			b = "1"
		}
		x.put(`<c r="` + at + `" t="b"><v>` + b + `</v></c>`)
	default:
		x.put(`<c r="` + at + `" t="inlineStr"><is><t xml:space="preserve">`)
		_ = xml.EscapeText(x.part, []byte(literal(short(spell(v))))) // its error is the writer's, which is kept
		x.put(`</t></is></c>`)
	}
}

// escaped is what a workbook would read as one character.
var escaped = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

// literal keeps a workbook from reading _x000D_ and the like as a character.
func literal(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	return escaped.ReplaceAllString(s, "_x005F$0")
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

// Close implements Writer: it ends the last sheet and adds the parts that name the sheets.
func (x *xlsxWriter) Close() error {
	if err := x.endSheet(); err != nil {
		return err
	}
	var sheets, links strings.Builder
	for i := range x.sheets {
		n := strconv.Itoa(i + 1)
		sheets.WriteString(`<sheet name="Sheet` + n + `" sheetId="` + n + `" r:id="rId` + n + `"/>`)
		links.WriteString(`<Relationship Id="rId` + n + `" Type="` + relations + `/worksheet" Target="worksheets/sheet` + n + `.xml"/>`)
	}
	err := x.parts(
		[2]string{"xl/workbook.xml", `<workbook ` + mainSpace + ` xmlns:r="` + relations + `"><sheets>` + sheets.String() + `</sheets></workbook>`},
		[2]string{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="` + ofPackage + `relationships">` + links.String() +
			`<Relationship Id="styles" Type="` + relations + `/styles" Target="styles.xml"/></Relationships>`},
	)
	if err != nil {
		return err
	}
	if err := x.zip.Close(); err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	return nil
}

// parts writes whole parts of the workbook: name and content.
func (x *xlsxWriter) parts(list ...[2]string) error {
	for _, p := range list {
		w, err := x.zip.Create(p[0])
		if err == nil {
			_, err = io.WriteString(w, xmlHead+p[1])
		}
		if err != nil {
			return fmt.Errorf("write a table: %w", err)
		}
	}
	return nil
}
