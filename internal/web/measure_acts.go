package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// measureAct is something that can be done to a measurement: a button, and the form behind it.
type measureAct struct {
	name   string // last part of its address
	key    string // catalogue key of the button
	icon   string
	look   string
	text   string // key of a sentence in the form
	reason bool   // a reason must be given
	may    []actor.Permission
	event  measure.Event // must be allowed; empty: can decides
	can    func(v measureView) bool
	aside  bool // stands beside what it is about, not among the buttons
	fields func(v measureView, f ui.Form) templ.Component
	do     func(w *Web, r *http.Request) (measure.Measurement, error)
}

// measuring runs a use case with a form of type T, which holds the act that says which measurement is meant.
func measuring[T any](act func(*T) *measure.Act, use func(w *Web) func(context.Context, actor.Actor, T) (measure.Measurement, error)) func(*Web, *http.Request) (measure.Measurement, error) {
	return func(w *Web, r *http.Request) (measure.Measurement, error) {
		in, err := httpx.Bind[T](r)
		if err != nil {
			return measure.Measurement{}, err
		}
		theMeasurement(r, act(&in))
		return use(w)(r.Context(), by(r), in)
	}
}

func theMeasurement(r *http.Request, a *measure.Act) {
	a.City, a.ID, a.Key = httpx.City(r.Context()), chi.URLParam(r, "measurement"), formKey(r)
}

type (
	useAnswer = func(context.Context, actor.Actor, measure.Answering) (measure.Measurement, error)
	useCure   = func(context.Context, actor.Actor, measure.Curing) (measure.Measurement, error)
)

func curing(use func(w *Web) useCure) func(*Web, *http.Request) (measure.Measurement, error) {
	return measuring(func(in *measure.Curing) *measure.Act { return &in.Act }, use)
}

func answeringTime(use func(w *Web) useAnswer) func(*Web, *http.Request) (measure.Measurement, error) {
	return measuring(func(in *measure.Answering) *measure.Act { return &in.Act }, use)
}

// measureActs are all acts on one measurement, in the order of its life.
func measureActs() []measureAct { return append(appointActs(), outcomeActs()...) }

// appointActs bring somebody to the door.
func appointActs() []measureAct {
	p := func(all ...actor.Permission) []actor.Permission { return all }
	return []measureAct{
		{
			name: "propose", key: "measurepage.act.propose", icon: "calendar", look: "main-act", text: "measurepage.act.propose_text", may: p(actor.MeasureAppoint),
			can: func(v measureView) bool {
				return v.State.IsOpen() && v.State != measure.Conforming && v.may(actor.MeasureAppoint)
			}, fields: proposeFields,
			do: measuring(func(in *measure.Proposal) *measure.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, measure.Proposal) (measure.Measurement, error) {
				return w.Measure.Propose
			}),
		},
		{
			name: "choose", key: "measurepage.act.choose", icon: "phone", text: "measurepage.act.choose_text", may: p(actor.MeasureRequest), can: measureView.offers, fields: chooseFields,
			do: measuring(func(in *measure.Choosing) *measure.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, measure.Choosing) (measure.Measurement, error) {
				return w.Measure.Choose
			}),
		},
		{
			name: "assign", key: "measurepage.act.assign", icon: "users", may: p(actor.MeasureAppoint),
			can: func(v measureView) bool { return v.State.IsOpen() && v.may(actor.MeasureAppoint) }, fields: testerFields,
			do: measuring(func(in *measure.Assigning) *measure.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, measure.Assigning) (measure.Measurement, error) {
				return w.Measure.Assign
			}),
		},
		{
			name: "accept", key: "measurepage.act.accept", icon: "check", look: "main-act", text: "measurepage.act.accept_text", may: p(actor.MeasureAppoint, actor.MeasureRequest),
			aside: true, can: measureView.waits, fields: acceptFields,
			do: answeringTime(func(w *Web) useAnswer { return w.Measure.Accept }),
		},
		{
			name: "decline", key: "measurepage.act.decline", icon: "x", text: "measurepage.act.decline_text", may: p(actor.MeasureAppoint, actor.MeasureRequest),
			aside: true, can: measureView.waits, fields: declineFields,
			do: answeringTime(func(w *Web) useAnswer { return w.Measure.Decline }),
		},
	}
}

// outcomeActs are what follows a reading, and the ways out.
func outcomeActs() []measureAct {
	p := func(all ...actor.Permission) []actor.Permission { return all }
	return []measureAct{
		{
			name: "cure", key: "measure_event.claim_cure", icon: "wrench", look: "main-act", text: "measurepage.act.cure_text", may: p(actor.MeasureCure), event: measure.Claim,
			fields: cureFields, do: curing(func(w *Web) useCure { return w.Measure.ClaimCure }),
		},
		{
			name: "deny", key: "measure_event.deny_cure", icon: "flame", text: "measurepage.act.deny_text", may: p(actor.MeasureRequest), event: measure.Deny, fields: cureFields,
			do: curing(func(w *Web) useCure { return w.Measure.DenyCure }),
		},
		{
			name: "verify", key: "measure_event.verify_cure", icon: "badge-check", text: "measurepage.act.verify_text", may: p(actor.MeasureVerify), event: measure.Verify,
			fields: cureFields, do: curing(func(w *Web) useCure { return w.Measure.VerifyCure }),
		},
		{
			name: "invite", key: "measurepage.act.invite", icon: "send", text: "measurepage.act.invite_text", may: p(actor.MeasureLab),
			can: func(v measureView) bool { return v.State != measure.Withdrawn && v.may(actor.MeasureLab) }, fields: inviteFields, do: inviteLab,
		},
		{
			name: "lab", key: "measurepage.act.lab", icon: "file-text", text: "measurepage.act.lab_text", may: p(actor.MeasureLab),
			can: func(v measureView) bool { return v.State != measure.Withdrawn && v.may(actor.MeasureLab) }, fields: labFields, do: reportLab,
		},
		{
			name: "correct", key: "measurepage.act.correct", icon: "pencil", text: "measurepage.act.correct_text", reason: true, may: p(actor.MeasureCorrect), aside: true,
			can: func(v measureView) bool { return v.picked != "" && v.may(actor.MeasureCorrect) }, fields: correctFields,
			do: measuring(func(in *measure.Correction) *measure.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, measure.Correction) (measure.Measurement, error) {
				return w.Measure.Correct
			}),
		},
		{
			name: "withdraw", key: "measure_event.withdraw", icon: "ban", look: "danger", text: "measurepage.act.withdraw_text", reason: true, may: p(actor.MeasureRequest),
			event: measure.Withdraw,
			do: measuring(func(in *measure.Act) *measure.Act { return in }, func(w *Web) func(context.Context, actor.Actor, measure.Act) (measure.Measurement, error) {
				return w.Measure.Withdraw
			}),
		},
	}
}

// can reports whether an act may be done now.
func (v measureView) can(a measureAct) bool {
	if a.event != "" {
		return v.allows(a.event)
	}
	return a.can(v)
}

// waits reports whether the picked appointment waits for the resident's word.
func (v measureView) waits() bool {
	i := slices.IndexFunc(v.Appointments, func(a measure.Appointment) bool { return a.ID == v.picked })
	return i >= 0 && v.open(v.Appointments[i])
}

// offers reports whether there is a time that the reader may take down for a caller.
func (v measureView) offers() bool {
	return len(v.offer.Windows) > 0 && !v.offer.Locked && v.may(actor.MeasureRequest)
}

// readAloud is how many free times an operator reads to a caller before asking which suits.
const readAloud = 3

// aloud are the next free times as an operator reads them out.
func (v measureView) aloud(ctx context.Context) string {
	var out []string
	for _, o := range windowOptions(ctx, v.offer)[:min(readAloud, len(v.offer.Windows))] {
		out = append(out, o.Text)
	}
	return strings.Join(out, ui.T(ctx, "measurepage.act.choose_or"))
}

// buttons are the acts that stand at the head of the page.
func (v measureView) buttons() []measureAct {
	return slices.DeleteFunc(measureActs(), func(a measureAct) bool { return a.aside || !v.can(a) })
}

func inviteLab(w *Web, r *http.Request) (measure.Measurement, error) {
	in, err := httpx.Bind[measure.Invitation](r)
	if err != nil {
		return measure.Measurement{}, err
	}
	theMeasurement(r, &in.Act)
	v, err := w.Measure.Invite(r.Context(), by(r), in)
	return v.Measurement, err
}

// reportLab keeps a report of a laboratory; rooms of the form that were left empty are none.
func reportLab(w *Web, r *http.Request) (measure.Measurement, error) {
	in, err := httpx.Bind[labInput](r)
	if err != nil {
		return measure.Measurement{}, err
	}
	report := measure.LabReport{Act: in.Act, Lab: measure.Lab{Laboratory: in.Laboratory, ReportNo: in.ReportNo, Invited: in.Invitation, CompanyCame: in.CompanyCame}}
	for _, line := range in.Readings {
		if line.Room == "" && line.Temp == nil {
			continue
		}
		one := measure.RoomReading{Room: line.Room, Type: line.Type, At: in.At}
		var c fault.Check
		if c.That(line.Temp != nil, "readings", "field.required"); line.Temp == nil {
			return measure.Measurement{}, c.Err()
		}
		one.TempC = *line.Temp
		report.Readings = append(report.Readings, one)
	}
	theMeasurement(r, &report.Act)
	return w.Measure.ReportLab(r.Context(), by(r), report)
}

// labInput is the form of a laboratory's report: one time for all rooms.
type labInput struct {
	measure.Act
	Laboratory  string        `form:"laboratory"`
	ReportNo    string        `form:"report_no"`
	Invitation  string        `form:"invitation"`
	CompanyCame *bool         `form:"company_came"`
	At          civil.Instant `form:"at"`
	Readings    []labLine     `form:"readings"`
}

type labLine struct {
	Room string          `form:"room"`
	Type string          `form:"type"`
	Temp *celsius.Tenths `form:"temp_c"`
}

// labLines is how many rooms the form of a report has.
const labLines = 4

func (v measureView) askPage(a measureAct, f ui.Form) Page {
	return Page{Title: text.Msg("measurepage.act_title", "act", text.Msg(a.key), "no", v.No), Nav: "measure", Body: measureAskPage(v, a, f), Part: measureAskBox(v, a, f)}
}

// askMeasureAct shows the form of an act: in a dialog over the page, or as a page.
func (w *Web) askMeasureAct(a measureAct) handler {
	return func(rw http.ResponseWriter, r *http.Request) error {
		v, err := w.measureView(r)
		if err != nil {
			return err
		}
		v.picked = r.URL.Query().Get("of")
		if !v.can(a) {
			return fault.New(fault.Conflict, "measurepage.not_now", "act", text.Msg(a.key), "state", text.Msg("measure_state."+string(v.State)))
		}
		return w.show(rw, r, v.askPage(a, ui.Form{}))
	}
}

// doMeasureAct does an act and leads back to the measurement. When somebody was first, the form comes back with what was
// typed and how the measurement stands now.
func (w *Web) doMeasureAct(a measureAct) handler {
	return func(rw http.ResponseWriter, r *http.Request) error {
		m, err := a.do(w, r)
		if err == nil {
			return w.done(rw, r, measurePath(m.City, m.ID), text.Msg("measurepage.done", "no", m.No, "act", ui.T(r.Context(), a.key)))
		}
		k := fault.KindOf(err)
		if k != fault.Invalid && k != fault.Conflict {
			return err
		}
		v, lost := w.measureView(r)
		if lost != nil {
			return lost
		}
		v.picked = r.PostForm.Get("appointment") + r.PostForm.Get("record")
		if k == fault.Conflict {
			v.beaten = v.lastRecord()
			rw.Header().Set("Rehu-Form", "again")
		}
		return w.again(rw, r, formFault(err), ui.Staff, func(f ui.Form) Page { return v.askPage(a, f) })
	}
}

// formFault names fields as forms do: lists by numbers between dots.
func formFault(err error) error {
	f := fault.Of(err)
	if f.Kind != fault.Invalid || len(f.Fields) == 0 {
		return err
	}
	var c fault.Check
	for _, one := range f.Fields {
		pairs := make([]any, 0, 2*len(one.Params))
		for k, v := range one.Params {
			pairs = append(pairs, k, v)
		}
		c.Add(dotted(one.Name), one.Key, pairs...)
	}
	return c.Err()
}

// dotted writes "rooms[0].at" as "rooms.0.at".
func dotted(name string) string {
	out := make([]byte, 0, len(name))
	for i := range len(name) {
		switch name[i] {
		case '[':
			out = append(out, '.')
		case ']':
		default:
			out = append(out, name[i])
		}
	}
	return string(out)
}

// lastRecord says what was told last, for whoever was too late.
func (v measureView) lastRecord() text.Message {
	if len(v.Records) == 0 {
		return text.Msg("conflict.version")
	}
	r := v.Records[len(v.Records)-1]
	return text.Msg("measurepage.beaten", "what", text.Msg("measure_record."+string(r.Kind)), "party", text.Msg("measure_party."+string(r.Party)), "at", r.RecordedAt.MonthDayClock(), "state", text.Msg("measure_state."+string(v.State)))
}

// pickedRecord is the record that a correction is about.
func (v measureView) pickedRecord() measure.Record {
	i := slices.IndexFunc(v.Records, func(r measure.Record) bool { return r.ID == v.picked })
	if i < 0 {
		return measure.Record{}
	}
	return v.Records[i]
}
