package paper_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os/exec"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/paper"
	"github.com/rehu-heat/rehu/internal/text"
)

func print(t *testing.T, d paper.Document) []byte {
	t.Helper()
	var p paper.Press
	var b bytes.Buffer
	if err := p.Print(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read is the text of a PDF as poppler reads it; without poppler the document is still made, and its text goes unread.
func read(t *testing.T, pdf []byte) string {
	t.Helper()
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Log("no pdftotext here: the text of the document is not read back")
		return ""
	}
	cmd := exec.Command(tool, "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("read the document: %v", err)
	}
	return string(out)
}

func drawing(w, h int) []byte {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for x := range w {
		m.Set(x, h/2, color.Black)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func record(rows int) paper.Document {
	var lines [][]string
	for i := range rows {
		lines = append(lines, []string{fmt.Sprint(i + 1), "2026-01-10 19:30", "客厅", "17.5 ℃", fmt.Sprintf("仪器%03d号", i+1)})
	}
	return paper.Document{
		Language: text.ZH, Issuer: "暖城市热力有限公司", Title: "居民室内温度检测记录单", Number: "测20260110-0001", Footer: "一式两份",
		Blocks: []paper.Block{
			paper.Pairs{Two: true, Pairs: []paper.Pair{{"用户", "张喆"}, {"地址", "和平街道幸福里小区3号楼2单元601室"}, {"检测人", "李𬭎、王㛃"}}},
			paper.Heading{Text: "读数"},
			paper.Table{Columns: []paper.Column{{Title: "序号", Width: 1, Align: paper.Centre}, {Title: "时间", Width: 3}, {Title: "房间", Width: 2}, {Title: "室温", Width: 2, Align: paper.Right}, {Title: "仪器", Width: 3}}, Rows: lines},
			paper.Picture{Data: drawing(1200, 800), Caption: "仪器显示", Width: 60, Height: 40},
			paper.Signatures{Signatures: []paper.Signature{{Label: "用户签字", Name: "张喆（本人）", Drawn: drawing(300, 100)}, {Label: "检测人签字"}, {Label: "见证人签字"}}},
			paper.Seal{Place: "暖城市热力有限公司", Date: "2026年1月10日", Note: "（盖章）"},
			paper.Code{Content: "https://rehu.example/v/abc", Caption: "扫码核对"},
		},
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	var p paper.Press
	for rows, want := range map[int]int{0: 1, 10: 2, 100: 4, 400: 13} {
		got, err := p.Pages(record(rows))
		if err != nil || got != want {
			t.Errorf("%d rows: %d pages, %v; want %d", rows, got, err, want)
		}
	}
}

// TestTableOverPages: each page repeats the header, each row stands once, each page says which it is.
func TestTableOverPages(t *testing.T) {
	t.Parallel()
	pages := strings.Split(strings.TrimSuffix(read(t, print(t, record(100))), "\f"), "\f")
	if pages[0] == "" {
		return
	}
	if len(pages) != 4 {
		t.Fatalf("%d pages", len(pages))
	}
	all := strings.Join(pages, "")
	for i := 1; i <= 100; i++ {
		if n := strings.Count(all, fmt.Sprintf("仪器%03d号", i)); n != 1 {
			t.Errorf("row %d stands %d times", i, n)
		}
	}
	for i, page := range pages {
		if strings.Contains(page, "客厅") && strings.Count(page, "序号") != 1 {
			t.Errorf("page %d has no header:\n%s", i+1, page)
		}
		if want := fmt.Sprintf("第 %d 页，共 4 页", i+1); !strings.Contains(page, want) {
			t.Errorf("page %d does not say %q", i+1, want)
		}
	}
}

func TestSameDocumentSameBytes(t *testing.T) {
	t.Parallel()
	if !bytes.Equal(print(t, record(40)), print(t, record(40))) {
		t.Error("two prints of one document differ")
	}
	other := record(40)
	other.Number = "测20260110-0002"
	if bytes.Equal(print(t, record(40)), print(t, other)) {
		t.Error("two documents print alike")
	}
}

// TestRareNames: ideographs beyond GB 2312 print from the second font, and what no font has is named by its number.
func TestRareNames(t *testing.T) {
	t.Parallel()
	d := paper.Document{Language: text.ZH, Title: "罕见字", Blocks: []paper.Block{paper.Paragraph{Text: "张喆 王㛃 李龘 陈䶮 吴𠮷 ☃"}}}
	got := read(t, print(t, d))
	if got == "" {
		return
	}
	for _, want := range []string{"喆", "㛃", "龘", "䶮", "吴〓", "U+20BB7, U+2603"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not on the sheet:\n%s", want, got)
		}
	}
	plain := read(t, print(t, paper.Document{Title: "普通", Blocks: []paper.Block{paper.Paragraph{Text: "室温18.5℃，面积88.20㎡"}}}))
	if strings.Contains(plain, "〓") || !strings.Contains(plain, "室温18.5℃，面积88.20㎡") {
		t.Errorf("the plain sheet reads:\n%s", plain)
	}
}

// TestLongCell: a cell higher than a page goes on over pages and ends.
func TestLongCell(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("供热质量不达标的原因说明。", 600) + "完毕"
	d := paper.Document{Title: strings.Repeat("很长的标题", 20), Number: strings.Repeat("A", 300), Blocks: []paper.Block{
		paper.Pairs{Pairs: []paper.Pair{{"说明", long}, {strings.Repeat("长名", 40), "值"}}},
		paper.Table{Columns: []paper.Column{{Title: "甲", Width: 1}, {Title: "乙"}}, Rows: [][]string{{"一", "二", "三"}, {}}},
	}}
	var p paper.Press
	if n, err := p.Pages(d); err != nil || n < 5 || n > 12 {
		t.Fatalf("%d pages, %v", n, err)
	}
	if got := read(t, print(t, d)); got != "" && (!strings.Contains(strings.Join(strings.Fields(got), ""), "完毕") || strings.Count(got, "原因说明")+strings.Count(got, "供热质量") < 600) {
		t.Error("text of the long cell is lost")
	}
}

func TestOfficial(t *testing.T) {
	t.Parallel()
	d := paper.Document{
		Style: paper.Official, Issuer: "暖城市供热主管部门", Title: "督办单", Number: "督办〔2026〕12号",
		Blocks: []paper.Block{paper.Paragraph{Text: strings.Repeat("请于2026年1月13日18时前将办理情况书面反馈。", 60), Indent: true}, paper.Seal{Place: "暖城市供热主管部门", Date: "2026年1月12日"}},
	}
	got := read(t, print(t, d))
	if got == "" {
		return
	}
	for _, want := range []string{"督办〔2026〕12号", "—1—", "—3—", "2026年1月12日"} {
		if !strings.Contains(strings.ReplaceAll(got, " ", ""), want) {
			t.Errorf("%q is not on the sheet:\n%s", want, got)
		}
	}
}

func TestBadPicture(t *testing.T) {
	t.Parallel()
	var p paper.Press
	for name, data := range map[string][]byte{"empty": nil, "no picture": []byte("GIF89a"), "cut": drawing(100, 100)[:60]} {
		d := paper.Document{Title: "照片", Blocks: []paper.Block{paper.Picture{Data: data, Width: 50, Height: 50}}}
		if err := p.Print(&bytes.Buffer{}, d); err == nil {
			t.Errorf("%s: printed", name)
		}
	}
}

func BenchmarkPrint(b *testing.B) {
	var p paper.Press
	d := record(10)
	for b.Loop() {
		if err := p.Print(&bytes.Buffer{}, d); err != nil {
			b.Fatal(err)
		}
	}
}
