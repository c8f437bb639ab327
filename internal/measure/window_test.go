package measure_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/measure"
)

// reports opens a case of a home with a request for a test in it, as a resident does.
func (w *world) reports(room, phone string) (cases.Case, measure.Measurement) {
	w.t.Helper()
	o, err := w.cases.Open(ctx, seat, cases.Opening{
		City: city, Door: citypack.DoorWeb, Channel: cases.Web, Category: "cold_home", Community: "sun", Building: "3", Unit: "2", Room: room,
		Address: "向阳花园3号楼2单元" + room, Caller: cases.Party{Phone: phone}, Details: cases.Details{Since: "今天"}, TestRequest: "yes", Text: "家里冷",
	})
	must(w.t, err)
	own, err := w.m.OfOwn(ctx, city, cases.Proof{Token: o.Case.Token})
	must(w.t, err)
	if len(own.Measurements) != 1 {
		w.t.Fatalf("%d measurements of the case", len(own.Measurements))
	}
	return o.Case, own.Measurements[0].Measurement
}

func (w *world) offer(m measure.Measurement) measure.Offer {
	w.t.Helper()
	o, err := w.m.Windows(ctx, regulator, city, m.ID)
	must(w.t, err)
	return o
}

func (w *world) places(n int, area string, day civil.Date, parts ...measure.Part) {
	w.t.Helper()
	v, err := w.m.Capacity(ctx, north, city, "")
	must(w.t, err)
	_, err = w.m.SetCapacity(ctx, north, measure.Setting{City: city, Area: area, Day: day, Parts: parts, Places: &n, Version: v.Version})
	must(w.t, err)
}

func asking(c cases.Case, m measure.Measurement, window string) measure.Asking {
	return measure.Asking{City: city, Proof: cases.Proof{Token: c.Token}, Measurement: m.ID, Window: window}
}

// Two residents reach for the last place of a half-day: one gets it, the other hears which window comes next.
func TestTheLastPlaceGoesToOne(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c1, m1 := w.reports("601", "13803510001")
		c2, m2 := w.reports("602", "13803510002")
		first := w.offer(m1).Windows[0]
		id := first.ID
		w.places(1, "", first.From.Date(), first.Part)
		faults := make([]error, 2)
		var wg sync.WaitGroup
		for i, in := range []measure.Asking{asking(c1, m1, id), asking(c2, m2, id)} {
			wg.Go(func() { _, faults[i] = w.m.ChooseOwn(ctx, residentActor, in) })
		}
		wg.Wait()
		if faults[0] != nil {
			faults[0], faults[1] = faults[1], faults[0]
		}
		if faults[0] != nil {
			t.Fatalf("nobody got the place: %v, %v", faults[0], faults[1])
		}
		wantKind(t, faults[1], fault.Conflict)
		if f := fault.Of(faults[1]); f.Key != "measure.window_taken" || f.Params["next"] == "" {
			t.Errorf("the other hears %s %v", f.Key, f.Params)
		}
	})
}

// Where the company has no window within its limit, a later choice moves nothing: the limit passes and the company is late.
func TestNoWindowWithinTheLimitIsTheCompanysLateness(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c, m := w.reports("601", "13803510001")
		for _, x := range w.offer(m).Windows {
			if x.Within {
				w.places(0, "", x.From.Date(), x.Part)
			}
		}
		o := w.offer(m)
		if !o.NoneWithin || len(o.Windows) == 0 || o.Limit != m.DueAt {
			t.Fatalf("offer: none within %t, %d windows, limit %s, due %s", o.NoneWithin, len(o.Windows), o.Limit, m.DueAt)
		}
		_, err := w.m.ChooseOwn(ctx, residentActor, asking(c, m, o.Windows[0].ID))
		must(t, err)
		if v := w.get(m.ID); v.DueAt != m.DueAt {
			t.Errorf("the choice moved the limit from %s to %s", m.DueAt, v.DueAt)
		}
		w.now.Advance(m.DueAt.Sub(w.now.Now()) + time.Minute)
		w.work()
		if v := w.get(m.ID); v.State != measure.Missed || v.Misses != 1 {
			t.Errorf("after the limit: %s, %d misses", v.State, v.Misses)
		}
	})
}

// Residents and the company itself reach for the same half-day at once: no more of them get it than it has places.
func TestNeverMoreThanThePlaces(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		const places, residents, proposals = 2, 4, 3
		var x measure.Window
		var take []func() error
		for n := range residents + proposals {
			c, m := w.reports(fmt.Sprint(601+n), fmt.Sprintf("1380351%04d", n))
			if n == 0 {
				x = w.offer(m).Windows[0]
				w.places(places, "", x.From.Date(), x.Part)
			}
			if n < residents {
				take = append(take, func() error { _, err := w.m.ChooseOwn(ctx, residentActor, asking(c, m, x.ID)); return err })
				continue
			}
			in := measure.Proposal{Act: measure.Act{City: city, ID: m.ID, Version: m.Version}, From: x.From, To: x.To}
			take = append(take, func() error { _, err := w.m.Propose(ctx, north, in); return err })
		}
		faults := make([]error, len(take))
		var wg sync.WaitGroup
		for i, f := range take {
			wg.Go(func() { faults[i] = f() })
		}
		wg.Wait()
		got := 0
		for i, err := range faults {
			switch {
			case err == nil:
				got++
			case i < residents:
				wantKind(t, err, fault.Conflict)
			default:
				wantKind(t, err, fault.Invalid)
			}
		}
		if got != places {
			t.Errorf("%d got one of %d places: %v", got, places, faults)
		}
		v, err := w.m.Capacity(ctx, north, city, "")
		must(t, err)
		i := slices.IndexFunc(v.Days, func(h measure.Half) bool { return h.Day == x.From.Date() && h.Part == x.Part })
		if h := v.Days[i]; h.Taken != places || h.Places == nil || *h.Places != places {
			t.Errorf("the company sees %d of %v taken", h.Taken, h.Places)
		}
	})
}

// A time can be moved and given back until shortly before it begins; the test stays owed by the limit of the rules.
func TestMoveAndGiveBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c, m := w.reports("601", "13803510001")
		limit := m.DueAt
		o := w.offer(m)
		if len(o.Windows) < 5 {
			t.Fatalf("offered: %v", o.Windows)
		}
		choose := func(x measure.Window) error {
			_, err := w.m.ChooseOwn(ctx, residentActor, asking(c, m, x.ID))
			return err
		}
		for _, x := range o.Windows[1:3] { // the first begins as soon as the lead allows, so it is fixed at once
			w.places(1, "", x.From.Date(), x.Part)
			must(t, choose(x))
			if v := w.get(m.ID); v.From != x.From || v.To != x.To || v.DueAt != x.To {
				t.Errorf("chosen %s: %s to %s, due %s", x.ID, v.From, v.To, v.DueAt)
			}
		}
		_, other := w.reports("602", "13803510002")
		if got := w.offer(other).Windows; got[1].ID != o.Windows[1].ID {
			t.Errorf("the place that was left is not free again: %v", got[1])
		}
		_, err := w.m.CallOffOwn(ctx, residentActor, asking(c, m, ""))
		must(t, err)
		if v := w.get(m.ID); !v.From.IsZero() || v.DueAt != limit || v.State != measure.Requested {
			t.Errorf("given back: from %s, due %s (limit %s), %s", v.From, v.DueAt, limit, v.State)
		}
		_, err = w.m.CallOffOwn(ctx, residentActor, asking(c, m, ""))
		wantKind(t, err, fault.Conflict)

		last := o.Windows[3]
		must(t, choose(last))
		w.now.Advance(last.From.Sub(w.now.Now()) - time.Duration(o.Lead)*time.Minute + time.Minute)
		if !w.offer(m).Locked {
			t.Error("the time can still be moved within the lead")
		}
		_, err = w.m.CallOffOwn(ctx, residentActor, asking(c, m, ""))
		if fault.Of(err).Key != "measure.too_late_to_change" {
			t.Errorf("giving back within the lead: %v", err)
		}
		if err := choose(o.Windows[len(o.Windows)-1]); fault.Of(err).Key != "measure.too_late_to_change" {
			t.Errorf("moving within the lead: %v", err)
		}
	})
}

// Whoever chooses a later time though the company had one within its limit has agreed to a later time.
func TestALaterWishMovesTheLimit(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c, m := w.reports("601", "13803510001")
		o := w.offer(m)
		i := slices.IndexFunc(o.Windows, func(x measure.Window) bool { return !x.Within })
		if o.NoneWithin || i < 1 || !o.AnyBeyond() {
			t.Fatalf("offer: %+v", o)
		}
		_, err := w.m.ChooseOwn(ctx, residentActor, asking(c, m, o.Windows[i].ID))
		must(t, err)
		w.now.Advance(m.DueAt.Sub(w.now.Now()) + time.Minute)
		w.work()
		if v := w.get(m.ID); v.State != measure.Requested || v.Misses != 0 || v.DueAt != o.Windows[i].To {
			t.Errorf("after the first limit: %s, %d misses, due %s", v.State, v.Misses, v.DueAt)
		}
	})
}

// A day's number comes before the weekday's, which comes before every day's; of one kind, an area's before the company's.
func TestWhichNumberHolds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		day := w.now.Now().Date().AddDays(2)
		weekday := (int(day.Weekday())+6)%7 + 1
		for _, s := range []struct {
			set  measure.Setting
			n    int
			want int
		}{
			{measure.Setting{Area: "A1"}, 5, -1},
			{measure.Setting{}, 4, 4},
			{measure.Setting{Weekdays: []int{weekday%7 + 1}}, 9, 4},
			{measure.Setting{Weekdays: []int{weekday, weekday%7 + 1}}, 3, 3},
			{measure.Setting{Day: day}, 0, 0},
		} {
			v, err := w.m.Capacity(ctx, north, city, "")
			must(t, err)
			s.set.City, s.set.Version, s.set.Places, s.set.Parts = city, v.Version, &s.n, []measure.Part{measure.Morning}
			v, err = w.m.SetCapacity(ctx, north, s.set)
			must(t, err)
			got := -1
			for _, h := range v.Days {
				if h.Day == day && h.Part == measure.Morning && h.Area == "" && h.Places != nil {
					got = *h.Places
				}
			}
			if got != s.want {
				t.Errorf("after %+v: %d places, want %d", s.set, got, s.want)
			}
		}
	})
}

// Two clerks set numbers at once: one of them sees that the other was first. The same request twice sets once.
func TestSettingIsGuarded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		n := 3
		in := measure.Setting{City: city, Parts: measure.PartsOfDay(), Places: &n, Key: "once"}
		v, err := w.m.SetCapacity(ctx, north, in)
		must(t, err)
		again, err := w.m.SetCapacity(ctx, north, in)
		must(t, err)
		if v.Version != 1 || again.Version != 1 || len(again.Set) != 3 {
			t.Errorf("version %d, then %d with %d numbers", v.Version, again.Version, len(again.Set))
		}
		in.Key = ""
		_, err = w.m.SetCapacity(ctx, north, in)
		wantKind(t, err, fault.Conflict)
		in.Version = 1
		faults := make([]error, 4)
		var wg sync.WaitGroup
		for i := range faults {
			wg.Go(func() { _, faults[i] = w.m.SetCapacity(ctx, north, in) })
		}
		wg.Wait()
		won := 0
		for _, err := range faults {
			if err == nil {
				won++
			} else {
				wantKind(t, err, fault.Conflict)
			}
		}
		if won != 1 {
			t.Errorf("%d of four set: %v", won, faults)
		}
		in.Version, in.Places = 2, nil
		v, err = w.m.SetCapacity(ctx, north, in)
		must(t, err)
		if len(v.Set) != 0 {
			t.Errorf("taken away, %v is left", v.Set)
		}
		_, err = w.m.SetCapacity(ctx, south, measure.Setting{City: city, Company: "C1", Parts: measure.PartsOfDay(), Places: &n, Version: 3})
		wantKind(t, err, fault.Denied)
		_, err = w.m.SetCapacity(ctx, person(actor.RoleDispatcher, "dispatcher", "centre"), measure.Setting{City: city, Company: "C1", Parts: measure.PartsOfDay(), Places: &n, Version: 3})
		wantKind(t, err, fault.Invalid)
		_, err = w.m.SetCapacity(ctx, north, measure.Setting{City: city, Parts: []measure.Part{"noon"}, Weekdays: []int{8}, Day: w.now.Now().Date().AddDays(-1), Version: 3})
		wantKind(t, err, fault.Invalid)
		if f := fault.Of(err).Fields; len(f) != 4 {
			t.Errorf("wrong fields: %v", f)
		}
	})
}
