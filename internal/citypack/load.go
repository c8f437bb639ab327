package citypack

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// Problem is one thing that is wrong in a pack, with the place where it stands.
type Problem struct {
	File    string       `json:"file"`
	Line    int          `json:"line"`
	Key     string       `json:"key"`
	Message text.Message `json:"message"`
}

// In is the problem in the reader's language: "packs/x.yaml:41: clocks.arrive.limits[2].unit: …".
func (p Problem) In(l text.Lang) string {
	s := fmt.Sprintf("%s:%d: ", p.File, p.Line)
	if p.Key != "" {
		s += p.Key + ": "
	}
	return s + p.Message.In(l)
}

// String is the problem in English, for logs.
func (p Problem) String() string { return p.In(text.EN) }

// Problems is everything that is wrong with a set of packs.
type Problems []Problem //nolint:errname // it is a list for readers that also travels as an error

// Error lists the problems, one a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

type file struct {
	name string
	root *node
}

// Load reads every *.yaml of a folder. The error is an Invalid fault whose cause is Problems.
func Load(fsys fs.FS) (*Set, error) { return loadAll(fsys, "packs", nil) }

// LoadDir reads a folder over a set: a pack there replaces the one with the same code. The set itself does not change.
func LoadDir(s *Set, dir string) (*Set, error) {
	if dir == "" {
		return s, nil
	}
	return loadAll(os.DirFS(dir), dir, s)
}

// LoadFile reads one pack over a set. The set itself does not change.
func LoadFile(s *Set, name string) (*Set, error) {
	dir := filepath.Dir(name)
	return load(os.DirFS(dir), filepath.ToSlash(dir), []string{filepath.Base(name)}, s)
}

func loadAll(fsys fs.FS, dir string, under *Set) (*Set, error) {
	names, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list packs: %w", err)
	}
	return load(fsys, dir, names, under)
}

func load(fsys fs.FS, dir string, names []string, under *Set) (*Set, error) {
	s := &Set{files: map[string]*file{}, packs: map[int]*Pack{}}
	if under != nil {
		maps.Copy(s.files, under.files)
	}
	var problems Problems
	own := map[string]string{}
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read pack: %w", err)
		}
		shown := path.Join(dir, name)
		root, wrong := parseChecked(shown, b)
		problems = append(problems, wrong...)
		if len(wrong) > 0 {
			continue
		}
		code := root.str("code")
		if first, twice := own[code]; twice {
			problems = append(problems, Problem{File: shown, Line: root.keyLine("code"), Key: "code", Message: text.Msg("pack.code_twice", "other", first)})
			continue
		}
		own[code] = shown
		s.files[code] = &file{name: shown, root: root}
	}
	problems = append(problems, s.build()...)
	if len(problems) > 0 {
		return nil, fault.Wrap(problems, fault.Invalid, "pack.invalid", "count", len(problems), "first", problems[0].String())
	}
	return s, nil
}

// Check finds what is wrong in one pack; its parent is not looked at.
func Check(name string, data []byte) []Problem {
	_, problems := parseChecked(name, data)
	return problems
}

// CheckIn finds what is wrong in one pack that would stand in a set, its inheritance included.
func (s *Set) CheckIn(name string, data []byte) []Problem {
	root, problems := parseChecked(name, data)
	if len(problems) > 0 {
		return problems
	}
	next := &Set{files: maps.Clone(s.files), packs: map[int]*Pack{}}
	next.files[root.str("code")] = &file{name: name, root: root}
	return next.build()
}

// ProblemsOf gives the problems behind a load's error.
func ProblemsOf(err error) []Problem {
	p, _ := errors.AsType[Problems](err)
	return p
}

func parseChecked(name string, data []byte) (*node, []Problem) {
	root, problems := parse(name, data)
	if len(problems) > 0 {
		return nil, problems
	}
	if problems = checkSchema(name, root); len(problems) > 0 {
		return nil, problems
	}
	return root, checkRules(name, root)
}

// build lays every pack over its parents and fills the values.
func (s *Set) build() []Problem {
	var problems []Problem
	codes := make([]string, 0, len(s.files))
	for code := range s.files {
		codes = append(codes, code)
	}
	sort.Strings(codes)
	for _, code := range codes {
		f := s.files[code]
		root, chain, wrong := s.inherited(f)
		if wrong == nil {
			var p *Pack
			if p, wrong = newPack(f, root); len(wrong) == 0 {
				p.chain = chain
				s.packs[p.Code] = p
			}
		}
		problems = append(problems, wrong...)
	}
	return problems
}

func (s *Set) inherited(f *file) (*node, []string, []Problem) {
	root, chain := s.named(f), []string{f.root.str("code")}
	for at := f; at.root.str("parent") != ""; {
		parent := at.root.str("parent")
		next, ok := s.files[parent]
		if !ok || len(chain) > 5 {
			return nil, nil, []Problem{{
				File: at.name, Line: at.root.keyLine("parent"), Key: "parent",
				Message: text.Msg("pack.no_parent", "parent", parent),
			}}
		}
		under := s.named(next)
		for _, own := range []string{"parent", "notes", "bounds", "centre"} {
			under.drop(own)
		}
		root, chain, at = lay(root, under, ""), append(chain, parent), next
	}
	return root, chain, nil
}

// named is a file with its sources' short names of laws replaced by their titles, so that a name that a city gives to
// another law does not change what its province's values rest on.
func (s *Set) named(f *file) *node {
	var laws *node
	for at, n := f, 0; at != nil && n <= 5; at, n = s.files[at.root.str("parent")], n+1 {
		if own := at.root.get("laws"); own != nil {
			laws = lay(laws, own, "laws")
		}
	}
	root := f.root.clone()
	nameSources(root, laws)
	return root
}

func (n *node) drop(key string) {
	for i, k := range n.keys {
		if k == key {
			n.keys = append(n.keys[:i:i], n.keys[i+1:]...)
			n.lines = append(n.lines[:i:i], n.lines[i+1:]...)
			n.items = append(n.items[:i:i], n.items[i+1:]...)
			return
		}
	}
}

func newPack(f *file, root *node) (*Pack, []Problem) {
	p := &Pack{file: f.name, byCode: map[string]*Category{}}
	if problems := unnamed(root); len(problems) > 0 {
		return nil, problems
	}
	p.collect(root)
	if err := root.decode(&p.Doc); err != nil {
		return nil, []Problem{{File: f.name, Line: 1, Message: text.Msg("pack.syntax", "text", err.Error())}}
	}
	p.Code, p.Name, p.Edition, p.Categories = codeOf(p.Doc.Code), p.Doc.Name, p.Doc.Edition, p.Doc.Categories
	for _, c := range p.Categories {
		c.inherit(nil)
		p.index(c)
	}
	return p, checkWhole(p, root)
}

func (p *Pack) index(c *Category) {
	p.byCode[c.Code] = c
	for _, child := range c.Children {
		p.index(child)
	}
}

// nameSources replaces the short names of laws by their titles. A name that is no law's is left, without the mark that
// unnamed looks for.
func nameSources(n, laws *node) {
	for i, k := range n.keys {
		c := n.items[i]
		if k != "source" || c.kind != mapping {
			nameSources(c, laws)
			continue
		}
		short := c.get("law")
		var law *node
		if laws != nil && short != nil {
			law = laws.get(short.text)
		}
		if law == nil {
			continue
		}
		c.named = true
		c.set("law", law.get("title").str("zh"))
		if url := law.str("url"); url != "" && c.str("url") == "" {
			c.set("url", url)
		}
	}
	if n.kind == sequence {
		for _, e := range n.items {
			nameSources(e, laws)
		}
	}
}

// unnamed finds the sources whose law nobody names.
func unnamed(n *node) []Problem {
	var problems []Problem
	for i, k := range n.keys {
		switch c := n.items[i]; {
		case k != "source" || c.kind != mapping:
			problems = append(problems, unnamed(c)...)
		case !c.named:
			problems = append(problems, Problem{File: c.file, Line: c.line, Key: "source.law", Message: text.Msg("pack.no_law", "law", c.str("law"))})
		}
	}
	if n.kind == sequence {
		for _, e := range n.items {
			problems = append(problems, unnamed(e)...)
		}
	}
	return problems
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
