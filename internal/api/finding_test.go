package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/page"
)

// An objection through the door, from the seat's filing over the company's word to the printed paper, and the same through
// the key of another company and of another district.
func TestObjectionThroughTheDoor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	seat, c1, c2 := h.key("seat", grant(actor.RoleSeat)), h.key("C1", grant(actor.RoleCompany, "C1")), h.key("C2", grant(actor.RoleCompany, "C2"))
	east := h.key("east", actor.Grant{Role: actor.RoleDistrict, City: city, Districts: []string{"东城区"}})
	west := h.key("west", actor.Grant{Role: actor.RoleDistrict, City: city, Districts: []string{"西城区"}})
	c := h.opened(func(in *cases.Opening) { in.TestRequest = "yes" })
	m := into[page.Of[measure.Measurement]](h.get(v1+"/measurements?case="+c.ID, "Authorization", "Bearer "+c1).want(http.StatusOK)).Items[0]
	in := finding.Filing{Measurement: m.ID, Ground: finding.Absent, Way: finding.Complaint, Text: "约好没来", Applicant: "王桂兰", Phone: "13800002231"}
	h.post(c2, v1+"/findings", in).want(http.StatusUnprocessableEntity) // a company does not object to its absence
	h.post(seat, v1+"/findings", finding.Filing{Measurement: m.ID}).want(http.StatusUnprocessableEntity)
	f := into[finding.View](h.post(seat, v1+"/findings", in).want(http.StatusCreated))
	h.post(seat, v1+"/findings", in).want(http.StatusConflict)
	at := v1 + "/findings/" + f.ID
	act := func() finding.Act { return finding.Act{Version: f.Version} }
	for _, key := range []string{c2, west} {
		h.get(at, "Authorization", "Bearer "+key).want(http.StatusNotFound)
		h.get(at+"/paper", "Authorization", "Bearer "+key).want(http.StatusNotFound)
		if list := into[page.Of[finding.Finding]](h.get(v1+"/findings", "Authorization", "Bearer "+key).want(http.StatusOK)); len(list.Items) != 0 {
			t.Errorf("another's key lists %d objections", len(list.Items))
		}
	}
	h.post(west, at+"/step", finding.Stepping{Act: act(), Event: finding.Accept}).want(http.StatusNotFound)
	h.post(seat, at+"/step", finding.Stepping{Act: act(), Event: finding.Accept}).want(http.StatusForbidden)
	h.post(c1, at+"/answer", finding.Act{Version: f.Version, Reason: "早说了"}).want(http.StatusConflict) // it was not asked yet
	f = into[finding.View](h.post(east, at+"/step", finding.Stepping{Act: act(), Event: finding.Accept}).want(http.StatusOK))
	h.post(c2, at+"/answer", finding.Act{Version: f.Version, Reason: "不归我们"}).want(http.StatusNotFound)
	f = into[finding.View](h.post(c1, at+"/answer", finding.Act{Version: f.Version, Reason: "当日车辆故障"}).want(http.StatusOK))
	h.get(at+"/paper", "Authorization", "Bearer "+east).want(http.StatusConflict)
	deciding := finding.Deciding{Act: act(), Form: finding.Opinion, Opinion: "企业未按时入户测温", Cost: finding.Company}
	h.post(c1, at+"/decide", deciding).want(http.StatusForbidden)
	f = into[finding.View](h.post(east, at+"/decide", deciding).want(http.StatusOK))
	if f.State != finding.Issued || f.Paper == nil || f.Applicant == "王桂兰" {
		t.Errorf("the paper: %+v", f.Finding)
	}
	r := h.get(at+"/paper", "Authorization", "Bearer "+c1).want(http.StatusOK)
	if got := r.header.Get("Content-Type"); got != "application/pdf" || !strings.HasPrefix(r.body, "%PDF-") {
		t.Errorf("the paper is %s of %d bytes", got, len(r.body))
	}
	list := into[page.Of[finding.Finding]](h.get(v1+"/findings?state=issued", "Authorization", "Bearer "+east).want(http.StatusOK))
	if len(list.Items) != 1 || list.Items[0].ID != f.ID {
		t.Errorf("the district lists %+v", list.Items)
	}
}
