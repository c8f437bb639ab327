package mail

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
)

// Reading is what the reader of a letter knows besides it.
type Reading struct {
	Own    []string // addresses of the mailbox itself, in small letters
	Server string   // whose Authentication-Results are believed; empty: nobody's
	Cut    bool     // the letter was too long and is cut off
}

// Read reads a letter from its bytes. It never fails: what cannot be read is said in Odd, and the letter is kept all the
// same, since somebody wrote it.
func Read(raw []byte, how Reading) Letter {
	var l Letter
	l.Trusted = true
	w := walker{l: &l}
	if how.Cut {
		w.odd("mail.odd.too_long")
	}
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		w.odd("mail.odd.no_headers")
		text, _ := decode("", raw[:min(len(raw), maxText)])
		l.Text, l.Key = strings.TrimSpace(text), keyOf(string(raw))
		return l
	}
	h := textproto.MIMEHeader(m.Header)
	body, err := io.ReadAll(m.Body)
	if err != nil {
		w.odd("mail.odd.broken")
	}
	l.Key = keyOf(h.Get("Message-Id"), h.Get("From"), h.Get("Date"), h.Get("Subject"), string(body))
	l.ID = firstID(h.Get("Message-Id"))
	l.Name, l.From = sender(h)
	l.Subject = header(h.Get("Subject"))
	l.Refs = refs(h)
	l.Trusted = !forged(h, how.Server)
	w.part(h, bytes.NewReader(body), 0)
	l.Text = w.text()
	l.Machine = machineOf(h, l, how.Own)
	w.report(raw)
	return l
}

// walker goes through the parts of a letter and stops where a letter of a person would long have ended.
type walker struct {
	l          *Letter
	parts      int
	plain, web strings.Builder
	status     []byte // message/delivery-status
	original   []byte // the letter that a bounce is about, or its headers
	reported   bool
}

func (w *walker) odd(key string) {
	if !slices.Contains(w.l.Odd, key) {
		w.l.Odd = append(w.l.Odd, key)
	}
}

// part reads one part and those inside it, as it comes: a letter nested in letters is held once.
func (w *walker) part(h textproto.MIMEHeader, body io.Reader, depth int) {
	if w.parts++; w.parts > maxParts || depth > maxDepth {
		w.odd("mail.odd.too_many_parts")
		return
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		kind, params = strings.ToLower(strings.TrimSpace(strings.SplitN(h.Get("Content-Type"), ";", 2)[0])), map[string]string{}
		if kind == "" {
			kind = "text/plain"
		}
	}
	switch {
	case strings.HasPrefix(kind, "multipart/"):
		if kind == "multipart/report" {
			w.reported = true
		}
		w.inside(params["boundary"], body, depth)
		return
	case kind == "message/rfc822" || kind == "message/global":
		w.letter(plain(h, body), depth)
		return
	}
	b := w.all(plain(h, body))
	name := fileName(h, params)
	switch {
	case kind == "message/delivery-status" || kind == "message/global-delivery-status":
		w.status = b
	case kind == "text/rfc822-headers" || kind == "message/global-headers":
		w.original = b
	case name == "" && strings.HasPrefix(kind, "text/") && !attached(h):
		w.words(kind, params["charset"], b)
	default:
		w.file(name, kind, b)
	}
}

func (w *walker) inside(boundary string, body io.Reader, depth int) {
	if boundary == "" {
		w.odd("mail.odd.broken")
		w.words("text/plain", "", w.all(body))
		return
	}
	r := multipart.NewReader(body, boundary)
	for w.parts <= maxParts {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			w.odd("mail.odd.broken")
			return
		}
		w.part(p.Header, p, depth+1)
	}
	w.odd("mail.odd.too_many_parts")
}

// letter reads a letter inside a letter: what was passed on, or what a post office sends back.
func (w *walker) letter(body io.Reader, depth int) {
	m, err := netmail.ReadMessage(body)
	if err != nil {
		w.odd("mail.odd.broken")
		return
	}
	if w.reported { // what came back is our own letter: its words are no words of theirs
		w.original = []byte("Message-Id: " + m.Header.Get("Message-Id"))
		return
	}
	w.part(textproto.MIMEHeader(m.Header), m.Body, depth+1)
}

// plain takes the encoding of the transfer away.
func plain(h textproto.MIMEHeader, body io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(h.Get("Content-Transfer-Encoding"))) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, &onlyBase64{body})
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	}
	return body
}

// all reads a part. What breaks off in the middle is kept as far as it goes.
func (w *walker) all(r io.Reader) []byte {
	out, err := io.ReadAll(io.LimitReader(r, MaxLetter))
	if err != nil {
		w.odd("mail.odd.broken")
	}
	return out
}

// onlyBase64 leaves out what no base64 holds: some programs put spaces and marks between the lines.
type onlyBase64 struct{ r io.Reader }

// Read implements io.Reader.
func (o *onlyBase64) Read(p []byte) (int, error) {
	for {
		n, err := o.r.Read(p)
		kept := 0
		for _, c := range p[:n] {
			if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '=' {
				p[kept] = c
				kept++
			}
		}
		if kept > 0 || err != nil {
			return kept, err
		}
	}
}

func (w *walker) words(kind, charset string, b []byte) {
	to := &w.plain
	if kind == "text/html" {
		to = &w.web
		if charset == "" {
			charset = charsetInside(b)
		}
	}
	if room := maxText - to.Len(); len(b) > room {
		b = b[:max(room, 0)]
		w.odd("mail.odd.text_cut")
	}
	s, sound := decode(charset, b)
	if !sound {
		w.odd("mail.odd.characters")
	}
	if to.Len() > 0 {
		to.WriteByte('\n')
	}
	to.WriteString(s)
}

var metaCharset = regexp.MustCompile(`(?i)<meta[^>]{0,200}charset=["']?([a-z0-9_-]{2,20})`)

func charsetInside(b []byte) string {
	if m := metaCharset.FindSubmatch(b[:min(len(b), 2048)]); m != nil {
		return string(m[1])
	}
	return ""
}

func (w *walker) file(name, kind string, b []byte) {
	if len(w.l.Files) >= maxFiles {
		w.odd("mail.odd.too_many_files")
		return
	}
	if len(b) > 0 {
		w.l.Files = append(w.l.Files, File{Name: name, Type: kind, Bytes: b})
	}
}

// text is what the sender wrote: the plain version where there is one.
func (w *walker) text() string {
	s := strings.ReplaceAll(w.plain.String(), "\r\n", "\n")
	if strings.TrimSpace(s) == "" {
		s = strip(w.web.String())
	}
	return strings.TrimSpace(s)
}

func attached(h textproto.MIMEHeader) bool {
	d, _, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	return err == nil && d == "attachment"
}

// fileName is the name that a part says its file has.
func fileName(h textproto.MIMEHeader, params map[string]string) string {
	name := params["name"]
	if _, d, err := mime.ParseMediaType(h.Get("Content-Disposition")); err == nil && d["filename"] != "" {
		name = d["filename"]
	}
	if name == "" {
		return ""
	}
	return header(name)
}

var looseAddress = regexp.MustCompile(`[^\s<>"'(),;:]+@[^\s<>"'(),;:]+`)

// sender is who a letter says it comes from.
func sender(h textproto.MIMEHeader) (name, address string) {
	raw := h.Get("From")
	p := netmail.AddressParser{WordDecoder: &words}
	if all, err := p.ParseList(raw); err == nil && len(all) > 0 {
		return line(all[0].Name), NormalAddress(all[0].Address)
	}
	found := looseAddress.FindString(header(raw))
	return line(strings.Trim(strings.SplitN(header(raw), "<", 2)[0], ` "`)), NormalAddress(found)
}

var idShape = regexp.MustCompile(`<([^<>\s]{1,250})>`)

func firstID(s string) string {
	if m := idShape.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// refs are the letters that a letter answers, the nearest first.
func refs(h textproto.MIMEHeader) []string {
	var out []string
	add := func(id string) {
		if !slices.Contains(out, id) && len(out) < maxRefs {
			out = append(out, id)
		}
	}
	for _, m := range idShape.FindAllStringSubmatch(clipBytes(h.Get("In-Reply-To")), maxRefs) {
		add(m[1])
	}
	all := idShape.FindAllStringSubmatch(clipBytes(h.Get("References")), -1)
	for _, m := range slices.Backward(all) {
		add(m[1])
	}
	return out
}

func clipBytes(s string) string { return s[:min(len(s), maxText)] }
