package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/dispatch"
)

// comes gives a matter to a worker with a picture on the badge.
func (k *hallTown) comes(c cases.Case) {
	k.t.Helper()
	worker := k.person("worker", actor.RoleWorker)
	signed, err := k.app.Dispatch.Sign(bg, companyOf, dispatch.Signing{Act: actOn(c, "")})
	if err == nil {
		_, err = k.app.Dispatch.Assign(bg, companyOf, dispatch.Assigning{Act: actOn(signed, ""), Worker: worker.ID})
	}
	if err != nil {
		k.t.Fatal(err)
	}
	k.as("worker").files("/account/portrait", url.Values{"_key": {"p"}}, "photo", [][]byte{jpegOf(k.t, 120, 90)}).to("/account")
}

// TestWhoComes: once a worker has the matter, the resident reads the worker's name and sees the picture on the badge, which the
// worker put there; nobody else sees it, and a file that only pretends to be a picture is refused.
func TestWhoComes(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	worker := k.person("worker", actor.RoleWorker)
	k.person("seat", actor.RoleSeat)
	c := k.enter(holder)
	c.post(residents+"/bind", url.Values{"_key": {"2"}, "account": {"A1001"}}).to(residents + "/home")
	c.post(residents+"/report", reported("_key", "r", "phone", holder)).want(http.StatusSeeOther)
	one := k.only()
	signed, err := k.app.Dispatch.Sign(bg, companyOf, dispatch.Signing{Act: actOn(one, "")})
	if err != nil {
		t.Fatal(err)
	}
	photo := residents + "/home/visitor/" + one.ID
	c.get(residents+"/home").want(http.StatusOK, "上门核对码", "!<span>上门人员")
	c.get(photo).want(http.StatusNotFound)
	if _, err := k.app.Dispatch.Assign(bg, companyOf, dispatch.Assigning{Act: actOn(signed, ""), Worker: worker.ID}); err != nil {
		t.Fatal(err)
	}
	c.get(residents+"/home").want(http.StatusOK, "<span>上门人员", worker.Name, "!visitor/")

	w := k.as("worker")
	w.get("/account").want(http.StatusOK, "工牌照片", "!去掉照片")
	k.as("seat").get("/account").want(http.StatusOK, "!工牌照片")
	w.files("/account/portrait", url.Values{"_key": {"p0"}}, "photo", nil).want(http.StatusUnprocessableEntity, "照片")
	w.files("/account/portrait", url.Values{"_key": {"p1"}}, "photo", [][]byte{[]byte("<svg xmlns='http://www.w3.org/2000/svg'/>")}).want(http.StatusUnprocessableEntity, "照片")
	w.files("/account/portrait", url.Values{"_key": {"p2"}}, "photo", [][]byte{jpegOf(t, 120, 90)}).to("/account")
	w.get("/account").want(http.StatusOK, `src="/account/portrait"`, "去掉照片")
	c.get(residents+"/home").want(http.StatusOK, worker.Name, "visitor/"+one.ID)
	got := c.get(photo).want(http.StatusOK)
	if kind := got.header.Get("Content-Type"); !strings.HasPrefix(kind, "image/") || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the picture came as %s, %s", kind, got.header.Get("Cache-Control"))
	}
	k.enter(child).get(photo).want(http.StatusNotFound)
	k.anyone().get(photo).want(http.StatusSeeOther)

	w.post("/account/portrait", url.Values{"_key": {"p3"}, "drop": {"true"}}).to("/account")
	c.get(photo).want(http.StatusNotFound)
	c.get(residents+"/home").want(http.StatusOK, worker.Name, "!visitor/")
}
