package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/dispatch"
)

// visited is the receipt of a case whose company says that it came; two neighbours of the same unit wait too.
func visited(t *testing.T, k *town) (path, id string) {
	t.Helper()
	var first cases.Case
	for i, room := range []string{"601", "602", "702"} {
		o, err := k.app.Cases.Open(bg, seatOf, cases.Opening{
			City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "家里暖气不热", Category: "cold_home", Nature: citypack.Repair,
			Caller: cases.Party{Phone: "1390351003" + string(rune('0'+i))}, Address: "向阳花园3号楼2单元" + room, Room: room, Scope: cases.Home, TestRequest: "no",
			Details: cases.Details{Since: "今早", Neighbours: "yes", Leak: "no"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = o.Case
		}
	}
	one, err := k.app.Dispatch.Sign(bg, companyOf, dispatch.Signing{Act: actOn(first, "")})
	if err != nil {
		t.Fatal(err)
	}
	if one, err = k.app.Dispatch.Arrive(bg, companyOf, dispatch.Visit{Act: actOn(one, ""), Result: "met"}); err != nil {
		t.Fatal(err)
	}
	return residents + "/r/" + first.Token, one.ID
}

// "He says he came": the page asks, takes one answer and keeps it beside what the company says.
func TestTheCasePageAsksWhetherSomebodyCame(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		path, id := visited(t, k)
		c := k.anyone()
		page := c.get(path).want(http.StatusOK, "到过您家", "属实", "不属实", "另有 2 户", "已经着手处理", "!"+names[actor.RoleCompany])
		for _, room := range []string{"602", "702"} {
			if said := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page.body, " "); strings.Contains(said, room) { // ids in links may hold any digits
				t.Errorf("the page names a neighbour's door: %s", said)
			}
		}
		if n := zipped(t, page.body); n > 8<<10 {
			t.Errorf("the page weighs %d bytes", n)
		}
		visit := found(t, page, `name="visit" value="([^"]+)"`)
		c.post(path+"/came", url.Values{"_key": {"v0"}, "visit": {visit}}).want(http.StatusUnprocessableEntity)
		c.post(path+"/came", url.Values{"_key": {"v1"}, "visit": {visit}, "true": {"no"}}).to(path)
		c.post(path+"/came", url.Values{"_key": {"v2"}, "visit": {visit}, "true": {"yes"}}).want(http.StatusConflict)
		c.post(residents+"/r/"+strings.Repeat("x", 24)+"/came", url.Values{"_key": {"v3"}, "visit": {visit}, "true": {"no"}}).want(http.StatusNotFound)
		c.get(path).want(http.StatusOK, "您说：不属实", `!name="visit"`)
		got, err := k.app.Cases.Get(bg, seatOf, city, id)
		if err != nil || got.UntrueVisits != 1 {
			t.Errorf("%d untrue visits, %v; want 1", got.UntrueVisits, err)
		}
	})
}

func TestTheVisitOnATelephone(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	b := k.browser("")
	if b == nil {
		return
	}
	path, _ := visited(t, k)
	for _, size := range []struct {
		w, h int64
		at   string
		name string
	}{{1440, 900, "?text=18", "m-visit-1440"}, {390, 844, "?text=30", "m-visit-390-30"}, {390, 844, "?text=18", "m-visit-390"}} {
		b.Size(size.w, size.h)
		b.Open(path + size.at)
		b.WaitText("到过您家")
		b.NoSideways(size.name)
		b.Axe(size.name)
		b.Shot(size.name)
	}
	b.Press("不属实")
	b.WaitText("您说：不属实")
	b.Axe("m-visit-said")
}
