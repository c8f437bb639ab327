package web_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

// winter is a town whose households have bills, with a thermometer that was verified in time and everybody whose step it is
// between a doubt and the money. What the story is about is done on pages only; the clock is the town's.
type winter struct {
	*town
	resident *webtest.Browser // nil when browser tests are left out
	receipt  string           // the path of the resident's page
	worker   staff.Person
	mate     staff.Person
}

func newWinter(t testing.TB, cfg config.Config) *winter {
	t.Helper()
	k := &winter{town: newTownWith(t, cfg)}
	for _, l := range []struct {
		kind place.Kind
		csv  string
	}{
		{place.Households, "account,community,district,building,unit,room,holder,phone,heat_status,area_m2,price_class\nA1001,向阳花园,东城区,3,2,601,王桂兰,13803510001,用热,100,居民\n"},
		{place.Fees, "户号,采暖期,应收,实收\nA1001,2025-2026,2420.00,2420.00\n"},
	} {
		in := register.Request{City: city, Kind: l.kind, From: civil.NewDate(2025, 10, 1), Source: "文", Name: "list.csv"}
		if r, err := k.app.Register.Import(bg, k.root, in, strings.NewReader(l.csv)); err != nil {
			t.Fatalf("%s: %v: %+v", l.kind, err, r.Faults)
		}
	}
	if _, err := k.app.Equipment.Save(bg, companyOf, equipment.Entry{
		City: city, Number: "T-1", Model: "DT-1", VerifiedOn: civil.NewDate(2025, 10, 1), ValidUntil: civil.NewDate(2026, 9, 30),
	}); err != nil {
		t.Fatal(err)
	}
	k.person("company", actor.RoleCompany)
	k.worker = k.person("worker", actor.RoleWorker)
	k.mate = k.person("mate", actor.RoleWorker)
	return k
}

// until moves the clock to an hour of a day so many days on, and lets what is due in the background happen.
func (k *winter) until(days, hour int) {
	k.t.Helper()
	k.clock.Set(civil.On(k.clock.Now().Date().AddDays(days), hour, 0))
	k.background()
}

// background lets what is due in the background happen, as the running program does by itself.
func (k *winter) background() {
	k.t.Helper()
	if err := k.app.Runner.RunDue(bg); err != nil {
		k.t.Fatal(err)
	}
}

// asks lets a resident report a cold home on the telephone and ask for a test; it gives the measurement that follows.
func (k *winter) asks() measure.Measurement {
	k.t.Helper()
	if k.resident = k.browser(""); k.resident == nil {
		return measure.Measurement{}
	}
	b := k.resident
	b.Size(390, 844)
	b.Open(residents + "/report")
	b.Choose("what", "cold")
	b.Fill("address", "向阳花园3号楼2单元601")
	b.Fill("phone", "13903510009")
	b.Choose("since", "昨天")
	b.Choose("test_request", "yes")
	b.Fill("text", "卧室一直不热，穿着棉袄")
	b.Press("提交")
	b.WaitText("只看进度")
	sends(b, "只看进度")
	b.WaitText("供热企业最迟")
	k.receipt = b.Path()
	return k.measured()
}

// measured is the only measurement of the town.
func (k *winter) measured() measure.Measurement {
	k.t.Helper()
	list, err := k.app.Measure.List(bg, k.root, city, measure.Filter{})
	if err != nil || len(list.Items) != 1 {
		k.t.Fatalf("%d measurements, %v; want one", len(list.Items), err)
	}
	return list.Items[0]
}

// act opens the dialog of an act on a measurement's page, fills it in and sends it.
func act(b *webtest.Browser, words string, fill func()) {
	b.WaitJS(`document.documentElement.dataset.ready`)
	b.Press(words)
	b.WaitJS(`document.querySelector('dialog[open] form')`)
	if fill != nil {
		fill()
	}
	again(b)
	b.Press(words)
	loaded(b)
	b.WaitText("已完成")
}

// again marks the present page, so that loaded can tell the next one from it.
func again(b *webtest.Browser) { b.Eval(`document.documentElement.dataset.before = 'yes'`) }

// loaded waits until the page after the marked one is there.
func loaded(b *webtest.Browser) {
	b.WaitJS(`document.readyState === 'complete' && !document.documentElement.dataset.before && (!document.querySelector('script[src*="boot.js"]') || document.documentElement.dataset.ready)`)
}

// sends presses a button that leads to another page and waits for it.
func sends(b *webtest.Browser, words string) {
	again(b)
	b.Press(words)
	loaded(b)
}

// submits presses the button of the form that is sent to an address with this end, and waits for the page that follows.
func submits(b *webtest.Browser, end string) {
	again(b)
	b.Click(fmt.Sprintf(`form[action$=%q] button`, end))
	loaded(b)
}

// put writes a value into a field that keys cannot fill in every locale: a time, or a day.
func put(b *webtest.Browser, name, value string) {
	b.WaitJS(fmt.Sprintf(`document.querySelector('[name=' + CSS.escape(%q) + ']')`, name))
	b.Eval(fmt.Sprintf(`(() => { const el = document.querySelector('dialog[open] [name=' + CSS.escape(%[1]q) + ']') || document.querySelector('[name=' + CSS.escape(%[1]q) + ']')
		el.value = %q; el.dispatchEvent(new Event('input', { bubbles: true })); el.dispatchEvent(new Event('change', { bubbles: true })); return '' })()`, name, value))
}

// hands puts a file into the field of a name, as choosing it does.
func hands(b *webtest.Browser, name, file, content string) {
	b.Eval(fmt.Sprintf(`(() => { const raw = atob(%q); const bytes = new Uint8Array(raw.length); for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i)
		const list = new DataTransfer(); list.items.add(new File([bytes], %q, { type: 'text/csv' }))
		const el = document.querySelector('input[name=' + CSS.escape(%q) + ']'); el.files = list.files; el.dispatchEvent(new Event('change', { bubbles: true })); return '' })()`,
		base64.StdEncoding.EncodeToString([]byte(content)), file, name))
}

// offers lets the company propose an hour of a day so many days on, from its page.
func (k *winter) offers(company *webtest.Browser, m measure.Measurement, days, hour int) {
	k.t.Helper()
	day := k.clock.Now().Date().AddDays(days)
	company.Open(tests + "/" + m.ID)
	act(company, "约时间", func() {
		put(company, "from", fmt.Sprintf("%sT%02d:00", day, hour))
		put(company, "to", fmt.Sprintf("%sT%02d:59", day, hour))
	})
}

// answers lets the resident press one of the two answers to what stands on their page.
func (k *winter) answers(question, answer string) {
	k.t.Helper()
	k.resident.Open(k.receipt)
	k.resident.WaitText(question)
	sends(k.resident, answer)
}

// assigns lets the company send both of its workers.
func (k *winter) assigns(company *webtest.Browser, m measure.Measurement) {
	k.t.Helper()
	company.Open(tests + "/" + m.ID)
	act(company, "派测温员", func() {
		company.Choose("worker", k.worker.ID)
		company.Choose("testers", k.mate.ID)
	})
}

// reading is what a tester types on the telephone.
type typed struct{ bedroom, living string }

// reads fills in the form of a reading on a telephone and sends it; both sides sign on the screen.
func (k *winter) reads(phone *webtest.Browser, m measure.Measurement, r typed) {
	k.t.Helper()
	phone.Open(testAt(m, "/read"))
	put(phone, "windows_closed_since", k.clock.Now().Add(-90*time.Minute).Time().Format("2006-01-02T15:04"))
	phone.Choose("instrument", "T-1")
	phone.Fill("height_cm", "120")
	phone.Fill("outdoor_c", "-8")
	for i, room := range [][3]string{{"主卧", "bedroom", r.bedroom}, {"客厅", "living_room", r.living}} {
		row := fmt.Sprintf("rooms.%d.", i)
		phone.Fill(row+"room", room[0])
		phone.Choose(row+"type", room[1])
		phone.Fill(row+"temp_c", room[2])
	}
	snap(phone, "photos", 60)
	for side, name := range map[string]string{"user": "王桂兰", "company": "冯师傅"} {
		phone.Fill(side+".name", name)
		signs(phone, side)
	}
	phone.Choose("user.relation", "self")
	phone.Fill("testers", "冯师傅、蒋师傅")
	drafted(phone, "testers", "冯师傅、蒋师傅")
}

// signs draws a line with a finger into the field of a side.
func signs(b *webtest.Browser, side string) {
	b.Eval(fmt.Sprintf(`(() => { const c = document.querySelector('[data-sign="s-%s"]'); c.scrollIntoView(); const r = c.getBoundingClientRect()
		const e = (t, x, y) => c.dispatchEvent(new PointerEvent(t, { bubbles: true, clientX: r.left + x, clientY: r.top + y, pointerId: 1 }))
		e('pointerdown', 20, 20); e('pointermove', 80, 60); e('pointermove', 140, 30); e('pointerup', 140, 30); return '' })()`, side))
	b.WaitJS(fmt.Sprintf(`/^\d+,\d+ \d+,\d+ \d+,\d+$/.test(document.getElementById('s-%s').value)`, side))
}

// waits sends a form of a telephone without a network: it goes into the queue.
func (k *winter) waits(phone *webtest.Browser, m measure.Measurement) {
	k.t.Helper()
	phone.Press("提交")
	phone.WaitJS(fmt.Sprintf("location.pathname === %q && document.documentElement.dataset.ready", testAt(m, "")))
	phone.WaitText("还有 1 条未上传")
}

// arrives gives a telephone its network back: what waited is sent and has its receipt.
func (k *winter) arrives(phone *webtest.Browser, s *stairwell, receipts int) {
	k.t.Helper()
	s.dead.Store(false)
	phone.Eval("dispatchEvent(new Event('online'))")
	phone.WaitText(fmt.Sprintf("已收到 %d 条", receipts))
}

// claim is what the household gets back now.
func (k *winter) claim() settle.View {
	k.t.Helper()
	v, err := k.app.Settle.Claim(bg, k.root, city, heatSeason, "A1001")
	if err != nil {
		k.t.Fatal(err)
	}
	return v
}

// owed fails unless the household gets so many days and so much back.
func (k *winter) owed(days int, yuan string) {
	k.t.Helper()
	if days == 0 {
		if _, err := k.app.Settle.Claim(bg, k.root, city, heatSeason, "A1001"); !fault.Is(err, fault.NotFound) {
			k.t.Errorf("a refund where nothing is presumed: %v", err)
		}
		return
	}
	if c := k.claim(); c.Counted != days || c.Amount.Yuan() != yuan {
		k.t.Errorf("the refund is %d days and %s yuan; want %d and %s", c.Counted, c.Amount.Yuan(), days, yuan)
	}
}

// file fetches a file that a page links to, as somebody who is logged in or, with an empty login, as the resident.
func (k *winter) file(login, path string) string {
	k.t.Helper()
	c := k.anyone()
	if login != "" {
		c = k.as(login)
	}
	return c.get(path).want(http.StatusOK).body
}

// matter is the case that a measurement belongs to.
func (k *winter) matter(m measure.Measurement) cases.Case {
	k.t.Helper()
	c, err := k.app.Cases.Get(bg, k.root, city, m.Case)
	if err != nil {
		k.t.Fatal(err)
	}
	return c
}
