package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

// stairwell is what lies between a telephone and the site: a network that comes and goes.
type stairwell struct {
	dead  atomic.Bool  // every connection breaks
	deaf  atomic.Bool  // what is sent arrives, its answer does not
	left  atomic.Int64 // so many pieces of photographs still pass, when not negative
	mu    sync.Mutex
	piece []string // where the pieces began that passed
}

func (s *stairwell) through(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if s.dead.Load() {
			panic(http.ErrAbortHandler)
		}
		if strings.HasSuffix(r.URL.Path, "/piece") {
			if n := s.left.Add(-1); n < 0 && n > -1000 {
				s.dead.Store(true)
				panic(http.ErrAbortHandler)
			}
			s.mu.Lock()
			s.piece = append(s.piece, r.URL.Query().Get("at"))
			s.mu.Unlock()
		}
		if s.deaf.Load() && r.Method == http.MethodPost {
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(rw, r)
	})
}

// phone is the worker's telephone behind a stairwell, with the shift's orders on it.
func (k *fieldDesk) phone() (*webtest.Browser, *stairwell) {
	k.t.Helper()
	return k.house.phone("worker")
}

// phone is the telephone of a worker behind a stairwell, with the shift's orders on it; nil when browser tests are left out.
func (h *house) phone(login string) (*webtest.Browser, *stairwell) {
	h.t.Helper()
	s := &stairwell{}
	s.left.Store(-1000)
	site := httptest.NewServer(s.through(h.pages))
	h.t.Cleanup(site.Close)
	before := h.url
	h.url = site.URL
	b := h.browser(login)
	h.url = before
	if b == nil {
		return nil, nil
	}
	for _, noise := range []string{"net::ERR", "Failed to fetch", "status of 409", "status of 422", "status of 404"} {
		b.Expect(noise)
	}
	b.Size(390, 844)
	b.Open("/f/990100?lang=zh")
	b.WaitJS("navigator.serviceWorker.controller")
	b.Open("/f/990100")
	b.WaitText("页已存在手机上")
	return b, s
}

// snap puts a photograph of so many bytes or more into the field of a name.
func snap(b *webtest.Browser, name string, edge int) {
	b.Eval(fmt.Sprintf(`(() => {
		const c = document.createElement('canvas'); c.width = c.height = %d
		const x = c.getContext('2d'); const d = x.createImageData(c.width, c.height)
		for (let i = 0; i < d.data.length; i++) d.data[i] = i %% 4 === 3 ? 255 : Math.random() * 255
		x.putImageData(d, 0, 0)
		const raw = atob(c.toDataURL('image/jpeg', 0.95).split(',')[1])
		const bytes = new Uint8Array(raw.length); for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i)
		const list = new DataTransfer(); list.items.add(new File([bytes], 'door.jpg', { type: 'image/jpeg' }))
		const el = document.querySelector('input[name=' + CSS.escape(%q) + ']'); el.files = list.files
		el.dispatchEvent(new Event('change', { bubbles: true })); return '' })()`, edge, name))
	b.WaitJS(fmt.Sprintf(`document.querySelector('input[name=' + CSS.escape(%q) + ']').closest('.field').querySelector('.shots img')`, name))
}

func fillFeedback(b *webtest.Browser, measures string) {
	for name, v := range map[string]string{"form.contact": "用户在家", "form.temp_before": "15.2", "form.temp_after": "19.1", "form.rooms": "客厅", "form.measures": measures, "form.answer": "已处理。"} {
		b.Fill(name, v)
	}
	for name, v := range map[string]string{"form.truth": "true", "form.cause": "air", "form.segment": "company", "form.solved": "yes"} {
		b.Choose(name, v)
	}
}

// drafted waits until the draft of a form holds a value, or a file, in the field of a name.
func drafted(b *webtest.Browser, name, value string) {
	b.WaitJS(fmt.Sprintf(`(() => { const r = indexedDB.open('rehu', 2); r.onsuccess = () => {
		r.result.transaction('drafts').objectStore('drafts').getAll().onsuccess = e => {
			document.body.dataset.drafted = e.target.result.some(d => d.fields.some(f => f[0] === %q && (%[2]q === '' ? f[1].size > 0 : f[1] === %[2]q))); r.result.close() } }
		return document.body.dataset.drafted === 'true' })()`, name, value))
	b.WaitText("草稿")
}

// sent presses the button and waits until the telephone is back at the order.
func sent(b *webtest.Browser, c cases.Case) {
	b.Press("提交")
	b.WaitJS(fmt.Sprintf("location.pathname === %q && document.documentElement.dataset.ready", fieldPath(c, "")))
}

// The whole visit in a stairwell without a network: the pages open, what is typed survives, every form waits, and all of
// them arrive once when the network is back, with their photographs.
func TestFieldOffline(t *testing.T) {
	t.Parallel()
	k := newFieldDesk(t)
	c := k.order()
	k.must(k.sends.Take(bg, posted("worker", k.worker.ID, "C1"), actOn(k.now(c), "")))
	b, s := k.phone()
	if b == nil {
		return
	}
	s.dead.Store(true)
	b.Open(fieldPath(c, ""))
	b.WaitText(c.Address)
	b.Press("联系用户")
	b.WaitText("联系结果")
	b.Choose("result", "connected")
	b.Fill("note", "说好马上到")
	drafted(b, "note", "说好马上到")
	b.Open(fieldPath(c, "/contact")) // the telephone was put away
	b.WaitJS(`document.querySelector('[name=note]').value === '说好马上到' && document.querySelector('[name=result][value=connected]').checked`)
	b.Shot("f-draft")
	b.Axe("a draft")
	sent(b, c)
	b.WaitText("还有 1 条未上传")
	b.Open(fieldPath(c, "/arrive"))
	b.Fill("temperature", "15.2")
	snap(b, "photos", 60)
	drafted(b, "photos", "")
	b.Open(fieldPath(c, "/arrive"))
	b.WaitJS(`document.querySelector('[name=photos]').files.length === 1`) // the photograph is in the draft, too
	sent(b, c)
	b.WaitText("还有 2 条未上传")
	b.Open(fieldPath(c, "/feed_back"))
	b.Eval(fmt.Sprintf(`document.querySelector('[name="form.arrived_at"]').value = %q`, k.clock.Now().Time().Format("2006-01-02T15:04")))
	fillFeedback(b, "立管排气")
	sent(b, c)
	b.WaitText("还有 3 条未上传")
	b.WaitText("待上传")
	b.Shot("f-waiting")
	b.Axe("forms that wait")
	b.Open("/f/990100/people") // a page that is not on the telephone
	b.WaitText("这一页也不在手机上")
	b.WaitText("还有 3 条未上传")
	b.Open("/f/990100")
	if got := k.now(c).Status; got != cases.Handling {
		t.Fatalf("without a network the case became %s", got)
	}
	s.dead.Store(false)
	b.Eval("dispatchEvent(new Event('online'))")
	b.WaitText("已收到 3 条")
	b.Press("已收到 3 条")
	b.WaitText("回执")
	b.Shot("f-received")
	b.Axe("receipts")
	v, err := k.cases.View(bg, companyOf, city, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range v.Deeds {
		got = append(got, string(d.Kind)+" "+d.Result)
	}
	if diff := cmp.Diff([]string{"contact connected", "visit met", "feedback yes"}, got); diff != "" || v.Case.Status != cases.FedBack || len(v.Photos) != 1 {
		t.Errorf("%s, %d photographs, deeds (-want +got):\n%s", v.Case.Status, len(v.Photos), diff)
	}
}

// The answer to a form is lost: it is sent again, and counts once. A photograph that is cut goes on where it stopped.
func TestFieldLostAnswersAndCutPhotographs(t *testing.T) {
	t.Parallel()
	k := newFieldDesk(t)
	c := k.order()
	b, s := k.phone()
	if b == nil {
		return
	}
	b.Open(fieldPath(c, "/contact"))
	b.Choose("result", "no_answer")
	s.deaf.Store(true)
	sent(b, c)
	b.WaitText("还有 1 条未上传")
	s.deaf.Store(false)
	b.Eval("dispatchEvent(new Event('online'))")
	b.WaitText("已收到 1 条")
	b.Open(fieldPath(c, "/nobody"))
	snap(b, "photos", 800) // several pieces
	b.Fill("call_log", "19:42 拨打两次无人接听")
	b.Choose("slip", "yes")
	s.left.Store(2)
	sent(b, c)
	b.WaitText("还有 1 条未上传")
	b.Shot("f-cut")
	if got := k.now(c); len(k.deeds(c)) != 1 {
		t.Fatalf("half a photograph made a visit: %s", got.Status)
	}
	s.mu.Lock()
	before := len(s.piece)
	s.mu.Unlock()
	s.left.Store(-1000)
	s.dead.Store(false)
	b.Open("/f/990100") // the telephone was switched off between
	b.WaitText("已收到 2 条")
	s.mu.Lock()
	pieces := append([]string(nil), s.piece...)
	s.mu.Unlock()
	seen := map[string]bool{}
	for _, at := range pieces {
		if seen[at] {
			t.Errorf("the piece at %s was sent twice: %v", at, pieces)
		}
		seen[at] = true
	}
	if before != 2 || len(pieces) <= before {
		t.Errorf("pieces: %v, %d before the cut; want two before and the rest after", pieces, before)
	}
	if diff := cmp.Diff([]string{"contact no_answer", "visit nobody"}, k.deeds(c)); diff != "" {
		t.Errorf("deeds (-want +got):\n%s", diff)
	}
	left, err := db.Read(bg, k.d, func(tx *db.Tx) (int64, error) {
		return db.One[int64](bg, tx, `SELECT COUNT(*) FROM upload_part WHERE city_id = $1`, city)
	})
	if err != nil || left != 0 {
		t.Errorf("%d pieces are left, %v", left, err)
	}
}

func (k *fieldDesk) deeds(c cases.Case) []string {
	k.t.Helper()
	v, err := k.cases.View(bg, companyOf, city, c.ID)
	if err != nil {
		k.t.Fatal(err)
	}
	var out []string
	for _, d := range v.Deeds {
		out = append(out, string(d.Kind)+" "+d.Result)
	}
	return out
}

// While a feedback waits, somebody else says that the case is done: both versions are shown, and both can be kept.
func TestFieldConflict(t *testing.T) {
	t.Parallel()
	k := newFieldDesk(t)
	c := k.order()
	b, s := k.phone()
	if b == nil {
		return
	}
	s.dead.Store(true)
	b.Open(fieldPath(c, "/feed_back"))
	b.Eval(fmt.Sprintf(`document.querySelector('[name="form.arrived_at"]').value = %q`, k.clock.Now().Time().Format("2006-01-02T15:04")))
	fillFeedback(b, "换了阀门")
	sent(b, c)
	b.WaitText("还有 1 条未上传")
	k.must(k.sends.Arrive(bg, companyOf, dispatch.Visit{Act: actOn(k.now(c), ""), Result: "met"}))
	k.must(k.sends.FeedBack(bg, companyOf, dispatch.Feedback{Act: actOn(k.now(c), ""), Form: map[string]string{
		"arrived_at": k.clock.Now().String(), "contact": "在家", "temp_before": "14.8", "temp_after": "18.3", "rooms": "客厅", "truth": "true",
		"cause": "air", "segment": "company", "measures": "立管排气", "solved": "yes", "answer": "已排。",
	}}))
	s.dead.Store(false)
	b.Eval("dispatchEvent(new Event('online'))")
	b.WaitText("冲突")
	b.Press("看两份记录")
	b.WaitText("平台上的记录")
	b.WaitText("立管排气")
	b.WaitJS(`document.querySelector('[name="form.measures"]').value === '换了阀门'`)
	b.Shot("f-conflict")
	b.Axe("both versions")
	b.Press("看过了，把我的也留下")
	b.WaitText("已收到 1 条")
	b.WaitGone("冲突")
	if diff := cmp.Diff([]string{"visit met", "feedback yes", "feedback beside"}, k.deeds(c)); diff != "" {
		t.Errorf("deeds (-want +got):\n%s", diff)
	}
}

// At the end of the shift nothing stays on the telephone, and nothing that was not sent is lost unasked.
func TestFieldLeave(t *testing.T) {
	t.Parallel()
	k := newFieldDesk(t)
	c := k.order()
	b, s := k.phone()
	if b == nil {
		return
	}
	b.Open("/f/990100/leave")
	b.Open(fieldPath(c, "/contact"))
	b.Fill("note", "草稿里的话")
	b.WaitText("草稿")
	b.Choose("result", "connected")
	s.dead.Store(true)
	sent(b, c)
	b.WaitText("还有 1 条未上传")
	b.Open("/f/990100/leave")
	b.Press("清除并退出")
	b.WaitText("还有 1 条没有上传")
	b.Shot("f-leave-unsent")
	b.Axe("leaving with something unsent")
	s.dead.Store(false)
	b.Press("不要了")
	b.WaitJS("location.pathname !== '/f/990100/leave'")
	b.Open("/f/offline")
	b.WaitJS(`(() => { caches.keys().then(k => { document.title = k.includes('pages') ? 'kept' : 'wiped' }); return document.title === 'wiped' })()`)
	b.WaitJS(`(() => { const r = indexedDB.open('rehu', 2); r.onsuccess = () => { const t = r.result.transaction(['outbox', 'drafts']); t.objectStore('outbox').count().onsuccess = e => { document.body.dataset.left = e.target.result; r.result.close() } }; return document.body.dataset.left === '0' })()`)
	if got := k.deeds(c); len(got) != 0 {
		t.Errorf("what was given up arrived: %v", got)
	}
}
