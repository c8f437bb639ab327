package clue_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/fault"
)

func read(t *testing.T, r io.Reader, f clue.Format, settings map[string]string) ([]clue.Entry, error) {
	t.Helper()
	var out []clue.Entry
	err := clue.ReadFeed(r, f, clue.MappingOf(settings), func(e clue.Entry) error {
		out = append(out, e)
		return nil
	})
	return out, err
}

func gbk(t *testing.T, s string) string {
	t.Helper()
	out, err := simplifiedchinese.GBK.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const rss = `<?xml version="1.0" encoding="%s"?><rss version="2.0"><channel><title>本地论坛</title><item><guid>t1</guid><title>暖气不热</title>
<description>&lt;p&gt;向阳花园&lt;b&gt;3号楼&lt;/b&gt;&lt;/p&gt;<![CDATA[<script>x()</script>冷]]></description><author>小王</author><link>https://bbs.example.cn/t1</link>
<pubDate>Wed, 14 Jan 2026 20:15:00 +0800</pubDate></item></channel></rss>`

const atom = `<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>t1</id><title>暖气不热</title><content type="html">向阳花园 3号楼  冷</content>
<author><name>小王</name></author><link rel="self" href="https://bbs.example.cn/x"/><link href="https://bbs.example.cn/t1"/><updated>2026-01-14T20:15:00+08:00</updated></entry></feed>`

func TestFeeds(t *testing.T) {
	t.Parallel()
	at := civil.On(civil.NewDate(2026, 1, 14), 20, 15)
	want := []clue.Entry{{ID: "t1", Title: "暖气不热", Text: "向阳花园 3号楼 冷", Author: "小王", Link: "https://bbs.example.cn/t1", At: at}}
	table := "编号,标题,正文,作者,链接,时间\nt1,暖气不热,向阳花园 3号楼 冷,小王,https://bbs.example.cn/t1,2026-01-14 20:15\n"
	columns := map[string]string{"id": "编号", "title": "标题", "text": "正文", "author": "作者", "link": "链接", "at": "时间"}
	list := `{"code":0,"data":{"total":1,"list":[{"id":"t1","title":"暖气不热","body":{"text":"<p>向阳花园 3号楼 冷</p>"},"author":"小王","link":"https://bbs.example.cn/t1","at":1768392900}]}}`
	for name, c := range map[string]struct {
		body     string
		format   clue.Format
		settings map[string]string
	}{
		"RSS":                      {fmt.Sprintf(rss, "UTF-8"), clue.XML, nil},
		"RSS in GBK":               {gbk(t, fmt.Sprintf(rss, "GBK")), clue.XML, nil},
		"Atom":                     {atom, clue.XML, nil},
		"CSV":                      {table, clue.CSV, columns},
		"CSV with a byte mark":     {"\xef\xbb\xbf" + table, clue.CSV, columns},
		"CSV in GBK":               {gbk(t, table), clue.CSV, columns},
		"JSON":                     {list, clue.JSON, map[string]string{"items": "data.list", "text": "body.text"}},
		"JSON, path left out":      {list, clue.JSON, map[string]string{"text": "body.text"}},
		"JSON, the list by itself": {list[strings.Index(list, "[") : strings.LastIndex(list, "]")+1], clue.JSON, map[string]string{"text": "body.text"}},
	} {
		got, err := read(t, strings.NewReader(c.body), c.format, c.settings)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// endless repeats a text for ever.
type endless struct{ s string }

func (e endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], e.s)
	}
	return n, nil
}

func TestHostileFeeds(t *testing.T) {
	t.Parallel()
	laughs := `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><rss><channel><item><title>&b;</title></item></channel></rss>`
	for name, c := range map[string]struct {
		body   io.Reader
		format clue.Format
		key    string
	}{
		"entities that grow":     {strings.NewReader(laughs), clue.XML, "clue.feed.doctype"},
		"a file of the server":   {strings.NewReader(`<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><rss><item><title>&f;</title></item></rss>`), clue.XML, "clue.feed.doctype"},
		"an unknown entity":      {strings.NewReader(`<rss><item><title>&boom;</title></item></rss>`), clue.XML, "clue.feed.broken"},
		"nesting without end":    {endless{"<a>"}, clue.XML, "clue.feed.too_deep"},
		"an entry without end":   {io.MultiReader(strings.NewReader("<rss><item><title>"), endless{"x"}), clue.XML, "clue.feed.entry_too_long"},
		"a feed without end":     {io.MultiReader(strings.NewReader("<rss>"), endless{"<a/>" + strings.Repeat(" ", 8000)}), clue.XML, "clue.feed.too_long"},
		"cut off":                {strings.NewReader(`<rss><channel><item><guid>1</guid>`), clue.XML, "clue.feed.broken"},
		"not XML":                {strings.NewReader(`{"a":1}`), clue.XML, "clue.feed.broken"},
		"not JSON":               {strings.NewReader(`<rss/>`), clue.JSON, "clue.feed.broken"},
		"JSON nested deep":       {endless{`{"a":`}, clue.JSON, "clue.feed.too_deep"},
		"JSON with a long entry": {io.MultiReader(strings.NewReader(`[{"text":"`), strings.NewReader(strings.Repeat("x", 2<<20)), strings.NewReader(`"}]`)), clue.JSON, "clue.feed.entry_too_long"},
		"a table without words":  {strings.NewReader("a,b\n1,2\n"), clue.CSV, "clue.feed.no_column"},
		"an unknown format":      {strings.NewReader(""), "yaml", "clue.feed.format"},
	} {
		_, err := read(t, c.body, c.format, nil)
		if got := fault.Of(err).Key; !fault.Is(err, fault.Invalid) || got != c.key {
			t.Errorf("%s: %v, want %s", name, err, c.key)
		}
	}
	if _, err := read(t, strings.NewReader("text\n冷\n"), clue.CSV, map[string]string{"encoding": "klingon"}); fault.Of(err).Key != "clue.feed.encoding" {
		t.Errorf("an unknown encoding: %v", err)
	}
}
