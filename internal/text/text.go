// Package text holds every sentence a person reads, in Chinese and in English, by key.
//
// Messages live in catalog/*.yaml, one file for each capability, each key with both languages. Code passes keys and
// parameters; the sentence is made at the last moment, in the reader's language. A parameter stands in braces: {name}.
package text

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/rehu-heat/rehu/internal/fault"
)

// Lang is a reader's language.
type Lang string

// The languages, first the one that is shown unless asked.
const (
	ZH Lang = "zh"
	EN Lang = "en"
)

// ParseLang reads a language tag such as "en-GB"; anything that is not English is Chinese.
func ParseLang(s string) Lang {
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(s)), "en") {
		return EN
	}
	return ZH
}

// Message is a sentence not yet spoken: a key and what to fill in.
type Message struct {
	Key    string         `json:"key"`
	Params map[string]any `json:"params,omitempty"`
}

// Msg makes a message of a key and name-value pairs.
func Msg(key string, pairs ...any) Message {
	m := Message{Key: key}
	if len(pairs) > 0 {
		m.Params = make(map[string]any, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			m.Params[fmt.Sprint(pairs[i])] = pairs[i+1]
		}
	}
	return m
}

// In renders the message.
func (m Message) In(l Lang) string { return Say(l, m.Key, m.Params) }

// Localized is implemented by parameters that read differently in each language.
type Localized interface{ In(Lang) string }

type entry struct {
	ZH string `yaml:"zh"`
	EN string `yaml:"en"`
}

//go:embed catalog/*.yaml
var files embed.FS

var catalogue = sync.OnceValue(func() map[string]entry {
	all, err := load(files)
	if err != nil {
		panic(err) // the catalogues are part of the binary: a broken one fails every test
	}
	return all
})

func load(f fs.FS) (map[string]entry, error) {
	names, err := fs.Glob(f, "catalog/*.yaml")
	if err != nil {
		return nil, err
	}
	all := map[string]entry{}
	for _, name := range names {
		b, err := fs.ReadFile(f, name)
		if err != nil {
			return nil, err
		}
		var part map[string]entry
		if err := yaml.UnmarshalWithOptions(b, &part, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for k, e := range part {
			if _, twice := all[k]; twice {
				return nil, fmt.Errorf("%s: key %q stands in two catalogues", name, k)
			}
			all[k] = e
		}
	}
	return all, nil
}

// Has reports whether the catalogue has a key.
func Has(key string) bool { _, ok := catalogue()[key]; return ok }

// Keys lists every key, sorted; for tests and the translator's page.
func Keys() []string {
	keys := make([]string, 0, len(catalogue()))
	for k := range catalogue() {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// Say renders a key with parameters. An unknown key is shown as itself, which tests refuse.
func Say(l Lang, key string, params map[string]any) string {
	e, ok := catalogue()[key]
	if !ok {
		return key
	}
	s := e.ZH
	if l == EN {
		s = e.EN
	}
	if len(params) == 0 || !strings.Contains(s, "{") {
		return s
	}
	return fill(l, s, params)
}

// Fill puts parameters into a sentence that is not of the catalogue, as Say does into one that is.
func Fill(l Lang, s string, params map[string]any) string {
	if len(params) == 0 {
		return s
	}
	return fill(l, s, params)
}

// Variables lists the names in braces of a sentence, each once, in its order.
func Variables(s string) []string {
	var out []string
	for {
		_, rest, ok := strings.Cut(s, "{")
		if !ok {
			return out
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return out
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
		s = after
	}
}

// T is Say with name-value pairs.
func T(l Lang, key string, pairs ...any) string { return Msg(key, pairs...).In(l) }

func fill(l Lang, s string, params map[string]any) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			break
		}
		shut := strings.IndexByte(s[open:], '}')
		if shut < 0 {
			break
		}
		name := s[open+1 : open+shut]
		b.WriteString(s[:open])
		if v, ok := params[name]; ok {
			b.WriteString(spell(l, v))
		} else {
			b.WriteString(s[open : open+shut+1])
		}
		s = s[open+shut+1:]
	}
	b.WriteString(s)
	return b.String()
}

func spell(l Lang, v any) string {
	switch x := v.(type) {
	case Localized:
		return x.In(l)
	case interface{ Minute() string }:
		return x.Minute()
	case map[string]any: // a message that went through JSON
		if key, ok := x["key"].(string); ok {
			params, _ := x["params"].(map[string]any)
			return Say(l, key, params)
		}
	}
	return fmt.Sprint(v)
}

// Fault renders a fault's message.
func Fault(l Lang, e *fault.Error) string { return Say(l, e.Key, e.Params) }

// Field renders one field's message.
func Field(l Lang, f fault.Field) string { return Say(l, f.Key, f.Params) }
