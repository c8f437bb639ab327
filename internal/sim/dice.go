package sim

import (
	"hash/fnv"
	"math/rand/v2"
	"strconv"
)

// dice is one stream of chance. Every thing of the city has a stream of its own, named by what it is, so that a change in
// one place does not shuffle the rest. Only whole numbers are drawn and reckoned with: fractions are rounded differently
// by different processors, and the city must be the same on each.
type dice struct{ r *rand.Rand }

// roll opens the stream of a thing.
func roll(seed uint64, what string, n ...int) dice {
	h := fnv.New64a()
	h.Write([]byte(what)) // a hash never fails
	for _, i := range n {
		h.Write([]byte("/" + strconv.Itoa(i))) // a hash never fails
	}
	return dice{rand.New(rand.NewPCG(seed, h.Sum64()))}
}

// n is a number from 0 to below k.
func (d dice) n(k int) int {
	if k <= 1 {
		return 0
	}
	return d.r.IntN(k)
}

// between is a number from a to b, both included.
func (d dice) between(a, b int) int { return a + d.n(b-a+1) }

// chance is true in so many of a thousand cases.
func (d dice) chance(permille int) bool { return d.n(1000) < permille }

// bell is a number around 0, seldom further away than spread.
func (d dice) bell(spread int) int {
	sum := 0
	for range 4 {
		sum += d.between(-spread, spread)
	}
	return sum / 2
}

// weighted is an index, each as likely as its weight.
func (d dice) weighted(weights []int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	k := d.n(total)
	for i, w := range weights {
		if k -= w; k < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// pick is one of a list.
func pick[T any](d dice, of []T) T { return of[d.n(len(of))] }

// shuffle mixes a list.
func shuffle[T any](d dice, of []T) {
	d.r.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
}
