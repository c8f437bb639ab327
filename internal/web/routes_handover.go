package web

import (
	"net/http"
	"net/url"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/handover"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// handoverRoutes are the pages on which one shift of the centre leaves to the next (交接班).
func (w *Web) handoverRoutes() []Route {
	if w.Handovers == nil || w.Cases == nil || w.Rules == nil {
		return nil
	}
	write := may(actor.HandoverWrite)
	return []Route{
		get("/c/{city}/handover", write, w.handoverPage),
		post("/c/{city}/handover", write, w.writeHandover),
		get("/c/{city}/handover/{sheet}", write, w.handoverSheet),
		get("/c/{city}/handover/{sheet}/print", write, w.handoverPrint),
		post("/c/{city}/handover/{sheet}/take", write, w.takeHandover),
	}
}

// handoverView is the sheet of this moment, the one that waits, and those before.
type handoverView struct {
	names   *caseNames
	city    int
	draft   []handover.Part
	list    page.Of[handover.Sheet]
	sheet   handover.Sheet // the one that is shown; without an ID the draft is
	waiting *handover.Sheet
	writing ui.Form
	taking  ui.Form
}

func (w *Web) handoverView(r *http.Request) (handoverView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := handoverView{city: city}
	q, err := httpx.Bind[page.Request](addressOf(r))
	if err != nil {
		return v, err
	}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	if v.draft, err = w.Handovers.Draft(ctx, by(r), city); err != nil {
		return v, err
	}
	if v.list, err = w.Handovers.List(ctx, by(r), city, q); err != nil {
		return v, err
	}
	for i := range v.list.Items {
		if v.list.Items[i].State == handover.Written {
			v.waiting = &v.list.Items[i]
		}
	}
	return v, nil
}

// addressOf is a request's address alone, for the list under a form.
func addressOf(r *http.Request) *http.Request {
	out := r.Clone(r.Context())
	out.Method = http.MethodGet
	return out
}

func handoverPageOf(v handoverView) Page {
	return Page{Title: text.Msg("handoverpage.title"), Nav: "handover", Body: handoverBody(v)}
}

func (w *Web) handoverPage(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.handoverView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, handoverPageOf(v))
}

// writeHandover keeps the sheet of this moment.
func (w *Web) writeHandover(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[handover.Writing](r)
	var made handover.Sheet
	if err == nil {
		in.City = httpx.City(r.Context())
		made, err = w.Handovers.Write(r.Context(), by(r), in)
	}
	if err != nil {
		v, failed := w.handoverView(r)
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.writing = f
			return handoverPageOf(v)
		})
	}
	return w.done(rw, r, handoverPath(made.City, made.ID), text.Msg("handoverpage.written", "no", made.No))
}

func handoverPath(city int, id string) string { return at("/c/{city}/handover/", city) + id }

func (w *Web) oneSheet(r *http.Request) (handoverView, error) {
	v := handoverView{city: httpx.City(r.Context())}
	var err error
	if v.sheet, err = w.Handovers.Get(r.Context(), by(r), v.city, param(r, "sheet")); err != nil {
		return v, err
	}
	v.names, err = w.caseNames(r)
	return v, err
}

func sheetPageOf(v handoverView) Page {
	return Page{Title: text.Msg("handoverpage.one", "no", v.sheet.No), Nav: "handover", Body: sheetBody(v)}
}

func (w *Web) handoverSheet(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.oneSheet(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, sheetPageOf(v))
}

func (w *Web) handoverPrint(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.oneSheet(r)
	if err != nil {
		return err
	}
	return w.showAs(rw, r, http.StatusOK, ui.Paper, Page{Title: text.Msg("handoverpage.one", "no", v.sheet.No), Body: sheetPaper(v)})
}

// takeHandover takes the shift over.
func (w *Web) takeHandover(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[handover.Taking](r)
	in.City, in.ID = httpx.City(r.Context()), param(r, "sheet")
	if err == nil {
		_, err = w.Handovers.Take(r.Context(), by(r), in)
	}
	if err != nil {
		v, failed := w.oneSheet(r)
		if failed != nil && !fault.Is(err, fault.Denied) {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.taking = f
			return sheetPageOf(v)
		})
	}
	return w.done(rw, r, handoverPath(in.City, in.ID), text.Msg("handoverpage.taken"))
}

// partURL is the list behind a part of a sheet as it is now; empty when the part is no list of cases.
func (v handoverView) partURL(name string) string {
	for _, l := range handover.Lists() {
		if l.Name == name {
			return withQuery(at("/c/{city}/cases", v.city), filterQuery(l.Filter))
		}
	}
	if name == "stops" {
		return at("/c/{city}/outages", v.city)
	}
	return ""
}

func (v handoverView) stats() []ui.Stat {
	out := make([]ui.Stat, len(v.draft))
	for i, p := range v.draft {
		out[i] = ui.Stat{Key: "handover.part." + p.Name, Value: decimal(p.Total), Href: (&url.URL{Fragment: "part-" + p.Name}).String()}
	}
	return out
}
