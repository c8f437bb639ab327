package jsonl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jsonl"
	"github.com/rehu-heat/rehu/internal/text"
)

type ask struct {
	Text string            `json:"text"`
	N    int               `json:"n"`
	Half float64           `json:"half"`
	Yes  *bool             `json:"yes"`
	List []struct{ A int } `json:"list"`
	Pair [2]string         `json:"pair"`
	Map  map[string]int    `json:"map"`
	Any  any               `json:"any"`
	When time.Time         `json:"when"`
	inner
	Skip string `json:"-"`
}

type inner struct {
	Deep string `json:"deep"`
}

func echo(a ask) (map[string]any, error) {
	switch a.Text {
	case "lost":
		return nil, fault.New(fault.NotFound, "not_found")
	case "broken":
		return nil, errors.New("secret of the machine room")
	}
	return map[string]any{"text": a.Text}, nil
}

func run(t *testing.T, in string) (lines []string, bad bool) {
	t.Helper()
	var out bytes.Buffer
	bad, err := jsonl.Run(t.Context(), strings.NewReader(in), &out, jsonl.Of(echo), jsonl.Options{Lang: text.EN})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n"), bad
}

func TestRun(t *testing.T) {
	t.Parallel()
	in := strings.Join([]string{
		"\xef\xbb\xbf" + `{"id":"a","text":"暖 <b>"}`,
		`{"id": {"x": [1, 2.50]}, "text":"r"}` + "\r",
		`{"text":"no id"}`,
		``,
		`{"id":12345678901234567890,"text":"x","more":1}`,
		`{"id":"syntax"`,
		`[1]`,
		"{\"id\":\"u\",\"text\":\"\xff\"}",
		"{\"id\":\"\xff\",\"text\":\"x\"}",
		`{"id":"n","text":"lost"}`,
		`{"id":"i","text":"broken"}`,
		`{"id":null,"text":1,"n":"2"}`,
		`{"id":"last"}`,
	}, "\n") // the last line has no line break
	got, bad := run(t, in)
	want := []string{
		`{"id":"a","text":"暖 <b>"}`,
		`{"id":{"x":[1,2.50]},"text":"r"}`,
		`{"id":null,"text":"no id"}`,
		`{"id":null,"line":4,"error":{"kind":"invalid","field":null,"message":"The line is empty."}}`,
		`{"id":12345678901234567890,"line":5,"error":{"kind":"invalid","field":"more","message":"Unknown field: more."}}`,
		`{"id":null,"line":6,"error":{"kind":"invalid","field":null,"message":"Not valid JSON (at byte 14)."}}`,
		`{"id":null,"line":7,"error":{"kind":"invalid","field":null,"message":"Each line must be a JSON object."}}`,
		`{"id":"u","line":8,"error":{"kind":"invalid","field":null,"message":"Contains characters that cannot be read (must be UTF-8 text)."}}`,
		`{"id":null,"line":9,"error":{"kind":"invalid","field":null,"message":"Contains characters that cannot be read (must be UTF-8 text)."}}`,
		`{"id":"n","line":10,"error":{"kind":"not_found","field":null,"message":"Not found."}}`,
		`{"id":"i","line":11,"error":{"kind":"internal","field":null,"message":"` + text.T(text.EN, "internal") + `"}}`,
		`{"id":null,"line":12,"error":{"kind":"invalid","field":"text","message":"Has the wrong type; expected string.","fields":[{"field":"text","message":"Has the wrong type; expected string."},{"field":"n","message":"Has the wrong type; expected integer."}]}}`,
		`{"id":"last","text":""}`,
	}
	if diff := cmp.Diff(want, got); diff != "" || !bad {
		t.Errorf("bad %v\n%s", bad, diff)
	}
	if got, bad := run(t, `{"id":1}`+"\n"); bad || len(got) != 1 {
		t.Errorf("one good line: %v %q", bad, got)
	}
	if got, bad := run(t, ""); bad || got[0] != "" {
		t.Errorf("nothing asked: %v %q", bad, got)
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	yes := true
	got, err := jsonl.Decode[ask](json.RawMessage(`{"id":1,"text":"t","n":3,"half":0.5,"yes":true,"list":[{"A":1},{"A":2}],"pair":["a","b"],
		"map":{"k":1},"any":[1,"x"],"when":"2026-01-15T08:00:00+08:00","deep":"d"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got.Text != "t" || got.N != 3 || got.Half != 0.5 || *got.Yes != yes || len(got.List) != 2 || got.List[1].A != 2 || got.Pair != [2]string{"a", "b"} ||
		got.Map["k"] != 1 || got.Deep != "d" || got.When.IsZero() || got.Any == nil {
		t.Errorf("got %+v", got)
	}
	if got, err := jsonl.Decode[ask](json.RawMessage(`{"text":null,"n":null,"yes":null,"list":null,"pair":null,"map":null,"any":null}`)); err != nil || got.Yes != nil {
		t.Errorf("null is absent: %+v, %v", got, err)
	}
	for raw, want := range map[string][]string{
		`{"Text":"other capitals"}`:                {"Text"},
		`{"-":"x"}`:                                {"-"},
		`{"Skip":"x"}`:                             {"Skip"},
		`{"n":1,"n":2}`:                            {"n"},
		`{"id":1,"id":2}`:                          {"id"},
		`{"n":1.5}`:                                {"n"},
		`{"n":99999999999999999999}`:               {"n"},
		`{"list":[{"A":1},{"A":"x","B":1}]}`:       {"list.1.A", "list.1.B"},
		`{"list":[{"id":1}]}`:                      {"list.0.id"},
		`{"list":{}}`:                              {"list"},
		`{"list":[1]}`:                             {"list.0"},
		`{"pair":["a"]}`:                           {"pair"},
		`{"pair":["a",2]}`:                         {"pair.1"},
		`{"map":{"k":"x"}}`:                        {"map.k"},
		`{"map":[]}`:                               {"map"},
		`{"yes":"true"}`:                           {"yes"},
		`{"when":"yesterday"}`:                     {"when"},
		`{"half":"x","text":{},"when":1,"deep":0}`: {"half", "text", "when", "deep"},
	} {
		_, err := jsonl.Decode[ask](json.RawMessage(raw))
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v", raw, err)
			continue
		}
		var names []string
		for _, f := range fault.Of(err).Fields {
			names = append(names, f.Name)
			if s := text.Field(text.ZH, f); s == f.Key || strings.Contains(s, "{want}") {
				t.Errorf("%s: message %q", raw, s)
			}
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%s: %s", raw, diff)
		}
	}
	many := `{"list":[` + strings.Repeat(`1,`, 5000) + `1]}`
	if _, err := jsonl.Decode[ask](json.RawMessage(many)); len(fault.Of(err).Fields) != 20 {
		t.Errorf("a line of faults is told in %d messages", len(fault.Of(err).Fields))
	}
}

// The contract of the due times, from text to text.
func TestDeadlineLines(t *testing.T) {
	t.Parallel()
	answer := jsonl.Of(func(l calendar.Line) (calendar.Answer, error) { return calendar.Embedded().Answer(l, nil) })
	for in, want := range map[string]string{
		`{"id":"a","city":140100,"limit":{"amount":3,"unit":"working_day","roll":true},"from":"2026-02-13T16:30:00+08:00","pauses":[{"from":"2026-02-13T17:00","to":"2026-02-13T18:00"}],"shifts":[["08:30","12:00"],["14:00","17:30"]]}`: `{"id":"a","due":"2026-02-26T00:00:00+08:00","provisional":false,"explain":[`,
		`{"id":"s","limit":{"amount":"0.5","unit":"hour"},"from":"2026-02-13T16:30"}`:                                                            `{"id":"s","due":"2026-02-13T17:00:00+08:00","provisional":false,`,
		`{"id":"o","limit":{"amount":5,"unit":"hour"},"from":"2026-02-13T16:30","pauses":[{"from":"2026-02-13T17:00","to":null}]}`:               `{"id":"o","due":null,"provisional":false,"explain":[`,
		`{"id":"m","limit":{"amount":5,"unit":"working_day"},"from":"2026-12-30T16:30"}`:                                                         `{"id":"m","due":null,"provisional":false,"missing":["holidays 2027"],"explain":[`,
		`{"id":"u","limit":{"amount":5,"unit":"week"},"from":"2026-12-30T16:30"}`:                                                                `{"id":"u","line":1,"error":{"kind":"invalid","field":"limit.unit",`,
		`{"id":"n","limit":{"amount":-5,"unit":"hour"},"from":"2026-12-30T16:30"}`:                                                               `{"id":"n","line":1,"error":{"kind":"invalid","field":"limit.amount",`,
		`{"id":"x","limit":{"amount":"many","unit":"hour"},"from":"2026-12-30T16:30"}`:                                                           `{"id":"x","line":1,"error":{"kind":"invalid","field":"limit.amount","message":"请填数字。"`,
		`{"id":"k","limit":{"amount":5,"unit":"hour","rol":true},"from":"2026-12-30T16:30"}`:                                                     `{"id":"k","line":1,"error":{"kind":"invalid","field":"limit.rol",`,
		`{"id":"p","limit":{"amount":5,"unit":"hour"},"from":"2026-12-30T16:30","pauses":[{"from":"2026-12-30T16:30","to":"2026-12-30T16:29"}]}`: `{"id":"p","line":1,"error":{"kind":"invalid","field":"pauses.0.to",`,
		`{"id":"h","limit":{"amount":5,"unit":"working_hour"},"from":"2026-12-30T16:30","shifts":[["08:00","12:00"],["11:00","18:00"]]}`:         `{"id":"h","line":1,"error":{"kind":"invalid","field":"shifts.1",`,
		`{"id":"t","limit":{"amount":5,"unit":"working_hour"},"from":"2026-12-30T16:30","shifts":[["08:00","12:00","13:00"]]}`:                   `{"id":"t","line":1,"error":{"kind":"invalid","field":"shifts.0",`,
		`{"id":"c","city":"x","limit":{"amount":5,"unit":"hour"},"from":"2026-12-30T16:30"}`:                                                     `{"id":"c","line":1,"error":{"kind":"invalid","field":"city",`,
	} {
		var out bytes.Buffer
		bad, err := jsonl.Run(t.Context(), strings.NewReader(in), &out, answer, jsonl.Options{})
		if err != nil || !strings.HasPrefix(out.String(), want) || bad != strings.Contains(want, `"error"`) {
			t.Errorf("%s: bad %v, error %v\n got %s\nwant %s", in, bad, err, out.String(), want)
		}
	}
}

// lines makes a stream of n lines without holding them.
type lines struct {
	n    int
	line []byte
	rest []byte
}

func (l *lines) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		if l.n == 0 {
			return 0, io.EOF
		}
		l.n--
		l.rest = l.line
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func TestLongLinesAndConstantMemory(t *testing.T) {
	t.Parallel()
	fits := `{"id":"b","text":"` + strings.Repeat("x", jsonl.MaxLine-20) + `"}`
	got, bad := run(t, `{"id":"a","text":"`+strings.Repeat("x", jsonl.MaxLine)+"\"}\n"+fits+"\n"+`{"id":"c"}`)
	if want := `{"id":null,"line":1,"error":{"kind":"invalid","field":null,"message":"The line is too long: at most 16 MB."}}`; len(got) != 3 || got[0] != want || !bad {
		t.Errorf("got %d answers, the first %.200s", len(got), got[0])
	}
	if !strings.HasPrefix(got[1], `{"id":"b","text":"xxx`) || got[2] != `{"id":"c","text":""}` {
		t.Errorf("after a line that is too long: %.60s, %s", got[1], got[2])
	}
	var peak, m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before := m.HeapAlloc
	count := 0
	_, err := jsonl.Run(t.Context(), &lines{n: 100_000, line: []byte(`{"id":1,"text":"0123456789012345678901234567890123456789"}` + "\n")}, io.Discard,
		func(json.RawMessage) (any, error) {
			if count++; count == 99_999 {
				runtime.GC()
				runtime.ReadMemStats(&peak)
			}
			return struct{}{}, nil
		}, jsonl.Options{})
	if grown := int64(peak.HeapAlloc) - int64(before); err != nil || count != 100_000 || grown > 4<<20 {
		t.Errorf("%d lines, %v, %d bytes more", count, err, grown)
	}
}

type failing struct{ after int }

func (f *failing) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errors.New("the pipe is closed")
	}
	return len(p), nil
}

func TestStops(t *testing.T) {
	t.Parallel()
	if _, err := jsonl.Run(t.Context(), strings.NewReader("{}\n"), &failing{}, jsonl.Of(echo), jsonl.Options{}); err == nil {
		t.Error("an answer that cannot be written must be told")
	}
	r := io.MultiReader(strings.NewReader("{\"id\":1}\n{\"id\":2"), readerFunc(func([]byte) (int, error) { return 0, errors.New("the disk is gone") }))
	var out bytes.Buffer
	if _, err := jsonl.Run(t.Context(), r, &out, jsonl.Of(echo), jsonl.Options{}); err == nil || out.String() != `{"id":1,"text":""}`+"\n" {
		t.Errorf("got %v, %q", err, out.String())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := jsonl.Run(ctx, strings.NewReader("{}\n"), io.Discard, jsonl.Of(echo), jsonl.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	var heard string
	bad, err := jsonl.Run(t.Context(), strings.NewReader("{}\n{\"text\":\"broken\"}\n"), io.Discard, func(raw json.RawMessage) (any, error) {
		if len(raw) == 2 {
			return []int{1}, nil // not an object: nowhere to put the id
		}
		return jsonl.Of(echo)(raw)
	}, jsonl.Options{OnError: func(n int, err error) { heard += fmt.Sprintln(n, err) }})
	if err != nil || !bad || heard != "1 the answer is no JSON object: [1]\n2 secret of the machine room\n" {
		t.Errorf("bad %v, %v, heard %q", bad, err, heard)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// An answer is out before the next line is asked, so that a program can talk with the command through pipes.
func TestAnswersAtOnce(t *testing.T) {
	t.Parallel()
	in, ask := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := jsonl.Run(t.Context(), in, out, jsonl.Of(echo), jsonl.Options{})
		done <- err
	}()
	for i := range 3 {
		if _, err := fmt.Fprintf(ask, "{\"id\":%d}\n", i); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		n, err := answers.Read(buf)
		if want := fmt.Sprintf("{\"id\":%d,\"text\":\"\"}\n", i); err != nil || string(buf[:n]) != want {
			t.Fatalf("got %q, %v; want %q", buf[:n], err, want)
		}
	}
	if err := ask.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
