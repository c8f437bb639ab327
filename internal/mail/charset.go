package mail

import (
	"bytes"
	"io"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// decode turns bytes in a character set into text. What a letter says about itself is often wrong: bytes that are sound
// UTF-8 in several places are UTF-8 whatever is said, bytes that are not are tried as GB 18030, in which most of the rest
// of China's letters are. What is left over is replaced, never dropped with the letter.
func decode(charset string, b []byte) (s string, sound bool) {
	if !chinese(charset) && utf8.Valid(b) && !ascii(b) || wide(b) {
		return string(b), true
	}
	if e := encodingOf(charset); e != nil {
		if out, err := e.NewDecoder().Bytes(b); err == nil && !bytes.ContainsRune(out, utf8.RuneError) {
			return string(out), true
		}
	} else if utf8.Valid(b) {
		return string(b), true
	}
	if out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b); err == nil && !bytes.ContainsRune(out, utf8.RuneError) {
		return string(out), true
	}
	return strings.ToValidUTF8(string(b), "�"), false
}

// wide reports whether bytes are sound UTF-8 with at least three characters beyond ASCII: too many for chance.
func wide(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	n := 0
	for _, r := range string(b) {
		if r >= utf8.RuneSelf {
			n++
		}
	}
	return n >= 3
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func chinese(charset string) bool {
	c := strings.ToLower(charset)
	return strings.HasPrefix(c, "gb") || strings.HasPrefix(c, "hz") || strings.HasPrefix(c, "big5") || strings.HasPrefix(c, "x-gbk") || strings.HasPrefix(c, "cp936")
}

func encodingOf(charset string) encoding.Encoding {
	c := strings.ToLower(strings.TrimSpace(charset))
	switch {
	case strings.HasPrefix(c, "gb") || strings.HasPrefix(c, "x-gbk") || c == "cp936":
		return simplifiedchinese.GB18030 // holds GB 2312 and GBK
	case strings.HasPrefix(c, "hz"):
		return simplifiedchinese.HZGB2312
	case c == "" || c == "us-ascii" || c == "ascii" || c == "utf8" || c == "utf-8" || c == "unknown-8bit":
		return nil
	}
	e, err := htmlindex.Get(c)
	if err != nil {
		return nil
	}
	return e
}

var words = mime.WordDecoder{CharsetReader: func(charset string, r io.Reader) (io.Reader, error) {
	b, err := io.ReadAll(io.LimitReader(r, headBytes))
	s, _ := decode(charset, b)
	return strings.NewReader(s), err
}}

// header reads the value of a header line: encoded words, raw bytes, and nothing that could begin another line.
func header(s string) string {
	if len(s) > headBytes/8 {
		s = s[:headBytes/8]
	}
	out, err := words.DecodeHeader(s)
	if err != nil || !utf8.ValidString(out) {
		out, _ = decode("", []byte(s))
	}
	return line(out)
}

// line makes one line of a text: no control characters, no marks that turn the reading direction, not too long.
func line(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r < 0x20 || r == 0x7f || r == ' ' || r == 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff
	}), " ")
	if r := []rune(s); len(r) > maxLine {
		s = string(r[:maxLine-1]) + "…"
	}
	return s
}
