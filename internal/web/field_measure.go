package web

import (
	"context"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// testRoutes are the measurement of a home on the telephone: what the city's rules ask, the reading, both signatures.
func (w *Web) testRoutes() []Route {
	if w.Measure == nil || w.Equipment == nil || w.Blobs == nil {
		return nil
	}
	test := may(actor.MeasureTest)
	return []Route{
		get("/f/{city}/tests/{test}", test, w.fieldTest),
		get("/f/{city}/tests/{test}/read", test, w.askTest(testRead)),
		post("/f/{city}/tests/{test}/read", test, w.doTest(testRead)),
		get("/f/{city}/tests/{test}/absent", test, w.askTest(testAbsent)),
		post("/f/{city}/tests/{test}/absent", test, w.doTest(testAbsent)),
		get("/f/{city}/tests/{test}/unable", test, w.askTest(testUnable)),
		post("/f/{city}/tests/{test}/unable", test, w.doTest(testUnable)),
	}
}

// testForm is which form of a visit it is; also the last part of its address.
type testForm string

const (
	testRead   testForm = "read"
	testAbsent testForm = "absent" // nobody was home, or entry was refused
	testUnable testForm = "unable" // the tester was there and could not measure: the company's cause
)

// testView is one measurement on the telephone.
type testView struct {
	measure.View
	guide measure.Guide
	tools []equipment.Instrument
	form  testForm
	now   civil.Instant

	copies []residentCopy
}

// residentCopy is what a resident takes along at once: the link of a paper that both sides have signed.
type residentCopy struct{ no, link string }

// witnessKinds are who may stand by when a signature or a test is refused (网格员、社区、物业).
func witnessKinds() []string { return []string{"grid_worker", "community", "property"} }

// complete reports whether both sides have signed, or the resident's refusal stands with a witness.
func complete(v measure.Visit) bool {
	has := func(side measure.Side) bool {
		return slices.ContainsFunc(v.Signatures, func(g measure.KeptSignature) bool { return g.Side == side })
	}
	return has(measure.CompanySide) && (has(measure.UserSide) || has(measure.WitnessSide))
}

// lastRead is when this home was read last, of which the next reading may have to keep its distance.
func (v testView) lastRead() civil.Instant {
	var at civil.Instant
	for _, x := range v.Visits {
		if x.Readings != nil {
			for _, m := range x.Readings.Rooms {
				at = max(at, m.At)
			}
		}
	}
	return at
}

func (v testView) href(more string) string { return at("/f/{city}/tests/", v.City) + v.ID + more }

func (w *Web) testOf(r *http.Request) (testView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := testView{now: w.o.Now()}
	var err error
	if v.View, err = w.Measure.Get(ctx, by(r), city, chi.URLParam(r, "test")); err != nil {
		return v, err
	}
	if err := by(r).May(actor.MeasureTest, v.On()); err != nil {
		return v, actor.Hide(err)
	}
	for _, x := range v.Visits {
		for _, d := range v.Documents {
			if d.Matter == x.ID && complete(x) {
				v.copies = append(v.copies, residentCopy{d.No, w.outside(r, w.copyPath(city, d.ID))})
			}
		}
	}
	if v.guide, err = w.Measure.Guide(ctx, by(r), city); err != nil {
		return v, err
	}
	tools, err := w.Equipment.List(ctx, by(r), city, equipment.Filter{Owner: by(r).Org, State: equipment.InUse, Request: page.Request{Size: page.MaxSize}})
	if fault.Is(err, fault.Denied) {
		return v, nil // the number is typed
	}
	v.tools = tools.Items
	return v, err
}

func (w *Web) fieldTest(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.testOf(r)
	if err != nil {
		return err
	}
	return w.showField(rw, r, Page{Title: text.Msg("field.test"), Body: fieldTestBody(v), Back: at("/f/{city}", v.City)})
}

func (w *Web) askTest(form testForm) handler {
	return func(rw http.ResponseWriter, r *http.Request) error {
		v, err := w.testOf(r)
		if err != nil {
			return err
		}
		v.form = form
		return w.showField(rw, r, testPage(v, ui.Form{}))
	}
}

func testPage(v testView, f ui.Form) Page {
	key := "field.test." + string(v.form)
	return Page{Title: text.Msg(key), Body: fieldTestForm(v, f, key), Back: v.href(""), Photo: true}
}

// signing is one side's signature in the form.
type fieldSigning struct {
	Name     string `form:"name"`
	Relation string `form:"relation"`
	Refused  bool   `form:"refused"`
	Strokes  string `form:"strokes"`
}

type fieldRoom struct {
	Room  string          `form:"room"`
	Type  string          `form:"type"`
	TempC *celsius.Tenths `form:"temp_c"`
	At    civil.Instant   `form:"at"`
}

// testInput is the form of a visit, with a reading or without.
type testInput struct {
	Outcome      measure.Outcome         `form:"outcome"`
	Cause        measure.Cause           `form:"cause"`
	CallLog      string                  `form:"call_log"`
	Slip         bool                    `form:"slip"`
	Reason       string                  `form:"reason"`
	Note         string                  `form:"note"`
	Retest       bool                    `form:"retest"`
	Testers      string                  `form:"testers"`
	Instrument   string                  `form:"instrument"`
	WindowsSince civil.Instant           `form:"windows_closed_since"`
	HeightCM     int                     `form:"height_cm"`
	AtPoint      bool                    `form:"at_point"`
	OutdoorC     *celsius.Tenths         `form:"outdoor_c"`
	Conditions   []string                `form:"conditions"`
	Rooms        []fieldRoom             `form:"rooms"`
	User         fieldSigning            `form:"user"`
	Company      fieldSigning            `form:"company"`
	Witness      fieldSigning            `form:"witness"`
	Device       dispatch.Device         `form:"device"`
	Photos       []*multipart.FileHeader `form:"photos"`
	Uploads      []string                `form:"upload"`
}

// submission makes the parts of the visit out of the form. The visit's id is the form's key, so that the same form sent
// twice is the same visit.
func (in testInput) submission(form testForm, at civil.Instant) measure.Submission {
	s := measure.Submission{SentAt: at, Arrival: &measure.Arrival{
		Outcome: in.Outcome, At: at, Retest: in.Retest, CallLog: in.CallLog, Slip: in.Slip, Reason: in.Reason, Note: in.Note,
	}}
	s.Arrival.Testers = append(s.Arrival.Testers, strings.FieldsFunc(in.Testers, func(r rune) bool { return r == '、' || r == ',' || r == '，' || r == ' ' })...)
	if d := in.Device; d.Lng != nil && d.Lat != nil {
		s.Arrival.Spot = measure.Spot{Lng: degrees(*d.Lng), Lat: degrees(*d.Lat)}
		if d.Accuracy != nil {
			s.Arrival.Spot.AccuracyM = int(*d.Accuracy)
		}
	}
	for _, one := range []struct {
		side measure.Side
		fieldSigning
	}{{measure.UserSide, in.User}, {measure.CompanySide, in.Company}, {measure.WitnessSide, in.Witness}} {
		if one.Refused || one.Strokes != "" || one.Name != "" {
			s.Signatures = append(s.Signatures, measure.Signature{Side: one.side, Name: one.Name, Relation: one.Relation, Refused: one.Refused, Strokes: one.Strokes, At: at})
		}
	}
	switch form {
	case testAbsent:
		return s
	case testUnable:
		s.Arrival.Outcome, s.Arrival.Cause = measure.Unable, in.Cause
		return s
	case testRead:
		s.Arrival.Outcome = measure.Met
	}
	r := &measure.Readings{Instrument: in.Instrument, WindowsSince: in.WindowsSince, HeightCM: in.HeightCM, OutdoorC: in.OutdoorC, Conditions: in.Conditions, Note: in.Note}
	if in.AtPoint {
		r.AtPoint = &in.AtPoint
	}
	for _, m := range in.Rooms {
		if m.TempC == nil {
			continue
		}
		if m.At.IsZero() {
			m.At = at
		}
		r.Rooms = append(r.Rooms, measure.RoomReading{Room: m.Room, Type: m.Type, TempC: *m.TempC, At: m.At})
	}
	s.Readings = r
	return s
}

// doTest takes what the telephone sends about a visit, and says at once what it means against the standard.
func (w *Web) doTest(form testForm) handler {
	return func(rw http.ResponseWriter, r *http.Request) error {
		got, err := w.submitTest(r, form)
		if err == nil {
			return w.testDone(rw, r, got)
		}
		if isQueued(r) {
			return w.testRefused(rw, r, err)
		}
		v, lost := w.testOf(r)
		if lost != nil {
			return lost
		}
		v.form = form
		return w.again(rw, r, err, ui.Field, func(f ui.Form) Page { return testPage(v, f) })
	}
}

func (w *Web) submitTest(r *http.Request, form testForm) (measure.Receipt, error) {
	in, err := httpx.Bind[testInput](r)
	if err != nil {
		return measure.Receipt{}, err
	}
	at := w.momentOf(0, in.Device)
	if at.IsZero() {
		at = w.o.Now()
	}
	s := in.submission(form, at)
	s.City, s.Measurement, s.Visit = httpx.City(r.Context()), chi.URLParam(r, "test"), formKey(r)
	kept, err := w.fieldPhotos(r, in.Photos, in.Uploads)
	if err != nil {
		return measure.Receipt{}, err
	}
	purpose := "door"
	if form == testRead {
		purpose = "display"
	}
	for i, p := range kept {
		id := "photo-" + string(rune('a'+i))
		if i < len(in.Uploads) && len(in.Photos) == 0 {
			id = in.Uploads[i]
		}
		s.Photos = append(s.Photos, measure.Photo{ID: id, Purpose: purpose, Stored: p})
	}
	return w.Measure.Submit(r.Context(), by(r), s)
}

func (w *Web) testDone(rw http.ResponseWriter, r *http.Request, got measure.Receipt) error {
	receipt := receiptOf(formKey(r))
	verdict := verdictOf(r.Context(), got.Measurement)
	if isQueued(r) {
		return w.json(rw, http.StatusOK, queued{State: "received", Receipt: strings.TrimSpace(receipt + " " + verdict), At: w.o.Now().Clock()})
	}
	back := at("/f/{city}/tests/", httpx.City(r.Context())) + chi.URLParam(r, "test")
	return w.done(rw, r, back, text.Msg("field.test.done", "receipt", receipt, "verdict", verdict))
}

// verdictOf says what the last reading means against the standard.
func verdictOf(ctx context.Context, m *measure.Measurement) string {
	switch {
	case m == nil || m.Result == nil:
		return ""
	case !m.Result.Known:
		return ui.T(ctx, "field.verdict.unknown")
	case m.Result.Conforming:
		return ui.T(ctx, "field.verdict.meets", "lowest", m.Result.LowestC.String())
	}
	return ui.T(ctx, "field.verdict.below", "lowest", m.Result.LowestC.String())
}

func (w *Web) testRefused(rw http.ResponseWriter, r *http.Request, err error) error {
	k := fault.KindOf(err)
	switch k {
	case fault.Invalid:
		return w.json(rw, httpx.Status(k), queued{State: "refused", Message: sayFault(r.Context(), err)})
	case fault.Conflict:
		return w.json(rw, httpx.Status(k), queued{State: "conflict", Message: sayFault(r.Context(), err)})
	case fault.NotFound, fault.Denied:
		return w.json(rw, http.StatusNotFound, queued{State: "refused", Message: ui.T(r.Context(), "field.gone")})
	case fault.Exhausted, fault.Down, fault.Internal:
	}
	return err
}

// rows is how many readings the form offers: what the rules ask for, and room for more rooms.
func (v testView) rows() []int {
	n := 4
	if g := v.guide.Readings; g != nil {
		n = max(n, min(g.Count, 12))
	}
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// roomTypes are the sorts of rooms for which the rules have a standard.
func (v testView) roomTypes() []string {
	var out []string
	for t := range v.guide.Standards {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

// standards is what a script compares a reading with.
func (v testView) standards() string {
	b, err := json.Marshal(v.guide.Standards)
	if err != nil {
		return "{}"
	}
	return string(b)
}

// toolOptions are the instruments of the company, each with what its verification is worth today.
func (v testView) toolOptions(ctx context.Context) []ui.Option {
	out := make([]ui.Option, len(v.tools))
	for i, t := range v.tools {
		out[i] = ui.Option{Value: t.Number, Text: ui.T(ctx, "field.tool", "number", t.Number, "model", t.Model, "until", t.ValidUntil.String(), "fitness", ui.T(ctx, "fitness."+string(t.Fitness(v.now.Date()))))}
	}
	return out
}
