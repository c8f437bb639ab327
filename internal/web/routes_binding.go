package web

import (
	"io"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// bindingRoutes are where staff look at the papers of residents, and take consent down that they heard themselves.
func (w *Web) bindingRoutes() []Route {
	if w.Residents == nil || w.Blobs == nil {
		return nil
	}
	approve := may(actor.ResidentApprove)
	return []Route{
		get("/c/{city}/bindings", approve, w.bindings),
		get("/c/{city}/bindings/papers/{blob}", approve, w.bindingPaper),
		post("/c/{city}/bindings/consent", approve, w.takeConsent),
		post("/c/{city}/bindings/{binding}", approve, w.decideBinding),
	}
}

// bindingsView is the list of papers that wait, with the form of consent below.
type bindingsView struct {
	city  int
	state resident.State
	list  page.Of[resident.Asker]
	form  ui.Form
	about string // the paper whose form failed; empty: the form of consent
}

func (v bindingsView) page() Page {
	return Page{Title: text.Msg("nav.bindings"), Nav: "bindings", Body: bindingsBody(v)}
}

// formOf is the state of a paper's form.
func (v bindingsView) formOf(id string) ui.Form {
	if id == v.about {
		return v.form.As(id)
	}
	return ui.Form{}.As(id)
}

func (w *Web) bindingsView(r *http.Request) (bindingsView, error) {
	v := bindingsView{city: httpx.City(r.Context()), state: resident.Asking}
	var f resident.Filter
	if r.Method == http.MethodGet {
		in, err := httpx.Bind[resident.Filter](r)
		if err != nil {
			return v, err
		}
		f = in
	}
	if f.State != "" {
		v.state = f.State
	}
	var err error
	v.list, err = w.Residents.Waiting(r.Context(), by(r), v.city, f)
	return v, err
}

func (w *Web) bindings(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.bindingsView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, v.page())
}

// bindingPaper shows a photograph of a paper; that somebody looked at it is recorded.
func (w *Web) bindingPaper(rw http.ResponseWriter, r *http.Request) error {
	ctx, city := r.Context(), httpx.City(r.Context())
	b, body, err := w.Blobs.Open(ctx, city, chi.URLParam(r, "blob"), func(subject string) error {
		return w.Residents.MaySeePaper(ctx, by(r), city, subject)
	})
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read-only
	rw.Header().Set("Content-Type", b.MediaType)
	rw.Header().Set("Content-Disposition", "inline")
	rw.Header().Set("Cache-Control", "no-store")
	_, err = io.Copy(rw, body)
	return err
}

func (w *Web) decideBinding(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[resident.Decision](r)
	in.City, in.ID = httpx.City(r.Context()), chi.URLParam(r, "binding")
	if err == nil {
		_, err = w.Residents.Decide(r.Context(), by(r), in)
	}
	return w.decided(rw, r, err, in.ID, "binding.decided")
}

func (w *Web) takeConsent(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[struct {
		Account string         `form:"account"`
		Phone   string         `form:"phone"`
		Role    resident.Role  `form:"role"`
		Scope   resident.Scope `form:"scope"`
		Days    int            `form:"days"`
		Reason  string         `form:"reason"`
	}](r)
	if err == nil {
		_, err = w.Residents.TakeConsent(r.Context(), by(r), resident.ConsentInput{
			City: httpx.City(r.Context()), Account: in.Account, Phone: in.Phone, Role: in.Role, Scope: in.Scope,
			Until: w.o.Now().Date().AddDays(in.Days), Reason: in.Reason,
		})
	}
	return w.decided(rw, r, err, "", "binding.consent_taken")
}

// decided leads back to the list, or shows it with what was wrong with one of its forms.
func (w *Web) decided(rw http.ResponseWriter, r *http.Request, err error, about, done string) error {
	if err == nil {
		return w.done(rw, r, at("/c/{city}/bindings", httpx.City(r.Context())), text.Msg(done))
	}
	v, failed := w.bindingsView(r)
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { v.form, v.about = f, about; return v.page() })
}

// bindingTabs are the lists by state.
func (v bindingsView) tabs() []resident.State {
	return []resident.State{resident.Asking, resident.Held, resident.Refused, resident.Ended}
}

// bindingFacts are what staff see of a paper beside its photographs.
func bindingFacts(a resident.Asker) []ui.Fact {
	out := []ui.Fact{{Key: "hall.phone", Text: a.Phone}, {Key: "binding.asked_at", Text: a.Asked.Minute()}}
	if a.Account != "" {
		out = append(out, ui.Fact{Key: "hall.account", Text: a.Account})
	}
	if a.Reason != "" {
		out = append(out, ui.Fact{Key: "binding.reason", Text: a.Reason})
	}
	return out
}
