package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/config"
)

func TestHandover(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newNetworkWith(t, on)
		k.person("seat", actor.RoleSeat)
		c := k.caseAt("向阳花园3号楼2单元601")
		k.reported()
		k.as("c1").get("/c/990100/handover").want(403)
		seat := k.as("seat")
		seat.get("/c/990100/handover").want(200, c.No, "在停热", "一次网泄漏", "写交接班单")
		made := seat.post("/c/990100/handover", url.Values{"note": {"东城区一次网抢修中"}})
		path := made.header.Get("Location")
		if !strings.HasPrefix(path, "/c/990100/handover/") {
			t.Fatalf("got %d to %q\n%s", made.status, path, made.body)
		}
		seat.get(path).want(200, "东城区一次网抢修中", "待接班", c.No)
		seat.post("/c/990100/handover", url.Values{"note": {"再写一张"}}).want(409, "还没有人接班")
		take := url.Values{"version": {"1"}, "reply": {"收到"}}
		if got := seat.post(path+"/take", take); got.status != 409 && got.status != 403 && got.status != 422 {
			t.Errorf("one's own shift: %d", got.status)
		}
		leader := k.as("leader")
		leader.get("/c/990100/handover").want(200, "还没有人接班", "打开接班")
		leader.post(path+"/take", take).to(path)
		leader.get(path).want(200, "已接班", "收到", "孙值班")
		leader.post(path+"/take", take).want(409)
		leader.get(path+"/print").want(200, "交接班单", c.No)
		leader.get("/c/990100/handover/none").want(404)
	})
}

func TestHandoverInABrowser(t *testing.T) {
	t.Parallel()
	k := newNetwork(t)
	b := k.browser("leader")
	if b == nil {
		return
	}
	k.caseAt("向阳花园3号楼2单元601")
	k.reported()
	b.Open("/c/990100/handover")
	b.WaitText("写交接班单")
	b.Both("handover")
	b.Fill("note", "东城区抢修中")
	b.Press("生成并交班")
	b.WaitText("等待接班")
	b.Both("handover-sheet")
}
