package dispatch_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
)

var fitter, mate = staff(actor.RoleWorker, "w1", "C1"), staff(actor.RoleWorker, "w2", "C1")

// assigned is an order in a worker's hands.
func (w *world) assigned() cases.Case {
	w.t.Helper()
	c := w.must(w.sends.Sign(ctx, north, dispatch.Signing{Act: act(w.open(cold()))}))
	return w.must(w.sends.Assign(ctx, north, dispatch.Assigning{Act: act(c), Worker: fitter.ID}))
}

// field is an act of a telephone's form: it knows no version.
func field(c cases.Case, key string, reason ...string) cases.Act {
	a := act(c, reason...)
	a.Version, a.Key, a.Field = 0, key, true
	return a
}

// Forms of one home that arrive in the wrong order lose nothing, and sent twice they count once.
func TestFormsInTheWrongOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.assigned()
		w.now.Advance(10 * time.Minute)
		called := w.now.Now()
		w.now.Advance(20 * time.Minute)
		came := w.now.Now()
		w.now.Advance(30 * time.Minute)
		lng, lat := 112.55, 37.87
		sends := []func() (cases.Case, error){
			func() (cases.Case, error) {
				return w.sends.FeedBack(ctx, fitter, dispatch.Feedback{Act: field(c, "k3"), Form: form(map[string]string{"arrived_at": came.String()})})
			},
			func() (cases.Case, error) {
				return w.sends.Arrive(ctx, fitter, dispatch.Visit{Act: field(c, "k2"), Result: "met", At: came, Device: dispatch.Device{Made: came, Lng: &lng, Lat: &lat}})
			},
			func() (cases.Case, error) {
				return w.sends.Contact(ctx, fitter, dispatch.Contacting{Act: field(c, "k1"), Result: "connected", At: called, Note: "说好马上到"})
			},
			func() (cases.Case, error) { return w.sends.Take(ctx, fitter, field(c, "k0")) },
		}
		for range 2 { // the second time nothing more happens
			for i, send := range sends {
				if _, err := send(); err != nil {
					t.Fatalf("form %d: %v", i, err)
				}
			}
		}
		v, err := w.cases.View(ctx, north, city, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range v.Deeds {
			got = append(got, fmt.Sprintf("%s %s %s", d.Kind, d.Result, d.At.Clock()))
		}
		want := []string{"feedback yes " + w.now.Now().Clock(), "visit met " + came.Clock(), "contact connected " + called.Clock()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("deeds (-want +got):\n%s", diff)
		}
		if v.Case.Status != cases.FedBack || v.Case.ArrivedAt != came {
			t.Errorf("the case: %s, came %s, want fed back and %s", v.Case.Status, v.Case.ArrivedAt, came)
		}
		var visit dispatch.Visit
		if err := v.Deeds[1].Into(&visit); err != nil || visit.Device.Lng == nil || *visit.Device.Lng != lng || visit.Device.Made != came {
			t.Errorf("the telephone's time and place: %+v, %v", visit.Device, err)
		}
		after := dispatch.Contacting{Act: field(c, "k9"), Result: "connected", At: w.now.Now().Add(time.Second)}
		w.now.Advance(time.Minute)
		if _, err := w.sends.Contact(ctx, fitter, after); fault.Of(err).Key != "dispatch.after_feedback" {
			t.Errorf("a call after the feedback: %v, want it refused", err)
		}
	})
}

// Whoever says that a case is done, not knowing what somebody else did meanwhile, is told; both versions can be kept.
func TestTwoFeedbacks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.assigned()
		v, err := w.cases.View(ctx, fitter, city, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		seen := v.Timeline[len(v.Timeline)-1].Seq
		mine := dispatch.Feedback{Act: field(c, "mine"), Form: form(map[string]string{"measures": "换了阀门", "arrived_at": w.now.Now().String()})}
		mine.Seen = seen
		w.must(w.sends.Contact(ctx, fitter, dispatch.Contacting{Act: field(c, "own"), Result: "connected"})) // one's own acts are no news
		w.must(w.sends.Arrive(ctx, north, dispatch.Visit{Act: field(c, "other"), Result: "met"}))
		if _, err := w.sends.FeedBack(ctx, fitter, mine); fault.Of(err).Key != "dispatch.changed" {
			t.Fatalf("feedback without knowing of a visit: %v, want dispatch.changed", err)
		}
		w.must(w.sends.FeedBack(ctx, north, dispatch.Feedback{Act: field(c, "theirs"), Form: form(map[string]string{"measures": "立管排气", "arrived_at": w.now.Now().String()})}))
		if _, err := w.sends.FeedBack(ctx, fitter, mine); !fault.Is(err, fault.Conflict) {
			t.Fatalf("the second feedback: %v, want Conflict", err)
		}
		mine.Beside = true
		for range 2 {
			if _, err := w.sends.FeedBack(ctx, fitter, mine); err != nil {
				t.Fatal(err)
			}
		}
		v, err = w.cases.View(ctx, north, city, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range v.Deeds {
			var in dispatch.Feedback
			if d.Kind == cases.DeedFeedback && d.Into(&in) == nil {
				got = append(got, d.Result+" "+in.Form["measures"])
			}
		}
		if diff := cmp.Diff([]string{"yes 立管排气", "beside 换了阀门"}, got); diff != "" {
			t.Errorf("feedbacks (-want +got):\n%s", diff)
		}
	})
}

func TestGiveBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.assigned()
		if _, err := w.sends.GiveBack(ctx, mate, field(c, "", "不顺路")); !fault.Is(err, fault.NotFound) {
			t.Errorf("another worker's order is given back: %v, want NotFound", err)
		}
		if _, err := w.sends.GiveBack(ctx, fitter, field(c, "")); !fault.Is(err, fault.Invalid) {
			t.Errorf("without a reason: %v, want Invalid", err)
		}
		due := c.DueAt
		var wg sync.WaitGroup
		won := make(chan error, 4)
		for i := range 4 { // one of them is first
			wg.Go(func() {
				_, err := w.sends.GiveBack(ctx, fitter, field(c, fmt.Sprint("b", i), "没有工具"))
				won <- err
			})
		}
		wg.Wait()
		close(won)
		done := 0
		for err := range won {
			if err == nil {
				done++
			}
		}
		if done != 1 {
			t.Errorf("given back %d times, want once", done)
		}
		got := w.must(w.cases.Get(ctx, north, city, c.ID))
		if got.Worker != "" || got.DueAt != due || got.Status != cases.Signed {
			t.Errorf("after: worker %q, due %s (was %s), %s", got.Worker, got.DueAt, due, got.Status)
		}
		w.must(w.sends.Assign(ctx, north, dispatch.Assigning{Act: act(got), Worker: mate.ID}))
		if _, err := w.cases.Get(ctx, fitter, city, c.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("the first worker still sees it: %v", err)
		}
	})
}

func TestDevicePlaces(t *testing.T) {
	t.Parallel()
	f := func(v float64) *float64 { return &v }
	for name, c := range map[string]struct {
		in  dispatch.Device
		bad bool
	}{
		"nothing said":   {},
		"a place":        {in: dispatch.Device{Lng: f(112.5), Lat: f(37.8), Accuracy: f(20)}},
		"half a place":   {in: dispatch.Device{Lng: f(112.5)}, bad: true},
		"off the earth":  {in: dispatch.Device{Lng: f(181), Lat: f(37.8)}, bad: true},
		"beyond a pole":  {in: dispatch.Device{Lng: f(112), Lat: f(-91)}, bad: true},
		"less than none": {in: dispatch.Device{Lng: f(112), Lat: f(37), Accuracy: f(-1)}, bad: true},
	} {
		if err := c.in.Check(); (err != nil) != c.bad {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAgreedWindow(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.assigned()
		from := w.now.Now().Add(2 * time.Hour)
		w.must(w.sends.Appoint(ctx, fitter, dispatch.Appointment{Act: field(c, "a"), From: from, To: from.Add(time.Hour), Wish: true}))
		got, err := w.sends.Appointments(ctx, fitter, city, []string{c.ID, "none"})
		if err != nil || len(got) != 1 || got[c.ID].From != from || got[c.ID].Confirmed {
			t.Fatalf("agreed: %+v, %v; want a window that waits for the resident", got, err)
		}
		w.must(w.sends.Appoint(ctx, fitter, dispatch.Appointment{Act: field(c, "b"), From: from, To: from.Add(2 * time.Hour), Recording: "R1", Wish: true}))
		if got, _ = w.sends.Appointments(ctx, fitter, city, []string{c.ID}); !got[c.ID].Confirmed {
			t.Errorf("agreed: %+v; want it confirmed", got[c.ID])
		}
		w.must(w.sends.Arrive(ctx, fitter, dispatch.Visit{Act: field(c, "v"), Result: "met"}))
		if got, _ = w.sends.Appointments(ctx, fitter, city, []string{c.ID}); len(got) != 0 {
			t.Errorf("after the visit: %+v; want nothing", got)
		}
	})
}
