package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
)

func TestACasePageSaysWhoChangedIt(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	k.person("dispatcher", actor.RoleDispatcher)
	k.person("leader", actor.RoleLeader)
	one := k.open("向阳花园")
	d := k.as("dispatcher")
	page := d.get(casePath(one, "")).want(http.StatusOK, "!已不是最新", "/c/990100/live?case="+one.ID)
	ask := found(t, page, `hx-get="([^"]*/changed\?seen=\d+)"`)
	d.get(ask, "HX-Request", "true").want(http.StatusOK, `id="changed"`, "!已不是最新", "!<html")
	k.as("leader").post(casePath(one, "/urge"), with(form(one), "channel", "phone", "text", "请尽快上门")).want(http.StatusSeeOther)
	d.get(ask, "HX-Request", "true").want(http.StatusOK, "孙值班", "已不是最新", "刷新")
	k.person("company", actor.RoleCompany)
	if other := k.open("明月里"); other.Company != "C1" {
		k.as("company").get(casePath(other, "/changed?seen=0")).want(http.StatusNotFound)
	}
}

func TestWorkListsAreDrawnAgainBesideTheForm(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	k.person("verifier", actor.RoleVerifier)
	k.person("company", actor.RoleCompany)
	k.person("leader", actor.RoleLeader)
	v := k.as("verifier")
	v.get("/c/990100/verify").want(http.StatusOK, `id="queue"`, "现在没有待核查的工单", "/c/990100/live")
	one := k.handled(k.open("向阳花园"))
	list := v.get("/c/990100/verify?open="+one.ID, "HX-Request", "true", "HX-Target", "queue").
		want(http.StatusOK, one.No, `aria-selected="true"`, `id="queue-total" hx-swap-oob="true"`, "!核查方式", "!已由他人办理")
	if strings.Contains(list.body, "<form") {
		t.Error("the form beside the list is drawn again, and what is typed in it lost")
	}
	v.get("/c/990100/verify?open=another", "HX-Request", "true", "HX-Target", "queue").want(http.StatusOK, "已由他人办理", `aria-selected="false"`)
	k.as("leader").get("/c/990100/requests", "HX-Request", "true", "HX-Target", "waiting").want(http.StatusOK, `id="waiting"`, "!<h1")
	c := k.as("company")
	desk := c.get("/c/990100/company?tab=unsigned").want(http.StatusOK, "!清单有变化")
	ask := strings.ReplaceAll(found(t, desk, `hx-get="([^"]*seen=[^"]*)"`), "&amp;", "&")
	c.get(ask, "HX-Request", "true").want(http.StatusOK, "!清单有变化", `id="desk-figures" hx-swap-oob="true"`)
	k.open("向阳花园")
	c.get(ask, "HX-Request", "true").want(http.StatusOK, "清单有变化", "!<html")
}

func TestACasePageLivesInABrowser(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	k.person("dispatcher", actor.RoleDispatcher)
	k.person("leader", actor.RoleLeader)
	k.person("verifier", actor.RoleVerifier)
	one := k.open("向阳花园")
	b := k.browser("dispatcher")
	if b == nil {
		return
	}
	b.Open(casePath(one, ""))
	b.WaitText("实时连接正常")
	k.clock.Advance(60_000_000_000)
	k.as("leader").post(casePath(one, "/urge"), with(form(one), "channel", "phone", "text", "请尽快上门")).want(http.StatusSeeOther)
	b.WaitText("本页已不是最新")
	b.Both("case-changed")
	q := k.browser("verifier")
	q.Open("/c/990100/verify")
	q.WaitText("实时连接正常")
	q.WaitText("现在没有待核查的工单")
	k.clock.Advance(60_000_000_000)
	two := k.handled(k.open("向阳花园"))
	q.WaitText(two.No)
	q.Open("/c/990100/verify?open=" + url.QueryEscape(two.ID))
	q.WaitText("核查方式")
	q.Both("verify-queue")
}
