// Package celsius holds temperatures as people's instruments give them: tenths of a degree, exactly.
//
// A value with more than one decimal is refused rather than rounded, because a refund turns on 17.9 against 18.0.
package celsius

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Tenths is a temperature in tenths of a degree Celsius: 179 is 17.9 °C.
type Tenths int

// Parse reads a decimal number with at most one decimal.
func Parse(s string) (Tenths, error) {
	s = strings.TrimSpace(s)
	whole, frac, dotted := strings.Cut(s, ".")
	if dotted && len(frac) != 1 {
		if strings.Trim(frac, "0123456789") == "" && frac != "" && strings.Trim(frac[1:], "0") == "" {
			frac = frac[:1]
		} else {
			return 0, fmt.Errorf("a temperature has at most one decimal: %q", s)
		}
	}
	if !dotted {
		frac = "0"
	}
	negative := strings.HasPrefix(whole, "-")
	digits := strings.TrimLeft(whole, "+-")
	n, err := strconv.Atoi(digits)
	f, err2 := strconv.Atoi(frac)
	if err != nil || err2 != nil || len(whole)-len(digits) > 1 || n > 9999 {
		return 0, fmt.Errorf("not a temperature: %q", s)
	}
	v := Tenths(n*10 + f)
	if negative {
		v = -v
	}
	return v, nil
}

// String writes one decimal always: "18.0".
func (t Tenths) String() string {
	sign := ""
	if t < 0 {
		sign, t = "-", -t
	}
	return fmt.Sprintf("%s%d.%d", sign, t/10, t%10)
}

// MarshalJSON writes a string, like every exact decimal of the contracts.
func (t Tenths) MarshalJSON() ([]byte, error) { return []byte(`"` + t.String() + `"`), nil }

// UnmarshalJSON reads a number or a string.
func (t *Tenths) UnmarshalJSON(b []byte) error {
	s := string(b)
	if strings.HasPrefix(s, `"`) {
		if err := json.Unmarshal(b, &s); err != nil {
			return fmt.Errorf("read temperature: %w", err)
		}
	}
	return t.UnmarshalText([]byte(s))
}

// UnmarshalText reads what Parse reads.
func (t *Tenths) UnmarshalText(b []byte) error {
	v, err := Parse(string(b))
	if err != nil {
		return err
	}
	*t = v
	return nil
}

// Value stores the tenths as an integer.
func (t Tenths) Value() (driver.Value, error) { return int64(t), nil }
