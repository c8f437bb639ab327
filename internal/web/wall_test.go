package web_test

import (
	"net/http"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/basemap"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/stats"
	"github.com/rehu-heat/rehu/internal/weather"
	"github.com/rehu-heat/rehu/internal/web"
)

const river = `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"kind":"river","name":"汀河"},
	"geometry":{"type":"LineString","coordinates":[[116.30,39.90],[116.40,39.91]]}}]}`

// newWall is a desk with everything that the wall shows.
func newWall(t *testing.T) *desk {
	t.Helper()
	d := dbtest.SQLite(t)
	outside, under := weather.New(d), basemap.New(d)
	k := newDesk(t, d, func(o *web.Options) {
		o.Deps.Stats, o.Deps.Weather, o.Deps.BaseMaps = stats.New(d, nil), outside, under
	})
	today := k.clock.Now().Date()
	err := outside.Record(bg, k.root, weather.Record{City: city, Source: "台", Readings: []weather.Reading{{At: civil.On(today, 0, 0), C: -123}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := under.Replace(bg, k.root, basemap.Replacing{City: city, Body: []byte(river)}); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestWall(t *testing.T) {
	t.Parallel()
	k := newWall(t)
	k.person("regulator", actor.RoleRegulator)
	k.person("seat", actor.RoleSeat)
	k.person("company", actor.RoleCompany)
	c := k.as("regulator")
	shown := c.get("/c/990100/wall").want(http.StatusOK, "运行态势", "-12.3℃", "今日来件", "!<script", "!1380", "!138*")
	if got := shown.header.Get("Refresh"); got != "30" {
		t.Errorf("it loads itself again after %q seconds, want 30", got)
	}
	if got := c.get("/c/990100/wall?hold=yes").want(http.StatusOK, "已停止刷新").header.Get("Refresh"); got != "" {
		t.Errorf("stopped, it loads itself again after %q seconds", got)
	}
	k.as("seat").get("/c/990100/wall").want(http.StatusForbidden)
	k.as("company").get("/c/990100/wall").want(http.StatusForbidden)
	c.get("/c/990100/stats").want(http.StatusOK, "今日来件（每小时）", "各时限按周及时率", "/c/990100/wall")
	for _, sheet := range []string{"hours", "days", "weeks", "companies", "categories", "channels"} {
		c.get("/c/990100/stats/export?sheet=" + sheet).want(http.StatusOK)
	}
	c.get("/c/990100/stats/export?sheet=hours").want(http.StatusOK, "昨日", "\n23,")
	c.get("/c/990100/stats/export?sheet=never").want(http.StatusNotFound)
	k.as("seat").get("/c/990100/stats/export?sheet=hours").want(http.StatusForbidden)
}

func TestBaseMap(t *testing.T) {
	t.Parallel()
	k := newWall(t)
	k.person("seat", actor.RoleSeat)
	k.person("worker", actor.RoleWorker)
	k.as("seat").get("/c/990100/map/base").want(http.StatusOK, `"kind":"river"`, "汀河")
	k.as("worker").get("/c/990100/map/base").want(http.StatusForbidden, "!汀河")
}

// In summer nothing is open, and the screen says when heat begins.
func TestWallInSummer(t *testing.T) {
	t.Parallel()
	k := newWall(t)
	k.person("regulator", actor.RoleRegulator)
	k.clock.Set(civil.On(civil.NewDate(2026, 7, 1), 9, 0))
	k.as("regulator").get("/c/990100/wall").want(http.StatusOK, "现在不在采暖期", "!未签收")
}

func TestWallInABrowser(t *testing.T) {
	t.Parallel()
	k := newWall(t)
	k.person("regulator", actor.RoleRegulator)
	b := k.browser("regulator")
	if b == nil {
		return
	}
	b.Open("/c/990100/wall?lang=zh")
	b.WaitText("运行态势")
	b.Both("wall")
	b.Open("/c/990100/stats")
	b.WaitText("各时限按周及时率")
	b.Both("supervision")
}
