package clue

import "github.com/rehu-heat/rehu/internal/page"

func decode(cursor string, keys ...any) error { return page.Decode(cursor, keys...) }

// cursorOf are the keys of a row that the next page goes on from.
func cursorOf(f Filter, c Clue) []any {
	if f.State == Undecided {
		return []any{c.Rank, int64(c.At), c.ID}
	}
	return []any{c.ID}
}
