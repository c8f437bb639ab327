package web_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/web"
)

const (
	heatSeason = "2025-2026"
	claimPath  = "/c/990100/refunds/" + heatSeason + "/"
)

// treasury is a town in which homes were measured too cold: what was measured is given, all else is the whole installation.
type treasury struct {
	*town
	settle *settle.Service
	events map[string][]refund.Event
}

func newTreasury(t testing.TB) *treasury {
	t.Helper()
	var kept web.Options
	k := &treasury{events: map[string][]refund.Event{}}
	k.town = newTown(t, func(o *web.Options) { kept = *o })
	var err error
	k.settle, err = settle.New(settle.Options{
		DB: k.app.DB, Ring: k.app.Ring, Places: k.app.Places, Fees: k.app.Fees, Notices: k.app.Notices, Rules: k.app.Rules.RulesIn,
		Events: func(_ context.Context, _ *db.Tx, _ int, account string) ([]refund.Event, error) {
			return k.events[account], nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	kept.Deps.Settle = k.settle
	if k.pages, err = web.New(kept); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(k.pages)
	t.Cleanup(s.Close)
	k.url = s.URL
	k.lists()
	return k
}

// lists are households with their areas, and bills of the season.
func (k *treasury) lists() {
	k.t.Helper()
	for _, l := range []struct {
		kind place.Kind
		csv  string
	}{
		{place.Households, "account,community,district,building,unit,room,holder,phone,heat_status,area_m2,price_class,station\n" +
			"A1001,向阳花园,东城区,3,2,601,王桂兰,13803510001,用热,100,居民,S1\nA1002,向阳花园,东城区,3,2,602,赵大有,13803510002,用热,80.5,居民,\n" +
			"B2001,明月里,西城区,1,1,101,孙志强,13803510003,用热,120,居民,\n"},
		{place.Fees, "户号,采暖期,应收,实收\nA1001,2025-2026,2420.00,2420.00\nB2001,2025-2026,2904.00,2000.00\n"},
	} {
		in := register.Request{City: city, Kind: l.kind, From: civil.NewDate(2025, 10, 1), Source: "文", Name: "list.csv"}
		if r, err := k.app.Register.Import(bg, k.root, in, strings.NewReader(l.csv)); err != nil {
			k.t.Fatalf("%s: %v: %+v", l.kind, err, r.Faults)
		}
	}
}

// cold lets a home be measured too cold, in tenths of a degree, for some days.
func (k *treasury) cold(account string, from civil.Date, days, temp int) {
	k.t.Helper()
	yes := true
	reading := func(c int) []refund.Reading { return []refund.Reading{{Room: "客厅", TempC: celsius.Tenths(c)}} }
	k.events[account] = append(k.events[account],
		refund.Event{Type: refund.Requested, At: civil.On(from, 9, 0)},
		refund.Event{Type: refund.Tested, At: civil.On(from, 15, 0), Readings: reading(temp), By: refund.ByCompany, SignedUser: &yes, SignedCompany: &yes, Record: "r1"},
		refund.Event{Type: refund.Retested, At: civil.On(from.AddDays(days), 15, 0), Readings: reading(205), By: refund.ByCompany, SignedUser: &yes, SignedCompany: &yes, Record: "r2"})
	err := db.Do(bg, k.app.DB, func(tx *db.Tx) error {
		return k.settle.RefreshIn(bg, tx, actor.SystemFor("measure", actor.Job), city, account)
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

// january are two cold homes of C1 and one of C2.
func (k *treasury) january() {
	k.t.Helper()
	day := civil.NewDate(2026, 1, 2)
	k.cold("A1001", day, 10, 170)
	k.cold("A1002", day, 5, 150)
	k.cold("B2001", day, 4, 130)
}

func (k *treasury) claim(account string) settle.View {
	k.t.Helper()
	v, err := k.settle.Claim(bg, k.root, city, heatSeason, account)
	if err != nil {
		k.t.Fatal(err)
	}
	return v
}

func (k *treasury) version(account string) string {
	return strconv.FormatInt(k.claim(account).Claim.Version, 10)
}

// fields are the fields of a form that is sent.
func fields(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// TestClaimsAndWhy: the list sums up, one claim shows every day and every step, another company's claims are not there.
func TestClaimsAndWhy(t *testing.T) {
	t.Parallel()
	k := newTreasury(t)
	k.january()
	k.person("section_head", actor.RoleSectionHead)
	k.person("company", actor.RoleCompany)
	s, c := k.as("section_head"), k.as("company")
	s.get("/c/990100/refunds?season="+heatSeason).want(http.StatusOK, "<!doctype html>", "A1001", "A1002", "B2001", "60.00", "暂算", "向阳花园")
	s.get("/c/990100/refunds?season="+heatSeason, "HX-Request", "true").want(http.StatusOK, "A1001", "!<html")
	s.get("/c/990100/refunds?season="+heatSeason+"&company=C2").want(http.StatusOK, "B2001", "!A1001")
	s.get("/c/990100/refunds?season="+heatSeason+"&state=confirmed").want(http.StatusOK, "没有符合条件的退费案件")
	s.get("/c/990100/refunds?season="+heatSeason+"&day=2020-01-01").want(http.StatusOK, "没有符合条件的退费案件")
	s.get("/c/990100/refunds?season="+heatSeason+"&status=computed&company=C1").want(http.StatusOK, "A1001", "export?", "status=computed")
	s.get("/c/990100/refunds?season=last-year").want(http.StatusUnprocessableEntity)
	s.get("/c/990100/refunds/export?format=csv&size=1&season="+heatSeason).want(http.StatusOK, "户号", "A1001", "A1002", "B2001")
	s.get("/c/990100/refunds/exposure?season="+heatSeason).want(http.StatusOK, "一热供热有限公司", "合计")
	s.get("/c/990100/refunds/exposure?format=csv&season="+heatSeason).want(http.StatusOK, "热力站")
	s.get(claimPath+"A1001").want(http.StatusOK, "2026-01-02", "17.0 ℃", "30 %", "怎么算的", "60.00", "暖城", "退费说明", "2420.00", "!>resident<")
	s.get(claimPath+"A1001?lang=en").want(http.StatusOK, "Day by day", "below the standard")
	s.get(claimPath + "A9999").want(http.StatusNotFound)
	c.get("/c/990100/refunds?season="+heatSeason).want(http.StatusOK, "A1001", "!B2001", "!name=\"company\"")
	c.get(claimPath+"B2001").want(http.StatusNotFound, "!孙志强")
	c.get("/c/990100/refunds/export?format=csv&season="+heatSeason).want(http.StatusOK, "!B2001")
	for _, in := range []string{"zh", "en"} {
		got := s.get(claimPath + "A1001/statement?in=" + in).want(http.StatusOK)
		if !bytes.HasPrefix([]byte(got.body), []byte("%PDF-")) {
			t.Errorf("the statement in %s is no PDF", in)
		}
	}
	c.get(claimPath + "B2001/statement").want(http.StatusNotFound)
	if got := s.get(claimPath + "A1001/bundle").want(http.StatusOK); !strings.HasPrefix(got.body, "{") || !strings.Contains(got.body, "rehu-refund") {
		t.Errorf("the file to check begins with %.80q", got.body)
	}
	c.get(claimPath + "B2001/bundle").want(http.StatusNotFound)
	k.anyone().get("/c/990100/m/refunds?season="+heatSeason).want(http.StatusOK, "还没有审批过的退费结算")
}

// TestObjectDecideConfirmRefuse: the company objects with its proof, the authority decides, a claim is confirmed; whoever saw
// an older state is told.
func TestObjectDecideConfirmRefuse(t *testing.T) {
	t.Parallel()
	k := newTreasury(t)
	k.january()
	k.person("company", actor.RoleCompany)
	k.person("section_head", actor.RoleSectionHead)
	k.person("seat", actor.RoleSeat)
	c, s := k.as("company"), k.as("section_head")
	reason := found(t, c.get(claimPath+"A1001?act=object").want(http.StatusOK, "退费规则里列明的事由"), `<option value="([a-z_]+)">`)
	c.post(claimPath+"A1001/object", fields("_key", "o0", "version", k.version("A1001"), "reason", reason, "from", "2026-01-03", "to", "2026-01-04", "proof", "")).
		want(http.StatusUnprocessableEntity, "请写明证据", "2026-01-03")
	k.as("seat").post(claimPath+"A1001/object", fields("_key", "o1")).want(http.StatusForbidden)
	c.post(claimPath+"B2001/object", fields("_key", "o2", "version", "1", "reason", reason, "from", "2026-01-03", "to", "2026-01-04", "proof", "x")).want(http.StatusNotFound)
	c.post(claimPath+"A1001/object", fields("_key", "o3", "version", k.version("A1001"), "reason", reason, "from", "2026-01-03", "to", "2026-01-04", "proof", "停电通知 2026-1")).to(claimPath + "A1001")
	one := k.claim("A1001").Objections[0]
	s.get(claimPath+"A1001").want(http.StatusOK, "企业有异议", "停电通知 2026-1", "待审定", "审定异议")
	c.post(claimPath+"A1001/decide", fields("_key", "d0", "_subject", one.ID, "version", "1", "accept", "yes", "decision", "属实")).want(http.StatusForbidden)
	s.post(claimPath+"A1001/decide", fields("_key", "d1", "_subject", one.ID, "version", "1", "accept", "yes", "decision", "")).want(http.StatusUnprocessableEntity)
	s.post(claimPath+"A1001/decide", fields("_key", "d2", "_subject", one.ID, "version", "1", "accept", "yes", "decision", "供电公司证明属实")).to(claimPath + "A1001")
	s.get(claimPath+"A1001").want(http.StatusOK, "已采纳", "供电公司证明属实")
	s.post(claimPath+"A1001/confirm", fields("_key", "c0", "version", "1")).want(http.StatusConflict, "刷新后再决定")
	s.post(claimPath+"A1001/confirm", fields("_key", "c1", "version", k.version("A1001"))).to(claimPath + "A1001")
	s.get(claimPath+"A1001").want(http.StatusOK, "已确认")
	s.post(claimPath+"A1002/refuse", fields("_key", "r0", "version", k.version("A1002"), "note", "")).want(http.StatusUnprocessableEntity)
	s.post(claimPath+"A1002/refuse", fields("_key", "r1", "version", k.version("A1002"), "note", "用户自行拆改散热器")).to(claimPath + "A1002")
	s.get(claimPath+"A1002").want(http.StatusOK, "不予退费")
}

// TestACaseLeadsToTheRecordsOfItsHome, as far as the reader may open them.
func TestACaseLeadsToTheRecordsOfItsHome(t *testing.T) {
	t.Parallel()
	k := newTreasury(t)
	k.person("section_head", actor.RoleSectionHead)
	k.person("verifier", actor.RoleVerifier)
	o, err := k.app.Cases.Open(bg, seatOf, cases.Opening{
		City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "家里暖气不热，室温只有15度", Category: "cold_home", Nature: citypack.Repair,
		Caller: cases.Party{Name: "王桂兰", Phone: "13803510001"}, Account: "A1001", Scope: cases.Home, TestRequest: "no",
		Details: cases.Details{Since: "昨晚", Neighbours: "no", Leak: "no"},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := o.Case
	bills, claims := billPage+"/A1001", "/c/990100/refunds?account=A1001"
	k.as("section_head").get(casePath(c, "")).want(http.StatusOK, `"`+bills+`"`, `"`+claims+`"`)
	k.as("section_head").get(claims).want(http.StatusOK)
	k.as("verifier").get(casePath(c, "")).want(http.StatusOK, "!"+bills, "!"+claims)
}
