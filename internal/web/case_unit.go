package web

import (
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// holdingActs are what a unit does with a case that it holds, in the order of its work.
func holdingActs() []caseAct {
	p := func(all ...actor.Permission) []actor.Permission { return all }
	e := func(all ...cases.Event) []cases.Event { return all }
	return []caseAct{
		{
			name: "take", key: "event.take", icon: "check", look: "main-act", atOnce: true, quick: true, may: p(actor.CaseTake), events: e(cases.Take),
			do: plain(func(w *Web) useAct { return w.Dispatch.Take }),
		},
		{
			name: "assign", key: "event.assign", icon: "users", quick: true, may: p(actor.CaseAssign), events: e(cases.Assign), fields: assignFields,
			do: doer(func(in *dispatch.Assigning) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, dispatch.Assigning) (cases.Case, error) {
				return w.Dispatch.Assign
			}),
		},
		{
			name: "contact", key: "event.contact", icon: "phone", quick: true, may: p(actor.CaseHandle), events: e(cases.Contact), text: "unit.contact.text", fields: contactFields,
			do: doer(func(in *dispatch.Contacting) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, dispatch.Contacting) (cases.Case, error) {
				return w.Dispatch.Contact
			}),
		},
		{
			name: "appoint", key: "event.appoint", icon: "calendar", quick: true, may: p(actor.CaseHandle), events: e(cases.Appoint), text: "unit.appoint.text", fields: appointFields,
			do: doer(func(in *dispatch.Appointment) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, dispatch.Appointment) (cases.Case, error) {
				return w.Dispatch.Appoint
			}),
		},
		{name: "arrive", key: "event.arrive", icon: "map-pin", quick: true, files: true, may: p(actor.CaseHandle), events: e(cases.Arrive), text: "unit.arrive.text", fields: arriveFields, do: arriving},
		{name: "feed_back", key: "event.feed_back", icon: "file-text", look: "main-act", quick: true, files: true, may: p(actor.CaseFeedBack), events: e(cases.FeedBack), fields: feedbackFields, do: feedingBack},
		{
			name: "ask_return", key: "event.return", icon: "undo-2", look: "danger", quick: true, files: true, reason: "need", may: p(actor.CaseReturn), events: e(cases.AskReturn),
			text: "unit.return.text", fields: askReturnFields, do: returning,
		},
		{
			name: "ask_more", key: "unit.ask_more", icon: "clock", reason: "need", may: p(actor.CaseAskExtend), open: mayAskMore, fields: askMoreFields,
			do: doer(func(in *dispatch.Asking) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, dispatch.Asking) (cases.Case, error) {
				return w.Dispatch.AskMore
			}),
		},
		{
			name: "appeal", key: "unit.appeal", icon: "scale", reason: "need", may: p(actor.CaseAppeal), open: func(v caseView) bool { return len(v.appealable()) > 0 },
			text: "unit.appeal.text", fields: appealFields,
			do: doer(func(in *dispatch.Appealing) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, dispatch.Appealing) (cases.Case, error) {
				return w.Dispatch.Appeal
			}),
		},
	}
}

// form is the frame of an act's form: one that carries files goes as a whole page.
func (a caseAct) form(f ui.Form, action string) templ.Component {
	if a.files {
		return ui.FileForm(f, action)
	}
	return ui.PartForm(f, action, "ask")
}

func mayAskMore(v caseView) bool {
	switch v.Case.Status {
	case cases.Signed, cases.Handling, cases.Rework, cases.Postponed:
		return true
	case cases.Reported, cases.Accepted, cases.Confirming, cases.Filed, cases.Dispatched, cases.Returned, cases.FedBack, cases.Verified, cases.ToClose,
		cases.Parked, cases.Closed, cases.Archived, cases.Answered, cases.Rejected, cases.Withdrawn, cases.Terminated, cases.Void:
	}
	return false
}

// appealable are the broken limits of the unit, and the other things that an appeal may be about.
func (v caseView) appealable() []clock.Clock {
	var out []clock.Clock
	for _, k := range v.Clocks {
		if k.Party == citypack.PartyUnit && k.Org == v.Case.Company && k.State != clock.Void && !k.Breached.IsZero() {
			out = append(out, k)
		}
	}
	return out
}

// photosOf keeps the photographs of a form before the transaction that names them.
func (w *Web) photosOf(r *http.Request, files []*multipart.FileHeader) ([]blob.Stored, error) {
	return w.filesOf(r, "photos", files, func(*multipart.FileHeader) string { return blob.Photo })
}

// filesOf keeps the files of a form's field before the transaction that names them.
func (w *Web) filesOf(r *http.Request, field string, files []*multipart.FileHeader, purpose func(*multipart.FileHeader) string) ([]blob.Stored, error) {
	const most = 9
	var check fault.Check
	check.That(len(files) <= most, field, "field.out_of_range", "min", 0, "max", most)
	if err := check.Err(); err != nil {
		return nil, err
	}
	var out []blob.Stored
	for i, h := range files {
		f, err := h.Open()
		if err != nil {
			return nil, fmt.Errorf("open photo %d: %w", i+1, err)
		}
		kept, err := w.Blobs.Keep(r.Context(), blob.Upload{City: httpx.City(r.Context()), Purpose: purpose(h), Name: h.Filename, Reader: f})
		_ = f.Close() // read-only
		if err != nil {
			var bad fault.Check
			if !bad.Merge(field, err) {
				return nil, err
			}
			return nil, bad.Err()
		}
		out = append(out, kept)
	}
	return out, nil
}

type visitInput struct {
	cases.Act
	Result      string                  `form:"result"`
	At          civil.Instant           `form:"at"`
	CallLog     string                  `form:"call_log"`
	Slip        bool                    `form:"slip"`
	Temperature *celsius.Tenths         `form:"temperature"`
	Note        string                  `form:"note"`
	Photos      []*multipart.FileHeader `form:"photos"`
}

// theAct names the case of the address and the form's key.
func theAct(r *http.Request, a cases.Act) cases.Act {
	a.City, a.ID, a.Key = httpx.City(r.Context()), chi.URLParam(r, "case"), formKey(r)
	return a
}

func arriving(w *Web, r *http.Request) (cases.Case, error) {
	in, err := httpx.Bind[visitInput](r)
	if err != nil {
		return cases.Case{}, err
	}
	photos, err := w.photosOf(r, in.Photos)
	if err != nil {
		return cases.Case{}, err
	}
	return w.Dispatch.Arrive(r.Context(), by(r), dispatch.Visit{
		Act: theAct(r, in.Act), Result: in.Result, At: in.At, CallLog: in.CallLog,
		Slip: in.Slip, Temperature: in.Temperature, Note: in.Note, Photos: photos,
	})
}

type returnInput struct {
	cases.Act
	Right  string                  `form:"right"`
	Photos []*multipart.FileHeader `form:"photos"`
}

func returning(w *Web, r *http.Request) (cases.Case, error) {
	in, err := httpx.Bind[returnInput](r)
	if err != nil {
		return cases.Case{}, err
	}
	photos, err := w.photosOf(r, in.Photos)
	if err != nil {
		return cases.Case{}, err
	}
	return w.Dispatch.Return(r.Context(), by(r), dispatch.Returning{Act: theAct(r, in.Act), Right: in.Right, Photos: photos})
}

// feedingBack reads the feedback form, whose fields are the pack's; the use case knows which they are.
func feedingBack(w *Web, r *http.Request) (cases.Case, error) {
	const inMemory = 8 << 20
	if err := r.ParseMultipartForm(inMemory); err != nil {
		return cases.Case{}, httpx.Malformed(err)
	}
	in := dispatch.Feedback{Act: theAct(r, cases.Act{}), Form: map[string]string{}}
	for name, values := range r.MultipartForm.Value {
		if code, ok := strings.CutPrefix(name, "form."); ok {
			in.Form[code] = strings.Join(values, ",")
		}
	}
	if _, err := fmt.Sscan(r.FormValue("version"), &in.Version); err != nil {
		return cases.Case{}, httpx.Malformed(err)
	}
	var err error
	if in.Photos, err = w.photosOf(r, r.MultipartForm.File["form.photos"]); err != nil {
		return cases.Case{}, err
	}
	return w.Dispatch.FeedBack(r.Context(), by(r), in)
}

// feedbackForm is what the pack asks of the unit for this category.
func (v caseView) feedbackForm() []citypack.FormField {
	cat, _ := v.names.rules.Pack.Category(v.Case.Category)
	return v.names.rules.Pack.FeedbackForm(cat)
}

// start is what a field of the feedback begins with: what is known already.
func (v caseView) start(f citypack.FormField) string {
	switch {
	case f.Code == "arrived_at" && !v.Case.ArrivedAt.IsZero():
		return v.Case.ArrivedAt.Time().Format("2006-01-02T15:04")
	case f.Code == "temp_before":
		return v.takenOnArrival()
	}
	return ""
}

// takenOnArrival is the temperature that was taken at the last visit in which the resident was met.
func (v caseView) takenOnArrival() string {
	for _, d := range slices.Backward(v.Deeds) {
		var visit dispatch.Visit
		if d.Kind != cases.DeedVisit || d.Result != "met" || d.Into(&visit) != nil || visit.Temperature == nil {
			continue
		}
		return visit.Temperature.String()
	}
	return ""
}

// phrase is a label of the pack; the catalogue says a key that it does not know as it is.
func phrase(ctx context.Context, p citypack.Phrase) string { return p.In(httpx.Lang(ctx)) }

func choiceOptions(ctx context.Context, f citypack.FormField) []ui.Option {
	out := make([]ui.Option, len(f.Choices))
	for i, c := range f.Choices {
		out[i] = ui.Option{Value: c.Code, Text: phrase(ctx, c.Name)}
	}
	return out
}

// workerOptions are the company's own people who go to homes.
func (v caseView) workerOptions() []ui.Option {
	out := make([]ui.Option, len(v.workers))
	for i, p := range v.workers {
		out[i] = ui.Option{Value: p.ID, Text: p.Name}
	}
	return out
}

func keyed(prefix string, values ...string) []ui.Option {
	out := make([]ui.Option, len(values))
	for i, v := range values {
		out[i] = ui.Option{Value: v, Key: prefix + "." + v}
	}
	return out
}

func (v caseView) appealOptions(ctx context.Context) []ui.Option {
	var out []ui.Option
	for _, k := range v.appealable() {
		name, _ := v.names.rules.Pack.Clock(k.Code)
		out = append(out, ui.Option{Value: k.ID, Text: phrase(ctx, name.Name) + " " + k.Due.MonthDayClock()})
	}
	return out
}
