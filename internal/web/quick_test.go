package web_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

const quickAt = "/c/990100/quick"

// written is a quick form of a channel, with other answers in the pairs.
func written(ch string, pairs ...string) url.Values {
	v := url.Values{"_key": {"w1"}, "channel": {ch}, "text": {"家里暖气不热"}, "category": {"cold_home"}, "address": {"向阳花园3号楼2单元601"}}
	switch ch {
	case "counter":
		v = call("_key", "w1", "channel", "counter", "caller.name", "王桂兰", "origin.no", "A012", "origin.brought", "温度计照片")
	case "letter":
		v.Set("origin.no", "暖收〔2026〕12号")
		v.Set("origin.dated", "2026-01-12")
		v.Set("caller.name", "王桂兰")
	case "leader":
		for name, one := range map[string]string{
			"no": "暖政批〔2026〕3号", "dated": "2026-01-14", "from": "分管副市长", "office": "市政府督查室", "text": "请供热中心三日内解决并报结果", "due_at": "2026-01-18T18:00",
		} {
			v.Set("origin."+name, one)
		}
	case "media":
		for name, one := range map[string]string{
			"from": "暖城晚报", "contact.name": "周明", "contact.phone": "13900001234", "dated": "2026-01-14", "due_at": "2026-01-15T17:00", "answerer": "新闻科", "link": "https://example.org/cold",
		} {
			v.Set("origin."+name, one)
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func TestAVisitWithItsSlip(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		k.person("seat", actor.RoleSeat)
		k.person("company", actor.RoleCompany)
		c := k.as("seat")
		k.as("company").get(quickAt).want(http.StatusForbidden)
		c.get(quickAt).want(http.StatusOK, "来访登记", "来访号", "带来的材料", "测温申请", `name="channel" value="counter"`)
		c.get(quickAt + "?form=phone").want(http.StatusNotFound)
		c.post(quickAt, written("counter", "caller.name", "", "scope", "")).want(http.StatusUnprocessableEntity, "请填写此项", "A012")
		c.post(quickAt, written("counter", "_house", "A1002")).want(http.StatusOK, `value="A1002"`, `value="602"`, "A012")
		sent := c.post(quickAt, written("counter"))
		one := k.taken(sent)
		if one.Channel != cases.Counter || one.Door != citypack.DoorCounter || one.DocNo != "A012" || one.Company != "C1" {
			t.Errorf("a visit came in as %s by %s with %q, company %q", one.Channel, one.Door, one.DocNo, one.Company)
		}
		if again := c.post(quickAt, written("counter")).location(); again != sent.location() {
			t.Errorf("the same form twice leads to %q and %q", sent.location(), again)
		}
		c.get(sent.location()).want(http.StatusOK, "已登记", one.No, "打印回执")
		slip := "/c/990100/cases/" + one.ID + "/slip"
		c.get(slip).want(http.StatusOK, "来访受理回执", one.No, "A012", "办理时限", "12345", "<svg", "!王桂兰", "!13903510001")
		k.as("company").get(slip).want(http.StatusForbidden)
		c.get("/c/990100/cases/"+one.ID).want(http.StatusOK, "来访", "A012", "温度计照片")
	})
}

func TestALetterInTheRegister(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		k.person("seat", actor.RoleSeat)
		c := k.as("seat")
		c.get(quickAt+"?form=letter").want(http.StatusOK, "来信登记", "收文号", "收到时间", "!test_request")
		c.post(quickAt, written("letter", "_act", "check")).want(http.StatusOK, "一热供热有限公司", "!请念")
		c.post(quickAt, written("letter", "origin.no", "")).want(http.StatusUnprocessableEntity, "收文号：请填写此项")
		one := k.taken(c.post(quickAt, written("letter", "received_at", "2026-01-14T09:00")))
		if one.Channel != cases.Letter || one.Paper || one.ReceivedAt != civil.On(civil.NewDate(2026, 1, 14), 9, 0) {
			t.Errorf("a letter came in as %s, paper %t, received %s", one.Channel, one.Paper, one.ReceivedAt)
		}
		c.post(quickAt, written("letter", "_key", "w2", "origin.no", "暖收[2026]12号")).
			want(http.StatusConflict, "今年已登记，见案件"+one.No, `href="/c/990100/cases/`+one.ID, "打开已登记的")
		c.get("/c/990100/cases?state=all&q="+url.QueryEscape("暖收〔2026〕12号")).want(http.StatusOK, one.No)
		c.get("/c/990100/cases?state=all&doc="+url.QueryEscape("暖收[2026]12号")).want(http.StatusOK, one.No)
		c.get("/c/990100/cases/"+one.ID).want(http.StatusOK, "来信", "暖收〔2026〕12号", "2026-01-12", "登记书面答复", "答复函（PDF）")
		if pdf := c.get("/c/990100/cases/" + one.ID + "/letter/pdf").want(http.StatusOK); !strings.HasPrefix(pdf.body, "%PDF") {
			t.Errorf("the letter is %.20q", pdf.body)
		}
		c.get("/c/990100/cases/"+one.ID+"/letter_reply").want(http.StatusOK, "发文号", "签发人", "!王桂兰", `!name="to"`)
		c.post("/c/990100/cases/"+one.ID+"/letter_reply", url.Values{"_key": {"r"}, "version": {"1"}, "way": {"post"}}).want(http.StatusUnprocessableEntity, "请填写此项")
		c.post("/c/990100/cases/"+one.ID+"/letter_reply", url.Values{
			"_key": {"r"}, "version": {strconv.FormatInt(one.Version, 10)}, "way": {"post"}, "no": {"暖热函〔2026〕8号"}, "text": {"已检修，室温20度。"},
		}).want(http.StatusSeeOther)
		c.get("/c/990100/cases/"+one.ID).want(http.StatusOK, "书面答复", "暖热函〔2026〕8号", "邮寄", "已检修", "王**")
	})
}

// The scan of a letter is looked at, whatever it says it is.
func TestScansAreLookedAt(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("seat", actor.RoleSeat)
	c := k.as("seat")
	one := k.taken(c.files(quickAt, written("letter"), "scans", [][]byte{jpegOf(t, 40, 90)}))
	v, err := k.app.Cases.View(bg, seatOf, city, one.ID)
	if err != nil || len(v.Photos) != 1 {
		t.Fatalf("the scan: %+v, %v", v.Photos, err)
	}
	c.files(quickAt, written("letter", "_key", "w3", "origin.no", "13"), "scans", [][]byte{[]byte("MZ this is a program")}).want(http.StatusUnprocessableEntity, "来信扫描件", "13")
}

// An instruction ends in no way before the report: the page says what is missing, and the list shows who waits.
func TestAnInstructionAndItsReport(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		k.person("seat", actor.RoleSeat)
		k.person("dispatcher", actor.RoleDispatcher)
		k.person("company", actor.RoleCompany)
		c, d := k.as("seat"), k.as("dispatcher")
		c.get(quickAt+"?form=leader").want(http.StatusOK, "领导批示登记", "批示人（职务）", "批示原文", "向它报结")
		c.post(quickAt, url.Values{"_key": {"e"}, "channel": {"leader"}}).
			want(http.StatusUnprocessableEntity, "还有 5 处没有填好", "批示人（职务）：请填写此项", "批示文号：请填写此项", "批示原文：请填写此项")
		sent := c.post(quickAt, written("leader", "text", ""))
		one := k.taken(sent)
		if !one.ReportDue || one.Text != "请供热中心三日内解决并报结果" || one.DocDue != civil.On(civil.NewDate(2026, 1, 18), 18, 0) {
			t.Errorf("report due %t by %s: %q", one.ReportDue, one.DocDue, one.Text)
		}
		c.get(sent.location()).want(http.StatusOK, one.No, "报结后才能结案", "2026-01-18 18:00")
		at := "/c/990100/cases/" + one.ID
		c.get(at).want(http.StatusOK, "尚未向市政府督查室报结", "批示办理", "待报结", "分管副市长")
		c.get("/c/990100/cases?flag=report_due").want(http.StatusOK, one.No, "待报结")
		c.get("/c/990100/cases?doc_due=2026-01-18").want(http.StatusOK, one.No)
		c.get("/c/990100/cases?doc_due=2026-01-17").want(http.StatusOK, "!"+one.No)
		version := func() []string {
			now, err := k.app.Cases.Get(bg, seatOf, city, one.ID)
			if err != nil {
				t.Fatal(err)
			}
			return []string{strconv.FormatInt(now.Version, 10)}
		}
		d.post(at+"/terminate", url.Values{"_key": {"t"}, "version": version(), "reason": {"不办了"}}).want(http.StatusForbidden)
		d.post(at+"/withdraw", url.Values{"_key": {"w"}, "version": version(), "reason": {"不要了"}}).
			want(http.StatusConflict, "须先向市政府督查室报结", "暖政批〔2026〕3号", "签发人", "!您写的内容还在下面")
		k.as("company").get(at + "/report_back").want(http.StatusForbidden)
		c.post(at+"/report_back", url.Values{"_key": {"r0"}, "version": version(), "way": {"official"}, "text": {"已办"}}).want(http.StatusUnprocessableEntity, "签发人")
		c.post(at+"/report_back", url.Values{
			"_key": {"r"}, "version": version(), "way": {"official"}, "no": {"暖热报〔2026〕5号"}, "signer": {"李主任"}, "text": {"已修复，室温20度。"},
		}).want(http.StatusSeeOther)
		c.get(at).want(http.StatusOK, "!尚未向市政府督查室报结", "报结", "暖热报〔2026〕5号", "李主任", "公文交换")
		c.get(at+"/print").want(http.StatusOK, "批示原文", "暖热报〔2026〕5号")
		d.post(at+"/withdraw", url.Values{"_key": {"w2"}, "version": version(), "reason": {"不要了"}}).want(http.StatusSeeOther)
	})
}

// The journalist is masked on every page, shown to the centre on request, and the export bears number and deadline.
func TestThePressOnItsPages(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		k.person("seat", actor.RoleSeat)
		k.person("dispatcher", actor.RoleDispatcher)
		c := k.as("seat")
		c.get(quickAt+"?form=media").want(http.StatusOK, "媒体来件登记", "媒体名称", "由谁答复")
		c.post(quickAt, written("media", "origin.link", "javascript:alert(1)")).want(http.StatusUnprocessableEntity, "http或https")
		sent := c.post(quickAt, written("media"))
		one := k.taken(sent)
		c.get(sent.location()).want(http.StatusOK, one.No, "2026-01-15 17:00前答复")
		at := "/c/990100/cases/" + one.ID
		c.get(at).want(http.StatusOK, "暖城晚报", "媒体答复", "139****1234", "https://example.org/cold", "!13900001234", "!周明")
		c.post(at+"/reveal", url.Values{"_key": {"v"}}).want(http.StatusOK, "13900001234", "周明")
		k.taken(c.post(quickAt, written("leader", "_key", "l")))
		csv := k.as("dispatcher").get("/c/990100/cases/export?format=csv&state=all").want(http.StatusOK, "文号", "来件要求期限", "暖政批〔2026〕3号", "2026-01-18 18:00", "领导批示", "2026-01-15 17:00")
		if strings.Contains(csv.body, "13900001234") {
			t.Error("the export shows the journalist's telephone")
		}
	})
}

// An instruction is recorded, refused at its end, and reported; then the press.
func TestAnInstructionInTheBrowser(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("seat", actor.RoleSeat)
	b := k.browser("seat")
	if b == nil {
		return
	}
	b.Expect("status of 4")
	b.Open(quickAt + "?form=leader")
	b.WaitJS(`document.activeElement.name === 'origin.from'`)
	b.Both("quick-leader-empty")
	b.Key("分管副市长")
	b.Fill("origin.no", "暖政批〔2026〕3号")
	b.Fill("origin.office", "市政府督查室")
	b.Fill("origin.text", "请供热中心三日内解决并报结果")
	setTo(b, "origin.dated", "2026-01-14")
	setTo(b, "origin.due_at", "2026-01-18T18:00")
	b.Fill("address", "向阳花园3号楼2单元601")
	b.WaitText("一热供热有限公司")
	b.Both("quick-leader")
	b.Key(kb.F2)
	b.WaitText("报结后才能结案")
	b.Both("quick-leader-done")
	b.Press("打开案件")
	b.WaitText("尚未向市政府督查室报结")
	b.Both("quick-leader-case")
	b.Press("撤回")
	b.WaitJS(`!!document.querySelector('dialog [name=reason]')`)
	b.Fill("reason", "不要了")
	b.Click("dialog .main-act, dialog .danger")
	b.WaitText("须先向市政府督查室报结")
	b.Both("quick-leader-refused")
	b.Press("取消")
	b.Press("报结")
	b.WaitJS(`!!document.querySelector('dialog [name=signer]')`)
	b.Fill("no", "暖热报〔2026〕5号")
	b.Fill("signer", "李主任")
	b.Choose("way", "official")
	b.Fill("text", "已修复，室温20度。")
	b.Both("quick-leader-report")
	b.Click("dialog .main-act")
	b.WaitText("暖热报〔2026〕5号")
	b.Open(quickAt + "?form=leader&lang=en")
	b.WaitText("Wording of the instruction")
	b.Both("quick-leader-en")
}

// setTo gives a field of a day or a time its value, as the browser's own picker does.
func setTo(b *webtest.Browser, name, value string) {
	b.Eval(`(() => { const el = document.querySelector('[name="` + name + `"]'); el.value = '` + value + `'; el.dispatchEvent(new Event('input', { bubbles: true })); return '' })()`)
}

// The press is recorded with who answers and by when.
func TestThePressInTheBrowser(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("seat", actor.RoleSeat)
	b := k.browser("seat")
	if b == nil {
		return
	}
	b.Open(quickAt + "?form=media")
	b.WaitJS(`document.activeElement.name === 'origin.from'`)
	b.Key("暖城晚报")
	for name, one := range map[string]string{
		"origin.contact.name": "周明", "origin.contact.phone": "13900001234", "origin.answerer": "新闻科",
		"origin.link": "https://example.org/cold", "text": "多户居民反映供热不足",
	} {
		b.Fill(name, one)
	}
	setTo(b, "origin.due_at", "2026-01-15T17:00")
	b.Both("quick-media")
	b.Key(kb.F2)
	b.WaitText("前答复")
	b.Press("打开案件")
	b.WaitText("139****1234")
	b.Both("quick-media-case")
	b.Press("登记媒体答复")
	b.WaitJS(`!!document.querySelector('dialog [name=way]')`)
	b.Choose("way", "mail")
	b.Fill("text", "我们已安排检修。")
	b.Click("dialog .main-act")
	b.WaitText("我们已安排检修")
	b.Open(quickAt + "?form=media&lang=en")
	b.WaitText("Who is to answer")
	b.Both("quick-media-en")
}

// A visitor is recorded at the desk and on a telephone, by the keyboard, and takes a slip along.
func TestAVisitInTheBrowser(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("seat", actor.RoleSeat)
	b := k.browser("seat")
	if b == nil {
		return
	}
	b.Expect("status of 422")
	b.Open(quickAt)
	b.WaitJS(`document.activeElement.name === 'origin.no'`)
	b.Key("A012")
	b.Do("stand at the telephone", focus(`[name="caller.phone"]`))
	b.Key("13803510001")
	b.WaitText("A1001")
	b.Key(kb.F1)
	b.WaitText("一热供热有限公司")
	b.Both("quick-counter")
	b.Key(kb.F2)
	b.WaitText("没有填好")
	b.Both("quick-counter-wrong")
	b.Fill("caller.name", "王桂兰")
	b.Fill("text", "家里暖气不热，室温只有15度")
	b.Fill("details.since", "昨晚")
	for _, css := range []string{"[name=scope][value=home]", "[name='details.leak'][value=no]", "[name=test_request][value=yes]", "[name='details.neighbours'][value=no]"} {
		b.Click(css)
	}
	b.WaitText("已齐")
	b.Key(kb.F2)
	b.WaitText("已登记")
	b.WaitText("打印回执")
	b.Both("quick-counter-done")
	b.Open(b.Eval(`document.querySelector('[href$="/slip"]').getAttribute('href')`))
	b.WaitText("来访受理回执")
	b.Both("quick-slip")
}

// A letter is recorded with its number, found again by it, and answered in writing.
func TestALetterInTheBrowser(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("seat", actor.RoleSeat)
	b := k.browser("seat")
	if b == nil {
		return
	}
	b.Open(quickAt + "?form=letter")
	b.WaitJS(`document.activeElement.name === 'origin.no'`)
	b.Key("暖收〔2026〕12号")
	b.Fill("caller.name", "王桂兰")
	b.Fill("address", "向阳花园3号楼2单元601")
	b.Fill("text", "家中供热不足，请予解决")
	b.WaitText("一热供热有限公司")
	b.Both("quick-letter")
	b.Key(kb.F2)
	b.WaitText("已登记")
	b.Both("quick-letter-done")
	b.Press("打开案件")
	b.WaitText("暖收〔2026〕12号")
	b.Both("quick-letter-case")
	b.Press("登记书面答复")
	b.WaitText("签发人")
	b.Fill("no", "暖热函〔2026〕8号")
	b.Choose("way", "post")
	b.Fill("text", "已检修，室温20度。")
	b.Both("quick-letter-reply")
	b.Press("登记书面答复")
	b.WaitText("暖热函〔2026〕8号")
	b.Open(quickAt + "?form=letter&lang=en")
	b.WaitText("Number in the register")
	b.Both("quick-letter-en")
}

// What came by letter and by instruction stands in the count by channel, and leads to its list.
func TestChannelsAreCounted(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("seat", actor.RoleSeat)
	k.person("regulator", actor.RoleRegulator)
	c := k.as("seat")
	k.taken(c.post(quickAt, written("letter")))
	k.taken(c.post(quickAt, written("leader", "_key", "l")))
	if _, err := k.app.Stats.Count(bg, city); err != nil {
		t.Fatal(err)
	}
	r := k.as("regulator")
	r.get("/c/990100/stats").want(http.StatusOK, "各渠道来件与超期", "来信", "领导批示", "channel=leader")
	r.get("/c/990100/stats/export?sheet=channels&format=csv").want(http.StatusOK, "来信,1,0,0", "领导批示,1,0,0")
	b := k.browser("regulator")
	if b == nil {
		return
	}
	b.Open("/c/990100/stats")
	b.WaitText("各渠道来件与超期")
	b.Both("stats-channels")
	b.Eval(`(document.querySelector('[href*="channel=leader"]').scrollIntoView(), '')`)
	b.Shot("stats-channels-there")
}
