package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// confusableRoutes are the page on which somebody who hears callers all day says that two communities are taken for each
// other; seats are then told to ask, and nothing is dispatched there unasked.
func (w *Web) confusableRoutes() []Route {
	if w.Places == nil || w.Territory == nil || w.Cases == nil || w.Rules == nil {
		return nil
	}
	warn := may(actor.KnowledgeWrite, actor.CaseDispatch)
	return []Route{
		get("/c/{city}/places/{community}/confusable", warn, w.confusable),
		post("/c/{city}/places/{community}/confusable", warn, w.markConfusable),
	}
}

// confusableView is a community, and those among which the one is that it is confused with.
type confusableView struct {
	city  int
	names *caseNames
	one   place.Community
	typed string
	found []territory.Suggestion
	form  ui.Form
}

func (v confusableView) href() string { return communityPath(v.city, v.one.ID, "confusable") }

// options are the communities found, each with what tells them apart.
func (v confusableView) options(ctx context.Context) []ui.Option {
	out := make([]ui.Option, len(v.found))
	for i, s := range v.found {
		out[i] = ui.Option{Value: s.CommunityID, Text: strings.Join([]string{s.District, s.Name, v.names.served(ctx, s.Company)}, " · ")}
	}
	return out
}

func (w *Web) confusableView(r *http.Request, typed string) (confusableView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := confusableView{city: city, typed: strings.TrimSpace(typed)}
	var err error
	if v.one, err = w.Places.Community(ctx, by(r), city, r.PathValue("community")); err != nil {
		return v, err
	}
	if v.names, err = w.caseNames(r); err != nil || v.typed == "" {
		return v, err
	}
	found, err := w.Territory.Suggest(ctx, by(r), city, v.typed, 2*suggestions)
	for _, s := range found {
		if s.CommunityID != v.one.ID {
			v.found = append(v.found, s)
		}
	}
	return v, err
}

func (w *Web) confusable(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.confusableView(r, r.URL.Query().Get("q"))
	if err != nil {
		return err
	}
	return w.show(rw, r, confusablePage(v))
}

func (w *Web) markConfusable(rw http.ResponseWriter, r *http.Request) error {
	city, one := httpx.City(r.Context()), r.PathValue("community")
	pair := territory.Pair{A: one, B: r.PostFormValue("b")}
	err := w.Territory.MarkConfusable(r.Context(), by(r), city, pair, r.PostFormValue("note"))
	if err == nil {
		return w.done(rw, r, communityPath(city, one, ""), text.Msg("territorypage.marked"))
	}
	v, gone := w.confusableView(r, r.PostFormValue("q"))
	if gone != nil {
		return gone
	}
	return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { v.form = f; return confusablePage(v) })
}

func confusablePage(v confusableView) Page {
	return Page{Title: text.Msg("territorypage.confusable_title", "name", v.one.Name), Nav: "places", Body: confusableBody(v)}
}

// confusedWith are the communities that this one was marked as taken for.
func (w *Web) confusedWith(r *http.Request, community string) ([]territory.DoubtPlace, error) {
	all, err := w.Territory.Doubts(r.Context(), by(r), httpx.City(r.Context()), territory.DoubtMarked)
	if err != nil {
		return nil, err
	}
	var out []territory.DoubtPlace
	for _, d := range all {
		ours := false
		for _, p := range d.Communities {
			ours = ours || p.ID == community
		}
		for _, p := range d.Communities {
			if ours && p.ID != community {
				out = append(out, p)
			}
		}
	}
	return out, nil
}
