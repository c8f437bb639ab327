package mail

import (
	"html"
	"regexp"
	"strings"
)

// lineTags are the elements after which a reader sees a new line.
var lineTags = map[string]bool{
	"p": true, "div": true, "br": true, "tr": true, "li": true, "ul": true, "ol": true, "table": true, "blockquote": true, "hr": true,
	"h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true, "pre": true,
}

// hiddenTags are the elements whose content nobody reads.
var hiddenTags = map[string]bool{"script": true, "style": true, "head": true, "title": true, "template": true}

// strip leaves the words of a page. It goes through the page once, whatever stands in it.
func strip(s string) string {
	var b strings.Builder
	hidden := ""
	for s != "" {
		before, rest, found := strings.Cut(s, "<")
		if hidden == "" {
			b.WriteString(strings.Join(strings.Fields(html.UnescapeString(before)), " "))
			if strings.TrimSpace(before) != "" && before != strings.TrimRight(before, " \t\n\r") {
				b.WriteByte(' ')
			}
		}
		if !found {
			break
		}
		if strings.HasPrefix(rest, "!--") {
			_, s, _ = strings.Cut(rest, "-->")
			continue
		}
		tag, after, closed := strings.Cut(rest, ">")
		if !closed {
			break
		}
		s = after
		name := tagName(tag)
		switch {
		case hidden != "":
			if strings.HasPrefix(tag, "/") && name == hidden {
				hidden = ""
			}
		case hiddenTags[name] && !strings.HasPrefix(tag, "/") && !strings.HasSuffix(tag, "/"):
			hidden = name
		case lineTags[name]:
			b.WriteByte('\n')
		case name == "td" || name == "th":
			b.WriteByte(' ')
		}
	}
	return manyLines.ReplaceAllString(b.String(), "\n\n")
}

var manyLines = regexp.MustCompile(`\n[ \t\n]*\n`)

func tagName(tag string) string {
	name := strings.TrimPrefix(tag, "/")
	if i := strings.IndexAny(name, " \t\n\r/"); i >= 0 {
		name = name[:i]
	}
	if len(name) > 12 {
		return ""
	}
	return strings.ToLower(name)
}

// quoted begins what a reply repeats of the letter before.
var quoted = regexp.MustCompile(`(?m)^\s*(?:>|-{2,}\s*(?:原始邮件|回复的原邮件|Original Message|转发|Forwarded)|在?\s*20\d\d[年/-].{0,80}(?:写道|wrote)[:：]|On .{5,120} wrote:|发件人[:：]|From: .*@)`)

// Fresh is what is new in an answer: the part before what it repeats. An answer that writes below or between the repeated
// lines is given whole.
func Fresh(s string) string {
	at := quoted.FindStringIndex(s)
	if at == nil {
		return s
	}
	if head := strings.TrimSpace(s[:at[0]]); head != "" {
		return head
	}
	return s
}
