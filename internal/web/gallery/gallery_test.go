package gallery_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/chromedp/chromedp/kb"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/web/gallery"
	"github.com/rehu-heat/rehu/internal/web/static"
	"github.com/rehu-heat/rehu/internal/web/ui"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

const areas = `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"name":"兴工","fill":1,"note":"恒温供热 12 件","chosen":true},"geometry":{"type":"Polygon","coordinates":[[[112.50,37.80],[112.56,37.81],[112.57,37.87],[112.51,37.88],[112.50,37.80]]]}},
{"type":"Feature","properties":{"name":"铁西<b>","fill":2,"note":"铁路供暖 3 件"},"geometry":{"type":"Polygon","coordinates":[[[112.44,37.80],[112.50,37.80],[112.51,37.88],[112.45,37.87],[112.44,37.80]]]}},
{"type":"Feature","properties":{"name":"汾河","kind":"line"},"geometry":{"type":"LineString","coordinates":[[112.47,37.79],[112.53,37.89]]}},
{"type":"Feature","properties":{"name":"换热站","fill":5,"radius":6},"geometry":{"type":"Point","coordinates":[112.53,37.84]}}]}`

type example func(context.Context, ui.Form) (context.Context, templ.Component)

// show serves an example; ?wrong shows its form with messages.
func show(e example) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f := ui.Form{}
		if r.URL.Query().Has("wrong") || r.Method == http.MethodPost {
			var c fault.Check
			for _, n := range []string{"text", "phone", "kind", "reason", "temp_c", "name", "photos"} { // not the order of the page
				c.Add(n, "field.required")
			}
			f = ui.FormOf(r, c.Err())
		}
		ctx := ui.With(r.Context(), &ui.View{URL: r.URL, Site: config.Site{Owner: "暖城市城市管理局", Phone: "12345", ICP: "暖ICP备00000001号", Police: "暖公网安备0号"}})
		ctx, page := e(ctx, f)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := page.Render(ctx, w); err != nil {
			panic(err)
		}
	}
}

// stairwell is a site whose network can fail, and what its field workers' form has sent.
type stairwell struct {
	dead atomic.Bool
	mu   sync.Mutex
	got  []string // temperatures, each key once
	keys map[string]bool
}

// reading takes a temperature; one that is no number is refused.
func (s *stairwell) reading(w http.ResponseWriter, r *http.Request) {
	in, err := httpx.Bind[struct {
		Temp celsius.Tenths `form:"temp_c"`
	}](r)
	if err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprint(w, `<div data-summary>请填数字。</div>`)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if key := r.PostFormValue("_key"); !s.keys[key] {
		s.keys[key] = true
		s.got = append(s.got, in.Temp.String())
	}
	fmt.Fprint(w, "<p>已保存</p>")
}

func (s *stairwell) sent() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.got, " ")
}

func site(t *testing.T) string {
	t.Helper()
	return siteWith(t, &stairwell{keys: map[string]bool{}})
}

func siteWith(t *testing.T, st *stairwell) string {
	t.Helper()
	m := http.NewServeMux()
	m.HandleFunc("POST /f/readings", st.reading)
	m.HandleFunc("/f/sw.js", func(w http.ResponseWriter, _ *http.Request) {
		js, _ := static.Open("js/sw.js")
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write(js)
	})
	m.Handle(static.Prefix, static.Handler())
	for path, e := range map[string]example{"/": gallery.Console, "/parts": gallery.Parts, "/citizen": gallery.Citizen, "/f/field": gallery.Field, "/wall": gallery.Wall} {
		m.Handle(path, show(e))
	}
	m.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		e, err := httpx.StartEvents(w)
		if err != nil {
			return
		}
		_ = e.Send("1", "hello", "x", time.Now())
		<-r.Context().Done()
	})
	m.HandleFunc("/areas.json", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, areas) })
	m.HandleFunc("/suggest", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `[{"value":"阳光家园","label":"阳光家园","hint":"恒温供热"},{"value":"阳光花园","label":%q}]`, r.URL.Query().Get("q"))
	})
	m.HandleFunc("/case/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<section class="drawer"><header><h2>%s</h2><a class="shut" href="/" data-shut aria-label="关闭">x</a></header></section>`, strings.TrimPrefix(r.URL.Path, "/case/"))
	})
	m.HandleFunc("POST /urge", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<title>x</title><p>已催办</p>") })
	policy := httpx.SecurityHeaders(nil, false)
	all := httpx.Readers(httpx.Cookies{})(policy(m))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if st.dead.Load() {
			panic(http.ErrAbortHandler) // the connection breaks
		}
		all.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestConsole(t *testing.T) {
	t.Parallel()
	b := webtest.New(t, site(t))
	if b == nil {
		return
	}
	b.Open("/")
	b.WaitText("实时连接正常")
	b.WaitJS("document.querySelectorAll('.leaflet-tooltip.name').length === 3")
	b.Both("g-console")
	b.Open("/")
	// The keyboard: down from the selected row, open, come back, search, act, ask.
	b.WaitJS("document.querySelector('tr[tabindex=\"0\"]')")
	b.Key("j")
	b.WaitJS("document.activeElement.tagName === 'TR' && document.activeElement.innerText.includes('GR1123-1095')")
	b.Key(kb.ArrowUp)
	b.WaitJS("document.activeElement.innerText.includes('GR1123-1135')")
	b.Key(kb.End)
	b.Key(kb.Home)
	b.WaitJS("document.activeElement.innerText.includes('GR1123-1195')")
	b.Key(kb.Enter)
	b.WaitJS("document.querySelector('#side h2').textContent === 'GR1123-1195' && document.querySelector('tr[aria-selected=true]').innerText.includes('1195')")
	b.Open("/")
	b.WaitJS("document.querySelector('tr[tabindex=\"0\"]')")
	b.Key("t")
	b.WaitJS("document.querySelector('#return').open && document.activeElement.tagName === 'TEXTAREA'")
	if got := b.Eval("document.activeElement.value"); got != "" {
		t.Errorf("the key landed in the reason: %q", got)
	}
	b.Axe("the dialog")
	b.Shot("g-dialog-1440")
	b.Key("j")
	b.Key(kb.Escape)
	b.WaitJS("!document.querySelector('#return').open")
	b.Key("/")
	b.WaitJS("document.activeElement.type === 'search'")
	b.Key("u")
	b.WaitJS("document.activeElement.value === 'u'")
	b.Open("/?wrong=1")
	b.WaitJS("document.querySelector('#return').open")
	b.Axe("the dialog with messages")
	b.Open("/")
	b.WaitJS("document.querySelector('tr[tabindex=\"0\"]')")
	b.Key("?")
	b.WaitText("上一行、下一行")
	b.Key(kb.Escape)
	b.WaitJS("!document.querySelector('dialog[open]') && !document.activeElement.closest('dialog')")
	b.WaitJS("document.querySelector('tr[tabindex=\"0\"]')")
	b.Key("u")
	b.WaitText("已催办")
}

func TestParts(t *testing.T) {
	t.Parallel()
	b := webtest.New(t, site(t))
	if b == nil {
		return
	}
	b.Open("/parts")
	b.Both("g-parts")
	b.Size(1440, 2200)
	b.Shot("g-parts-long")
	b.Open("/parts?wrong=1")
	b.WaitJS("document.activeElement.hasAttribute('data-summary')")
	b.Axe("a form with messages")
	if got := b.Eval("[...document.querySelectorAll('[data-summary] a')].slice(0, 3).map(a => a.textContent).join(' ')"); got != "姓名：请填写此项。 类别：请填写此项。 测温：请填写此项。" {
		t.Errorf("the summary is not in the order of the page: %s", got)
	}
	b.Shot("g-wrong-long")
	b.Size(320, 700)
	b.NoSideways("the form on a narrow telephone")
	b.Size(1440, 900)
	b.Fill("address", "阳光")
	b.WaitText("恒温供热")
	b.Axe("proposals")
	b.Key(kb.ArrowDown)
	b.Key(kb.Enter)
	b.WaitJS("document.querySelector('[name=address]').value === '阳光家园'")
	b.PDF("g-parts")
}

func TestCitizen(t *testing.T) {
	t.Parallel()
	b := webtest.New(t, site(t))
	if b == nil {
		return
	}
	b.Size(390, 844)
	for _, size := range []string{"18", "24", "30"} {
		b.Open("/citizen?text=" + size)
		b.NoSideways("the citizen's page at " + size)
		b.Axe("the citizen's page at " + size)
		b.Shot("g-citizen-" + size)
	}
	b.Open("/citizen?wrong=1&text=24")
	b.Axe("the citizen's page with messages")
	b.Shot("g-citizen-wrong")
	b.Size(320, 568)
	b.NoSideways("the citizen's page on a small telephone")
	b.Size(390, 844)
	b.Open("/f/field?text=18")
	b.Axe("the field page")
	b.Shot("g-field")
	b.Open("/citizen?lang=en")
	b.WaitText("Large text")
}

// Nothing that a field worker writes is lost: without a network the page opens, two readings wait through a reload, go in
// order when the network is back, once each, and what the server refuses comes back to be corrected.
func TestOutbox(t *testing.T) {
	t.Parallel()
	st := &stairwell{keys: map[string]bool{}}
	b := webtest.New(t, siteWith(t, st))
	if b == nil {
		return
	}
	b.Expect("net::ERR")
	b.Expect("status of 422")
	b.Expect("Failed to fetch")
	b.Size(390, 844)
	b.Open("/f/field")
	b.WaitJS("navigator.serviceWorker.controller")
	b.Open("/f/field") // now through the worker, which keeps it
	st.dead.Store(true)
	b.Fill("temp_c", "17.2")
	b.Press("保存")
	b.WaitText("还有 1 条未上传")
	b.Fill("temp_c", "17.9")
	b.Press("保存")
	b.WaitText("还有 2 条未上传")
	b.Shot("g-outbox")
	b.Axe("the outbox")
	b.Open("/f/field")
	b.WaitText("GR1123-1198")
	b.WaitText("还有 2 条未上传")
	if got := st.sent(); got != "" {
		t.Fatalf("sent without a network: %s", got)
	}
	st.dead.Store(false)
	b.Eval("dispatchEvent(new Event('online'))")
	b.WaitGone("未上传")
	if got := st.sent(); got != "17.2 17.9" {
		t.Errorf("sent %q, want both in order, once", got)
	}
	b.Fill("temp_c", "冷")
	b.Press("保存")
	b.WaitText("有 1 条没有通过")
	b.WaitText("请填数字")
	b.Eval("document.querySelector('[name=temp_c]').value = ''")
	b.Press("去改正")
	b.WaitJS("document.querySelector('[name=temp_c]').value === '冷'")
	b.Fill("temp_c", "16.5")
	b.Press("保存")
	b.WaitGone("没有通过")
	if got := st.sent(); got != "17.2 17.9 16.5" {
		t.Errorf("sent %q after correcting", got)
	}
}

func TestWall(t *testing.T) {
	t.Parallel()
	b := webtest.New(t, site(t))
	if b == nil {
		return
	}
	b.Size(1920, 1080)
	b.Open("/wall")
	b.NoSideways("the wall")
	b.Shot("g-wall")
}
