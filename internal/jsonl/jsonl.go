// Package jsonl runs a command over JSON Lines: one answer for each line that was asked, in the same order, so that a
// city's own staff can check the product against their spreadsheets line by line.
//
// A bad line gets an error in its place and the run goes on. Nothing is kept but the line at hand, so a file may be of any
// length, and an answer is written out as soon as no further line is waiting.
package jsonl

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// MaxLine is how long a line may be.
const MaxLine = 16 << 20

// Answer computes the answer to one line, which must become a JSON object. The id is added by Run. The line is
// lent: it must not be kept.
type Answer func(raw json.RawMessage) (any, error)

// Options are what Run needs besides the lines.
type Options struct {
	Lang    text.Lang                 // of messages; empty means Chinese
	OnError func(line int, err error) // hears the errors whose text the reader is not shown; may be nil
}

// Of makes an Answer of a function of a request: the line is decoded strictly, see Decode.
func Of[In, Out any](f func(In) (Out, error)) Answer {
	return func(raw json.RawMessage) (any, error) {
		in, err := Decode[In](raw)
		if err != nil {
			return nil, err
		}
		return f(in)
	}
}

// Run answers every line of r on w. It reports whether any line was bad, which the command turns into exit status 2. The
// error is for lines that cannot be read or written at all, and for the end of ctx.
func Run(ctx context.Context, r io.Reader, w io.Writer, answer Answer, o Options) (bad bool, err error) {
	if o.Lang == "" {
		o.Lang = text.ZH
	}
	in, out := bufio.NewReaderSize(r, 64<<10), bufio.NewWriterSize(w, 64<<10)
	var buf []byte
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return bad, errors.Join(err, out.Flush())
		}
		var tooLong bool
		buf, tooLong, err = readLine(in, buf[:0])
		if errors.Is(err, io.EOF) {
			return bad, out.Flush()
		}
		if err != nil {
			return bad, errors.Join(fmt.Errorf("read line %d: %w", n, err), out.Flush())
		}
		if n == 1 {
			buf = bytes.TrimPrefix(buf, []byte("\xef\xbb\xbf"))
		}
		reply, ok := one(n, buf, tooLong, answer, o)
		bad = bad || !ok
		if _, err = out.Write(append(reply, '\n')); err != nil {
			return bad, fmt.Errorf("write the answer to line %d: %w", n, err)
		}
		if in.Buffered() == 0 {
			if err = out.Flush(); err != nil {
				return bad, fmt.Errorf("write the answer to line %d: %w", n, err)
			}
		}
		if cap(buf) > 1<<20 {
			buf = nil // a long line does not cost its memory for the rest of the run
		}
	}
}

// readLine reads up to the end of a line without the line break. Of a line that is too long the rest is skipped.
func readLine(r *bufio.Reader, buf []byte) (line []byte, tooLong bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		switch {
		case tooLong:
		case len(buf)+len(part) > MaxLine+2: // the line break is no part of it
			tooLong, buf = true, buf[:0]
		default:
			buf = append(buf, part...)
		}
		switch {
		case err == nil:
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && (len(buf) > 0 || tooLong):
		default:
			return buf, tooLong, err
		}
		line = bytes.TrimSuffix(bytes.TrimSuffix(buf, []byte("\n")), []byte("\r"))
		return line, tooLong || len(line) > MaxLine, nil
	}
}

// one answers one line; false when it was bad.
func one(n int, line []byte, tooLong bool, answer Answer, o Options) ([]byte, bool) {
	var id json.RawMessage
	reply, err := func() ([]byte, error) {
		if tooLong {
			return nil, fault.New(fault.Invalid, "jsonl.too_long", "max", MaxLine>>20)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			return nil, fault.New(fault.Invalid, "jsonl.empty")
		}
		var err error
		if id, err = idOf(line); err != nil {
			return nil, err
		}
		if !utf8.Valid(line) {
			return nil, fault.New(fault.Invalid, "field.bad_text")
		}
		value, err := answer(json.RawMessage(line))
		if err != nil {
			return nil, err
		}
		return encode(value)
	}()
	if err == nil {
		reply, err = withID(id, reply)
	}
	if err == nil {
		return reply, true
	}
	f := fault.Of(err)
	if f.Kind == fault.Internal && o.OnError != nil {
		o.OnError(n, err)
	}
	return failure(id, n, f, o.Lang), false
}

// idOf finds the line's id; absent when the line is no object or has none that can be echoed.
func idOf(line []byte) (json.RawMessage, error) {
	if !json.Valid(line) {
		return nil, notJSON(line)
	}
	list, err := members(line)
	if err != nil {
		return nil, fault.New(fault.Invalid, "jsonl.not_an_object")
	}
	for _, m := range list {
		if m.name == "id" && utf8.Valid(m.value) {
			return m.value, nil
		}
	}
	return nil, nil
}

func notJSON(line []byte) error {
	var v any
	if e, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(line, &v)); ok {
		return fault.New(fault.Invalid, "jsonl.not_json", "at", e.Offset)
	}
	return fault.New(fault.Invalid, "jsonl.not_json", "at", 1)
}

// withID puts the id first into the object of an answer.
func withID(id json.RawMessage, reply []byte) ([]byte, error) {
	if len(reply) < 2 || reply[0] != '{' {
		return nil, fmt.Errorf("the answer is no JSON object: %.40s", reply)
	}
	var b bytes.Buffer
	b.Grow(len(reply) + len(id) + 8)
	b.WriteString(`{"id":`)
	if len(id) == 0 {
		b.WriteString("null")
	} else if err := json.Compact(&b, id); err != nil {
		return nil, err
	}
	if reply[1] != '}' {
		b.WriteByte(',')
	}
	b.Write(reply[1:])
	return b.Bytes(), nil
}

type problem struct {
	Kind    string         `json:"kind"`
	Field   *string        `json:"field"` // null when the fault is not about a field
	Message string         `json:"message"`
	Fields  []fieldProblem `json:"fields,omitempty"` // all of them, when there are several
}

type fieldProblem struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// failure writes the error that stands in the place of an answer.
func failure(id json.RawMessage, n int, f *fault.Error, l text.Lang) []byte {
	p := problem{Kind: f.Kind.String(), Message: text.Fault(l, f)}
	if f.Kind == fault.Internal {
		p.Message = text.T(l, "internal")
	}
	if len(f.Fields) > 0 {
		p.Field, p.Message = &f.Fields[0].Name, text.Field(l, f.Fields[0])
	}
	if len(f.Fields) > 1 {
		for _, one := range f.Fields {
			p.Fields = append(p.Fields, fieldProblem{one.Name, text.Field(l, one)})
		}
	}
	body, err := encode(struct {
		Line  int     `json:"line"`
		Error problem `json:"error"`
	}{n, p})
	if err == nil {
		body, err = withID(id, body)
	}
	if err != nil { // only an id that is no JSON could do this, and it was read as JSON
		return fmt.Appendf(nil, `{"id":null,"line":%d,"error":{"kind":"internal","field":null,"message":""}}`, n)
	}
	return body
}

// encode writes one line of JSON, with < and & as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
