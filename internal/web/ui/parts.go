package ui

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"
)

// letterKey lets a key press a button (static/js/rows.js).
func letterKey(letter string) templ.Attributes {
	if letter == "" {
		return nil
	}
	return templ.Attributes{"data-key": strings.ToLower(letter), "aria-keyshortcuts": letter}
}

func noteRole(tone string) string {
	if tone == "bad" {
		return "alert"
	}
	return "note"
}

func toastRole(bad bool) string {
	if bad {
		return "alert"
	}
	return "status"
}

// nextLink is the present address, going on at the cursor.
func nextLink(ctx context.Context, cursor string) string {
	u := Of(ctx).URL
	q := u.Query()
	q.Set("after", cursor)
	return (&url.URL{Path: u.Path, RawQuery: q.Encode()}).String()
}

// scroller makes a table that scrolls sideways reachable by keyboard.
func scroller(ctx context.Context, t Table) templ.Attributes {
	if !t.Wide {
		return nil
	}
	return templ.Attributes{"tabindex": "0", "role": "region", "aria-label": T(ctx, t.Name)}
}

func hiddenNames(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

func squareBox(side int) string { return fmt.Sprintf("0 0 %d %d", side, side) }

func tiles(ctx context.Context) string {
	if m := Of(ctx).Map; m.Provider == "xyz" {
		return m.Tiles
	}
	return ""
}

func review(ctx context.Context) string {
	if no := Of(ctx).Map.ReviewNo; no != "" {
		return T(ctx, "ui.map.review", "no", no)
	}
	return ""
}
