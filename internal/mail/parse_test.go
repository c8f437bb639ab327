package mail_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/rehu-heat/rehu/internal/mail"
	"github.com/rehu-heat/rehu/internal/mail/mailfake"
)

func gbk(t *testing.T, s string) string {
	t.Helper()
	out, err := simplifiedchinese.GB18030.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func crlf(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n")) }

func TestRead(t *testing.T) {
	t.Parallel()
	words := "家里只有12度，向阳花园3号楼2单元601"
	deep := "Content-Type: text/plain\r\n\r\n到底了"
	for n := range 40 {
		deep = fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n%s\r\n--b%d--\r\n", n, n, deep, n)
	}
	many := "From: a@example.cn\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\nContent-Type: text/plain\r\n\r\n冷\r\n", 50_000) + "--x--"
	for name, c := range map[string]struct {
		raw     []byte
		subject string
		text    string
		odd     []string
	}{
		"plain utf-8": {
			crlf("From: a@example.cn", "Subject: =?utf-8?B?"+base64.StdEncoding.EncodeToString([]byte("不热"))+"?=", "Content-Type: text/plain; charset=utf-8", "", words), "不热", words, nil,
		},
		"gb2312 that is gb18030": {
			crlf("From: a@example.cn", "Subject: =?gb2312?B?"+base64.StdEncoding.EncodeToString([]byte(gbk(t, "镕堃苑不热")))+"?=", "Content-Type: text/plain; charset=gb2312", "", gbk(t, words)), "镕堃苑不热", words, nil,
		},
		"says utf-8, is gbk":      {crlf("From: a@example.cn", "Content-Type: text/plain; charset=utf-8", "", gbk(t, words)), "", words, nil},
		"says gbk, is utf-8":      {crlf("From: a@example.cn", "Content-Type: text/plain; charset=gbk", "", words), "", words, nil},
		"says nothing, is gbk":    {crlf("From: a@example.cn", "Subject: "+gbk(t, "暖气不热"), "", gbk(t, words)), "暖气不热", words, nil},
		"an unknown set":          {crlf("From: a@example.cn", "Content-Type: text/plain; charset=klingon", "", words), "", words, nil},
		"bytes that are no text":  {crlf("From: a@example.cn", "Content-Type: text/plain; charset=utf-8", "", "ab\xff\xff\xff"), "", "ab�", []string{"mail.odd.characters"}},
		"quoted-printable":        {crlf("From: a@example.cn", "Content-Transfer-Encoding: quoted-printable", "", "=E5=86=B7=\r\n=E4=BA=86"), "", "冷了", nil},
		"base64 that breaks off":  {crlf("From: a@example.cn", "Content-Transfer-Encoding: base64", "", "5Ya3!5LqG5"), "", "冷了", []string{"mail.odd.broken"}},
		"a header in the subject": {crlf("From: a@example.cn", "Subject: =?utf-8?Q?a=0D=0ABcc:_b@example.cn?=", "", "x"), "a Bcc: b@example.cn", "x", nil},
		"plain beside a page":     {crlf("From: a@example.cn", "Content-Type: multipart/alternative; boundary=x", "", "--x", "", "冷", "--x", "Content-Type: text/html", "", "<b>COLD</b>", "--x--"), "", "冷", nil},
		"a page alone":            {crlf("From: a@example.cn", "Content-Type: text/html; charset=utf-8", "", "<style>p{}</style><p>冷 &amp; 湿</p><script>alert(1)</script><div>3号楼<br>601</div><>"), "", "冷 & 湿\n\n3号楼\n601", nil},
		"40 levels deep":          {[]byte("From: a@example.cn\r\n" + deep), "", "", []string{"mail.odd.too_many_parts"}},
		"50,000 parts":            {[]byte(many), "", strings.TrimSpace(strings.Repeat("冷\n", 99)), []string{"mail.odd.too_many_parts"}},
		"no boundary":             {crlf("From: a@example.cn", "Content-Type: multipart/mixed", "", "冷"), "", "冷", []string{"mail.odd.broken"}},
		"no headers at all":       {[]byte("冷\r\n死\r\n了"), "", "冷\r\n死\r\n了", []string{"mail.odd.no_headers"}},
		"a type that is none":     {crlf("From: a@example.cn", "Content-Type: ;;;=", "", "冷"), "", "冷", nil},
		"a text longer than is kept": {
			crlf("From: a@example.cn", "", strings.Repeat("a", 70<<10)), "", strings.Repeat("a", 64<<10), []string{"mail.odd.text_cut"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := mail.Read(c.raw, mail.Reading{})
			if l.Subject != c.subject || l.Text != c.text || !cmp.Equal(l.Odd, c.odd) {
				t.Errorf("read subject %q, text %.200q, odd %v; want %q, %.200q, %v", l.Subject, l.Text, l.Odd, c.subject, c.text, c.odd)
			}
		})
	}
}

func TestSenders(t *testing.T) {
	t.Parallel()
	for from, want := range map[string][2]string{
		"=?gbk?B?" + base64.StdEncoding.EncodeToString([]byte(gbk(t, "王桂兰"))) + "?= <Wang@Example.CN>": {"王桂兰", "wang@example.cn"},
		"wang@example.cn": {"", "wang@example.cn"},
		`"a, b" <wang@example.cn>, <other@example.cn>`:  {"a, b", "wang@example.cn"},
		"王桂兰 <wang@example.cn":                          {"王桂兰", "wang@example.cn"},
		"nobody":                                        {"nobody", ""},
		"<wang@localhost>":                              {"", ""},
		"=?utf-8?Q?x=0D=0ABcc=3A_y?= <wang@example.cn>": {"x Bcc: y", "wang@example.cn"},
		"<wang@example.cn\x00>":                         {"", "wang@example.cn"},
		"<" + strings.Repeat("a", 70) + "@example.cn>":  {"", ""},
		"wang@example.cn (her) , <second@example.cn>":   {"her", "wang@example.cn"},
		"<\"wang bcc:x\"@example.cn>":                   {"", ""},
		"=?utf-8?B?broken <wang@example.cn>":            {"=?utf-8?B?broken", "wang@example.cn"},
		"\"wang@example.cn\" <thief@example.cn>":        {"wang@example.cn", "thief@example.cn"},
		"\"\u202ewang\" <wang@example.cn>":              {"wang", "wang@example.cn"},
	} {
		l := mail.Read(crlf("From: "+from, "", "x"), mail.Reading{})
		if got := [2]string{l.Name, l.From}; got != want {
			t.Errorf("From: %s\n is read as %q, want %q", from, got, want)
		}
	}
}

func TestMachines(t *testing.T) {
	t.Parallel()
	for want, headers := range map[mail.Machine][]string{
		mail.Person:    {"Subject: 不热", "Auto-Submitted: no", "Subject: Re: 自动回复的问题"},
		mail.AutoReply: {"Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated; owner=x", "Precedence: auto_reply", "X-Autoreply: yes", "Subject: 自动回复：我在休假", "Return-Path: <>\r\nIn-Reply-To: <n.990100.01900000-0000-7000-8000-000000000000@heat.example.cn>"},
		mail.Bulk:      {"Precedence: bulk", "Precedence: LIST", "List-Id: <news.example.cn>", "List-Unsubscribe: <mailto:x@example.cn>"},
		mail.Bounce:    {"Content-Type: multipart/report; boundary=x", "Return-Path: <>"},
		mail.Ourselves: {"Message-ID: <n.990100.01900000-0000-7000-8000-000000000000@heat.example.cn>"},
	} {
		for _, h := range headers {
			if l := mail.Read(crlf("From: wang@example.cn", h, "", "x"), mail.Reading{Own: []string{"heat@example.cn"}}); l.Machine != want {
				t.Errorf("%q is taken for %q, want %q", h, l.Machine, want)
			}
		}
	}
	if l := mail.Read(crlf("From: Heat@example.cn", "", "x"), mail.Reading{Own: []string{"heat@example.cn"}}); l.Machine != mail.Ourselves {
		t.Errorf("our own address is taken for %q", l.Machine)
	}
	if l := mail.Read(crlf("From: MAILER-DAEMON@qq.com", "", "x"), mail.Reading{}); l.Machine != mail.Bounce {
		t.Errorf("a post office is taken for %q", l.Machine)
	}
}

func TestReturned(t *testing.T) {
	t.Parallel()
	id := "n.990100.01900000-0000-7000-8000-000000000000.0a1b2c3d@heat.example.cn"
	ours := mailfake.Letter{From: "heat@example.cn", To: "wang@example.cn", ID: id}
	l := mail.Read(mailfake.Returned(ours, "failed", "5.1.1", time.UnixMilli(0)), mail.Reading{})
	if want := (mail.Failed{ID: id, Action: "failed", Status: "5.1.1"}); l.Machine != mail.Bounce || l.Failed != want {
		t.Errorf("a returned letter is %q %+v, want %+v", l.Machine, l.Failed, want)
	}
	loose := mail.Read(crlf("From: postmaster@qq.com", "", "您的邮件 <"+id+"> 无法送达"), mail.Reading{})
	if want := (mail.Failed{ID: id, Action: "failed"}); loose.Failed != want {
		t.Errorf("a report that follows no form is %+v, want %+v", loose.Failed, want)
	}
	whole := mail.Read(crlf("From: MAILER-DAEMON@x.cn", "Content-Type: multipart/report; boundary=x", "", "--x", "", "sorry", "--x", "Content-Type: message/rfc822", "",
		"Message-ID: <"+id+">", "Subject: 通知", "", "家里12度", "--x--"), mail.Reading{})
	if whole.Failed.ID != id || strings.Contains(whole.Text, "12度") {
		t.Errorf("a report with the whole letter: %+v, %q", whole.Failed, whole.Text)
	}
}

func TestForged(t *testing.T) {
	t.Parallel()
	for result, trusted := range map[string]bool{
		"mx.example.cn; dmarc=fail (p=reject)": false,
		"mx.example.cn; spf=fail":              false,
		"mx.example.cn; spf=fail; dkim=pass":   true,
		"mx.example.cn; dmarc=pass; spf=fail":  true,
		"thief.example.cn; dmarc=fail":         true,
	} {
		if l := mail.Read(crlf("Authentication-Results: "+result, "From: a@example.cn", "", "x"), mail.Reading{Server: "mx.example.cn"}); l.Trusted != trusted {
			t.Errorf("%s: trusted %v", result, l.Trusted)
		}
	}
	two := crlf("Authentication-Results: mx.example.cn; dmarc=fail", "Authentication-Results: mx.example.cn; dmarc=pass", "From: a@example.cn", "", "x")
	if mail.Read(two, mail.Reading{Server: "mx.example.cn"}).Trusted {
		t.Error("a result that the sender wrote below the server's own is believed")
	}
}

// A letter is the same letter whichever way it came, and another letter under the same id is another one.
func TestKey(t *testing.T) {
	t.Parallel()
	one := crlf("Message-ID: <1@x.cn>", "From: a@example.cn", "", "冷")
	again := append(crlf("Received: from elsewhere", "Delivered-To: heat@example.cn", ""), one...)
	if a, b := mail.Read(one, mail.Reading{}).Key, mail.Read(again, mail.Reading{}).Key; a != b || a == "" {
		t.Errorf("the same letter twice is %q and %q", a, b)
	}
	other := crlf("Message-ID: <1@x.cn>", "From: a@example.cn", "", "热")
	if a, b := mail.Read(one, mail.Reading{}).Key, mail.Read(other, mail.Reading{}).Key; a == b {
		t.Error("a thief's letter under the id of another hides it")
	}
}

func TestFresh(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"还是冷\n\n------------------ 原始邮件 ------------------\n发件人: x": "还是冷",
		"还是冷\n> 您的来信已登记":                                            "还是冷",
		"还是冷\nOn Mon, 12 Jan 2026, heat@example.cn wrote:\n> x":     "还是冷",
		"> 您的来信已登记\n还是冷":                                            "> 您的来信已登记\n还是冷",
		"温度12度":                                                     "温度12度",
	} {
		if got := mail.Fresh(said); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("From: a@example.cn\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\na\r\n--x--"))
	f.Add(mailfake.Returned(mailfake.Letter{ID: "x@y"}, "failed", "5", time.UnixMilli(0)))
	f.Add([]byte("<html><"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := mail.Read(raw, mail.Reading{})
		if l.Key == "" || strings.ContainsAny(l.Subject+l.Name, "\r\n") || !bytes.Equal([]byte(l.Text), bytes.ToValidUTF8([]byte(l.Text), nil)) && !strings.Contains(l.Text, "�") {
			t.Errorf("read %q", raw)
		}
	})
}
