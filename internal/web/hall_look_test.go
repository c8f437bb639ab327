package web_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

// login enters the hall in a browser.
func (k *hallTown) login(b *webtest.Browser, phone string) {
	k.t.Helper()
	b.Open(residents + "/home")
	b.WaitText("不用密码")
	b.Fill("phone", phone)
	b.Press("获取验证码")
	b.WaitText("验证码已发出")
	b.Fill("code", k.code(phone))
	b.Press("登录")
	b.WaitText("我的家")
}

// sizes looks at a page in the three sizes of text, at 320 pixels too, and comes back to the first.
func sizes(b *webtest.Browser, what, path string) {
	for _, size := range []string{"24", "30", "18"} {
		sep := "?"
		if u, err := url.Parse(path); err == nil && u.RawQuery != "" {
			sep = "&"
		}
		b.Open(path + sep + "text=" + size)
		b.Axe(what + " in " + size)
		b.NoSideways(what + " in " + size)
	}
	b.Size(320, 640)
	b.NoSideways(what + " at 320")
	b.Size(390, 844)
}

// A mother logs in with a code, binds her home, reports, asks for a test, follows, says that it is still cold, names her
// son; he acts for her from his own telephone until she takes it back; she logs out. All on a telephone.
func TestTheHallInABrowser(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	b := webtest.New(t, k.url)
	b.Size(390, 844)
	b.Open(residents)
	b.WaitText("我的家")
	b.Axe("first page")
	b.Open(residents + "/enter")
	b.Axe("login")
	k.login(b, holder)
	b.WaitText("还没有绑定住户")
	b.Axe("no home")
	b.Press("绑定我家")
	b.WaitText("户号在账单")
	b.Axe("bind")
	b.Shot("hall-bind")
	b.Fill("account", "A1001")
	b.Press("绑定")
	b.WaitText("绑定好了")
	b.WaitText("一热供热有限公司")
	b.Shot("hall-home-new")

	b.Press("我要报修")
	b.WaitText("1. 什么问题")
	b.Choose("what", "cold")
	b.Choose("since", "昨天")
	b.Choose("test_request", "no")
	b.Fill("text", "客厅冷")
	b.Press("提交")
	b.WaitText("已收到")
	b.Open(residents + "/home")
	b.WaitText("我的诉求")
	b.Press("申请入户测温")
	b.WaitText("什么时间方便")
	b.Axe("ask for a test")
	b.Choose("when", "2026-01-15 pm")
	b.Press("申请测温")
	b.WaitText("已申请测温")
	b.Axe("matter")

	one := k.only()
	k.solve(one)
	b.Open(residents + "/home")
	b.WaitText("还是不热")
	b.Press("还是不热")
	b.WaitText("还不热，请重办")
	b.Fill("text", "又凉了")
	b.Press("还不热，请重办")
	b.WaitText("已重新办理")

	again := k.only()
	k.comes(again)
	b.Open(residents + "/home")
	b.WaitText("上门核对码")
	digits := b.Eval(`document.querySelector('.digits').textContent.trim()`)
	if want := k.app.Residents.Digits(city, again.Subject(), k.clock.Now().Date()); digits != want {
		t.Errorf("the resident reads %q, the worker %q", digits, want)
	}
	b.WaitText("冯师傅")
	b.WaitJS("document.querySelector('.comes img').naturalWidth > 0")
	b.Shot("hall-home")
	b.Eval("document.querySelector('.comes').scrollIntoView({block: 'center'})")
	b.Shot("hall-comes")
	for what, path := range map[string]string{"home": "/home", "people": "/home/people?home=A1001", "logins": "/me", "paper": "/bind/paper", "help": "/bind?help=1"} {
		sizes(b, what, residents+path)
	}
	b.Open(residents + "/home?text=30")
	b.Shot("hall-home-large")
	b.Open(residents + "/home?text=18&lang=en")
	b.Axe("home in English")
	b.Shot("hall-home-en")
	b.Open(residents + "/home?lang=zh")

	b.Press("谁能查看我家")
	b.WaitText("添加代办人")
	b.Fill("phone", child)
	b.Press("添加代办人")
	b.WaitText("已添加")
	b.Shot("hall-people")

	son := webtest.New(t, k.url)
	son.Size(390, 844)
	k.login(son, child)
	son.WaitText("您是代办人")
	son.Press("申请入户测温")
	son.WaitText("什么时间方便")
	son.Choose("when", "2026-01-16 am")
	son.Press("申请测温")
	son.WaitText("测温")

	b.Press("取消")
	b.WaitText("已解除")
	b.WaitGone("139****0777")
	son.Open(residents + "/home")
	son.WaitText("还没有绑定住户")

	b.Open(residents + "/me")
	b.WaitText("已登录的设备")
	b.Press("退出登录")
	b.WaitText("已退出登录")
	b.Open(residents + "/home")
	b.WaitText("不用密码")
}

// solve brings a case from dispatch to its closing.
func (k *hallTown) solve(c cases.Case) {
	k.t.Helper()
	must := func(c cases.Case, err error) cases.Case {
		k.t.Helper()
		if err != nil {
			k.t.Fatal(err)
		}
		return c
	}
	c = must(k.app.Dispatch.Sign(bg, companyOf, dispatch.Signing{Act: actOn(c, "")}))
	c = must(k.app.Dispatch.Contact(bg, companyOf, dispatch.Contacting{Act: actOn(c, ""), Result: "connected"}))
	k.clock.Advance(30 * time.Minute)
	c = must(k.app.Dispatch.Arrive(bg, companyOf, dispatch.Visit{Act: actOn(c, ""), Result: "met"}))
	c = must(k.app.Dispatch.FeedBack(bg, companyOf, dispatch.Feedback{Act: actOn(c, ""), Form: map[string]string{
		"arrived_at": k.clock.Now().String(), "contact": "用户在家", "temp_before": "15.2", "temp_after": "19.1", "rooms": "客厅、卧室", "truth": "true",
		"cause": "air", "segment": "company", "measures": "立管排气", "solved": "yes", "answer": "已排气，室温回升。",
	}}))
	c = must(k.app.Cases.Verify(bg, posted(actor.RoleVerifier, "v1", "centre"), cases.Verification{Act: actOn(c, ""), Passed: true, Mode: "on_site", Note: "现场看过"}))
	c = must(k.app.Cases.CallBack(bg, seatOf, cases.Call{Act: actOn(c, ""), Reached: true, Solved: "yes", Satisfied: "yes", Channel: "phone"}))
	must(k.app.Cases.Close(bg, posted(actor.RoleDispatcher, "d1", "centre"), cases.Answering{Act: actOn(c, ""), Answer: "已排气，室温回升。"}))
}

// only is the one case of the town.
func (k *hallTown) only() cases.Case {
	k.t.Helper()
	list, err := k.app.Cases.List(bg, k.root, city, cases.Filter{})
	if err != nil || len(list.Items) != 1 {
		k.t.Fatalf("%d cases, %v", len(list.Items), err)
	}
	return list.Items[0]
}

// The list of papers in a window.
func TestThePapersInABrowser(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	k.person("seat", actor.RoleSeat)
	b := webtest.New(t, k.url)
	b.Open("/login")
	b.Fill("login", "seat")
	b.Fill("password", good)
	b.Press("登录")
	b.WaitText("坐席")
	b.Open("/c/990100/bindings")
	b.WaitText("没有要核对的申请")
	b.Axe("papers")
	b.Both("papers")
}
