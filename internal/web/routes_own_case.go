package web

import (
	"net/http"

	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// ownCaseRoutes are what a resident says of what the company says, on the page of their own case.
func (w *Web) ownCaseRoutes() []Route {
	return []Route{
		post("/c/{city}/m/r/{token}/came", public, w.sayCame),
		get("/c/{city}/m/r/{token}/complain", public, w.complainForm),
		post("/c/{city}/m/r/{token}/complain", public, w.complain),
	}
}

// sayCame takes a resident's word whether somebody really came.
func (w *Web) sayCame(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[dispatch.Saying](r)
	in.City, in.Proof, in.Key = httpx.City(r.Context()), ownProof(r), formKey(r)
	if err == nil {
		if err = turn(w.reports, r); err == nil {
			_, err = w.Dispatch.SayOwn(r.Context(), visitor(), in)
		}
	}
	if err == nil {
		return w.done(rw, r, residentPath(r, "/r/"+in.Token), text.Msg("owncase.heard"))
	}
	v, failed := w.progressView(r, ui.FormOf(r, err))
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Citizen, func(ui.Form) Page { return v.page() })
}

// alongside adds what the company says of its visits and how many neighbours wait with the resident.
func (v *progressView) alongside(w *Web, r *http.Request) (err error) {
	met, err := w.Cases.Encounters(r.Context(), v.city, ownProof(r))
	if err != nil {
		return err
	}
	v.mayComplain = len(met) > 0
	if v.beside, err = w.Cases.Alongside(r.Context(), v.city, ownProof(r)); err != nil || w.Dispatch == nil {
		return err
	}
	v.claims, err = w.Dispatch.Claims(r.Context(), v.city, ownProof(r))
	return err
}
