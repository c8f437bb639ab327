package web_test

import (
	"html"
	"net/url"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
)

func TestDutyRoster(t *testing.T) {
	t.Parallel()
	k := newNetwork(t)
	k.person("worker", actor.RoleWorker)
	c1 := k.as("c1")
	c1.get("/c/990100/duty").want(200, "这七天没有排班", "编排班次")
	in := url.Values{"company": {"C1"}, "from": {"2026-01-15T08:00"}, "to": {"2026-01-15T07:00"}, "name": {"马值班"}, "phone": {"abc"}}
	c1.post("/c/990100/duty", in).want(422, "下班时间应晚于上班时间", "马值班")
	in.Set("to", "2026-01-15T20:00")
	in.Set("phone", "03516660001")
	c1.post("/c/990100/duty", in).to("/c/990100/duty?company=C1&day=2026-01-15")
	c1.post("/c/990100/duty", in).want(409, "马值班")
	list := c1.get("/c/990100/duty?day=2026-01-15").want(200, "马值班", `href="tel:03516660001"`, "企业值班")
	c1.get(html.UnescapeString(found(t, list, `class="btn quiet" href="([^"]+)"`))).want(200, `value="马值班"`)
	c2 := k.as("c2")
	c2.post("/c/990100/duty", in).want(403)
	c2.get("/c/990100/duty?company=C1&day=2026-01-15").want(200, "马值班", "!编排班次", "!撤下")
	k.as("worker").get("/c/990100/duty").want(403)
	drop := url.Values{"company": {"C1"}, "from": {found(t, list, `name="from" value="([^"]+)"`)}, "rev": {"old"}}
	c1.post("/c/990100/duty/drop", drop).to("/c/990100/duty?company=C1&day=2026-01-15")
	c1.get("/c/990100/duty?day=2026-01-15").want(200, `role="alert"`, "马值班")
	drop.Set("rev", found(t, list, `name="rev" value="([^"]+)"`))
	c2.post("/c/990100/duty/drop", drop).want(403)
	c1.post("/c/990100/duty/drop", drop).to("/c/990100/duty?company=C1&day=2026-01-15")
	c1.get("/c/990100/duty?day=2026-01-15").want(200, "!马值班")
}

func TestDutyInABrowser(t *testing.T) {
	t.Parallel()
	k := newNetwork(t)
	b := k.browser("c1")
	if b == nil {
		return
	}
	k.as("c1").post("/c/990100/duty", url.Values{"company": {"C1"}, "from": {"2026-01-15T08:00"}, "name": {"马值班"}, "phone": {"03516660001"}, "backup": {"13800000001"}}).want(303)
	k.as("c1").post("/c/990100/duty", url.Values{"company": {"C1"}, "station": {"S1"}, "from": {"2026-01-15T08:00"}, "to": {"2026-01-16T08:00"}, "name": {"牛站长"}, "phone": {"03516660002"}}).want(303)
	b.Open("/c/990100/duty")
	b.WaitText("马值班")
	b.Both("duty")
}
