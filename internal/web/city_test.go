package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/web"
)

// newAreas is a desk whose city has lists: two communities of two companies, one of which changes hands, and two flats.
func newAreas(t *testing.T, d *db.DB) (k *desk, areas *territory.Service) {
	t.Helper()
	ring, err := secret.ParseRing("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		t.Fatal(err)
	}
	places := place.New(d, ring)
	areas = territory.NewService(d, places, time.Now)
	k = newDesk(t, d, func(o *web.Options) { o.Deps.Places, o.Deps.Territory = places, areas })
	lists := register.New(register.Options{DB: d, Ring: ring, Places: places, Territories: areas})
	for _, one := range []struct {
		kind    place.Kind
		version string
		from    civil.Date
		content string
	}{
		{place.Companies, "", civil.Date{}, "code,name\nC1,一热供热有限公司\nC2,二热供热有限公司\n"},
		{place.Communities, "2024-2025", civil.Date{}, "name,district,company,area\n向阳花园,东城区,C1,A1\n明月里,西城区,C2,A2\n"},
		{place.Communities, "2025-2026", civil.NewDate(2025, 10, 1), "name,district,company,area\n向阳花园,东城区,C2,A2\n明月里,西城区,C2,A2\n"},
		{place.Households, "", civil.Date{}, "account,community,building,unit,room,heat_status\nH1,明月里,3号楼,1,101,on\nH2,明月里,3号楼,1,201,suspended\n"},
	} {
		r, err := lists.Import(bg, k.root, register.Request{City: city, Kind: one.kind, Version: one.version, From: one.from, Name: "list.csv"}, strings.NewReader(one.content))
		if err != nil {
			t.Fatalf("%s: %v %+v", one.kind, err, r)
		}
	}
	return k, areas
}

// idOf is a community's id.
func idOf(t *testing.T, areas *territory.Service, name string) string {
	t.Helper()
	list, err := areas.Served(bg, actor.SystemFor("test", actor.Command), city, territory.ServedFilter{Query: name})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("%s: %v %v", name, list.Items, err)
	}
	return list.Items[0].ID
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, testPlaces)
}

func testPlaces(t *testing.T, d *db.DB) {
	k, areas := newAreas(t, d)
	k.person("dispatcher", actor.RoleDispatcher)
	k.person("company", actor.RoleCompany) // C1
	k.person("seat", actor.RoleSeat)
	c := k.as("dispatcher")
	c.get("/c/990100/places").want(http.StatusOK, "<!doctype html>", "向阳花园", "明月里", "二热供热有限公司")
	c.get("/c/990100/places?q=myl", "HX-Request", "true").want(http.StatusOK, "明月里", "!向阳花园", "!<html")
	c.get("/c/990100/places?company=C1").want(http.StatusOK, "没有符合条件的小区")
	moon := "/c/990100/places/" + idOf(t, areas, "明月里")
	c.get(moon).want(http.StatusOK, "二热供热有限公司", "3 号楼", "2 户")
	c.get(moon+"/3").want(http.StatusOK, "101", "正常", "报停", "逐户情况", "H2")
	c.get(moon + "/9").want(http.StatusNotFound)
	c.get("/c/990100/places/nowhere").want(http.StatusNotFound)
	other := k.as("company") // the households are another company's
	other.get(moon).want(http.StatusOK, "!3 号楼")
	other.get(moon+"/3").want(http.StatusNotFound, "!H1")
}

func TestMapOfAreas(t *testing.T) {
	t.Parallel()
	k, _ := newAreas(t, dbtest.SQLite(t))
	k.person("dispatcher", actor.RoleDispatcher)
	c := k.as("dispatcher")
	c.get("/c/990100/map").want(http.StatusOK, "供热辖区图", "2025-2026（现行）")
	c.get("/c/990100/map/shapes?cases=yes").want(http.StatusOK, "FeatureCollection")
	c.get("/c/990100/map?version=never").want(http.StatusNotFound)
	c.get("/c/990100/map/export?format=csv").want(http.StatusOK, "辖区编号")
}

func TestVersionsAndDiff(t *testing.T) {
	t.Parallel()
	k, _ := newAreas(t, dbtest.SQLite(t))
	k.person("dispatcher", actor.RoleDispatcher)
	c := k.as("dispatcher")
	c.get("/c/990100/territory").want(http.StatusOK, "2024-2025", "1 个小区换企业", "向阳花园", "未确认")
	c.get("/c/990100/territory?from=2025-2026&to=2024-2025").want(http.StatusUnprocessableEntity, "不晚于")
	c.get("/c/990100/territory/export?format=csv").want(http.StatusOK, "向阳花园", "一热供热有限公司", "二热供热有限公司")
	c.get("/c/990100/territory?from=a&to=b").want(http.StatusNotFound)
	c.get("/c/990100/territory/doubts").want(http.StatusOK)
	c.get("/c/990100/territory/doubts/export").want(http.StatusOK, "要问的话")
	c.get("/c/990100/territory/rules").want(http.StatusOK, "还没有记下的确权结论")
	c.post("/c/990100/territory/rules/none/withdraw", url.Values{"version": {"1"}, "_key": {"k"}}).want(http.StatusNotFound)
}

func TestClaims(t *testing.T) {
	t.Parallel()
	k, areas := newAreas(t, dbtest.SQLite(t))
	k.person("head", actor.RoleSectionHead)
	k.person("company", actor.RoleCompany) // C1
	k.person("dispatcher", actor.RoleDispatcher)
	h, c := k.as("head"), k.as("company")
	h.get("/c/990100/claims").want(http.StatusOK, "还没有开始辖区认领", "开始新一轮认领")
	h.post("/c/990100/claims", url.Values{"season": {""}, "deadline": {""}, "_key": {"a"}}).want(http.StatusUnprocessableEntity, "没有填好")
	h.post("/c/990100/claims", url.Values{"season": {"2026-2027"}, "deadline": {"2027-09-01T00:00"}, "_key": {"b"}}).to("/c/990100/claims")
	rounds, err := areas.Rounds(bg, k.root, city)
	if err != nil || len(rounds) != 1 {
		t.Fatal(rounds, err)
	}
	sun := idOf(t, areas, "向阳花园")
	round := "/c/990100/claims/" + rounds[0].ID
	c.get("/c/990100/claims").want(http.StatusOK, "认领所选", "空白", "!公布为辖区版本")
	c.post(round+"/claim", url.Values{"communities": {sun}, "_key": {"c"}}).to("/c/990100/claims")
	c.get("/c/990100/claims?state=handover").want(http.StatusOK, "新认领 1 个小区", "向阳花园", "移交待签", "!明月里")
	line := c.get(round+"/"+sun).want(http.StatusOK, "签认移交", "一热供热有限公司", "!裁定说明")
	if !strings.Contains(line.body, `name="version"`) {
		t.Error("signing does not name the version that was seen")
	}
	h.post(round+"/"+sun+"/decide", url.Values{"company": {"C1"}, "note": {""}, "version": {"2"}, "_key": {"d"}}).want(http.StatusUnprocessableEntity, "没有填好")
	c.post(round+"/"+sun+"/sign", url.Values{"version": {"2"}, "_key": {"e"}}).to(round + "/" + sun)
	h.post(round+"/"+sun+"/decide", url.Values{"company": {"C1"}, "note": {"纪要一"}, "version": {"2"}, "_key": {"f"}}).want(http.StatusConflict, "纪要一")
	h.post(round+"/"+sun+"/decide", url.Values{"company": {"C1"}, "note": {"会议纪要第三号"}, "version": {"3"}, "_key": {"g"}}).to(round + "/" + sun)
	h.get("/c/990100/claims/export?format=csv").want(http.StatusOK, "会议纪要第三号", "明月里")
	c.post(round+"/unclaim", url.Values{"communities": {sun}, "_key": {"h"}}).to("/c/990100/claims")
	c.post(round+"/kept", url.Values{"_key": {"i"}}).to("/c/990100/claims")
	h.post(round+"/publish", url.Values{"code": {""}, "from": {""}, "version": {"2"}, "_key": {"j"}}).want(http.StatusUnprocessableEntity)
	h.get(round + "/nowhere").want(http.StatusNotFound)
	c.post(round+"/publish", url.Values{}).want(http.StatusForbidden)
	k.as("dispatcher").get("/c/990100/claims").want(http.StatusForbidden)
}
