package web

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

const (
	refundList = "/c/{city}/refunds"
	refundOne  = refundList + "/{season}/{account}"
)

// refundRoutes are the pages of what households get back: claims, one claim with its reasons, and what companies may owe.
func (w *Web) refundRoutes() []Route {
	if w.Settle == nil || w.Bundles == nil || w.Rules == nil || w.Places == nil {
		return nil
	}
	read := may(actor.RefundRead)
	all := []Route{
		get(refundList, read, w.refunds),
		get(refundList+"/export", read, w.refundsExport),
		get(refundList+"/exposure", read, w.refundExposure),
		get(refundOne, read, w.refund),
		get(refundOne+"/statement", read, w.refundStatement),
		get(refundOne+"/bundle", read, w.refundBundle),
		get("/c/{city}/m/refunds", public, w.residentRefunds),
	}
	for _, a := range refundActs() {
		all = append(all, post(refundOne+"/"+a.name, may(a.may), w.doRefund(a)))
	}
	return all
}

// refundPath is the address of one claim, or of something below it.
func refundPath(city int, season, account string, more ...string) string {
	return at(refundList, city) + "/" + url.PathEscape(season) + "/" + strings.Join(append([]string{url.PathEscape(account)}, more...), "/")
}

// refundQuery narrows the list of claims.
type refundQuery struct {
	settle.Filter
	Format sheet.Format `form:"format"`
}

// refundsView is a page of claims with what the season comes to for whoever looks.
type refundsView struct {
	city  int
	now   civil.Instant
	query settle.Filter
	list  page.Of[settle.Claim]
	sums  settle.Exposure // of the season within the filter's company and station
	names *caseNames
	estates
	whole bool // the reader sees every company
}

// estates are the names of communities by their ids.
type estates map[string]string

// name is a community's name; one that the reader may not look up stays its id.
func (e estates) name(id string) string { return cmp.Or(e[id], id) }

// communityNames finds the names of communities, each once.
func (w *Web) communityNames(r *http.Request, ids []string) estates {
	out := estates{}
	for _, id := range ids {
		if _, done := out[id]; done || id == "" {
			continue
		}
		out[id] = id
		if c, err := w.Places.Community(r.Context(), by(r), httpx.City(r.Context()), id); err == nil {
			out[id] = c.Name
		}
	}
	return out
}

// heatSeason is the season of a query, the present one if it names none.
func (w *Web) heatSeason(label string) string {
	return cmp.Or(label, citypack.SeasonLabel(w.o.Now().Date()))
}

// seasons are the present season and those before it, and the chosen one.
func seasons(now civil.Instant, chosen string) []ui.Option {
	const back = 3
	var out []ui.Option
	for i := range back {
		l := citypack.SeasonLabel(civil.NewDate(now.Date().Year-i, now.Date().Month, 1))
		out = append(out, ui.Option{Value: l, Text: l})
	}
	if !slices.ContainsFunc(out, func(o ui.Option) bool { return o.Value == chosen }) {
		out = append(out, ui.Option{Value: chosen, Text: chosen})
	}
	return out
}

func (w *Web) refunds(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[refundQuery](r)
	if err != nil {
		return err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	v := refundsView{city: city, now: w.o.Now(), query: q.Filter, whole: by(r).ScopeOf(actor.RefundRead, city).All}
	v.query.Season = w.heatSeason(v.query.Season)
	if v.list, err = w.Settle.Claims(ctx, by(r), city, v.query); err != nil {
		return err
	}
	all, err := w.Settle.Exposure(ctx, by(r), city, v.query.Season)
	if err != nil {
		return err
	}
	v.sums = sumExposure(all, v.query.Company, v.query.Station)
	if v.names, err = w.caseNames(r); err != nil {
		return err
	}
	ids := make([]string, len(v.list.Items))
	for i, c := range v.list.Items {
		ids[i] = c.Community
	}
	v.estates = w.communityNames(r, ids)
	return w.show(rw, r, Page{Title: text.Msg("refundpage.title"), Nav: "refund", Body: refundsBody(v)})
}

func sumExposure(all []settle.Exposure, company, station string) settle.Exposure {
	var out settle.Exposure
	for _, e := range all {
		if (company == "" || e.Company == company) && (station == "" || e.Station == station) {
			out.Claims, out.Confirmed, out.NotComputable = out.Claims+e.Claims, out.Confirmed+e.Confirmed, out.NotComputable+e.NotComputable
			out.Counted, out.Amount = out.Counted+e.Counted, out.Amount+e.Amount
		}
	}
	return out
}

// refundsExport sends every claim of the filter as a table.
func (w *Web) refundsExport(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[refundQuery](r)
	if err != nil {
		return err
	}
	names, err := w.caseNames(r)
	if err != nil {
		return err
	}
	ctx, f := r.Context(), q.Filter
	f.Season, f.Size, f.After = w.heatSeason(f.Season), page.MaxSize, ""
	list, err := w.Settle.Claims(ctx, by(r), httpx.City(ctx), f)
	if err != nil {
		return err
	}
	columns := []string{
		"refundpage.account", "refundpage.season", "refundpage.state", "refundpage.status", "refundpage.company", "refundpage.station", "refundpage.estate",
		"refundpage.days", "refundpage.amount", "refundpage.confirmed", "refundpage.pay_by", "refundpage.missing", "refundpage.since",
	}
	known := estates{}
	return w.sendSheet(rw, r, "refunds-"+f.Season, columns, func(out sheet.Writer) error {
		for {
			for _, c := range list.Items {
				if _, ok := known[c.Community]; !ok {
					maps.Copy(known, w.communityNames(r, []string{c.Community}))
				}
				confirmed := ""
				if c.Confirmed != nil {
					confirmed = c.Confirmed.Yuan()
				}
				err := out.Row(c.Account, c.Season, ui.T(ctx, "refund_claim.state."+string(c.State)), ui.T(ctx, "refundpage.status."+string(c.Status)), names.org(ctx, c.Company), c.Station,
					known.name(c.Community), strconv.Itoa(c.Counted), c.Amount.Yuan(), confirmed, c.PayBy.String(), missingWords(ctx, c.Missing), c.Claimed.Minute())
				if err != nil {
					return err
				}
			}
			if list.Next == "" {
				return nil
			}
			f.After = list.Next
			if list, err = w.Settle.Claims(ctx, by(r), httpx.City(ctx), f); err != nil {
				return err
			}
		}
	})
}

// missingWords says what an assessment lacks.
func missingWords(ctx context.Context, codes string) string {
	var out []string
	for m := range strings.FieldsSeq(codes) {
		out = append(out, firstKey(ctx, m, "refund.missing."+m, "refundpage.missing."+m))
	}
	return strings.Join(out, ui.T(ctx, "web.and"))
}

// exposureView is what each company may have to pay back, station by station.
type exposureView struct {
	city   int
	now    civil.Instant
	season string
	all    []settle.Exposure
	sum    settle.Exposure
	names  *caseNames
}

// refundExposure shows what each company may have to pay back, by station.
func (w *Web) refundExposure(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[seasonQuery](r)
	if err != nil {
		return err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	v := exposureView{city: city, now: w.o.Now(), season: w.heatSeason(q.Season)}
	if !fee.IsSeason(v.season) {
		return badSeason(v.season)
	}
	if v.all, err = w.Settle.Exposure(ctx, by(r), city, v.season); err != nil {
		return err
	}
	v.sum = sumExposure(v.all, "", "")
	if v.names, err = w.caseNames(r); err != nil {
		return err
	}
	if q.Format != "" {
		columns := []string{"refundpage.company", "refundpage.station", "refundpage.claims", "refundpage.confirmed_n", "refundpage.not_computable", "refundpage.days", "refundpage.amount"}
		return w.sendSheet(rw, r, "exposure-"+v.season, columns, func(out sheet.Writer) error {
			for _, e := range v.all {
				if err := out.Row(v.names.org(ctx, e.Company), e.Station, count(e.Claims), count(e.Confirmed), count(e.NotComputable), count(e.Counted), e.Amount.Yuan()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return w.show(rw, r, Page{Title: text.Msg("refundpage.exposure"), Nav: "exposure", Body: exposureBody(v)})
}

// seasonQuery is the season that a page shows.
type seasonQuery struct {
	Season string       `form:"season"`
	Format sheet.Format `form:"format"`
}

func badSeason(label string) error {
	var c fault.Check
	c.Add("season", "fee.bad_season", "value", label)
	return c.Err()
}

func count(n int64) string { return strconv.FormatInt(n, 10) }

// yuan writes a sum that may be unknown.
func yuan(f *money.Fen) string {
	if f == nil {
		return ""
	}
	return f.Yuan()
}
