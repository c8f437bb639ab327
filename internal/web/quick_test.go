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
