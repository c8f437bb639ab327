package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/clue/weibofake"
	"github.com/rehu-heat/rehu/internal/config"
)

// A post on Weibo is decided and answered on pages; what is pushed is taken when it is signed, once, and refused when not.
func TestCluesOnPages(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		fake := weibofake.New("tok", "sec")
		srv := httptest.NewServer(fake)
		t.Cleanup(srv.Close)
		on.Credentials = map[string]string{"weibo": "access_token=tok&app_secret=sec&fake=1&base=" + srv.URL + "/2"}
		k := newTownWith(t, on)
		k.person("leader", actor.RoleLeader)
		k.person("company", actor.RoleCompany)
		leader, company := k.as("leader"), k.as("company")
		leader.get("/c/990100/channels").want(200, "还没有登记账号")
		account := url.Values{"channel": {"weibo"}, "name": {"main"}, "title": {"暖城供热"}, "credential": {"weibo"}}
		leader.post("/c/990100/channels", url.Values{"channel": {"weibo"}, "name": {"A b"}, "title": {"x"}}).want(422, "只能用小写字母")
		leader.post("/c/990100/channels", account).want(303)
		company.get("/c/990100/clues").want(403)
		company.get("/c/990100/channels").want(403)

		d := fake.Direct(7, "冬天的小张", "向阳花园3号楼2单元601暖气不热，只有15度，电话13803510001", k.clock.Now())
		hook := "/c/990100/hooks/weibo/main"
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		signed := func(secret, nonce string) string {
			return hook + "?" + url.Values{"timestamp": {stamp}, "nonce": {nonce}, "signature": {channel.SignatureSorted(secret, stamp, nonce)}, "echostr": {"e7"}}.Encode()
		}
		stranger := k.anyone()
		stranger.get(signed("sec", "n1")).want(200, "e7")
		stranger.get(signed("sec", "n1")).want(403)
		stranger.get(signed("guess", "n2")).want(403, "没有权限")
		at := k.url
		if status, err := fake.Push(bg, at+hook, d, time.Now(), "n3"); err != nil || status != http.StatusOK {
			t.Fatalf("a signed push: %d, %v", status, err)
		}
		if status, err := fake.Push(bg, at+hook, d, time.Now(), "n3"); err != nil || status != http.StatusForbidden {
			t.Errorf("the same push again: %d, %v; want 403", status, err)
		}
		k.work()
		leader.get("/c/990100/clues").want(200, "向阳花园", "138****0001", "!13803510001", "待核实")
		list, err := k.app.Clues.List(bg, k.root, city, clue.Filter{})
		if err != nil || len(list.Items) != 1 {
			t.Fatalf("%d clues, %v; want one", len(list.Items), err)
		}
		leader.get("/c/990100/clues/changed?since=0").want(200, "刷新")
		leader.get("/c/990100/clues/changed?since="+strconv.FormatInt(int64(k.clock.Now())+1, 10)).want(200, "!刷新")
		company.get("/c/990100/clues/changed?since=0").want(403)
		one := "/c/990100/clues/" + list.Items[0].ID
		leader.get(one).want(200, "判断依据", "供热用语", "15")
		leader.post(one+"/decide", url.Values{"version": {"1"}, "as": {"dismiss"}}).want(422)
		leader.post(one+"/confirm", url.Values{"version": {"1"}, "room": {"601"}}).want(303)
		leader.post(one+"/confirm", url.Values{"version": {"1"}}).want(409)
		leader.get(one).want(200, "已转案件", "答复作者")
		leader.post(one+"/answer", url.Values{"text": {"已受理。"}}).want(303)
		k.work()
		if got := fake.Messages(); len(got) != 1 || got[0].To != 7 {
			t.Errorf("answers %+v, want one to the author", got)
		}
		leader.get("/c/990100/clues/export?format=csv").want(200, "向阳花园", "!13803510001")
		leader.get("/c/990100/clues?state=lost").want(422)
		leader.get("/c/990100/channels").want(200, "模拟", "暖城供热")
		leader.post("/c/990100/channels/switch", url.Values{"channel": {string(cases.Weibo)}, "name": {"main"}, "enabled": {"false"}, "version": {"1"}}).want(303)
		leader.get("/c/990100/channels").want(200, "已停用")
	})
}

func TestCluesInABrowser(t *testing.T) {
	t.Parallel()
	fake := weibofake.New("tok", "sec")
	srv := httptest.NewServer(fake)
	t.Cleanup(srv.Close)
	k := newTownWith(t, config.Config{Credentials: map[string]string{"weibo": "access_token=tok&app_secret=sec&fake=1&base=" + srv.URL + "/2"}})
	k.person("leader", actor.RoleLeader)
	b := k.browser("leader")
	if b == nil {
		return
	}
	b.Open("/c/990100/channels")
	b.Both("channels-none")
	k.as("leader").post("/c/990100/channels", url.Values{"channel": {"weibo"}, "name": {"main"}, "title": {"暖城市供热服务中心官方微博"}, "credential": {"weibo"}}).want(303)
	for i, said := range []string{"向阳花园3号楼2单元601暖气不热，只有15度，电话13803510001，老人在家", "今天的晚霞真好看", "听说全城明天停暖？"} {
		d := fake.Direct(int64(7+i), "冬天的小张", said, k.clock.Now())
		if status, err := fake.Push(bg, k.url+"/c/990100/hooks/weibo/main", d, time.Now(), "n"+strconv.Itoa(i)); err != nil || status != http.StatusOK {
			t.Fatalf("push: %d, %v", status, err)
		}
	}
	k.work()
	b.Open("/c/990100/clues")
	b.Both("clues")
	b.Click("[data-row-link]")
	b.WaitText("判断依据")
	b.Both("clue")
	b.Open("/c/990100/channels")
	b.Both("channels")
}
