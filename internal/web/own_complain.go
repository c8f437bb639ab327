package web

import (
	"context"
	"net/http"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// complainView is the form of a complaint about staff whom a resident met over their case.
type complainView struct {
	city  int
	token string
	met   []cases.Encounter
	form  ui.Form
}

func (v complainView) page() Page {
	return Page{Title: text.Msg("complain.title"), Body: complainBody(v)}
}

// options are the calls and visits that the resident knows of, without a name.
func (v complainView) options(ctx context.Context) []ui.Option {
	out := make([]ui.Option, len(v.met))
	for i, m := range v.met {
		out[i] = ui.Option{Value: m.Ref, Text: ui.T(ctx, "complain."+m.Kind, "at", m.At.MonthDayClock())}
	}
	return out
}

func (w *Web) complainView(r *http.Request, f ui.Form) (complainView, error) {
	v := complainView{city: httpx.City(r.Context()), token: ownProof(r).Token, form: f}
	var err error
	v.met, err = w.Cases.Encounters(r.Context(), v.city, ownProof(r))
	return v, err
}

func (w *Web) complainForm(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.complainView(r, ui.Form{})
	if err != nil {
		return err
	}
	rw.Header().Set("Cache-Control", "no-store")
	return w.showCitizen(rw, r, v.page())
}

// complain takes the complaint and leads to its own receipt.
func (w *Web) complain(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[cases.Complaint](r)
	in.City, in.Proof, in.Key = httpx.City(r.Context()), ownProof(r), formKey(r)
	var p cases.Progress
	if err == nil {
		if err = turn(w.reports, r); err == nil {
			p, err = w.Cases.ComplainOwn(r.Context(), visitor(), in)
		}
	}
	if err == nil {
		return w.done(rw, r, residentPath(r, "/r/"+p.Token+"?new=1"), text.Msg("complain.sent"))
	}
	v, failed := w.complainView(r, ui.FormOf(r, err))
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Citizen, func(ui.Form) Page { return v.page() })
}
