package web_test

import (
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/text"
)

// tell writes messages of a case and of none: held, since no gateway is set up, and one to staff.
func (k *town) tell(subject string) {
	k.t.Helper()
	err := db.Do(bg, k.d, func(tx *db.Tx) error {
		for _, m := range []notice.Message{
			{Channel: notice.SMS, To: "13803510001", Template: "notice.expired", Subject: subject, Matter: "one" + subject},
			{Channel: notice.SMS, To: "0351-4123456", Template: "notice.expired", Matter: "two"},
			{Channel: notice.Console, Role: actor.RoleCompany, Org: "C1", Template: "notice.gateway_down", Matter: "three"},
		} {
			m.City = city
			if _, err := k.app.Notices.EnqueueIn(bg, tx, k.root, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		k.person("leader", actor.RoleLeader)
		k.person("seat", actor.RoleSeat)
		k.person("company", actor.RoleCompany)
		leader := k.as("leader")
		leader.get("/c/990100/messages").want(200, "还没有发过消息")
		k.tell("case:none")
		all := leader.get("/c/990100/messages").want(200, "138****0001", "!13803510001", "待人工告知", "企业", "一热供热有限公司", "本页 3 条")
		leader.get("/c/990100/messages?state=held").want(200, "本页 2 条")
		leader.get("/c/990100/messages?state=held&channel=email").want(200, "没有待人工告知的消息", "清除条件")
		leader.get("/c/990100/messages?to=2020-01-01").want(200, "没有符合条件的消息")
		leader.get("/c/990100/messages?state=lost").want(422, "本页 3 条")
		leader.get("/c/990100/messages?size=1").want(200, "下一页")
		file := leader.get("/c/990100/messages/export?state=held&format=csv").want(200, "138****0001", "!13803510001")
		if n := strings.Count(file.body, "待人工告知"); n != 2 {
			t.Errorf("%d rows of the export, want both that are held\n%s", n, file.body)
		}
		k.as("company").get("/c/990100/messages").want(403)
		k.as("seat").get("/c/990100/messages/export").want(403)
		path := html.UnescapeString(found(t, all, `href="(/c/990100/messages/[0-9a-f-]{36})"[^>]*data-row-link`))
		leader.get(path).want(200, "不需要人工处理") // the newest went to staff
		held := leader.get("/c/990100/messages?state=held")
		path = html.UnescapeString(found(t, held, `href="(/c/990100/messages/[0-9a-f-]{36})"[^>]*data-row-link`))
		one := leader.get(path).want(200, "记为已告知", "重新发送", "不是手机号")
		told := url.Values{"version": {found(t, one, `name="version" value="(\d+)"`)}, "reason": {""}}
		leader.post(path+"/tell", told).want(422, "请填写")
		leader.post(path+"/forget", told).want(404)
		told.Set("reason", "已打座机告知本人")
		k.as("seat").post(path+"/tell", told).to("/c/990100/messages?state=held")
		leader.post(path+"/resend", told).want(409, "已打座机告知本人")
		leader.get(path).want(200, "不需要人工处理")
		leader.get("/c/990100/messages?state=held").want(200, "本页 1 条")
	})
}

func TestMessagesInABrowser(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("leader", actor.RoleLeader)
	b := k.browser("leader")
	if b == nil {
		return
	}
	b.Open("/c/990100/messages")
	b.Both("messages-none")
	k.tell("")
	b.Open("/c/990100/messages")
	b.Both("messages")
	b.Open("/c/990100/messages?state=held")
	b.Click("[data-row-link]")
	b.WaitText("记为已告知")
	b.Both("message")
	b.Expect("status of 422")
	b.Press("记为已告知")
	b.WaitText("请填写")
	b.Axe("a message told without a word how")
}

func TestWordings(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("leader", actor.RoleLeader)
	k.person("head", actor.RoleSectionHead)
	k.person("seat", actor.RoleSeat)
	leader, head := k.as("leader"), k.as("head")
	const list = "/c/990100/messages/wordings"
	k.as("seat").get(list).want(403)
	leader.get(list+"?q=nothing-like-it").want(200, "没有符合条件的模板")
	template := ""
	for _, key := range notice.Templates() {
		if slices.Contains(text.Variables(text.T(text.ZH, key)), "no") && !strings.Contains(text.T(text.ZH, key), "{d1}") {
			template = key
		}
	}
	one := list + "?language=zh&template=" + template
	leader.get(one).want(200, "标准文字", "服务商模板编号")
	form := url.Values{"template": {template}, "language": {"zh"}, "text": {"件号 {number}"}}
	leader.post(list, form).want(422, "没有变量", "件号 {number}")
	form.Set("text", "暖城供热：件号 {no} 有进展。")
	leader.post(list, form).to(one)
	leader.get(one).want(200, "由另一位有权限的人批准", `!value="true"`)
	page := head.get(one).want(200, "批准", "退回")
	path := found(t, page, `action="(/c/990100/messages/wordings/[0-9a-f-]{36})"`)
	decision := url.Values{"version": {found(t, page, `name="version" value="(\d+)"`)}, "approve": {"true"}}
	leader.post(path, decision).want(403)
	head.post(path, decision).to(list + "?only=draft")
	head.get(list+"?only=own").want(200, "件号 {no} 有进展", "本市改写")
	leader.get("/c/990100/messages/costs").want(200, "这段时间没有计费的消息")
	leader.get("/c/990100/messages/costs?from=2026-01-02&to=2026-01-01").want(422, "结束不能早于开始")
	leader.post("/c/990100/messages/refusals", url.Values{"phone": {"13803510001"}, "scope": {"bulletin"}}).to("/c/990100/messages/costs")
}

func TestWordingsInABrowser(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("leader", actor.RoleLeader)
	b := k.browser("leader")
	if b == nil {
		return
	}
	b.Open("/c/990100/messages/wordings")
	b.Both("wordings")
	b.Click("[data-row-link]")
	b.WaitText("服务商模板编号")
	b.Both("wording")
	b.Open("/c/990100/messages/costs")
	b.Both("message-costs")
}
