package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// fieldAct is a form of the telephone. It works as a plain form; with scripts it is drafted on the telephone, waits there
// without a network, and is sent under its own key.
type fieldAct struct {
	name   string // last part of its address
	key    string // catalogue key of the button
	icon   string
	event  cases.Event
	may    actor.Permission
	files  bool
	text   string // key of a sentence above the form
	fields func(v fieldCaseView, f ui.Form) templ.Component
	do     doing
}

// fieldActs are the forms in the order of the work.
func fieldActs() []fieldAct {
	return []fieldAct{
		{name: "take", key: "event.take", icon: "check", event: cases.Take, may: actor.CaseTake, text: "field.take.text", fields: noFields, do: fieldTaking},
		{name: "contact", key: "event.contact", icon: "phone-call", event: cases.Contact, may: actor.CaseHandle, text: "unit.contact.text", fields: fieldContactFields, do: fieldContacting},
		{name: "appoint", key: "event.appoint", icon: "calendar-clock", event: cases.Appoint, may: actor.CaseHandle, text: "unit.appoint.text", fields: fieldAppointFields, do: fieldAppointing},
		{name: "arrive", key: "event.arrive", icon: "map-pin", event: cases.Arrive, may: actor.CaseHandle, files: true, text: "field.arrive.text", fields: fieldArriveFields, do: fieldArriving("met")},
		{name: "nobody", key: "field.nobody", icon: "house", event: cases.Arrive, may: actor.CaseHandle, files: true, text: "unit.arrive.text", fields: fieldNobodyFields, do: fieldArriving("nobody")},
		{name: "feed_back", key: "event.feed_back", icon: "file-text", event: cases.FeedBack, may: actor.CaseFeedBack, files: true, fields: fieldFeedbackFields, do: fieldFeeding},
		{name: "give_back", key: "field.give_back", icon: "undo-2", may: actor.CaseTake, text: "field.give_back.text", fields: fieldGiveBackFields, do: fieldGiving},
	}
}

func noFields(fieldCaseView, ui.Form) templ.Component { return templ.NopComponent }

// fieldFeedbackFields are the ones of the desk: the form is the pack's.
func fieldFeedbackFields(v fieldCaseView, f ui.Form) templ.Component {
	return feedbackFields(v.caseView, f)
}

// fieldMark names the order of the address, the form's key, and what its writer had seen. Forms of the telephone carry no
// version: what they add is added whatever came before it.
func fieldMark(r *http.Request, reason string) cases.Act {
	seen, _ := strconv.ParseInt(r.PostFormValue("_seen"), 10, 64) // left out: nothing was seen
	return cases.Act{City: httpx.City(r.Context()), ID: chi.URLParam(r, "case"), Key: formKey(r), Seen: seen, Field: true, Reason: reason}
}

func fieldTaking(w *Web, r *http.Request) (cases.Case, error) {
	if _, err := httpx.Bind[struct {
		Device dispatch.Device `form:"device"`
	}](r); err != nil {
		return cases.Case{}, err
	}
	return w.Dispatch.Take(r.Context(), by(r), fieldMark(r, ""))
}

func fieldGiving(w *Web, r *http.Request) (cases.Case, error) {
	in, err := httpx.Bind[struct {
		Reason string          `form:"reason"`
		Device dispatch.Device `form:"device"`
	}](r)
	if err != nil {
		return cases.Case{}, err
	}
	return w.Dispatch.GiveBack(r.Context(), by(r), fieldMark(r, in.Reason))
}

func fieldContacting(w *Web, r *http.Request) (cases.Case, error) {
	in, err := httpx.Bind[struct {
		Result string          `form:"result"`
		At     civil.Instant   `form:"at"`
		Note   string          `form:"note"`
		Device dispatch.Device `form:"device"`
	}](r)
	if err != nil {
		return cases.Case{}, err
	}
	return w.Dispatch.Contact(r.Context(), by(r), dispatch.Contacting{
		Act: fieldMark(r, ""), Result: in.Result, At: w.momentOf(in.At, in.Device), Note: in.Note, Device: in.Device,
	})
}

func fieldAppointing(w *Web, r *http.Request) (cases.Case, error) {
	in, err := httpx.Bind[dispatch.Appointment](r)
	if err != nil {
		return cases.Case{}, err
	}
	in.Act = fieldMark(r, "")
	return w.Dispatch.Appoint(r.Context(), by(r), in)
}

// fieldVisit is the form at the door.
type fieldVisit struct {
	At          civil.Instant           `form:"at"`
	CallLog     string                  `form:"call_log"`
	Slip        bool                    `form:"slip"`
	Refused     bool                    `form:"refused"`
	Temperature *celsius.Tenths         `form:"temperature"`
	Note        string                  `form:"note"`
	Photos      []*multipart.FileHeader `form:"photos"`
	Uploads     []string                `form:"upload"`
	Device      dispatch.Device         `form:"device"`
}

func fieldArriving(result string) doing {
	return func(w *Web, r *http.Request) (cases.Case, error) {
		in, err := httpx.Bind[fieldVisit](r)
		if err != nil {
			return cases.Case{}, err
		}
		photos, err := w.fieldPhotos(r, in.Photos, in.Uploads)
		if err != nil {
			return cases.Case{}, err
		}
		found := result
		if in.Refused {
			found = "refused"
		}
		return w.Dispatch.Arrive(r.Context(), by(r), dispatch.Visit{
			Act: fieldMark(r, ""), Result: found, At: w.momentOf(in.At, in.Device), CallLog: in.CallLog, Slip: in.Slip,
			Temperature: in.Temperature, Note: in.Note, Photos: photos, Device: in.Device,
		})
	}
}

func fieldFeeding(w *Web, r *http.Request) (cases.Case, error) {
	const inMemory = 8 << 20
	if err := r.ParseMultipartForm(inMemory); err != nil {
		return cases.Case{}, httpx.Malformed(err)
	}
	in := dispatch.Feedback{Form: map[string]string{}, Beside: r.FormValue("_beside") == "yes"}
	for name, values := range r.MultipartForm.Value {
		if code, ok := strings.CutPrefix(name, "form."); ok {
			in.Form[code] = strings.Join(values, ",")
		}
	}
	var err error
	if in.Device, err = deviceOf(r); err != nil {
		return cases.Case{}, err
	}
	if in.Photos, err = w.fieldPhotos(r, r.MultipartForm.File["form.photos"], r.MultipartForm.Value["upload"]); err != nil {
		return cases.Case{}, err
	}
	in.Act = fieldMark(r, "")
	return w.Dispatch.FeedBack(r.Context(), by(r), in)
}

// deviceOf reads what the telephone said of itself out of a form whose other fields are the pack's.
func deviceOf(r *http.Request) (dispatch.Device, error) {
	only := r.Clone(r.Context())
	own := *r.MultipartForm
	own.Value, own.File = map[string][]string{}, nil
	for name, v := range r.MultipartForm.Value {
		if strings.HasPrefix(name, "device.") {
			own.Value[name] = v
		}
	}
	only.MultipartForm = &own
	in, err := httpx.Bind[struct {
		Device dispatch.Device `form:"device"`
	}](only)
	return in.Device, err
}

// momentOf is when something happened: as the worker says, or as the telephone's clock stood when a form was finished
// without a network; a clock that runs ahead counts as now.
func (w *Web) momentOf(said civil.Instant, d dispatch.Device) civil.Instant {
	if !said.IsZero() || d.Made.IsZero() || d.Made.After(w.o.Now()) {
		return said
	}
	return d.Made
}

// fieldPhotos keeps the photographs of a form: those inside it, and those that came before it in pieces.
func (w *Web) fieldPhotos(r *http.Request, files []*multipart.FileHeader, uploads []string) ([]blob.Stored, error) {
	out, err := w.photosOf(r, files)
	if err != nil {
		return nil, err
	}
	for _, id := range uploads {
		one, err := w.Blobs.Arrived(r.Context(), by(r), httpx.City(r.Context()), id)
		if err != nil {
			var bad fault.Check
			bad.Add("photos", fault.Of(err).Key, "name", id)
			return nil, bad.Err()
		}
		out = append(out, one)
	}
	return out, nil
}

// isQueued tells a form that a script keeps on the telephone and wants an answer for.
func isQueued(r *http.Request) bool { return r.Header.Get("Rehu-Queue") != "" }

// queued is the answer to a form of the telephone's queue.
type queued struct {
	State   string   `json:"state"` // received, refused, conflict, wait
	Receipt string   `json:"receipt,omitempty"`
	At      string   `json:"at,omitempty"`
	Message string   `json:"message,omitempty"`
	Theirs  []theirs `json:"theirs,omitempty"`
	Seen    int64    `json:"seen,omitempty"`
	Beside  bool     `json:"beside,omitempty"` // a second one may be kept next to the first
}

// theirs is what somebody else did while a form waited.
type theirs struct {
	Title string   `json:"title"`
	Who   string   `json:"who"`
	At    string   `json:"at"`
	Facts []string `json:"facts,omitempty"`
}

func (w *Web) json(rw http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	rw.WriteHeader(status)
	_, _ = rw.Write(b) // the client is gone: nobody to tell
	return nil
}

// receiptOf is what a worker may show: it comes from the form's key, so that the same form has the same receipt however
// often it is sent.
func receiptOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	s := strings.ToUpper(hex.EncodeToString(sum[:4]))
	return s[:4] + "-" + s[4:]
}

// doField does what a form says, and answers it as it came: a page, or the receipt that the queue waits for.
func (w *Web) doField(a fieldAct) handler {
	return func(rw http.ResponseWriter, r *http.Request) error {
		c, err := a.do(w, r)
		if err == nil {
			return w.fieldDone(rw, r, a, c)
		}
		if isQueued(r) {
			return w.fieldRefused(rw, r, err)
		}
		k := fault.KindOf(err)
		if k != fault.Invalid && k != fault.Conflict {
			return err
		}
		v, lost := w.fieldCaseOf(r, chi.URLParam(r, "case"))
		if lost != nil {
			return lost
		}
		if k == fault.Conflict {
			v.theirs = v.othersSince(r.Context(), fieldMark(r, "").Seen)
		}
		return w.again(rw, r, err, ui.Field, func(f ui.Form) Page { return fieldFormPage(v, a, f) })
	}
}

func (w *Web) fieldDone(rw http.ResponseWriter, r *http.Request, a fieldAct, c cases.Case) error {
	receipt := receiptOf(formKey(r))
	if isQueued(r) {
		return w.json(rw, http.StatusOK, queued{State: "received", Receipt: receipt, At: w.o.Now().Clock()})
	}
	back := at("/f/{city}/cases/", c.City) + c.ID
	if a.name == "give_back" {
		back = at("/f/{city}", c.City)
	}
	return w.done(rw, r, back, text.Msg("field.received", "act", ui.T(r.Context(), a.key), "receipt", receipt))
}

// fieldRefused says to the queue what became of a form that could not be taken: to be corrected, to be decided on with
// both versions in sight, or to wait until the unit has signed.
func (w *Web) fieldRefused(rw http.ResponseWriter, r *http.Request, err error) error {
	ctx := r.Context()
	k := fault.KindOf(err)
	switch k {
	case fault.Invalid, fault.Conflict, fault.NotFound, fault.Denied:
	case fault.Exhausted, fault.Down, fault.Internal:
		return err
	}
	out := queued{State: "refused", Message: sayFault(ctx, err)}
	if k == fault.NotFound || k == fault.Denied {
		out.Message = ui.T(ctx, "field.gone")
		return w.json(rw, http.StatusNotFound, out)
	}
	if k == fault.Conflict {
		v, lost := w.fieldCaseOf(r, chi.URLParam(r, "case"))
		if lost != nil {
			return lost
		}
		if v.Case.Status == cases.Dispatched {
			out.State = "wait"
			return w.json(rw, http.StatusConflict, out)
		}
		out.State, out.Seen, out.Theirs, out.Beside = "conflict", v.seen(), v.othersSince(ctx, fieldMark(r, "").Seen), v.isFedBack()
	}
	return w.json(rw, httpx.Status(k), out)
}

func sayFault(ctx context.Context, err error) string {
	f := fault.Of(err)
	l := httpx.Lang(ctx)
	if len(f.Fields) == 0 {
		return text.Fault(l, f)
	}
	all := make([]string, len(f.Fields))
	for i, one := range f.Fields {
		all[i] = text.Field(l, one)
	}
	return strings.Join(all, " ")
}

// isFedBack reports whether somebody has said that the case is done.
func (v fieldCaseView) isFedBack() bool {
	return v.Case.Status == cases.FedBack || v.Case.Status == cases.Verified || v.Case.Status == cases.ToClose || v.Case.Status == cases.Closed
}

// othersSince says what others did after the entry that a form's writer saw last; of a feedback, what it says.
func (v fieldCaseView) othersSince(ctx context.Context, seen int64) []theirs {
	var out []theirs
	for _, e := range dispatch.Others(v.by, seen, v.Timeline) {
		one := theirs{Title: ui.T(ctx, "act."+e.Act), Who: v.who(ctx, e), At: e.At.MonthDayClock()}
		if s := v.saidBy(ctx, e); s != "" {
			one.Facts = append(one.Facts, s)
		}
		if e.Act == "case.feed_back" {
			one.Facts = append(one.Facts, v.fedBack(ctx)...)
		}
		out = append(out, one)
	}
	return out
}

// fedBack says the feedback that counts, field by field.
func (v fieldCaseView) fedBack(ctx context.Context) []string {
	i := slices.IndexFunc(v.Deeds, func(d cases.Deed) bool { return d.Kind == cases.DeedFeedback && d.Result != "beside" })
	if i < 0 {
		return nil
	}
	var in dispatch.Feedback
	if v.Deeds[i].Into(&in) != nil {
		return nil
	}
	var out []string
	for _, f := range v.feedbackForm() {
		if s := in.Form[f.Code]; s != "" {
			s = said(ctx, f, s)
			out = append(out, ui.T(ctx, "ui.problem", "label", phrase(ctx, f.Name), "text", s))
		}
	}
	return out
}

// said is a value of the feedback as people read it.
func said(ctx context.Context, f citypack.FormField, s string) string {
	switch f.Type {
	case citypack.TypeTime:
		if t, err := civil.ParseInstant(s); err == nil {
			return t.MonthDayClock()
		}
	case citypack.TypeYesNo:
		return ui.T(ctx, "yes_no."+s)
	case citypack.TypeChoice, citypack.TypeChoices:
		for _, c := range f.Choices {
			if c.Code == s {
				return phrase(ctx, c.Name)
			}
		}
	case citypack.TypeText, citypack.TypeLongText, citypack.TypeDate, citypack.TypeTemperature, citypack.TypeNumber, citypack.TypePhotos:
	}
	return s
}
