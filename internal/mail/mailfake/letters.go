package mailfake

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// Written is a letter that somebody outside writes.
type Written struct {
	From, Name string
	To         string
	Subject    string
	Text       string
	Answers    string // Message-ID that it answers
	ID         string
	At         time.Time
	Files      []File
	Headers    []string // more lines
}

// File is an attachment.
type File struct {
	Name, Type string
	Bytes      []byte
}

// Raw is the letter as a usual program writes it.
func (w Written) Raw() []byte {
	var b strings.Builder
	put := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	put("From: %s <%s>", word(w.Name), w.From)
	put("To: <%s>", w.To)
	put("Subject: %s", word(w.Subject))
	put("Date: %s", w.At.Format(time.RFC1123Z))
	put("Message-ID: <%s>", w.ID)
	if w.Answers != "" {
		put("In-Reply-To: <%s>", w.Answers)
		put("References: <%s>", w.Answers)
	}
	for _, h := range w.Headers {
		put("%s", h)
	}
	put("MIME-Version: 1.0")
	text := "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped([]byte(w.Text))
	if len(w.Files) == 0 {
		b.WriteString(text)
		return []byte(b.String())
	}
	put("Content-Type: multipart/mixed; boundary=\"=_part\"")
	put("")
	b.WriteString("--=_part\r\n" + text)
	for _, f := range w.Files {
		put("--=_part")
		put("Content-Type: %s; name=\"%s\"", f.Type, word(f.Name))
		put("Content-Disposition: attachment; filename=\"%s\"", word(f.Name))
		put("Content-Transfer-Encoding: base64")
		put("")
		b.WriteString(wrapped(f.Bytes))
	}
	put("--=_part--")
	return []byte(b.String())
}

func word(s string) string {
	return "=?utf-8?B?" + base64.StdEncoding.EncodeToString([]byte(s)) + "?="
}

func wrapped(b []byte) string {
	s := base64.StdEncoding.EncodeToString(b)
	var out strings.Builder
	const width = 76
	for s != "" {
		n := min(width, len(s))
		out.WriteString(s[:n] + "\r\n")
		s = s[n:]
	}
	return out.String()
}

// Returned is what a post office writes about a letter that it could not deliver (RFC 3464).
func Returned(l Letter, action, status string, at time.Time) []byte {
	var b strings.Builder
	put := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	put("Return-Path: <>")
	put("From: Mail Delivery System <MAILER-DAEMON@post.example.cn>")
	put("To: <%s>", l.From)
	put("Subject: Delivery Status Notification")
	put("Date: %s", at.Format(time.RFC1123Z))
	put("Message-ID: <dsn.%d@post.example.cn>", at.UnixNano())
	put("Auto-Submitted: auto-replied")
	put("MIME-Version: 1.0")
	put("Content-Type: multipart/report; report-type=delivery-status; boundary=\"=_dsn\"")
	put("")
	put("--=_dsn\r\nContent-Type: text/plain\r\n\r\nThe letter below: %s.\r\n", action)
	put("--=_dsn\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; post.example.cn\r\n")
	put("Final-Recipient: rfc822; %s\r\nAction: %s\r\nStatus: %s\r\n", l.To, action, status)
	put("--=_dsn\r\nContent-Type: text/rfc822-headers\r\n")
	put("Message-ID: <%s>\r\nFrom: <%s>\r\nTo: <%s>\r\n", l.ID, l.From, l.To)
	put("--=_dsn--")
	return []byte(b.String())
}
