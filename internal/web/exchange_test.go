package web_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	hotline "github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/exchange/platformfake"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/webhook"
)

// joined is a town with a 12345 platform that talks to its pages over HTTP.
type joined struct {
	*town
	fake *platformfake.Platform
}

func newJoined(t testing.TB) *joined {
	t.Helper()
	k := &joined{town: newTown(t)}
	signer := notice.Signer{Account: "rehu", Secret: "0123456789abcdef0123", Machine: time.Now}
	base := "/c/" + strconv.Itoa(city) + "/hooks/exchange/hot12345"
	k.fake = platformfake.New(platformfake.Options{Signer: signer, Base: base, Post: platformfake.Over(k.url, http.DefaultClient), Now: k.clock.Now, Prefix: "TY"})
	_, err := k.app.Exchange.SavePlatform(bg, k.root, hotline.PlatformInput{
		City: city, Code: "hot12345", Name: "暖城12345热线", Kind: hotline.Hotline, URL: "http://127.0.0.1:9", Account: "rehu", Secret: signer.Secret, ReturnMinutes: 60, Active: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// rings is somebody who calls 12345.
func (k *joined) rings(address, said string) hotline.Ticket {
	k.t.Helper()
	no := k.fake.Open(hotline.Details{
		Text: said, Address: address, ReceivedAt: k.clock.Now().Add(-5 * time.Minute), Caller: cases.Party{Name: "王桂兰", Phone: "13803510001"}, Seat: "东城区驻场",
		ReplyBy: k.clock.Now().Add(24 * time.Hour),
	})
	if err := k.fake.Flush(bg); err != nil {
		k.t.Fatal(err)
	}
	list, err := k.app.Exchange.List(bg, k.root, city, hotline.Filter{Query: no})
	if err != nil || len(list.Items) != 1 {
		k.t.Fatalf("ticket %s: %d found, %v", no, len(list.Items), err)
	}
	return list.Items[0]
}

// TestPlatformsInABrowser takes a ticket of 12345 in over HTTP, asks to return it, and looks at every page of the exchange,
// wide and on a telephone, asking axe about each.
func TestPlatformsInABrowser(t *testing.T) {
	t.Parallel()
	k := newJoined(t)
	ticket := k.rings("向阳花园3号楼2单元601", "家里不热，只有15度")
	k.rings("明月里1号楼", "楼道暖气漏水")
	if _, err := k.app.Exchange.ReportCalls(bg, k.root, hotline.Calls{City: city, Company: "C1", Calls: []hotline.Call{
		{No: "R-001", ToldAt: k.clock.Now().Add(-3 * time.Hour), Text: "不热", Address: "向阳花园3号楼"}, {No: "R-005", ToldAt: k.clock.Now(), Text: "不热", Address: "向阳花园3号楼"},
	}}); err != nil {
		t.Fatal(err)
	}
	k.clock.Advance(time.Minute)
	if err := k.app.Runner.RunDue(bg); err != nil { // nobody listens at its address
		t.Fatal(err)
	}
	k.person("leader", actor.RoleLeader)
	b := k.browser("leader")
	if b == nil {
		return
	}
	b.Expect("status of 422") // more time without a reason
	b.Open("/c/990100/platforms")
	b.WaitText("暖城12345热线")
	b.WaitText("无应答")
	b.Both("platforms")
	b.Open("/c/990100/tickets")
	b.WaitText(ticket.No)
	b.Both("tickets")
	b.Open("/c/990100/tickets/" + ticket.ID)
	b.WaitText("退回时限还剩")
	b.Both("ticket")
	b.Choose("event", "ask_extension")
	b.Press("发送")
	b.WaitText("请填写此项")
	b.Choose("event", "note")
	b.Fill("text", "已通知供热公司上门")
	b.Press("发送")
	b.WaitText("已发出：补充说明")
	b.Open("/c/990100/cases/" + ticket.Case)
	b.WaitText(ticket.No)
	b.WaitText("已通知供热公司上门")
	b.Both("case-ticket")
	b.Open("/c/990100/platforms/hot12345/days")
	b.WaitText("还没有对账")
	b.Both("platform-day")
	b.Open("/c/990100/hotlines")
	b.WaitText("编号不连续")
	b.Both("hotlines")
}

// TestWebhooksInABrowser subscribes a company's program and looks at what it is told.
func TestWebhooksInABrowser(t *testing.T) {
	t.Parallel()
	k := newJoined(t)
	if _, err := k.app.Staff.CreateKey(bg, k.root, staff.NewKey{City: city, Name: "一热系统", Org: "C1", Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{"C1"}}}}); err != nil {
		t.Fatal(err)
	}
	k.person("admin2", actor.RoleAdmin)
	b := k.browser("admin2")
	if b == nil {
		return
	}
	b.Open("/c/990100/webhooks")
	b.WaitText("新增订阅")
	b.Both("webhooks")
	b.Fill("name", "一热工单系统")
	b.Fill("url", "https://example.com/rehu")
	b.Choose("events", string(webhook.CaseOpened))
	b.Eval(`document.querySelector('select[name=key]').selectedIndex = document.querySelector('select[name=key]').options.length - 1`)
	b.Press("新增订阅")
	b.WaitText("密钥只显示这一次")
	b.Both("webhook")
	b.Open("/c/990100/platforms/-/edit")
	b.WaitText("退回时限")
	b.Both("platform-edit")
}

// TestForgedPlatform gets the same answer as an unknown one, in JSON, and nothing is kept.
func TestForgedPlatform(t *testing.T) {
	t.Parallel()
	k := newJoined(t)
	forged := notice.Signer{Account: "rehu", Secret: "guess-guess-guess-guess", Machine: time.Now}
	for _, code := range []string{"hot12345", "nobody"} {
		path := fmt.Sprintf("/c/%d/hooks/exchange/%s/messages", city, code)
		status, body, err := platformfake.Over(k.url, http.DefaultClient)(bg, path, forged.Sign(path, []byte(`{}`)))
		if err != nil || status != http.StatusForbidden || len(body) == 0 || body[0] != '{' {
			t.Errorf("%s: %d %s %v", code, status, body, err)
		}
	}
}
