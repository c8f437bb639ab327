package paper

// Wrap and Units let the tests see lines without a font: a rune of the Latin alphabet is half a rune of Chinese.
func Wrap(s string, first, width float64) []string {
	return wrap(s, first, width, func(u string) float64 {
		w := 0.0
		for _, r := range u {
			if wraps(r) {
				w++
			} else {
				w += 0.5
			}
		}
		return w
	})
}

// Clean is clean.
func Clean(s string) string { return clean(s) }

// NoStart and NoEnd are the signs that start and end no line.
const (
	NoStart = noStart
	NoEnd   = noEnd
)
