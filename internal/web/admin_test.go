package web_test

import (
	"net/url"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/web"
)

func TestOrganisations(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	h.person("admin", actor.RoleAdmin)
	k := h.as("admin")
	k.post("/c/990100/orgs", url.Values{"code": {"C 3"}, "kind": {"company"}, "name_zh": {"三热"}}).want(422, "单位代码为", `value="三热"`)
	k.post("/c/990100/orgs", url.Values{"code": {"C3"}, "kind": {"company"}, "name_zh": {"三热"}}).to("/c/990100/orgs")
	k.post("/c/990100/orgs", url.Values{"code": {"C3"}, "kind": {"company"}, "name_zh": {"三热"}}).want(422, "这个单位代码已经使用")
	page := k.get("/c/990100/orgs/C3").want(200, "三热")
	edit := url.Values{"kind": {"company"}, "name_zh": {"三热集团"}, "active": {"no", "yes"}, "version": {found(t, page, `name="version" value="(\d+)"`)}}
	k.post("/c/990100/orgs/C3", edit).to("/c/990100/orgs")
	k.post("/c/990100/orgs/C3", edit).want(409, "别人刚刚改过")
	k.get("/c/990100/orgs?kind=company").want(200, "三热集团", "!暖城供热服务中心")
	k.get("/c/990100/orgs/C9").want(404)
}

func TestKeys(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	h.person("admin", actor.RoleAdmin)
	k := h.as("admin")
	in := url.Values{"name": {"市 12345 平台对接"}, "org": {"centre"}, "role": {"partner"}, "expires_at": {"2025-01-01"}}
	k.post("/c/990100/keys", in).want(422, "到期时间应在将来", `value="市 12345 平台对接"`, "!rhk_")
	in.Set("expires_at", "2099-12-31")
	made := k.post("/c/990100/keys", in).want(200, "rhk_", "2099-12-31")
	if got := made.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("a page with a secret: Cache-Control %q", got)
	}
	revoke := found(t, made, `action="(/c/990100/keys/[^"]+/revoke)"`)
	k.get("/c/990100/keys").want(200, "市 12345 平台对接", "!rhk_", "有效")
	k.post(revoke, nil).to("/c/990100/keys")
	k.get("/c/990100/keys").want(200, "密钥已停用", "已停用")
	k.post(revoke, nil).to("/c/990100/keys")
	k.get("/c/990100/keys").want(200, `role="alert"`, "别人刚刚改过")
}

func TestAudit(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	p := h.person("admin", actor.RoleAdmin)
	h.person("seat", actor.RoleSeat)
	k := h.as("admin")
	k.get("/c/990100/audit").want(200, "登录", "新建人员", "命令行", "校验值")
	k.get("/c/990100/audit?subject=person:"+p.ID+"&act=staff.login").want(200, "第 3 条", "!第 1 条", "清除条件")
	k.get("/c/990100/audit?from=2030-01-01T00:00").want(200, "没有符合条件的记录")
	k.get("/c/990100/audit?from=soon").want(422, "请填时间")
	k.get("/c/990100/audit?after=nonsense").want(422, "翻页位置无效")
	first := k.get("/c/990100/audit?size=2").want(200, "下一页")
	next := found(t, first, `rel="next" href="([^"]+)"`)
	k.get(unescape(next)).want(200, "第一页")
}

func unescape(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return s
	}
	q := u.Query()
	if v := q.Get("amp;size"); v != "" { // the address stood in HTML
		q.Del("amp;size")
		q.Set("size", v)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func TestWithoutServicesThereAreNoPages(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t), func(o *web.Options) { o.Deps.Audit, o.Deps.Jobs = nil, nil })
	h.person("admin", actor.RoleAdmin)
	k := h.as("admin")
	k.get("/c/990100/people").want(200, "接口密钥", "!审计记录", "!后台任务")
	k.get("/c/990100/audit").want(404)
}

// A browser without scripts gets whole pages, htmx the part that changes.
func TestPartsAndPages(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	h.person("admin", actor.RoleAdmin)
	k := h.as("admin")
	k.get("/c/990100/people").want(200, "<!doctype html>", `class="rail"`)
	a := k.get("/c/990100/people", "HX-Request", "true").want(200, "!<!doctype", "!class=\"rail\"", "周管理")
	if got := a.header.Values("Vary"); len(got) == 0 {
		t.Error("nothing tells caches that htmx gets something else")
	}
	if got := k.post("/c/990100/orgs", url.Values{"code": {"C3"}, "kind": {"company"}, "name_zh": {"三热"}}, "HX-Request", "true").want(204).header.Get("HX-Redirect"); got != "/c/990100/orgs" {
		t.Errorf("htmx is sent to %q", got)
	}
}
