package web_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/web/webtest"
	"github.com/rehu-heat/rehu/packs"
)

// rulesWithout is a folder with the town's rules, but without what its refund rule presumes when nobody measures.
func rulesWithout(t testing.TB) string {
	t.Helper()
	const name = "990100-nuancheng.yaml"
	b, err := packs.FS.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	from := strings.Index(string(b), "    presumptions:\n")
	to := strings.Index(string(b), "    exclusions:\n")
	if from < 0 || to < from {
		t.Fatal("the town's rules presume nothing")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(string(b[:from])+string(b[to:])), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestNobodyCameToMeasure: the company lets its time pass. Everybody sees it at once, the resident is paid what the city's
// rule presumes and nothing where it presumes nothing, and in both cities complains to the authority, whose own clock runs.
func TestNobodyCameToMeasure(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		rules func(t testing.TB) string
		days  int
		yuan  string
		own   string
	}{
		"presumed":   {func(testing.TB) string { return "" }, 1, "20.00", "目前 1 天，20.00 元"},
		"unpresumed": {rulesWithout, 0, "0.00", "供热企业应在"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newWinter(t, config.Config{Packs: one.rules(t)})
			k.clerk("east", "东城区")
			m := k.asks()
			if k.resident == nil {
				return
			}
			k.clock.Set(m.DueAt.Add(time.Hour))
			k.background()
			k.background()
			company := k.browser("company")
			company.Open(tests + "?show=late")
			company.WaitText(m.No)
			company.Open(tests + "/" + m.ID)
			company.WaitText("逾期未测")
			company.WaitText("1 次")
			k.owed(one.days, one.yuan)
			k.resident.Open(k.receipt)
			k.resident.WaitText("已超期")
			k.resident.WaitText(one.own)
			k.resident.Axe("the progress of a home where nobody came")
			k.complains(company, m)
		})
	}
}

// complains: the resident turns to the authority, the company has its word, the authority puts it into a numbered paper.
func (k *winter) complains(company *webtest.Browser, m measure.Measurement) {
	k.t.Helper()
	b := k.resident
	sends(b, "对测温有异议")
	b.WaitText(m.No)
	b.WaitJS(`document.querySelector('[name=ground][value=absent]').checked`)
	b.Fill("text", "说好两天内来，一直没有人来")
	b.Fill("applicant", "王桂兰")
	sends(b, "提出异议")
	b.WaitText("异议已提出")
	clerk := k.browser("east")
	clerk.Open(findings)
	clerk.WaitText("已提出")
	path := clerk.Eval(fmt.Sprintf(`document.querySelector('a[href^=%q]:not([href*="/new"]):not([href*="/export"])').getAttribute('href')`, findings+"/"))
	clerk.Open(path)
	clerk.WaitText("企业不按时入户测温")
	clerk.WaitText("1月27日24:00") // seven working days
	sends(clerk, "受理")
	clerk.WaitText("已受理，已通知企业")
	company.Open(path)
	company.Fill("reason", "当天人手不足，确未上门")
	submits(company, "/answer")
	company.WaitText("意见已提交")
	clerk.Open(path)
	clerk.WaitText("当天人手不足，确未上门")
	clerk.Fill("opinion", "企业未在规定时限内上门测温，责令两日内补测。")
	clerk.Choose("cost", "company")
	submits(clerk, "/decide")
	clerk.WaitText("文书已出具")
	b.Open(k.receipt + "/objections")
	b.WaitText("责令两日内补测")
	b.Axe("a complaint that was answered")
	paper := b.Eval(`document.querySelector('a[href$="/paper"]').getAttribute('href')`)
	if pdf := k.file("", paper); !strings.HasPrefix(pdf, "%PDF-") {
		k.t.Errorf("the resident's copy begins with %.20q", pdf)
	}
}

// TestHeSaysHeCame: the worker says that nobody was at home; the resident says that it is untrue, once on the page and once
// by the link of the message, and the second time it goes to supervision.
func TestHeSaysHeCame(t *testing.T) {
	t.Parallel()
	k := newWinter(t, config.Config{})
	k.person("leader", actor.RoleLeader)
	m := k.asks()
	if k.resident == nil {
		return
	}
	company := k.browser("company")
	k.assigns(company, m)
	k.clock.Set(civil.On(k.clock.Now().Date().AddDays(1), 19, 42))
	phone, stairs := k.phone("worker")
	k.knocks(phone, stairs, m, 1)
	k.answers("供热企业称 01-16 19:42 上门，家中无人。属实吗", "不属实")
	k.resident.WaitText("您说这次没有人来，已记录")
	company.Open(tests + "/" + m.ID)
	company.WaitText("居民称没有人来")
	company.WaitText("未遇告知单")
	company.WaitText("门口照片")
	if c := k.matter(m); c.UntrueVisits != 1 || c.Supervised {
		t.Errorf("after one untrue visit: %d, supervised %t", c.UntrueVisits, c.Supervised)
	}

	k.clock.Set(civil.On(k.clock.Now().Date().AddDays(1), 9, 15))
	phone.Open("/f/990100")
	phone.WaitText("页已存在手机上")
	k.knocks(phone, stairs, m, 2)
	k.resident.Open(k.question("message.measure.visit"))
	k.resident.WaitText("供热企业称 01-17 09:15 上门，家中无人。属实吗")
	k.resident.Axe("the question of a message")
	k.resident.Shot("journey-doors-question")
	sends(k.resident, "不属实")
	k.resident.WaitText("您的回答：不属实")
	if c := k.matter(m); c.UntrueVisits != 2 || !c.Supervised {
		t.Errorf("after two untrue visits: %d, supervised %t", c.UntrueVisits, c.Supervised)
	}
	leader := k.browser("leader")
	leader.Open("/c/990100/requests?kind=supervision")
	leader.WaitText("居民 2 次答复上门情况不实")
	leader.Shot("journey-doors-supervision")
}

// knocks fills in the form of a closed door on a telephone, in the stairwell, and sends it from the street.
func (k *winter) knocks(phone *webtest.Browser, stairs *stairwell, m measure.Measurement, receipts int) {
	k.t.Helper()
	stairs.dead.Store(true)
	phone.Open(testAt(m, "/absent"))
	phone.Choose("outcome", "nobody_home")
	snap(phone, "photos", 60)
	phone.Fill("call_log", "门口拨打两次无人接听")
	phone.Choose("slip", "yes")
	phone.Fill("testers", "冯师傅、蒋师傅")
	drafted(phone, "testers", "冯师傅、蒋师傅")
	k.waits(phone, m)
	k.arrives(phone, stairs, receipts)
}

// question is the path of the page on which the last question of a kind is answered, as the message to the resident says.
func (k *winter) question(template string) string {
	k.t.Helper()
	list, err := k.app.Notices.List(bg, k.root, city, notice.Filter{})
	if err != nil {
		k.t.Fatal(err)
	}
	var last notice.View
	for _, n := range list.Items {
		if n.Template == template && !n.Created.Before(last.Created) {
			last = n
		}
	}
	u, err := url.Parse(last.Params["link"])
	if err != nil || u.Path == "" {
		k.t.Fatalf("nobody was asked %s: %v", template, err)
	}
	return u.Path
}
