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
	k, areas := newAreas(t, dbtest.SQLite(t))
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
