package httpx_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
)

func request(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func answer(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// chain puts a handler behind middleware, the first outermost.
func chain(h http.Handler, all ...func(http.Handler) http.Handler) http.Handler {
	for _, a := range slices.Backward(all) {
		h = a(h)
	}
	return h
}

func problem(t *testing.T, w *httptest.ResponseRecorder) httpx.Problem {
	t.Helper()
	var p httpx.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%s: %v: %s", w.Header().Get("Content-Type"), err, w.Body)
	}
	return p
}

func TestEveryKindHasItsStatus(t *testing.T) {
	t.Parallel()
	e := &httpx.Errors{}
	for kind, want := range map[fault.Kind]int{fault.Internal: 500, fault.Invalid: 422, fault.Denied: 403, fault.NotFound: 404, fault.Conflict: 409, fault.Exhausted: 429, fault.Down: 503} {
		w := answer(e.Handle(func(http.ResponseWriter, *http.Request) error {
			return fmt.Errorf("open: %w", fault.New(kind, "not_found"))
		}), request("GET", "/"))
		if p := problem(t, w); w.Code != want || p.Status != want || p.Kind != kind.String() {
			t.Errorf("%v: %d, %+v; want %d", kind, w.Code, p, want)
		}
		if retry := w.Header().Get("Retry-After"); (retry != "") != (want == 429 || want == 503) {
			t.Errorf("%v: Retry-After %q", kind, retry)
		}
	}
}

func TestProblemSaysWhatToDoAndNothingElse(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	e := &httpx.Errors{Log: slog.New(slog.NewTextHandler(&log, nil))}
	h := chain(e.Handle(func(_ http.ResponseWriter, r *http.Request) error {
		if r.URL.Path == "/boom" {
			return errors.New("password of the database is s3cret")
		}
		var c fault.Check
		c.Add("phone", "field.required")
		c.Add("name", "field.too_long", "max", 50)
		return c.Err()
	}), httpx.RequestIDs, httpx.Readers(httpx.Cookies{}))
	got := problem(t, answer(h, request("POST", "/", "X-Request-Id", "call-12345", "Accept-Language", "en-GB")))
	want := httpx.Problem{
		Type: "about:blank", Title: "Unprocessable Entity", Status: 422, Detail: "Some fields need correcting.", Kind: "invalid", Key: "invalid", Request: "call-12345",
		Fields: []httpx.ProblemField{{Name: "phone", Key: "field.required", Message: "This field is required."}, {Name: "name", Key: "field.too_long", Message: "Too long: at most 50 characters."}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	w := answer(h, request("GET", "/boom", "X-Request-Id", "<script>"))
	id := w.Header().Get("X-Request-Id")
	if strings.Contains(w.Body.String(), "s3cret") || len(id) != 24 || problem(t, w).Request != id {
		t.Errorf("answer shows too much or has no id of ours: %s %s", id, w.Body)
	}
	if !strings.Contains(log.String(), "s3cret") || !strings.Contains(log.String(), id) {
		t.Errorf("the log lacks the cause or the id: %s", log.String())
	}
}

func TestPagesForPeople(t *testing.T) {
	t.Parallel()
	e := &httpx.Errors{Page: func(w http.ResponseWriter, r *http.Request, p httpx.Problem) {
		w.WriteHeader(p.Status)
		fmt.Fprintf(w, "<h1>%s</h1>%s", httpx.Lang(r.Context()), p.Detail)
	}}
	h := e.NotFound()
	if w := answer(h, request("GET", "/", "Accept", "text/html,*/*")); w.Code != 404 || w.Body.String() != "<h1>zh</h1>没有这个页面。" {
		t.Errorf("browser: %d %s", w.Code, w.Body)
	}
	if w := answer(h, request("GET", "/", "HX-Request", "true")); !strings.HasPrefix(w.Body.String(), "<h1>") {
		t.Errorf("htmx: %s", w.Body)
	}
	problem(t, answer(h, request("GET", "/", "Accept", "application/json")))
	if w := answer(e.MethodNotAllowed(), request("PATCH", "/")); w.Code != 405 {
		t.Errorf("method: %d", w.Code)
	}
}

func TestPanicIsAnAnswer(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	e := &httpx.Errors{Log: slog.New(slog.NewTextHandler(&log, nil))}
	h := chain(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "half a page")
		panic("nil map of 13812345678")
	}), httpx.RequestIDs, httpx.AccessLog(e.Log, time.Now, nil), httpx.Gzip(), e.Recover)
	w := answer(h, request("GET", "/", "Accept-Encoding", "gzip"))
	if w.Code != 500 || strings.Contains(w.Body.String(), "half a page") || strings.Contains(w.Body.String(), "nil map") {
		t.Errorf("%d %s; want a problem alone", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "httpx_test.go") {
		t.Errorf("the log does not say where: %s", log.String())
	}
}

func TestLogHoldsNoPersonalData(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	l := slog.New(slog.NewJSONHandler(&log, nil))
	e := &httpx.Errors{Log: l}
	var seen string
	m := chi.NewRouter()
	m.Use(httpx.RequestIDs, httpx.Addresses(nil), httpx.AccessLog(l, time.Now, func(route, method string, status int, _ time.Duration) {
		seen = fmt.Sprint(route, method, status)
	}), e.Sessions(httpx.Cookies{}, fakeAuth))
	m.Get("/progress/{phone}", e.Handle(func(w http.ResponseWriter, _ *http.Request) error { _, err := io.WriteString(w, "ok"); return err }))
	r := request("GET", "/progress/13812345678?name=张三", "Cookie", "rehu_session=good", "User-Agent", "张三's phone")
	r.RemoteAddr = "203.0.113.9:1"
	answer(m, r)
	for _, secret := range []string{"13812345678", "张三", "203.0.113.9", "good"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log shows %s: %s", secret, log.String())
		}
	}
	for _, want := range []string{`"route":"/progress/{phone}"`, `"status":200`, `"actor":"p1"`, `"bytes":2`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, log.String())
		}
	}
	if seen != "/progress/{phone}GET200" {
		t.Errorf("observed %q", seen)
	}
}

func fakeAuth(_ context.Context, token string) (staff.Identity, bool, error) {
	switch token {
	case "good":
		return staff.Identity{Session: "s1", Actor: actor.Actor{ID: "p1", Kind: actor.Person, Door: actor.Page}}, true, nil
	case "down":
		return staff.Identity{}, false, fault.New(fault.Down, "db.down")
	}
	return staff.Identity{}, false, nil
}

func whoami(w http.ResponseWriter, r *http.Request) {
	a := httpx.Actor(r.Context())
	fmt.Fprint(w, a.ID, " ", a.Kind, " ", a.Door)
}

func TestWhoAsks(t *testing.T) {
	t.Parallel()
	e := &httpx.Errors{}
	pages := chain(http.HandlerFunc(whoami), e.Sessions(httpx.Cookies{Secure: true}, fakeAuth))
	keys := chain(http.HandlerFunc(whoami), e.Keys(fakeAuth, actor.Open311, "api_key"))
	inside := chain(http.HandlerFunc(whoami), e.Sessions(httpx.Cookies{}, fakeAuth), e.LoggedIn)
	form := func(body string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
	for name, c := range map[string]struct {
		h    http.Handler
		r    *http.Request
		code int
		want string
	}{
		"nobody":             {pages, request("GET", "/"), 200, "resident resident public"},
		"session":            {pages, request("GET", "/", "Cookie", "__Host-rehu_session=good"), 200, "p1 person page"},
		"cookie without TLS": {pages, request("GET", "/", "Cookie", "rehu_session=good"), 200, "resident resident public"},
		"ended session":      {pages, request("GET", "/", "Cookie", "__Host-rehu_session=old"), 200, "resident resident public"},
		"database down":      {pages, request("GET", "/", "Cookie", "__Host-rehu_session=down"), 503, ""},
		"must log in":        {inside, request("GET", "/", "Cookie", "rehu_session=old"), 401, ""},
		"no key":             {keys, request("GET", "/"), 200, "resident resident public"},
		"bearer":             {keys, request("GET", "/", "Authorization", "bearer good"), 200, "p1 person open311"},
		"wrong key":          {keys, request("GET", "/", "Authorization", "Bearer old"), 401, ""},
		"basic":              {keys, request("GET", "/", "Authorization", "Basic good"), 401, ""},
		"empty bearer":       {keys, request("GET", "/", "Authorization", "Bearer"), 401, ""},
		"query":              {keys, request("GET", "/?api_key=good"), 200, "p1 person open311"},
		"form":               {keys, form("api_key=good&x=1"), 200, "p1 person open311"},
		"broken form":        {keys, form("api_key=%zz"), 400, ""},
	} {
		w := answer(c.h, c.r)
		if w.Code != c.code || c.code == 200 && w.Body.String() != c.want {
			t.Errorf("%s: %d %s; want %d %s", name, w.Code, w.Body, c.code, c.want)
		}
		if c.code == 401 && w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: no WWW-Authenticate", name)
		}
	}
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	httpx.Cookies{Secure: true}.SetSession(w, "tok")
	c := w.Result().Cookies()[0]
	if c.Name != "__Host-rehu_session" || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 0 {
		t.Errorf("%+v", c)
	}
	w = httptest.NewRecorder()
	httpx.Cookies{}.ClearSession(w)
	if c := w.Result().Cookies()[0]; c.Name != "rehu_session" || c.MaxAge >= 0 || c.Secure {
		t.Errorf("%+v", c)
	}
}

func TestOtherSitesFormsAreRefused(t *testing.T) {
	t.Parallel()
	e := &httpx.Errors{}
	guard, err := e.SameOrigin("https://heat.example.cn/")
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	h := guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { done++ }))
	for name, c := range map[string]struct {
		r    *http.Request
		code int
	}{
		"own form":                {request("POST", "http://10.0.0.1/", "Sec-Fetch-Site", "same-origin"), 200},
		"other site":              {request("POST", "http://10.0.0.1/", "Sec-Fetch-Site", "cross-site"), 403},
		"old browser, other site": {request("POST", "http://10.0.0.1/", "Origin", "https://evil.example"), 403},
		"old browser, own form":   {request("POST", "http://10.0.0.1/", "Origin", "http://10.0.0.1"), 200},
		"public address":          {request("POST", "http://10.0.0.1/", "Origin", "https://heat.example.cn", "Sec-Fetch-Site", "cross-site"), 200},
		"link from other site":    {request("GET", "http://10.0.0.1/", "Sec-Fetch-Site", "cross-site"), 200},
		"no browser":              {request("POST", "http://10.0.0.1/"), 200},
	} {
		before := done
		w := answer(h, c.r)
		if w.Code != c.code || (done > before) != (c.code == 200) {
			t.Errorf("%s: %d, ran %v; want %d", name, w.Code, done > before, c.code)
		}
		if c.code == 403 && problem(t, w).Key != "httpx.cross_origin" {
			t.Errorf("%s: %s", name, w.Body)
		}
	}
	if _, err := e.SameOrigin("heat"); err == nil {
		t.Error("a nonsense origin was accepted")
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	h := httpx.SecurityHeaders([]string{"https://tiles.example.cn"}, true)(http.HandlerFunc(whoami))
	w := answer(h, request("GET", "/"))
	want := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: https://tiles.example.cn; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	if got := w.Header().Get("Content-Security-Policy"); got != want {
		t.Errorf("policy %s", got)
	}
	for _, name := range []string{"X-Content-Type-Options", "Referrer-Policy", "Strict-Transport-Security"} {
		if w.Header().Get(name) == "" {
			t.Errorf("no %s", name)
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	e := &httpx.Errors{}
	h := e.MaxBytes(1000)(e.Handle(func(_ http.ResponseWriter, r *http.Request) error {
		_, err := io.ReadAll(r.Body)
		return err
	}))
	body := strings.Repeat("x", 1001)
	announced := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	streamed := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader(body)))
	streamed.ContentLength = -1
	for name, r := range map[string]*http.Request{"announced": announced, "streamed": streamed} {
		if w := answer(h, r); w.Code != 413 || problem(t, w).Key != "httpx.too_large" {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := answer(h, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body[1:]))); w.Code != 200 {
		t.Errorf("exactly as much as may be: %d", w.Code)
	}
}

func TestAddressThroughTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32")}
	for name, c := range map[string]struct{ peer, forwarded, want string }{
		"direct":               {"203.0.113.9:5", "", "203.0.113.9"},
		"direct and lying":     {"203.0.113.9:5", "1.1.1.1", "203.0.113.9"},
		"one proxy":            {"10.0.0.1:5", "203.0.113.9", "203.0.113.9"},
		"two proxies":          {"10.0.0.1:5", "203.0.113.9, 10.0.0.2", "203.0.113.9"},
		"lying behind a proxy": {"10.0.0.1:5", "1.1.1.1, 203.0.113.9", "203.0.113.9"},
		"nonsense":             {"10.0.0.1:5", "1.1.1.1, unknown", "10.0.0.1"},
		"proxy itself":         {"127.0.0.1:5", "", "127.0.0.1"},
		"IPv4 inside IPv6":     {"[::ffff:203.0.113.9]:5", "", "203.0.113.9"},
		"IPv6":                 {"[2001:db8::1]:5", "", "2001:db8::1"},
	} {
		var got string
		r := request("GET", "/")
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		answer(httpx.Addresses(proxies)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = httpx.Address(r.Context()) })), r)
		if got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	e := &httpx.Errors{}
	l := httpx.NewLimiter(3, time.Minute, func() time.Time { return now })
	h := chain(http.HandlerFunc(whoami), httpx.Addresses(nil), e.Limit(l, httpx.ByAddress))
	ask := func(peer string) *httptest.ResponseRecorder {
		r := request("GET", "/")
		r.RemoteAddr = peer
		return answer(h, r)
	}
	for i := range 3 {
		if w := ask("203.0.113.9:1"); w.Code != 200 {
			t.Fatalf("request %d: %d", i, w.Code)
		}
	}
	w := ask("203.0.113.9:2")
	if w.Code != 429 || w.Header().Get("Retry-After") != "20" {
		t.Errorf("fourth: %d, Retry-After %s; want 429 and 20", w.Code, w.Header().Get("Retry-After"))
	}
	if w := ask("203.0.113.10:1"); w.Code != 200 {
		t.Errorf("another address: %d", w.Code)
	}
	for i := range 4 { // one home's many IPv6 addresses count together
		if w := ask(fmt.Sprintf("[2001:db8::%d]:1", i)); (w.Code == 200) != (i < 3) {
			t.Errorf("IPv6 %d: %d", i, w.Code)
		}
	}
	now = now.Add(20 * time.Second)
	if w := ask("203.0.113.9:1"); w.Code != 200 {
		t.Errorf("after the wait: %d", w.Code)
	}
}

func TestReaders(t *testing.T) {
	t.Parallel()
	var lang text.Lang
	var size int
	var query string
	h := httpx.Readers(httpx.Cookies{})(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		lang, size, query = httpx.Lang(r.Context()), httpx.TextSize(r.Context()), r.URL.RawQuery
	}))
	for name, c := range map[string]struct {
		r    *http.Request
		lang text.Lang
		size int
		q    string
		set  int
	}{
		"nothing said":      {request("GET", "/"), text.ZH, 18, "", 0},
		"English browser":   {request("GET", "/", "Accept-Language", "fr;q=0.9, en-US;q=0.8, zh;q=0.5"), text.EN, 18, "", 0},
		"Chinese browser":   {request("GET", "/", "Accept-Language", "zh-CN,zh;q=0.9,en;q=0.8"), text.ZH, 18, "", 0},
		"other browser":     {request("GET", "/", "Accept-Language", "ru"), text.ZH, 18, "", 0},
		"cookie":            {request("GET", "/", "Accept-Language", "zh", "Cookie", "lang=en; text=30"), text.EN, 30, "", 0},
		"nonsense cookie":   {request("GET", "/", "Cookie", "text=400"), text.ZH, 18, "", 0},
		"chosen":            {request("GET", "/?a=1&lang=en&text=24", "Cookie", "lang=zh"), text.EN, 24, "a=1", 2},
		"chosen nonsense":   {request("GET", "/?text=9"), text.ZH, 18, "", 0},
		"forms are not cut": {request("POST", "/?lang=en"), text.ZH, 18, "lang=en", 0},
	} {
		w := answer(h, c.r)
		if lang != c.lang || size != c.size || query != c.q || len(w.Result().Cookies()) != c.set {
			t.Errorf("%s: %s %d %q, %d cookies; want %s %d %q, %d", name, lang, size, query, len(w.Result().Cookies()), c.lang, c.size, c.q, c.set)
		}
	}
}

func TestCities(t *testing.T) {
	t.Parallel()
	e := &httpx.Errors{}
	served := []int{140100, 990100}
	m := chi.NewRouter()
	city := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, httpx.City(r.Context())) }
	with := e.Cities(func() []int { return served })
	m.With(with).Get("/c/{city}/x", city)
	m.With(with).Get("/x", city)
	for path, want := range map[string]string{"/c/990100/x": "200 990100", "/c/110000/x": "404", "/c/0990100/x": "404", "/c/x/x": "404", "/x": "200 0"} {
		w := answer(m, request("GET", path))
		if got := fmt.Sprint(w.Code, " ", w.Body); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s; want %s", path, got, want)
		}
	}
	served = served[:1]
	if w := answer(m, request("GET", "/x")); w.Body.String() != "140100" {
		t.Errorf("the only city: %s", w.Body)
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("暖气不热。", 1000)
	body := func(kind, s string) http.Handler {
		return httpx.Gzip()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if kind != "" {
				w.Header().Set("Content-Type", kind)
			}
			w.WriteHeader(http.StatusCreated)
			for part := range strings.SplitAfterSeq(s, "。") {
				io.WriteString(w, part)
			}
		}))
	}
	for name, c := range map[string]struct {
		h      http.Handler
		accept string
		packed bool
	}{
		"page":          {body("text/html; charset=utf-8", long), "gzip, br", true},
		"problem":       {body("application/problem+json", long), "gzip", true},
		"type unknown":  {body("", long), "*", true},
		"small":         {body("text/html", "x"), "gzip", false},
		"picture":       {body("image/png", long), "gzip", false},
		"events":        {body("text/event-stream", long), "gzip", false},
		"not wanted":    {body("text/html", long), "gzip;q=0", false},
		"not mentioned": {body("text/html", long), "", false},
	} {
		w := answer(c.h, request("GET", "/", "Accept-Encoding", c.accept))
		if packed := w.Header().Get("Content-Encoding") == "gzip"; packed != c.packed || w.Code != 201 {
			t.Errorf("%s: %d, packed %v; want %v", name, w.Code, packed, c.packed)
			continue
		}
		var r io.Reader = w.Body
		if c.packed {
			z, err := gzip.NewReader(r)
			if err != nil {
				t.Fatal(err)
			}
			r = z
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != long && string(got) != "x" {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	empty := httpx.Gzip()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }))
	if w := answer(empty, request("GET", "/", "Accept-Encoding", "gzip")); w.Code != 304 || w.Header().Get("Content-Encoding") != "" {
		t.Errorf("no body: %d %v", w.Code, w.Header())
	}
}

func TestServeLetsRequestsFinishAndStreamsKnow(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &httpx.Errors{}
	slow, streams := make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
		close(slow)
		time.Sleep(100 * time.Millisecond)
		io.WriteString(w, "done")
	})
	mux.HandleFunc("/events", e.Handle(func(w http.ResponseWriter, r *http.Request) error {
		s, err := httpx.StartEvents(w)
		if err != nil {
			return err
		}
		if err := s.Send("7", "case", "one\r\ntwo", time.Now()); err != nil {
			return err
		}
		close(streams)
		<-httpx.Stopping(r.Context())
		return s.Comment("bye")
	}))
	h := chain(mux, httpx.RequestIDs, httpx.AccessLog(slog.New(slog.DiscardHandler), time.Now, nil), httpx.Gzip())
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- httpx.Serve(ctx, l, h, 5*time.Second) }()
	get := func(path string) chan string {
		out := make(chan string, 1)
		go func() {
			r, err := http.Get("http://" + l.Addr().String() + path)
			if err != nil {
				out <- err.Error()
				return
			}
			defer r.Body.Close()
			b, _ := io.ReadAll(r.Body)
			out <- string(b)
		}()
		return out
	}
	events, answer := get("/events"), get("/slow")
	<-slow
	<-streams
	stop()
	if got := <-answer; got != "done" {
		t.Errorf("a request under way: %q; want it finished", got)
	}
	if got := <-events; got != ": hello\n\nid: 7\nevent: case\ndata: one\ndata: two\n\n: bye\n\n" {
		t.Errorf("stream: %q", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("stop: %v", err)
	}
}
