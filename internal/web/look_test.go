package web_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/jobs"
)

type warning struct {
	Case string `json:"case"`
}

func (warning) Kind() string { return "clock.warn" }

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
	b.Expect("status of 403")
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
	h.person("seat", actor.RoleSeat)
	b = h.browser("seat")
	b.Expect("status of 403")
	b.Open("/c/990100/people")
	b.WaitText("系统管理员")
	b.Both("denied")
}

func TestAdminPagesInABrowser(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	for _, r := range actor.Roles() {
		h.person(string(r), r)
	}
	err := db.Do(context.Background(), h.d, func(tx *db.Tx) error {
		for _, id := range []string{"A", "B"} {
			if err := jobs.Add(context.Background(), tx, city, warning{id}, jobs.When{At: tx.Now + civil.Instant(3600_000)}); err != nil {
				return err
			}
		}
		_, err := db.Exec(context.Background(), tx, `UPDATE job SET state = 'dead', attempt = 10, last_error = $2 WHERE city_id = $1 AND args = $3`,
			city, "短信网关没有回应", `{"case":"A"}`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b := h.browser("admin")
	if b == nil {
		return
	}
	b.Expect("status of 422")
	b.WaitText("李娜")
	b.Both("people")
	b.Key("j")
	b.Key(kb.Enter)
	b.WaitText("角色与范围")
	b.Both("person")
	b.Open("/c/990100/people/new")
	b.Both("person-new")
	b.Click("main .form button")
	b.WaitText("没有填好")
	b.Both("person-new-wrong")
	b.Fill("name", "刘新人")
	b.Fill("login", "liu")
	b.Fill("password", "Warm-home-2026")
	b.Choose("org", "C1")
	b.Choose("role", "company")
	b.Choose("companies", "C1")
	b.Click("main .form button.main-act")
	b.WaitText("已新建 刘新人")
	b.Press("停用")
	b.WaitText("已停用，登录已全部结束")
	for _, page := range []string{"orgs", "orgs/new", "orgs/C1", "keys", "audit", "jobs"} {
		b.Open("/c/990100/" + page)
		b.Both(strings.ReplaceAll(page, "/", "-"))
	}
	b.WaitText("短信网关没有回应")
	b.Press("重试")
	b.WaitText("已重新排队")
	b.Open("/c/990100/keys")
	b.Fill("name", "市 12345 平台对接")
	b.Choose("org", "centre")
	b.Choose("role", "partner")
	b.Press("新建密钥")
	b.WaitText("rhk_")
	b.Both("key-made")
	b.Press("停用")
	b.WaitText("确认停用")
	b.Shot("key-revoke-1440")
	b.Axe("the dialog")
	b.Press("确认停用")
	b.WaitText("密钥已停用")
}

func TestAccountInABrowser(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	h.person("dispatcher", actor.RoleDispatcher)
	b := h.browser("dispatcher")
	if b == nil {
		return
	}
	b.Expect("status of 422")
	b.Open("/account")
	b.Both("account")
	b.Press("开启动态验证码")
	b.WaitText("扫描二维码")
	b.Both("totp")
	b.Open("/account/password")
	b.Both("password")
	b.Click("main .form button")
	b.WaitText("没有填好")
	b.Open("/account?lang=en")
	b.WaitText("My account")
	b.Both("account-en")
	// 200 %: the same page in half the width.
	b.Size(720, 450)
	b.NoSideways("the account at 200 %")
	b.Shot("account-en-720")
}
