package web_test

import (
	"html"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/config"
)

func TestKnowledge(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		k.person("seat", actor.RoleSeat)
		k.person("keeper", actor.RoleKnowledge)
		seat := k.as("seat")
		list := seat.get("/c/990100/knowledge").want(200, "待签阅", "!待处理")
		path := html.UnescapeString(found(t, list, `href="([^"]+)" data-row-link`))
		seat.get(path).want(200, "可读给市民", "反映不准", "!审核与发布")
		seat.get("/c/990100/knowledge?q=没有这样的词").want(200, "没有找到")
		seat.post("/c/990100/knowledge/report", url.Values{"kind": {"missing"}, "note": {""}}).want(422, "请填写")
		seat.post("/c/990100/knowledge/report", url.Values{"kind": {"missing"}, "note": {"缺新城区范围"}}).to("/c/990100/knowledge")
		seat.get("/c/990100/knowledge/none").want(404)
		keeper := k.as("keeper")
		seat.get("/c/990100/knowledge/desk").want(403)
		desk := keeper.get("/c/990100/knowledge/desk?show=flags").want(200, "缺新城区范围", "李娜")
		flag := "/c/990100/knowledge/flags/" + found(t, desk, `id="f-([^"]+)" aria`)
		keeper.post(flag, url.Values{"outcome": {" "}}).want(422, "请填写", "缺新城区范围")
		keeper.post(flag, url.Values{"outcome": {"已写新条目"}}).to("/c/990100/knowledge/desk?show=flags")
		keeper.post(flag, url.Values{"outcome": {"又一次"}}).want(409)
		keeper.get("/c/990100/knowledge/desk?show=flags").want(200, "坐席没有反映", "!缺新城区范围")
		keeper.get("/c/990100/knowledge/desk?show=misses").want(200, "没有这样的词", "为“没有这样的词”写新条目")
		keeper.get("/c/990100/knowledge/desk?show=misses&day=2020-01-01").want(200, "这一天没有")
		page := keeper.get(path).want(200, "审核与发布")
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		move := url.Values{"no": {"1"}, "version": {found(t, page, `name="version" value="(\d+)"`)}, "event": {"withdraw"}, "reason": {"已过时"}}
		seat.post(u.Path+"/move", move).want(403)
		keeper.post(u.Path+"/move", move).to(path)
		keeper.post(u.Path+"/move", move).want(409)
	})
}

// article is a form filled with a new article.
func article(title string) url.Values {
	return url.Values{
		"kind": {"script"}, "no": {"0"}, "version": {"0"}, "title_zh": {title}, "answer_zh": {"卧室不低于{standard.bedroom}。"}, "source": {"条例第十条"},
		"must_read": {"seat", "leader"}, "review_on": {"2027-10-01"},
	}
}

func with(v url.Values, pairs ...string) url.Values {
	out := maps.Clone(v)
	for i := 0; i+1 < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

func TestAnArticleIsWrittenApprovedAndRevised(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		k.person("seat", actor.RoleSeat)
		k.person("keeper", actor.RoleKnowledge)
		k.person("head", actor.RoleSectionHead)
		keeper, head, seat := k.as("keeper"), k.as("head"), k.as("seat")
		keeper.get("/c/990100/knowledge/new?words=暖气").want(200, `value="暖气"`, "{standard.bedroom}", "18℃")
		seat.get("/c/990100/knowledge/new").want(403)
		keeper.post("/c/990100/knowledge/new", with(article(""), "kind", "")).want(422, "条例第十条", "没有填好")
		wrong := with(article("室温"), "answer_zh", "不低于{standard.attic}。")
		keeper.post("/c/990100/knowledge/new", wrong).want(422, "没有可引用的", "standard.attic")
		first := with(article("室温标准"), "_key", "once")
		path := keeper.post("/c/990100/knowledge/new", first).header.Get("Location")
		if again := keeper.post("/c/990100/knowledge/new", first).header.Get("Location"); again != path || path == "" {
			t.Errorf("the form sent twice made two articles: %q and %q", path, again)
		}
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		seat.get(path).want(404)
		seat.get(u.Path + "/history").want(404)
		version := func(c *client, path string) string {
			return found(t, c.get(path).want(200), `name="version" value="(\d+)"`)
		}
		edit := with(article("室温合格标准"), "no", "1", "version", version(keeper, u.Path+"/edit?no=1"))
		keeper.post(u.Path+"/edit?no=1", edit).to(path)
		keeper.post(u.Path+"/edit?no=1", edit).want(409, "室温合格标准")
		move := func(c *client, no, event string, more ...string) answer {
			at := u.Path + "?no=" + no
			return c.post(u.Path+"/move", with(url.Values{"no": {no}, "version": {version(c, at)}, "event": {event}}, more...))
		}
		move(keeper, "1", "submit").to(path)
		keeper.get(path).want(200, "须由另一人审核发布", "!value=\"approve\"")
		keeper.get(u.Path + "/edit?no=1").to(path)
		move(keeper, "1", "approve").want(403)
		move(head, "1", "send_back").want(422, "请填写")
		move(head, "1", "send_back", "reason", "写明依据").to(path)
		move(keeper, "1", "submit").to(path)
		move(head, "1", "approve").to(path)
		seat.get(path).want(200, "卧室不低于18℃", "已阅读", "!写新版本")
		keeper.get(u.Path+"/edit?no=1").want(200, "以第1版为底稿")
		keeper.post(u.Path+"/edit?no=0", with(article("室温合格标准"), "answer_zh", "卧室和客厅不低于{standard.bedroom}。")).to(u.Path + "?no=2")
		seat.get(u.Path+"/history").want(200, "第1版", "韩知识", "吴科长", "!第2版", "只有一个版本")
		keeper.get(u.Path+"/history").want(200, "第1版到第2版的改动", "<ins>和客厅</ins>", "现行")
		keeper.get(u.Path + "/history?from=7").want(404)
		seat.get(u.Path + "/proof?no=1").want(403)
		keeper.get(u.Path+"/proof?no=1").want(200, "传达签阅表", "李娜", "未签阅")
		seat.post(u.Path+"/confirm", url.Values{"no": {"1"}}).to("/c/990100/knowledge")
		keeper.get(u.Path+"/proof?no=1").want(200, "李娜", "!未签阅")
		keeper.get("/c/990100/knowledge/desk?show=draft").want(200, "室温合格标准")
		keeper.get("/c/990100/knowledge/desk").want(200, "没有待审核的条目")
	})
}

func TestKnowledgeInABrowser(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("keeper", actor.RoleKnowledge)
	b := k.browser("keeper")
	if b == nil {
		return
	}
	b.Open("/c/990100/knowledge")
	b.WaitText("编辑台")
	b.Both("knowledge")
	b.Click("[data-row-link]")
	b.WaitText("可读给市民")
	b.Both("article")
	b.Press("废止")
	b.WaitText("坐席查不到它")
	b.Axe("the dialog")
	b.Key(kb.Escape)
	b.Open("/c/990100/knowledge/new?words=暖气")
	b.Expect("status of 422")
	b.Click("main .form button.main-act")
	b.WaitText("没有填好")
	b.Both("article-new-wrong")
	b.Choose("kind", "border")
	b.Fill("title_zh", "阳光里与阳光里二期的分界")
	b.Fill("answer_zh", "请问您家热费交给哪一家？1到6号楼由一热供热负责，7号楼起由二热供热负责。")
	b.Fill("source", "2026年第3号会议纪要")
	b.Press("保存草稿")
	b.WaitText("草稿已保存")
	b.Both("article-draft")
	b.Press("送审")
	b.WaitText("已送审")
	b.Open("/c/990100/knowledge/desk")
	b.WaitText("阳光里与阳光里二期的分界")
	b.Both("knowledge-desk")
	k.person("seat", actor.RoleSeat)
	k.as("seat").post("/c/990100/knowledge/report", url.Values{"kind": {"missing"}, "note": {"高新区新并网的三个小区找不到由谁供热，市民问了好几次。"}}).to("/c/990100/knowledge")
	for _, show := range []string{"flags", "misses", "published"} {
		b.Open("/c/990100/knowledge/desk?show=" + show)
		b.Both("knowledge-desk-" + show)
	}
}

func TestVersionsOfAnArticleInABrowser(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("keeper", actor.RoleKnowledge)
	for i := range 30 {
		k.person("seat"+strconv.Itoa(i), actor.RoleSeat)
	}
	b := k.browser("keeper")
	if b == nil {
		return
	}
	keeper := k.as("keeper")
	list, err := k.app.Knowledge.MustReads(bg, seatActor(), city)
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	path := "/c/990100/knowledge/" + list[0].Article
	change := url.Values{"no": {"0"}, "version": {"0"}, "title_zh": {list[0].TitleZH}, "answer_zh": {strings.Replace(list[0].AnswerZH, "。", "，请您放心。", 1)}, "source": {list[0].Source + "、会议纪要"}}
	keeper.post(path+"/edit?no=0", change).to(path + "?no=2")
	b.Open(path + "/history")
	b.WaitText("的改动")
	b.Both("article-history")
	b.Open(path + "/proof?no=1")
	b.WaitText("传达签阅表")
	b.Both("article-proof")
}

func seatActor() actor.Actor {
	return actor.Actor{ID: "somebody", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleSeat, City: city}}}
}
