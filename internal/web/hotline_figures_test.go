package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	hotline "github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/stats"
)

// received is what the figures say that a company was told about today, on the board and in the rates.
func (k *town) received(company string) (board, rates int64) {
	k.t.Helper()
	if _, err := k.app.Stats.Count(bg, city); err != nil {
		k.t.Fatal(err)
	}
	b, err := k.app.Stats.Board(bg, k.root, city)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, r := range b.Companies {
		if r.Key == company {
			board = r.Received.N
		}
	}
	today := k.clock.Now().Date()
	all, err := k.app.Stats.Rates(bg, k.root, stats.Query{City: city, From: today, To: today})
	if err != nil {
		k.t.Fatal(err)
	}
	for _, g := range all.Companies {
		if g.Key == company {
			rates = g.Received.N
		}
	}
	return board, rates
}

// What a company was told by its own line counts in its figures like any other complaint, by whichever door it came, once; and
// the company can neither take it back nor report it for another.
func TestCompanysCallsCannotBeHidden(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("leader", actor.RoleLeader)
	own := actor.Actor{ID: "key:c1", Kind: actor.Key, Org: "C1", Door: actor.API, Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{"C1"}}}}
	ago := func(d time.Duration) hotline.Call {
		return hotline.Call{ToldAt: k.clock.Now().Add(-d), Text: "家里不热", Phone: "13803510001", Address: "向阳花园3号楼2单元601"}
	}
	one, two := ago(10*time.Minute), ago(20*time.Minute)
	one.No, two.No, two.Phone, two.Address = "R-001", "R-002", "13803510002", "向阳花园3号楼2单元602"
	report := func(calls ...hotline.Call) []hotline.Reported {
		t.Helper()
		got, err := k.app.Exchange.ReportCalls(bg, own, hotline.Calls{City: city, Company: "C1", Calls: calls})
		must(t, err)
		return got
	}
	got := report(one, two)
	report(one, two) // sent twice
	table := "编号,来电时间,电话,地址,内容\n" + "R-002," + two.ToldAt.Minute() + ",13803510002,向阳花园3号楼2单元602,家里不热\n" +
		"R-003," + k.clock.Now().Add(-30*time.Minute).Minute() + ",13803510003,向阳花园3号楼,楼道暖气漏水\n"
	r, err := k.app.Exchange.ImportCalls(bg, k.root, hotline.CallSheet{City: city, Company: "C1", Name: "calls.csv", Reader: strings.NewReader(table)})
	if err != nil || r.Opened != 1 || r.Known != 1 {
		t.Fatalf("the table: %+v, %v", r, err)
	}
	if board, rates := k.received("C1"); board != 3 || rates != 3 {
		t.Errorf("the board counts %d, the rates %d; want 3 and 3", board, rates)
	}
	for _, one := range got {
		c, err := k.app.Cases.Get(bg, k.root, city, one.Case)
		must(t, err)
		hide := map[string]func(cases.Act) error{
			"withdraws":  func(a cases.Act) error { _, err := k.app.Cases.Withdraw(bg, own, a); return err },
			"cancels":    func(a cases.Act) error { _, err := k.app.Cases.Cancel(bg, own, a); return err },
			"rejects":    func(a cases.Act) error { _, err := k.app.Cases.Reject(bg, own, a); return err },
			"terminates": func(a cases.Act) error { _, err := k.app.Cases.Terminate(bg, own, a); return err },
		}
		for name, do := range hide {
			err := do(cases.Act{City: city, ID: c.ID, Version: c.Version, Reason: "误报"})
			if k := fault.KindOf(err); err == nil || k != fault.Denied && k != fault.NotFound && k != fault.Conflict {
				t.Errorf("the company %s what it was told: %v", name, err)
			}
		}
	}
	if _, err := k.app.Exchange.ReportCalls(bg, own, hotline.Calls{City: city, Company: "C2", Calls: []hotline.Call{one}}); !fault.Is(err, fault.Denied) {
		t.Errorf("a company reports for another: %v", err)
	}
	if board, rates := k.received("C1"); board != 3 || rates != 3 {
		t.Errorf("afterwards the board counts %d, the rates %d; want 3 and 3", board, rates)
	}
	k.as("leader").get("/c/990100/hotlines").want(http.StatusOK, "R-001", "R-003", "一热供热")
	k.as("leader").get("/c/990100/stats").want(http.StatusOK, "一热供热")
}
