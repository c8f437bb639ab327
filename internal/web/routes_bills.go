package web

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

const (
	billList = "/c/{city}/bills"
	billOne  = billList + "/{account}"
)

// billRoutes are the pages of heat bills: a season's list with its totals, and all bills of a household.
func (w *Web) billRoutes() []Route {
	if w.Fees == nil || w.Rules == nil || w.Places == nil {
		return nil
	}
	read := may(actor.FeeRead)
	all := []Route{
		get(billList, read, w.bills),
		get(billList+"/sums", read, w.billSums),
		get(billList+"/export", read, w.billsExport),
		get(billOne, read, w.billsOfHome),
	}
	for _, a := range billActs() {
		all = append(all, post(billOne+"/"+a.name, may(actor.FeeImport), w.doBill(a)))
	}
	return all
}

// billPath is the address of a household's bills.
func billPath(city int, account string) string {
	return at(billList, city) + "/" + url.PathEscape(account)
}

// billQuery narrows the list of bills.
type billQuery struct {
	fee.Filter
	Format sheet.Format `form:"format"`
}

// billsView is a page of a season's bills.
type billsView struct {
	city  int
	now   civil.Instant
	query fee.Filter
	list  page.Of[fee.Entry]
	sums  []fee.Sums // by company; loaded by its own part
	names *caseNames
	whole bool // the reader sees every company
}

func (w *Web) billsView(r *http.Request) (billsView, error) {
	q, err := httpx.Bind[billQuery](r)
	city := httpx.City(r.Context())
	v := billsView{city: city, now: w.o.Now(), query: q.Filter, whole: by(r).ScopeOf(actor.FeeRead, city).All}
	if err != nil {
		return v, err
	}
	v.query.Season = w.heatSeason(v.query.Season)
	if !fee.IsSeason(v.query.Season) {
		return v, badSeason(v.query.Season)
	}
	v.names, err = w.caseNames(r)
	return v, err
}

func (w *Web) bills(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.billsView(r)
	if err != nil {
		return err
	}
	if v.list, err = w.Fees.List(r.Context(), by(r), v.city, v.query); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("billpage.title"), Nav: "bills", Body: billsBody(v)})
}

// billSums totals the bills of the list's filter. It reads all of them, so the list does not wait for it.
func (w *Web) billSums(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.billsView(r)
	if err != nil {
		return err
	}
	if v.sums, err = w.Fees.Sum(r.Context(), by(r), v.city, v.query); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("billpage.sums"), Nav: "bills", Body: billSumsPart(v)})
}

// billsExport sends every bill of the filter as a table.
func (w *Web) billsExport(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.billsView(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	columns := []string{
		"refundpage.account", "refundpage.season", "refundpage.company", "refundpage.station", "refundpage.estate", "billpage.building", "billpage.unit", "billpage.room", "refundpage.bill_area", "refundpage.bill_class",
		"refundpage.bill_amount", "refundpage.bill_paid", "billpage.credited", "refundpage.set_off", "billpage.owed", "billpage.standing", "refundpage.bill_origin",
	}
	return w.sendSheet(rw, r, "bills-"+v.query.Season, columns, func(out sheet.Writer) error {
		return w.Fees.Each(ctx, by(r), v.city, v.query, func(e fee.Entry) error {
			return out.Row(e.Account, e.Season, v.names.org(ctx, e.Company), e.Station, e.CommunityName, e.Building, e.Unit, e.Room, e.AreaM2, v.class(ctx, e.PriceClass),
				yuan(e.Amount), yuan(e.Paid), e.Credited.Yuan(), e.SetOff.Yuan(), owedOf(e.Bill), ui.T(ctx, "billpage.standing."+string(e.Standing)), originOf(ctx, e.Bill))
		})
	})
}

// class is the name of a price class.
func (v billsView) class(ctx context.Context, code string) string {
	return v.names.rules.Pack.PriceName(code).In(httpx.Lang(ctx))
}

// classes are the price classes of the city.
func (v billsView) classes(ctx context.Context) []ui.Option {
	var out []ui.Option
	for _, p := range v.names.rules.Pack.Doc.Fees.Prices {
		if !slices.ContainsFunc(out, func(o ui.Option) bool { return o.Value == p.Code }) {
			out = append(out, ui.Option{Value: p.Code, Text: p.Name.In(httpx.Lang(ctx))})
		}
	}
	return out
}

// narrowed reports whether the list is asked for less than a season.
func (v billsView) narrowed() bool {
	f := v.query
	return f.Account != "" || f.Company != "" || f.Station != "" || f.Community != "" || f.Class != "" || f.Standing != "" || f.TwoPart != "" || f.Unpaid
}

// all is the sum over the companies.
func (v billsView) all() fee.Sums {
	var out fee.Sums
	for _, s := range v.sums {
		out.Join(s)
	}
	return out
}

// owedOf is what is still to pay, empty where it is not known; below zero too much was paid.
func owedOf(b fee.Bill) string {
	owed, known := b.Owed()
	if !known {
		return ""
	}
	return owed.Yuan()
}

// someYuan is a sum, empty where there is none.
func someYuan(f money.Fen) string {
	if f == 0 {
		return ""
	}
	return f.Yuan()
}

func billTone(s fee.Standing) ui.Tone {
	switch s {
	case fee.Met:
		return ui.Green
	case fee.Partly:
		return ui.Amber
	case fee.Owing:
		return ui.Red
	case fee.Over:
		return ui.Blue
	case fee.Unclear:
	}
	return ui.Grey
}

// homeBillsView is everything about a household's bills.
type homeBillsView struct {
	fee.Account
	city    int
	names   *caseNames
	refunds bool   // the reader may see the household's claims
	record  string // address of the household's measurements; empty when the reader may not see them
	edits   bool   // the reader enters payments and readings
	today   string
	act     string // which form is open
	subject string // of what: a season, a payment, a reading
	form    ui.Form
}

func (w *Web) homeBillsView(r *http.Request) (homeBillsView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := homeBillsView{city: city, today: w.o.Now().Date().String()}
	var err error
	if v.Account, err = w.Fees.Account(ctx, by(r), city, param(r, "account")); err != nil {
		return v, err
	}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	v.refunds = w.has(refundOne) && by(r).May(actor.RefundRead, v.Home.On(city)) == nil
	v.edits = by(r).May(actor.FeeImport, v.Home.On(city)) == nil
	if w.open(by(r), measureList+"/home", city) {
		v.record = withQuery(at(measureList+"/home", city), filterValues("home", v.Home.Account))
	}
	return v, nil
}

func (w *Web) billsOfHome(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.homeBillsView(r)
	if err != nil {
		return err
	}
	v.act, v.subject = r.URL.Query().Get("act"), r.URL.Query().Get("subject")
	return w.show(rw, r, v.page())
}

// page is the page of a household's bills.
func (v homeBillsView) page() Page {
	return Page{Title: text.Msg("billpage.home"), Nav: "bills", Body: homeBillsBody(v)}
}

// chart draws what stands of the meters' readings over time.
func (v homeBillsView) chart(ctx context.Context) ui.Chart {
	c := ui.Chart{ID: "meter-chart", Title: ui.T(ctx, "billpage.meters"), Decimals: 1, LabelKey: "billpage.read_on", NoTable: true, Quiet: true, Height: 180}
	standing := slices.DeleteFunc(slices.Clone(v.Readings), func(r fee.Reading) bool { return r.Ended != "" })
	slices.SortStableFunc(standing, func(a, b fee.Reading) int { return strings.Compare(a.On.String(), b.On.String()) })
	for _, r := range standing {
		if on := r.On.String(); !slices.Contains(c.Labels, on) {
			c.Labels = append(c.Labels, on)
		}
	}
	for _, r := range standing {
		name := r.Meter + " " + ui.T(ctx, "fee.unit."+string(r.Unit))
		at := slices.IndexFunc(c.Series, func(s ui.Series) bool { return s.Name == name })
		if at < 0 {
			at = len(c.Series)
			c.Series = append(c.Series, ui.Series{Name: name, Values: slices.Repeat([]float64{math.NaN()}, len(c.Labels))})
		}
		if value, err := strconv.ParseFloat(r.Value, 64); err == nil {
			c.Series[at].Values[slices.Index(c.Labels, r.On.String())] = value
		}
	}
	return c
}
