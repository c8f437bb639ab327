package web

import (
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// claimRoutes are the claiming of communities before a season (辖区认领).
func (w *Web) claimRoutes() []Route {
	if w.Territory == nil || w.Rules == nil {
		return nil
	}
	see, claim, decide := may(actor.TerritoryClaim, actor.TerritoryDecide), may(actor.TerritoryClaim), may(actor.TerritoryDecide)
	return []Route{
		get("/c/{city}/claims", see, w.claims),
		get("/c/{city}/claims/export", see, w.claimsExport),
		post("/c/{city}/claims", decide, w.openRound),
		get("/c/{city}/claims/{round}/{community}", see, w.claimLine),
		post("/c/{city}/claims/{round}/claim", claim, w.claimThese),
		post("/c/{city}/claims/{round}/unclaim", claim, w.unclaimThese),
		post("/c/{city}/claims/{round}/kept", claim, w.claimKept),
		post("/c/{city}/claims/{round}/publish", decide, w.publishRound),
		post("/c/{city}/claims/{round}/{community}/sign", claim, w.signHandover),
		post("/c/{city}/claims/{round}/{community}/decide", decide, w.decideClaim),
	}
}

type claimQuery struct {
	Round string `form:"round"`
	territory.LineFilter
}

// claimsView is a round with its lines.
type claimsView struct {
	city    int
	names   *caseNames
	rounds  []territory.Round
	round   territory.Round // zero: there is none yet
	filter  territory.LineFilter
	list    page.Of[territory.ClaimLine]
	counts  map[territory.ClaimState]int
	company string // the reader's, who may claim; empty for others
	decide  bool
	form    ui.Form
}

func (v claimsView) open() bool { return v.round.State == territory.RoundOpen }

func (w *Web) claimsView(r *http.Request, form ui.Form) (claimsView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := claimsView{city: city, form: form, decide: by(r).MayAny(actor.TerritoryDecide, city)}
	if by(r).MayAny(actor.TerritoryClaim, city) {
		v.company = by(r).Org
	}
	var q claimQuery
	var err error
	if r.Method == http.MethodGet {
		if q, err = httpx.Bind[claimQuery](withoutFormat(r)); err != nil {
			return v, err
		}
	}
	v.filter = q.LineFilter
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	if v.rounds, err = w.Territory.Rounds(ctx, by(r), city); err != nil || len(v.rounds) == 0 {
		return v, err
	}
	v.round = v.rounds[0]
	for _, one := range v.rounds {
		if one.ID == q.Round || one.ID == r.PathValue("round") {
			v.round = one
		}
	}
	if v.counts, err = w.Territory.CountLines(ctx, by(r), city, v.round.ID); err != nil {
		return v, err
	}
	v.list, err = w.Territory.Lines(ctx, by(r), city, v.round.ID, v.filter)
	return v, err
}

func claimsPage(v claimsView) Page {
	return Page{Title: text.Msg("nav.claims"), Nav: "claims", Body: claimsBody(v)}
}

func (w *Web) claims(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.claimsView(r, ui.Form{})
	if err != nil {
		return err
	}
	return w.show(rw, r, claimsPage(v))
}

// claimsAgain shows the page with what is wrong in one of its forms.
func (w *Web) claimsAgain(rw http.ResponseWriter, r *http.Request, bad error) error {
	v, err := w.claimsView(r, ui.Form{})
	if err != nil {
		return err
	}
	return w.again(rw, r, bad, ui.Staff, func(f ui.Form) Page { v.form = f; return claimsPage(v) })
}

// claimsExport sends every line of the filter as a table.
func (w *Web) claimsExport(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.claimsView(r, ui.Form{})
	if err != nil {
		return err
	}
	ctx := r.Context()
	columns := []string{"territorypage.community", "territorypage.district", "territorypage.base", "territorypage.next", "territorypage.claim_state", "territorypage.claimed_by", "territorypage.note"}
	return w.sendSheet(rw, r, "claims-"+v.round.Season, columns, func(out sheet.Writer) error {
		if v.round.ID == "" {
			return nil
		}
		return w.Territory.EachLine(ctx, by(r), v.city, v.round.ID, v.filter, func(l territory.ClaimLine) error {
			return out.Row(l.Name, v.names.district(l.District), v.names.served(ctx, l.Base), v.names.served(ctx, l.Company), ui.T(ctx, "claim_state."+string(l.State)), l.Claims, l.Note)
		})
	})
}

func (w *Web) openRound(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[territory.RoundInput](r)
	if err != nil {
		return w.claimsAgain(rw, r, err)
	}
	in.City = httpx.City(r.Context())
	one, err := w.Territory.OpenRound(r.Context(), by(r), in)
	if err != nil {
		return w.claimsAgain(rw, r, err)
	}
	return w.done(rw, r, at("/c/{city}/claims", in.City), text.Msg("territorypage.round_opened", "season", one.Season))
}

func (w *Web) publishRound(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[territory.PublishInput](r)
	if err != nil {
		return w.claimsAgain(rw, r, err)
	}
	in.City, in.Round = httpx.City(r.Context()), r.PathValue("round")
	if _, err := w.Territory.PublishRound(r.Context(), by(r), in); err != nil {
		return w.claimsAgain(rw, r, err)
	}
	return w.done(rw, r, at("/c/{city}/territory", in.City), text.Msg("territorypage.round_published", "version", in.Code))
}

// claiming reads the ticked communities for the reader's own company.
func (w *Web) claiming(r *http.Request) (territory.ClaimInput, error) {
	in, err := httpx.Bind[territory.ClaimInput](r)
	in.City, in.Round, in.Company = httpx.City(r.Context()), r.PathValue("round"), by(r).Org
	return in, err
}

func (w *Web) claimThese(rw http.ResponseWriter, r *http.Request) error {
	in, err := w.claiming(r)
	back := at("/c/{city}/claims", httpx.City(r.Context()))
	n := 0
	if err == nil {
		n, err = w.Territory.Claim(r.Context(), by(r), in)
	}
	if err != nil {
		return w.refused(rw, r, err, back)
	}
	return w.done(rw, r, back, text.Msg("territorypage.claimed", "n", n))
}

func (w *Web) unclaimThese(rw http.ResponseWriter, r *http.Request) error {
	in, err := w.claiming(r)
	back := at("/c/{city}/claims", httpx.City(r.Context()))
	n := 0
	if err == nil {
		n, err = w.Territory.Unclaim(r.Context(), by(r), in)
	}
	if err != nil {
		return w.refused(rw, r, err, back)
	}
	return w.done(rw, r, back, text.Msg("territorypage.unclaimed", "n", n))
}

func (w *Web) claimKept(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	n, err := w.Territory.ClaimKept(r.Context(), by(r), city, r.PathValue("round"), by(r).Org)
	if err != nil {
		return w.refused(rw, r, err, at("/c/{city}/claims", city))
	}
	return w.done(rw, r, at("/c/{city}/claims", city), text.Msg("territorypage.claimed", "n", n))
}
