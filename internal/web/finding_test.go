package web_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/staff"
)

const findings = "/c/990100/findings"

var districtOf = actor.Actor{ID: "lab", Kind: actor.Person, Org: "centre", Grants: []actor.Grant{{Role: actor.RoleDistrict, City: city}}}

// court is a town in which the first company measured a home and found it warm, with a clerk of each district.
type court struct {
	*town
	c cases.Case
	m measure.Measurement
}

func newCourt(t testing.TB) *court {
	t.Helper()
	k := newTown(t)
	q := &court{town: k, c: k.caseAt("向阳花园3号楼2单元601")}
	k.person("c1", actor.RoleCompany)
	k.rival("c2")
	k.person("seat", actor.RoleSeat)
	q.clerk("east", "东城区")
	q.clerk("west", "西城区")
	list, err := k.app.Measure.List(bg, districtOf, city, measure.Filter{Case: q.c.ID})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("%v %v", list.Items, err)
	}
	q.m = list.Items[0]
	if _, err := k.app.Equipment.Save(bg, companyOf, equipment.Entry{City: city, Number: "T-1", Owner: "C1", VerifiedOn: civil.NewDate(2025, 10, 1), ValidUntil: civil.NewDate(2026, 9, 30)}); err != nil {
		t.Fatal(err)
	}
	k.clock.Advance(2 * time.Hour)
	when := k.clock.Now()
	if _, err := k.app.Measure.Submit(bg, companyOf, measure.Submission{
		City: city, Visit: "device-0001", Measurement: q.m.ID, Arrival: &measure.Arrival{Outcome: measure.Met, At: when, Testers: []string{"甲", "乙"}},
		Readings: &measure.Readings{Instrument: "T-1", Owner: "C1", WindowsSince: when.Add(-2 * time.Hour), HeightCM: 120, Rooms: []measure.RoomReading{
			{Room: "客厅", Type: "living_room", TempC: celsius.Tenths(192), At: when}, {Room: "南卧室", Type: "bedroom", TempC: celsius.Tenths(188), At: when},
		}},
		Signatures: []measure.Signature{
			{Side: measure.UserSide, Name: "王桂兰", Relation: "self", Strokes: "1,1 2,2", At: when}, {Side: measure.CompanySide, Name: "赵师傅", Strokes: "1,1", At: when},
		},
	}); err != nil {
		t.Fatal(err)
	}
	k.clock.Advance(time.Hour)
	return q
}

// clerk makes a clerk of a district.
func (k *town) clerk(login, district string) {
	k.t.Helper()
	p, err := k.app.Staff.CreatePerson(bg, k.root, staff.NewPerson{
		City: city, Login: login, Name: "陈区县", Org: "centre", Password: good + "x", Grants: []actor.Grant{{Role: actor.RoleDistrict, City: city, Districts: []string{district}}},
	})
	if err == nil {
		err = k.app.Staff.SetPassword(bg, actor.Actor{ID: p.ID, Kind: actor.Person}, staff.PasswordChange{Person: p.ID, Current: good + "x", New: good})
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

func (q *court) filing() url.Values {
	return url.Values{
		"_key": {"file"}, "measurement": {q.m.ID}, "ground": {"result"}, "way": {"laboratory"}, "text": {"测温时开着电暖气"}, "applicant": {"王桂兰"}, "phone": {"13803510001"},
	}
}

// tested lets a laboratory that invited the company find the home cold.
func (q *court) tested() {
	q.t.Helper()
	q.clock.Advance(24 * time.Hour)
	at := q.clock.Now()
	invited, err := q.app.Measure.Invite(bg, districtOf, measure.Invitation{Act: measure.Act{City: city, ID: q.m.ID}, Laboratory: "L1", At: at.Add(time.Hour)})
	if err != nil {
		q.t.Fatal(err)
	}
	record := ""
	for _, r := range invited.Records {
		if r.Kind == measure.KindInvitation {
			record = r.ID
		}
	}
	q.clock.Advance(2 * time.Hour)
	rooms := []measure.RoomReading{{Room: "客厅", Type: "living_room", TempC: celsius.Tenths(157), At: q.clock.Now()}}
	in := measure.LabReport{Act: measure.Act{City: city, ID: q.m.ID}, Lab: measure.Lab{Laboratory: "L1", ReportNo: "检2026-7", Invited: record, Readings: rooms}}
	if _, err := q.app.Measure.ReportLab(bg, districtOf, in); err != nil {
		q.t.Fatal(err)
	}
}

func (q *court) now(path string) finding.View {
	q.t.Helper()
	v, err := q.app.Findings.Get(bg, q.root, city, path[strings.LastIndex(path, "/")+1:])
	if err != nil {
		q.t.Fatal(err)
	}
	return v
}

// version adds the version of an objection to a form.
func (q *court) version(path string, in url.Values) url.Values {
	in.Set("version", strconv.FormatInt(q.now(path).Version, 10))
	if in.Get("_key") == "" {
		in.Set("_key", in.Encode())
	}
	return in
}

// The seat files for a resident, the district's clerk accepts, the company answers, the laboratory's report is weighed by
// itself, and the clerk issues the paper; another company and another district see nothing of it.
func TestTheFindingDesk(t *testing.T) {
	t.Parallel()
	q := newCourt(t)
	seat, east, west, c1, c2 := q.as("seat"), q.as("east"), q.as("west"), q.as("c1"), q.as("c2")
	seat.get(findings).want(http.StatusOK, "没有符合条件的异议", "登记异议")
	seat.get(findings+"/new").want(http.StatusOK, q.m.No, "向阳花园")
	c2.get(findings+"/new").want(http.StatusOK, "!"+q.m.No)
	c2.get(findings + "/new?measurement=" + q.m.ID).want(http.StatusNotFound)
	seat.get("/c/990100/measurements/"+q.m.ID).want(http.StatusOK, findings+"/new?measurement="+q.m.ID)
	seat.get(findings+"/new?measurement="+q.m.ID).want(http.StatusOK, "提出人姓名")
	c1.get(findings+"/new?measurement="+q.m.ID).want(http.StatusOK, "!提出人姓名", "!不按时")
	wrong := q.filing()
	wrong.Set("text", "")
	seat.post(findings, wrong).want(http.StatusUnprocessableEntity, "请填写", "王桂兰")
	sent := seat.post(findings, q.filing()).want(http.StatusSeeOther).location()
	if again := seat.post(findings, q.filing()).location(); again != sent {
		t.Errorf("the same form twice leads to %q and %q", sent, again)
	}
	no := q.now(sent).No
	east.get(findings).want(http.StatusOK, no, "向阳花园", "已提出")
	for _, other := range []*client{west, c2} {
		other.get(findings).want(http.StatusOK, "!"+no)
		other.get(sent).want(http.StatusNotFound)
		other.get(sent + "/paper").want(http.StatusNotFound)
	}
	west.post(sent+"/step", q.version(sent, url.Values{"event": {"accept"}})).want(http.StatusNotFound)
	seat.get(sent).want(http.StatusOK, "测温时开着电暖气", "王**", "!name=\"opinion\"", "确认撤回", "!确认不予受理")
	east.get(sent).want(http.StatusOK, "客厅 19.2 ℃", "达标", "受理后通知企业", "确认不予受理", "!name=\"opinion\"")
	east.post(sent+"/step", q.version(sent, url.Values{"event": {"reject"}})).want(http.StatusUnprocessableEntity, "data-reopen")
	stale := url.Values{"event": {"accept"}, "version": {"99"}, "_key": {"stale"}}
	east.post(sent+"/step", stale).want(http.StatusConflict)
	c1.get(sent).want(http.StatusOK, "!name=\"reason\"") // not asked yet
	east.post(sent+"/step", q.version(sent, url.Values{"event": {"accept"}})).to(sent)
	q.clock.Advance(3 * time.Hour)
	east.get(sent).want(http.StatusOK, "未答复", "复核中")
	c1.post(sent+"/answer", q.version(sent, url.Values{"reason": {""}})).want(http.StatusUnprocessableEntity)
	c1.post(sent+"/answer", q.version(sent, url.Values{"reason": {"检测时用户在场并签字"}})).to(sent)
	q.tested()
	page := east.get(sent).want(http.StatusOK, "已检测待出具", "检测机构检测", "客厅 15.7 ℃", "不达标", "已书面通知企业参检", "报告编号 检2026-7", "检测时用户在场并签字", "救济途径", "检测费用")
	for _, e := range q.now(sent).Log {
		page.want(http.StatusOK, `value="`+e.Record+`"`)
	}
	log := q.now(sent).Log
	decide := func(record, key string) url.Values {
		return q.version(sent, url.Values{"_key": {key}, "form": {"opinion"}, "prevails": {record}, "opinion": {"以检测机构结果为准"}, "cost": {"company"}})
	}
	c1.post(sent+"/decide", decide(log[0].Record, "a")).want(http.StatusForbidden)
	east.post(sent+"/decide", decide("", "b")).want(http.StatusUnprocessableEntity, "以检测机构结果为准")
	east.post(sent+"/decide", decide(log[0].Record, "c")).want(http.StatusUnprocessableEntity, "检测机构的结果优先")
	east.post(sent+"/decide", decide(log[len(log)-1].Record, "d")).to(sent)
	east.get(sent).want(http.StatusOK, "已出具意见书", "打印文书", q.now(sent).Paper.No, "!name=\"opinion\"")
	pdf := c1.get(sent + "/paper").want(http.StatusOK)
	keep(t, "finding-zh", pdf.body)
	keep(t, "finding-en", c1.get(sent+"/paper?lang=en").want(http.StatusOK).body)
	if got := pdf.header.Get("Content-Type"); got != "application/pdf" || !strings.HasPrefix(pdf.body, "%PDF-") {
		t.Errorf("the paper is %s", got)
	}
	east.get(findings).want(http.StatusOK, "!"+no)
	east.get(findings+"?all=yes").want(http.StatusOK, no, "已出具意见书")
	east.get(findings+"?all=yes&late=yes").want(http.StatusOK, "!"+no)
	east.get(findings+"/export?all=yes&format=csv").want(http.StatusOK, no, "!王桂兰")
}

// A resident objects from their receipt without scripts, takes it back, objects again and reads the issued paper.
func TestAResidentObjectsWithoutScripts(t *testing.T) {
	t.Parallel()
	q := newCourt(t)
	who := q.anyone()
	progress := residents + "/r/" + q.c.Token
	own := progress + "/objections"
	who.get(progress).want(http.StatusOK, "对测温有异议", own)
	who.get(own).want(http.StatusOK, q.m.No, "4. 您的姓名", "!13803510001")
	who.get(residents + "/r/none/objections").want(http.StatusNotFound)
	in := q.filing()
	in.Del("phone")
	in.Set("applicant", "")
	who.post(own, in).want(http.StatusUnprocessableEntity, "请填写", "测温时开着电暖气")
	in = q.filing()
	in.Set("measurement", "another")
	who.post(own, in).want(http.StatusNotFound)
	in = q.filing()
	for range 2 {
		who.post(own, in).to(own)
	}
	list, err := q.app.Findings.List(bg, districtOf, city, finding.Filter{})
	if err != nil || len(list.Items) != 1 || list.Items[0].Side != finding.User {
		t.Fatalf("%+v, %v", list.Items, err)
	}
	first := list.Items[0]
	who.get(own).want(http.StatusOK, first.No, "已提出", "撤回异议", "!4. 您的姓名", "!王桂兰")
	who.post(own+"/"+first.ID+"/withdraw", url.Values{"_key": {"w"}, "version": {"1"}, "reason": {""}}).want(http.StatusUnprocessableEntity)
	who.post(own+"/"+first.ID+"/withdraw", url.Values{"_key": {"w"}, "version": {"1"}, "reason": {"已经热了"}}).to(own)
	in.Set("_key", "again")
	who.post(own, in).to(own)
	if list, err = q.app.Findings.List(bg, districtOf, city, finding.Filter{Open: true}); err != nil || len(list.Items) != 1 {
		t.Fatalf("%+v, %v", list.Items, err)
	}
	path := findings + "/" + list.Items[0].ID
	paper := own + "/" + list.Items[0].ID + "/paper"
	who.get(paper).want(http.StatusConflict)
	q.decided(path)
	who.get(own).want(http.StatusOK, "已出具意见书", "以检测机构结果为准", "15.7 ℃", paper)
	if pdf := who.get(paper).want(http.StatusOK); !strings.HasPrefix(pdf.body, "%PDF-") {
		t.Error("the resident's copy is no PDF")
	}
}

// decided leads an objection to its paper.
func (q *court) decided(path string) {
	q.t.Helper()
	act := func() finding.Act {
		v := q.now(path)
		return finding.Act{City: city, ID: v.ID, Version: v.Version}
	}
	if _, err := q.app.Findings.Step(bg, districtOf, finding.Stepping{Act: act(), Event: finding.Accept}); err != nil {
		q.t.Fatal(err)
	}
	q.tested()
	log := q.now(path).Log
	if _, err := q.app.Findings.Decide(bg, districtOf, finding.Deciding{Act: act(), Form: finding.Opinion, Prevails: log[len(log)-1].Record, Opinion: "以检测机构结果为准", Cost: finding.Company}); err != nil {
		q.t.Fatal(err)
	}
}

// The desk, the objection before and after the paper and the resident's page, as people see them.
func TestLookOfFindings(t *testing.T) {
	t.Parallel()
	q := newCourt(t)
	b := q.browser("east")
	if b == nil {
		return
	}
	b.Expect("status of 422")
	seat := q.as("seat")
	sent := seat.post(findings, q.filing()).want(http.StatusSeeOther).location()
	b.Open(findings)
	b.Both("findings")
	b.Open(sent)
	b.Both("finding-filed")
	b.Press("受理")
	b.WaitText("已受理，已通知企业")
	q.clock.Advance(3 * time.Hour)
	q.tested()
	b.Open(sent)
	b.Press("出具")
	b.WaitText("请填写")
	b.Both("finding-wrong")
	log := q.now(sent).Log
	b.Choose("prevails", log[len(log)-1].Record)
	b.Fill("opinion", "经核查，企业检测时用户开着电暖气，检测机构的检测合规，以检测机构结果为准。")
	b.Choose("cost", "company")
	b.Press("出具")
	b.WaitText("文书已出具")
	b.Both("finding-issued")
	s := q.browser("seat")
	s.Open(findings + "/new?measurement=" + q.m.ID)
	s.Both("finding-new")
	r := q.browser("")
	r.Open(residents + "/r/" + q.c.Token + "/objections")
	r.Both("finding-own")
}
