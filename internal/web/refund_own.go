package web

import (
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/text"
)

// ownRefund is what the household behind a resident's matter gets back, as far as it is known.
type ownRefund struct {
	settle.View
	there  bool
	season string
	waits  bool
}

// ownClaim finds the claim of the household whose matter the request's receipt shows; nothing when the matter belongs to no
// household account, or when nothing was measured that a refund could follow from.
func (w *Web) ownClaim(r *http.Request, p cases.Progress, own ownView) (ownRefund, error) {
	var o ownRefund
	if w.Settle == nil {
		return o, nil
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	as := actor.SystemFor("citizen", actor.Public)
	c, err := w.Cases.Get(ctx, as, city, p.ID)
	if err != nil {
		return o, err
	}
	account := ownAccount(c, own)
	if account == "" {
		return o, nil
	}
	o.season = citypack.SeasonLabel(c.ReceivedAt.Date())
	if o.View, err = w.Settle.Claim(ctx, as, city, o.season, account); err != nil {
		if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
			return ownRefund{}, nil
		}
		return o, err
	}
	o.there, o.waits = true, o.Status != "computed"
	return o, nil
}

// ownAccount is the household account that a resident's matter is about: the one that staff took down, or the one at the
// address whose measurement the matter brought about. The second counts once somebody opened the door to it, or the company
// let its time pass: an address alone shows nobody what a household gets back.
func ownAccount(c cases.Case, own ownView) string {
	if c.Account != "" {
		return c.Account
	}
	for _, m := range own.Measurements {
		if m.Account != "" && (!m.TestedAt.IsZero() || m.Misses > 0) {
			return m.Account
		}
	}
	return ""
}

// ownStatement is the household's statement for whoever holds the receipt.
func (w *Web) ownStatement(rw http.ResponseWriter, r *http.Request) error {
	p, err := w.Cases.Progress(r.Context(), httpx.City(r.Context()), cases.Proof{Token: param(r, "token")})
	if err != nil {
		return err
	}
	own, err := w.ownView(r, p.Company)
	if err != nil {
		return err
	}
	o, err := w.ownClaim(r, p, own)
	if err != nil {
		return err
	}
	if !o.there {
		return fault.New(fault.NotFound, "refundpage.nothing_yet")
	}
	s := statement{View: o.View, l: statementLang(r), issuer: w.o.Site.Owner, estate: p.Community}
	if s.company, err = w.publicName(r, o.Company); err != nil {
		return err
	}
	rules, err := w.Rules.Rules(r.Context(), httpx.City(r.Context()))
	if err != nil {
		return err
	}
	if rule, ok := rules.Pack.RefundRule(o.Rule); ok {
		s.rule, s.waits = rule.Place.In(s.l)+" · "+rule.Source.String(), rules.Pack.Provisional(rule.Origin)
	}
	return w.sheetOf(rw, s.sheet(w.o.Now().Date().String()), "refund-"+o.season)
}

// publicRefunds is what a city shows of a season's refunds: sums by company, no person.
type publicRefunds struct {
	city   int
	season string
	all    []settle.Published
	names  map[string]string
}

// residentRefunds shows everybody what each company pays back, and how much of it is paid.
func (w *Web) residentRefunds(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[seasonQuery](r)
	if err != nil {
		return err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	v := publicRefunds{city: city, season: w.heatSeason(q.Season), names: map[string]string{}}
	if v.all, err = w.Settle.PublicList(ctx, city, v.season); err != nil {
		return err
	}
	for _, p := range v.all {
		if v.names[p.Company], err = w.publicName(r, p.Company); err != nil {
			return err
		}
	}
	return w.showCitizen(rw, r, Page{Title: text.Msg("refundpage.public"), Body: publicRefundsBody(v), Back: at("/c/{city}/m", city)})
}
