package web_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db"
)

// hugePNG is a small file that says of itself to be 60,000 by 60,000 points: 14 GB once it is unpacked.
func hugePNG() []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		_ = binary.Write(&b, binary.BigEndian, uint32(len(data))) // a buffer takes everything
		body := append([]byte(kind), data...)
		b.Write(body)
		_ = binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(body))
	}
	chunk("IHDR", []byte{0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60, 8, 6, 0, 0, 0})
	chunk("IDAT", []byte{0x78, 0x9c, 0x63, 0, 0, 0, 1, 0, 1})
	chunk("IEND", nil)
	return b.Bytes()
}

type counted struct {
	N int64 `db:"n"`
}

// kept counts what is stored that somebody could have sent.
func (k *town) kept() string {
	k.t.Helper()
	var all []string
	for _, table := range []string{"blob", "case_file", "case_act", "exchange_message", "call_report", "clue", "channel_message", "resident_binding"} {
		n, err := db.Read(bg, k.d, func(tx *db.Tx) (counted, error) {
			return db.One[counted](bg, tx, `SELECT count(*) AS n FROM `+table+` WHERE city_id = $1`, city)
		})
		if err != nil {
			k.t.Fatalf("%s: %v", table, err)
		}
		all = append(all, fmt.Sprint(table, " ", n.N))
	}
	return strings.Join(all, ", ")
}

// What pretends to be a photograph is refused by every form of residents that takes one, with a message at the field, and nothing of it is kept.
func TestWhatPretendsToBeAPhotograph(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	c := k.enter(holder)
	sent := strings.TrimSuffix(c.post(residents+"/report", reported("phone", holder)).want(http.StatusSeeOther).location(), "?new=1")
	before := k.kept()
	script := "<script>fetch('/c/990100/m/home')</script>"
	fakes := map[string][]byte{
		"a page":                       []byte("<!doctype html><html>" + script),
		"a drawing with a script":      []byte(`<svg xmlns="http://www.w3.org/2000/svg">` + script + `</svg>`),
		"a page with the head of JPEG": append([]byte{0xff, 0xd8, 0xff, 0xe0}, script...),
		"a page with the head of PNG":  append([]byte("\x89PNG\r\n\x1a\n"), script...),
		"a page with the head of GIF":  []byte("GIF89a/*" + script + "*/=1;"),
		"a picture of 14 GB":           hugePNG(),
		"a program":                    []byte("MZ\x90\x00\x03"),
		"an archive":                   []byte("PK\x03\x04\x14\x00"),
		"nothing at all":               {},
		"half a picture":               half(jpegOf(t, 400, 90)),
	}
	n := 0
	for what, file := range fakes {
		for path, in := range map[string]url.Values{
			residents + "/report":     reported("_key", what, "phone", holder),
			sent + "/word":            fields("_key", what, "text", "看照片"),
			residents + "/bind/paper": fields("_key", what, "words", "向阳花园3号楼2单元601"),
		} {
			if len(file) == 0 && !strings.HasSuffix(path, "/paper") {
				continue // an empty field: no photograph was chosen
			}
			a := c.files(path, in, "photo", [][]byte{file})
			if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "照片") || strings.Contains(a.body, script) {
				t.Errorf("%s at %s: %d", what, path, a.status)
			}
			n++
		}
	}
	if after := k.kept(); after != before || n < 25 {
		t.Errorf("%d tries; before: %s; after: %s", n, before, after)
	}
	// A real picture with a page behind its end is drawn anew: the page does not come along.
	c.files(sent+"/word", fields("_key", "poly", "text", "看"), "photo", [][]byte{append(jpegOf(t, 60, 40), script...)}).want(http.StatusSeeOther)
	k.person("dispatcher", actor.RoleDispatcher)
	view, err := k.app.Cases.View(bg, posted(actor.RoleDispatcher, "d1", "centre"), city, k.only().ID)
	if err != nil || len(view.Photos) != 1 {
		t.Fatalf("%d photographs, %v", len(view.Photos), err)
	}
	got := k.as("dispatcher").get("/c/990100/attachments/" + view.Photos[0].ID).want(http.StatusOK)
	if strings.Contains(got.body, "script") || !strings.HasPrefix(got.header.Get("Content-Type"), "image/") || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("what is shown: %s, %s", got.header.Get("Content-Type"), got.header.Get("X-Content-Type-Options"))
	}
}

// Every address to which machines send refuses what is not signed, signed by a stranger, of a wrong kind or far too long: with a clear status
// and a line in the log, and keeps nothing. A receiver that is added is tried too.
func TestEveryReceiverRefusesStrangers(t *testing.T) {
	t.Parallel()
	k := newWalk(t)
	before := k.kept()
	long := strings.Repeat("x", 12<<20)
	forged := []string{
		"Rehu-Signature", "t=1,v1=" + strings.Repeat("0", 64), "X-Signature", strings.Repeat("0", 64), "X-Rehu-Signature", strings.Repeat("0", 64),
		"Authorization", "Bearer " + strings.Repeat("0", 64), "X-Timestamp", "1", "X-Nonce", "1", "X-Account", "gw",
	}
	n := 0
	for _, r := range k.pages.Routes() {
		if !r.Access.Signed {
			continue
		}
		path := strings.NewReplacer("{city}", "990100", "{account}", "main").Replace(r.Pattern)
		for what, x := range map[string]struct{ kind, body, query string }{
			"nothing":            {"application/json", "", ""},
			"words":              {"application/json", "not json", ""},
			"a message":          {"application/json", `{"kind":"receipt","id":"` + nowhere + `","state":"delivered"}`, ""},
			"a forged signature": {"text/xml", "<xml><Encrypt>AAAA</Encrypt></xml>", "?signature=0&timestamp=1&nonce=1&msg_signature=0&encrypt_type=aes&echostr=x"},
			"a bomb":             {"text/xml", `<!DOCTYPE x [<!ENTITY a "` + strings.Repeat("b", 999) + `"><!ENTITY c "&a;&a;&a;&a;">]><xml>&c;</xml>`, "?signature=0&timestamp=1&nonce=1"},
			"a form":             {"application/x-www-form-urlencoded", "a=b", ""},
			"files":              {"multipart/form-data; boundary=x", "--x--", ""},
			"twelve megabytes":   {"application/json", long, ""},
		} {
			if r.Method == http.MethodGet && x.body != "" && x.query == "" {
				continue
			}
			a := k.anyone().body(r.Method, path+x.query, x.kind, []byte(x.body), forged...)
			if a.status != http.StatusForbidden && a.status != http.StatusRequestEntityTooLarge && a.status != http.StatusUnauthorized {
				t.Errorf("%s %s with %s: %d\n%.300s", r.Method, r.Pattern, what, a.status, a.body)
			}
			nobodys(t, r.Pattern, a)
			n++
		}
	}
	if after := k.kept(); after != before || n < 60 {
		t.Errorf("%d tries; before: %s; after: %s", n, before, after)
	}
	said := 0
	for line := range strings.SplitSeq(k.log.String(), "\n") {
		if strings.Contains(line, "/hooks/") || strings.Contains(line, "/exchange/") {
			said++
		}
	}
	if said < n {
		t.Errorf("%d lines of the log for %d refusals", said, n)
	}
}

// Every form of residents that is sent in the wrong shape is answered with what was wrong, never with a failure of the server, and no form
// of another site is taken.
func TestEveryFormInTheWrongShape(t *testing.T) {
	t.Parallel()
	k := newWalk(t)
	into := strings.NewReplacer(k.holes...)
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	_ = m.WriteField("text", strings.Repeat("长", 200_000))
	_ = m.Close()
	n := 0
	for _, r := range k.pages.Routes() {
		if r.Method != http.MethodPost || !strings.HasPrefix(r.Pattern, residentsOf) || strings.HasSuffix(r.Pattern, "/leave") {
			continue
		}
		path := into.Replace(r.Pattern)
		for what, x := range map[string]struct {
			kind string
			body []byte
			more []string
		}{
			"json":         {"application/json", []byte(`{"home":"A1001"}`), nil},
			"no kind":      {"", []byte("a=b"), nil},
			"broken parts": {"multipart/form-data; boundary=x", []byte("--y\r\n"), nil},
			"long words":   {m.FormDataContentType(), form.Bytes(), nil},
			"a long form":  {"application/x-www-form-urlencoded", []byte("text=" + strings.Repeat("x", 12<<20)), nil},
			"another site": {"application/x-www-form-urlencoded", []byte("text=x&yes=true"), []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}},
		} {
			a := k.holder.body(http.MethodPost, path, x.kind, x.body, x.more...)
			if a.status >= 500 || a.status < 300 || a.status < 400 && (what == "another site" || what == "a long form" && !strings.HasSuffix(r.Pattern, "/end")) {
				t.Errorf("%s with %s: %d\n%.200s", r.Pattern, what, a.status, a.body)
			}
			n++
		}
	}
	if n < 60 {
		t.Errorf("only %d tries", n)
	}
	if s := k.log.String(); strings.Contains(s, "panic") || strings.Contains(s, "level=ERROR") {
		t.Errorf("%.2000s", s)
	}
}

func half(b []byte) []byte { return b[:len(b)/2] }
