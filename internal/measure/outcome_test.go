package measure_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/refund"
)

var residentActor = actor.Actor{ID: "resident:1", Kind: actor.Resident, Door: actor.Public, Grants: []actor.Grant{{Role: actor.RoleSystem, City: city}}}

func act(m measure.Measurement) measure.Act { return measure.Act{City: city, ID: m.ID} }

// ref is what the last question of a kind was asked about.
func (w *world) ref(question string) string {
	w.t.Helper()
	for _, a := range slices.Backward(w.asked) {
		if ref, ok := strings.CutPrefix(a, question+" "); ok {
			return ref
		}
	}
	w.t.Fatalf("nobody was asked about %s: %v", question, w.asked)
	return ""
}

func (w *world) answers(m measure.Measurement, question string, yes bool) {
	w.t.Helper()
	must(w.t, db.Do(ctx, w.d, func(tx *db.Tx) error {
		return w.m.Answered(ctx, tx, residentActor, city, m.ID, question, w.ref(question), yes)
	}))
}

// The company alone sets no appointment: what it proposes moves nothing until the resident agrees.
func TestOnlyTheResidentAgrees(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		due := m.DueAt
		in := measure.Proposal{Act: act(m), From: civil.On(civil.NewDate(2026, 1, 17), 9, 0), To: civil.On(civil.NewDate(2026, 1, 17), 11, 0)}
		night := in
		night.From, night.To = civil.On(civil.NewDate(2026, 1, 16), 22, 0), civil.On(civil.NewDate(2026, 1, 16), 23, 0)
		_, err := w.m.Propose(ctx, north, night)
		wantKind(t, err, fault.Invalid)
		night.Wish = true
		_, err = w.m.Propose(ctx, north, night)
		must(t, err)
		p, err := w.m.Propose(ctx, north, in)
		must(t, err)
		if p.DueAt != due || !p.From.IsZero() {
			t.Errorf("a proposal moved the time: due %s, from %s", p.DueAt, p.From)
		}
		_, err = w.m.Accept(ctx, north, measure.Answering{Act: act(m), Appointment: w.ref("appointment")})
		wantKind(t, err, fault.Invalid) // no recording
		w.answers(m, "appointment", true)
		v := w.get(m.ID)
		if v.DueAt != in.To || v.From != in.From || len(v.Appointments) != 2 || v.Appointments[0].State != measure.Replaced || v.Appointments[1].State != measure.Agreed {
			t.Errorf("after the resident's yes: due %s, appointments %+v", v.DueAt, v.Appointments)
		}
		w.now.Set(due.Add(time.Hour))
		w.work()
		if got := w.types(); got != "request appointment" {
			t.Errorf("the old limit counts over an agreed later time: %s", got)
		}
		w.now.Set(in.To.Add(time.Minute))
		w.work()
		w.work()
		v = w.get(m.ID)
		if v.State != measure.Missed || v.Misses != 1 || v.Appointments[1].State != measure.Broken {
			t.Errorf("after the broken appointment: %s, %d misses, %s", v.State, v.Misses, v.Appointments[1].State)
		}
		// an appointment that is agreed after the miss excuses nothing
		in.From, in.To, in.Recording = in.From.Add(48*time.Hour), in.To.Add(48*time.Hour), "rec-1"
		_, err = w.m.Propose(ctx, north, in)
		must(t, err)
		events, err := w.m.Events(ctx, regulator, city, "1001", "2025-2026")
		must(t, err)
		var types []refund.EventType
		for _, e := range events {
			types = append(types, e.Type)
		}
		if diff := cmp.Diff([]refund.EventType{refund.Requested, refund.Appointed, refund.MissedByCompany}, types); diff != "" {
			t.Error(diff)
		}
	})
}

// A form that waited in a stairwell and shows a visit in time undoes the miss by itself.
func TestALateFormUndoesTheMiss(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		w.now.Set(m.DueAt.Add(2 * time.Hour))
		w.work()
		if v := w.get(m.ID); v.State != measure.Missed || v.Misses != 1 {
			t.Fatalf("after the limit: %s, %d misses", v.State, v.Misses)
		}
		at := m.DueAt.Add(-3 * time.Hour)
		r, err := w.m.Submit(ctx, worker, measure.Submission{
			City: city, Visit: w.visitID(1), Measurement: m.ID, Arrival: w.arrival(measure.Met, at), Readings: w.reading("16.0", at), Signatures: w.signatures(at),
		})
		must(t, err)
		if r.Measurement.State != measure.Failed || r.Measurement.Misses != 0 {
			t.Errorf("after the late form: %s, %d misses", r.Measurement.State, r.Measurement.Misses)
		}
		if got := w.types(); got != "request test" {
			t.Errorf("events are %s", got)
		}
	})
}

func TestOutcomesAreDifferentEvents(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[measure.Outcome]struct {
		state measure.State
		event refund.EventType
		doc   string
	}{
		measure.NobodyIn:         {measure.Absent, refund.UserAbsent, "not_home_slip"},
		measure.RefusedByUser:    {measure.Refused, refund.RefusedByUser, "refusal_witness"},
		measure.RefusedByCompany: {measure.Missed, refund.RefusedByCompany, "refusal_witness"},
		measure.Met:              {measure.Requested, refund.NoRecord, ""},
		measure.Unable:           {measure.Requested, refund.UnableByCompany, ""},
	} {
		t.Run(string(outcome), func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d)
				m := w.asks()
				w.now.Advance(time.Hour)
				r, err := w.m.Submit(ctx, worker, measure.Submission{City: city, Visit: w.visitID(1), Measurement: m.ID, Arrival: w.arrival(outcome, w.now.Now())})
				must(t, err)
				if r.Measurement.State != want.state {
					t.Errorf("state %s, want %s", r.Measurement.State, want.state)
				}
				if want.doc != "" && (len(r.Documents) != 1 || r.Documents[0].Code != want.doc) && want.doc == "not_home_slip" {
					t.Errorf("documents %+v, want %s", r.Documents, want.doc)
				}
				w.now.Advance(25 * time.Hour)
				w.work()
				if !slices.ContainsFunc(w.heard, func(c measure.Counted) bool { return c.Type == want.event }) {
					t.Errorf("settlement did not hear of %s: %+v", want.event, w.heard)
				}
				if got := w.types(); !strings.Contains(got, string(want.event)) {
					t.Errorf("events are %s, want %s among them", got, want.event)
				}
			})
		})
	}
}

// Nobody home: the resident is asked whether it is true, and the word stays beside the event.
func TestNobodyHomeIsAsked(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		w.now.Advance(time.Hour)
		_, err := w.m.Submit(ctx, worker, measure.Submission{City: city, Visit: w.visitID(1), Measurement: m.ID, Arrival: w.arrival(measure.NobodyIn, w.now.Now())})
		must(t, err)
		w.answers(m, "visit", false)
		w.answers(m, "visit", true) // the first word stays
		ev := w.log().Events
		if last := ev[len(ev)-1]; last.Type != refund.UserAbsent || !last.Disputed {
			t.Errorf("the last event is %+v", last)
		}
		w.now.Set(m.DueAt.Add(time.Hour))
		w.work()
		if v := w.get(m.ID); v.State != measure.Absent || v.Misses != 0 {
			t.Errorf("a company that found nobody is late: %s, %d misses", v.State, v.Misses)
		}
	})
}

func TestTheResidentsWordOnACure(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		w.visit(worker, m, 1, "15.0")
		claim := func() {
			w.now.Advance(time.Hour)
			_, err := w.m.ClaimCure(ctx, north, measure.Curing{Act: act(m)})
			must(t, err)
		}
		claim()
		w.answers(m, "cure", false)
		if v := w.get(m.ID); v.State != measure.Failed {
			t.Errorf("still cold leaves it %s", v.State)
		}
		claim()
		again := measure.Proposal{Act: act(m), From: civil.On(w.now.Now().Date().AddDays(1), 9, 0), To: civil.On(w.now.Now().Date().AddDays(1), 11, 0), Recording: "R-2"}
		_, err := w.m.Propose(ctx, north, again)
		must(t, err)
		w.now.Advance(time.Hour)
		w.answers(m, "cure", true)
		if v := w.get(m.ID); v.State != measure.Conforming || !v.From.IsZero() || v.Appointments[0].State != measure.Cancelled {
			t.Errorf("warm leaves it %s, with a re-test at %s that is %s", v.State, v.From, v.Appointments[0].State)
		}
		w.now.Set(again.To.Add(time.Hour))
		w.work()
		if got, want := w.types(), "request test cure_claimed cure_claimed cure_verified appointment"; got != want {
			t.Errorf("events are %s, want %s", got, want)
		}
		_, err = w.m.ClaimCure(ctx, north, measure.Curing{Act: act(m)})
		wantKind(t, err, fault.Conflict)
	})
}

func TestALaboratorysReport(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		w.visit(worker, m, 1, "18.5")
		_, err := w.m.Invite(ctx, north, measure.Invitation{Act: act(m), Laboratory: "LAB", At: w.now.Now().Add(24 * time.Hour)})
		wantKind(t, err, fault.Denied)
		v, err := w.m.Invite(ctx, district, measure.Invitation{Act: act(m), Laboratory: "LAB", At: w.now.Now().Add(24 * time.Hour)})
		must(t, err)
		invitation := v.Records[len(v.Records)-1]
		w.now.Advance(25 * time.Hour)
		report := measure.LabReport{Act: act(m), Lab: measure.Lab{
			Laboratory: "LAB", ReportNo: "检字9号", Invited: invitation.ID,
			Readings: []measure.RoomReading{{Room: "客厅", Type: "living_room", TempC: tenths("16.5"), At: w.now.Now().Add(-time.Hour)}},
		}}
		got, err := w.m.ReportLab(ctx, district, report)
		must(t, err)
		if got.State != measure.Failed || got.Result == nil || got.Result.By != measure.Laboratory {
			t.Errorf("after the report: %s, %+v", got.State, got.Result)
		}
		ev := w.log().Events
		if last := ev[len(ev)-1]; last.Type != refund.LabReported || !last.Invited || last.By != refund.ByLaboratory {
			t.Errorf("the last event is %+v", last)
		}
		if !slices.Contains(w.told, "C1 invited") {
			t.Errorf("the company was told %v", w.told)
		}
	})
}

func TestWithdrawing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		_, err := w.m.Withdraw(ctx, seat, act(m))
		wantKind(t, err, fault.Invalid)
		in := act(m)
		in.Reason, in.Key = "家里热了", "k"
		for range 2 {
			got, err := w.m.Withdraw(ctx, seat, in)
			must(t, err)
			if got.State != measure.Withdrawn {
				t.Errorf("state %s", got.State)
			}
		}
		w.now.Set(m.DueAt.Add(time.Hour))
		w.work()
		if got := w.types(); got != "request withdrawn" {
			t.Errorf("events are %s", got)
		}
		if again := w.asks(); again.ID == m.ID {
			t.Error("a new request after a withdrawal is the old one")
		}
	})
}

// Of many who ask for one home at once, one makes the measurement; of many who change one version, one wins.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var wg sync.WaitGroup
		ids, wins := make(chan string, 8), make(chan bool, 8)
		for range 8 {
			wg.Go(func() {
				m, err := w.m.Request(ctx, seat, measure.Requesting{City: city, Account: "1001"})
				if err != nil {
					t.Error(err)
				}
				ids <- m.ID
			})
		}
		wg.Wait()
		close(ids)
		first := <-ids
		for id := range ids {
			if id != first {
				t.Errorf("two measurements: %s and %s", first, id)
			}
		}
		m := w.get(first).Measurement
		for range 8 {
			wg.Go(func() {
				in := measure.Act{City: city, ID: m.ID, Version: m.Version, Reason: "热了"}
				_, err := w.m.Withdraw(ctx, seat, in)
				if err != nil && !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
				wins <- err == nil
			})
		}
		wg.Wait()
		close(wins)
		n := 0
		for won := range wins {
			if won {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d of 8 withdrew one version", n)
		}
		w.log()
	})
}

func TestCalendarAndRoute(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		plan, err := w.m.Calendar(ctx, north, city, measure.CalendarFilter{})
		must(t, err)
		if len(plan.Planned) != 0 || len(plan.Owed) != 1 {
			t.Errorf("before an appointment: %d planned, %d owed", len(plan.Planned), len(plan.Owed))
		}
		in := measure.Proposal{Act: act(m), From: civil.On(civil.NewDate(2026, 1, 15), 15, 0), To: civil.On(civil.NewDate(2026, 1, 15), 17, 0), Recording: "rec"}
		_, err = w.m.Propose(ctx, north, in)
		must(t, err)
		plan, err = w.m.Calendar(ctx, north, city, measure.CalendarFilter{})
		must(t, err)
		if len(plan.Planned) != 1 || len(plan.Owed) != 0 || plan.Planned[0].Measurement.ID != m.ID {
			t.Errorf("with an appointment: %d planned, %d owed", len(plan.Planned), len(plan.Owed))
		}
		plan, err = w.m.Calendar(ctx, south, city, measure.CalendarFilter{})
		must(t, err)
		if len(plan.Planned)+len(plan.Owed) != 0 {
			t.Error("another company sees the calendar")
		}
		plan, err = w.m.Route(ctx, worker, city, civil.NewDate(2026, 1, 15))
		must(t, err)
		if len(plan.Planned) != 0 {
			t.Error("a worker's route shows what is not theirs")
		}
	})
}
