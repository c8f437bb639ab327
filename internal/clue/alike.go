package clue

import "slices"

// Texts are compared by their runs of three characters. Sixteen minima of their hashes, two by two, make eight bands: two
// texts that share most of their runs almost surely share a band, so that a copy is found by one look into an index and
// then compared in full.
const (
	gram    = 3
	minima  = 16
	bands   = minima / 2
	shortly = 12   // a text below this many characters is a copy only when it is the same
	alike   = 0.62 // share of runs in common, of those that either has
)

// grams are the hashed runs of a text, sorted, each once.
func grams(s string) []uint64 {
	r := bare(s)
	if len(r) < shortly {
		return nil
	}
	out := make([]uint64, 0, len(r))
	for i := 0; i+gram <= len(r); i++ {
		h := uint64(14695981039346656037)
		for _, c := range r[i : i+gram] {
			h = (h ^ uint64(c)) * 1099511628211
		}
		out = append(out, mix(h))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	return h
}

// keys are the bands of a text, as numbers that both databases can hold. A short text has one: itself.
func keys(s string) []int64 {
	g := grams(s)
	if len(g) == 0 {
		h := uint64(14695981039346656037)
		for _, c := range bare(s) {
			h = (h ^ uint64(c)) * 1099511628211
		}
		return []int64{int64(mix(h) >> 1)}
	}
	var low [minima]uint64
	for i := range low {
		low[i] = ^uint64(0)
		seed := mix(uint64(i)*0x9e3779b97f4a7c15 + 1)
		for _, x := range g {
			low[i] = min(low[i], mix(x^seed))
		}
	}
	out := make([]int64, bands)
	for i := range out {
		out[i] = int64(mix(low[2*i]^mix(low[2*i+1]+uint64(i))) >> 1)
	}
	return out
}

// near reports whether two texts are copies of one another.
func near(a, b string) bool {
	x, y := grams(a), grams(b)
	if len(x) == 0 || len(y) == 0 {
		return slices.Equal(bare(a), bare(b)) && len(bare(a)) > 0
	}
	same := 0
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch {
		case x[i] == y[j]:
			same, i, j = same+1, i+1, j+1
		case x[i] < y[j]:
			i++
		default:
			j++
		}
	}
	return float64(same) >= alike*float64(len(x)+len(y)-same)
}
