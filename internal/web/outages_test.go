package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/staff"
)

// newNetwork is a town whose companies have a station each, with somebody of both companies and of the centre.
func newNetwork(t testing.TB) *town {
	t.Helper()
	return newNetworkWith(t, config.Config{})
}

// newNetworkWith is the same on the database of the settings.
func newNetworkWith(t testing.TB, on config.Config) *town {
	t.Helper()
	k := newTownWith(t, on)
	err := db.Do(bg, k.d, func(tx *db.Tx) error {
		for code, company := range map[string]string{"S1": "C1", "S2": "C2"} {
			if err := place.NoteStationIn(bg, tx, place.Station{City: city, Code: code, Name: code + "站", Company: company, Version: 1}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	k.person("c1", actor.RoleCompany)
	k.rival("c2")
	k.person("leader", actor.RoleLeader)
	return k
}

// rival makes somebody of the other company.
func (k *town) rival(login string) {
	k.t.Helper()
	p, err := k.app.Staff.CreatePerson(bg, k.root, staff.NewPerson{
		City: city, Login: login, Name: "孙二热", Org: "C2", Password: good + "x", Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{"C2"}}},
	})
	if err == nil {
		err = k.app.Staff.SetPassword(bg, actor.Actor{ID: p.ID, Kind: actor.Person}, staff.PasswordChange{Person: p.ID, Current: good + "x", New: good})
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

// caseAt takes a case in by telephone.
func (k *town) caseAt(address string) cases.Case {
	k.t.Helper()
	o, err := k.app.Cases.Open(context.Background(), seatOf, cases.Opening{
		City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "家里暖气不热，室温只有15度", Category: "cold_home", Nature: citypack.Repair,
		Caller: cases.Party{Name: "王桂兰", Phone: "13803510001"}, Address: address, Room: "601", Scope: cases.Home, TestRequest: "yes",
		Details: cases.Details{Since: "昨晚", Neighbours: "no", Leak: "no"},
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return o.Case
}

// reported is a sudden stop of one of the first company's estates.
func (k *town) reported() outage.View {
	k.t.Helper()
	return k.stopped(companyOf, "C1", "向阳花园", "一次网泄漏")
}

// stopped is a sudden stop of an estate, reported by its company.
func (k *town) stopped(by actor.Actor, company, estate, reason string) outage.View {
	k.t.Helper()
	v, err := k.app.Outages.Report(bg, by, outage.Report{
		City: city, Company: company, Kind: outage.Sudden, Reason: reason, Until: k.clock.Now().Add(6 * time.Hour), Scope: []outage.Scope{{Community: k.estate(estate)}},
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return v
}

// estate is a community by its name.
func (k *town) estate(name string) string {
	k.t.Helper()
	list, err := k.app.Places.Communities(bg, seatOf, city, place.CommunityFilter{Query: name})
	if err != nil || len(list.Items) != 1 {
		k.t.Fatalf("%s: %v %v", name, list.Items, err)
	}
	return list.Items[0].ID
}

func TestReportAStop(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newNetworkWith(t, on)
		c1 := k.as("c1")
		c1.get("/c/990100/outages").want(200, "没有符合条件的停热", "报备停热")
		c1.get("/c/990100/outages/new").want(200, "一热供热有限公司", "S1站", "!S2站", "!二热供热")
		in := url.Values{"company": {"C1"}, "kind": {"sudden"}, "reason": {""}, "lines": {"没有这里"}, "_key": {"a"}}
		c1.post("/c/990100/outages", in).want(422, "没有这个小区或换热站", "没有这里")
		in.Set("lines", "明月里 1")
		c1.post("/c/990100/outages", in).want(422, "请填写")
		in.Set("reason", "换热站水泵故障")
		c1.post("/c/990100/outages", in).want(422, "明月里 1", "这里不由该企业供热")
		in.Set("lines", "幸福里")
		c1.post("/c/990100/outages", in).want(422, "请在前面写上区名")
		in.Set("lines", "东城区 幸福里\n向阳花园 3号楼\nS1 高区")
		made := c1.post("/c/990100/outages", in)
		made.want(http.StatusSeeOther)
		path := made.header.Get("Location")
		if again := c1.post("/c/990100/outages", in).header.Get("Location"); again != path {
			t.Errorf("the same form twice made %s and %s", path, again)
		}
		c1.get(path).want(200, "换热站水泵故障", "向阳花园 3号楼", "S1", "高区", "提前告知核对", "影响户数")
		c1.get("/c/990100/outages").want(200, "换热站水泵故障", "突发停热")
		c1.get("/c/990100/outages?company=C2").want(200, "!换热站水泵故障")
		if got := c1.get("/c/990100/outages/export?format=csv").want(200, "换热站水泵故障"); !strings.HasPrefix(got.header.Get("Content-Type"), "text/csv") {
			t.Error(got.header)
		}
		c2 := k.as("c2")
		c2.get(path).want(404)
		c2.get("/c/990100/outages?all=yes").want(200, "!换热站水泵故障")
		in.Set("_key", "b")
		c2.post("/c/990100/outages", in).want(403)
		k.person("seat", actor.RoleSeat)
		k.as("seat").get(path).want(200, "换热站水泵故障", "!name=\"event\"")
		k.as("seat").get("/c/990100/outages/new").want(403)
	})
}

func TestAStopMovesOn(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newNetworkWith(t, on)
		o := k.reported()
		c1, path := k.as("c1"), "/c/990100/outages/"+o.ID
		act := func(event string, more ...string) url.Values {
			v := url.Values{"event": {event}, "version": {"1"}, "_key": {event}}
			for i := 0; i+1 < len(more); i += 2 {
				v.Set(more[i], more[i+1])
			}
			return v
		}
		c1.post(path+"/change", act("reschedule")).want(422, "请填写")
		c1.post(path+"/change", act("begin", "text", "已到现场")).to(path)
		c1.get(path).want(200, "抢修中", "已到现场")
		c1.post(path+"/change", act("say", "text", "关阀完成")).want(409, "关阀完成")
		k.as("c2").post(path+"/change", act("say", "text", "x")).want(404)
		c := k.caseAt("明月里1号楼2单元601")
		leader := k.as("leader")
		leader.post(path+"/link", url.Values{"cases": {"没有的"}}).want(422, "没有找到工单")
		leader.post(path+"/link", url.Values{"cases": {c.No}}).to(path)
		leader.get(path).want(200, c.No, "取消关联")
		c1.get(path).want(200, "!"+c.No, "另有 1 件")
		c1.post(path+"/link", url.Values{"cases": {c.No}}).want(403)
		leader.post(path+"/unlink", url.Values{"case": {c.ID}}).to(path)
		leader.get(path).want(200, "!取消关联 "+c.No)
	})
}

func TestStopsInABrowser(t *testing.T) {
	t.Parallel()
	k := newNetwork(t)
	b := k.browser("c1")
	if b == nil {
		return
	}
	b.Expect("status of 422")
	o := k.reported()
	for range 2 {
		k.caseAt("向阳花园3号楼2单元601")
	}
	b.Open("/c/990100/outages")
	b.WaitText("一次网泄漏")
	b.Both("outages")
	b.Open("/c/990100/outages/new")
	b.Press("提交报备")
	b.WaitText("没有填好")
	b.Both("outage-new-wrong")
	b.Open("/c/990100/outages/" + o.ID)
	b.WaitText("提前告知核对")
	b.Both("outage")
	b.Choose("event", "begin")
	b.Press("提交")
	b.WaitText("抢修中")
	l := k.browser("leader")
	l.Open("/c/990100/outages/" + o.ID)
	l.WaitText("工单编号")
	l.Both("outage-leader")
}
