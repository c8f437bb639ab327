package web_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/settle"
)

const settlePage = "/c/990100/settle"

// settled are January's claims, confirmed and settled by a section head.
func (k *treasury) settled() settle.Settlement {
	k.t.Helper()
	k.january()
	head := actor.Actor{ID: "head", Name: "head", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleSectionHead, City: city}}}
	for _, a := range []string{"A1001", "B2001"} {
		if _, err := k.settle.ConfirmClaim(bg, head, settle.MoveInput{City: city, Season: heatSeason, Account: a, Version: k.claim(a).Claim.Version}); err != nil {
			k.t.Fatal(err)
		}
	}
	x, err := k.settle.Settle(bg, head, settle.RunInput{City: city, Season: heatSeason})
	if err != nil {
		k.t.Fatal(err)
	}
	return x
}

// TestASeasonIsSettledOnPages: a run is asked for and watched, another person approves it, the books balance, the public
// reads the sums.
func TestASeasonIsSettledOnPages(t *testing.T) {
	t.Parallel()
	k := newTreasury(t)
	k.person("section_head", actor.RoleSectionHead)
	k.person("regulator", actor.RoleRegulator)
	k.person("company", actor.RoleCompany)
	x := k.settled()
	s, r, c := k.as("section_head"), k.as("regulator"), k.as("company")
	s.get(settlePage+"?season="+heatSeason).want(http.StatusOK, "一热供热有限公司", "203.90", "待审批", "核算 = 已审批", "平")
	c.get(settlePage+"?season="+heatSeason).want(http.StatusOK, "一热供热有限公司", "!二热供热有限公司", "!开始结算")
	c.post(settlePage+"/run", fields("_key", "r0", "season", heatSeason)).want(http.StatusForbidden)
	s.post(settlePage+"/run", fields("_key", "r1", "season", heatSeason, "period", "January")).want(http.StatusUnprocessableEntity, "2026-01")
	started := s.post(settlePage+"/run", fields("_key", "r2", "season", heatSeason)).want(http.StatusSeeOther).header.Get("Location")
	s.get(started).want(http.StatusOK, "every 2s")
	if err := k.app.Runner.RunDue(bg); err != nil {
		t.Fatal(err)
	}
	again, err := k.settle.Console(bg, k.root, city, heatSeason)
	if err != nil || again.Current == nil || again.Current.ID != x.ID {
		t.Fatalf("settled twice: %+v (%v)", again.Current, err)
	}
	approve := fields("_key", "a1", "settlement", x.ID, "season", heatSeason, "version", strconv.FormatInt(again.Current.Version, 10))
	c.post(settlePage+"/approve", approve).want(http.StatusForbidden)
	r.post(settlePage+"/approve", approve).to(settlePage + "?season=" + heatSeason)
	if err := k.settle.OrderPayouts(bg, city, x.ID); err != nil {
		t.Fatal(err)
	}
	s.get(settlePage+"?season="+heatSeason).want(http.StatusOK, "156.00", "沈主管")
	s.get(settlePage+"/lines/"+x.ID+"?format=csv").want(http.StatusOK, "A1001", "B2001")
	c.get(settlePage+"/lines/"+x.ID+"?format=csv").want(http.StatusOK, "A1001", "!B2001")
	k.anyone().get("/c/990100/m/refunds?season="+heatSeason).want(http.StatusOK, "一热供热有限公司", "60.00", "!A1001")
	k.toldByHand(t)
	k.payOut(t, c)
}

// toldByHand: a message that no gateway took has told nobody; once staff told it, the order says when.
func (k *treasury) toldByHand(t *testing.T) {
	k.t.Helper()
	order := func() settle.Payout {
		l, err := k.settle.Payouts(bg, k.root, city, settle.PayFilter{Season: heatSeason, Company: "C1"})
		if err != nil || len(l.Items) != 1 {
			t.Fatal(l.Items, err)
		}
		return l.Items[0]
	}
	if p := order(); p.Notice == "" || !p.Notified.IsZero() || p.ToldBy != "" {
		t.Errorf("no gateway took %q, but told at %s by %q", p.Notice, p.Notified, p.ToldBy)
	}
	n, err := k.app.Notices.Get(bg, k.root, city, order().Notice)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.app.Notices.Tell(bg, k.root, notice.ByHand{City: city, ID: n.ID, Version: n.Version, Reason: "电话"}); err != nil {
		t.Fatal(err)
	}
	if p := order(); p.Notified != k.clock.Now() || p.ToldBy != "sms" {
		t.Errorf("told at %s by %q", p.Notified, p.ToldBy)
	}
}

// payOut is the company's part: payee, file for the bank, and what the bank says.
func (k *treasury) payOut(t *testing.T, c *client) {
	k.t.Helper()
	page := settlePage + "/payouts?season=" + heatSeason
	c.get(page).want(http.StatusOK, "A1001", "待领取", "!B2001")
	c.post(claimPath+"A1001/payee", fields("_key", "p1", "version", "0", "kind", "payer", "choice", "bank", "name", "王桂兰", "bank", "暖城银行", "bank_account", "6222021234567895")).
		want(http.StatusUnprocessableEntity, "收款账号不正确")
	c.post(claimPath+"A1001/payee", fields("_key", "p2", "version", "0", "kind", "payer", "choice", "bank", "name", "王桂兰", "bank", "暖城银行", "bank_account", "12345678901")).to(claimPath + "A1001")
	c.get(claimPath+"A1001").want(http.StatusOK, "****8901", "!12345678901", "!王桂兰")
	c.post(settlePage+"/banks", fields("_key", "b1", "season", heatSeason, "company", "C2")).want(http.StatusForbidden)
	banks := settlePage + "/banks?season=" + heatSeason
	c.post(settlePage+"/banks", fields("_key", "b2", "season", heatSeason, "company", "C1")).to(banks)
	file := found(t, c.get(banks).want(http.StatusOK, "60.00", "待银行答复"), `href="([^"]*/file\?format=csv)"`)
	sent := c.get(file).want(http.StatusOK, "12345678901", "60.00", "TOTAL")
	if !strings.Contains(sent.header.Get("Content-Disposition"), "attachment") {
		k.t.Error("the bank file is not a file")
	}
	c.get(settlePage+"/overdue?season="+heatSeason).want(http.StatusOK, "没有逾期的退费")
}

// TestAreaIsProposedAndDetermined: a stop needs evidence, the authority fixes its hours.
func TestAreaIsProposedAndDetermined(t *testing.T) {
	t.Parallel()
	k := newTreasury(t)
	k.person("leader", actor.RoleLeader)
	k.person("section_head", actor.RoleSectionHead)
	k.person("company", actor.RoleCompany)
	l, s := k.as("leader"), k.as("section_head")
	page := settlePage + "/areas"
	stop := func(pairs ...string) answer {
		v := fields("_key", "s1", "season", heatSeason, "kind", "stop", "station", "S1", "from", "2026-01-03T08:00", "to", "2026-01-05T20:00", "unauthorised", "yes")
		for i := 0; i+1 < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return l.post(page, v)
	}
	stop().want(http.StatusUnprocessableEntity, "至少写一条认定依据")
	k.as("company").post(page, fields("_key", "s0")).want(http.StatusForbidden)
	stop("company_log", "1月3日8时跳闸").to(page + "?season=" + heatSeason)
	all, err := k.settle.Areas(bg, k.root, city, heatSeason)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	s.get(page+"?season="+heatSeason).want(http.StatusOK, "待认定", "1月3日8时跳闸", "2026-01-03T08:00")
	s.post(page+"/"+all[0].ID, fields("_key", "d1", "season", heatSeason, "version", "1", "from", "2026-01-03T08:00", "to", "2026-01-05T18:00")).to(page + "?season=" + heatSeason)
	s.get(page+"?season="+heatSeason).want(http.StatusOK, "已认定", "2026-01-05 18:00")
}
