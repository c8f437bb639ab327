package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// handlerRoutes are where the centre names whom complaints about a unit's staff go to.
func (w *Web) handlerRoutes() []Route {
	if w.Cases == nil {
		return nil
	}
	return []Route{
		get("/c/{city}/handlers", may(actor.CaseStaff), w.handlers),
		post("/c/{city}/handlers", may(actor.CaseStaff), w.nameHandler),
	}
}

// handlerRow is one unit with its handler, if it has one.
type handlerRow struct {
	unit staff.Organisation
	has  cases.Handler
}

type handlersView struct {
	city int
	rows []handlerRow
	form ui.Form
}

// options are the units, each with the version of its entry as the page shows it.
func (v handlersView) options(ctx context.Context) []ui.Option {
	out := make([]ui.Option, len(v.rows))
	for i, h := range v.rows {
		out[i] = ui.Option{Value: h.unit.Code + "|" + strconv.FormatInt(h.has.Version, 10), Text: ui.Named(ctx, h.unit.NameZH, h.unit.NameEN)}
	}
	return out
}

func (w *Web) handlersView(r *http.Request, f ui.Form) (handlersView, error) {
	v := handlersView{city: httpx.City(r.Context()), form: f}
	named, err := w.Cases.Handlers(r.Context(), by(r), v.city)
	if err != nil {
		return v, err
	}
	units, err := w.Staff.Organisations(r.Context(), by(r), v.city, "")
	for _, u := range units {
		if !u.Active || u.Kind == staff.Centre || u.Kind == staff.Partner {
			continue
		}
		row := handlerRow{unit: u}
		for _, h := range named {
			if h.Org == u.Code {
				row.has = h
			}
		}
		v.rows = append(v.rows, row)
	}
	return v, err
}

func (v handlersView) page() Page {
	return Page{Title: text.Msg("handlers.title"), Nav: "cases", Body: handlersBody(v)}
}

func (w *Web) handlers(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.handlersView(r, ui.Form{})
	if err != nil {
		return err
	}
	return w.show(rw, r, v.page())
}

func (w *Web) nameHandler(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[cases.Naming](r)
	in.City = httpx.City(r.Context())
	if err == nil {
		org, version, _ := strings.Cut(in.Org, "|")
		if in.Version, err = strconv.ParseInt(version, 10, 64); err != nil {
			return fault.New(fault.Conflict, "conflict.version")
		}
		in.Org = org
		_, err = w.Cases.NameHandler(r.Context(), by(r), in)
	}
	if err == nil {
		return w.done(rw, r, at("/c/{city}/handlers", in.City), text.Msg("handlers.saved"))
	}
	v, failed := w.handlersView(r, ui.FormOf(r, err))
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Staff, func(ui.Form) Page { return v.page() })
}
