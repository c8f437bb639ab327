package citypack

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/rehu-heat/rehu/internal/text"
)

type nodeKind int

const (
	scalar nodeKind = iota
	mapping
	sequence
)

// node is a part of a pack that remembers its file and line through merging.
type node struct {
	kind  nodeKind
	file  string
	line  int
	keys  []string // of a mapping, in the order of the file
	lines []int    // of the keys
	items []*node
	text  string // of a scalar
	value any    // of a scalar: string, json.Number, bool or nil
	named bool   // of a source: its law is a title, no longer a short name
}

func (n *node) get(key string) *node {
	for i, k := range n.keys {
		if k == key {
			return n.items[i]
		}
	}
	return nil
}

func (n *node) str(key string) string {
	if c := n.get(key); c != nil && c.kind == scalar {
		return c.text
	}
	return ""
}

func (n *node) set(key, value string) {
	s := &node{kind: scalar, file: n.file, line: n.line, text: value, value: value}
	for i, k := range n.keys {
		if k == key {
			n.items[i] = s
			return
		}
	}
	n.keys, n.lines, n.items = append(n.keys, key), append(n.lines, n.line), append(n.items, s)
}

// at follows the names of a JSON pointer as far as they lead.
func (n *node) at(pointer []string) *node {
	for _, p := range pointer {
		var next *node
		switch n.kind {
		case mapping:
			next = n.get(p)
		case sequence:
			if i, err := strconv.Atoi(p); err == nil && i >= 0 && i < len(n.items) {
				next = n.items[i]
			}
		case scalar:
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

func (n *node) keyLine(key string) int {
	for i, k := range n.keys {
		if k == key {
			return n.lines[i]
		}
	}
	return n.line
}

// tree gives the node as the values of encoding/json, numbers as json.Number.
func (n *node) tree() any {
	switch n.kind {
	case scalar:
		return n.value
	case sequence:
		list := make([]any, len(n.items))
		for i, e := range n.items {
			list[i] = e.tree()
		}
		return list
	case mapping:
		m := make(map[string]any, len(n.keys))
		for i, k := range n.keys {
			m[k] = n.items[i].tree()
		}
		return m
	}
	return nil
}

func (n *node) clone() *node {
	c := *n
	c.keys, c.lines = append([]string(nil), n.keys...), append([]int(nil), n.lines...)
	c.items = make([]*node, len(n.items))
	for i, e := range n.items {
		c.items[i] = e.clone()
	}
	return &c
}

// decode fills a value from the node; a key that the type lacks is an error.
func (n *node) decode(into any) error {
	b, err := json.Marshal(n.tree())
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// parse reads one YAML document.
func parse(name string, data []byte) (*node, []Problem) {
	r := reader{file: name}
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		line := 0
		if e, ok := errors.AsType[*yaml.SyntaxError](err); ok && e.Token != nil {
			line = e.Token.Position.Line
		}
		return nil, []Problem{{File: name, Line: line, Message: text.Msg("pack.syntax", "text", firstLine(err.Error()))}}
	}
	if len(f.Docs) != 1 || f.Docs[0].Body == nil {
		return nil, []Problem{{File: name, Line: 1, Message: text.Msg("pack.one_document")}}
	}
	n := r.read(f.Docs[0].Body, "")
	if len(r.problems) == 0 && n.kind != mapping {
		r.fail(n.line, "", "pack.not_a_mapping")
	}
	return n, r.problems
}

type reader struct {
	file     string
	problems []Problem
}

func (r *reader) fail(line int, key, message string, pairs ...any) {
	r.problems = append(r.problems, Problem{File: r.file, Line: line, Key: key, Message: text.Msg(message, pairs...)})
}

func (r *reader) read(a ast.Node, path string) *node {
	n := &node{file: r.file, line: lineOf(a)}
	switch x := a.(type) {
	case *ast.MappingNode:
		n.kind = mapping
		for _, v := range x.Values {
			r.member(n, v, path)
		}
	case *ast.MappingValueNode:
		n.kind = mapping
		r.member(n, x, path)
	case *ast.SequenceNode:
		n.kind = sequence
		for i, v := range x.Values {
			n.items = append(n.items, r.read(v, path+"["+itoa(i)+"]"))
		}
	case *ast.StringNode:
		n.text, n.value = x.Value, x.Value
	case *ast.LiteralNode:
		n.text, n.value = x.Value.Value, x.Value.Value
	case *ast.BoolNode:
		n.text, n.value = strconv.FormatBool(x.Value), x.Value
	case *ast.IntegerNode, *ast.FloatNode:
		r.number(n, a.GetToken().Value, path)
	case *ast.NullNode:
	default:
		r.fail(n.line, path, "pack.not_plain", "what", a.Type().String())
	}
	return n
}

func (r *reader) number(n *node, s, path string) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || !json.Valid([]byte(s)) {
		r.fail(n.line, path, "pack.bad_number", "text", s)
		return
	}
	n.text, n.value = s, json.Number(s)
}

func (r *reader) member(n *node, v *ast.MappingValueNode, path string) {
	key := v.Key.GetToken().Value
	line := lineOf(v.Key)
	if n.get(key) != nil {
		r.fail(line, join(path, key), "pack.twice")
		return
	}
	n.keys, n.lines = append(n.keys, key), append(n.lines, line)
	n.items = append(n.items, r.read(v.Value, join(path, key)))
}

func lineOf(a ast.Node) int {
	var t *token.Token
	switch x := a.(type) {
	case *ast.MappingNode:
		if len(x.Values) > 0 && !x.IsFlowStyle {
			return lineOf(x.Values[0].Key)
		}
		t = x.Start
	case *ast.MappingValueNode:
		return lineOf(x.Key)
	default:
		t = a.GetToken()
	}
	if t == nil || t.Position == nil {
		return 0
	}
	return t.Position.Line
}
