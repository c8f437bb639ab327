package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/config"
)

// A resident complains about the seat that took their call: the supervisor answers it, the seat finds no trace of it.
func TestAComplaintAboutASeatIsRoutedAway(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		k.person("seat", actor.RoleSeat)
		k.person("supervisor", actor.RoleSupervisor)
		k.person("company", actor.RoleCompany)
		seat, supervisor := k.as("seat"), k.as("supervisor")
		c := k.taken(seat.post(seatPath, call()))
		m := k.anyone()
		page := "/c/990100/m/r/" + c.Token
		m.get(page).want(http.StatusOK, "投诉工作人员")
		m.get(page+"/complain").want(http.StatusOK, "接听您来电的工作人员", "!"+names[actor.RoleSeat])
		m.post(page+"/complain", url.Values{"_key": {"c0"}, "ref": {"intake"}}).want(http.StatusUnprocessableEntity, "请填写此项")
		form := url.Values{"_key": {"c1"}, "ref": {"intake"}, "text": {"接线员不耐烦，挂断了电话"}}
		to := m.post(page+"/complain", form).want(http.StatusSeeOther).location()
		m.get(to).want(http.StatusOK, "投诉已收到")
		token := strings.TrimSuffix(to[strings.LastIndex(to, "/")+1:], "?new=1")
		own, err := k.app.Cases.ByToken(bg, city, token)
		if err != nil {
			t.Fatal(err)
		}
		list := "/c/990100/cases"
		for _, who := range []string{"seat", "company"} {
			b := k.as(who)
			b.get(list + "/" + own.ID).want(http.StatusNotFound)
			for _, q := range []string{"", "?flag=staff", "?q=" + own.No, "?q=%E6%8E%A5%E7%BA%BF%E5%91%98", "?nature=complaint", "?state=open"} {
				b.get(list+q).want(http.StatusOK, "!"+own.ID)
			}
		}
		supervisor.get(list+"?flag=staff").want(http.StatusOK, own.No)
		supervisor.get(list+"/"+own.ID).want(http.StatusOK, "投诉对象", names[actor.RoleSeat], "投诉处理答复")
		supervisor.post(list+"/"+own.ID+"/redress", url.Values{"_key": {"r1"}, "version": {"1"}, "answer": {"已核实并批评教育，向您道歉"}}).want(http.StatusSeeOther)
		m.get("/c/990100/m/r/"+token).want(http.StatusOK, "已核实并批评教育")
		if again, err := k.app.Cases.Get(bg, k.root, city, own.ID); err != nil || again.Status != cases.Answered {
			t.Errorf("after the answer: %s, %v", again.Status, err)
		}
	})
}

// A seat takes a complaint about a company down: it is told the number and nothing more.
func TestASeatTakesAComplaintAboutStaffDown(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("seat", actor.RoleSeat)
	k.person("head", actor.RoleSectionHead)
	seat := k.as("seat")
	done := seat.post(seatPath, call("about.org", "C1", "about.person", "没有这个人", "details.since", "", "text", "来人态度恶劣"))
	done.want(http.StatusUnprocessableEntity, "该单位没有这个人")
	to := seat.post(seatPath, call("about.org", "C1", "text", "来人态度恶劣", "_key", "k2")).want(http.StatusSeeOther).location()
	seat.get(to).want(http.StatusOK, "转监督人员处理")
	head := k.as("head")
	head.get("/c/990100/handlers").want(http.StatusOK, "投诉受理人", "监督人员")
	k.person("company", actor.RoleCompany)
	head.post("/c/990100/handlers", url.Values{"_key": {"h1"}, "org": {"C1|0"}, "person": {"company"}}).want(http.StatusSeeOther)
	head.post("/c/990100/handlers", url.Values{"_key": {"h2"}, "org": {"C1|0"}, "person": {""}}).want(http.StatusConflict)
	head.post("/c/990100/handlers", url.Values{"_key": {"h3"}, "org": {"C1|1"}, "person": {"nobody"}}).want(http.StatusUnprocessableEntity)
}
