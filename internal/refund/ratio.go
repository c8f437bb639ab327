package refund

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// ratio is an exact fraction. It stays in two machine words as long as they suffice and goes on in big numbers when they
// do not, so that no sum is ever approximate. The zero value is 0.
type ratio struct {
	num, den int64 // den > 0 and without a common divisor; den 0 reads as 1
	big      *big.Rat
}

func whole(n int64) ratio { return ratio{num: n, den: 1} }

// over is the fraction n/d; d must be positive.
func over(n, d int64) ratio {
	g := gcd(n, d)
	return ratio{num: n / g, den: d / g}
}

func gcd(a, b int64) int64 {
	if a < 0 {
		a = -a
	}
	for b != 0 {
		a, b = b, a%b
	}
	if a == 0 {
		return 1
	}
	return a
}

func (a ratio) d() int64 {
	if a.den == 0 {
		return 1
	}
	return a.den
}

func (a ratio) rat() *big.Rat {
	if a.big != nil {
		return a.big
	}
	return big.NewRat(a.num, a.d())
}

// small brings a big fraction back into machine words where it fits.
func small(r *big.Rat) ratio {
	if r.Num().IsInt64() && r.Denom().IsInt64() && r.Num().Int64() != math.MinInt64 {
		return ratio{num: r.Num().Int64(), den: r.Denom().Int64()}
	}
	return ratio{big: r}
}

// times multiplies in 64 bits and says whether that was enough.
func times(a, b int64) (int64, bool) {
	neg := (a < 0) != (b < 0)
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	if neg {
		return -int64(lo), true
	}
	return int64(lo), true
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return uint64(-a)
	}
	return uint64(a)
}

func (a ratio) mul(b ratio) ratio {
	if a.big == nil && b.big == nil {
		ad, bd := a.d(), b.d()
		g, h := gcd(a.num, bd), gcd(b.num, ad)
		n, ok1 := times(a.num/g, b.num/h)
		d, ok2 := times(ad/h, bd/g)
		if ok1 && ok2 {
			return ratio{num: n, den: d}
		}
	}
	return small(new(big.Rat).Mul(a.rat(), b.rat()))
}

// div divides by a fraction other than zero.
func (a ratio) div(b ratio) ratio {
	if b.big == nil && b.num != 0 {
		inv := ratio{num: b.d(), den: b.num}
		if b.num < 0 {
			inv = ratio{num: -b.d(), den: -b.num}
		}
		return a.mul(inv)
	}
	return small(new(big.Rat).Quo(a.rat(), b.rat()))
}

func (a ratio) add(b ratio) ratio {
	if a.big == nil && b.big == nil {
		ad, bd := a.d(), b.d()
		if ad == bd {
			if s := a.num + b.num; (s > a.num) == (b.num > 0) {
				if ad == 1 {
					return ratio{num: s, den: 1}
				}
				return over(s, ad)
			}
		} else {
			g := gcd(ad, bd)
			x, ok1 := times(a.num, bd/g)
			y, ok2 := times(b.num, ad/g)
			d, ok3 := times(ad, bd/g)
			if s := x + y; ok1 && ok2 && ok3 && (s > x) == (y > 0) {
				return over(s, d)
			}
		}
	}
	return small(new(big.Rat).Add(a.rat(), b.rat()))
}

func (a ratio) neg() ratio {
	if a.big != nil {
		return ratio{big: new(big.Rat).Neg(a.big)}
	}
	return ratio{num: -a.num, den: a.den}
}

func (a ratio) sub(b ratio) ratio { return a.add(b.neg()) }

func (a ratio) sign() int {
	switch {
	case a.big != nil:
		return a.big.Sign()
	case a.num > 0:
		return 1
	case a.num < 0:
		return -1
	}
	return 0
}

func (a ratio) cmp(b ratio) int {
	if a.big == nil && b.big == nil {
		if a.d() == b.d() {
			switch {
			case a.num < b.num:
				return -1
			case a.num > b.num:
				return 1
			}
			return 0
		}
		x, ok1 := times(a.num, b.d())
		y, ok2 := times(b.num, a.d())
		if ok1 && ok2 {
			return whole(x).cmp(whole(y))
		}
	}
	return a.rat().Cmp(b.rat())
}

// same reports equality of fractions that are in lowest terms.
func (a ratio) same(b ratio) bool { return a.cmp(b) == 0 }

// floor is the largest whole number that is not above a, and what is left over.
func (a ratio) floor() (int64, ratio) {
	if a.big != nil {
		q := new(big.Int).Div(a.big.Num(), a.big.Denom()) // rounds down, for the denominator is positive
		return q.Int64(), small(new(big.Rat).Sub(a.big, new(big.Rat).SetInt(q)))
	}
	d := a.d()
	q, r := a.num/d, a.num%d
	if r < 0 {
		q, r = q-1, r+d
	}
	return q, ratio{num: r, den: d}
}

// round makes a whole number of a sum that is not negative, as the rule rounds; half a fen goes up unless it says else.
func (a ratio) round(mode string) int64 {
	n, rest := a.floor()
	half := rest.cmp(ratio{num: 1, den: 2})
	switch mode {
	case "down":
		return n
	case "up":
		if rest.sign() > 0 {
			n++
		}
		return n
	case "half_even":
		if half > 0 || half == 0 && n%2 != 0 {
			n++
		}
		return n
	}
	if half >= 0 {
		n++
	}
	return n
}

// String is a decimal where there is one with up to six places, else a fraction.
func (a ratio) String() string {
	r := a.rat()
	s := r.FloatString(6)
	if back, ok := new(big.Rat).SetString(s); !ok || back.Cmp(r) != 0 {
		return r.String()
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// parseRatio reads a decimal of a pack; absent or unreadable is nothing.
func parseRatio(s string) (ratio, bool) {
	if s == "" {
		return ratio{}, false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return whole(n), true
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return ratio{}, false
	}
	return small(r), true
}
