package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/dispatch"
)

func TestConsole(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, on *db.DB) {
		k := newDesk(t, on)
		k.person("dispatcher", actor.RoleDispatcher)
		c := k.as("dispatcher")
		c.get("/c/990100/cases").want(http.StatusOK, "没有符合条件的工单", "<!doctype html>")
		sent, filed := k.open("向阳花园"), k.open("幸福里")
		c.get("/c/990100/cases").want(http.StatusOK, sent.No, filed.No, "待签收", "待派遣", "一热供热有限公司", "共 2 件", "c-"+sent.ID)
		c.get("/c/990100/cases?status=filed").want(http.StatusOK, filed.No, "!"+sent.No, "共 1 件")
		c.get("/c/990100/cases?q="+url.QueryEscape(sent.No)).want(http.StatusOK, sent.No, "!"+filed.No)
		c.get("/c/990100/cases?state=closed").want(http.StatusOK, "!"+sent.No)
		c.get("/c/990100/cases?late=never").want(http.StatusUnprocessableEntity, "筛选条件有误", sent.No)
		c.get("/c/990100/cases?open="+sent.ID).want(http.StatusOK, "<!doctype html>", "办理过程", "通知处置单位")
		c.get("/c/990100/cases?open="+sent.ID, "HX-Request", "true", "HX-Target", "side").want(http.StatusOK, "办理过程", "!<html", "!"+filed.No)
		c.get("/c/990100/cases?open=nothing").want(http.StatusNotFound)
		c.get("/c/990100/cases/map").want(http.StatusOK, "FeatureCollection")
	})
}

func TestCasesOfAnotherCompany(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, on *db.DB) {
		k := newDesk(t, on)
		k.person("company", actor.RoleCompany) // C1
		mine, other := k.open("向阳花园"), k.open("明月里")
		c := k.as("company")
		c.get("/c/990100/cases").want(http.StatusOK, mine.No, "!"+other.No, "共 1 件")
		c.get("/c/990100/cases?q="+url.QueryEscape(other.No)).want(http.StatusOK, "!c-"+other.ID)
		c.get("/c/990100/cases/export?format=csv").want(http.StatusOK, mine.No, "!"+other.No)
		for _, path := range []string{"", "/print", "/sign"} {
			c.get(casePath(other, path)).want(http.StatusNotFound, "!"+other.Address)
		}
		c.get("/c/990100/cases?open=" + other.ID).want(http.StatusNotFound)
		c.get("/c/990100/cases/map?open=" + other.ID).want(http.StatusNotFound)
		c.post(casePath(other, "/sign"), form(other)).want(http.StatusNotFound)
		c.post(casePath(mine, "/reject"), form(mine, "reason", "x")).want(http.StatusForbidden)
	})
}

func TestActsOnACase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, on *db.DB) {
		k := newDesk(t, on)
		k.person("dispatcher", actor.RoleDispatcher)
		k.person("leader", actor.RoleLeader)
		c := k.as("dispatcher")
		filed := k.open("幸福里")
		c.get(casePath(filed, "")).want(http.StatusOK, filed.No, "有多个可能", "派遣")
		c.get(casePath(filed, "/dispatch")).want(http.StatusOK, "<!doctype html>", "责任单位", "幸福里", "name=\"company\"")
		c.get(casePath(filed, "/dispatch"), "HX-Request", "true").want(http.StatusOK, "<dialog", "!<html")
		c.get(casePath(filed, "/verify")).want(http.StatusForbidden)
		c.post(casePath(filed, "/dispatch"), form(filed, "company", "")).want(http.StatusUnprocessableEntity, "f-company-wrong")
		c.post(casePath(filed, "/dispatch"), form(filed, "company", "C9", "reason", "看不清的地址")).want(http.StatusUnprocessableEntity, "看不清的地址")
		c.post(casePath(filed, "/dispatch"), form(filed, "company", "C1")).to(casePath(filed, ""))
		late := c.post(casePath(filed, "/dispatch"), form(filed, "company", "C2", "reason", "我先看到的"), "HX-Request", "true", "HX-Target", "ask")
		late.want(http.StatusConflict, "赵敏", "我先看到的", "待签收")
		if late.header.Get("Rehu-Form") == "" {
			t.Error("a form that came too late is not shown again by htmx")
		}
		now := k.must(k.cases.Get(bg, seatOf, city, filed.ID))
		if now.Company != "C1" || now.Status != cases.Dispatched {
			t.Errorf("dispatched to %q, %s", now.Company, now.Status)
		}
		over := c.post(casePath(filed, "/urge"), form(now, "channel", "phone", "text", "用户再次来电"), "HX-Request", "true", "HX-Target", "ask",
			"HX-Current-URL", k.url+"/c/990100/cases?open="+filed.ID)
		over.want(http.StatusOK, `id="side"`, `id="figures"`, "c-"+filed.ID, "催 1", "已完成", "!<html")
		k.as("leader").post(casePath(filed, "/void"), form(now)).want(http.StatusUnprocessableEntity, "f-reason-wrong")
	})
}

func TestEveryStepHasAForm(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	k.person("dispatcher", actor.RoleDispatcher)
	k.person("leader", actor.RoleLeader)
	k.person("verifier", actor.RoleVerifier)
	d, l, v := k.as("dispatcher"), k.as("leader"), k.as("verifier")
	c := k.open("向阳花园")
	again := func() cases.Case { c = k.must(k.cases.Get(bg, seatOf, city, c.ID)); return c }
	do := func(who *client, act string, pairs ...string) {
		t.Helper()
		who.post(casePath(c, "/"+act), form(c, pairs...)).want(http.StatusSeeOther)
		again()
	}
	do(d, "amend", "category", "cold_home", "nature", "repair", "urgency", "urgent", "scope", "home", "address", c.Address, "room", c.Room, "details.since", "今早", "details.leak", "no", "details.neighbours", "no", "secret", "no")
	if c.Urgency != "urgent" || c.Details.Since != "今早" {
		t.Errorf("amended: %s, %q", c.Urgency, c.Details.Since)
	}
	do(d, "duty_call", "name", "王站长", "answered", "no")
	do(d, "sign_for", "answered", "王站长", "recording", "R-1")
	do(d, "redispatch", "company", "C2", "reason", "派错了", "wrong", "yes", "learn", "no")
	do(l, "designate", "company", "C1", "reason", "先由一热保暖", "wrong", "no")
	do(l, "supervise", "reason", "多次催办", "reply_by", "2026-01-16T12:00")
	c = k.handled(again())
	v.get(casePath(c, "/verify")).want(http.StatusOK, "核查方式")
	do(v, "verify", "passed", "yes", "mode", "evidence")
	do(v, "callback", "reached", "no", "channel", "phone")
	v.get(casePath(c, "/callback")).want(http.StatusOK, "已打过 1 次未接通")
	do(v, "callback", "reached", "yes", "solved", "yes", "satisfied", "yes", "channel", "phone")
	do(d, "close", "answer", "已恢复供热")
	do(d, "reopen", "channel", "phone", "text", "又冷了")
	if c.Status != cases.Dispatched || c.Reopens != 1 {
		t.Errorf("reopened: %s, %d times", c.Status, c.Reopens)
	}
	other := k.open("向阳花园")
	do(d, "link", "no", other.No, "kind", "related")
	d.get(casePath(c, "")).want(http.StatusOK, other.No, "取消关联", "督办单", "立管排气", "19.1", "按时完成")
	d.get(casePath(c, "/print")).want(http.StatusOK, "供热服务工单记录", "立管排气")
	page := d.get(casePath(c, "")).body
	order := page[strings.Index(page, "/orders/"):]
	order = order[:strings.IndexByte(order, '"')]
	d.get(casePath(c, order)).want(http.StatusOK, "督 办 单", "多次催办")
	if pdf := d.get(casePath(c, order+"/pdf")); pdf.status != http.StatusOK || pdf.header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(pdf.body, "%PDF-") {
		t.Errorf("the order as a document: %d %s", pdf.status, pdf.header.Get("Content-Type"))
	}
	if gone := d.get(casePath(c, "/orders/none/pdf")); gone.status != http.StatusNotFound {
		t.Errorf("an order that is none: %d", gone.status)
	}
	i := strings.Index(page, "/unlink?link=")
	link := page[i+len("/unlink?link=") : i+len("/unlink?link=")+36]
	do(d, "unlink", "link", link)
	do(l, "terminate", "reason", "用户已搬走")
	if c.Open {
		t.Errorf("terminated, but %s", c.Status)
	}
}

func TestRevealIsKept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, on *db.DB) {
		k := newDesk(t, on)
		k.person("dispatcher", actor.RoleDispatcher)
		c := k.as("dispatcher")
		one := k.open("向阳花园")
		c.get(casePath(one, "")).want(http.StatusOK, "!13803500001", "!王桂兰", "查看电话")
		c.post(casePath(one, "/reveal"), form(one), "HX-Request", "true", "HX-Target", "people").want(http.StatusOK, "13803500001", "王桂兰", "!<html")
		c.get(casePath(one, "")).want(http.StatusOK, "查看联系方式", "!13803500001")
	})
}

func TestBatch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, on *db.DB) {
		k := newDesk(t, on)
		k.person("dispatcher", actor.RoleDispatcher)
		c := k.as("dispatcher")
		a, b, sent := k.open("幸福里"), k.open("幸福里"), k.open("向阳花园")
		c.post("/c/990100/cases/batch", url.Values{"_key": {"k"}, "do": {"dispatch"}, "company": {"C2"}, "ids": {a.ID, b.ID, sent.ID}, "reason": {""}}).
			want(http.StatusOK, "批量办理结果", "2 件已完成，1 件没有完成", "没有完成", a.No, sent.No)
		c.post("/c/990100/cases/batch", url.Values{"_key": {"l"}, "do": {"link"}, "company": {""}, "ids": {a.ID, b.ID}, "reason": {"同一栋楼"}}).to("/c/990100/cases")
		if got := k.must(k.cases.Get(bg, seatOf, city, b.ID)); got.Company != "C2" || !got.Linked {
			t.Errorf("after the batch: %q, linked %t", got.Company, got.Linked)
		}
	})
}

func TestSeveralQuestionsGetOneAnswer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, on *db.DB) {
		k := newDesk(t, on)
		k.person("dispatcher", actor.RoleDispatcher)
		k.person("company", actor.RoleCompany)
		c := k.as("dispatcher")
		a, b, sent := k.open("幸福里"), k.open("幸福里"), k.open("向阳花园")
		in := url.Values{"_key": {"k"}, "do": {"answer"}, "ids": {a.ID, b.ID, sent.ID}, "company": {""}, "reason": {""}}
		c.post("/c/990100/cases/batch", with(in, "ids", "")).to("/c/990100/cases")
		c.post("/c/990100/cases/batch", in).want(http.StatusOK, "用同一答复办结所选工单", a.No, sent.No, "不热")
		in.Set("say", "yes")
		in.Set("answer", " ")
		in.Set("back", "/c/990100/cases?q=幸福")
		c.post("/c/990100/cases/batch", in).want(http.StatusUnprocessableEntity, "请填写", a.No, "q=幸福")
		in.Set("answer", "二热已通知 18 时恢复，请您等候。")
		c.post("/c/990100/cases/batch", in).want(http.StatusOK, "2 件已完成，1 件没有完成", sent.No, "已完成", "没有完成", "回到列表")
		for _, one := range []cases.Case{a, b} {
			got := k.must(k.cases.Get(bg, seatOf, city, one.ID))
			if got.Status != cases.Answered || got.Answer != in.Get("answer") {
				t.Errorf("%s: %s with %q; want answered with its own answer", got.No, got.Status, got.Answer)
			}
			c.get(casePath(got, "")).want(http.StatusOK, "直接答复")
		}
		if got := k.must(k.cases.Get(bg, seatOf, city, sent.ID)); got.Status == cases.Answered {
			t.Error("a case that was dispatched is answered over the company's head")
		}
		k.as("company").post("/c/990100/cases/batch", in).want(http.StatusOK, "3 件没有完成", "!"+a.No)
	})
}

func TestSeveralQuestionsInABrowser(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	k.person("dispatcher", actor.RoleDispatcher)
	k.open("幸福里")
	k.open("幸福里")
	k.open("向阳花园")
	b := k.browser("dispatcher")
	if b == nil {
		return
	}
	b.Open("/c/990100/cases?state=all")
	b.WaitText("幸福里")
	b.Eval(`document.querySelectorAll("input[name=ids]").forEach(i => i.click())`)
	b.Choose("do", "answer")
	b.Both("batch-bar")
	b.Press("执行")
	b.WaitText("用同一答复办结所选工单")
	b.Both("batch-answer")
	b.Fill("answer", "二热已通知 18 时恢复，请您等候。")
	b.Press("答复并办结")
	b.WaitText("批量办理结果")
	b.Both("batch-results")
}

func TestWorkLists(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, on *db.DB) {
		k := newDesk(t, on)
		k.person("verifier", actor.RoleVerifier)
		k.person("dispatcher", actor.RoleDispatcher)
		k.person("company", actor.RoleCompany)
		v, d := k.as("verifier"), k.as("dispatcher")
		v.get("/c/990100/verify").want(http.StatusOK, "现在没有待核查的工单")
		d.get("/c/990100/verify").want(http.StatusForbidden)
		first, second := k.handled(k.open("向阳花园")), k.handled(k.open("向阳花园"))
		v.get("/c/990100/verify").want(http.StatusOK, first.No, second.No, "立管排气", "15.2", "open="+second.ID)
		v.get("/c/990100/verify?open="+second.ID).want(http.StatusOK, casePath(second, "/verify"))
		v.post(casePath(first, "/verify"), form(first, "passed", "no", "mode", "on_site"), "Referer", k.url+"/c/990100/verify").want(http.StatusUnprocessableEntity, "f-note-wrong")
		v.post(casePath(first, "/verify"), form(first, "passed", "yes", "mode", "on_site"), "Referer", k.url+"/c/990100/verify").to("/c/990100/verify")
		v.get("/c/990100/callbacks").want(http.StatusOK, first.No, "!"+second.No)
		back := k.open("向阳花园")
		k.must(k.sends.Return(bg, companyOf, dispatch.Returning{Act: actOn(back, "这栋楼归二热"), Right: "C2"}))
		d.get("/c/990100/requests").want(http.StatusOK, back.No, "这栋楼归二热", "应属 二热供热有限公司", casePath(back, "/return"))
		d.get("/c/990100/requests?kind=appeal").want(http.StatusOK, "现在没有等待决定的申请")
		d.get(casePath(back, "/return")).want(http.StatusOK, "这栋楼归二热", "同意回退")
		now := k.must(k.cases.Get(bg, seatOf, city, back.ID))
		d.post(casePath(back, "/return"), form(now, "accept", "yes", "company", "C2", "learn", "no"), "Referer", k.url+"/c/990100/requests").to("/c/990100/requests")
		k.as("company").get("/c/990100/requests").want(http.StatusForbidden)
		if now = k.must(k.cases.Get(bg, seatOf, city, back.ID)); now.Company != "C2" {
			t.Errorf("after the return it is with %q", now.Company)
		}
	})
}

// TestLiveTellsWhatOneMaySee: a company hears of its own cases only, and a filtered list only of what the filter shows.
func TestLiveTellsWhatOneMaySee(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	k.person("company", actor.RoleCompany)
	k.person("dispatcher", actor.RoleDispatcher)
	mine, all := k.listen("company", ""), k.listen("dispatcher", "?status=filed")
	other, own, filed := k.open("明月里"), k.open("向阳花园"), k.open("幸福里")
	heard := mine.until(t, "c-"+own.ID, `["`+own.ID+`"]`)
	if strings.Contains(heard, other.ID) || strings.Contains(heard, filed.ID) {
		t.Errorf("a company hears of another's case:\n%s", heard)
	}
	heard = all.until(t, "c-"+filed.ID, `["`+filed.ID+`"]`, "event: figures")
	if !strings.Contains(heard, "c-"+own.ID) {
		t.Errorf("a row that may be shown is not told:\n%s", heard)
	}
}

// TestLiveAnswersAreSharedAmongEqualsOnly: readers who may see the same are told the same, and the figures of whoever sees
// more never reach whoever sees less, though one answer serves many readers.
func TestLiveAnswersAreSharedAmongEqualsOnly(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	for login, role := range map[string]actor.Role{"dispatcher1": actor.RoleDispatcher, "dispatcher2": actor.RoleDispatcher, "own1": actor.RoleCompany, "own2": actor.RoleCompany} {
		k.person(login, role)
	}
	k.personOf("rival", actor.RoleCompany, "C2")
	k.open("明月里")
	k.open("明月里")
	k.clock.Advance(time.Minute) // those stand in the figures and are no news
	heard := map[string]*stream{}
	for _, login := range []string{"dispatcher1", "own1", "dispatcher2", "rival", "own2"} {
		heard[login] = k.listen(login, "")
	}
	waiting := regexp.MustCompile(`<b>(\d+)</b>\s*待签收`)
	tells := func(login string, c cases.Case, want string) {
		t.Helper()
		said := heard[login].until(t, `["`+c.ID+`"]`, "event: figures", "督办中", "</section>")
		if got := waiting.FindStringSubmatch(said); got == nil || got[1] != want {
			t.Errorf("%s hears that %q wait for their company, want %s:\n%s", login, got, want, said)
		}
	}
	own := k.open("向阳花园")
	for login, want := range map[string]string{"dispatcher1": "3", "dispatcher2": "3", "own1": "1", "own2": "1"} {
		tells(login, own, want)
	}
	tells("rival", k.open("明月里"), "3")
}

func TestPhotosBelongToTheirCase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, on *db.DB) {
		k := newDesk(t, on)
		k.person("dispatcher", actor.RoleDispatcher)
		k.person("company", actor.RoleCompany) // C1
		mine, other := k.open("向阳花园"), k.open("明月里")
		shown, hidden := k.photo(mine), k.photo(other)
		d, c := k.as("dispatcher"), k.as("company")
		d.get(casePath(mine, "")).want(http.StatusOK, "/c/990100/attachments/"+shown)
		for _, id := range []string{shown, hidden} {
			if got := d.get("/c/990100/attachments/" + id).want(http.StatusOK); got.header.Get("Content-Type") != "image/jpeg" {
				t.Errorf("a photograph is sent as %s", got.header.Get("Content-Type"))
			}
		}
		c.get("/c/990100/attachments/" + shown).want(http.StatusOK)
		c.get("/c/990100/attachments/" + hidden).want(http.StatusNotFound)
		k.anyone().get("/c/990100/attachments/" + shown).want(http.StatusSeeOther)
	})
}

func TestAnswerFromAnArticle(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, on *db.DB) {
		k := newDesk(t, on)
		k.person("dispatcher", actor.RoleDispatcher)
		d := k.as("dispatcher")
		c := k.open("幸福里")
		page := d.get(casePath(c, "/answer")).want(http.StatusOK, "依据的知识条目", `name="article"`)
		_, rest, _ := strings.Cut(page.body, `name="article" value="`)
		article, _, _ := strings.Cut(rest, `"`)
		d.post(casePath(c, "/answer"), form(c, "answer", "", "article", "")).want(http.StatusUnprocessableEntity, "f-answer-wrong")
		d.post(casePath(c, "/answer"), form(c, "answer", "", "article", "nothing/9")).want(http.StatusNotFound)
		d.post(casePath(c, "/answer"), form(c, "answer", "", "article", article)).want(http.StatusSeeOther)
		now := k.must(k.cases.Get(bg, seatOf, city, c.ID))
		if now.Status != cases.Answered || now.Answer == "" || now.Article != article {
			t.Errorf("answered: %s, %q by %q", now.Status, now.Answer, now.Article)
		}
	})
}
