package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/measure"
)

func testAt(m measure.Measurement, more string) string {
	return fmt.Sprintf("/f/%d/tests/%s%s", city, m.ID, more)
}

// readingForm is a visit in a flat of 16.2 and 19 degrees, both sides signed.
func readingForm(key string) url.Values {
	return url.Values{
		"_key": {key}, "instrument": {"T-1"}, "height_cm": {"150"}, "outdoor_c": {"-8"}, "testers": {"冯师傅、李工"},
		"rooms.0.room": {"主卧"}, "rooms.0.type": {"bedroom"}, "rooms.0.temp_c": {"16.2"},
		"rooms.1.room": {"客厅"}, "rooms.1.type": {"living_room"}, "rooms.1.temp_c": {"19.0"},
		"user.name": {"王桂兰"}, "user.relation": {"self"}, "user.strokes": {"10,10 20,30;40,40"},
		"company.name": {"冯师傅"}, "company.strokes": {"5,5 9,9"},
	}
}

// A measurement without scripts: what the rules ask stands above the form, an expired instrument is flagged, and the answer
// says at once that it is too cold. The same form twice is one visit.
func TestFieldMeasurement(t *testing.T) {
	t.Parallel()
	k := newFieldDesk(t)
	m := k.test()
	me := k.as("worker")
	me.get("/f/990100").want(200, "这几天的测温", m.Address, testAt(m, ""))
	me.get(testAt(m, "")).want(200, "测温记录", "未遇或拒测", "本市测温要求")
	me.get(testAt(m, "/read")).want(200, "T-1 DT-1 · 检定过期", "用户签名", "测温人员签名")
	bad := readingForm("bad0bad0bad0")
	bad.Del("instrument")
	bad.Set("rooms.0.temp_c", "180")
	me.files(testAt(m, "/read"), bad, "photos", nil).want(http.StatusUnprocessableEntity, "data-summary")
	for range 2 {
		me.files(testAt(m, "/read"), readingForm("aaaa0000bbbb"), "photos", [][]byte{jpegOf(t, 30, 9)}).to(testAt(m, ""))
	}
	me.get(testAt(m, "")).want(200, "不达标（最低 16.2 ℃）")
	v, err := k.tests.Get(bg, companyOf, city, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[measure.Kind]int{}
	for _, r := range v.Records {
		kinds[r.Kind]++
	}
	if v.State != measure.Failed || kinds[measure.KindReadings] != 1 || kinds[measure.KindSignature] != 2 || kinds[measure.KindPhoto] != 1 {
		t.Errorf("after the form was sent twice: %s, records %v", v.State, kinds)
	}
	k.person("mate", actor.RoleWorker)
	other := k.as("mate")
	other.get(testAt(m, "")).want(http.StatusNotFound, "!"+m.Address)
	other.files(testAt(m, "/read"), readingForm("cccc0000dddd"), "photos", nil).want(http.StatusNotFound)
}

// The tester came with a broken instrument: once without scripts, and once in a stairwell without a network.
func TestFieldCouldNotMeasure(t *testing.T) {
	t.Parallel()
	k := newFieldDesk(t)
	m := k.test()
	me := k.as("worker")
	me.get(testAt(m, "")).want(200, "我方原因没测成")
	me.files(testAt(m, "/unable"), url.Values{"_key": {"eeee0000ffff"}}, "photos", nil).want(http.StatusUnprocessableEntity, "为什么没测成")
	me.files(testAt(m, "/unable"), url.Values{"_key": {"eeee0000ffff"}, "cause": {"no_instrument"}}, "photos", nil).to(testAt(m, ""))
	b, s := k.phone()
	if b == nil {
		return
	}
	s.dead.Store(true)
	b.Open(testAt(m, "/unable"))
	b.Choose("cause", "instrument_broken")
	b.Press("提交")
	b.WaitText("还有 1 条未上传")
	s.dead.Store(false)
	b.Eval("dispatchEvent(new Event('online'))")
	b.WaitText("已收到 1 条")
	doors, err := k.tests.Doors(bg, companyOf, city, measure.DoorsQuery{})
	if err != nil || len(doors.Items) != 1 || doors.Items[0].Unable != 2 || doors.Items[0].Causes[measure.BrokenTool] != 1 {
		t.Errorf("%+v %v", doors, err)
	}
	k.person("boss", actor.RoleCompany)
	boss := k.as("boss")
	boss.get("/c/990100/measurements/doors").want(200, "企业原因未测成", "仪器故障", "outcome=unable")
	boss.get("/c/990100/measurements?outcome=unable").want(200, m.No)
	boss.get("/c/990100/measurements/doors/export?format=csv").want(200, "未带仪器")
}

// The same on a telephone without a network: the verdict shows while typing, signatures survive in the draft, and the form
// is received once when the network is back.
func TestFieldMeasurementOffline(t *testing.T) {
	t.Parallel()
	k := newFieldDesk(t)
	m := k.test()
	b, s := k.phone()
	if b == nil {
		return
	}
	s.dead.Store(true)
	b.Open(testAt(m, "/read"))
	closed := k.clock.Now().Add(-10 * time.Minute).Time().Format("2006-01-02T15:04")
	b.Eval(fmt.Sprintf(`(() => { const el = document.querySelector('[name=windows_closed_since]'); el.value = %q; el.dispatchEvent(new Event('input', { bubbles: true })); return '' })()`, closed))
	b.WaitText("分钟可以读数")
	b.Choose("instrument", "T-1")
	b.Fill("rooms.0.room", "主卧")
	b.Choose("rooms.0.type", "bedroom")
	b.Fill("rooms.0.temp_c", "16.2")
	b.WaitText("不达标（最低 16.2 ℃）")
	for _, side := range []string{"user", "company"} {
		b.Fill(side+".name", "王桂兰")
		b.Eval(fmt.Sprintf(`(() => { const c = document.querySelector('[data-sign="s-%s"]'); c.scrollIntoView(); const r = c.getBoundingClientRect()
			const e = (t, x, y) => c.dispatchEvent(new PointerEvent(t, { bubbles: true, clientX: r.left + x, clientY: r.top + y, pointerId: 1 }))
			e('pointerdown', 20, 20); e('pointermove', 80, 60); e('pointermove', 140, 30); e('pointerup', 140, 30); return '' })()`, side))
		b.WaitJS(fmt.Sprintf(`/^\d+,\d+ \d+,\d+ \d+,\d+$/.test(document.getElementById('s-%s').value)`, side))
	}
	b.Choose("user.relation", "self")
	drafted(b, "user.relation", "self")
	b.Shot("f-measure")
	b.Axe("the measurement form")
	b.Open(testAt(m, "/read"))
	b.WaitJS(`document.getElementById('s-user').value !== '' && document.querySelector('[name="rooms.0.temp_c"]').value === '16.2'`)
	b.Press("提交")
	b.WaitJS(fmt.Sprintf("location.pathname === %q && document.documentElement.dataset.ready", testAt(m, "")))
	b.WaitText("还有 1 条未上传")
	s.dead.Store(false)
	b.Eval("dispatchEvent(new Event('online'))")
	b.WaitText("已收到 1 条")
	b.Press("已收到 1 条")
	b.WaitText("不达标（最低 16.2 ℃）")
	v, err := k.tests.Get(bg, companyOf, city, m.ID)
	if err != nil || v.State != measure.Failed {
		t.Errorf("after the network came back: %s, %v", v.State, err)
	}
	for _, page := range []string{"", "/read", "/absent", "/unable"} {
		for _, look := range []string{"lang=zh&text=18", "lang=en&text=30"} {
			b.Open(withQuery(testAt(m, page), look))
			b.Axe("the measurement " + page + " " + look)
			b.NoSideways("the measurement " + page + " " + look)
			b.Shot("f-test" + page[min(1, len(page)):] + "-" + look[5:7])
		}
	}
}
