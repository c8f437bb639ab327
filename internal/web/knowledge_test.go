package web_test

import (
	"html"
	"net/url"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
)

func TestKnowledge(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("seat", actor.RoleSeat)
	k.person("keeper", actor.RoleKnowledge)
	seat := k.as("seat")
	list := seat.get("/c/990100/knowledge").want(200, "待签阅", "!待处理")
	path := html.UnescapeString(found(t, list, `href="([^"]+)" data-row-link`))
	seat.get(path).want(200, "可读给市民", "反映不准", "!审核与发布")
	seat.get("/c/990100/knowledge?q=没有这样的词").want(200, "没有找到")
	seat.post("/c/990100/knowledge/report", url.Values{"kind": {"missing"}, "note": {""}}).want(422, "请填写")
	seat.post("/c/990100/knowledge/report", url.Values{"kind": {"missing"}, "note": {"缺新城区范围"}}).to("/c/990100/knowledge")
	seat.get("/c/990100/knowledge/none").want(404)
	keeper := k.as("keeper")
	keeper.get("/c/990100/knowledge").want(200, "缺新城区范围", "没有这样的词")
	page := keeper.get(path).want(200, "审核与发布")
	u, err := url.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	move := url.Values{"no": {"1"}, "version": {found(t, page, `name="version" value="(\d+)"`)}, "event": {"withdraw"}, "reason": {"已过时"}}
	seat.post(u.Path+"/move", move).want(403)
	keeper.post(u.Path+"/move", move).to(path)
	keeper.post(u.Path+"/move", move).want(409)
}

func TestKnowledgeInABrowser(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("keeper", actor.RoleKnowledge)
	b := k.browser("keeper")
	if b == nil {
		return
	}
	b.Open("/c/990100/knowledge")
	b.WaitText("待处理")
	b.Both("knowledge")
	b.Click("[data-row-link]")
	b.WaitText("可读给市民")
	b.Both("article")
}
