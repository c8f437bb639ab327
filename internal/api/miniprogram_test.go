package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/dop251/goja"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/notice/smsfake"
	"github.com/rehu-heat/rehu/internal/wechat"
	"github.com/rehu-heat/rehu/internal/wechat/wechatfake"
)

const (
	program  = "../../clients/wechat/miniprogram"
	miniID   = "wx2222222222222222"
	who      = "oWangGuilan01"
	mobile   = "13803510001"
	template = "message.case.dispatch"
)

// telephone is a mini program on somebody's telephone: its own files run, wx is played, and the installation is real.
type telephone struct {
	t      *testing.T
	h      *house
	fake   *wechatfake.Server
	sms    *smsfake.Gateway
	server *httptest.Server
	vm     *goja.Runtime
	pages  map[string]*goja.Object
	loaded map[string]goja.Value
	store  map[string]any
	went   []string // pages that were opened
	toasts []string
	asked  [][]string // templates that leave was asked for
	down   bool       // no network
}

// newTelephone joins an installation with the fakes of WeChat and of the SMS gateway.
func newTelephone(t *testing.T) *telephone {
	t.Helper()
	p := &telephone{t: t, pages: map[string]*goja.Object{}, loaded: map[string]goja.Value{}, store: map[string]any{}}
	var err error
	p.fake, err = wechatfake.New(time.Now, wechatfake.Account{
		App: wechat.Mini, ID: miniID, Original: "gh_mini", Secret: "s", Token: "t", AESKey: wechatfake.AESKey(), Templates: map[string][]string{"sub-1": {"thing1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	signer := notice.Signer{Account: "rehu", Secret: "s3cret", Machine: time.Now}
	p.sms = smsfake.New(signer)
	wx, sms := httptest.NewServer(p.fake), httptest.NewServer(p.sms)
	t.Cleanup(wx.Close)
	t.Cleanup(sms.Close)
	v := url.Values{wechat.CredentialAPI: {wx.URL}}
	for k, s := range p.fake.Credential(miniID) {
		v.Set(k, s)
	}
	p.h = newHouseWith(t, func(c *config.Config) {
		c.Credentials = map[string]string{"wx_mini": v.Encode()}
		c.SMS = config.SMS{URL: sms.URL + "/send", Account: "rehu", Secret: "s3cret"}
	})
	_, err = p.h.app.Channels.SetAccount(ctx, p.h.root, channel.AccountInput{
		City: city, Channel: cases.WeChat, Name: "mini", Title: "mini", Credential: "wx_mini", Enabled: true, Settings: map[string]string{
			wechat.SettingApp: "mini", wechat.SettingAppID: miniID, wechat.SettingOriginal: "gh_mini",
			wechat.SettingTemplates: template + `: {id: sub-1, kind: subscribe, page: "pages/case/case?token={token}", values: {thing1: "{text}"}}`,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.server = httptest.NewServer(p.h.doors)
	t.Cleanup(p.server.Close)
	p.start()
	return p
}

// start begins the mini program anew, as after it was closed; what it stored stays.
func (p *telephone) start() {
	p.vm = goja.New()
	p.vm.SetFieldNameMapper(goja.TagFieldNameMapper("json", true))
	p.loaded = map[string]goja.Value{}
	p.must(p.vm.Set("wx", p.wx()))
	var rehu goja.Value
	p.must(p.vm.Set("App", func(o *goja.Object) { rehu = o }))
	p.must(p.vm.Set("getApp", func() goja.Value { return rehu }))
	p.loaded["config.js"] = p.vm.ToValue(map[string]any{"base": p.server.URL, "city": city, "phone": "96778"})
	p.require("app.js")
}

func (p *telephone) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// require runs a file of the mini program as WeChat does and gives what it exports.
func (p *telephone) require(name string) goja.Value {
	p.t.Helper()
	if v, ok := p.loaded[name]; ok {
		return v
	}
	src, err := os.ReadFile(filepath.Join(program, name))
	p.must(err)
	fn, err := p.vm.RunScript(name, "(function (require, module, exports) {"+string(src)+"\n})")
	p.must(err)
	module := p.vm.NewObject()
	p.must(module.Set("exports", p.vm.NewObject()))
	run, _ := goja.AssertFunction(fn)
	_, err = run(goja.Undefined(), p.vm.ToValue(func(at string) goja.Value {
		to := path.Join(path.Dir(name), at)
		if !strings.HasSuffix(to, ".js") {
			to += ".js"
		}
		return p.require(to)
	}), module, module.Get("exports"))
	p.must(err)
	p.loaded[name] = module.Get("exports")
	return p.loaded[name]
}

// wx is what WeChat gives a mini program, as far as ours uses it.
func (p *telephone) wx() map[string]any {
	call := func(o *goja.Object, name string, v any) {
		if fn, ok := goja.AssertFunction(o.Get(name)); ok {
			_, err := fn(goja.Undefined(), p.vm.ToValue(v))
			p.must(err)
		}
	}
	nothing := func(*goja.Object) {}
	return map[string]any{
		"getStorageSync":    func(k string) any { return p.store[k] },
		"setStorageSync":    func(k string, v goja.Value) { p.store[k] = v.Export() },
		"removeStorageSync": func(k string) { delete(p.store, k) },
		"login":             func(o *goja.Object) { call(o, "success", map[string]any{"code": p.fake.Code(miniID, who)}) },
		"request":           func(o *goja.Object) { p.request(o, call) },
		"uploadFile":        func(o *goja.Object) { p.upload(o, call) },
		"requestSubscribeMessage": func(o *goja.Object) {
			var ids []string
			p.must(p.vm.ExportTo(o.Get("tmplIds"), &ids))
			p.asked = append(p.asked, ids)
			said := map[string]any{"errMsg": "ok"}
			for _, id := range ids {
				said[id] = "accept"
				p.fake.Allow(miniID, who, id)
			}
			call(o, "success", said)
		},
		"chooseMedia": func(o *goja.Object) {
			call(o, "success", map[string]any{"tempFiles": []map[string]any{{"tempFilePath": "photo.jpg"}}})
		},
		"navigateTo":            func(o *goja.Object) { p.went = append(p.went, o.Get("url").String()) },
		"redirectTo":            func(o *goja.Object) { p.went = append(p.went, o.Get("url").String()) },
		"navigateBack":          func(*goja.Object) { p.went = append(p.went, "back") },
		"showToast":             func(o *goja.Object) { p.toasts = append(p.toasts, o.Get("title").String()) },
		"setNavigationBarTitle": nothing, "makePhoneCall": nothing, "reLaunch": nothing,
	}
}

func (p *telephone) headers(o *goja.Object, r *http.Request) {
	var h map[string]string
	p.must(p.vm.ExportTo(o.Get("header"), &h))
	for k, v := range h {
		r.Header.Set(k, v)
	}
}

func (p *telephone) request(o *goja.Object, call func(*goja.Object, string, any)) {
	if p.down {
		call(o, "fail", map[string]any{"errMsg": "request:fail"})
		return
	}
	var body bytes.Buffer
	if d := o.Get("data"); d != nil && !goja.IsUndefined(d) {
		p.must(json.NewEncoder(&body).Encode(d.Export()))
	}
	r, err := http.NewRequest(o.Get("method").String(), o.Get("url").String(), &body)
	p.must(err)
	p.headers(o, r)
	res, err := http.DefaultClient.Do(r)
	p.must(err)
	defer res.Body.Close()
	var data any
	p.must(json.NewDecoder(res.Body).Decode(&data))
	header := map[string]any{}
	for k := range res.Header {
		header[k] = res.Header.Get(k)
	}
	call(o, "success", map[string]any{"statusCode": res.StatusCode, "data": data, "header": header})
}

func (p *telephone) upload(o *goja.Object, call func(*goja.Object, string, any)) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile(o.Get("name").String(), "photo.jpg")
	p.must(err)
	p.must(jpeg.Encode(part, image.NewRGBA(image.Rect(0, 0, 20, 20)), nil))
	p.must(w.Close())
	r, err := http.NewRequest(http.MethodPost, o.Get("url").String(), &body)
	p.must(err)
	p.headers(o, r)
	r.Header.Set("Content-Type", w.FormDataContentType())
	res, err := http.DefaultClient.Do(r)
	p.must(err)
	res.Body.Close()
	call(o, "success", map[string]any{"statusCode": res.StatusCode})
}

// page runs a page's file and gives the page, with its data and setData as WeChat makes them.
func (p *telephone) page(name string) *goja.Object {
	p.t.Helper()
	var page *goja.Object
	p.must(p.vm.Set("Page", func(o *goja.Object) { page = o }))
	delete(p.loaded, "pages/"+name+"/"+name+".js")
	p.require("pages/" + name + "/" + name + ".js")
	p.must(page.Set("setData", func(part *goja.Object) {
		data := page.Get("data").ToObject(p.vm)
		for _, k := range part.Keys() {
			p.must(data.Set(k, part.Get(k)))
		}
	}))
	return page
}

// do calls a handler of a page and waits for what it promised.
func (p *telephone) do(page *goja.Object, name string, arg any) {
	p.t.Helper()
	fn, ok := goja.AssertFunction(page.Get(name))
	if !ok {
		p.t.Fatalf("the page has no %s", name)
	}
	v, err := fn(page, p.vm.ToValue(arg))
	p.must(err)
	if pr, ok := v.Export().(*goja.Promise); ok && pr.State() != goja.PromiseStateFulfilled {
		p.t.Fatalf("%s: %v, %v", name, pr.State(), pr.Result())
	}
}

// shows gives a value of a page's data as JSON.
func (p *telephone) shows(page *goja.Object, key string) string {
	p.t.Helper()
	b, err := json.Marshal(page.Get("data").ToObject(p.vm).Get(key).Export())
	p.must(err)
	return string(b)
}

func event(field, value string) map[string]any {
	return map[string]any{"currentTarget": map[string]any{"dataset": map[string]any{"field": field, "value": value, "token": value}}, "detail": map[string]any{"value": value}}
}

func (p *telephone) code() string {
	p.t.Helper()
	p.must(p.h.app.Runner.RunDue(ctx))
	for _, m := range slices.Backward(p.sms.Sent()) {
		if c := m.Params["code"]; c != "" {
			return c
		}
	}
	p.t.Fatal("no code was sent")
	return ""
}

// enter binds the telephone through the pages.
func (p *telephone) enter() {
	p.t.Helper()
	login := p.page("login")
	p.do(login, "onLoad", nil)
	p.do(login, "go", nil)
	if !slices.Contains(p.went, "/pages/bind/bind") {
		p.t.Fatalf("went to %v, %s", p.went, p.shows(login, "problem"))
	}
	bind := p.page("bind")
	p.do(bind, "onLoad", nil)
	p.do(bind, "go", nil)
	if w := p.shows(bind, "wrong"); !strings.Contains(w, "11位") || !strings.Contains(w, "6位") {
		p.t.Errorf("nothing filled in: %s", w)
	}
	p.do(bind, "type", event("number", mobile))
	p.do(bind, "send", nil)
	code := p.code()
	p.do(bind, "type", event("code", "000000"))
	p.do(bind, "go", nil)
	if p.shows(bind, "problem") == `""` {
		p.t.Error("a wrong code is not told")
	}
	p.do(bind, "type", event("code", code))
	p.do(bind, "go", nil)
	if p.store["token"] == nil || p.shows(bind, "problem") != `""` {
		p.t.Fatalf("not bound: %s", p.shows(bind, "problem"))
	}
}

// report goes through the report's page and gives the case's token.
func (p *telephone) report() string {
	p.t.Helper()
	page := p.page("report")
	p.do(page, "onLoad", nil)
	p.do(page, "send", nil)
	if w := p.shows(page, "wrong"); !strings.Contains(w, "请选是什么问题") || !strings.Contains(w, "请写住址") {
		p.t.Errorf("nothing filled in: %s", w)
	}
	for _, c := range [][2]string{{"matter", "cold"}, {"since", "yesterday"}, {"test", "yes"}} {
		p.do(page, "choose", event(c[0], c[1]))
	}
	p.do(page, "type", event("address", "向阳花园3号楼2单元601"))
	p.do(page, "photo", nil)
	p.do(page, "send", nil)
	var sent struct{ Token, Words string }
	p.must(json.Unmarshal([]byte(p.shows(page, "sent")), &sent))
	if sent.Token == "" {
		p.t.Fatalf("not sent: %s", p.shows(page, "problem"))
	}
	p.do(page, "send", nil) // a second tap is the same report
	return sent.Token
}

// TestMiniProgram: from an unknown telephone to a case that is followed, reminded of and rated, with the mini program's own
// files against the installation.
func TestMiniProgram(t *testing.T) {
	t.Parallel()
	p := newTelephone(t)
	home := p.page("home")
	p.do(home, "onShow", nil)
	if p.shows(home, "bound") != "false" || p.shows(home, "problem") != `""` {
		t.Fatalf("before login: %s", p.shows(home, "problem"))
	}
	p.enter()
	token := p.report()
	if n := len(p.asked); n == 0 || p.asked[0][0] != "sub-1" {
		t.Errorf("leave was asked for %v", p.asked)
	}
	c, err := p.h.app.Cases.ByToken(ctx, city, token)
	if err != nil || c.Channel != cases.WeChat || c.Details.Since != "昨天" || c.TestAt.IsZero() || c.Company != "C1" {
		t.Fatalf("case %+v %v", c, err)
	}
	p.must(p.h.app.Runner.RunDue(ctx))
	p.do(home, "onShow", nil)
	if p.shows(home, "bound") != "true" || !strings.Contains(p.shows(home, "me"), "138****0001") || !strings.Contains(p.shows(home, "open"), "1") {
		t.Errorf("home: %s %s", p.shows(home, "me"), p.shows(home, "open"))
	}
	follow := p.page("follow")
	p.do(follow, "onShow", nil)
	if list := p.shows(follow, "list"); !strings.Contains(list, c.No) || !strings.Contains(list, "一热供热有限公司") || strings.Count(list, `"token"`) != 1 {
		t.Errorf("list %s", list)
	}
	p.follow(token, c)
	p.rate(token, c)
}

// follow looks at the case, adds a word, a photograph and a wish to be told.
func (p *telephone) follow(token string, c cases.Case) {
	p.t.Helper()
	page := p.page("case")
	p.do(page, "onLoad", map[string]any{"token": token})
	p.do(page, "onShow", nil)
	if v := p.shows(page, "c"); !strings.Contains(v, c.No) || !strings.Contains(v, `"steps":[{`) {
		p.t.Errorf("case %s %s", v, p.shows(page, "problem"))
	}
	p.do(page, "type", event("", "老人在家，请快一点"))
	p.do(page, "remind", nil)
	p.do(page, "photo", nil)
	p.do(page, "tell", nil)
	if p.shows(page, "problem") != `""` {
		p.t.Errorf("problem %s", p.shows(page, "problem"))
	}
	now, err := p.h.app.Cases.ByToken(ctx, city, token)
	if err != nil || now.Urges != 1 {
		p.t.Errorf("reminded %d times, %v", now.Urges, err)
	}
	p.down = true
	p.do(page, "remind", nil)
	if s := p.shows(page, "problem"); !strings.Contains(s, "网络不通") {
		p.t.Errorf("without a network: %s", s)
	}
	p.down = false
}

// rate is refused as long as nothing is done.
func (p *telephone) rate(token string, c cases.Case) {
	p.t.Helper()
	page := p.page("rate")
	p.do(page, "onLoad", map[string]any{"token": token})
	p.do(page, "send", nil)
	if !strings.Contains(p.shows(page, "wrong"), "请选") {
		p.t.Errorf("nothing chosen: %s", p.shows(page, "wrong"))
	}
	p.do(page, "choose", event("solved", "yes"))
	p.do(page, "send", nil)
	if !strings.Contains(p.shows(page, "problem"), "现在还不能评价") {
		p.t.Errorf("too early: %s", p.shows(page, "problem"))
	}
	p.h.handled(c)
	p.do(page, "choose", event("satisfied", "yes"))
	p.do(page, "send", nil)
	now, err := p.h.app.Cases.ByToken(ctx, city, token)
	if err != nil || now.Solved != "yes" || now.Satisfied != "yes" || now.Status != cases.ToClose {
		p.t.Errorf("rated: %s %s %s %v, %s", now.Status, now.Solved, now.Satisfied, err, p.shows(page, "problem"))
	}
}

// TestMiniProgramComesBack: closed and opened again it has its session; one that ended is renewed without a word.
func TestMiniProgramComesBack(t *testing.T) {
	t.Parallel()
	p := newTelephone(t)
	p.enter()
	p.store["token"] = "nonsense"
	p.start()
	home := p.page("home")
	p.do(home, "onShow", nil)
	if p.shows(home, "bound") != "true" || p.store["token"] == "nonsense" {
		t.Errorf("after the session ended: %s %s", p.shows(home, "bound"), p.shows(home, "problem"))
	}
	p.do(home, "translate", nil)
	if p.shows(home, "lang") != `"en"` || !strings.Contains(p.shows(home, "t"), "Report a problem") {
		t.Error("the other language is not shown")
	}
	p.do(home, "resize", nil)
	if p.shows(home, "size") != `"normal"` {
		t.Errorf("size %s", p.shows(home, "size"))
	}
}

// TestStrangersSeeNothing: without a session, with a made-up one and with somebody else's nobody reads or acts.
func TestStrangersSeeNothing(t *testing.T) {
	t.Parallel()
	p := newTelephone(t)
	p.enter()
	token := p.report()
	own := fmt.Sprint(p.store["token"])
	for _, o := range p.h.doors.Operations() {
		if !o.Resident {
			continue
		}
		at := "/api/v1" + strings.NewReplacer("{city}", "990100", "{token}", token).Replace(o.Path)
		for _, auth := range []string{"", "Bearer nonsense", "Bearer " + strings.Repeat("A", 43), "Basic " + own, "Bearer " + p.h.leaderKey()} {
			p.h.send(o.Method, at, strings.NewReader("{}"), "Authorization", auth, "Content-Type", "application/json").want(http.StatusUnauthorized, "!"+mobile)
		}
	}
	p.h.read(own, v1+"/mine/cases/nonsense").want(404)
	p.h.read(own, v1+"/cases").want(401) // a resident's session opens nothing of staff's
	p.h.post(own, v1+"/mine/cases", map[string]any{"text": "x", "account": "1000001", "address": "y"}).want(404)
}

// TestMiniProgramFiles walks the markup: every handler is there, every text is in both languages, and nothing is said
// outside of the catalogue.
func TestMiniProgramFiles(t *testing.T) {
	t.Parallel()
	p := newTelephone(t)
	var manifest struct{ Pages []string }
	raw, err := os.ReadFile(program + "/app.json")
	p.must(err)
	p.must(json.Unmarshal(raw, &manifest))
	bound := regexp.MustCompile(`(?:bind|catch):?[a-z]+="([^"]+)"`)
	said := regexp.MustCompile(`\bt\.([a-z_0-9]+)`)
	for _, at := range manifest.Pages {
		name := path.Base(at)
		page := p.page(name)
		for _, first := range []string{"onLoad", "onShow"} {
			if _, ok := goja.AssertFunction(page.Get(first)); ok {
				p.do(page, first, map[string]any{"token": "x"})
			}
		}
		raw, err := os.ReadFile(program + "/" + at + ".wxml")
		p.must(err)
		markup := string(raw)
		for _, m := range bound.FindAllStringSubmatch(markup, -1) {
			if _, ok := goja.AssertFunction(page.Get(m[1])); !ok {
				t.Errorf("%s: nothing handles %q", at, m[1])
			}
		}
		texts := page.Get("data").ToObject(p.vm).Get("t").ToObject(p.vm)
		for _, m := range said.FindAllStringSubmatch(markup, -1) {
			if v := texts.Get(m[1]); v == nil || v.String() == "" {
				t.Errorf("%s: no text %q", at, m[1])
			}
		}
		for _, r := range markup {
			if unicode.Is(unicode.Han, r) {
				t.Errorf("%s: says %q outside of the catalogue", at, r)
			}
		}
	}
	p.bothLanguages()
}

// bothLanguages checks the client's catalogue, and that nothing of it is left over.
func (p *telephone) bothLanguages() {
	p.t.Helper()
	texts := p.require("lib/texts.js").ToObject(p.vm)
	keys, _ := goja.AssertFunction(texts.Get("keys"))
	pairs, _ := goja.AssertFunction(texts.Get("pairs"))
	v, err := keys(goja.Undefined())
	p.must(err)
	var all []string
	p.must(p.vm.ExportTo(v, &all))
	var sources strings.Builder
	p.must(filepath.WalkDir(program, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, "texts.js") {
			return err
		}
		b, err := os.ReadFile(name)
		sources.Write(b)
		return err
	}))
	spoken := sources.String()
	for _, k := range all {
		v, err := pairs(goja.Undefined(), p.vm.ToValue(k))
		p.must(err)
		var pair []string
		p.must(p.vm.ExportTo(v, &pair))
		if len(pair) != 2 || pair[0] == "" && k != "time.joint" || pair[1] == "" {
			p.t.Errorf("%s: not in both languages", k)
		}
		flat := strings.Replace(strings.ReplaceAll(k, ".", "_"), "_", "_", 1)
		prefix := k[:strings.LastIndex(k, ".")+1]
		if !strings.Contains(spoken, k) && !strings.Contains(spoken, "t."+flat) && !strings.Contains(spoken, "'"+prefix+"'") {
			p.t.Errorf("%s: nothing says it", k)
		}
	}
	if strings.Contains(spoken, `"appid": "wx`) {
		p.t.Error("a real app id stands in the files")
	}
}

// handled brings a case to where its resident is asked whether it is warm now.
func (h *house) handled(c cases.Case) {
	h.t.Helper()
	for _, e := range []cases.Event{cases.Sign, cases.FeedBack, cases.Verify} {
		err := db.Do(ctx, h.app.DB, func(tx *db.Tx) error {
			_, err := h.app.Cases.MoveIn(ctx, tx, h.root, city, c.ID, cases.Change{Event: e})
			return err
		})
		if err != nil {
			h.t.Fatalf("%s: %v", e, err)
		}
	}
}
