// Package fault says what went wrong in terms of what the caller can do about it.
//
// There are seven kinds and no error type per situation. A fault carries the key of a catalogue message and its
// parameters, never a finished sentence, so that a page, the API and the command line can each answer in the reader's
// language. Any other error is Internal: it is logged with the request's id and its text is never shown.
package fault

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Kind is what the caller can do about a fault.
type Kind int

// The kinds, in the order of the table in docs/architecture.md.
const (
	Internal  Kind = iota // tell us
	Invalid               // correct the input
	Denied                // ask for the right
	NotFound              // stop; also: exists but is not visible
	Conflict              // reload and decide again
	Exhausted             // slow down
	Down                  // retry later
)

// String names the kind as the JSON contracts spell it.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case Denied:
		return "denied"
	case NotFound:
		return "not_found"
	case Conflict:
		return "conflict"
	case Exhausted:
		return "exhausted"
	case Down:
		return "down"
	case Internal:
		return "internal"
	}
	return "internal"
}

// ExitCode is the exit status of a command that ended with this kind.
func (k Kind) ExitCode() int {
	switch k {
	case Invalid:
		return 2
	case Denied:
		return 3
	case NotFound:
		return 4
	case Conflict:
		return 5
	case Exhausted:
		return 6
	case Down:
		return 75
	case Internal:
		return 1
	}
	return 1
}

// Params are the values a catalogue message is filled with.
type Params map[string]any

// Field is one message about one field of the input. Name is the field's JSON name, with dots and indexes for nested
// values ("readings.2.temp_c").
type Field struct {
	Name   string
	Key    string
	Params Params
}

// Error is a fault. Use New to make one and KindOf to ask about one.
type Error struct {
	Kind   Kind
	Key    string // catalogue key
	Params Params
	Fields []Field // for Invalid: the fields, in the order of the form
	cause  error
}

// New makes a fault of a kind with a catalogue key and name-value pairs for the message:
//
//	fault.New(fault.Conflict, "case.moved", "by", name)
func New(kind Kind, key string, pairs ...any) *Error {
	return &Error{Kind: kind, Key: key, Params: params(pairs)}
}

// Wrap is New with the error that caused it; the cause is for the log and for errors.Is, never for the reader.
func Wrap(cause error, kind Kind, key string, pairs ...any) *Error {
	return &Error{Kind: kind, Key: key, Params: params(pairs), cause: cause}
}

func params(pairs []any) Params {
	if len(pairs) == 0 {
		return nil
	}
	p := make(Params, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		p[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return p
}

// Error is the text for the log.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Kind.String())
	b.WriteString(": ")
	b.WriteString(e.Key)
	names := make([]string, 0, len(e.Params))
	for n := range e.Params {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		fmt.Fprintf(&b, " %s=%v", n, e.Params[n])
	}
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s: %s", f.Name, f.Key)
		if len(f.Params) > 0 {
			fmt.Fprintf(&b, " %v", map[string]any(f.Params))
		}
	}
	if e.cause != nil {
		b.WriteString(": ")
		b.WriteString(e.cause.Error())
	}
	return b.String()
}

// Unwrap gives the cause, if any.
func (e *Error) Unwrap() error { return e.cause }

// KindOf is the kind of the first fault in err's chain, Internal if there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is a fault of the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// Of gives the first fault in err's chain, or an Internal one that hides err's text behind the key "internal".
func Of(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return Wrap(err, Internal, "internal")
}

// Check collects the messages about an input's fields, so that a form shows all of them at once. Its zero value is
// ready.
type Check struct{ fields []Field }

// Add notes that a field is wrong.
func (c *Check) Add(field, key string, pairs ...any) {
	c.fields = append(c.fields, Field{Name: field, Key: key, Params: params(pairs)})
}

// That notes a message unless ok holds, and returns ok.
func (c *Check) That(ok bool, field, key string, pairs ...any) bool {
	if !ok {
		c.Add(field, key, pairs...)
	}
	return ok
}

// Merge takes over the field messages of an Invalid fault, their names under prefix; any other error is not touched and
// false is returned.
func (c *Check) Merge(prefix string, err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != Invalid {
		return false
	}
	if len(e.Fields) == 0 {
		c.fields = append(c.fields, Field{Name: prefix, Key: e.Key, Params: e.Params})
	}
	for _, f := range e.Fields {
		if prefix != "" {
			f.Name = prefix + "." + f.Name
		}
		c.fields = append(c.fields, f)
	}
	return true
}

// OK reports whether nothing was noted.
func (c *Check) OK() bool { return len(c.fields) == 0 }

// Err is nil when nothing was noted, else an Invalid fault with the fields.
func (c *Check) Err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Key: "invalid", Fields: c.fields}
}
