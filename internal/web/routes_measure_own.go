package web

import (
	"context"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// ownMeasure is something that a resident says about the measurement of their home through the receipt.
type ownMeasure struct {
	name string // last part of its address
	done string // catalogue key of what is said afterwards
	use  func(w *Web) func(context.Context, actor.Actor, measure.Asking) (measure.Own, error)
}

func ownMeasures() []ownMeasure {
	return []ownMeasure{
		{"ask", "measurepage.own.asked", func(w *Web) func(context.Context, actor.Actor, measure.Asking) (measure.Own, error) {
			return w.Measure.RequestOwn
		}},
		{"time", "measurepage.own.heard", func(w *Web) func(context.Context, actor.Actor, measure.Asking) (measure.Own, error) {
			return w.Measure.AnswerOwn
		}},
		{"choose", "measurepage.own.chosen", func(w *Web) func(context.Context, actor.Actor, measure.Asking) (measure.Own, error) {
			return w.Measure.ChooseOwn
		}},
		{"calloff", "measurepage.own.called_off", func(w *Web) func(context.Context, actor.Actor, measure.Asking) (measure.Own, error) {
			return w.Measure.CallOffOwn
		}},
		{"came", "measurepage.own.heard", func(w *Web) func(context.Context, actor.Actor, measure.Asking) (measure.Own, error) {
			return w.Measure.CameOwn
		}},
		{"cured", "measurepage.own.heard", func(w *Web) func(context.Context, actor.Actor, measure.Asking) (measure.Own, error) {
			return w.Measure.ConfirmOwn
		}},
		{"withdraw", "measurepage.own.withdrawn", func(w *Web) func(context.Context, actor.Actor, measure.Asking) (measure.Own, error) {
			return w.Measure.WithdrawOwn
		}},
	}
}

// measureOwnRoutes are what a resident sees and says of the measurement of their own home, on the page of their receipt.
func (w *Web) measureOwnRoutes() []Route {
	all := []Route{get("/c/{city}/m/r/{token}/measure/documents/{document}", public, w.ownDocument)}
	for _, o := range ownMeasures() {
		all = append(all, post("/c/{city}/m/r/{token}/measure/"+o.name, public, w.sayOwn(o)))
	}
	return all
}

func ownProof(r *http.Request) cases.Proof { return cases.Proof{Token: chi.URLParam(r, "token")} }

// sayOwn takes a resident's word and shows their page again.
func (w *Web) sayOwn(o ownMeasure) handler {
	return func(rw http.ResponseWriter, r *http.Request) error {
		in, err := httpx.Bind[measure.Asking](r)
		in.City, in.Proof, in.Key = httpx.City(r.Context()), ownProof(r), formKey(r)
		if err == nil {
			if err = turn(w.reports, r); err == nil {
				_, err = o.use(w)(r.Context(), visitor(), in)
			}
		}
		if err == nil {
			return w.done(rw, r, residentPath(r, "/r/"+in.Token), text.Msg(o.done))
		}
		v, failed := w.progressView(r, ui.Form{})
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Citizen, func(f ui.Form) Page { v.measured.form = f; return v.page() })
	}
}

// ownDocument is a resident's copy of a document as PDF, with a code that leads back to the record.
func (w *Web) ownDocument(rw http.ResponseWriter, r *http.Request) error {
	s, err := w.Measure.SheetOwn(r.Context(), httpx.City(r.Context()), ownProof(r), chi.URLParam(r, "document"))
	if err != nil {
		return err
	}
	n, err := w.ownNames(r, s.Measurement.Company)
	if err != nil {
		return err
	}
	return w.sheetOf(rw, measureSheet(r.Context(), n, s, w.here(r)), "measurement-"+s.Document.Made.Date().String())
}

// ownNames are the names that a resident's page shows: the company's, and those of the rules.
func (w *Web) ownNames(r *http.Request, company string) (measureNames, error) {
	rules, err := w.Rules.Rules(r.Context(), httpx.City(r.Context()))
	if err != nil {
		return measureNames{}, err
	}
	n := measureNames{caseNames: &caseNames{rules: rules, orgs: map[string]staff.Organisation{}}}
	all, err := w.Staff.Organisations(r.Context(), actor.SystemFor("citizen", actor.Public), httpx.City(r.Context()), "")
	n.caseNames.keep(all, company)
	return n, err
}

// ownView is what a resident's page shows of the measurement of their home.
type ownView struct {
	measure.Own
	names  measureNames
	form   ui.Form
	offers map[string]measure.Offer // by measurement: what may be chosen
}

// ownView gathers it; an installation without measurement shows nothing.
func (w *Web) ownView(r *http.Request, company string) (ownView, error) {
	var v ownView
	if w.Measure == nil {
		return v, nil
	}
	var err error
	if v.Own, err = w.Measure.OfOwn(r.Context(), httpx.City(r.Context()), ownProof(r)); err != nil {
		return v, err
	}
	v.offers = map[string]measure.Offer{}
	for _, m := range v.Measurements {
		in := measure.Asking{Proof: ownProof(r), Measurement: m.ID}
		if v.offers[m.ID], err = w.Measure.WindowsOwn(r.Context(), httpx.City(r.Context()), in); err != nil {
			return v, err
		}
	}
	v.names, err = w.ownNames(r, company)
	return v, err
}

// windowOptions are the times of an offer in words, with what is left where the company sets a number.
func windowOptions(ctx context.Context, o measure.Offer) []ui.Option {
	var out []ui.Option
	for _, x := range o.Windows {
		words := dayName(ctx, x.From.Date()) + " " + ui.T(ctx, "measure_part."+string(x.Part)) + " " + x.From.Clock() + "–" + x.To.Clock()
		if x.Left != nil {
			words += ui.T(ctx, "measurepage.own.left", "n", *x.Left)
		}
		if !o.Limit.IsZero() && !x.Within {
			words += ui.T(ctx, "measurepage.own.beyond")
		}
		out = append(out, ui.Option{Value: x.ID, Text: words})
	}
	return out
}

// mayAsk reports whether a test may be asked for on the page of an open matter.
func (v progressView) mayAsk() bool { return v.measured.MayRequest && v.Open }

// latestFirst are the measurements of a matter, the one that counts now on top.
func latestFirst(all []measure.OwnMeasurement) []measure.OwnMeasurement {
	out := slices.Clone(all)
	slices.Reverse(out)
	return out
}

// proposed are the times that wait for the resident's word.
func proposed(m measure.OwnMeasurement) []measure.Appointment {
	return slices.DeleteFunc(slices.Clone(m.Appointments), func(a measure.Appointment) bool { return a.State != measure.Proposed })
}

// doubted are the visits of which the resident is asked whether somebody came.
func doubted(m measure.OwnMeasurement) []measure.Visit {
	return slices.DeleteFunc(slices.Clone(m.Visits), func(v measure.Visit) bool {
		return v.Outcome != measure.NobodyIn && v.Outcome != measure.RefusedByUser || slices.Contains(m.Answered, v.ID)
	})
}

// mayWithdraw reports whether the request can still be taken back.
func mayWithdraw(m measure.OwnMeasurement) bool {
	_, err := measure.Lifecycle.Next(m.State, measure.Withdraw)
	return err == nil
}
