package measure_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/refund"
)

func TestFromTheDoubtToTheCure(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		if want := dbtest.Start.Add(24 * time.Hour); m.DueAt != want || m.Company != "C1" || m.ContactName != "王**" || m.ContactPhone != "138****0001" {
			t.Fatalf("the request is %+v, want due %s", m, want)
		}
		again := w.asks()
		if again.ID != m.ID {
			t.Error("a second request of one home is a second measurement")
		}
		w.now.Advance(time.Hour)
		r := w.visit(worker, m, 1, "16.4")
		if got := r.Measurement.State; got != measure.Failed {
			t.Fatalf("a reading of 16.4 leaves the measurement %s", got)
		}
		if d := r.Visit.Readings.Deviations; len(d) > 0 {
			t.Errorf("a visit by the book has deviations: %+v", d)
		}
		if len(r.Documents) != 1 || r.Documents[0].No != "测20260115-0001" {
			t.Errorf("the test sheet is %+v", r.Documents)
		}
		w.now.Advance(time.Hour)
		_, err := w.m.ClaimCure(ctx, north, measure.Curing{Act: measure.Act{City: city, ID: m.ID}, Text: "排气"})
		must(t, err)
		_, err = w.m.VerifyCure(ctx, north, measure.Curing{Act: measure.Act{City: city, ID: m.ID}})
		wantKind(t, err, fault.Denied)
		w.now.Advance(time.Hour)
		if r = w.visit(worker, m, 2, "18.0"); r.Measurement.State != measure.Conforming || !r.Visit.Retest {
			t.Errorf("after the re-test: %s, re-test %v", r.Measurement.State, r.Visit.Retest)
		}
		if got, want := w.types(), "request test cure_claimed retest"; got != want {
			t.Errorf("events are %s, want %s", got, want)
		}
		var heard []refund.EventType
		for _, c := range w.heard {
			heard = append(heard, c.Type)
		}
		if want := []refund.EventType{"test", "cure_claimed", "retest"}; !slices.Equal(heard, want) {
			t.Errorf("settlement heard %v, want %v", heard, want)
		}
		if diff := cmp.Diff([]string{"C1 requested"}, w.told); diff != "" {
			t.Error(diff)
		}
	})
}

// A case that is opened with a test request, or gets one later, has its measurement in the same transaction.
func TestACaseBringsItsMeasurement(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		open := func(test, phone string) cases.Case {
			o, err := w.cases.Open(ctx, seat, cases.Opening{
				City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "家里暖气不热", Category: "cold_home",
				Details: cases.Details{Since: "昨晚", Neighbours: "no", Leak: "no"}, Relation: "self",
				Caller: cases.Party{Name: "王桂兰", Phone: phone}, Address: "向阳花园3号楼2单元601", Room: "601", Scope: cases.Home, TestRequest: test, Nature: citypack.Repair,
			})
			must(t, err)
			return o.Case
		}
		c := open("yes", "13803510001")
		own, err := w.m.OfOwn(ctx, city, cases.Proof{Token: c.Token})
		must(t, err)
		if len(own.Measurements) != 1 {
			t.Fatalf("the case has %d measurements", len(own.Measurements))
		}
		m := own.Measurements[0]
		if m.Account != "1001" || m.Company != "C1" || m.ContactPhone != "138****0001" || m.CaseNo != c.No {
			t.Errorf("the measurement is %+v", m.Measurement)
		}
		if got := w.types(); got != "report request" {
			t.Errorf("events are %s", got)
		}
	})
}
