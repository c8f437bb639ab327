package web_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

// keep puts a PDF beside the pictures that people look at.
func keep(t *testing.T, name, pdf string) {
	t.Helper()
	if !strings.HasPrefix(pdf, "%PDF-") {
		t.Errorf("%s is no PDF", name)
	}
	if dir := webtest.Shots(); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".pdf"), []byte(pdf), 0o600); err != nil {
			t.Error(err)
		}
	}
}

// After both signatures the tester's telephone shows the code of the resident's copy, and when the next reading may be taken.
func TestTheResidentTakesACopyAlong(t *testing.T) {
	t.Parallel()
	k := newFieldDesk(t)
	m := k.test()
	me := k.as("worker")
	me.get(testAt(m, "")).want(http.StatusOK, "!居民的一份", "读数", "至少间隔 10 分钟")
	me.get(testAt(m, "/read")).want(http.StatusOK, "网格员", "社区", "物业", "data-spacing=\"10\"")
	me.files(testAt(m, "/read"), readingForm("aaaa0000bbbb"), "photos", [][]byte{jpegOf(t, 30, 9)}).to(testAt(m, ""))
	got := me.get(testAt(m, "")).want(http.StatusOK, "居民的一份", "下一次不早于", "<svg class=\"qr\"")
	link := found(t, got, `href="[^"]*(/c/990100/m/copy/[^"]+)"`)
	k.anyone().get(link).want(http.StatusOK, "核对文书", "主卧 16.2 ℃", "记录完整", "!冯师傅", "!王桂兰")
	b := k.browser("worker")
	if b == nil {
		return
	}
	b.Size(390, 844)
	b.Open(testAt(m, ""))
	b.WaitText("居民的一份")
	b.Axe("the resident's copy on the tester's telephone")
	b.Shot("field-copy")
	b.Open(testAt(m, "/read"))
	b.WaitText("第 1 个读数")
	b.Fill("rooms.0.room", "客厅")
	b.Fill("rooms.0.temp_c", "16.2")
	b.WaitText("下一次读数不早于")
	b.WaitJS(`document.querySelectorAll("[data-spacing]:not([hidden])").length === 3`)
	b.Shot("field-spacing")
	b.Open(link)
	b.WaitText("打开 PDF")
	b.Both("copy-page")
}

// The papers of a measurement are the pack's forms, filled in from the record, with the code of the copy on them; whoever
// scans it needs no login and reads no names, and a link with one character changed shows nothing.
func TestPapersAreFilledFromTheRecord(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.instrument()
	m := k.asked()
	k.person("company", actor.RoleCompany)
	c := k.as("company")
	k.visited(m, "visit-00000001", "15.2")
	v, err := k.app.Measure.Get(bg, companyOf, city, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range v.Documents {
		anyone := k.anyone()
		link := "/c/990100/m/copy/" + d.ID + "/" + k.app.Measure.CopyKey(city, d.ID)
		anyone.get(link).want(http.StatusOK, "核对文书", d.No, "记录完整", "!赵师傅", "!王桂兰")
		anyone.get(link[:len(link)-1]+"x").want(http.StatusNotFound, "!"+d.No)
		keep(t, d.Code+"-zh", anyone.get(link+"/pdf").want(http.StatusOK).body)
		keep(t, d.Code+"-en", anyone.get(link+"/pdf?lang=en").want(http.StatusOK).body)
		keep(t, d.Code+"-staff", c.get(tests+"/documents/"+d.ID).want(http.StatusOK).body)
	}
	c.get(tests+"/home?home=A1001").want(http.StatusOK, "这户的退费", "2025-2026 采暖季退费")
	if b := k.browser("company"); b != nil {
		b.Open(tests + "/home?home=A1001")
		b.WaitText("这户的退费")
		b.Both("home-claims")
	}
}
