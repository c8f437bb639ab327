package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/paper"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

const (
	copyPage  = "/c/{city}/m/copy/{document}/{key}"
	checkPage = "/c/{city}/m/check/{finding}/{key}"
)

// copyRoutes show a paper to whoever holds the link that is printed on it: a resident's copy of a measurement, and an issued
// finding. The key in the link cannot be guessed; nothing here names staff, and names of residents are masked.
func (w *Web) copyRoutes() []Route {
	var all []Route
	if w.Measure != nil && w.Rules != nil {
		all = append(all, get(copyPage, public, w.copyPage), get(copyPage+"/pdf", public, w.copyPDF))
	}
	if w.Findings != nil {
		all = append(all, get(checkPage, public, w.checkPage), get(checkPage+"/pdf", public, w.checkPDF))
	}
	return all
}

// outside is the full address of a path, for what is printed or scanned.
func (w *Web) outside(r *http.Request, path string) string {
	base := strings.TrimRight(w.o.URL, "/")
	if base == "" {
		base = "http://" + r.Host
	}
	return base + path
}

// copyPath is where the resident's copy of a document is.
func (w *Web) copyPath(city int, document string) string {
	return strings.NewReplacer("{document}", document, "{key}", w.Measure.CopyKey(city, document)).Replace(at(copyPage, city))
}

// checkPath is where an issued finding can be checked.
func (w *Web) checkPath(city int, id string) string {
	return strings.NewReplacer("{finding}", id, "{key}", w.Findings.CheckKey(city, id)).Replace(at(checkPage, city))
}

// checkedView is what a link shows: which paper it is, what it says, and whether its record is whole.
type checkedView struct {
	title string
	facts []ui.Fact
	chain *measure.Chain // nil: the paper hangs in no chain of a home's records
	pdf   string
	home  string // the city's page for residents
}

func (w *Web) copyOf(r *http.Request) (measure.Sheet, measureNames, error) {
	s, err := w.Measure.SheetCopy(r.Context(), httpx.City(r.Context()), chi.URLParam(r, "document"), chi.URLParam(r, "key"))
	if err != nil {
		return s, measureNames{}, err
	}
	n, err := w.ownNames(r, s.Measurement.Company)
	return s, n, err
}

func (w *Web) copyPage(rw http.ResponseWriter, r *http.Request) error {
	s, n, err := w.copyOf(r)
	if err != nil {
		return err
	}
	ctx, d := r.Context(), s.Document
	v := checkedView{title: n.docName(ctx, d.Code), chain: &s.Chain, pdf: w.copyPath(d.City, d.ID) + "/pdf", home: residentPath(r, "")}
	v.facts = []ui.Fact{
		{Key: "measurepage.copy.no", Text: d.No},
		{Key: "measurepage.copy.made", Text: d.Made.Minute()},
		{Key: "measurepage.address", Text: s.Measurement.Address},
		{Key: "measurepage.company", Text: n.org(ctx, s.Measurement.Company)},
	}
	if x := s.Visit; x != nil {
		v.facts = append(v.facts, ui.Fact{Key: "measurepage.arrived", Text: x.At.Minute()}, ui.Fact{Key: "measurepage.result", Text: roomsWords(ctx, *x)})
	}
	return w.showChecked(rw, r, v)
}

func (w *Web) copyPDF(rw http.ResponseWriter, r *http.Request) error {
	s, n, err := w.copyOf(r)
	if err != nil {
		return err
	}
	link := w.outside(r, w.copyPath(s.Document.City, s.Document.ID))
	return w.sheetOf(rw, measureSheet(r.Context(), n, s, link), "measurement-"+s.Document.Made.Date().String())
}

func (w *Web) checked(r *http.Request) (finding.Checked, error) {
	return w.Findings.Check(r.Context(), httpx.City(r.Context()), chi.URLParam(r, "finding"), chi.URLParam(r, "key"), httpx.Lang(r.Context()))
}

func (w *Web) checkPage(rw http.ResponseWriter, r *http.Request) error {
	f, err := w.checked(r)
	if err != nil {
		return err
	}
	ctx, p := r.Context(), f.Paper
	v := checkedView{title: phrase(ctx, p.Title), pdf: w.checkPath(f.City, f.ID) + "/pdf", home: residentPath(r, "")}
	v.facts = []ui.Fact{
		{Key: "measurepage.copy.no", Text: p.No},
		{Key: "measurepage.copy.made", Text: f.DecidedAt.Minute()},
		{Key: "measurepage.copy.issuer", Text: phrase(ctx, p.Authority)},
		{Key: "measurepage.company", Text: phrase(ctx, p.Company)},
		{Key: "measurepage.address", Text: f.Address},
		{Key: "measurepage.copy.says", Text: p.Opinion},
	}
	return w.showChecked(rw, r, v)
}

func (w *Web) checkPDF(rw http.ResponseWriter, r *http.Request) error {
	f, err := w.checked(r)
	if err != nil {
		return err
	}
	return w.sheetOf(rw, w.withCheck(r, f.Sheet, f.City, f.ID), "finding-"+f.ID)
}

// withCheck puts the code on an issued finding under which it can be checked.
func (w *Web) withCheck(r *http.Request, d paper.Document, city int, id string) paper.Document {
	d.Blocks = append(d.Blocks, paper.Code{Content: w.outside(r, w.checkPath(city, id)), Caption: ui.T(r.Context(), "measurepage.paper.check_here")})
	return d
}

func (w *Web) showChecked(rw http.ResponseWriter, r *http.Request, v checkedView) error {
	rw.Header().Set("Cache-Control", "no-store")
	rw.Header().Set("X-Robots-Tag", "noindex")
	return w.showCitizen(rw, r, Page{Title: text.Msg("measurepage.copy.title", "title", v.title), Body: checkedBody(v), Back: v.home})
}

// chainSays says what the chain behind a paper is worth.
func (v checkedView) chainSays(ctx context.Context) string {
	if v.chain == nil {
		return ui.T(ctx, "measurepage.copy.issued")
	}
	return chainWords(ctx, *v.chain)
}
