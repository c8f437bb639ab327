package clue

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/fault"
)

// readJSON walks to the list and takes it entry by entry.
func readJSON(r io.Reader, m Mapping, fn func(Entry) error) error {
	text, err := decoded(r, m.Encoding)
	if err != nil {
		return err
	}
	w := &walk{p: &paced{r: text}}
	w.d = json.NewDecoder(w.p)
	w.d.UseNumber()
	found := true
	if m.Items == "" {
		found, err = w.first()
	} else {
		err = w.to(strings.Split(m.Items, "."))
	}
	if err != nil {
		return broken(err)
	}
	if !found {
		return nil
	}
	for w.d.More() {
		from := w.d.InputOffset()
		var one map[string]any
		if err := w.d.Decode(&one); err != nil {
			return broken(err)
		}
		w.p.whole(w.d.InputOffset())
		if w.d.InputOffset()-from > maxEntry || len(one) > maxFields {
			return fault.New(fault.Invalid, "clue.feed.entry_too_long", "kb", maxEntry>>10)
		}
		if err := fn(mend(m.entry(func(name string) string { return word(one, name) }))); err != nil {
			return err
		}
	}
	if _, err := w.d.Token(); err != nil { // a list that was cut off has no end
		return broken(err)
	}
	return nil
}

// walk finds the list of a JSON answer.
type walk struct {
	d *json.Decoder
	p *paced
}

func (w *walk) token() (json.Token, error) {
	t, err := w.d.Token()
	w.p.whole(w.d.InputOffset())
	return t, err
}

// to goes to the list at a path; what stands beside the path is passed over.
func (w *walk) to(path []string) error {
	t, err := w.token()
	if err != nil {
		return err
	}
	if len(path) == 0 {
		return opens(t, '[')
	}
	if err := opens(t, '{'); err != nil {
		return err
	}
	for w.d.More() {
		name, err := w.token()
		if err != nil {
			return err
		}
		if name == json.Token(path[0]) {
			return w.to(path[1:])
		}
		if err := w.pass(); err != nil {
			return err
		}
	}
	return io.ErrUnexpectedEOF
}

func opens(t json.Token, with json.Delim) error {
	if t != json.Token(with) {
		return fmt.Errorf("%v instead of %v", t, with)
	}
	return nil
}

// first goes to the first list that holds something; false where every list is empty.
func (w *walk) first() (bool, error) {
	depth, lists := 0, 0
	for {
		t, err := w.token()
		if lists > 0 && depth == 0 && errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		switch t {
		case json.Token(json.Delim('[')):
			if w.d.More() {
				return true, nil
			}
			lists, depth = lists+1, depth+1
		case json.Token(json.Delim('{')):
			depth++
		case json.Token(json.Delim('}')), json.Token(json.Delim(']')):
			depth--
		}
		if depth > maxDepth {
			return false, fault.New(fault.Invalid, "clue.feed.too_deep", "max", maxDepth)
		}
	}
}

// pass passes over a value.
func (w *walk) pass() error {
	for depth := 0; ; {
		t, err := w.token()
		if err != nil {
			return err
		}
		if delim, ok := t.(json.Delim); ok {
			if delim == '{' || delim == '[' {
				depth++
			} else {
				depth--
			}
		}
		if depth == 0 {
			return nil
		}
		if depth > maxDepth {
			return fault.New(fault.Invalid, "clue.feed.too_deep", "max", maxDepth)
		}
	}
}

// word is a field of an entry, at a path, as text.
func word(one map[string]any, path string) string {
	var v any = one
	for part := range strings.SplitSeq(path, ".") {
		inner, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = inner[part]
	}
	switch x := v.(type) {
	case string:
		return x
	case json.Number:
		return x.String()
	case bool:
		return strconv.FormatBool(x)
	}
	return ""
}
