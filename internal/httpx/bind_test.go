package httpx_test

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/page"
)

type reading struct {
	Room string         `form:"room"`
	Temp celsius.Tenths `form:"temp_c"`
}

type caller struct {
	Name string `form:"name"`
}

type visit struct {
	Text     string                `form:"text"`
	Count    int                   `form:"count"`
	Still    bool                  `form:"still_cold"`
	At       civil.Instant         `form:"at"`
	Day      civil.Date            `form:"day"`
	Temp     *celsius.Tenths       `form:"temp_c"`
	Sum      money.Fen             `form:"sum"`
	Floors   *int                  `form:"floors"`
	Tags     []string              `form:"tags"`
	Caller   *caller               `form:"caller"`
	Readings []reading             `form:"readings"`
	Photo    *multipart.FileHeader `form:"photo"`
	Secret   string                `form:"-"`
	page.Request
}

func post(values url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/x", strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func TestBindReadsEveryKind(t *testing.T) {
	t.Parallel()
	values := url.Values{
		"text": {" 三号楼２单元\r\n601  "}, "count": {"１２"}, "still_cold": {"no", "on"}, "at": {"2026-01-15T08:30"}, "day": {"2026-01-15"},
		"temp_c": {"17.9"}, "sum": {"95.04"}, "floors": {""}, "tags": {"a", " ", "b"}, "caller.name": {"张三"},
		"readings.10.room": {"卧室"}, "readings.2.room": {"客厅"}, "readings.2.temp_c": {"－1．5"}, "size": {"20"}, "_csrf": {"x"},
	}
	temp := celsius.Tenths(179)
	want := visit{
		Text: "三号楼２单元\n601", Count: 12, Still: true, At: civil.On(civil.NewDate(2026, 1, 15), 8, 30), Day: civil.NewDate(2026, 1, 15),
		Temp: &temp, Sum: 9504, Tags: []string{"a", "b"}, Caller: &caller{"张三"}, Readings: []reading{{"客厅", -15}, {"卧室", 0}}, Request: page.Request{Size: 20},
	}
	got, err := httpx.Bind[visit](post(values))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("form: %v %s", err, diff)
	}
	got, err = httpx.Bind[visit](httptest.NewRequest(http.MethodGet, "/x?"+values.Encode(), nil))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("query: %v %s", err, diff)
	}
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for k, all := range values {
		for _, v := range all {
			m.WriteField(k, v)
		}
	}
	w, _ := m.CreateFormFile("photo", "室温.jpg")
	io.WriteString(w, "jpeg")
	m.Close()
	r := httptest.NewRequest(http.MethodPost, "/x", &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	got, err = httpx.Bind[visit](r)
	if err != nil || got.Photo == nil || got.Photo.Filename != "室温.jpg" || got.Photo.Size != 4 {
		t.Fatalf("multipart: %v, photo %+v", err, got.Photo)
	}
	got.Photo = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("multipart: %s", diff)
	}
}

func TestBindCollectsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := httpx.Bind[visit](post(url.Values{
		"text": {"a\xffb"}, "count": {"many"}, "at": {"soon"}, "day": {"2026-02-30"}, "temp_c": {"17.95"}, "sum": {"1.234"},
		"still_cold": {"perhaps"}, "floors": {"1", "2"}, "tags": {"ok", "nul\x00"}, "caller.name": {"x"}, "caller.age": {"7"}, "Secret": {"x"}, "Text": {"x"}, "readings.0.temp_c": {"warm"},
	}))
	var got []string
	for _, f := range fault.Of(err).Fields {
		got = append(got, f.Name+" "+f.Key)
	}
	want := []string{
		"text field.bad_text", "count field.not_a_number", "still_cold field.not_one_of", "at field.not_a_time", "day field.not_a_date",
		"temp_c field.not_a_number", "sum field.not_a_number", "floors httpx.field_twice", "tags field.bad_text", "readings.0.temp_c field.not_a_number",
		"Secret field.unknown", "Text field.unknown", "caller.age field.unknown",
	}
	if diff := cmp.Diff(want, got); diff != "" || !fault.Is(err, fault.Invalid) {
		t.Errorf("%v %s", err, diff)
	}
}

func TestBindRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	many := url.Values{}
	for range 2001 {
		many.Add("tags", "x")
	}
	typed := func(kind, body string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/x", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		return r
	}
	large := typed("application/x-www-form-urlencoded", "text="+strings.Repeat("x", 2000))
	large.Body = http.MaxBytesReader(httptest.NewRecorder(), large.Body, 1000)
	for name, c := range map[string]struct {
		r      *http.Request
		status int
	}{
		"broken escape":    {typed("application/x-www-form-urlencoded", "text=%zz"), 400},
		"broken query":     {httptest.NewRequest(http.MethodGet, "/x?text=%zz", nil), 400},
		"too many values":  {post(many), 400},
		"JSON":             {typed("application/json", `{}`), 415},
		"nonsense type":    {typed("a;b;c", `{}`), 415},
		"no boundary":      {typed("multipart/form-data", "x"), 400},
		"cut-off part":     {typed("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nx"), 400},
		"more than may be": {large, 413},
	} {
		_, err := httpx.Bind[visit](c.r)
		refusal, ok := errors.AsType[*httpx.TransportError](err)
		if !ok || refusal.Status != c.status {
			t.Errorf("%s: %v; want %d", name, err, c.status)
		}
	}
}
