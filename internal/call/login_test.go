package call_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
)

// TestACallRingsWhileSomebodyLogsIn: the switch may let a call ring as soon as it hears that a seat is ready, before that is
// written down here; the call is theirs all the same, also for the reports that come later.
func TestACallRingsWhileSomebodyLogsIn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		early := h.ring(phone, "8001")
		if early.Seat != "" {
			t.Fatalf("rings at nobody's line, at %q", early.Seat)
		}
		h.sit(ann, "8001")
		desk, err := h.calls.Desk(ctx, ann, city)
		h.must(err)
		if desk.Call == nil || desk.Call.ID != early.ID {
			t.Fatalf("the screen of who logged in shows %+v", desk.Call)
		}
		h.must(h.fake.Happen(ctx, early.Ref, call.Answered, ""))
		if c := h.at(early.Ref); c.Seat != ann.ID || c.State != call.Talking {
			t.Errorf("answered: %q %s", c.Seat, c.State)
		}
	})
}

func TestManyLogInWhileTheirLinesRing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		for n := range 12 {
			line := fmt.Sprint(8100 + n)
			var wg sync.WaitGroup
			wg.Go(func() { _, _ = h.fake.Dial(ctx, phone, line) })
			wg.Go(func() { _, _ = h.calls.Sit(ctx, ann, call.Sitting{City: city, Do: call.LogIn, Extension: line}) })
			wg.Wait()
			desk, err := h.calls.Desk(ctx, ann, city)
			h.must(err)
			if desk.Call == nil || desk.Call.Extension != line {
				t.Fatalf("round %d: the screen shows %+v", n, desk.Call)
			}
			h.must(h.fake.Happen(ctx, desk.Call.Ref, call.Ended, ""))
			if _, err := h.calls.Sit(ctx, ann, call.Sitting{City: city, Do: call.LogOut}); err != nil {
				t.Fatal(err)
			}
		}
	})
}
