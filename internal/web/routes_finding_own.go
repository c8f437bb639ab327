package web

import (
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

const ownFindings = "/c/{city}/m/r/{token}/objections"

// ownFindingRoutes are a resident's objections to the measurements of their own matter, reached with the receipt.
func (w *Web) ownFindingRoutes() []Route {
	if w.Cases == nil {
		return nil
	}
	return []Route{
		get(ownFindings, public, w.ownFindingsPage),
		post(ownFindings, public, w.fileOwnFinding),
		post(ownFindings+"/{finding}/withdraw", public, w.withdrawOwnFinding),
		get(ownFindings+"/{finding}/paper", public, w.ownFindingPaper),
	}
}

// ownFindingsView is what a resident sees: each measurement of their matter with what was said against it.
type ownFindingsView struct {
	city     int
	token    string
	measured []measure.OwnMeasurement
	all      []finding.View
	filing   string // the measurement whose form comes back
	leaving  string // the objection whose form comes back
	form     ui.Form
}

func (v ownFindingsView) href(more string) string {
	return at("/c/{city}/m/r/", v.city) + v.token + "/objections" + more
}

// to are the objections to a measurement, the newest first.
func (v ownFindingsView) to(m measure.OwnMeasurement) []finding.View {
	return slices.DeleteFunc(slices.Clone(v.all), func(f finding.View) bool { return f.Measurement != m.ID })
}

// mayObject reports whether a new objection to a measurement can be raised: one that goes on must end first.
func (v ownFindingsView) mayObject(m measure.OwnMeasurement) bool {
	return m.State != measure.Withdrawn && !slices.ContainsFunc(v.to(m), func(f finding.View) bool { return f.State.IsOpen() })
}

// formOf is the form of one measurement or objection; the one that was sent comes back with its messages.
func (v ownFindingsView) formOf(one, sent string) ui.Form {
	if one != "" && one == sent {
		return v.form.As(one)
	}
	return ui.Form{}.As(one)
}

func (v ownFindingsView) page() Page {
	return Page{Title: text.Msg("findingpage.own.title"), Body: ownFindingsBody(v), Back: at("/c/{city}/m/r/", v.city) + v.token}
}

func (w *Web) ownFindingsView(r *http.Request) (ownFindingsView, error) {
	v := ownFindingsView{city: httpx.City(r.Context()), token: chi.URLParam(r, "token")}
	own, err := w.Measure.OfOwn(r.Context(), v.city, cases.Proof{Token: v.token})
	if err != nil {
		return v, err
	}
	v.measured = own.Measurements
	v.all, err = w.Findings.OfOwn(r.Context(), v.city, cases.Proof{Token: v.token})
	return v, err
}

func (w *Web) ownFindingsPage(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.ownFindingsView(r)
	if err != nil {
		return err
	}
	rw.Header().Set("Cache-Control", "no-store")
	return w.showCitizen(rw, r, v.page())
}

// fileOwnFinding raises a resident's objection.
func (w *Web) fileOwnFinding(rw http.ResponseWriter, r *http.Request) error {
	in, bad := httpx.Bind[finding.Own](r)
	in.City, in.Key, in.Proof = httpx.City(r.Context()), formKey(r), cases.Proof{Token: chi.URLParam(r, "token")}
	if bad == nil {
		if bad = turn(w.reports, r); bad == nil {
			_, bad = w.Findings.FileOwn(r.Context(), visitor(), in)
		}
	}
	return w.didOwnFinding(rw, r, bad, "findingpage.own.filed", func(v *ownFindingsView) { v.filing = in.Measurement })
}

// withdrawOwnFinding takes a resident's objection back.
func (w *Web) withdrawOwnFinding(rw http.ResponseWriter, r *http.Request) error {
	in, bad := httpx.Bind[finding.Leaving](r)
	in.City, in.Key, in.ID, in.Proof = httpx.City(r.Context()), formKey(r), chi.URLParam(r, "finding"), cases.Proof{Token: chi.URLParam(r, "token")}
	if bad == nil {
		if bad = turn(w.reports, r); bad == nil {
			_, bad = w.Findings.WithdrawOwn(r.Context(), visitor(), in)
		}
	}
	return w.didOwnFinding(rw, r, bad, "findingpage.own.withdrawn", func(v *ownFindingsView) { v.leaving = in.ID })
}

func (w *Web) didOwnFinding(rw http.ResponseWriter, r *http.Request, bad error, done string, put func(v *ownFindingsView)) error {
	if bad == nil {
		return w.done(rw, r, residentPath(r, "/r/"+chi.URLParam(r, "token")+"/objections"), text.Msg(done))
	}
	v, err := w.ownFindingsView(r)
	if err != nil {
		return err
	}
	put(&v)
	return w.again(rw, r, bad, ui.Citizen, func(f ui.Form) Page { v.form = f; return v.page() })
}

// ownFindingPaper is a resident's copy of the issued paper.
func (w *Web) ownFindingPaper(rw http.ResponseWriter, r *http.Request) error {
	id := chi.URLParam(r, "finding")
	d, err := w.Findings.SheetOwn(r.Context(), httpx.City(r.Context()), cases.Proof{Token: chi.URLParam(r, "token")}, id, httpx.Lang(r.Context()))
	if err != nil {
		return err
	}
	return w.sheetOf(rw, w.withCheck(r, d, httpx.City(r.Context()), id), "finding-"+id)
}
