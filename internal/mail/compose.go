package mail

import (
	"html"
	"regexp"
	"strings"
)

var webAddress = regexp.MustCompile(`https?://[^\s<>"'，。；、）】]+`)

// page is a letter as a simple page: its lines, with the addresses in them as links. Nothing in it is loaded from anywhere.
func page(title, words string) string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html><head><meta charset="utf-8"><title>` + html.EscapeString(line(title)) + `</title></head>`)
	b.WriteString(`<body style="font-size:18px;line-height:1.6">`)
	for p := range strings.SplitSeq(strings.TrimSpace(words), "\n") {
		b.WriteString("<p>")
		at := 0
		for _, m := range webAddress.FindAllStringIndex(p, -1) {
			link := html.EscapeString(p[m[0]:m[1]])
			b.WriteString(html.EscapeString(p[at:m[0]]) + `<a href="` + link + `">` + link + `</a>`)
			at = m[1]
		}
		b.WriteString(html.EscapeString(p[at:]) + "</p>\n")
	}
	b.WriteString("</body></html>\n")
	return b.String()
}

// again is the subject of an answer.
func again(subject string) string {
	if s := strings.ToLower(subject); strings.HasPrefix(s, "re:") || strings.HasPrefix(s, "回复") {
		return subject
	}
	return "Re: " + subject
}
