package ui

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// qrPath is a QR code as one SVG path and the length of its side with the quiet zone.
func qrPath(s string) (path string, side int, err error) {
	code, err := qr.Encode(s, qr.M)
	if err != nil {
		return "", 0, fmt.Errorf("draw a QR code: %w", err)
	}
	var b strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			if !code.Black(x, y) {
				continue
			}
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from+4, y+4, x-from, x-from)
		}
	}
	return b.String(), code.Size + 8, nil
}
