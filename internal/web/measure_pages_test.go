package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/staff"
)

const tests = "/c/990100/measurements"

// tested makes the measurement of 向阳花园3号楼2单元601 through the page of a resident, and gives it with the receipt's path.
func (k *town) tested() (measure.Measurement, string) {
	k.t.Helper()
	sent := strings.TrimSuffix(k.anyone().post(residents+"/report", reported()).want(http.StatusSeeOther).location(), "?new=1")
	one, err := k.app.Cases.ByToken(bg, city, sent[strings.LastIndex(sent, "/")+1:])
	if err != nil {
		k.t.Fatal(err)
	}
	list, err := k.app.Measure.List(bg, posted(actor.RoleRegulator, "r1", "bureau"), city, measure.Filter{Case: one.ID})
	if err != nil || len(list.Items) != 1 {
		k.t.Fatalf("%d measurements of the case, %v; want one", len(list.Items), err)
	}
	return list.Items[0], sent
}

func (k *town) instrument() {
	k.t.Helper()
	_, err := k.app.Equipment.Save(bg, companyOf, equipment.Entry{
		City: city, Number: "T-1", Model: "DT-1", VerifiedOn: civil.NewDate(2024, 10, 1), ValidUntil: civil.NewDate(2025, 9, 30),
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

func tenths(t testing.TB, s string) celsius.Tenths {
	t.Helper()
	c, err := celsius.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// visited sends a visit with the readings of two rooms and both signatures; living is the first room's temperature.
func (k *town) visited(m measure.Measurement, visit, living string) measure.Receipt {
	k.t.Helper()
	at := k.clock.Now()
	out := tenths(k.t, "-6.5")
	r, err := k.app.Measure.Submit(bg, companyOf, measure.Submission{
		City: city, Visit: visit, Measurement: m.ID,
		Arrival: &measure.Arrival{Outcome: measure.Met, At: at, Testers: []string{"赵师傅", "钱师傅"}},
		Readings: &measure.Readings{
			Instrument: "T-1", WindowsSince: at.Add(-20 * time.Minute), HeightCM: 120, OutdoorC: &out,
			Rooms: []measure.RoomReading{
				{Room: "客厅", Type: "living_room", TempC: tenths(k.t, living), At: at}, {Room: "主卧", Type: "bedroom", TempC: tenths(k.t, "18.4"), At: at},
			},
		},
		Signatures: []measure.Signature{
			{Side: measure.UserSide, Name: "王桂兰", Relation: "self", Strokes: "10,10 40,60 80,20;20,80 90,80", At: at},
			{Side: measure.CompanySide, Name: "赵师傅", Strokes: "3,3 40,40 80,10", At: at},
		},
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return r
}

// dueForm is a proposal for tomorrow at an hour.
func (k *town) dueForm(version, hour string) url.Values {
	day := k.clock.Now().Date().AddDays(1).String()
	return url.Values{"_key": {"p" + hour + version}, "version": {version}, "from": {day + "T" + hour + ":00"}, "to": {day + "T" + hour + ":59"}}
}

func TestFromTheRequestToTheCuredHome(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.instrument()
	m, receipt := k.tested()
	k.person("company", actor.RoleCompany)
	worker := k.person("worker", actor.RoleWorker)
	second, err := k.staff.CreatePerson(bg, k.root, staff.NewPerson{City: city, Login: "w2", Name: "蒋师傅", Org: "C1", Password: good + "y", Grants: []actor.Grant{{Role: actor.RoleWorker, City: city, Companies: []string{"C1"}}}})
	if err != nil {
		t.Fatal(err)
	}
	c, path := k.as("company"), tests+"/"+m.ID
	c.get(tests).want(http.StatusOK, m.No, "待测温", "向阳花园")
	c.get(path).want(http.StatusOK, "约时间", "派测温员", "还没有提出上门时间", "内上门", "!登记检测报告", "139****0009")
	c.get(path+"/propose").want(http.StatusOK, "<h1>", "录音编号", "居民自愿约在规定时段以外")
	c.get(path+"/propose", "HX-Request", "true").want(http.StatusOK, "<dialog", "!<h1>")
	c.post(path+"/propose", url.Values{"_key": {"e"}, "version": {"1"}}).want(http.StatusUnprocessableEntity, "还有 2 处没有填好")
	c.post(path+"/propose", k.dueForm("1", "10")).to(path)
	late := k.dueForm("1", "15")
	late.Set("recording", "REC-77")
	c.post(path+"/propose", late).want(http.StatusConflict, "REC-77", "刚刚有新记录", "提出上门时间")
	c.post(path+"/assign", url.Values{"_key": {"a0"}, "version": {"2"}, "worker": {worker.ID}}).want(http.StatusUnprocessableEntity, "不少于")
	c.post(path+"/assign", url.Values{"_key": {"a"}, "version": {"2"}, "worker": {worker.ID}, "testers": {second.ID}}).to(path)
	c.get(path).want(http.StatusOK, "冯师傅、蒋师傅", "待居民确认", "居民同意")
	r := k.anyone()
	page := r.get(receipt).want(http.StatusOK, "供热企业想在", "可以，就这个时间", "!冯师傅", `name="appointment"`)
	appointment := found(t, page, `name="appointment" value="([^"]+)"`)
	r.post(receipt+"/measure/time", url.Values{"_key": {"t"}, "measurement": {m.ID}, "appointment": {appointment}, "yes": {"true"}}).to(receipt)
	r.get(receipt).want(http.StatusOK, "已约定上门时间", "!供热企业想在")
	c.get(path).want(http.StatusOK, "网页答复", "已约定")
	tomorrow := k.clock.Now().Date().AddDays(1).String()
	c.get(tests+"/calendar").want(http.StatusOK, "冯师傅", "10:00–10:59", "空闲", "向阳花园")
	c.get(tests+"?day="+tomorrow).want(http.StatusOK, m.No)
	c.get(tests+"?community=向阳").want(http.StatusOK, m.No)
	c.get(tests+"?community=明月").want(http.StatusOK, "!"+m.No)
	c.get(tests+"/export?format=csv").want(http.StatusOK, m.No, "冯师傅")
	k.as("worker").get(tests+"/route?day="+tomorrow).want(http.StatusOK, "冯师傅", "10:00–10:59", "139****0009")

	k.clock.Advance(24 * time.Hour)
	k.visited(m, "visit-00000001", "15.2")
	c.get(path).want(http.StatusOK, "不达标", "15.2", "低 2.8 ℃", "检定已过期", "门窗关闭 20 分钟", "王*", "记录完整", "称已整改", "!正确")
	doc := found(t, c.get(path), `href="([^"]+/documents/[^"]+)">居民室内温度检测记录单`)
	pdf := c.get(doc).want(http.StatusOK, "%PDF")
	if got := pdf.header.Get("Content-Type"); got != "application/pdf" {
		t.Errorf("the sheet is %s", got)
	}
	own := found(t, r.get(receipt).want(http.StatusOK, "测温结果：不达标", "15.2 ℃", "检定已过期", "签字：用户"), `href="([^"]+/measure/documents/[^"]+)">\s*<svg[^>]*>.*?</svg>\s*居民室内温度检测记录单`)
	r.get(own).want(http.StatusOK, "%PDF")
	c.post(path+"/cure", url.Values{"_key": {"c"}, "text": {"已换阀门"}, "version": {"0"}}).to(path)
	r.get(receipt).want(http.StatusOK, "家里热了吗")
	r.post(receipt+"/measure/cured", url.Values{"_key": {"n"}, "measurement": {m.ID}, "yes": {"false"}}).to(receipt)
	c.get(path).want(http.StatusOK, "居民称仍不热")
	k.clock.Advance(time.Hour)
	k.visited(m, "visit-00000002", "19.1")
	c.get(path).want(http.StatusOK, "复测", "达标")
	c.get(tests+"/home?home=A1001").want(http.StatusOK, "<svg", "15.2", "19.1", "记录完整", "室外温度", "-6.5", m.No)
}

// Two versions of a part stand beside each other, and who may correct says which counts.
func TestTwoVersionsOfAVisit(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.instrument()
	m, _ := k.tested()
	k.person("regulator", actor.RoleRegulator)
	k.visited(m, "visit-00000001", "15.2")
	k.visited(m, "visit-00000001", "17.9")
	c, path := k.as("regulator"), tests+"/"+m.ID
	page := c.get(path).want(http.StatusOK, "“读数”有两个版本", "15.2", "17.9", "都已保存", "更正")
	c.get(tests+"?show=conflict").want(http.StatusOK, m.No, "两个版本")
	form := c.get(found(t, page, `href="([^"]+/correct\?of=[^"]+)"`)).want(http.StatusOK, "另立一条")
	record := found(t, form, `name="record" value="([^"]+)"`)
	v := url.Values{"_key": {"c"}, "version": {found(t, form, `name="version" value="([^"]+)"`)}, "record": {record}, "reason": {"照片显示 16.1"}}
	for name, value := range map[string]string{
		"instrument": "T-1", "instrument_owner": "C1", "height_cm": "120", "outdoor_c": "-6.5",
		"rooms.0.room": "客厅", "rooms.0.type": "living_room", "rooms.0.temp_c": "16.1", "rooms.0.at": k.clock.Now().Time().Format("2006-01-02T15:04"),
	} {
		v.Set("readings."+name, value)
	}
	wrong := url.Values{}
	for name := range v {
		wrong[name] = v[name]
	}
	wrong.Del("reason")
	c.post(path+"/correct", wrong).want(http.StatusUnprocessableEntity, "16.1", "还有 1 处没有填好")
	v.Set("_key", "c2")
	c.post(path+"/correct", v).to(path)
	c.get(path).want(http.StatusOK, "16.1", "照片显示 16.1", "15.2")
}

// A laboratory's report, and the invitation before it.
func TestLaboratoryAndInvitation(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	m, _ := k.tested()
	if _, err := k.staff.SaveOrganisation(bg, k.root, staff.OrgInput{City: city, Code: "lab1", Kind: staff.Other, NameZH: "暖城检测院", NameEN: "Nuancheng Laboratory"}); err != nil {
		t.Fatal(err)
	}
	k.person("regulator", actor.RoleRegulator)
	c, path := k.as("regulator"), tests+"/"+m.ID
	at := k.clock.Now().Date().AddDays(1).String() + "T10:00"
	c.post(path+"/invite", url.Values{"_key": {"i"}, "version": {"1"}, "laboratory": {"lab1"}, "at": {at}}).to(path)
	c.get(path).want(http.StatusOK, "委托检测参检通知书")
	k.clock.Advance(36 * time.Hour)
	form := c.get(path+"/lab").want(http.StatusOK, "暖城检测院", "报告编号")
	v := url.Values{
		"_key": {"l"}, "version": {found(t, form, `name="version" value="([^"]+)"`)}, "laboratory": {"lab1"}, "report_no": {"R-7"}, "at": {at},
		"invitation": {found(t, form, `<option value="([^"]{30,})"`)}, "company_came": {"false"}, "readings.0.room": {"客厅"}, "readings.0.type": {"living_room"},
	}
	c.post(path+"/lab", v).want(http.StatusUnprocessableEntity, "R-7")
	v.Set("_key", "l2")
	v.Set("readings.0.temp_c", "16.5")
	c.post(path+"/lab", v).to(path)
	c.get(path).want(http.StatusOK, "委托检测报告", "R-7", "16.5", "低 1.5 ℃")
}

// A resident takes the request back with a reason, and asks anew.
func TestAResidentWithdrawsAndAsksAnew(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	m, receipt := k.tested()
	r := k.anyone()
	r.post(receipt+"/measure/withdraw", url.Values{"_key": {"w"}, "measurement": {m.ID}}).want(http.StatusUnprocessableEntity, "撤回的理由")
	r.post(receipt+"/measure/withdraw", url.Values{"_key": {"w2"}, "measurement": {m.ID}, "reason": {"暖气修好了"}}).to(receipt)
	r.get(receipt).want(http.StatusOK, "已撤回", "申请入户测温")
	r.post(receipt+"/measure/ask", url.Values{"_key": {"n"}}).to(receipt)
	r.get(receipt).want(http.StatusOK, "待测温")
}

// Nobody was home, says the company; the resident says otherwise, and that stands on the page of staff.
func TestSomebodySaysHeCame(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	m, receipt := k.tested()
	k.person("company", actor.RoleCompany)
	_, err := k.app.Measure.Submit(bg, companyOf, measure.Submission{
		City: city, Visit: "visit-00000009", Measurement: m.ID, Arrival: &measure.Arrival{Outcome: measure.NobodyIn, At: k.clock.Now(), Testers: []string{"甲", "乙"}, CallLog: "无人接听", Slip: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := k.anyone()
	r.get(receipt).want(http.StatusOK, "家中无人。属实吗", "不属实", "!无人接听")
	r.post(receipt+"/measure/came", url.Values{"_key": {"c"}, "measurement": {m.ID}, "visit": {"visit-00000001"}, "yes": {"false"}}).want(http.StatusNotFound)
	r.post(receipt+"/measure/came", url.Values{"_key": {"c1"}, "measurement": {m.ID}, "visit": {"visit-00000009"}, "yes": {"false"}}).to(receipt)
	r.get(receipt).want(http.StatusOK, "您说这次没有人来", "!属实吗")
	k.as("company").get(tests+"/"+m.ID).want(http.StatusOK, "居民称没有人来", "无人接听", "未遇告知单")
}

// The other company sees nothing of a measurement: not the page, not the home, not a document, not an act.
func TestAnotherCompanySeesNoMeasurement(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.instrument()
	m, _ := k.tested()
	k.visited(m, "visit-00000001", "15.2")
	view, err := k.app.Measure.Get(bg, companyOf, city, m.ID)
	if err != nil || len(view.Documents) == 0 {
		t.Fatalf("%d documents, %v", len(view.Documents), err)
	}
	if _, err := k.staff.CreatePerson(bg, k.root, staff.NewPerson{City: city, Login: "other", Name: "周二热", Org: "C2", Password: good + "x", Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{"C2"}}}}); err != nil {
		t.Fatal(err)
	}
	p, err := k.staff.People(bg, k.root, city, staff.Filter{Query: "周二热"})
	if err != nil || len(p.Items) != 1 {
		t.Fatal(err)
	}
	if err := k.staff.SetPassword(bg, actor.Actor{ID: p.Items[0].ID, Kind: actor.Person}, staff.PasswordChange{Person: p.Items[0].ID, Current: good + "x", New: good}); err != nil {
		t.Fatal(err)
	}
	c := k.as("other")
	c.get(tests).want(http.StatusOK, "!"+m.No)
	c.get(tests+"?show=all").want(http.StatusOK, "!"+m.No)
	for _, path := range []string{"/" + m.ID, "/" + m.ID + "/propose", "/home?home=A1001", "/documents/" + view.Documents[0].ID, "/" + m.ID + "/photos/x"} {
		c.get(tests + path).want(http.StatusNotFound)
	}
	c.post(tests+"/"+m.ID+"/propose", k.dueForm("1", "10")).want(http.StatusNotFound)
	stranger := k.anyone()
	sent := strings.TrimSuffix(stranger.post(residents+"/report", reported("_key", "z", "phone", "13903510088", "address", "明月里1号楼2单元201")).location(), "?new=1")
	stranger.get(sent + "/measure/documents/" + view.Documents[0].ID).want(http.StatusNotFound)
	stranger.post(sent+"/measure/withdraw", url.Values{"_key": {"s"}, "measurement": {m.ID}, "reason": {"x"}}).want(http.StatusNotFound)
}

func TestCasePageLinksItsMeasurement(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	m, _ := k.tested()
	k.person("dispatcher", actor.RoleDispatcher)
	k.as("dispatcher").get(casePath(cases.Case{City: city, ID: m.Case}, "")).want(http.StatusOK, tests+"/"+m.ID, "待测温")
}
