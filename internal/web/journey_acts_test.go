package web_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/packs"
)

// A settlement that was cut short before it was shown stands on the console with how far it is, and whoever may settle lets
// it go on.
func TestTheConsoleShowsHowFarARunIs(t *testing.T) {
	t.Parallel()
	k := newTreasury(t)
	k.january()
	k.person("section_head", actor.RoleSectionHead)
	one, err := settle.New(settle.Options{
		DB: k.app.DB, Ring: k.app.Ring, Places: k.app.Places, Fees: k.app.Fees, Rules: k.app.Rules.RulesIn, Batch: 1,
		Events: func(_ context.Context, _ *db.Tx, _ int, account string) ([]refund.Event, error) {
			return k.events[account], nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(bg)
	in := settle.RunInput{City: city, Season: heatSeason, Progress: func(done, _ int64) {
		if done >= 1 {
			stop()
		}
	}}
	if _, err := one.Settle(ctx, k.root, in); !errors.Is(err, context.Canceled) {
		t.Fatalf("the run was not cut short: %v", err)
	}
	s := k.as("section_head")
	page := settlePage + "?season=" + heatSeason
	s.get(page).want(http.StatusOK, "正在核算：", " / 3 件", `max="3"`, "接着结算", "every 2s")
	s.get(page, "HX-Request", "true", "HX-Target", "settle-run").want(http.StatusOK, " / 3 件", "!<html")
	s.post(settlePage+"/run", fields("_key", "r1", "season", heatSeason)).want(http.StatusSeeOther)
	if _, err := k.settle.Settle(bg, k.root, settle.RunInput{City: city, Season: heatSeason}); err != nil {
		t.Fatal(err)
	}
	s.get(page).want(http.StatusOK, "!正在核算", "待审批")
}

// One order to pay: what the invoice became, how the household was told and why lateness is not the company's are noted, each
// for the version that was seen. The bank's answer is taken over whole or not at all.
func TestAnOrderIsMarkedAndTheBankAnswers(t *testing.T) {
	t.Parallel()
	k := newTreasury(t)
	k.person("company", actor.RoleCompany)
	x := k.settled()
	if _, err := k.settle.ApproveSettlement(bg, k.root, settle.ApproveInput{City: city, ID: x.ID, Version: x.Version}); err != nil {
		t.Fatal(err)
	}
	if err := k.settle.OrderPayouts(bg, city, x.ID); err != nil {
		t.Fatal(err)
	}
	c, claim := k.as("company"), claimPath+"A1001"
	c.post(claim+"/payee", fields("_key", "p", "version", "0", "kind", "payer", "choice", "bank", "name", "王桂兰", "bank", "暖城银行", "bank_account", "12345678901")).to(claim)
	order := k.claim("A1001").Payouts[0]
	mark := fields("_key", "m", "_subject", order.Settlement, "version", strconv.FormatInt(order.Version, 10), "invoice", "credit_note", "invoice_no", "HZ-0042", "told_by", "电话", "told_at", "2026-01-15T07:00", "proof", "录音 77")
	c.get(claim + "?act=order&of=" + order.Settlement).want(http.StatusOK)
	c.post(claim+"/order", mark).to(claim)
	c.get(claim).want(http.StatusOK, "HZ-0042")
	mark.Set("_key", "m2")
	mark.Set("invoice_no", "HZ-0043")
	c.post(claim+"/order", mark).want(http.StatusConflict, "HZ-0043")
	c.post(settlePage+"/banks", fields("_key", "b", "season", heatSeason, "company", "C1")).want(http.StatusSeeOther)
	banks := settlePage + "/banks?season=" + heatSeason
	file := found(t, c.get(banks), `href="([^"]*/file\?format=csv)"`)
	ref, _, _ := strings.Cut(strings.Split(strings.TrimPrefix(c.get(file).body, "\ufeff"), "\n")[1], ",")
	to := strings.TrimSuffix(file, "/file?format=csv") + "/result"
	head := "业务编号,处理结果,银行流水号,支付时间,金额,失败原因\n"
	for key, bad := range map[string]string{"n0": "", "n1": head + "X-1,成功,1,2026-01-15 07:30,60.00,\n", "n2": head + ref + ",成功,1,2026-01-15 07:30,61.00,\n"} {
		var all [][]byte
		if bad != "" {
			all = [][]byte{[]byte(bad)}
		}
		c.files(to, fields("_key", key, "season", heatSeason), "file", all)
		c.get(banks).want(http.StatusOK, "待银行答复", "!支付成功")
	}
	c.files(to, fields("_key", "n3", "season", heatSeason), "file", [][]byte{[]byte(head + ref + ",失败,,,60.00,账号与户名不符\n")}).to(banks)
	c.get(banks).want(http.StatusOK, "退回 1 笔", "已全部答复")
	c.get(claim).want(http.StatusOK, "银行退回", "账号与户名不符")
}

// A refund rule that was read in a secondary source counts, but pays nothing, until the city stands by it on the page.
func TestARefundRuleWaitsForTheCity(t *testing.T) {
	t.Parallel()
	const name = "990100-nuancheng.yaml"
	b, err := packs.FS.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	rules, at := string(b), strings.Index(string(b), "    priority: highest_per_day\n")
	rules = rules[:at] + strings.Replace(rules[at:], "confidence: fictional", "confidence: secondary", 1)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	k := &treasury{town: newTownWith(t, config.Config{Packs: dir})}
	k.person("section_head", actor.RoleSectionHead)
	k.person("company", actor.RoleCompany)
	const page = "/c/990100/pack/refunds"
	s := k.as("section_head")
	shown := s.get(page).want(http.StatusOK, "待本市确认")
	path := found(t, shown, `name="path" value="([^"]+)"`)
	value := found(t, shown, `name="value" value="([^"]*)"`)
	in := fields("_key", "a", "path", path, "value", value, "note", "科务会纪要 2026-1")
	k.as("company").post("/c/990100/pack/approve", in).want(http.StatusForbidden)
	s.post("/c/990100/pack/approve", in).want(http.StatusSeeOther)
	s.get(page).want(http.StatusOK, "吴科长", "本市已确认", "!待本市确认")
	s.get(settlePage+"?season="+heatSeason).want(http.StatusOK, "!规则待确认")
}
