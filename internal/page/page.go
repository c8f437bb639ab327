// Package page cuts long lists: a size, a cursor, and the place where the next page starts. Paging is by keyset, so that
// page 20,000 of a million cases costs what page 1 costs.
package page

import (
	"encoding/base64"
	"encoding/json"

	"github.com/rehu-heat/rehu/internal/fault"
)

// Sizes of a page: what a list shows unless asked, and the most it gives.
const (
	DefaultSize = 50
	MaxSize     = 200
)

// Request asks for one page.
type Request struct {
	Size  int    `json:"size" form:"size"`
	After string `json:"after" form:"after"` // the Next of the page before; empty for the first
}

// Limit is the size within its bounds.
func (r Request) Limit() int {
	switch {
	case r.Size <= 0:
		return DefaultSize
	case r.Size > MaxSize:
		return MaxSize
	}
	return r.Size
}

// Of is one page of a list.
type Of[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // empty on the last page
	// Short: one look did not go far enough to fill the page; Next goes on where it ended.
	Short bool `json:"short,omitempty"`
}

// Cut makes a page of rows that were asked for with Limit()+1: the row too many proves that there is a next page, and
// cursor gives the keys of the last row kept.
func Cut[T any](rows []T, r Request, cursor func(T) []any) Of[T] {
	n := r.Limit()
	if len(rows) <= n {
		return Of[T]{Items: rows}
	}
	rows = rows[:n]
	return Of[T]{Items: rows, Next: Encode(cursor(rows[n-1])...)}
}

// Encode makes an opaque cursor of the sort keys of a row.
func Encode(keys ...any) string {
	b, err := json.Marshal(keys)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// Decode reads the keys back into pointers; Invalid when the cursor is not one of ours.
func Decode(cursor string, keys ...any) error {
	bad := fault.New(fault.Invalid, "page.bad_cursor")
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return bad
	}
	var raw []json.RawMessage
	if json.Unmarshal(b, &raw) != nil || len(raw) != len(keys) {
		return bad
	}
	for i := range keys {
		if json.Unmarshal(raw[i], keys[i]) != nil {
			return bad
		}
	}
	return nil
}
