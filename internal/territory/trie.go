package territory

import (
	"slices"
	"sort"
)

// trie finds the longest of many names at a place of a text. Children lie next to each other, sorted, so that 20,000
// names take a few megabytes.
type trie struct {
	nodes []trieNode
}

type trieNode struct {
	r     rune
	value int32 // -1: no name ends here
	child int32
	n     int32
}

// newTrie makes a trie of names; a name's value is its number.
func newTrie(names []string) *trie {
	type key struct {
		runes []rune
		value int32
	}
	keys := make([]key, len(names))
	for i, n := range names {
		keys[i] = key{[]rune(n), int32(i)} //nolint:gosec // names fit
	}
	sort.Slice(keys, func(i, j int) bool { return slices.Compare(keys[i].runes, keys[j].runes) < 0 })
	t := &trie{nodes: []trieNode{{value: -1}}}
	type job struct {
		node   int32
		lo, hi int
		depth  int
	}
	for queue := []job{{0, 0, len(keys), 0}}; len(queue) > 0; {
		j := queue[0]
		queue = queue[1:]
		lo := j.lo
		for lo < j.hi && len(keys[lo].runes) == j.depth {
			t.nodes[j.node].value = keys[lo].value
			lo++
		}
		t.nodes[j.node].child = int32(len(t.nodes)) //nolint:gosec // nodes fit
		for lo < j.hi {
			r, hi := keys[lo].runes[j.depth], lo+1
			for hi < j.hi && keys[hi].runes[j.depth] == r {
				hi++
			}
			queue = append(queue, job{int32(len(t.nodes)), lo, hi, j.depth + 1}) //nolint:gosec // nodes fit
			t.nodes = append(t.nodes, trieNode{r: r, value: -1})
			t.nodes[j.node].n++
			lo = hi
		}
	}
	t.nodes = slices.Clip(t.nodes)
	return t
}

// longest is the longest name that starts at i: where it ends and its value; value -1 for none.
func (t *trie) longest(s []rune, i int) (end int, value int32) {
	value = -1
	t.walk(s, i, func(e int, v int32) { end, value = e, v })
	return end, value
}

// walk tells every name that starts at i, shortest first.
func (t *trie) walk(s []rune, i int, found func(end int, value int32)) {
	node := &t.nodes[0]
	for ; i < len(s) && node.n > 0; i++ {
		kids := t.nodes[node.child : node.child+node.n]
		lo, hi := 0, len(kids)
		for lo < hi {
			if mid := int(uint(lo+hi) >> 1); kids[mid].r < s[i] {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		if lo == len(kids) || kids[lo].r != s[i] {
			return
		}
		if node = &kids[lo]; node.value >= 0 {
			found(i+1, node.value)
		}
	}
}
