package web_test

import (
	"net/http"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
)

// TestTwoEstatesThatAreTakenForEachOther: once somebody says so, calls about either wait for a person, until it is taken back.
func TestTwoEstatesThatAreTakenForEachOther(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("dispatcher", actor.RoleDispatcher)
	k.person("seat", actor.RoleSeat)
	d, s := k.as("dispatcher"), k.as("seat")
	found := func(typed string) string {
		t.Helper()
		got, err := k.app.Territory.Suggest(bg, seatOf, city, typed, 1)
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		return got[0].CommunityID
	}
	sun, moon := found("向阳花园"), found("明月里")
	page := "/c/990100/places/" + sun
	s.get(page).want(http.StatusOK, "!标记易混淆")
	s.get(page + "/confusable").want(http.StatusForbidden)
	d.get(page).want(http.StatusOK, "没有与本小区易混淆的小区", page+"/confusable")
	d.get(page+"/confusable").want(http.StatusOK, "先查找")
	d.get(page+"/confusable?q=天上人间").want(http.StatusOK, "没有找到")
	d.get(page+"/confusable?q=向阳").want(http.StatusOK, "没有找到") // not with itself
	d.get(page+"/confusable?q=myl").want(http.StatusOK, "西城区", "明月里", "二热供热有限公司", moon)
	d.post(page+"/confusable", call("q", "明月", "b", "", "_key", "m0")).want(http.StatusUnprocessableEntity, "明月里")
	d.post(page+"/confusable", call("q", "明月", "b", moon, "note", "一个在河东", "_key", "m1")).to(page)
	s.get(page).want(http.StatusOK, "易混淆小区", "明月里", "!取消易混淆")
	s.post(seatPath+"/live", call(), "HX-Request", "true").want(http.StatusOK, "明月里")
	if c := k.taken(s.post(seatPath, call("_key", "c1", "address", "向阳花园5号楼603", "building", "5", "unit", ""))); c.Company != "" {
		t.Errorf("dispatched to %s though the estates are confused", c.Company)
	}
	d.post("/c/990100/territory/doubts/unmark", call("a", sun, "b", moon, "_key", "u1")).want(http.StatusSeeOther)
	if c := k.taken(s.post(seatPath, call("_key", "c2", "caller.phone", "13903510077", "address", "向阳花园5号楼701", "building", "5", "unit", "", "room", "701"))); c.Company != "C1" {
		t.Errorf("no longer confused, but with %q", c.Company)
	}
}
