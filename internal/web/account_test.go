package web_test

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/web"
)

const fresh = "Fresh-warm-2027"

// found is what a pattern's group matches in a page.
func found(t *testing.T, a answer, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("%s: nothing matches %s\n%s", a.what, pattern, a.body)
	}
	return m[1]
}

// A person made by a manager must choose a password, then works; on both databases.
func TestNewPersonJourney(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.person("admin", actor.RoleAdmin)
		h.person("seat", actor.RoleSeat)
		k := h.as("admin")
		k.get("/c/990100/people/new").want(200, `name="_key"`, "一热供热有限公司")
		in := url.Values{"_key": {"k1"}, "name": {"刘新人"}, "login": {"liu"}, "org": {"C1"}, "email": {""}, "password": {"short"}, "role": {"company"}}
		k.post("/c/990100/people", in).want(422, `value="刘新人"`, "密码太短", `aria-invalid="true"`, "!short")
		in.Set("password", "Warm-home-2026")
		to := k.post("/c/990100/people", in)
		to.want(303)
		page := k.get(to.header.Get("Location")).want(200, "已新建 刘新人", "供热企业", "刘新人")
		if strings.Contains(k.get(to.header.Get("Location")).body, "已新建") {
			t.Error("the message is shown twice")
		}
		k.post("/c/990100/people", in).want(422, "这个用户名已有人使用")
		id := to.header.Get("Location")

		liu := h.anyone()
		liu.post("/login", url.Values{"login": {"liu"}, "password": {"Warm-home-2026"}}).to("/account/password")
		liu.get("/").to("/account/password")
		liu.get("/c/990100/all").to("/account/password")
		liu.get("/account/password").want(200, "管理员设置的", "!class=\"rail\"")
		change := url.Values{"current": {"Warm-home-2026"}, "password": {fresh}, "again": {fresh + "x"}}
		liu.post("/account/password", change).want(422, "两次输入的新密码不一样")
		change.Set("again", fresh)
		liu.post("/account/password", change).to("/")
		liu.get("/c/990100/all").want(200, "密码已修改", "刘新人")

		// Two managers edit the same person: the second sees that something changed and keeps what was typed.
		version := found(t, page, `name="version" value="(\d+)"`)
		edit := url.Values{"name": {"刘一"}, "org": {"C1"}, "version": {version}}
		k.post(id, edit).want(409, "别人刚刚改过", `value="刘一"`)
		edit.Set("version", found(t, k.get(id), `name="version" value="(\d+)"`))
		k.post(id, edit).to(id)
		k.get(id).want(200, "已保存", "刘一")

		k.post(id+"/grants", url.Values{"role": {"worker"}, "companies": {"C2", "C1"}}).to(id)
		revoke := found(t, k.get(id), `action="(/c/990100/people/[^"]*/grants/[^"]*/revoke)"`)
		k.post(revoke, nil).to(id)
		k.post(revoke, nil).want(404)
		k.post(id+"/password", url.Values{"password": {"Given-again-77"}}).to(id)
		liu.get("/c/990100/all").to("/login?next=%2Fc%2F990100%2Fall")
		k.post(id+"/disable", nil).to(id)
		k.get(id).want(200, "停用", "已停用")
		k.post(id+"/enable", nil).to(id)
		k.get("/c/990100/people?q="+url.QueryEscape("刘一")+"&active=yes").want(200, "刘一", "!李娜")
		k.get("/c/990100/people?nonsense=1").want(422)
	})
}

func TestNobodyChangesTheirOwnRights(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	p := h.person("admin", actor.RoleAdmin)
	k := h.as("admin")
	me := "/c/990100/people/" + p.ID
	k.get(me).want(200, "不能更改自己的权限", "!"+me+"/grants\"")
	k.post(me+"/grants", url.Values{"role": {"leader"}}).want(403)
}

func TestOneTimeCodes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	h.person("leader", actor.RoleLeader)
	k := h.as("leader")
	setup := k.post("/account/totp", nil).want(200, `class="qr"`, "otpauth://totp/")
	secret := found(t, setup, `name="secret" value="([A-Z2-7]+)"`)
	k.post("/account/totp/confirm", url.Values{"code": {"000000"}, "secret": {secret}, "url": {"javascript:x"}}).want(422, "验证码不正确", secret, "!javascript:")
	code := func(at time.Time) string {
		c, err := totp.GenerateCode(secret, at)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	kept := k.post("/account/totp/confirm", url.Values{"code": {code(time.Now())}, "secret": {secret}}).want(200, "恢复码")
	if kept.header.Get("Cache-Control") != "no-store" {
		t.Error("the recovery codes may be kept by the browser")
	}
	recovery := found(t, kept, `<li>([^<]+)</li>`)
	k.post("/logout", nil).to("/login")

	k = h.anyone()
	k.get("/login/code").to("/login")
	k.post("/login/code", url.Values{"code": {"1"}}).to("/login")
	k.post("/login", url.Values{"login": {"leader"}, "password": {good}, "next": {"/account"}}).to("/login/code?next=%2Faccount")
	k.get("/account").to("/login?next=%2Faccount")
	k.get("/login/code?next=%2Faccount").want(200, "动态验证码")
	k.post("/login/code", url.Values{"code": {"123"}, "next": {"/account"}}).want(422, "验证码不正确")
	k.post("/login/code", url.Values{"code": {recovery}, "next": {"/account"}}).to("/account")
	k.get("/account").want(200, "已开启动态验证码")
	k.post("/account/totp/off", url.Values{"code": {"123"}}).want(422, "验证码不正确", "登录的设备")
	k.post("/account/totp/off", url.Values{"code": {code(time.Now().Add(30 * time.Second))}}).to("/account")
	k.get("/account").want(200, "动态验证码已关闭")
	k.post("/account/totp/off", url.Values{"code": {"123"}}).to("/account")
	k.get("/account").want(200, "动态验证码没有开启")
}

func TestOwnSessions(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	h.person("seat", actor.RoleSeat)
	here, there := h.as("seat"), h.as("seat")
	page := here.get("/account", "User-Agent", "Mozilla/5.0 (Windows NT 10.0) Chrome/120.0").want(200, "本机", "暖城供热服务中心")
	here.post(found(t, page, `action="(/account/sessions/[^"]+/end)"`), nil).to("/account")
	there.get("/account").to("/login?next=%2Faccount")
	here.get("/account").want(200, "登录已结束")
	there = h.as("seat")
	here.post("/account/sessions/end", nil).to("/account")
	there.get("/account").to("/login?next=%2Faccount")
	here.get("/account").want(200)
}

// provider stands in for the city's identity provider.
type provider struct{ claims staff.Claims }

func (p provider) Address(_ context.Context, h staff.Handshake) (string, error) {
	return "https://id.example.cn/authorize?state=" + url.QueryEscape(h.State), nil
}

func (p provider) Redeem(_ context.Context, code string, _ staff.Handshake) (staff.Claims, error) {
	if code != "right" {
		return staff.Claims{}, errors.New("unknown code")
	}
	return p.claims, nil
}

func TestIdentityProvider(t *testing.T) {
	t.Parallel()
	h := newHouseWith(t, dbtest.SQLite(t), provider{staff.Claims{Subject: "s1", Email: "zhao@example.cn", Verified: true}})
	p := h.person("dispatcher", actor.RoleDispatcher)
	if _, err := h.staff.EditPerson(context.Background(), h.root, staff.Edit{Person: p.ID, Name: p.Name, Org: p.Org, Email: "zhao@example.cn", Version: p.Version + 1}); err != nil {
		t.Fatal(err)
	}
	k := h.anyone()
	k.get("/login?next=/account").want(200, "用统一身份登录", `href="/login/oidc?next=%2Faccount"`)
	to := k.get("/login/oidc?next=%2Faccount").want(303).header.Get("Location")
	u, err := url.Parse(to)
	if err != nil || u.Host != "id.example.cn" {
		t.Fatal(to, err)
	}
	state := url.QueryEscape(u.Query().Get("state"))
	h.anyone().get("/login/oidc/return?code=right&state="+state).want(422, "统一身份登录没有完成")
	k.get("/login/oidc/return?code=right&state=" + state).to("/account")
	k.get("/account").want(200, "赵敏")
	k.get("/login/oidc/return?code=right&state=" + state).want(422)
}

func TestSeveralCities(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t), func(o *web.Options) {
		o.Cities = func() []web.City {
			return []web.City{{Code: city, NameZH: "暖城市", NameEN: "Nuancheng"}, {Code: 140100, NameZH: "太原市", NameEN: "Taiyuan"}}
		}
	})
	h.person("admin", actor.RoleAdmin)
	k := h.as("admin")
	k.get("/").to("/c/990100/people")
	k.get("/c/140100").to("/c/140100/all")
	k.get("/c/140100/people").want(403)
	_, err := h.staff.CreatePerson(context.Background(), h.root, staff.NewPerson{
		Login: "province", Name: "全省", Password: good, Grants: []actor.Grant{{Role: actor.RoleAdmin}},
	})
	if err != nil {
		t.Fatal(err)
	}
	all := h.as("province")
	all.get("/").to("/cities")
	all.get("/cities").want(200, "太原市", "暖城市")
	all.get("/cities?lang=en").want(200, "Taiyuan", "Choose a city")
	all.get("/c/140100").to("/c/140100/people")
	all.get("/c/140100/people").want(200, "Taiyuan", "Change city")
}
