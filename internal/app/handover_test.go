package app_test

import (
	"context"
	"sync"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/handover"
	"github.com/rehu-heat/rehu/internal/page"
)

// The sheet says what is left at that moment, waits for somebody else, and is taken over once.
func TestHandover(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	a := open(t)
	leader, next := person(actor.RoleLeader, "centre"), person(actor.RoleDispatcher, "centre")
	for _, text := range []string{"三道街老楼不热", "不知道哪里不热"} {
		if _, err := a.Cases.Open(ctx, person(actor.RoleSeat, "centre"), cases.Opening{City: city, Door: citypack.DoorAPI, Text: text, Channel: cases.Leader}); err != nil {
			t.Fatal(err)
		}
	}
	sheet, err := a.Handovers.Write(ctx, leader, handover.Writing{City: city, Note: "三道街明早再打"})
	if err != nil {
		t.Fatal(err)
	}
	totals := map[string]int64{}
	for _, p := range sheet.Parts {
		totals[p.Name] = p.Total
	}
	if totals["undispatched"] != 2 || totals["leaders"] != 2 || totals["unsigned"] != 0 || sheet.No == "" {
		t.Errorf("sheet %s: %v", sheet.No, totals)
	}
	if _, err := a.Handovers.Write(ctx, leader, handover.Writing{City: city}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second sheet while one waits: %v", err)
	}
	in := handover.Taking{City: city, ID: sheet.ID, Version: sheet.Version, Reply: "收到"}
	if _, err := a.Handovers.Take(ctx, leader, in); !fault.Is(err, fault.Denied) {
		t.Errorf("taken over from oneself: %v", err)
	}
	var wg sync.WaitGroup
	results := make([]error, 4)
	for i := range results {
		wg.Go(func() { _, results[i] = a.Handovers.Take(ctx, next, in) })
	}
	wg.Wait()
	ok := 0
	for _, err := range results {
		if err == nil {
			ok++
		} else if !fault.Is(err, fault.Conflict) {
			t.Errorf("a late taker: %v", err)
		}
	}
	if ok != 1 {
		t.Errorf("%d took over, want one", ok)
	}
	if l, err := a.Handovers.List(ctx, next, city, page.Request{}); err != nil || len(l.Items) != 1 || l.Items[0].State != handover.Taken {
		t.Errorf("list %+v, %v", l.Items, err)
	}
	if _, err := a.Handovers.Draft(ctx, person(actor.RoleCompany, "C1"), city); !fault.Is(err, fault.Denied) {
		t.Errorf("a company reads the sheet: %v", err)
	}
}
