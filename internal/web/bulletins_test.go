package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
)

func TestBulletins(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("leader", actor.RoleLeader)
	k.person("head", actor.RoleSectionHead)
	k.person("seat", actor.RoleSeat)
	leader, head := k.as("leader"), k.as("head")
	k.as("seat").get("/c/990100/bulletins").want(403)
	leader.get("/c/990100/bulletins").want(200, "没有公告")
	leader.get("/c/990100/bulletins/new").want(200, "预览会算出")
	form := url.Values{"kind": {"fault"}, "where": {"月亮湾"}, "text_zh": {"站内换泵，20时前恢复。"}, "until_at": {"2026-01-16T20:00"}, "send": {"true"}, "preview": {"true"}}
	leader.post("/c/990100/bulletins", form).want(422, "站内换泵")
	form.Set("where", "向阳花园")
	leader.post("/c/990100/bulletins", form).want(200, "小区", "退订回TD", "夜间也发")
	leader.get("/c/990100/bulletins").want(200, "没有公告")
	form.Set("preview", "false")
	leader.post("/c/990100/bulletins", form)
	list := leader.get("/c/990100/bulletins?state=waiting").want(200, "向阳花园", "待批准")
	path := found(t, list, `href="(/c/990100/bulletins/[0-9a-f-]{36})"`)
	leader.get(path).want(200, "撤回", "!批准发布")
	page := head.get(path).want(200, "批准发布", "退回")
	decision := url.Values{"version": {found(t, page, `name="version" value="(\d+)"`)}, "event": {"refuse"}}
	head.post(path, decision).want(422, "请填写")
	decision.Set("event", "approve")
	head.post(path, decision).to(path)
	k.work()
	head.get(path).want(200, "已发布")
	k.anyone().get("/c/990100/m/stops?q=向阳").want(200, "站内换泵，20时前恢复。", "故障抢修")
	k.anyone().get("/c/990100/m/stops?q=别处").want(200, "!站内换泵")
}

func TestBulletinsInABrowser(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("leader", actor.RoleLeader)
	b := k.browser("leader")
	if b == nil {
		return
	}
	b.Open("/c/990100/bulletins")
	b.Both("bulletins-none")
	b.Open("/c/990100/bulletins/new")
	b.Fill("where", "向阳花园")
	b.Fill("text_zh", "今晚20时至22时换热站换泵，请关好放气阀；20时前请备好厚衣物。")
	b.Expect("status of 422")
	b.Eval("document.querySelector('[name=until_at]').value = '2026-01-16T20:00'")
	b.Press("预览")
	b.WaitText("没有填好") // a stop says when it begins
	b.Eval("document.querySelector('[name=from_at]').value = '2026-01-15T20:00'")
	b.Press("预览")
	b.WaitText("每户计费条数")
	b.WaitText("没有按本市规定的时限提前通知")
	b.Both("bulletin-new")
	b.Press("提交批准")
	b.WaitText("等待批准")
	b.Both("bulletin")
	b.Open("/c/990100/bulletins")
	b.Both("bulletins")
}

// A resident knows their estate and no station: a stop that was reported by its station is found by the estate's name.
func TestAStopOfAStationIsFoundByTheEstate(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		in := register.Request{City: city, Kind: place.Communities, From: civil.NewDate(2025, 10, 1), Source: "文", Name: "list.csv"}
		list := "name,district,company,connected,station\n向阳花园,东城区,C1,是,S1\n明月里,西城区,C2,是,\n幸福里,东城区,C1,是,\n幸福里,西城区,C2,是,\n"
		if r, err := k.app.Register.Import(bg, k.root, in, strings.NewReader(list)); err != nil {
			t.Fatalf("%v: %+v", err, r.Faults)
		}
		_, err := k.app.Outages.Report(bg, companyOf, outage.Report{
			City: city, Company: "C1", Kind: outage.Sudden, Reason: "循环泵烧毁", Until: k.clock.Now().Add(6 * time.Hour), Scope: []outage.Scope{{Station: "S1"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		k.anyone().get("/c/990100/m/stops?q=向阳花园").want(200, "循环泵烧毁", "<h2>向阳花园</h2>", "!<h2>S1")
		k.anyone().get("/c/990100/m/stops?q=明月里").want(200, "!循环泵烧毁")
	})
}
