package exchange_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/fault"
)

func (w *world) call(no string, ago time.Duration) exchange.Call {
	return exchange.Call{No: no, ToldAt: w.now.Now().Add(-ago), Name: "赵强", Phone: "13803510055", Address: "向阳花园3号楼2单元602", Text: "暖气不热"}
}

// TestCompanysCallCounts: a call to the company's own line is a case whose clock runs since the company was told.
func TestCompanysCallCounts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		in := exchange.Calls{City: city, Company: "C1", Calls: []exchange.Call{w.call("R-001", 10*time.Minute), w.call("R-004", 3*time.Hour), {No: "R-005"}}}
		got, err := w.svc.ReportCalls(ctx, north, in)
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Late || !got[1].Late || fault.KindOf(got[2].Err) != fault.Invalid {
			t.Errorf("got %+v", got)
		}
		c, err := w.cases.Get(ctx, leader, city, got[1].Case)
		if err != nil {
			t.Fatal(err)
		}
		if c.Channel != cases.CompanyIn || c.Company != "C1" || w.now.Now().Sub(c.ReceivedAt) != 3*time.Hour || c.Details.ToldNo != "R-004" {
			t.Errorf("the case is %s with %q, received %v, %q", c.Channel, c.Company, c.ReceivedAt, c.Details.ToldNo)
		}
		view, err := w.sends.Of(ctx, leader, city, c.ID)
		if err != nil || view.Dispatches[0].ToldAt != c.ReceivedAt {
			t.Errorf("the company was told at %v, want when the resident rang, %v", view.Dispatches[0].ToldAt, c.ReceivedAt)
		}
		again, err := w.svc.ReportCalls(ctx, north, in)
		if err != nil || !again[0].Known || again[0].Case != got[0].Case {
			t.Errorf("reported twice: %+v, %v", again, err)
		}
		in.Company = "C2"
		if _, err := w.svc.ReportCalls(ctx, north, in); fault.KindOf(err) != fault.Denied {
			t.Errorf("a company reports for another: %v", err)
		}
		watch, err := w.svc.Watching(ctx, leader, city)
		if err != nil || len(watch.Gaps) != 1 || watch.Gaps[0].Missing() != 2 || watch.Gaps[0].Prefix != "R-" {
			t.Errorf("gaps %+v, %v", watch.Gaps, err)
		}
		list, err := w.svc.CallList(ctx, leader, city, exchange.CallFilter{Late: "yes"})
		if err != nil || len(list.Items) != 1 || list.Items[0].No != "R-004" {
			t.Errorf("late calls %+v, %v", list.Items, err)
		}
		south := actor.Actor{ID: "south1", Kind: actor.Person, Org: "C2", Grants: []actor.Grant{{Role: actor.RoleCompany, City: city}}}
		if list, err := w.svc.CallList(ctx, south, city, exchange.CallFilter{}); err != nil || len(list.Items) != 0 {
			t.Errorf("another company sees %d calls, %v", len(list.Items), err)
		}
	})
}

// TestCallsFromATable: faults name row and column and nothing is filed; the same table twice files nothing twice.
func TestCallsFromATable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	table := "编号,来电时间,电话,地址,内容\nH-1,2026-01-15 07:30,13803510061,向阳花园3号楼,不热\nH-2,2026-01-15 07:40,13803510062,明月里1号楼,不热\n"
	sheet := func(s string) exchange.CallSheet {
		return exchange.CallSheet{City: city, Company: "C1", Name: "calls.csv", Reader: strings.NewReader(s)}
	}
	bad := strings.Replace(strings.Replace(table, "2026-01-15 07:40", "昨天", 1), "H-2", "H-1", 1)
	report, err := w.svc.ImportCalls(ctx, admin, sheet(bad))
	var at []string
	for _, f := range report.Faults {
		at = append(at, f.Column)
	}
	if fault.KindOf(err) != fault.Invalid || report.Faults[0].Row != 3 || cmp.Diff([]string{"told_at", "told_at", "no"}, at) != "" || report.Opened != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	for round, want := range []exchange.CallsImported{{Rows: 2, Opened: 2}, {Rows: 2, Known: 2}} {
		report, err := w.svc.ImportCalls(ctx, admin, sheet(table))
		if err != nil || cmp.Diff(want, report) != "" {
			t.Errorf("round %d: %+v, %v", round, report, err)
		}
	}
	if _, err := w.svc.ImportCalls(ctx, seat, sheet(table)); fault.KindOf(err) != fault.Denied {
		t.Errorf("a seat imports: %v", err)
	}
}

func TestMarkSilent(t *testing.T) {
	t.Parallel()
	list := []exchange.Reporting{{Company: "A", Calls: 12}, {Company: "B", Calls: 8}, {Company: "C"}, {Company: "D", Calls: 1}}
	exchange.MarkSilent(list)
	for i, want := range []bool{false, false, true, false} {
		if list[i].Silent != want {
			t.Errorf("%s: silent %v, want %v", list[i].Company, list[i].Silent, want)
		}
	}
	quiet := []exchange.Reporting{{Company: "A", Calls: 1}, {Company: "B"}}
	exchange.MarkSilent(quiet)
	if quiet[1].Silent {
		t.Error("nobody has calls, so nobody is silent")
	}
}
