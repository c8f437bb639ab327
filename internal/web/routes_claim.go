package web

import (
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// claimView is one community in a round.
type claimView struct {
	city      int
	names     *caseNames
	line      territory.ClaimLine
	claimants []string
	company   string // the reader's, when it is one of the two of a hand-over
	decide    bool
	form      ui.Form
}

func claimPath(city int, l territory.ClaimLine, act string) string {
	return at("/c/{city}/claims/", city) + l.Round + "/" + l.Community + act
}

func (w *Web) claimView(r *http.Request) (claimView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := claimView{city: city}
	round, community := r.PathValue("round"), r.PathValue("community")
	place, err := w.Territory.ServedBy(ctx, by(r), city, community)
	if err != nil {
		return v, err
	}
	f := territory.LineFilter{Query: place.Name, Request: page.Request{Size: page.MaxSize}}
	list, err := w.Territory.Lines(ctx, by(r), city, round, f)
	if err != nil {
		return v, err
	}
	for _, l := range list.Items {
		if l.Community == community {
			v.line = l
		}
	}
	if v.line.Community == "" {
		return v, fault.New(fault.NotFound, "territory.no_community")
	}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	v.decide = by(r).May(actor.TerritoryDecide, actor.On{City: city, District: v.line.District}) == nil
	own := by(r).Org
	if by(r).MayAny(actor.TerritoryClaim, city) && (own == v.line.Base || own == v.line.Company) && v.line.State == territory.ClaimHandover {
		v.company = own
	}
	v.claimants, err = w.Territory.Claimants(ctx, by(r), city, round, community)
	return v, err
}

func claimPage(v claimView) Page {
	return Page{Title: text.Msg("territorypage.claim_title", "name", v.line.Name), Nav: "claims", Body: claimBody(v)}
}

func (w *Web) claimLine(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.claimView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, claimPage(v))
}

// signHandover is the word of the reader's company that a community passes on.
func (w *Web) signHandover(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[territory.SignInput](r)
	city := httpx.City(r.Context())
	in.City, in.Round, in.Community, in.Company = city, r.PathValue("round"), r.PathValue("community"), by(r).Org
	back := claimPath(city, territory.ClaimLine{Round: in.Round, Community: in.Community}, "")
	if err == nil {
		_, err = w.Territory.SignHandover(r.Context(), by(r), in)
	}
	if err != nil {
		return w.refused(rw, r, err, back)
	}
	return w.done(rw, r, back, text.Msg("territorypage.signed"))
}

// decideClaim is the authority's decision.
func (w *Web) decideClaim(rw http.ResponseWriter, r *http.Request) error {
	in, bad := httpx.Bind[territory.DecideInput](r)
	city := httpx.City(r.Context())
	in.City, in.Round, in.Community = city, r.PathValue("round"), r.PathValue("community")
	if bad == nil {
		_, bad = w.Territory.DecideClaim(r.Context(), by(r), in)
	}
	if bad == nil {
		return w.done(rw, r, claimPath(city, territory.ClaimLine{Round: in.Round, Community: in.Community}, ""), text.Msg("territorypage.decided"))
	}
	v, err := w.claimView(r)
	if err != nil {
		return err
	}
	return w.again(rw, r, bad, ui.Staff, func(f ui.Form) Page { v.form = f; return claimPage(v) })
}
