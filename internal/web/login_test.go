package web_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
)

func TestLoginLeadsToWhereOneWanted(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	h.person("admin", actor.RoleAdmin)
	k := h.anyone()
	k.get("/c/990100/all").to("/login?next=%2Fc%2F990100%2Fall")
	k.get("/login?next=%2Fc%2F990100%2Fall").want(200, "<h1>登录</h1>", `value="/c/990100/all"`, "暖城市城市管理局")
	k.post("/login", url.Values{"login": {"admin"}, "password": {"wrong"}}).want(422, "用户名或密码不正确", `value="admin"`, "!wrong")
	k.post("/login", url.Values{"login": {"admin"}, "password": {good}, "next": {"/c/990100/all"}}).to("/c/990100/all")
	k.get("/c/990100/all").want(200, "周管理", "系统管理员")
	k.get("/login").to("/")
	k.post("/logout", nil).to("/login")
	k.get("/login").want(200, "已退出登录")
	k.get("/login").want(200, "!已退出登录")
	k.get("/c/990100/all").to("/login?next=%2Fc%2F990100%2Fall")
}

func TestLoginNeverLeadsOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	h.person("admin", actor.RoleAdmin)
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)", "evil", "/a\r\nSet-Cookie: x"} {
		k := h.anyone()
		k.post("/login", url.Values{"login": {"admin"}, "password": {good}, "next": {next}}).to("/")
	}
}

func TestErrorPages(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	h.person("admin", actor.RoleAdmin)
	k := h.anyone()
	a := k.get("/nowhere").want(http.StatusNotFound, "没有这个页面", "请求编号")
	if a.header.Get("Content-Security-Policy") == "" {
		t.Error("an error page without a content security policy")
	}
	k.get("/c/123456/all").want(http.StatusNotFound, "本系统没有这个城市")
	k.get("/nowhere", "HX-Request", "true").want(http.StatusNotFound, "data-error", "!<html")
	k.get("/c/990100/all", "HX-Request", "true", "HX-Current-URL", h.url+"/c/990100/people?q=x").want(http.StatusNoContent)
	k.send(http.MethodHead, "/login", nil).want(http.StatusOK)
	k.send(http.MethodHead, "/c/990100/all", nil).to("/login?next=%2Fc%2F990100%2Fall")
	k.send(http.MethodDelete, "/login", nil).want(http.StatusMethodNotAllowed, "这个地址不支持这种操作")
	k.post("/login", url.Values{"login": {"admin"}, "password": {"x"}}, "Sec-Fetch-Site", "cross-site").want(http.StatusForbidden, "请求来自其他网站")
}
