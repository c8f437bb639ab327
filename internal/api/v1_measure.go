package api

import (
	"context"
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/page"
)

// homeOf names a home, and the season to which its log is narrowed.
type homeOf struct {
	Home   string `json:"home" form:"home"`
	Season string `json:"season" form:"season"`
}

// capacityOf names the company whose places are asked for; empty: the caller's own.
type capacityOf struct {
	Company string `json:"company" form:"company"`
}

// measureOperations are in-home measurement: requests, appointments, visits in parts, outcomes, and the log of a home.
func (v *v1) measureOperations() {
	read := []actor.Permission{actor.MeasureRead}
	const all, one = "/cities/{city}/measurements", "/cities/{city}/measurements/{measurement}"
	ask(v, Operation{Name: "list_measurements", Method: http.MethodGet, Path: all, Permissions: read, tag: "measurements"},
		func(ctx context.Context, c caller, f measure.Filter) (page.Of[measure.Measurement], error) {
			return full(v.Measure.List(ctx, c.by, c.city, f))
		})
	ask(v, Operation{Name: "show_measurement", Method: http.MethodGet, Path: one, Permissions: read, tag: "measurements"},
		func(ctx context.Context, c caller, _ none) (measure.View, error) {
			return v.Measure.Get(ctx, c.by, c.city, c.param("measurement"))
		})
	act(v, Operation{
		Name: "request_measurement", Method: http.MethodPost, Path: all, Permissions: []actor.Permission{actor.MeasureRequest}, tag: "measurements", status: http.StatusCreated,
	}, func(ctx context.Context, c caller, in measure.Requesting) (measure.Measurement, error) {
		in.City, in.Key = c.city, c.key()
		return v.Measure.Request(ctx, c.by, in)
	})
	files := func(in *measure.Submission) *[]blob.Stored { return &in.Files }
	actWith(v, Operation{
		Name: "submit_visit", Method: http.MethodPost, Path: "/cities/{city}/measurement_visits", Permissions: []actor.Permission{actor.MeasureTest}, tag: "measurements",
	}, files, func(ctx context.Context, c caller, in measure.Submission) (measure.Receipt, error) {
		in.City = c.city
		return v.Measure.Submit(ctx, c.by, in)
	})
	v.measureSteps(one)
	v.measureQuestions(read)
	v.windowOperations(one, read)
}

// windowOperations are the times that may be chosen for a measurement, and how many homes a company can measure in each.
func (v *v1) windowOperations(one string, read []actor.Permission) {
	const places = "/cities/{city}/measurement_capacity"
	ask(v, Operation{Name: "measurement_windows", Method: http.MethodGet, Path: one + "/windows", Permissions: read, tag: "measurements"},
		func(ctx context.Context, c caller, _ none) (measure.Offer, error) {
			return v.Measure.Windows(ctx, c.by, c.city, c.param("measurement"))
		})
	ask(v, Operation{Name: "measurement_capacity", Method: http.MethodGet, Path: places, Permissions: read, tag: "measurements"},
		func(ctx context.Context, c caller, q capacityOf) (measure.CapacityView, error) {
			return v.Measure.Capacity(ctx, c.by, c.city, q.Company)
		})
	act(v, Operation{Name: "set_measurement_capacity", Method: http.MethodPost, Path: places, Permissions: []actor.Permission{actor.MeasureAppoint}, tag: "measurements"},
		func(ctx context.Context, c caller, in measure.Setting) (measure.CapacityView, error) {
			in.City, in.Key = c.city, c.key()
			return v.Measure.SetCapacity(ctx, c.by, in)
		})
}

// measureStep adds one act on a measurement: POST /measurements/{measurement}/<name>.
func measureStep[In any](v *v1, path, name string, do func(ctx context.Context, by actor.Actor, in In) (measure.Measurement, error), of func(in *In) *measure.Act, any ...actor.Permission) {
	act(v, Operation{Name: name + "_measurement", Method: http.MethodPost, Path: path + "/" + name, Permissions: any, tag: "measurements"},
		func(ctx context.Context, c caller, in In) (measure.Measurement, error) {
			at := of(&in)
			at.City, at.ID, at.Key = c.city, c.param("measurement"), c.key()
			return do(ctx, c.by, in)
		})
}

func (v *v1) measureSteps(one string) {
	measureStep(v, one, "withdraw", v.Measure.Withdraw, func(in *measure.Act) *measure.Act { return in }, actor.MeasureRequest)
	measureStep(v, one, "propose", v.Measure.Propose, func(in *measure.Proposal) *measure.Act { return &in.Act }, actor.MeasureAppoint)
	answering := func(in *measure.Answering) *measure.Act { return &in.Act }
	measureStep(v, one, "accept", v.Measure.Accept, answering, actor.MeasureRequest, actor.MeasureAppoint)
	measureStep(v, one, "decline", v.Measure.Decline, answering, actor.MeasureRequest, actor.MeasureAppoint)
	measureStep(v, one, "assign", v.Measure.Assign, func(in *measure.Assigning) *measure.Act { return &in.Act }, actor.MeasureAppoint)
	measureStep(v, one, "choose", v.Measure.Choose, func(in *measure.Choosing) *measure.Act { return &in.Act }, actor.MeasureRequest)
	curing := func(in *measure.Curing) *measure.Act { return &in.Act }
	measureStep(v, one, "claim_cure", v.Measure.ClaimCure, curing, actor.MeasureCure)
	measureStep(v, one, "deny_cure", v.Measure.DenyCure, curing, actor.MeasureRequest)
	measureStep(v, one, "verify_cure", v.Measure.VerifyCure, curing, actor.MeasureVerify)
	measureStep(v, one, "report_lab", v.Measure.ReportLab, func(in *measure.LabReport) *measure.Act { return &in.Act }, actor.MeasureLab)
	measureStep(v, one, "correct", v.Measure.Correct, func(in *measure.Correction) *measure.Act { return &in.Act }, actor.MeasureCorrect)
	act(v, Operation{Name: "invite_measurement", Method: http.MethodPost, Path: one + "/invite", Permissions: []actor.Permission{actor.MeasureLab}, tag: "measurements"},
		func(ctx context.Context, c caller, in measure.Invitation) (measure.View, error) {
			in.City, in.ID, in.Key = c.city, c.param("measurement"), c.key()
			return v.Measure.Invite(ctx, c.by, in)
		})
}

// measureQuestions are what phones, calendars and settlement ask.
func (v *v1) measureQuestions(read []actor.Permission) {
	question := func(name, path string) Operation {
		return Operation{Name: name, Method: http.MethodGet, Path: "/cities/{city}/" + path, Permissions: read, tag: "measurements"}
	}
	ask(v, question("measurement_calendar", "measurement_calendar"), func(ctx context.Context, c caller, f measure.CalendarFilter) (measure.Plan, error) {
		return v.Measure.Calendar(ctx, c.by, c.city, f)
	})
	ask(v, question("measurement_doors", "measurement_doors"), func(ctx context.Context, c caller, q measure.DoorsQuery) (measure.DoorsOf, error) {
		return v.Measure.Doors(ctx, c.by, c.city, q)
	})
	ask(v, question("measurement_guide", "measurement_guide"), func(ctx context.Context, c caller, _ none) (measure.Guide, error) {
		return v.Measure.Guide(ctx, c.by, c.city)
	})
	ask(v, question("measurement_log", "measurement_log"), func(ctx context.Context, c caller, q homeOf) (measure.HomeLog, error) {
		return v.Measure.Log(ctx, c.by, c.city, q.Home, q.Season)
	})
	ask(v, question("show_measurement_document", "measurement_documents/{document}"), func(ctx context.Context, c caller, _ none) (measure.Sheet, error) {
		return v.Measure.Sheet(ctx, c.by, c.city, c.param("document"))
	})
}

// instrumentOperations are the register of measuring instruments.
func (v *v1) instrumentOperations() {
	read, edit := []actor.Permission{actor.InstrumentRead}, []actor.Permission{actor.InstrumentEdit}
	const all, one = "/cities/{city}/instruments", "/cities/{city}/instruments/{instrument}"
	ask(v, Operation{Name: "list_instruments", Method: http.MethodGet, Path: all, Permissions: read, tag: "instruments"},
		func(ctx context.Context, c caller, f equipment.Filter) (page.Of[equipment.Instrument], error) {
			return full(v.Equipment.List(ctx, c.by, c.city, f))
		})
	ask(v, Operation{Name: "show_instrument", Method: http.MethodGet, Path: one, Permissions: read, tag: "instruments"},
		func(ctx context.Context, c caller, _ none) (equipment.Instrument, error) {
			return v.Equipment.Get(ctx, c.by, c.city, c.param("instrument"))
		})
	act(v, Operation{Name: "add_instrument", Method: http.MethodPost, Path: all, Permissions: edit, tag: "instruments", status: http.StatusCreated},
		func(ctx context.Context, c caller, in equipment.Entry) (equipment.Instrument, error) {
			in.City, in.ID, in.Key = c.city, "", c.key()
			return v.Equipment.Save(ctx, c.by, in)
		})
	act(v, Operation{Name: "change_instrument", Method: http.MethodPost, Path: one, Permissions: edit, tag: "instruments"},
		func(ctx context.Context, c caller, in equipment.Entry) (equipment.Instrument, error) {
			in.City, in.ID, in.Key = c.city, c.param("instrument"), c.key()
			return v.Equipment.Save(ctx, c.by, in)
		})
}
