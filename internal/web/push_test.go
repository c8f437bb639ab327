package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/web/webtest"
	"github.com/rehu-heat/rehu/internal/webpush"
	"github.com/rehu-heat/rehu/internal/webpush/pushfake"
)

// newPushTown is a town with a push service beside its gateway.
func newPushTown(t *testing.T) (*hallTown, *pushfake.Service) {
	t.Helper()
	fake := pushfake.New(time.Now)
	srv := httptest.NewServer(fake)
	t.Cleanup(srv.Close)
	fake.Stands(srv.URL)
	key, err := webpush.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Config{Push: config.Push{Key: key.Secret(), Contact: "mailto:heat@example.cn", Allow: []string{"127.0.0.1"}}}
	return newHallTown(t, cfg), fake
}

// tells tells the mother something that may come at any hour.
func (k *hallTown) tells(matter string) {
	k.t.Helper()
	if err := db.Do(bg, k.app.DB, func(tx *db.Tx) error {
		_, err := k.app.Notices.EnqueueIn(bg, tx, actor.SystemFor("test", actor.Command), notice.Message{
			City: city, Channel: notice.SMS, To: holder, Template: "message.case.close", Matter: matter, Params: map[string]any{"no": "1", "link": "x"}, QuietExempt: true,
		})
		return err
	}); err != nil {
		k.t.Fatal(err)
	}
	if err := k.app.Runner.RunDue(bg); err != nil {
		k.t.Fatal(err)
	}
}

// The forms alone: what the browser gave is kept or refused, the device says what it showed, and both ends stop it.
func TestNotificationsByForm(t *testing.T) {
	t.Parallel()
	k, fake := newPushTown(t)
	k.anyone().get(residents + "/me/push").to(residents + "/enter?next=" + url.QueryEscape(residents+"/me/push"))
	c := k.enter(holder)
	c.get(residents+"/me").want(http.StatusOK, "浏览器通知")
	c.get(residents+"/me/push").want(http.StatusOK, "这个浏览器不能显示通知", k.app.Push.PublicKey())
	b, err := fake.Subscribe(k.app.Push.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	given := url.Values{"_key": {"1"}, "endpoint": {b.Endpoint}, "p256dh": {b.Keys.P256DH}, "auth": {b.Keys.Auth}}
	inside := url.Values{"_key": {"2"}, "endpoint": {"https://192.168.1.1/"}, "p256dh": {b.Keys.P256DH}, "auth": {b.Keys.Auth}}
	c.post(residents+"/me/push", inside).want(http.StatusUnprocessableEntity, "没有开启成功")
	c.post(residents+"/me/push", given).to(residents + "/me/push")
	page := c.get(residents+"/me/push").want(http.StatusOK, "这个浏览器已开启通知")
	k.tells("one")
	shown := fake.Shown()
	if len(shown) != 1 {
		t.Fatalf("shown %+v, refused %v", shown, fake.Wrong())
	}
	k.anyone().post(shown[0].Tell, url.Values{"key": {shown[0].Key}, "proof": {"0"}}).want(http.StatusNotFound)
	if err := fake.Arrive(bg, k.url, shown[0]); err != nil {
		t.Fatal(err)
	}
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(page.body)
	if id == nil {
		t.Fatal("no way to switch it off")
	}
	k.enter(child).post(residents+"/me/push/end", url.Values{"_key": {"3"}, "id": {id[1]}}).want(http.StatusNotFound)
	c.post(residents+"/me/push/end", url.Values{"_key": {"4"}, "id": {id[1]}}).to(residents + "/me/push")
	c.get(residents+"/me/push").want(http.StatusOK, "这个浏览器不能显示通知")
	worker := k.anyone().get(residents+"/push.js").want(http.StatusOK, "showNotification", "!caches", "!fetch', ")
	if kind := worker.header.Get("Content-Type"); !strings.HasPrefix(kind, "text/javascript") {
		t.Errorf("the worker is %s", kind)
	}
}

// injected stands in for the push service that Chromium without a window does not have: the page's own calls stay.
const injected = `(() => {
	window.refuse = true
	Notification.requestPermission = async () => window.refuse ? 'denied' : 'granted'
	PushManager.prototype.getSubscription = async () => null
	PushManager.prototype.subscribe = async o => {
		if (!o.userVisibleOnly || o.applicationServerKey.length !== 65) throw new Error('options')
		return { toJSON: () => (GIVEN) }
	}
})()`

// The switch in a browser: refused, allowed, shown as on, and off again; the worker serves residents' pages only.
func TestNotificationsInABrowser(t *testing.T) {
	t.Parallel()
	k, fake := newPushTown(t)
	s, err := fake.Subscribe(k.app.Push.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	given := `{ endpoint: '` + s.Endpoint + `', keys: { p256dh: '` + s.Keys.P256DH + `', auth: '` + s.Keys.Auth + `' } }`
	b := webtest.New(t, k.url)
	b.Size(390, 844)
	k.login(b, holder)
	b.Open(residents + "/me/push")
	b.WaitJS("!document.querySelector('[data-push-able]').hidden && document.querySelector('[data-push-none]').hidden")
	b.Axe("notifications off")
	b.Tall("push-off")
	sizes(b, "notifications", residents+"/me/push")
	b.WaitJS("!document.querySelector('[data-push-able]').hidden")
	b.Eval(strings.Replace(injected, "GIVEN", given, 1))
	b.Press("在这个浏览器开启")
	b.WaitText("浏览器没有允许通知")
	b.WaitJS("!(window.refuse = false)")
	b.Press("在这个浏览器开启")
	b.WaitText("这个浏览器已开启通知")
	b.Axe("notifications on")
	b.Tall("push-on")
	b.WaitJS(`navigator.serviceWorker.getRegistration().then(r => r.scope.endsWith('/m/') && r.active.scriptURL.endsWith('/m/push.js'))`)
	k.tells("two")
	if shown := fake.Shown(); len(shown) != 1 {
		t.Errorf("shown %+v, refused %v", shown, fake.Wrong())
	}
	b.Press("关闭通知")
	b.WaitText("通知已关闭")
	k.tells("three")
	if shown := fake.Shown(); len(shown) != 1 {
		t.Errorf("shown after the end: %+v", shown)
	}
}

// What the worker does with a message, run in a page: it shows the text, says so, opens our own pages and nothing else.
func TestTheWorkerOfNotifications(t *testing.T) {
	t.Parallel()
	k, _ := newPushTown(t)
	b := webtest.New(t, k.url)
	b.Open(residents)
	b.Eval(`(() => {
		const on = {}
		window.did = []
		const self = {
			skipWaiting: () => {}, addEventListener: (name, f) => { on[name] = f },
			registration: { showNotification: async (title, o) => { did.push(['show', title, o.body, o.tag, o.lang, o.data.open].join(' ')) } },
			clients: { matchAll: async () => [], openWindow: async path => { did.push('open ' + path) } },
		}
		const fetch = async (path, o) => { did.push('tell ' + path + ' ' + o.method + ' ' + o.body) }
		` + k.anyone().get(residents+"/push.js").body + `
		window.events = Object.keys(on).sort().join(' ')
		const push = m => new Promise(done => on.push({ data: { json: () => m }, waitUntil: p => p.then(done) }))
		const tap = open => new Promise(done => on.notificationclick({ notification: { close: () => did.push('close'), data: { open } }, waitUntil: p => p.then(done) }))
		const home = '/c/990100/m/home'
		push({ title: '供热', text: '已结案', lang: 'zh', open: home, key: 'k', proof: 'p', tell: '/c/990100/m/push/shown' })
			.then(() => push({ title: 'x', text: 'y', lang: 'en', open: 'https://evil.example', key: 'k2', proof: 'p', tell: 'https://evil.example' }))
			.then(() => tap(home)).then(() => tap('https://evil.example')).then(() => tap('//evil.example/c/1/m/')).then(() => { window.ended = true })
		return ''
	})()`)
	b.WaitJS("window.ended")
	want := "show 供热 已结案 k zh /c/990100/m/home|tell /c/990100/m/push/shown POST key=k&proof=p|show x y k2 en https://evil.example|close|open /c/990100/m/home|close|close"
	if got := b.Eval("did.join('|')"); got != want {
		t.Errorf("the worker did\n%s\nwant\n%s", got, want)
	}
	if got := b.Eval("events"); got != "install notificationclick push" {
		t.Errorf("the worker listens to %s", got)
	}
}
