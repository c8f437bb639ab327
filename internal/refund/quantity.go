package refund

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/fault"
)

// Quantity is an exact decimal with up to four places: an area in m², or a price in yuan.
type Quantity int64

const (
	quantityPlaces = 4
	quantityOne    = 10_000
)

// Hundredths makes a quantity of hundredths: 6050 is 60.50.
func Hundredths(n int64) Quantity { return Quantity(n * (quantityOne / 100)) }

// ParseQuantity reads a decimal with at most four places.
func ParseQuantity(s string) (Quantity, error) {
	s = strings.TrimSpace(s)
	whole, frac, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	frac = strings.TrimRight(frac, "0")
	if whole == "" || strings.Trim(whole+frac, "0123456789") != "" || len(whole) > 12 {
		return 0, fault.New(fault.Invalid, "refund.not_a_number")
	}
	if len(frac) > quantityPlaces {
		return 0, fault.New(fault.Invalid, "refund.too_fine", "places", quantityPlaces)
	}
	n, err := strconv.ParseInt(whole+(frac + "0000")[:quantityPlaces], 10, 64)
	if err != nil {
		return 0, fault.New(fault.Invalid, "refund.not_a_number")
	}
	if strings.HasPrefix(s, "-") {
		n = -n
	}
	return Quantity(n), nil
}

// String writes the decimal without needless zeros, but two places at least.
func (q Quantity) String() string {
	sign := ""
	if q < 0 {
		sign, q = "-", -q
	}
	s := fmt.Sprintf("%d.%04d", q/quantityOne, q%quantityOne)
	for strings.HasSuffix(s, "0") && len(s)-strings.IndexByte(s, '.') > 3 {
		s = s[:len(s)-1]
	}
	return sign + s
}

// MarshalJSON writes a string, like every exact decimal of the contracts.
func (q Quantity) MarshalJSON() ([]byte, error) { return []byte(`"` + q.String() + `"`), nil }

// UnmarshalJSON reads a number or a string.
func (q *Quantity) UnmarshalJSON(b []byte) error {
	s := string(b)
	if s == "null" {
		return nil
	}
	if strings.HasPrefix(s, `"`) {
		if err := json.Unmarshal(b, &s); err != nil {
			return fault.New(fault.Invalid, "refund.not_a_number")
		}
	}
	v, err := ParseQuantity(s)
	if err != nil {
		return err
	}
	*q = v
	return nil
}
