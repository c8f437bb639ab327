package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
)

const places = tests + "/capacity"

// offered are the windows on a resident's page.
func offered(t *testing.T, page answer) []string {
	t.Helper()
	var out []string
	for _, one := range regexp.MustCompile(`name="window" value="([^"]+)"`).FindAllStringSubmatch(page.body, -1) {
		out = append(out, one[1])
	}
	if len(out) < 6 {
		t.Fatalf("offered: %v", out)
	}
	return out
}

// The company sets its places, the resident chooses without scripts, moves the time and gives it back; the company sees it all.
func TestAResidentChoosesWhenTheyCome(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	m, receipt := k.tested()
	k.person("company", actor.RoleCompany)
	k.person("seat", actor.RoleSeat)
	c, r := k.as("company"), k.anyone()
	c.get(tests+"/calendar").want(http.StatusOK, `href="`+places+`"`)
	c.get(places).want(http.StatusOK, "可约户数", "还没有设定", `name="weekdays"`)
	c.get(places+"?lang=en").want(http.StatusOK, "Places to choose", "None is set yet", "whole company", "!measurepage.")
	c.get(places + "?lang=zh").want(http.StatusOK)
	c.post(places, url.Values{"_key": {"a"}, "version": {"0"}, "places": {"700"}, "day": {"2020-01-01"}}).want(http.StatusUnprocessableEntity, "还有 3 处没有填好", `value="700"`)
	c.post(places, url.Values{"_key": {"b"}, "version": {"0"}, "places": {"1"}, "parts": {"am", "pm", "eve"}}).to(places)
	c.post(places, url.Values{"_key": {"c"}, "version": {"0"}, "places": {"2"}, "parts": {"am"}}).want(http.StatusConflict)
	sunday := url.Values{"_key": {"d"}, "version": {"1"}, "places": {"0"}, "parts": {"am", "pm"}, "weekdays": {"6", "7"}}
	c.post(places, sunday).to(places)
	c.get(places).want(http.StatusOK, "每天", "周日", "0 / 1 户", "约满")
	c.post(places, url.Values{"_key": {"e"}, "version": {"2"}, "parts": {"am"}, "weekdays": {"7"}}).to(places)
	k.as("seat").get(places).want(http.StatusOK, "请先选供热企业", `!name="weekdays"`)
	k.as("seat").get(places+"?company=C1").want(http.StatusOK, "现行可约户数", `!name="weekdays"`)

	list := offered(t, r.get(receipt).want(http.StatusOK, "选择上门时间", "余 1 个"))
	choose := func(key, window string) answer {
		return r.post(receipt+"/measure/choose", url.Values{"_key": {key}, "measurement": {m.ID}, "window": {window}})
	}
	choose("w0", "").want(http.StatusUnprocessableEntity, "请选一个上门时段")
	choose("w1", list[2]).to(receipt)
	r.get(receipt).want(http.StatusOK, "已约定上门时间", "改时间", "取消这次约定")
	c.get(tests+"/calendar").want(http.StatusOK, "已约定", "向阳花园")
	c.get(places).want(http.StatusOK, "1 / 1 户")
	choose("w2", list[3]).to(receipt)
	c.get(places).want(http.StatusOK, "1 / 1 户")
	r.post(receipt+"/measure/calloff", url.Values{"_key": {"w3"}, "measurement": {m.ID}}).to(receipt)
	r.get(receipt).want(http.StatusOK, "选择上门时间", "!取消这次约定（仍须上门）")
	c.get(places).want(http.StatusOK, "!1 / 1 户")
	r.post(receipt+"/measure/calloff", url.Values{"_key": {"w4"}, "measurement": {m.ID}}).want(http.StatusConflict)
}

// The same on the screens of both: the company at its desk, the resident with a telephone.
func TestWindowsInABrowser(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	_, receipt := k.tested()
	k.person("company", actor.RoleCompany)
	b := k.browser("company")
	if b == nil {
		return
	}
	b.Open(tests + "/calendar")
	b.Press("可约户数")
	b.WaitText("还没有设定")
	b.Click(`[name=parts][value=am]`)
	b.Click(`[name=parts][value=pm]`)
	b.Fill("places", "3")
	b.Press("保存")
	b.WaitText("可约户数已更新")
	b.Both("measure-capacity")
	b.Size(390, 844)
	b.Open(receipt)
	b.WaitText("选择上门时间")
	b.Both("measure-own-windows")
	b.Size(390, 844)
	b.Click(`label:has([name=window]):nth-of-type(4)`)
	b.Press("就约这个时间")
	b.WaitText("已约定上门时间")
	b.Both("measure-own-chosen")
	b.Size(390, 844)
	b.Press("改时间")
	b.Click(`label:has([name=window]):nth-of-type(5)`)
	b.Eval("window.before = true")
	b.Press("就约这个时间")
	b.WaitJS("!window.before")
	b.Ready()
	b.WaitText("已约定上门时间")
	b.Open(tests + "/calendar")
	b.WaitText("已约定")
	b.Open(receipt)
	b.Press("取消这次约定")
	b.WaitText("已取消约定")
	b.WaitText("选择上门时间")
}

// An operator reads the next free times to a caller and takes one down.
func TestASeatChoosesForACaller(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	m, receipt := k.tested()
	k.person("seat", actor.RoleSeat)
	s, path := k.as("seat"), tests+"/"+m.ID
	s.get(path).want(http.StatusOK, "替来电人选时段")
	page := s.get(path+"/choose").want(http.StatusOK, "可读给来电人", "录音编号")
	s.get(path+"/choose?lang=en").want(http.StatusOK, "To read out", "morning", "!measurepage.")
	s.get(path + "?lang=zh").want(http.StatusOK)
	list, version := offered(t, page), found(t, page, `name="version" value="([^"]+)"`)
	form := url.Values{"_key": {"c1"}, "version": {version}, "window": {list[2]}}
	s.post(path+"/choose", form).want(http.StatusUnprocessableEntity, "录音编号")
	form.Set("_key", "c2")
	form.Set("recording", "REC-9")
	s.post(path+"/choose", form).to(path)
	s.get(path).want(http.StatusOK, "已约定", "REC-9")
	k.anyone().get(receipt).want(http.StatusOK, "已约定上门时间")
	form.Set("_key", "c3")
	s.post(path+"/choose", form).want(http.StatusConflict, "可读给来电人")
}
