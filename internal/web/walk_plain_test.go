package web_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

// photograph hands a file to a field by the browser itself, which needs no script of the page.
func photograph(t *testing.T, b *webtest.Browser) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flat.jpg")
	if err := os.WriteFile(path, jpegOf(t, 80, 60), 0o600); err != nil {
		t.Fatal(err)
	}
	b.Do("hand over a photograph", chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{path}))
}

// A resident whose browser runs no scripts does everything with plain links and forms: logs in by a code, binds a home, reports with a
// photograph, follows the matter by its number, adds a word, asks for a test, says that it is still cold, objects, changes the size of the
// letters and the language, and logs out.
func TestAResidentInABrowserWithoutScripts(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	b := webtest.New(t, k.url)
	if b == nil {
		return
	}
	b.Expect("status of 422")
	b.Size(390, 844)
	b.NoScripts()
	b.Do("open the login of staff", chromedp.Navigate(k.url+"/login"))
	b.WaitText("登录")
	if b.Eval(`document.documentElement.dataset.ready`) != "undefined" {
		t.Fatal("scripts run in this browser: the walk would prove nothing")
	}
	k.login(b, holder)
	b.Press("绑定我家")
	b.WaitText("户号在账单")
	b.Press("绑定")
	b.WaitText("没有填好")
	b.Fill("account", "A1001")
	b.Press("绑定")
	b.WaitText("绑定好了")

	b.Press("我要报修")
	b.WaitText("1. 什么问题")
	b.Press("提交")
	b.WaitText("没有填好")
	b.Choose("what", "cold")
	b.Choose("since", "昨天")
	b.Choose("test_request", "no")
	b.Fill("text", "客厅冷")
	photograph(t, b)
	b.Press("提交")
	b.WaitText("已收到")
	one := k.only()

	b.Open(residents + "/follow")
	b.Fill("no", one.No)
	b.Fill("phone", holder)
	b.Press("查看")
	b.WaitText("办理经过")
	b.Fill("text", "老人受不了了")
	photograph(t, b)
	b.Press("发送并催办")
	b.WaitText("收到您的催办")
	if v, err := k.app.Cases.View(bg, posted(actor.RoleDispatcher, "d1", "centre"), city, one.ID); err != nil || len(v.Photos) != 2 {
		t.Errorf("%d photographs came, %v; want one with the report and one with the word", len(v.Photos), err)
	}

	b.Open(residents + "/home")
	b.Press("申请入户测温")
	b.WaitText("什么时间方便")
	b.Choose("when", "2026-01-15 pm")
	b.Press("申请测温")
	b.WaitText("已申请测温")
	b.Press("对测温有异议")
	b.WaitText("2. 希望怎么办")
	b.Choose("ground", "absent")
	b.Choose("way", "complaint")
	b.Fill("text", "一直没有人来测")
	b.Fill("applicant", "王桂兰")
	b.Press("提出异议")
	b.WaitText("一直没有人来测")
	b.Shot("plain-objection")

	k.solve(k.only())
	b.Open(residents + "/home")
	b.Press("还是不热")
	b.WaitText("还不热，请重办")
	b.Fill("text", "又凉了")
	b.Press("还不热，请重办")
	b.WaitText("已重新办理")
	k.solve(k.only())
	b.Open(residents + "/r/" + k.only().Token)
	b.WaitText("解决了吗")
	b.Choose("solved", "yes")
	b.Choose("satisfied", "yes")
	b.Press("提交评价")
	b.WaitGone("解决了吗")

	b.Press("大字版")
	b.WaitJS(`document.readyState === 'complete' && document.documentElement.className === 't24'`)
	b.Press("English")
	b.WaitText("Back")
	b.WaitJS(`document.readyState === 'complete' && document.documentElement.lang === 'en' && document.documentElement.className === 't24'`)
	b.Press("中文")
	b.WaitText("返回")
	b.Open(residents + "/me")
	b.Press("退出登录")
	b.WaitText("已退出登录")
	b.Open(residents + "/home")
	b.WaitText("不用密码")
}
