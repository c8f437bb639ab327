package dispatch_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
)

// A resident's word on a visit stands beside the company's, is taken once, and counts when it is no.
func TestTheResidentsWordOnAVisit(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		visitor := actor.Anonymous(actor.Public)
		c := w.open(cold())
		proof := cases.Proof{Token: c.Token}
		c = w.must(w.sends.Sign(ctx, north, dispatch.Signing{Act: act(c)}))
		c = w.must(w.sends.Arrive(ctx, north, dispatch.Visit{Act: act(c), Result: "met", Photos: []blob.Stored{}}))
		claims, err := w.sends.Claims(ctx, city, proof)
		if err != nil || len(claims) != 1 || !claims[0].May || claims[0].Result != "met" {
			t.Fatalf("claims %+v, %v", claims, err)
		}
		say := dispatch.Saying{City: city, Visit: claims[0].ID, True: "no", Proof: proof}
		for name, bad := range map[string]struct {
			in   dispatch.Saying
			kind fault.Kind
		}{
			"no word":          {dispatch.Saying{City: city, Visit: say.Visit, Proof: proof}, fault.Invalid},
			"another visit":    {dispatch.Saying{City: city, Visit: "x", True: "no", Proof: proof}, fault.NotFound},
			"somebody else's":  {dispatch.Saying{City: city, Visit: say.Visit, True: "no", Proof: cases.Proof{Token: "x"}}, fault.NotFound},
			"without a proof":  {dispatch.Saying{City: city, Visit: say.Visit, True: "no"}, fault.NotFound},
			"in another city":  {dispatch.Saying{City: city + 1, Visit: say.Visit, True: "no", Proof: proof}, fault.NotFound},
			"neither yes, no.": {dispatch.Saying{City: city, Visit: say.Visit, True: "maybe", Proof: proof}, fault.Invalid},
		} {
			if _, err := w.sends.SayOwn(ctx, visitor, bad.in); !fault.Is(err, bad.kind) {
				t.Errorf("%s: %v, want %v", name, err, bad.kind)
			}
		}
		var all sync.WaitGroup
		said := make([]error, 4)
		for i := range said {
			all.Go(func() { _, said[i] = w.sends.SayOwn(ctx, visitor, say) })
		}
		all.Wait()
		taken := 0
		for _, err := range said {
			if err == nil {
				taken++
			} else if !fault.Is(err, fault.Conflict) {
				t.Errorf("said at once: %v", err)
			}
		}
		got := w.must(w.cases.Get(ctx, north, city, c.ID))
		if err := errors.Join(said...); taken != 1 || got.UntrueVisits != 1 {
			t.Errorf("taken %d times, %d untrue visits, want 1 and 1: %v", taken, got.UntrueVisits, err)
		}
		claims, err = w.sends.Claims(ctx, city, proof)
		want := []dispatch.Claim{{ID: say.Visit, At: claims[0].At, Result: "met", Word: "no"}}
		if diff := cmp.Diff(want, claims); err != nil || diff != "" {
			t.Errorf("after the word: %v\n%s", err, diff)
		}
	})
}

// After the days for "still cold" nothing more is said about visits.
func TestTheWordOnAVisitEnds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.closed(w.open(cold()))
		proof := cases.Proof{Token: c.Token}
		claims, err := w.sends.Claims(ctx, city, proof)
		if err != nil || len(claims) == 0 || !claims[0].May {
			t.Fatalf("within the days: %+v, %v", claims, err)
		}
		w.now.Advance(8 * 24 * time.Hour)
		say := dispatch.Saying{City: city, Visit: claims[0].ID, True: "no", Proof: proof}
		if _, err := w.sends.SayOwn(ctx, actor.Anonymous(actor.Public), say); !fault.Is(err, fault.Conflict) {
			t.Errorf("after eight days: %v, want a conflict", err)
		}
		if claims, err = w.sends.Claims(ctx, city, proof); err != nil || claims[0].May {
			t.Errorf("after eight days: %+v, %v", claims, err)
		}
	})
}

// Neighbours are a number from two on, never one, and never somebody who asked to stay secret.
func TestNeighboursWhoWaitToo(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(cold())
		at := func(room, phone string, secret bool) cases.Case {
			return w.open(cold(func(o *cases.Opening) {
				o.Caller.Phone, o.Room, o.Address, o.Secret = phone, room, "向阳花园3号楼2单元"+room, secret
			}))
		}
		see := func(what string, want cases.Alongside) {
			t.Helper()
			got, err := w.cases.Alongside(ctx, city, cases.Proof{Token: c.Token})
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%s: %v\n%s", what, err, diff)
			}
		}
		see("alone", cases.Alongside{})
		one := at("602", "13803510012", false)
		at("502", "13803510013", true)
		see("one, and one in secret", cases.Alongside{})
		at("702", "13803510014", false)
		two := cases.Alongside{Where: cases.InUnit, Homes: 2}
		see("two", two)
		w.must(w.sends.Sign(ctx, north, dispatch.Signing{Act: act(one)}))
		two.Going = true
		see("one is in hand", two)
		if _, err := w.cases.Alongside(ctx, city, cases.Proof{No: c.No, Phone: "13803510012"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("with a neighbour's telephone: %v", err)
		}
	})
}
