package ui

import (
	"context"
	"strconv"

	"github.com/a-h/templ"

	"github.com/rehu-heat/rehu/internal/text"
)

// langTag is the language of the page; it also chooses the right shapes of Chinese characters.
func langTag(ctx context.Context) string {
	if English(ctx) {
		return "en"
	}
	return "zh-CN"
}

// live are the attributes that connect a page to its stream of events.
func live(f Frame) templ.Attributes {
	if f.Live == "" {
		return nil
	}
	return templ.Attributes{"hx-ext": "sse", "sse-connect": f.Live}
}

func roleSuffix(ctx context.Context) string {
	if r := Of(ctx).Role; r != "" {
		return " · " + r
	}
	return ""
}

// allPages is the page that lists every page, where the tabs of a telephone end.
func allPages(ctx context.Context) string {
	if c := Of(ctx).City.Code; c != 0 {
		return "/c/" + strconv.Itoa(c) + "/all"
	}
	return "/cities"
}

func countOf(l Link) string {
	if l.Count == 0 {
		return ""
	}
	return " " + strconv.Itoa(l.Count)
}

// Words says each message, for lists of explanations.
func Words(ctx context.Context, all []text.Message) []string {
	out := make([]string, 0, len(all))
	for _, m := range all {
		out = append(out, Say(ctx, m))
	}
	return out
}
