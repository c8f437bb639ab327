package exchange_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/fault"
)

func TestWaitGrowsWithinBounds(t *testing.T) {
	t.Parallel()
	for tries, base := range map[int]time.Duration{1: 5 * time.Second, 2: 10 * time.Second, 5: 80 * time.Second, 7: 320 * time.Second, 8: 10 * time.Minute, 500: 10 * time.Minute} {
		seen := map[time.Duration]bool{}
		for range 50 {
			d := exchange.Wait(tries)
			if d < base*4/5 || d > base*6/5 {
				t.Errorf("Wait(%d) = %v, want %v a fifth more or less", tries, d, base)
			}
			seen[d] = true
		}
		if len(seen) < 10 {
			t.Errorf("Wait(%d) is always the same: what failed together comes back together", tries)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	line := func(no string, s exchange.Status, said, taken int64) exchange.Line {
		return exchange.Line{Ticket: no, OpenedBy: exchange.Theirs, Status: s, Said: said, Taken: taken}
	}
	theirs := []exchange.Line{
		line("same", exchange.Handling, 1, 3), line("here", exchange.Dispatched, 1, 0), line("status", exchange.Closed, 2, 3), line("behind", exchange.Handling, 4, 3),
		line("same", exchange.Handling, 1, 3),
	}
	ours := []exchange.Line{line("same", exchange.Handling, 3, 1), line("status", exchange.Replied, 3, 2), line("behind", exchange.Handling, 3, 2), line("there", exchange.Handling, 1, 1)}
	got := map[string]exchange.DifferenceKind{}
	for _, p := range exchange.Compare(theirs, ours) {
		no := ""
		if p.Ours != nil {
			no = p.Ours.Ticket
		}
		if p.Theirs != nil {
			no = p.Theirs.Ticket
		}
		got[no] = p.Kind
	}
	want := map[string]exchange.DifferenceKind{
		"here": exchange.MissingHere, "there": exchange.MissingThere, "status": exchange.OtherState, "behind": exchange.OtherState,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Compare (-want +got):\n%s", diff)
	}
}

func TestPlatformSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quick(t))
	good := exchange.PlatformInput{
		City: city, Code: "province", Name: "省平台", Kind: exchange.Province, URL: "https://12345.example.gov.cn/rehu/", Account: "rehu", Secret: "0123456789abcdef", Active: true,
	}
	for field, edit := range map[string]func(*exchange.PlatformInput){
		"code": func(in *exchange.PlatformInput) { in.Code = "12 345" }, "url": func(in *exchange.PlatformInput) { in.URL = "http://12345.example.gov.cn" },
		"secret": func(in *exchange.PlatformInput) { in.Secret = "short" }, "kind": func(in *exchange.PlatformInput) { in.Kind = "moon" },
		"account": func(in *exchange.PlatformInput) { in.Account = "" }, "return_minutes": func(in *exchange.PlatformInput) { in.ReturnMinutes = -1 },
	} {
		in := good
		edit(&in)
		_, err := w.svc.SavePlatform(ctx, admin, in)
		if fault.KindOf(err) != fault.Invalid || fault.Of(err).Fields[0].Name != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := w.svc.SavePlatform(ctx, leader, good); fault.KindOf(err) != fault.Denied {
		t.Errorf("a leader saves a platform: %v", err)
	}
	p, err := w.svc.SavePlatform(ctx, admin, good)
	if err != nil || p.URL != "https://12345.example.gov.cn/rehu" || p.GapMinutes != 10 {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := w.svc.SavePlatform(ctx, admin, good); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the same code twice: %v", err)
	}
	good.Version, good.Secret, good.Name = 1, "", "山西省平台"
	if p, err = w.svc.SavePlatform(ctx, admin, good); err != nil || p.Version != 2 {
		t.Errorf("changed: %+v, %v", p, err)
	}
	if _, err := w.svc.SavePlatform(ctx, admin, good); fault.KindOf(err) != fault.Conflict {
		t.Errorf("an old version: %v", err)
	}
}
