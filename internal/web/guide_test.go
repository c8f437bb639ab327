package web_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

// What is announced for a building stands on the homes in it and on no other.
func TestBulletinsOnMyHome(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	c := k.enter(holder)
	c.post(residents+"/bind", url.Values{"_key": {"2"}, "account": {"A1001"}}).to(residents + "/home")
	k.person("leader", actor.RoleLeader)
	k.person("head", actor.RoleSectionHead)
	leader, head := k.as("leader"), k.as("head")
	write := func(where, words string) {
		leader.post("/c/990100/bulletins", url.Values{
			"_key": {where},
			"kind": {"first_supply"}, "where": {where}, "text_zh": {words}, "until_at": {"2026-01-16T20:00"}, "send": {"false"}, "preview": {"false"},
		})
		path := found(t, leader.get("/c/990100/bulletins?state=waiting").want(http.StatusOK), `href="(/c/990100/bulletins/[0-9a-f-]{36})"`)
		version := found(t, head.get(path).want(http.StatusOK), `name="version" value="(\d+)"`)
		head.post(path, url.Values{"version": {version}, "event": {"approve"}}).to(path)
		k.work()
	}
	write("向阳花园", "周四开始送热，请留人。")
	c.get(residents+"/home").want(http.StatusOK, "周四开始送热，请留人。", "首次供热")
	c.get(residents+"/stops").want(http.StatusOK, "周四开始送热，请留人。")
	write("向阳花园 3号楼", "三号楼换阀，当日送热。")
	write("明月里", "明月里另行通知。")
	c.get(residents+"/stops").want(http.StatusOK, "三号楼换阀，当日送热。", "明月里另行通知。")
	c.get(residents+"/home").want(http.StatusOK, "周四开始送热，请留人。", "三号楼换阀，当日送热。", "!明月里另行通知。")
}

// The guide stands before a report and beside one's home, and bars the way to neither.
func TestTheGuide(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	c := k.anyone()
	c.get(residents+"/report").want(http.StatusOK, residents+"/guide", `name="what"`)
	c.get(residents+"/guide").want(http.StatusOK, "气堵", "不要硬拧", "回水管不烫", residents+"/report")
	c.get(residents+"/guide?lang=en").want(http.StatusOK, "air lock", "Do not force a valve")
}

// small are the things to press on a page that are lower than 60 pixels; links within a sentence are not meant.
const small = `JSON.stringify(Array.from(document.querySelectorAll('a.btn,a.big,.bar a,footer a,h3 a,button,summary,select,textarea,label.choice,label.filebtn,.field>input'))
	.filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 60).map(e => e.outerHTML.slice(0, 90) + e.getBoundingClientRect().height))`

// In large type everything to press is at least 60 pixels high, as the general design specification for the elderly asks
// (MIIT 2021), letters are large, and nothing runs out at the side.
func TestLargeTypeIsLargeToPress(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	b := webtest.New(t, k.url)
	if b == nil {
		return
	}
	b.Size(390, 844)
	look := func(page string) {
		for _, size := range []string{"24", "30"} {
			b.Open(residents + page + "?home=A1001&text=" + size)
			b.NoSideways(page + " in " + size)
			if got := b.Eval(small); got != "[]" {
				t.Errorf("%s in %s is too small to press: %s", page, size, got)
			}
			if got := b.Eval(`String(parseFloat(getComputedStyle(document.querySelector('main p, main label, main a')).fontSize) >= 24)`); got != "true" {
				t.Errorf("%s in %s has small letters", page, size)
			}
		}
	}
	for _, page := range []string{"", "/report", "/follow", "/stops", "/help", "/guide", "/enter"} {
		look(page)
	}
	b.Open(residents + "/guide?text=18")
	b.Axe("guide")
	b.Shot("guide")
	b.Open(residents + "/guide?text=30&lang=en")
	b.Axe("guide in large type")
	b.Shot("guide-large")
	b.Open(residents + "?text=18&lang=zh")
	k.login(b, holder)
	b.Open(residents + "/bind")
	b.Fill("account", "A1001")
	b.Press("绑定")
	b.WaitText("绑定好了")
	for _, page := range []string{"/home", "/home/test", "/home/people", "/bind", "/bind/paper", "/me"} {
		look(page)
	}
}
