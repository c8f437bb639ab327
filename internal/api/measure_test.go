package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/page"
)

// A measurement through the door, from the case's request to the correction, and the same home through another company's key.
func TestMeasurementThroughTheDoor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	seat, c1, c2, bureau := h.key("seat", grant(actor.RoleSeat)), h.key("C1", grant(actor.RoleCompany, "C1")), h.key("C2", grant(actor.RoleCompany, "C2")), h.key("bureau", grant(actor.RoleDistrict))
	c := h.opened(func(in *cases.Opening) { in.TestRequest = "yes" })
	list := into[page.Of[measure.Measurement]](h.get(v1+"/measurements?case="+c.ID, "Authorization", "Bearer "+c1).want(http.StatusOK))
	if len(list.Items) != 1 || list.Items[0].CaseNo != c.No || list.Items[0].State != measure.Requested {
		t.Fatalf("the case's measurements are %+v", list.Items)
	}
	m := list.Items[0]
	at := v1 + "/measurements/" + m.ID
	if again := into[measure.Measurement](h.post(seat, v1+"/measurements", measure.Requesting{Case: c.ID}).want(http.StatusCreated)); again.ID != m.ID {
		t.Error("a second request is a second measurement")
	}
	tool := equipment.Entry{Number: "T-1", Owner: "C1", VerifiedOn: civil.NewDate(2025, 10, 1), ValidUntil: civil.NewDate(2026, 9, 30)}
	h.post(c1, v1+"/instruments", tool).want(http.StatusCreated)
	h.post(c1, v1+"/instruments", tool).want(http.StatusConflict)
	h.post(c2, v1+"/instruments", tool).want(http.StatusForbidden)
	h.get(at, "Authorization", "Bearer "+c2).want(http.StatusNotFound)
	when := h.clock.Now().Add(3 * time.Hour)
	h.post(c1, at+"/propose", measure.Proposal{From: when, To: when.Add(time.Hour), Recording: "rec-1"}).want(http.StatusOK)
	h.post(c2, at+"/propose", measure.Proposal{From: when, To: when.Add(time.Hour)}).want(http.StatusNotFound)
	h.clock.Set(when)
	visit := measure.Submission{
		Visit: "device-0001", Measurement: m.ID, Arrival: &measure.Arrival{Outcome: measure.Met, At: when, Testers: []string{"甲", "乙"}},
		Readings: &measure.Readings{
			Instrument: "T-1", Owner: "C1", WindowsSince: when.Add(-2 * time.Hour), HeightCM: 120, Rooms: []measure.RoomReading{{Room: "客厅", Type: "living_room", TempC: celsius.Tenths(163), At: when}},
		},
		Signatures: []measure.Signature{
			{Side: measure.UserSide, Name: "王桂兰", Relation: "self", Strokes: "1,1 2,2", At: when}, {Side: measure.CompanySide, Name: "赵师傅", Strokes: "1,1", At: when},
		},
	}
	for range 2 {
		got := into[measure.Receipt](h.post(c1, v1+"/measurement_visits", visit).want(http.StatusOK))
		if got.Measurement.State != measure.Failed || len(got.Documents) != 1 {
			t.Fatalf("the visit leaves %s with %d documents", got.Measurement.State, len(got.Documents))
		}
	}
	h.post(c2, v1+"/measurement_visits", visit).want(http.StatusNotFound)
	h.post(c1, at+"/claim_cure", measure.Curing{Text: "排气"}).want(http.StatusOK)
	h.post(seat, at+"/deny_cure", measure.Curing{}).want(http.StatusOK)
	h.post(c1, at+"/claim_cure", measure.Curing{}).want(http.StatusOK)
	h.post(c1, at+"/verify_cure", measure.Curing{}).want(http.StatusForbidden)
	view := into[measure.View](h.get(at, "Authorization", "Bearer "+bureau).want(http.StatusOK))
	var reading string
	for _, r := range view.Records {
		if r.Kind == measure.KindReadings {
			reading = r.ID
		}
	}
	fix := measure.Correction{Act: measure.Act{Reason: "抄错"}, Record: reading, Readings: visit.Readings}
	fix.Readings.Rooms[0].TempC = 181
	h.post(c1, at+"/correct", fix).want(http.StatusForbidden)
	if m := into[measure.Measurement](h.post(bureau, at+"/correct", fix).want(http.StatusOK)); m.State != measure.Conforming {
		t.Errorf("the corrected reading leaves %s", m.State)
	}
	log := into[measure.HomeLog](h.get(v1+"/measurement_log?home="+m.Home, "Authorization", "Bearer "+bureau).want(http.StatusOK))
	if !log.Chain.Sound || len(log.Events) == 0 {
		t.Errorf("the log's chain is %+v, %d events", log.Chain, len(log.Events))
	}
	h.get(v1+"/measurement_log?home="+m.Home, "Authorization", "Bearer "+c2).want(http.StatusNotFound)
	h.get(v1+"/measurement_documents/"+view.Documents[0].ID, "Authorization", "Bearer "+bureau).want(http.StatusOK)
	h.get(v1+"/measurement_calendar", "Authorization", "Bearer "+c1).want(http.StatusOK)
	h.get(v1+"/measurement_guide", "Authorization", "Bearer "+c1).want(http.StatusOK)
}

// A seat reads the free times out and keeps the caller's choice; the company sets its places with its own key, nobody else does.
func TestWindowsThroughTheDoor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	seat, c1, c2 := h.key("seat", grant(actor.RoleSeat)), h.key("C1", grant(actor.RoleCompany, "C1")), h.key("C2", grant(actor.RoleCompany, "C2"))
	c := h.opened(func(in *cases.Opening) { in.TestRequest = "yes" })
	m := into[page.Of[measure.Measurement]](h.get(v1+"/measurements?case="+c.ID, "Authorization", "Bearer "+c1).want(http.StatusOK)).Items[0]
	at := v1 + "/measurements/" + m.ID
	n := 2
	set := measure.Setting{Company: "C1", Parts: measure.PartsOfDay(), Places: &n}
	h.post(c2, v1+"/measurement_capacity", set).want(http.StatusForbidden)
	h.post(h.key("dispatcher", grant(actor.RoleDispatcher)), v1+"/measurement_capacity", set).want(http.StatusUnprocessableEntity)
	if got := into[measure.CapacityView](h.post(c1, v1+"/measurement_capacity", set).want(http.StatusOK)); got.Version != 1 || len(got.Set) != 3 {
		t.Errorf("the numbers are %+v", got)
	}
	h.post(c1, v1+"/measurement_capacity", set).want(http.StatusConflict)
	o := into[measure.Offer](h.get(at+"/windows", "Authorization", "Bearer "+seat).want(http.StatusOK))
	if len(o.Windows) < 3 || o.Windows[1].Left == nil || *o.Windows[1].Left != n {
		t.Fatalf("offered: %+v", o)
	}
	h.get(at+"/windows", "Authorization", "Bearer "+c2).want(http.StatusNotFound)
	h.post(seat, at+"/choose", measure.Choosing{Window: o.Windows[1].ID}).want(http.StatusUnprocessableEntity)
	h.post(seat, at+"/choose", measure.Choosing{Window: "noon", Recording: "rec-1"}).want(http.StatusUnprocessableEntity)
	got := into[measure.Measurement](h.post(seat, at+"/choose", measure.Choosing{Window: o.Windows[1].ID, Recording: "rec-1"}).want(http.StatusOK))
	if got.From != o.Windows[1].From || got.To != o.Windows[1].To {
		t.Errorf("chosen %s: %s to %s", o.Windows[1].ID, got.From, got.To)
	}
	v := into[measure.CapacityView](h.get(v1+"/measurement_capacity?company=C1", "Authorization", "Bearer "+c1).want(http.StatusOK))
	for _, x := range v.Days {
		if x.Day == o.Windows[1].From.Date() && x.Part == o.Windows[1].Part && x.Taken != 1 {
			t.Errorf("%d taken of the chosen part", x.Taken)
		}
	}
	h.get(v1+"/measurement_capacity?company=C1", "Authorization", "Bearer "+c2).want(http.StatusForbidden)
}
