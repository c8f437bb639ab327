package money

import "math/bits"

// mul and div work in 128 bits, so that a city's whole fee times a weight cannot overflow.
func mul(a, b int64) (hi, lo uint64) { return bits.Mul64(uint64(a), uint64(b)) }

func div(hi, lo uint64, d int64) (q, r int64) {
	uq, ur := bits.Div64(hi, lo, uint64(d))
	return int64(uq), int64(ur)
}
