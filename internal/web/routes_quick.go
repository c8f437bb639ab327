package web

import (
	"cmp"
	"context"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// quickPath is where a seat records what comes in person or on paper.
const quickPath = "/c/{city}/quick"

// quickRoutes are the quick forms for visits, letters, instructions and the press, the visitor's slip, and the letter that
// goes back.
func (w *Web) quickRoutes() []Route {
	if w.Cases == nil || w.Rules == nil || w.Territory == nil || w.Places == nil || w.Blobs == nil {
		return nil
	}
	return []Route{
		get(quickPath, may(actor.CaseOpen), w.quick),
		post(quickPath, may(actor.CaseOpen), w.quickSave),
		get("/c/{city}/cases/{case}/slip", may(actor.CaseAccept), w.caseSlip),
		get("/c/{city}/cases/{case}/letter/pdf", may(actor.CaseAccept), w.caseLetterPDF),
	}
}

// quickInput is a quick form: the seat's, with what lies on the desk.
type quickInput struct {
	seatInput
	Scans []*multipart.FileHeader `form:"scans"`
}

// quickView is a quick form, and the matter that was recorded with it last.
type quickView struct {
	*seatView
	taken cases.Case // that has the number already
}

func (v quickView) ch() cases.Channel { return v.in.Channel }

func (v quickView) action() string { return at(quickPath, v.city) }

// tabs are the four forms.
func (v quickView) tabs() []ui.Link {
	var out []ui.Link
	for _, ch := range cases.WrittenChannels() {
		out = append(out, ui.Link{Key: "quick.tab." + string(ch), Href: v.formHref(ch), Current: ch == v.ch()})
	}
	return out
}

func (v quickView) formHref(ch cases.Channel) string {
	return withQuery(v.action(), url.Values{"form": {string(ch)}})
}

func (v quickView) page() Page {
	return Page{Title: text.Msg("quick.title." + string(v.ch())), Nav: "quick", Body: quickBody(v), Fill: true}
}

// told is what the visitor is told, or what is kept in mind, after saving.
func (v quickView) told(ctx context.Context) string {
	switch {
	case v.ch() == cases.Leader && !v.done.DocDue.IsZero():
		return ui.T(ctx, "quick.done.leader", "no", v.done.No, "due", v.done.DocDue.Minute())
	case v.ch() == cases.Leader:
		return ui.T(ctx, "quick.done.leader_open", "no", v.done.No)
	case v.ch() == cases.Media && !v.done.DocDue.IsZero():
		return ui.T(ctx, "quick.done.media", "no", v.done.No, "due", v.done.DocDue.Minute())
	case v.ch() == cases.Letter:
		return ui.T(ctx, "quick.done.letter", "no", v.done.No, "received", v.done.ReceivedAt.Minute())
	}
	return v.seatView.told(ctx)
}

// quick shows an empty form, and above it what became of the one before.
func (w *Web) quick(rw http.ResponseWriter, r *http.Request) error {
	ch := cases.Channel(cmp.Or(r.URL.Query().Get("form"), string(cases.Counter)))
	if !slices.Contains(cases.WrittenChannels(), ch) {
		return fault.New(fault.NotFound, "not_found")
	}
	v, err := w.quickView(r, seatInput{Opening: cases.Opening{Channel: ch}}, nil)
	if err != nil {
		return err
	}
	if id := r.URL.Query().Get("done"); id != "" {
		if v.done, err = w.Cases.Get(r.Context(), v.by, v.city, id); err != nil {
			return err
		}
		v.how = "saved"
	}
	return w.show(rw, r, v.page())
}

func (w *Web) quickView(r *http.Request, in seatInput, wrong error) (quickView, error) {
	if !slices.Contains(cases.WrittenChannels(), in.Channel) {
		in.Channel = cases.Counter
	}
	s, err := w.seatView(r, in, ui.FormOf(r, wrong))
	if err != nil {
		return quickView{}, err
	}
	v := quickView{seatView: s}
	s.peak, s.in.Door = false, seatDoor(in.Channel) // whoever stands at the counter or wrote a letter can be asked for more than a caller in the rush
	if f := fault.Of(wrong); wrong != nil && f.Key == "case.origin.number_taken" {
		id, _ := f.Params["id"].(string)
		if v.taken, err = w.Cases.Get(r.Context(), s.by, s.city, id); err != nil && !fault.Is(err, fault.NotFound) {
			return v, err
		}
	}
	return v, nil
}

// quickSave records the matter; with the key of a household or a company the form is only shown again.
func (w *Web) quickSave(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[quickInput](r)
	if err == nil && (in.Pick != "" || in.House != "" || in.Act == "check") {
		if err := w.takeOver(r, &in.seatInput); err != nil {
			return err
		}
		return w.quickAgain(rw, r, in.seatInput, nil)
	}
	var o cases.Opened
	if err == nil {
		in.City, in.Door, in.Key = httpx.City(r.Context()), seatDoor(in.Channel), formKey(r)
		if err = w.seatNature(r, &in.seatInput); err == nil {
			in.Photos, err = w.scansOf(r, in.Scans)
		}
		if err == nil {
			o, err = w.Cases.Open(r.Context(), by(r), in.Opening)
		}
	}
	if err != nil {
		return w.quickAgain(rw, r, in.seatInput, err)
	}
	return w.to(rw, r, withQuery(at(quickPath, o.Case.City), url.Values{"form": {string(in.Channel)}, "done": {o.Case.ID}}))
}

// quickAgain draws the form again with everything that was typed.
func (w *Web) quickAgain(rw http.ResponseWriter, r *http.Request, in seatInput, wrong error) error {
	v, err := w.quickView(r, in, wrong)
	if err != nil {
		return err
	}
	if wrong == nil {
		return w.show(rw, r, v.page())
	}
	return w.again(rw, r, wrong, ui.Staff, func(ui.Form) Page { return v.page() })
}

// scansOf keeps the papers of a form before the transaction that names them: photographs, or documents as scanners make them.
func (w *Web) scansOf(r *http.Request, files []*multipart.FileHeader) ([]blob.Stored, error) {
	return w.filesOf(r, "scans", files, func(h *multipart.FileHeader) string {
		if h.Header.Get("Content-Type") == "application/pdf" {
			return "scan"
		}
		return blob.Photo
	})
}

// caseSlip is what a visitor takes along: the number, who is responsible, by when, and the way to look it up.
func (w *Web) caseSlip(rw http.ResponseWriter, r *http.Request) error {
	ctx, city := r.Context(), httpx.City(r.Context())
	c, err := w.Cases.Get(ctx, by(r), city, chi.URLParam(r, "case"))
	if err != nil {
		return err
	}
	v := slipView{one: c}
	v.city = city
	if v.Progress, err = w.Cases.Progress(ctx, city, cases.Proof{Token: c.Token}); err != nil {
		return err
	}
	if v.rules, err = w.Rules.Rules(ctx, city); err != nil {
		return err
	}
	if v.company, err = w.publicName(r, c.Company); err != nil {
		return err
	}
	v.url = w.receiptURL(r, c.Token)
	rw.Header().Set("Cache-Control", "private, no-store")
	return w.showAs(rw, r, http.StatusOK, ui.Paper, Page{Title: text.Msg("quick.slip_title", "no", c.No), Body: slipPaper(v)})
}

// slipView is the visitor's slip.
type slipView struct {
	progressView
	one cases.Case
}

func (v slipView) category(ctx context.Context) string {
	c, ok := v.rules.Pack.Category(v.Category)
	if !ok {
		return v.Category
	}
	return c.Name.In(httpx.Lang(ctx))
}
