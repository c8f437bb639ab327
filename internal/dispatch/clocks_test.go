package dispatch_test

import (
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
)

func TestRedispatchChargesTheCentreOnlyForItsOwnMistake(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for name, c := range map[string]struct {
			wrong bool
			want  clock.State
		}{"wrong unit": {true, clock.Void}, "another unit": {false, clock.Stopped}} {
			w := newWorld(t, d)
			f := w.open(cold(func(o *cases.Opening) {
				o.Caller.Phone = "1390351000" + map[bool]string{true: "1", false: "2"}[c.wrong]
			}))
			w.now.Advance(3 * time.Hour)
			f = w.must(w.sends.Redispatch(ctx, sender, dispatch.Sending{Act: act(f, "改派"), Company: "C2", Wrong: c.wrong}))
			all, err := db.Read(ctx, d, func(tx *db.Tx) ([]clock.Clock, error) { return w.clocks.Of(ctx, tx, city, f.ID) })
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range all {
				switch {
				case k.Org == "C1" && k.State != c.want:
					t.Errorf("%s: C1's %s is %s, want %s", name, k.Code, k.State, c.want)
				case k.Org == "C2" && k.State != clock.Running:
					t.Errorf("%s: C2's %s is %s", name, k.Code, k.State)
				case k.Code == citypack.ClockArrive && k.Org == "C1" && k.Late(w.now.Now()) == c.wrong:
					t.Errorf("%s: C1 late on arrival: %t", name, k.Late(w.now.Now()))
				}
			}
		}
	})
}

func TestParkingNeverStopsTheResidentsClock(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(cold())
		c = w.must(w.sends.Sign(ctx, north, dispatch.Signing{Act: act(c)}))
		resident := w.clock(c, citypack.ClockResident).Due
		c = w.must(w.sends.AskMore(ctx, north, dispatch.Asking{Act: act(c, "管网改造后解决，已装电暖器"), Kind: dispatch.AskPark}))
		list, err := w.sends.Waiting(ctx, head, city, dispatch.AskPark)
		if err != nil || len(list) != 1 {
			t.Fatalf("waiting: %v, %v", list, err)
		}
		in := dispatch.Decision{Act: act(c), Request: list[0].ID, Grant: true}
		if _, err := w.sends.Decide(ctx, leader, in); !fault.Is(err, fault.Denied) {
			t.Errorf("the shift leader parks: %v, want Denied", err)
		}
		c = w.must(w.sends.Decide(ctx, head, in))
		if c.Status != cases.Parked {
			t.Fatalf("status %s", c.Status)
		}
		if k := w.clock(c, citypack.ClockArrive); k.State != clock.Paused {
			t.Errorf("the unit's clock: %s", k.State)
		}
		if k := w.clock(c, citypack.ClockResident); k.State != clock.Running || k.Due != resident {
			t.Errorf("the resident's clock: %s due %s, want %s", k.State, k.Due, resident)
		}
		w.now.Advance(24 * time.Hour)
		c = w.must(w.sends.Resume(ctx, leader, act(c)))
		if k := w.clock(c, citypack.ClockArrive); k.State != clock.Running || k.Due.Sub(w.now.Now()) != 2*time.Hour {
			t.Errorf("after a day: %s, %s left, want the two hours that were left", k.State, k.Due.Sub(w.now.Now()))
		}
	})
}

func TestExtensionAndAppeal(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(cold())
		c = w.must(w.sends.Sign(ctx, north, dispatch.Signing{Act: act(c)}))
		until := w.now.Now().Add(40 * time.Hour)
		c = w.must(w.sends.AskMore(ctx, north, dispatch.Asking{Act: act(c, "等配件"), Kind: dispatch.AskExtension, Until: until}))
		list, _ := w.sends.Waiting(ctx, leader, city, dispatch.AskExtension)
		c = w.must(w.sends.Decide(ctx, leader, dispatch.Decision{Act: act(c), Request: list[0].ID, Grant: true}))
		if k := w.clock(c, citypack.ClockFeedback); k.Due != until {
			t.Errorf("extended to %s, want %s", k.Due, until)
		}
		w.now.Advance(3 * time.Hour) // arrival is late by now
		k := w.clock(c, citypack.ClockArrive)
		if _, err := w.sends.Appeal(ctx, north, dispatch.Appealing{Act: act(c, "用户不在家"), Ref: "nothing"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("appeal against nothing: %v", err)
		}
		c = w.must(w.sends.Appeal(ctx, north, dispatch.Appealing{Act: act(c, "用户不在家"), Ref: k.ID}))
		appeals, _ := w.sends.Waiting(ctx, head, city, dispatch.AskAppeal)
		if len(appeals) != 1 {
			t.Fatalf("appeals: %d", len(appeals))
		}
		if _, err := w.sends.Decide(ctx, sender, dispatch.Decision{Act: act(c), Request: appeals[0].ID, Grant: true}); !fault.Is(err, fault.Denied) {
			t.Errorf("a dispatcher decides the appeal: %v", err)
		}
		w.must(w.sends.Decide(ctx, head, dispatch.Decision{Act: act(c), Request: appeals[0].ID, Grant: true}))
	})
}
