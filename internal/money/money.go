// Package money holds sums in whole fen. Sums are added, compared, shared out and printed here and nowhere else.
package money

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// Fen is a sum in fen, a hundredth of a yuan.
type Fen int64

// Parse reads yuan with at most two decimals.
func Parse(s string) (Fen, error) {
	s = strings.TrimSpace(s)
	neg := strings.HasPrefix(s, "-")
	whole, frac, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if len(frac) > 2 || whole == "" || strings.Trim(whole+frac, "0123456789") != "" {
		return 0, fmt.Errorf("not a sum in yuan with at most two decimals: %q", s)
	}
	n, err := strconv.ParseInt(whole+(frac + "00")[:2], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("not a sum in yuan: %q", s)
	}
	if neg {
		n = -n
	}
	return Fen(n), nil
}

// Yuan writes yuan with two decimals: "95.04".
func (f Fen) Yuan() string {
	sign := ""
	if f < 0 {
		sign, f = "-", -f
	}
	return fmt.Sprintf("%s%d.%02d", sign, f/100, f%100)
}

// String is Yuan.
func (f Fen) String() string { return f.Yuan() }

// MarshalJSON writes yuan as a string.
func (f Fen) MarshalJSON() ([]byte, error) { return []byte(`"` + f.Yuan() + `"`), nil }

// UnmarshalJSON reads yuan as a number or a string.
func (f *Fen) UnmarshalJSON(b []byte) error {
	s := string(b)
	if strings.HasPrefix(s, `"`) {
		if err := json.Unmarshal(b, &s); err != nil {
			return fmt.Errorf("read sum: %w", err)
		}
	}
	v, err := Parse(s)
	if err != nil {
		return err
	}
	*f = v
	return nil
}

// Value stores fen as an integer.
func (f Fen) Value() (driver.Value, error) { return int64(f), nil }

// Share splits a sum by weights so that the parts add up to it exactly: each part is rounded down and the fen left
// over go to the largest remainders, earlier parts first among equals. A sum over zero weights is refused by returning
// nil.
func Share(total Fen, weights []int64) []Fen {
	var sum int64
	for _, w := range weights {
		if w < 0 {
			return nil
		}
		sum += w
	}
	if sum == 0 {
		return nil
	}
	sign := Fen(1)
	if total < 0 {
		sign, total = -1, -total
	}
	parts := make([]Fen, len(weights))
	rest := make([]int64, len(weights))
	order := make([]int, len(weights))
	left := total
	for i, w := range weights {
		hi, lo := mul(int64(total), w)
		q, r := div(hi, lo, sum)
		parts[i], rest[i], order[i] = Fen(q), r, i
		left -= parts[i]
	}
	sort.SliceStable(order, func(a, b int) bool { return rest[order[a]] > rest[order[b]] })
	for i := 0; left > 0; i, left = i+1, left-1 {
		parts[order[i%len(order)]]++
	}
	for i := range parts {
		parts[i] *= sign
	}
	return parts
}
