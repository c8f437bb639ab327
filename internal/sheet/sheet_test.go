package sheet_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
)

// read gives a whole file as its rows with their numbers in front, the header as row 0.
func read(r io.Reader) ([][]string, error) {
	s, err := sheet.Open("f", r)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	out := [][]string{append([]string{"0"}, s.Header()...)}
	for {
		row, n, err := s.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, append([]string{fmt.Sprint(n)}, row...))
	}
}

func encode(t *testing.T, e encoding.Encoding, s string) []byte {
	t.Helper()
	b, err := e.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCSVAsOfficesSaveIt(t *testing.T) {
	t.Parallel()
	want := [][]string{{"0", "姓名", "小区", "备注"}, {"2", "张三", "春晖苑", "暖气\n不热"}, {"4", "李四", "䶮城", ""}}
	plain := "姓名,小区,备注\n 张三 ,春晖苑,\"暖气\n不热\"\n,,\n李四,䶮城\n"
	utf16 := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	for name, file := range map[string][]byte{
		"UTF-8":          []byte(plain),
		"UTF-8 with BOM": []byte("\ufeff" + plain),
		"CRLF":           []byte(strings.ReplaceAll(plain, "\n", "\r\n")),
		"GB 18030":       encode(t, simplifiedchinese.GB18030, plain),
		"UTF-16":         encode(t, utf16, strings.ReplaceAll(plain, ",", "\t")),
		"semicolons":     []byte(strings.ReplaceAll(plain, ",", ";")),
		"tabs":           []byte(strings.ReplaceAll(plain, ",", "\t")),
	} {
		got, err := read(bytes.NewReader(file))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func TestGB18030AfterALongASCIIStart(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("ticket_no,text\n")
	for i := range 20000 {
		fmt.Fprintf(&b, "%d,no heat\n", i)
	}
	b.WriteString("20000,不热\n")
	for name, file := range map[string][]byte{"GB 18030": encode(t, simplifiedchinese.GB18030, b.String()), "UTF-8": []byte(b.String())} {
		got, err := read(bytes.NewReader(file))
		if err != nil || len(got) != 20002 || got[20001][2] != "不热" {
			t.Errorf("%s: %d rows, %v, last %v", name, len(got), err, got[len(got)-1])
		}
	}
}

func TestEncodingSurvivesAnyCut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.SampledFrom([]rune("春晖苑供热不暖气ab1")), 1, 40, -1).Draw(t, "word")
		pad := strings.Repeat("x", rapid.IntRange(32<<10-64, 32<<10+64).Draw(t, "pad"))
		got, err := read(strings.NewReader("a,b\n供热" + pad + "," + word + "\n"))
		if err != nil || got[1][2] != word {
			t.Fatalf("%v %v", got, err)
		}
	})
}

func TestFaultsNameTheirPlace(t *testing.T) {
	t.Parallel()
	long := "a,b\n1," + strings.Repeat("长", 60_000) + "\n"
	for name, c := range map[string]struct{ file, key, where string }{
		"broken UTF-8":   {"a,b\n好,好\n好,\xff好\n", "sheet.bad_text", "row=3"},
		"NUL":            {"a,b\n1,2\x00\n", "sheet.bad_text", "column=B row=2"},
		"open quote":     {"a,b\n1,\"2\n3,4\n", "sheet.bad_quote", "row=2"},
		"stray quote":    {"a,b\n1,2\n1,x\"y\n", "sheet.bad_quote", "row=3"},
		"endless quote":  {"a,b\n1,\"" + strings.Repeat("z", 2<<20), "sheet.row_too_long", "row=2"},
		"cell too long":  {long, "sheet.cell_too_long", "column=B row=2"},
		"extra cell":     {"a,b\n1,2,3\n", "sheet.cell_without_header", "column=C row=2"},
		"too wide":       {strings.Repeat("a,", 300) + "\n", "sheet.too_many_columns", "row=1"},
		"empty":          {"", "sheet.empty", ""},
		"blank":          {"\n,,\n \n", "sheet.empty", ""},
		"old xls":        {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "sheet.old_xls", ""},
		"not really zip": {"PK\x03\x04 whatever", "sheet.broken", ""},
	} {
		_, err := read(strings.NewReader(c.file))
		f := fault.Of(err)
		if f.Kind != fault.Invalid || f.Key != c.key || !strings.Contains(f.Error(), c.where) {
			t.Errorf("%s: %v; want %s with %s", name, err, c.key, c.where)
		}
		if said := text.Fault(text.ZH, f); said == f.Key || strings.Contains(said, "{") {
			t.Errorf("%s says %q", name, said)
		}
	}
}

func TestRowLimit(t *testing.T) {
	t.Parallel()
	s, err := sheet.OpenWith("f", strings.NewReader("a\n1\n2\n3\n"), sheet.Limits{Rows: 3})
	if err != nil {
		t.Fatal(err)
	}
	for want := range 2 {
		if _, n, err := s.Next(); err != nil || n != want+2 {
			t.Fatalf("row %d: %d %v", want, n, err)
		}
	}
	if _, _, err := s.Next(); fault.Of(err).Key != "sheet.too_many_rows" {
		t.Errorf("fourth row: %v", err)
	}
}

func TestXLSXKeepsWhatIsStored(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	date, _ := f.NewStyle(&excelize.Style{NumFmt: 14})
	chinese := `yyyy"年"m"月"d"日" h:mm`
	moment, _ := f.NewStyle(&excelize.Style{CustomNumFmt: &chinese})
	sum, _ := f.NewStyle(&excelize.Style{NumFmt: 4})
	for cell, v := range map[string]any{
		"A1": "电话", "B1": "账号", "C1": "受理时间", "D1": "日期", "E1": "面积", "F1": "备注", "G1": "已缴",
		"A2": 13812345678, "B2": "0012345678901234567", "C2": 46037.354166666664, "D2": 46037, "E2": 95.04, "F2": "'=1+1", "G2": true,
		"A5": 3.5112345678e11, "F5": "=x", "B5": " 空格 ",
	} {
		if err := f.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	f.SetCellStyle("Sheet1", "C2", "C2", moment)
	f.SetCellStyle("Sheet1", "D2", "D2", date)
	f.SetCellStyle("Sheet1", "E2", "E2", sum)
	f.SetCellRichText("Sheet1", "E5", []excelize.RichTextRun{{Text: "十"}, {Text: "度"}})
	f.SetCellFormula("Sheet1", "D5", "1+1")
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := read(&b)
	want := [][]string{
		{"0", "电话", "账号", "受理时间", "日期", "面积", "备注", "已缴"},
		{"2", "13812345678", "0012345678901234567", "2026-01-15 08:30:00", "2026-01-15", "95.04", "=1+1", "true"},
		{"5", "351123456780", "空格", "", "", "十度", "=x", ""},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

// workbook makes an XLSX by hand around the XML of one sheet.
func workbook(t *testing.T, sheetXML func(w io.Writer)) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, body := range map[string]string{
		"xl/workbook.xml": `<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>` +
			`<sheet name="h" state="hidden" r:id="r9"/><sheet name="s" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>`,
	} {
		w, _ := z.Create(name)
		io.WriteString(w, body)
	}
	w, _ := z.Create("xl/worksheets/sheet1.xml")
	io.WriteString(w, `<worksheet><sheetData><row r="1"><c t="inlineStr"><is><t>a</t></is></c></row>`)
	sheetXML(w)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

func TestXLSXThatMeansHarm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body func(w io.Writer)
		key  string
	}{
		"bomb": {func(w io.Writer) {
			io.WriteString(w, "<row><c><v>")
			zeros := bytes.Repeat([]byte("0"), 1<<20)
			for range 40 {
				w.Write(zeros)
			}
			io.WriteString(w, "</v></c></row>")
		}, "sheet.bomb"},
		"huge row that compresses badly": {func(w io.Writer) {
			io.WriteString(w, "<row>")
			x := uint64(1)
			for i := range 700_000 {
				x = x*6364136223846793005 + uint64(i)
				fmt.Fprintf(w, "<x>%d</x>", x)
			}
			io.WriteString(w, "</row>")
		}, "sheet.bomb"},
		"far column": {func(w io.Writer) {
			io.WriteString(w, `<row r="2"><c r="XFD2"><v>1</v></c></row></sheetData></worksheet>`)
		}, "sheet.too_many_columns"},
		"bad reference": {func(w io.Writer) {
			io.WriteString(w, `<row r="2"><c r="A2" t="s"><v>7</v></c></row></sheetData></worksheet>`)
		}, "sheet.bad_cell"},
		"error value": {func(w io.Writer) {
			io.WriteString(w, `<row r="2"><c r="A2" t="e"><v>#REF!</v></c></row></sheetData></worksheet>`)
		}, "sheet.bad_cell"},
		"cut off":      {func(w io.Writer) { io.WriteString(w, `<row r="2"><c r="A2"><v>1`) }, "sheet.broken"},
		"row 99999999": {func(w io.Writer) { io.WriteString(w, `<row r="99999999"><c><v>1</v></c></row>`) }, "sheet.too_many_rows"},
	} {
		if _, err := read(workbook(t, c.body)); fault.Of(err).Key != c.key {
			t.Errorf("%s: %v; want %s", name, err, c.key)
		}
	}
}

func TestFormulasDoNotRun(t *testing.T) {
	t.Parallel()
	evil := []string{"=HYPERLINK(\"http://x\")", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)", "\t=1", "\r=1", " =1+1", "＝1+1", "-老人在家"}
	for _, s := range evil {
		if got := sheet.Guard(s); got != "'"+s {
			t.Errorf("Guard(%q) = %q; want an apostrophe in front", s, got)
		}
	}
	for _, s := range []string{"", "-5", "+86", "-17.9", "12%", "春晖苑", "3-2-601", "a=b", "'引号"} {
		if got := sheet.Guard(s); got != s {
			t.Errorf("Guard(%q) = %q; want it untouched", s, got)
		}
	}
	for _, f := range []sheet.Format{sheet.CSV, sheet.XLSX} {
		var b bytes.Buffer
		w, err := sheet.NewWriter(&b, f, "备注", "=header")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range evil {
			if err := w.Row(s, s); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if f == sheet.CSV {
			for i, line := range strings.Split(b.String(), "\n") {
				if cell := strings.TrimLeft(line, "\ufeff\""); cell != "" && i > 0 && !strings.HasPrefix(cell, "'") && strings.ContainsRune("=+-@", rune(cell[0])) {
					t.Errorf("line %d of the CSV begins a formula: %q", i, line)
				}
			}
		}
		got, err := read(bytes.NewReader(b.Bytes()))
		if err != nil || len(got) != len(evil)+1 || got[0][2] != "=header" || got[1][1] != evil[0] {
			t.Errorf("%s read back: %d rows, %v: %q", f, len(got), err, got)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestWritingValues(t *testing.T) {
	t.Parallel()
	at := civil.On(civil.NewDate(2026, time.January, 15), 8, 30)
	for _, f := range []sheet.Format{sheet.CSV, sheet.XLSX} {
		var b bytes.Buffer
		w, err := sheet.NewWriter(&b, f, "a", "b", "c", "d", "e", "f", "g", "h")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Row("换\r\n行\x01", 7, int64(-8), at, at.Date(), celsius.Tenths(-5), money.Fen(-9504), nil); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := read(&b)
		want := []string{"2", "换\n行", "7", "-8", "2026-01-15 08:30:00", "2026-01-15", "-0.5", "-95.04", ""}
		if err != nil || cmp.Diff(want, got[1]) != "" {
			t.Errorf("%s: %v %s", f, err, cmp.Diff(want, got[1]))
		}
	}
	if _, err := sheet.NewWriter(broken{}, sheet.CSV, "a"); err == nil {
		t.Error("writing to nowhere gives no error")
	}
}

// TestWorkbookIsOneForOthers reads what is written with another program's eyes.
func TestWorkbookIsOneForOthers(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w, err := sheet.NewWriter(&b, sheet.XLSX, "编号", "内容")
	if err != nil {
		t.Fatal(err)
	}
	rows := [][]any{{7, "  前后有空格  "}, {int64(-8), "a<b&\"c\"\n第二行\t_x000D_ 不是回车"}, {true, strings.Repeat("热", 40_000)}, {nil, ""}}
	for _, r := range rows {
		if err := w.Row(r...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := f.GetRows("Sheet1", excelize.Options{RawCellValue: true})
	want := [][]string{{"编号", "内容"}, {"7", "  前后有空格  "}, {"-8", "a<b&\"c\"\n第二行\t_x000D_ 不是回车"}, {"1", strings.Repeat("热", 32_766) + "…"}}
	if err != nil || cmp.Diff(want, got[:4]) != "" {
		t.Errorf("%v %s", err, cmp.Diff(want, got))
	}
	if p, err := f.GetPanes("Sheet1"); err != nil || !p.Freeze || p.YSplit != 1 {
		t.Errorf("the header is not fixed: %+v, %v", p, err)
	}
}

// TestWorkbookStreams writes more rows than a sheet holds: they reach the other side while they come, and the rest stands on
// a second sheet.
func TestWorkbookStreams(t *testing.T) {
	t.Parallel()
	const rows = 1_048_576 // and the header
	var b bytes.Buffer
	w, err := sheet.NewWriter(&b, sheet.XLSX, "n")
	if err != nil {
		t.Fatal(err)
	}
	early := 0
	for i := range rows {
		if err := w.Row(i); err != nil {
			t.Fatal(err)
		}
		if i == rows/2 {
			early = b.Len()
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if early < b.Len()/3 {
		t.Errorf("after half the rows %d bytes were passed on, in the end %d", early, b.Len())
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	second, err := fs.ReadFile(z, "xl/worksheets/sheet2.xml")
	if want := `<row r="1"><c r="A1" t="inlineStr"><is><t xml:space="preserve">n</t></is></c></row><row r="2"><c r="A2"><v>1048575</v></c></row></sheetData>`; err != nil || !strings.Contains(string(second), want) {
		t.Errorf("second sheet: %v %s", err, second)
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	columns := []sheet.Column{{Name: "name", Aliases: []string{"小区名称", "小区"}, Required: true}, {Name: "district", Aliases: []string{"区县"}}, {Name: "phone", Required: true}}
	x, err := sheet.Match([]string{" 小区 名称*", "ＰＨＯＮＥ", "颜色", ""}, columns...)
	if err != nil || !x.Has("name") || x.Has("district") {
		t.Fatalf("%+v, %v", x, err)
	}
	row := []string{"春晖苑", "138", "红"}
	if x.Get(row, "name") != "春晖苑" || x.Get(row, "phone") != "138" || x.Get(row, "district") != "" || cmp.Diff([]string{"颜色"}, x.Unknown) != "" {
		t.Errorf("%+v", x)
	}
	_, err = sheet.Match([]string{"小区", "name"}, columns...)
	var keys []string
	for _, f := range fault.Of(err).Fields {
		keys = append(keys, f.Name+" "+f.Key)
	}
	if diff := cmp.Diff([]string{"name sheet.column_twice", "phone sheet.column_missing"}, keys); diff != "" {
		t.Error(diff)
	}
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 701: "ZZ", 702: "AAA"} {
		if got := sheet.Letter(i); got != want {
			t.Errorf("Letter(%d) = %s; want %s", i, got, want)
		}
	}
}

func TestTimesAsOfficesWriteThem(t *testing.T) {
	t.Parallel()
	want := civil.On(civil.NewDate(2026, time.January, 5), 8, 5)
	for _, s := range []string{"2026-01-05 08:05", "2026/1/5 8:05", "2026/1/5 8:05:00", "2026年1月5日 8时5分", "2026年1月5日8:05", "2026.1.5 8:05", "2026-01-05T08:05:00+08:00", "2026-01-05T00:05:00Z"} {
		if got, err := sheet.Time(s); err != nil || got != want {
			t.Errorf("Time(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"2026-01-05", "2026/1/5", "2026.1.5", "20260105", "2026年1月5日", "2026-01-05 00:00:00"} {
		if got, err := sheet.Day(s); err != nil || got != want.Date() {
			t.Errorf("Day(%q) = %v, %v; want %v", s, got, err, want.Date())
		}
	}
	for _, s := range []string{"", "2026-02-30", "昨天", "1/5/2026", "2026-01-05 25:00"} {
		if got, err := sheet.Time(s); err == nil {
			t.Errorf("Time(%q) = %v; want an error", s, got)
		}
	}
}

func BenchmarkReadXLSX(b *testing.B) {
	var buf bytes.Buffer
	w, _ := sheet.NewWriter(&buf, sheet.XLSX, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
	for i := range 20000 {
		w.Row(i, "春晖苑", "3号楼", "2单元", "601", "张三", "13812345678", 95, "室温低", "不热")
	}
	w.Close()
	for b.Loop() {
		if rows, err := read(bytes.NewReader(buf.Bytes())); err != nil || len(rows) != 20001 {
			b.Fatal(err)
		}
	}
}
