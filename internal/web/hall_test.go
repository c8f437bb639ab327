package web_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/notice/smsfake"
	"github.com/rehu-heat/rehu/internal/web"
)

// hallTown is a town whose messages go to a fake gateway.
type hallTown struct {
	*town
	fake *smsfake.Gateway
}

const (
	holder = "13803510001" // of A1001
	child  = "13903510777"
)

func newHallTown(t testing.TB, cfg config.Config, change ...func(*web.Options)) *hallTown {
	t.Helper()
	fake := smsfake.New(notice.Signer{Account: "rehu", Secret: "s3cret", Machine: time.Now})
	srv := httptest.NewServer(fake)
	t.Cleanup(srv.Close)
	cfg.SMS = config.SMS{URL: srv.URL + "/send", Account: "rehu", Secret: "s3cret", Sign: "暖城供热"}
	return &hallTown{newTownWith(t, cfg, change...), fake}
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code is the code that a telephone was sent last.
func (k *hallTown) code(phone string) string {
	k.t.Helper()
	if err := k.app.Runner.RunDue(bg); err != nil {
		k.t.Fatal(err)
	}
	sent := k.fake.Sent()
	for _, s := range slices.Backward(sent) {
		if s.To == phone && s.Params["code"] != "" {
			return sixDigits.FindString(s.Text)
		}
	}
	k.t.Fatal("no code was sent")
	return ""
}

// enter is a browser in which somebody has logged in.
func (k *hallTown) enter(phone string) *client {
	k.t.Helper()
	c := k.anyone()
	c.post(residents+"/enter", url.Values{"_key": {"a"}, "phone": {phone}}).want(http.StatusOK, "验证码已发出", "5 分钟")
	c.post(residents+"/enter/code", url.Values{"_key": {"b"}, "phone": {phone}, "code": {k.code(phone)}}).to(residents + "/home")
	return c
}

func TestTheHallWithoutScripts(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newHallTown(t, on)
		stranger := k.anyone()
		for _, path := range []string{"/home", "/home/test", "/home/people", "/bind", "/bind/paper", "/me"} {
			stranger.get(residents + path).to(residents + "/enter?next=" + url.QueryEscape(residents+path))
		}
		stranger.post(residents+"/leave", url.Values{}).to(residents + "/enter")
		stranger.post(residents+"/enter/code", url.Values{"_key": {"x"}, "phone": {holder}, "code": {"000000"}}).want(http.StatusUnprocessableEntity, "验证码不对或已过期")
		stranger.post(residents+"/enter", url.Values{"_key": {"x"}, "phone": {"123"}}).want(http.StatusUnprocessableEntity, "请写能收短信的手机号")

		c := k.enter(holder)
		c.get(residents+"/home").want(http.StatusOK, "还没有绑定住户", "我的登录")
		c.post(residents+"/bind", url.Values{"_key": {"1"}, "account": {"A9999"}}).want(http.StatusUnprocessableEntity, "对不上", "A9999")
		c.post(residents+"/bind", url.Values{"_key": {"2"}, "account": {"A1001"}}).to(residents + "/home")
		c.get(residents+"/home").want(http.StatusOK, "向阳花园3号楼2单元601", "一热供热有限公司", "采暖期", "不低于", "我要报修", "还没有诉求")
		c.get(residents+"/home?home=A1002").want(http.StatusNotFound, "!赵大有")

		c.get(residents+"/report?home=A1001").want(http.StatusOK, `value="13803510001"`, `value="向阳花园3号楼2单元601"`, `name="home" value="A1001"`)
		receipt := c.post(residents+"/report", reported("home", "A1001", "phone", holder, "test_request", "no")).want(http.StatusSeeOther).location()
		home := c.get(residents+"/home").want(http.StatusOK, "我的诉求", strings.TrimSuffix(receipt, "?new=1"))
		if strings.Contains(home.body, "还没有诉求") {
			t.Error("the matter is not there")
		}
		c.get(residents+"/home/test?home=A1001").want(http.StatusOK, "01-15 13:00–18:00", "01-16 09:00–12:00")
		c.post(residents+"/home/test", url.Values{"_key": {"t"}, "home": {"A1001"}}).want(http.StatusUnprocessableEntity, "请选")
		c.post(residents+"/home/test", url.Values{"_key": {"t2"}, "home": {"A1001"}, "when": {"2026-01-15 pm", "2026-01-16 am"}}).to(strings.TrimSuffix(receipt, "?new=1"))
		c.get(residents+"/home").want(http.StatusOK, "入户测温")

		c.post(residents+"/leave", url.Values{"_key": {"l"}}).to(residents + "/enter")
		c.get(residents + "/home").want(http.StatusSeeOther)
	})
}

// A test is asked for without any matter before: the matter is opened with it.
func TestATestOpensAMatter(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	c := k.enter(holder)
	c.post(residents+"/bind", url.Values{"_key": {"2"}, "account": {"A1001"}}).to(residents + "/home")
	to := c.post(residents+"/home/test", url.Values{"_key": {"t2"}, "home": {"A1001"}, "when": {"2026-01-15 pm"}}).want(http.StatusSeeOther).location()
	c.get(to).want(http.StatusOK, "测温申请", "一热供热有限公司")
	one, err := k.app.Cases.ByToken(bg, city, to[strings.LastIndex(to, "/")+1:])
	if err != nil || one.Account != "A1001" || one.Details.Available != "01-15 13:00–18:00" || one.TestAt.IsZero() {
		t.Errorf("%+v %v", one, err)
	}
}

func TestHelpersInTheHall(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	parent := k.enter(holder)
	parent.post(residents+"/bind", url.Values{"_key": {"2"}, "account": {"A1001"}}).to(residents + "/home")
	people := residents + "/home/people?home=A1001"
	parent.post(residents+"/home/people", url.Values{"_key": {"h"}, "home": {"A1001"}, "phone": {"12"}, "scope": {"act"}, "days": {"30"}}).want(http.StatusUnprocessableEntity, "请写能收短信的手机号")
	parent.post(residents+"/home/people", url.Values{"_key": {"h2"}, "home": {"A1001"}, "phone": {child}, "scope": {"read"}, "days": {"30"}}).to(people)
	receipt := parent.post(residents+"/report", reported("home", "A1001", "phone", holder)).want(http.StatusSeeOther).location()
	token := strings.TrimSuffix(receipt[strings.LastIndex(receipt, "/")+1:], "?new=1")

	c := k.enter(child)
	c.get(residents+"/home").want(http.StatusOK, "您是代办人", "向阳花园3号楼2单元601", "!"+token, "!我要报修", "!1380", "!138*")
	c.get(residents + "/home/test?home=A1001").want(http.StatusForbidden)
	c.post(residents+"/home/people", url.Values{"_key": {"h3"}, "home": {"A1001"}, "phone": {"13700000000"}, "scope": {"act"}, "days": {"30"}}).want(http.StatusForbidden)

	parent.post(residents+"/home/people", url.Values{"_key": {"h4"}, "home": {"A1001"}, "phone": {child}, "scope": {"act"}, "days": {"30"}}).to(people)
	c.get(residents+"/home").want(http.StatusOK, token, "我要报修")
	list := parent.get(people).want(http.StatusOK, "139****0777", "代办人", "查看和代办")
	id := regexp.MustCompile(`name="version" value="(\d+)"[^§]*?name="id" value="([^"]+)">取消`).FindStringSubmatch(list.body)
	if id == nil {
		t.Fatal("no way to take the help back")
	}
	c.post(residents+"/home/end", url.Values{"_key": {"e0"}, "id": {"00000000-0000-7000-8000-000000000000"}, "version": {"1"}}).want(http.StatusNotFound)
	parent.post(residents+"/home/end", url.Values{"_key": {"e"}, "id": {id[2]}, "version": {id[1]}, "home": {"A1001"}}).to(people)
	c.get(residents+"/home").want(http.StatusOK, "还没有绑定住户", "!"+token, "!向阳花园")
}

// The way back after logging in stays on the residents' pages.
func TestNextStaysInside(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	for _, next := range []string{"https://evil.example/", "//evil.example", "/login", residents + "/../../login", residents + "/home\\@evil", "javascript:alert(1)"} {
		k.anyone().get(residents+"/enter?next="+url.QueryEscape(next)).want(http.StatusOK, `name="next" value="`+residents+`/home"`)
	}
	k.anyone().get(residents+"/enter?next="+url.QueryEscape(residents+"/bind?help=1")).want(http.StatusOK, `name="next" value="`+residents+`/bind?help=1"`)
}

func TestWhoAsksTooOftenWaits(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	c := k.anyone()
	for _, phone := range []string{holder, "13700000001"} {
		c.post(residents+"/enter", url.Values{"_key": {"a"}, "phone": {phone}}).want(http.StatusOK)
		c.post(residents+"/enter", url.Values{"_key": {"b"}, "phone": {phone}}).want(http.StatusTooManyRequests, "秒再获取", "6 位验证码")
	}
}

// The session's cookie is out of reach of scripts and of other sites' forms.
func TestTheHallsCookie(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	c := k.anyone()
	c.post(residents+"/enter", url.Values{"_key": {"a"}, "phone": {holder}})
	got := c.post(residents+"/enter/code", url.Values{"_key": {"b"}, "phone": {holder}, "code": {k.code(holder)}}).header.Get("Set-Cookie")
	if !strings.HasPrefix(got, "rehu_hall_990100=") || !strings.Contains(got, "HttpOnly") || !strings.Contains(got, "SameSite=Lax") {
		t.Errorf("cookie %q", got)
	}
	c.get(residents + "/home").want(http.StatusOK)
	if cache := c.get(residents + "/home").header.Get("Cache-Control"); cache != "no-store" {
		t.Errorf("my home may be kept: %q", cache)
	}
}

// wired is what a page and its files weigh as they are served to a browser that takes gzip.
func (k *hallTown) wired(c *client, path string) (total, files int) {
	k.t.Helper()
	load := func(path string) string {
		r, err := http.NewRequest(http.MethodGet, k.url+path, nil)
		if err != nil {
			k.t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "gzip") // the client then leaves it packed
		got, err := c.c.Do(r)
		if err != nil {
			k.t.Fatal(err)
		}
		defer got.Body.Close()
		raw, err := io.ReadAll(got.Body)
		if err != nil || got.StatusCode != http.StatusOK {
			k.t.Fatalf("%s: %d %v", path, got.StatusCode, err)
		}
		total += len(raw)
		if got.Header.Get("Content-Encoding") != "gzip" {
			return string(raw)
		}
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			k.t.Fatal(err)
		}
		plain, err := io.ReadAll(z)
		if err != nil {
			k.t.Fatal(err)
		}
		return string(plain)
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?:href|src)="(/static/[^"#]+)`).FindAllStringSubmatch(load(path), -1) {
		if !seen[m[1]] {
			seen[m[1]] = true
			load(m[1])
		}
	}
	return total, len(seen)
}

// TestEveryResidentsPageIsLight measures each GET page under /m, with a home, matters, helpers and an offered time on it.
func TestEveryResidentsPageIsLight(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	c := k.enter(holder)
	c.post(residents+"/bind", url.Values{"_key": {"2"}, "account": {"A1001"}}).to(residents + "/home")
	c.post(residents+"/home/people", url.Values{"_key": {"h2"}, "home": {"A1001"}, "phone": {child}, "scope": {"act"}, "days": {"30"}})
	receipt := c.post(residents+"/report", reported("home", "A1001", "phone", holder)).want(http.StatusSeeOther).location()
	token := strings.TrimSuffix(receipt[strings.LastIndex(receipt, "/")+1:], "?new=1")
	asked := map[string]string{
		"/c/{city}/m/home/test": "?home=A1001", "/c/{city}/m/home/people": "?home=A1001", "/c/{city}/m/report": "?home=A1001",
	}
	pages := 0
	for _, r := range k.pages.Routes() {
		if r.Method != http.MethodGet || !strings.HasPrefix(r.Pattern, "/c/{city}/m") || regexp.MustCompile(`\{(document|finding|blob)\}|/refund$|/objections/`).MatchString(r.Pattern) {
			continue
		}
		browser := c
		if strings.HasSuffix(r.Pattern, "/enter") {
			browser = k.anyone()
		}
		path := strings.NewReplacer("{city}", "990100", "{token}", token).Replace(r.Pattern) + asked[r.Pattern]
		if strings.Contains(path, "{") {
			continue
		}
		switch status, _ := browser.knock(http.MethodGet, path); status {
		case http.StatusOK:
		case http.StatusNotFound, http.StatusSeeOther: // nothing there for this home
			continue
		default:
			t.Errorf("%s: %d", path, status)
			continue
		}
		pages++
		if total, files := k.wired(browser, path); total > 15<<10 {
			t.Errorf("%s weighs %d bytes with %d files", path, total, files)
		} else {
			t.Logf("%s: %d bytes", path, total)
		}
	}
	if pages < 14 {
		t.Errorf("only %d pages were measured", pages)
	}
}

// Staff look at a paper; another company never does.
func TestStaffDecideOnPapers(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	for _, role := range []actor.Role{actor.RoleSeat, actor.RoleCompany} {
		k.person(string(role), role)
	}
	c := k.enter(child)
	send := func(words string, file []byte) answer {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		_ = m.WriteField("_key", words)
		_ = m.WriteField("words", words)
		f, err := m.CreateFormFile("photo", "bill.png")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write(file)
		_ = m.Close()
		r, err := http.NewRequest(http.MethodPost, k.url+residents+"/bind/paper", &b)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", m.FormDataContentType())
		r.Header.Set("Accept", "text/html")
		got, err := c.c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Body.Close()
		body, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer{t, "paper", got.StatusCode, got.Header, string(body)}
	}
	send("向阳花园3号楼2单元601", []byte("MZ this is no photograph")).want(http.StatusUnprocessableEntity, "照片")
	send("向阳花园3号楼2单元601", shot(t)).to(residents + "/home")
	send("明月里1号楼", shot(t)).to(residents + "/home")
	c.get(residents+"/home").want(http.StatusOK, "核对中", "向阳花园3号楼2单元601")

	company := k.as("company")
	list := company.get("/c/990100/bindings").want(http.StatusOK, "向阳花园3号楼2单元601", "139****0777", "!明月里1号楼", "!"+child)
	paper := found(t, list, `href="(/c/990100/bindings/papers/[^"]+)"`)
	if got := company.get(paper).want(http.StatusOK); !strings.HasPrefix(got.header.Get("Content-Type"), "image/") {
		t.Errorf("the paper is %s", got.header.Get("Content-Type"))
	}
	c.get(paper).want(http.StatusSeeOther) // to the login of staff
	id := found(t, list, `action="(/c/990100/bindings/[0-9a-f-]{36})"`)
	company.post(id, url.Values{"_key": {"1"}, "version": {"1"}, "approve": {"true"}, "account": {"A9"}}).want(http.StatusUnprocessableEntity, "没有这个户号")
	company.post(id, url.Values{"_key": {"2"}, "version": {"1"}, "approve": {"true"}, "account": {"A1001"}}).to("/c/990100/bindings")
	company.post(id, url.Values{"_key": {"3"}, "version": {"1"}, "approve": {"true"}, "account": {"A1001"}}).want(http.StatusConflict)
	c.get(residents+"/home?home=A1001").want(http.StatusOK, "一热供热有限公司")

	seat := k.as("seat")
	other := found(t, seat.get("/c/990100/bindings").want(http.StatusOK, "明月里1号楼"), `action="(/c/990100/bindings/[0-9a-f-]{36})"`)
	company.post(other, url.Values{"_key": {"4"}, "version": {"1"}, "approve": {"false"}, "reason": {"x"}}).want(http.StatusNotFound)
	seat.post(other, url.Values{"_key": {"5"}, "version": {"1"}, "approve": {"false"}, "reason": {"照片里看不到地址"}}).to("/c/990100/bindings")
	c.get(residents+"/home").want(http.StatusOK, "未通过", "照片里看不到地址")
	consent := url.Values{"_key": {"c"}, "account": {"A1002"}, "phone": {"13700000009"}, "role": {"helper"}, "scope": {"act"}, "days": {"30"}, "reason": {"录音 0115-7"}}
	seat.post("/c/990100/bindings/consent", consent).to("/c/990100/bindings")
	k.enter("13700000009").get(residents+"/home").want(http.StatusOK, "您是代办人", "待开栓")
}
