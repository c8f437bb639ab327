package citypack

import "strconv"

func itoa(i int) string { return strconv.Itoa(i) }

// lay puts a city's part over its parent's and gives the result; neither is changed. Mappings are merged key by key,
// except a value with its source, which is replaced whole; lists whose elements have codes are merged by code; time
// limits go before the parent's; every other list is replaced.
func lay(over, under *node, key string) *node {
	switch {
	case over == nil:
		return under.clone()
	case under == nil || over.kind != under.kind || over.kind == scalar || over.get("confidence") != nil:
		return over.clone()
	case over.kind == mapping:
		return layMapping(over, under)
	case key == "limits":
		out := over.clone()
		out.items = append(out.items, under.clone().items...)
		return out
	case coded(over) && coded(under):
		return layCoded(over, under, key == "refund_rules")
	}
	return over.clone()
}

func layMapping(over, under *node) *node {
	out := &node{kind: mapping, file: over.file, line: over.line, named: over.named}
	for i, k := range under.keys {
		out.keys, out.lines = append(out.keys, k), append(out.lines, under.lines[i])
		out.items = append(out.items, lay(over.get(k), under.items[i], k))
	}
	for i, k := range over.keys {
		if under.get(k) == nil {
			out.keys, out.lines = append(out.keys, k), append(out.lines, over.lines[i])
			out.items = append(out.items, over.items[i].clone())
		}
	}
	return out
}

func codeKey(n *node) string {
	if c := n.str("code"); c != "" {
		return c
	}
	return n.str("id")
}

func coded(n *node) bool {
	for _, e := range n.items {
		if e.kind != mapping || codeKey(e) == "" {
			return false
		}
	}
	return true
}

// layCoded merges by code, in the parent's order with the city's own after it; of refund rules the city's own come first.
func layCoded(over, under *node, ownFirst bool) *node {
	if ownFirst {
		over, under = under, over
		out := layCoded(over, under, false)
		for i, e := range under.items {
			out.items[i] = e.clone() // a rule is one text: it is replaced whole
		}
		return out
	}
	out := &node{kind: sequence, file: over.file, line: over.line}
	find := func(n *node, code string) *node {
		for _, e := range n.items {
			if codeKey(e) == code {
				return e
			}
		}
		return nil
	}
	for _, u := range under.items {
		out.items = append(out.items, lay(find(over, codeKey(u)), u, ""))
	}
	for _, o := range over.items {
		if find(under, codeKey(o)) == nil {
			out.items = append(out.items, o.clone())
		}
	}
	return out
}
