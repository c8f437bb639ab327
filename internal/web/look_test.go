package web_test

import (
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
)

func TestLoginInABrowser(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	h.person("admin", actor.RoleAdmin)
	b := h.browser("")
	if b == nil {
		return
	}
	b.Expect("status of 422")
	b.Expect("status of 404")
	b.Open("/login")
	b.WaitText("登录")
	b.Both("login")
	b.Fill("login", "admin")
	b.Fill("password", "wrong")
	b.Click("main button")
	b.WaitText("用户名或密码不正确")
	b.Both("login-wrong")
	b.Fill("password", good)
	b.Click("main button")
	b.WaitJS("location.pathname.startsWith('/c/')")
	b.Open("/c/990100/all")
	b.Both("all")
	b.Open("/nowhere")
	b.WaitText("没有这个页面")
	b.Both("not-found")
}
